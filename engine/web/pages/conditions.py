"""Live conditions of a form: what shows, what must be filled, what is locked, judged here first and in the browser as one types.

The same checked expressions decide at saving, so a page can be wrong for a moment and a record never.  What an expression
reads from other records is fetched once and given to the browser as plain values.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from engine.app import EntityApp
from engine.expressions import Expression
from engine.expressions.browser import working_days, working_time
from engine.fields import Invalid
from engine.web.pages.inputs import Input
from engine.web.pages.layout import Part
from engine.web.pages.visit import AppVisit

# So far ahead and back a browser knows working days; the server knows all.
DAYS_AROUND = 183
_OF_WORKTIME = frozenset({"worktime_between", "add_worktime"})


@dataclass(frozen=True)
class Conditions:
    """`values` are stored values by field; `reads` what expressions read elsewhere, None where that is not known."""

    model: EntityApp
    parts: Sequence[Part]
    values: Mapping[str, Any]
    reads: Mapping[str, Any] | None
    context: Any
    told: frozenset[str] | None = None  # the fields whose values a browser may know; None: all of the form's record

    @classmethod
    def of(
        cls, visit: AppVisit, r: Any, model: EntityApp, parts: Sequence[Part], values: Mapping[str, Any], id: int | None
    ) -> "Conditions":
        """Of a form with these JSON values; `id` is the record's, None for one that is not there yet."""
        made = cls(model, parts, _stored(model, values), {}, visit.lens.context())
        asked = [expression for _, _, expression in made._all() if expression.reads]
        if not asked:
            return made
        if id is None:
            return replace(made, reads=None)
        work = visit.site.runtime.work(visit.app, visit.principal, r)
        return replace(made, reads=work.fetch(work.plans.entity(model.name), asked, id))

    @classmethod
    def guest(
        cls, context: Any, model: EntityApp, parts: Sequence[Part], values: Mapping[str, Any], told: frozenset[str]
    ) -> "Conditions":
        """Of a form for somebody without an account: his browser learns of the fields `told` alone."""
        return cls(model, parts, _stored(model, values), None, context, told)

    def _all(self) -> Iterator[tuple[str, str, Expression]]:
        """(field or section, kind, expression)."""
        placed = {name for part in self.parts for name in part.fields}
        kinds = (
            ("visible", self.model.visible_when),
            ("required", self.model.required_when),
            ("readonly", self.model.readonly_when),
        )
        for kind, conditions in kinds:
            for name, expression in conditions.items():
                if name in placed:
                    yield name, kind, expression
        for part in self.parts:
            if part.visible_when is not None:
                yield f"~{part.name}", "visible", part.visible_when

    def _holds(self, expression: Expression, unknown: bool) -> bool:
        if expression.reads and self.reads is None:
            return unknown
        return bool(expression.evaluate({**self.values, **(self.reads or {})}, self.context))

    def shows(self, part: Part) -> bool:
        return part.visible_when is None or self._holds(part.visible_when, True)

    def apply(self, input: Input, name: str) -> Input:
        """The control as the values of now make it."""
        visible, required, locked = (
            self.model.visible_when.get(name),
            self.model.required_when.get(name),
            self.model.readonly_when.get(name),
        )
        shown = visible is None or self._holds(visible, True)
        must = input.required or (required is not None and input.widget != "readonly" and self._holds(required, False))
        still = input.readonly or (locked is not None and self._holds(locked, False))
        return replace(input, hidden=not shown, required=must and shown, readonly=still)

    def _may_tell(self, expression: Expression) -> bool:
        return self.told is None or not (expression.reads or expression.variables or expression.locals - self.told)

    def for_browser(self) -> str:
        """The conditions as JSON for the form's script; those that read what is not known, or may not be told, stay with the server."""
        conditions: dict[str, dict[str, Any]] = {}
        names: set[str] = set()
        for name, kind, expression in self._all():
            if (expression.reads and self.reads is None) or not self._may_tell(expression):
                continue
            conditions.setdefault(name, {})[kind] = expression.to_json()
            names |= expression.locals
        if not conditions:
            return ""
        types = {name: _type(self.model, name) for name in sorted(names) if name in self.model.fields}
        values = {name: _plain(self.values.get(name)) for name in sorted(names)}
        reads = {key: _plain(value) for key, value in (self.reads or {}).items()}
        return orjson.dumps(
            {
                "conditions": conditions,
                "types": types,
                "values": values,
                "reads": reads,
                "context": _context(self.context, any(map(_counts_hours, conditions.values()))),
            }
        ).decode()


def _type(model: EntityApp, name: str) -> dict[str, Any]:
    kind = model.fields[name].value_type()
    return {"kind": kind.kind, "scale": kind.scale, "percent": model.fields[name].type == "percent"}


def _plain(value: Any) -> Any:
    """A stored value as JSON that keeps it exact: integers beyond what a browser's numbers hold are texts."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _counts_hours(conditions: Mapping[str, dict[str, Any]]) -> bool:
    return any(node[0] in _OF_WORKTIME for written in conditions.values() for node in written["nodes"])


def _context(context: Any, hours: bool) -> dict[str, Any]:
    """What expressions read besides values: the reader, the zone, and the working days of the year around today.

    With `hours` also its working hours, which few forms ask for.
    """
    variables = {
        name: [_plain(each) for each in value] if isinstance(value, tuple) else _plain(value)
        for name, value in context.variables.items()
    }
    calendar = context.calendar
    today = calendar.local_day(context.now)
    around = (today - DAYS_AROUND, today + DAYS_AROUND)
    known = working_days(calendar, *around)
    if hours:
        known["worktime"] = working_time(calendar, *around)
    return {
        "timezone": calendar.timezone,
        "variables": variables,
        "calendar": known,
    }


def _stored(model: EntityApp, values: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        each = model.fields.get(name)
        if each is None or not each.stored or value is None:
            continue
        try:
            found[name] = each.parse(value)
        except (Invalid, ValueError, TypeError):
            continue
    return found
