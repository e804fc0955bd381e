"""A small workshop, published on a fresh database, with its people and commands: what tests of the write path start from."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.access.people import People
from engine.access.principal import Principal
from engine.app import App, compile_app
from engine.clock import SetClock
from engine.definition import load
from engine.reading import Lens, Query
from engine.runtime import Command, Create, Outcome, Runtime, Transition, Update
from engine.storage.database import Database
from engine.storage.schema import create_table

HERE = Path(__file__).parent
START = datetime(2026, 3, 2, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


@dataclass
class Works:
    """The running app; `act` lets somebody do something."""

    app: App
    db: Database
    clock: SetClock
    people: People
    runtime: Runtime
    ids: dict[str, int] = field(default_factory=dict)

    def who(self, login: str) -> Principal:
        found = self.people.principal(self.ids[login], self.app.name, self.app.policies)
        assert found is not None
        return found

    def act(self, login: str, command: Command) -> Outcome:
        return self.runtime.execute(self.app, self.who(login), command)

    def create(self, login: str, entity: str, **values: Any) -> int:
        id = self.act(login, Create(entity, values)).id
        assert id is not None
        return id

    def update(self, login: str, entity: str, id: int, **values: Any) -> Outcome:
        return self.act(login, Update(entity, id, values))

    def move(self, login: str, entity: str, id: int, to: str, **more: Any) -> Outcome:
        return self.act(login, Transition(entity, id, to=to, **more))

    def lens(self, login: str) -> Lens:
        return self.runtime.lens(self.app, self.who(login))

    def get(self, login: str, entity: str, id: int, **more: Any) -> dict[str, Any] | None:
        with self.db.read() as r:
            return self.lens(login).get(r, entity, id, **more)

    def rows(self, login: str, entity: str, **query: Any) -> list[dict[str, Any]]:
        with self.db.read() as r:
            return self.lens(login).page(r, entity, Query(**query)).rows

    def history(self, login: str, entity: str, id: int) -> list[dict[str, Any]]:
        with self.db.read() as r:
            return self.lens(login).history(r, entity, id)


def open_app(db: Database, app: App, clock: SetClock) -> Works:
    """Make the tables of an app and the means to use it."""
    with db.write() as w:
        for model in app.entities.values():
            if not model.system:
                for text in create_table(model.table, db.dialect):
                    w.script(text)
    return Works(app, db, clock, People(db, clock), Runtime(db, clock))


@pytest.fixture(scope="session")
def compiled() -> App:
    return compile_app(load(HERE / "works.yaml"))


@pytest.fixture
def works(database: Database, compiled: App) -> Iterator[Works]:
    """Ada and Ben are fitters of the north team that Fay leads; Sun is a fitter of the south; Bea buys; Max owns the place."""
    database.prepare()
    it = open_app(database, compiled, SetClock(START))
    teams = {"works": it.people.create_team("works", "Works")}
    teams["north"] = it.people.create_team("north", "North", teams["works"])
    teams["south"] = it.people.create_team("south", "South", teams["works"])
    for login, role, team in [
        ("ada", "fitter", "north"), ("ben", "fitter", "north"), ("fay", "foreman", "north"), ("sun", "fitter", "south"),
        ("bea", "buyer", "works"), ("max", "owner", "works"),
    ]:  # fmt: skip
        it.ids[login] = it.people.create_user(login, login.title(), team=teams[team])
        it.people.set_roles(it.ids[login], "works", [role])
    it.people.set_leader(teams["north"], it.ids["fay"])
    it.people.set_leader(teams["works"], it.ids["max"])
    return it
