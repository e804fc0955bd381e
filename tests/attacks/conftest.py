"""A shop under attack: a running server on each database, some people, some records, and a fingerprint of everything.

The people: `ann` and `bob` are representatives, each seeing only what is theirs; `meg` is their manager; `max` has the
administrator's role; `sue` has the support role. Only `meg` and `max` see the field `margin`.
"""

import hashlib
import json
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import psycopg
import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from engine.clock import Clock
from engine.definition import load
from engine.publishing.apply import publish
from engine.web.server import create_server
from engine.web.settings import Settings
from engine.web.site import Site

with warnings.catch_warnings():
    # It would rather have another HTTP client, which knows nothing that these tests need.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

APP = Path(__file__).parent / "app.yaml"
PASSWORD = "correct horse battery"
# Leases of rates change because somebody asks, whatever the answer; the calendar is long, and nothing but publishing writes it.
IGNORED = {"dg_rate", "dg_calendar_day", "dg_calendar_stretch"}
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@cache
def hashed(password: str) -> str:
    """The stored form of a password, made once: it is slow on purpose."""
    return PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),)).hash(password)


class Person:
    """Somebody with an API token. Every answer below 500 is his; a server error fails the test at once."""

    def __init__(self, shop: "Shop", login: str, id: int, token: str) -> None:
        self.shop, self.login, self.id, self.token = shop, login, id, token

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}", "accept-language": "en"} | more.pop("headers", {})
        return self.shop.ask(method, path, headers=headers, **more)

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        return self.ask("GET", f"{path}?{urlencode(parameters)}" if parameters else path)

    def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return self.ask("POST", path, json=body, headers=_dashed(headers))

    def patch(self, path: str, body: Any, version: int | None = None, **headers: str) -> httpx.Response:
        match = {} if version is None else {"if-match": f'"{version}"'}
        return self.ask("PATCH", path, json=body, headers=match | _dashed(headers))

    def delete(self, path: str, version: int | None = None) -> httpx.Response:
        return self.ask("DELETE", path, headers={} if version is None else {"if-match": f'"{version}"'})

    def upload(self, path: str, name: str, content: bytes, kind: str = "application/octet-stream") -> httpx.Response:
        return self.ask("POST", path, files={"file": (name, content, kind)})

    def create(self, entity: str, **values: Any) -> dict[str, Any]:
        response = self.post(f"/{entity}", values)
        assert response.status_code == 201, response.text
        record: dict[str, Any] = response.json()["record"]
        return record


class Shop:
    """The server, its people and the database behind it."""

    app, name = APP, "shop"
    roles = {"ann": ["rep"], "bob": ["rep"], "meg": ["manager"], "max": ["admin"], "sue": ["support"]}

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.server = create_server(settings, clock)
        self.site: Site = self.server.state.site
        publish(self.site.db, load(self.app), self.site.clock)
        self.site.live.refresh()
        self.http = TestClient(self.server, base_url="http://shop.test")
        self.people: dict[str, Person] = {}
        for login, roles in self.roles.items():
            self.join(login, *roles)

    def join(self, login: str, *roles: str) -> Person:
        people = self.site.people
        id = people.create_user(login, login.title(), hashed=hashed(PASSWORD))
        people.set_roles(id, self.name, roles)
        _, token = people.create_token(id, "test")
        self.people[login] = Person(self, login, id, token)
        return self.people[login]

    def __getattr__(self, login: str) -> Person:
        try:
            return self.people[login]
        except KeyError:
            raise AttributeError(login) from None

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        if not path.startswith("/api") and not more.pop("bare", False):
            path = f"/api/v1/{self.name}{path}"
        response = self.http.request(method, path, **more)
        self.http.cookies.clear()
        assert response.status_code < 500, f"{method} {path}: {response.status_code} {response.text}"
        return response

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Whatever happens inside leaves database and files as they are."""
        before = self.fingerprint()
        yield
        assert self.fingerprint() == before

    def fingerprint(self) -> str:
        """A hash of every row of every table and of every stored file."""
        rows = (
            _sqlite(self.settings.database_url)
            if self.settings.database_url.startswith("sqlite")
            else _postgresql(self.settings.database_url)
        )
        mark = hashlib.sha256(json.dumps(rows, default=str, sort_keys=True).encode())
        for path in sorted(self.settings.files.rglob("*")):
            if path.is_file():
                mark.update(str(path.relative_to(self.settings.files)).encode() + path.read_bytes())
        return mark.hexdigest()


def _sqlite(url: str) -> dict[str, list[str]]:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    names = [
        row[0]
        for row in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        )
    ]
    rows = {
        name: sorted(map(repr, connection.execute(f'SELECT * FROM "{name}"'))) for name in names if name not in IGNORED
    }
    connection.close()
    return rows


def _postgresql(url: str) -> dict[str, list[str]]:
    with psycopg.connect(url) as connection:
        names = [
            row[0]
            for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        ]
        return {
            name: sorted(map(repr, connection.execute(f'SELECT * FROM "{name}"').fetchall()))
            for name in names
            if name not in IGNORED
        }


def _dashed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
def shop(database_url: str, tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(Settings(data=tmp_path / "data", database=database_url))
    with shop.http:
        yield shop
