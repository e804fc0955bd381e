"""Conditions that a person puts together himself: a field, an operator in words, a value; said again as an expression.

In an address each is one parameter, `c.1=amount.ge.50000`: those under one number are alternatives of each other, all
numbers must hold.  They become text of the expression language and go the way of every expression, so nothing can be asked
here that could not be asked there.  A condition over a field that does not exist for the reader is left out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.app import EntityApp
from engine.columns import unscaled
from engine.fields import Field, Invalid
from engine.fields.choice import Choosing
from engine.fields.date import read_day
from engine.fields.files import Attached
from engine.fields.lookup import Linking
from engine.reading import Lens
from engine.web.pages.cells import is_number
from engine.web.pages.filters import Option, State, quoted
from engine.web.pages.frame import Words

MOST = 24  # conditions of one list
MOST_GROUPS = 12
LONGEST = 400
_KEY = re.compile(r"c\.([1-9][0-9]?)")

Kind = Literal["text", "options", "boolean", "number", "day", "record", "none"]

_PERIODS: Mapping[str, tuple[str, str]] = {
    "today": ("today()", "today()"),
    "yesterday": ("today() - 1 day", "today() - 1 day"),
    "this_week": ("start_of_week(today())", "end_of_week(today())"),
    "last_week": ("start_of_week(today()) - 7 days", "start_of_week(today()) - 1 day"),
    "next_week": ("end_of_week(today()) + 1 day", "end_of_week(today()) + 7 days"),
    "this_month": ("start_of_month(today())", "end_of_month(today())"),
    "last_month": ("start_of_month(start_of_month(today()) - 1 day)", "start_of_month(today()) - 1 day"),
    "next_month": ("end_of_month(today()) + 1 day", "end_of_month(end_of_month(today()) + 1 day)"),
    "this_quarter": ("start_of_quarter(today())", "end_of_quarter(today())"),
    "this_year": ("start_of_year(today())", "end_of_year(today())"),
    "past_7": ("today() - 7 days", "today()"),
    "past_30": ("today() - 30 days", "today()"),
    "next_7": ("today()", "today() + 7 days"),
    "next_30": ("today()", "today() + 30 days"),
}
_OPERATORS: Mapping[Kind, tuple[str, ...]] = {
    "text": ("contains", "starts", "eq", "ne", "empty", "filled"),
    "options": ("in", "out", "empty", "filled"),
    "boolean": ("yes", "no"),
    "number": ("ge", "le", "eq", "ne", "empty", "filled"),
    "day": ("within", "ge", "le", "eq", "empty", "filled"),
    "record": ("mine", "ours", "named", "empty", "filled"),
    "none": ("empty", "filled"),
}
# What an address holds while a condition is being put together; never kept.
ASKING = ("add", "op", "value", "beside", "day")
_BARE = frozenset({"empty", "filled", "yes", "no", "mine", "ours"})  # those that take no value
_SIGNS = {"ge": ">=", "le": "<=", "eq": "==", "ne": "!="}


@dataclass(frozen=True)
class Criterion:
    """One condition in words, with the address without it."""

    label: str
    verb: str
    words: str
    clear: str
    alternative: str = ""  # the address that asks for another one beside it
    first: bool = True  # of its alternatives


@dataclass(frozen=True)
class Criteria:
    """All conditions of an address: in words, and as the texts of expressions that must all hold.

    `lost` says that one was left out because it means nothing to the reader.
    """

    shown: tuple[Criterion, ...] = ()
    texts: tuple[str, ...] = ()
    lost: bool = False


@dataclass(frozen=True)
class Asking:
    """The question for one more condition: first of which field, then its operator and value.

    `group` is the number under which it will stand. `wrong` says that the value given does not fit.
    """

    group: str
    fields: tuple[tuple[Option, str], ...] = ()
    name: str = ""
    label: str = ""
    kind: Kind = "none"
    operators: tuple[Option, ...] = ()
    options: tuple[Option, ...] = ()
    periods: tuple[Option, ...] = ()
    value: str = ""
    back: str = ""
    close: str = ""
    wrong: bool = False


def kind_of(each: Field) -> Kind:
    if isinstance(each, Linking):
        return "record"
    if isinstance(each, Choosing):
        return "options"
    if each.type == "boolean":
        return "boolean"
    if each.type in ("date", "datetime"):
        return "day"
    if is_number(each) or each.type == "score":
        return "number"
    if isinstance(each, Attached) or each.value_type().kind != "text" or each.type in ("json", "address", "location"):
        return "none"
    return "text"


def askable(lens: Lens, model: EntityApp) -> list[str]:
    """The fields of which something can be asked: the definition's own first."""
    fields = lens.fields(model.name)
    own = model.definition.fields if model.definition else {}
    able = [n for n, each in fields.items() if each.stored and n not in ("id", "version", "deleted_at", "checklist")]
    able = [name for name in able if not name.endswith("_detail")]
    return [*(name for name in able if name in own), *(name for name in able if name not in own)]


