"""Time that runs, as people read it: how much is left, how much has passed, and whether that is soon or too late."""

from dataclasses import dataclass

from engine.analytics.cards.records import Clock
from engine.calendars import WorkingCalendar
from engine.web.pages.frame import Words

MINUTE, HOUR, DAY = 60, 3600, 86_400
SECOND = 1_000_000


@dataclass(frozen=True)
class Running:
    """`words` say it now; a script says it anew from `until` or `since` (milliseconds UTC) as time goes on.

    `soon` is the instant from which on it is yellow, `until` the one from which on it is red; 0 for never.
    """

    label: str
    words: str
    color: str
    since: int
    until: int
    soon: int
    show: str


def running(calendar: WorkingCalendar, now: int, since: int, clock: Clock, label: str, t: Words) -> Running:
    """All instants are microseconds UTC. Without a limit the time that is left ends at `since` itself."""
    until = calendar.add(since, clock.limit) if clock.limit is not None else since if clock.show == "left" else 0
    soon = _before(calendar, until, clock) if until and clock.soon is not None else 0
    color = "red" if until and now >= until else "yellow" if soon and now >= soon else ""
    if clock.show == "left":
        words = span((until - now) // SECOND, t)
        words = t("clock-left", time=words) if now < until else t("clock-over", time=span((now - until) // SECOND, t))
    else:
        words = span((now - since) // SECOND, t)
    return Running(label, words, color, since // 1000, until // 1000, soon // 1000, clock.show)


def _before(calendar: WorkingCalendar, until: int, clock: Clock) -> int:
    """When the time that is left falls below `soon`; working time is taken as if it passed without a break."""
    assert clock.soon is not None
    sizes = {"time": 1, "workhours": HOUR, "workdays": DAY}
    return until - clock.soon.amount * sizes[clock.soon.kind] * SECOND


def span(seconds: int, t: Words) -> str:
    """3 days 4 h, 1 h 32 min, 8 min: the two largest units."""
    seconds = max(seconds, 0)
    if seconds >= 3 * DAY:
        return t("span-days", days=seconds // DAY)
    if seconds >= DAY:
        return t("span-days-hours", days=seconds // DAY, hours=seconds % DAY // HOUR)
    if seconds >= HOUR:
        return t("span-hours", hours=seconds // HOUR, minutes=seconds % HOUR // MINUTE)
    return t("span-minutes", minutes=seconds // MINUTE)
