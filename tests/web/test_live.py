"""Open pages hear of what others change: of what they may see, no more, and for as long as their session lives."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import uvicorn

from engine.access.people import People
from engine.clock import SystemClock
from engine.definition import load
from engine.publishing.apply import publish
from engine.storage.database import Database
from engine.web.settings import Settings
from tests.web.test_homes import Desk

PATIENCE = 20.0  # seconds until a test gives up waiting


class Listener:
    """One open stream, read in a thread: what it was told, in order."""

    def __init__(self, url: str, cookie: str, on: str) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.status = 0
        self.open, self.heard, self.over = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, args=(url, cookie, on), daemon=True)
        self._thread.start()
        assert self.open.wait(PATIENCE)

    def _run(self, url: str, cookie: str, on: str) -> None:
        address = f"{url}/desk/my-live?on={on}"
        with suppress(httpx.HTTPError), httpx.stream("GET", address, headers={"cookie": cookie}, timeout=60) as answer:
            self.status = answer.status_code
            kind = ""
            for line in answer.iter_lines():
                self.open.set()
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    self.told.append((kind, orjson.loads(line.removeprefix("data: "))))
                    self.heard.set()
        self.open.set()
        self.over.set()


@contextmanager
def served(desk: Desk) -> Iterator[str]:
    """The desk on a port of this machine."""
    server = uvicorn.Server(
        uvicorn.Config(desk.server, host="127.0.0.1", port=0, log_config=None, lifespan="off", ws="none")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        # As a process does that is told to stop.
        desk.site.streams.close_soon()
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(Settings(data=tmp_path / "data", database=database_url, log="error"))
    yield desk
    desk.site.close()


def test_a_change_is_told_to_those_who_see_it_and_to_nobody_else(desk: Desk) -> None:
    anns, bobs = desk.make("ann", title="Of Ann"), desk.make("bob", title="Of Bob")
    with served(desk) as url:
        ann, bob = (Listener(url, desk.cookies[login], "deal") for login in ("ann", "bob"))
        meg = Listener(url, desk.cookies["meg"], f"deal:{anns}")
        desk.change("meg", bobs, note="seen")
        assert bob.heard.wait(PATIENCE)
        desk.change("meg", anns, margin=5)  # hidden from ann
        desk.change("meg", anns, note="seen")
        assert ann.heard.wait(PATIENCE)
        desk.change("ann", anns, note="by herself")
        assert meg.heard.wait(PATIENCE)
    assert bob.told[0] == ("change", {"changed": [bobs], "made": []})
    assert [each for each in ann.told if each[0] == "change"] == [("change", {"changed": [anns], "made": []})]
    assert [each for each in meg.told if each[0] == "change"] == [("change", {"changed": [anns], "made": []})]


def test_what_changed_is_said_in_the_fields_that_one_sees(desk: Desk) -> None:
    id = desk.make("ann", title="Of Ann")
    with desk.http:
        desk.meg.patch(f"/deal/{id}", {"margin": 5, "note": "x", "amount": 7}, 1)
        said = desk.page("ann", f"/my-changes?on=deal:{id}&since=1").text
        assert "Meg 刚刚修改了" in said
        assert "说明" in said
        assert "毛利" not in said
        desk.meg.patch(f"/deal/{id}", {"margin": 6}, 2)
        assert "刚刚" not in desk.page("ann", f"/my-changes?on=deal:{id}&since=2").text
        desk.ann.patch(f"/deal/{id}", {"note": "y"}, 3)
        assert "刚刚" not in desk.page("ann", f"/my-changes?on=deal:{id}&since=2").text, "her own change is no news"
        assert desk.page("bob", f"/my-changes?on=deal:{id}&since=1").status_code == 404


def test_a_stream_of_what_is_not_there_for_one_is_refused(desk: Desk) -> None:
    bobs = desk.make("bob", title="Of Bob")
    with desk.http:
        for on in (f"deal:{bobs}", "deal:1", "user", "secret", ""):
            assert desk.page("ann", f"/my-live?on={on}").status_code == 404, on
        assert desk.ask("GET", "/desk/my-live?on=deal", bare=True).status_code == 401
        assert desk.site.streams.count == 0


def test_a_stream_ends_with_its_session(desk: Desk) -> None:
    with served(desk) as url:
        ann, meg = (Listener(url, desk.cookies[login], "deal") for login in ("ann", "meg"))
        desk.site.people.sign_out(desk.cookies["ann"].removeprefix("dougong="))
        assert ann.over.wait(PATIENCE)
        assert ann.told[-1][0] == "over"
        assert not meg.over.is_set()
        desk.site.people.set_roles(desk.meg.id, "desk", [])
        assert meg.over.wait(PATIENCE)


def test_two_hundred_open_pages_hold_no_thread_and_no_connection(desk: Desk) -> None:
    logins = [f"rep{number}" for number in range(10)]
    for login in logins:
        person = desk.join(login, "boss")
        desk.cookies[login] = f"dougong={desk.site.people.open_session(person.id).token}"

    async def listen(port: int, cookie: str, ready: asyncio.Semaphore, told: list[bytes]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            f"GET /desk/my-live?on=deal HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncookie: {cookie}\r\n\r\n".encode()
        )
        await reader.readuntil(b": open")
        ready.release()
        told.append(await reader.readuntil(b'"made":["'))
        writer.close()

    async def all_of_them(port: int) -> int:
        ready, told = asyncio.Semaphore(0), list[bytes]()
        streams = [asyncio.create_task(listen(port, desk.cookies[login], ready, told)) for login in logins * 20]
        for _ in streams:
            await asyncio.wait_for(ready.acquire(), PATIENCE)
        assert desk.site.streams.count == 200
        threads = threading.active_count()
        await asyncio.to_thread(desk.make, "ann", title="New")
        await asyncio.wait_for(asyncio.gather(*streams), PATIENCE)
        assert len(told) == 200
        return threads

    with served(desk) as url:
        before = threading.active_count()
        # In a thread of its own: a browser that was driven before may have left a loop running in this one.
        with ThreadPoolExecutor(1) as thread:
            threads = thread.submit(lambda: asyncio.run(all_of_them(int(url.rsplit(":", 1)[1])))).result() - 1
    # The watcher's thread, and those that answer requests anyway.
    assert threads - before <= 12


def test_one_person_cannot_open_any_number_of_streams(desk: Desk) -> None:
    with served(desk) as url:
        open_ = [Listener(url, desk.cookies["ann"], "deal") for _ in range(20)]
        assert {each.status for each in open_} == {200}
        assert Listener(url, desk.cookies["ann"], "deal").status == 429
        assert Listener(url, desk.cookies["bob"], "deal").status == 200


@pytest.mark.skipif(sys.platform == "win32", reason="processes are stopped in another way there")
def test_a_server_that_is_told_to_stop_waits_for_no_open_page(tmp_path: Path) -> None:
    db = Database.open(f"sqlite:///{tmp_path / 'dougong.db'}")
    db.prepare()
    publish(db, load(Desk.app), SystemClock())
    people = People(db, SystemClock())
    ann = people.create_user("ann", "Ann", "correct horse battery")
    people.set_roles(ann, "desk", ["rep"])
    cookie = f"dougong={people.open_session(ann).token}"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = dict(os.environ, DOUGONG_DRAIN="600", DOUGONG_LOG="error")
    command = [sys.executable, "-m", "engine.cli", "serve", "--data", str(tmp_path), "--port", str(port)]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(600):
            with suppress(httpx.HTTPError):
                if httpx.get(f"{url}/readyz").status_code == 200:
                    break
            threading.Event().wait(0.1)
        stream = Listener(url, cookie, "deal")
        server.send_signal(signal.SIGTERM)
        assert stream.over.wait(PATIENCE)
        server.wait(PATIENCE)  # far less than the time in which requests may end
    finally:
        server.kill()
        db.close()
