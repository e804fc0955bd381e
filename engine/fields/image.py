"""Pictures: photos taken on the spot, drawings, scans."""

from typing import ClassVar, Literal

from engine.fields.base import field_types
from engine.fields.files import IMAGES, ManyFiles
from engine.problems import Label


@field_types.register("image")
class ImageField(ManyFiles):
    """One or more pictures, shown as pictures."""

    title: ClassVar[Label] = Label("图片", "Images")
    doc: ClassVar[Label] = Label("图片或现场照片,最多 max 张。", "Pictures or photos, at most `max` of them.")
    example: ClassVar[str] = "{type: image, max: 9}"
    widget: ClassVar[str] = "image"
    kinds: ClassVar[tuple[str, ...]] = IMAGES

    type: Literal["image"] = "image"
