"""What the basic operations do to stored values, in Python: called by compiled expressions and, registered on each
SQLite connection, from SQL.

Every function is total: what has no answer (a day in the year 10000, a quotient beyond 63 bits) is None, never an
error.  Arguments from SQLite may be floats, which is how an overflow shows there; they count as None.
"""

import json
import re
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

LOWEST, HIGHEST = -(2**63), 2**63 - 1
MAX_LENGTH = 100_000
DAY = 86_400_000_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
FIRST_DAY, LAST_DAY = 1 - _EPOCH_DAY, date.max.toordinal() - _EPOCH_DAY
# One day narrower than the days, so that every instant has a local day in every time zone.
FIRST_INSTANT, LAST_INSTANT = (FIRST_DAY + 1) * DAY, LAST_DAY * DAY - 1
# The days of 2000 to 2050, which the table of working days holds.
FIRST_WORKDAY, LAST_WORKDAY = date(2000, 1, 1).toordinal() - _EPOCH_DAY, date(2050, 12, 31).toordinal() - _EPOCH_DAY
FIRST_WORKTIME, LAST_WORKTIME = FIRST_WORKDAY * DAY, LAST_WORKDAY * DAY  # likewise, as instants
SPACES = " \t\n\r\u3000\u00a0"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"[+-]?[0-9]{1,12}(\.[0-9]{1,6})?")
_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def exact(value: int) -> int | None:
    """The value if a database can hold it."""
    return value if LOWEST <= value <= HIGHEST else None


def narrow(value: int, divisor: int) -> int:
    """Divided by a power of ten, rounded half away from zero."""
    return (value + divisor // 2) // divisor if value >= 0 else -((divisor // 2 - value) // divisor)


def narrow_up(value: int, divisor: int) -> int:
    return -(-value // divisor) if value >= 0 else value // divisor


def narrow_down(value: int, divisor: int) -> int:
    return value // divisor if value >= 0 else -(-value // divisor)


def narrow_floor(value: int, divisor: int) -> int:
    return value // divisor


def multiply(left: int, right: int, divisor: int) -> int | None:
    """The product divided by a power of ten, rounded half away from zero; the product itself may be of any size."""
    return exact(narrow(left * right, divisor))


def divide(left: int, right: int, factor: int) -> int | None:
    """left * factor / right, rounded half away from zero; None for division by zero."""
    if right < 0:
        left, right = -left, -right
    elif right == 0:
        return None
    double = 2 * left * factor
    size = (double + right) // (2 * right) if left >= 0 else -((right - double) // (2 * right))
    return exact(size)


def modulo(left: int, right: int) -> int | None:
    """The remainder, with the sign of the divisor."""
    return left % right if right else None


def power(base: int, exponent: int, divisor: int) -> int | None:
    return exact(narrow(base**exponent, divisor))


def join(left: str | None, right: str | None) -> str | None:
    return ((left or "") + (right or ""))[:MAX_LENGTH] or None


def upper(text: str) -> str:
    return text.translate(_UPPER)


def lower(text: str) -> str:
    return text.translate(_LOWER)


def left(text: str, count: int) -> str | None:
    return text[:count] or None if count > 0 else None


def right(text: str, count: int) -> str | None:
    return text[-count:] or None if count > 0 else None


def middle(text: str, start: int, count: int) -> str | None:
    return text[start - 1 : start - 1 + count] or None if start >= 1 and count >= 1 else None


def number_text(value: int, scale: int) -> str:
    """The decimal number with all digits of its scale."""
    if not scale:
        return str(value)
    digits = str(abs(value)).rjust(scale + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-scale]}.{digits[-scale:]}"


def text_number(text: str) -> int | None:
    """Millionths of the number that the text is; None if it is none."""
    if not _NUMBER.fullmatch(text):
        return None
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(6, "0"))


def as_date(day: int) -> date | None:
    return date.fromordinal(day + _EPOCH_DAY) if FIRST_DAY <= day <= LAST_DAY else None


