"""Instants: stored in UTC, sent with a zone, typed and shown in a zone."""

import re
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from pydantic import Field as Key

from engine.clock import instant
from engine.columns import moment
from engine.expressions.types import DATETIME, Type
from engine.fields.base import COMPARED, DateOrder, Field, Invalid, Operator, field_types
from engine.fields.date import read_day
from engine.fields.scalars import END, READ_LIMIT, plain_text, typed
from engine.problems import Label

# RFC 3339; digits beyond the microsecond are cut off.  Years 2 to 9998 leave room for every zone.
PATTERN = (
    r"^(?!0000|0001|9999)[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])[Tt ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])" + END
)
_ISO = re.compile(PATTERN)
_NO_ZONE = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}")
_TYPED = re.compile(r"(?P<day>.*?[0-9日])\s*[Tt ]\s*(?P<hour>[0-9]{1,2})\s*[:时点]\s*(?P<minute>[0-9]{1,2})\s*分?(?:\s*:?(?P<second>[0-9]{1,2})(?:\.(?P<part>[0-9]{1,6}))?秒?)?|(?P<only>.*)")  # fmt: skip


@lru_cache(maxsize=8192)
def instant_text(stored: int) -> str:
    """In UTC. Kept, since a list repeats many: records are created and changed at one instant, imported at few."""
    return moment(stored).isoformat().replace("+00:00", "Z")


@field_types.register("datetime")
class DatetimeField(Field):
    """An instant."""

    title: ClassVar[Label] = Label("日期时间", "Date and time")
    doc: ClassVar[Label] = Label(
        "时刻;接口里必须带时区,如 2026-03-01T14:00:00+08:00。",
        "An instant; in JSON with its zone, as in 2026-03-01T14:00:00+08:00.",
    )
    example: ClassVar[str] = "{type: datetime, default: now}"
    widget: ClassVar[str] = "datetime"
    operators: ClassVar[tuple[Operator, ...]] = COMPARED

    type: Literal["datetime"] = "datetime"
    timezone: str | None = Key(None, description="The zone in which people type and see it; the app's when absent.")

    def within(self, currency: str, timezone: str) -> Field:
        return self if self.timezone else self.model_copy(update={"timezone": timezone})

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone or "UTC")

    def value_type(self) -> Type:
        return DATETIME

    def column(self) -> sa.types.TypeEngine[Any]:
        return sa.BigInteger()

    def parse(self, value: Any) -> int | None:
        if value is None:
            return None
        value = plain_text(value, READ_LIMIT)
        if len(value) <= 35 and _ISO.search(value):
            try:
                return instant(datetime.fromisoformat(value if "T" in value else value.upper()))
            except ValueError:
                pass
        elif _NO_ZONE.search(value[:40]) and not re.search(r"[Zz]|[+-][0-9]{2}:?[0-9]{2}$", value[10:40]):
            raise Invalid("datetime-zone-missing", value=value[:40])
        raise Invalid("datetime-unreadable", value=value[:40])

    def read(self, text: str, dates: DateOrder = "ymd") -> int | None:
        """Without a zone, the field's is meant; without a time, the beginning of the day."""
        plain = typed(text)
        if not plain:
            return None
        if _ISO.search(plain):
            return self.parse(plain)
        found = _TYPED.fullmatch(plain)
        try:
            if found and found["hour"]:
                clock = (
                    int(found["hour"]),
                    int(found["minute"]),
                    int(found["second"] or 0),
                    int((found["part"] or "0").ljust(6, "0")),
                )
                number = read_day(found["day"], dates)
            else:
                clock, number = (0, 0, 0, 0), read_day(plain, dates)
            assert number is not None
            at = moment(number * 86_400_000_000)
            return instant(datetime(at.year, at.month, at.day, *clock, tzinfo=self.zone))
        except (Invalid, ValueError, OverflowError):
            raise Invalid("datetime-unreadable", value=plain[:40]) from None

    def to_json(self, stored: int | None) -> str | None:
        return None if stored is None else instant_text(stored)

    def json_code(self, stored: str) -> tuple[str, dict[str, Any]] | None:
        return f"instant_text({stored})", {"instant_text": instant_text}

    def show(self, stored: int | None, language: str = "zh") -> str:
        """In the field's zone, to the minute unless there are seconds."""
        if stored is None:
            return ""
        local = moment(stored).astimezone(self.zone).replace(tzinfo=None)
        return local.isoformat(" ", "minutes" if local.second == local.microsecond == 0 else "auto")

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time", "pattern": PATTERN}

    @property
    def dynamic_default(self) -> str | None:
        return "now" if self.default == "now" else None

    def faults(self) -> Iterator[tuple[str, Invalid]]:
        if self.timezone is not None:
            try:
                ZoneInfo(self.timezone)
            except (KeyError, ValueError, OSError):
                yield "timezone", Invalid("timezone-unknown", value=self.timezone)
                return
        yield from super().faults()
