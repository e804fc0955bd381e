"""From the syntax tree to the typed tree: what every part means, and everything that is wrong with it.

A wrong part silences what hangs on it and nothing else, so all faults with causes of their own are found together.
Conditions teach: where `x is not null` or `x > 0` has been asked, `x` is not null.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from engine.expressions import functions, make
from engine.expressions.arithmetic import among, arithmetic, as_days
from engine.expressions.calls import Calls
from engine.expressions.faults import Edit, Fault
from engine.expressions.learned import itself, learned
from engine.expressions.operations import FULL
from engine.expressions.reporting import Silenced
from engine.expressions.syntax import (
    MICROSECONDS,
    Binary,
    Choice,
    Comparison,
    Dotted,
    Filtered,
    Invocation,
    Items,
    Literal,
    Logic,
    Membership,
    Nullness,
    Span,
    Unary,
    Written,
)  # fmt: skip
from engine.expressions.tree import MAX_HEIGHT, MAX_SIZE, Call, Const, Name, Node
from engine.expressions.types import BOOLEAN, DURATION, Type

__all__ = ["Checker", "Silenced"]


class Checker(Calls):
    """Checks one expression. `node` raises Silenced for a part in which a fault was found; `faults` fills up."""

    def node(self, part: Written) -> Node:
        found: Node = _READERS[type(part)](self, part)
        if found.size > MAX_SIZE or found.height > MAX_HEIGHT:
            of, limit = ("parts", MAX_SIZE) if found.size > MAX_SIZE else ("levels", MAX_HEIGHT)
            raise self.fault("expression-too-large", part, limit=limit, of=of)
        if id(found) not in self.written:
            self.written[id(found)] = part
            self.kept.append(found)
        return found

    def literal(self, part: Literal) -> Node:
        match part.value:
            case Decimal() as value:
                number = self.built((), part, lambda: make.number(value))
                return replace(number, type=replace(number.type, unit="percent")) if part.percent else number
            case str() as text:
                return Const(make.SOME_TEXT, text) if text else make.null()
            case bool() as truth:
                return make.TRUE if truth else make.FALSE
        return make.null()

    def span(self, part: Span) -> Node:
        amount, unit = part.amount, part.unit
        if unit in ("workdays", "workhours"):
            size = amount * MICROSECONDS["h"] if unit == "workhours" else amount
            if size != int(size) or size > FULL[1]:
                raise self.fault("duration-unfit", part, text=self.source(part))
            return Const(Type("duration", nullable=False, unit=unit), int(size))
        if unit not in MICROSECONDS or amount * MICROSECONDS[unit] > FULL[1]:
            raise self.fault("duration-unfit", part, text=self.source(part))
        return Const(DURATION.required(), int(amount * MICROSECONDS[unit]))

    def items(self, part: Items) -> Node:
        raise self.fault("type-mismatch", part, found="list", expected="value", text=self.source(part))

    def filtered(self, part: Filtered) -> Node:
        raise self.fault("type-mismatch", part, found="records", expected="value", text=self.source(part))

    def path(self, part: Dotted) -> Node:
        reach = self.reach(part)
        if reach.steps or reach.value is None:
            raise self.fault("type-mismatch", part, found="records", expected="value", text=self.source(part))
        return reach.value

    # Operators

    def unary(self, part: Unary) -> Node:
        if part.sign == "not":
            return make.negated(self.condition(part.operand))
        value = self.node(part.operand)
        opposite = self.built((part.operand,), part, lambda: make.negate(value))
        return opposite if part.sign == "-" else value

    def nullness(self, part: Nullness) -> Node:
        found = make.is_null(self.value(part.operand))
        return make.negated(found) if part.negated else found

    def choice(self, part: Choice) -> Node:
        condition = self.condition(part.condition)
        branches = self.branches(condition, part.then, part.otherwise)
        return self.unified((part.then, part.otherwise), part, branches, lambda nodes: make.chosen(condition, *nodes))

    def comparison(self, part: Comparison) -> Node:
        sides = list(zip(part.operands, self.several(part.operands), strict=True))
        return make.both([self.compared(part, sign, *sides[at], *sides[at + 1]) for at, sign in enumerate(part.signs)])

    def logic(self, part: Logic) -> Node:
        sign, operands = part.sign, part.operands
        known = self.names.filled, self.nonzero
        nodes: list[Node] = []
        silenced = False
        for operand in operands:
            try:
                node = self.value(operand)
                if sign == "or" and not nodes and not silenced and node.type.kind != "boolean":
                    # `x or 0`: the first that is not empty.
                    self.forgive_division(operand)
                    return self.unified(operands, part, [node, *self.several(operands[1:])], make.first_filled)
                nodes.append(self.truth(operand, node))
                filled, nonzero = learned(node, sign == "and")
                self.names.filled, self.nonzero = self.names.filled | filled, self.nonzero | nonzero
            except Silenced:
                silenced = True
        self.names.filled, self.nonzero = known
        if silenced:
            raise Silenced
        return make.both(nodes, sign)

    def binary(self, part: Binary) -> Node:
        sign, left, right = part.sign, part.left, part.right
        one, other = self.several((left, right))
        parts = (left, right)
        if sign == "&":
            nodes = [self.printed(each, node) for each, node in ((left, one), (right, other))]
            return functions.FUNCTIONS["concat"].build(*nodes)
        if sign == "/":
            self.divisor(right, other)
        return self.built(parts, part, lambda: arithmetic(sign, one, other))

    def divisor(self, part: Written, node: Node) -> None:
        """Warns where zero is within the known bounds of a divisor and nothing around has asked."""
        low, high = node.bounds
        bounded = low > FULL[0] and high < FULL[1]
        if bounded and low <= 0 <= high and not itself(node) & self.nonzero:
            parameters = {"divisor": self.source(part)}
            self.faults.append(Fault("may-divide-by-zero", part.offset, part.length, parameters, severity="warning"))

    def compared(self, whole: Written, sign: str, left: Written, one: Node, right: Written, other: Node) -> Node:
        one, other = as_days(one, other)
        parts = (left, right)

        def build(nodes: list[Node]) -> Node:
            if sign in ("==", "!="):
                equal = make.equal(*nodes)
                return equal if sign == "==" else make.negated(equal)
            return make.ordered(sign, *nodes)

        for part, node, beside in ((left, one, other), (right, other, one)):
            if node.type.kind in ("records", "list", "files", "json") and not (
                isinstance(beside, Const) and beside.value is None
            ):
                raise self.fault("type-mismatch", part, found=node.type.kind, expected="value", text=self.source(part))
            self._ratio(part, node, beside)
        return self.unified(parts, whole, [one, other], build)

    def _ratio(self, part: Written, node: Node, beside: Node) -> None:
        """Warns where a percent is compared with a number that looks like one whose sign was left out."""
        bare = (
            isinstance(part, Literal)
            and isinstance(node, Const)
            and node.type.kind == "number"
            and (node.type.scale, node.type.unit) == (0, None)
        )
        if bare and isinstance(node, Const) and beside.type.unit == "percent" and node.value >= 2:
            patches = (Edit(part.end, 0, "%"),)
            parameters = {"one": "percent", "other": self.source(part)}
            self.faults.append(Fault("unit-mismatch", part.offset, part.length, parameters, patches, "warning"))

    def membership(self, part: Membership) -> Node:
        found = self.contained(part, part.item, part.container)
        return make.negated(found) if part.negated else found

    def contained(self, whole: Written, item: Written, container: Written) -> Node:
        if isinstance(container, Items):
            value, *items = self.several((item, *container.items))
            parts = (item, *container.items)
            nodes = [as_days(value, each)[1] for each in items]
            value = as_days(value, items[0])[0] if items else value
            return self.unified(parts, whole, [value, *nodes], lambda unified: among(unified[0], unified[1:]))
        value = self.value(item)
        if isinstance(container, Dotted):
            reach = self.reach(container)
            if reach.steps:
                last = reach.value or Name(
                    Type("record", nullable=False, entity=reach.entity), reach.entity, "id", len(self.names.rows)
                )
                return self.unified(
                    (item, container),
                    whole,
                    [value, last],
                    lambda nodes: self.aggregate("exists", replace(reach, value=None), make.equal(*nodes)),
                )
        group = self.node(container)
        if group.type.kind == "list":
            if group.type.item and group.type.item.kind != value.type.kind:
                raise self.fault(
                    "type-mismatch", item, found=value.type.kind, expected=group.type.item.kind, text=self.source(item)
                )
            return Call(BOOLEAN, "in_set", (value, group))
        name = "has" if group.type.kind == "choices" else "contains"
        return self.arguments(whole, functions.FUNCTIONS[name], (container, item), [group, value])


_READERS: dict[type[Written], Callable[[Checker, Any], Node]] = {
    Literal: Checker.literal, Span: Checker.span, Dotted: Checker.path, Unary: Checker.unary, Binary: Checker.binary, Logic: Checker.logic,
    Comparison: Checker.comparison, Membership: Checker.membership, Nullness: Checker.nullness, Choice: Checker.choice,
    Invocation: Checker.invocation, Items: Checker.items, Filtered: Checker.filtered,
}  # fmt: skip
