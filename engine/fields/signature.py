"""A signature drawn by hand on a screen, kept as a picture."""

from typing import ClassVar, Literal

from engine.fields.base import field_types
from engine.fields.files import OneFile
from engine.problems import Label


@field_types.register("signature")
class SignatureField(OneFile):
    """A signature drawn by hand."""

    title: ClassVar[Label] = Label("手写签名", "Signature")
    doc: ClassVar[Label] = Label("在屏幕上手写的签名,存为图片。", "A signature drawn on the screen, kept as a picture.")
    example: ClassVar[str] = "{type: signature}"
    widget: ClassVar[str] = "signature"
    kinds: ClassVar[tuple[str, ...]] = ("png",)

    type: Literal["signature"] = "signature"

    @property
    def personal(self) -> bool:
        return True
