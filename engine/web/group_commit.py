"""Group commit: short writes that arrive in the same moment share one transaction, and with it one wait for the disk.

SQLite has one writer, and most of what a small write costs it is the commit: pages into the log, the log to the disk.  The
event loop hands over whatever requests it has read, and all of them are carried out one after the other in a transaction,
each in a savepoint of its own, so that a refusal takes back that one alone.  Nobody is answered before the commit.  See
"group commit" in Gray, Reuter: Transaction Processing (1993), 9.4.7.  PostgreSQL has many writers and does this itself;
there each write is a transaction of its own, for a longer one would hold more locks than it needs.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread

from engine.storage.database import Database
from engine.storage.session import Write

T = TypeVar("T")
Work = Callable[[Write], Any]

MOST = 16  # in one transaction, so that readers on the event loop do not wait for long


class GroupCommit:
    """Used from the event loop alone."""

    def __init__(self, db: Database, limiter: CapacityLimiter) -> None:
        self._db, self._limiter = db, limiter
        self._waiting: deque[tuple[Work, asyncio.Future[Any]]] = deque()
        self._aside: set[asyncio.Task[None]] = set()

    async def write(self, work: Callable[[Write], T]) -> T:
        """What `work` returns, once it is durable. Raises what `work` raises; then nothing of it has happened.

        `work` may be called a second time when the transaction of the group came to nothing.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._carry_out)
        self._waiting.append((work, future))
        return await future

    def _carry_out(self) -> None:
        some = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._carry_out)
        works = [work for work, _ in some]
        if self._db.busy():  # somebody else writes, and the event loop cannot wait for him
            task = asyncio.create_task(self._elsewhere(works, some))
            self._aside.add(task)
            task.add_done_callback(self._aside.discard)
        else:
            _tell(some, together(self._db, works))

    async def _elsewhere(self, works: list[Work], some: list[tuple[Work, asyncio.Future[Any]]]) -> None:
        _tell(some, await to_thread.run_sync(together, self._db, works, limiter=self._limiter))


def _tell(some: list[tuple[Work, asyncio.Future[Any]]], ends: list[tuple[Any, Exception | None]]) -> None:
    for (_, future), (result, error) in zip(some, ends, strict=True):
        if future.cancelled():  # nobody waits any more; what was written stays
            continue
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)


def together(db: Database, works: list[Work]) -> list[tuple[Any, Exception | None]]:
    """Of each work, what it returned or raised. When the transaction fails as a whole, each has one of its own."""
    if len(works) > 1 and db.one_writer:
        try:
            with db.write() as w:
                return [_apart(w, work) for work in works]
        except Exception:
            pass  # nothing has happened yet; alone each finds out by itself what is wrong
    return [_alone(db, work) for work in works]


def _apart(w: Write, work: Work) -> tuple[Any, Exception | None]:
    try:
        with w.savepoint():
            return work(w), None
    except Exception as error:
        return None, error


def _alone(db: Database, work: Work) -> tuple[Any, Exception | None]:
    try:
        return db.transact(work), None
    except Exception as error:
        return None, error
