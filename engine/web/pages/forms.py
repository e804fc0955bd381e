"""Creating and editing: the form of an entity by its sections, what it posts, and two people editing at once.

A form carries the values it began with.  Only what the person changed is sent on, so two people who change different fields
of a record do not disturb each other; where they changed the same field, both values are put side by side and he chooses.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import orjson
from starlette.responses import RedirectResponse, Response

from engine.app import EntityApp
from engine.problems import Problem, Refused
from engine.runtime import Create, Outcome, Update
from engine.storage.session import Write
from engine.web.idempotency import Replay
from engine.web.pages import drafts
from engine.web.pages.asking import alike_source
from engine.web.pages.cells import Titles, cell
from engine.web.pages.conditions import Conditions
from engine.web.pages.events import when
from engine.web.pages.frame import said
from engine.web.pages.inputs import Draft, Input, Inputs, record_ids
from engine.web.pages.layout import Part, form_parts, form_tabs
from engine.web.pages.notices import noticed, notices
from engine.web.pages.posted import Posted, base_of, changed, same
from engine.web.pages.uploads import keep
from engine.web.pages.visit import AppVisit, own_address

Purpose = Literal["create", "edit"]


@dataclass(frozen=True)
class Section:
    """A section of the form as it is drawn."""

    name: str
    label: str
    help: str
    columns: int
    inputs: tuple[Input, ...]
    hidden: bool


def get_new(visit: AppVisit) -> Response:
    """An empty form with its defaults; `?field=value` in the address fills fields beforehand."""
    model = visit.model()
    if not visit.lens.may(model.name, "create"):
        action = {"action": visit.app.action_label("create"), "entity": model.label, "who": None}
        raise Refused(Problem("action-refused", model.name, action), 403)
    if visit.request.query_params.get("draft"):
        visit.form = drafts.taken_up(visit, model, None)
    draft = _posted(visit, model, "create") if visit.form is not None else Draft(_defaults(visit, model))
    return _draw(visit, model, "create", draft, {})


def post_new(visit: AppVisit) -> Response:
    model = visit.model()
    draft = _posted(visit, model, "create")
    if visit.field("~add"):
        return _draw(visit, model, "create", _with_row(visit, draft), {})
    if draft.problems:
        return _draw(visit, model, "create", draft, {}, 422)
    base = base_of(visit.field("~base"))
    values = {
        name: value for name, value in draft.values.items() if value not in (None, []) or base.get(name) is not None
    }
    try:
        outcome = _create_once(visit, Create(model.name, values))
    except Replay as replay:
        return visit.go(replay.response.headers["location"])
    except Refused as error:
        draft.problems = list(error.problems)
        return _draw(visit, model, "create", draft, {}, error.status)
    drafts.drop(visit, model, None)
    return _saved(visit, model, outcome, "created")


def _create_once(visit: AppVisit, command: Create) -> Outcome:
    """Create the record of a form, however often the form is sent. Raises Replay with its address when it is there already."""
    runtime, keys, user = visit.site.runtime, visit.site.keys, visit.visitor.signed_in()
    mark = visit.field("~once")[:100]
    if not mark:
        return runtime.execute(visit.app, visit.principal, command)
    key = f"form:{mark}"

    def work(w: Write) -> Outcome:
        keys.claim(w, user, key, visit.path)
        outcome = runtime.execute(visit.app, visit.principal, command, within=w)
        keys.keep(w, user, key, RedirectResponse(visit.after(visit.href(command.entity, str(outcome.id))), 303))
        return outcome

    return visit.site.db.transact(work)


def get_edit(visit: AppVisit) -> Response:
    model = visit.model()
    record = _record(visit, model)
    draft = Draft(dict(record))
    if visit.request.query_params.get("draft"):
        visit.form = drafts.taken_up(visit, model, visit.id)
        if visit.form is not None:
            draft = _posted(visit, model, "edit")
            draft.values = {**record, **draft.values}
    return _draw(visit, model, "edit", draft, record)


def post_edit(visit: AppVisit) -> Response:
    """Save what was changed; with a record that somebody else changed meanwhile, ask which values shall hold."""
    model = visit.model()
    record = _record(visit, model)
    merged = visit.field("~merge")
    if merged:
        values, version = _chosen(visit, model, merged), visit.number("~version") or 0
        draft = Draft({**record, **values})
    else:
        draft = _posted(visit, model, "edit")
        if visit.field("~add"):
            return _draw(visit, model, "edit", Draft({**record, **_with_row(visit, draft).values}), record)
        values = changed(draft.values, base_of(visit.field("~base")) if visit.field("~base") else record)
        version = visit.number("~version") or 0
        draft.values = {**record, **draft.values}
    if draft.problems:
        return _draw(visit, model, "edit", draft, record, 422)
    if not values:
        return visit.go(visit.after(visit.href(model.name, str(visit.id))))
    try:
        outcome = visit.site.runtime.execute(visit.app, visit.principal, Update(model.name, visit.id, values, version))
    except Refused as error:
        if error.status == 409 and any(problem.code == "stale-edit" for problem in error.problems):
            return _conflict(visit, model, values)
        draft.problems = list(error.problems)
        return _draw(visit, model, "edit", draft, record, error.status)
    drafts.drop(visit, model, visit.id)
    return _saved(visit, model, outcome, "saved")


def _saved(visit: AppVisit, model: EntityApp, outcome: Outcome, note: str) -> Response:
    warnings = [problem.message(visit.language) for problem in outcome.warnings]
    href = visit.after(visit.href(model.name, str(outcome.id)))
    return visit.go(href, visit.t(note), warnings)


# -- what the form shows ------------------------------------------------------------------------------------------------


def _names(parts: list[Part]) -> list[str]:
    return list(dict.fromkeys(name for part in parts for name in part.fields))


def _record(visit: AppVisit, model: EntityApp) -> dict[str, Any]:
    """The record with the rows of its tables. Raises Refused (404) if it is not there for the reader."""
    lens = visit.lens
    names = [name for part in form_parts(lens, model, "edit", visit.t) for name in part.fields]
    tables = tuple(name for name in names if name in model.children)
    stored = tuple(name for name in names if lens.fields(model.name)[name].stored)
    with visit.read() as r:
        record = lens.get(r, model.name, visit.id, (model.title, *stored), tables)
    if record is None:
        raise Refused(Problem("not-found", model.name), 404)
    return record


def _defaults(visit: AppVisit, model: EntityApp) -> dict[str, Any]:
    """What a new record begins with: the definition's defaults, then what the address says."""
    values: dict[str, Any] = {}
    principal, calendar = visit.principal, visit.app.calendar
    now = visit.site.clock.now()
    given = dict(visit.query)
    for name, each in visit.lens.fields(model.name).items():
        if not each.stored or each.derived:
            continue
        match each.dynamic_default:
            case "user":
                stored: Any = principal.user
            case "team":
                stored = principal.team
            case "today":
                stored = calendar.local_day(now)
            case "now":
                stored = now // 60_000_000 * 60_000_000
            case _:
                stored = each.default_value()
        if given.get(name):
            try:
                stored = each.read(given[name])
            except ValueError:
                pass
        if stored is not None:
            values[name] = each.to_json(stored)
    return values


