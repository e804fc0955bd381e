"""Yes or no."""

from typing import Any, ClassVar, Literal

import sqlalchemy as sa

from engine.expressions.types import BOOLEAN, Type
from engine.fields.base import CHOSEN, DateOrder, Field, Invalid, Operator, field_types
from engine.fields.scalars import A_BOOLEAN, typed
from engine.problems import Label

_YES = frozenset("是 真 对 有 true yes y t 1 on √ ✓ ☑".split())
_NO = frozenset("否 假 错 无 false no n f 0 off × ✗ ☐".split())


@field_types.register("boolean")
class BooleanField(Field):
    """True or false. A field that need not be filled starts as false, as an unticked box does."""

    title: ClassVar[Label] = Label("是否", "Yes or no")
    doc: ClassVar[Label] = Label(
        "是或否;非必填时默认为否,必填时必须明确选择。",
        "Yes or no. Unless required it starts as no; when required it must be answered.",
    )
    example: ClassVar[str] = "{type: boolean, default: false}"
    widget: ClassVar[str] = "checkbox"
    operators: ClassVar[tuple[Operator, ...]] = CHOSEN

    type: Literal["boolean"] = "boolean"

    def value_type(self) -> Type:
        return BOOLEAN.optional()

    def column(self) -> sa.types.TypeEngine[Any]:
        return sa.Boolean()

    def parse(self, value: Any) -> bool | None:
        if value is None or value is True or value is False:
            return value
        raise Invalid("wrong-type", expected=A_BOOLEAN)

    def read(self, text: str, dates: DateOrder = "ymd") -> bool | None:
        plain = typed(text).lower()
        if not plain:
            return None
        if plain in _YES:
            return True
        if plain in _NO:
            return False
        raise Invalid("boolean-unreadable", value=plain[:40])

    def show(self, stored: bool | None, language: str = "zh") -> str:
        if stored is None:
            return ""
        return ("是" if stored else "否") if language == "zh" else ("yes" if stored else "no")

    def json_schema(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def default_value(self) -> Any:
        if self.default is None and not (self.required or self.required_when or self.derived):
            return False
        return super().default_value()
