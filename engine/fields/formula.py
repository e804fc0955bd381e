"""Values that follow from other values. Their type is that of the expression.

The expression is checked by the definition room, which then says `field.resolved(type)`: from that moment the field
stores, shows and describes its value as a field of the resulting type would.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal, Self

import sqlalchemy as sa
from pydantic import Field as Key, PrivateAttr

from engine.expressions.types import Type
from engine.fields.base import COMPARED, DateOrder, Field, Invalid, Operator, field_types
from engine.fields.boolean import BooleanField
from engine.fields.choice import ChoiceField
from engine.fields.choices import ChoicesField
from engine.fields.date import DateField
from engine.fields.datetime import DatetimeField
from engine.fields.duration import DurationField
from engine.fields.files import FilesField
from engine.fields.json import JsonField
from engine.fields.longtext import LongTextField
from engine.fields.lookup import LookupField
from engine.fields.money import MoneyField
from engine.fields.number import NumberField
from engine.fields.percent import PercentField
from engine.problems import Label

_BY_KIND: dict[str, Field] = {
    "text": LongTextField(),
    "boolean": BooleanField(),
    "date": DateField(),
    "duration": DurationField(),
    "files": FilesField(),
    "json": JsonField(),
    "null": LongTextField(),
}


def field_of(type: Type, scale: int | None = None, timezone: str | None = None) -> Field:
    """A field that keeps values of `type`. Numbers keep `scale` digits, by default at most two, ratios four.

    Raises ValueError for what no field keeps: lists and collections of records.
    """
    if type.kind == "number":
        if type.unit == "percent":
            return PercentField(scale=max(2, 4 if scale is None else scale))
        digits = min(type.scale, 2) if scale is None else scale
        return (
            NumberField(scale=digits)
            if type.unit is None
            else MoneyField(scale=2 if scale is None else scale, currency=type.unit)
        )
    if type.kind in ("choice", "choices"):
        kind = ChoiceField if type.kind == "choice" else ChoicesField
        return kind(options=dict.fromkeys(type.options or ("none",)))
    if type.kind == "record":
        return LookupField(to=type.entity or "")
    if type.kind == "datetime":
        return DatetimeField(timezone=timezone)
    if type.kind not in _BY_KIND:
        raise ValueError(f"no field keeps a {type.kind}")
    return _BY_KIND[type.kind]


class Following(Field):
    """A value computed from the record and what it is related to; never typed by people."""

    widget: ClassVar[str] = "readonly"
    operators: ClassVar[tuple[Operator, ...]] = COMPARED
    computed: ClassVar[bool] = True

    scale: int | None = Key(
        None, ge=0, le=6, description="Digits after the point of a number; at most two when absent, four for ratios."
    )

    _kept: Field | None = PrivateAttr(None)
    _timezone: str | None = PrivateAttr(None)

    def resolved(self, type: Type) -> Self:
        """The same field, knowing the type of its expression. Raises ValueError for a type that no field keeps."""
        known = self.model_copy()
        known._kept = field_of(type, self.scale, self._timezone)
        return known

    def within(self, currency: str, timezone: str) -> Field:
        known = self.model_copy()
        known._timezone = timezone
        known._kept = self._kept.within(currency, timezone) if self._kept else None
        return known

    @property
    def kept(self) -> Field:
        """The field of the resulting type. Raises LookupError before `resolved`."""
        if self._kept is None:
            raise LookupError("the type of the formula is not known yet")
        return self._kept

    def value_type(self) -> Type:
        return self.kept.value_type()

    def column(self) -> sa.types.TypeEngine[Any]:
        return self.kept.column()

    def parse(self, value: Any) -> Any:
        return self.kept.parse(value)

    def read(self, text: str, dates: DateOrder = "ymd") -> Any:
        return self.kept.read(text, dates)

    def to_json(self, stored: Any) -> Any:
        return self.kept.to_json(stored)

    def show(self, stored: Any, language: str = "zh") -> str:
        return self.kept.show(stored, language)

    def json_schema(self) -> dict[str, Any]:
        return {**self.kept.json_schema(), "readOnly": True}

    @property
    def searchable(self) -> bool:
        return self.search is True

    def faults(self) -> Iterator[tuple[str, Invalid]]:
        if self.formula is None:
            yield "formula", Invalid("setting-missing", setting="formula", type=self.type)
            return
        yield from super().faults()


@field_types.register("formula")
class FormulaField(Following):
    """A value computed from the record and what it is related to."""

    title: ClassVar[Label] = Label("公式", "Formula")
    doc: ClassVar[Label] = Label(
        "由表达式算出,随输入自动更新;类型由表达式决定。",
        "Computed from an expression and kept up to date; the expression decides its type.",
    )
    example: ClassVar[str] = '{type: formula, formula: "quantity * price", scale: 2}'

    type: Literal["formula"] = "formula"