def _posted(visit: AppVisit, model: EntityApp, purpose: Purpose) -> Draft:
    assert visit.form is not None
    lens = visit.lens
    writable = lens.writable(model.name, "create" if purpose == "create" else "update")
    names = {
        name: None
        for name in model.fields
        if name in writable or (name in model.children and _may_edit_rows(visit, model, name))
    }
    with visit.site.db.read() as r:
        return Posted(visit.form, lens, r, partial(keep, visit), base_of(visit.field("~base")), visit.language).draft(
            model, names
        )


def _may_edit_rows(visit: AppVisit, model: EntityApp, name: str) -> bool:
    entity = model.relations[name][0]
    return name in visit.lens.fields(model.name) and (
        visit.lens.may(entity, "create") or visit.lens.may(entity, "update")
    )


def _with_row(visit: AppVisit, draft: Draft) -> Draft:
    """The form as it was typed, with one more row in a table: how a row is added without a script."""
    name = visit.field("~add")
    draft.values[name] = [*(draft.values.get(name) or []), {}]
    draft.problems = []
    return draft


def _draw(
    visit: AppVisit, model: EntityApp, purpose: Purpose, draft: Draft, record: Mapping[str, Any], status: int = 200
) -> Response:
    lens, t = visit.lens, visit.t
    creating = purpose == "create"
    parts = form_parts(lens, model, purpose, t)
    writable = lens.writable(model.name, "create" if creating else "update")
    with visit.read() as r:
        titles = Titles(lens, r, visit.files(r))
        titles.of(model.name, [draft.values, record], record_ids(model, {**record, **draft.values}, _names(parts)))
        for name in model.children:
            entity, _ = model.relations[name]
            if lens.may(entity, "read"):
                rows = [row for row in draft.values.get(name) or [] if isinstance(row, dict)]
                titles.of(entity, rows, lens.fields(entity))
        hints = notices(visit, r, model, None if creating else visit.id, draft.values)
        conditions = Conditions.of(visit, r, model, parts, draft.values, None if creating else visit.id)
    inputs = Inputs(visit.app, titles, draft, t, creating=creating)
    sections: list[Section] = []
    for part in parts:
        shown = []
        for name in part.fields:
            may = _may_edit_rows(visit, model, name) if name in model.children else name in writable
            if creating and not may:
                continue  # what only the engine fills has no value yet
            control = conditions.apply(inputs.input(model, name, draft.values, writable=may), name)
            if not creating and (not may or name in model.readonly_when) and not model.fields[name].derived:
                place = visit.href(model.name, str(visit.id), "why")
                control = replace(control, why=f"{place}?action=update&field={name}")
            shown.append(control)
        if shown:
            sections.append(
                Section(part.name, part.label, part.help, part.columns, tuple(shown), not conditions.shows(part))
            )
    missing = [
        {"id": each.id, "label": each.label, "note": each.errors[0] if each.errors else t("required")}
        for section in sections
        for each in section.inputs
        if not section.hidden
        and not each.hidden
        and (each.errors or (each.required and _blank(draft.values.get(each.name))))
    ]
    tabs = form_tabs(lens, model, purpose, t, [section.name for section in sections])
    own = None if creating else visit.id
    where = visit.href(model.name) if own is None else visit.href(model.name, str(own))
    alike = alike_source(lens, model, visit.href(model.name, "alike"))
    title = str(record.get(model.title) or "") or t("untitled")
    back = visit.href(model.name, str(visit.id)) if not creating else visit.href(model.name)
    begun = {name: draft.values.get(name) for section in sections for name in (each.name for each in section.inputs)}
    if visit.field("~base"):
        begun = base_of(visit.field("~base"))
    elif not creating:
        begun = {name: record.get(name) for name in begun}
    return visit.draw(
        "form.html", status,
        title=t("new", entity=model.label[t.language]) if creating else t("edit"),
        crumb=model.label[t.language] if creating else title,
        back=visit.after(back) if visit.form is not None else own_address(visit.request.query_params.get("after", back), back),
        action=visit.path, after=visit.field("after") or visit.request.query_params.get("after", ""),
        sections=sections, missing=missing, conditions=conditions.for_browser(), words=_words(t), notices=hints, noticed=noticed(visit, model, None if creating else visit.id),
        base=orjson.dumps(begun).decode(), version=visit.field("~version") or record.get("version", ""),
        problems=said(inputs.unplaced(), t.language), kept=status >= 400, tabs=tabs, check=visit.href(model.name, "check"),
        alike=f"{alike}&id={own}" if alike and own else alike, draft=f"{where}/draft", drafted=visit.field("~drafted"),
        offer=drafts.offered(visit, model, own) if visit.form is None else "", person=visit.principal.user,
        once=visit.field("~once") or secrets.token_urlsafe(16),
    )  # fmt: skip


