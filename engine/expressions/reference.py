"""The readable reading of an expression: one line over decimals, dates and texts, evaluated by simpleeval.

It is the meaning written a second time, slowly and plainly: where the compiled readings work on scaled integers, this
one works on Decimals and datetimes.  Property tests hold the others against it, and the designer uses it to try an
expression and to show how it is calculated.  The evaluator is closed: only the operators and functions below, no
attributes, no subscripts, no `%` on texts.
"""

import ast
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, ROUND_UP, Context as Precision, Decimal, localcontext
from functools import lru_cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from simpleeval import SimpleEval

from engine.expressions.primitives import (
    FIRST_INSTANT,
    FIRST_WORKDAY,
    FIRST_WORKTIME,
    LAST_INSTANT,
    LAST_WORKDAY,
    LAST_WORKTIME,
    MAX_LENGTH,
    SPACES,
)
from engine.expressions.reading import SUPPLIED
from engine.expressions.tree import Aggregate, Call, Const, Follow, Name, Node, Variable
from engine.expressions.types import Context, Type, WorkingTime

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_PRECISION = Precision(prec=250)
_INFIX = {"add": "+", "sub": "-", "mul": "*", "mod": "%", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "=="}
_INFIX |= {"text_lt": "<", "text_le": "<=", "text_gt": ">", "text_ge": ">="}
_ROUNDED = {"narrow": "round_half", "narrow_up": "round_up", "narrow_down": "round_down", "narrow_floor": "round_floor"}


def explained(tree: Node) -> tuple[str, dict[str, str]]:
    """The expression as one line, and what each of its names stands for: a field, a read's key, or a variable."""
    names: dict[str, str] = {}
    return _Writer(names).write(tree), names


def evaluate(tree: Node, values: Mapping[str, Any], context: Context) -> Any:
    """The stored value, as `Expression.evaluate` gives it."""
    types: dict[str, tuple[Type, Any]] = {}
    names: dict[str, str] = {}
    text = _Writer(names, types, values, context).write(tree)
    with localcontext(_PRECISION):
        known = {name: _decoded(*types[name]) for name in names}
        reader = _Closed(functions={**_FUNCTIONS, **_of_calendar(context)}, names=known)
        return _encoded(tree.type, reader.eval(text))


def _decoded(type: Type, stored: Any) -> Any:
    if stored is None or type.kind not in ("number", "duration", "date", "datetime"):
        return stored
    if type.kind == "date":
        return _EPOCH_DAY + timedelta(days=stored)
    if type.kind == "datetime":
        return _EPOCH + stored * _MICROSECOND
    return Decimal(stored).scaleb(-type.scale)


def _encoded(type: Type, value: Any) -> Any:
    match value:
        case datetime():
            return (value - _EPOCH) // _MICROSECOND
        case date():
            return (value - _EPOCH_DAY).days
        case Decimal():
            return int(value.scaleb(type.scale))
    return value if value is None or type.kind != "boolean" else bool(value)


