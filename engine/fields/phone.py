"""Telephone numbers: stored as E.164 (`+8613800138000`), so that one number is one text, however it was written."""

import re
from typing import Any, ClassVar, Literal

from pydantic import Field as Key

from engine.fields.base import DateOrder, Invalid, field_types
from engine.fields.scalars import plain_text, typed
from engine.fields.text import TextLike
from engine.problems import Label

# What a number may look like; whether it is one, only the numbering plan says (format: phone).
PATTERN = r"^\s*(?:[+＋]?[\s(（]*[0-9０-９](?:[\s\-－–().（）/]*[0-9０-９]){2,19}(?:\s*(?:;ext=|转|分机|ext\.?|x|#)\s*[0-9０-９]{1,7})?\s*)?$"
_LOOKS = re.compile(PATTERN)
# The mobile numbers of mainland China need no numbering plan, and are nearly all that is typed.
_MOBILE = re.compile(r"(?:\+86|0086|86)?(1[3-9][0-9]{9})")
_STORED_MOBILE = re.compile(r"\+861[3-9][0-9]{9}")
_EXTENSION = re.compile(r"(?:;ext=|转|分机|ext\.?|x|#)\s*([0-9]+)$")
_BETWEEN = re.compile(r"[\s\-()./]+")


@field_types.register("phone")
class PhoneField(TextLike):
    """A telephone number with an optional extension."""

    title: ClassVar[Label] = Label("电话", "Phone")
    doc: ClassVar[Label] = Label(
        "电话号码,统一存为国际格式;不带国家码时按 region 理解。",
        "A telephone number, stored in international form; without a country code it belongs to `region`.",
    )
    example: ClassVar[str] = "{type: phone}"
    widget: ClassVar[str] = "phone"
    longest: ClassVar[int] = 60

    type: Literal["phone"] = "phone"
    region: str = Key(
        "CN", pattern="^[A-Z]{2}$", description="The country of numbers without a country code, ISO 3166."
    )

    @property
    def personal(self) -> bool:
        return True

    def parse(self, value: Any) -> str | None:
        if value is None:
            return None
        if isinstance(value, str):
            if _STORED_MOBILE.fullmatch(value):
                return value
            if self.region == "CN" and (mobile := _MOBILE.fullmatch(value)):
                return f"+86{mobile[1]}"
        text = plain_text(value, self.longest)
        if not text or text.isspace():
            return None
        if not _LOOKS.search(text):
            raise Invalid("phone-invalid", value=text[:40])
        return self._canonical(typed(text))

    def read(self, text: str, dates: DateOrder = "ymd") -> str | None:
        return self.parse(typed(text).removeprefix("'") or None)

    def _canonical(self, text: str) -> str:
        found = _EXTENSION.search(text)
        number, extension = (text[: found.start()], f";ext={found[1]}") if found else (text, "")
        bare = _BETWEEN.sub("", number)
        mobile = _MOBILE.fullmatch(bare) if self.region == "CN" or bare.startswith("+") else None
        if mobile:
            return f"+86{mobile[1]}{extension}"
        import phonenumbers  # only the rarer numbers need the numbering plans, which take time to load

        if bare.startswith("00"):
            bare = f"+{bare[2:]}"
        try:
            parsed = phonenumbers.parse(bare, self.region)
        except phonenumbers.NumberParseException:
            raise Invalid("phone-invalid", value=text[:40]) from None
        if not phonenumbers.is_valid_number(parsed):
            raise Invalid("phone-invalid", value=text[:40])
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) + extension

    def show(self, stored: str | None, language: str = "zh") -> str:
        """As it is dialled at home: numbers of the field's region nationally, others internationally."""
        if not stored:
            return ""
        number, _, extension = stored.partition(";ext=")
        tail = (f" 转 {extension}" if language == "zh" else f" ext. {extension}") if extension else ""
        if number.startswith("+861") and len(number) == 14 and self.region == "CN":
            return f"{number[3:6]} {number[6:10]} {number[10:]}{tail}"
        import phonenumbers

        try:
            parsed = phonenumbers.parse(number, None)
        except phonenumbers.NumberParseException:
            return stored
        at_home = phonenumbers.region_code_for_number(parsed) == self.region
        form = phonenumbers.PhoneNumberFormat.NATIONAL if at_home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
        return phonenumbers.format_number(parsed, form) + tail

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "maxLength": self.longest, "pattern": PATTERN, "format": "phone"}
