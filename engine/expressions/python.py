"""The fast reading of an expression: one Python function over stored values, made once.

The typed tree is written out as straight statements, one temporary a node, so that null and overflow are settled where
they arise and a shared part is computed once.  The text contains operators, temporaries, primitives and `repr`s of
constants: nothing that a person wrote reaches it as code.
"""

from collections.abc import Callable, Mapping
from typing import Any

from engine.expressions import primitives
from engine.expressions.make import is_predicate
from engine.expressions.operations import OPERATIONS
from engine.expressions.primitives import HIGHEST, LOWEST
from engine.expressions.tree import Aggregate, Call, Const, Follow, Name, Node, Variable
from engine.expressions.types import Context

Evaluator = Callable[[Mapping[str, Any], Context], Any]
_NAMESPACE = {name: value for name, value in vars(primitives).items() if not name.startswith("_")}
# What the engine itself supplies, besides the variables of the app.
_SUPPLIED = {
    "now": "c.now", "calendar": "c.calendar", "timezone": "c.calendar.timezone", "today": "day_of(c.now, c.calendar.timezone)",
}  # fmt: skip


def compiled(tree: Node) -> Evaluator:
    """A function of the values (by field name or read key) and the context."""
    source = source_of(tree)
    found: dict[str, Any] = {}
    exec(compile(source, "<expression>", "exec"), _NAMESPACE.copy(), found)
    evaluator: Evaluator = found["evaluate"]
    return evaluator


def source_of(tree: Node) -> str:
    """The Python text of the function."""
    writer = _Writer()
    result = writer.write(tree)
    if tree.type.kind == "boolean" and not is_predicate(tree):
        result = f"None if {result} is None else bool({result})"  # SQLite's drivers say 1 and 0
    body = "\n".join([" get = v.get", *writer.lines, f" return {result}"])
    return f"def evaluate(v, c):\n{body}\n"


class _Writer:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.indent = 1
        self.count = 0
        self.done: dict[int, str] = {}  # node identity -> the temporary that holds it, in the block being written
        self.solid: set[str] = set()  # temporaries that are never None

    def line(self, text: str) -> None:
        self.lines.append(" " * self.indent + text)

    def temporary(self) -> str:
        self.count += 1
        return f"t{self.count}"

    def write(self, node: Node) -> str:
        """Writes what computes the node; the temporary or constant that holds it."""
        if isinstance(node, Const):
            return self.constant(node)
        if id(node) not in self.done:
            self.done[id(node)] = self.fresh(node)
        return self.done[id(node)]

    def constant(self, node: Const) -> str:
        text = f"({node.value!r})" if isinstance(node.value, int) and node.value < 0 else repr(node.value)
        if node.value is not None:
            self.solid.add(text)
        return text

    def fresh(self, node: Node) -> str:
        match node:
            case Name(name=name):
                return self.assigned(f"get({name!r})")
            case Follow() | Aggregate():
                return self.assigned(f"get({node.key!r})")
            case Variable(name=name):
                solid = name in _SUPPLIED
                return self.assigned(_SUPPLIED[name] if solid else f"c.variables.get({name!r})", solid=solid)
            case Call(operation=operation) if OPERATIONS[operation].lazy:
                return self.lazy(node)
            case Call():
                return self.call(node)
        raise TypeError(node)

    def assigned(self, text: str, solid: bool = False) -> str:
        found = self.temporary()
        self.line(f"{found} = {text}")
        if solid:
            self.solid.add(found)
        return found

    def call(self, node: Call) -> str:
        known = OPERATIONS[node.operation]
        names = [self.write(argument) for argument in node.arguments]
        static = {f"s{index}": each for index, each in enumerate(node.static)}
        ratio = _ratio(node, names)
        text = ratio or known.python.format(*names, **static)
        partial = known.partial and ratio is None
        empty = [name for name in dict.fromkeys(names) if name not in self.solid] if known.strict else []
        if known.predicate:
            asked = [f"{name} is not None" for name in empty]
            return self.assigned(" and ".join([*asked, f"({text})" if asked else text]), solid=True)
        found = self.temporary()
        if empty:
            self.line(f"if {' or '.join(f'{name} is None' for name in empty)}: {found} = None")
            self.line("else:")
            self.indent += 1
        self.line(f"{found} = {text}")
        if node.may_overflow and not partial:
            self.line(f"if not {LOWEST} <= {found} <= {HIGHEST}: {found} = None")
        elif not empty and not partial:
            self.solid.add(found)
        if empty:
            self.indent -= 1
        return found

    def lazy(self, node: Call) -> str:
        arguments = node.arguments
        match node.operation:
            case "eq":
                return self.assigned(f"{self.write(arguments[0])} == {self.write(arguments[1])}", solid=True)
            case "in":
                return self.assigned(f"{self.write(arguments[0])} in {self.write(arguments[1])}", solid=True)
            case "in_set":
                item, group = self.write(arguments[0]), self.write(arguments[1])
                return self.assigned(f"{item} is not None and {group} is not None and {item} in {group}", solid=True)
            case "not":
                return self.assigned(f"not {self.write(arguments[0])}", solid=True)
            case "and" | "or":
                return self.logic(arguments, node.operation == "or")
            case "if":
                return self.choice(*arguments)
            case "coalesce":
                return self.coalesce(arguments)
        raise TypeError(node.operation)

    def logic(self, arguments: tuple[Node, ...], decides: bool) -> str:
        found = self.assigned(self.truth(arguments[0]), solid=True)
        for argument in arguments[1:]:
            self.line(f"if {'not ' * decides}{found}:")
            self.block(found, argument, self.truth)
        return found

    def truth(self, node: Node) -> str:
        name = self.write(node)
        return name if is_predicate(node) else f"bool({name})"

    def choice(self, condition: Node, then: Node, otherwise: Node) -> str:
        asked = self.write(condition)
        found = self.temporary()
        for keyword, branch in ((f"if {asked}:", then), ("else:", otherwise)):
            self.line(keyword)
            self.block(found, branch, self.write)
        return found

    def coalesce(self, arguments: tuple[Node, ...]) -> str:
        found = self.assigned(self.write(arguments[0]))
        for argument in arguments[1:]:
            self.line(f"if {found} is None:")
            self.block(found, argument, self.write)
        return found

    def block(self, found: str, node: Node, write: Callable[[Node], str]) -> None:
        """Assigns the node to `found`; what is computed inside is not known to be computed outside."""
        done = self.done.copy()
        self.indent += 1
        self.line(f"{found} = {write(node)}")
        self.indent -= 1
        self.done = done


def _ratio(node: Call, names: list[str]) -> str | None:
    """A division by a positive constant without a call: twice the dividend plus the divisor, over twice the divisor."""
    if node.operation != "div":
        return None
    name, divisor = names[0], node.arguments[1]
    if not isinstance(divisor, Const) or divisor.value is None or divisor.value <= 0:
        return None
    factor, size = 2 * int(node.static[0]), divisor.value
    return (
        f"({name} * {factor} + {size}) // {2 * size} if {name} >= 0 else -(({size} - {name} * {factor}) // {2 * size})"
    )