def date_text(day: int) -> str | None:
    found = as_date(day)
    return found.isoformat() if found else None


@lru_cache(maxsize=32)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _local(instant: int, timezone: str) -> datetime | None:
    if not FIRST_INSTANT <= instant <= LAST_INSTANT:
        return None
    return (_EPOCH + timedelta(microseconds=instant)).astimezone(_zone(timezone))


def day_of(instant: int, timezone: str) -> int | None:
    """The local day of an instant."""
    local = _local(instant, timezone)
    return local.toordinal() - _EPOCH_DAY if local else None


def hour_of(instant: int, timezone: str) -> int | None:
    local = _local(instant, timezone)
    return local.hour if local else None


def instant_text(instant: int, timezone: str) -> str | None:
    """The local minute of an instant, such as 2026-03-02 09:30."""
    local = _local(instant, timezone)
    return f"{local.date().isoformat()} {local.hour:02}:{local.minute:02}" if local else None


def same_time(day: int, instant: int, timezone: str) -> int | None:
    """The instant of `day` at which local clocks show what they show at `instant`.

    An hour shown twice is the later one; a skipped one is as far behind the jump as it is behind its beginning.
    """
    local, wanted = _local(instant, timezone), as_date(day)
    if local is None or wanted is None:
        return None
    shown = local.replace(year=wanted.year, month=wanted.month, day=wanted.day)
    offset = min(each for fold in (0, 1) if (each := shown.replace(fold=fold).utcoffset()) is not None)
    return within_instants((shown.replace(tzinfo=UTC) - offset - _EPOCH) // timedelta(microseconds=1))


def year(day: int) -> int | None:
    found = as_date(day)
    return found.year if found else None


def month(day: int) -> int | None:
    found = as_date(day)
    return found.month if found else None


def day_of_month(day: int) -> int | None:
    found = as_date(day)
    return found.day if found else None


def quarter(day: int) -> int | None:
    found = as_date(day)
    return (found.month + 2) // 3 if found else None


def weekday(day: int) -> int:
    """1 for Monday to 7 for Sunday."""
    return (day + 3) % 7 + 1


def start_of(day: int, unit: str) -> int | None:
    """The first day of the week (Monday), month, quarter or year."""
    found = as_date(day)
    if found is None:
        return None
    if unit == "week":
        return day - found.weekday()
    month = {"month": found.month, "quarter": (found.month - 1) // 3 * 3 + 1, "year": 1}[unit]
    return date(found.year, month, 1).toordinal() - _EPOCH_DAY


def end_of(day: int, unit: str) -> int | None:
    found = as_date(day)
    if found is None:
        return None
    if unit == "week":
        return day + 6 - found.weekday()
    month = {"month": found.month, "quarter": (found.month + 2) // 3 * 3, "year": 12}[unit]
    return date(found.year, month, _month_days(found.year, month)).toordinal() - _EPOCH_DAY


def within(day: int) -> int | None:
    """The day if the calendar has it."""
    return day if FIRST_DAY <= day <= LAST_DAY else None


def within_instants(instant: int) -> int | None:
    return instant if FIRST_INSTANT <= instant <= LAST_INSTANT else None


def add_months(day: int, count: int) -> int | None:
    """The same day of another month; the last day of that month if it has no such day."""
    found = as_date(day)
    if found is None:
        return None
    year, month = divmod(found.year * 12 + found.month - 1 + count, 12)
    if not 1 <= year <= 9999:
        return None
    return date(year, month + 1, min(found.day, _month_days(year, month + 1))).toordinal() - _EPOCH_DAY


def make_date(year: int, month: int, day: int) -> int | None:
    if not (1 <= year <= 9999 and 1 <= month <= 12 and 1 <= day <= _month_days(year, month)):
        return None
    return date(year, month, day).toordinal() - _EPOCH_DAY


def _month_days(year: int, month: int) -> int:
    return monthrange(year, month)[1]


def workdays_between(start: int, end: int, calendar: Any) -> int | None:
    """The working days from `start` up to but not including `end`; negative when `end` comes first."""
    if not (FIRST_WORKDAY <= start <= LAST_WORKDAY and FIRST_WORKDAY <= end <= LAST_WORKDAY):
        return None
    return int(calendar.index(end) - calendar.index(start))


def add_workdays(day: int, count: int, calendar: Any) -> int | None:
    """The `count`-th working day after `day`, or before it for a negative count; `day` itself for 0."""
    if count == 0:
        return day
    if not FIRST_WORKDAY <= day <= LAST_WORKDAY:
        return None
    index: int = calendar.index(day)
    if count > 0 and calendar.nth(index) != day:
        count -= 1  # the working day that follows a day off is already the first
    found: int = calendar.nth(index + count)
    return found if FIRST_WORKDAY <= found <= LAST_WORKDAY else None


def worktime_between(start: int, end: int, calendar: Any) -> int | None:
    """The working time from one instant to another, in microseconds; negative when `end` comes first."""
    if not (FIRST_WORKTIME <= start <= LAST_WORKTIME and FIRST_WORKTIME <= end <= LAST_WORKTIME):
        return None
    return int(calendar.working(start, end))


def add_worktime(start: int, span: int, calendar: Any) -> int | None:
    """The instant a span of working time after `start`, or before it when negative; `start` itself for none."""
    if span == 0:
        return start
    if not FIRST_WORKTIME <= start <= LAST_WORKTIME or abs(span) > LAST_WORKTIME - FIRST_WORKTIME:
        return None
    found: int = calendar.add_working(start, span)
    return found if FIRST_WORKTIME <= found <= LAST_WORKTIME else None


def is_workday(day: int, calendar: Any) -> bool:
    return FIRST_WORKDAY <= day <= LAST_WORKDAY and bool(calendar.nth(calendar.index(day)) == day)


def count_files(stored: str | None) -> int:
    return len(json.loads(stored)) if stored else 0


def count_choices(stored: str | None) -> int:
    return stored.count("|") - 1 if stored else 0


def _from_sql(function: Callable[..., Any]) -> Callable[..., Any]:
    def strict(*arguments: Any) -> Any:
        # `float in …` and not a loop: this runs for every row.
        if None in arguments or float in map(type, arguments):
            return None
        return function(*arguments)

    return strict


_POWERS = {str(10**digits): 10**digits for digits in range(101)}


def _narrowing(function: Callable[..., Any]) -> Callable[..., Any]:
    """SQL gives the divisor, most often a power of ten, as a text: it may be greater than SQLite's integers."""
    return lambda value, divisor: function(value, _POWERS.get(divisor) or int(divisor))


def _with_power_of_ten(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda one, other, power_of_ten: function(one, other, _POWERS[power_of_ten])


_BY_COUNT: dict[int, dict[str, Callable[..., Any]]] = {
    1: {
        "text_number": text_number, "date_text": date_text, "year": year, "month": month,
        "day_of_month": day_of_month, "quarter": quarter,
    },
    2: {
        "narrow": _narrowing(narrow), "narrow_up": _narrowing(narrow_up), "narrow_down": _narrowing(narrow_down),
        "narrow_floor": _narrowing(narrow_floor), "modulo": modulo, "number_text": number_text, "day_of": day_of, "hour_of": hour_of, "instant_text": instant_text, "start_of": start_of,
        "end_of": end_of, "add_months": add_months,
    },
    3: {
        "multiply": _with_power_of_ten(multiply), "divide": _with_power_of_ten(divide), "power": _with_power_of_ten(power),
        "make_date": make_date, "same_time": same_time,
    },
}  # fmt: skip
# name -> (number of arguments, function): `storage.database` registers them as deterministic on each SQLite connection.
SQLITE_FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    f"dg_{name}": (count, _from_sql(function))
    for count, functions in _BY_COUNT.items()
    for name, function in functions.items()
}
