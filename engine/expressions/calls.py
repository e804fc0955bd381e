"""Calls: arguments brought to what a function takes, and aggregates over related records."""

from collections.abc import Sequence
from dataclasses import replace

from engine.expressions import functions, make
from engine.expressions.faults import Edit, Fault
from engine.expressions.functions import Function, Parameter
from engine.expressions.functions.dates import day_of, written_day
from engine.expressions.functions.numbers import count as count_value
from engine.expressions.names import Reach
from engine.expressions.reporting import Reporter, Silenced
from engine.expressions.syntax import Dotted, Filtered, Invocation, Written
from engine.expressions.tree import Aggregate, AggregateName, Const, Node
from engine.expressions.types import BOOLEAN, DURATION, NUMBER, TEXT, Type


class Calls(Reporter):
    """The part of the checker that reads calls."""

    def invocation(self, part: Invocation) -> Node:
        word = str(part.name.value)
        known = functions.find(word)
        if known is None:
            near = functions.like(word)
            patches = (Edit(part.name.offset, part.name.length, near),) if near else ()
            self.faults.append(
                Fault("unknown-function", part.name.offset, part.name.length, {"name": word, "nearest": near}, patches)
            )
            raise Silenced
        if known.aggregate and len(part.arguments) == 1:
            over = self.over_records(known, part)
            if over is not None:
                return over
        stray = next((each for each in part.arguments if isinstance(each, Filtered)), None)
        if stray is not None:
            raise self.fault(
                "type-mismatch", stray.path, found="value", expected="records", text=self.source(stray.path)
            )
        if len(part.arguments) < known.fewest or (known.most is not None and len(part.arguments) > known.most):
            raise self.fault("argument-count", part, function=known.signature, count=len(part.arguments))
        if known.name in ("if", "coalesce"):
            return self.arguments(part, known, part.arguments, self._lazy(known, part.arguments))
        return self.arguments(part, known, part.arguments, self.several(part.arguments))

    def _lazy(self, known: Function, parts: Sequence[Written]) -> list[Node]:
        """The arguments of a function that guards one with another."""
        if known.name == "coalesce":
            nodes = self.several(parts)
            self.forgive_division(parts[0])
            return nodes
        condition = self.condition(parts[0])
        if len(parts) < 3:
            with self.knowing(condition, True):
                return [condition, self.value(parts[1])]
        return [condition, *self.branches(condition, parts[1], parts[2])]

    def arguments(self, whole: Written, known: Function, parts: Sequence[Written], nodes: Sequence[Node]) -> Node:
        taken = [
            self.argument(_parameter(known, index, len(parts)), part, node)
            for index, (part, node) in enumerate(zip(parts, nodes, strict=True))
        ]
        alike = [index for index in range(len(parts)) if _parameter(known, index, len(parts)).takes == "same"]
        self.options([parts[index] for index in alike], [taken[index] for index in alike])
        if known.name == "switch":
            for at in range(1, len(parts) - 1, 2):
                self.options((parts[0], parts[at]), (taken[0], taken[at]))
        if (
            known.name == "has"
            and isinstance(taken[1], Const)
            and taken[0].type.options is not None
            and taken[1].value not in taken[0].type.options
        ):
            raise self.unknown_option(parts[1], taken[1], taken[0])
        return self.built(parts, whole, lambda: known.build(*taken))

    def argument(self, parameter: Parameter, part: Written, node: Node) -> Node:
        """The node as the parameter takes it."""
        kind, takes = node.type.kind, parameter.takes
        fits = {
            "number": ("number",), "count": ("number",), "months": ("number",), "digits": ("number",), "times": ("number",), "text": ("text", "choice"),
            "boolean": ("boolean",), "date": ("date", "datetime"), "datetime": ("datetime",), "duration": ("duration",), "set": ("choices",),
        }.get(takes)  # fmt: skip
        if takes == "date" and isinstance(node, Const) and kind == "text":
            node = written_day(node.value) or node
        elif takes == "date" and kind == "datetime":
            node = day_of(node)
        elif takes == "printable":
            node = self.printed(part, node)
        elif takes in ("digits", "times") and not (
            isinstance(node, Const) and kind == "number" and node.type.scale == 0 and abs(node.value) <= 18
        ):
            raise self.fault("type-mismatch", part, found=kind, expected="digits", text=self.source(part))
        elif kind in ("records", "list") or (takes == "same" and kind in ("files", "json", "choices")):
            raise self.fault("type-mismatch", part, found=kind, expected="value", text=self.source(part))
        if fits and node.type.kind not in (*fits, "null"):
            raise self.fault("type-mismatch", part, found=kind, expected=takes, text=self.source(part))
        if takes in ("count", "months"):
            return self.built(
                (part,), part, lambda: make.whole(node if kind == "number" else make.null(NUMBER), 24_000)
            )
        return make.null(_EMPTY[takes]) if node.type.kind == "null" and takes in _EMPTY else node

    def printed(self, part: Written, node: Node) -> Node:
        match node.type.kind:
            case "number":
                return make.call("number_text", (node,), TEXT, node.type.scale, make.inverse(node.type.scale))
            case "date":
                return make.call("date_text", (node,), TEXT)
            case "datetime":
                return make.call("instant_text", (node, functions.TIMEZONE), TEXT)
            case "text" | "choice":
                return node
            case "null":
                return make.null(TEXT)
        raise self.fault("type-mismatch", part, found=node.type.kind, expected="text", text=self.source(part))

    # Aggregates

    def over_records(self, known: Function, part: Invocation) -> Node | None:
        """The aggregate over related records; None where the argument is no path to records."""
        argument = part.arguments[0]
        path = argument.path if isinstance(argument, Filtered) else argument
        if not isinstance(path, Dotted):
            return None
        reach = self.reach(path)
        if not reach.steps:
            if isinstance(argument, Filtered):
                return None
            assert reach.value is not None
            if known.name == "count" and reach.value.type.kind in ("files", "choices"):
                return count_value(reach.value)
            return None
        value, where = reach.value, None
        if isinstance(argument, Filtered):
            with self.names.row_of(reach.entity):
                where = self.condition(argument.condition)
        name = "exists" if known.name == "any" else known.name
        if known.name in ("any", "all", "exists"):
            if value is not None and value.type.kind != "boolean":
                if known.name != "exists":
                    raise self.fault(
                        "type-mismatch", path, found=value.type.kind, expected="boolean", text=self.source(path)
                    )
                value = make.negated(make.is_null(value))
            if known.name == "all":
                value, where = (value, where) if value is not None else (where, None)
                if value is None:
                    raise self.fault("type-mismatch", path, found="records", expected="boolean", text=self.source(path))
                return self.aggregate("all", replace(reach, value=value), where)
            wanted = [each for each in (where, value) if each is not None]
            return self.aggregate("exists", replace(reach, value=None), make.both(wanted) if wanted else None)
        kinds = {
            "sum": ("number", "duration"), "avg": ("number", "duration"),
            "min": ("number", "date", "datetime", "duration", "text"), "max": ("number", "date", "datetime", "duration", "text"),
        }.get(known.name)  # fmt: skip
        if kinds and (value is None or value.type.kind not in kinds):
            found = "records" if value is None else value.type.kind
            raise self.fault("type-mismatch", path, found=found, expected=kinds[0], text=self.source(path))
        assert name in ("count", "exists", "sum", "avg", "min", "max")
        return self.aggregate(name, reach, where)

    def aggregate(self, name: str, reach: Reach, where: Node | None) -> Node:
        value = reach.value
        if name in ("exists", "all"):
            type = BOOLEAN
        elif value is None or name == "count":
            type = NUMBER.required()
        elif name == "sum":
            type = value.type.required()
        elif name == "avg" and value.type.kind == "number":
            type = make.divide(value, Const(NUMBER.required(), 1)).type.optional()
        else:
            type = value.type.optional()
        function: AggregateName = name  # type: ignore[assignment]
        return Aggregate(type, function, reach.steps, reach.origin, len(self.names.rows), value, where)


_EMPTY: dict[str, Type] = {
    "number": NUMBER, "text": TEXT, "boolean": BOOLEAN, "date": Type("date"), "datetime": Type("datetime"), "duration": DURATION, "set": Type("choices"),
}  # fmt: skip


def _parameter(known: Function, index: int, count: int) -> Parameter:
    """The parameter of an argument. IFS takes a condition at every other place, before its last value."""
    if known.name == "ifs":
        return known.parameters[0 if index % 2 == 0 and index < count - 1 else 1]
    if known.name == "switch" and index and index % 2 == 1 and index < count - 1:
        return Parameter("candidate", "value")
    return known.parameters[min(index, len(known.parameters) - 1)]
