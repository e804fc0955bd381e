"""The live data, asked about a version that is not live yet, without touching anything.

A plan must say what will happen before a table or column is made.  So the new version's expressions are compiled against
the columns that stand: a column that does not exist yet reads as empty, as it will be.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from engine.access.principal import Principal
from engine.app import App, EntityApp
from engine.expressions import Expression
from engine.expressions.sql import parameters
from engine.expressions.types import Context
from engine.publishing.changes import Severity
from engine.publishing.identity import Identity
from engine.storage import system
from engine.storage.database import Database
from engine.storage.schema import Inspection
from engine.storage.session import Read

SAMPLES = 5
MOST_PEOPLE = 500  # whose rows are counted one by one
MOST_ROWS = 20_000_000  # that are looked at for it, people times records
_TEXTS = frozenset({"user.teams", "user.teams_below", "user.roles", "timezone", "calendar"})  # lists are JSON
_NOBODY: Mapping[str, Any] = {
    "user": None,
    "user.team": None,
    "user.teams": (),
    "user.teams_below": (),
    "user.roles": (),
}


class StandingTables:
    """An app's tables as far as they stand in the database: what is missing there is empty."""

    def __init__(self, app: App, found: Inspection) -> None:
        self.app = app
        self.found = found

    def table(self, entity: str) -> Any:
        table = self.app.entities[entity].table
        if table.name in self.found.tables:
            return table.alias()
        return (
            sa.select(*(sa.cast(sa.null(), column.type).label(column.name) for column in table.columns))
            .where(sa.false())
            .subquery()
        )

    def column(self, alias: Any, entity: str, name: str) -> Any:
        model = self.app.entities[entity]
        physical = model.columns.get(name)
        if physical is None:
            expression = model.computed[name].expression
            assert expression is not None
            return expression.to_sql(self, alias)
        if physical in self.found.tables.get(model.table.name, {}):
            return alias.c[physical]
        return sa.cast(sa.null(), model.table.c[physical].type)

    def id(self, alias: Any, entity: str) -> Any:
        return alias.c.id

    def relation(self, entity: str, name: str) -> tuple[str, str]:
        return self.app.entities[entity].relations[name]

    def readable(self, alias: Any, entity: str) -> Any | None:
        return alias.c.deleted_at.is_(None)

    def variable(self, name: str) -> Any:
        kind = sa.Text() if name in _TEXTS else sa.BigInteger()
        return sa.bindparam(name.replace(".", "_"), type_=kind)


@dataclass
class Survey:
    """Two versions and the live data between them. `moment` is the instant that expressions call now."""

    db: Database
    read: Read
    found: Inspection
    old: App
    new: App
    identity: Identity
    moment: int
    back: bool = False
    _rows: dict[str, int] = field(default_factory=dict)

    @property
    def stop(self) -> Severity:
        """How grave it is what usually stops: the way back stays open, with a reason."""
        return "accept" if self.back else "stop"

    def tables(self, app: App) -> StandingTables:
        return StandingTables(app, self.found)

    def stands(self, model: EntityApp) -> bool:
        return model.table.name in self.found.tables

    def rows(self, model: EntityApp) -> int:
        """How many live records an entity has."""
        name = model.table.name
        if name not in self._rows:
            self._rows[name] = self.count(model, sa.true()) if self.stands(model) else 0
        return self._rows[name]

    def count(self, model: EntityApp | sa.Table, clause: Any, values: Mapping[str, Any] | None = None) -> int:
        """How many live records meet a clause over the entity's own table, or over the table given."""
        table = model if isinstance(model, sa.Table) else model.table
        statement = sa.select(sa.func.count()).select_from(table).where(table.c.deleted_at.is_(None), clause)
        return int(self.read.scalar(self.db.statement(statement), values or self.values()))

    def all(self, statement: Any, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        return self.read.all(self.db.statement(statement), values or self.values())

    def values(self, person: Principal | None = None) -> dict[str, Any]:
        """The parameters of expressions as `person` has them; without one, nobody's."""
        return variables(self.new, self.moment, person.variables if person else _NOBODY)

    def joint(self, old: EntityApp, new: EntityApp) -> sa.Table:
        """The table of an entity as both versions' expressions see it: the columns of either."""
        columns = {column.name: column for column in (*old.table.columns, *new.table.columns)}
        joined = (sa.Column(c.name, c.type, nullable=c.nullable) for c in columns.values())
        return sa.Table(old.table.name, sa.MetaData(), *joined)

    def filled(self, model: EntityApp, name: str) -> int:
        """How many live records have a value in a field."""
        column = model.columns.get(name)
        if column is None or column not in self.found.tables.get(model.table.name, {}):
            return 0
        return self.count(model, model.table.c[column].is_not(None))

    def holds_not(self, model: EntityApp, expression: Expression) -> Any:
        """The clause of the records that do not meet an expression of the new version."""
        return sa.not_(sa.func.coalesce(expression.clause(self.tables(self.new), model.table), sa.false()))

    def people(self) -> list[Principal]:
        """Everybody at work who has a role in the app, with the roles of the new version."""
        u, r, t = system.user, system.user_role, system.team
        teams = {row[0]: (row[1], row[2]) for row in self.all(sa.select(t.c.id, t.c.path, t.c.leader))}
        statement = (
            sa.select(u.c.id, u.c.login, u.c.name, u.c.team, r.c.role)
            .join(r, r.c.user == u.c.id)
            .where(r.c.app == self.new.name, u.c.active.is_(True), u.c.deleted_at.is_(None))
            .order_by(u.c.id)
        )
        roles: dict[tuple[Any, ...], list[str]] = {}
        for *person, role in self.all(statement):
            roles.setdefault(tuple(person), []).append(role)
        return [
            Principal(
                user, login, name, frozenset(held), False, team, _ids(teams.get(team, ("", None))[0]),
                tuple(sorted(key for key, (path, _) in teams.items() if any(path.startswith(p) for p, leader in teams.values() if leader == user))),
            )
            for (user, login, name, team), held in roles.items()
        ]  # fmt: skip


def variables(app: App, moment: int, person: Mapping[str, Any] = _NOBODY) -> dict[str, Any]:
    """The parameters of an app's expressions in SQL, by the names that `StandingTables.variable` binds."""
    found = parameters(Context(moment, app.calendar, person))
    return {name.replace(".", "_"): value for name, value in found.items()}


def _ids(path: str) -> tuple[int, ...]:
    return tuple(int(each) for each in path.strip("/").split("/") if each)


def sampled(values: Iterable[Any]) -> tuple[str, ...]:
    """The first few values as short texts."""
    return tuple(str(value)[:40] for value, _ in zip(values, range(SAMPLES), strict=False))
