"""What a form asks while one types: records to choose, what a choice brings, whether a value fits, who is alike, files at once.

Every answer comes from what saving asks: the field's own reading, the lens, the rule for duplicates.  So nothing here can
say otherwise than saving will, and a form without a script loses only the haste.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
from starlette.responses import Response

from engine.app import EntityApp
from engine.fields import Field, Invalid
from engine.fields.address import AddressField, corrected
from engine.fields.files import Attached
from engine.fields.lookup import Linking
from engine.problems import Problem, Refused
from engine.reading import Lens
from engine.runtime import Create
from engine.runtime.matching import candidates
from engine.web import incoming
from engine.web.pages.cells import Titles, id_in, problem_of
from engine.web.pages.frame import said
from engine.web.pages.inputs import Draft, Inputs, quick_fields, typed_text
from engine.web.pages.notices import MOST_ALIKE, Hint, Seen
from engine.web.pages.posted import Posted
from engine.web.pages.uploads import file_cells, keep
from engine.web.pages.visit import AppVisit

MOST_RECENT = 8  # choices that are remembered for each entity
MOST_CHECKED = 2000  # values that are checked at once: a pasted block
MOST_NAMED = 200  # different names of records in a pasted block
_ROW = re.compile(r"([a-z][a-z0-9_]*)\.([0-9]{1,5})\.([a-z][a-z0-9_]*)\Z")


def get_choices(visit: AppVisit) -> Response:
    """Records that a lookup may point to, as JSON: id and title; before anything is typed those chosen lately come first."""
    model, query = visit.model(), visit.request.query_params
    field, text = query.get("field", ""), query.get("q", "").strip()[:100]
    with visit.site.db.read() as r:
        if text:
            found = visit.lens.choices(r, model.name, field, text, 20)
        else:
            last = _chosen(visit, model, field)
            recent = visit.lens.choices(r, model.name, field, "", MOST_RECENT, ids=last) if last else []
            known = {each["id"] for each in recent}
            others = [each for each in visit.lens.choices(r, model.name, field, "", 20) if each["id"] not in known]
            found = [{**each, "recent": True} for each in recent] + others[: 20 - len(recent)]
    return _json(found)


def post_chosen(visit: AppVisit) -> Response:
    """Remember that a record was chosen, to offer it first the next time."""
    model, field = visit.model(), visit.field("field")
    id, target, user = id_in(visit.field("id")), model.lookups.get(field), visit.principal.user
    if id is None or target is None or user is None or field not in visit.lens.fields(model.name):
        raise Refused(Problem("not-found"), 404)
    with visit.site.db.read() as r:
        seen = visit.lens.titles(r, target, [id])
    if not seen:
        raise Refused(Problem("not-found"), 404)
    ids = [id, *(other for other in _chosen(visit, model, field) if other != id)][:MOST_RECENT]
    visit.site.personal.keep(user, visit.app.name, "chosen", target, [str(each) for each in ids])
    return Response(status_code=204)


def _chosen(visit: AppVisit, model: EntityApp, field: str) -> list[int]:
    target, user = model.lookups.get(field), visit.principal.user
    if target is None or user is None:
        return []
    kept = visit.site.personal.one(user, visit.app.name, "chosen", target)
    return [id for each in kept or [] if (id := id_in(each)) is not None]


def get_autofill(visit: AppVisit) -> Response:
    """What choosing a record brings along, as the texts that controls hold: field -> {value, text}."""
    model, query = visit.model(), visit.request.query_params
    each = visit.lens.fields(model.name).get(query.get("field", ""))
    fills = getattr(each, "autofill", None)
    if not fills:
        raise Refused(Problem("not-found"), 404)
    target = visit.lens.view.model(model.lookups[query["field"]])
    seen = visit.lens.fields(target.name)
    wanted = {own: theirs for own, theirs in fills.items() if theirs in seen and own in visit.lens.fields(model.name)}
    with visit.site.db.read() as r:
        record = visit.lens.get(
            r, target.name, incoming.record_id(query.get("id", "")), tuple(dict.fromkeys(wanted.values()))
        )
        if record is None:
            raise Refused(Problem("not-found"), 404)
        titles = Titles(visit.lens, r).of(target.name, [record], wanted.values())
    found = {}
    for own, theirs in wanted.items():
        value = record.get(theirs)
        if value is not None:
            entity = target.lookups.get(theirs)
            title = titles.title(entity, str(value)) if entity else None
            found[own] = {
                "value": str(value) if entity else typed_text(model.fields[own], value, visit.language),
                "text": title,
            }
    return _json(found)


# -- whether values fit ----------------------------------------------------------------------------------------------------


def post_check(visit: AppVisit) -> Response:
    """Whether typed texts can be read, by their place in the form: what is wrong, what was mended, or what they mean."""
    assert visit.form is not None
    model, found = visit.model(), {}
    names: dict[tuple[str, str, str], Any] = {}
    with visit.site.db.read() as r:
        for place, text in list(visit.form.items())[:MOST_CHECKED]:
            path = place.removesuffix("~text")
            at = _field_at(visit, model, path)
            if at is None or not isinstance(text, str):
                continue
            owner, name = at
            each = owner.fields[name]
            if isinstance(each, Linking):
                asked = (owner.name, name, text.strip())
                if asked not in names and len(names) < MOST_NAMED:
                    names[asked] = _named(visit, r, owner, name, text.strip())
                if asked in names:
                    found[path] = names[asked]
            elif not isinstance(each, Attached) and each.stored:
                found[path] = _read(each, owner, name, text, visit)
    return _json(found)


def _field_at(visit: AppVisit, model: EntityApp, path: str) -> tuple[EntityApp, str] | None:
    """The entity and the field of a place in a form, if the reader may see it: `phone`, or `lines.0.price`."""
    if path in model.fields:
        return (model, path) if path in visit.lens.fields(model.name) else None
    row = _ROW.match(path)
    if row is None or row[1] not in model.children or row[1] not in visit.lens.fields(model.name):
        return None
    entity = model.relations[row[1]][0]
    child = visit.app.entities[entity]
    return (child, row[3]) if visit.lens.may(entity, "read") and row[3] in visit.lens.fields(entity) else None


def _read(each: Field, owner: EntityApp, name: str, text: str, visit: AppVisit) -> dict[str, Any]:
    """`error` and `text`; for an address `note` says what was mended."""
    language = visit.language
    try:
        stored = each.read(text.replace("\r\n", "\n"))
    except Invalid as error:
        return {"error": _sentence(problem_of(error, name, owner.labels[name]), language)}
    shown = "" if stored is None else typed_text(each, each.to_json(stored), language)
    answer: dict[str, Any] = {"text": shown}
    if isinstance(each, AddressField) and text.strip():
        mended = corrected(text)[1]
        if mended:
            answer["note"] = visit.t("address-mended", what="、".join(f"{c.was} → {c.now}" for c in mended))
    return answer


def _named(visit: AppVisit, r: Any, owner: EntityApp, name: str, text: str) -> dict[str, Any]:
    """The record of a name, or why it cannot be told."""
    if not text:
        return {"value": "", "text": ""}
    found = visit.lens.choices(r, owner.name, name, text, 12)
    same = [each for each in found if each["title"].casefold() == text.casefold()]
    if len(same) == 1:
        return {"value": same[0]["id"], "text": same[0]["title"]}
    code = "ui-several-match" if same or found else "ui-unknown-title"
    return {"error": _sentence(Problem(code, name, {"text": text, "count": len(same or found)}), visit.language)}


def _sentence(problem: Problem, language: Any) -> str:
    return f"{problem.message(language)} {problem.hint(language)}".strip()


# -- who is alike ----------------------------------------------------------------------------------------------------------


def alike_source(lens: Lens, model: EntityApp, href: str) -> str:
    """Where a form asks who is probably the same, and by which fields; empty if the definition compares none he sees."""
    if model.duplicates is None or not lens.may(model.name, "read"):
        return ""
    by = [name for name in model.duplicates.match if name in lens.fields(model.name)]
    return f"{href}?on={','.join(by)}" if by else ""


def post_alike(visit: AppVisit) -> Response:
    """Records that are probably the same as what is being typed, as a piece of a page.

    Those that the reader may not see are not mentioned, and fields that he may not see are not compared.
    """
    model, own = visit.model(), id_in(visit.request.query_params.get("id"))
    rule, t = model.duplicates, visit.t
    if rule is None:
        raise Refused(Problem("not-found"), 404)
    typed: dict[str, Any] = {}
    with visit.site.db.read() as r:
        for name in rule.match:
            if name not in visit.lens.fields(model.name) or not visit.field(name):
                continue
            try:
                typed[name] = model.fields[name].read(visit.field(name))
            except Invalid:
                continue
        work = visit.site.runtime.work(visit.app, visit.principal, r)
        alike = candidates(work, model, typed, own)
        titles = visit.lens.titles(r, model.name, [other for other, _ in alike])
    seen = tuple(
        Seen(f"{titles[other]} ({t('likeness', score=how.score)})", visit.href(model.name, str(other)))
        for other, how in alike
        if other in titles
    )[:MOST_ALIKE]
    found = [Hint(t("duplicates-note"), "warning", "merge", seen)] if seen else []
    return visit.draw("notices.html", found=found)


# -- files at once ---------------------------------------------------------------------------------------------------------


def post_file(visit: AppVisit) -> Response:
    """Keep a file that was chosen in a form, before the form is saved: id, name, size. It belongs to no record yet."""
    model, name = visit.model(), str(visit.request.path_params["field"])
    may = visit.lens.writable(model.name, "create") | visit.lens.writable(model.name, "update")
    if name not in may or not isinstance(model.fields.get(name), Attached):
        raise Refused(Problem("not-found"), 404)
    uploads = visit.uploads("file")
    if len(uploads) != 1:
        return _json({"error": _sentence(Problem("file-missing", "file"), visit.language)}, 422)
    try:
        id = keep(visit, model, name, name, uploads[0])
    except Refused as error:
        return _json({"error": _sentence(error.problems[0], visit.language)}, error.status)
    with visit.site.db.read() as r:
        cell = file_cells(visit, r, [str(id)])[str(id)]
    image = cell.color == "image"
    return _json({"id": str(id), "name": cell.text, "note": cell.note, "href": cell.href, "image": image}, 201)


def post_unfile(visit: AppVisit) -> Response:
    """Forget a file that was uploaded in a form and taken out again before saving."""
    id = id_in(visit.field("id"))
    found = visit.site.attachments.find(id) if id is not None else None
    if id is None or found is None or found.app != visit.app.name or found.by != visit.principal.user or found.record:
        raise Refused(Problem("not-found"), 404)
    visit.site.attachments.discard(id)
    return Response(status_code=204)


# -- a record made on the way ----------------------------------------------------------------------------------------------


def get_quick(visit: AppVisit) -> Response:
    """A small form for a record that is needed in another form: only what it cannot be without. `?name=` is its title."""
    model = visit.model()
    _may_create(visit, model)
    values: dict[str, Any] = {}
    text = visit.request.query_params.get("name", "").strip()[:200]
    try:
        stored = model.fields[model.title].read(text)
        values[model.title] = model.fields[model.title].to_json(stored)
    except Invalid:
        pass
    return _quick(visit, model, Draft(values))


def post_quick(visit: AppVisit) -> Response:
    """Create it: id and title as JSON, or the form again with what is wrong."""
    assert visit.form is not None
    model = visit.model()
    _may_create(visit, model)
    names = dict.fromkeys(quick_fields(visit.lens, model))
    with visit.site.db.read() as r:
        draft = Posted(visit.form, visit.lens, r, partial(keep, visit), {}, visit.language).draft(model, names)
    if draft.problems:
        return _quick(visit, model, draft, 422)
    values = {name: value for name, value in draft.values.items() if value not in (None, [])}
    try:
        outcome = visit.site.runtime.execute(visit.app, visit.principal, Create(model.name, values))
    except Refused as error:
        return _quick(visit, model, replace(draft, problems=list(error.problems)), error.status)
    assert outcome.id is not None
    with visit.site.db.read() as r:
        title = visit.lens.titles(r, model.name, [outcome.id]).get(outcome.id) or visit.t("untitled")
    warnings = [problem.message(visit.language) for problem in outcome.warnings]
    return _json({"id": str(outcome.id), "title": title, "warnings": warnings}, 201)


def _may_create(visit: AppVisit, model: EntityApp) -> None:
    if not visit.lens.may(model.name, "create"):
        action = {"action": visit.app.action_label("create"), "entity": model.label, "who": None}
        raise Refused(Problem("action-refused", model.name, action), 403)


def _quick(visit: AppVisit, model: EntityApp, draft: Draft, status: int = 200) -> Response:
    names = quick_fields(visit.lens, model)
    with visit.read() as r:
        titles = Titles(visit.lens, r, visit.files(r)).of(model.name, [draft.values], names)
    inputs = Inputs(visit.app, titles, draft, visit.t, creating=True, prefix="quick-")
    drawn = [inputs.input(model, name, draft.values, writable=True) for name in names]
    action = visit.href(model.name, "quick")
    return visit.draw(
        "quick.html", status, title=visit.t("new", entity=model.label[visit.language]), inputs=drawn, action=action,
        whole=visit.href(model.name, "new"), problems=said(inputs.unplaced(), visit.language),
    )  # fmt: skip


def _json(found: Mapping[str, Any] | list[Any], status: int = 200) -> Response:
    return Response(orjson.dumps(found), status, media_type="application/json")
