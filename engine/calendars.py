"""Working time: which days are working days, and how much working time lies between two instants.

A calendar is a pure value.  `cn` knows the statutory holidays and make-up workdays that the State Council announces, as far
as they are announced (`announced_until`); later years fall back to Monday to Friday.  Own holidays and working days win over
both.  Working days are numbered in one row, so that counting and adding days is subtraction and addition.

An instant is working time exactly if the clock on the wall shows an hour of `hours` on a working day.  An hour that summer
time skips therefore does not count, and one that it repeats counts twice.

A span of working days counts the working days after the day that it starts on, whether that one is worked or not: from a
Friday and from the Saturday behind it the first working day is Monday.  The time of day stays what the clock showed.  This
is what people and the law count by, and what expressions mean by `3 workdays`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache, cached_property
from hashlib import blake2s
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from engine.clock import instant
from engine.shape import SpanValue

FIRST_YEAR, LAST_YEAR = 2000, 2050
_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_EPOCH_DAY = date(1970, 1, 1).toordinal()


@cache
def _announced() -> tuple[frozenset[int], frozenset[int], int]:
    """Statutory holidays, make-up workdays (days since 1970), and the last day that is announced."""
    # Loading the lists takes 10 ms: only who asks for them waits.
    from chinese_calendar.constants import holidays, workdays

    off, on = (frozenset(each.toordinal() - _EPOCH_DAY for each in known) for known in (holidays, workdays))
    return off, on, date(max(each.year for each in holidays), 12, 31).toordinal() - _EPOCH_DAY


def _weekdays_before(day: int) -> int:
    """Mondays to Fridays before `day`, counted from Monday, 1969-12-29; negative before that."""
    weeks, rest = divmod(day + 3, 7)
    return weeks * 5 + min(rest, 5)


def _weekday(count: int) -> int:
    """The Monday to Friday with that count: the inverse of `_weekdays_before`."""
    weeks, rest = divmod(count, 5)
    return weeks * 7 + rest - 3


def _is_weekday(day: int) -> bool:
    return (day + 3) % 7 < 5


@dataclass(frozen=True)
class WorkingCalendar:
    """`hours` are ranges of a day in minutes since midnight, in order and apart from each other. Made by `of`."""

    kind: Literal["cn", "week"]
    hours: tuple[tuple[int, int], ...]
    timezone: str
    holidays: frozenset[int] = frozenset()
    workdays: frozenset[int] = frozenset()

    @classmethod
    def of(
        cls,
        workdays: Literal["cn", "week"] = "cn",
        hours: str = "09:00-18:00",
        timezone: str = "Asia/Shanghai",
        holidays: Iterable[str] = (),
        workday_exceptions: Iterable[str] = (),
    ) -> "WorkingCalendar":
        """From the words of a definition. Raises ValueError for hours that are none or overlap, and for unknown zones and dates."""
        ranges = tuple(_range(part) for part in hours.split(","))
        if any(a >= b for a, b in ranges) or any(one[1] > two[0] for one, two in pairwise(ranges)):
            raise ValueError(f"working hours {hours!r}")
        try:
            ZoneInfo(timezone)
        except (KeyError, OSError) as error:
            raise ValueError(f"time zone {timezone!r}") from error
        off, on = (
            frozenset(date.fromisoformat(each).toordinal() - _EPOCH_DAY for each in dates)
            for dates in (holidays, workday_exceptions)
        )
        return cls(workdays, ranges, timezone, off, on)

    # -- days -----------------------------------------------------------------------------------------------------------

    @cached_property
    def name(self) -> str:
        """Names the working time: calendars of one name have the same one, so that a database may keep it once."""
        told = (self._exceptions, FIRST_YEAR, LAST_YEAR, self.hours, self.timezone)
        digest = blake2s(repr(told).encode(), digest_size=8)
        return f"{self.kind}-{digest.hexdigest()}"

    @cached_property
    def _exceptions(self) -> tuple[int, ...]:
        """The days, in order, on which work is otherwise than Monday to Friday."""
        off, on, _ = _announced() if self.kind == "cn" else (frozenset[int](), frozenset[int](), 0)
        working = (on | self.workdays) - (self.holidays - self.workdays)
        free = ((off - on) | self.holidays) - self.workdays
        return tuple(
            sorted({day for day in working if not _is_weekday(day)} | {day for day in free if _is_weekday(day)})
        )

    @cached_property
    def _shifts(self) -> tuple[int, ...]:
        """How many working days the first n exceptions add, for every n."""
        shifts = [0]
        for day in self._exceptions:
            shifts.append(shifts[-1] + (-1 if _is_weekday(day) else 1))
        return tuple(shifts)

    @cached_property
    def _after(self) -> tuple[int, ...]:
        """The index of the day after each exception: never falls."""
        return tuple(_weekdays_before(day + 1) + self._shifts[n + 1] for n, day in enumerate(self._exceptions))

    def is_workday(self, day: int) -> bool:
        """`day` is days since 1970-01-01."""
        place = bisect_left(self._exceptions, day)
        special = place < len(self._exceptions) and self._exceptions[place] == day
        return _is_weekday(day) != special

    def index(self, day: int) -> int:
        """How many working days lie before `day`, counted from a fixed start."""
        return _weekdays_before(day) + self._shifts[bisect_left(self._exceptions, day)]

    def nth(self, index: int) -> int:
        """The working day with that index; the inverse of `index` on working days."""
        place = bisect_right(self._after, index)
        day = _weekday(index - self._shifts[place])
        # The next exception may be that day itself: a Saturday worked comes before the Monday that would follow.
        return min(day, self._exceptions[place]) if place < len(self._exceptions) else day

    @property
    def announced_until(self) -> int | None:
        """The last day whose holidays are known; None where none need announcing."""
        return _announced()[2] if self.kind == "cn" else None

    def rows(self, first: int | None = None, last: int | None = None) -> Iterator[tuple[int, int, bool]]:
        """(day, position, working) of every day of 2000 to 2050, as the database keeps them for expressions."""
        start = date(FIRST_YEAR, 1, 1).toordinal() - _EPOCH_DAY if first is None else first
        end = date(LAST_YEAR, 12, 31).toordinal() - _EPOCH_DAY if last is None else last
        position = self.index(start)
        for day in range(start, end + 1):
            working = self.is_workday(day)
            yield day, position, working
            position += working

    def stretches(self, first: int | None = None, last: int | None = None) -> Iterator[tuple[int, int, int]]:
        """(since, until, before) of every stretch of working time of 2000 to 2050, as the database keeps them.

        Instants, and the working time before `since`, all in microseconds.  An empty stretch stands at either end, so that
        every instant of those years has one that begins no later, and what goes beyond them is seen to do so.
        """
        start = date(FIRST_YEAR, 1, 1).toordinal() - _EPOCH_DAY if first is None else first
        end = date(LAST_YEAR, 12, 31).toordinal() - _EPOCH_DAY if last is None else last
        edges, before = ((start - 2) * _DAY, (end + 3) * _DAY), 0
        yield edges[0], edges[0], before
        for day in range(start - 1, end + 2):
            if self.is_workday(day):
                for since, until in self._stretches(day):
                    yield since, until, before
                    before += until - since
        yield edges[1], edges[1], before

    # -- instants -------------------------------------------------------------------------------------------------------

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def _offset(self, at: int) -> int:
        """How far local clocks are ahead of UTC at an instant, in microseconds."""
        offset = datetime.fromtimestamp(at // _SECOND, self._zone).utcoffset()
        return (offset.days * 86_400 + offset.seconds) * _SECOND if offset else 0

    def local_day(self, at: int) -> int:
        """The local day of an instant (microseconds UTC)."""
        return (at + self._offset(at)) // _DAY

    def at(self, day: int, minute: int) -> int:
        """The instant at which local clocks show a time of `day`: the first of two, and the end of the jump if it is skipped."""
        local = datetime.combine(
            date.fromordinal(day + _EPOCH_DAY) + timedelta(days=minute // 1440),
            time(minute % 1440 // 60, minute % 60),
            self._zone,
        )
        found = instant(local)
        if (found + self._offset(found)) // _MINUTE != day * 1440 + minute:  # skipped
            return self._jump(found - 25 * _HOUR, found)
        return found

    def _jump(self, low: int, high: int) -> int:
        """The instant after `low`, up to `high`, at which the offset becomes that of `high`, to the second."""
        offset = self._offset(high)
        while high - low > _SECOND:
            middle = (low + high) // 2 // _SECOND * _SECOND
            low, high = (low, middle) if self._offset(middle) == offset else (middle, high)
        return high

    @cached_property
    def _length(self) -> int:
        return sum(end - start for start, end in self.hours) * _MINUTE

    @cached_property
    def _changes(self) -> dict[int, tuple[int, ...]]:
        """By year: the local days on which the clocks change, as far as anybody asked."""
        return {}

    def _changes_in(self, year: int) -> tuple[int, ...]:
        found = self._changes.get(year)
        if found is None:
            first, last = (date(each, 1, 1).toordinal() - _EPOCH_DAY for each in (year, year + 1))
            found = self._changes[year] = tuple(self._changed(first, last))
        return found

    def _changed(self, first: int, last: int) -> Iterator[int]:
        """Days from `first` up to but not including `last` that are longer or shorter than 24 hours; looked for week by week."""
        while first < last:
            next_week = min(first + 7, last)
            if self.at(next_week, 0) - self.at(first, 0) != (next_week - first) * _DAY:
                yield from (day for day in range(first, next_week) if self.at(day + 1, 0) - self.at(day, 0) != _DAY)
            first = next_week

    def _changing(self, first: int, last: int) -> Iterator[int]:
        """The working days from `first` up to but not including `last` on which the clocks change."""
        for year in range(
            date.fromordinal(first + _EPOCH_DAY).year, date.fromordinal(max(first, last - 1) + _EPOCH_DAY).year + 1
        ):
            for day in self._changes_in(year):
                if first <= day < last and self.is_workday(day):
                    yield day

    @cached_property
    def _known(self) -> dict[int, tuple[tuple[int, int], ...]]:
        return {}

    def _ranges(self, day: int) -> tuple[tuple[int, int], ...]:
        """The stretches of working time on a local day, as instants."""
        found = self._known.get(day)
        if found is None:
            if len(self._known) > 4000:
                self._known.clear()
            found = self._known[day] = self._stretches(day) if self.is_workday(day) else ()
        return found

    def _stretches(self, day: int) -> tuple[tuple[int, int], ...]:
        start, end = self.at(day, 0), self.at(day, 1440)
        if end - start == _DAY:
            return tuple((start + a * _MINUTE, start + b * _MINUTE) for a, b in self.hours)
        turns = [start]
        while self._offset(turns[-1]) != self._offset(end):
            before = step = turns[-1]
            while self._offset(step) == self._offset(turns[-1]):
                before, step = step, min(step + _HOUR, end)
            turns.append(self._jump(before, step))
        found = []
        for since, to in zip(turns, [*turns[1:], end], strict=True):
            midnight = day * _DAY - self._offset(since)
            found += [(max(since, midnight + a * _MINUTE), min(to, midnight + b * _MINUTE)) for a, b in self.hours]
        return tuple((since, to) for since, to in found if since < to)

    def working(self, start: int, end: int) -> int:
        """Microseconds of working time between two instants; negative when `end` comes first."""
        if end < start:
            return -self.working(end, start)
        first, last = self.local_day(start), self.local_day(end)
        if first == last:
            return self._within(first, start, end)
        between = (self.index(last) - self.index(first + 1)) * self._length
        if between:
            between += sum(
                self._within(day, self.at(day, 0), self.at(day, 1440)) - self._length
                for day in self._changing(first + 1, last)
            )
        return self._within(first, start, end) + between + self._within(last, start, end)

    def _within(self, day: int, start: int, end: int) -> int:
        return sum(max(0, min(end, to) - max(start, since)) for since, to in self._ranges(day))

    def add(self, start: int, span: SpanValue) -> int:
        """The instant a span after `start`.

        Time passes always. Working days count working days after `start`'s own, worked or not, and keep the time of day.
        Working hours pass only in working time.
        """
        if span.kind == "time":
            return start + span.amount * _SECOND
        if span.kind == "workdays":
            return self._add_days(start, span.amount)
        return self.add_working(start, span.amount * _HOUR)

    def _add_days(self, start: int, count: int) -> int:
        if count == 0:
            return start
        day = self.local_day(start)
        # The working day that follows a day off is already the first.
        target = self.nth(self.index(day) + count - (not self.is_workday(day)))
        rest = (start + self._offset(start)) % _DAY
        local = datetime(1970, 1, 1, tzinfo=self._zone) + timedelta(days=target, microseconds=rest)
        # An hour shown twice is the later one; a skipped one is as far behind the jump as it is behind its beginning.
        return max(instant(local.replace(fold=fold)) for fold in (0, 1))

    def add_working(self, start: int, span: int) -> int:
        """The instant a span of working time (microseconds) after `start`, or before it when negative.

        Forwards the first instant at which it has passed, backwards the last one from which it still passes.
        """
        if span == 0:
            return start
        return self._add_time(start, span) if span > 0 else self._take_time(start, -span)

    def _take_time(self, start: int, left: int) -> int:
        day = self.local_day(start)
        while True:
            for since, to in reversed(self._ranges(day)):
                free = min(to, start) - since
                if free >= left:
                    return min(to, start) - left
                left -= max(free, 0)
            whole = (left - 1) // self._length
            if whole:
                first = self.nth(self.index(day) - whole)
                stop = max(self._changing(first, day), default=first - 1) + 1
                left -= (self.index(day) - self.index(stop)) * self._length
                day = stop
            day -= 1

    def _add_time(self, start: int, left: int) -> int:
        day = self.local_day(start)
        while True:
            for since, to in self._ranges(day):
                free = to - max(since, start)
                if free >= left:
                    return max(since, start) + left
                left -= max(free, 0)
            day += 1
            # Whole days by counting, as far as the clocks do not change and something is left for the last.
            whole = (left - 1) // self._length
            if whole:
                last = self.nth(self.index(day) + whole)
                stop = next(self._changing(day, last), last)
                left -= (self.index(stop) - self.index(day)) * self._length
                day = stop


def _range(text: str) -> tuple[int, int]:
    start, _, end = text.strip().partition("-")
    return _minute(start), _minute(end)


def _minute(text: str) -> int:
    hours, _, minutes = text.strip().partition(":")
    minute = int(hours) * 60 + int(minutes)
    if not 0 <= minute <= 24 * 60 or int(minutes) > 59:
        raise ValueError(text)
    return minute


__all__ = ["FIRST_YEAR", "LAST_YEAR", "WorkingCalendar"]
