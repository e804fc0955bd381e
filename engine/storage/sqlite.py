"""SQLite: one file, one connection a thread, one writer at a time, durable when `commit` returns.

Transactions are begun explicitly: with the driver's own bookkeeping, DDL would survive a rollback.
"""

import re
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self

from engine.storage.errors import (
    IntegrityViolation,
    LockTimeout,
    StatementTimeout,
    StorageError,
    TableMissing,
    Unavailable,
    UniqueViolation,
)
from engine.storage.session import NONE, Parameters, Read, Row, Write
from engine.storage.statement import Statement
from engine.storage.turns import Turns

_UNIQUE = re.compile(r"UNIQUE constraint failed: (?:index '(?P<index>.+)'|(?P<columns>.+))$")
_MOST_PARAMETERS = 16_000  # of one statement; SQLite takes twice as many
_GROUPS = (500, 50)  # rows of one statement; few sizes, for each is a statement to be kept
_STEPS = 100_000  # virtual machine steps between two looks at the clock: about a millisecond
_turns: "weakref.WeakValueDictionary[str, Turns]" = weakref.WeakValueDictionary()
_turns_mutex = threading.Lock()


class _Connection:
    """A thread's connection and the transaction that is open on it, if any."""

    __slots__ = ("__weakref__", "deadline", "driver", "reader", "timeout", "write")

    def __init__(self, driver: sqlite3.Connection, timeout: float | None) -> None:
        self.driver = driver
        self.timeout = timeout
        self.deadline = 0.0
        self.write: SqliteWrite | None = None
        self.reader: SqliteRead | None = None

    def late(self) -> bool:
        return self.timeout is not None and monotonic() > self.deadline


class SqliteRead(Read):
    """Reads on the thread's connection; inside a write of the same thread they see what it has written."""

    __slots__ = ("_connection", "_log", "_open", "_snapshot")

    def __init__(self, connection: _Connection, log: list[list[str]], snapshot: bool = False) -> None:
        self._connection = connection
        self._log = log
        self._snapshot = snapshot
        self._open = False

    def __enter__(self) -> Self:
        if self._snapshot and self._connection.write is None and not self._connection.driver.in_transaction:
            self._connection.driver.execute("BEGIN")
            self._open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open:
            self._open = False
            self._connection.driver.execute("COMMIT")

    def all(self, statement: Statement, parameters: Parameters = NONE) -> list[Row]:
        rows = self.raw(statement, parameters)
        return [statement.truthful(row) for row in rows] if statement.booleans else rows

    def raw(self, statement: Statement, parameters: Parameters = NONE) -> list[Row]:
        connection = self._connection
        if connection.timeout is not None:
            connection.deadline = monotonic() + connection.timeout
        if self._log:
            for texts in self._log:
                texts.append(statement.text)
        try:
            return connection.driver.execute(statement.text, statement.bind(parameters)).fetchall()
        except sqlite3.Error as error:
            raise _translate(error) from error


