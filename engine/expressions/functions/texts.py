"""Texts. Letters are counted as characters; an empty text is the same as nothing."""

from functools import partial

from engine.expressions import make
from engine.expressions.functions import function as _function
from engine.expressions.tree import Node
from engine.expressions.types import BOOLEAN, NUMBER, TEXT

function = partial(_function, category="texts")


@function("text 文本", "value:printable", "转为文字。数带其全部小数位,日期为 2026-03-01,时间为 2026-03-01 09:30。", "As text: numbers with all their decimals, dates as 2026-03-01, instants as 2026-03-01 09:30.",
          ("text(2.50)", '"2.5"'), ("text(date('2026-03-01'))", '"2026-03-01"'))  # fmt: skip
def to_text(value: Node) -> Node:
    return value


@function(
    "concat concatenate 连接",
    "value:printable*",
    "把各项连成一段文字,空的跳过;同 &。",
    "Joined into one text; empty ones are skipped. The same as &.",
    ("CONCAT('a', null, 1)", '"a1"'),
    ("'No. ' & 5", '"No. 5"'),
)
def concat(*values: Node) -> Node:
    found, *rest = values
    for value in rest:
        found = make.call(
            "join", (found, value), TEXT if found.type.nullable and value.type.nullable else TEXT.required()
        )
    return found


@function(
    "len 长度",
    "text",
    "字数;空为 0。",
    "How many characters; 0 if empty.",
    ("LEN('北京ab')", "4"),
    ("len(null)", "0"),
)
def length(text: Node) -> Node:
    return make.call("length", (text,), NUMBER.required())


@function("left 左取", "text count", "左边若干字。", "The first characters.", ("LEFT('广东省', 2)", '"广东"'))
def left(text: Node, count: Node) -> Node:
    return make.call("left", (text, count), TEXT)


@function("right 右取", "text count", "右边若干字。", "The last characters.", ("RIGHT('A-0012', 4)", '"0012"'))
def right(text: Node, count: Node) -> Node:
    return make.call("right", (text, count), TEXT)


@function(
    "mid 中取",
    "text start:count count",
    "从第几字起取若干字,第一字为 1。",
    "So many characters from a position; the first is 1.",
    ("MID('A-0012', 3, 2)", '"00"'),
)
def middle(text: Node, start: Node, count: Node) -> Node:
    return make.call("middle", (text, start, count), TEXT)


@function("upper 大写", "text", "英文字母 a–z 转为大写。", "The letters a to z as capitals.", ("UPPER('ab1')", '"AB1"'))
def upper(text: Node) -> Node:
    return make.call("upper", (text,), TEXT)


@function(
    "lower 小写", "text", "英文字母 A–Z 转为小写。", "The letters A to Z as small ones.", ("LOWER('AB1')", '"ab1"')
)
def lower(text: Node) -> Node:
    return make.call("lower", (text,), TEXT)


@function(
    "trim 去空格",
    "text",
    "去掉两端空格(含全角)与换行。",
    "Without spaces (full-width ones too) and line ends around it.",
    ("TRIM('  a b ')", '"a b"'),
)
def trim(text: Node) -> Node:
    return make.call("trim", (text,), TEXT)


@function(
    "contains 包含",
    "text part:text",
    "文字中是否含有另一段,区分大小写。",
    "Whether a text contains another, case and all.",
    ("contains('Beijing', 'jin')", "true"),
)
def contains(text: Node, part: Node) -> Node:
    return make.call("contains", (text, part), BOOLEAN)


@function(
    "starts_with startswith 开头是",
    "text part:text",
    "是否以另一段文字开头。",
    "Whether a text begins with another.",
    ("starts_with('138', '13')", "true"),
)
def starts_with(text: Node, part: Node) -> Node:
    return make.call("starts_with", (text, part), BOOLEAN)


@function(
    "ends_with endswith 结尾是",
    "text part:text",
    "是否以另一段文字结尾。",
    "Whether a text ends with another.",
    ("ends_with('a.pdf', '.pdf')", "true"),
)
def ends_with(text: Node, part: Node) -> Node:
    return make.call("ends_with", (text, part), BOOLEAN)
