"""The operators between two values, by the kinds of value they stand between."""

from collections.abc import Sequence
from dataclasses import replace

from engine.expressions import make
from engine.expressions.functions.dates import add_workdays, add_worktime, as_count, day_of, written_day
from engine.expressions.tree import Const, Node
from engine.expressions.types import DURATION, TEXT, Type


def as_days(one: Node, other: Node) -> tuple[Node, Node]:
    """An instant beside a date counts as its local day; a text beside either that says a date is one."""
    kinds = {one.type.kind, other.type.kind}
    if kinds & {"date", "datetime"}:
        one, other = (
            written_day(node.value) or node if isinstance(node, Const) and isinstance(node.value, str) else node
            for node in (one, other)
        )
        if {one.type.kind, other.type.kind} == {"date", "datetime"}:
            one, other = (day_of(node) if node.type.kind == "datetime" else node for node in (one, other))
    if kinds == {"duration", "number"}:
        # Nothing at all needs no unit.
        one, other = (
            Const(DURATION.required(), 0) if isinstance(node, Const) and node.value == 0 else node
            for node in (one, other)
        )
    return one, other


def among(value: Node, items: Sequence[Node]) -> Node:
    constants = [each for each in items if isinstance(each, Const)]
    rest = [make.equal(value, each) for each in items if not isinstance(each, Const)]
    return make.both([make.member(value, constants), *rest], "or")


def arithmetic(sign: str, one: Node, other: Node) -> Node:
    kinds = (one.type.kind, other.type.kind)
    time = ("date", "datetime")
    if sign in "+-":
        operation = "add" if sign == "+" else "sub"
        if kinds[1] == "duration" and kinds[0] in time:
            return _moved(one, other, operation)
        if sign == "+" and kinds[0] == "duration" and kinds[1] in time:
            return _moved(other, one, operation)
        if sign == "-" and kinds[0] in time and kinds[1] in time:
            return make.between(*reversed(as_days(one, other)))
        if ("duration" in kinds and kinds[0] == kinds[1]) or kinds in (("duration", "null"), ("null", "duration")):
            return make.call(operation, make.unify((one, other)), _span(one, other))
        if sign == "+" and "text" in kinds and set(kinds) <= {"text", "choice", "null"}:
            return make.call("join_both", make.unify((one, other)), TEXT)
        for index, kind in enumerate(kinds):
            if kind in (*time, "duration"):
                raise make.mismatch((one, other)[1 - index].type, "duration", 1 - index)
        return make.add(one, other, operation)
    if sign == "*":
        if kinds == ("number", "duration"):
            one, other, kinds = other, one, ("duration", "number")
        if kinds == ("duration", "number"):
            scale = other.type.scale
            if not scale:
                return make.call("mul", (one, other), _span(one))
            return make.call("mul_narrow", (one, other), _span(one), 10**scale, make.inverse(scale))
        return make.multiply(one, other)
    if sign == "/":
        if kinds == ("duration", "number"):
            return make.call("div", (one, other), _span(one), 10**other.type.scale)
        if kinds == ("duration", "duration"):
            return make.call("div", make.unify((one, other)), Type("number", scale=6), 10**6)
        return make.divide(one, other)
    return make.modulo(one, other)


def _span(*nodes: Node) -> Type:
    """A duration in the unit of the nodes, which agree: microseconds, working days, or microseconds of working time."""
    return replace(DURATION, unit=next((node.type.unit for node in nodes if node.type.kind == "duration"), None))


def _moved(start: Node, by: Node, operation: str) -> Node:
    if by.type.unit is None:
        return make.shifted(start, by, operation)
    if operation == "sub":
        by = make.negate(by)
    return add_workdays(start, as_count(by)) if by.type.unit == "workdays" else add_worktime(start, by)
