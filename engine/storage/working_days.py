"""The working time of a calendar as rows, so that expressions can count days and hours inside the database.

Rows stand under the calendar's name, which changes with its days and hours: what is there is never changed, only added to.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice

import sqlalchemy as sa

from engine.calendars import WorkingCalendar
from engine.storage import system
from engine.storage.database import Database
from engine.storage.session import Read, Write


def has_working_days(db: Database, read: Read, calendar: WorkingCalendar) -> bool:
    table = system.calendar_stretch
    found = db.statement(sa.select(sa.literal(1)).where(table.c.calendar == sa.bindparam("calendar")).limit(1))
    return read.scalar(found, {"calendar": calendar.name}) is not None


def keep_working_days(db: Database, write: Write, calendar: WorkingCalendar) -> None:
    """Put the days and the stretches of working time of `calendar` into the database unless they are there."""
    if not has_working_days(db, write, calendar):
        for script in _scripts(calendar):
            write.script(script)


@lru_cache(maxsize=4)  # a test fills many databases with one calendar
def _scripts(calendar: WorkingCalendar) -> tuple[str, ...]:
    days = ((day, position, str(working).lower()) for day, position, working in calendar.rows())
    return (
        *_inserts("dg_calendar_day (calendar, day, position, working)", calendar.name, days),
        *_inserts("dg_calendar_stretch (calendar, since, until, before)", calendar.name, calendar.stretches()),
    )


def _inserts(into: str, name: str, rows: Iterable[tuple[object, ...]]) -> Iterator[str]:
    """All of it is made of our own numbers. As text it is thirty times faster than row by row."""
    rows = iter(rows)
    while some := ",".join(f"('{name}',{','.join(map(str, row))})" for row in islice(rows, 5000)):
        yield f"INSERT INTO {into} VALUES {some} ON CONFLICT DO NOTHING"
