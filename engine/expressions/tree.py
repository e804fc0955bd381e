"""The typed tree: an expression after checking, made of six kinds of node over stored values.

Every operator and function has become a `Call` of a basic operation (`operations`) on integers and texts, with the
fixed-point scales worked out, so that Python, both databases and the browser do the same and none of them has to know
what money is.  A node's text (`render`) is canonical: equal text, equal meaning; it is the key of what is read from
other records.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from engine.expressions.operations import FULL, OPERATIONS, Bounds
from engine.expressions.primitives import FIRST_DAY, FIRST_INSTANT, LAST_DAY, LAST_INSTANT
from engine.expressions.types import Type

MAX_HOPS = 5
MAX_SIZE = 2_000
MAX_HEIGHT = 64
_BOUNDS = {"date": (FIRST_DAY, LAST_DAY), "datetime": (FIRST_INSTANT, LAST_INSTANT), "boolean": (0, 1)}


T = TypeVar("T")


class lazy(Generic[T]):
    """Computed on first use and kept in the instance: `cached_property` without its lock, which costs more than the value."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self.compute = compute

    def __set_name__(self, owner: object, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: object = None) -> T:
        value = instance.__dict__[self.name] = self.compute(instance)
        return value


@dataclass(frozen=True, eq=False)
class Node:
    """`type` says how the value is stored. Nodes are compared by identity; shared ones are evaluated once."""

    type: Type

    @property
    def children(self) -> tuple["Node", ...]:
        return ()

    @lazy
    def key(self) -> str:
        return render(self)

    @lazy
    def size(self) -> int:
        """How many nodes it has, a shared one counted each time."""
        return 1 + sum(child.size for child in self.children)

    @lazy
    def height(self) -> int:
        return 1 + max((child.height for child in self.children), default=0)

    @lazy
    def bounds(self) -> Bounds:
        """The least and the greatest stored value there can be."""
        low, high = self.reach
        return max(low, FULL[0]), min(high, FULL[1])

    @property
    def reach(self) -> Bounds:
        """The bounds before what exceeds 63 bits becomes null."""
        return _BOUNDS.get(self.type.kind, FULL)


@dataclass(frozen=True, eq=False)
class Const(Node):
    """A stored value; None for null. A list is a tuple of stored values."""

    value: Any

    @property
    def reach(self) -> Bounds:
        whole = isinstance(self.value, int) and not isinstance(self.value, bool)
        return (self.value, self.value) if whole else super().reach


@dataclass(frozen=True, eq=False)
class Name(Node):
    """A field of a row: row 0 is the record itself, 1 the row of the outermost aggregate around, and so on."""

    entity: str
    name: str
    row: int


@dataclass(frozen=True, eq=False)
class Follow(Node):
    """A field of the record of `entity` whose id `source` gives; null when there is none."""

    source: Node
    entity: str
    name: str

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.source,)


@dataclass(frozen=True, slots=True)
class Step:
    """One hop of an aggregate's path: through the field `name` of `entity` to `target`, one record or many."""

    entity: str
    name: str
    kind: Literal["record", "records"]
    target: str


AggregateName = Literal["count", "exists", "all", "sum", "avg", "min", "max"]


@dataclass(frozen=True, eq=False)
class Aggregate(Node):
    """Over the rows that `path` reaches from row `origin`. `value` and `where` see the reached row as row `row`.

    `value` is None where rows are counted; for `all` it is what must hold on each row that meets `where`.
    """

    function: AggregateName
    path: tuple[Step, ...]
    origin: int
    row: int
    value: Node | None
    where: Node | None

    @property
    def reach(self) -> Bounds:
        if self.function == "count":
            return 0, 2**40
        return self.value.bounds if self.function in ("min", "max") and self.value else super().reach

    @property
    def children(self) -> tuple[Node, ...]:
        return tuple(node for node in (self.value, self.where) if node is not None)


@dataclass(frozen=True, eq=False)
class Variable(Node):
    """`user`, `user.team`, and what the engine itself supplies: `now`, `today`, `timezone`, `calendar`."""

    name: str


@dataclass(frozen=True, eq=False)
class Call(Node):
    """A basic operation. `static` are its parameters that are known beforehand, such as powers of ten."""

    operation: str
    arguments: tuple[Node, ...]
    static: tuple[int | str, ...] = ()

    @property
    def children(self) -> tuple[Node, ...]:
        return self.arguments

    @property
    def reach(self) -> Bounds:
        if self.operation in ("if", "coalesce"):
            results = self.arguments[1:] if self.operation == "if" else self.arguments
            branches = [each.bounds for each in results if not (isinstance(each, Const) and each.value is None)]
            return min((low for low, _ in branches), default=0), max((high for _, high in branches), default=0)
        rule = OPERATIONS[self.operation].bounds
        return rule([each.bounds for each in self.arguments], self.static) if rule else super().reach

    @lazy
    def may_overflow(self) -> bool:
        low, high = self.reach
        return low < FULL[0] or high > FULL[1]


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, parents first."""
    yield node
    for child in node.children:
        yield from walk(child)


def reads_row(node: Node, row: int) -> bool:
    """Whether anything below reads a field of that row."""
    return any(
        (isinstance(each, Name) and each.row == row) or (isinstance(each, Aggregate) and each.origin == row)
        for each in walk(node)
    )


_INFIX = {"add": "+", "sub": "-", "mul": "*", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "=="}


def render(node: Node, here: int = 0) -> str:
    """The canonical text of a node, close to how a person writes it; `here` is the row whose fields go by bare names."""
    match node:
        case Const(of, value):
            return _constant(of, value)
        case Name(_, _, name, row):
            return _of_row(name, row, here)
        case Follow(_, source, _, name):
            return f"{render(source, here)}.{name}"
        case Variable(_, name):
            return f"${name}"
        case Aggregate(_, function, path, origin, row, value, where):
            start = _of_row(".".join(step.name for step in path), origin, here)
            inside = "" if value is None else f".{render(value, row)}"
            condition = "" if where is None else f" where {render(where, row)}"
            return f"{function}({start}{inside}{condition})"
        case Call(_, operation, arguments, static):
            inner = [render(argument, here) for argument in arguments]
            if operation in _INFIX:
                return f"({inner[0]} {_INFIX[operation]} {inner[1]})"
            return f"{operation}({', '.join(inner + [str(each) for each in static])})"
    raise TypeError(node)


def _of_row(name: str, row: int, here: int) -> str:
    if row == here:
        return name
    return f"this.{name}" if row == 0 else f"row{row}.{name}"


def _constant(type: Type, value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, tuple):
        return "[" + ", ".join(_constant(type.item or type, each) for each in value) + "]"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    if type.kind != "number":
        return f"{type.kind}:{value}"
    if not type.scale:
        return str(value)
    digits = str(abs(value)).rjust(type.scale + 1, "0")
    return f"{'-' * (value < 0)}{digits[: -type.scale]}.{digits[-type.scale :]}"
