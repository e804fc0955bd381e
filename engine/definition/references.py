"""Every name in a definition that stands for something defined elsewhere, other than inside expressions.

Each is a `Reference`: where it stands, what kind of thing it names, and which names are known there.  The checks of
names, renaming, and finding out what is used all read this one list.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from engine.analytics.cards import Card
from engine.definition.model import AppDefinition, Entity
from engine.definition.scope import SYSTEM, Names
from engine.definition.source import KeyPath
from engine.fields.autonumber import AutonumberField
from engine.fields.children import ChildrenField
from engine.fields.lookup import LookupField
from engine.forms.briefs import Brief, holes
from engine.forms.public import Public
from engine.workflows.definition import Gate, Process
from engine.workflows.process import transitions_of

ReferenceKind = Literal[
    "entity",
    "field",
    "role",
    "stage",
    "kind",
    "section",
    "transition",
    "relation",
    "slot",
    "process",
    "team",
    "person",
    "list",
    "view",
]
SLOTS = ("file", "files", "image", "signature")


@dataclass(frozen=True, slots=True)
class Reference:
    """`owner` is what the name belongs to: the entity of a field, the process of a stage. `key`: the name is a map's key."""

    kind: ReferenceKind
    path: KeyPath
    name: str
    known: Collection[str]
    owner: str | None = None
    key: bool = False
    offset: int = 0  # where in the scalar the name begins

    @property
    def found(self) -> bool:
        return self.name in self.known


def references(definition: AppDefinition, names: Names) -> Iterator[Reference]:
    """In the order of the vocabulary. What belongs to an entity or process that is unknown itself is left out."""
    return _References(definition, names).all()


def templates(definition: AppDefinition) -> Iterator[tuple[str, KeyPath, str]]:
    """Every template of running numbers, with its entity and where it stands; `{field}` in it names a field, too."""
    for name, entity in definition.entities.items():
        if entity.number:
            yield name, ("entities", name, "number"), entity.number
        for key, field in entity.fields.items():
            if isinstance(field, AutonumberField):
                yield name, ("entities", name, "fields", key, "template"), field.template


