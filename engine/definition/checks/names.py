"""Names that stand for something that is not there, and names that nothing may have."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import ClassVar

from engine.definition.checks.base import Check
from engine.definition.facts import Facts
from engine.definition.references import Reference, ReferenceKind
from engine.definition.source import KeyPath
from engine.fields.builtin import RESERVED
from engine.fields.children import ChildrenField
from engine.problems import Label, Patch, Problem
from engine.registry import nearest


class _Unknown(Check):
    """References of one kind that name nothing."""

    kind: ClassVar[ReferenceKind]

    def find(self, facts: Facts) -> Iterator[Problem]:
        told: set[tuple[KeyPath, int]] = set()
        for reference in facts.references:
            if reference.kind != self.kind or reference.found:
                continue
            if reference.path[-1] in ("zh", "en") and not reference.key:
                # One text for both languages stands there once.
                reference = replace(reference, path=facts.source.entry(reference.path)[1])
                if (reference.path, reference.offset) in told:
                    continue
                told.add((reference.path, reference.offset))
            yield self.problem(facts, reference)

    def problem(self, facts: Facts, reference: Reference) -> Problem:
        near = nearest(reference.name, list(reference.known))
        owner = reference.owner
        entity = facts.entity_label(owner) if owner in facts.definition.entities else None
        if owner in facts.definition.processes and reference.kind == "stage":
            entity = facts.definition.processes[owner].label or Label.of(owner)
        place = facts.source.place(
            facts.source.entry(reference.path)[1], key=reference.key, offset=reference.offset or None
        )
        patches = (Patch(place, len(reference.name), near),) if near else ()
        return facts.problem(
            self.code,
            reference.path,
            key=reference.key,
            offset=reference.offset or None,
            patches=patches,
            value=reference.name,
            name=reference.name,
            entity=entity,
            nearest=near,
        )


class UnknownEntity(_Unknown):
    code, kind = "unknown-entity", "entity"
    wrong = "entities: {order: {fields: {name: text, part: {type: lookup, to: prat, on_delete: keep}}}, part: {fields: {name: text}}}"
    repaired = "entities: {order: {fields: {name: text, part: {type: lookup, to: part, on_delete: keep}}}, part: {fields: {name: text}}}"


class UnknownField(_Unknown):
    code, kind = "unknown-field", "field"
    wrong = "entities: {order: {fields: {name: text, amount: money}}}\nviews: {all: {entity: order, columns: [name, amuont]}}"
    repaired = "entities: {order: {fields: {name: text, amount: money}}}\nviews: {all: {entity: order, columns: [name, amount]}}"


class UnknownRole(_Unknown):
    code, kind = "unknown-role", "role"
    wrong = "entities: {order: {fields: {name: text}}}\nroles: {clerk: {}}\npolicies: {clark: {order: {rows: 'true'}}}"
    repaired = (
        "entities: {order: {fields: {name: text}}}\nroles: {clerk: {}}\npolicies: {clerk: {order: {rows: 'true'}}}"
    )


_STAGED = "entities: {order: {fields: {name: text, photo: file}}}\nroles: {clerk: {}}\npolicies: {clerk: {order: {rows: 'created_by == user', actions: [read, create, update, transition]}}}\n"


class UnknownStage(_Unknown):
    code, kind = "unknown-stage", "stage"
    wrong = (
        _STAGED
        + "processes: {flow: {entity: order, stages: {open: {}, done: {end: done}}, transitions: {finish: {from: open, to: done}, again: {from: opne, to: done}}}}"
    )
    repaired = (
        _STAGED
        + "processes: {flow: {entity: order, stages: {open: {}, done: {end: done}}, transitions: {finish: {from: open, to: done}}}}"
    )


class UnknownKind(_Unknown):
    code, kind = "unknown-kind", "kind"
    wrong = (
        _STAGED
        + "kinds: {work: {}}\nprocesses: {flow: {entity: order, stages: {open: {kind: wrok}, done: {end: done, kind: work}}}}"
    )
    repaired = (
        _STAGED
        + "kinds: {work: {}}\nprocesses: {flow: {entity: order, stages: {open: {kind: work}, done: {end: done}}}}"
    )


class UnknownSection(_Unknown):
    code, kind = "unknown-section", "section"
    wrong = (
        "entities: {order: {fields: {name: text}, sections: {main: {fields: [name]}}}}\nroles: {clerk: {}}\n"
        "policies: {clerk: {order: {rows: 'true', sections: [mian]}}}"
    )
    repaired = (
        "entities: {order: {fields: {name: text}, sections: {main: {fields: [name]}}}}\nroles: {clerk: {}}\n"
        "policies: {clerk: {order: {rows: 'true', sections: [main]}}}"
    )


class UnknownTransition(_Unknown):
    code, kind = "unknown-transition", "transition"
    wrong = _STAGED.replace("transition]", "transition], transitions: [finsh, finish]") + (
        "processes: {flow: {entity: order, stages: {open: {}, done: {end: done}}, transitions: {finish: {from: open, to: done}}}}"
    )
    repaired = _STAGED.replace("transition]", "transition], transitions: [finish]") + (
        "processes: {flow: {entity: order, stages: {open: {}, done: {end: done}}, transitions: {finish: {from: open, to: done}}}}"
    )


class UnknownRelation(_Unknown):
    code, kind = "unknown-relation", "relation"
    _PARTS = (
        "entities:\n  order: {fields: {name: text}}\n  line: {fields: {name: text, order: {type: lookup, to: order, on_delete: cascade, inverse: lines}}}\n"
        "roles: {clerk: {}}\npolicies: {clerk: {order: {rows: 'created_by == user', actions: [read, create, update, transition]}, line: {rows: 'created_by == user', actions: [read, create]}}}\n"
    )
    wrong = (
        _PARTS + "processes: {flow: {entity: order, stages: {open: {exit: {related: {linse: 1}}}, done: {end: done}}}}"
    )
    repaired = (
        _PARTS + "processes: {flow: {entity: order, stages: {open: {exit: {related: {lines: 1}}}, done: {end: done}}}}"
    )


class UnknownSlot(_Unknown):
    code, kind = "unknown-slot", "slot"
    wrong = (
        _STAGED + "processes: {flow: {entity: order, stages: {open: {exit: {files: {photos: 1}}}, done: {end: done}}}}"
    )
    repaired = (
        _STAGED + "processes: {flow: {entity: order, stages: {open: {exit: {files: {photo: 1}}}, done: {end: done}}}}"
    )


class UnknownProcess(_Unknown):
    code, kind = "unknown-process", "process"
    wrong = (
        _STAGED
        + "processes: {flow: {entity: order, stages: {open: {}, done: {end: done}}}}\nsample: {make: {order: {count: 1, stages: {folw: {open: 1}}}}}"
    )
    repaired = (
        _STAGED
        + "processes: {flow: {entity: order, stages: {open: {}, done: {end: done}}}}\nsample: {make: {order: {count: 1, stages: {flow: {open: 1}}}}}"
    )


class UnknownView(_Unknown):
    code, kind = "unknown-view", "view"
    wrong = "entities: {order: {fields: {name: text}}}\nviews: {all: {entity: order}}\nhomes: {desk: {cards: {orders: {kind: list, view: al}}}}"
    repaired = wrong.replace("view: al}", "view: all}")


class UnknownTeam(_Unknown):
    code, kind = "unknown-team", "team"
    wrong = "entities: {order: {fields: {name: text}}}\nsample: {teams: {north: {label: N}, south: {label: S, parent: nroth}}}"
    repaired = "entities: {order: {fields: {name: text}}}\nsample: {teams: {north: {label: N}, south: {label: S, parent: north}}}"


class UnknownPerson(_Unknown):
    code, kind = "unknown-person", "person"
    wrong = "entities: {order: {fields: {name: text}}}\nroles: {clerk: {}}\nsample: {teams: {north: {label: N, leader: anna}}, people: {ana: {name: Ana, roles: clerk}}}"
    repaired = "entities: {order: {fields: {name: text}}}\nroles: {clerk: {}}\nsample: {teams: {north: {label: N, leader: ana}}, people: {ana: {name: Ana, roles: clerk}}}"


_HOLE = re.compile(r"\{([^{}]*)\}")


class TemplateHole(Check):
    """A notice whose words ask for something else than how many records there are, and what it reveals of them."""

    code = "template-hole"
    wrong = (
        "entities: {order: {fields: {name: text, place: text}, notices: {same: {entity: order,"
        " where: place == this.place, say: '{count} more: {recrods}', reveals: [name]}}}}"
    )
    repaired = wrong.replace("{recrods}", "{records}")

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, entity in facts.definition.entities.items():
            for key, notice in entity.notices.items():
                path: KeyPath = ("entities", name, "notices", key, "say")
                known = ["count", "records"]
                for language in ("zh", "en"):
                    where = (*path, language) if facts.has((*path, language)) else path
                    if language == "en" and where == path:
                        continue  # one text for both languages
                    for found in _HOLE.finditer(notice.say[language]):
                        if found[1] not in known:
                            yield facts.problem(
                                self.code,
                                where,
                                offset=found.start(1),
                                value=found[1],
                                patches=self._patch(facts, where, found, nearest(found[1], known)),
                                name=found[1],
                                nearest=nearest(found[1], known),
                            )

    @staticmethod
    def _patch(facts: Facts, path: KeyPath, found: re.Match[str], near: str | None) -> list[Patch | None]:
        return [facts.source.patch(path, near, found.start(1), len(found[1]))] if near else []


_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
# Words of the expression language, and of the paths that the API keeps for itself.
_WORDS = frozenset(
    "and or not in is if else where this user true false null none now today event count exists any all sum avg min max"
    " openapi search import export aggregate bulk files history".split()
)
MAX_NAME = 40


def _named(facts: Facts) -> Iterator[tuple[KeyPath, str, bool]]:
    """Every name that becomes a table, a column, a word of expressions or a part of addresses; and whether it is a field."""
    d = facts.definition
    for name, entity in d.entities.items():
        yield ("entities", name), name, False
        for field in entity.fields:
            yield ("entities", name, "fields", field), field, True
        for brief in entity.briefs:
            yield ("entities", name, "briefs", brief), brief, False
    for kind in ("roles", "kinds", "forms", "views", "homes", "processes", "scores"):
        for name in getattr(d, kind):
            yield (kind, name), name, False
    for name, form in d.forms.items():
        for each in form.public.channels if form.public else ():
            yield ("forms", name, "public", "channels", each), each, False
    for name, process in d.processes.items():
        for part in ("stages", "transitions"):
            for each in getattr(process, part):
                yield ("processes", name, part, each), each, False


# The first words of addresses that belong to no app.
_ADDRESSES = frozenset({"api", "f", "settings", "static"})


class ReservedName(Check):
    """Names that the engine, its addresses or its expressions keep for themselves."""

    code = "reserved-name"
    wrong = "entities: {order: {fields: {name: text, version: integer}}}"
    repaired = "entities: {order: {fields: {name: text, version_no: integer}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        app = facts.definition.app
        if app in _ADDRESSES:
            yield facts.problem(self.code, ("app",), value=app, name=app, instead=f"{app}_1")
        for path, name, is_field in _named(facts):
            taken = (
                name in RESERVED or name in _WORDS
                if is_field
                else path[0] == "entities" and (name in ("user", "team") or name in _WORDS)
            )
            if is_field and not taken:
                entity = str(path[1])
                taken = name in facts.names.builtin[entity] or (
                    name in facts.names.relations[entity]
                    and facts.names.relations[entity][name] != self._own(facts, entity, name)
                )
            if taken:
                yield facts.problem(
                    self.code,
                    path,
                    key=True,
                    value=name,
                    name=name,
                    instead=f"{name}_no" if name == "version" else f"{name}_1",
                )

    @staticmethod
    def _own(facts: Facts, entity: str, name: str) -> tuple[str, str] | None:
        field = facts.definition.entities[entity].fields[name]
        return (field.of, field.by) if isinstance(field, ChildrenField) else None


class NameMalformed(Check):
    """Names are ASCII snake_case: they stand in expressions, addresses, columns and files."""

    code = "name-malformed"
    wrong = "entities: {order: {fields: {name: text, 金额: money}}}"
    repaired = "entities: {order: {fields: {name: text, amount: money}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for path, name, _ in _named(facts):
            if not _NAME.match(name):
                yield facts.problem(self.code, path, key=True, value=name, name=name)


class NameTooLong(Check):
    """PostgreSQL cuts names at 63 bytes; a table's is made of the app's and the entity's."""

    code = "name-too-long"
    wrong = "entities: {order: {fields: {name: text, the_amount_that_was_agreed_upon_with_the_customer: money}}}"
    repaired = "entities: {order: {fields: {name: text, the_amount_agreed_with_the_customer: money}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for path, name, _ in _named(facts):
            if len(name) > MAX_NAME:
                yield facts.problem(self.code, path, key=True, value=name, name=name, most=MAX_NAME, length=len(name))


class WasUnresolved(Check):
    """`was` says what a thing was called before; that name must not be in use, nor claimed twice."""

    code = "was-unresolved"
    wrong = "entities: {order: {fields: {name: text, title: {type: text, was: name}}}}"
    repaired = "entities: {order: {fields: {title: {type: text, was: name}}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        d = facts.definition
        yield from self._among(facts, ("entities",), d.entities)
        for name, entity in d.entities.items():
            yield from self._among(facts, ("entities", name, "fields"), entity.fields)
        for kind in ("roles", "forms", "views", "processes", "scores"):
            yield from self._among(facts, (kind,), getattr(d, kind))
        for name, process in d.processes.items():
            yield from self._among(facts, ("processes", name, "stages"), process.stages)

    def _among(self, facts: Facts, path: KeyPath, things: Mapping[str, object]) -> Iterator[Problem]:
        claimed: dict[str, str] = {}
        for name, thing in things.items():
            was: str | None = getattr(thing, "was", None)
            if was is None:
                continue
            other = was if was in things else claimed.get(was)
            if other is not None:
                yield facts.problem(self.code, (*path, name, "was"), related=[(*path, other)], was=was, name=name)
            claimed[was] = name
