"""Values that change their type: read as the old type shows them, stored as the new type keeps them.

A value that does not fit stays in the old column alone, and comes back when the old type does.  Going back writes only
what has changed since: a value that still says the same keeps its original form.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.fields import Field
from engine.publishing.changes import ConvertField
from engine.publishing.survey import sampled
from engine.storage.database import Database
from engine.storage.session import Read, Write

CHUNK = 2000


class Unfit(ValueError):
    """A value that the new type cannot hold."""


def converter(before: Field, after: Field) -> Callable[[Any], Any]:
    """What turns a stored value of one field into a stored value of another. It raises Unfit; None stays None."""
    reads: list[Callable[[Any], Any]] = [
        lambda value: after.parse(before.to_json(value)),
        lambda value: after.read(before.show(value)),
        lambda value: after.read(str(before.to_json(value))),
    ]
    if after.value_type().kind == "text":
        # People wrote what they saw, not what is stored.
        reads = reads[1:]

    def convert(value: Any) -> Any:
        if value is None:
            return None
        for read in reads:
            try:
                found = read(value)
            except (ValueError, TypeError, KeyError, ArithmeticError):
                continue
            if found is not None:
                return found
        raise Unfit(str(value))

    return convert


def is_convertible(before: Field, after: Field) -> bool:
    """Whether values can mean the same in both: ids of one entity are nothing to another, files are no text."""
    kinds = {before.value_type().kind, after.value_type().kind}
    return not kinds & {"record", "records", "files", "json"} and not before.derived and not after.derived


@dataclass(frozen=True)
class Trial:
    """How a conversion would go: how many values there are, how many do not fit, some of these as people see them."""

    filled: int
    unfit: int
    samples: tuple[str, ...]


def attempt(db: Database, read: Read, change: ConvertField) -> Trial:
    """Convert every value without storing anything."""
    convert = converter(change.before, change.after)
    filled, wrong = 0, []
    for rows in _chunks(db, read, change.table, (change.source.column, change.before)):
        for _, value in rows:
            filled += 1
            try:
                convert(value)
            except Unfit:
                wrong.append(value)
    return Trial(filled, len(wrong), sampled(change.before.show(value) for value in wrong))


def carry_out(db: Database, write: Write, change: ConvertField) -> None:
    """Fill the target column from the source column, in chunks."""
    forward, reverse = converter(change.before, change.after), converter(change.after, change.before)
    table = sa.table(
        change.table, sa.column("id", sa.BigInteger), sa.column(change.target.column, change.after.column())
    )
    target = table.c[change.target.column]
    save = db.statement(
        sa.update(table)
        .values({target: sa.bindparam("value", type_=target.type)})
        .where(table.c.id == sa.bindparam("key"))
    )
    columns = (change.source.column, change.before), (change.target.column, change.after)
    for rows in _chunks(db, write, change.table, *columns):
        changed = [
            {"key": key, "value": value}
            for key, source, standing in rows
            if (value := _merged(source, standing, forward, reverse)) != standing
        ]
        if changed:
            write.many(save, changed)


def _merged(source: Any, standing: Any, forward: Callable[[Any], Any], reverse: Callable[[Any], Any]) -> Any:
    """What the target holds afterwards, given what it has held since it was last in use."""
    try:
        said = None if standing is None else reverse(standing)
    except Unfit:
        # It never came over, so an empty source says nothing about it.
        if source is None:
            return standing
    else:
        if source is None:
            return None
        if standing is not None and said == source:
            return standing
    try:
        return forward(source)
    except Unfit:
        return None


def _chunks(db: Database, read: Read, name: str, *columns: tuple[str, Field]) -> Iterator[list[tuple[Any, ...]]]:
    """Rows (id, columns…) that have a value in one of the columns, in the order of their ids."""
    table = sa.table(
        name, sa.column("id", sa.BigInteger), *(sa.column(each, field.column()) for each, field in columns)
    )
    some = sa.or_(*(table.c[each].is_not(None) for each, _ in columns))
    statement = db.statement(
        sa.select(table.c.id, *(table.c[each] for each, _ in columns))
        .where(table.c.id > sa.bindparam("last"), some)
        .order_by(table.c.id)
        .limit(sa.literal_column(str(CHUNK)))
    )
    last = 0
    while rows := read.all(statement, {"last": last}):
        yield rows
        if len(rows) < CHUNK:
            return
        last = rows[-1][0]
