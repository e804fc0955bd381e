"""What the write path prepares once per app version: statements by shape, validators, and what each entity's rules read."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from engine.access.definition import Action
from engine.access.policies import Grant, Permit
from engine.app import App, EntityApp
from engine.expressions import Expression, Read, read_sql
from engine.forms.compile import Validator
from engine.reading import Reading
from engine.reading.searched import searched_fields
from engine.reading.tables import VisibleTables
from engine.storage import system
from engine.storage.database import Database
from engine.storage.search import search_tokens
from engine.storage.statement import Statement, Tokens, among


@dataclass(frozen=True)
class Reads:
    """The non-local atoms that some expressions of an entity need, and the statements that fetch them: for the record `id`,
    and, after its id, for each of the records `ids`."""

    keys: tuple[str, ...]
    one: Statement | None
    many: Statement | None = None


class EntityPlan:
    """The write path of one entity."""

    def __init__(self, plans: "Plans", model: EntityApp) -> None:
        self.plans, self.model, self.app, self.db = plans, model, plans.app, plans.db
        self._statements: dict[Any, Any] = {}
        self.searched = searched_fields(plans.app, model)
        self.required = tuple(name for name, each in model.fields.items() if each.required and not each.derived)
        self.defaults = tuple(
            (name, each)
            for name, each in model.fields.items()
            if (each.default is not None or each.default_value() is not None)
            and name in model.columns
            and not each.derived
        )
        self.numbers = tuple((name, each) for name, each in model.fields.items() if each.type == "autonumber")
        self.autofills = {
            name: dict(getattr(each, "autofill", {}) or {})
            for name, each in model.fields.items()
            if getattr(each, "autofill", None)
        }
        self.files = tuple(name for name, each in model.fields.items() if each.value_type().kind == "files")
        self.unique = self._unique()

    def kept(self, key: Any, make: Callable[[], Any]) -> Any:
        found = self._statements.get(key)
        if found is None:
            found = self._statements[key] = make()
        return found

    # -- what is computed and checked ---------------------------------------------------------------------------------

    @cached_property
    def early(self) -> tuple[str, ...]:
        """Computed fields that need nothing from outside the record: they are written with it."""
        late = set(self.late)
        return tuple(name for name in self.model.order if name not in late)

    @cached_property
    def late(self) -> tuple[str, ...]:
        """Computed fields that read other records, or fields that do: computed once the record is written."""
        late: list[str] = []
        written: set[str] = set()
        for name in self.model.order:
            computed = self.model.computed[name]
            if any(each.reads or each.locals & written for each in computed.expressions):
                late.append(name)
                written.update(computed.writes)
        return tuple(late)

    @cached_property
    def conditions(self) -> tuple[Expression, ...]:
        """Whatever must be evaluated on saving: validations and the conditions of fields."""
        model = self.model
        return (
            *(rule.expression for rule in model.rules),
            *model.required_when.values(),
            *model.readonly_when.values(),
            *model.visible_when.values(),
        )

    @cached_property
    def outside(self) -> Reads:
        """What saving needs from other records."""
        late = [each for name in self.late for each in self.model.computed[name].expressions]
        return self.reads([*late, *self.conditions])

    def reads(self, expressions: Iterable[Expression]) -> Reads:
        found: dict[str, Read] = {}
        for expression in expressions:
            for read in expression.reads:
                found.setdefault(read.key, read)
        if not found:
            return Reads((), None)
        key = ("reads", tuple(found))

        def make() -> Reads:
            alias = self.model.table
            columns = [
                read_sql(read, self.plans.reading.whole, alias).label(f"r{i}") for i, read in enumerate(found.values())
            ]
            one = sa.select(*columns).where(alias.c.id == sa.bindparam("id"))
            many = sa.select(alias.c.id, *columns).where(among(alias.c.id, "ids"))
            return Reads(tuple(found), self.db.statement(one), self.db.statement(many))

        reads: Reads = self.kept(key, make)
        return reads

    @cached_property
    def row_of(self) -> tuple[tuple[EntityApp, str, str], ...]:
        """The tables that must have rows and have the entity's records as theirs: (whole, table, lookup to the whole)."""
        return tuple(
            (whole, table, lookup)
            for whole in self.app.entities.values()
            for table, (child, lookup) in whole.children.items()
            if child == self.model.name and least_rows(whole, table)
        )

    def _unique(self) -> dict[frozenset[str], tuple[str, ...]]:
        """Sets of columns that must be unique together -> the fields they belong to."""
        entity = self.model.definition
        combinations: list[tuple[str, ...]] = [(name,) for name, each in self.model.fields.items() if each.unique]
        combinations += [tuple(names) for names in (entity.unique.values() if entity else ())]
        return {frozenset(self.model.columns[name] for name in names): names for names in combinations}

    # -- statements -----------------------------------------------------------------------------------------------------

    @cached_property
    def stored(self) -> tuple[str, ...]:
        return tuple(self.model.columns)

    def insert(self) -> Statement:
        def make() -> Statement:
            table = self.model.table
            values = {
                column: sa.bindparam(name, type_=table.c[column].type) for name, column in self.model.columns.items()
            }
            values["search"] = sa.bindparam("search", type_=Tokens())
            return self.db.statement(sa.insert(table).values(values))

        statement: Statement = self.kept("insert", make)
        return statement

    def words(self, values: Mapping[str, Any]) -> list[str]:
        """The search words of a record."""
        shown = {name: show(value) for name, show in self._shown if (value := values.get(name)) is not None}
        return search_tokens(shown.values(), shown.get(self.model.title, ""))

    @cached_property
    def _shown(self) -> tuple[tuple[str, Callable[[Any], str]], ...]:
        return tuple((name, self.model.fields[name].show) for name in self.searched)

    def changes(self, id: int, changed: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of `update` for the fields in `changed` of a record that has `values` from now on."""
        parameters = {f"n_{name}": value for name, value in changed.items()} | {"id": id}
        if not changed.keys().isdisjoint(self.searched):
            parameters["n_search"] = self.words(values)
        return parameters

    def update(self, names: frozenset[str], checked: bool = False) -> Statement:
        """Set `names` of the record `id`, and its search words if they are in it; with `checked` only over the version `seen`."""

        def make() -> Statement:
            table = self.model.table
            values = {
                self.model.columns[name]: sa.bindparam(f"n_{name}", type_=table.c[self.model.columns[name]].type)
                for name in sorted(names)
            }
            if not names.isdisjoint(self.searched):
                values["search"] = sa.bindparam("n_search", type_=Tokens())
            statement = sa.update(table).where(table.c.id == sa.bindparam("id")).values(values)
            return self.db.statement(statement.where(table.c.version == sa.bindparam("seen")) if checked else statement)

        statement: Statement = self.kept(("update", names, checked), make)
        return statement

    def select(self, lock: bool = False) -> Statement:
        """All stored values of the record `id`, deleted or not."""

        def make() -> Statement:
            table = self.model.table
            statement = sa.select(*(table.c[column] for column in self.model.columns.values())).where(
                table.c.id == sa.bindparam("id")
            )
            return self.db.statement(
                statement.with_for_update() if lock and self.db.dialect == "postgresql" else statement
            )

        statement: Statement = self.kept(("select", lock), make)
        return statement

    def select_many(self, lock: bool = False) -> Statement:
        """All stored values of the records `ids`, deleted or not, in the order of their ids."""

        def make() -> Statement:
            table = self.model.table
            columns = (table.c[column] for column in self.model.columns.values())
            statement = sa.select(*columns).where(among(table.c.id, "ids")).order_by(table.c.id)
            return self.db.statement(
                statement.with_for_update() if lock and self.db.dialect == "postgresql" else statement
            )

        statement: Statement = self.kept(("select many", lock), make)
        return statement


def least_rows(model: EntityApp, name: str) -> int:
    """How many rows a table of children must have."""
    field = model.fields[name]
    return getattr(field, "min", None) or int(field.required)


class Plans:
    """The entity plans of one app version."""

    def __init__(self, app: App, db: Database, reading: Reading) -> None:
        self.app, self.db, self.reading = app, db, reading
        self._entities: dict[str, EntityPlan] = {}
        self._validators: dict[Any, Validator] = {}
        self._kept: dict[Any, Any] = {}

    def entity(self, name: str) -> EntityPlan:
        found = self._entities.get(name)
        if found is None:
            found = self._entities[name] = EntityPlan(self, self.app.entities[name])
        return found

    def kept(self, key: Any, make: Callable[[], Any]) -> Any:
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = make()
        return found

    def validator(self, model: EntityApp, writable: frozenset[str]) -> Validator:
        """The validator of what may be sent: the fields that are `writable`, all others refused."""
        key = (model.name, writable)
        found = self._validators.get(key)
        if found is None:
            fields = {name: each for name, each in model.fields.items() if name in writable}
            found = self._validators[key] = Validator(fields, model.labels)
        return found

    def guarded(self, rows: sa.Select[Any], alias: Any, target: str, pointer: str) -> sa.Select[Any]:
        """Rows of `target` that a record of `pointer` is about to point to: until it is committed, nobody deletes them or
        changes what it reads of them.

        What will have to be computed anew is locked for that at once: of two who share a lock, neither could raise it.
        SQLite, which has one writer at a time, locks nothing.
        """
        if self.app.entities[target].system:
            return rows
        feeds = any(
            dependent.computed.entity == target
            for (entity, _), some in self.app.dependents.items()
            if entity == pointer
            for dependent in some
        )
        return rows.with_for_update(of=alias, read=not feeds, key_share=feeds)

    def holding(
        self, entity: str, tables: VisibleTables, permit: Permit, action: Action
    ) -> tuple[tuple[Grant, ...], bool, Statement | None]:
        """The grants of an action; whether a record's stored values alone tell which of them hold; and a statement that
        tells it of one record, None if all always do."""
        grants = permit.of(action)

        def make() -> tuple[tuple[Grant, ...], bool, Statement | None]:
            rows = [grant.rows(action) for grant in grants]
            if all(each is None and grant.parent is None for each, grant in zip(rows, grants, strict=True)):
                return grants, True, None
            stored = self.app.entities[entity].columns.keys()
            local = all(
                grant.parent is None and (each is None or (not each.reads and each.locals <= stored))
                for each, grant in zip(rows, grants, strict=True)
            )
            alias = self.app.entities[entity].table
            columns = [tables.grant(alias, entity, grant, action).label(f"g{i}") for i, grant in enumerate(grants)]
            return grants, local, self.db.statement(sa.select(*columns).where(alias.c.id == sa.bindparam("id")))

        found: tuple[tuple[Grant, ...], bool, Statement | None] = self.kept(
            ("holding", entity, tables.roles, tables.everything, action), make
        )
        return found

    @cached_property
    def journal(self) -> Statement:
        names = ("app", "entity", "record", "version", "at", "user", "action", "changes", "cause", "batch")
        return self.db.statement(
            sa.insert(system.journal).values(
                {name: sa.bindparam(name, type_=system.journal.c[name].type) for name in names}
            )
        )

    @cached_property
    def stage_insert(self) -> Statement:
        table = system.stage_log
        return self.db.statement(
            sa.insert(table).values({column.name: sa.bindparam(column.name, type_=column.type) for column in table.c})
        )

    @cached_property
    def stage_leave(self) -> Statement:
        table = system.stage_log
        statement = sa.update(table).where(table.c.record == sa.bindparam("for_record"), table.c.left_at.is_(None))
        return self.db.statement(statement.values(left_at=sa.bindparam("at"), working=sa.bindparam("spent")))

    @cached_property
    def file_names(self) -> Statement:
        table = system.file
        return self.db.statement(
            sa.select(table.c.id, table.c.name).where(
                table.c.record == sa.bindparam("id"), table.c.deleted_at.is_(None)
            )
        )

    @cached_property
    def files_of(self) -> Statement:
        """Record, id and name of the files of the records `ids`."""
        table = system.file
        return self.db.statement(
            sa.select(table.c.record, table.c.id, table.c.name).where(
                among(table.c.record, "ids"), table.c.deleted_at.is_(None)
            )
        )

    @cached_property
    def sequence(self) -> Statement:
        """The next count of a counter; `step` of them at once."""
        table = system.sequence
        return self.db.statement(
            sa.text(
                "INSERT INTO dg_sequence (name, period, last) VALUES (:name, :period, :step) "
                "ON CONFLICT (name, period) DO UPDATE SET last = dg_sequence.last + :step RETURNING last"
            ).columns(table.c.last)
        )
