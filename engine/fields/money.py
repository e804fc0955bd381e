"""Amounts of money in one currency, kept in fixed point, never in binary fractions."""

from typing import Any, ClassVar, Literal

from pydantic import Field as Key

from engine.expressions.types import Type
from engine.fields.base import DateOrder, Field, Invalid, field_types
from engine.fields.number import Numeric
from engine.fields.scalars import fixed, grouped, read_number, simple_number, typed
from engine.problems import Label

# Signs that come before the amount; CNY and JPY share ¥.
SIGNS = {"CNY": "¥", "JPY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "HKD": "HK$", "TWD": "NT$", "KRW": "₩"}
_WORDS = {
    "元": "CNY",
    "人民币": "CNY",
    "块": "CNY",
    "RMB": "CNY",
    "美元": "USD",
    "欧元": "EUR",
    "英镑": "GBP",
    "日元": "JPY",
    "港币": "HKD",
    "港元": "HKD",
}
# Longer marks first, so that HK$ is not taken for $.
_MARKS = sorted([*SIGNS.values(), *SIGNS, *_WORDS], key=len, reverse=True)


@field_types.register("money")
class MoneyField(Numeric):
    """An amount in a currency: the field's own, else the app's."""

    title: ClassVar[Label] = Label("金额", "Money")
    doc: ClassVar[Label] = Label(
        "金额;币种不写时用应用的币种。可输入 ¥1,234.50、1.2万。",
        "An amount of money; without a currency the app's. People may type ¥1,234.50 or 1.2万.",
    )
    example: ClassVar[str] = "{type: money, min: 0}"
    widget: ClassVar[str] = "money"

    type: Literal["money"] = "money"
    currency: str | None = Key(None, pattern="^[A-Z]{3}$", description="ISO 4217 code; the app's currency when absent.")

    def within(self, currency: str, timezone: str) -> Field:
        return self if self.currency else self.model_copy(update={"currency": currency})

    def value_type(self) -> Type:
        return Type("number", scale=self.scale, unit=self.currency)

    def read(self, text: str, dates: DateOrder = "ymd") -> int | None:
        simple = simple_number(text)
        if simple is not None:
            return fixed(simple, self.scale, *self.bounds)
        plain = typed(text)
        marks = []
        for mark in _MARKS:
            if mark in plain.upper():
                at = plain.upper().index(mark)
                plain = plain[:at] + plain[at + len(mark) :]
                marks.append(mark)
        if self.currency and any(self._means_another(mark) for mark in marks):
            raise Invalid("money-currency", value=typed(text)[:40], currency=self.currency)
        number = read_number(plain)
        if number is None:
            if marks:
                raise Invalid("number-unreadable", value=typed(text)[:40])
            return None
        return fixed(number, self.scale, *self.bounds)

    def _means_another(self, mark: str) -> bool:
        own = self.currency or ""
        return mark != own and SIGNS.get(own) != mark and _WORDS.get(mark) != own

    def show(self, stored: int | None, language: str = "zh") -> str:
        if stored is None:
            return ""
        sign = SIGNS.get(self.currency or "", f"{self.currency} " if self.currency else "")
        return f"{'-' if stored < 0 else ''}{sign}{grouped(abs(stored), self.scale)}"

    def json_schema(self) -> dict[str, Any]:
        return super().json_schema() | ({"x-currency": self.currency} if self.currency else {})
