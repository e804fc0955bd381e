"""People and teams out of a table: whoever is named and not there yet becomes a user, and takes his place in the tree."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

import sqlalchemy as sa

from engine.access.people import People
from engine.access.policies import unfit_roles
from engine.app import App
from engine.columns import new_id
from engine.exchange.cells import as_text
from engine.exchange.mapping import PeopleStep
from engine.exchange.tables import Line, Table
from engine.problems import Problem, Refused
from engine.registry import nearest
from engine.storage import system

_NOT_IN_LOGINS = re.compile(r"[^a-z0-9]+")


@dataclass
class Hired:
    """`names` are all people of the table, made or not."""

    created: int = 0
    unchanged: int = 0
    teams: int = 0
    names: set[str] = field(default_factory=set)


class Hiring:
    """One step that makes people. With `rehearse` nobody is made."""

    def __init__(self, app: App, people: People, step: PeopleStep, table: Table, rehearse: bool) -> None:
        self.app, self.people, self.step, self.rehearse = app, people, step, rehearse
        unfit = [
            problem for given in (step.roles, step.leader_roles) for problem in unfit_roles(app.definition.roles, given)
        ]
        if unfit:
            raise Refused(unfit)
        self.at = {header: position for position, header in enumerate(table.headers)}
        for header in (step.name, step.login, step.leader, *step.team):
            if header is not None and header not in self.at:
                raise Refused(
                    Problem(
                        "import-column-missing", header, {"header": header, "nearest": nearest(header, table.headers)}
                    )
                )
        self.hired = Hired()
        self.users = self._users()
        self.teams = people.teams()
        self.led: dict[int, int] = {}

    def run(self, lines: Iterable[Line]) -> Hired:
        for line in lines:
            name = self.text(line, self.step.name)
            if not name:
                continue
            team = self.team([self.text(line, header) for header in self.step.team])
            self.person(name, team, self.step.roles, self.text(line, self.step.login))
            leader = self.text(line, self.step.leader)
            if leader:
                boss = self.person(leader, team, self.step.leader_roles or self.step.roles)
                if team is not None and boss is not None and self.led.get(team) != boss and not self.rehearse:
                    self.people.set_leader(team, boss)
                    self.led[team] = boss
        return self.hired

    def text(self, line: Line, header: str | None) -> str:
        return as_text(line.cells[self.at[header]]).strip() if header is not None else ""

    def person(self, name: str, team: int | None, roles: Iterable[str], login: str = "") -> int | None:
        if name in self.hired.names:
            return self.users.get(name)
        self.hired.names.add(name)
        if name in self.users:
            self.hired.unchanged += 1
            return self.users[name]
        self.hired.created += 1
        if self.rehearse:
            return None
        id = self.people.create_user(self.free(login or slug(name)), name, team=team)
        self.people.set_roles(id, self.app.name, roles)
        self.users[name] = id
        return id

    def free(self, login: str) -> str:
        tried, count = login, 1
        while self.people.find_user(tried) is not None:
            count += 1
            tried = f"{login}{count}"
        return tried

    def team(self, path: list[str]) -> int | None:
        parent, key = None, ""
        for name in path:
            if not name:
                break
            key = f"{key}_{slug(name)}".strip("_")
            found = self.teams.get(key)
            if found is None:
                self.hired.teams += 1
                found = new_id() if self.rehearse else self.people.create_team(key, name, parent)
                self.teams[key] = found
            parent = found
        return parent

    def _users(self) -> dict[str, int]:
        u = system.user
        with self.people.db.read() as r:
            rows = r.all(
                self.people.db.statement(
                    sa.select(u.c.name, u.c.id).where(u.c.deleted_at.is_(None)).order_by(u.c.id.desc())
                )
            )
        return {row[0]: row[1] for row in rows}


def slug(name: str) -> str:
    """A login or key from a name: `Anna Snelling` gives anna.snelling; names of other scripts get a number."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _NOT_IN_LOGINS.sub(".", plain).strip(".") or f"u{new_id() % 1_000_000_000}"
