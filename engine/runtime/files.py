"""Attaching: an uploaded file becomes part of a record, and is seen by whoever sees that field of it."""

from typing import Any

from engine.fields.base import Invalid
from engine.fields.files import Attached
from engine.problems import Problem, Refused
from engine.runtime.commands import Attach, Detach
from engine.runtime.uploads import check_files, packed
from engine.runtime.work import Draft, Work


def attach(work: Work, command: Attach) -> Draft:
    """Add a file that the principal uploaded, and that belongs to no record yet, to a file field."""
    draft, field = _slot(work, command)
    ids = field.ids(draft.after[command.field])
    if command.file in ids:
        raise Refused(Problem("file-unknown", command.field, {"label": draft.model.labels[command.field]}), 404)
    # A field for one file takes the new one instead of the old.
    ids = [command.file] if field.most == 1 else [*ids, command.file]
    draft.after[command.field] = packed(ids)
    problems = check_files(work, draft, "", frozenset({command.field}))
    if problems:
        raise Refused(problems, 404 if problems[0].code == "file-unknown" else 422)
    try:
        field.parse([str(id) for id in ids] if field.most != 1 else str(command.file))
    except Invalid as error:
        label = draft.model.labels[command.field]
        raise Refused(Problem(error.code, command.field, {"label": label, **error.parameters})) from None
    work.change(draft, checked=False)
    return draft


def detach(work: Work, command: Detach) -> Draft:
    """Take a file off a record; it goes to the trash with its content kept."""
    draft, field = _slot(work, command)
    ids = field.ids(draft.after[command.field])
    if command.file not in ids:
        raise Refused(Problem("file-unknown", command.field), 404)
    draft.after[command.field] = packed([id for id in ids if id != command.file])
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
