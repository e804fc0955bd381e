"""A connection to PostgreSQL that is lost: idle ones are replaced unseen, reads are asked once more, and a write whose end
nobody knows is told as such: never as done, and never done twice."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.clock import SystemClock
from engine.storage import system
from engine.storage.database import Database
from engine.storage.errors import StorageError, Unavailable, UniqueViolation
from engine.storage.files import Files
from engine.storage.statement import Statement
from engine.web.attachments import Attachments
from tests.storage.wire import Wire

NAMES = ["name", "number"]


@pytest.fixture
def wire(postgresql_url: str) -> Iterator[Wire]:
    with Wire(postgresql_url) as wire:
        yield wire


@pytest.fixture
def db(wire: Wire) -> Iterator[Database]:
    db = Database.open(wire.url, connections=4)
    db.prepare()
    yield db
    free = db._driver.pool._free._value  # type: ignore[union-attr]
    db.close()
    assert free == 4, "every connection was given back, once"


@pytest.fixture
def add(db: Database) -> Statement:
    return db.statement(sa.insert(system.epoch).values({name: sa.bindparam(name) for name in NAMES}))


@pytest.fixture
def count(db: Database) -> Statement:
    return db.statement(sa.select(sa.func.count()).select_from(system.epoch))


def names(db: Database) -> list[str]:
    return sorted(row[0] for row in db.all(db.statement(sa.select(system.epoch.c.name))))


def test_connections_that_died_while_idle_are_replaced(
    wire: Wire, db: Database, add: Statement, count: Statement
) -> None:
    with db.read() as one, db.read() as other:
        assert one.scalar(count) == other.scalar(count) == 0
    wire.cut()
    with db.write() as write:  # goes there and back once: it could not be tried again
        write.later(add, {"name": "a", "number": 1})
    with db.read() as one, db.read() as other:
        assert one.scalar(count) == other.scalar(count) == 1
    wire.cut()
    with db.read(snapshot=True) as one, db.read(snapshot=True) as other:
        assert one.scalar(count) == other.scalar(count) == 1
    wire.cut()
    with db.write() as write:
        assert write.scalar(count) == 1
        write.run(add, {"name": "b", "number": 2})
    wire.cut()
    with db.write() as write:
        write.many(add, [{"name": name, "number": 3} for name in "cd"])
    assert names(db) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("snapshot", [False, True])
def test_a_read_is_asked_once_more_on_a_new_connection(
    wire: Wire, db: Database, add: Statement, snapshot: bool
) -> None:
    find = db.statement(sa.select(sa.bindparam("text", type_=sa.Text())))
    wire.cut_at("first")
    with db.read(snapshot=snapshot) as read:
        assert read.scalar(find, {"text": "first"}) == "first"
    wire.cut_at("second", heard=True, passed=7)
    opened = wire.opened
    with db.read(snapshot=snapshot) as read:
        assert read.scalar(find, {"text": "second"}) == "second"
    assert wire.opened == opened + 1
    wire.cut_at("fourth")
    with db.read(snapshot=snapshot) as read:
        read.scalar(find, {"text": "third"})
        if snapshot:  # what was seen before is another state than what would be seen now
            with pytest.raises(Unavailable):
                read.scalar(find, {"text": "fourth"})
        else:
            assert read.scalar(find, {"text": "fourth"}) == "fourth"


def test_a_snapshot_begins_again_where_its_beginning_is_lost(wire: Wire, db: Database, count: Statement) -> None:
    db.scalar(count)
    wire.cut_at("REPEATABLE READ")
    with db.read(snapshot=True) as read:
        assert read.scalar(count) == 0


@pytest.mark.parametrize("heard", [False, True])
def test_a_transaction_that_is_lost_before_its_end_has_done_nothing(
    wire: Wire, db: Database, add: Statement, count: Statement, heard: bool
) -> None:
    wire.cut_at("severed", heard=heard)
    with pytest.raises(Unavailable), db.write() as write:
        write.run(add, {"name": "before", "number": 1})
        write.batch([(add, {"name": "severed", "number": 2}), (add, {"name": "after", "number": 3})])
    assert names(db) == []
    wire.cut_at("severed", heard=heard)
    with pytest.raises(Unavailable), db.write() as write:
        write.scalar(count)
        write.many(add, [{"name": name, "number": 1} for name in ("a", "severed", "b")])
    assert names(db) == []


@pytest.mark.parametrize("heard", [False, True])
def test_a_transaction_whose_beginning_is_lost_is_begun_again_once(
    wire: Wire, db: Database, add: Statement, count: Statement, heard: bool
) -> None:
    wire.cut_at("severed", heard=heard)
    with db.write() as write:
        write.later(add, {"name": "severed", "number": 1})
        assert write.scalar(count) == 1
    assert names(db) == ["severed"]


@pytest.mark.parametrize("passed", [0, 1, 10, 25, 40, 55, 70])
def test_a_write_whose_end_is_unknown_is_not_told_as_done_and_not_done_again(
    wire: Wire, db: Database, add: Statement, passed: int
) -> None:
    with db.write() as write:
        write.later(add, {"name": "first", "number": 1})  # what is prepared now goes there and back once from now on
    told: list[str] = []
    wire.cut_at("severed", heard=True, passed=passed)
    with pytest.raises(Unavailable), db.write() as write:
        write.on_commit(lambda: told.append("done"))
        write.later(add, {"name": "severed", "number": 1})
    assert names(db) == ["first", "severed"], "the server had heard it"
    wire.cut_at("COMMIT", heard=True, passed=min(passed, 25))  # whose whole answer is 33 bytes long
    with pytest.raises(Unavailable), db.write() as write:
        write.on_commit(lambda: told.append("done"))
        write.run(add, {"name": "third", "number": 1})
    assert names(db) == ["first", "severed", "third"]
    wire.cut_at("COMMIT")
    with pytest.raises(Unavailable), db.write() as write:
        write.on_commit(lambda: told.append("done"))
        write.run(add, {"name": "never", "number": 1})
    assert names(db) == ["first", "severed", "third"]
    assert told == []


def test_where_undoing_is_lost_what_made_it_necessary_is_told(wire: Wire, db: Database, add: Statement) -> None:
    class Refusal(Exception):
        pass

    wire.cut_at("ROLLBACK")
    with pytest.raises(Refusal), db.write() as write:
        write.run(add, {"name": "a", "number": 1})
        raise Refusal
    wire.cut_at("ROLLBACK")
    with pytest.raises(Refusal), db.read(snapshot=True) as read:
        read.all(Statement("SELECT 1"))
        raise Refusal
    assert names(db) == []


def test_nothing_is_kept_of_a_part_whose_undoing_is_lost(wire: Wire, db: Database, add: Statement) -> None:
    wire.cut_at("ROLLBACK TO SAVEPOINT")
    with pytest.raises(Unavailable), db.write() as write:
        write.run(add, {"name": "a", "number": 1})
        with contextlib.suppress(StorageError), write.savepoint():
            write.run(add, {"name": "b", "number": 1})
            raise StorageError("of its own")
        write.run(add, {"name": "c", "number": 1})
    assert names(db) == []


def test_who_overlooks_that_a_transaction_is_lost_is_told_at_its_end(wire: Wire, db: Database, add: Statement) -> None:
    wire.cut_at("severed")
    with pytest.raises(Unavailable), db.write() as write:
        write.run(add, {"name": "a", "number": 1})
        with contextlib.suppress(Unavailable):
            write.run(add, {"name": "severed", "number": 1})
    assert names(db) == []


def test_nothing_is_done_by_itself_that_belongs_to_a_lost_transaction(wire: Wire, db: Database, add: Statement) -> None:
    wire.cut()
    with pytest.raises(Unavailable), db.write() as write:
        with wire.down(), contextlib.suppress(Unavailable):
            write.run(add, {"name": "a", "number": 1})
        with contextlib.suppress(Unavailable):
            write.run(add, {"name": "b", "number": 1})
        with contextlib.suppress(Unavailable):
            write.script("SAVEPOINT part")
    assert names(db) == []


def test_a_transaction_that_the_database_undid_is_not_told_as_done(db: Database, add: Statement) -> None:
    with pytest.raises(StorageError), db.write() as write:
        write.run(add, {"name": "a", "number": 1})
        with contextlib.suppress(UniqueViolation):
            write.run(add, {"name": "a", "number": 1})
    assert names(db) == []


@pytest.mark.parametrize("heard", [False, True])
def test_an_upload_whose_end_is_unknown_keeps_its_file_while_its_row_may_be_there(
    wire: Wire, db: Database, tmp_path: Path, heard: bool
) -> None:
    files = Files(tmp_path)
    attachments = Attachments(db, SystemClock(), files)
    wire.cut_at("COMMIT", heard=heard)
    with pytest.raises(Unavailable):
        attachments.keep("works", "report.txt", [b"all is well"], most=100, by=None)
    rows = [row[0] for row in db.all(db.statement(sa.select(system.file.c.path)))]
    stored = [path for path, _ in files.stored()]
    assert len(stored) == 1
    assert rows == (stored if heard else [])
    files.sweep(attachments.orphans(age=-1))
    assert [path for path, _ in files.stored()] == rows, "the sweep takes what has no row, and nothing else"


def test_what_is_still_in_use_when_the_database_is_closed_is_closed_when_it_comes_back(postgresql_url: str) -> None:
    db = Database.open(postgresql_url)
    with db.read() as read:
        assert read.scalar(db.statement(sa.select(sa.literal(1)))) == 1
        connection = read._connection  # type: ignore[attr-defined]
        db.close()
        assert not connection.closed
    assert connection.closed
