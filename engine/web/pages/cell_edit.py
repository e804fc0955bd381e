"""Changing one field of a record in a list: its own control in the cell, saved like any other change.

The answer to a change that was saved is the row as it is now, since other columns may follow from the field.  What is
refused comes back as the control with the reasons.  Of a record that somebody else has changed meanwhile the present value
is shown first; who then saves again has seen what he replaces.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from starlette.responses import Response

from engine.app import EntityApp
from engine.problems import Problem, Refused
from engine.runtime import Update
from engine.web.pages.cells import Column, Titles, cell, is_number, row
from engine.web.pages.filters import Option
from engine.web.pages.frame import said
from engine.web.pages.inputs import Draft, Inputs
from engine.web.pages.lists import columns_of, editable
from engine.web.pages.pips import pips_of
from engine.web.pages.posted import Posted
from engine.web.pages.uploads import keep
from engine.web.pages.visit import AppVisit


def get_cell(visit: AppVisit) -> Response:
    """The control of a cell: a part of a page."""
    model, name = _cell(visit, dict(visit.query).get("field", ""))
    return _control(visit, model, name, Draft(dict(_record(visit, model))))


def post_cell(visit: AppVisit) -> Response:
    """Save a cell: the row as it is now, or with a 4xx the control that says why not."""
    model, name = _cell(visit, visit.field("field"))
    assert visit.form is not None
    record = _record(visit, model)
    with visit.site.db.read() as r:
        draft = Posted(visit.form, visit.lens, r, partial(keep, visit), dict(record), visit.language).draft(
            model, {name: None}
        )
    if not draft.problems:
        try:
            command = Update(model.name, visit.id, {name: draft.values.get(name)}, visit.number("~version"))
            visit.site.runtime.execute(visit.app, visit.principal, command)
        except Refused as error:
            if error.status == 404:
                raise
            draft.problems = list(error.problems)
            return _control(visit, model, name, draft, error.status)
        return _row(visit, model)
    return _control(visit, model, name, draft, 422)


def _cell(visit: AppVisit, name: str) -> tuple[EntityApp, str]:
    """Raises Refused (404) for a field that is not there to be changed, whether hidden, unknown or only to be read."""
    model = visit.model()
    if name not in visit.lens.fields(model.name) or not editable(visit.lens, model, name):
        raise Refused(Problem("not-found", model.name), 404)
    return model, name


def _record(visit: AppVisit, model: EntityApp) -> Mapping[str, Any]:
    with visit.read() as r:
        record = visit.lens.get(r, model.name, visit.id)
    if record is None:
        raise Refused(Problem("not-found", model.name), 404)
    return record


def _control(visit: AppVisit, model: EntityApp, name: str, draft: Draft, status: int = 200) -> Response:
    with visit.read() as r:
        now = visit.lens.get(r, model.name, visit.id)
        if now is None:
            raise Refused(Problem("not-found", model.name), 404)
        values = {**now, **draft.values}
        titles = Titles(visit.lens, r).of(model.name, [values, now], [name])
    # What belongs to other fields is said here all the same: there is no other place for it.
    problems = said(draft.problems, visit.language)
    inputs = Inputs(visit.app, titles, Draft(values, draft.typed, candidates=draft.candidates), visit.t, creating=False)
    stale = any(problem.code == "stale-edit" for problem in draft.problems)
    return visit.draw(
        "cell.html", status, input=inputs.input(model, name, values, writable=True, bare=True),
        problems=problems, version=now["version"], name=name,
        present=cell(visit.app, model, name, now.get(name), titles, visit.language) if stale else None,
        candidates=[Option(each.key, each.label) for each in draft.candidates.get(name, ())],
    )  # fmt: skip


def _row(visit: AppVisit, model: EntityApp) -> Response:
    """The row as it is now; nothing (205) if the record is no longer one that the person may see."""
    lens = visit.lens
    chosen: Sequence[str] = visit.field("columns").split(",")[:100]
    names, _ = columns_of(lens, model, None, chosen)
    visible = lens.fields(model.name)
    fields = tuple(each for each in dict.fromkeys((*names, "number", "version")) if each in visible)
    with visit.read() as r:
        record = lens.get(r, model.name, visit.id, fields)
        if record is None:
            return Response(status_code=205)
        titles = Titles(lens, r, visit.files(r)).of(model.name, [record], names)
        pips = pips_of(visit, r, model, [record]) if "stage" in names else {}
    columns = [
        Column(
            each, model.labels[each][visit.language], is_number(model.fields[each]), edit=editable(lens, model, each)
        )
        for each in names
    ]
    made = row(visit.app, model, columns, record, titles, visit.language, pips.get(record["id"]))
    return visit.draw("cell_row.html", row=made, columns=columns, several=bool(visit.field("several")))
