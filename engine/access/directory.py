"""Who works with an app: people found by name, teams with their members, and who holds a role.

Names, logins and teams of colleagues are known to everybody who works with the same app; nothing else about a person stands
here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.storage import system
from engine.storage.database import Database
from engine.storage.statement import Statement, among

MOST = 200


@dataclass(frozen=True)
class Colleague:
    """Somebody with a role in the app. `active` is False for one who is suspended; `team` is empty for one without."""

    id: int
    login: str
    name: str
    active: bool
    team: str = ""


@dataclass(frozen=True)
class Team:
    """`path` holds the ids from the top down to the team itself, as in /1/5/."""

    id: int
    name: str
    path: str

    @property
    def depth(self) -> int:
        return self.path.count("/") - 2


class Directory:
    """Questions about colleagues. Every answer is bounded."""

    def __init__(self, db: Database) -> None:
        self._db = db
        u, role, t = system.user, system.user_role, system.team
        self._columns = (u.c.id, u.c.login, u.c.name, u.c.active, t.c.name)
        source = u.outerjoin(t, t.c.id == u.c.team)
        here = sa.exists(sa.select(sa.literal(1)).where(role.c.user == u.c.id, role.c.app == sa.bindparam("app")))
        alive = u.c.deleted_at.is_(None)
        found = sa.func.instr if db.dialect == "sqlite" else sa.func.strpos
        text = sa.bindparam("text", type_=sa.Text())
        named = sa.or_(found(sa.func.lower(u.c.name), text) > 0, found(u.c.login, text) > 0)
        most = sa.bindparam("most", type_=sa.BigInteger())
        people = sa.select(*self._columns).select_from(source).where(alive, here)
        order = (u.c.active.desc(), sa.func.length(u.c.name), u.c.name, u.c.id)
        self._found = db.statement(people.where(named).order_by(*order).limit(most))
        self._named = db.statement(people.where(among(u.c.id, "ids")).order_by(*order).limit(most))
        held = sa.exists(
            sa.select(sa.literal(1)).where(
                role.c.user == u.c.id, role.c.app == sa.bindparam("app"), among(role.c.role, "roles")
            )
        )
        self._holders = db.statement(people.where(u.c.active.is_(True), held).order_by(*order).limit(most))
        below = found(t.c.path, sa.bindparam("part", type_=sa.Text())) > 0
        self._members = db.statement(people.where(u.c.active.is_(True), below).order_by(u.c.name, u.c.id).limit(most))
        self._above = db.statement(sa.select(u.c.manager).where(u.c.id == sa.bindparam("id")))
        self._teams = db.statement(
            sa.select(t.c.id, t.c.name, t.c.path).where(t.c.deleted_at.is_(None)).order_by(t.c.path).limit(most)
        )

    def find(self, app: str, text: str = "", most: int = 20, active: bool = False) -> list[Colleague]:
        """People of an app whose name or login contains a text; with `active` without those who are suspended."""
        found = self._people(self._found, {"app": app, "text": text.strip().lower(), "most": min(most, MOST)})
        return [each for each in found if each.active or not active]

    def named(self, app: str, ids: Iterable[int]) -> dict[int, Colleague]:
        """Those of `ids` who have a role in the app."""
        wanted = sorted(set(ids))[:MOST]
        return (
            {each.id: each for each in self._people(self._named, {"app": app, "ids": wanted, "most": MOST})}
            if wanted
            else {}
        )

    def holders(self, app: str, roles: Iterable[str], most: int = 5) -> list[Colleague]:
        """Active people who were given one of these roles."""
        return self._people(self._holders, {"app": app, "roles": sorted(set(roles)), "most": min(most, MOST)})

    def above(self, user: int) -> int | None:
        """Who leads somebody; None for whom nobody leads."""
        with self._db.read() as r:
            found = r.scalar(self._above, {"id": user})
        return None if found is None else int(found)

    def members(self, app: str, team: int) -> list[Colleague]:
        """Active people of a team and of those below it."""
        return self._people(self._members, {"app": app, "part": f"/{team}/", "most": MOST})

    def teams(self) -> list[Team]:
        """All teams, each after the one it belongs to."""
        with self._db.read() as r:
            return [Team(*row) for row in r.all(self._teams, {"most": MOST})]

    def _people(self, statement: Statement, parameters: dict[str, Any]) -> list[Colleague]:
        with self._db.read() as r:
            return [
                Colleague(row[0], row[1], row[2], bool(row[3]), row[4] or "") for row in r.all(statement, parameters)
            ]


__all__ = ["Colleague", "Directory", "Team"]
