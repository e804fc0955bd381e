"""Whole numbers."""

from typing import Any, ClassVar, Literal

from pydantic import Field as Key

from engine.fields.base import DateOrder, Invalid, field_types
from engine.fields.number import Numeric
from engine.fields.scalars import exact, fixed, read_number
from engine.problems import Label


@field_types.register("integer")
class IntegerField(Numeric):
    """A whole number; a fraction is refused, not rounded."""

    title: ClassVar[Label] = Label("整数", "Integer")
    doc: ClassVar[Label] = Label(
        "整数,最多 15 位;带小数的值会被拒绝。", "A whole number of at most 15 digits; fractions are refused."
    )
    example: ClassVar[str] = "{type: integer, min: 0, max: 999}"

    type: Literal["integer"] = "integer"
    scale: Literal[0] = Key(0, description="Whole numbers have no digits after the point.")

    def parse(self, value: Any) -> int | None:
        if value is None:
            return None
        if type(value) is int:
            low, high = self.bounds
            if low <= value <= high:
                return value
        number = exact(value)
        if number != int(number):
            raise Invalid("integer-fraction", value=str(value)[:40])
        return fixed(int(number), 0, *self.bounds)

    def read(self, text: str, dates: DateOrder = "ymd") -> int | None:
        number = read_number(text)
        return None if number is None else self.parse(number)

    def json_schema(self) -> dict[str, Any]:
        return super().json_schema() | {"type": "integer"}
