"""Official numbers with check digits: the kind is named by `scheme`, the arithmetic is python-stdnum's."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, ClassVar, Literal

from pydantic import Field as Key

from engine.fields.base import DateOrder, Invalid, field_types
from engine.fields.scalars import plain_text, typed
from engine.fields.text import TextLike
from engine.problems import Label
from engine.registry import Registry


@dataclass(frozen=True, slots=True)
class Scheme:
    """A kind of official number. `module` has stdnum's functions `compact` and `validate`."""

    label: Label
    module: str
    longest: int  # characters, separators included
    example: str
    personal: bool = False


schemes: Registry[Scheme] = Registry("identifier scheme")
schemes.register("uscc")(
    Scheme(Label("统一社会信用代码", "unified social credit code"), "stdnum.cn.uscc", 30, "91110000600037341L")
)
schemes.register("idcard")(
    Scheme(
        Label("居民身份证号码", "resident identity number"), "stdnum.cn.ric", 30, "360426199101010071", personal=True
    )
)
schemes.register("iban")(
    Scheme(
        Label("国际银行账号", "international bank account number"),
        "stdnum.iban",
        50,
        "GB82WEST12345698765432",
        personal=True,
    )
)
schemes.register("vat")(Scheme(Label("欧盟增值税号", "EU VAT number"), "stdnum.eu.vat", 30, "DE136695976"))
schemes.register("ean")(Scheme(Label("商品条码", "article number (EAN)"), "stdnum.ean", 30, "6901234567892"))
schemes.register("imei")(
    Scheme(Label("移动设备识别码", "mobile equipment identity"), "stdnum.imei", 30, "490154203237518", personal=True)
)
schemes.register("isbn")(Scheme(Label("国际标准书号", "book number (ISBN)"), "stdnum.isbn", 30, "9787115546081"))
schemes.register("bankcard")(
    Scheme(Label("银行卡号", "bank card number"), "stdnum.luhn", 40, "4111111111111111", personal=True)
)


@field_types.register("identifier")
class IdentifierField(TextLike):
    """An official number, refused when its check digits do not fit; stored without blanks."""

    title: ClassVar[Label] = Label("证件号码", "Official number")
    doc: ClassVar[Label] = Label(
        "带校验位的编号,如统一社会信用代码(scheme: uscc)。",
        "A number with check digits, such as the unified social credit code (scheme: uscc).",
    )
    example: ClassVar[str] = "{type: identifier, scheme: uscc}"

    type: Literal["identifier"] = "identifier"
    scheme: str = Key(description="Which kind of number: " + ", ".join(schemes) + ".")

    @property
    def personal(self) -> bool:
        return schemes[self.scheme].personal

    @property
    def limit(self) -> int:
        return schemes[self.scheme].longest

    @cached_property
    def _module(self) -> Any:
        return import_module(schemes[self.scheme].module)

    def parse(self, value: Any) -> str | None:
        if value is None:
            return None
        text = typed(plain_text(value, self.limit))
        if not text:
            return None
        try:
            number = str(self._module.validate(text))
        except ValueError:  # stdnum's own errors are ValueErrors
            raise Invalid("identifier-invalid", scheme=schemes[self.scheme].label, value=text[:40]) from None
        return number

    def read(self, text: str, dates: DateOrder = "ymd") -> str | None:
        return self.parse(typed(text).removeprefix("'"))

    def json_schema(self) -> dict[str, Any]:
        return {**super().json_schema(), "format": self.scheme}

    def faults(self) -> Iterator[tuple[str, Invalid]]:
        if self.scheme not in schemes:
            yield (
                "scheme",
                Invalid(
                    "scheme-unknown", value=self.scheme, nearest=schemes.nearest(self.scheme), known=", ".join(schemes)
                ),
            )
            return
        yield from super().faults()
