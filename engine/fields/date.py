"""Calendar days, without time or zone."""

import re
from datetime import date
from functools import lru_cache
from typing import Any, ClassVar, Literal

import sqlalchemy as sa

from engine.columns import day, days
from engine.expressions.types import DATE, Type
from engine.fields.base import COMPARED, DateOrder, Field, Invalid, Operator, field_types
from engine.fields.scalars import END, READ_LIMIT, plain_text, typed
from engine.problems import Label

PATTERN = r"^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])" + END
_ISO = re.compile(PATTERN)
_PARTS = re.compile(
    r"([0-9]{1,4})\s*[-/.年月]\s*([0-9]{1,2})\s*[-/.月日]\s*([0-9]{1,4})\s*日?(?:[ T]00:00(?::00(?:\.0+)?)?)?"
)
_SOLID = re.compile(r"[0-9]{8}")
_PLACES = {"ymd": (0, 1, 2), "mdy": (2, 0, 1), "dmy": (2, 1, 0)}


def parse_day(text: str) -> int:
    """Days since 1970 of `2026-03-01`. Raises Invalid."""
    if len(text) == 10 and _ISO.fullmatch(text):
        try:
            return days(date.fromisoformat(text))
        except ValueError:
            pass
    raise Invalid("date-unreadable", value=text[:40])


def read_day(text: str, dates: DateOrder = "ymd") -> int | None:
    """Days since 1970 of what a person means: `2026年3月1日`, `2026/3/1`, `20260301`; None for a blank.

    A year of four digits comes first, or last when `dates` says so: nothing is guessed.  Raises Invalid.
    """
    plain = typed(text)
    if not plain:
        return None
    if _SOLID.fullmatch(plain):
        plain = f"{plain[:4]}-{plain[4:6]}-{plain[6:]}"
    found = _PARTS.fullmatch(plain)
    if found:
        order: DateOrder = "ymd" if len(found[1]) == 4 else dates
        year, month, number = (found[place + 1] for place in _PLACES[order])
        if len(year) == 4:
            try:
                return days(date(int(year), int(month), int(number)))
            except ValueError:
                pass
    raise Invalid("date-unreadable", value=plain[:40])


@lru_cache(maxsize=8192)
def day_text(stored: int) -> str:
    return day(stored).isoformat()


@field_types.register("date")
class DateField(Field):
    """A calendar day."""

    title: ClassVar[Label] = Label("日期", "Date")
    doc: ClassVar[Label] = Label("日期,不含时间;接口里写 2026-03-01。", "A calendar day, 2026-03-01 in JSON.")
    example: ClassVar[str] = "{type: date, default: today}"
    widget: ClassVar[str] = "date"
    operators: ClassVar[tuple[Operator, ...]] = COMPARED

    type: Literal["date"] = "date"

    def value_type(self) -> Type:
        return DATE

    def column(self) -> sa.types.TypeEngine[Any]:
        return sa.Integer()

    def parse(self, value: Any) -> int | None:
        if value is None:
            return None
        value = plain_text(value, READ_LIMIT)
        return parse_day(value)

    def read(self, text: str, dates: DateOrder = "ymd") -> int | None:
        return read_day(text, dates)

    def to_json(self, stored: int | None) -> str | None:
        return None if stored is None else day_text(stored)

    def json_code(self, stored: str) -> tuple[str, dict[str, Any]] | None:
        return f"day_text({stored})", {"day_text": day_text}

    def show(self, stored: int | None, language: str = "zh") -> str:
        return self.to_json(stored) or ""

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date", "pattern": PATTERN}

    @property
    def dynamic_default(self) -> str | None:
        return "today" if self.default == "today" else None
