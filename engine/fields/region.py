"""Administrative regions of China, as a path from the province down: `浙江省/杭州市`."""

import re
from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import Field as Key

from engine.expressions.types import TEXT, Type
from engine.fields.base import DateOrder, Field, Invalid, Operator, field_types
from engine.fields.china import SEPARATOR, city_named, known, likely_city, likely_province, paths, province_named
from engine.fields.scalars import READ_LIMIT, plain_text, typed
from engine.problems import Label
from engine.registry import nearest

_BETWEEN = re.compile(r"[/\s\-,、>]+")


@field_types.register("region")
class RegionField(Field):
    """A province, or a city with its province. A province alone is a region too."""

    title: ClassVar[Label] = Label("地区", "Region")
    doc: ClassVar[Label] = Label(
        "省/市,如 浙江省/杭州市;levels: 1 只到省。",
        "Province and city, as in 浙江省/杭州市; `levels: 1` stops at the province.",
    )
    example: ClassVar[str] = "{type: region, levels: 1}"
    widget: ClassVar[str] = "region"
    operators: ClassVar[tuple[Operator, ...]] = ("eq", "ne", "in", "starts", "empty", "filled")

    type: Literal["region"] = "region"
    levels: Literal[1, 2] = Key(2, description="1: provinces; 2: provinces and cities.")

    def value_type(self) -> Type:
        return TEXT

    def column(self) -> sa.types.TypeEngine[Any]:
        return sa.Text()

    def parse(self, value: Any) -> str | None:
        if value is None:
            return None
        if isinstance(value, str) and value in known(self.levels):
            return value
        raise self._unknown(plain_text(value, READ_LIMIT))

    def read(self, text: str, dates: DateOrder = "ymd") -> str | None:
        """Full or short names with or without a sign between: `浙江杭州`, `浙江省 杭州市`, `杭州`."""
        plain = typed(text)
        if not plain:
            return None
        words = [word for word in _BETWEEN.split(plain) if word] or [plain]
        if len(words) == 1:
            words = _split(words[0])
        province = province_named(words[0]) or likely_province(words[0])
        if province and len(words) == 1:
            return self.parse(province)
        pair = likely_city(words[-1], province) if len(words) <= 2 else None
        if pair is None:
            raise self._unknown(plain)
        return self.parse(pair[0] if self.levels == 1 else SEPARATOR.join(pair))

    def _unknown(self, value: str) -> Invalid:
        return Invalid("region-unknown", value=value[:40], nearest=nearest(value[:40], paths(self.levels)))

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(paths(self.levels))}


def _split(word: str) -> list[str]:
    """`浙江杭州` as province and city; one word where it is only one of them."""
    if province_named(word) or city_named(word):
        return [word]
    for length in range(len(word) - 2, 1, -1):
        if province_named(word[:length]):
            return [word[:length], word[length:]]
    return [word]
