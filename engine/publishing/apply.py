"""Carrying out a plan: everything in one transaction, so that a crash leaves the old version or the new one, whole.

On PostgreSQL, indexes over tables that have rows are built beside running work: those over columns that stand before the
transaction, the others after it.  An index that a crash has left out is in the next plan.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from time import sleep
from typing import Any

import sqlalchemy as sa

from engine.clock import Clock
from engine.definition import Checked, load
from engine.problems import Label, Problem, Refused
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
from engine.publishing.convert import carry_out
from engine.publishing.moves import rename_records, rename_values, start_records
from engine.publishing.plan import Plan, plan_for
from engine.publishing.recompute import recompute, reindex, rematch
from engine.publishing.versions import layout_back_to, live_version, version
from engine.reading.totals import kept_totals
from engine.storage import system
from engine.storage.database import Database
from engine.storage.errors import Conflict, LockTimeout, StorageError
from engine.storage.schema import Inspection, add_column, create_index, create_table, drop_index, inspect
from engine.storage.search import RULE
from engine.storage.session import Write
from engine.storage.totals import Totals, create_totals, drop_totals, fold
from engine.storage.working_days import keep_working_days

_TRIES = 5


def apply(
    db: Database,
    plan: Plan,
    accepted: Mapping[str, str],
    *,
    by: int | None,
    at: int,
    note: str | None = None,
    seen: Mapping[str, Mapping[str, Any]] | None = None,
) -> int:
    """Publish. `accepted` gives the reason for each hazard that asks for one, by its key. Returns the live version's number.

    `seen` are the figures before the eyes of the person who accepted (hazard key -> figures), where the plan has been made
    anew since: a hazard that has grown is refused (`hazard-grown`) and must be accepted again.

    A plan that changes nothing publishes nothing and returns the number that is live.  Raises Refused: 422 when a hazard
    stops or lacks its reason, 409 (`base-moved`) when another version went live since the plan was made.  Nothing has
    changed then.
    """
    _acknowledge(plan, accepted, seen or {})
    if plan.empty:
        return plan.base
    _indexes(db, plan, early=True)
    for attempt in range(_TRIES):
        try:
            with db.write(statement_timeout=None) as write:
                _carry_out(db, write, plan, accepted, by, at, note)
            break
        except (LockTimeout, Conflict):
            # Somebody holds a table for long, or waits for us who wait for him; let him finish, then stand in line again.
            if attempt == _TRIES - 1:
                raise
            sleep(0.2 * (attempt + 1))
    _indexes(db, plan, early=False)
    if any(isinstance(change, CreateIndex) and _stands(plan, change) for change in plan.changes):
        db.analyze()
    return plan.number


def _acknowledge(plan: Plan, accepted: Mapping[str, str], seen: Mapping[str, Mapping[str, Any]]) -> None:
    problems = [_refusal("hazard-stops", hazard) for hazard in plan.hazards if hazard.severity == "stop"]
    problems += [
        _refusal("hazard-unacknowledged", hazard)
        for hazard in plan.hazards
        if hazard.severity == "accept" and not accepted.get(hazard.key, "").strip()
    ]
    problems += [
        _refusal("hazard-grown", hazard)
        for hazard in plan.hazards
        if hazard.severity == "accept" and hazard.key in seen and _has_grown(seen[hazard.key], hazard.figures)
    ]
    if problems:
        raise Refused(problems)


def _has_grown(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    numbers = {name: value for name, value in now.items() if isinstance(value, int)}
    return any(value > before.get(name, 0) for name, value in numbers.items())


def _refusal(code: str, hazard: Hazard) -> Problem:
    return Problem(
        code,
        hazard.path,
        {"words": Label(hazard.message("zh"), hazard.message("en")), "key": hazard.key},
        value=hazard.key,
    )


def _carry_out(
    db: Database, write: Write, plan: Plan, accepted: Mapping[str, str], by: int | None, at: int, note: str | None
) -> None:
    _claim(db, write, plan)
    keep_working_days(db, write, plan.app.calendar)
    followed = list(_followed(plan, inspect(write, db.dialect)))
    if db.dialect == "sqlite":
        # Nobody else writes; to add all records up once is less than to follow each.
        for table, totals in followed:
            _run(write, drop_totals(totals.name(table.name), table.name, db.dialect))
    for change in plan.changes:
        _perform(db, write, plan, change, at)
    computed: dict[str, tuple[str, ...]] = {c.entity: c.names for c in plan.changes if isinstance(c, Recompute)}
    if computed:
        recompute(db, write, plan.app, computed, at)
    for change in plan.changes:
        if isinstance(change, Reindex):
            reindex(db, write, plan.app, change.entity)
        elif isinstance(change, Rematch):
            rematch(db, write, plan.app, change.entity)
    for change in plan.changes:
        if isinstance(change, CreateIndex) and not _beside(db, plan, change):
            write.script(create_index(change.spec.build(plan.app.entities[change.entity].table), db.dialect))
    _keep_totals(db, write, plan, followed)
    told = {**plan.to_json(), "root": plan.root, "accepted": dict(accepted)}
    row = {
        "app": plan.app.name, "number": plan.number, "hash": plan.app.hash, "files": json.dumps(dict(plan.files), ensure_ascii=False),
        "data": json.dumps(plan.data, ensure_ascii=False),
        "layout": plan.app.layout.to_json(), "plan": json.dumps(told, ensure_ascii=False), "note": note, "by": by, "at": at,
    }  # fmt: skip
    write.run(db.statement(sa.insert(system.version).values({name: sa.bindparam(name) for name in row})), row)
    live = {"name": plan.app.name, "current": plan.number}
    write.run(db.upsert(system.app, ["name"], ["current"]), live)
    bump = db.upsert(system.epoch, ["name"], {"number": system.epoch.c.number + 1})
    write.run(bump, {"name": f"app:{plan.app.name}", "number": 1})
    if plan.base == 0:
        # Its records will all be made by this engine.
        write.run(db.upsert(system.epoch, ["name"], ["number"]), {"name": f"search:{plan.app.name}", "number": RULE})


def _followed(plan: Plan, found: Inspection) -> Iterator[tuple[sa.Table, Totals]]:
    """The standing totals of entities whose records change as a whole."""
    moving = (ConvertField, RenameValues, StartRecords, Recompute)
    for entity in sorted({change.entity for change in plan.changes if isinstance(change, moving) and change.entity}):
        table = plan.app.entities[entity].table
        for totals in kept_totals(plan.app, entity):
            if totals.name(table.name) in found.tables:
                yield table, totals


def _keep_totals(db: Database, write: Write, plan: Plan, followed: list[tuple[sa.Table, Totals]]) -> None:
    """Last of all, because from here on PostgreSQL lets nobody else write to the tables."""
    made = [(plan.app.entities[c.entity].table, c.totals) for c in plan.changes if isinstance(c, CreateTotals)]
    if db.dialect == "postgresql":
        _run(write, (fold(totals, table) for table, totals in followed))
    else:
        made += followed
    for change in plan.changes:
        if isinstance(change, DropTotals):
            _run(write, drop_totals(change.name, change.table, db.dialect))
    for table, totals in made:
        _run(write, create_totals(totals, table, db.dialect))


def _run(write: Write, texts: Iterable[str]) -> None:
    for text in texts:
        write.script(text)


def _claim(db: Database, write: Write, plan: Plan) -> None:
    """See that the plan's base is still live, and let nobody else publish this app or write its records meanwhile."""
    if db.dialect == "postgresql":
        write.run(
            db.statement(
                sa.select(
                    sa.func.pg_advisory_xact_lock(sa.func.hashtext(sa.literal(system.publishing_lock(plan.app.name))))
                )
            )
        )
    live = live_version(write, db, plan.app.name)
    number, digest = (live.number, live.hash) if live else (0, "")
    if (number, digest) != (plan.base, plan.base_hash):
        raise Refused(Problem("base-moved", "", {"base": plan.base, "live": number}), 409)


