"""Running numbers made from a template: `L{yyyy}{mm}-{seq:5}` gives L202603-00042.

The counter belongs to everything in the number besides the count: with `{yyyy}{mm}` it restarts every month, and no two
numbers can be alike, because two counters never share what stands around the count.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, ClassVar, Literal

from pydantic import Field as Key

from engine.fields.base import Invalid, field_types
from engine.fields.text import INDEXED, TextLike
from engine.problems import Label

_TOKEN = re.compile(r"\{([^{}]*)\}")
_SEQ = re.compile(r"seq(?::([1-9]|1[0-2]))?")
_DATES = {"yyyy": "%Y", "yy": "%y", "mm": "%m", "dd": "%d"}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Frame:
    """A number without its count. `period` names the counter from which the count is taken."""

    before: str
    after: str
    width: int

    @property
    def period(self) -> str:
        return f"{self.before}#{self.after}"

    def number(self, count: int) -> str:
        return f"{self.before}{count:0{self.width}d}{self.after}"

    def count_in(self, number: str) -> int | None:
        """The count of a number of this frame; None for any other text."""
        inner = number[len(self.before) : len(number) - len(self.after)]
        fits = number.startswith(self.before) and number.endswith(self.after) and inner.isascii() and inner.isdigit()
        return int(inner) if fits and len(inner) <= 15 and self.number(int(inner)) == number else None


@field_types.register("autonumber")
class AutonumberField(TextLike):
    """A number that every record gets when it is created."""

    title: ClassVar[Label] = Label("自动编号", "Running number")
    doc: ClassVar[Label] = Label(
        "新建时自动编号;模板可用 {yyyy} {yy} {mm} {dd} {seq:5} 和 {字段}。",
        "Given on creation; the template knows {yyyy} {yy} {mm} {dd} {seq:5} and {field}.",
    )
    example: ClassVar[str] = '{type: autonumber, template: "R{yyyy}{mm}-{seq:5}"}'
    widget: ClassVar[str] = "readonly"
    computed: ClassVar[bool] = True
    longest: ClassVar[int] = INDEXED

    type: Literal["autonumber"] = "autonumber"
    template: str = Key(
        min_length=1,
        max_length=100,
        description="Text with {yyyy} {yy} {mm} {dd}, {seq:digits} once, and {field} of the record.",
    )

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The fields of the record that the template shows."""
        return tuple(
            token for token in _TOKEN.findall(self.template) if token not in _DATES and not _SEQ.fullmatch(token)
        )

    def frame(self, day: date, shown: Mapping[str, str]) -> Frame:
        """The number of a record created on `day` (local), but for the count. `shown` are the texts of `fields`."""
        before, width, after = "", 1, ""
        counted, at = False, 0
        for found in [*_TOKEN.finditer(self.template), None]:
            text = self.template[at : found.start() if found else None]
            token = found[1] if found else ""
            seq = _SEQ.fullmatch(token)
            if found and not seq:
                text += day.strftime(_DATES[token]) if token in _DATES else shown.get(token, "")[:40]
            before, after = (before, after + text) if counted else (before + text, after)
            if seq:
                counted, width = True, int(seq[1] or 1)
            at = found.end() if found else at
        return Frame(before, after, width)

    def faults(self) -> Iterator[tuple[str, Invalid]]:
        tokens = _TOKEN.findall(self.template)
        bare = _TOKEN.sub("", self.template)
        counts = sum(1 for token in tokens if _SEQ.fullmatch(token))
        if counts != 1:
            yield (
                "template",
                Invalid("number-template", why=Label("必须恰好有一个 {seq}", "it needs exactly one {seq}")),
            )
        elif "{" in bare or "}" in bare or not bare.isprintable():
            yield "template", Invalid("number-template", why=Label("括号不成对", "its braces do not pair"))
        elif any(not _NAME.fullmatch(token) for token in self.fields):
            yield "template", Invalid("number-template", why=Label("有不认识的标记", "it has an unknown token"))
        else:
            yield from super().faults()

    def json_schema(self) -> dict[str, Any]:
        return {**super().json_schema(), "readOnly": True}
