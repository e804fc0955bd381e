"""For administrators: why somebody may or may not, and who may what, on screen and as a file.

The questions are the lens's, asked through the eyes of the person they are about; the tables are the compiled policies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import orjson
from starlette.responses import Response

from engine.access.definition import ACTIONS, Action
from engine.access.directory import Colleague
from engine.access.policies import Permit
from engine.app import EntityApp
from engine.definition.package import read as read_package
from engine.problems import Problem, Refused
from engine.publishing.versions import live_version
from engine.reading import Query
from engine.reading.why import rows_in_words
from engine.web.pages.cells import id_in
from engine.web.pages.filters import Option, State as Address
from engine.web.pages.frame import Link, said
from engine.web.pages.handing import chosen_person, person_titles
from engine.web.pages.sheets import Kind, sheet
from engine.web.pages.visit import AppVisit
from engine.web.pages.why import locked


@dataclass(frozen=True)
class Verdict:
    """What one role's rule says. `place` is where it stands in the definition, with file and line where they are known."""

    allowed: bool
    words: str
    place: str


@dataclass(frozen=True)
class Mark:
    """What a role may do, in a table: `all` rows, `some` rows as `words` say, or `none`."""

    state: str
    words: str = ""


def _entered(visit: AppVisit) -> None:
    """Raises Refused (404) for everybody but administrators: who may what is nobody else's business."""
    visit.current = "~permissions"
    if not visit.principal.administrator:
        raise Refused(Problem("not-found"), 404)


def _entities(visit: AppVisit) -> list[EntityApp]:
    return [visit.app.entities[name] for name in visit.app.hot_entities]


# -- one question ------------------------------------------------------------------------------------------------------------


def get_explain(visit: AppVisit) -> Response:
    """Choose a person, a kind of record, a record, a field and an action; the answer stands below."""
    _entered(visit)
    here, t = Address(visit.href("my-explain"), visit.query), visit.t
    who = chosen_person(visit, here.get("who"), here.get("who.text"))
    models = _entities(visit)
    model = next((each for each in models if each.name == here.get("entity")), None)
    action: Action = next((each for each in ACTIONS if each == here.get("action")), "read")
    problems = [Problem("person-unknown", "who")] if who is None and (here.get("who") or here.get("who.text")) else []
    verdicts: Sequence[Verdict] = ()
    lock, title, given = "", "", here.get("record").strip()
    field = here.get("field") if model is not None and here.get("field") in model.fields else ""
    if who is not None and model is not None:
        try:
            id, title = _record(visit, model, given)
            verdicts, lock = _verdicts(visit, who, model, action, id, field)
        except Refused as error:
            problems += error.problems
    return visit.draw(
        "explain.html", action=here.path, tabs=_tabs(visit, "explain"), people=f"{here.path}/people", who=who, record=given, record_title=title,
        entities=[Option(each.name, each.label[t.language], each is model) for each in models],
        fields=[Option(name, label[t.language], name == field) for name, label in model.labels.items() if _telling(model, name)] if model else [],
        actions=[Option(each, visit.app.action_label(each)[t.language], each == action) for each in ACTIONS],
        verdicts=verdicts, allowed=any(each.allowed for each in verdicts) and not lock, lock=lock, asked=who is not None and model is not None and not problems,
        sentence=_sentence(visit, who, model, action, field, title), problems=said(problems, t.language),
    )  # fmt: skip


def _sentence(
    visit: AppVisit, who: Colleague | None, model: EntityApp | None, action: Action, field: str, title: str
) -> str:
    if who is None or model is None:
        return ""
    what = (
        f"{model.label[visit.language]}「{title}」"
        if title and visit.language == "zh"
        else title or model.label[visit.language]
    )
    if field:
        what = f"{what} · {model.labels[field][visit.language]}"
    return visit.t("explain-sentence", who=who.name, action=visit.app.action_label(action)[visit.language], what=what)


def _telling(model: EntityApp, name: str) -> bool:
    own = model.definition.fields if model.definition else {}
    return name in own or name in ("stage", "created_at", "created_by")


def _record(visit: AppVisit, model: EntityApp, given: str) -> tuple[int | None, str]:
    """The record of an id, an address or a running number, and its title; None for none. Raises Refused (404)."""
    if not given:
        return None, ""
    id = id_in(given.split("?")[0].rstrip("/").rpartition("/")[2])
    with visit.site.db.read() as r:
        titles = visit.lens.titles(r, model.name, [id]) if id is not None else {}
        number = next((name for name, each in model.fields.items() if each.type == "autonumber"), None)
        if not titles and number is not None:
            rows = visit.lens.page(
                r, model.name, Query(filters={number: given}, fields=("id", model.title), limit=1)
            ).rows
            titles = {int(row["id"]): str(row[model.title] or "") for row in rows}
    if not titles:
        raise Refused(Problem("not-found", "record"), 404)
    found, title = next(iter(titles.items()))
    return found, title or visit.t("untitled")


