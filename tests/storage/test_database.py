"""Reading and writing mean the same on both databases."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

from engine.storage.database import Database
from engine.storage.errors import Conflict, LockTimeout, StatementTimeout, StorageError, UniqueViolation
from engine.storage.schema import inspect
from engine.storage.session import Write
from engine.storage.statement import Statement, among
from engine.storage.system import epoch, journal, system, user


@pytest.fixture
def add(database: Database) -> Statement:
    names = ("id", "login", "name", "active", "created_at")
    return database.statement(sa.insert(user).values({name: sa.bindparam(name) for name in names}))


def person(key: int, **more: object) -> dict[str, object]:
    return {"id": key, "login": f"u{key}", "name": f"人{key}", "active": key % 2 == 0, "created_at": 0, **more}


def logins(db: Database) -> list[str]:
    with db.read() as read:
        return read.column(db.statement(sa.select(user.c.login).order_by(user.c.id)))


def test_preparing_twice_adds_nothing(database: Database) -> None:
    with database.counter() as counter:
        database.prepare()
    assert not [text for text in counter.texts if text.startswith(("CREATE", "ALTER"))]


def test_a_new_engine_finds_its_columns_and_indexes_in_an_old_database(database: Database) -> None:
    quote = "ALTER TABLE dg_user DROP COLUMN language"
    with database.write() as write:
        write.script(quote)
        write.script("DROP INDEX dg_user_by_team")
    database.prepare()
    with database.read() as read:
        found = inspect(read, database.dialect)
    assert "language" in found.tables["dg_user"]
    assert found.has_index("dg_user", "dg_user_by_team")
    assert set(system.tables) <= set(found.tables)


def test_a_write_is_all_or_nothing(database: Database, add: Statement) -> None:
    done: list[str] = []
    with pytest.raises(ZeroDivisionError), database.write() as write:
        write.run(add, person(1))
        write.script("CREATE TABLE left_behind (id INTEGER)")
        write.on_commit(lambda: done.append("undone"))
        _ = 1 // 0
    with database.write() as write:
        write.run(add, person(2))
        write.on_commit(lambda: done.append("done"))
    assert logins(database) == ["u2"]
    assert done == ["done"]
    with database.read() as read:
        assert "left_behind" not in inspect(read, database.dialect).tables


def test_a_savepoint_is_undone_alone(database: Database, add: Statement) -> None:
    done: list[str] = []
    with database.write() as write:
        write.run(add, person(1))
        with pytest.raises(UniqueViolation), write.savepoint():
            write.run(add, person(2))
            write.on_commit(lambda: done.append("never"))
            with write.savepoint():
                write.run(add, person(3, login="u1"))
        write.run(add, person(4))
    assert logins(database) == ["u1", "u4"]
    assert done == []


def test_reading_inside_a_write_sees_what_it_wrote(database: Database, add: Statement) -> None:
    with database.write() as write:
        write.run(add, person(1))
        assert logins(database) == ["u1"]
        with pytest.raises(RuntimeError), database.write():
            pass


def test_a_snapshot_stays_as_it_was(database: Database, add: Statement) -> None:
    count = database.statement(sa.select(sa.func.count()).select_from(user))

    def from_another_thread() -> None:
        with database.write() as write:
            write.run(add, person(1))

    with database.read(snapshot=True) as read:
        before = read.scalar(count)
        thread = threading.Thread(target=from_another_thread)
        thread.start()
        thread.join()
        assert (before, read.scalar(count)) == (0, 0)
    assert database.scalar(count) == 1


def test_uniqueness_names_its_columns(database: Database, add: Statement) -> None:
    with database.write() as write:
        write.run(add, person(1))
    with pytest.raises(UniqueViolation) as caught, database.write() as write:
        write.run(add, person(2, login="u1"))
    assert (caught.value.table, caught.value.columns) == ("dg_user", ("login",))


def test_lists_are_one_parameter(database: Database, add: Statement) -> None:
    odd = ['a"b', "c\\d", "{e}", "f,g", "客户", "null", "'"]
    with database.write() as write:
        write.many(add, [person(key, login=login) for key, login in enumerate(odd)])
    by_login = database.statement(sa.select(user.c.login).where(among(user.c.login, "logins")).order_by(user.c.id))
    by_id = database.statement(sa.select(user.c.id).where(~among(user.c.id, "ids")).order_by(user.c.id))
    with database.read() as read:
        assert read.column(by_login, {"logins": odd}) == odd
        assert read.column(by_login, {"logins": ["客户", "nobody"]}) == ["客户"]
        assert read.column(by_login, {"logins": []}) == []
        assert read.column(by_id, {"ids": [0, 1, 2]}) == [3, 4, 5, 6]
        assert len(read.column(by_id, {"ids": range(100, 3000)})) == 7


def test_values_come_back_as_they_went_in(database: Database, add: Statement) -> None:
    with database.write() as write:
        write.run(add, person(1, name="𠮷 'x' %s $1", created_at=-(2**63)))
        write.run(add, person(2, created_at=2**63 - 1))
    rows = database.all(
        database.statement(sa.select(user.c.active, user.c.name, user.c.created_at).order_by(user.c.id))
    )
    assert rows == [(False, "𠮷 'x' %s $1", -(2**63)), (True, "人2", 2**63 - 1)]
    assert rows[0][0] is False
    total = database.scalar(database.statement(sa.select(sa.func.sum(user.c.id))))
    assert (total, type(total)) == (3, int)


def test_texts_are_ordered_by_code_point(database: Database, add: Statement) -> None:
    with database.write() as write:
        write.many(add, [person(key, login=login) for key, login in enumerate(["b", "B", "a", "_", "中", "é", "A"])])
    by_login = database.statement(sa.select(user.c.login).order_by(user.c.login))
    assert [row[0] for row in database.all(by_login)] == ["A", "B", "_", "a", "b", "é", "中"]


def test_values_inside_an_element_need_no_parameter(database: Database, add: Statement) -> None:
    with database.write() as write:
        write.many(add, [person(key) for key in range(5)])
    chosen = sa.select(user.c.id).where(user.c.id.in_([1, 3, 9]), user.c.active == sa.bindparam("active"))
    assert database.all(database.statement(chosen.order_by(user.c.id)), {"active": False}) == [(1,), (3,)]


def test_the_counter_sees_every_statement(database: Database, add: Statement) -> None:
    first = database.statement(sa.select(user.c.id).limit(1))
    with database.counter() as counter:
        database.one(first)
        with database.write() as write:
            write.run(add, person(1))
    assert counter.texts == [first.text, add.text]


def test_an_upsert_adds_or_changes(database: Database) -> None:
    bump = database.upsert(epoch, ["name"], {"number": epoch.c.number + 1})
    keep = database.upsert(epoch, ["name"])
    replace = database.upsert(epoch, ["name"], ["number"])
    read = database.statement(sa.select(epoch.c.number))
    for statement, expected in ((bump, 1), (bump, 2), (keep, 2), (replace, 1)):
        with database.write() as write:
            write.run(statement, {"name": "access", "number": 1})
        assert database.scalar(read) == expected


def test_a_batch_does_all_its_work(database: Database, add: Statement) -> None:
    rename = database.statement(
        sa.update(user).values(name=sa.bindparam("new")).where(user.c.id == sa.bindparam("key"))
    )
    with database.write() as write:
        write.batch([(add, person(1)), (add, person(2)), (rename, {"new": "x", "key": 2})])
        assert write.run(rename, {"new": "y", "key": 3}) == 0
    assert database.all(database.statement(sa.select(user.c.name).order_by(user.c.id))) == [("人1",), ("x",)]
    with pytest.raises(UniqueViolation), database.write() as write:
        write.batch([(add, person(3)), (add, person(1))])
    assert logins(database) == ["u1", "u2"]


def test_a_conflict_is_tried_again_as_a_whole(database: Database, add: Statement) -> None:
    tries: list[int] = []

    def work(write: Write) -> int:
        write.run(add, person(len(tries)))
        tries.append(1)
        if len(tries) < 3:
            raise Conflict
        return len(tries)

    assert database.transact(work) == 3
    assert logins(database) == ["u2"]


def test_writers_wait_for_one_another_and_none_is_lost(database: Database) -> None:
    read = database.statement(sa.select(epoch.c.number).where(epoch.c.name == "x").with_for_update())
    save = database.statement(sa.update(epoch).values(number=sa.bindparam("n")).where(epoch.c.name == "x"))
    with database.write() as write:
        write.run(database.upsert(epoch, ["name"]), {"name": "x", "number": 0})

    def count() -> None:
        for _ in range(10):
            with database.write() as write:
                write.run(save, {"n": write.scalar(read) + 1})

    threads = [threading.Thread(target=count) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.scalar(database.statement(sa.select(epoch.c.number))) == 60


@pytest.fixture
def impatient(database_url: str) -> Iterator[Database]:
    db = Database.open(database_url, lock_timeout=0.1, statement_timeout=0.5)
    db.prepare()
    yield db
    db.close()


def test_a_lock_is_not_waited_for_for_ever(impatient: Database) -> None:
    lock = impatient.statement(sa.select(epoch.c.number).with_for_update())
    with impatient.write() as write:
        write.run(impatient.upsert(epoch, ["name"]), {"name": "x", "number": 0})
    caught: list[type[BaseException]] = []

    def another() -> None:
        try:
            with impatient.write() as write:
                write.all(lock)
        except LockTimeout as error:
            caught.append(type(error))

    with impatient.write() as write:
        write.all(lock)
        thread = threading.Thread(target=another)
        thread.start()
        thread.join()
    assert caught == [LockTimeout]


def test_a_statement_does_not_run_for_ever(impatient: Database) -> None:
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000) SELECT count(*) FROM n"
    )
    with pytest.raises(StatementTimeout):
        impatient.all(Statement(endless))
    assert impatient.ready()


def test_a_question_asked_in_a_hurry_gives_up_soon(database: Database) -> None:
    count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT count(*) FROM n"
    with database.hurry(0.05):
        assert database.scalar(Statement(count.format(1_000))) == 1_000
        with pytest.raises(StatementTimeout):
            database.all(Statement(count.format(100_000_000)))
        with database.read(snapshot=True) as read, pytest.raises(StatementTimeout):
            read.all(Statement(count.format(100_000_000)))
        assert database.scalar(Statement(count.format(1_000))) == 1_000
    assert database.scalar(Statement(count.format(300_000))) == 300_000


def test_a_dead_connection_is_replaced(postgresql_url: str) -> None:
    db = Database.open(postgresql_url)
    db.prepare()
    one = db.statement(sa.select(sa.literal(1)))
    assert db.one(one) == (1,)

    def kill() -> None:
        with psycopg.connect(postgresql_url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    kill()
    assert db.one(one) == (1,)
    kill()
    with db.write() as write:
        assert write.one(one) == (1,)
    kill()
    with db.read(snapshot=True) as read:
        assert read.one(one) == (1,)
    db.close()


def test_journal_rows_are_numbered_in_order(database: Database) -> None:
    names = ("app", "entity", "record", "version", "at", "action")
    add = database.statement(sa.insert(journal).values({name: sa.bindparam(name) for name in names}))
    row = {"app": "a", "entity": "visit", "record": 1, "version": 1, "at": 0, "action": "create"}
    with database.write() as write:
        write.many(add, [row, row])
        write.run(add, row)
    numbers = [found[0] for found in database.all(database.statement(sa.select(journal.c.seq).order_by(journal.c.seq)))]
    assert numbers == [1, 2, 3]


def test_the_database_looks_at_its_data(database: Database, add: Statement) -> None:
    with database.write() as write:
        write.many(add, [person(key) for key in range(1000)])
    database.analyze()
    statistics = {
        "sqlite": "SELECT max(CAST(stat AS INTEGER)) FROM sqlite_stat1 WHERE tbl = 'dg_user'",
        "postgresql": "SELECT CAST(reltuples AS BIGINT) FROM pg_class WHERE relname = 'dg_user'",
    }
    assert database.scalar(Statement(statistics[database.dialect])) == 1000


def test_many_rows_are_written_as_they_are(database: Database, add: Statement) -> None:
    awkward = ["", "\\", "\\N", "\\.", "tab\there", "two\nlines", "return\rhere", "\\t", '{"a": "\\n"}', "𠀀", "'", '"']
    names = [*awkward, *(f"人{key}" for key in range(len(awkward), 613))]
    with database.write() as write:
        write.many(add, [])
        write.many(add, (person(key, name=name) for key, name in enumerate(names)))
    columns = (user.c.id, user.c.name, user.c.active, user.c.email)
    found = database.all(database.statement(sa.select(*columns).order_by(user.c.id)))
    assert [tuple(row) for row in found] == [(key, name, key % 2 == 0, None) for key, name in enumerate(names)]


def test_of_many_rows_none_is_written_when_one_cannot_be(database: Database, add: Statement) -> None:
    rows = [person(key) for key in range(600)]
    with pytest.raises(UniqueViolation) as violated, database.write() as write:
        write.many(add, [*rows, person(700, login="u3")])
    assert (violated.value.table, tuple(violated.value.columns)) == ("dg_user", ("login",))
    assert logins(database) == []
    with database.write() as write, pytest.raises(UniqueViolation), write.savepoint():
        write.many(add, [*rows, person(5, login="x")])
    assert logins(database) == []


def test_many_changes_are_made_in_their_order(database: Database, add: Statement) -> None:
    change = database.statement(
        sa.update(user)
        .where(user.c.id == sa.bindparam("key"))
        .values(name=sa.bindparam("new"), active=sa.bindparam("on"))
    )
    with database.write() as write:
        write.many(add, (person(key) for key in range(130)))
        write.many(change, [{"key": key, "new": f"新\t{key}", "on": True} for key in range(120)])
        write.many(change, [{"key": 5, "new": f"{turn}", "on": False} for turn in range(60)])
    found = database.all(database.statement(sa.select(user.c.name, user.c.active).order_by(user.c.id)))
    expected = [(f"新\t{key}", True) for key in range(120)] + [(f"人{key}", key % 2 == 0) for key in range(120, 130)]
    expected[5] = ("59", False)
    assert [tuple(row) for row in found] == expected


def test_a_server_that_dies_under_a_transaction_hides_nothing_of_what_ended_it(postgresql_url: str) -> None:
    class Refusal(Exception):
        pass

    db = Database.open(postgresql_url)
    db.prepare()

    def die() -> None:
        with psycopg.connect(postgresql_url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )

    try:
        with pytest.raises(Refusal), db.write() as write:
            write.scalar(db.statement(sa.select(sa.literal(1))))
            die()
            raise Refusal
        with pytest.raises(Refusal), db.read(snapshot=True) as read:
            read.scalar(db.statement(sa.select(sa.literal(1))))
            die()
            raise Refusal
        assert db.scalar(db.statement(sa.select(sa.literal(1)))) == 1
        assert db._driver.pool._free._value == 16, "every connection was given back, once"  # type: ignore[union-attr]
    finally:
        db.close()


def test_what_nobody_waits_for_is_done_in_order_and_before_the_end(database: Database, add: Statement) -> None:
    database.prepare()
    count = database.statement(sa.select(sa.func.count()).select_from(user))
    with database.write() as write:
        write.later(add, person(1))
        assert write.scalar(count) == 1
        write.later(add, person(2))
    assert database.scalar(count) == 2


def test_what_nobody_waits_for_is_undone_with_the_rest(database: Database, add: Statement) -> None:
    database.prepare()
    count = database.statement(sa.select(sa.func.count()).select_from(user))
    with pytest.raises(UniqueViolation), database.write() as write:
        write.later(add, person(1))
        write.later(add, person(1))
    assert database.scalar(count) == 0
    with database.write() as write:
        write.run(add, person(1))
    assert database.scalar(count) == 1


def test_a_text_that_would_end_in_its_middle_is_refused(database: Database, add: Statement) -> None:
    database.prepare()
    if database.dialect == "postgresql":
        with pytest.raises(StorageError), database.write() as write:
            write.run(add, {**person(1), "name": "a\0b"})
        assert database.scalar(database.statement(sa.select(sa.func.count()).select_from(user))) == 0
