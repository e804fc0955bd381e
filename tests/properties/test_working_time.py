"""Working days and hours in expressions mean what the clock on the wall shows, minute by minute, in every reading."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings, strategies as st

from engine.calendars import WorkingCalendar
from engine.expressions import Context, check, reference
from engine.expressions.browser import working_days, working_time
from tests.expressions.databases import Database, keep
from tests.expressions.schema import SCHEMA, Stored
from tests.properties.test_expressions import browser_reading

MINUTE = 60_000_000
HOUR = 60 * MINUTE
EPOCH = date(1970, 1, 1)
# Each with stretches of days in which something happens: holidays, make-up Saturdays, clocks that change.
CALENDARS = {
    "China": (WorkingCalendar.of(hours="08:30-12:00,13:30-18:00"), "2026-02-09", "2026-03-04"),
    "New York at night": (WorkingCalendar.of("week", "00:00-06:00,22:00-24:00", "America/New_York", workday_exceptions=["2026-03-08"]), "2026-03-03", "2026-03-14"),
    "Lord Howe": (WorkingCalendar.of("week", "01:15-02:45,08:00-16:00", "Australia/Lord_Howe", workday_exceptions=["2026-04-05"]), "2026-03-31", "2026-04-10"),
}  # fmt: skip
fixture = browser_reading  # of the neighbouring module


class Wall:
    """What the clocks on the wall show: the local minutes of a stretch of days, found by looking at each."""

    def __init__(self, calendar: WorkingCalendar, first: str, last: str) -> None:
        self.calendar = calendar
        self.zone = ZoneInfo(calendar.timezone)
        days = [date.fromisoformat(each) for each in (first, last)]
        edges = [datetime.combine(day, time(), self.zone).timestamp() for day in days]
        self.first, self.last = (int(edge) // 60 for edge in edges)
        works = [self.works(minute) for minute in range(self.first, self.last)]
        self.counted = list(accumulate(works, initial=0))

    def works(self, minute: int) -> bool:
        local = self.local(minute)
        shown = local.hour * 60 + local.minute
        return self.is_workday(local.date()) and any(a <= shown < b for a, b in self.calendar.hours)

    def local(self, minute: int) -> datetime:
        return datetime.fromtimestamp(minute * 60, UTC).astimezone(self.zone)

    def is_workday(self, day: date) -> bool:
        return self.calendar.is_workday((day - EPOCH).days)

    def worked(self, start: int, end: int) -> int:
        """Minutes of working time between two minutes."""
        return self.counted[end - self.first] - self.counted[start - self.first]

    def after(self, start: int, hours: int) -> int | None:
        """The first minute by which so many hours have been worked, or the last one from which they will be; None beyond."""
        step, left, now = (1 if hours > 0 else -1), abs(hours) * 60, start
        while left:
            if not self.first < now < self.last:
                return None
            left -= self.works(now if step > 0 else now - 1)
            now += step
        return now

    def days_after(self, start: int, count: int) -> int | None:
        """The minute of the count-th working day, counted day by day, that shows the same time; None if clocks skip it or show it twice."""
        day, left = self.local(start).date(), abs(count)
        while left:
            day += timedelta(days=1 if count > 0 else -1)
            left -= self.is_workday(day)
        shown = self.local(start).replace(tzinfo=None).time()
        fitting = [
            minute
            for minute in range(self.first, self.last)
            if (there := self.local(minute)).date() == day and there.replace(tzinfo=None).time() == shown
        ]
        return fitting[0] if len(fitting) == 1 else None


@pytest.fixture(scope="module")
def walls(databases: list[Database]) -> dict[str, Wall]:
    for database in databases:
        for calendar, *_ in CALENDARS.values():
            keep(database, calendar)
    return {name: Wall(*each) for name, each in CALENDARS.items()}


@pytest.fixture(scope="module")
def everywhere(databases: list[Database], browser_reading: Callable[[Any], Any]) -> Callable[[str, WorkingCalendar, int], set[Any]]:  # fmt: skip
    """All answers to an expression at an instant: one, if the readings agree."""

    def ask(text: str, calendar: WorkingCalendar, now: int) -> set[Any]:
        expression, faults = check(text, "order", SCHEMA)
        assert expression is not None, faults
        context = Context(now, calendar, {})
        found = {expression.evaluate({}, context), reference.evaluate(expression.tree, {}, context)}
        found |= {
            database.value(expression.to_sql(Stored(), sa.table("t_order")), None, context) for database in databases
        }
        day = calendar.local_day(now)
        known = {**working_days(calendar, day - 90, day + 90), "worktime": working_time(calendar, day - 90, day + 90)}
        said = browser_reading({
            "expression": expression.to_json(), "rows": [{}],
            "context": {"now": str(now), "timezone": calendar.timezone, "variables": {}, "calendar": known},
        })  # fmt: skip
        return found | {None if said[0] is None else int(said[0])}

    return ask


@pytest.mark.parametrize("name", CALENDARS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_hours_and_days_are_counted_as_the_wall_clock_shows_them(
    name: str, walls: dict[str, Wall], everywhere: Callable[[str, WorkingCalendar, int], set[Any]], data: st.DataObject
) -> None:
    wall = walls[name]
    start, end = (data.draw(st.integers(wall.first, wall.last)) for _ in "12")
    hours = data.draw(st.integers(-40, 40))
    at = datetime.fromtimestamp(end * 60, UTC).isoformat()
    span = f"(now() + {(end - start)} min)"
    worked = everywhere(f"workhours_between(now(), {span})", wall.calendar, start * MINUTE)
    assert worked == {round(wall.worked(start, end) * 100 / 60 + (1e-9 if end > start else -1e-9))}, at
    sign = "+" if hours >= 0 else "-"
    due = wall.after(start, hours)
    if due is not None:
        found = everywhere(f"now() {sign} {abs(hours)} workhours", wall.calendar, start * MINUTE)
        assert found == {due * MINUTE}, f"{hours} from {datetime.fromtimestamp(start * 60, UTC)}"


@pytest.mark.parametrize("name", CALENDARS)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_working_days_keep_the_time_of_day_and_begin_on_the_next_one(
    name: str, walls: dict[str, Wall], everywhere: Callable[[str, WorkingCalendar, int], set[Any]], data: st.DataObject
) -> None:
    wall = walls[name]
    start = data.draw(st.integers(wall.first, wall.last - 1))
    count = data.draw(st.integers(-4, 4).filter(bool))
    due = wall.days_after(start, count)
    found = everywhere(f"now() {'+' if count > 0 else '-'} {abs(count)} workdays", wall.calendar, start * MINUTE)
    assert len(found) == 1
    if due is not None:
        assert found == {due * MINUTE}


@pytest.mark.parametrize(
    ("start", "span", "due"),
    [
        ("2026-02-13T16:00", "3 workdays", "2026-02-25T16:00"),  # over the Spring Festival, with its make-up Saturday
        ("2026-02-13T16:00", "27 workhours", "2026-02-25T16:00"),  # the same: nine hours a day
        ("2026-03-07T16:00", "1 workdays", "2026-03-09T16:00"),  # from a Saturday, Monday is the first
        ("2026-03-07T16:00", "1 workhours", "2026-03-09T10:00"),
        ("2026-03-06T17:30", "0.5 workhours", "2026-03-06T18:00"),
    ],
)
def test_deadlines_in_expressions_are_those_of_the_calendar(
    start: str,
    span: str,
    due: str,
    databases: list[Database],
    everywhere: Callable[[str, WorkingCalendar, int], set[Any]],
) -> None:
    calendar = WorkingCalendar.of(timezone="Asia/Shanghai", holidays=["2020-01-02"])
    for database in databases:
        if not database.run(sa.text(f"SELECT 1 FROM dg_calendar_day WHERE calendar = '{calendar.name}' LIMIT 1")):
            keep(database, calendar)
    at, then = (
        int(datetime.fromisoformat(each).replace(tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()) * 1_000_000
        for each in (start, due)
    )
    assert everywhere(f"now() + {span}", calendar, at) == {then}
