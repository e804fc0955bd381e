"""Conditions, choices between values, and emptiness."""

from functools import partial

from engine.expressions import make
from engine.expressions.functions import function as _function
from engine.expressions.tree import Const, Node
from engine.expressions.types import BOOLEAN

function = partial(_function, category="logic")


@function("if 若 如果", "condition:boolean then:same otherwise:same?", "条件成立时取前值,否则取后值(省略则为空)。", "The first value if the condition holds, else the second (empty if left out).",
          ("IF(2 > 1, 'a', 'b')", '"a"'), ("若（1＞2，5，7）", "7"))  # fmt: skip
def choose(condition: Node, then: Node, otherwise: Node | None = None) -> Node:
    return make.chosen(condition, *make.unify((then, otherwise or make.null())))


@function("ifs 若干", "condition:boolean value:same*", "依次为条件、值;取第一个成立的条件的值。末尾可多写一个值作为其余情况。",
          "Conditions and values in turn: the value of the first condition that holds. A last value alone is for all other cases.",
          ("IFS(1 > 2, 'a', 2 > 1, 'b')", '"b"'), ("IFS(1 > 2, 'a', 'other')", '"other"'))  # fmt: skip
def choose_among(*arguments: Node) -> Node:
    *pairs, last = arguments if len(arguments) % 2 else (*arguments, make.null())
    values = make.unify((*pairs[1::2], last))
    found = values.pop()
    for condition, value in reversed(list(zip(pairs[::2], values, strict=True))):
        found = make.chosen(condition, value, found)
    return found


@function("switch 匹配", "value result:same*", "依次为待比的值、结果;取第一个相等者的结果。末尾可多写一个值作为其余情况。",
          "After the value, candidates and results in turn: the result of the first candidate that is equal. A last result alone is for all other cases.",
          ("SWITCH('b', 'a', 1, 'b', 2, 0)", "2"), ("SWITCH('x', 'a', 1, 9)", "9"))  # fmt: skip
def switch(value: Node, *rest: Node) -> Node:
    *pairs, last = rest if len(rest) % 2 else (*rest, make.null())
    results = make.unify((*pairs[1::2], last))
    found = results.pop()
    for candidate, result in reversed(list(zip(pairs[::2], results, strict=True))):
        found = make.chosen(make.equal(*make.unify((value, candidate))), result, found)
    return found


@function(
    "and 且 并且",
    "condition:boolean*",
    "全部条件成立。",
    "All conditions hold.",
    ("AND(1 < 2, 2 < 3)", "true"),
    ("且(真, 假)", "false"),
)
def all_of(*conditions: Node) -> Node:
    return make.both(conditions)


@function(
    "or 或", "condition:boolean*", "至少一个条件成立。", "At least one condition holds.", ("OR(1 > 2, 2 < 3)", "true")
)
def any_of(*conditions: Node) -> Node:
    return make.both(conditions, "or")


@function(
    "not 非",
    "boolean",
    "条件不成立。空视为不成立。",
    "The condition does not hold. Empty counts as not holding.",
    ("NOT(1 > 2)", "true"),
)
def opposite(condition: Node) -> Node:
    return make.negated(condition)


@function(
    "coalesce 或者",
    "value:same*",
    "第一个非空的值。",
    "The first value that is not empty.",
    ("coalesce(null, 0, 5)", "0"),
    ("null or 3", "3"),
)
def coalesce(*values: Node) -> Node:
    return make.first_filled(make.unify(values))


@function("isblank 为空", "value", "是否为空。", "Whether it is empty.", ("ISBLANK('')", "true"), ("为空(0)", "false"))
def is_blank(value: Node) -> Node:
    return make.is_null(value)


@function("filled 已填", "value", "是否非空。", "Whether it is not empty.", ("filled(0)", "true"))
def is_filled(value: Node) -> Node:
    return make.negated(make.is_null(value))


@function(
    "has 含有",
    "choices:set option:text",
    "多选字段是否含有某选项。",
    "Whether a set of choices contains an option.",
    ("has(null, 'a')", "false"),
)
def has(chosen: Node, option: Node) -> Node:
    if isinstance(option, Const) and option.value is None:
        return make.FALSE
    return make.call("has", (chosen, option), BOOLEAN)
