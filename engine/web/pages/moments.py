"""Days and instants as people say them: today 09:52, yesterday, 3月4日. What lies in another year says which.

A day is a number as the calendar counts them (`engine.columns.days`); an instant is local time.
"""

from datetime import date, datetime

from engine.columns import day as day_of, days
from engine.web.pages.frame import WEEKDAYS, Words

_NAMED = {0: "day-today", 1: "day-yesterday", -1: "day-tomorrow"}  # by how many days ago
_TIMED = {0: "today", 1: "yesterday", -1: "tomorrow"}


def day_words(day: int, today: int, t: Words, *, weekday: bool = False) -> str:
    """Today, yesterday, 3月4日; with `weekday` 3月4日 周三."""
    named = _NAMED.get(today - day)
    if named is not None:
        return t(named)
    found = day_of(day)
    words = _written(found, day_of(today).year, t)
    if not weekday:
        return words
    name = WEEKDAYS[t.language][found.weekday()]
    return f"{words} {name}" if t.language == "zh" else f"{name} {words}"


def moment_words(local: datetime, today: int, t: Words) -> str:
    """Today 09:52, yesterday 17:40, 3月4日 11:06."""
    time = local.strftime("%H:%M")
    named = _TIMED.get(today - days(local.date()))
    return t(named, time=time) if named is not None else f"{_written(local.date(), day_of(today).year, t)} {time}"


def _written(found: date, year: int, t: Words) -> str:
    if t.language != "zh":
        return found.isoformat()
    return f"{found.month}月{found.day}日" if found.year == year else f"{found.year}年{found.month}月{found.day}日"
