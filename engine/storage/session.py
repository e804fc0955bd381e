"""What one reads and writes through: the same few verbs on both databases.

A `Read` answers questions.  A `Write` is a transaction: all of it happens or none.  Parameters are mappings from names
to stored values; rows are tuples in the order of the statement's columns.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from engine.storage.statement import Statement

Parameters = Mapping[str, Any]
Row = tuple[Any, ...]
NONE: Parameters = {}


class Read(ABC):
    """Statements that return rows."""

    @abstractmethod
    def all(self, statement: Statement, parameters: Parameters = NONE) -> list[Row]:
        """Every row."""

    def raw(self, statement: Statement, parameters: Parameters = NONE) -> list[Row]:
        """Every row as the driver gives it, for whom 0 and 1 will do for the truth values of SQLite."""
        return self.all(statement, parameters)

    @abstractmethod
    def __enter__(self) -> "Read": ...

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def one(self, statement: Statement, parameters: Parameters = NONE) -> Row | None:
        """The first row; None if there is none."""
        rows = self.all(statement, parameters)
        return rows[0] if rows else None

    def scalar(self, statement: Statement, parameters: Parameters = NONE) -> Any:
        """The first column of the first row; None if there is no row."""
        rows = self.all(statement, parameters)
        return rows[0][0] if rows else None

    def dicts(self, statement: Statement, parameters: Parameters = NONE) -> list[dict[str, Any]]:
        """Every row as a mapping from column names."""
        columns = statement.columns
        return [dict(zip(columns, row, strict=True)) for row in self.all(statement, parameters)]

    def column(self, statement: Statement, parameters: Parameters = NONE) -> list[Any]:
        """The first column of every row."""
        return [row[0] for row in self.all(statement, parameters)]


class Write(Read):
    """A transaction. It commits when its `with` block ends well and is undone when the block raises."""

    def __init__(self) -> None:
        self._after: list[Callable[[], None]] = []
        self._depth = 0
        self.known: set[object] = set()  # what was found out once and stays true until the end

    @abstractmethod
    def __enter__(self) -> "Write": ...

    @abstractmethod
    def run(self, statement: Statement, parameters: Parameters = NONE) -> int:
        """Execute; how many rows were changed."""

    def later(self, statement: Statement, parameters: Parameters = NONE) -> None:
        """Execute before whatever comes next, if only the end of the transaction: no round trip of its own.

        What it raises is raised there.
        """
        self.run(statement, parameters)

    @abstractmethod
    def many(self, statement: Statement, rows: Iterable[Parameters]) -> None:
        """Execute once for each of `rows`."""

    @abstractmethod
    def batch(self, work: Sequence[tuple[Statement, Parameters]]) -> None:
        """Execute several statements whose results nobody needs, in one round trip where there are round trips."""

    @abstractmethod
    def script(self, text: str) -> None:
        """Execute one statement of text that has no parameters: DDL, PRAGMA, SET."""

    def on_commit(self, action: Callable[[], None]) -> None:
        """Call `action` once the transaction is durable. It is not called when the transaction is undone."""
        self._after.append(action)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part that is undone alone when it raises; the exception goes on."""
        self._depth += 1
        name, kept = f"part_{self._depth}", len(self._after)
        self.script(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            del self._after[kept:]
            self.script(f"ROLLBACK TO SAVEPOINT {name}")
            self.script(f"RELEASE SAVEPOINT {name}")
            raise
        else:
            self.script(f"RELEASE SAVEPOINT {name}")
        finally:
            self._depth -= 1

    def _committed(self) -> None:
        after, self._after = self._after, []
        for action in after:
            action()
