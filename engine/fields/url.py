"""Web addresses: http and https only, so that a link can never run a script."""

import re
from typing import Any, ClassVar, Literal

from engine.fields.base import Invalid, field_types
from engine.fields.scalars import END, plain_text
from engine.fields.text import TextLike
from engine.problems import Label

# No user name before the host: it is used to make one site look like another.
PATTERN = r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#@\\\"<>\x00-\x1f]+(?:[/?#][^\s\"<>\\\x00-\x1f]*)?" + END
_ADDRESS = re.compile(PATTERN)


@field_types.register("url")
class UrlField(TextLike):
    """A web address that begins with http:// or https://."""

    title: ClassVar[Label] = Label("网址", "Web address")
    doc: ClassVar[Label] = Label(
        "以 http:// 或 https:// 开头的网址。", "A web address that begins with http:// or https://."
    )
    example: ClassVar[str] = "{type: url}"
    widget: ClassVar[str] = "url"
    longest: ClassVar[int] = 2000

    type: Literal["url"] = "url"

    def parse(self, value: Any) -> str | None:
        if value is None or value == "":
            return None
        text = plain_text(value, self.longest)
        if not _ADDRESS.search(text):
            raise Invalid("url-invalid", value=text[:80])
        return text

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "maxLength": self.longest, "pattern": f"^$|{PATTERN}"}

    def filled_schema(self) -> dict[str, Any]:
        return {**self.json_schema(), "minLength": 1}

    @property
    def searchable(self) -> bool:
        return self.search is True
