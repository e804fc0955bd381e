"""An expression in words, for gates and refusals: 「金额」大于 0 且「明细」数不小于 2."""

from collections.abc import Callable
from typing import Any

from engine.expressions.functions import FUNCTIONS
from engine.expressions.primitives import DAY, date_text, number_text
from engine.expressions.tree import Aggregate, Call, Const, Follow, Name, Node, Step, Variable
from engine.expressions.types import DURATION, Type
from engine.problems import Label

LabelOf = Callable[[str, str], Label | str]  # (entity, field) -> its label
OptionOf = Callable[[str, str, str], Label | str]  # (entity, field, option) -> its label

_COMPARED = {
    "eq": Label("为 {1}", " is {1}"), "lt": Label("小于 {1}", " is less than {1}"), "le": Label("不大于 {1}", " is at most {1}"),
    "gt": Label("大于 {1}", " is greater than {1}"), "ge": Label("不小于 {1}", " is at least {1}"), "has": Label("含有 {1}", " contains {1}"),
    "in": Label("为 {1}", " is {1}"), "in_set": Label("在 {1} 之中", " is among {1}"), "contains": Label("包含 {1}", " contains {1}"),
    "starts_with": Label("以 {1} 开头", " begins with {1}"), "ends_with": Label("以 {1} 结尾", " ends with {1}"),
    "is_null": Label("为空", " is empty"), "is_workday": Label("是工作日", " is a working day"),
}  # fmt: skip
_DENIED = {
    "eq": Label("不为 {1}", " is not {1}"), "lt": _COMPARED["ge"], "le": _COMPARED["gt"], "gt": _COMPARED["le"], "ge": _COMPARED["lt"],
    "has": Label("不含 {1}", " does not contain {1}"), "in": Label("不为 {1}", " is not {1}"), "in_set": Label("不在 {1} 之中", " is not among {1}"),
    "contains": Label("不包含 {1}", " does not contain {1}"), "starts_with": Label("不以 {1} 开头", " does not begin with {1}"),
    "ends_with": Label("不以 {1} 结尾", " does not end with {1}"), "is_null": Label("已填", " is filled"), "is_workday": Label("不是工作日", " is no working day"),
}  # fmt: skip
_SAME = {"text_lt": "lt", "text_le": "le", "text_gt": "gt", "text_ge": "ge"}
_SILENT = (
    "widen",
    "narrow",
    "day_of",
    "within",
    "within_instants",
    "same_time",
    "small",
    "number_text",
    "date_text",
    "instant_text",
    "whole_days",
)
_SIGNS = {"add": "+", "sub": "−", "mul": "×", "mul_narrow": "×", "div": "÷", "mod": "%", "join": "&", "join_both": "&"}
_SUPPLIED = {"now": Label("现在", "now"), "today": Label("今天", "today"), "user": Label("当前用户", "the user")}
_AGGREGATES = {
    "count": Label("{0}数", "the number of {0}"), "sum": Label("{0}合计", "the sum of {0}"), "avg": Label("{0}平均值", "the mean of {0}"),
    "min": Label("{0}最小值", "the least of {0}"), "max": Label("{0}最大值", "the greatest of {0}"), "exists": Label("有{0}", "there is one of {0}"),
    "all": Label("每条{0}", "for each of {0}"),
}  # fmt: skip
_UNITS = (
    (604_800_000_000, Label("周", " weeks")), (86_400_000_000, Label("天", " days")), (3_600_000_000, Label("小时", " hours")),
    (60_000_000, Label("分钟", " minutes")), (1_000_000, Label("秒", " seconds")),
)  # fmt: skip
_NAMES = {
    "abs": "abs", "lesser": "min", "greater": "max", "lesser_text": "min", "greater_text": "max", "narrow_up": "roundup", "narrow_down": "rounddown", "narrow_floor": "int",
    "power": "power", "number_of_boolean": "number", "text_number": "number", "length": "len", "middle": "mid", "day_of_month": "day", "count_choices": "count",
    "count_files": "count", "hour_of": "hour", "make_date": "date",
}  # fmt: skip


