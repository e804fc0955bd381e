"""What is wrong with an expression, and where: offsets into its own text.

Whoever read the text out of a file knows where it began, and turns a fault into a problem with a place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.problems import Label


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the `length` characters at `offset` by `text`."""

    offset: int
    length: int
    text: str


@dataclass(frozen=True, slots=True)
class Fault:
    """`code` and `parameters` are words of the catalogue. Each of `patches` alone mends it."""

    code: str
    offset: int
    length: int
    parameters: Mapping[str, Any] = field(default_factory=dict)
    patches: tuple[Edit, ...] = ()
    severity: Literal["error", "warning"] = "error"


class Wrong(Exception):
    """Ends the reading of one expression: nothing sensible can be said of what follows."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.code)


_SAID = {
    "number": Label("数值", "a number"), "text": Label("文字", "a text"), "boolean": Label("是或否", "yes or no"), "date": Label("日期", "a date"),
    "datetime": Label("时刻", "an instant"), "duration": Label("带单位的时长", "a duration with its unit"), "choice": Label("选项", "a choice"),
    "choices": Label("多选", "a set of choices"), "set": Label("多选", "a set of choices"), "record": Label("一条记录", "a record"),
    "records": Label("相关记录(多条)", "related records"), "files": Label("文件", "files"), "json": Label("结构数据", "structured data"),
    "null": Label("空", "empty"), "list": Label("一列值", "a list"), "value": Label("单个值", "one value"), "ordered": Label("可比大小的值", "something with an order"),
    "digits": Label("写明的整数", "a whole number written out"), "times": Label("1 到 10 的整数", "a whole number from 1 to 10"),
    "count": Label("数值", "a number"), "months": Label("数值", "a number"),
    "characters": Label("个字", "characters"), "parts": Label("个部分", "parts"), "levels": Label("层", "levels"), "hops": Label("级关联", "hops"),
}  # fmt: skip


def said(word: Any) -> Any:
    """A kind of value, or a measure, in both languages; anything else as it is."""
    return _SAID.get(word, word)
