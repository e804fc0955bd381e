"""What is the same thing in two versions, whatever it is called.

Entities and fields are recognised by where their values lie, so that a rename is a rename in both directions: published
with `was:`, or undone by going back.  Stages, processes, roles and options have no place of their own; they are
recognised by name, or by the `was:` of one of the two versions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from engine.definition.model import AppDefinition
from engine.fields.choice import Choosing
from engine.storage.layout import EntityLayout, Layout

Pair = tuple[str, str]


@dataclass(frozen=True)
class Identity:
    """New names to old ones, for everything that both versions have. `predecessors` are fields whose values move over.

    Keys are names, or pairs of the new owner's name and the name.
    """

    entities: Mapping[str, str]
    fields: Mapping[Pair, str]
    predecessors: Mapping[Pair, str]
    processes: Mapping[str, str]
    stages: Mapping[Pair, str]
    roles: Mapping[str, str]
    options: Mapping[Pair, Mapping[str, str]]  # (entity, field) -> old option to new one, renamed ones only

    @cached_property
    def continued(self) -> Mapping[Pair, str]:
        """Every field that has an old one, in place or by conversion."""
        return {**self.fields, **self.predecessors}

    def is_new(self, entity: str, field: str, declared: Mapping[str, Any]) -> bool:
        """Whether a declared field has no old one, though there may have been another of its name."""
        return field in declared and (entity, field) not in self.continued

    def old_field(self, entity: str, field: str) -> str | None:
        """The field of the old version that this one continues, in place or by conversion."""
        return self.continued.get((entity, field))


def pairs(
    old: Mapping[str, Any], new: Mapping[str, Any], was: Callable[[Any], str | None] = lambda each: each.was
) -> dict[str, str]:
    """New names to old ones of things recognised by name or by what either version says was the other's name."""
    found = {name: name for name in new if name in old}
    for name, each in new.items():
        said = was(each)
        if said is not None and name not in found and said in old and said not in new:
            found[name] = said
    taken = set(found.values())
    for before, each in old.items():
        said = was(each)
        if said is not None and before not in taken and said in new and said not in found:
            found[said] = before
    return found


def identify(old: AppDefinition, old_layout: Layout, new: AppDefinition, new_layout: Layout) -> Identity:
    """Compare two versions of an app by their layouts and their words."""
    tables = {home.table: name for name, home in old_layout.entities.items()}
    entities = {name: tables[home.table] for name, home in new_layout.entities.items() if home.table in tables}
    fields: dict[Pair, str] = {}
    predecessors: dict[Pair, str] = {}
    options: dict[Pair, dict[str, str]] = {}
    for name, before in entities.items():
        here, there = new_layout[name], old_layout[before]
        columns = {stored.column: field for field, stored in there.fields.items()}
        for field, stored in here.fields.items():
            if stored.column in columns:
                fields[name, field] = columns[stored.column]
        for field in new.entities[name].fields:
            if (name, field) in fields:
                continue
            source = _predecessor(field, here, there)
            if (
                source is None
                and field not in here.fields
                and field in old.entities[before].fields
                and field not in there.fields
            ):
                fields[name, field] = field  # no column in either: a collection of children
            elif source is not None and field in here.fields:
                predecessors[name, field] = source
        for (owner, field), earlier in list(fields.items()):
            if owner == name:
                one, other = new.entities[name].fields.get(field), old.entities[before].fields.get(earlier)
                if isinstance(one, Choosing) and isinstance(other, Choosing):
                    renamed = {b: a for a, b in pairs(other.options, one.options).items() if a != b}
                    if renamed:
                        options[name, field] = renamed
    processes = pairs(old.processes, new.processes)
    stages = {
        (name, stage): earlier
        for name, before in processes.items()
        for stage, earlier in pairs(old.processes[before].stages, new.processes[name].stages).items()
    }
    return Identity(entities, fields, predecessors, processes, stages, pairs(old.roles, new.roles), options)


def _predecessor(field: str, here: EntityLayout, there: EntityLayout) -> str | None:
    """The old field whose values move over to a field."""
    stored = here.fields.get(field)
    if stored is None:
        return None
    sources = (name for name, old in there.fields.items() if here.moved.get(old.column) == stored.column)
    return next(sources, None)
