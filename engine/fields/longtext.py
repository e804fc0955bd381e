"""Texts of many lines: plain, never interpreted as markup."""

from typing import Any, ClassVar, Literal

from pydantic import Field as Key

from engine.fields.base import Operator, field_types
from engine.fields.scalars import plain_text, trimmed
from engine.fields.text import TextLike
from engine.problems import Label


@field_types.register("longtext")
class LongTextField(TextLike):
    """Several lines of plain text."""

    title: ClassVar[Label] = Label("多行文本", "Long text")
    doc: ClassVar[Label] = Label(
        "多行文字,最多 max 个字;原样显示,不解释为格式。",
        "Several lines of plain text, at most `max` characters, shown as they are.",
    )
    example: ClassVar[str] = "{type: longtext, max: 5000}"
    widget: ClassVar[str] = "textarea"
    operators: ClassVar[tuple[Operator, ...]] = ("contains", "empty", "filled")
    sortable: ClassVar[bool] = False

    type: Literal["longtext"] = "longtext"
    max: int = Key(100_000, ge=1, le=1_000_000, description="The greatest number of characters.")

    @property
    def limit(self) -> int:
        return self.max

    def parse(self, value: Any) -> str | None:
        if value is None:
            return None
        text = plain_text(value, self.max)
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return trimmed(text)

    @property
    def searchable(self) -> bool:
        return self.search is True