def in_words(tree: Node, language: str, label_of: LabelOf, option_of: OptionOf | None = None) -> str:
    return _Speaker(language, label_of, option_of).say(tree)


class _Speaker:
    def __init__(self, language: str, label_of: LabelOf, option_of: OptionOf | None) -> None:
        self.language, self.label_of, self.option_of = language, label_of, option_of

    def word(self, label: Label | str) -> str:
        return label if isinstance(label, str) else label[self.language]

    def pick(self, zh: str, en: str) -> str:
        return en if self.language == "en" else zh

    def quoted(self, label: Label | str) -> str:
        return self.pick(f"「{self.word(label)}」", f'"{self.word(label)}"')

    def say(self, node: Node) -> str:
        match node:
            case Const(of, value):
                return self.constant(of, value)
            case Name(_, entity, name, _):
                return self.quoted(self.label_of(entity, name))
            case Follow(_, source, entity, name):
                owner, field = self.say(source), self.quoted(self.label_of(entity, name))
                return self.pick(f"{owner}的{field}", f"{field} of {owner}")
            case Variable(_, name):
                return self.word(_SUPPLIED.get(name, name))
            case Aggregate():
                return self.aggregate(node)
            case Call():
                return self.call(node)
        raise TypeError(node)

    def claim(self, node: Node, holds: bool = True) -> str:
        """A condition as a sentence."""
        if isinstance(node, Call):
            if node.operation == "not":
                return self.claim(node.arguments[0], not holds)
            if node.operation in ("and", "or"):
                # Not all of them is some of them not.
                both = (node.operation == "and") == holds
                parts = [self.grouped(each, holds) for each in node.arguments]
                return self.pick("且" if both else "或", " and " if both else " or ").join(parts)
            operation = _SAME.get(node.operation, node.operation)
            if operation in _COMPARED:
                subject, *rest = node.arguments
                words = [self.grouped_value(subject), *(self.beside(each, subject) for each in rest)]
                return words[0] + self.word((_COMPARED if holds else _DENIED)[operation]).format(*words)
            return self.word(
                Label("{0}成立", "{0} holds") if holds else Label("{0}不成立", "{0} does not hold")
            ).format(self.call(node))
        if isinstance(node, Aggregate):
            said = self.aggregate(node)
            return said if holds else self.pick(f"并非{said}", f"it is not so that {said}")
        if isinstance(node, Const):
            return self.word(Label("总是", "always") if bool(node.value) == holds else Label("从不", "never"))
        return self.say(node) + self.word(Label("为是", " is yes") if holds else Label("不为是", " is not yes"))

    def grouped(self, node: Node, holds: bool) -> str:
        nested = isinstance(node, Call) and node.operation in ("and", "or")
        return self.pick("({})", "({})").format(self.claim(node, holds)) if nested else self.claim(node, holds)

    def grouped_value(self, node: Node) -> str:
        said = self.say(node)
        return f"({said})" if isinstance(node, Call) and node.operation in _SIGNS else said

    def beside(self, node: Node, subject: Node) -> str:
        """A value compared with `subject`, whose options have labels."""
        if isinstance(node, Const) and node.type.kind == "list":
            return self.pick(" 或 ", " or ").join(
                self.beside(Const(node.type.item or node.type, each), subject) for each in node.value
            )
        named = isinstance(subject, Name | Follow) and subject.type.kind in ("choice", "choices")
        if isinstance(node, Const) and isinstance(node.value, str) and self.option_of and named:
            assert isinstance(subject, Name | Follow)
            return self.quoted(self.option_of(subject.entity, subject.name, node.value))
        return self.grouped_value(node)

    def call(self, node: Call) -> str:
        operation, arguments = node.operation, node.arguments
        if node.type.kind == "boolean" and (
            operation in _COMPARED or operation in _SAME or operation in ("and", "or", "not")
        ):
            return self.claim(node)
        if operation in _SILENT:
            return self.say(arguments[0])
        if operation in ("add", "sub") and node.type.kind == "date" and isinstance(arguments[1], Const):
            days = Const(DURATION, arguments[1].value * DAY)
            return f"{self.say(arguments[0])} {_SIGNS[operation]} {self.say(days)}"
        if operation in _SIGNS:
            return f" {_SIGNS[operation]} ".join(self.grouped_value(each) for each in arguments)
        if operation == "neg":
            return f"−{self.grouped_value(arguments[0])}"
        if operation == "if":
            condition, then, otherwise = self.claim(arguments[0]), self.say(arguments[1]), self.say(arguments[2])
            return self.pick(f"{condition}时为 {then},否则为 {otherwise}", f"{then} if {condition}, else {otherwise}")
        if operation == "coalesce":
            return self.pick("(为空则取 ", " (if empty, ").join(map(self.say, arguments)) + ")" * (len(arguments) - 1)
        if operation in ("start_of", "end_of"):
            name = f"{operation}_{node.static[0]}"
        else:
            name = _NAMES.get(operation, operation)
        known = FUNCTIONS.get(name)
        spoken = (
            next((alias for alias in known.aliases if not alias.isascii()), name)
            if known and self.language != "en"
            else name
        )
        given = [
            each for each in arguments if not (isinstance(each, Variable) and each.name in ("timezone", "calendar"))
        ]
        return f"{spoken}({', '.join(map(self.say, given))})"

    def aggregate(self, node: Aggregate) -> str:
        rows = self.path(node.path)
        if node.value is not None and node.function != "all":
            field = self.say(node.value)
            rows = self.pick(f"{rows}的{field}", f"{field} of {rows}")
        if node.where is not None:
            condition = self.claim(node.where)
            rows = self.pick(f"{rows}(其中{condition})", f"{rows} where {condition}")
        said = self.word(_AGGREGATES[node.function]).format(rows)
        if node.function == "all" and node.value is not None:
            said = self.pick(f"{said}都满足:{self.claim(node.value)}", f"{said}, {self.claim(node.value)}")
        return said

    def path(self, steps: tuple[Step, ...]) -> str:
        names = [self.quoted(self.label_of(step.entity, step.name)) for step in steps]
        return self.pick("的".join(names), " of ".join(reversed(names)))

    def constant(self, type: Type, value: Any) -> str:
        if value is None:
            return self.pick("空", "empty")
        if isinstance(value, bool):
            return self.pick("是", "yes") if value else self.pick("否", "no")
        if isinstance(value, tuple):
            return self.pick(" 或 ", " or ").join(self.constant(type.item or type, each) for each in value)
        match type.kind:
            case "number":
                return self.number(type, value)
            case "date":
                return date_text(value) or str(value)
            case "duration":
                return self.duration(type, value)
        return self.quoted(value) if isinstance(value, str) else str(value)

    def number(self, type: Type, value: int) -> str:
        text = number_text(value * (100 if type.unit == "percent" else 1), type.scale)
        if type.scale:
            text = text.rstrip("0").rstrip(".")
        return f"{text}%" if type.unit == "percent" else text

    def duration(self, type: Type, value: int) -> str:
        if type.unit == "workdays":
            return self.pick(f"{value} 个工作日", f"{value} working days")
        if type.unit == "workhours":
            hours = number_text(value * 100 // (DAY // 24), 2).rstrip("0").rstrip(".")
            return self.pick(f"{hours} 个工作小时", f"{hours} working hours")
        for size, name in _UNITS:
            if value % size == 0 and value:
                return f"{value // size}{self.pick(' ', '')}{self.word(name)}"
        return f"{number_text(value, 6)}{self.word(_UNITS[-1][1])}"