class _Writer:
    """Writes the line; numbers the names as it meets them."""

    def __init__(
        self,
        names: dict[str, str],
        types: dict[str, tuple[Type, Any]] | None = None,
        values: Mapping[str, Any] | None = None,
        context: Context | None = None,
    ) -> None:
        self.names, self.types, self.values, self.context = names, types, values or {}, context
        self.by_key: dict[str, str] = {}

    def write(self, node: Node) -> str:
        match node:
            case Const(of, value):
                return _constant(of, value)
            case Name(_, _, name, _):
                return self.named(node, name, self.values.get(name))
            case Follow() | Aggregate():
                return self.named(node, node.key, self.values.get(node.key))
            case Variable(_, name):
                return self.named(node, f"${name}", self.variable(name))
            case Call():
                return self.call(node, [self.write(each) for each in node.arguments])
        raise TypeError(node)

    def variable(self, name: str) -> Any:
        if self.context is None:
            return None
        if name not in SUPPLIED:
            return self.context.variables.get(name)
        zone = self.context.calendar.timezone
        local = (_EPOCH + self.context.now * _MICROSECOND).astimezone(ZoneInfo(zone)).date()
        return {"now": self.context.now, "timezone": zone, "today": (local - _EPOCH_DAY).days, "calendar": None}[name]

    def named(self, node: Node, key: str, value: Any) -> str:
        if key not in self.by_key:
            plain = key.removeprefix("$").replace(".", "_")
            name = plain if plain.isidentifier() and plain not in self.names else f"value_{len(self.names) + 1}"
            self.by_key[key] = name
            self.names[name] = key
            if self.types is not None:
                self.types[name] = (node.type, value)
        return self.by_key[key]

    def call(self, node: Call, parts: list[str]) -> str:
        operation, scale = node.operation, node.type.scale
        if operation in _INFIX:
            text = f"({parts[0]} {_INFIX[operation]} {parts[1]})"
            return f"fit({text}, {scale})" if node.may_overflow and node.type.kind in ("number", "duration") else text
        match operation:
            case "neg":
                return f"fit(-{parts[0]}, {scale})"
            case "abs":
                return f"fit(size({parts[0]}), {scale})"
            case "not":
                return f"(not {parts[0]})"
            case "and" | "or":
                return f"truth({f' {operation} '.join(parts)})"
            case "if":
                return f"({parts[1]} if {parts[0]} else {parts[2]})"
            case "is_null":
                return f"({parts[0]} == None)"
            case "in":
                return f"among({parts[0]}, {parts[1]})"
            case "widen" | "narrow" | "narrow_up" | "narrow_down" | "narrow_floor":
                return self.rescaled(node, parts[0])
            case "mul_narrow":
                return f"round_half({parts[0]} * {parts[1]}, {scale})"
            case "power":
                return f"round_half(power({parts[0]}, {node.static[0]}), {scale})"
            case "div":
                return f"round_half({parts[0]} / {parts[1]}, {scale})"
            case "small" | "number_text" | "start_of" | "end_of":
                shown = node.static[0] if operation != "small" else f"number('{node.static[0]}')"
                return (
                    f"{operation}({parts[0]}, {shown!r})"
                    if operation.endswith("_of")
                    else f"{operation}({parts[0]}, {shown})"
                )
        return f"{operation}({', '.join(parts)})"

    def rescaled(self, node: Call, part: str) -> str:
        """Rounding at another scale; where tens and hundreds are dropped, the number is divided, or multiplied, as well."""
        step, (before,) = Decimal(int(node.static[0])), node.arguments
        factor = (step if node.operation == "widen" else 1 / step).scaleb(before.type.scale - node.type.scale)
        if factor != 1:
            part = f"{part} * number('{factor}')"
        return f"{_ROUNDED.get(node.operation, 'fit')}({part}, {node.type.scale})"


