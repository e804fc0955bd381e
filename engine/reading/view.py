"""What is made once for a set of roles: which fields exist for them, and statements, kept by shape.

Statement texts never depend on values, so they are prepared once and kept by the driver.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.access.definition import Action
from engine.access.policies import Permit
from engine.app import App, EntityApp
from engine.clock import Clock
from engine.expressions import Expression, check
from engine.expressions.types import BOOLEAN, Type
from engine.fields import Field
from engine.problems import Label, Problem, Refused
from engine.reading.query import MOST_SORTS, MOST_VALUES, Query, shape_of
from engine.reading.tables import VisibleTables
from engine.storage.database import Database
from engine.storage.search import query_tokens, spelled_tokens
from engine.storage.statement import TRUTH, Statement, among, compared, holds, matches

KEPT_STATEMENTS = 2000
MOST_FILTER = 4000


@dataclass(frozen=True)
class Shape:
    """A statement with how to turn its rows, raw or not, into JSON-ready records, and the positions of its sort keys."""

    statement: Statement
    record: Callable[[tuple[Any, ...]], dict[str, Any]]
    keys: tuple[int, ...] = ()
    name: str = ""
    truths: frozenset[int] = frozenset()

    def place(self, row: tuple[Any, ...]) -> list[Any]:
        """The values of a row's sort keys, truth values as such where SQLite has numbers."""
        return [bool(row[i]) if i in self.truths and row[i] is not None else row[i] for i in self.keys]


def record_maker(fields: Iterable[tuple[str, Field]]) -> Callable[[tuple[Any, ...]], dict[str, Any]]:
    """From a row that begins with the stored values of `fields` to a JSON-ready record.

    Written out as one expression, for it runs for every row of every list.
    """
    parts: list[str] = []
    names: dict[str, Any] = {"truth": TRUTH}
    for place, (name, field) in enumerate(fields):
        code = field.json_code("stored")
        if field.type == "boolean":
            parts.append(f"{name!r}: truth[row[{place}]]")
        elif converter(field) is None or code == ("stored", {}):
            parts.append(f"{name!r}: row[{place}]")
        elif code is not None:
            parts.append(f"{name!r}: None if (stored := row[{place}]) is None else {code[0]}")
            names |= code[1]
        else:
            names[f"c{place}"] = field.to_json
            parts.append(f"{name!r}: c{place}(row[{place}])")
    made: Callable[[tuple[Any, ...]], dict[str, Any]] = eval(f"lambda row: {{{', '.join(parts)}}}", names)
    return made