def _blank(value: Any) -> bool:
    return value is None or value == [] or value == ""


def _words(t: Any) -> str:
    """The sentences that the form's script says."""
    return orjson.dumps({
        "missing": t("missing-title", count="{count}"), "short": t("missing-count", count="{count}"), "none": t("missing-none"),
        "required": t("required"), "nothing": t("no-match"), "offline": t("offline"), "row": t("row", row="{row}"),
        "recent": t("recent"), "create": t("create-named", name="{name}"), "uploading": t("uploading", count="{count}"),
        "retry": t("retry"), "failed": t("upload-failed"), "remove": t("remove-file", name="{name}"), "pasted": t("pasted", count="{count}"),
        "pasted_left": t("pasted-left", count="{count}"), "draft_said": t("draft-said"), "pasted_bad": t("pasted-bad", count="{count}"), "speak": t("speak"), "stop": t("speak-stop"), "filter": t("tags-filter"),
        "draft_offline": t("draft-offline"), "draft_lost": t("draft-lost"), "progress": t("progress", percent="{percent}"),
    }).decode()  # fmt: skip


# -- two people at once --------------------------------------------------------------------------------------------------


def _conflict(visit: AppVisit, model: EntityApp, values: Mapping[str, Any]) -> Response:
    """Both values side by side for every field that both changed; the rest is merged."""
    t, lens = visit.t, visit.lens
    base = base_of(visit.field("~base"))
    current = _record(visit, model)
    disputed = [
        name
        for name in values
        if not same(current.get(name), values[name]) and not same(current.get(name), base.get(name))
    ]
    with visit.read() as r:
        titles = Titles(lens, r, visit.files(r)).of(model.name, [current, values], values)
        last = next(
            (
                each
                for each in lens.history(r, model.name, visit.id, 20)
                if {c["field"] for c in each["changes"]} & set(disputed)
            ),
            None,
        )
    if not disputed:
        # They changed other fields: both hold.
        outcome = visit.site.runtime.execute(
            visit.app, visit.principal, Update(model.name, visit.id, values, current["version"])
        )
        drafts.drop(visit, model, visit.id)
        return _saved(visit, model, outcome, "saved")
    rows = [
        {
            "name": name,
            "label": model.labels[name][t.language],
            "theirs": _text(visit, model, name, current.get(name), titles),
            "mine": _text(visit, model, name, values[name], titles),
        }
        for name in disputed
    ]
    return visit.draw(
        "conflict.html", 409, title=str(current.get(model.title) or t("untitled")), href=visit.href(model.name, str(visit.id)),
        action=visit.path, version=current["version"], kept=orjson.dumps(values).decode(), after=visit.field("after"), rows=rows,
        drafted=visit.field("~drafted"), merged=len(values) - len(disputed), who=(last or {}).get("user_name") or "", when=when((last or {}).get("at"), visit) if last else "",
    )  # fmt: skip


def _text(visit: AppVisit, model: EntityApp, name: str, value: Any, titles: Titles) -> str:
    if name in model.children:
        return visit.t("rows-count", count=len(value) if isinstance(value, list) else 0)
    found = cell(visit.app, model, name, value, titles, visit.language)
    return found.text or visit.t("was-empty")


def _chosen(visit: AppVisit, model: EntityApp, merged: str) -> dict[str, Any]:
    """The values of a conflict page: mine where I said so, and those nobody disputed. It carries none but written fields."""
    written = visit.lens.writable(model.name)
    return {
        name: value
        for name, value in base_of(merged).items()
        if name in written and visit.field(f"~take.{name}") != "theirs"
    }
