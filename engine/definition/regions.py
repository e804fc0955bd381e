"""What can be said of a predicate without running it: that nothing meets it, that everything does, or an example.

Each value that a predicate reads has a `Domain`: may it be null, and which stored values may it have.  `boxes` splits a
predicate into conjunctions and narrows the domains along each; where a domain becomes empty the conjunction is
impossible.  Values are taken to be independent of each other, which can only make more possible than is: "impossible"
is a proof.  An example is found in a box and then tried by real evaluation, so it is one, too.  What a few hundred
boxes leave open stays undecided.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from engine.expressions import python
from engine.expressions.operations import OPERATIONS
from engine.expressions.primitives import HIGHEST, LOWEST
from engine.expressions.tree import Aggregate, Call, Const, Follow, Name, Node, Variable
from engine.expressions.types import Context, Type

NUMERIC = ("number", "date", "datetime", "duration")
MAX_BOXES = 400


class Domain(NamedTuple):
    """`low`/`high` bound what is stored of numbers and times. `only` are the values possible (None: any); `out` are not."""

    null: bool = True
    low: int = LOWEST
    high: int = HIGHEST
    only: frozenset[Any] | None = None
    out: frozenset[Any] = frozenset()
    numeric: bool = True
    some: bool = True  # whether it may have a value at all

    @property
    def values(self) -> bool:
        """Whether any value other than null is left."""
        if not self.some:
            return False
        if self.only is not None:
            return bool(self.only - self.out)
        return not self.numeric or (self.low <= self.high and not (self.low == self.high and self.low in self.out))

    @property
    def empty(self) -> bool:
        return not self.null and not self.values

    def within(self, low: int, high: int) -> "Domain":
        """Not null, and between the bounds."""
        return self._replace(null=False, low=max(self.low, low), high=min(self.high, high))


def domain_of(type: Type) -> Domain:
    """What the type alone allows."""
    if type.kind == "boolean":
        return Domain(type.nullable, only=frozenset({True, False}), numeric=False)
    if type.kind == "choice" and type.options is not None:
        return Domain(type.nullable, only=frozenset(type.options), numeric=False)
    return Domain(type.nullable, numeric=type.kind in NUMERIC)


Box = Mapping[str, Domain]
Known = Callable[[Node], Domain | None]


class _Impossible(Exception):
    pass


class _Undecided(Exception):
    pass


class Region:
    """The records that meet all of some predicates. `known` gives a narrower domain of a value than its type does."""

    def __init__(self, predicates: list[tuple[Node, bool]], known: Known) -> None:
        self.predicates = predicates
        self.known = known
        self.left = MAX_BOXES
        self.atoms: dict[str, Node] = {}
        for node, _ in predicates:
            for atom in atoms(node):
                self.atoms.setdefault(atom.key, atom)

    @property
    def impossible(self) -> bool:
        """Whether it is proven that nothing meets them all."""
        try:
            return next(self._boxes(list(self.predicates), {}), None) is None
        except _Undecided:
            return False

    def example(self, filled: bool = False) -> dict[str, Any] | None:
        """Stored values by field that meet them all; None if none was found. `filled`: none of them null.

        Only for predicates over the record's own fields: of others nothing can be tried.
        """
        if not all(isinstance(atom, Name) for atom in self.atoms.values()):
            return None
        try:
            for box in self._boxes(list(self.predicates), {}):
                found = self._in(box, filled)
                if found is not None:
                    return found
        except _Undecided:
            pass
        return None

    # -- splitting -------------------------------------------------------------------------------------------------------

    def _boxes(self, waiting: list[tuple[Node, bool]], box: dict[str, Domain]) -> Iterator[dict[str, Domain]]:
        while waiting:
            node, truth = waiting.pop(0)
            ways = self._ways(node, truth, box)
            if len(ways) == 1:
                try:
                    more, box = ways[0](box)
                except _Impossible:
                    return
                waiting = more + waiting
                continue
            for way in ways:
                self.left -= 1
                if self.left < 0:
                    raise _Undecided
                try:
                    more, narrowed = way(box)
                except _Impossible:
                    continue
                yield from self._boxes(more + waiting, narrowed)
            return
        self.left -= 1
        if self.left < 0:
            raise _Undecided
        yield box

    def _ways(
        self, node: Node, truth: bool, box: Box
    ) -> list[Callable[[dict[str, Domain]], tuple[list[tuple[Node, bool]], dict[str, Domain]]]]:
        """The alternatives under which `node` has that truth: each narrows the box and says what else must hold."""
        if isinstance(node, Const):
            holds = bool(node.value) is truth
            return [lambda box: ([], box) if holds else _impossible()]
        if not isinstance(node, Call):
            return self._narrowing(node, lambda domain: _equal(domain, True) if truth else _other(domain, True))
        operation, arguments = node.operation, node.arguments
        if operation == "not":
            return self._ways(arguments[0], not truth, box)
        if operation in ("and", "or"):
            if (operation == "and") is truth:
                return [lambda box: ([(each, truth) for each in arguments], box)]
            return [lambda box, each=each: ([(each, truth)], box) for each in arguments]  # type: ignore[misc]
        if operation == "if" and node.type.kind == "boolean":
            test, yes, no = arguments
            return [lambda box: ([(test, True), (yes, truth)], box), lambda box: ([(test, False), (no, truth)], box)]
        if operation == "is_null":
            return self._narrowing(arguments[0], _null if truth else _filled)
        if operation == "eq" and any(isinstance(each, Const) for each in arguments):
            value, constant = arguments if isinstance(arguments[1], Const) else reversed(arguments)
            wanted = constant.value  # type: ignore[attr-defined]
            if wanted is None:
                return self._narrowing(value, _null if truth else _filled)
            return self._narrowing(value, lambda domain: _equal(domain, wanted) if truth else _other(domain, wanted))
        if operation == "in" and isinstance(arguments[-1], Const):
            listed = frozenset(arguments[-1].value) if isinstance(arguments[-1].value, tuple) else frozenset()
            return self._narrowing(
                arguments[0], lambda domain: _among(domain, listed) if truth else _not_among(domain, listed)
            )
        if operation in ("lt", "le", "gt", "ge"):
            return self._compared(operation, arguments[0], arguments[1], truth)
        return [lambda box: ([], box)]

    def _narrowing(self, node: Node, narrow: Callable[[Domain], Domain]) -> list[Any]:
        def way(box: dict[str, Domain]) -> tuple[list[tuple[Node, bool]], dict[str, Domain]]:
            narrowed = narrow(self.domain(node, box))
            if narrowed.empty:
                raise _Impossible
            return [], {**box, node.key: narrowed} if node.key in self.atoms else box

        return [way]

    def _compared(self, operation: str, left: Node, right: Node, truth: bool) -> list[Any]:
        if truth:
            return [lambda box: ([], self._ordered(operation, left, right, box))]
        opposite = {"lt": "ge", "le": "gt", "gt": "le", "ge": "lt"}[operation]
        ways: list[Any] = [lambda box: ([], self._ordered(opposite, left, right, box))]
        for side in (left, right):
            if side.type.nullable:
                ways += self._narrowing(side, _null)
        return ways

    # -- narrowing -------------------------------------------------------------------------------------------------------

    def domain(self, node: Node, box: Box) -> Domain:
        """What a value may be inside a box."""
        if node.key in box:
            return box[node.key]
        if isinstance(node, Const):
            if node.value is None:
                return Domain(some=False, numeric=False)
            if node.type.kind in NUMERIC:
                return Domain(False, node.value, node.value)
            return Domain(False, only=frozenset({node.value}) if node.type.kind != "list" else None, numeric=False)
        if isinstance(node, Call):
            return self._computed(node, box)
        return self.known(node) or domain_of(node.type)

    def _computed(self, node: Call, box: Box) -> Domain:
        base = domain_of(node.type)
        if node.operation in ("if", "coalesce"):
            parts = [
                self.domain(each, box) for each in (node.arguments[1:] if node.operation == "if" else node.arguments)
            ]
            if base.numeric:
                return Domain(node.type.nullable, min(p.low for p in parts), max(p.high for p in parts))
            return base
        known = OPERATIONS[node.operation]
        if known.bounds is None or not base.numeric:
            return base
        parts = [self.domain(each, box) for each in node.arguments]
        if any(part.low > part.high for part in parts):
            return base
        if node.operation == "div" and parts[1].low > 0 and isinstance(node.static[0], int):
            corners = [
                part * node.static[0] // divisor
                for part in (parts[0].low, parts[0].high)
                for divisor in (parts[1].low, parts[1].high)
            ]
            return Domain(node.type.nullable, max(min(corners), LOWEST), min(max(corners) + 1, HIGHEST))
        try:
            low, high = known.bounds(
                [(part.low, part.high) if part.numeric else (LOWEST, HIGHEST) for part in parts], node.static
            )
        except (ArithmeticError, ValueError):
            return base
        return Domain(node.type.nullable or known.partial, max(low, LOWEST), min(high, HIGHEST))

    def _ordered(self, operation: str, left: Node, right: Node, box: dict[str, Domain]) -> dict[str, Domain]:
        """The box in which `left` stands so to `right`; neither is null. Raises _Impossible."""
        if operation in ("gt", "ge"):
            return self._ordered("lt" if operation == "gt" else "le", right, left, box)
        a, b = self.domain(left, box), self.domain(right, box)
        if not a.values or not b.values:
            raise _Impossible
        if not (a.numeric and b.numeric):
            return box
        gap = 1 if operation == "lt" else 0
        box = self._bounded(left, LOWEST, b.high - gap, box)
        return self._bounded(right, a.low + gap, HIGHEST, box)

    def _bounded(self, node: Node, low: int, high: int, box: dict[str, Domain]) -> dict[str, Domain]:
        """The box in which a value lies between the bounds, and what that says of the values it is made of."""
        narrowed = self.domain(node, box).within(low, high)
        if narrowed.empty or not narrowed.values:
            raise _Impossible
        if node.key in self.atoms:
            return {**box, node.key: narrowed}
        if isinstance(node, Call):
            arguments = node.arguments
            match node.operation:
                case "widen" if isinstance(node.static[0], int):
                    return self._bounded(arguments[0], -(-low // node.static[0]), high // node.static[0], box)
                case "lesser":
                    for each in arguments:
                        box = self._bounded(each, low, HIGHEST, box)
                case "greater":
                    for each in arguments:
                        box = self._bounded(each, LOWEST, high, box)
                case "neg":
                    return self._bounded(arguments[0], -high, -low, box)
                case "add" | "sub" if isinstance(arguments[1], Const):
                    shift = arguments[1].value if node.operation == "add" else -arguments[1].value
                    return self._bounded(arguments[0], low - shift, high - shift, box)
                case "coalesce" if len(arguments) == 2 and isinstance(arguments[1], Const):
                    if not low <= arguments[1].value <= high:
                        return self._bounded(arguments[0], low, high, box)
        return box

    # -- trying ------------------------------------------------------------------------------------------------------------

    def _in(self, box: Box, filled: bool) -> dict[str, Any] | None:
        """A record in the box that meets the predicates when they are evaluated; the simplest of those tried."""
        names = [atom for atom in self.atoms.values() if isinstance(atom, Name)]
        choices = [_candidates(self.domain(atom, box), atom.type, filled, self._constants(atom)) for atom in names]
        evaluators = [(python.compiled(node), truth) for node, truth in self.predicates]
        for values in islice(_simplest(choices), 64):
            record = {atom.name: value for atom, value in zip(names, values, strict=True)}
            try:
                if all(bool(evaluate(record, _NOW)) is truth for evaluate, truth in evaluators):
                    return record
            except Exception:
                return None  # it asks for the time or the calendar: nothing can be tried
        return None

    def _constants(self, atom: Node) -> list[Any]:
        """The constants that the atom is compared with."""
        found = []
        for node, _ in self.predicates:
            for each in _calls(node):
                if any(argument.key == atom.key for argument in each.arguments):
                    found += [argument.value for argument in each.arguments if isinstance(argument, Const)]
        return found


_NOW = Context(0, None, {})  # type: ignore[arg-type]


def atoms(node: Node) -> Iterator[Node]:
    """The values that a predicate reads: fields, what stands on other records, variables."""
    if isinstance(node, Name | Follow | Aggregate | Variable):
        yield node
    elif isinstance(node, Call):
        for child in node.arguments:
            yield from atoms(child)


def _calls(node: Node) -> Iterator[Call]:
    if isinstance(node, Call):
        yield node
        for child in node.arguments:
            yield from _calls(child)


def _impossible() -> Any:
    raise _Impossible


def _null(domain: Domain) -> Domain:
    return domain._replace(some=False)


def _filled(domain: Domain) -> Domain:
    return domain._replace(null=False)


def _equal(domain: Domain, value: Any) -> Domain:
    if domain.numeric and isinstance(value, int):
        return domain.within(value, value)
    return _among(domain, frozenset({value}))


def _among(domain: Domain, values: frozenset[Any]) -> Domain:
    if domain.numeric:
        kept = [value for value in values if domain.low <= value <= domain.high and value not in domain.out]
        return domain._replace(null=False, low=min(kept, default=1), high=max(kept, default=0))
    return domain._replace(null=False, only=values if domain.only is None else domain.only & values)


def _other(domain: Domain, value: Any) -> Domain:
    return _not_among(domain, frozenset({value}))


def _not_among(domain: Domain, values: frozenset[Any]) -> Domain:
    return domain._replace(out=domain.out | values)


def _candidates(domain: Domain, type: Type, filled: bool, constants: list[Any]) -> list[Any]:
    """Some values of a domain, simplest first."""
    found: list[Any] = [] if filled or not domain.null else [None]
    if not domain.values:
        return found or [None]
    if domain.only is not None:
        order = type.options or (False, True)
        return found + [each for each in order if each in domain.only and each not in domain.out] or [None]
    if domain.numeric:
        edges = [value for value in constants if isinstance(value, int) and not isinstance(value, bool)]
        near = [value + step for value in edges for step in (0, 1, -1)] + [0, domain.low, domain.high]
        return (
            found
            + [each for each in dict.fromkeys(near) if domain.low <= each <= domain.high and each not in domain.out][:8]
        )
    words = [value for value in constants if isinstance(value, str)] if type.kind == "text" else []
    return found + [each for each in [*words, "x"] if each not in domain.out][:4]


def _simplest(choices: list[list[Any]]) -> Iterator[tuple[Any, ...]]:
    """Combinations, first those of the first candidates, changing one value at a time before several."""
    if any(not each for each in choices):
        return
    first = tuple(each[0] for each in choices)
    yield first
    for index, each in enumerate(choices):
        for value in each[1:]:
            yield (*first[:index], value, *first[index + 1 :])
    for index, each in enumerate(choices):
        for other in range(index + 1, len(choices)):
            for value in each[1:]:
                for second in choices[other][1:]:
                    record = list(first)
                    record[index], record[other] = value, second
                    yield tuple(record)
