"""From plain data to `AppDefinition`: every departure from the vocabulary at once, each with its place and remedy.

Pydantic does the validation.  Its errors name paths with parts that are not in the text (which member of a union it
tried, which validator); these are dropped.  Several errors at one place are one problem.
"""

import types
from collections.abc import Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from engine.definition.model import AppDefinition
from engine.definition.source import KeyPath, Source
from engine.fields import Field, field_types
from engine.problems import Label, Patch, Problem
from engine.registry import nearest
from engine.words import catalogue

_EXPECTED = {
    "string_type": Label("文本", "a text"),
    "bool_type": Label("true 或 false", "true or false"),
    "bool_parsing": Label("true 或 false", "true or false"),
    "int_type": Label("整数", "a whole number"),
    "int_parsing": Label("整数", "a whole number"),
    "int_from_float": Label("整数", "a whole number"),
    "float_type": Label("数字", "a number"),
    "float_parsing": Label("数字", "a number"),
    "decimal_type": Label("数字", "a number"),
    "decimal_parsing": Label("数字", "a number"),
    "dict_type": Label("键值对", "keys with values"),
    "model_type": Label("键值对", "keys with values"),
    "model_attributes_type": Label("键值对", "keys with values"),
    "list_type": Label("列表", "a list"),
    "tuple_type": Label("列表", "a list"),
    "set_type": Label("列表", "a list"),
}
_LIMITS = {
    "greater_than": ("ge", "大于 {gt} 的数", "a number above {gt}"),
    "greater_than_equal": ("ge", "不小于 {ge} 的数", "a number of at least {ge}"),
    "less_than": ("lt", "小于 {lt} 的数", "a number below {lt}"),
    "less_than_equal": ("le", "不大于 {le} 的数", "a number of at most {le}"),
    "string_pattern_mismatch": ("pattern", "符合 {pattern} 的文本", "a text that matches {pattern}"),
    "string_too_long": ("max_length", "至多 {max_length} 个字的文本", "a text of at most {max_length} characters"),
    "too_short": ("min_length", "至少 {min_length} 项", "at least {min_length} entries"),
    "too_long": ("max_length", "至多 {max_length} 项", "at most {max_length} entries"),
}
# Words that rooms use for what they expect, where they do not bring a text of their own.
_WORDS = {
    "text": Label("文本,或 {zh, en}", "a text, or {zh, en}"),
    "expression": Label("表达式", "an expression"),
    "color": Label("颜色,如 #1b5cad", "a colour such as #1b5cad"),
    "day": Label("日期,如 2026-12-31", "a day such as 2026-12-31"),
    "origin": Label(
        "网站地址,如 https://www.example.com,不带路径",
        "the origin of a site, such as https://www.example.com, without a path",
    ),
    "duration": Label("带单位的时长,如 3 workdays", "a duration with its unit, such as 3 workdays"),
    "field": Label("字段", "a field"),
    "card": Label("卡片", "a card"),
}


def shaped(source: Source) -> AppDefinition | None:
    """The definition; None if the data has not its shape, and then `source.problems` say why."""
    if source.tree is None:
        return None
    try:
        return AppDefinition.model_validate(source.data)
    except ValidationError as error:
        found: dict[tuple[KeyPath, str], Problem] = {}
        for each in error.errors(include_url=False, include_input=False):
            path, problem = _problem(source, each)
            found.setdefault((path, "wrong-shape" if problem.code == "missing-key" else problem.code), problem)
        source.problems.extend(found.values())
        return None


