"""PostgreSQL through psycopg 3: a pool of connections, prepared statements, one round trip for a single read.

Parameters are sent without a type; the statement's casts say what they are.  So one text is one prepared statement,
whichever of its parameters are null.
"""

import re
import threading
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import chain, islice
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import errors as pg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, Loader
from psycopg.pq import TransactionStatus

from engine.storage.errors import (
    Conflict,
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

_KEY = re.compile(r"\((.+?)\)=\(")
# COPY: cells divided by tabs, rows by line breaks, and a backslash before what is neither.
_NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_ESCAPED = re.compile(r"[\\\t\n\r]").search
_LINES = 100  # sent at once, so that the server has something to do while the next ones are written


class _Plain(Dumper):
    """A number or truth value as text of no declared type."""

    oid = 0

    def dump(self, obj: Any) -> Buffer:
        return str(obj).encode()


class _Whole(Loader):
    """`numeric`: a sum of integers is an integer, as on SQLite."""

    def load(self, data: Buffer) -> int | Decimal:
        text = bytes(data).decode()
        return int(text) if text.lstrip("-").isdigit() else Decimal(text)


def _copied(row: Sequence[Any]) -> str:
    """A row as a line of COPY."""
    return "\t".join([_NULL if value is None else _cell(value) for value in row]) + "\n"


def _cell(value: Any) -> str:
    if type(value) is not str:
        return str(value)
    return value.translate(_ESCAPES) if _ESCAPED(value) else value


class _Pool:
    """Idle connections, the latest used first, and how many more may be opened."""

    def __init__(self, url: str, size: int, patience: float, statement_timeout: float | None) -> None:
        self._url = url
        self._options = {
            "statement_timeout": int((statement_timeout or 0) * 1000),
            "lock_timeout": int(patience * 1000),
            "idle_in_transaction_session_timeout": 120_000,
            "timezone": "UTC",
            "client_encoding": "UTF8",
        }
        self._patience = patience
        self._free = threading.Semaphore(size)
        self._idle: list[psycopg.Connection[Row]] = []

    def take(self) -> psycopg.Connection[Row]:
        if not self._free.acquire(timeout=self._patience):
            raise Unavailable("every connection is busy")
        try:
            return self._idle.pop()
        except IndexError:
            pass
        try:
            return self.connect()
        except BaseException:
            self._free.release()
            raise

    def give(self, connection: psycopg.Connection[Row]) -> None:
        if connection.closed or connection.pgconn.transaction_status != TransactionStatus.IDLE:
            connection.close()
        else:
            self._idle.append(connection)
        self._free.release()

    def forget(self) -> None:
        """Close idle connections: when one has died, the server has probably restarted under all of them."""
        while self._idle:
            try:
                self._idle.pop().close()
            except IndexError:
                return

    def connect(self) -> psycopg.Connection[Row]:
        """A new connection, set up as all are. Raises Unavailable."""
        settings = " ".join(f"-c {name}={value}" for name, value in self._options.items())
        try:
            connection: psycopg.Connection[Row] = psycopg.connect(
                self._url, autocommit=True, connect_timeout=5, options=settings, prepare_threshold=0
            )
        except psycopg.OperationalError as error:
            raise Unavailable(str(error)) from error
        connection.cursor_factory = psycopg.RawCursor
        connection.prepared_max = 1000
        for kind in (int, bool):
            connection.adapters.register_dumper(kind, _Plain)
        connection.adapters.register_dumper(str, psycopg.types.string.StrDumperUnknown)
        connection.adapters.register_loader("numeric", _Whole)
        return connection


def _roll_back(connection: psycopg.Connection[Row]) -> None:
    """End a transaction; where the server has died meanwhile it has ended, and what made it end is to be told, not that."""
    try:
        connection.execute("ROLLBACK", prepare=False)
    except psycopg.Error:
        connection.close()


class PostgresRead(Read):
    """Reads on one connection of the pool; with `snapshot` all of them see the same state."""

    def __init__(self, pool: _Pool, log: list[list[str]], snapshot: bool) -> None:
        self._pool = pool
        self._log = log
        self._snapshot = snapshot
        self._connection: psycopg.Connection[Row] | None = None
        self._used = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            if self._snapshot and not connection.closed:
                _roll_back(connection)
            self._pool.give(connection)

    def all(self, statement: Statement, parameters: Parameters = NONE) -> list[Row]:
        for texts in self._log:
            texts.append(statement.text)
        values = statement.bind(parameters)
        while True:
            connection = self._connection or self._take()
            try:
                rows = connection.execute(statement.text, values).fetchall()
            except psycopg.Error as error:
                # The connection may have died in the pool; the first read has nothing to lose by asking another one.
                if connection.closed and not self._used:
                    self._pool.give(connection)
                    self._pool.forget()
                    self._connection = None
                    self._used = True
                    continue
                raise _translate(error) from error
            self._used = True
            return rows

    def _take(self) -> psycopg.Connection[Row]:
        connection = self._pool.take()
        self._connection = connection
        if self._snapshot:
            try:
                connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            except psycopg.Error:
                self._connection = None
                self._pool.give(connection)
                self._pool.forget()
                connection = self._connection = self._pool.take()
                try:
                    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                except psycopg.Error as error:
                    raise _translate(error) from error
        return connection


class _Nested(Read):
    """Reads inside the write that the same thread has open."""

    def __init__(self, write: "PostgresWrite") -> None:
        self._write = write

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def all(self, statement: Statement, parameters: Parameters = NONE) -> list[Row]:
        return self._write.all(statement, parameters)


class PostgresWrite(Write):
    """A READ COMMITTED transaction; rows are locked explicitly (`with_for_update`) or by writing them."""

    def __init__(self, driver: "PostgresDriver", statement_timeout: float | None) -> None:
        super().__init__()
        self._driver = driver
        self._pool = driver.pool
        self._log = driver.log
        self._timeout = statement_timeout

    def __enter__(self) -> Self:
        if self._driver.writing() is not None:
            raise RuntimeError("a write is open in this thread already; use its savepoint()")
        self._connection = self._begin()
        self._driver.local.write = self
        self._driver.writes.add(id(self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._driver.local.write = None
        self._driver.writes.discard(id(self))
        connection = self._connection
        try:
            if kind is None:
                try:
                    connection.execute("COMMIT", prepare=False)
                except psycopg.Error as failure:
                    raise _translate(failure) from failure
            elif not connection.closed:
                _roll_back(connection)
        finally:
            self._pool.give(connection)
        if kind is None:
            self._committed()

    def _begin(self) -> psycopg.Connection[Row]:
        start = "BEGIN"
        if self._timeout != self._driver.statement_timeout:
            start += f"; SET LOCAL statement_timeout = {int((self._timeout or 0) * 1000)}"
        for attempt in (0, 1):
            connection = self._pool.take()
            try:
                connection.execute(start, prepare=False)
            except psycopg.Error as error:
                self._pool.give(connection)
                self._pool.forget()
                if attempt:
                    raise _translate(error) from error
            else:
                return connection
        raise AssertionError("not reached")

    def _execute(self, text: str, values: Sequence[Any] | None) -> psycopg.Cursor[Row]:
        for texts in self._log:
            texts.append(text)
        try:
            return self._connection.execute(text, values)
        except psycopg.Error as error:
            raise _translate(error) from error

    def all(self, statement: Statement, parameters: Parameters = NONE) -> list[Row]:
        return self._execute(statement.text, statement.bind(parameters)).fetchall()

    def run(self, statement: Statement, parameters: Parameters = NONE) -> int:
        return self._execute(statement.text, statement.bind(parameters)).rowcount

    def many(self, statement: Statement, rows: Iterable[Parameters]) -> None:
        values = map(statement.bind, rows)
        first = next(values, None)
        if first is None:
            return
        bound = chain((first,), values)
        for texts in self._log:
            texts.append(statement.text)
        try:
            with self._connection.cursor() as cursor:
                if statement.into is None:
                    cursor.executemany(statement.text, bound)
                else:
                    with cursor.copy(f"COPY {statement.into} FROM STDIN") as copy:
                        while lines := [_copied(row) for row in islice(bound, _LINES)]:
                            copy.write("".join(lines))
        except psycopg.Error as error:
            raise _translate(error) from error

    def batch(self, work: Sequence[tuple[Statement, Parameters]]) -> None:
        for texts in self._log:
            texts.extend(statement.text for statement, _ in work)
        try:
            with self._connection.pipeline():
                for statement, parameters in work:
                    self._connection.execute(statement.text, statement.bind(parameters))
        except psycopg.Error as error:
            raise _translate(error) from error

    def script(self, text: str) -> None:
        for texts in self._log:
            texts.append(text)
        try:
            self._connection.execute(text, prepare=False)
        except psycopg.Error as error:
            raise _translate(error) from error


class PostgresDriver:
    """Connections to one PostgreSQL database."""

    dialect = "postgresql"

    def __init__(self, url: str, size: int, lock_timeout: float, statement_timeout: float | None) -> None:
        self.pool = _Pool(url, size, lock_timeout, statement_timeout)
        self.statement_timeout = statement_timeout
        self.local = threading.local()
        self.writes: set[int] = set()
        self.log: list[list[str]] = []

    def busy(self) -> bool:
        """Whether a thread of this process has a write open, and so may hold locks."""
        return bool(self.writes)

    def writing(self) -> PostgresWrite | None:
        """The write that this thread has open."""
        return getattr(self.local, "write", None)

    def read(self, snapshot: bool) -> Read:
        write = self.writing()
        return PostgresRead(self.pool, self.log, snapshot) if write is None else _Nested(write)

    def write(self, statement_timeout: float | None) -> Write:
        return PostgresWrite(self, statement_timeout)

    def alone(self, text: str) -> None:
        """Run what refuses to run in a transaction, such as `CREATE INDEX CONCURRENTLY`, for as long as it takes."""
        for texts in self.log:
            texts.append(text)
        connection = self.pool.connect()
        try:
            connection.execute("SET statement_timeout = 0", prepare=False)
            connection.execute(text, prepare=False)
        except psycopg.Error as error:
            raise _translate(error) from error
        finally:
            connection.close()

    def changes(self) -> int | None:
        """None: there is no such number that costs less than reading the epochs."""
        return None

    def ready(self) -> bool:
        """Whether the server answers."""
        try:
            with self.read(False) as read:
                read.all(Statement("SELECT 1"))
        except StorageError:
            return False
        return True

    def close(self) -> None:
        self.pool.forget()


def _translate(error: psycopg.Error) -> StorageError:
    text = str(error)
    if isinstance(error, pg.UniqueViolation):
        found = _KEY.search(error.diag.message_detail or "")
        columns = tuple(name.strip(' "') for name in found[1].split(",")) if found else ()
        return UniqueViolation(error.diag.table_name or "", columns, error.diag.constraint_name)
    if isinstance(error, (pg.SerializationFailure, pg.DeadlockDetected)):
        return Conflict(text)
    if isinstance(error, pg.LockNotAvailable):
        return LockTimeout(text)
    if isinstance(error, pg.UndefinedTable):
        return TableMissing(text)
    if isinstance(error, pg.QueryCanceled):
        return StatementTimeout(text)
    if isinstance(error, (pg.DiskFull, pg.OutOfMemory, pg.TooManyConnections)):
        return Unavailable(text)
    if isinstance(error, psycopg.IntegrityError):
        return IntegrityViolation(text)
    if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        return Unavailable(text)
    return StorageError(text)