def _verdicts(
    visit: AppVisit, who: Colleague, model: EntityApp, action: Action, id: int | None, field: str
) -> tuple[Sequence[Verdict], str]:  # fmt: skip
    """What each of his roles says, and what the record's own state says of the field."""
    principal = visit.site.people.principal(who.id, visit.app.name, visit.app.policies)
    if principal is None:
        return [Verdict(False, visit.t("explain-no-access"), "")], ""
    lens = visit.site.reading(visit.app).lens(replace(principal, language=visit.language))
    with visit.read() as r:
        try:
            found = lens.explain(r, model.name, action, id, field or None)
        except Refused:
            # The record is not there for him: which of his roles' rows leave it out is what the administrator asks for.
            found = lens.explain(r, model.name, action, None, field or None)
            found = [
                {**each, "allowed": False, "words": visit.t("explain-not-covered", words=each["words"])}
                for each in found
            ]
        lock = locked(visit, r, model, id, field, lens) if field and id is not None and action != "read" else ""
    places = _places(visit, [each["place"] for each in found if each["place"]])
    return [Verdict(each["allowed"], each["words"], places.get(each["place"], each["place"])) for each in found], lock


def _places(visit: AppVisit, paths: Sequence[str]) -> Mapping[str, str]:
    """Where rules stand: the path, and file and line of the published text."""
    if not paths or not visit.app.number:
        return {}
    with visit.site.db.read() as r:
        stored = live_version(r, visit.site.db, visit.app.name)
    if stored is None or stored.number != visit.app.number:
        return {}
    source = read_package(stored.files, stored.root or None, None, again=False)
    return {path: f"{path} · {source.place(tuple(path.split('.')))}" for path in dict.fromkeys(paths)}


def get_people(visit: AppVisit) -> Response:
    _entered(visit)
    return Response(orjson.dumps(person_titles(visit)), media_type="application/json")


# -- the tables --------------------------------------------------------------------------------------------------------------


def get_matrix(visit: AppVisit) -> Response:
    """What each role may do with a kind of record, and with each of its fields."""
    _entered(visit)
    here, t = Address(visit.href("my-explain", "roles"), visit.query), visit.t
    models = _entities(visit)
    model = next((each for each in models if each.name == here.get("entity")), models[0])
    permits = _permits(visit, model)
    return visit.draw(
        "permissions.html", tabs=_tabs(visit, "roles"), entity=model.label[t.language], action=here.path,
        entities=[Option(each.name, each.label[t.language], each is model) for each in models],
        roles=[visit.app.role_label(role)[t.language] for role in permits],
        actions=[(visit.app.action_label(each)[t.language], [_mark(visit, permit, each) for permit in permits.values()]) for each in ACTIONS],
        fields=[(model.labels[name][t.language], [_of_field(permit, name) for permit in permits.values()]) for name in model.fields if _telling(model, name)],
        export=visit.href("my-explain", "roles"),
    )  # fmt: skip


def _permits(visit: AppVisit, model: EntityApp) -> dict[str, Permit]:
    """What each role has with all that it includes."""
    policies = visit.app.policies
    return {
        role: policies.permit(policies.closure([role]), model.name, policies.administrator([role]))
        for role in visit.app.definition.roles
    }


def _mark(visit: AppVisit, permit: Permit, action: Action) -> Mark:
    grants = permit.of(action)
    if not grants:
        return Mark("none")
    if permit.everything or any(grant.rows(action) is None and grant.parent is None for grant in grants):
        return Mark("all")
    glue = "；" if visit.language == "zh" else "; "
    return Mark(
        "some", glue.join(dict.fromkeys(rows_in_words(visit.app, grant, action)[visit.language] for grant in grants))
    )


def _of_field(permit: Permit, name: str) -> str:
    """`write`, `read` or `none`."""
    if name in permit.writable("update") or name in permit.writable("create"):
        return "write"
    return "read" if name in permit.visible else "none"


def get_export(visit: AppVisit) -> Response:
    """Both tables for every kind of record, as a file: the proof of who may what."""
    _entered(visit)
    kind: Kind = "csv" if visit.request.path_params["kind"] == "csv" else "xlsx"
    t = visit.t
    every, words = (
        Problem("all-rows").message(t.language),
        {each: t(f"field-{each}") for each in ("write", "read", "none")},
    )
    rules: list[Sequence[str]] = []
    fields: list[Sequence[str]] = []
    roles = [visit.app.role_label(role)[t.language] for role in visit.app.definition.roles]
    for model in _entities(visit):
        permits = _permits(visit, model)
        for label, permit in zip(roles, permits.values(), strict=True):
            for action in ACTIONS:
                mark = _mark(visit, permit, action)
                if mark.state != "none":
                    rules.append(
                        (
                            label,
                            model.label[t.language],
                            visit.app.action_label(action)[t.language],
                            mark.words or every,
                        )
                    )
        fields += [
            (
                model.label[t.language],
                model.labels[name][t.language],
                *(words[_of_field(permit, name)] for permit in permits.values()),
            )
            for name in model.fields
            if _telling(model, name)
        ]
    tables = [
        (t("matrix"), (t("matrix-role"), t("matrix-entity"), t("matrix-action"), t("matrix-rows-of")), rules),
        (t("matrix-fields"), (t("matrix-entity"), t("matrix-field"), *roles), fields),
    ]
    return sheet(t("matrix"), kind, tables)


def _tabs(visit: AppVisit, current: str) -> Sequence[Link]:
    t = visit.t
    return (
        Link(t("explain-tab"), visit.href("my-explain"), current=current == "explain"),
        Link(t("matrix-tab"), visit.href("my-explain", "roles"), current=current == "roles"),
    )
