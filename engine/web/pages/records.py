"""The record page: where it stands, what the gate still needs, everything about it, what belongs to it, what happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from starlette.responses import Response

from engine.app import EntityApp
from engine.problems import Label, Problem, Refused
from engine.reading import Query
from engine.rules.scores import ScoreApp
from engine.runtime.moves import Way
from engine.web.pages.cells import COLORS, Cell, Column, Row, Titles, cell, is_number, row
from engine.web.pages.events import stage_bar
from engine.web.pages.frame import Link, said
from engine.web.pages.gates import Gate, Move, gate_of, label_of, main_move, other_moves, ways_of
from engine.web.pages.kept import star_of
from engine.web.pages.layout import record_parts
from engine.web.pages.lists import columns_of
from engine.web.pages.notices import duplicates, notices
from engine.web.pages.relations import drawing
from engine.web.pages.timeline import stream
from engine.web.pages.visit import AppVisit, Back

RELATED = 20
MOST_RELATED = 999
KEY_FACTS = 9
MOST_TERMS = 8
_OWN_TABS = ("details", "timeline", "relations")
_WIDE = ("longtext", "files", "image", "address", "json")


@dataclass(frozen=True)
class Fact:
    name: str
    label: str
    cell: Cell
    wide: bool = False


@dataclass(frozen=True)
class Related:
    """Records of another kind that point here, as a table."""

    name: str
    label: str
    icon: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    new: str = ""
    all: str = ""


@dataclass(frozen=True)
class Share:
    """What one term adds to a score."""

    label: str
    text: str
    width: int
    color: str = ""
    rest: bool = False


@dataclass(frozen=True)
class Trial:
    """A term that can be moved to see what the score would be; `value` in percent of what it can add."""

    key: str
    label: str
    value: int


def get_record(visit: AppVisit) -> Response:
    """The page of one record. Raises Refused (404) if it is not there for the reader."""
    user = visit.principal.user
    if user is not None and visit.request.query_params.get("tab") == "timeline":
        visit.site.notices.read_about(user, visit.app.name, visit.model().name, visit.id)
    return record_page(visit)


def record_page(
    visit: AppVisit,
    status: int = 200,
    problems: Sequence[Problem] = (),
    first: Back | None = None,
    tab: str = "",
    typed: str = "",
) -> Response:
    """`first` is the way to restore what must come back before a deleted record.

    `tab` is the part shown, that of the address if none is named; `typed` a comment that could not be saved.
    """
    model, lens, t = visit.model(), visit.lens, visit.t
    tab = tab or visit.request.query_params.get("tab", "details")
    with visit.read() as r:
        record, deleted = _record(visit, r, model)
        titles = Titles(lens, r, visit.files(r)).of(model.name, [record], lens.fields(model.name))
        ways = ways_of(visit, r, model, visit.id) if model.processes and not deleted else []
        log = lens.stages(r, model.name, visit.id) if model.processes and "stage" in lens.fields(model.name) else []
        parts = record_parts(lens, model, t)
        tabs = _tabs(visit, r, model, tab, deleted)
        if tab not in [each.name for each in tabs]:
            tab = "details"
        gate = gate_of(visit, model, record, ways, titles)
        page = {
            "entity": visit.entity(model),
            "href": visit.href(model.name, str(visit.id)),
            "title": title_of(visit, model, record, titles),
            "number": _number(model, record),
            "version": record["version"],
            "deleted": deleted,
            "process": _process(visit, model, record, log, gate),
            "gate": gate,
            "tabs": [
                Link(each.label, each.href, name=each.name, current=each.name == tab, count=each.count) for each in tabs
            ],
            "tab": tab,
            "sections": _sections(visit, r, model, record, titles, parts) if tab == "details" else (),
            "drawing": drawing(visit, r, model, record, title_of(visit, model, record, titles))
            if tab == "relations"
            else None,
            "stream": stream(visit, r, model, log, deleted, typed) if tab == "timeline" else None,
            "related": _related(visit, r, model, tab, RELATED) if tab not in _OWN_TABS else None,
            "briefs": [] if deleted else _briefs(visit, model),
            "scores": [
                _score(visit, model, each, record) for each in model.scores if each.field in lens.fields(model.name)
            ],
            "facts": _facts(visit, model, record, titles),
            "notices": []
            if deleted
            else [*notices(visit, r, model, visit.id, record), *duplicates(visit, r, model, visit.id)],
            **_actions(visit, r, model, deleted, ways, gate),
        }
    page |= star_of(visit, model.name, visit.id, deleted)
    return visit.draw("record.html", status, problems=said(problems, t.language), first=first, **page)


def _record(visit: AppVisit, r: Any, model: EntityApp) -> tuple[dict[str, Any], bool]:
    """The record, live or deleted."""
    names = tuple(name for name, each in visit.lens.fields(model.name).items() if each.stored)
    record = visit.lens.get(r, model.name, visit.id, names)
    if record is not None:
        return record, False
    if visit.lens.may(model.name, "restore"):
        record = visit.lens.get(r, model.name, visit.id, names, deleted=True)
    if record is None:
        raise Refused(Problem("not-found", model.name), 404)
    return record, True


def _briefs(visit: AppVisit, model: EntityApp) -> list[Link]:
    """The pages that tell at a glance what matters about the record."""
    found = model.definition.briefs if model.definition else {}
    href = visit.href(model.name, str(visit.id), "brief")
    return [
        Link((each.label or Label.of(name))[visit.language], f"{href}/{name}", "eye", name)
        for name, each in found.items()
    ]


def title_of(visit: AppVisit, model: EntityApp, record: Mapping[str, Any], titles: Titles) -> str:
    shown = cell(visit.app, model, model.title, record.get(model.title), titles, visit.language).text
    return shown or visit.t("untitled")


def _number(model: EntityApp, record: Mapping[str, Any]) -> str:
    """The running number, where it is not itself the title."""
    found = next(
        (name for name, each in model.fields.items() if each.type == "autonumber" and name != model.title), None
    )
    return str(record.get(found) or "") if found else ""


def _process(
    visit: AppVisit, model: EntityApp, record: Mapping[str, Any], log: Sequence[Mapping[str, Any]], gate: Gate | None
) -> dict[str, Any] | None:
    process = visit.app.processes.get(record.get("pipeline") or "")
    if process is None or not record.get("stage"):
        return None
    blocked = gate is not None and gate.missing > 0
    return {"label": process.label[visit.language], "stages": stage_bar(visit, process, record["stage"], log, blocked)}


def _actions(
    visit: AppVisit, r: Any, model: EntityApp, deleted: bool, ways: Sequence[Way], gate: Gate | None
) -> dict[str, Any]:
    lens, id = visit.lens, visit.id
    href = visit.href(model.name, str(id))
    may = {
        action: not deleted and lens.allowed(r, model.name, action, id)
        for action in ("update", "delete", "convert", "merge")
    }
    main: Move | None = main_move(visit, href, ways, gate)
    menu = other_moves(visit, href, ways, main)
    if may["convert"]:
        menu += [
            Link(each.label[visit.language], f"{href}/convert/{name}", "convert", post=True)
            for name, each in model.conversions.items()
        ]
    return {
        "main": main,
        "menu": menu,
        "locked": [] if deleted else _locked(visit, model, href, may, ways),
        "no_edit": f"{href}/why?action=update" if not deleted and not may["update"] else "",
        "edit": f"{href}/edit" if may["update"] else "",
        "delete": may["delete"],
        "restore": deleted and lens.may(model.name, "restore"),
    }


def _locked(visit: AppVisit, model: EntityApp, href: str, may: Mapping[str, bool], ways: Sequence[Way]) -> list[Link]:
    """What is not open to the reader although others do it here: each with the address that says why."""
    t = visit.t
    found = [
        Link(label_of(visit, way), f"{href}/why?transition={way.transition.name}", "gate")
        for way in ways
        if way.refusal is not None
    ]
    if not may["convert"]:
        found += [
            Link(each.label[t.language], f"{href}/why?action=convert", "convert") for each in model.conversions.values()
        ]
    if not may["delete"]:
        found.append(Link(t("delete"), f"{href}/why?action=delete", "trash"))
    return found


def _sections(
    visit: AppVisit, r: Any, model: EntityApp, record: Mapping[str, Any], titles: Titles, parts: Sequence[Any]
) -> list[dict[str, Any]]:
    found = []
    for part in parts:
        facts = [
            _fact(visit, model, name, record, titles)
            for name in part.fields
            if name not in model.children and name in model.fields
        ]
        tables = [
            _table(visit, r, model, name)
            for name in part.fields
            if name in model.children and visit.lens.may(model.children[name][0], "read")
        ]
        if facts or tables:
            found.append({"label": part.label, "fields": facts, "tables": tables})
    return found


def _fact(visit: AppVisit, model: EntityApp, name: str, record: Mapping[str, Any], titles: Titles) -> Fact:
    each = model.fields[name]
    shown = cell(visit.app, model, name, record.get(name), titles, visit.language)
    return Fact(name, model.labels[name][visit.language], shown, each.type in _WIDE)


def _facts(visit: AppVisit, model: EntityApp, record: Mapping[str, Any], titles: Titles) -> list[Fact]:
    """What one wants to know at a glance: the filled fields among those that lists show, and who last changed it."""
    names, _ = columns_of(visit.lens, model, None, ())
    subtitle = model.definition.subtitle if model.definition else None
    scored = {score.field for score in model.scores}
    wanted = [
        name
        for name in dict.fromkeys((subtitle, *names))
        if name and name != model.title and name in visit.lens.fields(model.name) and name not in ("stage", *scored)
    ]
    facts = [_fact(visit, model, name, record, titles) for name in wanted]
    return [fact for fact in facts if fact.cell.kind not in ("empty", "files")][:KEY_FACTS]


# -- tabs --------------------------------------------------------------------------------------------------------------------


def _relations(visit: AppVisit, model: EntityApp) -> dict[str, tuple[str, str]]:
    """The collections of records that point here and stand in no table of the page itself."""
    lens = visit.lens
    return {
        name: (entity, lookup)
        for name, (entity, lookup) in model.relations.items()
        if name not in model.children and lens.may(entity, "read") and lookup in lens.fields(entity)
    }


def _tabs(visit: AppVisit, r: Any, model: EntityApp, tab: str, deleted: bool) -> list[Link]:
    t, lens = visit.t, visit.lens
    href = visit.href(model.name, str(visit.id))
    tabs = [Link(t("details"), href, name="details"), Link(t("timeline"), f"{href}?tab=timeline", name="timeline")]
    if not deleted:
        tabs.append(Link(t("relations"), f"{href}?tab=relations", name="relations"))
    related = []
    if not deleted:
        for name, (entity, lookup) in _relations(visit, model).items():
            count = lens.count(r, entity, Query(filters={lookup: str(visit.id)}), MOST_RELATED + 1)
            related.append((count, name))
    # Where there is something comes first.
    for count, name in sorted(related, key=lambda each: not each[0]):
        shown = f"{MOST_RELATED}+" if count > MOST_RELATED else str(count)
        label = visit.app.label_of(model.name, name)[t.language]
        tabs.append(Link(label, f"{href}?tab={name}", name=name, count=shown))
    return tabs


def _table(visit: AppVisit, r: Any, model: EntityApp, name: str) -> Related:
    entity, lookup = model.relations[name]
    return _rows(visit, r, model, name, entity, lookup, 200, ("id",))


def _related(visit: AppVisit, r: Any, model: EntityApp, name: str, limit: int) -> Related:
    entity, lookup = _relations(visit, model)[name]
    return _rows(visit, r, model, name, entity, lookup, limit, ())


def _rows(
    visit: AppVisit, r: Any, model: EntityApp, name: str, entity: str, lookup: str, limit: int, sort: tuple[str, ...]
) -> Related:
    lens, t, id = visit.lens, visit.t, str(visit.id)
    other = visit.app.entities[entity]
    names, _ = columns_of(lens, other, None, ())
    names = [each for each in names if each != lookup and each in lens.fields(entity)]
    page = lens.page(r, entity, Query(filters={lookup: id}, fields=tuple(names), limit=limit, sort=sort))
    titles = Titles(lens, r, visit.files(r)).of(entity, page.rows, names)
    columns = tuple(Column(each, other.labels[each][t.language], is_number(other.fields[each])) for each in names)
    here = f"{visit.href(model.name, id)}?tab={name}"
    return Related(
        name, visit.app.label_of(model.name, name)[t.language], visit.entity(other).icon, columns,
        tuple(row(visit.app, other, columns, record, titles, t.language) for record in page.rows),
        f"{visit.href(entity, 'new')}?{lookup}={id}&after={here.replace('?', '%3F').replace('=', '%3D')}" if lens.may(entity, "create") else "",
        f"{visit.href(entity)}?view=all&f.{lookup}={id}" if page.next else "",
    )  # fmt: skip


# -- scores ------------------------------------------------------------------------------------------------------------------


def _score(visit: AppVisit, model: EntityApp, score: ScoreApp, record: Mapping[str, Any]) -> dict[str, Any]:
    """The figure, its band, and what each term adds, the largest first."""
    t = visit.t
    value = record.get(score.field)
    stored = model.fields[score.field].parse(value) if value is not None else None
    band = score.band(stored)
    detail = record.get(score.detail_field)
    told = orjson.dumps(detail).decode() if isinstance(detail, dict) else detail
    terms = score.explain(told)
    most = max((abs(each["weight"]) for each in terms), default=1) or 1
    ranked = sorted(terms, key=lambda each: -abs(each["points"]))
    parts = [_share(each["label"][t.language], each["points"], most) for each in ranked[:MOST_TERMS]]
    if len(ranked) > MOST_TERMS:
        rest = ranked[MOST_TERMS:]
        words = t("score-rest", count=len(rest))
        parts.append(replace(_share(words, sum(each["points"] for each in rest), most), rest=True))
    if score.base and terms:
        base = score.base / 10_000
        parts.insert(0, _share(t("score-base"), base, max(most, base)))
    edges = sorted({float(each.low) for each in score.bands if each.low is not None and 0 < each.low < 100})
    above = next(
        (
            each
            for each in sorted(score.bands, key=lambda each: each.low or 0)
            if each.low is not None and value is not None and each.low > float(value)
        ),
        None,
    )
    return {
        "label": score.label[t.language],
        "value": value,
        "text": f"{float(value):.1f}".removesuffix(".0") if value is not None else "",
        "width": round(float(value)) if value is not None else 0,
        "band": band.label[t.language] if band else "",
        "color": COLORS.get(band.color or "neutral", "") if band else "",
        "bands": [{"at": f"{edge:g}"} for edge in edges],
        "next": t("score-band-from", score=f"{float(above.low):g}", band=above.label[t.language])
        if above and above.low is not None
        else "",
        "parts": parts,
        "name": score.name,
        "rule": orjson.dumps(score.exported(told, t.language)).decode() if told else "",
        "tries": [
            Trial(str(number), each["label"][t.language], _step(each["value"])) for number, each in enumerate(terms)
        ],
    }


def _step(value: float | None) -> int:
    """Where a slider of steps of five percent begins."""
    return min(100, max(0, round((value or 0) * 20) * 5))


def _share(label: str, points: float, most: float) -> Share:
    text = f"{points:+.1f}".removesuffix(".0").replace("-", "−")
    return Share(
        label,
        text if points else "0",
        min(100, round(abs(points) / most * 100)),
        "red" if points < 0 else "",
        not points,
    )
