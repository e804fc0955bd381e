"""What a condition teaches about the values it asked for: which are not null, which are not zero."""

from engine.expressions.operations import OPERATIONS
from engine.expressions.tree import Aggregate, Call, Const, Follow, Name, Node, Variable

Keys = frozenset[str]
NOTHING: Keys = frozenset()


def learned(condition: Node, holds: bool) -> tuple[Keys, Keys]:
    """The keys of values that cannot be null, and of those that cannot be zero, where the condition holds (or fails)."""
    if not isinstance(condition, Call):
        return NOTHING, NOTHING
    operation, arguments = condition.operation, condition.arguments
    if operation == "not":
        return learned(arguments[0], not holds)
    if operation in ("and", "or"):
        if holds != (operation == "and"):
            return NOTHING, NOTHING
        parts = [learned(each, holds) for each in arguments]
        return NOTHING.union(*(part[0] for part in parts)), NOTHING.union(*(part[1] for part in parts))
    if operation == "is_null":
        return (NOTHING, NOTHING) if holds else (spoken_of(arguments[0]), NOTHING)
    if operation == "eq":
        return _compared_equal(arguments, holds)
    if operation == "in":
        return (spoken_of(arguments[0]), NOTHING) if holds else (NOTHING, NOTHING)
    if holds and OPERATIONS[operation].predicate and OPERATIONS[operation].strict and not OPERATIONS[operation].lazy:
        filled = NOTHING.union(*(spoken_of(each) for each in arguments))
        return filled, _not_zero(operation, arguments)
    return NOTHING, NOTHING


def _compared_equal(arguments: tuple[Node, ...], holds: bool) -> tuple[Keys, Keys]:
    for one, other in (arguments, arguments[::-1]):
        if isinstance(other, Const):
            unlike_zero = holds != (other.value == 0)
            return (spoken_of(one) if holds else NOTHING), (itself(one) if unlike_zero else NOTHING)
    return NOTHING, NOTHING


def _not_zero(operation: str, arguments: tuple[Node, ...]) -> Keys:
    """From `x > 0`, `x >= 1`, `0 < x` and the like."""
    if operation not in ("lt", "le", "gt", "ge"):
        return NOTHING
    one, other = arguments
    value, bound, above = (
        (one, other, operation in ("gt", "ge")) if isinstance(other, Const) else (other, one, operation in ("lt", "le"))
    )
    if not isinstance(bound, Const) or type(bound.value) is not int:
        return NOTHING
    # The first value on the far side of the bound.
    nearest = bound.value + (operation in ("gt", "lt")) * (1 if above else -1)
    return itself(value) if (nearest > 0 if above else nearest < 0) else NOTHING


def itself(node: Node) -> Keys:
    """The key of a value, whatever its scale; nothing for what is calculated."""
    while isinstance(node, Call) and node.operation in ("widen", "neg"):
        node = node.arguments[0]
    return frozenset({node.key}) if isinstance(node, Name | Follow | Aggregate | Variable) else NOTHING


def spoken_of(node: Node) -> Keys:
    """The keys of what is null whenever the node is: the node itself and what its strict operations are made of."""
    if isinstance(node, Name | Follow | Aggregate | Variable):
        return frozenset({node.key})
    if isinstance(node, Call) and OPERATIONS[node.operation].strict and not OPERATIONS[node.operation].lazy:
        return NOTHING.union(*(spoken_of(each) for each in node.arguments))
    return NOTHING