def _constant(type: Type, value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(_constant(type.item or type, each) for each in value)
    if value is None or isinstance(value, bool | str):
        return repr(value)
    if type.kind == "date":
        return f"date('{_EPOCH_DAY + timedelta(days=value)}')"
    return f"number('{Decimal(value).scaleb(-type.scale):f}')" if type.kind in ("number", "duration") else str(value)


class _Closed(SimpleEval):  # type: ignore[misc]
    """simpleeval with the doors shut that an expression never needs."""

    def __init__(self, functions: Mapping[str, Any], names: Mapping[str, Any]) -> None:
        super().__init__(operators=_OPERATORS, functions=dict(functions), names=dict(names))
        allowed = (
            ast.Expr,
            ast.Name,
            ast.UnaryOp,
            ast.BinOp,
            ast.BoolOp,
            ast.Compare,
            ast.IfExp,
            ast.Call,
            ast.Constant,
        )
        self.nodes: dict[type, Any] = {kind: read for kind, read in self.nodes.items() if kind in allowed}


def _strict(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *values: None if any(value is None for value in values) else function(*values)


def _claims(function: Callable[..., bool]) -> Callable[..., bool]:
    return lambda *values: all(value is not None for value in values) and function(*values)


def _plus(left: Any, right: Any) -> Any:
    if isinstance(left, datetime):
        return _within_calendar(lambda: left + int(right) * _MICROSECOND)
    if isinstance(left, date):
        return _within_calendar(lambda: left + timedelta(days=int(right)))
    return _number(left) + _number(right)


def _number(value: Any) -> Decimal:
    """Only numbers are calculated with: a text times a million is a bomb. Raises TypeError for anything else."""
    if not isinstance(value, Decimal):
        raise TypeError(value)
    return value


def _minus(left: Any, right: Any) -> Any:
    if isinstance(left, datetime) and isinstance(right, datetime):
        return Decimal((left - right) // _MICROSECOND)
    if isinstance(left, date) and isinstance(right, date):
        return Decimal((left - right).days)
    return _plus(left, -right)


def _within_calendar(moved: Callable[[], T]) -> T | None:
    try:
        return moved()
    except OverflowError:
        return None


def _remainder(left: Decimal, right: Decimal) -> Decimal | None:
    return _number(left) - right * (left / right).to_integral_value(ROUND_FLOOR) if right else None


_OPERATORS = {
    ast.Add: _strict(_plus), ast.Sub: _strict(_minus), ast.Mult: _strict(lambda a, b: _number(a) * _number(b)), ast.Div: _strict(lambda a, b: _number(a) / b if b else None),
    ast.Mod: _strict(_remainder), ast.USub: _strict(lambda a: -a), ast.Not: lambda a: not a, ast.Eq: lambda a, b: a == b,
    ast.Lt: _claims(lambda a, b: a < b), ast.LtE: _claims(lambda a, b: a <= b), ast.Gt: _claims(lambda a, b: a > b), ast.GtE: _claims(lambda a, b: a >= b),
}  # fmt: skip


def _rounding(mode: str) -> Callable[..., Any]:
    def rounded(value: Decimal, scale: int) -> Decimal | None:
        return _fit(value.quantize(Decimal(1).scaleb(-scale), rounding=mode), scale)

    return _strict(rounded)


def _fit(value: Decimal, scale: int) -> Decimal | None:
    """The number if a database holds it at that scale."""
    return value if -(2**63) <= value.scaleb(scale) < 2**63 else None


def _power(value: Decimal, times: int) -> Decimal:
    found = value
    for _ in range(times - 1):
        found *= value
    return found


def _cut(text: str, start: int, count: Decimal) -> str | None:
    return text[start : start + int(count)] or None if start >= 0 and count >= 1 else None


def _parsed(text: str) -> Decimal | None:
    return Decimal(text) if re.fullmatch(r"[+-]?[0-9]{1,12}(\.[0-9]{1,6})?", text) else None


def _month_start(year: int, month: int) -> date:
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)


def _first_of(day: date, unit: str) -> date:
    if unit == "week":
        return day - timedelta(days=day.isoweekday() - 1)
    return _month_start(day.year, {"month": day.month, "quarter": day.month - (day.month - 1) % 3, "year": 1}[unit])


def _last_of(day: date, unit: str) -> date | None:
    if unit == "week":
        return _within_calendar(lambda: _first_of(day, unit) + timedelta(days=6))
    first, months = _first_of(day, unit), {"month": 1, "quarter": 3, "year": 12}[unit]
    if (first.year, first.month + months) == (9999, 13):
        return date.max
    return _month_start(first.year, first.month + months) - timedelta(days=1)


def _add_months(day: date, count: Decimal) -> date | None:
    months = day.year * 12 + day.month - 1 + int(count)
    if not 1 <= months // 12 <= 9999:
        return None
    last = _last_of(date(months // 12, months % 12 + 1, 1), "month")
    assert last is not None
    return last.replace(day=min(day.day, last.day))


def _made(*parts: Decimal) -> date | None:
    try:
        return date(*map(int, parts))
    except ValueError:
        return None


def _local(instant: datetime, timezone: str) -> datetime | None:
    return instant.astimezone(ZoneInfo(timezone)) if _known(instant) else None


def _known(instant: datetime) -> bool:
    return FIRST_INSTANT <= (instant - _EPOCH) // _MICROSECOND <= LAST_INSTANT


def _of_local(read: Callable[[datetime], Any]) -> Callable[..., Any]:
    def found(instant: datetime, timezone: str) -> Any:
        local = _local(instant, timezone)
        return None if local is None else read(local)

    return _strict(found)


def _ascii(text: str, change: Callable[[str], str]) -> str:
    return "".join(change(letter) if letter.isascii() else letter for letter in text)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "fit": _strict(_fit), "round_half": _rounding(ROUND_HALF_UP), "round_up": _rounding(ROUND_UP), "round_down": _rounding(ROUND_DOWN),
    "round_floor": _rounding(ROUND_FLOOR), "number": Decimal, "date": date.fromisoformat, "truth": bool, "size": _strict(abs), "power": _strict(_power),
    "lesser": _strict(min), "greater": _strict(max), "lesser_text": _strict(min), "greater_text": _strict(max),
    "small": _strict(lambda value, limit: value if -limit <= value <= limit else None), "number_of_boolean": _strict(lambda value: Decimal(1 if value else 0)),
    "coalesce": lambda *values: next((value for value in values if value is not None), None), "among": lambda value, *listed: value in listed,
    "in_set": _claims(lambda value, listed: value in listed),
    "join": lambda left, right: ((left or "") + (right or ""))[:MAX_LENGTH] or None, "join_both": _strict(lambda left, right: (left + right)[:MAX_LENGTH]),
    "upper": _strict(lambda text: _ascii(text, str.upper)), "lower": _strict(lambda text: _ascii(text, str.lower)), "trim": _strict(lambda text: text.strip(SPACES) or None),
    "left": _strict(lambda text, count: _cut(text, 0, count)), "right": _strict(lambda text, count: _cut(text, max(0, len(text) - int(count)), count)),
    "middle": _strict(lambda text, start, count: _cut(text, int(start) - 1, count)), "length": lambda text: Decimal(len(text or "")),
    "contains": _claims(lambda text, part: part in text), "starts_with": _claims(lambda text, part: text[: len(part)] == part),
    "ends_with": _claims(lambda text, part: text[-len(part) :] == part), "number_text": _strict(lambda value, scale: f"{value + 0:.{scale}f}"),
    "text_number": _strict(_parsed), "has": _claims(lambda chosen, option: option in chosen.split("|")),
    "count_choices": lambda chosen: Decimal(len([each for each in (chosen or "").split("|") if each])), "count_files": lambda files: Decimal(len(json.loads(files or "[]"))),
    "whole_days": _strict(lambda passed: (passed / 86_400_000_000).to_integral_value(ROUND_FLOOR)), "within": lambda day: day,
    "within_instants": _strict(lambda instant: instant if _known(instant) else None),
    "day_of": _of_local(lambda local: local.date()), "hour_of": _of_local(lambda local: Decimal(local.hour)),
    "instant_text": _of_local(lambda local: local.isoformat(sep=" ", timespec="minutes")[:16]), "date_text": _strict(date.isoformat),
    "year": _strict(lambda day: Decimal(day.year)), "month": _strict(lambda day: Decimal(day.month)), "day_of_month": _strict(lambda day: Decimal(day.day)),
    "quarter": _strict(lambda day: Decimal((day.month + 2) // 3)), "weekday": _strict(lambda day: Decimal(day.isoweekday())),
    "start_of": _strict(_first_of), "end_of": _strict(_last_of), "add_months": _strict(_add_months), "make_date": _strict(_made),
}  # fmt: skip


@lru_cache(maxsize=4)
def _stretches(calendar: WorkingTime) -> list[tuple[int, int]]:
    return [(since, until) for since, until, _ in calendar.stretches()]


def _of_calendar(context: Context) -> dict[str, Callable[..., Any]]:
    """The functions of working days, counted day by day in whole weeks of the calendar."""
    calendar = context.calendar

    def number(day: date) -> int | None:
        found = (day - _EPOCH_DAY).days
        return found if FIRST_WORKDAY <= found <= LAST_WORKDAY else None

    def between(start: date, end: date, _: None) -> Decimal | None:
        first, last = number(start), number(end)
        return None if first is None or last is None else Decimal(calendar.index(last) - calendar.index(first))

    def works(day: date, _: None) -> bool:
        found = number(day)
        return found is not None and calendar.nth(calendar.index(found)) == found

    def add(day: date, count: Decimal, _: None) -> date | None:
        left, step = abs(int(count)), timedelta(days=1 if count > 0 else -1)
        if left and number(day) is None:
            return None
        while left:
            day += step
            if number(day) is None:
                return None
            left -= works(day, None)
        return day

    def given(function: Callable[..., Any], otherwise: Any) -> Callable[..., Any]:
        return lambda *values: otherwise if None in values[:-1] else function(*values)

    def instant(at: datetime) -> int | None:
        found = (at - _EPOCH) // _MICROSECOND
        return found if FIRST_WORKTIME <= found <= LAST_WORKTIME else None

    def worked(start: datetime, end: datetime, _: None) -> Decimal | None:
        first, last = instant(start), instant(end)
        if first is None or last is None:
            return None
        low, high = min(first, last), max(first, last)
        shared = sum(max(0, min(high, until) - max(low, since)) for since, until in _stretches(calendar))
        return Decimal(shared if last >= first else -shared)

    def after(start: datetime, span: Decimal, _: None) -> datetime | None:
        """Stretch by stretch in the direction of the span, until it is used up."""
        left, now = abs(int(span)), instant(start)
        if not left:
            return start
        if now is None:
            return None
        stretches = _stretches(calendar)
        for since, until in stretches if span > 0 else reversed(stretches):
            free = until - max(since, now) if span > 0 else min(until, now) - since
            if 0 < free < left:
                left -= free
            elif free > 0:
                there = _EPOCH + (max(since, now) + left if span > 0 else min(until, now) - left) * _MICROSECOND
                return there if instant(there) is not None else None
        return None

    def same_time(day: date, at: datetime, zone: str) -> datetime | None:
        if not _known(at):
            return None
        shown = at.astimezone(ZoneInfo(zone)).timetz()
        found = max(datetime.combine(day, shown.replace(fold=fold)).astimezone(UTC) for fold in (0, 1))
        return found if _known(found) else None

    return {
        "same_time": given(same_time, None),
        "worktime_between": given(worked, None),
        "add_worktime": given(after, None),
        "workdays_between": given(between, None),
        "is_workday": given(works, False),
        "add_workdays": given(add, None),
    }
