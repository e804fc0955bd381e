"""Two server processes on one database behave as one, on each kind of database: sessions, numbers, keys, rates, versions, suspensions."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from engine.access.people import People
from engine.clock import SystemClock
from engine.definition import load
from engine.publishing.apply import publish
from engine.storage.database import Database
from tests.attacks.conftest import APP, PASSWORD

BURST = 300


class Pair:
    """Two servers and the database below them, which the test reaches directly as an operator would."""

    def __init__(self, url: str, folder: Path) -> None:
        self.db = Database.open(url)
        self.db.prepare()
        self.people = People(self.db, SystemClock())
        publish(self.db, load(APP), SystemClock())
        environment = dict(os.environ, DOUGONG_RATE="1", DOUGONG_BURST=str(BURST), DOUGONG_LOG="error")
        self.ports = [_free_port(), _free_port()]
        self.servers = [
            subprocess.Popen(
                [sys.executable, "-m", "engine.cli", "serve", "--database", url, "--data", str(folder), "--port", str(port)],
                env=environment, stdout=subprocess.DEVNULL,
            )
            for port in self.ports
        ]  # fmt: skip
        self.at = [httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) for port in self.ports]
        for client in self.at:
            until(lambda client=client: client.get("/readyz").status_code == 200, seconds=60)

    def join(self, login: str, *roles: str) -> dict[str, str]:
        """A new person; the headers with his token."""
        id = self.people.create_user(login, login.title(), PASSWORD)
        self.people.set_roles(id, "shop", roles or ("rep",))
        return {"authorization": f"Bearer {self.people.create_token(id, 'test')[1]}"}

    def at_once(self, times: int, ask: Callable[[httpx.Client], httpx.Response]) -> list[httpx.Response]:
        """The answers to the same request, sent to both servers in turn by as many threads, all at one moment."""
        start = threading.Barrier(times)

        def go(number: int) -> httpx.Response:
            start.wait()
            return ask(self.at[number % 2])

        with ThreadPoolExecutor(times) as pool:
            return list(pool.map(go, range(times)))

    def close(self) -> None:
        for server in self.servers:
            server.terminate()
        for server in self.servers:
            assert server.wait(timeout=30) in (0, -15)
        for client in self.at:
            client.close()
        self.db.close()


def until(true: Callable[[], bool], seconds: float) -> float:
    """Ask until it is true; how long that took. Fails after `seconds`."""
    began = time.monotonic()
    while True:
        try:
            if true():
                return time.monotonic() - began
        except httpx.TransportError:
            pass
        assert time.monotonic() - began < seconds, "it did not become true"
        threading.Event().wait(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("data")
    urls = iter([f"sqlite:///{folder / 'pair.db'}"])
    if request.param == "postgresql":
        urls = request.getfixturevalue("postgresql_server").fresh_database()
    for url in urls:
        pair = Pair(url, folder)
        yield pair
        pair.close()


def test_a_session_holds_at_every_process_and_ends_at_every_process(pair: Pair) -> None:
    pair.join("ann")
    response = pair.at[0].post("/api/v1/session", json={"login": "ann", "password": PASSWORD})
    assert response.status_code == 201
    cookie = {"cookie": response.headers["set-cookie"].split(";")[0]}
    assert [client.get("/api/v1/shop/order", headers=cookie).status_code for client in pair.at] == [200, 200]
    end = cookie | {"x-csrf-token": response.json()["csrf"]}
    assert pair.at[1].request("DELETE", "/api/v1/session", headers=end).status_code == 204
    everywhere(pair, cookie, 401)


# That a second is enough is shown with a clock that is set, in tests/attacks/test_people.py; here, that it comes about.
ENDINGS: dict[str, tuple[Callable[[People, int], object], int]] = {
    "suspended": (lambda people, user: people.suspend(user), 401),
    "token-deleted": (lambda people, user: people.revoke_token(int(people.tokens(user)[0]["id"])), 401),
    "password-reset": (lambda people, user: people.set_password(user, "another good password"), 401),
    "role-dropped": (lambda people, user: people.set_roles(user, "shop", []), 404),
}


def everywhere(pair: Pair, headers: dict[str, str], status: int, path: str = "/api/v1/shop/order") -> None:
    for client in pair.at:
        until(lambda client=client: client.get(path, headers=headers).status_code == status, seconds=30)


@pytest.mark.parametrize("ending", ENDINGS)
def test_p20_access_that_is_taken_away_ends_at_every_process(pair: Pair, ending: str) -> None:
    end, status = ENDINGS[ending]
    headers = pair.join(ending)
    user = pair.people.find_user(ending)
    assert user is not None
    everywhere(pair, headers, 200)
    assert end(pair.people, user) is not False
    everywhere(pair, headers, status)


def test_p20_what_a_team_gave_ends_at_every_process(pair: Pair) -> None:
    boss, worker = pair.join("tess"), pair.join("will")
    people = pair.people
    ids = [people.find_user(login) for login in ("tess", "will")]
    assert ids[0] is not None
    assert ids[1] is not None
    made = pair.at[0].post("/api/v1/shop/order", json={"title": "Will's"}, headers=worker).json()
    path = f"/api/v1/shop/order/{made['id']}"
    everywhere(pair, boss, 404, path)
    team = people.create_team("workers", "Workers")
    people.set_leader(team, ids[0])
    people.set_team(ids[1], team)
    everywhere(pair, boss, 200, path)
    people.set_team(ids[1], None)
    everywhere(pair, boss, 404, path)


def test_running_numbers_are_given_once(pair: Pair) -> None:
    headers = pair.join("ned")
    answers = pair.at_once(
        24, lambda client: client.post("/api/v1/shop/order", json={"title": "Desk"}, headers=headers)
    )
    assert {answer.status_code for answer in answers} == {201}
    numbers = sorted(answer.json()["record"]["number"] for answer in answers)
    assert len(set(numbers)) == 24
    assert int(numbers[-1][-4:]) - int(numbers[0][-4:]) == 23


def test_p25_twenty_identical_submits_make_one_record(pair: Pair) -> None:
    headers = pair.join("ivy") | {"idempotency-key": "submit-1"}
    answers = pair.at_once(
        20, lambda client: client.post("/api/v1/shop/order", json={"title": "Once"}, headers=headers)
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    found = pair.at[0].get("/api/v1/shop/order?title=Once&count=100", headers=headers).json()
    assert found["count"] == 1


def test_p25_twenty_identical_transitions_move_once(pair: Pair) -> None:
    headers = pair.join("tom")
    order = pair.at[0].post("/api/v1/shop/order", json={"title": "Move"}, headers=headers).json()["record"]
    path = f"/api/v1/shop/order/{order['id']}"
    move = {"to": "dropped", "reason": "no longer wanted"}
    answers = pair.at_once(20, lambda client: client.post(f"{path}/transitions", json=move, headers=headers))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 200
    assert set(statuses[1:]) <= {409, 422}
    stages = pair.at[1].get(f"{path}/stages", headers=headers).json()["stages"]
    assert [each["stage"] for each in stages] == ["new", "dropped"]


def test_p27_of_simultaneous_edits_of_one_version_one_is_taken(pair: Pair) -> None:
    headers = pair.join("eve")
    order = pair.at[0].post("/api/v1/shop/order", json={"title": "Edit"}, headers=headers).json()["record"]
    path = f"/api/v1/shop/order/{order['id']}"
    stated = headers | {"if-match": '"1"'}
    answers = pair.at_once(12, lambda client: client.patch(path, json={"amount": 5}, headers=stated))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 11
    assert pair.at[0].get(path, headers=headers).json()["version"] == 2


def test_rates_hold_for_both_together(pair: Pair) -> None:
    headers = pair.join("ray")
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        statuses = list(
            pool.map(
                lambda number: pair.at[number % 2].get("/api/v1/me", headers=headers).status_code, range(BURST + 60)
            )
        )
    refilled = int(time.monotonic() - began) + 1
    assert set(statuses) == {200, 429}
    assert BURST - 20 <= statuses.count(200) <= BURST + refilled


def test_a_published_version_is_live_everywhere_soon(pair: Pair) -> None:
    headers = pair.join("pat")
    text = APP.read_text(encoding="utf-8")
    changed = text.replace(
        "      urgent: {type: boolean",
        "      colour: {type: text, label: {zh: 颜色, en: Colour}}\n      urgent: {type: boolean",
    )
    number = publish(pair.db, load({"app.yaml": changed}), SystemClock())
    assert number == 2
    for client in pair.at:
        took = until(
            lambda client=client: (
                client.post("/api/v1/shop/order", json={"title": "New", "colour": "red"}, headers=headers).status_code
                == 201
            ),
            seconds=10,
        )
        # A second is meant; a busy machine compiles more slowly.
        assert took < 5
