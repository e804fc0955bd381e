"""The CRM, published on a fresh database with its sample teams and people: what the scenarios start from."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine.app import App, compile_app
from engine.clock import SetClock
from engine.columns import new_id
from engine.definition import load
from engine.problems import Refused
from engine.runtime import Attach, Create, Outcome, Tick
from engine.storage import system
from engine.storage.database import Database
from tests.runtime.conftest import START, Works, open_app

APPS = Path(__file__).parents[2] / "apps"


class Crm(Works):
    """The running CRM. People go by their logins."""

    def attach(self, login: str, entity: str, id: int, field: str, *names: str) -> None:
        """Attach small files with these names."""
        for name in names:
            self.act(login, Attach(entity, id, field, self.loose_file(login, name)))

    def loose_file(self, login: str, name: str) -> int:
        """A file that somebody has uploaded and that belongs to no record yet."""
        row = {
            "id": new_id(), "app": self.app.name, "by": self.ids[login], "name": name, "size": 10, "sha256": "0" * 64,
            "media_type": "application/octet-stream", "path": name, "at": 0,
        }  # fmt: skip
        statement = self.db.statement(sa.insert(system.file).values({key: sa.bindparam(f"v_{key}") for key in row}))
        with self.db.write() as w:
            w.run(statement, {f"v_{key}": value for key, value in row.items()})
        return int(str(row["id"]))

    def creation(self, entity: str, **values: Any) -> Create:
        return Create(entity, values)

    def tick(self, login: str, entity: str, id: int, *items: str) -> None:
        for item in items:
            self.act(login, Tick(entity, id, item))

    def refused(self, login: str, entity: str, id: int, to: str, **more: Any) -> list[tuple[str, str]]:
        """Why a move is refused: code and path of each reason."""
        with pytest.raises(Refused) as refused:
            self.move(login, entity, id, to, **more)
        return [(problem.code, problem.path) for problem in refused.value.problems if problem.path != "stage"]

    def account(self, login: str = "chenxiaowen", **values: Any) -> int:
        given = {
            "name": "福满家商贸有限公司",
            "kind": "dealer",
            "phone": "13800138000",
            "address": {"province": "浙江省", "city": "杭州市", "detail": "解放路 1 号"},
        }
        return self.create(login, "account", **{**given, **values})

    def contact(self, account: int, login: str = "chenxiaowen", **values: Any) -> int:
        return self.create(
            login, "contact", **{"account": str(account), "name": "周建国", "phone": "13900139000", **values}
        )

    def opportunity(self, account: int, login: str = "chenxiaowen", **values: Any) -> int:
        return self.create(login, "opportunity", **{"account": str(account), "name": "春季堆头", **values})

    def quote(
        self, opportunity: int, account: int, product: int, login: str = "chenxiaowen", by: str = "linhui"
    ) -> Outcome:
        """A quote of the opportunity, submitted and approved."""
        id = self.create(
            login,
            "quote",
            opportunity=str(opportunity),
            account=str(account),
            valid_until="2026-12-31",
            lines=[{"product": str(product), "quantity": 2}],
        )
        self.move(login, "quote", id, "submitted")
        return self.move(by, "quote", id, "approved")


@pytest.fixture(scope="session")
def crm_app() -> App:
    return compile_app(load(APPS / "crm.yaml"))


@pytest.fixture
def crm(database: Database, crm_app: App) -> Crm:
    opened = open_app(database, crm_app, SetClock(START))
    it = Crm(opened.app, opened.db, opened.clock, opened.people, opened.runtime)
    sample = crm_app.definition.sample
    teams: dict[str, int] = {}
    for key, team in sample.teams.items():
        teams[key] = it.people.create_team(key, team.label.zh, teams[team.parent] if team.parent else None)
    for login, person in sample.people.items():
        it.ids[login] = it.people.create_user(login, person.name, team=teams[person.team] if person.team else None)
        it.people.set_roles(it.ids[login], crm_app.name, person.roles)
    for key, team in sample.teams.items():
        if team.leader:
            it.people.set_leader(teams[key], it.ids[team.leader])
    return it
