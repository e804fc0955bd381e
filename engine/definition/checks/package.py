"""What concerns the package as a whole: its calendar, and things that nothing uses."""

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

from engine.definition.checks.base import Check
from engine.definition.facts import Facts
from engine.definition.source import KeyPath
from engine.problems import Label, Problem

_FRAME = "entities: {order: {fields: {name: text}}}\n"


class CalendarBroken(Check):
    code = "calendar-broken"
    wrong = _FRAME + 'calendar: {hours: "18:00-09:00"}'
    repaired = _FRAME + 'calendar: {hours: "09:00-18:00"}'

    def find(self, facts: Facts) -> Iterator[Problem]:
        calendar = facts.definition.calendar
        last = ""
        for part in calendar.hours.split(","):
            begin, end = (each.strip() for each in part.strip().split("-"))
            if not (last <= begin < end <= "24:00") or begin[3:] > "59" or end[3:] > "59":
                yield self._problem(
                    facts,
                    ("calendar", "hours"),
                    part.strip(),
                    Label("各段应由早到晚,且在一天之内", "hours run from early to late, within a day"),
                )
                break
            last = end
        try:
            ZoneInfo(calendar.timezone)
        except (OSError, ValueError, LookupError):
            yield self._problem(
                facts, ("calendar", "timezone"), calendar.timezone, Label("没有这个时区", "there is no such time zone")
            )
        for kind in ("holidays", "workday_exceptions"):
            for index, day in enumerate(getattr(calendar, kind)):
                try:
                    date.fromisoformat(day)
                except ValueError:
                    yield self._problem(
                        facts,
                        ("calendar", kind, index),
                        day,
                        Label("日期写作 2026-05-01", "dates are written 2026-05-01"),
                    )

    def _problem(self, facts: Facts, path: KeyPath, value: str, why: Label) -> Problem:
        return facts.problem(self.code, path, value=value, text=value, why=why)


class UnusedThing(Check):
    """Roles without a policy, a person or a place in another role, and kinds of stage without a stage."""

    code = "unused-thing"
    wrong = _FRAME + "kinds: {work: {}}"
    repaired = _FRAME

    def find(self, facts: Facts) -> Iterator[Problem]:
        used = {(reference.kind, reference.name) for reference in facts.references}
        # A misspelt role elsewhere may well be the one that nothing seems to use.
        whole = all(reference.found for reference in facts.references if reference.kind == "role")
        for name, role in facts.definition.roles.items() if whole else ():
            if (
                ("role", name) not in used
                and not role.administrator
                and not role.includes
                and facts.definition.policies
            ):
                yield self._problem(facts, ("roles", name), Label("角色", "role"))
        for name in facts.definition.kinds:
            if ("kind", name) not in used:
                yield self._problem(facts, ("kinds", name), Label("阶段类别", "kind of stage"))
        known = {
            each
            for make in facts.definition.sample.make.values()
            for each in str(make.fields).replace("{", " ").replace("}", " ").split()
        }
        for name in facts.definition.sample.lists:
            if name not in known and not any(
                "{" + name + "}" in str(words) for words in facts.definition.sample.lists.values()
            ):
                yield self._problem(facts, ("sample", "lists", name), Label("词表", "list of words"))

    def _problem(self, facts: Facts, path: KeyPath, thing: Label) -> Problem:
        return facts.problem(
            self.code, path, key=True, severity="hint", value=str(path[-1]), thing=thing, name=str(path[-1])
        )
