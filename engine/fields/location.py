"""Points on the earth: WGS 84 latitude and longitude, to about ten centimetres."""

import re
from typing import Any, ClassVar, Literal

import orjson
import sqlalchemy as sa

from engine.expressions.types import JSON, Type
from engine.fields.base import PRESENT, DateOrder, Field, Invalid, Operator, field_types
from engine.fields.scalars import AN_OBJECT, exact, fixed, plain, typed
from engine.problems import Label

_DIGITS = 6
_MOST = {"lat": 90, "lng": 180}
_PAIR = re.compile(r"\(?\s*([-+]?[0-9]{1,3}(?:\.[0-9]{1,20})?)\s*[,\s]\s*([-+]?[0-9]{1,3}(?:\.[0-9]{1,20})?)\s*\)?")


@field_types.register("location")
class LocationField(Field):
    """A point given by latitude and longitude."""

    title: ClassVar[Label] = Label("定位", "Location")
    doc: ClassVar[Label] = Label(
        "经纬度(WGS 84),可用设备定位。", "Latitude and longitude (WGS 84), from the device if it allows."
    )
    example: ClassVar[str] = "{type: location}"
    widget: ClassVar[str] = "location"
    operators: ClassVar[tuple[Operator, ...]] = PRESENT
    sortable: ClassVar[bool] = False

    type: Literal["location"] = "location"

    @property
    def personal(self) -> bool:
        return True

    def value_type(self) -> Type:
        return JSON

    def column(self) -> sa.types.TypeEngine[Any]:
        return sa.Text()

    def parse(self, value: Any) -> str | None:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise Invalid("wrong-type", expected=AN_OBJECT)
        if set(value) != set(_MOST):
            raise Invalid("location-malformed")
        point = {}
        for key, most in _MOST.items():
            point[key] = plain(fixed(exact(value[key]), _DIGITS, -most * 10**_DIGITS, most * 10**_DIGITS), _DIGITS)
        return orjson.dumps(point).decode()

    def read(self, text: str, dates: DateOrder = "ymd") -> str | None:
        """`30.25, 120.16`: latitude first."""
        plain_pair = typed(text)
        if not plain_pair:
            return None
        found = _PAIR.fullmatch(plain_pair)
        if not found:
            raise Invalid("location-malformed")
        return self.parse({"lat": float(found[1]), "lng": float(found[2])})

    def to_json(self, stored: str | None) -> dict[str, float] | None:
        return None if stored is None else orjson.loads(stored)

    def show(self, stored: str | None, language: str = "zh") -> str:
        point = self.to_json(stored)
        return f"{point['lat']}, {point['lng']}" if point else ""

    def json_schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {key: {"type": "number", "minimum": -most, "maximum": most} for key, most in _MOST.items()},
            "required": list(_MOST),
            "additionalProperties": False,
        }
