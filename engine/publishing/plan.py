"""A plan: everything that publishing a definition would change, and what that would do to the data that stands there.

    checked = load("apps/shop.yaml")
    plan = plan_for(db, checked, clock.now())
    for hazard in plan.hazards: print(hazard.message("en"))
    apply(db, plan, accepted={"field-removed@entities.visit.fields.note": "asked the owners"}, by=1, at=clock.now())

A plan is bound to the version that was live when it was made; it is refused once another one is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from engine.app import App, compile_app, renames_of, specs_of
from engine.definition import Checked
from engine.definition.whole import fields_of
from engine.problems import Refused
from engine.publishing import access_hazards, gate_hazards, value_hazards
from engine.publishing.changes import (
    AddColumn,
    Change,
    ConvertField,
    CreateIndex,
    CreateTable,
    CreateTotals,
    DropIndex,
    DropTotals,
    Hazard,
    Recompute,
    Reindex,
    Rematch,
    RenameRecords,
    RenameValues,
    StartRecords,
)
from engine.publishing.compare import compare
from engine.publishing.convert import is_convertible
from engine.publishing.hazards import MEASURES
from engine.publishing.identity import Identity, identify
from engine.publishing.indexes import wanted
from engine.publishing.recompute import matched, outdated
from engine.publishing.survey import Survey
from engine.publishing.versions import Version, live_version, load_app, other_tables
from engine.reading.searched import searched_fields
from engine.reading.totals import kept_totals
from engine.storage.database import Database
from engine.storage.layout import Layout, extend
from engine.storage.schema import Inspection, inspect
from engine.storage.totals import is_totals

MANY_ROWS = 200_000  # beyond these people notice that something is computed or indexed


@dataclass(frozen=True)
class Plan:
    """From version `base` (0: none yet) to version `number`. `hazards` that stop or ask are in the order of importance."""

    app: App
    files: Mapping[str, str]
    data: Mapping[str, Any]
    root: str
    base: int
    base_hash: str
    number: int
    changes: tuple[Change, ...]
    hazards: tuple[Hazard, ...]
    standing: frozenset[str]  # tables that have rows
    back: bool = False

    @cached_property
    def empty(self) -> bool:
        """Whether publishing would change nothing at all."""
        return not self.changes and self.app.hash == self.base_hash

    @property
    def stopped(self) -> tuple[Hazard, ...]:
        return tuple(hazard for hazard in self.hazards if hazard.severity == "stop")

    def to_json(self) -> dict[str, Any]:
        return {
            "app": self.app.name, "base": self.base, "number": self.number, "hash": self.app.hash,
            "changes": [change.to_json() for change in self.changes], "hazards": [hazard.to_json() for hazard in self.hazards],
        }  # fmt: skip


def plan_for(
    db: Database, checked: Checked, moment: int, *, live: App | None = None, layout: Layout | None = None
) -> Plan:
    """Plan the publishing of a checked definition. `moment` is the present, in microseconds.

    `live` spares compiling the live version when the caller has it.  `layout` is given when an earlier version goes live
    again.  Raises Refused with all problems when the definition has errors.
    """
    if checked.definition is None or not checked.ok:
        raise Refused([problem for problem in checked.problems if problem.severity == "error"])
    name = checked.definition.app
    with db.read(snapshot=True) as read:
        base = live_version(read, db, name)
        others = other_tables(read, db, name)
    old = _live(base, live)
    back = layout is not None
    if layout is None:
        specs, renames = specs_of(fields_of(checked)), renames_of(checked.definition)
        layout = extend(base.layout if base else None, name, specs, renames, others)
    new = compile_app(checked, layout, (base.number if base else 0) + 1)
    with db.read(snapshot=True) as read:
        found = inspect(read, db.dialect)
        changes: list[Change] = []
        hazards: list[Hazard] = []
        identity = None
        if old is not None:
            identity = identify(old.definition, old.layout, new.definition, new.layout)
            changes += compare(old.definition, new.definition, identity)
        changes += _schema(new, found)
        changes += _indexes(new, found, db)
        changes += _totals(new, found)
        standing = frozenset(table for table in found.tables if _has_rows(read, db, table, new))
        if old is not None and identity is not None:
            changes += _values(old, new, identity, standing)
            survey = Survey(db, read, found, old, new, identity, moment, back)
            for measure in MEASURES:
                hazards += measure(survey, changes)
            hazards += _effort(survey, changes)
    order = {"stop": 0, "accept": 1, "note": 2}
    hazards.sort(key=lambda hazard: (order[hazard.severity], hazard.code, hazard.path))
    return Plan(
        new, dict(checked.files), checked.source.data, checked.source.root, base.number if base else 0, base.hash if base else "", new.number,
        tuple(changes), tuple(hazards), standing, back,
    )  # fmt: skip


def _live(base: Version | None, live: App | None) -> App | None:
    if base is None:
        return None
    return live if live is not None and live.number == base.number and live.hash == base.hash else load_app(base)


def _schema(app: App, found: Inspection) -> Iterator[Change]:
    """Tables and columns that do not stand yet."""
    for name, home in app.layout.entities.items():
        table = app.entities[name].table
        standing = found.tables.get(table.name)
        if standing is None:
            yield CreateTable(f"entities.{name}", name, table.name)
            continue
        fields = {stored.column: field for field, stored in home.fields.items()}
        for column in table.columns:
            if column.name not in standing:
                field = fields.get(column.name)
                path = f"entities.{name}.fields.{field}" if field else f"entities.{name}"
                yield AddColumn(path, name, table.name, column.name)


def _indexes(app: App, found: Inspection, db: Database) -> Iterator[Change]:
    for name, specs in wanted(app, db.dialect).items():
        table = app.entities[name].table.name
        standing = found.indexes.get(table, frozenset())
        names = {spec.name(table) for spec in specs}
        for spec in specs:
            if spec.name(table) not in standing:
                yield CreateIndex(f"entities.{name}", name, spec)
        for each in sorted(standing - names):
            if "$" in each:
                yield DropIndex(f"entities.{name}", table, each)


def _totals(app: App, found: Inspection) -> Iterator[Change]:
    """Totals to be kept from now on, and those that stand for nobody any more, also of entities that are gone."""
    for name in app.layout.entities:
        table = app.entities[name].table.name
        kept = {each.name(table): each for each in kept_totals(app, name)}
        for each, totals in kept.items():
            if each not in found.tables:
                yield CreateTotals(f"entities.{name}", name, totals)
        for each in sorted(found.tables):
            if is_totals(each, table) and each not in kept:
                yield DropTotals(f"entities.{name}", table, each)
    for name, home in app.layout.retired.items():
        for each in sorted(found.tables):
            if is_totals(each, home.table):
                yield DropTotals(f"entities.{name}", home.table, each)


def _values(old: App, new: App, identity: Identity, standing: frozenset[str]) -> Iterator[Change]:
    """What happens to stored values."""
    for name, before in identity.entities.items():
        here, there = new.layout[name], old.layout[before]
        model = new.entities[name]
        if before != name:
            yield RenameRecords(f"entities.{name}", (before, ""), (name, ""))
        for (entity, field), earlier in identity.continued.items():
            if entity == name and earlier != field:
                yield RenameRecords(f"entities.{name}.fields.{field}", (before, earlier), (name, field))
        for (entity, field), earlier in identity.predecessors.items():
            if entity != name:
                continue
            one, other = old.entities[before].fields[earlier], model.fields[field]
            if is_convertible(one, other):
                path = f"entities.{name}.fields.{field}"
                yield ConvertField(path, name, model.table.name, there.fields[earlier], here.fields[field], one, other)
        for (entity, field), renames in identity.options.items():
            if entity == name and field in model.columns:
                yield RenameValues(f"entities.{name}.fields.{field}", "option", renames, entity=name, field=field)
    for name, model in new.entities.items():
        if not model.system and model.processes and model.table.name in standing:
            formerly = identity.entities.get(name)
            if formerly is None or not old.entities[formerly].processes:
                yield StartRecords(f"entities.{name}", name)
    stale = outdated(old, new, identity)
    for name, names in stale.items():
        if new.entities[name].table.name in standing:
            yield Recompute(f"entities.{name}", name, names)
    for name, before in identity.entities.items():
        searched = searched_fields(new, new.entities[name])
        was = set(searched_fields(old, old.entities[before]))
        same = {identity.fields.get((name, each), each) for each in searched} == was
        declared = new.definition.entities[name].fields if name in new.definition.entities else {}
        moved = any(entity == name and each in searched for entity, each in identity.predecessors)
        moved = moved or any(identity.is_new(name, each, declared) for each in searched)
        moved = moved or not set(searched).isdisjoint(stale.get(name, ()))
        if (not same or moved) and new.entities[name].table.name in standing:
            yield Reindex(f"entities.{name}", name)
        compared = matched(new, new.entities[name])
        as_before = {identity.fields.get((name, each), each): how for each, how in compared.items()}
        earlier_way = matched(old, old.entities[before])
        moved = any(entity == name and each in compared for entity, each in identity.predecessors)
        moved = moved or any(identity.is_new(name, each, declared) for each in compared)
        if (list(as_before.items()) != list(earlier_way.items()) or moved) and new.entities[
            name
        ].table.name in standing:
            yield Rematch(f"entities.{name}", name)
    for name, model in new.entities.items():
        if name not in identity.entities and not model.system and model.table.name in standing:
            # It was gone for a while; nobody knows what it was searched and compared by when it went.
            yield Reindex(f"entities.{name}", name)
            yield Rematch(f"entities.{name}", name)
    yield from _names(old, new, identity)


def _names(old: App, new: App, identity: Identity) -> Iterator[Change]:
    """Names of processes, stages and roles that stand in values."""
    for name, before in identity.processes.items():
        entity = new.processes[name].entity
        stages = {was: stage for (process, stage), was in identity.stages.items() if process == name and was != stage}
        if stages:
            yield RenameValues(f"processes.{name}", "stage", stages, entity=entity, process=before)
    moved = {before: name for name, before in identity.processes.items() if before != name}
    for entity in {new.processes[name].entity for name in moved.values()}:
        renames = {before: name for before, name in moved.items() if new.processes[name].entity == entity}
        yield RenameValues(f"entities.{entity}", "process", renames, entity=entity)
    roles = {before: name for name, before in identity.roles.items() if before != name}
    if roles:
        yield RenameValues("roles", "role", roles)


def _effort(survey: Survey, changes: list[Change]) -> Iterator[Hazard]:
    """What takes long on tables of this size."""
    postgresql = survey.db.dialect == "postgresql"
    deferred: set[str] = set()
    for change in changes:
        if isinstance(change, CreateIndex):
            model = survey.new.entities[change.entity]
            rows = survey.rows(model)
            if change.spec.unique and rows >= MANY_ROWS:
                yield Hazard("scan-under-lock", change.path, "note", {"rows": rows})
            elif postgresql and rows and change.entity not in deferred:
                deferred.add(change.entity)
                yield Hazard("index-deferred", change.path, "note", {"rows": rows})
        elif isinstance(change, CreateTotals):
            rows = survey.rows(survey.new.entities[change.entity])
            if rows >= MANY_ROWS:
                yield Hazard("scan-under-lock", change.path, "note", {"rows": rows})
        elif isinstance(change, (Recompute, Reindex)):
            rows = survey.rows(survey.new.entities[change.entity])
            if rows >= MANY_ROWS:
                yield Hazard("recompute-long", change.path, "accept", {"rows": rows})


def _has_rows(read: Any, db: Database, name: str, app: App) -> bool:
    if not any(home.table == name for home in app.layout.entities.values()):
        return False
    table = sa.table(name)
    return (
        read.scalar(db.statement(sa.select(sa.literal(1)).select_from(table).limit(sa.literal_column("1")))) is not None
    )


__all__ = ["Plan", "access_hazards", "gate_hazards", "plan_for", "value_hazards"]
