"""The working days of a calendar as rows, so that expressions can count them inside the database.

Rows stand under the calendar's name, which changes with its days: what is there is never changed, only added to.
"""

from itertools import islice

import sqlalchemy as sa

from engine.calendars import WorkingCalendar
from engine.storage import system
from engine.storage.database import Database
from engine.storage.session import Read, Write


def has_working_days(db: Database, read: Read, calendar: WorkingCalendar) -> bool:
    table = system.calendar_day
    found = db.statement(sa.select(sa.literal(1)).where(table.c.calendar == sa.bindparam("calendar")).limit(1))
    return read.scalar(found, {"calendar": calendar.name}) is not None


def keep_working_days(db: Database, write: Write, calendar: WorkingCalendar) -> None:
    """Put the days of `calendar` into the database unless they are there."""
    if has_working_days(db, write, calendar):
        return
    rows = iter(calendar.rows())
    # All of it is made of our own numbers. As text it is thirty times faster than row by row.
    while some := ",".join(
        f"('{calendar.name}',{day},{position},{str(working).lower()})" for day, position, working in islice(rows, 5000)
    ):
        write.script(
            f"INSERT INTO dg_calendar_day (calendar, day, position, working) VALUES {some} ON CONFLICT DO NOTHING"
        )