def operators_of(each: Field) -> tuple[str, ...]:
    found = _OPERATORS[kind_of(each)]
    if isinstance(each, Linking) and each.target != "user":
        found = tuple(name for name in found if name not in ("mine", "ours"))
    if each.type == "longtext":
        found = ("contains", "empty", "filled")
    return found


def read_criteria(lens: Lens, model: EntityApp, state: State, t: Words) -> Criteria:
    """What the address says. Anything in it that is no condition, or none for this reader, is left out."""
    groups: dict[str, list[str]] = {}
    lost = False
    for key, value in state.parameters:
        found = _KEY.fullmatch(key)
        if found and value and len(value) <= LONGEST and sum(map(len, groups.values())) < MOST:
            groups.setdefault(found[1], []).append(value)
    shown: list[Criterion] = []
    texts = []
    for number in sorted(groups, key=int)[:MOST_GROUPS]:
        parts: list[str] = []
        for value in groups[number]:
            read = _read(lens, model, value, t)
            if read is None:
                lost = True
                continue
            text, label, verb, words = read
            clear = state.without(f"c.{number}", value).url()
            other = state.url(add="", beside=number)
            shown.append(Criterion(label, verb, words, clear, other, not parts))
            parts.append(text)
        if parts:
            texts.append(parts[0] if len(parts) == 1 else "(" + " or ".join(parts) + ")")
    return Criteria(tuple(shown), tuple(texts), lost)


def _read(lens: Lens, model: EntityApp, value: str, t: Words) -> tuple[str, str, str, str] | None:
    """The expression, label, verb and words of one condition; None if it is none."""
    name, _, rest = value.partition(".")
    operator, _, given = rest.partition(".")
    each = lens.fields(model.name).get(name)
    if each is None or not each.stored or operator not in operators_of(each):
        return None
    title = lens.app.entities[each.target].title if isinstance(each, Linking) else ""
    said = _said(each, name, operator, given, title, t)
    if said is None:
        return None
    verb = "is" if kind_of(each) == "options" and operator == "in" else f"op-{operator}"
    if kind_of(each) == "day" and operator in ("ge", "le"):
        verb = "from" if operator == "ge" else "until"
    elif kind_of(each) == "number" and operator in ("ge", "le"):
        verb = "at-least" if operator == "ge" else "at-most"
    return said[0], model.labels[name][t.language], t(verb), said[1]


def _said(each: Field, name: str, operator: str, given: str, title: str, t: Words) -> tuple[str, str] | None:
    """The expression and the value in words; None for a value that does not fit."""
    match operator:
        case "empty":
            return f"{name} is null", ""
        case "filled":
            return f"{name} is not null", ""
        case "yes":
            return name, ""
        case "no":
            return f"not {name}", ""
        case "mine":
            return f"{name} == user", ""
        case "ours":
            return f"({name} == user or {name}.team in user.teams_below)", ""
    given = given.strip()
    if not given:
        return None
    match kind_of(each):
        case "record":
            return f"contains({name}.{title}, {quoted(given)})", given
        case "options":
            return _options(each, name, operator, given, t)
        case "number":
            return _number(each, name, operator, given, t)
        case "day":
            return _day(each, name, operator, given, t)
        case _:
            return _text(name, operator, given), given


def _text(name: str, operator: str, given: str) -> str:
    match operator:
        case "contains":
            return f"contains({name}, {quoted(given)})"
        case "starts":
            return f"starts_with({name}, {quoted(given)})"
        case "ne":
            return f"({name} is null or {name} != {quoted(given)})"
        case _:
            return f"{name} == {quoted(given)}"


