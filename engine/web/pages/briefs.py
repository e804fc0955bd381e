"""A brief: the page that somebody reads before a visit or a call, on a phone or on paper.

It shows what the reader may see and nothing of the rest: a field, a linked record or a collection that is not for him is
absent, as one that is empty is.  How many questions it asks of the database depends on the definition alone, never on how
many records there are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from engine.app import EntityApp
from engine.forms.briefs import HOLE, Brief, BriefList, holes
from engine.problems import Label, Problem, Refused
from engine.reading import Query
from engine.web.pages.cells import Cell, Titles, cell, id_in
from engine.web.pages.filters import State
from engine.web.pages.gates import gate_of, ways_of
from engine.web.pages.lists import columns_of
from engine.web.pages.notices import notices
from engine.web.pages.records import title_of
from engine.web.pages.visit import AppVisit

FEW = 4  # columns where none are named
_ABSENT = ("empty", "hidden")
# What these say is clear without the name of the field; a date or a number is not.
_CLEAR = ("tag", "tags", "person", "link", "outside", "long")


@dataclass(frozen=True)
class Said:
    """A value with its name; the name is empty where the value speaks for itself."""

    label: str
    cell: Cell
    wide: bool = False


@dataclass(frozen=True)
class Line:
    """A related record: what it is called here, and what else is said of it."""

    href: str
    head: Cell
    small: tuple[Said, ...]


@dataclass(frozen=True)
class Listed:
    """Related records under a heading; `more` is where all of them are, if there are more."""

    name: str
    label: str
    icon: str
    lines: tuple[Line, ...]
    more: str


@dataclass(frozen=True)
class _Asked:
    """The rows of a list before they are drawn."""

    name: str
    label: str
    model: EntityApp
    columns: tuple[str, ...]
    rows: Sequence[dict[str, Any]]
    more: str


class _Facts:
    """The record at hand and those that it points to, as far as the reader sees them: found by the name of the link."""

    def __init__(self, visit: AppVisit, r: Any, model: EntityApp, record: Mapping[str, Any], brief: Brief) -> None:
        self.visit, self.model = visit, model
        self.records: dict[str, tuple[EntityApp, Mapping[str, Any]]] = {"": (model, record)}
        wanted: dict[str, set[str]] = {}
        for path in _paths(brief):
            link, _, name = path.rpartition(".")
            if link:
                wanted.setdefault(link, set()).add(name)
        for link, names in wanted.items():
            target, id = linked(visit, model, record, link)
            if target is None or id is None:
                continue
            seen = visit.lens.fields(target.name)
            found = visit.lens.get(r, target.name, id, tuple(sorted(each for each in names if each in seen)))
            if found is not None:
                self.records[link] = (target, found)

    def asked(self) -> list[tuple[str, list[Mapping[str, Any]], list[str]]]:
        """(entity, records, fields) of which titles are needed."""
        return [(model.name, [record], [*record]) for model, record in self.records.values()]

    def said(self, path: str, titles: Titles) -> Said | None:
        """The value at the end of a path; None where there is none for the reader."""
        link, _, name = path.rpartition(".")
        model, record = self.records.get(link, (None, {}))
        if model is None or name not in self.visit.lens.fields(model.name):
            return None
        found = cell(self.visit.app, model, name, record.get(name), titles, self.visit.language)
        return (
            None
            if found.kind in _ABSENT
            else Said(model.labels[name][self.visit.language], found, found.kind == "long")
        )


def get_brief(visit: AppVisit) -> Response:
    """The page. Raises Refused (404) where there is no such brief, or no such record for the reader."""
    model, lens, t = visit.model(), visit.lens, visit.t
    name = str(visit.request.path_params["brief"])
    brief = model.definition.briefs.get(name) if model.definition else None
    if brief is None:
        raise Refused(Problem("not-found", name), 404)
    with visit.read() as r:
        stored = tuple(each for each, field in lens.fields(model.name).items() if field.stored)
        record = lens.get(r, model.name, visit.id, stored)
        if record is None:
            raise Refused(Problem("not-found", model.name), 404)
        found = _Facts(visit, r, model, record, brief)
        lists = [
            asked
            for key, each in brief.lists.items()
            if (asked := _ask(visit, r, model, record, key, each)) is not None
        ]
        titles = Titles(lens, r, visit.files(r)).of_all(
            [*found.asked(), *((each.model.name, each.rows, each.columns) for each in lists)]
        )
        page: dict[str, Any] = {
            "entity": visit.entity(model),
            "href": visit.href(model.name, str(visit.id)),
            "title": title_of(visit, model, record, titles),
            "label": (brief.label or Label.of(name))[t.language],
            "help": brief.help[t.language] if brief.help else "",
            "sentences": _sentences(brief, found, titles, t.language),
            "facts": [said for path in brief.fields if (said := found.said(path, titles)) is not None],
            "lists": [_listed(visit, each, titles) for each in lists],
            "notices": notices(visit, r, model, visit.id, record) if brief.notices else [],
            "needs": _needs(visit, r, model, record, titles) if brief.gate else None,
        }
    bare = [each.label for each in page["lists"] if not each.lines]
    page["bare"] = t("brief-none", what=("、" if t.language == "zh" else ", ").join(bare)) if bare else ""
    return visit.draw("brief.html", plain=_plain(visit, page), **page)


def linked(
    visit: AppVisit, model: EntityApp, record: Mapping[str, Any], link: str
) -> tuple[EntityApp | None, int | None]:
    """The entity that a link of the record points to, and the id there; None for what is not the reader's to see."""
    target = model.lookups.get(link)
    if target is None or link not in visit.lens.fields(model.name) or not visit.lens.may(target, "read"):
        return None, None
    return visit.app.entities[target], id_in(record.get(link))


