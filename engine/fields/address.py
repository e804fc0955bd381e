"""Postal addresses in China: province, city, district and the rest.

What people type is one line.  `read` splits it and mends slips in the names of province and city (`浙江省杭洲市` is
Hangzhou); `corrected` says what was mended, so that a form can ask.  JSON is taken as it is sent.
"""

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import orjson
import sqlalchemy as sa

from engine.expressions.types import JSON, Type
from engine.fields.base import PRESENT, DateOrder, Field, Invalid, Operator, field_types
from engine.fields.china import MUNICIPALITIES, likely_city, likely_province, province_named, provinces, short
from engine.fields.scalars import AN_OBJECT, PLAIN_TEXT, plain_text
from engine.problems import Label

PARTS = ("province", "city", "district", "detail")
LIMITS = {"province": 30, "city": 30, "district": 30, "detail": 300}
_PROVINCE = re.compile(r"^(.{2,6}?(?:省|特别行政区|自治区))")
_CITY = re.compile(r"^(.{2,10}?(?:自治州|地区|市|盟|林区))")
_DISTRICT = re.compile(r"^(.{1,9}?(?:自治县|自治旗|新区|[区县旗市]))(?=.|$)")


@dataclass(frozen=True, slots=True)
class Correction:
    """A part of an address that was mended: which, how it was written, what it became."""

    part: str
    was: str
    now: str


@field_types.register("address")
class AddressField(Field):
    """An address in four parts."""

    title: ClassVar[Label] = Label("地址", "Address")
    doc: ClassVar[Label] = Label(
        "省、市、区县和详细地址;输入一整行会自动拆分并纠正省市名称。",
        "Province, city, district and detail; a typed line is split, and slips in province and city are mended.",
    )
    example: ClassVar[str] = "{type: address}"
    widget: ClassVar[str] = "address"
    operators: ClassVar[tuple[Operator, ...]] = PRESENT
    sortable: ClassVar[bool] = False

    type: Literal["address"] = "address"

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
        odd = next((key for key in value if key not in LIMITS), None)
        if odd is not None:
            raise Invalid(
                "address-part-unknown", value=str(odd)[:40].encode("utf-8", "replace").decode(), parts=", ".join(PARTS)
            )
        kept = {}
        for part in PARTS:
            text = plain_text(value[part], LIMITS[part]).strip() if part in value else ""
            if text:
                kept[part] = text
        return orjson.dumps(kept).decode() if kept else None

    def read(self, text: str, dates: DateOrder = "ymd") -> str | None:
        return self.parse(corrected(text)[0])

    def to_json(self, stored: str | None) -> dict[str, str] | None:
        return None if stored is None else orjson.loads(stored)

    def show(self, stored: str | None, language: str = "zh") -> str:
        parts = self.to_json(stored) or {}
        return "".join(
            parts[part] for part in PARTS if part in parts and (part != "city" or parts[part] != parts.get("province"))
        )

    def json_schema(self) -> dict[str, Any]:
        parts = {part: {"type": "string", "maxLength": LIMITS[part], "pattern": PLAIN_TEXT} for part in PARTS}
        return {"type": "object", "properties": parts, "additionalProperties": False}

    def filled_schema(self) -> dict[str, Any]:
        filled = [{"properties": {part: {"pattern": r"\S"}}, "required": [part]} for part in PARTS]
        return {**self.json_schema(), "anyOf": filled}


def corrected(text: str) -> tuple[dict[str, str], list[Correction]]:
    """The four parts of a typed address, those that are there, and what was mended on the way."""
    rest = "".join(plain_text(text, 400).split())
    parts: dict[str, str] = {}
    mended: list[Correction] = []

    def take(part: str, written: str, name: str) -> None:
        parts[part] = name
        if written not in (name, short(name)):
            mended.append(Correction(part, written, name))

    rest = _take_province(rest, take)
    province = parts.get("province")
    if province in MUNICIPALITIES:
        parts["city"] = province
        rest = rest.removeprefix(province).removeprefix("市辖区")
    else:
        rest = _take_city(rest, province, parts, take)
    found = _DISTRICT.match(rest)
    if parts and found:
        parts["district"], rest = found[1], rest[found.end() :]
    if rest:
        parts["detail"] = rest
    return parts, mended


def _take_province(text: str, take: Any) -> str:
    """Hands over the province at the beginning of `text`, if there is one; the rest of the text."""
    for length in range(min(8, len(text)), 1, -1):
        name = province_named(text[:length])
        # 吉林市 is a city of 吉林省, 海南州 one of 青海省: a short name before 市 or 州 is no province.
        if name and not (text[:length] != name and text[length : length + 1] in ("市", "州", "藏")):
            take("province", text[:length], name)
            return text[length:]
    # A municipality's 市 was swallowed above; what is left must carry its own ending to be taken for a slip.
    found = _PROVINCE.match(text)
    name = likely_province(found[1]) if found else None
    if found and name:
        take("province", found[1], name)
        return text[found.end() :]
    return text


def _take_city(text: str, province: str | None, parts: dict[str, str], take: Any) -> str:
    """Hands over the city at the beginning of `text`, and its province where that was not written; the rest."""
    found = _CITY.match(text)
    pair = likely_city(found[1], province) if found else None
    written = found[1] if found and pair else ""
    if pair is None and province:
        known = [city for city in provinces()[province] if text.startswith(short(city))]
        if len(known) == 1:
            pair, written = (province, known[0]), short(known[0])
    if pair is None:
        return text
    if not province:
        parts["province"] = pair[0]
    take("city", written, pair[1])
    return text[len(written) :]
