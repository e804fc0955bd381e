"""The types of the expression language, and the two interfaces through which it meets the rest of the engine.

A type says what a value is and how it is stored (see `engine.columns`), so that Python, both databases and the browser
compute with the same integers.  `Scope` tells the checker which names exist; `Tables` tells the SQL compiler where they
are stored.  The language itself knows neither entities nor databases.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

Kind = Literal[
    "number",
    "text",
    "boolean",
    "date",
    "datetime",
    "duration",
    "choice",
    "choices",
    "record",
    "records",
    "files",
    "json",
    "null",
    "list",
]


@dataclass(frozen=True, slots=True)
class Type:
    """`scale`: decimal digits kept (number). `unit`: currency such as "CNY", or "percent". `options`: keys (choice, choices).

    `entity`: the target (record, records). `item`: the element type (list). A `record` is stored as the id of the target.
    A number without a unit takes the unit of whatever it meets.  A percent is a ratio: 15 % is 0.15.  A `list` is a
    collection in Python and in `Context.variables`, and a JSON array as a bound parameter in SQL (see `sql.parameters`).
    """

    kind: Kind
    nullable: bool = True
    scale: int = 0
    unit: str | None = None
    options: tuple[str, ...] | None = None
    entity: str | None = None
    item: "Type | None" = None

    def required(self) -> "Type":
        return replace(self, nullable=False) if self.nullable else self

    def optional(self) -> "Type":
        return self if self.nullable else replace(self, nullable=True)


NUMBER = Type("number")
TEXT = Type("text")
BOOLEAN = Type("boolean", nullable=False)
DATE = Type("date")
DATETIME = Type("datetime")
DURATION = Type("duration")
NULL = Type("null")
JSON = Type("json")
ANY_NUMBER = Type("number", scale=-1)  # as an expectation: any number, kept at the scale it has


class Scope(Protocol):
    """The names an expression may use."""

    def field(self, entity: str, name: str) -> Type | None:
        """The type of a field, relation or built-in of `entity`; None if there is none (or none the reader may know of)."""
        ...

    def names(self, entity: str) -> list[str]:
        """Every name `field` answers for `entity`, for "did you mean"."""
        ...

    def variable(self, name: str) -> Type | None:
        """The type of a free name that is no field: `user`, `this`, `event`."""
        ...


class Tables(Protocol):
    """Where fields are stored. `table` and `alias` are SQLAlchemy FromClauses; columns are SQLAlchemy elements."""

    def table(self, entity: str) -> Any:
        """A fresh alias of the entity's table."""
        ...

    def column(self, alias: Any, entity: str, name: str) -> Any:
        """The stored value of a field: a column, or an expression that masks it from the reader."""
        ...

    def id(self, alias: Any, entity: str) -> Any:
        """The primary key column."""
        ...

    def relation(self, entity: str, name: str) -> tuple[str, str]:
        """For a `records` field: (child entity, the child's lookup field that points back)."""
        ...

    def readable(self, alias: Any, entity: str) -> Any | None:
        """The clause a related record must satisfy to be counted or followed; None for all. Excludes deleted ones."""
        ...

    def variable(self, name: str) -> Any:
        """The bound parameter of a variable, or of its attribute (`user`, `user.teams_below`).

        Also asked for `now`, `today`, `timezone` and `calendar`; `sql.parameters` gives the values of all of them.
        """
        ...


class WorkingTime(Protocol):
    """The calendar as the language needs it; `engine.calendars` provides it. `timezone` is an IANA name.

    The language asks it about the years 2000 to 2050 only: those the tables of working time hold for SQL.
    """

    def __hash__(self) -> int: ...

    @property
    def name(self) -> str: ...

    @property
    def timezone(self) -> str: ...

    def index(self, day: int) -> int:
        """How many working days lie before `day` (days since 1970), counted from a fixed start."""
        ...

    def nth(self, index: int) -> int:
        """The working day with that index: the inverse of `index` on working days."""
        ...

    def working(self, start: int, end: int) -> int:
        """Microseconds of working time between two instants; negative when `end` comes first."""
        ...

    def add_working(self, start: int, span: int) -> int:
        """The instant a span of working time (microseconds) after `start`, or before it when negative."""
        ...

    def stretches(self, first: int | None = None, last: int | None = None) -> Iterable[tuple[int, int, int]]:
        """(since, until, working time before `since`) of all stretches of working time, an empty one at either end.

        From the day `first` to the day `last` (since 1970); of all years without them.
        """
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """What an evaluation may ask from outside the record: the instant, the calendar, and the variables' stored values."""

    now: int
    calendar: WorkingTime
    variables: Mapping[str, Any]