def _perform(db: Database, write: Write, plan: Plan, change: Change, at: int) -> None:
    match change:
        case CreateTable(entity=entity):
            for text in create_table(plan.app.entities[entity].table, db.dialect):
                write.script(text)
        case AddColumn(entity=entity, column=column):
            # Two processes may have planned the same column.
            table = plan.app.entities[entity].table
            if column not in inspect(write, db.dialect).tables.get(table.name, {}):
                for text in add_column(table.c[column], db.dialect):
                    write.script(text)
        case DropIndex(name=name):
            write.script(drop_index(name, db.dialect))
        case ConvertField():
            carry_out(db, write, change)
        case RenameValues():
            rename_values(db, write, plan.app, change)
        case RenameRecords():
            rename_records(db, write, plan.app, change)
        case StartRecords(entity=entity):
            start_records(db, write, plan.app, entity, at)


def _beside(db: Database, plan: Plan, change: CreateIndex) -> bool:
    """Whether an index is built outside the transaction."""
    return db.dialect == "postgresql" and _stands(plan, change) and not change.spec.unique


def _stands(plan: Plan, change: CreateIndex) -> bool:
    """Whether there are rows to be indexed."""
    return plan.app.entities[change.entity].table.name in plan.standing


def _indexes(db: Database, plan: Plan, early: bool) -> None:
    """Build indexes beside running work: `early` those over columns that stand already, later the others."""
    added = {(change.table, change.column) for change in plan.changes if isinstance(change, AddColumn)}
    for change in plan.changes:
        if not isinstance(change, CreateIndex) or not _beside(db, plan, change):
            continue
        table = plan.app.entities[change.entity].table
        stands = not any((table.name, name) in added for name, _ in (*change.spec.columns, ("deleted_at", False)))
        if stands is early:
            try:
                db.alone(create_index(change.spec.build(table), db.dialect, concurrently=True))
            except StorageError:
                # What a failed build leaves behind is invalid, takes writes and serves no read.
                db.alone(drop_index(change.spec.name(table.name), db.dialect))
                if early:
                    raise


def rollback(db: Database, app: str, number: int, moment: int) -> Plan:
    """The plan that makes version `number` live again, as a new version. Raises Refused if there is no such version."""
    target = version(db, app, number)
    with db.read() as read:
        current = live_version(read, db, app)
    if current is None:
        raise Refused(Problem("nothing-published", "", {"app": app}), 404)
    checked = load(target.files, target.root or None, known_good=True)
    return plan_for(db, checked, moment, layout=layout_back_to(current, target))


def publish(db: Database, checked: Checked, clock: Clock, *, by: int | None = None, note: str | None = None) -> int:
    """Plan and apply, taking every hazard that may be taken: for first installations and demonstrations."""
    plan = plan_for(db, checked, clock.now())
    accepted = {hazard.key: note or "installation" for hazard in plan.hazards}
    return apply(db, plan, accepted, by=by, at=clock.now(), note=note)


__all__ = ["apply", "publish", "rollback"]
