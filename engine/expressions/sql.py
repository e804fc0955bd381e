"""The other reading of an expression: SQL over stored values, the same on SQLite and on PostgreSQL.

A typed tree becomes SQLAlchemy elements whose texts are the templates of the basic operations, chosen when a statement
is compiled for one database.  In `clause`, where null counts as false anyway, comparisons stay bare so that indexes
serve them; elsewhere a condition is made true or false.

Three things keep the text sound whatever is nested: an operand that a template uses twice is computed once, in a
subselect; deep parts become steps of a WITH, because SQLite's parser holds a hundred symbols; an overflow becomes null.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import gcd
from typing import Any

import sqlalchemy as sa

from engine.expressions.make import is_predicate
from engine.expressions.operations import OPERATIONS
from engine.expressions.primitives import HIGHEST, LOWEST, day_of
from engine.expressions.templates import Steps, Template
from engine.expressions.tree import Aggregate, Call, Const, Follow, Name, Node, Variable
from engine.expressions.types import Context, Tables, Type

_MAX_DEPTH = 6
_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "number": sa.BigInteger(), "record": sa.BigInteger(), "datetime": sa.BigInteger(), "duration": sa.BigInteger(),
    "date": sa.Integer(), "boolean": sa.Boolean(),
}  # fmt: skip
_CHAIN = ("add", "sub")
# On SQLite these take a float, the sign of an overflow, and answer with null or a float.
_TOLERANT = frozenset({
    "narrow", "narrow_up", "narrow_down", "narrow_floor", "whole_days", "mul_narrow", "div", "mod", "power", "number_text",
    *(name for name, known in OPERATIONS.items() if known.sticky),
})  # fmt: skip
# An overflow: a float on SQLite, a numeric beyond 63 bits on PostgreSQL.
_EXACT = "CASE WHEN typeof({0}) = 'integer' THEN {0} END"
# Brought to the nearest number that is too great or too small, which becomes null; for each row a subselect, which a text
# that has the operand twice would need, costs more than the rest.  `least` and `greatest` pass over nulls.
_GUARD = f"nullif(nullif(least(greatest({{0}}, {LOWEST - 1}), {HIGHEST + 1}), {HIGHEST + 1}), {LOWEST - 1})"


def sql_type(type: Type) -> sa.types.TypeEngine[Any]:
    return _TYPES.get(type.kind, sa.Text())


def parameters(context: Context) -> dict[str, Any]:
    """What `Tables.variable` may be asked for, with the values to bind: a list as a JSON array, all else as it is stored."""
    listed = {
        name: json.dumps(list(value), ensure_ascii=False)
        if isinstance(value, list | tuple | set | frozenset)
        else value
        for name, value in context.variables.items()
    }
    zone = context.calendar.timezone
    return {
        **listed,
        "now": context.now,
        "today": day_of(context.now, zone),
        "timezone": zone,
        "calendar": context.calendar.name,
    }


def value_sql(tree: Node, tables: Tables, rows: Mapping[int, Any]) -> Any:
    """The stored value of the tree; `rows` gives the alias of each row that it reads."""
    return _Writer(tables, rows).root(tree)


def clause_sql(tree: Node, tables: Tables, rows: Mapping[int, Any]) -> Any:
    """A condition for WHERE: true, or else false or null."""
    if isinstance(tree, Call) and tree.operation in ("and", "or"):
        text = "(" + f" {tree.operation.upper()} ".join(f"{{{index}}}" for index in range(len(tree.arguments))) + ")"
        # Each condition is written by itself, so that the steps of a deep one leave the others bare.
        return Template(text, None, *(clause_sql(each, tables, rows) for each in tree.arguments))
    writer = _Writer(tables, rows)
    return writer.finished(writer.condition(tree, exact=False), sa.types.NULLTYPE)


@dataclass(frozen=True)
class Part:
    """A piece of SQL. `depth`: how far it nests; `steps`: those it refers to; `bare`: an operator outside parentheses."""

    element: Any
    depth: int = 0
    steps: frozenset[str] = frozenset()
    bare: bool = False


class _Writer:
    """Writes one tree in one row context. `steps` are the deep parts set aside so far."""

    def __init__(self, tables: Tables, rows: Mapping[int, Any]) -> None:
        self.tables, self.rows = tables, rows
        self.steps: list[tuple[str, Part]] = []

    def root(self, tree: Node) -> Any:
        part = self.value(tree, checked=True)
        if tree.type.kind in ("number", "duration"):
            part = self.joined("{0}", "CAST({0} AS BIGINT)", part)
        return self.finished(part, sql_type(tree.type))

    def finished(self, part: Part, type: Any) -> Any:
        if not self.steps:
            return Template("{0}", None, part.element, type_=type)
        parts = [*(step for _, step in self.steps), part]
        return Steps(
            [name for name, _ in self.steps],
            [sorted(each.steps) for each in parts],
            *(each.element for each in parts),
            type_=type,
        )

    def joined(
        self,
        sqlite: str,
        postgresql: str | None,
        *parts: Part,
        bare: bool = False,
        weight: int = 1,
        chain: bool = False,
    ) -> Part:
        """A template over parts. What would nest too deeply becomes a step; `chain`: the first part needs no parentheses."""
        depth = weight + max((part.depth - (chain and not index) for index, part in enumerate(parts)), default=0)
        if depth > _MAX_DEPTH:
            parts, chain, depth = tuple(self.set_aside(part) if part.depth else part for part in parts), False, weight
        operands = [
            Template("({0})", None, part.element) if part.bare and not (chain and not index) else part.element
            for index, part in enumerate(parts)
        ]
        return Part(
            Template(sqlite, postgresql, *operands), depth, frozenset().union(*(part.steps for part in parts)), bare
        )

    def set_aside(self, part: Part) -> Part:
        name = f"dg_s{len(self.steps) + 1}"
        self.steps.append((name, part))
        return Part(sa.literal_column(f"{name}.v"), 0, frozenset({name}))

    # Values

    def value(self, node: Node, checked: bool = False) -> Part:
        """The stored value; `checked`: an overflow is null already, on SQLite too."""
        match node:
            case Const():
                return self.constant(node.type, node.value)
            case Name(_, entity, name, row):
                return Part(self.column(self.rows[row], entity, name))
            case Variable(_, name):
                return Part(self.tables.variable(name))
            case Follow():
                return Part(self.follow(node), 2)
            case Aggregate():
                return Part(self.aggregate(node), 2)
            case Call() if is_predicate(node):
                return self.condition(node, exact=True)
            case Call():
                part = self.call(node)
                return self.joined(_EXACT, "{0}", part, weight=2) if checked and _afloat(node) else part
        raise TypeError(node)

    def column(self, alias: Any, entity: str, name: str) -> Any:
        return self.tables.id(alias, entity) if name == "id" else self.tables.column(alias, entity, name)

    def constant(self, type: Type, value: Any) -> Part:
        if value is None:
            return Part(Template(f"CAST(NULL AS {sql_type(type).compile()})", None))
        if isinstance(value, bool):
            return Part(sa.literal_column("TRUE" if value else "FALSE"))
        if isinstance(value, int):
            # SQLite reads -9223372036854775808 as the negative of a float.
            text = f"({value})" if value < 0 else str(value)
            return Part(sa.literal_column(f"(-{HIGHEST} - 1)" if value == LOWEST else text))
        return Part(sa.literal(value, sa.Text()))

    def call(self, node: Call) -> Part:
        if node.operation == "if":
            condition, then, otherwise = node.arguments
            asked, branches = (
                self.condition(condition, exact=False),
                (self.value(then, True), self.value(otherwise, True)),
            )
            return self.joined("CASE WHEN {0} THEN {1} ELSE {2} END", None, asked, *branches, weight=2)
        if node.operation == "coalesce":
            parts = tuple(self.value(each, True) for each in node.arguments)
            return self.joined(f"coalesce({_listed(len(parts))})", None, *parts, weight=2)
        known = OPERATIONS[node.operation]
        static: dict[str, Any] = {f"s{index}": each for index, each in enumerate(node.static)}
        if node.operation == "power":
            static["product"] = " * ".join(["CAST({0} AS NUMERIC)"] * int(node.static[0]))
        parts = tuple(self.value(each, checked=node.operation not in _TOLERANT) for each in node.arguments)
        sqlite = _native(node) or _with_static(known.sqlite, static)
        postgresql = _with_static(known.postgresql, static)
        part = self.joined(
            sqlite,
            postgresql,
            *parts,
            bare=True,
            weight=2 if "CASE" in known.sqlite else 1,
            chain=node.operation in _CHAIN,
        )
        # Without parentheses, so that on SQLite, where this adds nothing, a sum of many stays flat.
        return replace(part, element=Template("{0}", _GUARD, part.element)) if node.may_overflow else part

    # Conditions

    def condition(self, node: Node, exact: bool) -> Part:
        """True or false; where not `exact`, null may stand for false."""
        if isinstance(node, Const):
            return Part(sa.literal_column("TRUE" if node.value else "FALSE"))
        if not isinstance(node, Call) or not is_predicate(node):
            part = self.value(node)
            return part if not exact or never_null(node) else self.joined("coalesce({0}, FALSE)", None, part)
        match node.operation:
            case "and" | "or":
                parts = [self.condition(each, exact) for each in node.arguments]
                return self.joined(_listed(len(parts), f" {node.operation.upper()} "), None, *parts, bare=True)
            case "not":
                return self.joined("NOT {0}", None, self.condition(node.arguments[0], exact=True), bare=True)
            case "eq":
                return self.equality(node.arguments[0], node.arguments[1], exact)
            case "in":
                return self.among(node.arguments[0], node.arguments[1], exact)
            case "in_set":
                return self.among_variable(node.arguments[0], node.arguments[1], exact)
        known = OPERATIONS[node.operation]
        parts = [self.value(each, checked=True) for each in node.arguments]
        part = self.joined(known.sqlite, known.postgresql, *parts, bare=True)
        return self.sure(part, exact and known.strict and not all(never_null(each) for each in node.arguments))

    def sure(self, part: Part, needed: bool) -> Part:
        return self.joined("coalesce({0}, FALSE)", None, part) if needed else part

    def equality(self, left: Node, right: Node, exact: bool) -> Part:
        parts = (self.value(left, checked=True), self.value(right, checked=True))
        certain = (never_null(left), never_null(right))
        if any(certain):
            return self.sure(self.joined("{0} = {1}", None, *parts, bare=True), exact and not all(certain))
        return self.joined("{0} IS {1}", "{0} IS NOT DISTINCT FROM {1}", *parts, bare=True)

    def among(self, item: Node, listed: Node, exact: bool) -> Part:
        assert isinstance(listed, Const)
        parts = [
            self.value(item, checked=True),
            *(self.constant(listed.type.item or listed.type, each) for each in listed.value),
        ]
        others = ", ".join(f"{{{index}}}" for index in range(1, len(parts)))
        return self.sure(self.joined(f"{{0}} IN ({others})", None, *parts, bare=True), exact and not never_null(item))

    def among_variable(self, item: Node, group: Node, exact: bool) -> Part:
        kind = sql_type(group.type.item or item.type).compile()
        part = self.joined(
            "{0} IN (SELECT dg_e.value FROM json_each({1}) AS dg_e)",
            f"{{0}} = ANY (ARRAY(SELECT CAST(dg_e.value AS {kind}) FROM json_array_elements_text(CAST({{1}} AS JSON)) AS dg_e(value)))",
            self.value(item, checked=True), self.value(group), bare=True, weight=2,
        )  # fmt: skip
        return self.sure(part, exact and not never_null(item))

    # Other records

    def follow(self, node: Follow) -> Any:
        target = self.tables.table(node.entity)
        source = self.value(node.source).element
        conditions = [
            Template("{0} = {1}", None, self.tables.id(target, node.entity), source),
            *self.readable(target, node.entity),
        ]
        chosen = sa.select(self.column(target, node.entity, node.name)).select_from(target)
        return chosen.where(*conditions).correlate_except(target).scalar_subquery()

    def readable(self, alias: Any, entity: str) -> list[Any]:
        clause = self.tables.readable(alias, entity)
        return [] if clause is None else [clause]

    def aggregate(self, node: Aggregate) -> Any:
        alias, tables, conditions = self.rows[node.origin], [], []
        for step in node.path:
            target = self.tables.table(step.target)
            if step.kind == "record":
                link = (self.tables.id(target, step.target), self.column(alias, step.entity, step.name))
            else:
                child, back = self.tables.relation(step.entity, step.name)
                link = (self.column(target, child, back), self.tables.id(alias, step.entity))
            conditions += [Template("{0} = {1}", None, *link), *self.readable(target, step.target)]
            tables.append(target)
            alias = target
        rows = {**self.rows, node.row: alias}
        if node.where is not None:
            conditions.append(clause_sql(node.where, self.tables, rows))
        value = None if node.value is None else value_sql(node.value, self.tables, rows)
        if node.function == "all":
            assert node.value is not None
            writer = _Writer(self.tables, rows)
            conditions.append(
                writer.finished(
                    writer.joined("NOT {0}", None, writer.condition(node.value, exact=True)), sa.types.NULLTYPE
                )
            )
        result = Template("1", None) if node.function in ("exists", "all") else _aggregated(node, value)
        chosen = sa.select(result).select_from(*tables).where(*conditions).correlate_except(*tables)
        if node.function in ("exists", "all"):
            return Template(
                "EXISTS {0}" if node.function == "exists" else "NOT EXISTS {0}", None, chosen.scalar_subquery()
            )
        if node.function in ("sum", "avg"):
            return Template(_EXACT, _GUARD, chosen.scalar_subquery())
        return chosen.scalar_subquery()


# Exact on SQLite, whose sum() fails beyond 63 bits: high and low halves are summed apart and put together.
_SUM = "((sum({0} >> 32) + (sum({0} & 4294967295) >> 32)) * 4294967296 + (sum({0} & 4294967295) & 4294967295))"


def _aggregated(node: Aggregate, value: Any) -> Template:
    if value is None:
        return Template("count(*)", None)
    assert node.value is not None
    match node.function:
        case "count":
            return Template("count({0})", None, value)
        case "sum":
            return Template(f"coalesce({_SUM}, 0)", "coalesce(sum({0}), 0)", value, once=False)
        case "avg":
            factor = 10 ** (node.type.scale - node.value.type.scale)
            exact = f"CASE WHEN sum({{0}}) BETWEEN {LOWEST} AND {HIGHEST} THEN"
            quotient = f"{exact} round(sum({{0}}) * {factor}.000000000000000000000 / nullif(count({{0}}), 0)) END"
            return Template(f"dg_divide({_SUM}, count({{0}}), '{factor}')", quotient, value, once=False)
    collation = ' COLLATE "C"' if node.value.type.kind in ("text", "choice") else ""
    return Template(f"{node.function}({{0}})", f"{node.function}({{0}}{collation})", value)


def _afloat(node: Node) -> bool:
    """Whether an overflow further down may still show as a float on SQLite."""
    if not isinstance(node, Call) or not (OPERATIONS[node.operation].sticky or _native(node)):
        return False
    return node.may_overflow or any(_afloat(each) for each in node.arguments)


def _native(node: Call) -> str | None:
    """A rounded division by a positive constant as SQLite's own arithmetic, several times faster than a call.

    x·f/d is (x div d)·f, and what is left, less than d, times f over d.  Like other arithmetic it shows an overflow as a float.
    """
    if node.operation == "narrow":
        factor, divisor = 1, int(node.static[0])
    elif node.operation == "div" and isinstance(node.arguments[1], Const) and (node.arguments[1].value or 0) > 0:
        factor, divisor = int(node.static[0]), node.arguments[1].value
    else:
        return None
    common = gcd(factor, divisor)
    factor, divisor = factor // common, divisor // common
    if divisor == 1:
        return f"{{0}} * {factor}" if factor <= HIGHEST else None
    if 4 * divisor * factor > HIGHEST:
        return None
    half = f"CASE WHEN {{0}} < 0 THEN -{divisor} ELSE {divisor} END"
    return f"{{0}} / {divisor} * {factor} + ({{0}} % {divisor} * {2 * factor} + {half}) / {2 * divisor}"


def never_null(node: Node) -> bool:
    """Whether no row and no data can make the node null; a required field does not count, for old rows may lack it."""
    match node:
        case Const(_, value):
            return value is not None
        case Variable(type):
            return not type.nullable
        case Aggregate(function=function):
            return function in ("count", "exists", "all")
        case Call(operation="coalesce", arguments=arguments):
            return any(never_null(each) for each in arguments)
        case Call(operation="if", arguments=arguments):
            return all(never_null(each) for each in arguments[1:])
        case Call(operation=operation, arguments=arguments):
            known = OPERATIONS[operation]
            if known.predicate or operation in ("length", "count_choices", "count_files"):
                return True
            return (
                known.strict
                and not known.partial
                and not node.may_overflow
                and all(never_null(each) for each in arguments)
            )
    return False


def _listed(count: int, joint: str = ", ") -> str:
    return joint.join(f"{{{index}}}" for index in range(count))


def _with_static(text: str, static: Mapping[str, Any]) -> str:
    """The template with its static parameters in place and its operands still open."""
    for name, value in static.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text
