"""Twins: two servers that hold the same records with the same ids at the same time, but for what a secret says.

Given different secrets they differ only in what none of `ASKING` may see: fields hidden from all of them, and everything
of records that are nobody's of them.  Given the same secret, on two databases, they do not differ at all.
"""

import io
import random
import re
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from engine.access.people import Session
from engine.clock import SetClock
from engine.web.settings import Settings
from tests.attacks.conftest import PDF, Shop

APP = Path(__file__).parent / "twins.yaml"
ROLES = {
    "max": ["boss"],
    "bob": ["rep"],
    "ann": ["rep"],
    "cleo": ["clerk"],
    "pia": ["rep", "peer"],
    "eve": ["clerk", "peer"],
    "nil": [],
}
ASKING = ("ann", "cleo", "pia", "eve")
CSRF = b"{the-token-of-the-session}"  # in a body, stands for it
# A form's own mark, and the running number of everything that was written anywhere.
NEW = re.compile(
    rb'name="~once" value="[^"]*"|"seq":[0-9]+|"seconds":[0-9.]+|"csrf":"[^"]*"|"token":"dg_[^"]*"|"id":"[0-9]*"(?=,"name":"[^"]*","expires_at")'
)
NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
WORDS = "brass copper desk frame glass hinge iron lamp oak panel steel table zinc 门 窗 桌".split()
SECRET_WORDS = "amber bishop cipher dragon ember falcon garnet hollow ivory jackal".split()
_CUSTOMERS, _ORDERS = 14, 36


class Ids:
    """Ids that are the same on both twins: each step says where to go on counting."""

    def __init__(self) -> None:
        self.next = 0

    def new(self, count: int = 1) -> int:
        first, self.next = self.next, self.next + count
        return first

    def step(self, number: int) -> None:
        self.next = (1 << 40) + number * 10_000


