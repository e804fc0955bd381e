"""Any JSON value, for what other systems send and nobody edits by hand. Refused when large, deep or not Unicode."""

from decimal import Decimal
from typing import Any, ClassVar, Literal

import orjson
import sqlalchemy as sa
from pydantic import Field as Key

from engine.columns import MAX_STORED
from engine.expressions.types import JSON, Type
from engine.fields.base import PRESENT, DateOrder, Field, Invalid, Operator, field_types
from engine.fields.scalars import exact
from engine.problems import Label

_DEEPEST = 32


@field_types.register("json")
class JsonField(Field):
    """A JSON value kept as it is. Null is empty."""

    title: ClassVar[Label] = Label("JSON 数据", "JSON")
    doc: ClassVar[Label] = Label(
        "任意 JSON,最多 max 字节,嵌套不超过 32 层。", "Any JSON of at most `max` bytes and 32 levels."
    )
    example: ClassVar[str] = "{type: json, max: 20000}"
    widget: ClassVar[str] = "json"
    operators: ClassVar[tuple[Operator, ...]] = PRESENT
    sortable: ClassVar[bool] = False

    type: Literal["json"] = "json"
    max: int = Key(100_000, ge=2, le=1_000_000, description="The greatest size in bytes, written without blanks.")

    def value_type(self) -> Type:
        return JSON

    def column(self) -> sa.types.TypeEngine[Any]:
        return sa.Text()

    def parse(self, value: Any) -> str | None:
        if value is None:
            return None
        _inspect(value, _DEEPEST)
        try:
            text = orjson.dumps(value, default=float)  # exact decimals, as the API reads them
        except orjson.JSONEncodeError:
            raise Invalid("json-unreadable") from None
        if len(text) > self.max:
            raise Invalid("json-too-large", max=self.max, size=len(text))
        return text.decode()

    def read(self, text: str, dates: DateOrder = "ymd") -> str | None:
        if not text.strip():
            return None
        if len(text) > 4 * self.max:
            raise Invalid("json-too-large", max=self.max, size=len(text))
        try:
            return self.parse(orjson.loads(text))
        except orjson.JSONDecodeError:
            raise Invalid("json-unreadable") from None

    def to_json(self, stored: str | None) -> Any:
        return None if stored is None else orjson.loads(stored)

    def show(self, stored: str | None, language: str = "zh") -> str:
        return stored or ""

    def json_schema(self) -> dict[str, Any]:
        return {"type": ["object", "array", "string", "number", "boolean"]}


def _inspect(value: Any, levels: int) -> None:
    """Raises Invalid for what JSON or a database cannot hold."""
    if value is None or value is True or value is False:
        return
    if isinstance(value, str):
        _inspect_text(value)
    elif isinstance(value, (int, float, Decimal)):
        exact(value)
        if isinstance(value, int) and not -MAX_STORED - 1 <= value <= MAX_STORED:
            raise Invalid("number-above", max=MAX_STORED)
    elif levels == 0:
        raise Invalid("json-too-deep", max=_DEEPEST)
    elif isinstance(value, dict):
        for key, each in value.items():
            if not isinstance(key, str):
                raise Invalid("json-unreadable")
            _inspect_text(key)
            _inspect(each, levels - 1)
    elif isinstance(value, list):
        for each in value:
            _inspect(each, levels - 1)
    else:
        raise Invalid("json-unreadable")


def _inspect_text(value: str) -> None:
    if "\x00" in value:
        raise Invalid("text-unprintable")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Invalid("text-unprintable") from None
