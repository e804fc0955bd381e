"""Spans of time: hours and days of the clock, not of the working calendar."""

import re
from typing import Any, ClassVar, Literal

import sqlalchemy as sa

from engine.expressions.types import DURATION, Type
from engine.fields.base import COMPARED, DateOrder, Field, Invalid, Operator, field_types
from engine.fields.scalars import END, READ_LIMIT, plain_text, typed
from engine.problems import Label

SECOND = 1_000_000
# ISO 8601 without years, months and weeks: days and less have one length. The bounds on digits keep the sum below 2**63.
PATTERN = (
    r"^P(?=[0-9T])(?:[0-9]{1,5}D)?(?:T(?=[0-9])(?:[0-9]{1,6}H)?(?:[0-9]{1,7}M)?(?:[0-9]{1,9}(?:\.[0-9]{1,6})?S)?)?"
    + END
)
_ISO = re.compile(PATTERN)
_PART = re.compile(r"([0-9]+)(?:\.([0-9]+))?([A-Z])")
_ISO_UNITS = {"D": 86_400, "H": 3_600, "M": 60, "S": 1}
_MOST = {"D": 99_999, "H": 999_999, "M": 9_999_999}
_TYPED = re.compile(
    r"\s*([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*(weeks?|w|周|星期|days?|d|天|日|hours?|hrs?|h|个?小时|个?钟头|时|minutes?|mins?|min|m|分钟?|seconds?|secs?|s|秒钟?)\s*"
)
_CLOCK = re.compile(r"([0-9]{1,6}):([0-5][0-9])(?::([0-5][0-9]))?")
_SHOWN = ((86_400, "天", "d"), (3_600, "小时", "h"), (60, "分钟", "min"))


def _unit(word: str) -> int:
    """Seconds of a unit as people write it."""
    if word[0] in "w周星":
        return 604_800
    if word[0] in "d天日":
        return 86_400
    if word[0] in "h个小钟时":
        return 3_600
    return 60 if word[0] in "m分" else 1


def _microseconds(number: str, seconds: int) -> int:
    whole, _, part = number.partition(".")
    return int(whole) * seconds * SECOND + int(part.ljust(6, "0") or 0) * seconds


@field_types.register("duration")
class DurationField(Field):
    """A span of time."""

    title: ClassVar[Label] = Label("时长", "Duration")
    doc: ClassVar[Label] = Label(
        "时长;可输入「2 小时 30 分钟」,接口里写 PT2H30M。", "A span of time: people type 2 h 30 min, JSON says PT2H30M."
    )
    example: ClassVar[str] = '{type: duration, default: "2 h"}'
    widget: ClassVar[str] = "duration"
    operators: ClassVar[tuple[Operator, ...]] = COMPARED

    type: Literal["duration"] = "duration"

    def value_type(self) -> Type:
        return DURATION

    def column(self) -> sa.types.TypeEngine[Any]:
        return sa.BigInteger()

    def parse(self, value: Any) -> int | None:
        if value is None:
            return None
        value = plain_text(value, READ_LIMIT)
        if len(value) > 60 or not _ISO.search(value):
            raise Invalid("duration-unreadable", value=value[:40])
        days, _, hours = value.partition("T")
        total = sum(_microseconds(f"{whole}.{part}", _ISO_UNITS[unit]) for whole, part, unit in _PART.findall(days))
        return total + sum(
            _microseconds(f"{whole}.{part}", _ISO_UNITS[unit]) for whole, part, unit in _PART.findall(hours)
        )

    def read(self, text: str, dates: DateOrder = "ymd") -> int | None:
        plain = typed(text).lower()
        if not plain:
            return None
        if plain.startswith("p"):
            return self.parse(plain.upper())
        clock = _CLOCK.fullmatch(plain)
        if clock:
            return (int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3] or 0)) * SECOND
        at, total = 0, 0
        while at < len(plain):
            found = _TYPED.match(plain, at)
            if not found:
                raise Invalid("duration-unreadable", value=plain[:40])
            total, at = total + _microseconds(found[1], _unit(found[2])), found.end()
        # The same bound as that of the ISO form.
        if total >= 100_000 * 86_400 * SECOND:
            raise Invalid("duration-unreadable", value=plain[:40])
        return total

    def to_json(self, stored: int | None) -> str | None:
        if stored is None:
            return None
        rest, parts = abs(stored), []
        for unit in "DHM":
            count = min(rest // (_ISO_UNITS[unit] * SECOND), _MOST[unit])
            rest -= count * _ISO_UNITS[unit] * SECOND
            if count:
                parts.append(f"{count}{unit}")
        if rest or not parts:
            whole, part = divmod(rest, SECOND)
            parts.append(f"{whole}{f'.{part:06d}'.rstrip('0') if part else ''}S")
        days = parts.pop(0) if parts[0].endswith("D") else ""
        return f"{'-' if stored < 0 else ''}P{days}{'T' if parts else ''}{''.join(parts)}"

    def show(self, stored: int | None, language: str = "zh") -> str:
        if stored is None:
            return ""
        rest, words = abs(stored), []
        for seconds, zh, en in _SHOWN:
            count, rest = divmod(rest, seconds * SECOND)
            if count:
                words.append(f"{count} {zh if language == 'zh' else en}")
        if rest or not words:
            whole, part = divmod(rest, SECOND)
            fraction = f".{part:06d}".rstrip("0") if part else ""
            words.append(f"{whole}{fraction} {'秒' if language == 'zh' else 's'}")
        return ("-" if stored < 0 else "") + " ".join(words)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": PATTERN}
