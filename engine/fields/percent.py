"""Shares of a whole. 15 % is the ratio 0.15, stored as 1500 with four digits.

JSON numbers are ratios (0.15), as spreadsheets and programs keep them.  Typed texts are per cent, with or without the
sign (`15%`, `15`), because that is what a person writes beside a % sign.  A definition writes either 0.15 or "15%".
"""

from typing import ClassVar, Literal

from pydantic import Field as Key

from engine.expressions.types import Type
from engine.fields.base import DateOrder, field_types
from engine.fields.number import Numeric
from engine.fields.scalars import fixed, grouped, read_number, typed
from engine.problems import Label


@field_types.register("percent")
class PercentField(Numeric):
    """A percentage, kept as a ratio."""

    title: ClassVar[Label] = Label("百分比", "Percent")
    doc: ClassVar[Label] = Label(
        "百分比;界面上写 15%,接口里是比例 0.15。", "A percentage: 15% on pages, the ratio 0.15 in JSON."
    )
    example: ClassVar[str] = '{type: percent, min: 0, max: "100%"}'
    widget: ClassVar[str] = "percent"

    type: Literal["percent"] = "percent"
    scale: int = Key(4, ge=2, le=6, description="Digits of the ratio: 4 keeps hundredths of a per cent.")

    def value_type(self) -> Type:
        return Type("number", scale=self.scale, unit="percent")

    def read(self, text: str, dates: DateOrder = "ymd") -> int | None:
        number = read_number(typed(text).removesuffix("%"))
        return None if number is None else fixed(number / 100, self.scale, *self.bounds)

    def show(self, stored: int | None, language: str = "zh") -> str:
        return "" if stored is None else grouped(stored, self.scale - 2, trim=True) + "%"
