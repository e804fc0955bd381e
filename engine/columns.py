"""How values are stored: plain integers and texts that mean the same on SQLite and on PostgreSQL.

Numbers, money and percents are fixed-point integers: the value times ten to the power of the field's scale.  Dates are
days since 1970-01-01, instants are microseconds since then in UTC, durations are microseconds.  A set of choices is the
text `|a|b|`.  Nothing is ever a float.  Empty is NULL; an empty text is stored as NULL, so there is one kind of empty.
"""

import secrets
import threading
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

MAX_STORED = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()


def days(day: date) -> int:
    """Days since 1970-01-01, negative before."""
    return day.toordinal() - _EPOCH_DAY


def day(days: int) -> date:
    return date.fromordinal(days + _EPOCH_DAY)


def moment(microseconds: int) -> datetime:
    """The aware UTC datetime of a stored instant."""
    return _EPOCH + timedelta(microseconds=microseconds)


def scaled(value: Decimal, scale: int) -> int:
    """The stored integer of `value`, rounded half away from zero (BIPM and Chinese accounting custom: 四舍五入)."""
    return int(value.scaleb(scale).to_integral_value(rounding=ROUND_HALF_UP))


def unscaled(stored: int, scale: int) -> Decimal:
    return Decimal(stored).scaleb(-scale)


def pack(choices: Iterable[str]) -> str | None:
    """`|a|b|` for a set of choices; None for the empty set."""
    joined = "|".join(choices)
    return f"|{joined}|" if joined else None


def unpack(stored: str | None) -> list[str]:
    return stored.strip("|").split("|") if stored else []


class _Ids:
    """63-bit ids in the order of their making: 41 bits of milliseconds since 2020, 22 bits that count from a random start."""

    _START = 1_577_836_800_000

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def new(self, count: int = 1) -> int:
        """The first of `count` consecutive ids that nobody else gets."""
        with self._lock:
            fresh = ((time.time_ns() // 1_000_000 - self._START) << 22) | secrets.randbits(21)
            first = max(fresh, self._last + 1)
            self._last = first + count - 1
            return first


_ids = _Ids()


def new_id() -> int:
    """A record id. Ids carry no meaning; that later ones are greater only keeps indexes compact."""
    return _ids.new()


def new_ids(count: int) -> range:
    first = _ids.new(count)
    return range(first, first + count)
