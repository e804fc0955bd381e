"""Time: what is counted beyond the known holidays, and instants that nothing ever meets."""

import re
from collections.abc import Iterator
from datetime import date

from engine.calendars import WorkingCalendar
from engine.definition.checks.base import Check
from engine.definition.facts import Facts
from engine.definition.source import KeyPath
from engine.expressions.primitives import as_date
from engine.expressions.tree import Call, Const, Node, Variable, walk
from engine.problems import Problem
from engine.shape import SpanValue

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_HOUR = 3_600_000_000
_COUNTING = frozenset({"add_workdays", "workdays_between", "is_workday"})
_ORDER = "entities: {order: {fields: {name: text, sent: datetime}}}\n"
_FRAME = (
    _ORDER + "roles: {clerk: {}}\n"
    "policies: {clerk: {order: {rows: 'created_by == user', actions: [read, create, transition]}}}\n"
)


_WORK, _NOW = re.compile("work|工作", re.IGNORECASE), re.compile("now|现在", re.IGNORECASE)


def _speaking_of(facts: Facts, words: re.Pattern[str]) -> Iterator[tuple[KeyPath, Node]]:
    """The expressions whose text has one of the words, with where they stand: few, and only their trees are walked."""
    for path, site in facts.sites.items():
        if words.search(site.text) and (expression := facts.expressions.get(site.key)) is not None:
            yield path, expression.tree


class CalendarEnds(Check):
    """Working time counted to where no holidays are announced yet: it would take every Monday to Friday for worked.

    Holidays are announced for a year at a time.  What takes longer than the last announced year ends beyond it, whenever
    it begins; so does what is counted from a day that is written out and lies there.
    """

    code = "calendar-ends"
    wrong = _FRAME + "processes: {flow: {entity: order, stages: {open: {limit: 300 workdays}, done: {end: done}}}}"
    repaired = _FRAME + "processes: {flow: {entity: order, stages: {open: {limit: 30 workdays}, done: {end: done}}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        declared = facts.definition.calendar
        if declared.workdays != "cn":
            return  # there is nothing to be announced
        try:
            calendar = WorkingCalendar.of(**declared.model_dump())
        except ValueError:
            return  # the check of the calendar says so
        last = calendar.announced_until
        until = as_date(last) if last is not None else None
        if last is None or until is None:
            return
        days = calendar.index(last + 1) - calendar.index(date(until.year, 1, 1).toordinal() - _EPOCH_DAY)
        hours = days * sum(end - start for start, end in calendar.hours) / 60
        for path, span in self._limits(facts):
            if span.amount > {"workdays": days, "workhours": hours}.get(span.kind, span.amount):
                yield self._problem(facts, path, until)
        for path, tree in _speaking_of(facts, _WORK):
            if any(self._beyond(node, last, days, hours) for node in walk(tree)):
                yield self._problem(facts, path, until)

    @staticmethod
    def _limits(facts: Facts) -> Iterator[tuple[KeyPath, SpanValue]]:
        for name, process in facts.definition.processes.items():
            for key, stage in process.stages.items():
                if stage.limit is not None:
                    yield ("processes", name, "stages", key, "limit"), stage.limit

    @staticmethod
    def _beyond(node: Node, last: int, days: int, hours: float) -> bool:
        """Whether working time is counted from a written day behind the last, or for longer than is announced."""
        if not isinstance(node, Call):
            return False
        constants = [each for each in node.arguments if isinstance(each, Const) and isinstance(each.value, int)]
        if node.operation == "add_worktime":
            return any(each.type.kind == "duration" and abs(each.value) > hours * _HOUR for each in constants)
        if node.operation not in _COUNTING:
            return False
        return any(each.value > (last if each.type.kind == "date" else days) for each in constants)

    def _problem(self, facts: Facts, path: KeyPath, until: date) -> Problem:
        return facts.problem(self.code, path, severity="warning", offset=0, until=until.isoformat())


class DateEquality(Check):
    """An instant compared with the present one: they differ by microseconds, always."""

    code = "date-equality"
    wrong = _ORDER + "views: {now: {entity: order, where: sent == now()}}"
    repaired = _ORDER + "views: {now: {entity: order, where: date(sent) == today()}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for path, tree in _speaking_of(facts, _NOW):
            if any(self._never(node) for node in walk(tree)):
                yield facts.problem(self.code, path, severity="warning", offset=0)

    @staticmethod
    def _never(node: Node) -> bool:
        return (
            isinstance(node, Call)
            and node.operation == "eq"
            and node.arguments[0].type.kind == "datetime"
            and any(
                isinstance(each, Variable) and each.name == "now"
                for argument in node.arguments
                for each in walk(argument)
            )
        )
