"""Days, instants, durations and working days. An instant counts on its local day, in the app's time zone."""

from functools import partial

from engine.expressions import make
from engine.expressions.functions import CALENDAR, NOW, TIMEZONE, TODAY, function as _function
from engine.expressions.make import Clash
from engine.expressions.primitives import DAY, make_date
from engine.expressions.tree import Const, Node
from engine.expressions.types import BOOLEAN, DATE, DATETIME, DURATION, NUMBER, Type

function = partial(_function, category="dates")
_HOUR = DAY // 24


def day_of(instant: Node) -> Node:
    """The local day of an instant."""
    return make.call("day_of", (instant, TIMEZONE), DATE)


def written_day(text: str | None) -> Const | None:
    """The day that `2026-03-01` says; None if it says none."""
    parts = (text or "").split("-")
    if len(parts) != 3 or not all(part.isdecimal() and part.isascii() for part in parts) or len(text or "") > 10:
        return None
    day = make_date(*map(int, parts))
    return None if day is None else Const(DATE.required(), day)


@function(
    "today 今天", "", "今天(应用所在时区)。", "Today, in the app's time zone.", ("today() == date(now())", "true")
)
def today() -> Node:
    return TODAY


@function("now 现在", "", "现在的时刻。", "The present instant.", ("now() + 2 h > now()", "true"))
def now() -> Node:
    return NOW


@function("date 日期", "value month:count? day:count?", "日期:date('2026-03-01')、date(2026, 3, 1),或某时刻所在的那天。", "A date: date('2026-03-01'), date(2026, 3, 1), or the day of an instant.",
          ("date(2026, 2, 29)", "null"), ("date('2026-03-01') + 1 d", '"2026-03-02"'))  # fmt: skip
def date(value: Node, month: Node | None = None, day: Node | None = None) -> Node:
    if month is not None:
        return make.call("make_date", (make.whole(value, 10_000), month, day or Const(NUMBER.required(), 1)), DATE)
    if isinstance(value, Const) and isinstance(value.value, str):
        found = written_day(value.value)
        if found is None:
            raise Clash("type-mismatch", {"found": "text", "expected": "date"}, 0)
        return found
    if value.type.kind == "datetime":
        return day_of(value)
    if value.type.kind in ("date", "null"):
        return value if value.type.kind == "date" else make.null(DATE)
    raise make.mismatch(value.type, "date", 0)


def _part(names: str, operation: str, zh: str, en: str, *examples: tuple[str, str]) -> None:
    def build(day: Node) -> Node:
        return make.call(operation, (day,), NUMBER)

    function(names, "date", zh, en, *examples)(build)


_part("year 年", "year", "年份。", "The year.", ("year(date('2026-03-01'))", "2026"))
_part("quarter 季度", "quarter", "季度,1 到 4。", "The quarter, 1 to 4.", ("quarter(date('2026-05-01'))", "2"))
_part("month 月", "month", "月份,1 到 12。", "The month, 1 to 12.", ("month(date('2026-03-01'))", "3"))
_part("day 日", "day_of_month", "日,1 到 31。", "The day of the month.", ("day(date('2026-03-09'))", "9"))
_part(
    "weekday 星期",
    "weekday",
    "星期几,周一为 1,周日为 7。",
    "The day of the week: 1 for Monday, 7 for Sunday.",
    ("weekday(date('2026-03-01'))", "7"),
)


@function(
    "hour 小时数",
    "instant:datetime",
    "时刻的小时,0 到 23。",
    "The hour of an instant, 0 to 23.",
    ("hour(now()) < 24", "true"),
)
def hour(instant: Node) -> Node:
    return make.call("hour_of", (instant, TIMEZONE), NUMBER)


def _edge(names: str, operation: str, unit: str, length: str, zh: str, en: str, *examples: tuple[str, str]) -> None:
    def build(day: Node) -> Node:
        edge = make.call(operation, (day,), DATE, unit, length)
        return make.call("within", (edge,), DATE) if unit == "week" else edge

    function(names, "date", zh, en, *examples)(build)


