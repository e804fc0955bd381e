"""The database: SQLite or PostgreSQL behind one small interface.

    db = Database.open("sqlite:///data/dougong.db")
    db.prepare()
    by_id = db.statement(select(user.c.name).where(user.c.id == bindparam("id")))
    with db.read() as read:
        read.scalar(by_id, {"id": 1})
    with db.write() as write:
        write.run(...)

Statements are SQLAlchemy Core elements, compiled once (`engine.storage.statement`) and run on the bare driver.  What
the two databases do differently stands in this room and nowhere else.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from time import sleep
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from engine.expressions import SQLITE_FUNCTIONS
from engine.storage.errors import Conflict
from engine.storage.session import Parameters, Read, Row, Write
from engine.storage.sqlite import SqliteDriver
from engine.storage.statement import Dialect, Statement, compile_statement

if TYPE_CHECKING:
    from engine.storage.postgresql import PostgresDriver

T = TypeVar("T")

LOCK_TIMEOUT = 10.0  # seconds to wait for somebody else's lock
STATEMENT_TIMEOUT = 30.0  # seconds a statement may run


class Counter:
    """The texts of the statements that were executed while it was watching."""

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    @property
    def count(self) -> int:
        return len(self.texts)


class Database:
    """One database, shared by all threads."""

    def __init__(
        self, driver: "SqliteDriver | PostgresDriver", dialect: Dialect, statement_timeout: float | None
    ) -> None:
        self._driver = driver
        self._statement_timeout = statement_timeout
        self.dialect = dialect

    @classmethod
    def open(
        cls,
        url: str,
        *,
        connections: int = 16,
        lock_timeout: float = LOCK_TIMEOUT,
        statement_timeout: float | None = STATEMENT_TIMEOUT,
    ) -> "Database":
        """`sqlite:///relative/path.db`, `sqlite:////absolute/path.db`, or `postgresql://user:word@host:port/name`.

        Nothing is connected yet. `connections` limits those to PostgreSQL; timeouts are seconds, None: unlimited.
        Raises ValueError for another kind of URL.
        """
        if url.startswith("sqlite:///"):
            path = url.removeprefix("sqlite:///")
            return cls(
                SqliteDriver(path, SQLITE_FUNCTIONS, lock_timeout, statement_timeout), "sqlite", statement_timeout
            )
        if url.startswith(("postgresql://", "postgres://")):
            # Its driver takes a tenth of a second to import, which SQLite need not wait for.
            from engine.storage.postgresql import PostgresDriver

            server = PostgresDriver(url, connections, lock_timeout, statement_timeout)
            return cls(server, "postgresql", statement_timeout)
        raise ValueError("the database is sqlite:///… or postgresql://…")

    def prepare(self) -> None:
        """Make the system tables, and the columns and indexes they lack. Doing it again changes nothing."""
        from engine.storage.schema import prepare

        prepare(self)

    def statement(self, element: sa.ClauseElement) -> Statement:
        """Compile `element` for this database. Costs about 200 µs: keep the result."""
        return compile_statement(element, self.dialect)

    def upsert(
        self,
        table: sa.Table,
        key: Sequence[str],
        update: Sequence[str] | Mapping[str, Any] = (),
        columns: Sequence[str] = (),
    ) -> Statement:
        """Insert a row whose parameters are named like its `columns` (all of the table's if not given).

        Where a row with the same `key` exists, set its `update` columns to the new values (or to the expressions given,
        in which the new values are `excluded(column)`); leave it alone if there is nothing to update.
        """
        kind: Any
        if self.dialect == "sqlite":
            from sqlalchemy.dialects import sqlite as kind
        else:
            from sqlalchemy.dialects import postgresql as kind
        insert: Any = kind.insert(table)
        insert = insert.values(
            {name: sa.bindparam(name, type_=table.c[name].type) for name in columns or table.c.keys()}
        )
        if not update:
            return self.statement(insert.on_conflict_do_nothing(index_elements=list(key)))
        chosen = update if isinstance(update, Mapping) else {name: insert.excluded[name] for name in update}
        return self.statement(insert.on_conflict_do_update(index_elements=list(key), set_=dict(chosen)))

    def read(self, *, snapshot: bool = False) -> Read:
        """Use in a `with` block. With `snapshot`, several statements see one state; else each sees the newest.

        Inside a write of the same thread it sees what that write has done.
        """
        return self._driver.read(snapshot)

    def write(self, *, statement_timeout: float | None = STATEMENT_TIMEOUT) -> Write:
        """A transaction, in a `with` block. Publishing gives a longer `statement_timeout` (None: none)."""
        return self._driver.write(
            self._statement_timeout if statement_timeout == STATEMENT_TIMEOUT else statement_timeout
        )

    def transact(self, work: Callable[[Write], T], attempts: int = 6) -> T:
        """`work` in a transaction; the whole of it again, after a short pause, when it met another transaction."""
        for attempt in range(attempts - 1):
            try:
                with self.write() as write:
                    return work(write)
            except Conflict:
                sleep(random.uniform(0, 0.005 * 2**attempt))
        with self.write() as write:
            return work(write)

    def all(self, statement: Statement, parameters: Parameters = {}) -> list[Row]:  # noqa: B006
        """Every row of a single read."""
        with self._driver.read(False) as read:
            return read.all(statement, parameters)

    def one(self, statement: Statement, parameters: Parameters = {}) -> Row | None:  # noqa: B006
        """The first row of a single read; None if there is none."""
        with self._driver.read(False) as read:
            return read.one(statement, parameters)

    def scalar(self, statement: Statement, parameters: Parameters = {}) -> Any:  # noqa: B006
        """The first value of a single read; None if there is no row."""
        with self._driver.read(False) as read:
            return read.scalar(statement, parameters)

    def hurry(self, seconds: float) -> AbstractContextManager[None]:
        """In this block a reading statement of this thread raises StatementTimeout after `seconds`.

        Of few different lengths: each is a small pool of connections on PostgreSQL.  Inside a write nothing is limited there.
        """
        return self._driver.hurry(seconds)

    @property
    def one_writer(self) -> bool:
        """Whether writes wait for one another in any case, so that several may as well be one transaction."""
        return self.dialect == "sqlite"

    def busy(self) -> bool:
        """Whether a write is under way in this process, so that another one may have to wait for it."""
        return self._driver.busy()

    def ready(self) -> bool:
        """Whether the database answers."""
        return self._driver.ready()

    @contextmanager
    def counter(self) -> Iterator[Counter]:
        """Watch which statements all threads execute, so that a test can say how many a request may cost."""
        texts: list[str] = []
        self._driver.log.append(texts)
        try:
            yield Counter(texts)
        finally:
            self._driver.log.remove(texts)

    def alone(self, text: str) -> None:
        """Run DDL that PostgreSQL refuses inside a transaction. On SQLite it is a transaction of its own."""
        self._driver.alone(text)

    def analyze(self) -> None:
        """Let the database look at its data, so that it chooses the right one of several indexes.

        For after many rows have come or indexes been made; on SQLite nobody else does it.
        """
        with self.write(statement_timeout=None) as write:
            if self.dialect == "sqlite":
                # A sample of each index is enough, and takes milliseconds however large the table is.
                write.script("PRAGMA analysis_limit = 1000")
            write.script("ANALYZE")

    def changes(self) -> int | None:
        """A number that differs once another connection has committed; None where the database has no cheap one."""
        return self._driver.changes()

    def close(self) -> None:
        """Close idle connections; use no other afterwards."""
        self._driver.close()