class _References:
    def __init__(self, definition: AppDefinition, names: Names) -> None:
        self.d = definition
        self.names = names
        self.fields = {
            name: dict.fromkeys([*entity.fields, *names.builtin[name]]) for name, entity in definition.entities.items()
        }
        self.targets = [*definition.entities, *SYSTEM]

    def all(self) -> Iterator[Reference]:
        d = self.d
        for name, role in d.roles.items():
            yield from self.each("role", ("roles", name, "includes"), role.includes, d.roles)
            yield from self.each("role", ("roles", name, "apart"), role.apart, d.roles)
        for name, entity in d.entities.items():
            yield from self.entity(name, entity)
        for name, group in d.menu.items():
            yield from self.each("entity", ("menu", name, "entities"), group.entities, d.entities)
        for name, form in d.forms.items():
            path: KeyPath = ("forms", name)
            yield Reference("entity", (*path, "entity"), form.entity, d.entities)
            for key, section in form.sections.items():
                yield from self.of(form.entity, (*path, "sections", key, "fields"), section.fields)
            for key, tab in form.tabs.items():
                yield from self.each("section", (*path, "tabs", key, "sections"), tab.sections, form.sections, name)
            yield from self.each("role", (*path, "roles"), form.roles, d.roles)
            if form.public is not None:
                yield from self.public((*path, "public"), form.entity, form.public)
        for name, view in d.views.items():
            path = ("views", name)
            yield Reference("entity", (*path, "entity"), view.entity, d.entities)
            yield from self.of(view.entity, (*path, "columns"), view.columns)
            for index, key in enumerate(view.sort):
                if view.entity in d.entities:
                    bare = key.removeprefix("-")
                    yield Reference(
                        "field",
                        (*path, "sort", index),
                        bare,
                        self.fields[view.entity],
                        view.entity,
                        offset=len(key) - len(bare),
                    )
            yield from self.of(view.entity, (*path, "filters"), view.filters)
            yield from self.of(view.entity, (*path, "group"), view.group)
            yield from self.of(view.entity, (*path, "sum"), view.sum)
            yield from self.each("role", (*path, "roles"), view.roles, d.roles)
        for name, home in d.homes.items():
            path = ("homes", name)
            yield from self.each("role", (*path, "for"), home.for_, d.roles)
            yield from self.each("entity", (*path, "bar"), home.bar, d.entities)
            for key, card in home.cards.items():
                yield from self.card((*path, "cards", key), card)
        yield from self.policies()
        for name, process in d.processes.items():
            yield from self.process(name, process)
        for name, score in d.scores.items():
            yield Reference("entity", ("scores", name, "entity"), score.entity, d.entities)
            yield from self.of(score.entity, ("scores", name, "field"), [score.field], plain=True)
        yield from self.sample()

    def public(self, path: KeyPath, entity: str, public: Public) -> Iterator[Reference]:
        yield from self.each("role", (*path, "managed_by"), public.managed_by, self.d.roles)
        yield from self.keys(entity, (*path, "fill"), public.fill)
        for key, channel in public.channels.items():
            yield from self.keys(entity, (*path, "channels", key, "fill"), channel.fill)
        yield from self.of(entity, (*path, "required"), public.required)
        yield from self.of(entity, (*path, "prefill"), public.prefill)
        yield from self.keys(entity, (*path, "questions"), public.questions)

    def each(
        self, kind: ReferenceKind, path: KeyPath, found: Iterable[str], known: Collection[str], owner: str | None = None
    ) -> Iterator[Reference]:
        for index, name in enumerate(found):
            yield Reference(kind, (*path, index), name, known, owner)

    def of(self, entity: str, path: KeyPath, found: Iterable[str], plain: bool = False) -> Iterator[Reference]:
        """Fields of an entity, in a list or (`plain`) in one scalar."""
        if entity in self.d.entities:
            for index, name in enumerate(found):
                yield Reference("field", path if plain else (*path, index), name, self.fields[entity], entity)

    def keys(self, entity: str, path: KeyPath, found: Iterable[str]) -> Iterator[Reference]:
        if entity in self.d.entities:
            for name in found:
                yield Reference("field", (*path, name), name, self.d.entities[entity].fields, entity, key=True)

    def entity(self, name: str, entity: Entity) -> Iterator[Reference]:
        base: KeyPath = ("entities", name)
        for setting in ("title", "subtitle", "part_of"):
            value: str | None = getattr(entity, setting)
            if value is not None:
                yield from self.of(name, (*base, setting), [value], plain=True)
        for key, field in entity.fields.items():
            path = (*base, "fields", key)
            if isinstance(field, LookupField):
                yield Reference("entity", (*path, "to"), field.to, self.targets)
                yield from self.keys(name, (*path, "autofill"), field.autofill)
                for own, other in field.autofill.items():
                    yield from self.path_of((*path, "autofill", own), field.to, other)
            elif isinstance(field, ChildrenField):
                yield Reference("entity", (*path, "of"), field.of, self.d.entities)
                yield from self.of(field.of, (*path, "by"), [field.by], plain=True)
        for key, section in entity.sections.items():
            yield from self.of(name, (*base, "sections", key, "fields"), section.fields)
        for key, rule in entity.rules.items():
            yield from self.of(name, (*base, "rules", key, "fields"), rule.fields)
        for key, combination in entity.unique.items():
            yield from self.of(name, (*base, "unique", key), combination)
        if entity.duplicates:
            yield from self.keys(name, (*base, "duplicates", "match"), entity.duplicates.match)
        if entity.group:
            for setting in ("parent", "root"):
                yield from self.of(name, (*base, "group", setting), [getattr(entity.group, setting)], plain=True)
        for key, notice in entity.notices.items():
            path = (*base, "notices", key)
            if notice.on is not None:
                yield from self.of(name, (*path, "on"), [notice.on], plain=True)
            yield Reference("entity", (*path, "entity"), notice.entity, self.d.entities)
            for index, each in enumerate(notice.reveals):
                yield from self.path_of((*path, "reveals", index), notice.entity, each)
        for key, conversion in entity.conversions.items():
            path = (*base, "conversions", key)
            for target, made in conversion.to.items():
                there = made.entity or target
                if made.entity is not None:
                    yield Reference("entity", (*path, "to", target, "entity"), there, self.d.entities)
                else:
                    yield Reference("entity", (*path, "to", target), there, self.d.entities, key=True)
                yield from self.keys(there, (*path, "to", target, "set"), made.set)
                yield from self.of(there, (*path, "to", target, "match"), made.match)
                if made.store is not None:
                    yield from self.of(name, (*path, "to", target, "store"), [made.store], plain=True)
            yield from self.keys(name, (*path, "set"), conversion.set)
        for key, brief in entity.briefs.items():
            yield from self.brief((*base, "briefs", key), name, brief)

    def brief(self, path: KeyPath, entity: str, brief: Brief) -> Iterator[Reference]:
        for index, each in enumerate(brief.fields):
            yield from self.path_of((*path, "fields", index), entity, each)
        for language in ("zh", "en") if brief.text else ():
            assert brief.text is not None
            for each, offset in holes(brief.text[language]):
                yield from self.path_of((*path, "text", language), entity, each, offset)
        for key, shown in brief.lists.items():
            below: KeyPath = (*path, "lists", key)
            *links, last = shown.of.split(".")
            yield from self.path_of((*below, "of"), entity, ".".join(links)) if links else ()
            owner = self.names.target(entity, links[0]) if links else entity
            if owner is None or len(links) > 1 or owner not in self.d.entities:
                continue
            known = self.names.relations[owner]
            yield Reference("relation", (*below, "of"), last, known, owner, offset=len(shown.of) - len(last))
            if last not in known:
                continue
            for index, each in enumerate(shown.columns):
                yield from self.path_of((*below, "columns", index), known[last][0], each)
            for index, each in enumerate(shown.sort):
                bare = each.removeprefix("-")
                yield from self.path_of((*below, "sort", index), known[last][0], bare, len(each) - len(bare))

    def card(self, path: KeyPath, card: Card) -> Iterator[Reference]:
        about = card.about(self.view_entity)
        for mention in card.mentions():
            at = (*path, *mention.path)
            owner = mention.of or about
            bare = mention.name.removeprefix("-")
            if mention.kind == "entity":
                yield Reference("entity", at, mention.name, self.d.entities)
            elif mention.kind == "view":
                yield Reference("view", at, mention.name, self.d.views)
            elif mention.kind == "process":
                if owner in self.d.entities:
                    yield Reference("process", at, mention.name, self.names.processes.get(owner, ()), owner)
            elif owner in self.d.entities:
                yield Reference(
                    "field", at, bare, self.fields[owner], owner, key=mention.key, offset=len(mention.name) - len(bare)
                )

    def view_entity(self, name: str) -> str | None:
        view = self.d.views.get(name)
        return view.entity if view else None

    def path_of(self, path: KeyPath, entity: str, dotted: str, offset: int = 0) -> Iterator[Reference]:
        """The fields of a dotted path, as far as it can be followed; it begins at `offset` of the scalar."""
        at: str | None = entity
        for part in dotted.split("."):
            if at is None or (at not in self.d.entities and at not in SYSTEM):
                return
            yield Reference("field", path, part, self.fields.get(at) or SYSTEM[at], at, offset=offset)
            at = self.names.target(at, part)
            offset += len(part) + 1

    def policies(self) -> Iterator[Reference]:
        d = self.d
        for role, policies in d.policies.items():
            yield Reference("role", ("policies", role), role, d.roles, key=True)
            for name, policy in policies.items():
                path: KeyPath = ("policies", role, name)
                yield Reference("entity", path, name, d.entities, key=True)
                if name not in d.entities:
                    continue
                yield from self.each("section", (*path, "sections"), policy.sections, d.entities[name].sections, name)
                for setting in ("hidden", "readonly", "writable", "reveals"):
                    yield from self.of(name, (*path, setting), getattr(policy, setting))
                known = {
                    each
                    for process in d.processes.values()
                    if process.entity == name
                    for each in transitions_of(process)
                }
                yield from self.each("transition", (*path, "transitions"), policy.transitions, known, name)

    def process(self, name: str, process: Process) -> Iterator[Reference]:
        d = self.d
        base: KeyPath = ("processes", name)
        yield Reference("entity", (*base, "entity"), process.entity, d.entities)
        for key, stage in process.stages.items():
            path = (*base, "stages", key)
            if stage.kind is not None:
                yield Reference("kind", (*path, "kind"), stage.kind, d.kinds)
            if stage.owner is not None:
                yield Reference("role", (*path, "owner"), stage.owner, d.roles)
            for side in ("entry", "exit"):
                gate: Gate | None = getattr(stage, side)
                if gate is not None:
                    yield from self.gate((*path, side), process.entity, gate)
            yield from self.keys(process.entity, (*path, "sets"), stage.sets)
        for key, transition in process.transitions.items():
            path = (*base, "transitions", key)
            yield from self.each(
                "stage", (*path, "from"), (each for each in transition.from_ if each != "*"), process.stages, name
            )
            yield Reference("stage", (*path, "to"), transition.to, process.stages, name)
            yield from self.each("role", (*path, "by"), transition.by, d.roles)

    def gate(self, path: KeyPath, entity: str, gate: Gate) -> Iterator[Reference]:
        yield from self.each("role", (*path, "roles"), gate.roles, self.d.roles)
        known = self.d.entities.get(entity)
        if known is None:
            return
        yield from self.of(entity, (*path, "fields"), gate.fields)
        slots = [name for name, field in known.fields.items() if field.type in SLOTS]
        for name in gate.files:
            yield Reference("slot", (*path, "files", name), name, slots, entity, key=True)
        for name in gate.related:
            yield Reference("relation", (*path, "related", name), name, self.names.relations[entity], entity, key=True)

    def sample(self) -> Iterator[Reference]:
        d = self.d
        for name, team in d.sample.teams.items():
            if team.parent is not None:
                yield Reference("team", ("sample", "teams", name, "parent"), team.parent, d.sample.teams)
            if team.leader is not None:
                yield Reference("person", ("sample", "teams", name, "leader"), team.leader, d.sample.people)
        for name, person in d.sample.people.items():
            yield from self.each("role", ("sample", "people", name, "roles"), person.roles, d.roles)
            if person.team is not None:
                yield Reference("team", ("sample", "people", name, "team"), person.team, d.sample.teams)
        for name, make in d.sample.make.items():
            path: KeyPath = ("sample", "make", name)
            yield Reference("entity", path, name, d.entities, key=True)
            for key in make.fields if name in d.entities else ():
                yield Reference("field", (*path, "fields", key), key, self.fields[name], name, key=True)
            if make.per is not None:
                yield from self.of(name, (*path, "per"), [make.per], plain=True)
            for process, stages in make.stages.items():
                yield Reference(
                    "process", (*path, "stages", process), process, self.names.processes.get(name, ()), name, key=True
                )
                if process in d.processes:
                    for stage in stages:
                        yield Reference(
                            "stage",
                            (*path, "stages", process, stage),
                            stage,
                            d.processes[process].stages,
                            process,
                            key=True,
                        )