class View:
    """An app as a set of roles sees it: the scope of their expressions, and statements kept by shape."""

    def __init__(self, app: App, db: Database, clock: Clock, roles: frozenset[str], everything: bool) -> None:
        self.app, self.db, self.clock = app, db, clock
        self.roles = roles
        self.everything = everything
        self.tables = VisibleTables(app, app.policies, roles, everything)
        self._kept: OrderedDict[Any, Any] = OrderedDict()
        self._fields: dict[str, Mapping[str, Field]] = {}
        self._usual: dict[str, list[str]] = {}

    def permit(self, entity: str) -> Permit:
        return self.tables.permit(entity)

    def model(self, entity: str) -> EntityApp:
        """The entity, if the roles may read any of its records. Raises Refused (404) otherwise, known or not."""
        model = self.app.entities.get(entity)
        if model is None or not self.permit(entity).may("read"):
            raise Refused(Problem("not-found", entity), 404)
        return model

    def fields(self, entity: str) -> Mapping[str, Field]:
        """The fields that exist for the roles, in the order of the definition."""
        found = self._fields.get(entity)
        if found is None:
            model, visible = self.model(entity), self.permit(entity).visible
            found = self._fields[entity] = {name: field for name, field in model.fields.items() if name in visible}
        return found

    def kept(self, key: Any, make: Callable[[], Any]) -> Any:
        """What `make` returns, kept under `key`; the least used is dropped when there are too many."""
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = make()
            if len(self._kept) > KEPT_STATEMENTS:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return found

    # -- the scope of expressions that the roles write -------------------------------------------------------------

    def field(self, entity: str, name: str) -> Type | None:
        permit = self.permit(entity)
        if name in permit.visible:
            return self.app.scope.field(entity, name)
        model = self.app.entities.get(entity)
        child = model.relations.get(name) if model else None
        if child is None or name in (model.fields if model else ()):
            return None
        return self.app.scope.field(entity, name) if child[1] in self.permit(child[0]).visible else None

    def names(self, entity: str) -> list[str]:
        return [name for name in self.app.scope.names(entity) if self.field(entity, name) is not None]

    def variable(self, name: str) -> Type | None:
        return self.app.scope.variable(name)

    def expression(self, text: str, entity: str, where: str, expect: Type | None = None) -> Expression:
        """A checked expression over what the roles may see. Raises Refused (400) with all faults."""

        def make() -> Expression:
            expression, faults = check(text, entity, self, expect=expect)
            if expression is None or any(fault.severity == "error" for fault in faults):
                raise Refused([Problem(f.code, where, self._labelled(f.parameters), value=text) for f in faults], 400)
            return expression

        if len(text) > MOST_FILTER:
            raise Refused(Problem("too-many", where, {"what": where, "most": MOST_FILTER}), 400)
        found: Expression = self.kept(("expression", entity, text, expect), make)
        return found

    def _labelled(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """An entity in a fault goes by its label."""
        entity = self.app.entities.get(str(parameters.get("entity", "")))
        return {**parameters, "entity": entity.label} if entity else dict(parameters)

    # -- statements --------------------------------------------------------------------------------------------------

    def selected(
        self, model: EntityApp, names: Iterable[str], alias: Any
    ) -> tuple[list[Any], Callable[[tuple[Any, ...]], dict[str, Any]]]:
        """The columns of stored fields, and what makes a record of their values."""
        stored = [(name, field) for name in names if (field := model.fields[name]).stored]
        columns = [
            self.tables.column(alias, model.name, name).label(f"c{place}") for place, (name, _) in enumerate(stored)
        ]
        return columns, record_maker(stored)

    def get_shape(self, entity: str, fields: tuple[str, ...] | None, deleted: bool, action: Action = "read") -> Shape:
        def make() -> Shape:
            model = self.model(entity)
            alias = model.table
            columns, record = self.selected(model, self.chosen(entity, fields), alias)
            clause = [
                alias.c.id == sa.bindparam("id"),
                alias.c.deleted_at.is_not(None) if deleted else alias.c.deleted_at.is_(None),
            ]
            rows = self.tables.rows(alias, entity, action)
            statement = sa.select(*columns).where(*clause, *([] if rows is None else [rows]))
            return Shape(self.db.statement(statement), record)

        shape: Shape = self.kept(("get", entity, fields, deleted, action), make)
        return shape

    def chosen(self, entity: str, fields: tuple[str, ...] | None) -> list[str]:
        """Field names to select, id and version first. Raises Refused (404) for unknown or hidden ones."""
        visible = self.fields(entity)
        if fields is None:
            found = self._usual.get(entity)
            if found is None:
                found = self._usual[entity] = [name for name in visible if not heavy(visible[name], name)]
            return found
        missing = [name for name in fields if name not in visible]
        if missing:
            raise Refused(
                [Problem("unknown-field", "fields", unknown(self.app, entity, name)) for name in missing], 404
            )
        return list(dict.fromkeys((*(name for name in ("id", "version") if name in visible), *fields)))

    def filter_kinds(self, model: EntityApp, query: Query) -> tuple[tuple[str, str], ...]:
        """What shape each plain filter has: `empty`, `has` an option, `one` value, `many`. Raises Refused (404) for unknown fields."""
        found = []
        for name, text in query.filters.items():
            field = self.fields(model.name).get(name)
            if field is None or not field.stored:
                raise Refused(Problem("unknown-field", name, unknown(self.app, model.name, name)), 404)
            many = splits(field) and "," in text
            found.append(
                (name, "empty" if text == "" else "has" if field.type == "choices" else "many" if many else "one")
            )
        return tuple(found)

    def filter_values(self, model: EntityApp, query: Query) -> dict[str, Any]:
        """The values of the parameters of a query's filters and search. Raises Refused (400) for values that do not fit."""
        values: dict[str, Any] = {}
        for position, (name, kind) in enumerate(self.filter_kinds(model, query)):
            field, text = model.fields[name], query.filters[name]
            if kind == "has":
                values[f"f{position}"] = f"|{text}|"
            elif kind == "one":
                values[f"f{position}"] = self._value(field, name, text)
            elif kind == "many":
                parts = text.split(",")
                if len(parts) > MOST_VALUES:
                    raise Refused(Problem("too-many", name, {"what": name, "most": MOST_VALUES}), 400)
                values[f"f{position}"] = [self._value(field, name, part) for part in parts]
        if query.search:
            plain, other = query_tokens(query.search), spelled_tokens(query.search)
            both = bool(other) and self.db.dialect == "sqlite"
            values["search_tokens"] = [*plain, None, *other] if both else plain
            values["search_spelled"] = other
        return values

    def question(self, model: EntityApp, query: Query) -> tuple[Any, ...]:
        """What a query asks, without its values: equal questions have one statement."""
        return (
            model.name,
            query.where,
            self.filter_kinds(model, query),
            query.search and (2 if spelled_tokens(query.search) else 1),
            query.view,
            query.deleted,
            query.action,
        )

    def clauses(self, model: EntityApp, alias: Any, query: Query, tokens: tuple[int, int] | None = None) -> list[Any]:
        """The clauses of a query; their parameters are those of `filter_values`.

        With `tokens`, so many search words, or else so many of their spelling, are looked up in each record instead of in
        the index of words.
        """
        alive = alias.c.deleted_at.is_not(None) if query.deleted else alias.c.deleted_at.is_(None)
        return [alive, *self.conditions(model, alias, query, tokens)]

    def conditions(
        self, model: EntityApp, alias: Any, query: Query, tokens: tuple[int, int] | None = None
    ) -> list[Any]:
        """Those of its clauses that do not ask whether a record is deleted."""
        clauses: list[Any] = []
        rows = self.tables.rows(alias, model.name, "restore" if query.deleted else query.action)
        if rows is not None:
            clauses.append(rows)
        if query.view is not None:
            view = self.app.views.get(query.view)
            if view is None or view.entity != model.name or not view.open_to(self.roles, self.everything):
                raise Refused(Problem("unknown-view", "view", {"name": query.view}), 404)
            if view.where is not None:
                clauses.append(view.where.clause(self.tables, alias))
        if query.where:
            clauses.append(self.expression(query.where, model.name, "filter", BOOLEAN).clause(self.tables, alias))
        for position, (name, kind) in enumerate(self.filter_kinds(model, query)):
            clauses.append(self._filter(self.tables.column(alias, model.name, name), kind, f"f{position}"))
        if query.search:
            if "search" not in alias.c:  # people and teams
                raise Refused(Problem("parameter-unknown", "search", {"name": "search"}), 400)
            spelled = "search_spelled" if spelled_tokens(query.search) else None
            if tokens is None:
                clauses.append(matches(alias, "search_tokens", spelled))
            else:
                plain, other = tokens
                either = [holds(alias, plain), *([holds(alias, other, "spelled")] if other else [])]
                clauses.append(sa.or_(*either))
        return clauses

    def _filter(self, column: Any, kind: str, bind: str) -> Any:
        match kind:
            case "empty":
                return column.is_(None)
            case "has":
                found = sa.func.instr if self.db.dialect == "sqlite" else sa.func.strpos
                return found(column, sa.bindparam(bind, type_=sa.Text())) > 0
            case "one":
                return column == sa.bindparam(bind, type_=compared(column))
            case _:
                return among(column, bind)

    def _value(self, field: Field, name: str, text: str) -> Any:
        try:
            return field.read(text)
        except ValueError as error:
            raise Refused(
                Problem(
                    getattr(error, "code", "value-invalid"),
                    name,
                    {"label": self._label(field, name), **getattr(error, "parameters", {})},
                ),
                400,
            ) from None

    def _label(self, field: Field, name: str) -> Label:
        return field.label or Label.of(name)

    def order(
        self, model: EntityApp, alias: Any, sort: tuple[str, ...]
    ) -> tuple[list[tuple[Any, bool, bool]], tuple[str, ...]]:
        """Sort keys as (column, descending, may be empty), ending with the id, so that the order is total."""
        keys: list[tuple[Any, bool, bool]] = []
        visible = self.fields(model.name)
        if len(sort) > MOST_SORTS:
            raise Refused(Problem("too-many", "sort", {"what": "sort", "most": MOST_SORTS}), 400)
        for text in sort:
            name, descending = text.lstrip("-"), text.startswith("-")
            field = visible.get(name)
            if field is None:
                raise Refused(Problem("unknown-field", "sort", unknown(self.app, model.name, name)), 404)
            if not field.stored or not field.sortable:
                raise Refused(Problem("field-not-sortable", "sort", {"label": self._label(field, name)}), 400)
            if name != "id":
                keys.append((self.tables.column(alias, model.name, name), descending, name not in NEVER_EMPTY))
        down = keys[0][1] if keys else True
        if sort and sort[-1].lstrip("-") == "id":
            down = sort[-1].startswith("-")
        keys.append((alias.c.id, down, False))
        return keys, tuple(sort)

    def key_kinds(self, entity: str, sort: tuple[str, ...]) -> list[type]:
        """Of which Python type the stored value of each sort key is."""
        model = self.model(entity)
        return [column.type.python_type for column, _, _ in self.order(model, model.table, sort)[0]]

    def list_shape(
        self,
        entity: str,
        query: Query,
        names: tuple[str, ...],
        after: list[Any] | None,
        tokens: tuple[int, int] | None = None,
    ) -> Shape:
        """The statement of a list; `tokens` as in `clauses`."""
        empties = None if after is None else tuple(value is None for value in after)
        key = ("list", *self.question(self.model(entity), query), query.sort, names, empties, tokens)

        def make() -> Shape:
            model = self.model(entity)
            alias = model.table
            columns, record = self.selected(model, names, alias)
            clauses = self.clauses(model, alias, query, tokens)
            keys, sort = self.order(model, alias, query.sort or self.default_sort(model, query.view))
            first = len(columns)
            columns += [column.label(f"k{i}") for i, (column, _, _) in enumerate(keys)]
            if empties is not None:
                clauses.append(_after(keys, empties))
            statement = sa.select(*columns).where(*clauses).order_by(*(_ordered(self.db.dialect, *key) for key in keys))
            statement = statement.limit(sa.bindparam("most", type_=sa.BigInteger()))
            shape = shape_of(entity, sort, query.view)
            truths = frozenset(first + i for i, key in enumerate(keys) if isinstance(key[0].type, sa.Boolean))
            return Shape(self.db.statement(statement), record, tuple(range(first, first + len(keys))), shape, truths)

        shape: Shape = self.kept(key, make)
        return shape

    def default_sort(self, model: EntityApp, view: str | None) -> tuple[str, ...]:
        declared = self.app.views[view].sort if view is not None and view in self.app.views else ()
        visible = self.fields(model.name)
        return tuple(each for each in declared if each.lstrip("-") in visible) or ("-id",)


NEVER_EMPTY = frozenset({"id", "version", "created_at", "updated_at"})


def _ordered(dialect: str, column: Any, descending: bool, nullable: bool) -> Any:
    """Empty values are the smallest, on both databases; indexes are made in the same order."""
    ordered = column.desc() if descending else column.asc()
    if not nullable or dialect == "sqlite":
        return ordered
    return ordered.nulls_last() if descending else ordered.nulls_first()


def _after(keys: list[tuple[Any, bool, bool]], empties: tuple[bool, ...]) -> Any:
    """The clause of the rows that follow the one whose sort values are bound as after0, after1, …"""
    binds = [sa.bindparam(f"after{i}", type_=compared(column)) for i, (column, _, _) in enumerate(keys)]
    down = keys[0][1]
    if (
        all(descending == down for _, descending, _ in keys)
        and not any(empties)
        and (not any(n for _, _, n in keys) or not down)
    ):
        # Nothing empty can follow: one comparison of rows, which an index answers.
        left, right = sa.tuple_(*(column for column, _, _ in keys)), sa.tuple_(*binds)
        return left < right if down else left > right
    clauses: list[Any] = []
    equal: list[Any] = []
    for (column, descending, nullable), bind, empty in zip(keys, binds, empties, strict=True):
        if empty:
            beyond = sa.false() if descending else column.is_not(None)
            same = column.is_(None)
        else:
            beyond = column < bind if descending else column > bind
            if descending and nullable:
                beyond = sa.or_(beyond, column.is_(None))
            same = column == bind
        clauses.append(sa.and_(*equal, beyond))
        equal.append(same)
    return sa.or_(*clauses)


def converter(field: Field) -> Callable[[Any], Any] | None:
    return None if type(field).to_json is Field.to_json else field.to_json


def heavy(field: Field, name: str) -> bool:
    """Left out unless asked for by name."""
    return not field.stored or name.endswith("_detail") or name == "deleted_at"


def splits(field: Field) -> bool:
    return field.type in (
        "choice",
        "lookup",
        "user",
        "team",
        "integer",
        "autonumber",
        "identifier",
        "phone",
        "email",
        "boolean",
    )


def unknown(app: App, entity: str, name: str) -> dict[str, Any]:
    return {"entity": app.entities[entity].label, "name": name, "nearest": None}
