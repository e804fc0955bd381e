"""A request that carries an Idempotency-Key is done once, however often and to however many processes it is sent.

The key is stored in the transaction of the write itself, together with the answer.  So there is no moment at which the
write has happened and the key does not know it: whoever comes second waits for the first to commit and gets his answer;
if the first is refused or dies, nothing is stored and the second does the work.

What is more than one transaction - an import - claims its key in one of its own before the first (`Once.long`).  Whoever
comes second while it is under way is told so, and so is whoever comes after a crash in its middle: it is done at most once.
"""

import hashlib
from collections.abc import Callable
from typing import Any

import orjson
import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import Response

from engine.clock import MICROSECONDS, Clock
from engine.problems import Problem, Refused
from engine.storage import system
from engine.storage.database import Database
from engine.storage.session import Write
from engine.web import answers

KEPT = 24 * 3600 * MICROSECONDS
_TIDY_EVERY = 1_000
_row = system.idempotency


class Replay(Exception):
    """The request was answered before; this is the answer."""

    def __init__(self, response: Response) -> None:
        self.response = response
        super().__init__("answered before")


class Keys:
    """The table of keys."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._clock = clock
        self._stored = 0
        mine = sa.and_(_row.c.user == sa.bindparam("user"), _row.c.key == sa.bindparam("key"))
        self._claim = db.upsert(_row, ["user", "key"], columns=["user", "key", "request", "at"])
        self._find = db.statement(sa.select(_row.c.request, _row.c.status, _row.c.answer).where(mine))
        answer: dict[str, Any] = {"status": sa.bindparam("status_now"), "answer": sa.bindparam("answer_now")}
        self._keep = db.statement(sa.update(_row).where(mine).values(answer))
        self._release = db.statement(sa.delete(_row).where(mine, _row.c.status.is_(None)))
        self._forget = db.statement(sa.delete(_row).where(_row.c.at < sa.bindparam("before")))

    def claim(self, write: Write, user: int, key: str, request: str) -> None:
        """Make the key ours for this transaction. Raises Replay, or Refused (409) if it came with another request."""
        if write.run(self._claim, {"user": user, "key": key, "request": request, "at": self._clock.now()}):
            return
        found = write.one(self._find, {"user": user, "key": key})
        if found is None or found[0] != request:
            raise Refused(Problem("key-reused"), 409)
        if found[1] is None:
            raise Refused(Problem("key-under-way"), 409)
        kept = orjson.loads(found[2])
        headers = kept["headers"] | {"idempotency-replayed": "true"}
        raise Replay(Response(kept["body"].encode(), found[1], headers, answers.JSON))

    def keep(self, write: Write, user: int, key: str, response: Response) -> None:
        """Store the answer under the key."""
        headers = {name: response.headers[name] for name in ("location", "etag") if name in response.headers}
        kept = orjson.dumps({"headers": headers, "body": bytes(response.body).decode()}).decode()
        write.run(self._keep, {"user": user, "key": key, "status_now": response.status_code, "answer_now": kept})
        self._stored += 1
        if self._stored % _TIDY_EVERY == 0:
            write.run(self._forget, {"before": self._clock.now() - KEPT})

    def release(self, write: Write, user: int, key: str) -> None:
        """Give back a key that has no answer."""
        write.run(self._release, {"user": user, "key": key})


class Once:
    """One request with a key. `claim` and `keep` are called at the beginning and the end of the write's transaction."""

    def __init__(self, keys: Keys, user: int, key: str, request: str) -> None:
        self._keys, self._user, self._key, self._request = keys, user, key, request

    def claim(self, write: Write) -> None:
        self._keys.claim(write, self._user, self._key, self._request)

    def keep(self, write: Write, response: Response) -> Response:
        self._keys.keep(write, self._user, self._key, response)
        return response

    def long(self, db: Database, work: Callable[[], Response]) -> Response:
        """Do work that has transactions of its own. Raises Replay, and Refused (409) while it is under way elsewhere.

        A refusal of the request itself (4xx) gives the key back; after anything else nobody knows how far it came.
        """
        db.transact(self.claim)
        try:
            response = work()
        except Refused as refused:
            if refused.status < 500:
                db.transact(lambda write: self._keys.release(write, self._user, self._key))
            raise
        return db.transact(lambda write: self.keep(write, response))


def once(keys: Keys, request: Request, user: int, body: bytes) -> Once | None:
    """None for a request without a key. Raises Refused (400) for a key that cannot be one."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    key = key.strip('"')
    if not (1 <= len(key) <= 200 and key.isascii() and key.isprintable()):
        raise Refused(Problem("key-unfit"), 400)
    mark = hashlib.sha256()
    for part in (request.method.encode(), request.url.path.encode(), body):
        mark.update(b"%d:" % len(part) + part)
    return Once(keys, user, key, mark.hexdigest())
