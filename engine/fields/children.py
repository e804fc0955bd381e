"""Tables of records that belong to a record and are edited with it: lines of an order, items of a checklist."""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field as Key

from engine.expressions.types import Type
from engine.fields.base import PRESENT, DateOrder, Field, Invalid, Operator, field_types
from engine.fields.scalars import A_TABLE, AN_OBJECT
from engine.problems import Label


@field_types.register("children")
class ChildrenField(Field):
    """The child records whose lookup `by` points back here. It has no column: the children are rows of their own."""

    title: ClassVar[Label] = Label("明细表", "Child table")
    doc: ClassVar[Label] = Label(
        "随主记录一起编辑的明细行;by 是明细里指回主记录的关联字段。",
        "Rows edited together with the record; `by` is the child's lookup that points back.",
    )
    example: ClassVar[str] = "{type: children, of: order_line, by: order, min: 1}"
    widget: ClassVar[str] = "children"
    operators: ClassVar[tuple[Operator, ...]] = PRESENT
    sortable: ClassVar[bool] = False
    stored: ClassVar[bool] = False

    type: Literal["children"] = "children"
    of: str = Key(description="The entity of the rows.")
    by: str = Key(description="The lookup of the rows that points back here.")
    min: int | None = Key(None, ge=0, description="How many rows at least.")
    max: int | None = Key(None, ge=1, description="How many rows at most; 500 when absent.")

    @property
    def most(self) -> int:
        return self.max or 500

    def value_type(self) -> Type:
        return Type("records", entity=self.of)

    def column(self) -> sa.types.TypeEngine[Any]:
        raise NotImplementedError("children are stored in the table of their own entity")

    def parse(self, value: Any) -> list[dict[str, Any]] | None:
        """The rows as they came, counted; what stands in them is validated by the child's own form."""
        if value is None:
            return None
        if not isinstance(value, (list, tuple)):
            raise Invalid("wrong-type", expected=A_TABLE)
        if self.min is not None and len(value) < self.min:
            raise Invalid("items-too-few", min=self.min, count=len(value))
        if len(value) > self.most:
            raise Invalid("items-too-many", max=self.most, count=len(value))
        if not all(isinstance(row, dict) for row in value):
            raise Invalid("wrong-type", expected=AN_OBJECT)
        return list(value)

    def read(self, text: str, dates: DateOrder = "ymd") -> None:
        if text.strip():
            raise Invalid("wrong-type", expected=A_TABLE)

    def show(self, stored: Any, language: str = "zh") -> str:
        count = len(stored or ())
        return (f"{count} 行" if language == "zh" else f"{count} rows") if count else ""

    def json_schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "array", "items": {"type": "object"}, "maxItems": self.most}
        return schema if self.min is None else {**schema, "minItems": self.min}

    def filled_schema(self) -> dict[str, Any]:
        return {**self.json_schema(), "minItems": self.min or 1}

    def faults(self) -> Iterator[tuple[str, Invalid]]:
        if self.min is not None and self.min > self.most:
            yield "min", Invalid("bounds-reversed", min=str(self.min), max=str(self.most))
            return
        yield from super().faults()
