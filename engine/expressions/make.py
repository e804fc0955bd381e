"""Typed nodes out of typed nodes: where scales are aligned, units agree and constants are folded.

Fixed point: + and - and comparisons bring both sides to the greater scale; a product has the sum of the scales and a
quotient six digits more than its operands, both cut at ten digits by rounding half away from zero.  What does not fit
together raises Clash; the checker, which knows the places, makes a fault of it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

from engine.expressions import primitives
from engine.expressions.operations import OPERATIONS
from engine.expressions.tree import Call, Const, Node
from engine.expressions.types import BOOLEAN, DATE, DURATION, NULL, NUMBER, TEXT, Type

MAX_SCALE = 10
ZERO = Const(NUMBER.required(), 0)
SOME_TEXT = TEXT.required()
TRUE, FALSE = Const(BOOLEAN, True), Const(BOOLEAN, False)


@dataclass
class Clash(Exception):
    """`code` is a fault; `at` the index of the operand at fault, None for the whole."""

    code: str
    parameters: dict[str, Any]
    at: int | None = None


def mismatch(found: Type, expected: str, at: int | None = None) -> Clash:
    return Clash("type-mismatch", {"found": found.kind, "expected": expected}, at)


def number(value: Decimal) -> Const:
    """A literal, at the least scale that holds it. Raises Clash when no database integer does."""
    _, digits, exponent = value.as_tuple()
    scale = max(0, -int(exponent))
    stored = int(value.scaleb(scale)) if len(digits) < 40 else primitives.HIGHEST + 1
    while scale and stored % 10 == 0:
        stored, scale = stored // 10, scale - 1
    if stored > primitives.HIGHEST or scale > MAX_SCALE:
        raise Clash("number-too-long", {"digits": 18, "scale": MAX_SCALE})
    return Const(Type("number", nullable=False, scale=scale), stored)


def null(type: Type = NULL) -> Const:
    return Const(type.optional(), None)


def call(operation: str, arguments: Sequence[Node], type: Type, *static: int | str) -> Node:
    """A call, or its value if all arguments are constants. Nullability follows the arguments."""
    known = OPERATIONS[operation]
    if known.predicate:
        type = BOOLEAN
    elif known.strict and not known.lazy:
        empty = known.may_be_empty or any(argument.type.nullable for argument in arguments)
        type = type.optional() if empty else type.required()
    if not known.lazy and all(isinstance(argument, Const) for argument in arguments):
        values = [argument.value for argument in arguments if isinstance(argument, Const)]
        return _constant(type, apply(operation, values, static))
    return Call(type, operation, tuple(arguments), static)


def apply(operation: str, values: Sequence[Any], static: tuple[int | str, ...]) -> Any:
    """The value of an operation that is not lazy, in Python."""
    known = OPERATIONS[operation]
    if known.strict and any(value is None for value in values):
        return False if known.predicate else None
    found = _function(operation, len(values), static)(*values)
    if known.bounds and isinstance(found, int) and not isinstance(found, bool):
        return primitives.exact(found)
    return found


@lru_cache(maxsize=4096)
def _function(operation: str, count: int, static: tuple[int | str, ...]) -> Any:
    names = [f"x{index}" for index in range(count)]
    body = OPERATIONS[operation].python.format(*names, **{f"s{index}": each for index, each in enumerate(static)})
    return eval(f"lambda {', '.join(names)}: {body}", vars(primitives).copy())


def _constant(type: Type, value: Any) -> Const:
    return Const(type.optional() if value is None else type.required(), value)


# Numbers


def rescale(node: Node, scale: int, rounding: str = "narrow") -> Node:
    """The same number at another scale. `rounding` is the operation that drops digits."""
    change = scale - node.type.scale
    if change == 0:
        return node
    type = replace(node.type, scale=scale)
    if isinstance(node, Const) and node.value is None:
        return null(type)
    if change > 0:
        return call("widen", (node,), type, 10**change)
    return call(rounding, (node,), type, 10**-change, inverse(-change))


def inverse(digits: int) -> str:
    """10 to the power of -digits as an SQL decimal."""
    return f"0.{'1'.rjust(digits, '0')}" if digits else "1"


def _numeric(nodes: Sequence[Node]) -> None:
    for index, node in enumerate(nodes):
        if node.type.kind not in ("number", "null"):
            raise mismatch(node.type, "number", index)


def unit_of(types: Sequence[Type]) -> str | None:
    """The one unit among the types. Raises Clash when there are two."""
    units = [type.unit for type in types if type.unit is not None]
    for unit in units[1:]:
        if unit != units[0]:
            raise Clash("unit-mismatch", {"one": units[0], "other": unit})
    return units[0] if units else None


def align(nodes: Sequence[Node]) -> list[Node]:
    """The same numbers at the greatest of their scales and in their one unit; null becomes a number."""
    _numeric(nodes)
    scale = max(node.type.scale for node in nodes)
    unit = unit_of([node.type for node in nodes])
    return [_in_unit(rescale(null(NUMBER) if node.type.kind == "null" else node, scale), unit) for node in nodes]


def _in_unit(node: Node, unit: str | None) -> Node:
    return (
        node
        if node.type.unit == unit or not isinstance(node, Const)
        else replace(node, type=replace(node.type, unit=unit))
    )


def add(left: Node, right: Node, operation: str = "add") -> Node:
    """The sum, or with `sub` the difference, of two numbers."""
    nodes = align((left, right))
    unit = unit_of([node.type for node in nodes])
    type = nodes[0].type
    return call(operation, nodes, type if type.unit == unit else replace(type, unit=unit))


def multiply(left: Node, right: Node) -> Node:
    _numeric((left, right))
    units = {left.type.unit, right.type.unit} - {None, "percent"}
    if len(units) > 1 or (units and left.type.unit == right.type.unit):
        raise Clash("unit-mismatch", {"one": left.type.unit, "other": right.type.unit})
    unit = units.pop() if units else ("percent" if left.type.unit == right.type.unit == "percent" else None)
    scale, limit = left.type.scale + right.type.scale, max(MAX_SCALE, left.type.scale, right.type.scale)
    type = Type("number", scale=min(scale, limit), unit=unit)
    if scale > limit:
        return call("mul_narrow", (left, right), type, 10 ** (scale - limit), inverse(scale - limit))
    return call("mul", (left, right), type)


def divide(left: Node, right: Node) -> Node:
    _numeric((left, right))
    units = (left.type.unit, right.type.unit)
    unit = None if units[0] == units[1] or right.type.unit not in (None, "percent") else left.type.unit
    greatest = max(left.type.scale, right.type.scale)
    scale = min(greatest + 6, max(MAX_SCALE, greatest))
    type = Type("number", scale=scale, unit=unit)
    return _nullable_by(right, call("div", (left, right), type, 10 ** (scale - left.type.scale + right.type.scale)))


def modulo(left: Node, right: Node) -> Node:
    nodes = align((left, right))
    return _nullable_by(nodes[1], call("mod", nodes, nodes[0].type))


def may_be_zero(node: Node) -> bool:
    low, high = node.bounds
    return low <= 0 <= high


def _nullable_by(divisor: Node, quotient: Node) -> Node:
    return replace(quotient, type=quotient.type.optional()) if may_be_zero(divisor) else quotient


def negate(node: Node) -> Node:
    if node.type.kind not in ("number", "duration"):
        raise mismatch(node.type, "number", 0)
    return call("neg", (node,), node.type)


def whole(node: Node, limit: int) -> Node:
    """A number as a count within ±limit, rounded; null beyond."""
    _numeric((node,))
    return call("small", (rescale(node, 0),), NUMBER, limit)


# What may stand side by side


def unify(nodes: Sequence[Node]) -> list[Node]:
    """The nodes brought to one type, so that any of them may be the result. Raises Clash."""
    kinds = {node.type.kind for node in nodes} - {"null"}
    optional = any(node.type.nullable for node in nodes)
    if not kinds:
        return list(nodes)
    if kinds == {"number"}:
        return align(nodes)
    if kinds <= {"text", "choice"}:
        return _texts(nodes, kinds)
    if len(kinds) > 1:
        first = next(node for node in nodes if node.type.kind != "null")
        other = next(index for index, node in enumerate(nodes) if node.type.kind not in ("null", first.type.kind))
        raise mismatch(nodes[other].type, first.type.kind, other)
    if kinds & {"records", "list"}:
        raise mismatch(nodes[0].type, "value", 0)
    type = next(node.type for node in nodes if node.type.kind != "null")
    for index, node in enumerate(nodes):
        if node.type.kind == "record" and node.type.entity != type.entity:
            raise Clash("type-mismatch", {"found": node.type.entity, "expected": type.entity}, index)
        if node.type.kind == "duration" and node.type.unit != type.unit:
            raise Clash("unit-mismatch", {"one": type.unit or "h", "other": node.type.unit or "h"}, index)
    return [null(type) if node.type.kind == "null" else node for node in nodes] if optional else list(nodes)


def _texts(nodes: Sequence[Node], kinds: Collection[str]) -> list[Node]:
    options = next((node.type.options for node in nodes if node.type.options is not None), None)
    same = all(node.type.options == options for node in nodes if node.type.kind == "choice")
    constant = all(isinstance(node, Const) for node in nodes if node.type.kind == "text")
    # A text among choices is one of them if it is written out: then it can be checked.
    type = Type("choice", options=options) if "choice" in kinds and same and constant else TEXT
    return [_as(node, replace(type, nullable=node.type.nullable)) for node in nodes]


def _as(node: Node, type: Type) -> Node:
    return replace(node, type=type) if isinstance(node, Const) else node


def wrong_option(nodes: Sequence[Node]) -> int | None:
    """The index of a constant that is no option of the choice it stands beside."""
    options = next(
        (node.type.options for node in nodes if node.type.kind == "choice" and node.type.options is not None), None
    )
    if options is None:
        return None
    for index, node in enumerate(nodes):
        if isinstance(node, Const) and isinstance(node.value, str) and node.value not in options:
            return index
    return None


def common(nodes: Sequence[Node]) -> Type:
    """The type of a result that is one of the unified nodes."""
    type = next((node.type for node in nodes if node.type.kind != "null"), NULL)
    if type.kind == "choice" and any(node.type.kind == "text" for node in nodes):
        type = TEXT
    if type.kind == "number":
        unit = unit_of([node.type for node in nodes])
        type = type if type.unit == unit else replace(type, unit=unit)
    return type.optional() if any(node.type.nullable for node in nodes) else type.required()


# Conditions


def both(nodes: Sequence[Node], operation: str = "and") -> Node:
    """All of the conditions, or with `or` any of them."""
    decides = operation == "or"
    rest = []
    for node in nodes:
        if isinstance(node, Const):
            if bool(node.value) == decides:
                return TRUE if decides else FALSE
        else:
            rest.append(node)
    if not rest:
        return FALSE if decides else TRUE
    return Call(BOOLEAN, operation, tuple(rest)) if len(rest) > 1 or not is_predicate(rest[0]) else rest[0]


def negated(node: Node) -> Node:
    if isinstance(node, Const):
        return FALSE if node.value else TRUE
    if isinstance(node, Call) and node.operation == "not" and is_predicate(node.arguments[0]):
        return node.arguments[0]
    return Call(BOOLEAN, "not", (node,))


def is_predicate(node: Node) -> bool:
    """Whether the node is true or false and never null."""
    return isinstance(node, Call) and OPERATIONS[node.operation].predicate


def is_null(node: Node) -> Node:
    return call("is_null", (node,), BOOLEAN)


def equal(left: Node, right: Node) -> Node:
    if isinstance(left, Const) and isinstance(right, Const):
        return TRUE if left.value == right.value else FALSE
    for one, other in ((left, right), (right, left)):
        if isinstance(other, Const) and other.value is None:
            return is_null(one)
    return Call(BOOLEAN, "eq", (left, right))


def ordered(sign: str, left: Node, right: Node) -> Node:
    """`<`, `<=`, `>` or `>=` over two unified nodes."""
    kind = next((node.type.kind for node in (left, right) if node.type.kind != "null"), "null")
    if kind not in ("number", "text", "date", "datetime", "duration", "null"):
        raise mismatch((left if left.type.kind == kind else right).type, "ordered", 0)
    name = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge"}[sign]
    return call(f"text_{name}" if kind == "text" else name, (left, right), BOOLEAN)


def member(item: Node, constants: Sequence[Const]) -> Node:
    values = tuple(dict.fromkeys(each.value for each in constants if each.value is not None))
    nothing = [is_null(item)] if any(each.value is None for each in constants) else []
    if isinstance(item, Const):
        return TRUE if item.value in values or (item.value is None and nothing) else FALSE
    if not values:
        return nothing[0] if nothing else FALSE
    listed = Const(Type("list", nullable=False, item=item.type), values)
    return both([Call(BOOLEAN, "in", (item, listed)), *nothing], "or")


def chosen(condition: Node, then: Node, otherwise: Node) -> Node:
    """`then if condition else otherwise`, over unified branches."""
    if isinstance(condition, Const):
        return then if condition.value else otherwise
    return Call(common((then, otherwise)), "if", (condition, then, otherwise))


def first_filled(nodes: Sequence[Node]) -> Node:
    """The first of the unified nodes that is not null."""
    rest = [node for node in nodes if not (isinstance(node, Const) and node.value is None)]
    if not rest:
        return nodes[0]
    ends = next((index for index, node in enumerate(rest) if isinstance(node, Const)), len(rest) - 1)
    rest = rest[: ends + 1]
    if len(rest) == 1:
        return rest[0]
    nullable = all(node.type.nullable for node in rest)
    return Call(replace(common(rest), nullable=nullable), "coalesce", tuple(rest))


# Time


def shifted(start: Node, by: Node, operation: str) -> Node:
    """A date or an instant moved by a duration; a date moves by whole days."""
    if start.type.kind == "date":
        days = call("whole_days", (by,), NUMBER)
        return call("within", (call(operation, (start, days), DATE),), DATE)
    return call("within_instants", (call(operation, (start, by), start.type),), start.type)


def between(start: Node, end: Node) -> Node:
    """The duration from one date or instant to another."""
    passed = call("sub", (end, start), DURATION)
    return (
        call("mul", (passed, Const(NUMBER.required(), primitives.DAY)), DURATION)
        if start.type.kind == "date"
        else passed
    )
