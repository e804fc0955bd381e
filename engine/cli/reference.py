"""The reference pages, written from the registries and shapes themselves: what they say is what the engine does."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from engine.cli.meanings import meaning

NOTE = "<!-- Written by `dougong docs`; edit the code it is made from instead. -->\n"


def pages() -> dict[str, str]:
    """File name -> its text: Markdown, and the design system as HTML."""
    from engine.cli.api_reference import api_page
    from engine.cli.problem_reference import hazards_page, problems_page
    from engine.web.pages.specimens import design_system

    return {
        "definition.md": definition_page(),
        "field-types.md": field_types_page(),
        "cards.md": cards_page(),
        "functions.md": functions_page(),
        "problems.md": problems_page(),
        "hazards.md": hazards_page(),
        "mapping.md": mapping_page(),
        "api.md": api_page(),
        "commands.md": commands_page(),
        "settings.md": settings_page(),
        "design-system.html": design_system("zh"),
        "design-system.en.html": design_system("en"),
    }


def definition_page() -> str:
    """Every key of the definition language, shape by shape from the root down."""
    from engine.definition.model import AppDefinition

    lines = [
        "# Definition language",
        "",
        NOTE,
        "The keys of an app package, from the root down. 应用定义的全部键。",
        "",
        "`dougong schema -o dougong.schema.json` writes the same for editors that complete and underline.",
        "",
        *_shape_tables(AppDefinition),
        "Fields of an entity: see [field types](field-types.md). Cards of a home: see [cards](cards.md). Expressions: see [functions](functions.md).",
    ]
    return "\n".join(lines) + "\n"


def mapping_page() -> str:
    """Every key of a mapping file for imports."""
    from engine.exchange.mapping import ImportMapping

    lines = [
        "# Mapping files",
        "",
        NOTE,
        "The keys of a mapping file for `dougong import --mapping`. 导入映射文件的全部键。",
        "",
        *_shape_tables(ImportMapping),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _shape_tables(root: type[BaseModel]) -> list[str]:
    lines: list[str] = []
    for shape in shapes_below(root):
        lines += _shape_table(shape)
    return lines


def _shape_table(shape: type[BaseModel]) -> list[str]:
    head = [f"## {shape.__name__}", "", _doc(shape), "", "| Key | Value | Default | Meaning |", "|---|---|---|---|"]
    return [*head, *(_row(shape.__name__, name, info) for name, info in shape.model_fields.items()), ""]


def shapes_below(root: type[BaseModel]) -> list[type[BaseModel]]:
    """A shape and all that it mentions, each before what it mentions itself; field types are left out."""
    found: list[type[BaseModel]] = []
    waiting = [root]
    while waiting:
        shape = waiting.pop(0)
        if shape not in found:
            found.append(shape)
            mentioned = [each for info in shape.model_fields.values() for each in _shapes(info.annotation)]
            waiting = [each for each in mentioned if _is_ours(each)] + waiting
    return found


def field_types_page() -> str:
    from engine.fields import Field, field_types

    lines = ["# Field types", "", NOTE, "Every field has these settings. 所有字段都有的设置:", ""]
    lines += _settings_table(Field, set())
    common, mentioned = set(Field.model_fields), list[type[BaseModel]]()
    lines += ["A type adds its own. `name: text` is short for `name: {type: text}`. 各类型自己的设置:", ""]
    for name, kind in field_types.items():
        lines += [
            f"## {name} · {kind.title.zh}",
            "",
            f"{kind.doc.en} {kind.doc.zh}",
            "",
            "```yaml",
            f"example: {kind.example}",
            "```",
            "",
        ]
        own = _settings_table(kind, common - {"type"} | {"type"})
        lines += own if len(own) > 3 else []
        mentioned += [
            each for info in kind.model_fields.values() for each in _shapes(info.annotation) if _is_ours(each)
        ]
    for shape in dict.fromkeys(mentioned):
        lines += _shape_table(shape)
    return "\n".join(lines).rstrip() + "\n"


def cards_page() -> str:
    """Every kind of card of a home page."""
    from engine.analytics.cards import Card, RecordsCard, card_kinds

    lines = ["# Cards", "", NOTE, "What a home page is made of: `homes.<name>.cards`. 首页由卡片组成。", ""]
    lines += ["Every card has these settings. 所有卡片都有的设置:", ""]
    lines += _settings_table(Card, set())
    lines += ["Cards that show records name a view or an entity, one of them. 显示记录的卡片另有:", ""]
    lines += _settings_table(RecordsCard, set(Card.model_fields))
    common, mentioned = set(RecordsCard.model_fields), list[type[BaseModel]]()
    for name, kind in card_kinds.items():
        about = " Shows records." if issubclass(kind, RecordsCard) else ""
        lines += [f"## {name} · {kind.title.zh}", "", f"{kind.doc.en}{about} {kind.doc.zh}", ""]
        lines += ["```yaml", f"example: {kind.example}", "```", ""]
        own = _settings_table(kind, common)
        lines += own if len(own) > 3 else []
        mentioned += [shape for info in kind.model_fields.values() for shape in _shapes(info.annotation)]
    for shape in dict.fromkeys(mentioned):
        lines += _shape_table(shape)
    return "\n".join(lines).rstrip() + "\n"


def functions_page() -> str:
    from engine.expressions.functions import FUNCTIONS

    lines = [
        "# Functions",
        "",
        NOTE,
        "Names are the same in upper and lower case; full-width signs are accepted. 函数名不分大小写,接受全角标点。",
        "",
    ]
    by_category: dict[str, list[Any]] = {}
    for function in FUNCTIONS.values():
        by_category.setdefault(function.category, []).append(function)
    for category, functions in by_category.items():
        lines += [f"## {category}", "", "| Function | Also | What it does | Examples |", "|---|---|---|---|"]
        for each in sorted(functions, key=lambda one: str(one.name)):
            examples = "<br>".join(f"`{_code(text)}` → `{_code(value)}`" for text, value in each.examples)
            lines.append(
                f"| `{_code(each.signature)}` | {'、'.join(each.aliases)} | {cell(each.doc.en)}<br>{cell(each.doc.zh)} | {examples} |"
            )
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def commands_page() -> str:
    import click
    import typer

    from engine import cli

    root = typer.main.get_command(cli.app)
    lines = ["# Command line", "", NOTE, inspect.cleandoc(cli.__doc__ or "").replace("    ", "    "), ""]

    def visit(command: Any, path: str) -> None:
        if hasattr(command, "commands"):
            for name, inner in command.commands.items():
                visit(inner, f"{path} {name}")
            return
        context = click.Context(command, info_name=path)
        arguments = [each for each in command.params if each.param_type_name == "argument"]
        options = [each for each in command.params if each.param_type_name == "option"]
        shown = " ".join(_argument(each, context) for each in arguments)
        lines.extend(
            [
                f"## {path}",
                "",
                inspect.cleandoc(command.help or ""),
                "",
                "```sh",
                f"{path} {shown}".rstrip() + (" [OPTIONS]" if options else ""),
                "```",
                "",
            ]
        )
        rows = [("`" + ", ".join(each.opts + each.secondary_opts) + "`", each.help or "") for each in options]
        rows = [(f"`{(each.name or '').upper()}`", getattr(each, "help", None) or "") for each in arguments] + rows
        if rows:
            lines.extend(["| | |", "|---|---|", *(f"| {name} | {cell(text)} |" for name, text in rows), ""])

    visit(root, "dougong")
    return "\n".join(lines).rstrip() + "\n"


def settings_page() -> str:
    """The environment variables, with the comments that stand beside them in the code."""
    from engine.web.settings import PREFIX, Settings

    source = inspect.getsource(Settings)
    comments = {found[1]: found[2] for found in re.finditer(r"^    (\w+): .*?  # (.*)$", source, re.MULTILINE)}
    types = get_type_hints(Settings)
    lines = [
        "# Settings",
        "",
        NOTE,
        "Environment variables of the server; options of `dougong serve` go before them. 服务器的环境变量。",
        "",
        _doc(Settings),
        "",
    ]
    lines += ["| Variable | Type | Default | Meaning |", "|---|---|---|---|"]
    for field in fields(Settings):
        default = "" if field.default is MISSING or str(field.default) == "" else f"`{field.default}`"
        lines.append(
            f"| `{PREFIX}{field.name.upper()}` | {types[field.name].__name__} | {default} | {cell(comments.get(field.name, ''))} |"
        )
    return "\n".join(lines) + "\n"


def _settings_table(shape: type[BaseModel], without: set[str]) -> list[str]:
    rows = [_row(shape.__name__, name, info) for name, info in shape.model_fields.items() if name not in without]
    return ["| Setting | Value | Default | Meaning |", "|---|---|---|---|", *rows, ""]


def _row(shape: str, name: str, info: FieldInfo) -> str:
    words = cell(info.description or meaning(shape, name))
    return f"| `{info.alias or name}` | {_kind(info.annotation)} | {_default(info)} | {words} |"


def _shapes(annotation: Any) -> Iterator[type[BaseModel]]:
    """The shapes that a type mentions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        if not isinstance(each, str):
            yield from _shapes(each)


