"""Writes of one moment share a transaction on SQLite; each stands or falls alone, and nobody is told before the commit."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from anyio import CapacityLimiter

from engine.problems import Problem, Refused
from engine.storage import system
from engine.storage.database import Database
from engine.storage.session import Write
from engine.web.group_commit import MOST, GroupCommit

_row = system.rate


def keep(db: Database, name: str, end: Callable[[], Any] = lambda: None) -> Callable[[Write], str]:
    statement = db.statement(sa.insert(_row).values(name=name, tokens=1, at=0))

    def work(w: Write) -> str:
        w.run(statement)
        end()
        return name

    return work


def names(db: Database) -> list[str]:
    with db.read() as r:
        return list(r.column(db.statement(sa.select(_row.c.name).order_by(_row.c.name))))


def carried_out(db: Database, works: list[Callable[[Write], Any]]) -> list[Any]:
    async def all_at_once() -> list[Any]:
        group = GroupCommit(db, CapacityLimiter(2))
        return await asyncio.gather(*(group.write(work) for work in works), return_exceptions=True)

    return in_a_loop(all_at_once)


def in_a_loop(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Its result. In a thread of its own: the test's may have an event loop of a browser."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(work())).result()


def test_a_refusal_takes_back_that_write_alone(database: Database) -> None:
    def refuse() -> None:
        raise Refused(Problem("not-found"), 404)

    works = [keep(database, f"n{i}", refuse if i % 3 == 0 else lambda: None) for i in range(10)]
    ends = carried_out(database, works)
    assert [isinstance(end, Refused) for end in ends] == [i % 3 == 0 for i in range(10)]
    assert names(database) == [f"n{i}" for i in range(10) if i % 3]


def test_one_commit_serves_a_group_of_at_most_so_many(database: Database) -> None:
    with database.counter() as counted:
        assert carried_out(database, [keep(database, f"n{i:02}") for i in range(MOST + 3)]) == names(database)
    savepoints = sum("RELEASE SAVEPOINT" in text for text in counted.texts)
    assert savepoints == (MOST + 3 if database.one_writer else 0)


def test_nobody_hears_of_a_commit_that_failed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The group comes to nothing; then each is tried alone, once."""
    tries: list[str] = []
    usual = database.write

    class Broken:
        def __enter__(self) -> Write:
            self.write = usual()
            return self.write.__enter__()

        def __exit__(self, *_: Any) -> None:
            tries.append("group")
            self.write.__exit__(OSError, OSError("disk"), None)
            raise OSError("disk")

    monkeypatch.setattr(database, "write", lambda **_: Broken() if not tries else usual())
    ends = carried_out(database, [keep(database, "a"), keep(database, "b")])
    assert tries == ["group"]
    if database.one_writer:
        assert ends == ["a", "b"] == names(database)
    else:
        assert isinstance(ends[0], OSError)
        assert names(database) == ["b"]


def test_a_writer_elsewhere_is_waited_for_in_another_thread(database: Database) -> None:
    async def both() -> list[str]:
        group = GroupCommit(database, CapacityLimiter(2))
        with database.write() as w:  # of this thread, which is the event loop's
            w.run(database.statement(sa.insert(_row).values(name="first", tokens=1, at=0)))
            task = asyncio.create_task(group.write(keep(database, "second")))
            await asyncio.sleep(0.05)
            assert not (database.one_writer and task.done())
        return ["first", await task]

    assert in_a_loop(both) == names(database)
