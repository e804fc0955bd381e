"""What every part of the checker shares: the text, the names in reach, and the faults found so far."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal

from engine.expressions import make
from engine.expressions.faults import Edit, Fault, Wrong, said
from engine.expressions.learned import learned
from engine.expressions.make import Clash
from engine.expressions.names import Names, Reach
from engine.expressions.syntax import Dotted, Literal, Written
from engine.expressions.tree import Const, Follow, Name, Node
from engine.expressions.types import Scope
from engine.registry import nearest


class Silenced(Exception):
    """A part is wrong and has been reported."""


class Reporter:
    """`faults` fills up; whoever reports one raises Silenced, so that nothing is said of what hangs on the wrong part."""

    def __init__(self, text: str, entity: str | None, scope: Scope) -> None:
        self.text = text
        self.names = Names(entity, scope)
        self.faults: list[Fault] = []
        self.nonzero: frozenset[str] = frozenset()  # keys of values that a condition around has found not to be zero
        self.written: dict[int, Written] = {}  # where a node came from, by the node's identity
        self.kept: list[Node] = []  # keeps the nodes alive whose identity is a key above

    def node(self, part: Written) -> Node:
        """The typed node of a part."""
        raise NotImplementedError

    def value(self, part: Written) -> Node:
        """A node that is one value and no set of records."""
        node = self.node(part)
        if node.type.kind in ("records", "list"):
            raise self.fault("type-mismatch", part, found=node.type.kind, expected="value", text=self.source(part))
        return node

    def condition(self, part: Written) -> Node:
        return self.truth(part, self.value(part))

    def truth(self, part: Written, node: Node) -> Node:
        if node.type.kind not in ("boolean", "null"):
            raise self.fault("type-mismatch", part, found=node.type.kind, expected="boolean", text=self.source(part))
        return node

    def branches(self, condition: Node, then: Written, otherwise: Written) -> list[Node]:
        found, silenced = [], False
        for branch, holds in ((then, True), (otherwise, False)):
            with self.knowing(condition, holds):
                try:
                    found.append(self.value(branch))
                except Silenced:
                    silenced = True
        if silenced:
            raise Silenced
        return found

    def reach(self, part: Dotted) -> Reach:
        try:
            return self.names.reach(part)
        except Wrong as wrong:
            raise self.wrong(wrong.fault) from None

    @contextmanager
    def knowing(self, condition: Node, holds: bool) -> Iterator[None]:
        """Inside, what the condition teaches when it holds (or fails) is known."""
        filled, nonzero = learned(condition, holds)
        before = self.names.filled, self.nonzero
        self.names.filled, self.nonzero = self.names.filled | filled, self.nonzero | nonzero
        try:
            yield
        finally:
            self.names.filled, self.nonzero = before

    # Faults

    def wrong(self, fault: Fault) -> Silenced:
        self.faults.append(fault)
        return Silenced()

    def fault(self, code: str, at: Written, **parameters: object) -> Silenced:
        return self.wrong(Fault(code, at.offset, at.length, {name: said(value) for name, value in parameters.items()}))

    def source(self, at: Written) -> str:
        return self.text[at.offset : at.end]

    def built(self, at: Sequence[Written], whole: Written, build: Callable[[], Node]) -> Node:
        """What `build` makes; a Clash becomes a fault at the operand it names."""
        try:
            return build()
        except Clash as clash:
            place = whole if clash.at is None or clash.at >= len(at) else at[clash.at]
            patches = self._unit_patches(clash, place)
            parameters = {"text": self.source(place), **{name: said(value) for name, value in clash.parameters.items()}}
            raise self.wrong(Fault(clash.code, place.offset, place.length, parameters, patches)) from None

    def _unit_patches(self, clash: Clash, place: Written) -> tuple[Edit, ...]:
        bare = (
            isinstance(place, Literal)
            and isinstance(place.value, Decimal)
            and clash.parameters.get("expected") == "duration"
        )
        return tuple(Edit(place.end, 0, f" {unit}") for unit in ("d", "h", "min")) if bare else ()

    def several(self, parts: Sequence[Written]) -> list[Node]:
        """All the parts; Silenced only after each has been looked at."""
        found: list[Node] = []
        silenced = False
        for part in parts:
            try:
                found.append(self.node(part))
            except Silenced:
                silenced = True
        if silenced:
            raise Silenced
        return found

    def unified(
        self, parts: Sequence[Written], whole: Written, nodes: list[Node], build: Callable[[list[Node]], Node]
    ) -> Node:
        """`build` over the nodes brought to one type; a constant among choices must be an option."""
        self.options(parts, nodes)
        return self.built(parts, whole, lambda: build(make.unify(nodes)))

    def options(self, parts: Sequence[Written], nodes: Sequence[Node]) -> None:
        stray = make.wrong_option(nodes)
        if stray is not None:
            choice = next(node for node in nodes if node.type.kind == "choice" and node.type.options is not None)
            raise self.unknown_option(parts[stray], nodes[stray], choice)

    def unknown_option(self, part: Written, node: Node, choice: Node) -> Silenced:
        assert isinstance(node, Const)
        options = choice.type.options or ()
        near = nearest(node.value, options)
        patches = (Edit(part.offset, part.length, f"'{near}'"),) if near and isinstance(part, Literal) else ()
        field = choice.name if isinstance(choice, Name | Follow) else ""
        parameters = {"field": field, "name": node.value, "nearest": near, "options": ", ".join(options)}
        return self.wrong(Fault("unknown-option", part.offset, part.length, parameters, patches))

    def forgive_division(self, part: Written) -> None:
        """What follows `or` also stands in for a division by zero."""
        inside = range(part.offset, part.end)
        self.faults = [
            fault for fault in self.faults if fault.code != "may-divide-by-zero" or fault.offset not in inside
        ]
