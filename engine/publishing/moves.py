"""Names that stand in stored values, carried along when they change: options, stages, processes, roles, entities, fields.

What the journal tells of changes keeps the old names of fields: it says what was done then.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from engine.app import App, EntityApp
from engine.columns import new_ids
from engine.publishing.changes import RenameRecords, RenameValues
from engine.publishing.survey import variables
from engine.reading.tables import WholeTables
from engine.storage import system
from engine.storage.database import Database
from engine.storage.session import Write

_LOG = system.stage_log
CHUNK = 2000


def rename_values(db: Database, write: Write, app: App, change: RenameValues) -> None:
    """Put the new names in place of the old ones, all at once."""
    renames = change.renames
    if change.kind == "role":
        _roles(db, write, app, renames)
        return
    model = app.entities[change.entity]
    table = model.table
    if change.kind == "option":
        column = table.c[model.columns[change.field]]
        if model.fields[change.field].type == "choice":
            _replace(db, write, column, renames)
        else:
            _replace_inside(db, write, column, renames)
    elif change.kind == "process":
        _replace(db, write, table.c.pipeline, renames)
        _replace(db, write, _LOG.c.process, renames, _LOG.c.app == app.name)
    else:
        # The process itself may get another name in the same plan, after this.
        own = table.c.pipeline == change.process
        _replace(db, write, table.c.stage, renames, own)
        logged = sa.and_(_LOG.c.app == app.name, _LOG.c.process == change.process)
        _replace(db, write, _LOG.c.stage, renames, logged)
        _replace(db, write, _LOG.c.came_from, renames, logged)
        _ticks(db, write, table, renames, own)


def _replace(db: Database, write: Write, column: Any, renames: Mapping[str, str], where: Any = None) -> None:
    cases = sa.case(renames, value=column)
    statement = sa.update(column.table).where(column.in_(list(renames))).values({column: cases})
    write.run(db.statement(statement if where is None else statement.where(where)))


def _replace_inside(db: Database, write: Write, column: Any, renames: Mapping[str, str], where: Any = None) -> None:
    """In sets of choices `|a|b|`. By way of names that nobody has, so that two may change places."""
    value: Any = column
    for position, old in enumerate(renames):
        value = sa.func.replace(value, f"|{old}|", f"|\x01{position}|")
    for position, new in enumerate(renames.values()):
        value = sa.func.replace(value, f"|\x01{position}|", f"|{new}|")
    statement = sa.update(column.table).where(column.is_not(None), column != value).values({column: value})
    write.run(db.statement(statement if where is None else statement.where(where)))


def _ticks(db: Database, write: Write, table: sa.Table, renames: Mapping[str, str], where: Any) -> None:
    """Ticked items are named `stage.item`."""
    value: Any = table.c.checklist
    for position, old in enumerate(renames):
        value = sa.func.replace(value, f"|{old}.", f"|\x01{position}.")
    for position, new in enumerate(renames.values()):
        value = sa.func.replace(value, f"|\x01{position}.", f"|{new}.")
    changed = sa.and_(where, table.c.checklist.is_not(None), table.c.checklist != value)
    write.run(db.statement(sa.update(table).where(changed).values(checklist=value)))


def _roles(db: Database, write: Write, app: App, renames: Mapping[str, str]) -> None:
    """Who has the old role has the new one, once."""
    held = system.user_role
    for old, new in renames.items():
        again = held.alias()
        has_new = sa.exists().where(again.c.user == held.c.user, again.c.app == app.name, again.c.role == new)
        own = sa.and_(held.c.app == app.name, held.c.role == old)
        write.run(db.statement(sa.delete(held).where(own, has_new)))
        write.run(db.statement(sa.update(held).where(own).values(role=new)))
    bump = db.upsert(system.epoch, ["name"], {"number": system.epoch.c.number + 1})
    write.run(bump, {"name": "access", "number": 1})


def rename_records(db: Database, write: Write, app: App, change: RenameRecords) -> None:
    """The engine's own tables that name entities and fields."""
    (_, was), (entity, name) = change.old, change.new
    file, sequence = system.file, system.sequence
    if name:
        here = sa.and_(file.c.app == app.name, file.c.entity == entity, file.c.field == was)
        write.run(db.statement(sa.update(file).where(here).values(field=name)))
        # Counters go by the table, which never changes its name.
        counted = f"{app.name}.{app.entities[entity].table.name}."
        write.run(db.statement(sa.update(sequence).where(sequence.c.name == counted + was).values(name=counted + name)))
        return
    old = change.old[0]
    for table in (file, system.stage_log, system.journal, system.comment, system.notice):
        write.run(
            db.statement(sa.update(table).where(table.c.app == app.name, table.c.entity == old).values(entity=entity))
        )
    for pairs in (system.duplicate, system.match_key, system.match_again):
        here = pairs.c.entity == f"{app.name}.{old}"
        write.run(db.statement(sa.update(pairs).where(here).values(entity=f"{app.name}.{entity}")))


def unknown_place(app: App, model: EntityApp) -> Any:
    """That a record remembers a process or stage which the app does not know: that of a time before it had none."""
    table = model.table
    known = (
        sa.and_(table.c.pipeline == name, table.c.stage.in_(list(app.processes[name].stages)))
        for name in model.processes
    )
    return sa.and_(table.c.pipeline.is_not(None), sa.not_(sa.or_(*known)))


def start_records(db: Database, write: Write, app: App, entity: str, at: int) -> None:
    """Records that stand in no process, or in one that nobody knows, enter the first process that takes them, at its start."""
    model = app.entities[entity]
    table = model.table
    nowhere = {"pipeline": None, "stage": None, "stage_entered_at": None}
    write.run(db.statement(sa.update(table).where(unknown_place(app, model)).values(nowhere)))
    values = variables(app, at)
    for name in model.processes:
        process = app.processes[name]
        takes = sa.true() if process.when is None else process.when.clause(WholeTables(app), table)
        homeless = sa.select(table.c.id).where(table.c.pipeline.is_(None), takes)
        keys = write.column(db.statement(homeless), values)
        _enter(db, write, app, entity, name, process.start, keys, at)


def _enter(
    db: Database, write: Write, app: App, entity: str, process: str, stage: str, keys: Iterable[int], at: int
) -> None:
    model = app.entities[entity]
    place = {"pipeline": process, "stage": stage, "stage_entered_at": at}
    move = db.statement(sa.update(model.table).where(model.table.c.id == sa.bindparam("key")).values(place))
    log = {
        "app": app.name,
        "entity": entity,
        "process": process,
        "stage": stage,
        "direction": "start",
        "entered_at": at,
    }
    names = ("id", "record", *log)
    add = db.statement(sa.insert(_LOG).values({name: sa.bindparam(name) for name in names}))
    waiting = list(keys)
    for first in range(0, len(waiting), CHUNK):
        chunk = waiting[first : first + CHUNK]
        write.many(move, [{"key": key} for key in chunk])
        write.many(add, [{"id": id, "record": key, **log} for id, key in zip(new_ids(len(chunk)), chunk, strict=True)])
