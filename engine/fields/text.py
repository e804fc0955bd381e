"""Texts of one line, and what all kinds of text share."""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field as Key

from engine.expressions.types import TEXT, Type
from engine.fields.base import MATCHED, DateOrder, Field, Invalid, Operator, field_types
from engine.fields.patterns import danger
from engine.fields.scalars import PLAIN_TEXT, plain_text, trimmed
from engine.problems import Label
from engine.shape import Text

INDEXED = 600  # PostgreSQL keeps at most about 2,700 bytes of a value in an index; a character takes up to four
_BREAKS = re.compile(r"[\t\r\n]+")


class TextLike(Field):
    """What is stored as a text."""

    operators: ClassVar[tuple[Operator, ...]] = MATCHED
    longest: ClassVar[int] = 1000

    @property
    def limit(self) -> int:
        """The greatest number of characters."""
        return self.longest

    def value_type(self) -> Type:
        return TEXT

    def column(self) -> sa.types.TypeEngine[Any]:
        return sa.Text()

    def parse(self, value: Any) -> str | None:
        if value is None:
            return None
        return trimmed(plain_text(value, self.limit))

    def read(self, text: str, dates: DateOrder = "ymd") -> str | None:
        return self.parse(text)

    def show(self, stored: str | None, language: str = "zh") -> str:
        return stored or ""

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "maxLength": self.limit, "pattern": PLAIN_TEXT}

    def filled_schema(self) -> dict[str, Any]:
        return {**self.json_schema(), "allOf": [{"pattern": r"\S"}]}

    @property
    def searchable(self) -> bool:
        """Names, numbers and addresses of people are searched unless the field says no."""
        return self.search is not False


@field_types.register("text")
class TextField(TextLike):
    """One line of text."""

    title: ClassVar[Label] = Label("文本", "Text")
    doc: ClassVar[Label] = Label(
        "一行文字,最多 max 个字;pattern 可限定格式。",
        "One line of text of at most `max` characters; `pattern` may fix its form.",
    )
    example: ClassVar[str] = "{type: text, max: 80, required: true}"

    type: Literal["text"] = "text"
    max: int = Key(1000, ge=1, le=4000, description="The greatest number of characters; 600 for fields with an index.")
    pattern: str | None = Key(
        None,
        max_length=200,
        description="A regular expression that the whole text matches; simple enough to be tested in linear time.",
    )
    say: Text | None = Key(None, description="What people read when the pattern does not match.")

    @property
    def limit(self) -> int:
        return min(self.max, INDEXED) if self.unique or self.index else self.max

    @cached_property
    def _matches(self) -> Any:
        # As JSON Schema does it: found anywhere, so the anchors are written.
        return re.compile(f"^(?:{self.pattern})$").search

    def parse(self, value: Any) -> str | None:
        if value is None:
            return None
        text = plain_text(value, self.limit)
        if self.pattern is not None and not self._matches(text):
            raise Invalid(
                "text-pattern", say=self.say or Label(f"格式应为 {self.pattern}", f"expected the form {self.pattern}")
            )
        if "\n" in text or "\t" in text or "\r" in text:
            text = _BREAKS.sub(" ", text)
        return trimmed(text)

    def read(self, text: str, dates: DateOrder = "ymd") -> str | None:
        return self.parse(text.strip() or None)

    def json_schema(self) -> dict[str, Any]:
        schema = super().json_schema()
        return schema if self.pattern is None else {**schema, "allOf": [{"pattern": f"^(?:{self.pattern})$"}]}

    def filled_schema(self) -> dict[str, Any]:
        schema = self.json_schema()
        return {**schema, "allOf": [*schema.get("allOf", ()), {"pattern": r"\S"}]}

    def faults(self) -> Iterator[tuple[str, Invalid]]:
        if self.pattern is not None:
            why = danger(self.pattern, self.max)
            if why:
                yield "pattern", Invalid("pattern-dangerous", pattern=self.pattern, why=why)
                return
        if self.say is not None and self.pattern is None:
            yield "say", Invalid("setting-idle", setting="say", needs="pattern")
        yield from super().faults()
