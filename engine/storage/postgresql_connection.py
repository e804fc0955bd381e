"""A connection to PostgreSQL: every statement is prepared once, and several go there and back together.

What a short statement costs this process is not the database's work but the driver's: finding how each value is written,
a cursor, waiting in small steps.  Statements of the engine are texts that say the types of their parameters, and values
are integers and texts, so they are sent as they stand through libpq, which is what psycopg itself stands on; of psycopg
remain what makes values of results, `COPY`, and whatever is rare.  See "pipeline mode" and `PQexecPrepared` in the manual
of libpq.

Whichever of its parameters are null, one text is one prepared statement, since they are sent without a type.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector, DefaultSelector
from typing import Any, Final

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, Loader, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

from engine.storage.session import Row

_PREPARED = 1000  # statements that a connection keeps
_FAILED: Final = (ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE, ExecStatus.PIPELINE_ABORTED)

# The text of a statement and its values; None where it is not worth preparing and has no values.
Asked = tuple[str, Sequence[Any] | None]


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


class Connection(psycopg.Connection[Row]):
    """One to which whole statements are said. Everything raises `psycopg.Error`."""

    _names: OrderedDict[str, bytes]
    _rows: Any  # a Transformer, which is typed for one of its two forms only
    _watched: BaseSelector
    _named = 0
    worn = False  # not to be used for another transaction

    @classmethod
    def open(cls, url: str, options: str) -> "Connection":
        """A new connection, set up as all are."""
        made = cls.connect(url, autocommit=True, connect_timeout=5, options=options, prepare_threshold=0)
        made.cursor_factory = psycopg.RawCursor
        made.prepared_max = _PREPARED
        for kind in (int, bool):
            made.adapters.register_dumper(kind, _Plain)
        made.adapters.register_dumper(str, psycopg.types.string.StrDumperUnknown)
        made.adapters.register_loader("numeric", _Whole)
        made._names = OrderedDict()
        made._rows = Transformer(made)
        made._watched = DefaultSelector()
        made._watched.register(made.pgconn.socket, EVENT_READ)
        return made

    @property
    def stale(self) -> bool:
        """Whether an idle connection has ended: what a server says while nobody asks is that it goes."""
        return self.closed or bool(self._watched.select(0))

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """What cannot even be asked ends the connection: nobody knows what is still under way."""
        try:
            yield
        except BaseException:
            self.close()
            raise

    def ask(self, text: str, values: Sequence[Any]) -> PGresult:
        """Carry out one statement."""
        written: list[Any] = [_written(value) for value in values]
        name = self._name_of(text)
        with self._ending():
            result = self.pgconn.exec_prepared(name, written)
        if result.status in _FAILED:
            raise self._error(result)
        return result

    def say(self, text: str) -> None:
        """Carry out a statement that has neither parameters nor rows."""
        with self._ending():
            result = self.pgconn.exec_(text.encode())
        if result.status in _FAILED:
            raise self._error(result)
        # What was prepared may rest on what is gone now. psycopg watches for that, too, but knows only its own.
        self.worn |= (result.command_status or b"").startswith((b"ALTER", b"DROP"))

    def ask_all(self, asked: Iterable[Asked]) -> PGresult:
        """Carry out several statements in one round trip; what came of the last one. After one that fails none is done."""
        sent: list[tuple[bytes, Any]] = []
        for text, values in asked:
            if values is None:
                sent.append((text.encode(), None))
            else:
                sent.append((self._name_of(text), [_written(value) for value in values]))
        pgconn = self.pgconn
        with self._ending():
            pgconn.enter_pipeline_mode()
            for name, given in sent:
                if given is None:
                    pgconn.send_query_params(name, None)
                else:
                    pgconn.send_query_prepared(name, given)
            pgconn.pipeline_sync()
            results = self._results()
        failed = next((each for each in results if each.status in _FAILED), None)
        if failed is not None:
            raise self._error(failed)
        return results[-1]

    def rows(self, result: PGresult) -> list[Row]:
        """The rows of a result."""
        if not result.ntuples:
            return []
        self._rows.set_pgresult(result)
        found: list[Row] = self._rows.load_rows(0, result.ntuples, tuple)
        return found

    def _results(self) -> list[PGresult]:
        """One of each statement of the pipeline, which ends with them."""
        pgconn = self.pgconn
        found: list[PGresult] = []
        while pgconn.flush():
            self._watched.modify(pgconn.socket, EVENT_READ | EVENT_WRITE)
            self._watched.select()
            self._watched.modify(pgconn.socket, EVENT_READ)
            pgconn.consume_input()
        while True:
            while pgconn.is_busy():  # to get a result that is not there yet would keep all other threads waiting, too
                self._watched.select()
                pgconn.consume_input()
            result = pgconn.get_result()
            if result is None:
                if self.closed:  # what came of the first statements says nothing of the last one
                    raise psycopg.OperationalError("the connection is lost")
                continue
            if result.status == ExecStatus.PIPELINE_SYNC:
                pgconn.exit_pipeline_mode()
                return found
            found.append(result)

    def _name_of(self, text: str) -> bytes:
        """The name under which the server knows a statement."""
        name = self._names.get(text)
        if name is not None:
            self._names.move_to_end(text)
            return name
        if len(self._names) >= _PREPARED:
            with self._ending():
                self.pgconn.exec_(b"DEALLOCATE " + self._names.popitem(last=False)[1])
        self._named += 1
        name = b"dg_%d" % self._named
        with self._ending():
            result = self.pgconn.prepare(name, text.encode())
        if result.status in _FAILED:
            raise self._error(result)
        self._names[text] = name
        return name

    def _error(self, result: PGresult) -> psycopg.Error:
        # What the server itself says has a code; without one it is the connection that has broken.
        if self.closed or result.error_field(DiagnosticField.SQLSTATE) is None:
            told = result.error_message.decode(errors="replace")
            self.pgconn.finish()  # so that it is known for dead, and another is taken
            return psycopg.OperationalError(told)
        return error_from_result(result)


def _written(value: Any) -> bytes | None:
    """A value as text: those of statements are integers, truth values and texts. Raises psycopg.DataError for others."""
    if value is None:
        return None
    if type(value) is str:
        if "\0" in value:  # where it stands, the text would end
            raise psycopg.DataError("PostgreSQL text fields cannot contain NUL")
        return value.encode()
    if isinstance(value, (int, Decimal)):
        return str(value).encode()
    raise psycopg.DataError(f"no parameter is a {type(value).__name__}")
