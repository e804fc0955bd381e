"""Where expressions find their fields: the whole truth for the app's own rules, and what a principal may see for others."""

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from engine.access.policies import Grant, Permit, Policies
from engine.app import App, EntityApp

# Lists are bound as JSON arrays.
_TEXTS = frozenset({"user.teams", "user.teams_below", "user.roles", "timezone", "calendar"})


def bound_as(variable: str) -> str:
    """The name of the parameter that holds a variable."""
    return variable.replace(".", "_")


class WholeTables:
    """Every field of every live record: for policies, formulas, gates, scores."""

    def __init__(self, app: App) -> None:
        self.app = app

    def table(self, entity: str) -> Any:
        return self.app.entities[entity].table.alias()

    def column(self, alias: Any, entity: str, name: str) -> Any:
        """The stored column; a value that is computed on reading becomes its expression."""
        model = self.app.entities[entity]
        physical = model.columns.get(name)
        if physical is not None:
            return alias.c[physical]
        computed = model.computed[name].expression
        assert computed is not None
        return computed.to_sql(self, alias)

    def id(self, alias: Any, entity: str) -> Any:
        return alias.c.id

    def relation(self, entity: str, name: str) -> tuple[str, str]:
        return self.app.entities[entity].relations[name]

    def readable(self, alias: Any, entity: str) -> Any:
        return alias.c.deleted_at.is_(None)

    def variable(self, name: str) -> Any:
        return sa.bindparam(bound_as(name), type_=sa.Text() if name in _TEXTS else sa.BigInteger())


class ThisTables:
    """`tables` in which `this` is one record of `entity`, whose fields `own` gives; what lies beyond them is looked up.

    Without `own`, the record is the stored one whose id is bound as `this`.
    """

    def __init__(
        self, tables: WholeTables, entity: str, own: Callable[[str], Any] | None = None, this: Any = None
    ) -> None:
        self._tables = tables
        self._entity = entity
        self._this = sa.bindparam("this", type_=sa.BigInteger()) if this is None else this
        self._own = own or (lambda name: self._of(entity, self._this, name))

    @classmethod
    def edited(cls, tables: WholeTables, entity: str) -> "ThisTables":
        """`this` is the record being edited: its fields are parameters, `this_client` the client that it has now."""
        fields = tables.app.entities[entity].fields

        def own(name: str) -> Any:
            return sa.bindparam(
                bound_as(f"this.{name}"), type_=sa.BigInteger() if name == "id" else fields[name].column()
            )

        return cls(tables, entity, own)

    @classmethod
    def at(cls, tables: WholeTables, entity: str, row: Any) -> "ThisTables":
        """`this` is the row at hand."""
        return cls(tables, entity, lambda name: tables.column(row, entity, name), row.c.id)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tables, name)

    def variable(self, name: str) -> Any:
        first, *path = name.split(".")
        if first != "this":
            return self._tables.variable(name)
        if not path:
            return self._this
        value, entity = self._own(path[0]), self._entity
        for hop, field in pairwise(path):
            entity = self._tables.app.entities[entity].lookups[hop]
            value = self._of(entity, value, field)
        return value

    def _of(self, entity: str, id: Any, name: str) -> Any:
        alias = self._tables.table(entity)
        column = self._tables.column(alias, entity, name)
        return sa.select(column).where(self._tables.id(alias, entity) == id).scalar_subquery()


def this_fields(variables: Iterable[str]) -> frozenset[str]:
    """The fields of the record being edited that an expression with these variables reads."""
    return frozenset(name.split(".")[1] for name in variables if name.startswith("this."))


class VisibleTables(WholeTables):
    """What a set of roles may see: hidden fields are absent, fields seen on some rows are masked on the others."""

    def __init__(self, app: App, policies: Policies, roles: frozenset[str], everything: bool) -> None:
        super().__init__(app)
        self.policies = policies
        self.roles = roles
        self.everything = everything
        self.whole = WholeTables(app)

    def permit(self, entity: str) -> Permit:
        return self.policies.permit(self.roles, entity, self.everything)

    def column(self, alias: Any, entity: str, name: str) -> Any:
        if name not in self.permit(entity).visible:
            return sa.null()
        value = self.whole.column(alias, entity, name)
        shown = self.shown(alias, entity, name)
        return value if shown is None else sa.case((shown, value))

    def shown(self, alias: Any, entity: str, name: str) -> Any | None:
        """The clause of the rows on which a visible field is seen; None where it is seen on every row that is."""
        showing = self.permit(entity).showing(name)
        return None if showing is None else self.any_of(alias, entity, showing, "read")

    def readable(self, alias: Any, entity: str) -> Any:
        alive = alias.c.deleted_at.is_(None)
        rows = self.rows(alias, entity, "read")
        return alive if rows is None else sa.and_(alive, rows)

    def rows(self, alias: Any, entity: str, action: Any) -> Any | None:
        """The clause of the rows on which `action` is allowed; None for all rows, `false` for none."""
        permit = self.permit(entity)
        if permit.everything:
            return None
        grants = permit.of(action)
        if any(grant.rows(action) is None and grant.parent is None for grant in grants):
            return None
        return self.any_of(alias, entity, grants, action) if grants else sa.false()

    def any_of(self, alias: Any, entity: str, grants: tuple[Grant, ...], action: Any) -> Any:
        return sa.or_(*(self.grant(alias, entity, grant, action) for grant in grants))

    def grant(self, alias: Any, entity: str, grant: Grant, action: Any) -> Any:
        """The clause of one grant."""
        if grant.parent is not None:
            return self._through_parent(alias, entity, grant, action)
        expression = grant.rows(action)
        return sa.true() if expression is None else expression.clause(self.whole, alias)

    def _through_parent(self, alias: Any, entity: str, grant: Grant, action: Any) -> Any:
        assert grant.parent is not None
        lookup = alias.c[self.app.entities[entity].columns[grant.parent]]
        parent = self.app.entities[entity].lookups[grant.parent]
        above = self.table(parent)
        rows = self.rows(above, parent, "read" if action in ("read", "export") else "update")
        found = sa.select(sa.literal(1)).select_from(above).where(above.c.id == lookup)
        return sa.exists(found if rows is None else found.where(rows))


def physical(model: EntityApp, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by field name as values by column."""
    columns = model.columns
    return {columns[name]: value for name, value in values.items()}
