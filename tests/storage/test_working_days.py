"""The rows of working days say what the calendar says, on both databases."""

import sqlalchemy as sa

from engine.calendars import WorkingCalendar
from engine.storage.database import Database
from engine.storage.system import calendar_day, calendar_stretch
from engine.storage.working_days import has_working_days, keep_working_days

CN, OWN = WorkingCalendar.of(), WorkingCalendar.of(holidays=["2026-03-02"])


def test_the_days_of_a_calendar_are_kept_once(database: Database) -> None:
    for calendar in (CN, OWN, CN):
        database.transact(lambda write, calendar=calendar: keep_working_days(database, write, calendar))
    with database.read() as read:
        assert has_working_days(database, read, CN)
        assert not has_working_days(database, read, WorkingCalendar.of("week"))
        table = calendar_day
        rows = read.all(
            database.statement(
                sa.select(table.c.day, table.c.position, table.c.working)
                .where(table.c.calendar == OWN.name)
                .order_by(table.c.day)
            )
        )
        count = read.scalar(database.statement(sa.select(sa.func.count()).select_from(table)))
        stretches = calendar_stretch
        times = read.all(
            database.statement(
                sa.select(stretches.c.since, stretches.c.until, stretches.c.before)
                .where(stretches.c.calendar == OWN.name)
                .order_by(stretches.c.since)
            )
        )
    assert [(day, position, bool(working)) for day, position, working in rows] == list(OWN.rows())
    assert count == 2 * len(rows)
    assert times == list(OWN.stretches())