_edge(
    "start_of_week 周初",
    "start_of",
    "week",
    "7 days",
    "所在周的周一。",
    "The Monday of its week.",
    ("start_of_week(date('2026-03-01'))", '"2026-02-23"'),
)
_edge(
    "end_of_week 周末",
    "end_of",
    "week",
    "7 days",
    "所在周的周日。",
    "The Sunday of its week.",
    ("end_of_week(date('2026-02-25'))", '"2026-03-01"'),
)
_edge(
    "start_of_month 月初",
    "start_of",
    "month",
    "1 month",
    "所在月的第一天。",
    "The first day of its month.",
    ("start_of_month(date('2026-03-09'))", '"2026-03-01"'),
)
_edge(
    "end_of_month 月末",
    "end_of",
    "month",
    "1 month",
    "所在月的最后一天。",
    "The last day of its month.",
    ("end_of_month(date('2028-02-09'))", '"2028-02-29"'),
)
_edge(
    "start_of_quarter 季初",
    "start_of",
    "quarter",
    "3 months",
    "所在季度的第一天。",
    "The first day of its quarter.",
    ("start_of_quarter(date('2026-03-09'))", '"2026-01-01"'),
)
_edge(
    "end_of_quarter 季末",
    "end_of",
    "quarter",
    "3 months",
    "所在季度的最后一天。",
    "The last day of its quarter.",
    ("end_of_quarter(date('2026-02-09'))", '"2026-03-31"'),
)
_edge(
    "start_of_year 年初",
    "start_of",
    "year",
    "1 year",
    "所在年的第一天。",
    "The first day of its year.",
    ("start_of_year(date('2026-03-09'))", '"2026-01-01"'),
)
_edge(
    "end_of_year 年末",
    "end_of",
    "year",
    "1 year",
    "所在年的最后一天。",
    "The last day of its year.",
    ("end_of_year(date('2026-03-09'))", '"2026-12-31"'),
)


@function("add_months edate 加月", "date months", "若干月之后(负数为之前)的同一天;没有那天则取月末。", "The same day so many months later (or earlier); the month's last day if it has no such day.",
          ("add_months(date('2026-01-31'), 1)", '"2026-02-28"'), ("EDATE(date('2026-03-31'), -1)", '"2026-02-28"'))  # fmt: skip
def add_months(day: Node, months: Node) -> Node:
    return make.call("add_months", (day, months), DATE)


@function(
    "days_between 天数",
    "start:date end:date",
    "从前一日到后一日的天数。",
    "Days from the first to the second.",
    ("days_between(date('2026-03-01'), date('2026-03-11'))", "10"),
)
def days_between(start: Node, end: Node) -> Node:
    return make.call("sub", (end, start), NUMBER)


@function(
    "hours_between 小时间隔",
    "start:datetime end:datetime",
    "两时刻相差的小时数,两位小数。",
    "Hours from the first instant to the second, two decimals.",
    ("hours_between(now(), now() + 90 min)", "1.5"),
)
def hours_between(start: Node, end: Node) -> Node:
    return _in_units(make.between(start, end), _HOUR)


def _in_units(duration: Node, unit: int) -> Node:
    if duration.type.unit is not None:  # how long a working day is, the calendar decides
        raise Clash("unit-mismatch", {"one": duration.type.unit, "other": "h"}, 0)
    return make.call("div", (duration, Const(NUMBER.required(), unit)), Type("number", scale=2), 100)


@function(
    "hours 小时",
    "duration",
    "时长的小时数,两位小数。",
    "A duration in hours, two decimals.",
    ("hours(90 min)", "1.5"),
)
def hours(duration: Node) -> Node:
    return _in_units(duration, _HOUR)


