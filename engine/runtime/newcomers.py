"""Records that are to be made in a batch, and what became of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.problems import Problem

CHUNK = 500  # rows that are written together


@dataclass(frozen=True, slots=True)
class Visit:
    """A stage that a record had reached at some time (microseconds), and how."""

    stage: str
    at: int
    transition: str | None = None
    direction: str = "start"
    reason: str | None = None


@dataclass(slots=True)
class New:
    """A record to be made: stored values by field, where it begins, since when (microseconds), and what is wrong already.

    For records that have a past: `by` is who made it at the time `at`, and the journal says so; `way` gives, once its
    process is known, the stages it has been through, the first being the start.
    """

    values: dict[str, Any]
    pipeline: str | None = None
    stage: str | None = None
    at: int | None = None
    problems: list[Problem] = field(default_factory=list)
    by: int | None = None
    way: Callable[[str], Sequence[Visit]] | None = None
    visits: Sequence[Visit] = ()


@dataclass(slots=True)
class Made:
    """What became of a row. `id` is None when it was refused; then `problems` say why. `values` are those stored."""

    id: int | None = None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)


def chunks(rows: Iterable[Any], size: int = CHUNK) -> Iterable[list[Any]]:
    """Lists of at most `size`, as they come."""
    some: list[Any] = []
    for row in rows:
        some.append(row)
        if len(some) >= size:
            yield some
            some = []
    if some:
        yield some
