"""Attaching: an uploaded file becomes part of a record, and is seen by whoever sees that field of it."""

from typing import Any

import orjson
import sqlalchemy as sa

from engine.fields.base import Invalid
from engine.fields.files import Attached
from engine.problems import Problem, Refused
from engine.runtime.commands import Attach, Detach
from engine.runtime.work import Draft, Work
from engine.storage import system


def attach(work: Work, command: Attach) -> Draft:
    """Add a file that the principal uploaded, and that belongs to no record yet, to a file field."""
    draft, field = _slot(work, command)
    f = system.file
    select = sa.select(f.c.id, f.c.name, f.c.size).where(
        f.c.id == sa.bindparam("file"),
        f.c.record.is_(None),
        f.c.deleted_at.is_(None),
        f.c.app == sa.bindparam("app"),
        f.c.by.is_not_distinct_from(sa.bindparam("user", type_=sa.BigInteger())),
    )
    row = work.w.one(
        work.plans.kept("loose file", lambda: work.plans.db.statement(select)),
        {"file": command.file, "app": work.app.name, "user": work.principal.user},
    )
    if row is None:
        raise Refused(Problem("file-unknown", command.field), 404)
    label = draft.model.labels[command.field]
    try:
        field.admit(row[1], row[2])
        ids = field.ids(draft.after[command.field])
        # A field for one file takes the new one instead of the old.
        ids = [command.file] if field.most == 1 else [*ids, command.file]
        draft.after[command.field] = field.parse([str(id) for id in ids] if field.most != 1 else str(command.file))
    except Invalid as error:
        raise Refused(Problem(error.code, command.field, {"label": label, **error.parameters})) from None
    place = {"file": command.file, "to": draft.id, "for_entity": draft.model.name, "for_field": command.field}
    work.w.run(work.plans.kept("attach", lambda: _place(work)), place)
    work.change(draft, checked=False)
    return draft


def detach(work: Work, command: Detach) -> Draft:
    """Take a file off a record; it goes to the trash with its content kept."""
    draft, field = _slot(work, command)
    ids = field.ids(draft.after[command.field])
    if command.file not in ids:
        raise Refused(Problem("file-unknown", command.field), 404)
    left = [id for id in ids if id != command.file]
    draft.after[command.field] = orjson.dumps([str(id) for id in left]).decode() if left else None
    f = system.file
    statement = work.plans.kept(
        "detach",
        lambda: work.plans.db.statement(
            sa.update(f).where(f.c.id == sa.bindparam("file")).values(deleted_at=sa.bindparam("at"))
        ),
    )
    work.w.run(statement, {"file": command.file, "at": work.now})
    work.change(draft, checked=False)
    return draft


def _slot(work: Work, command: Attach | Detach) -> tuple[Draft, Attached]:
    model = work.model(command.entity, "update")
    draft, writable = work.load(model, command.id, "update")
    if command.field not in writable or command.field not in model.fields:
        raise Refused(
            Problem("unknown-field", command.field, {"entity": model.label, "name": command.field, "nearest": None}),
            404,
        )
    field: Any = model.fields[command.field]
    if not isinstance(field, Attached):
        raise Refused(Problem("not-a-file-field", command.field, {"label": model.labels[command.field]}))
    return draft, field


def _place(work: Work) -> Any:
    f = system.file
    statement = sa.update(f).where(f.c.id == sa.bindparam("file"))
    return work.plans.db.statement(
        statement.values(record=sa.bindparam("to"), entity=sa.bindparam("for_entity"), field=sa.bindparam("for_field"))
    )