def _problem(source: Source, error: Any) -> tuple[KeyPath, Problem]:
    kind, context, loc = error["type"], error.get("ctx", {}), error["loc"]
    if kind == "missing" and source.value(loc) is not None:
        loc = (*loc, "type")  # said of a whole field: it has no type
    absent = kind == "missing"
    path = _path(source, loc, absent)
    value = source.value(path)
    key = str(path[-1]) if path else ""
    if kind in ("extra_forbidden", "unknown_key"):
        if kind == "unknown_key":  # raised beside a map, of which it names one key
            key = str(context["name"])
            path = (*path, key)
        return path, _unknown_key(source, path, key)
    if absent:
        parent = path[:-1]
        added = next((parent[:end] for end in range(len(parent), 0, -1) if parent[:end] in source.added), None)
        if added is not None:
            known = source.value(added[:-1])
            near = (
                nearest(str(added[-1]), [each for each in known if each != added[-1]])
                if isinstance(known, Mapping)
                else None
            )
            return added, _made(source, added, "override-lost", {"key": added[-1], "nearest": near}, at_key=True)
        return path, _made(source, path, "missing-key", {"key": key}, at_key=True)
    if kind == "unit_missing":
        return path, _made(source, path, "unit-missing", {"value": value})
    if kind == "unknown_type":
        name = str(context["name"])
        where = (*path, "type") if isinstance(value, Mapping) else path
        near = field_types.nearest(name)
        patch = source.patch(where, near) if near else None
        return where, _made(source, where, "unknown-type", {"name": name, "nearest": near}, (patch,) if patch else ())
    if kind == "unknown_card":
        near = context["nearest"]
        patch = source.patch((*path, "kind"), near) if near else None
        return (*path, "kind"), _made(source, (*path, "kind"), "unknown-card", context, (patch,) if patch else ())
    if kind == "literal_error":
        options = _options(context["expected"])
        listed = "、".join(options), ", ".join(options)
        near = nearest(str(value), options)
        return path, _made(
            source,
            path,
            "wrong-shape",
            {"expected": Label(f"{listed[0]} 之一", f"one of {listed[1]}"), "nearest": near},
        )
    code = kind.replace("_", "-")
    if code in catalogue() and code != "wrong-shape":
        return path, _made(source, path, code, context)
    if kind in _LIMITS:
        _, zh, en = _LIMITS[kind]
        expected = Label(zh.format(**context), en.format(**context))
    elif kind == "wrong_shape":
        word = str(context.get("expected", ""))
        expected = _WORDS.get(word, Label.of(word))
    else:
        expected = _EXPECTED.get(kind, Label.of(error["msg"]))
    return path, _made(source, path, "wrong-shape", {"expected": expected})


def _made(
    source: Source,
    path: KeyPath,
    code: str,
    parameters: Mapping[str, Any],
    patches: tuple[Patch, ...] = (),
    at_key: bool = False,
) -> Problem:
    value = source.value(path)
    dotted = ".".join(map(str, path))
    plain = value if isinstance(value, (str, int, float, bool)) else None
    return Problem(code, dotted, parameters, value=plain, place=source.place(path, key=at_key), patches=patches)


def _unknown_key(source: Source, path: KeyPath, key: str) -> Problem:
    near = nearest(
        key, [name for name in keys_at(source.data, path[:-1]) if name not in (source.value(path[:-1]) or ())]
    )
    place = source.place(path, key=True)
    patches = (Patch(place, len(key), near),) if near else ()
    return Problem(
        "unknown-key", ".".join(map(str, path)), {"key": key, "nearest": near}, value=key, place=place, patches=patches
    )


def _path(source: Source, loc: tuple[str | int, ...], absent: bool) -> KeyPath:
    """`loc` without the parts that are not in the text. With `absent`, the last part is a key that is not there."""
    data, path = source.data, []
    for index, part in enumerate(loc):
        if absent and index == len(loc) - 1:
            path.append(part)
        elif _has(data, part):
            data = data[part]
            path.append(part)
    return tuple(path)


def _has(data: Any, part: str | int) -> bool:
    if isinstance(data, list):
        return isinstance(part, int) and part < len(data)
    return isinstance(data, Mapping) and part in data


def _options(expected: str) -> list[str]:
    return [word.strip(" '") for word in expected.replace(" or ", ", ").split(",") if word.strip(" '")]


def keys_at(data: Any, path: KeyPath) -> list[str]:
    """The keys of the vocabulary for the map at `path`; empty where the definition makes up its own."""
    kind: Any = AppDefinition
    for part in path:
        data = (
            data[part]
            if isinstance(data, Mapping) and part in data
            else data[part]
            if isinstance(data, list) and isinstance(part, int)
            else None
        )
        kind = _inner(kind, part)
        if isinstance(kind, type) and kind is Field and isinstance(data, Mapping):
            kind = field_types.get(str(data.get("type"))) or Field
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [info.alias or name for name, info in kind.model_fields.items()]
    return ["zh", "en"] if kind is Label else []


def _inner(kind: Any, part: str | int) -> Any:
    """The annotation of what stands at `part` inside a value of the annotation `kind`."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        info = next((info for name, info in kind.model_fields.items() if part in (info.alias, name)), None)
        return _bare(info.annotation) if info else None
    arguments = get_args(kind)
    if get_origin(kind) is dict or get_origin(kind) is Mapping:
        return _bare(arguments[1])
    return _bare(arguments[0]) if arguments else None


def _bare(annotation: Any) -> Any:
    """The annotation without Annotated and None; of a union, the member that is a map."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        members = [_bare(each) for each in get_args(annotation) if each is not type(None)]
        maps = [
            each
            for each in members
            if get_origin(each) is dict or (isinstance(each, type) and issubclass(each, BaseModel))
        ]
        return (maps or members)[0]
    return annotation
