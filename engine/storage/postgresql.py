"""PostgreSQL through psycopg 3: a pool of connections, one round trip for a single read.

A transaction begins with its first statement and ends together with the last ones that nobody waits for, so a small write
goes to the database and back three times.
"""

import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import errors as pg
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGresult

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
from engine.storage.postgresql_connection import Asked, Connection
from engine.storage.session import NONE, Parameters, Read, Row, Write
from engine.storage.statement import Statement

_KEY = re.compile(r"\((.+?)\)=\(")
# COPY: cells divided by tabs, rows by line breaks, and a backslash before what is neither.
_NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_ESCAPED = re.compile(r"[\\\t\n\r]").search
_LINES = 100  # sent at once, so that the server has something to do while the next ones are written


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
            "statement_timeout": 0 if statement_timeout is None else max(1, int(statement_timeout * 1000)),
            "lock_timeout": int(patience * 1000),
            "idle_in_transaction_session_timeout": 120_000,
            "timezone": "UTC",
            "client_encoding": "UTF8",
        }
        self._patience = patience
        self._free = threading.Semaphore(size)
        self._idle: list[Connection] = []
        self._shut = False

    def take(self, fresh: bool = False) -> Connection:
        """A connection that has not ended as far as one can see; a new one if `fresh`. Raises Unavailable."""
        if not self._free.acquire(timeout=self._patience):
            raise Unavailable("every connection is busy")
        try:
            while not fresh:
                try:
                    idle = self._idle.pop()
                except IndexError:
                    break
                if not idle.stale:
                    return idle
                idle.close()
            return self.connect()
        except BaseException:
            self._free.release()
            raise

    def give(self, connection: Connection) -> None:
        ended = connection.closed or connection.worn
        if ended or self._shut or connection.pgconn.transaction_status != TransactionStatus.IDLE:
            connection.close()
        else:
            self._idle.append(connection)
        self._free.release()

    def shut(self) -> None:
        """Close what is idle now, and what is still in use as soon as it comes back."""
        self._shut = True
        self.forget()

    def forget(self) -> None:
        """Close idle connections: when one has died, the server has probably restarted under all of them."""
        while self._idle:
            try:
                self._idle.pop().close()
            except IndexError:
                return

    def connect(self) -> Connection:
        """A new connection. Raises Unavailable."""
        try:
            return Connection.open(self._url, " ".join(f"-c {name}={value}" for name, value in self._options.items()))
        except psycopg.Error as error:
            raise Unavailable(str(error)) from error


def _roll_back(connection: Connection) -> None:
    """End a transaction; where the server has died meanwhile it has ended, and what made it end is to be told, not that."""
    try:
        connection.say("ROLLBACK")
    except psycopg.Error:
        connection.close()


