"""A fair with public forms: the server, a clock that stands still, and visitors who fill pages in."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import httpx

from engine.clock import MICROSECONDS, SetClock
from engine.web.settings import Settings
from tests.attacks.conftest import Shop

BEGIN = datetime(2026, 5, 20, 2, 0, tzinfo=UTC)
HEADERS = {"accept-language": "en", "origin": "http://shop.test", "sec-fetch-site": "same-origin"}
GOOD = {"company": "Acme", "phone": "13812345678"}
Files = Sequence[tuple[str, tuple[str, bytes, str]]]


class Fair(Shop):
    """`may` manages the forms, `ron` sells and sees what is his, `max` administers."""

    app, name = Path(__file__).parent / "fair.yaml", "fair"
    roles = {"may": ["marketing"], "ron": ["rep"], "max": ["admin"]}

    def __init__(self, settings: Settings) -> None:
        self.clock = SetClock(BEGIN)
        super().__init__(settings, self.clock)

    def look(self, path: str = "/f/fair/ask", **headers: str) -> httpx.Response:
        return self.ask("GET", path, bare=True, headers=HEADERS | headers)

    def slip(self, path: str = "/f/fair/ask") -> str:
        """The slip of a page that is drawn now."""
        return slip_of(self.look(path))

    def answer(
        self,
        values: Mapping[str, Any],
        path: str = "/f/fair/ask",
        *,
        slip: str | None = None,
        files: Files = (),
        headers: Mapping[str, str] | None = None,
        seconds: float = 20,
    ) -> httpx.Response:
        """Fill in a page in so many seconds, and send it."""
        slip = self.slip(path) if slip is None else slip
        self.clock.advance(int(seconds * MICROSECONDS))
        return self.ask(
            "POST", path, bare=True, headers=HEADERS | dict(headers or {}), data={"~slip": slip, **values},
            files=list(files) or None, follow_redirects=False,
        )  # fmt: skip

    def saved(self) -> list[dict[str, Any]]:
        """Every inquiry as the administrator sees it, oldest first."""
        rows: list[dict[str, Any]] = self.max.get("/inquiry", sort="id", limit="200").json()["records"]
        return rows


def slip_of(page: httpx.Response) -> str:
    found = re.search(r'name="~slip" value="([^"]+)"', page.text)
    assert found, page.text
    return unescape(found[1])


def asked(page: httpx.Response) -> list[str]:
    """The fields that a page asks for, in order."""
    return re.findall(r'data-field="([^"]+)"', page.text)
