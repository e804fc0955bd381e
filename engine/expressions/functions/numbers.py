"""Arithmetic, rounding, and the aggregates over related records."""

from functools import partial

from engine.expressions import make
from engine.expressions.functions import function as _function
from engine.expressions.make import Clash
from engine.expressions.tree import Const, Node
from engine.expressions.types import NUMBER, Type

function = partial(_function, category="numbers")


def _rounded(number: Node, digits: Node | None, rounding: str) -> Node:
    count = int(digits.value) if isinstance(digits, Const) else 0
    if count >= number.type.scale:
        return number
    kept = (
        make.rescale(make.rescale(number, max(count, 0), rounding), 0, rounding)
        if count < 0
        else make.rescale(number, count, rounding)
    )
    if count >= 0:
        return kept
    # Tens and hundreds: digits before the point are dropped and written back as zeros.
    tens = make.call(
        rounding, (number,), NUMBER, 10 ** (number.type.scale - count), make.inverse(number.type.scale - count)
    )
    return make.call("widen", (tens,), make.common((kept,)), 10**-count)


@function("round 四舍五入", "number digits?", "四舍五入到几位小数(默认 0 位);.5 远离零进位。", "Rounded to so many decimals (0 if left out), halves away from zero.",
          ("ROUND(2.345, 2)", "2.35"), ("round(-2.5)", "-3"), ("ROUND(1250, -2)", "1300"))  # fmt: skip
def round_half(number: Node, digits: Node | None = None) -> Node:
    return _rounded(number, digits, "narrow")


@function(
    "roundup 向上舍入",
    "number digits?",
    "向远离零的方向舍入到几位小数。",
    "Rounded away from zero.",
    ("ROUNDUP(2.301, 1)", "2.4"),
    ("ROUNDUP(-2.1)", "-3"),
)
def round_up(number: Node, digits: Node | None = None) -> Node:
    return _rounded(number, digits, "narrow_up")


@function(
    "rounddown 向下舍入",
    "number digits?",
    "向零的方向舍去多余小数。",
    "Cut off towards zero.",
    ("ROUNDDOWN(2.39, 1)", "2.3"),
    ("ROUNDDOWN(-2.9)", "-2"),
)
def round_down(number: Node, digits: Node | None = None) -> Node:
    return _rounded(number, digits, "narrow_down")


@function(
    "int 取整",
    "number",
    "不大于它的最大整数。",
    "The greatest whole number that is not greater.",
    ("INT(2.9)", "2"),
    ("INT(-2.1)", "-3"),
)
def floor(number: Node) -> Node:
    return make.rescale(number, 0, "narrow_floor")


@function("abs 绝对值", "number", "绝对值。", "The size without the sign.", ("ABS(-3.5)", "3.5"))
def absolute(number: Node) -> Node:
    return make.call("abs", (number,), number.type)


@function(
    "mod 取余",
    "number divisor:number",
    "余数,符号同除数;除数为 0 时为空。",
    "The remainder, with the sign of the divisor; empty if that is 0.",
    ("MOD(-7, 3)", "2"),
    ("mod(5, 0)", "null"),
)
def remainder(number: Node, divisor: Node) -> Node:
    return make.modulo(number, divisor)


@function(
    "power 乘方",
    "number times",
    "乘方;指数为 1 到 10 的整数。",
    "Raised to a whole power from 1 to 10.",
    ("POWER(1.1, 2)", "1.21"),
    ("power(2, 10)", "1024"),
)
def power(number: Node, times: Node) -> Node:
    exponent = int(times.value) if isinstance(times, Const) else 0
    if not 1 <= exponent <= 10:
        raise Clash("type-mismatch", {"found": "number", "expected": "times"}, 1)
    scale = number.type.scale * exponent
    drop = max(0, scale - max(make.MAX_SCALE, number.type.scale))
    type = Type("number", nullable=number.type.nullable, scale=scale - drop)
    return make.call("power", (number,), type, exponent, 10**drop, make.inverse(drop))


@function(
    "clamp 限制",
    "number low:number high:number",
    "限制在下限与上限之间。",
    "Kept between the least and the greatest.",
    ("clamp(12, 0, 10)", "10"),
)
def clamp(number: Node, low: Node, high: Node) -> Node:
    value, least, greatest = make.align((number, low, high))
    type = make.common((value, least, greatest))
    return make.call("lesser", (make.call("greater", (value, least), type), greatest), type)


