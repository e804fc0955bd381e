"""The calendar of an entity: a month with its records on the days that one of their dates names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.responses import Response

from engine.app import EntityApp
from engine.columns import day, days
from engine.fields import Field
from engine.fields.choice import Choosing
from engine.problems import Problem, Refused
from engine.reading import Page
from engine.reading.query import MOST_ROWS
from engine.web.pages.cells import COLORS, Titles
from engine.web.pages.filters import Option, quoted
from engine.web.pages.frame import WEEKDAYS
from engine.web.pages.lists import one_more
from engine.web.pages.looks import Look, around, dated, look
from engine.web.pages.visit import AppVisit

WEEK = 7
SHOWN = 4  # records of one day; the others are behind a fold
FIRST, LAST = 1900, 2200
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Entry:
    label: str
    href: str
    color: str = ""
    time: str = ""
    id: str = ""
    version: int = 0


@dataclass(frozen=True)
class Day:
    """`outside` belongs to another month; `off` is no working day; `new` leads to a form with the day filled in."""

    number: int
    iso: str
    label: str
    entries: tuple[Entry, ...]
    more: tuple[Entry, ...]
    outside: bool
    today: bool
    off: bool
    new: str


def get_calendar(visit: AppVisit) -> Response:
    if (answer := one_more(visit)) is not None:
        return answer
    lens, t = visit.lens, visit.t
    with visit.read() as r:
        seen = look(visit, Titles(lens, r), "calendar")
        able = dated(lens, seen.model)
        if not able:
            raise Refused(Problem("not-found", seen.model.name), 404)
        on = seen.state.get("on") if seen.state.get("on") in able else able[0]
        today = day(visit.app.calendar.local_day(visit.site.clock.now()))
        month = _month(seen.state.get("month")) or today.replace(day=1)
        first = month - timedelta(days=month.weekday())
        last = first + timedelta(days=WEEK * 6 - 1)
        if (last - timedelta(days=WEEK - 1)).month != month.month:
            last -= timedelta(days=WEEK)
        color = _colored(visit, seen.model)
        try:
            page = _records(visit, r, seen, on, color, first, last)
            problems: tuple[Problem, ...] = ()
        except Refused as error:
            if error.status != 400:
                raise
            page, problems = Page([], None), tuple(error.problems)
    by_day = _by_day(visit, seen.model, on, color, page)
    before, after = (month - timedelta(days=1)).replace(day=1), (month + timedelta(days=32)).replace(day=1)
    grid = [
        _day(visit, seen, on, first + timedelta(days=n), month, today, by_day) for n in range((last - first).days + 1)
    ]
    return visit.draw(
        "calendar.html",
        **around(visit, seen, problems, len(page.rows)),
        kept_on=[(key, value) for key, value in seen.here.parameters if value and key != "on"],
        weeks=[grid[n : n + WEEK] for n in range(0, len(grid), WEEK)],
        weekdays=WEEKDAYS[t.language],
        month=t("month", year=month.year, month=month.month),
        before=seen.here.url(month=f"{before:%Y-%m}"),
        after=seen.here.url(month=f"{after:%Y-%m}"),
        now=seen.here.url(month=None),
        ons=[Option(name, seen.model.labels[name][t.language], name == on) for name in able],
        on=on,
        movable=_movable(visit, seen.model, on),
        empty=not page.rows,
        cut=MOST_ROWS if page.next else 0,
    )


def _movable(visit: AppVisit, model: EntityApp, on: str) -> bool:
    """Whether a record may be put on another day."""
    return not model.fields[on].derived and on in visit.lens.writable(model.name, "update")


def _month(text: str) -> date | None:
    """The first day of `2026-11`; None for anything else."""
    found = _MONTH.fullmatch(text)
    return date(int(found[1]), int(found[2]), 1) if found and FIRST <= int(found[1]) <= LAST else None


def _records(visit: AppVisit, r: Any, seen: Look, on: str, color: str, first: date, last: date) -> Page:
    model = seen.model
    at = f"date({on})" if visit.lens.fields(model.name)[on].type == "datetime" else on
    edges = [f"date({quoted(each.isoformat())})" for each in (first, last)]
    condition = f"{at} >= {edges[0]} and {at} <= {edges[1]}"
    fields = tuple(dict.fromkeys(name for name in (model.title, on, color) if name in visit.lens.fields(model.name)))
    return visit.lens.page(r, model.name, seen.query(also=condition, sort=(on,), fields=fields, limit=MOST_ROWS))


def _colored(visit: AppVisit, model: EntityApp) -> str:
    """The field whose option colours an entry: the first choice that has colours."""
    for name, field in visit.lens.fields(model.name).items():
        if field.type == "choice" and isinstance(field, Choosing) and any(o.color for o in field.options.values()):
            return name
    return ""


def _by_day(visit: AppVisit, model: EntityApp, on: str, color: str, page: Page) -> Mapping[str, list[Entry]]:
    zone = ZoneInfo(visit.app.definition.calendar.timezone)
    field = model.fields[on]
    found: dict[str, list[Entry]] = {}
    for record in page.rows:
        at, time = _when(field, record[on], zone)
        found.setdefault(at, []).append(
            Entry(
                str(record.get(model.title) or visit.t("untitled")),
                visit.href(model.name, record["id"]),
                _color(model, color, record.get(color)) if color else "",
                time,
                record["id"],
                record["version"],
            )
        )
    return found


def _color(model: EntityApp, name: str, key: Any) -> str:
    field = model.fields[name]
    option = field.options.get(str(key)) if isinstance(field, Choosing) else None
    return COLORS.get(option.color or "neutral", "") if option else ""


def _when(field: Field, value: str, zone: ZoneInfo) -> tuple[str, str]:
    """The day and, of an instant, the time of day."""
    if field.type != "datetime":
        return value, ""
    local = datetime.fromisoformat(value).astimezone(zone)
    return local.date().isoformat(), f"{local:%H:%M}"


def _day(
    visit: AppVisit, seen: Look, on: str, at: date, month: date, today: date, by_day: Mapping[str, list[Entry]]
) -> Day:
    entries = by_day.get(at.isoformat(), [])
    model, may = seen.model, visit.lens.may(seen.model.name, "create")
    fills = may and model.fields[on].type == "date" and on in visit.lens.writable(model.name, "create")
    return Day(
        at.day,
        at.isoformat(),
        visit.t("day", month=at.month, day=at.day, weekday=WEEKDAYS[visit.language][at.weekday()]),
        tuple(entries[:SHOWN]),
        tuple(entries[SHOWN:]),
        at.month != month.month,
        at == today,
        not visit.app.calendar.is_workday(days(at)),
        f"{visit.href(model.name, 'new')}?{on}={at.isoformat()}" if fills else "",
    )
