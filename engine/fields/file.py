"""One attachment."""

from typing import ClassVar, Literal

from engine.fields.base import field_types
from engine.fields.files import OneFile
from engine.problems import Label


@field_types.register("file")
class FileField(OneFile):
    """One attachment."""

    title: ClassVar[Label] = Label("附件", "File")
    doc: ClassVar[Label] = Label("一个附件,可限定类型和大小。", "One attachment; kind and size may be limited.")
    example: ClassVar[str] = "{type: file, accept: [pdf], max_size: 10 MB}"
    widget: ClassVar[str] = "file"

    type: Literal["file"] = "file"