def _is_ours(shape: type[BaseModel]) -> bool:
    from engine.analytics.cards import Card
    from engine.fields import Field

    return not issubclass(shape, Field | Card)


def _kind(annotation: Any) -> str:
    """A type in words: `map of Stage`, `one of forward, return, skip`."""
    from types import NoneType

    from engine.problems import Label
    from engine.shape import FormulaText, SpanValue

    words = {
        str: "text",
        int: "whole number",
        bool: "true or false",
        float: "number",
        Label: "text or {zh, en}",
        FormulaText: "expression",
        SpanValue: "duration",
    }
    words[Any] = "any"
    if getattr(annotation, "__module__", "").startswith("engine.shape") and annotation not in words:
        return ""  # a marker that says how a value is read
    if annotation in words:
        return words[annotation]
    arguments = get_args(annotation)
    origin = getattr(annotation, "__origin__", None)
    name = getattr(annotation, "__name__", str(annotation))
    if not arguments:
        return {"Decimal": "number", "Field": "field", "Card": "[card](cards.md)"}.get(
            name, f"[{name}](#{name.lower()})"
        )
    if str(annotation).startswith("typing.Literal"):
        return "one of " + ", ".join(f"`{each}`" for each in arguments)
    if origin is dict:
        return f"map of {_kind(arguments[1])}"
    if origin in (tuple, list, frozenset):
        inner = _kind(arguments[0])
        return f"{inner}, or a list" if inner == "text" else f"list of {inner}"
    parts = [_kind(each) for each in arguments if each is not NoneType and not _is_marker(each)]
    return " or ".join(dict.fromkeys(filter(None, parts)))


def _is_marker(argument: Any) -> bool:
    """Whether an argument of Annotated says how a value is read rather than what it is."""
    return not isinstance(argument, type) and not get_args(argument) and argument is not Any


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "**required**"
    default = info.get_default(call_default_factory=False) if info.default_factory is None else None
    if default is None or default == () or isinstance(default, BaseModel):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _argument(each: Any, context: Any) -> str:
    name = (each.name or "").upper() + ("..." if each.nargs == -1 else "")
    return name if each.required else f"[{name}]"


def _doc(shape: type) -> str:
    return inspect.cleandoc(shape.__doc__ or "")


def cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _code(text: str) -> str:
    return text.replace("|", "\\|").replace("`", "'")
