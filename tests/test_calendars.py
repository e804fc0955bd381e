"""Working time, held against an oracle that looks at the clock on the wall minute by minute."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest
from hypothesis import given, settings, strategies as st

from engine.calendars import WorkingCalendar
from engine.clock import instant
from engine.shape import Shape, Span, SpanValue

EPOCH = date(1970, 1, 1).toordinal()
CN = WorkingCalendar.of()
CALENDARS = {
    "China": CN,
    "with a break": WorkingCalendar.of(hours="08:30-12:00, 13:30-17:30"),
    "New York at night": WorkingCalendar.of(
        "week", "00:00-06:00,22:00-24:00", "America/New_York", ["2026-03-06"], ["2026-03-08", "2026-11-01"]
    ),
    "São Paulo": WorkingCalendar.of(
        "week", "00:00-12:00", "America/Sao_Paulo", (), ["2018-11-04", "2018-02-17", "2018-02-18"]
    ),
    "Samoa": WorkingCalendar.of("week", "09:00-17:00", "Pacific/Apia"),
    "Lord Howe": WorkingCalendar.of(
        "week", "01:15-02:45,08:00-16:00", "Australia/Lord_Howe", (), ["2026-04-05", "2026-10-04"]
    ),
    "own days": WorkingCalendar.of(
        holidays=["2026-03-02", "2026-02-28"], workday_exceptions=["2026-03-07", "2026-02-17"]
    ),
}
MOMENTS = {
    "China": ("2026-02-10", "2026-03-05"),
    "with a break": ("2026-09-25", "2026-10-14"),
    "New York at night": ("2026-03-04", "2026-03-12"),
    "São Paulo": ("2018-11-01", "2018-11-08"),
    "Samoa": ("2011-12-28", "2012-01-03"),
    "Lord Howe": ("2026-04-02", "2026-04-08"),
    "own days": ("2026-02-12", "2026-03-10"),
}


class Told(Shape):
    span: Span


def span(text: str) -> SpanValue:
    return Told.model_validate({"span": text}).span


def number(day: str | date) -> int:
    return (date.fromisoformat(day) if isinstance(day, str) else day).toordinal() - EPOCH


def at(text: str, zone: str = "Asia/Shanghai") -> int:
    return instant(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


def is_working(calendar: WorkingCalendar, minute: int) -> bool:
    """What the clock on the wall says at a minute of the epoch."""
    local = datetime.fromtimestamp(minute * 60, UTC).astimezone(ZoneInfo(calendar.timezone))
    shown = local.hour * 60 + local.minute
    return calendar.is_workday(number(local.date())) and any(a <= shown < b for a, b in calendar.hours)


@pytest.fixture(scope="module")
def minutes() -> dict[str, tuple[int, list[int]]]:
    """For each calendar: the first minute of its stretch, and how many working minutes lie before each of the following."""
    found = {}
    for name, calendar in CALENDARS.items():
        first, last = (at(day, calendar.timezone) // 60_000_000 for day in MOMENTS[name])
        counted = [0]
        for minute in range(first, last):
            counted.append(counted[-1] + is_working(calendar, minute))
        found[name] = first, counted
    return found


@pytest.mark.parametrize("name", CALENDARS)
@settings(max_examples=300)
@given(data=st.data())
def test_working_time_is_what_the_wall_clock_shows(
    name: str, minutes: dict[str, tuple[int, list[int]]], data: st.DataObject
) -> None:
    first, counted = minutes[name]
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(counted) - 1)] * 2)))
    spent = CALENDARS[name].working((first + start) * 60_000_000, (first + end) * 60_000_000)
    assert spent == (counted[end] - counted[start]) * 60_000_000
    assert CALENDARS[name].working((first + end) * 60_000_000, (first + start) * 60_000_000) == -spent


@pytest.mark.parametrize("name", CALENDARS)
@settings(max_examples=150)
@given(data=st.data())
def test_working_hours_end_at_the_first_instant_that_leaves_room_for_them(
    name: str, minutes: dict[str, tuple[int, list[int]]], data: st.DataObject
) -> None:
    first, counted = minutes[name]
    start = data.draw(st.integers(0, len(counted) - 1))
    hours = data.draw(st.integers(1, 60))
    due = CALENDARS[name].add((first + start) * 60_000_000, span(f"{hours} workhours"))
    wanted = counted[start] + hours * 60
    if wanted <= counted[-1]:
        assert due // 60_000_000 - first == next(
            minute for minute in range(start, len(counted)) if counted[minute] == wanted
        )
    assert CALENDARS[name].working((first + start) * 60_000_000, due) == hours * 3_600_000_000


@pytest.mark.parametrize("name", CALENDARS)
@settings(max_examples=150)
@given(data=st.data())
def test_working_hours_back_begin_at_the_last_instant_that_leaves_room_for_them(
    name: str, minutes: dict[str, tuple[int, list[int]]], data: st.DataObject
) -> None:
    first, counted = minutes[name]
    start = data.draw(st.integers(0, len(counted) - 1))
    hours = data.draw(st.integers(1, 60))
    since = CALENDARS[name].add_working((first + start) * 60_000_000, -hours * 3_600_000_000)
    wanted = counted[start] - hours * 60
    if wanted >= 0:
        last = next(minute for minute in reversed(range(start)) if counted[minute] == wanted)
        assert since // 60_000_000 - first == last
    assert CALENDARS[name].working(since, (first + start) * 60_000_000) == hours * 3_600_000_000


@given(
    st.sampled_from(list(CALENDARS)), st.integers(number("2010-01-01"), number("2028-12-31")), st.integers(1, 20_000)
)
def test_far_deadlines_count_the_same_hours(name: str, day: int, hours: int) -> None:
    calendar = CALENDARS[name]
    start = day * 86_400_000_000 + 3_723_000_007
    due = calendar.add(start, span(f"{hours} workhours"))
    assert calendar.working(start, due) == hours * 3_600_000_000
    assert calendar.working(start, due - 1) == hours * 3_600_000_000 - 1
    since = calendar.add_working(start, -hours * 3_600_000_000)
    assert calendar.working(since, start) == hours * 3_600_000_000
    assert calendar.working(since + 1, start) == hours * 3_600_000_000 - 1


def test_three_working_days_reach_over_the_spring_festival_and_its_make_up_saturday() -> None:
    due = CN.add(at("2026-02-13T16:00"), span("3 workdays"))
    assert due == at("2026-02-25T16:00")
    assert CN.add(due, span("2 h")) == at("2026-02-25T18:00")
    assert CN.add(due, span("24 h")) == at("2026-02-26T16:00")


@pytest.mark.parametrize("name", CALENDARS)
def test_stretches_are_the_working_time_of_the_years_that_a_database_knows(name: str) -> None:
    calendar = CALENDARS[name]
    (opening, first, *others), edge = list(calendar.stretches())[:-1], list(calendar.stretches())[-1]
    assert opening[0] == opening[1] < first[0]
    assert edge[0] == edge[1] > others[-1][1]
    worked = 0
    for since, until, before in (first, *others):
        assert since < until
        assert before == worked
        worked += until - since
    assert edge[2] == worked == calendar.working(first[0], others[-1][1])


@pytest.mark.parametrize(
    ("start", "text", "due"),
    [
        ("2026-03-06T16:00", "1 workday", "2026-03-09T16:00"),
        ("2026-03-07T16:00", "1 workday", "2026-03-09T16:00"),  # from a Saturday: Monday is the first
        ("2026-03-07T16:00", "0 workdays", "2026-03-07T16:00"),
        ("2026-02-15T10:00", "3 workdays", "2026-02-26T10:00"),  # from the first day of the Spring Festival
        ("2026-03-06T16:00", "0 workdays", "2026-03-06T16:00"),
        ("2026-03-06T16:00", "4 workhours", "2026-03-09T11:00"),
        ("2026-03-06T16:00", "2 workhours", "2026-03-06T18:00"),
        ("2026-03-06T20:00", "1 workhour", "2026-03-09T10:00"),
        ("2026-03-06T16:00", "2 weeks", "2026-03-20T16:00"),
    ],
)
def test_spans_end_when_people_expect_it(start: str, text: str, due: str) -> None:
    assert CN.add(at(start), span(text)) == at(due)


def test_working_days_keep_the_hour_on_the_wall_over_summer_time() -> None:
    zone = "America/New_York"
    calendar = WorkingCalendar.of("week", timezone=zone)
    assert calendar.add(at("2026-03-06T16:00", zone), span("1 workday")) == at("2026-03-09T16:00", zone)
    assert at("2026-03-09T16:00", zone) - at("2026-03-06T16:00", zone) == 71 * 3_600_000_000


def test_a_time_that_summer_time_skips_is_the_end_of_the_jump() -> None:
    calendar = CALENDARS["New York at night"]
    assert calendar.at(number("2026-03-08"), 150) == at("2026-03-08T03:00", "America/New_York")
    assert CALENDARS["São Paulo"].at(number("2018-11-04"), 0) == at("2018-11-04T01:00", "America/Sao_Paulo")


def test_every_day_since_2004_is_what_the_state_council_announced() -> None:
    last = CN.announced_until
    assert last is not None
    for day in range(number("2004-01-01"), last + 1):
        assert CN.is_workday(day) == chinese_calendar.is_workday(date.fromordinal(day + EPOCH))


def test_unannounced_years_have_plain_weeks() -> None:
    assert CN.announced_until is not None
    monday = number("2049-10-04")
    assert [CN.is_workday(monday + n) for n in range(7)] == [True] * 5 + [False] * 2
    assert CALENDARS["New York at night"].announced_until is None


@pytest.mark.parametrize("name", CALENDARS)
def test_working_days_are_numbered_in_one_row_without_gaps(name: str) -> None:
    calendar = CALENDARS[name]
    expected = calendar.index(number("1999-01-01"))
    for day in range(number("1999-01-01"), number("2053-01-01")):
        assert calendar.index(day) == expected
        if calendar.is_workday(day):
            assert calendar.nth(expected) == day
            expected += 1
    assert list(calendar.rows(number("2026-02-10"), number("2026-02-12"))) == [
        (day, calendar.index(day), calendar.is_workday(day))
        for day in range(number("2026-02-10"), number("2026-02-13"))
    ]


def test_the_table_of_days_reaches_from_2000_to_2050() -> None:
    rows = list(CN.rows())
    assert rows[0][0] == number("2000-01-01")
    assert rows[-1][0] == number("2050-12-31")
    assert len(rows) == (date(2051, 1, 1) - date(2000, 1, 1)).days


def test_calendars_share_a_name_exactly_if_they_share_their_working_time() -> None:
    assert len({CN.name, *(CALENDARS[name].name for name in ("with a break", "own days", "Samoa"))}) == 4
    assert WorkingCalendar.of(timezone="Asia/Tokyo").name != CN.name
    assert WorkingCalendar.of(holidays=["2026-03-07"]).name == CN.name  # a Saturday is free anyway


@pytest.mark.parametrize(
    "settings",
    [
        {"hours": "18:00-09:00"}, {"hours": "09:00-12:00,11:00-18:00"}, {"hours": "09:00-25:00"}, {"hours": "09:60-10:00"}, {"hours": ""},
        {"timezone": "Asia/Nowhere"}, {"timezone": "../etc/passwd"}, {"holidays": ["2026-02-30"]}, {"workday_exceptions": ["tomorrow"]},
    ],
)  # fmt: skip
def test_senseless_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        WorkingCalendar.of(**settings)


def test_own_working_days_win_over_own_holidays_and_both_over_the_announced_ones() -> None:
    calendar = CALENDARS["own days"]
    assert not calendar.is_workday(number("2026-02-28"))  # announced as a make-up Saturday
    assert calendar.is_workday(number("2026-02-17"))  # announced as a holiday
    both = WorkingCalendar.of("week", holidays=["2026-03-02"], workday_exceptions=["2026-03-02"])
    assert both.is_workday(number("2026-03-02"))


def test_days_begin_at_local_midnight() -> None:
    assert CN.local_day(at("2026-03-01T00:00")) == number("2026-03-01")
    assert CN.local_day(at("2026-03-01T00:00") - 1) == number("2026-02-28")
    assert timedelta(microseconds=at("2026-03-01T00:00") - CN.at(number("2026-03-01"), 0)) == timedelta(0)
