"""Several of several options."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field as Key

from engine.columns import pack, unpack
from engine.expressions.types import Type
from engine.fields.base import DateOrder, Invalid, Operator, field_types
from engine.fields.choice import Choosing
from engine.fields.scalars import A_LIST, A_TEXT, READ_LIMIT, plain_text
from engine.problems import Label

_BETWEEN = re.compile(r"[、,,;;|\n]")


@field_types.register("choices")
class ChoicesField(Choosing):
    """A set of options of a fixed list, kept in the order of the list."""

    title: ClassVar[Label] = Label("多选", "Choices")
    doc: ClassVar[Label] = Label(
        "从固定选项中选若干个,最多 max 个。", "Any of a fixed list of options, at most `max` of them."
    )
    example: ClassVar[str] = "{type: choices, max: 3, options: {cold: 冷链, fragile: 易碎}}"
    widget: ClassVar[str] = "multiselect"
    operators: ClassVar[tuple[Operator, ...]] = ("has", "empty", "filled")
    sortable: ClassVar[bool] = False

    type: Literal["choices"] = "choices"
    max: int | None = Key(None, ge=1, description="How many at most.")

    def value_type(self) -> Type:
        return Type("choices", options=self.keys)

    def column(self) -> sa.types.TypeEngine[Any]:
        return sa.Text()

    def parse(self, value: Any) -> str | None:
        if value is None:
            return None
        if not isinstance(value, (list, tuple)):
            raise Invalid("wrong-type", expected=A_LIST)
        chosen = set()
        for key in value:
            if not isinstance(key, str):
                raise Invalid("wrong-type", expected=A_TEXT)
            if key not in self.options:
                raise self.unknown(plain_text(key, READ_LIMIT))
            if key in chosen:
                raise Invalid("choices-repeated", value=key)
            chosen.add(key)
        if self.max is not None and len(chosen) > self.max:
            raise Invalid("items-too-many", max=self.max, count=len(chosen))
        return pack(key for key in self.keys if key in chosen)

    def read(self, text: str, dates: DateOrder = "ymd") -> str | None:
        """Keys or labels between commas, semicolons, 、 or |."""
        words = [word.strip() for word in _BETWEEN.split(plain_text(text, 10_000)) if word.strip()]
        return self.parse(list(dict.fromkeys(self.key_of(word) for word in words)))

    def to_json(self, stored: str | None) -> list[str] | None:
        return None if stored is None else unpack(stored)

    def show(self, stored: str | None, language: str = "zh") -> str:
        between = "、" if language == "zh" else ", "
        return between.join(self.option_label(key, language) for key in unpack(stored))

    def json_schema(self) -> dict[str, Any]:
        schema = {"type": "array", "items": {"type": "string", "enum": list(self.keys)}, "uniqueItems": True}
        return schema if self.max is None else {**schema, "maxItems": self.max}

    def filled_schema(self) -> dict[str, Any]:
        return {**self.json_schema(), "minItems": 1}

    def faults(self) -> Iterator[tuple[str, Invalid]]:
        wrong = next(
            (
                key
                for key, option in self.options.items()
                if option.label and _BETWEEN.search(option.label.zh + option.label.en)
            ),
            None,
        )
        if wrong is not None:
            # A list of labels is written with these signs between them, on pages and in table files.
            yield (
                "options",
                Invalid(
                    "options-broken",
                    why=Label(
                        f"「{wrong}」的名称含有逗号、分号、顿号或竖线",
                        f'the label of "{wrong}" holds a comma, semicolon or bar',
                    ),
                ),
            )
            return
        yield from super().faults()
