"""Groups of records with their measures: counts, sums, averages, and the least and greatest.

What a view declares is answered from totals that are kept (`engine.reading.totals`), whenever these can tell apart
everything that the question and the reader's permissions tell apart; anything else from the records.  Both give the same
answer.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.app import EntityApp
from engine.columns import day
from engine.expressions import Expression
from engine.problems import Problem, Refused
from engine.reading.query import Query
from engine.reading.totals import columns_of, kept_totals
from engine.reading.view import View, converter, unknown
from engine.reading.why import Why
from engine.storage.errors import TableMissing
from engine.storage.statement import Statement
from engine.storage.totals import ROWS, Totals, count_of, sum_of

MOST_GROUPS = 1000
MONTH = ".month"
Converter = Callable[[Any], Any] | None


@dataclass(frozen=True)
class Measure:
    """`function` of an expression; of every record where there is none. `field` is the one that the expression just names."""

    function: str
    expression: Expression | None
    field: str | None


@dataclass(frozen=True)
class _Sums:
    """Statements of one question, the quickest first, and how to convert their columns."""

    statements: list[Statement]
    converters: list[Converter]


class Sums(Why):
    """The part of a lens that adds up."""

    def declared(self, entity: str, view: str | None) -> tuple[tuple[str, ...], dict[str, str]]:
        """The groups and measures that a view declares, as far as its fields exist for him; a count where it declares none."""
        found = self.app.views.get(view) if view is not None else None
        measures = {"count": "count()"}
        if found is None or found.entity != entity:
            return (), measures
        visible = self.fields(entity)
        measures |= {f"sum_{name}": f"sum({name})" for name in found.sum if name in visible}
        return tuple(name for name in found.group if name in visible), measures

    def aggregate(
        self, r: Any, entity: str, query: Query, group: tuple[str, ...], measures: Mapping[str, str]
    ) -> list[dict[str, Any]]:
        """Groups with their measures: `count()`, or sum, avg, min, max of an expression. At most 1,000 groups, largest key last.

        A date in `group` followed by `.month` stands for the first day of its month.
        """
        sums = self._asked(entity, query, group, measures)
        values = {**self.parameters, **self.view.filter_values(self.view.model(entity), query)}
        names = (*group, *measures)
        return [
            {
                name: value if value is None or convert is None else convert(value)
                for name, value, convert in zip(names, row, sums.converters, strict=True)
            }
            for row in _first_answer(r, sums.statements, values)
        ]

    def has_totals(self, entity: str, query: Query, group: tuple[str, ...], measures: Mapping[str, str]) -> bool:
        """Whether kept totals answer the question, so that it takes but a moment. Raises Refused as `aggregate` does."""
        return len(self._asked(entity, query, group, measures).statements) > 1

    def _asked(self, entity: str, query: Query, group: tuple[str, ...], measures: Mapping[str, str]) -> _Sums:
        view = self.view
        model = view.model(entity)
        for name in group:
            field = view.fields(entity).get(name.removesuffix(MONTH))
            dated = field is None or field.value_type().kind in ("date", "datetime") or not name.endswith(MONTH)
            if field is None or not field.stored or not dated:
                raise Refused(Problem("unknown-field", "group", unknown(self.app, entity, name)), 404)
        key = ("aggregate", *view.question(model, query), group, tuple(measures.items()))
        sums: _Sums = view.kept(key, lambda: _sums(view, model, query, group, list(measures.values())))
        return sums


def _first_answer(r: Any, statements: list[Statement], values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    while len(statements) > 1:
        try:
            return list(r.all(statements[0], values))
        except TableMissing:
            # Published by an older engine, or a newer version that keeps other totals has just gone live.
            statements[:] = statements[-1:]
    return list(r.all(statements[0], values))


def _sums(view: View, model: EntityApp, query: Query, group: tuple[str, ...], texts: list[str]) -> _Sums:
    measures = [_measure(view, model, text) for text in texts]
    converters = [_iso if name.endswith(MONTH) else converter(view.fields(model.name)[name]) for name in group]
    converters += [_converter(view, model, measure) for measure in measures]
    sources: list[_Source] = [_Records(view, model, query)]
    kept = next(_fitting(view, model, query, group, measures), None)
    if kept is not None:
        sources.insert(0, _Kept(view, model, query, kept))
    return _Sums([view.db.statement(source.select(group, measures)) for source in sources], converters)


def _iso(value: int) -> str:
    return day(value).isoformat()


def _key(view: View, model: EntityApp, alias: Any, name: str) -> Any:
    """What a group is told apart by."""
    if not name.endswith(MONTH):
        return view.tables.column(alias, model.name, name)
    text = f"start_of_month({name.removesuffix(MONTH)})"
    return view.expression(text, model.name, "group").to_sql(view.tables, alias)


def _measure(view: View, model: EntityApp, text: str) -> Measure:
    function, _, rest = text.partition("(")
    inner = rest.removesuffix(")").strip()
    function = function.strip().lower()
    if function not in ("count", "sum", "avg", "min", "max") or not rest.endswith(")"):
        raise Refused(Problem("measure-invalid", "measure", {"name": text}), 400)
    if not inner:
        if function != "count":
            raise Refused(Problem("measure-invalid", "measure", {"name": text}), 400)
        return Measure(function, None, None)
    expression = view.expression(inner, model.name, "measure")
    kind = expression.type.kind
    # PostgreSQL knows no greatest of truth values.
    if (function in ("sum", "avg") and kind not in ("number", "duration")) or (
        function in ("min", "max") and kind == "boolean"
    ):
        raise Refused(Problem("measure-invalid", "measure", {"name": text}), 400)
    return Measure(function, expression, inner if inner in view.fields(model.name) else None)


def _converter(view: View, model: EntityApp, measure: Measure) -> Converter:
    if measure.expression is None or measure.function == "count":
        return None
    scale = measure.expression.type.scale
    if measure.function == "avg":
        return lambda value: round(float(value) / 10**scale, scale + 2)
    if measure.expression.type.kind == "number":
        return int if scale == 0 else lambda value: int(value) / 10**scale
    return converter(view.fields(model.name)[measure.field]) if measure.field else None


def _fitting(
    view: View, model: EntityApp, query: Query, group: tuple[str, ...], measures: list[Measure]
) -> Iterator[Totals]:
    """The totals that can answer a question, the smallest first."""
    if query.deleted:
        return
    alias = model.table
    read = columns_of(
        [*view.conditions(model, alias, query), *(_key(view, model, alias, name) for name in group)], alias
    )
    summed = set()
    for measure in measures:
        if measure.expression is None:
            continue
        if measure.field is None or measure.field not in model.columns or measure.function in ("min", "max"):
            return
        summed.add(model.columns[measure.field])
        showing = view.tables.shown(alias, model.name, measure.field)
        if showing is not None:
            read |= columns_of([showing], alias)
    for totals in kept_totals(view.app, model.name):
        if read <= set(totals.dimensions) and summed <= set(totals.sums):
            yield totals


class _Source:
    """Where the figures come from: a table with the clauses of a question over it."""

    def __init__(self, view: View, model: EntityApp, table: sa.Table, clauses: list[Any]) -> None:
        self.view, self.model, self.table, self.clauses = view, model, table, clauses

    def measured(self, measure: Measure) -> Any:
        raise NotImplementedError

    def select(self, group: tuple[str, ...], measures: list[Measure]) -> sa.Select[Any]:
        columns = [_key(self.view, self.model, self.table, name).label(f"g{i}") for i, name in enumerate(group)]
        columns += [self.measured(measure).label(f"m{i}") for i, measure in enumerate(measures)]
        statement = sa.select(*columns).select_from(self.table).where(*self.clauses)
        if group:
            statement = self.grouped(statement, [f"g{i}" for i in range(len(group))], measures)
        return statement.limit(MOST_GROUPS)

    def grouped(self, statement: sa.Select[Any], keys: list[str], measures: list[Measure]) -> sa.Select[Any]:
        return statement.group_by(*map(sa.text, keys)).order_by(*self.smallest_first(keys))

    def smallest_first(self, keys: list[str]) -> list[Any]:
        """The order of the groups: an empty key is the smallest, on both databases."""
        return [sa.text(key if self.view.db.dialect == "sqlite" else f"{key} NULLS FIRST") for key in keys]

    def typed(self, measure: Measure, value: Any) -> Any:
        """A sum or the like, as what it is the sum of."""
        assert measure.expression is not None
        return sa.cast(value, sa.BigInteger()) if measure.expression.type.kind == "number" else value


class _Records(_Source):
    """Every record is looked at."""

    def __init__(self, view: View, model: EntityApp, query: Query) -> None:
        super().__init__(view, model, model.table, view.clauses(model, model.table, query))
        self.query = query

    def measured(self, measure: Measure) -> Any:
        if measure.expression is None:
            return sa.func.count()
        value = getattr(sa.func, measure.function)(measure.expression.to_sql(self.view.tables, self.table))
        if measure.function == "count":
            return value
        return sa.cast(value, sa.Float()) if measure.function == "avg" else self.typed(measure, value)

    def grouped(self, statement: sa.Select[Any], keys: list[str], measures: list[Measure]) -> sa.Select[Any]:
        # SQLite would walk an index of the group and look up row after row, at twice the cost of sorting them
        # and more in a large file; the plus forbids it, but where the index alone can count.
        counted = (
            all(measure.expression is None for measure in measures)
            and self.view.tables.rows(self.table, self.model.name, self.query.action) is None
        )
        if counted or self.view.db.dialect != "sqlite":
            return super().grouped(statement, keys, measures)
        return statement.group_by(*(sa.text(f"+{key}") for key in keys)).order_by(*self.smallest_first(keys))


class _Kept(_Source):
    """The rows of a totals table, whose dimensions are named like the columns of the records."""

    def __init__(self, view: View, model: EntityApp, query: Query, totals: Totals) -> None:
        table = totals.table(model.table)  # which counts none but live records
        super().__init__(view, model, table, view.conditions(model, table, query))

    def measured(self, measure: Measure) -> Any:
        if measure.expression is None or measure.field is None:
            return sa.func.coalesce(sa.func.sum(self.table.c[ROWS]), 0)
        column = self.model.columns[measure.field]
        present = sa.func.coalesce(sa.func.sum(self._shown(measure.field, count_of(column))), 0)
        if measure.function == "count":
            return sa.cast(present, sa.BigInteger())
        total = sa.func.sum(self._shown(measure.field, sum_of(column)))
        if measure.function == "avg":
            return sa.case((present > 0, sa.cast(total * sa.literal_column("1.0") / present, sa.Float())))
        return self.typed(measure, sa.case((present > 0, total)))

    def _shown(self, field: str, name: str) -> Any:
        showing = self.view.tables.shown(self.table, self.model.name, field)
        return self.table.c[name] if showing is None else sa.case((showing, self.table.c[name]))

    def grouped(self, statement: sa.Select[Any], keys: list[str], measures: list[Measure]) -> sa.Select[Any]:
        grouped = super().grouped(statement, keys, measures)
        return grouped.having(sa.func.sum(self.table.c[ROWS]) > 0)


__all__ = ["Sums"]
