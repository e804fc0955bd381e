"""The clock is an argument. Nothing else in the engine asks what time it is.

A `Clock` answers with microseconds since 1970-01-01 UTC, the form in which instants are stored.  `SystemClock` reads
the machine; `SetClock` stands where it is put, for tests, rehearsals and the replay of history.
"""

import time
from datetime import UTC, datetime
from typing import Protocol

MICROSECONDS = 1_000_000


class Clock(Protocol):
    def now(self) -> int:
        """The present instant in microseconds since the epoch, UTC."""
        ...


class SystemClock:
    def now(self) -> int:
        return time.time_ns() // 1000


class SetClock:
    """A clock that moves only when told to."""

    def __init__(self, at: datetime | int) -> None:
        self._now = at if isinstance(at, int) else instant(at)

    def now(self) -> int:
        return self._now

    def set(self, at: datetime | int) -> None:
        self._now = at if isinstance(at, int) else instant(at)

    def advance(self, microseconds: int) -> None:
        self._now += microseconds


def instant(moment: datetime) -> int:
    """Microseconds since the epoch of an aware datetime. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a naive datetime has no instant")
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * MICROSECONDS + delta.microseconds
