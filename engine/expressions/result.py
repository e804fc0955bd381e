"""The result of an expression, fitted to what is expected of it."""

from engine.expressions import make
from engine.expressions.checking import Checker
from engine.expressions.faults import Edit, Fault
from engine.expressions.functions.dates import day_of, written_day
from engine.expressions.learned import spoken_of
from engine.expressions.syntax import Written
from engine.expressions.tree import Call, Const, Follow, Name, Node
from engine.expressions.types import Type

_INSTEAD = {"number": "0", "boolean": "false"}


def fitted(checker: Checker, written: Written, expect: Type | None, scale: int | None) -> Node:
    """The tree of the expression, converted and rounded. Raises Silenced; warnings stand in `checker.faults`."""
    node = checker.node(written)
    if node.type.kind in ("records", "list"):
        raise checker.fault("type-mismatch", written, found=node.type.kind, expected="value", text=checker.text)
    if expect is not None:
        node = _converted(checker, written, node, expect)
    if node.type.kind == "number":
        wanted = (
            scale
            if scale is not None
            else expect.scale
            if expect is not None and expect.scale >= 0
            else node.type.scale
        )
        node = make.rescale(node, wanted)
    if expect is not None and not expect.nullable and node.type.nullable:
        _warn_of_null(checker, written, node)
    return node


def _converted(checker: Checker, written: Written, node: Node, expect: Type) -> Node:
    found = node.type
    if found.kind == "null":
        return make.null(expect)
    if expect.kind == "date" and found.kind == "datetime":
        return day_of(node)
    if expect.kind == "date" and isinstance(node, Const) and found.kind == "text":
        node = written_day(node.value) or node
    elif expect.kind == "choice" and found.kind in ("text", "choice"):
        _only_options(checker, written, node, expect)
        return node
    elif expect.kind == "text" and found.kind == "choice":
        return node
    if node.type.kind != expect.kind:
        raise checker.fault(
            "type-mismatch", written, found=found.kind, expected=expect.kind, text=checker.source(written)
        )
    if expect.kind == "number" and None not in (expect.unit, found.unit) and expect.unit != found.unit:
        raise checker.fault("unit-mismatch", written, one=expect.unit, other=found.unit)
    if expect.kind == "duration" and found.unit != expect.unit:
        raise checker.fault("unit-mismatch", written, one=expect.unit or "h", other=found.unit or "h")
    if expect.kind == "record" and expect.entity and found.entity != expect.entity:
        raise checker.fault(
            "type-mismatch", written, found=found.entity, expected=expect.entity, text=checker.source(written)
        )
    return node


def _only_options(checker: Checker, written: Written, node: Node, expect: Type) -> None:
    """Every constant that may be the result is an option."""
    if expect.options is None:
        return
    choice = Name(expect, "", "", 0)
    for each in _results(node):
        if isinstance(each, Const) and each.value is not None and each.value not in expect.options:
            raise checker.unknown_option(checker.written.get(id(each), written), each, choice)


def _results(node: Node) -> list[Node]:
    if isinstance(node, Call) and node.operation in ("if", "coalesce"):
        branches = node.arguments[1:] if node.operation == "if" else node.arguments
        return [result for branch in branches for result in _results(branch)]
    return [node]


def _warn_of_null(checker: Checker, written: Written, node: Node) -> None:
    """One warning for a result that may be empty, with the empty operand that makes it so, if it is just one."""
    guilty = [each for each in _empty_operands(node) if id(each) in checker.written]
    instead = _INSTEAD.get(node.type.kind)
    place = written
    patches: tuple[Edit, ...] = ()
    if len({each.key for each in guilty}) == 1:
        place = checker.written[id(guilty[0])]
        if instead and guilty[0].type.kind in _INSTEAD and place is not written:
            patches = (
                Edit(place.offset, place.length, f"({checker.source(place)} or {_INSTEAD[guilty[0].type.kind]})"),
            )
    if not patches and instead:
        place = written
        simple = isinstance(node, Name | Follow)
        patches = (
            Edit(
                written.offset,
                written.length,
                f"{checker.source(written) if simple else f'({checker.source(written)})'} or {instead}",
            ),
        )
    parameters = {"name": checker.source(place)}
    checker.faults.append(Fault("null-unhandled", place.offset, place.length, parameters, patches, "warning"))


def _empty_operands(node: Node) -> list[Node]:
    if not node.type.nullable:
        return []
    if isinstance(node, Call) and node.children and spoken_of(node):
        return [empty for child in node.children for empty in _empty_operands(child)]
    return [node]