@function("number 数值", "value", "文字转为数值(最多 6 位小数,不是数则为空);是否转为 1 或 0。",
          "The number that a text says (up to 6 decimals; empty if it says none); 1 or 0 for yes or no.",
          ("number('12.50')", "12.5"), ("number('x')", "null"), ("number(2 > 1)", "1"))  # fmt: skip
def to_number(value: Node) -> Node:
    match value.type.kind:
        case "boolean":
            return make.call("number_of_boolean", (value,), NUMBER)
        case "text" | "choice" | "null":
            return make.call("text_number", (value,), Type("number", scale=6))
        case "number":
            return value
    raise make.mismatch(value.type, "text", 0)


def _extreme(nodes: tuple[Node, ...], operation: str) -> Node:
    found, *rest = make.unify(nodes)
    type = make.common((found, *rest))
    if type.kind in ("text", "choice"):
        operation += "_text"
    elif type.kind not in ("number", "date", "datetime", "duration", "null"):
        raise make.mismatch(type, "ordered", 0)
    for node in rest:
        found = make.call(operation, (found, node), type)
    return found


@function("min 最小值", "value:same*", "最小的值;有空则为空。也用于相关记录:min(lines.amount where …)。", "The least; empty if any is empty. Also over related records: min(lines.amount where …).",
          ("MIN(3, 1.5, 2)", "1.5"), aggregate=True)  # fmt: skip
def least(*values: Node) -> Node:
    return _extreme(values, "lesser")


@function(
    "max 最大值",
    "value:same*",
    "最大的值;有空则为空。也用于相关记录。",
    "The greatest; empty if any is empty. Also over related records.",
    ("MAX(3, 1.5, 2)", "3"),
    aggregate=True,
)
def greatest(*values: Node) -> Node:
    return _extreme(values, "greater")


@function("sum 合计 求和", "number*", "各数之和,空不计。也用于相关记录:sum(lines.amount where …)。", "The sum; empty ones do not count. Also over related records: sum(lines.amount where …).",
          ("SUM(1, 2.5, null)", "3.5"), aggregate=True)  # fmt: skip
def total(*values: Node) -> Node:
    nodes = [make.first_filled(make.unify((value, make.ZERO))) for value in values]
    # In pairs, so that fifty addends are six levels deep, not fifty.
    while len(nodes) > 1:
        nodes = [
            make.add(nodes[at], nodes[at + 1]) if at + 1 < len(nodes) else nodes[at] for at in range(0, len(nodes), 2)
        ]
    return nodes[0]


@function("avg average 平均 平均值", "number*", "平均值;有空则为空。也用于相关记录,空不计。", "The mean; empty if any is empty. Also over related records, where empty ones do not count.",
          ("AVERAGE(1, 2)", "1.5"), aggregate=True)  # fmt: skip
def mean(*values: Node) -> Node:
    found = values[0]
    for value in values[1:]:
        found = make.add(found, value)
    return make.divide(found, Const(NUMBER.required(), len(values)))


@function("count 计数", "value", "相关记录的个数:count(contacts where …);也可数文件与多选的选项。", "How many related records: count(contacts where …); also of files and of chosen options.",
          ("count(null)", "0"), aggregate=True)  # fmt: skip
def count(value: Node) -> Node:
    match value.type.kind:
        case "files":
            return make.call("count_files", (value,), NUMBER.required())
        case "choices":
            return make.call("count_choices", (value,), NUMBER.required())
        case "null":
            return make.ZERO
    raise make.mismatch(value.type, "records", 0)


def _over_records(value: Node) -> Node:
    raise make.mismatch(value.type, "records", 0)


_function(
    "exists 存在",
    "records:reach",
    "是否有(满足条件的)相关记录。",
    "Whether there is a related record (that meets the condition).",
    ("exists(lines where late)", "true"),
    category="records",
    aggregate=True,
)(_over_records)
_function(
    "any 任一",
    "records:reach",
    "相关记录中至少一条成立。",
    "It holds for at least one related record.",
    ("any(lines.late)", "true"),
    category="records",
    aggregate=True,
)(_over_records)
_function(
    "all 全部",
    "records:reach",
    "全部相关记录都成立;没有记录也算成立。",
    "It holds for every related record; also if there is none.",
    ("all(lines.late)", "false"),
    category="records",
    aggregate=True,
)(_over_records)
