"""From the cell of a table to the stored value of a field.

A text is read as if somebody had typed it.  What a spreadsheet holds as a number, a date or a boolean already says what it
is, and is taken as that: 0.125 in a cell shown as 12.5% is the ratio 0.125.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import orjson

from engine.clock import instant
from engine.columns import days
from engine.fields import Field, Invalid
from engine.fields.address import AddressField
from engine.fields.base import DateOrder
from engine.fields.boolean import BooleanField
from engine.fields.choice import fold
from engine.fields.date import DateField
from engine.fields.datetime import DatetimeField
from engine.fields.duration import DurationField
from engine.fields.formula import Following
from engine.fields.location import LocationField
from engine.fields.number import Numeric
from engine.fields.scalars import exact, read_number

Reader = Callable[[Any], Any]
_MOST_SEEN = 4096
_SHORT = 40  # characters; longer texts hardly occur twice
_DAY = timedelta(days=1)


def reader(
    field: Field, values: Mapping[str, Any], dates: DateOrder, default: Any, times: Decimal | None = None
) -> Reader:
    """What turns a cell into a stored value. It raises Invalid."""
    if isinstance(field, Following):
        field = field.kept
    known = {fold(text): literal(field, value, dates) for text, value in values.items()}
    empty = literal(field, default, dates)
    read = field.read
    seen: dict[Any, Any] = {}  # what short texts have been found to say, for most columns say the same things again
    structured = isinstance(field, (AddressField, LocationField))

    def of_cell(cell: Any) -> Any:
        if cell == "" or cell is None:
            return empty
        if known:
            word = fold(as_text(cell))
            if word in known:
                return known[word]
        if times is not None:
            cell = exact(cell) if not isinstance(cell, str) else read_number(cell)
            return empty if cell is None else field.parse(cell * times)
        if type(cell) is str:
            found = read(cell, dates) if not structured or cell[:1] != "{" else _of_json(field, cell)
            return empty if found is None else found
        return _of_spreadsheet(field, cell, dates)

    def remembered(cell: Any) -> Any:
        if type(cell) is not str or len(cell) > _SHORT:
            return of_cell(cell)
        found = seen.get(cell, seen)
        if found is not seen:
            return found
        found = of_cell(cell)
        # A column that has said so many different things goes on to.
        if len(seen) < _MOST_SEEN:
            seen[cell] = found
        return found

    return remembered


def _of_json(field: Field, cell: str) -> Any:
    """An export writes what no text says exactly as JSON."""
    try:
        return field.parse(orjson.loads(cell))
    except orjson.JSONDecodeError:
        return field.read(cell)


def literal(field: Field, value: Any, dates: DateOrder = "ymd") -> Any:
    """The stored value of one that a definition or mapping holds: what people write, or a JSON value. Raises Invalid."""
    if not isinstance(value, str):
        return field.parse(value)
    try:
        return field.read(value, dates)
    except Invalid:
        return field.parse(value)


def _of_spreadsheet(field: Field, cell: Any, dates: DateOrder) -> Any:
    if isinstance(field, Numeric) and isinstance(cell, (int, float)) and not isinstance(cell, bool):
        # A spreadsheet counts in binary: 0.1 + 0.2 is shown as 0.3, and meant.
        return field.parse(float(f"{cell:.15g}") if isinstance(cell, float) else cell)
    if isinstance(field, BooleanField) and isinstance(cell, bool):
        return cell
    if isinstance(field, DateField) and isinstance(cell, date):
        return days(cell.date() if isinstance(cell, datetime) else cell)
    if isinstance(field, DatetimeField) and isinstance(cell, date):
        moment = cell if isinstance(cell, datetime) else datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001
        return instant(moment.replace(tzinfo=field.zone))
    if isinstance(field, DurationField) and isinstance(cell, (timedelta, time)):
        length = (
            cell
            if isinstance(cell, timedelta)
            else timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second)
        )
        return length // timedelta(microseconds=1)
    return field.read(as_text(cell), dates)


def as_text(cell: Any) -> str:
    """A cell as the text that people see: 13800000000.0 is a telephone number."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e18 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if not (cell.hour or cell.minute or cell.second) else cell.isoformat(" ")
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    return str(cell)


__all__ = ["Invalid", "Reader", "as_text", "literal", "reader"]