class PostgresRead(Read):
    """Reads on one connection of the pool; with `snapshot` all of them see the same state."""

    def __init__(self, pool: _Pool, log: list[list[str]], snapshot: bool) -> None:
        self._pool = pool
        self._log = log
        self._snapshot = snapshot
        self._connection: Connection | None = None
        self._used = self._renewed = False

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
                rows = connection.rows(connection.ask(statement.text, values))
            except psycopg.Error as error:
                # A read has nothing to lose by being asked once more, unless it belongs to others that saw the same state.
                if connection.closed and not self._renewed and not (self._snapshot and self._used):
                    self._renew()
                    continue
                raise _translate(error) from error
            self._used = True
            return rows

    def _take(self) -> Connection:
        connection = self._connection = self._pool.take(fresh=self._renewed)
        if self._snapshot:
            try:
                connection.say("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            except psycopg.Error as error:
                if self._renewed or not connection.closed:
                    raise _translate(error) from error
                self._renew()
                return self._take()
        return connection

    def _renew(self) -> None:
        """Give back a connection that has died: the next one is new."""
        connection, self._connection, self._renewed = self._connection, None, True
        assert connection is not None
        self._pool.give(connection)
        self._pool.forget()


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
        self._connection: Connection | None = None
        self._unsent: list[Asked] = [("BEGIN", None)]
        if statement_timeout != driver.statement_timeout:
            self._unsent.append((f"SET LOCAL statement_timeout = {int((statement_timeout or 0) * 1000)}", None))
        self._start = len(self._unsent)
        self._begun = False

    def __enter__(self) -> Self:
        if self._driver.writing() is not None:
            raise RuntimeError("a write is open in this thread already; use its savepoint()")
        self._driver.local.write = self
        self._driver.writes.add(id(self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._driver.local.write = None
        self._driver.writes.discard(id(self))
        try:
            if kind is None:
                if (self._begun or len(self._unsent) > self._start) and self._send(
                    ("COMMIT", None)
                ).command_status == b"ROLLBACK":
                    raise StorageError("a statement had failed, so the transaction was undone")
            elif self._connection is not None and not self._connection.closed:
                _roll_back(self._connection)
        finally:
            if self._connection is not None:
                self._pool.give(self._connection)
        if kind is None:
            self._committed()

    def _send(self, *asked: Asked) -> PGresult:
        """Carry out what waits to be sent, and these; what came of the last one. The first time, begin the transaction."""
        unsent, self._unsent = [*self._unsent, *asked], []
        for texts in self._log:
            texts.extend(text for text, values in unsent if values is not None)
        connection, again = self._connection, False
        if connection is None:
            if self._begun:  # nothing may be done by itself that was to be done together with what is lost
                raise Unavailable("the transaction is lost together with its connection")
            # One that has died in the pool has lost nothing yet, unless the end of the transaction is sent with its beginning.
            self._begun, again = True, ("COMMIT", None) not in unsent
            connection = self._connection = self._pool.take()
        while True:
            try:
                if len(unsent) == 1 and (values := unsent[0][1]) is not None:
                    return connection.ask(unsent[0][0], values)
                return connection.ask_all(unsent)
            except psycopg.Error as error:
                if not (again and connection.closed):
                    raise _translate(error) from error
                self._connection, again = None, False
                self._pool.give(connection)
                self._pool.forget()
                connection = self._connection = self._pool.take(fresh=True)

    def _flushed(self) -> Connection:
        """The connection, once nothing waits to be sent."""
        if self._unsent:
            self._send()
        if self._connection is None:
            raise Unavailable("the transaction is lost together with its connection")
        return self._connection

    def all(self, statement: Statement, parameters: Parameters = NONE) -> list[Row]:
        result = self._send((statement.text, statement.bind(parameters)))
        assert self._connection is not None
        return self._connection.rows(result)

    def run(self, statement: Statement, parameters: Parameters = NONE) -> int:
        return self._send((statement.text, statement.bind(parameters))).command_tuples or 0

    def later(self, statement: Statement, parameters: Parameters = NONE) -> None:
        self._unsent.append((statement.text, statement.bind(parameters)))

    def many(self, statement: Statement, rows: Iterable[Parameters]) -> None:
        values = map(statement.bind, rows)
        first = next(values, None)
        if first is None:
            return
        bound = chain((first,), values)
        connection = self._flushed()
        for texts in self._log:
            texts.append(statement.text)
        try:
            with connection.cursor() as cursor:
                if statement.into is None:
                    cursor.executemany(statement.text, bound)
                else:
                    with cursor.copy(f"COPY {statement.into} FROM STDIN") as copy:
                        while lines := [_copied(row) for row in islice(bound, _LINES)]:
                            copy.write("".join(lines))
        except psycopg.Error as error:
            raise _translate(error) from error

    def batch(self, work: Sequence[tuple[Statement, Parameters]]) -> None:
        if work:
            self._send(*((statement.text, statement.bind(parameters)) for statement, parameters in work))

    def script(self, text: str) -> None:
        connection = self._flushed()
        for texts in self._log:
            texts.append(text)
        try:
            connection.say(text)
        except psycopg.Error as error:
            raise _translate(error) from error


class PostgresDriver:
    """Connections to one PostgreSQL database."""

    dialect = "postgresql"

    def __init__(self, url: str, size: int, lock_timeout: float, statement_timeout: float | None) -> None:
        self.pool = _Pool(url, size, lock_timeout, statement_timeout)
        # Connections whose statements are short or come to nothing: setting that for one statement costs a round trip.
        self._hurried: dict[float, _Pool] = {}
        self._open_hurried = partial(_Pool, url, size, lock_timeout)
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
        if write is not None:
            return _Nested(write)
        return PostgresRead(getattr(self.local, "hurried", None) or self.pool, self.log, snapshot)

    @contextmanager
    def hurry(self, seconds: float) -> Iterator[None]:
        """Let the statements of this thread's reads run for so long at most."""
        pool = self._hurried.get(seconds)
        if pool is None:
            pool = self._hurried.setdefault(seconds, self._open_hurried(seconds))
        before = getattr(self.local, "hurried", None)
        self.local.hurried = pool
        try:
            yield
        finally:
            self.local.hurried = before

    def write(self, statement_timeout: float | None) -> Write:
        return PostgresWrite(self, statement_timeout)

    def alone(self, text: str) -> None:
        """Run what refuses to run in a transaction, such as `CREATE INDEX CONCURRENTLY`, for as long as it takes."""
        for texts in self.log:
            texts.append(text)
        connection = self.pool.connect()
        try:
            connection.say("SET statement_timeout = 0")
            connection.say(text)
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
        for pool in (self.pool, *self._hurried.values()):
            pool.shut()


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
