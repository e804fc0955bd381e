"""Conditions and values in words, as far as a problem needs them: "「金额」不小于 60000"."""

from decimal import Decimal
from typing import Any

from engine.columns import day, moment, unscaled
from engine.definition.facts import Facts
from engine.expressions.tree import Call, Const, Follow, Name, Node, render
from engine.expressions.types import Type
from engine.problems import Label

_SIGNS = {"lt": ("小于", "below"), "le": ("不大于", "at most"), "gt": ("大于", "above"), "ge": ("不小于", "at least")}
_OPPOSITE = {"lt": "ge", "ge": "lt", "le": "gt", "gt": "le"}
_MIRRORED = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le"}


def value_text(type: Type, value: Any, facts: Facts | None = None, field: tuple[str, str] | None = None) -> Label:
    """A stored value for people. `field` is where a choice's options have their labels."""
    if value is None:
        return Label("空", "empty")
    if isinstance(value, bool):
        return Label("是", "yes") if value else Label("否", "no")
    if type.kind == "number":
        number = unscaled(value, type.scale) * (100 if type.unit == "percent" else 1)
        text = plain(number) + ("%" if type.unit == "percent" else "")
        return Label.of(text)
    if type.kind == "date":
        return Label.of(day(value).isoformat())
    if type.kind == "datetime":
        return Label.of(moment(value).isoformat(sep=" ", timespec="minutes"))
    if type.kind == "choice" and facts is not None and field is not None:
        options = getattr(facts.field(*field), "options", None) or {}
        label = getattr(options.get(value), "label", None)
        return label if isinstance(label, Label) else Label.of(str(value))
    return Label.of(str(value))


def plain(number: Decimal) -> str:
    return f"{number.normalize():f}" if number else "0"


def name_of(facts: Facts, node: Node) -> Label | None:
    """The quoted label of the field that a node is; None for other nodes."""
    if isinstance(node, Name | Follow):
        label = facts.field_label(node.entity, node.name)
        return Label(f"「{label.zh}」", f'"{label.en}"')
    if isinstance(node, Call) and node.operation == "widen":
        return name_of(facts, node.arguments[0])
    return None


def compared(node: Node, truth: bool) -> tuple[str, Node, Const] | None:
    """`(sign, value, constant)` of a comparison with a constant, turned so that the value stands left and it is true."""
    if not isinstance(node, Call) or node.operation not in _SIGNS:
        return None
    sign = node.operation if truth else _OPPOSITE[node.operation]
    left, right = node.arguments
    if isinstance(right, Const):
        return sign, left, right
    if isinstance(left, Const):
        return _MIRRORED[sign], right, left
    return None


def said(facts: Facts, node: Node, truth: bool = True) -> Label:
    """What a condition demands; where it is no plain comparison, its text."""
    found = compared(node, truth)
    if found is not None:
        sign, value, constant = found
        name = name_of(facts, value)
        if name is not None:
            zh, en = _SIGNS[sign]
            text = value_text(constant.type, constant.value)
            return Label(f"{name.zh}{zh} {text.zh}", f"{name.en} must be {en} {text.en}")
    if isinstance(node, Call):
        if node.operation == "not":
            return said(facts, node.arguments[0], not truth)
        first = name_of(facts, node.arguments[0]) if node.arguments else None
        if first is not None and node.operation == "is_null":
            return (
                Label(f"{first.zh}为空", f"{first.en} must be empty")
                if truth
                else Label(f"{first.zh}不为空", f"{first.en} must be filled")
            )
        if first is not None and node.operation == "eq" and isinstance(node.arguments[1], Const):
            owner = node.arguments[0]
            where = (owner.entity, owner.name) if isinstance(owner, Name | Follow) else None
            text = value_text(node.arguments[1].type, node.arguments[1].value, facts, where)
            does = ("为", "must be") if truth else ("不为", "must not be")
            return Label(f"{first.zh}{does[0]} {text.zh}", f"{first.en} {does[1]} {text.en}")
    name = name_of(facts, node)
    if name is not None:
        return Label(f"{name.zh}为{'是' if truth else '否'}", f"{name.en} must be {'yes' if truth else 'no'}")
    written = render(node)
    return Label.of(written if truth else f"not {written}")
