"""Attachments. What is stored in the record is a list of file ids; the files themselves are kept by the storage room.

A file, several files, images and a signature differ only in how many there may be and of what kind.
"""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

import orjson
import sqlalchemy as sa
from pydantic import BeforeValidator, Field as Key
from pydantic_core import PydanticCustomError

from engine.expressions.types import Type
from engine.fields.base import PRESENT, DateOrder, Field, Invalid, Operator, field_types
from engine.fields.lookup import ID_SCHEMA, parse_id
from engine.fields.scalars import A_LIST, plain_text
from engine.problems import Label
from engine.shape import Names

MEGABYTE = 1_000_000
IMAGES = ("jpg", "jpeg", "png", "webp", "gif", "heic")
_SIZES = {"kb": 1_000, "mb": MEGABYTE, "gb": 1_000 * MEGABYTE}


def _size(value: Any) -> Any:
    """`20 MB` in bytes; a bare number is refused, as every bare quantity is."""
    if isinstance(value, str):
        number, unit = value.strip().rstrip("kKmMgGbB ").strip(), value.strip().lstrip("0123456789. ").lower()
        if unit in _SIZES and number.isascii() and number.isdigit() and len(number) <= 6:
            return int(number) * _SIZES[unit]
    if isinstance(value, int):
        raise PydanticCustomError("unit_missing", "a size needs a unit", {"value": value})
    raise PydanticCustomError("wrong_shape", "expected a size such as 20 MB", {"expected": "size"})


Size = Annotated[int, BeforeValidator(_size, json_schema_input_type=str)]


class Attached(Field):
    """What fields that hold files share."""

    operators: ClassVar[tuple[Operator, ...]] = PRESENT
    sortable: ClassVar[bool] = False
    kinds: ClassVar[tuple[str, ...]] = ()  # endings allowed when `accept` is silent; empty: all

    accept: Names = Key((), description="Endings of the file names allowed, such as pdf; all when absent.")
    max_size: Size | None = Key(None, description="The greatest size of one file, such as 20 MB; 50 MB when absent.")

    @property
    def endings(self) -> tuple[str, ...]:
        """The endings allowed, in small letters without a dot; empty: all."""
        return tuple(ending.lower().lstrip(".") for ending in self.accept) or self.kinds

    @property
    def bytes_allowed(self) -> int:
        return self.max_size or 50 * MEGABYTE

    @property
    def most(self) -> int:
        """How many files there may be."""
        return 1

    def admit(self, name: str, size: int) -> None:
        """Raises Invalid when a file of this name and size (bytes) may not stand here."""
        ending = name.rpartition(".")[2].lower() if "." in name else ""
        if self.endings and ending not in self.endings:
            raise Invalid("file-kind", name=name[:80], accept=", ".join(self.endings))
        if size > self.bytes_allowed:
            raise Invalid("file-too-large", name=name[:80], max=f"{self.bytes_allowed / MEGABYTE:g} MB")

    def ids(self, stored: str | None) -> list[int]:
        """The ids of the files of a stored value."""
        return [int(id) for id in orjson.loads(stored)] if stored else []

    def value_type(self) -> Type:
        return Type("files")

    def column(self) -> sa.types.TypeEngine[Any]:
        return sa.Text()

    def read(self, text: str, dates: DateOrder = "ymd") -> str | None:
        """Ids of files that are already there, between commas."""
        ids = [word.strip() for word in plain_text(text, 10_000).replace(",", ",").split(",") if word.strip()]
        return _packed(ids, self.most) if ids else None

    def show(self, stored: str | None, language: str = "zh") -> str:
        count = len(self.ids(stored))
        if not count:
            return ""
        return f"{count} 个文件" if language == "zh" else f"{count} file{'' if count == 1 else 's'}"

    def faults(self) -> Iterator[tuple[str, Invalid]]:
        odd = next(
            (ending for ending in self.endings if not (ending.isascii() and ending.isalnum() and len(ending) <= 10)),
            None,
        )
        if odd is not None:
            yield "accept", Invalid("ending-malformed", value=odd[:40])
            return
        if self.kinds and not set(self.endings) <= set(self.kinds):
            yield (
                "accept",
                Invalid("ending-malformed", value=", ".join(sorted(set(self.endings) - set(self.kinds)))[:40]),
            )
            return
        yield from super().faults()


def _packed(value: Any, most: int) -> str | None:
    if not isinstance(value, (list, tuple)):
        raise Invalid("wrong-type", expected=A_LIST)
    if len(value) > most:
        raise Invalid("items-too-many", max=most, count=len(value))
    ids = [str(parse_id(id)) for id in value]
    if len(set(ids)) != len(ids):
        raise Invalid("choices-repeated", value=next(id for id in ids if ids.count(id) > 1))
    return orjson.dumps(ids).decode() if ids else None


class OneFile(Attached):
    """At most one file: its id in JSON."""

    def parse(self, value: Any) -> str | None:
        return None if value is None else _packed([value], 1)

    def to_json(self, stored: str | None) -> str | None:
        return None if stored is None else str(self.ids(stored)[0])

    def json_schema(self) -> dict[str, Any]:
        return dict(ID_SCHEMA)


class ManyFiles(Attached):
    """Several files: a list of ids in JSON."""

    max: int | None = Key(None, ge=1, le=200, description="How many files at most; 20 when absent.")

    @property
    def most(self) -> int:
        return self.max or 20

    def parse(self, value: Any) -> str | None:
        return None if value is None else _packed(value, self.most)

    def to_json(self, stored: str | None) -> list[str] | None:
        return None if stored is None else [str(id) for id in self.ids(stored)]

    def json_schema(self) -> dict[str, Any]:
        return {"type": "array", "items": dict(ID_SCHEMA), "uniqueItems": True, "maxItems": self.most}

    def filled_schema(self) -> dict[str, Any]:
        return {**self.json_schema(), "minItems": 1}


@field_types.register("files")
class FilesField(ManyFiles):
    """Several attachments."""

    title: ClassVar[Label] = Label("多个附件", "Files")
    doc: ClassVar[Label] = Label(
        "若干附件,可限定类型、大小和数量。", "Several attachments; kinds, size and number may be limited."
    )
    example: ClassVar[str] = "{type: files, accept: [pdf, docx], max: 5, max_size: 20 MB}"
    widget: ClassVar[str] = "files"

    type: Literal["files"] = "files"
