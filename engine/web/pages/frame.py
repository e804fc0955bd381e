"""What every page is drawn with: the templates, the words in the reader's language, the frame around the content.

Templates are compiled once.  Nothing in them computes: a page hands them plain values (cells, inputs, stages, needs), so
that the look can be changed without touching what is true.  There is no inline script or style anywhere; static files carry
the hash of their content in their address, so browsers keep them for ever.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from engine.problems import Problem
from engine.words import catalogue

HERE = Path(__file__).parent.parent
STATIC = HERE / "static"
LANGUAGES = (("zh", "中文"), ("en", "English"))
THEMES = ("auto", "light", "dark")
DENSITIES = ("compact", "default", "roomy")
WEEKDAYS = {"zh": "周一 周二 周三 周四 周五 周六 周日".split(), "en": "Mon Tue Wed Thu Fri Sat Sun".split()}
# What a phone's bar and a menu show for an entity whose definition names no icon, or one that is not drawn.
PLAIN_ICON = "table"


@dataclass(frozen=True)
class Link:
    """A place to go: `current` when one is there."""

    label: str
    href: str
    icon: str = ""
    name: str = ""
    current: bool = False
    count: str | None = None
    post: bool = False  # a button that does something, not a place


@dataclass(frozen=True)
class MenuGroup:
    """Entities under one heading of the menu; `open` unless the definition or the reader closed it."""

    name: str
    label: str
    links: tuple[Link, ...]
    open: bool = True


@dataclass(frozen=True)
class Shell:
    """The frame of a page inside an app. `current` is an entity's name, `""` for the home page, `~me` for one's own.

    `bar` are the entities in a phone's bar: there is room for three.
    """

    app: str
    home: str
    me: str
    find: str
    person: str
    team: str
    current: str
    menu: tuple[MenuGroup, ...]
    bar: tuple[Link, ...]
    apps: tuple[Link, ...]
    help: str
    live: str
    manifest: str
    notices: str
    unread: str
    starred: tuple[Link, ...] = ()


class Words:
    """The words of the pages in one language: `t("save")`, `t("count", count=3)`."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, code: str, **parameters: Any) -> str:
        text = catalogue()[f"ui-{code}"][self.language]
        return text.format(**parameters) if parameters else text


@dataclass(frozen=True)
class Said:
    """A problem in the reader's words."""

    message: str
    hint: str
    path: str
    code: str


def said(problems: Iterable[Problem], language: str) -> list[Said]:
    """Problems as pages show them: each wording once."""
    found = (Said(p.message(language), p.hint(language), p.path, p.code) for p in problems)
    return list({(each.message, each.path): each for each in found}.values())


@cache
def static_version() -> str:
    """A short hash of all static files: part of their addresses."""
    mark = hashlib.sha256()
    for path in sorted(STATIC.iterdir()):
        if path.is_file():
            mark.update(path.name.encode() + b"\0" + path.read_bytes())
    return mark.hexdigest()[:12]


@cache
def icons() -> frozenset[str]:
    """The names of the icons in the sprite."""
    text = (STATIC / "icons.svg").read_text(encoding="utf-8")
    return frozenset(part.split('"', 1)[0] for part in text.split('<symbol id="i-')[1:])


def icon_of(name: str | None) -> str:
    return name if name in icons() else PLAIN_ICON


def first_letter(name: str) -> str:
    """What stands in the round picture of a person."""
    return (name.strip()[:1] or "?").upper()


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        keep_trailing_newline=False,
    )
    made.filters["first_letter"] = first_letter
    made.globals["static"] = lambda name: f"/static/{static_version()}/{name}"
    made.globals["t"] = _t
    made.globals["languages"] = LANGUAGES
    return made


@pass_context
def _t(context: Context, code: str, **parameters: Any) -> str:
    text = catalogue()[f"ui-{code}"][context["language"]]
    return text.format(**parameters) if parameters else text


# Every template may ask for these.
_ALWAYS: Mapping[str, Any] = {
    "theme": "",
    "density": "default",
    "keys": "on",
    "csrf": "",
    "shell": None,
    "problems": (),
    "note": "",
    "undo": None,
}


def draw(template: str, language: str, values: Mapping[str, Any]) -> str:
    """The HTML of a page. Macros see `language`, `csrf` and the like through the context of the page."""
    return environment().get_template(template).render({**_ALWAYS, "language": language, **values})