@function("days 天", "duration", "时长的天数,两位小数。", "A duration in days, two decimals.", ("days(36 h)", "1.5"))
def days(duration: Node) -> Node:
    return _in_units(duration, DAY)


@function(
    "minutes 分钟",
    "duration",
    "时长的分钟数,两位小数。",
    "A duration in minutes, two decimals.",
    ("minutes(1.5 h)", "90"),
)
def minutes(duration: Node) -> Node:
    return _in_units(duration, _HOUR // 60)


@function(
    "workdays_between networkdays 工作日数",
    "start:date end:date",
    "从前一日(含)到后一日(不含)的工作日数。",
    "Working days from the first day to before the second.",
    ("workdays_between(date('2026-03-02'), date('2026-03-09'))", "5"),
)
def workdays_between(start: Node, end: Node) -> Node:
    return make.call("workdays_between", (start, end, CALENDAR), NUMBER)


@function(
    "add_workdays workday 加工作日",
    "start:value count",
    "若干个工作日之后(负数为之前),钟点不变,起算日不计;也可写 x + 3 workdays。",
    "So many working days after the day (or before it), at the same time of day; also written x + 3 workdays.",
    ("add_workdays(date('2026-03-06'), 1)", '"2026-03-09"'),
    ("date('2026-03-06') + 3 workdays", '"2026-03-11"'),
)
def add_workdays(start: Node, count: Node) -> Node:
    if start.type.kind == "datetime":
        # An instant keeps what the clock on the wall shows and goes where its day goes.
        moved = make.call("add_workdays", (day_of(start), count, CALENDAR), DATE)
        there = make.call("same_time", (moved, start, TIMEZONE), DATETIME)
        return make.call("within_instants", (there,), DATETIME)
    if start.type.kind not in ("date", "null"):
        raise make.mismatch(start.type, "date", 0)
    return make.call("add_workdays", (start, count, CALENDAR), DATE)


def as_count(span: Node) -> Node:
    """A duration of working days as the number that it is."""
    if isinstance(span, Const):
        return Const(NUMBER.required(), span.value)
    return make.whole(make.call("add", (span, Const(NUMBER.required(), 0)), NUMBER), 24_000)


def add_worktime(start: Node, span: Node) -> Node:
    """An instant moved by a duration of working time."""
    if start.type.kind not in ("datetime", "null"):
        raise make.mismatch(start.type, "datetime", 0)
    return make.call("add_worktime", (start, span, CALENDAR), DATETIME)


@function(
    "workhours_between 工作小时数",
    "start:datetime end:datetime",
    "从前一时刻到后一时刻的工作小时数,两位小数。",
    "Working hours from the first instant to the second, two decimals.",
    ("workhours_between(now(), now() + 3 workhours)", "3"),
)
def workhours_between(start: Node, end: Node) -> Node:
    return _in_units(make.call("worktime_between", (start, end, CALENDAR), DURATION), _HOUR)


@function(
    "add_workhours 加工作小时",
    "start:datetime hours:number",
    "若干个工作小时之后(负数为之前);也可写 x + 48 workhours。",
    "So many working hours later (or earlier); also written x + 48 workhours.",
    ("add_workhours(now(), 3) == now() + 3 workhours", "true"),
)
def add_workhours(start: Node, hours: Node) -> Node:
    hour = Const(NUMBER.required(), _HOUR)
    scale = hours.type.scale
    span = (
        make.call("mul_narrow", (hour, hours), DURATION, 10**scale, make.inverse(scale))
        if scale
        else make.call("mul", (hour, hours), DURATION)
    )
    return add_worktime(start, span)


@function(
    "is_workday 是工作日",
    "date",
    "是否工作日(含调休)。",
    "Whether it is a working day, moved ones included.",
    ("is_workday(date('2026-03-07'))", "false"),
)
def is_workday(day: Node) -> Node:
    return make.call("is_workday", (day, CALENDAR), BOOLEAN)