@dataclass(frozen=True)
class Request:
    """`login` signs with a token, and on pages with a cookie; None is nobody."""

    login: str | None
    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Twin(Shop):
    """A server whose time stands still, with people, records and sessions."""

    app, name, roles = APP, "twins", ROLES

    def __init__(self, settings: Settings, ids: Ids, secret: int) -> None:
        self.ids = ids
        ids.step(0)
        super().__init__(settings, SetClock(NOW))
        self.known: dict[str, list[str]] = {"customer": [], "order": [], "line": [], "files": []}
        # A hidden lookup names one of these, for to merge or delete what it names would show in the version of its record.
        self.nobodys: list[str] = []
        self.sessions: dict[str, Session] = {}
        self.hide: list[str] = []
        self._fill(random.Random(1), random.Random(secret))
        self.theirs = {login: self._theirs(login) for login in ROLES}
        for login in ROLES:
            session = self.site.people.open_session(self.people[login].id)
            assert session.token is not None
            self.sessions[login] = session
            self.hide += [session.csrf, session.token]

    # -- records ---------------------------------------------------------------------------------------------------

    def _fill(self, rnd: random.Random, secret: random.Random) -> None:
        for number in range(_CUSTOMERS):
            self.ids.step(10 + number)
            self._customer(number, rnd, secret)
        for number in range(_ORDERS):
            self.ids.step(100 + number)
            self._order(number, rnd, secret)
        for number, id in enumerate(self.known["order"]):
            self.ids.step(200 + number)
            self._history(number, id, rnd, secret)

    def _customer(self, number: int, rnd: random.Random, secret: random.Random) -> None:
        owner = ("ann", "pia", "bob", "bob")[number % 4]
        seen = owner != "bob"
        good = number % 8 < 5  # clerks and peers see good customers
        invisible = not seen and not good
        values = {
            "name": f"{rnd.choice(WORDS)} {rnd.choice(WORDS)} {rnd.randrange(100)}",
            "phone": f"138{rnd.randrange(10**8):08}",
            "notes": " ".join(rnd.choices(WORDS, k=5)),
            "rating": rnd.randrange(5, 11) if good else rnd.randrange(5),
            "region": rnd.choice(["north", "south"]),
        }
        hidden = {"secret_note": _words(secret), "credit": secret.randrange(1, 2000)}
        if not seen:
            hidden |= {"phone": f"139{secret.randrange(10**8):08}", "notes": _words(secret)}
        if invisible:
            hidden |= {
                "name": _words(secret),
                "rating": secret.randrange(5),
                "region": secret.choice(["north", "south"]),
            }
        made = self.max.create("customer", owner=str(self.people[owner].id), **values | hidden)
        self.known["customer"].append(made["id"])
        if invisible:
            self.nobodys.append(made["id"])

    def _order(self, number: int, rnd: random.Random, secret: random.Random) -> None:
        owner = ("ann", "bob", "pia", "bob")[number % 4]
        urgent, large = number % 3 == 0, number % 5 == 0
        values = {
            "title": f"{rnd.choice(WORDS)} {rnd.randrange(100)}",
            "customer": rnd.choice(self.known["customer"]),
            "amount": rnd.randrange(100, 900) if large else rnd.randrange(1, 100),
            "urgent": urgent,
            "due": str(date(2026, 3, 1) + timedelta(rnd.randrange(60))),
            "channel": rnd.choice(["web", "store"]),
        }
        hidden: dict[str, Any] = {
            "margin": secret.randrange(1, 500), "risk": secret.choice(["low", "high"]), "flagged": secret.random() < 0.5, "remark": _words(secret),
            "last_day": str(date(2026, 3, 1) + timedelta(secret.randrange(60))), "broker": secret.choice([*self.nobodys, None]),
        }  # fmt: skip
        lines = [
            {"product": rnd.choice(WORDS), "price": rnd.randrange(1, 60), "cost": secret.randrange(1, 60)} for _ in range(rnd.randrange(4))
        ]  # fmt: skip
        if owner == "bob":
            lines = [{**line, "product": _words(secret), "price": secret.randrange(1, 60)} for line in lines]
        if owner == "bob" and not urgent and not large:
            hidden |= {"title": _words(secret), "customer": secret.choice(self.known["customer"]), "amount": secret.randrange(1, 100),
                       "due": str(date(2026, 3, 1) + timedelta(secret.randrange(60))), "channel": secret.choice(["web", "store"])}  # fmt: skip
        made = self.max.create("order", owner=str(self.people[owner].id), lines=lines, **values | hidden)
        self.known["order"].append(made["id"])
        self.known["line"] += [each["id"] for each in self.max.get("/line", order=made["id"]).json()["records"]]

    def _history(self, number: int, id: str, rnd: random.Random, secret: random.Random) -> None:
        """What happened since: changes of both kinds of fields, files, a transition, something deleted."""
        record = self.max.get(f"/order/{id}").json()
        record = self.max.patch(
            f"/order/{id}", {"margin": record["margin"] + secret.randrange(1, 50)}, record["version"]
        ).json()["record"]
        if number % 2:
            self.max.patch(f"/order/{id}", {"due": "2026-06-01", "remark": _words(secret, 6)}, record["version"])
        for name in ("papers", "contract") if number % 3 else ():
            content = PDF if name == "papers" else PDF + secret.randbytes(secret.randrange(200))
            called = f"{rnd.choice(WORDS)}.pdf" if name == "papers" else f"{_words(secret)}.pdf"
            made = self.max.upload(f"/order/{id}/files/{name}", called, content)
            assert made.status_code == 201, made.text
            self.known["files"] += made.json()["record"][name]
        if number % 6 == 1:
            self.max.post(f"/order/{id}/transitions", {"to": "packed"})
        if number % 9 == 8:
            version = self.max.get(f"/order/{id}").json()["version"]
            assert self.max.delete(f"/order/{id}", version).status_code == 200

    def _theirs(self, login: str) -> dict[str, list[str]]:
        """The ids of what somebody sees, by kind."""
        seen = {}
        for entity in ("customer", "order", "line"):
            answer = self.people[login].get(f"/{entity}", limit="200")
            seen[entity] = [each["id"] for each in answer.json()["records"]] if answer.status_code == 200 else []
        return seen

    # -- questions -------------------------------------------------------------------------------------------------

    def answer(self, number: int, request: Request) -> Answer:
        """The answer without what is new in every answer. `number` keeps the ids of what is made apart."""
        self.ids.step(1000 + number)
        headers, body = {"accept-language": "en"} | request.headers, request.body
        if request.login is not None and request.path.startswith("/api/"):
            headers["authorization"] = f"Bearer {self.people[request.login].token}"
        elif request.login is not None:
            session = self.sessions[request.login]
            headers["cookie"] = f"dougong={session.token}"
            body = body and body.replace(CSRF, session.csrf.encode())
        raw = {name: value.encode("utf-8", "surrogatepass") for name, value in headers.items()}
        response = self.http.request(request.method, request.path, headers=raw, content=body, follow_redirects=False)
        self.http.cookies.clear()
        return self._bare(response)

    def _bare(self, response: httpx.Response) -> Answer:
        mark = response.headers.get("x-request-id", "-")
        body = response.content
        if body.startswith(b"PK\x03\x04"):
            body = _unzipped(body)
        body = NEW.sub(b"", body)
        for word in (mark, *self.hide):
            body = body.replace(word.encode(), b"*")
        kept = tuple(
            (name, value) for name, value in response.headers.items() if name not in ("x-request-id", "content-length")
        )
        return Answer(response.status_code, kept, body)


def difference(one: Answer, two: Answer) -> str:
    """Where two answers part, with what stands around it."""
    if one.status != two.status or one.headers != two.headers:
        return f"  {one.status} {one.headers} {one.body[:300]!r}\n  {two.status} {two.headers} {two.body[:300]!r}"
    at = next((place for place, (mine, other) in enumerate(zip(one.body, two.body, strict=False)) if mine != other), 0)
    return f"  {one.status} …{one.body[max(0, at - 150) : at + 150]!r}\n  {two.status} …{two.body[max(0, at - 150) : at + 150]!r}"


def _unzipped(content: bytes) -> bytes:
    """The sheets of a spreadsheet; its properties say when it was made."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return b"".join(archive.read(name) for name in archive.namelist() if not name.startswith("docProps"))


def _words(secret: random.Random, count: int = 2) -> str:
    return " ".join(secret.choices(SECRET_WORDS, k=count)) + f" {secret.randrange(1000)}"
