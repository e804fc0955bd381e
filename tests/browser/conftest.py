"""A real browser, and a served app for it: `page` is a fresh page of the Chromium that CHROMIUM names.

`python3 dev.py test` finds a Chromium, Chrome or Edge and names it so, and installs Debian's where it may. Without any,
these tests are skipped and say so.
"""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from engine.access.people import People
from engine.clock import SystemClock
from engine.definition import load
from engine.publishing.apply import publish
from engine.runtime import Create, Outcome
from engine.web.server import create_server
from engine.web.settings import Settings
from engine.web.site import Site

# A closed network refuses what Chromium asks for on its own account; as root it cannot start its sandbox.
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
]
APP = Path(__file__).parent / "app.yaml"
PASSWORD = "correct horse battery"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)


class Upkeep:
    """The app of app.yaml, served at `url`.

    `wang` and `zhao` are workers, `lin` plans and sees what is secret, `max` administers.
    """

    def __init__(self, folder: Path, more: str = "") -> None:
        """`more` is added to the text of the definition."""
        self.server = create_server(Settings(data=folder, log="error"))
        self.site: Site = self.server.state.site
        publish(self.site.db, load({"app.yaml": APP.read_text(encoding="utf-8") + more}), SystemClock())
        self.site.live.refresh()
        people = self.site.people
        team = people.create_team("east", "东区班组")
        hashed = _hashed(people)
        self.users: dict[str, int] = {}
        for login, name, role in (
            ("wang", "王强", "worker"),
            ("zhao", "赵敏", "worker"),
            ("lin", "林慧", "planner"),
            ("max", "管理员", "admin"),
        ):
            self.users[login] = people.create_user(login, name, team=team, hashed=hashed)
            people.set_roles(self.users[login], "upkeep", [role])
        self._clients: list[httpx.Client] = []
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(self.server, host="127.0.0.1", port=0, log_config=None, lifespan="off", ws="none")
        )
        self._thread = threading.Thread(target=self._uvicorn.run, daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._uvicorn.started:
            assert time.monotonic() < deadline, "the server did not start"
            threading.Event().wait(0.02)
        port = self._uvicorn.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self.site.streams.close_soon()
        self._uvicorn.should_exit = True
        self._thread.join(10)
        self.site.close()

    def create(self, login: str, entity: str, **values: Any) -> Outcome:
        """A record made by somebody, past the pages."""
        app = self.site.app("upkeep")
        principal = self.site.people.principal(self.users[login], "upkeep", app.policies)
        assert principal is not None
        return self.site.runtime.execute(app, principal, Create(entity, values))

    def visit(self, login: str = "wang", **values: Any) -> str:
        """The path of a new visit to a new site."""
        site = self.create(login, "site", name=f"东湖泵站 {len(self.titles('site')) + 1}", phone="13857162204")
        made = self.create(login, "visit", **{"title": "东湖泵站春季维保", "site": str(site.id), **values})
        return f"/upkeep/visit/{made.id}"

    def titles(self, entity: str) -> list[str]:
        """The titles of all live records, as the administrator sees them."""
        return [str(each[self.site.app("upkeep").entities[entity].title]) for each in self.records(entity)]

    def records(self, entity: str) -> list[dict[str, Any]]:
        from engine.reading import Query

        app = self.site.app("upkeep")
        principal = self.site.people.principal(self.users["max"], "upkeep", app.policies)
        assert principal is not None
        with self.site.db.read() as r:
            return self.site.reading(app).lens(principal).page(r, entity, Query(sort=("id",))).rows

    def client(self) -> httpx.Client:
        """Somebody without a browser: keeps cookies, follows redirects."""
        self._clients.append(
            httpx.Client(base_url=self.url, headers={"accept-language": "zh"}, follow_redirects=True, timeout=30)
        )
        return self._clients[-1]

    def browse(self, login: str) -> httpx.Client:
        """Somebody signed in, without a browser."""
        client = self.client()
        answer = client.post("/sign-in", data={"login": login, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return client


_hashes: list[str] = []


def _hashed(people: People) -> str:
    """The password of everybody, hashed once."""
    if not _hashes:
        _hashes.append(people.hash(PASSWORD))
    return _hashes[0]


@pytest.fixture
def upkeep(tmp_path: Path) -> Iterator[Upkeep]:
    """The app on a fresh database, on a port of this machine."""
    made = Upkeep(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for the whole session."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip("no browser: install Chromium or Chrome, or set CHROMIUM to its path")
    sandbox = [] if getattr(os, "geteuid", lambda: 1)() else ["--no-sandbox"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS + sandbox)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile of its own: cookies and storage are empty."""
    context = browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai", viewport=DESK)
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page; the test fails if a script on it failed or the content policy stopped something."""
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console", lambda message: errors.append(message.text) if "Content Security Policy" in message.text else None
    )
    yield page
    assert errors == []
