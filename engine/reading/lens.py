"""A lens: one principal looking at one version of an app."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.access.principal import Principal
from engine.app import App, EntityApp
from engine.clock import Clock
from engine.problems import Problem, Refused
from engine.reading.query import Query, decode_cursor, encode_cursor, shape_of
from engine.reading.sums import Sums
from engine.reading.tables import ThisTables, WholeTables, this_fields
from engine.reading.telling import Telling
from engine.reading.view import Shape, View, unknown
from engine.storage.database import Database
from engine.storage.errors import StatementTimeout
from engine.storage.search import query_tokens, spelled_tokens
from engine.storage.statement import Statement, among, hits, matches


@dataclass(frozen=True)
class Page:
    """`next` is the cursor of the following page; None at the end."""

    rows: list[dict[str, Any]]
    next: str | None


class Lens(Sums):
    """What one principal may see. `r` is a reader or a transaction of the database."""

    # -- records -------------------------------------------------------------------------------------------------------

    def get(
        self,
        r: Any,
        entity: str,
        id: int,
        fields: tuple[str, ...] | None = None,
        expand: tuple[str, ...] = (),
        deleted: bool = False,
    ) -> dict[str, Any] | None:
        """One record, JSON-ready; None if there is none that he may see."""
        shape = self.view.get_shape(entity, fields, deleted, "restore" if deleted else "read")
        rows = r.raw(shape.statement, {**self.parameters, "id": id})
        if not rows:
            return None
        record = shape.record(rows[0])
        if expand:
            self._expand(r, entity, [record], expand)
        return record

    def told(self, entity: str, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """What `get` gives of the record that has these stored values; None where its values alone do not tell that.

        They do not where what he may see depends on other records, and where he may not see it.
        """

        teller: Telling = self.view.kept(("told", entity), lambda: Telling(self.view, entity))
        return teller.record(values, self.context()) if teller.alone else None

    def page(self, r: Any, entity: str, query: Query) -> Page:
        """A page of records and the cursor of the next."""
        view = self.view
        names = tuple(view.chosen(entity, query.fields))
        limit = self.limited(query.limit)
        after = None
        if query.cursor is not None:
            sort = query.sort or view.default_sort(view.model(entity), query.view)
            after = decode_cursor(shape_of(entity, sort, query.view), query.cursor, view.key_kinds(entity, sort))
        shape = view.list_shape(entity, query, names, after)
        parameters = {**self.parameters, **view.filter_values(view.model(entity), query), "most": limit + 1}
        if after is not None:
            parameters |= {f"after{i}": value for i, value in enumerate(after)}
        rows = self._walked(r, entity, query, names, after, parameters)
        if rows is None:
            rows = r.raw(shape.statement, parameters)
        more = len(rows) > limit
        rows = rows[:limit]
        records = [shape.record(row) for row in rows]
        cursor = encode_cursor(shape.name, shape.place(rows[-1])) if more else None
        if query.expand:
            self._expand(r, entity, records, query.expand)
        return Page(records, cursor)

    def _walked(
        self, r: Any, entity: str, query: Query, names: tuple[str, ...], after: list[Any] | None, parameters: Mapping[str, Any]
    ) -> list[tuple[Any, ...]] | None:  # fmt: skip
        """The rows of a search for common words on SQLite, found by walking through the records in their order.

        The index of words gives all hits, which must be read to be sorted; of common words the first page is found sooner by
        looking at one record after the other.  None for rare words, and where the page is not found in a moment after all.
        """
        tokens = query_tokens(query.search) if query.search and self.db.one_writer else []
        if not tokens:
            return None
        other = spelled_tokens(query.search or "")
        table = self.view.model(entity).table
        count = self.view.kept(("hits", entity), lambda: self.db.statement(hits(table)))
        if r.scalar(count, {"words": [*tokens, None, *other] if other else tokens, "most": COMMON}) < COMMON:
            return None
        shape = self.view.list_shape(entity, query, names, after, (len(tokens), len(other)))
        words = {f"token{i}": f" {token} " for i, token in enumerate(tokens)}
        words |= {f"spelled{i}": f" {token} " for i, token in enumerate(other)}
        try:
            with self.db.hurry(WALK):
                found: list[tuple[Any, ...]] = r.raw(shape.statement, {**parameters, **words})
                return found
        except StatementTimeout:
            return None

    def count(self, r: Any, entity: str, query: Query, at_most: int | None = None) -> int:
        """How many records meet the query; counting stops at `at_most`."""
        view = self.view
        model = view.model(entity)

        def make() -> Statement:
            clauses = view.clauses(model, model.table, query)
            inner = sa.select(model.table.c.id).where(*clauses)
            if at_most is not None:
                inner = inner.limit(sa.bindparam("most", type_=sa.BigInteger()))
                return self.db.statement(sa.select(sa.func.count()).select_from(inner.subquery()))
            return self.db.statement(sa.select(sa.func.count()).select_from(model.table).where(*clauses))

        statement = view.kept(("count", *view.question(model, query), at_most is None), make)
        return int(r.scalar(statement, {**self.parameters, **view.filter_values(model, query), "most": at_most}))

    def titles(self, r: Any, entity: str, ids: Iterable[int]) -> dict[int, str]:
        """The titles of those of `ids` that he may see."""
        wanted = sorted(set(ids))
        if not wanted or not self.may(entity, "read"):
            return {}
        view = self.view

        def make() -> Statement:
            model = view.model(entity)
            alias = model.table
            rows = view.tables.rows(alias, entity, "read")
            title = view.tables.column(alias, entity, model.title)
            statement = sa.select(alias.c.id, title).where(among(alias.c.id, "ids"), *([] if rows is None else [rows]))
            return self.db.statement(statement)

        model = view.model(entity)
        show = model.fields[model.title].show
        rows = r.all(view.kept(("titles", entity), make), {**self.parameters, "ids": wanted})
        return {row[0]: show(row[1], self.principal.language) for row in rows}

    def _expand(self, r: Any, entity: str, records: Sequence[dict[str, Any]], expand: tuple[str, ...]) -> None:
        if len(expand) > 12 or any(path.count(".") > 2 for path in expand):
            raise Refused(Problem("too-many", "expand", {"what": "expand", "most": 12}), 400)
        model = self.view.model(entity)
        first = dict.fromkeys(path.partition(".")[0] for path in expand)
        for name in first:
            deeper = tuple(
                rest for path in expand if path.partition(".")[0] == name and (rest := path.partition(".")[2])
            )
            if name in model.lookups and name in self.view.fields(entity):
                self._expand_lookup(r, model, records, name, deeper)
            elif self.view.field(entity, name) is not None and name in model.relations:
                self._expand_children(r, model, records, name, deeper)
            else:
                raise Refused(Problem("unknown-field", "expand", unknown(self.app, entity, name)), 404)

    def _expand_lookup(
        self, r: Any, model: EntityApp, records: Sequence[dict[str, Any]], name: str, deeper: tuple[str, ...]
    ) -> None:
        target = model.lookups[name]
        ids = {int(record[name]) for record in records if record.get(name) is not None}
        titles = self.titles(r, target, ids)
        found: dict[str, dict[str, Any]] = {}
        if deeper and ids and self.may(target, "read"):
            own = tuple(path.partition(".")[0] for path in deeper)
            fields = tuple(each for each in own if each in self.view.fields(target))
            records_of = self.many(r, target, ids, fields)
            self._expand(r, target, list(records_of.values()), deeper)
            found = {str(id): record for id, record in records_of.items()}
        elif deeper:
            self._expand(
                r, target, [], deeper
            )  # what cannot be expanded is refused, whether or not there is anything to expand
        for record in records:
            id = record.get(name)
            if id is not None:
                record[name] = {**found.get(id, {}), "id": id, "title": titles.get(int(id))}

    def many(
        self, r: Any, entity: str, ids: Iterable[int], fields: tuple[str, ...] | None = None
    ) -> dict[int, dict[str, Any]]:
        """Those of `ids` that he may see, by id."""

        def make() -> Shape:
            model = self.view.model(entity)
            alias = model.table
            columns, record = self.view.selected(model, self.view.chosen(entity, fields), alias)
            readable = self.view.tables.readable(alias, entity)
            return Shape(self.db.statement(sa.select(*columns).where(among(alias.c.id, "ids"), readable)), record)

        shape = self.view.kept(("many", entity, fields), make)
        records = (shape.record(row) for row in r.raw(shape.statement, {**self.parameters, "ids": sorted(set(ids))}))
        return {int(record["id"]): record for record in records}

    def _expand_children(
        self, r: Any, model: EntityApp, records: Sequence[dict[str, Any]], name: str, deeper: tuple[str, ...]
    ) -> None:
        child, lookup = model.relations[name]

        def make() -> Shape:
            other = self.view.model(child)
            alias = other.table
            names = list(dict.fromkeys([lookup, *self.view.chosen(child, None)]))
            columns, record = self.view.selected(other, names, alias)
            readable = self.view.tables.readable(alias, child)
            lookup_column = self.view.tables.column(alias, child, lookup)
            statement = (
                sa.select(*columns).where(among(lookup_column, "ids"), readable).order_by(alias.c.id).limit(5000)
            )
            return Shape(self.db.statement(statement), record)

        if lookup not in self.view.permit(child).visible:
            raise Refused(Problem("unknown-field", "expand", unknown(self.app, model.name, name)), 404)
        shape = self.view.kept(("children", model.name, name), make)
        of: dict[str, list[dict[str, Any]]] = {record["id"]: [] for record in records}
        for row in r.raw(shape.statement, {**self.parameters, "ids": [int(id) for id in of]}):
            record = shape.record(row)
            of[record[lookup]].append(record)
        if deeper:
            self._expand(r, child, [record for found in of.values() for record in found], deeper)
        for record in records:
            record[name] = of[record["id"]]

    def choices(
        self,
        r: Any,
        entity: str,
        field: str,
        text: str = "",
        limit: int = 20,
        record: Mapping[str, Any] | None = None,
        ids: Sequence[int] | None = None,
    ) -> list[dict[str, Any]]:
        """Records that a lookup field may point to and that he may see: id and title, best match first.

        `text` is looked for in all fields that the target is searched by; without any the newest come first.  `ids` asks
        which of some records are among them, in their order.  `record` holds stored values of the record being edited.  A
        condition that needs others is left to the saving.
        """
        model = self.view.model(entity)
        target = model.lookups.get(field)
        if target is None or field not in self.view.fields(entity):
            raise Refused(Problem("unknown-field", field, unknown(self.app, entity, field)), 404)
        if not self.may(target, "read"):
            return []
        other = self.view.model(target)
        expression = self.app.expressions.get(f"entities.{entity}.fields.{field}.where")
        given = (
            {f"this_{name}": (record or {}).get(name) for name in this_fields(expression.variables)}
            if expression
            else {}
        )
        narrowed = expression is not None and None not in given.values()
        tokens = query_tokens(text) if text and other.fields[other.title].searchable else []
        indexed = bool(tokens) and "search" in other.table.c
        few = other.name in ("user", "team")

        def make() -> Statement:
            alias = other.table
            title = self.view.tables.column(alias, target, other.title)
            clauses = [self.view.tables.readable(alias, target)]
            if expression is not None and narrowed:
                clauses.append(expression.clause(ThisTables.edited(self.view.tables, entity), alias))
            if other.name == "user":
                clauses.append(alias.c.active.is_(True))
            most = sa.bindparam("most", type_=sa.BigInteger())
            if ids is not None:
                clauses.append(among(alias.c.id, "ids"))
            elif not text and not few:
                # Sorting by title would read them all; the newest are the likeliest, and a key finds them.
                statement = sa.select(alias.c.id, title).where(*clauses).order_by(alias.c.id.desc())
                return self.db.statement(statement.limit(most))
            if indexed:
                clauses.append(matches(alias, "tokens"))
                # So many hits are compared: whoever has more of them types another letter.
                hit = sa.select(alias.c.id, title.label("title")).where(*clauses).limit(COMPARED).subquery()
                key, title = hit.c.id, hit.c.title
                statement = sa.select(key, title)
            else:
                key = alias.c.id
                statement = sa.select(key, title).where(*clauses)
            if text:
                position = (sa.func.instr if self.db.dialect == "sqlite" else sa.func.strpos)(
                    sa.func.lower(title), sa.bindparam("text", type_=sa.Text())
                )
                if indexed:
                    statement = statement.order_by(sa.case((position > 0, 0), else_=1))
                else:
                    statement = statement.where(position > 0)
            return self.db.statement(statement.order_by(sa.func.length(title), title, key).limit(most))

        statement = self.view.kept(("choices", entity, field, bool(text), narrowed, indexed, ids is None), make)
        rows = r.all(
            statement,
            {
                **self.parameters,
                **given,
                "this": (record or {}).get("id"),
                "text": text.lower(),
                "tokens": tokens,
                "ids": list(ids or ()),
                "most": self.limited(limit),
            },
        )
        show = other.fields[other.title].show
        found = [{"id": str(row[0]), "title": show(row[1], self.principal.language)} for row in rows]
        if ids is not None:
            place = {str(id): index for index, id in enumerate(ids)}
            found.sort(key=lambda each: place[each["id"]])
        return found


KEPT_LENSES = 2000
COMPARED = 500  # hits of a lookup that are put in order
COMMON = 1000  # records that hold a word from which on it is common
WALK = 0.02  # seconds to walk through the records before the index of words is asked


class Reading:
    """What reading needs of one published version; views are made when first asked for."""

    def __init__(self, app: App, db: Database, clock: Clock) -> None:
        self.app = app
        self.db = db
        self.clock = clock
        self.whole = WholeTables(app)
        self._views: dict[frozenset[str], View] = {}
        self._lenses: dict[int, Lens] = {}

    def lens(self, principal: Principal) -> Lens:
        """His lens. Those of principals who come again, the same object, are kept."""
        lens = self._lenses.get(id(principal))
        if lens is None or lens.principal is not principal:
            if len(self._lenses) >= KEPT_LENSES:
                self._lenses = {}
            lens = self._lenses[id(principal)] = self._lens(principal)
        return lens

    def _lens(self, principal: Principal) -> Lens:
        view = self._views.get(principal.roles)
        if view is None or view.everything != principal.administrator:
            view = self._views[principal.roles] = View(
                self.app, self.db, self.clock, principal.roles, principal.administrator
            )
        return Lens(view, principal)


__all__ = ["Lens", "Page", "Reading"]