def _paths(brief: Brief) -> dict[str, None]:
    texts = (brief.text.zh, brief.text.en) if brief.text else ()
    return dict.fromkeys([*brief.fields, *(name for text in texts for name, _ in holes(text))])


def _sentences(brief: Brief, found: _Facts, titles: Titles, language: str) -> list[str]:
    """The lines of the text with their values, which are put in once: a value that looks like a hole stays as it is."""
    lines = []
    for line in brief.text[language].splitlines() if brief.text else ():
        said = {name: found.said(name, titles) for name, _ in holes(line)}
        values = {name: each.cell.text for name, each in said.items() if each is not None}
        if line.strip() and len(values) == len(said):
            lines.append(HOLE.sub(lambda hole, values=values: values[hole[1]], line))  # type: ignore[misc]
    return lines


def _ask(
    visit: AppVisit, r: Any, model: EntityApp, record: Mapping[str, Any], name: str, shown: BriefList
) -> _Asked | None:
    """The rows of a list; None where the collection, or what its condition reads, is not for the reader."""
    lens, id = visit.lens, visit.id
    link, _, collection = shown.of.rpartition(".")
    owner = model
    if link:
        target, other = linked(visit, model, record, link)
        if target is None or other is None or not lens.titles(r, target.name, [other]):
            return None
        owner, id = target, other
    entity, lookup = owner.relations[collection]
    if not lens.may(entity, "read") or lookup not in lens.fields(entity):
        return None
    child, fields = visit.app.entities[entity], lens.fields(entity)
    usual = [each for each in columns_of(lens, child, None, ())[0] if each != lookup][:FEW]
    columns = tuple(each for each in (shown.columns or usual) if each in fields)
    sort = tuple(each for each in shown.sort if each.removeprefix("-") in fields)
    try:
        if shown.where:
            # A condition that reads what is hidden from him would tell him about it.
            lens.view.expression(shown.where, entity, "where")
        query = Query(
            where=shown.where or None, filters={lookup: str(id)}, fields=columns, sort=sort, limit=shown.limit
        )
        page = lens.page(r, entity, query)
    except Refused:
        return None
    narrowed: dict[str, str] = {f"f.{lookup}": str(id), **({"where": str(shown.where)} if shown.where else {})}
    more = State(visit.href(entity)).url(view="all", **narrowed) if page.next else ""
    label = shown.label or visit.app.label_of(owner.name, collection)
    return _Asked(name, label[visit.language], child, columns, page.rows, more)


def _listed(visit: AppVisit, asked: _Asked, titles: Titles) -> Listed:
    language, model = visit.language, asked.model
    lines = []
    for record in asked.rows:
        cells = {name: cell(visit.app, model, name, record.get(name), titles, language) for name in asked.columns}
        head, *rest = cells or {"": Cell("empty")}
        small = tuple(
            Said("" if each.kind in _CLEAR else model.labels[name][language], each, each.kind == "long")
            for name in rest
            if (each := cells[name]).kind not in _ABSENT
        )
        first = cells.get(head, Cell("empty"))
        lines.append(Line(visit.href(model.name, str(record["id"])), first, small))
    return Listed(asked.name, asked.label, visit.entity(model).icon, tuple(lines), asked.more)


def _needs(
    visit: AppVisit, r: Any, model: EntityApp, record: Mapping[str, Any], titles: Titles
) -> dict[str, Any] | None:
    """What the record still lacks for its next stage, as the gate of its page says it; None where nothing is asked for."""
    gate = gate_of(visit, model, record, ways_of(visit, r, model, visit.id), titles)
    if gate is None:
        return None
    return {"target": gate.target, "missing": [(need.label, need.have) for need in gate.needs if not need.met]}


def _plain(visit: AppVisit, page: Mapping[str, Any]) -> str:
    """The page as plain text, for a message or a note."""
    t = visit.t
    colon = "：" if t.language == "zh" else ": "
    between = "，" if t.language == "zh" else ", "
    parts = [f"{page['title']} · {page['label']}"]
    parts += ["\n".join(page["sentences"])] if page["sentences"] else []
    parts += ["\n".join(each.words for each in page["notices"])] if page["notices"] else []
    if page["facts"]:
        parts.append("\n".join(f"{each.label}{colon}{each.cell.text}" for each in page["facts"]))
    for each in page["lists"]:
        lines = [each.label]
        for line in each.lines:
            small = [f"{said.label}{colon}{said.cell.text}" if said.label else said.cell.text for said in line.small]
            lines.append("· " + between.join([line.head.text or t("untitled"), *small]))
        parts += ["\n".join(lines)] if each.lines else []
    if page["needs"] and page["needs"]["missing"]:
        words = t("brief-needs", stage=page["needs"]["target"])
        parts.append(
            "\n".join([words, *(f"· {label}{f' {have}' if have else ''}" for label, have in page["needs"]["missing"])])
        )
    return "\n\n".join([*parts, page["bare"]] if page["bare"] else parts)
