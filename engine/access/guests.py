"""People without an account, as far as the engine must know them: the slips their pages carry, and how many answers came.

A page that anybody may send back carries a *slip*: when it was drawn, a number used once, and the installation's mark on
both.  So it is known, without a cookie and without a row for everybody who only looks, that a page was ours, how long it
took to fill it in, and whether it was sent before.
"""

import base64
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any, Final

import sqlalchemy as sa

from engine.clock import Clock
from engine.problems import Problem, Refused
from engine.storage import system
from engine.storage.database import Database

_NAME: Final = "slips"
_ALL: Final = "*"  # the row of the form as a whole; no channel has such a name


@dataclass(frozen=True)
class Slip:
    """`at` is when its page was drawn, in microseconds UTC; `once` is different for every page."""

    at: int
    once: str


@dataclass(frozen=True)
class Answered:
    """How many answers came by a way, and when the last one did."""

    answers: int
    at: int


class Guests:
    """The store. `scope` says which page a slip is for: one for another page is none."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock
        s, a = system.secret, system.answered
        self._make = db.upsert(s, ["name"])
        self._find = db.statement(sa.select(s.c.value).where(s.c.name == sa.bindparam("name")))
        form = sa.and_(a.c.app == sa.bindparam("app"), a.c.form == sa.bindparam("form"))
        more: Mapping[str, Any] = {"answers": a.c.answers + 1, "at": sa.bindparam("at", type_=sa.BigInteger())}
        self._add = db.upsert(a, ["app", "form", "channel"], more)
        self._all = db.statement(sa.select(a.c.channel, a.c.answers, a.c.at).where(form))
        self._total = db.statement(sa.select(a.c.answers).where(form, a.c.channel == _ALL))

    @cached_property
    def _key(self) -> bytes:
        def work(w: Any) -> str:
            # Of several processes that make one at once, one wins and all read what it made.
            w.run(self._make, {"name": _NAME, "value": secrets.token_hex(32)})
            return str(w.scalar(self._find, {"name": _NAME}))

        with self._db.read() as r:
            found = r.scalar(self._find, {"name": _NAME})
        return bytes.fromhex(found or self._db.transact(work))

    def slip(self, scope: str) -> str:
        """A new slip for a page that is drawn now."""
        body = f"{self._clock.now():x}.{secrets.token_urlsafe(12)}"
        return f"{body}.{self._mark(scope, body)}"

    def read(self, scope: str, text: str) -> Slip | None:
        """The slip of a page that came back; None if it is not one of ours for `scope`."""
        body, _, mark = text[:200].rpartition(".")
        at, _, once = body.partition(".")
        if not hmac.compare_digest(mark.encode("utf-8", "replace"), self._mark(scope, body).encode()):
            return None
        return Slip(int(at, 16), once)

    def _mark(self, scope: str, body: str) -> str:
        digest = blake2b(f"{scope}\0{body}".encode("utf-8", "replace"), key=self._key, digest_size=18).digest()
        return base64.urlsafe_b64encode(digest).decode()

    def took(self, w: Any, app: str, form: str, channel: str, limit: int | None) -> None:
        """Count an answer in the transaction that saves it. Raises Refused (410) when the form has taken its `limit`."""
        row = {"app": app, "form": form, "answers": 1, "at": self._clock.now()}
        w.run(self._add, row | {"channel": channel})
        # Answers of all ways meet at this row, so that of two last ones one is refused.
        w.run(self._add, row | {"channel": _ALL})
        if limit is not None and w.scalar(self._total, {"app": app, "form": form}) > limit:
            raise Refused(Problem("form-closed"), 410)

    def total(self, app: str, form: str) -> int:
        """How many answers a form took in all."""
        with self._db.read() as r:
            return r.scalar(self._total, {"app": app, "form": form}) or 0

    def answered(self, app: str, form: str) -> dict[str, Answered]:
        """By channel; `""` is the form's own address. What nobody has used yet is missing."""
        with self._db.read() as r:
            rows = r.all(self._all, {"app": app, "form": form})
        return {channel: Answered(answers, at) for channel, answers, at in rows if channel != _ALL}
