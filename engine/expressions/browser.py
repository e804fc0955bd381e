"""An expression as JSON for `expressions.js`, which evaluates it in a browser: live conditions of a form.

The typed tree is written out as a list, each node after the ones it needs; a node names those by their index.  Integers
are texts, because a browser's numbers end at 53 bits.
"""

from typing import Any

from engine.expressions.primitives import DAY, FIRST_WORKTIME, LAST_WORKTIME
from engine.expressions.tree import Aggregate, Call, Const, Follow, Name, Node, Variable
from engine.expressions.types import Type, WorkingTime

_INTEGERS = ("number", "date", "datetime", "duration", "record")


def as_json(tree: Node) -> dict[str, Any]:
    """`{"type": kind, "scale": digits, "nodes": […]}`; the value is that of the last node.

    A node is `["int", "12"]`, `["text", "a"]`, `["bool", true]`, `["null"]`, `["list", [node, …]]`, `["get", key, kind]`
    for a field or a read, `["var", name, kind]`, or `[operation, [index, …], [static, …]]`.
    """
    nodes: list[list[Any]] = []
    places: dict[int, int] = {}

    def place(node: Node) -> int:
        if id(node) not in places:
            nodes.append(_written(node, [place(child) for child in node.arguments] if isinstance(node, Call) else []))
            places[id(node)] = len(nodes) - 1
        return places[id(node)]

    place(tree)
    return {"type": tree.type.kind, "scale": tree.type.scale, "nodes": nodes}


def _written(node: Node, arguments: list[int]) -> list[Any]:
    match node:
        case Const(_, value):
            return _constant(value)
        case Name(of, _, name, _):
            return ["get", name, _kind(of)]
        case Follow(of) | Aggregate(of):
            return ["get", node.key, _kind(of)]
        case Variable(of, name):
            return ["var", name, _kind(of)]
        case Call(_, operation, _, static):
            return [operation, arguments, [str(each) for each in static]]
    raise TypeError(node)


def _constant(value: Any) -> list[Any]:
    match value:
        case None:
            return ["null"]
        case bool():
            return ["bool", value]
        case int():
            return ["int", str(value)]
        case tuple():
            return ["list", [_constant(each) for each in value]]
    return ["text", value]


def _kind(type: Type) -> str:
    """How a JSON value becomes a stored one: `int`, `bool`, `text`, or `list-int` and so on."""
    if type.kind == "list":
        return f"list-{_kind(type.item) if type.item else 'text'}"
    return "int" if type.kind in _INTEGERS else "bool" if type.kind == "boolean" else "text"


def working_days(calendar: WorkingTime, first: int, last: int) -> dict[str, Any]:
    """The working days from `first` to `last` (days since 1970) for a browser: `calendar` of its context."""
    worked = (calendar.nth(calendar.index(day)) == day for day in range(first, last + 1))
    return {"first": first, "days": "".join("1" if works else "0" for works in worked)}


def working_time(calendar: WorkingTime, first: int, last: int) -> dict[str, Any]:
    """The working time from the day `first` to the day `last` (since 1970) for a browser: `worktime` of its `calendar`.

    `stretches` says, in microseconds as texts, when each begins and ends.
    """
    start, end = max(first * DAY, FIRST_WORKTIME), min(last * DAY, LAST_WORKTIME)
    found = calendar.stretches(start // DAY, end // DAY)
    within = ((max(since, start), min(until, end)) for since, until, _ in found)
    return {
        "first": str(start),
        "last": str(end),
        "stretches": [[str(since), str(until)] for since, until in within if since < until],
    }