def _options(each: Field, name: str, operator: str, given: str, t: Words) -> tuple[str, str] | None:
    assert isinstance(each, Choosing)
    keys = [key for key in each.keys if key in given.split(",")]
    if not keys:
        return None
    words = f" {t('or')} ".join(each.option_label(key, t.language) for key in keys)
    if each.type == "choices":
        some = " or ".join(f"has({name}, {quoted(key)})" for key in keys)
        some = f"({some})" if len(keys) > 1 else some
        return (some if operator == "in" else f"not {some}"), words
    listed = f"[{', '.join(map(quoted, keys))}]"
    return (f"{name} in {listed}" if operator == "in" else f"({name} is null or {name} not in {listed})"), words


def _number(each: Field, name: str, operator: str, given: str, t: Words) -> tuple[str, str] | None:
    try:
        stored = each.read(given)
    except Invalid:
        return None
    if stored is None:
        return None
    literal = unscaled(stored, each.value_type().scale)
    text = f"{name} {_SIGNS[operator]} {literal}"
    return (f"({name} is null or {text})" if operator == "ne" else text), each.show(stored, t.language)


def _day(each: Field, name: str, operator: str, given: str, t: Words) -> tuple[str, str] | None:
    left = f"date({name})" if each.type == "datetime" else name
    if operator == "within":
        if given not in _PERIODS:
            return None
        first, last = _PERIODS[given]
        return f"({left} >= {first} and {left} <= {last})", t(f"period-{given.replace('_', '-')}")
    try:
        known = read_day(given[:10])
    except Invalid:
        known = None
    return None if known is None else (f"{left} {_SIGNS[operator]} date({quoted(given[:10])})", given[:10])


# -- one more ----------------------------------------------------------------------------------------------------------------


def asking(lens: Lens, model: EntityApp, state: State, t: Words) -> Asking | None:
    """The question that the address has open with `add`; None without it."""
    if not any(key == "add" for key, _ in state.parameters):
        return None
    fields = lens.fields(model.name)
    group, name = _group(state), state.get("add")
    plain = State(state.path, tuple((k, v) for k, v in state.parameters if k not in ASKING))
    if name not in askable(lens, model):
        offered = tuple(
            (Option(each, model.labels[each][t.language]), plain.url(add=each, beside=group))
            for each in askable(lens, model)
        )
        return Asking(group, offered, close=plain.url())
    each = fields[name]
    kind = kind_of(each)
    options = [(key, each.option_label(key, t.language)) for key in each.keys] if isinstance(each, Choosing) else []
    given, picked = state.get("value"), state.get("op")
    return Asking(
        group, (), name, model.labels[name][t.language], kind,
        tuple(Option(op, t(_operator_word(kind, op)), op == picked) for op in operators_of(each)),
        tuple(Option(key, label, key in state.all("value")) for key, label in options),
        tuple(Option(key, t(f"period-{key.replace('_', '-')}"), key == given) for key in _PERIODS) if kind == "day" else (),
        given, plain.url(add="", beside=group), plain.url(), wrong=bool(picked),
    )  # fmt: skip


def _operator_word(kind: Kind, operator: str) -> str:
    if operator in ("ge", "le") and kind == "day":
        return "from" if operator == "ge" else "until"
    if operator in ("ge", "le"):
        return "at-least" if operator == "ge" else "at-most"
    return "is" if operator == "in" else f"op-{operator}"


def _group(state: State) -> str:
    """The number under which the next condition stands: one that is named, else a new one."""
    return state.get("beside") or str(
        1 + max((int(f[1]) for k, _ in state.parameters if (f := _KEY.fullmatch(k))), default=0)
    )


def answered(lens: Lens, model: EntityApp, state: State, t: Words) -> str:
    """The address with the condition that a form has asked for; empty if its value does not fit."""
    name, operator = state.get("add"), state.get("op")
    each = lens.fields(model.name).get(name)
    if each is None or operator not in operators_of(each):
        return ""
    values: Sequence[str] = state.all("value")
    given = (
        (state.get("day") or "".join(values[:1]))
        if kind_of(each) == "day" and operator != "within"
        else ",".join(values)
    )
    value = f"{name}.{operator}" + ("" if operator in _BARE else f".{given.strip()}")
    if len(value) > LONGEST or _read(lens, model, value, t) is None:
        return ""
    plain = State(state.path, tuple((k, v) for k, v in state.parameters if k not in ASKING))
    return plain.plus(f"c.{_group(state)}", value).url()
