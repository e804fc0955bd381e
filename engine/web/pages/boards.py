"""The board of an entity: its records as cards in columns, one for each stage or option, moved from one to another.

Counts and sums come with one question for all columns, the cards with one for each column that has some.  What may not be
moved is refused with what is missing, which can be provided on the spot: see `get_put`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from starlette.responses import Response

from engine.app import EntityApp
from engine.fields.choice import Choosing
from engine.problems import Problem, Refused
from engine.reading import Page
from engine.runtime import Transition, Update
from engine.web.pages.cells import COLORS, EMPTY, Cell, Titles, brief, cell
from engine.web.pages.events import elapsed, overdue, stay_since
from engine.web.pages.filters import Option, quoted
from engine.web.pages.frame import said
from engine.web.pages.gates import label_of, move_values, ways_of
from engine.web.pages.lists import one_more
from engine.web.pages.looks import Look, around, grouping, look
from engine.web.pages.pips import Pips, pips_of
from engine.web.pages.visit import AppVisit

CARDS = 20
# What stands on a card beside its title: a figure, a person, a score, and the record it belongs to.
_ON_CARDS = ("money", "user", "score", "lookup")


@dataclass(frozen=True)
class Card:
    """`dwell` is how long the record has stayed in its stage; `late` whether that is too long."""

    id: str
    version: int
    href: str
    title: str
    figure: str = ""
    person: str = ""
    score: Cell = EMPTY
    under: str = ""
    dwell: str = ""
    late: bool = False
    pips: Pips | None = None


@dataclass(frozen=True)
class Column:
    """`closed` columns end a process: cards may be put there, but they are not shown. `rest` leads to further records."""

    key: str
    label: str
    color: str
    count: str
    sum: str
    cards: tuple[Card, ...]
    total: int
    rest: str = ""
    closed: bool = False


@dataclass(frozen=True)
class Layout:
    """By which field, in which process if by stage, what is summed, and which fields the cards show."""

    by: str
    process: str
    summed: str
    shown: Mapping[str, str]  # type -> field


def get_board(visit: AppVisit) -> Response:
    if (answer := one_more(visit)) is not None:
        return answer
    lens = visit.lens
    with visit.read() as r:
        titles = Titles(lens, r)
        seen = look(visit, titles, "board")
        able = grouping(lens, seen.model)
        if not able:
            raise Refused(Problem("not-found", seen.model.name), 404)
        try:
            layout, columns = _laid_out(visit, r, seen, able, titles)
            problems: tuple[Problem, ...] = ()
        except Refused as error:
            if error.status != 400:
                raise
            layout, columns, problems = Layout(able[0], "", "", {}), [], error.problems
    count = sum(each.total for each in columns)
    return visit.draw(
        "board.html",
        **around(visit, seen, problems, count),
        columns=columns,
        kept_by=[
            (key, value) for key, value in seen.here.parameters if value and key not in ("by", "pipeline", "open")
        ],
        count=visit.t("count", count=f"{count:,}"),
        by=layout.by,
        groups=_choices(visit, seen, able, layout),
        processes=_processes(visit, seen, layout),
        open=seen.state.get("open"),
        movable=lens.may(seen.model.name, "transition" if layout.by == "stage" else "update"),
    )


def _laid_out(visit: AppVisit, r: Any, seen: Look, able: list[str], titles: Titles) -> tuple[Layout, list[Column]]:
    model, lens = seen.model, visit.lens
    by = seen.state.get("by") if seen.state.get("by") in able else able[0]
    fields = lens.fields(model.name)
    own = model.definition.fields if model.definition else {}
    shown = {
        type: next(name for name in own if name in fields and fields[name].type == type and name != model.title)
        for type in _ON_CARDS
        if any(name in fields and fields[name].type == type and name != model.title for name in own)
    }
    sums = [name for name in (seen.view.sum if seen.view else ()) if name in fields]
    summed = next(iter((*sums, *([shown["money"]] if "money" in shown else []))), "")
    measures = {"count": "count()"} | ({"sum": f"sum({summed})"} if summed else {})
    keys = ("pipeline", "stage") if by == "stage" else (by,)
    groups = lens.aggregate(r, model.name, seen.query(), keys, measures)
    process = _process(visit, seen, groups) if by == "stage" else ""
    layout = Layout(by, process, summed, shown)
    found = {group[by]: group for group in groups if not process or group["pipeline"] == process}
    pages = {
        key: _cards(visit, r, seen, layout, key)
        for key, group in found.items()
        if group["count"] and not _closed(visit, layout, key)
    }
    names = tuple(shown.values())
    records = [record for page in pages.values() for record in page.rows]
    titles.of(model.name, records, names)
    pips = pips_of(visit, r, model, records) if process else {}
    return layout, [
        _column(
            visit, seen, layout, key, label, color, found.get(key, {}), pages.get(key, Page([], None)), titles, pips
        )
        for key, label, color in _keys(visit, model, layout, found)
    ]


def _process(visit: AppVisit, seen: Look, groups: list[dict[str, Any]]) -> str:
    """The process whose stages are the columns: the one asked for, else the one that most of the records follow."""
    names = [name for name, process in visit.app.processes.items() if process.entity == seen.model.name]
    if seen.state.get("pipeline") in names:
        return seen.state.get("pipeline")
    counts = {name: sum(group["count"] for group in groups if group["pipeline"] == name) for name in names}
    return max(names, key=lambda name: counts[name])


def _keys(visit: AppVisit, model: EntityApp, layout: Layout, found: Mapping[Any, Any]) -> list[tuple[Any, str, str]]:
    """Key, label and colour of every column; one for records without an option only where there are some."""
    language = visit.language
    if layout.process:
        return [(name, s.label[language], "") for name, s in visit.app.processes[layout.process].stages.items()]
    field = model.fields[layout.by]
    assert isinstance(field, Choosing)
    options = [
        (key, field.option_label(key, language), COLORS.get(field.options[key].color or "neutral", ""))
        for key in field.keys
    ]
    return [*([(None, visit.t("none"), "")] if None in found else []), *options]


def _closed(visit: AppVisit, layout: Layout, key: Any) -> bool:
    return bool(layout.process) and visit.app.processes[layout.process].stages[key].definition.end is not None


def _cards(visit: AppVisit, r: Any, seen: Look, layout: Layout, key: Any) -> Page:
    model = seen.model
    condition = f"{layout.by} is null" if key is None else f"{layout.by} == {quoted(key)}"
    if layout.process:
        condition += f" and pipeline == {quoted(layout.process)}"
    names = [model.title, *layout.shown.values(), *(["stage", "stage_entered_at"] if layout.process else [])]
    fields = tuple(name for name in dict.fromkeys(names) if name in visit.lens.fields(model.name))
    return visit.lens.page(r, model.name, seen.query(also=condition, fields=fields, limit=CARDS))


def _column(
    visit: AppVisit, seen: Look, layout: Layout, key: Any, label: str, color: str, group: Mapping[str, Any], page: Page, titles: Titles,
    pips: Mapping[str, Pips],
) -> Column:  # fmt: skip
    count, total = int(group.get("count", 0)), group.get("sum")
    closed = _closed(visit, layout, key)
    rest = ""
    if count > len(page.rows):
        state = seen.here
        plain = state.url(by=None, pipeline=None, open=None, **{f"f.{layout.by}": key})
        rest = plain.replace(state.path, visit.href(seen.model.name), 1) if key is not None else ""
    return Column(
        key or "", label, color, f"{count:,}", brief(total, visit.t, seen.model.fields[layout.summed]) if total else "",
        tuple(_card(visit, seen.model, layout, record, titles, pips.get(record["id"])) for record in page.rows), count, rest, closed,
    )  # fmt: skip


def _card(
    visit: AppVisit, model: EntityApp, layout: Layout, record: Mapping[str, Any], titles: Titles, pips: Pips | None
) -> Card:
    cells = {
        type: cell(visit.app, model, name, record.get(name), titles, visit.language)
        for type, name in layout.shown.items()
    }
    dwell, late = "", False
    if layout.process and record.get("stage_entered_at"):
        stay = stay_since(visit, record["stage_entered_at"])
        dwell = elapsed(stay.seconds, visit.t)
        limit = visit.app.processes[layout.process].stages[record["stage"]].definition.limit
        late = limit is not None and overdue(visit, stay, limit)
    return Card(
        record["id"], record["version"], visit.href(model.name, record["id"]), str(record.get(model.title) or visit.t("untitled")),
        cells.get("money", EMPTY).text, cells.get("user", EMPTY).text, cells.get("score", EMPTY), cells.get("lookup", EMPTY).text,
        dwell, late, pips,
    )  # fmt: skip


def _choices(visit: AppVisit, seen: Look, able: Sequence[str], layout: Layout) -> list[Option]:
    """By what the columns may be made."""
    return [Option(name, seen.model.labels[name][visit.language], name == layout.by) for name in able]


def _processes(visit: AppVisit, seen: Look, layout: Layout) -> list[Option]:
    """The processes to choose from, where there are several."""
    found = [
        Option(name, process.label[visit.language], name == layout.process)
        for name, process in visit.app.processes.items()
        if process.entity == seen.model.name
    ]
    return found if layout.process and len(found) > 1 else []


# -- putting a card into another column ------------------------------------------------------------------------------------


def get_put(visit: AppVisit) -> Response:
    """What it takes to put a record into a column: a part of a page, for a dialog."""
    return _asked(visit, dict(visit.query))


def post_put(visit: AppVisit) -> Response:
    """Put a record into a column: 204 when it is there, else the part of a page that says what is missing, with a 4xx."""
    asked = {name: visit.field(name) for name in ("by", "to", "after")}
    model, version = visit.model(), visit.number("~version")
    by, to = asked["by"], asked["to"]
    try:
        if by == "stage":
            name = _way(visit, model, to)
            if name is None:
                return _asked(visit, asked, 409)
            visit.site.runtime.execute(
                visit.app, visit.principal, Transition(model.name, visit.id, name=name, version=version)
            )
        else:
            visit.site.runtime.execute(
                visit.app, visit.principal, Update(model.name, visit.id, {by: _placed(visit, model, by, to)}, version)
            )
    except Refused as error:
        if error.status == 404:
            raise
        return _asked(visit, asked, error.status, error.problems)
    return Response(status_code=204)


def _placed(visit: AppVisit, model: EntityApp, by: str, to: str) -> str | None:
    """The value that puts a record there. An instant that goes to another day keeps its time of day."""
    field = visit.lens.fields(model.name).get(by)
    if field is None or field.type != "datetime" or not to:
        return to or None
    with visit.read() as r:
        record = visit.lens.get(r, model.name, visit.id, (by,))
    now = record[by] if record else None
    zone = ZoneInfo(visit.app.definition.calendar.timezone)
    clock = datetime.fromisoformat(now).astimezone(zone).time() if now else time(9)
    try:
        return datetime.combine(date.fromisoformat(to), clock, zone).isoformat()
    except ValueError:
        return to  # which the field refuses in its own words


def _way(visit: AppVisit, model: EntityApp, to: str) -> str | None:
    """The transition into a stage: one that is open to the reader before others; None if there is none at all."""
    with visit.read() as r:
        found = [way for way in ways_of(visit, r, model, visit.id) if way.transition.to == to]
    first = next((way for way in found if way.open), found[0] if found else None)
    return first.transition.name if first else None


def _asked(visit: AppVisit, asked: Mapping[str, str], status: int = 200, problems: Sequence[Problem] = ()) -> Response:
    model, by, to = visit.model(), asked.get("by", ""), asked.get("to", "")
    after = f"{asked.get('after') or visit.href(model.name, 'board')}"
    back = f"{after}{'&' if '?' in after else '?'}open={quote(f'{visit.id}.{to}', safe='')}"
    name = _way(visit, model, to) if by == "stage" else None
    if name is not None:
        return visit.draw("put.html", status, **move_values(visit, name, problems, back), after=after)
    with visit.read() as r:
        record = visit.lens.get(r, model.name, visit.id)
        if record is None:
            raise Refused(Problem("not-found", model.name), 404)
        ways = ways_of(visit, r, model, visit.id) if by == "stage" else []
    process = visit.app.processes.get(record.get("pipeline") or "")
    stages = process.stages if process else {}
    open_ways = [label_of(visit, way) for way in ways if way.refusal is None]
    return visit.draw(
        "put.html", status, title=str(record.get(model.title) or visit.t("untitled")), href=visit.href(model.name, str(visit.id)),
        label="", gate=None, source=stages[record["stage"]].label[visit.language] if by == "stage" and stages else "",
        target=stages[to].label[visit.language] if to in stages else "", ways=open_ways, problems=said(problems, visit.language), action="", after=after,
    )  # fmt: skip
