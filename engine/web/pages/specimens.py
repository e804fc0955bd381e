"""The design system on one page: every part that pages are made of, in every state, light beside dark.

It is drawn with the very macros of the pages (`parts.html`, `widgets.html`, `gate.html`), so it cannot differ from them; a test
fails when a macro or a widget has no specimen.  `dougong docs` writes it into the reference.  What the specimens say is
about a carpenter's yard: no app is like it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.problems import Label, Language
from engine.web.pages.cells import EMPTY, HIDDEN, Cell, Column, Row
from engine.web.pages.events import Difference, Event, Step
from engine.web.pages.filters import Option
from engine.web.pages.frame import STATIC, Link, environment, icons
from engine.web.pages.inputs import Input, InputRow

# Where the written page stands, seen from there.
_STATIC_FROM_REFERENCE = "../../engine/web/static/"
THEMES = ("light", "dark")


def design_system(language: Language) -> str:
    """The page as HTML. It needs nothing but the style sheets beside the code."""
    say = _Say(language)
    own = environment().overlay()
    own.globals = {**own.globals, "static": _beside}
    sprite = (STATIC / "icons.svg").read_text(encoding="utf-8")
    values: Mapping[str, Any] = {
        "themes": THEMES, "language": language, "csrf": "", "theme": "", "density": "default", "shell": None, "problems": (), "note": "", "say": say,
        "sprite": sprite.replace("<svg ", '<svg class="dg-sprite" ', 1), "icon_names": sorted(icons()),
        "cells": _cells(say), "columns": _columns(say), "rows": _rows(say), "inputs": {theme: _inputs(say, theme) for theme in THEMES}, "demands": {theme: _gates(say, theme) for theme in THEMES},
        "stages": _stages(say), "scores": _scores(say), "events": _events(say), "hints": _hints(say), "files": _files(say),
        "wrong": _problems(say), "back": {"action": "#", "fields": {"batch": "1"}}, "links": (Link(say("重样构件", "Alike"), "#", "merge", count="3"), Link(say("废料", "Scrap"), "#", "trash")), "reasons": (Option("a", say("缝隙过大", "The joint gapes"), True), Option("b", say("木料开裂", "The wood split"), False)),
    }  # fmt: skip
    return own.get_template("specimens.html").render(values) + "\n"


def _beside(name: str) -> str:
    # A file that is opened from a disk may not refer to the shapes in another one: they stand in the page.
    return "" if name == "icons.svg" else _STATIC_FROM_REFERENCE + name


class _Say:
    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, zh: str, en: str) -> str:
        return Label(zh, en)[self.language]


def _cells(say: _Say) -> tuple[tuple[str, Cell], ...]:
    tags = tuple(
        Cell("tag", text, color=color)
        for text, color in (
            (say("待料", "Waiting"), ""),
            (say("合缝", "Fits"), "green"),
            (say("偏紧", "Tight"), "yellow"),
            (say("断榫", "Broken"), "red"),
            (say("选中", "Chosen"), "acc"),
        )
    )
    return (
        ("empty", EMPTY),
        ("hidden", HIDDEN),
        ("text", Cell("text", say("柱头铺作", "Column bracket set"))),
        ("long", Cell("long", say("第一行。\n第二行接着说。", "A first line.\nA second goes on."))),
        ("number", Cell("number", "1,280.50")),
        ("tag", tags[1]),
        ("tags", Cell("tags", items=tags)),
        ("link", Cell("link", say("飞昂", "Flying lever"), "#")),
        ("outside", Cell("outside", "example.com", "https://example.com/")),
        ("person", Cell("person", say("鲁木匠", "Lu"), key="1")),
        ("score", Cell("score", "81", color="green", width=81)),
        ("yes", Cell("yes", say("有", "Yes"))),
        ("no", Cell("no", say("无", "No"))),
        ("files", Cell("files", items=_files(say))),
    )


def _files(say: _Say) -> tuple[Cell, ...]:
    return (
        Cell("text", say("大样图.pdf", "detail.pdf"), "#", note="4.1 MB", key="1"),
        Cell("text", say("合缝照.jpg", "joint.jpg"), "#", color="image", note="812 KB", key="2"),
    )


def _columns(say: _Say) -> tuple[Column, ...]:
    return (
        Column("piece", say("构件", "Piece")),
        Column("wood", say("树种", "Wood")),
        Column("fit", say("松紧", "Fit")),
        Column("weight", say("分量", "Weight"), number=True),
        Column("by", say("匠人", "Carpenter")),
    )


def _rows(say: _Say) -> tuple[Row, ...]:
    made = (
        (say("栌斗", "Base block"), say("楠木", "Nanmu"), Cell("tag", say("合缝", "Fits"), color="green"), "12.5"),
        (say("华栱", "Transverse arm"), say("杉木", "Fir"), Cell("tag", say("偏紧", "Tight"), color="yellow"), "8.0"),
        (say("昂", "Lever"), "", Cell("tag", say("断榫", "Broken"), color="red"), "21.3"),
    )
    return tuple(
        Row(
            "#",
            (Cell("text", name), Cell("text", wood) if wood else EMPTY, fit, Cell("number", weight), Cell("person", say("鲁木匠", "Lu"))),
            f"G-{number:03}",
            f"{number}.1",
        )
        for number, (name, wood, fit, weight) in enumerate(made, 1)
    )  # fmt: skip


def _inputs(say: _Say, theme: str) -> tuple[tuple[str, tuple[Input, ...]], ...]:
    """Per widget: filled and with its help, then empty and wrong; the ids are of one theme, since both stand on the page."""
    wood = tuple(
        Option(key, label, key == "fir")
        for key, label in (("fir", say("杉木", "Fir")), ("nanmu", say("楠木", "Nanmu")))
    )
    two = tuple(replace(each, chosen=True) for each in wood)
    name, help, wrong = (
        say("构件", "Piece"),
        say("照图样上写的", "As on the drawing"),
        say("这里必须填写。", "This must be given."),
    )
    lines: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("text", say("栌斗", "Base block"), {}),
        ("textarea", say("先开榫，再修缝。", "Cut the tenon, then dress the joint."), {"wide": True}),
        ("number", "12.5", {}),
        ("money", "1,280.00", {"affix": "¥"}),
        ("percent", "35%", {}),
        ("date", "2026-03-02", {}),
        ("datetime", "2026-03-02T09:30", {}),
        ("duration", "3 workdays", {}),
        ("phone", "138 0013 8000", {}),
        ("email", "lu@example.com", {}),
        ("url", "https://example.com", {}),
        ("address", say("木匠巷 3 号", "3 Carpenters' Lane"), {"wide": True}),
        ("location", "30.27415, 120.15515", {}),
        ("region", "", {}),
        ("json", '{"joint": "dovetail"}', {"wide": True}),
        ("select", "fir", {"options": wood}),
        ("multiselect", "", {"options": two, "grouped": True}),
        ("lookup", "1", {"text": say("飞昂", "Flying lever"), "source": "#"}),
        ("user", "1", {"text": say("鲁木匠", "Lu"), "affix": "user", "source": "#"}),
        ("team", "1", {"text": say("大木作", "Framing"), "affix": "users", "source": "#"}),
        ("files", "", {"files": _files(say), "many": True, "grouped": True, "wide": True}),
        ("file", "", {"files": _files(say)[:1], "grouped": True}),
        ("image", "", {"files": _files(say)[1:], "grouped": True, "wide": True, "accept": "image/*"}),
        ("signature", "", {"files": (), "grouped": True}),
    )
    made: list[tuple[str, tuple[Input, ...]]] = []
    for widget, value, more in lines:
        full = Input(widget, f"{theme}-{widget}", name, widget, value=value, help=help, **more)
        blank = replace(
            full, id=f"{theme}-{widget}-bad", value="", text="", files=(), required=True, errors=(wrong,),
            options=tuple(replace(each, chosen=False) for each in full.options),
        )  # fmt: skip
        made.append((widget, (full, blank)))
    tick = Input("tick", f"{theme}-tick", say("已上漆", "Lacquered"), "checkbox", value="true", help=help)
    made.append(("checkbox", (tick, replace(tick, id=f"{theme}-tick-off", value="", help=""))))
    known = Input("known", f"{theme}-known", name, "readonly", cell=Cell("text", "G-001"), grouped=True)
    made.append(("readonly", (known, replace(known, id=f"{theme}-known-next", cell=None))))
    made.append(("children", (_table(say, theme),)))
    return tuple(made)


def _table(say: _Say, theme: str) -> Input:
    def id(at: str, name: str) -> str:
        return f"{theme}-{at}-{name}".replace(".", "-")

    def cells(at: str, piece: str, count: str, wrong: tuple[str, ...] = ()) -> InputRow:
        name = Input(
            f"{at}.piece", id(at, "piece"), say("构件", "Piece"), "text", value=piece, bare=True, required=True
        )
        many = Input(
            f"{at}.count", id(at, "count"), say("根数", "Count"), "number", value=count, bare=True, number=True, errors=wrong
        )  # fmt: skip
        return InputRow(at, "", (name, many))

    rows = (
        cells("parts.0", say("栌斗", "Base block"), "4"),
        cells("parts.1", say("昂", "Lever"), "x", (say("「x」不是数字。", '"x" is no number.'),)),
    )
    blank = cells("parts.{row}", "", "")
    return Input(
        "parts",
        f"{theme}-parts",
        say("料单", "Parts"),
        "children",
        grouped=True,
        wide=True,
        columns=blank.inputs,
        rows=rows,
        blank=blank,
    )


def _gates(say: _Say, theme: str) -> tuple[dict[str, Any], ...]:
    def need(met: bool, label: str, have: str = "", who: str = "", action: str = "", **more: Any) -> dict[str, Any]:
        return {"met": met, "label": label, "have": have, "who": who, "action": action, "field": "x", **more}

    carpenter = say("由大木作提供", "Framing provides it")
    fill = Input("length", f"{theme}-gate-length", say("榫长", "Tenon length"), "number", required=True)
    shut = (
        need(
            False,
            say("合缝照", "Picture of the joint"),
            say("1 / 3 张", "1 of 3"),
            carpenter,
            "upload",
            many=True,
            accept=".jpg,.png",
        ),
        need(False, say("榫长", "Tenon length"), "", carpenter, "fill", input=fill),
        need(False, say("试装过", "Tried for fit"), "", say("由掌墨师傅确认", "The master confirms"), "tick"),
        need(
            False,
            say("两根备料", "Two spare pieces"),
            "0 / 2",
            carpenter,
            "add",
            href="#",
            words=say("加一根", "Add one"),
        ),
        need(False, say("树种写明", "Wood is named"), "", carpenter, "edit", href="#"),
        need(True, say("大样图", "Detail drawing"), "1 / 1"),
    )
    common = {
        "stage": say("开榫", "Joinery"),
        "target": say("试装", "Assembly"),
        "href": "#",
        "after": "#",
        "version": 1,
    }
    met = [replaced | {"met": True, "action": ""} for replaced in shut]
    return (
        {**common, "missing": 5, "met": 1, "all": 6, "needs": shut},
        {**common, "missing": 0, "met": 6, "all": 6, "needs": met},
    )


def _stages(say: _Say) -> tuple[tuple[str, tuple[Step, ...]], ...]:
    names = (say("备料", "Timber"), say("开榫", "Joinery"), say("试装", "Assembly"), say("立架", "Raising"))
    days = say("{} 天", "{} d")
    going = (
        Step(names[0], "done", days.format(3)),
        Step(names[1], "now", days.format(9), late=True, blocked=True, title=say("超过 5 天", "Over 5 days")),
        Step(names[2], "empty"),
        Step(names[3], "empty"),
    )
    won = tuple(Step(name, "won" if name == names[-1] else "done", days.format(2)) for name in names)
    lost = (going[0], Step(names[1], "lost", say("弃用", "Given up")), *going[2:])
    return ((say("进行中", "Going on"), going), (say("完成", "Finished"), won), (say("放弃", "Given up"), lost))


def _scores(say: _Say) -> tuple[dict[str, Any], ...]:
    bands = ({"at": 40}, {"at": 75})
    parts = (
        {"label": say("木纹顺直", "Straight grain"), "text": "+28", "width": 28, "color": "green", "rest": False},
        {"label": say("含水合适", "Dryness"), "text": "+12", "width": 12, "color": "", "rest": False},
        {"label": say("虫眼", "Worm holes"), "text": "−9", "width": 9, "color": "red", "rest": False},
        {"label": say("未测", "Not measured"), "text": "0", "width": 0, "color": "", "rest": True},
    )
    whole = {
        "label": say("木料成色", "Quality of the wood"),
        "bands": bands,
        "parts": parts,
        "tries": (),
        "rule": "",
        "name": "",
    }
    return (
        {**whole, "value": 81, "text": "81", "width": 81, "band": say("上材", "Best"), "color": "green", "next": ""},
        {**whole, "value": 52, "text": "52", "width": 52, "band": say("中材", "Fair"), "color": "yellow", "next": say("再得 23 分为上材", "23 more for best")},
        {**whole, "value": 18, "text": "18", "width": 18, "band": say("下材", "Poor"), "color": "red", "next": say("再得 22 分为中材", "22 more for fair")},
        {**whole, "value": None, "text": "", "width": 0, "band": "", "color": "", "next": ""},
    )  # fmt: skip


def _events(say: _Say) -> tuple[Event, ...]:
    lu, at = say("鲁木匠", "Lu"), "2026-03-02T09:52:00+08:00"
    changes = (
        Difference(say("榫长", "Tenon length"), "60", "72"),
        Difference(say("成色", "Quality"), None, "81", say("由评分重算", "worked out anew")),
    )
    return (
        Event(lu, say("从开榫退回备料", "sent it back to Timber"), say("今天 09:52", "today 09:52"), at, "undo", "red", say("木料开裂", "The wood split")),
        Event(lu, say("改了 2 项", "changed 2 values"), say("昨天 17:40", "yesterday 17:40"), at, "edit", "", "", changes),
        Event(lu, say("建立", "made it"), say("3月1日 08:00", "2026-03-01 08:00"), at, "plus", "green"),
    )  # fmt: skip


def _hints(say: _Say) -> tuple[dict[str, Any], ...]:
    alike = {"label": say("昂（旧料）", "Lever (old timber)"), "href": "#", "merge": "#", "distinct": "#"}
    plain = {"label": say("斗口八分", "Module of eight"), "href": "#", "merge": "", "distinct": ""}
    return (
        {
            "level": "warning",
            "icon": "copy",
            "words": say("可能与这一件重复：", "May be the same as:"),
            "records": (alike,),
        },
        {"level": "info", "icon": "info", "words": say("同一开间还有：", "Of the same bay:"), "records": (plain,)},
    )


def _problems(say: _Say) -> tuple[dict[str, str], ...]:
    return (
        {
            "message": say("榫长大于木料。", "The tenon is longer than the piece."),
            "hint": say("请量过再填。", "Measure again."),
        },
        {"message": say("还没有写树种。", "The wood is not named."), "hint": ""},
    )