class SqliteWrite(Write):
    """`BEGIN IMMEDIATE` … `COMMIT`, when the writer's turn has come."""

    def __init__(
        self, connection: _Connection, turns: Turns, patience: float, log: list[list[str]], timeout: float | None
    ) -> None:
        super().__init__()
        self._connection = connection
        self._driver = connection.driver
        self._turns = turns
        self._patience = patience
        self._log = log
        self._timeout = timeout

    def __enter__(self) -> Self:
        if self._connection.write is not None:
            raise RuntimeError("a write is open in this thread already; use its savepoint()")
        if not self._turns.acquire(self._patience):
            raise LockTimeout("the writer's turn did not come")
        try:
            self._driver.execute("BEGIN IMMEDIATE")
        except BaseException as error:
            self._turns.release()
            if isinstance(error, sqlite3.Error):
                raise _translate(error) from error
            raise
        self._connection.write = self
        self._usual, self._connection.timeout = self._connection.timeout, self._timeout
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                try:
                    self._driver.execute("COMMIT")
                except sqlite3.Error as failure:
                    self._undo()
                    raise _translate(failure) from failure
            else:
                self._undo()
        finally:
            self._connection.write = None
            self._connection.timeout = self._usual
            self._turns.release()
        if kind is None:
            self._committed()

    def _undo(self) -> None:
        # A full disk has the transaction rolled back by SQLite itself.
        if self._driver.in_transaction:
            self._driver.execute("ROLLBACK")

    def _execute(self, text: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        connection = self._connection
        if connection.timeout is not None:
            connection.deadline = monotonic() + connection.timeout
        for texts in self._log:
            texts.append(text)
        try:
            return self._driver.execute(text, values)
        except sqlite3.Error as error:
            raise _translate(error) from error

    def all(self, statement: Statement, parameters: Parameters = NONE) -> list[Row]:
        cursor = self._execute(statement.text, statement.bind(parameters))
        try:
            rows = cursor.fetchall()
        except sqlite3.Error as error:
            raise _translate(error) from error
        return [statement.truthful(row) for row in rows] if statement.booleans else rows

    def run(self, statement: Statement, parameters: Parameters = NONE) -> int:
        count = self._execute(statement.text, statement.bind(parameters)).rowcount
        # The driver counts only for texts that begin with the verb, not for those that begin with WITH.
        return count if count >= 0 else int(self._driver.execute("SELECT changes()").fetchone()[0])

    def many(self, statement: Statement, rows: Iterable[Parameters]) -> None:
        bound = list(map(statement.bind, rows))
        if not bound:
            return
        if self._connection.timeout is not None:
            self._connection.deadline = monotonic() + self._connection.timeout
        for texts in self._log:
            texts.append(statement.text)
        try:
            if statement.around is not None and (statement.into or len({row[-1] for row in bound}) == len(bound)):
                bound = self._together(statement.around, len(statement.names), bound)
            self._driver.executemany(statement.text, bound)
        except sqlite3.Error as error:
            raise _translate(error) from error

    def _together(self, around: tuple[str, str], width: int, rows: list[Sequence[Any]]) -> list[Sequence[Any]]:
        """Insert or update as many of `rows` as fill whole statements of many rows; those that are left."""
        # The full-text index writes what it has gathered to its pages with each statement that a trigger runs in: for a
        # statement a row that costs three times what all the rest of saving it does.
        row = f"({', '.join('?' * width)})"
        start = 0
        for most in _GROUPS:
            size = min(most, _MOST_PARAMETERS // width)
            if len(rows) - start < size:
                continue
            text = ", ".join([row] * size).join(around)
            while len(rows) - start >= size:
                self._driver.execute(text, list(chain.from_iterable(rows[start : start + size])))
                start += size
        return rows[start:]

    def batch(self, work: Sequence[tuple[Statement, Parameters]]) -> None:
        for statement, parameters in work:
            self._execute(statement.text, statement.bind(parameters))

    def script(self, text: str) -> None:
        self._execute(text)


class SqliteDriver:
    """Connections to one database file."""

    dialect = "sqlite"

    def __init__(
        self, path: str, functions: dict[str, tuple[int, Any]], lock_timeout: float, statement_timeout: float | None
    ) -> None:
        self.path = str(Path(path).absolute())
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        self._functions = functions
        self._patience = lock_timeout
        self._timeout = statement_timeout
        self._local = threading.local()
        self._all: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self._mutex = threading.Lock()
        self._watching = threading.Lock()
        self._watcher: sqlite3.Connection | None = None
        self.log: list[list[str]] = []
        with _turns_mutex:
            self._turns = _turns.setdefault(self.path, Turns())

    def read(self, snapshot: bool) -> Read:
        try:
            connection: _Connection = self._local.connection
        except AttributeError:
            connection = self._connect()
        if connection.write is not None:
            return SqliteRead(connection, self.log)
        if snapshot:
            return SqliteRead(connection, self.log, True)
        if connection.reader is None:
            connection.reader = SqliteRead(connection, self.log)
        return connection.reader

    def write(self, statement_timeout: float | None) -> Write:
        try:
            connection: _Connection = self._local.connection
        except AttributeError:
            connection = self._connect()
        return SqliteWrite(connection, self._turns, self._patience, self.log, statement_timeout)

    @contextmanager
    def hurry(self, seconds: float) -> Iterator[None]:
        """Let the statements of this thread run for so long at most; short ones are not interrupted in any case."""
        self.read(False)
        connection: _Connection = self._local.connection
        usual, connection.timeout = connection.timeout, seconds
        try:
            yield
        finally:
            connection.timeout = usual

    def busy(self) -> bool:
        """Whether a writer has the turn."""
        return self._turns.held

    def alone(self, text: str) -> None:
        """Run one statement of text as a transaction of its own, for as long as it takes."""
        with self.write(None) as write:
            write.script(text)

    def ready(self) -> bool:
        """Whether the file can be read."""
        try:
            self.read(False).all(Statement("SELECT count(*) FROM sqlite_master"))
        except StorageError:
            return False
        return True

    def changes(self) -> int:
        """A number that differs after anybody has committed, in this process or another."""
        # A connection does not count its own commits, so this one makes none.
        with self._watching:
            if self._watcher is None:
                self._watcher = self._open()
            return int(self._watcher.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Close every connection. No thread may be using one."""
        with self._mutex:
            for connection in list(self._all):
                connection.reader = None
                connection.driver.close()
            self._all.clear()
            if self._watcher is not None:
                self._watcher.close()
                self._watcher = None
            self._local = threading.local()

    def _open(self) -> sqlite3.Connection:
        try:
            driver = sqlite3.connect(
                self.path, timeout=self._patience, isolation_level=None, check_same_thread=False, cached_statements=1000
            )
            for setting in (
                "journal_mode = WAL",
                "synchronous = FULL",
                "foreign_keys = ON",
                "cache_size = -8000",
                "temp_store = MEMORY",
                "journal_size_limit = 67108864",
            ):
                driver.execute(f"PRAGMA {setting}").fetchall()
        except sqlite3.Error as error:
            raise _translate(error) from error
        for name, (count, function) in self._functions.items():
            driver.create_function(name, count, function, deterministic=True)
        return driver

    def _connect(self) -> _Connection:
        driver = self._open()
        connection = _Connection(driver, self._timeout)
        late = weakref.WeakMethod(connection.late)
        driver.set_progress_handler(lambda: bool((look := late()) and look()), _STEPS)
        self._local.connection = connection
        with self._mutex:
            self._all.add(connection)
        return connection


def _translate(error: sqlite3.Error) -> StorageError:
    text = str(error)
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if code is not None else None
    if found := _UNIQUE.search(text):
        if found["index"]:
            return UniqueViolation("", (), found["index"])
        pairs = [name.split(".", 1) for name in found["columns"].split(", ")]
        return UniqueViolation(pairs[0][0], tuple(pair[-1] for pair in pairs))
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LockTimeout(text)
    if primary == sqlite3.SQLITE_INTERRUPT:
        return StatementTimeout(text)
    if primary in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
        return Unavailable(text)
    if primary == sqlite3.SQLITE_CONSTRAINT:
        return IntegrityViolation(text)
    return TableMissing(text) if text.startswith("no such table") else StorageError(text)
