"""E-mail addresses."""

import re
from typing import Any, ClassVar, Literal

from engine.fields.base import DateOrder, Invalid, field_types
from engine.fields.scalars import plain_text, typed
from engine.fields.text import TextLike
from engine.problems import Label

# Stricter than RFC 5322, which allows quotes and comments that nobody types on purpose.
PATTERN = r"^\s*[^\s@<>\"'(),:;\\\[\]\x00-\x1f]{1,64}@(?:[^\W_][\w\-]{0,62}\.)+[^\W\d_][\w\-]{1,62}\s*$"
_ADDRESS = re.compile(PATTERN)


@field_types.register("email")
class EmailField(TextLike):
    """An e-mail address; the part after @ is kept in small letters."""

    title: ClassVar[Label] = Label("邮箱", "E-mail")
    doc: ClassVar[Label] = Label("电子邮箱地址。", "An e-mail address.")
    example: ClassVar[str] = "{type: email}"
    widget: ClassVar[str] = "email"
    longest: ClassVar[int] = 254

    type: Literal["email"] = "email"

    @property
    def personal(self) -> bool:
        return True

    def parse(self, value: Any) -> str | None:
        if value is None or value == "":
            return None
        text = plain_text(value, self.longest)
        if not _ADDRESS.search(text):
            raise Invalid("email-invalid", value=text[:80])
        name, _, domain = text.strip().partition("@")
        return f"{name}@{domain.lower()}"

    def read(self, text: str, dates: DateOrder = "ymd") -> str | None:
        return self.parse((typed(text) if len(text) <= 200 else text.strip()) or None)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "maxLength": self.longest, "pattern": f"^$|{PATTERN}"}

    def filled_schema(self) -> dict[str, Any]:
        return {**self.json_schema(), "minLength": 1}
