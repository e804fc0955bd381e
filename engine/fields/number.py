"""Numbers: fixed point with `scale` digits after the point, at most 15 digits in all.

Whole numbers, money, percents and scores are numbers too.
"""

from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import BeforeValidator, Field as Key

from engine.columns import scaled
from engine.expressions.types import Type
from engine.fields.base import COMPARED, DateOrder, Field, Invalid, Operator, field_types
from engine.fields.scalars import MAX_NUMBER, exact, fixed, grouped, plain, read_number
from engine.problems import Label


def _bound(value: Any) -> Any:
    """A bound as people write it: 1,000,000 or 15% as well as a plain number."""
    if not isinstance(value, str):
        return value
    percent = value.strip().endswith(("%", "％"))
    try:
        number = read_number(value.strip().rstrip("%％"))
    except Invalid:
        return value
    return number / 100 if percent and number is not None else number


Bound = Annotated[Decimal, BeforeValidator(_bound)]


class Numeric(Field):
    """What all kinds of number share."""

    widget: ClassVar[str] = "number"
    operators: ClassVar[tuple[Operator, ...]] = COMPARED

    scale: int = Key(2, ge=0, le=6, description="Digits after the point.")
    min: Bound | None = Key(None, description="The least value allowed.")
    max: Bound | None = Key(None, description="The greatest value allowed.")

    @cached_property
    def bounds(self) -> tuple[int, int]:
        """The least and the greatest stored value."""
        low = -MAX_NUMBER if self.min is None else scaled(self.min, self.scale)
        high = MAX_NUMBER if self.max is None else scaled(self.max, self.scale)
        return low, high

    def value_type(self) -> Type:
        return Type("number", scale=self.scale)

    def column(self) -> sa.types.TypeEngine[Any]:
        return sa.BigInteger()

    def parse(self, value: Any) -> int | None:
        if value is None:
            return None
        low, high = self.bounds
        if type(value) is float and -1e15 < value < 1e15:
            # Two decimals of up to 15 digits are never the same float, so the one that gives it back is the one meant.
            power: int = 10**self.scale
            stored = round(value * power)
            if low <= stored <= high and stored / power == value:
                return stored
        return fixed(exact(value), self.scale, low, high)

    def read(self, text: str, dates: DateOrder = "ymd") -> int | None:
        number = read_number(text)
        return None if number is None else fixed(number, self.scale, *self.bounds)

    def to_json(self, stored: int | None) -> int | float | None:
        return None if stored is None else plain(stored, self.scale)

    def json_code(self, stored: str) -> tuple[str, dict[str, Any]] | None:
        if not self.scale:
            return stored, {}
        power = 10**self.scale
        return f"{stored} / {power} if {stored} % {power} else {stored} // {power}", {}

    def show(self, stored: int | None, language: str = "zh") -> str:
        return "" if stored is None else grouped(stored, self.scale)

    def json_schema(self) -> dict[str, Any]:
        low, high = self.bounds
        return {"type": "number", "minimum": plain(low, self.scale), "maximum": plain(high, self.scale)}

    def faults(self) -> Iterator[tuple[str, Invalid]]:
        for setting, bound in (("min", self.min), ("max", self.max)):
            if bound is None:
                continue
            if not bound.is_finite() or bound.adjusted() > 15 or abs(bound) * 10**self.scale > MAX_NUMBER:
                yield setting, Invalid("bound-too-wide", digits=15)
                return
            if bound * 10**self.scale != scaled(bound, self.scale):
                yield setting, Invalid("bound-too-fine", scale=self.scale)
                return
        if self.min is not None and self.max is not None and self.min > self.max:
            yield "min", Invalid("bounds-reversed", min=str(self.min), max=str(self.max))
            return
        yield from super().faults()


@field_types.register("number")
class NumberField(Numeric):
    """A number with a fixed count of decimal places."""

    title: ClassVar[Label] = Label("小数", "Number")
    doc: ClassVar[Label] = Label(
        "定点小数;计算精确,按四舍五入保留 scale 位。",
        "A fixed-point number, exact, rounded half away from zero to `scale` digits.",
    )
    example: ClassVar[str] = "{type: number, scale: 3, min: 0}"

    type: Literal["number"] = "number"
