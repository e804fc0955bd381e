"""A value as people read it: from the JSON value of a record to a `Cell` that a template draws.

A cell says what kind of thing it is (a tag, a link, a person, a score), never how it looks.  Values that point to other
records are read with their titles: `Titles` collects every id of a page and asks for the titles of one entity at once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from engine.app import App, EntityApp
from engine.columns import MAX_STORED, days
from engine.fields import Field, Invalid
from engine.fields.choice import Choosing
from engine.fields.files import Attached
from engine.fields.formula import Following
from engine.fields.lookup import Linking
from engine.fields.money import SIGNS
from engine.problems import Problem
from engine.reading import Lens
from engine.web.pages.frame import Words
from engine.web.pages.moments import day_words, moment_words

Kind = Literal[
    "empty",
    "hidden",
    "text",
    "long",
    "number",
    "tag",
    "tags",
    "link",
    "outside",
    "person",
    "score",
    "yes",
    "no",
    "files",
]
NUMBERS = ("integer", "number", "money", "percent")
COLORS = {"accent": "acc", "neutral": "", "red": "red", "yellow": "yellow", "green": "green"}


@dataclass(frozen=True)
class Cell:
    """`width` is the percentage of a bar, `note` small print such as a file's size, `key` what a form sends back."""

    kind: Kind
    text: str = ""
    href: str = ""
    color: str = ""
    items: tuple["Cell", ...] = ()
    width: int = 0
    note: str = ""
    key: str = ""


EMPTY = Cell("empty")
HIDDEN = Cell("hidden")  # points to a record that is not for the reader
# Answers file ids with cells: name, size, address.
FileNames = Callable[[Iterable[str]], Mapping[str, Cell]]


@dataclass(frozen=True)
class Row:
    """A record in a table: its address and its cells in the order of the columns."""

    href: str
    cells: tuple[Cell, ...]
    number: str = ""
    key: str = ""  # id and version, for what is done with several rows
    id: str = ""
    pips: Any = None  # how far it is with its next gate: a Pips of engine/web/pages/pips.py


@dataclass(frozen=True)
class Column:
    name: str
    label: str
    number: bool = False
    href: str = ""  # sorts the list by this column
    direction: Literal["", "ascending", "descending"] = ""
    edit: bool = False  # whether its cells may be changed where they stand


class Titles:
    """The titles of records that values point to, and the names of files: found by entity, one question each."""

    def __init__(self, lens: Lens, r: Any, file_names: FileNames | None = None) -> None:
        self.lens, self.r = lens, r
        self._found: dict[str, dict[int, str]] = {}
        self._files: dict[str, Cell] = {}
        self._file_names = file_names

    @cached_property
    def today(self) -> int:
        """The day in the app's time zone."""
        return self.lens.app.calendar.local_day(self.lens.view.clock.now())

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.lens.app.definition.calendar.timezone)

    def of(self, entity: str, records: Iterable[Mapping[str, Any]], names: Iterable[str]) -> "Titles":
        """Find what these fields of these records point to."""
        return self.of_all([(entity, list(records), names)])

    def of_all(self, asked: Iterable[tuple[str, Sequence[Mapping[str, Any]], Iterable[str]]]) -> "Titles":
        """The same for several kinds of records together: one question for each entity that any of them points to."""
        wanted: dict[str, set[int]] = {}
        files: set[str] = set()
        for entity, records, names in asked:
            fields = self.lens.fields(entity)
            for name in names:
                field = fields.get(name)
                if isinstance(field, Linking):
                    ids = {number for record in records if (number := id_in(record.get(name))) is not None}
                    wanted.setdefault(field.target, set()).update(ids)
                elif isinstance(field, Attached):
                    files.update(id for record in records for id in file_ids(record.get(name)))
        for target, ids in wanted.items():
            known = self._found.setdefault(target, {})
            missing = ids - known.keys()
            if missing:
                known |= self.lens.titles(self.r, target, missing)
        if files and self._file_names:
            self._files |= self._file_names(files - self._files.keys())
        return self

    def title(self, entity: str, id: str | None) -> str | None:
        """None for a record that is gone or not to be seen."""
        number = id_in(id)
        return None if number is None else self._found.get(entity, {}).get(number)

    def file(self, id: str) -> Cell:
        return self._files.get(id, Cell("text", id, key=id))


def id_in(value: Any) -> int | None:
    """The id that a value names; None for none, and for what somebody put into a form in place of one."""
    text = str(value)
    fits = text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= MAX_STORED
    return int(text) if fits else None


def file_ids(value: Any) -> list[str]:
    """The ids in the JSON value of a field that holds files."""
    if value is None:
        return []
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def file_size(size: int) -> str:
    """4.1 MB, as people say it."""
    if size >= 1_000_000:
        return f"{size / 1_000_000:.1f} MB"
    return f"{max(1, size // 1000)} KB"


def address(*parts: str) -> str:
    return "/" + "/".join(quote(part, safe="") for part in parts)


def label_of(model: EntityApp, name: str, language: str) -> str:
    return model.labels[name][language]


def brief(value: float, t: Words, field: Field) -> str:
    """A sum as people say it: ¥61.2 万, ¥1.3 亿, ¥612K; below ten thousand in full."""
    sign = SIGNS.get(getattr(field, "currency", None) or "", "")
    sizes = (10**8, 10**4) if t.language == "zh" else (10**6, 10**3)
    for size, code in zip(sizes, ("sum-large", "sum-small"), strict=True):
        if abs(value) >= size:
            figure = f"{value / size:.{0 if abs(value) >= 100 * size else 1}f}".removesuffix(".0")
            return sign + t(code, figure=figure)
    return f"{sign}{value:,.2f}".removesuffix(".00")


def is_number(field: Field) -> bool:
    return kept_type(field) in NUMBERS


def kept_type(field: Field) -> str:
    """The type of a field's values: of what is computed, that of the result."""
    return field.kept.type if isinstance(field, Following) else field.type


def shown(field: Field, value: Any, language: str) -> str:
    """The words of a JSON value; the value itself if it no longer fits its field."""
    if value is None:
        return ""
    try:
        return field.show(field.parse(value), language)
    except (Invalid, TypeError, ValueError):
        return str(value)


def cell(app: App, model: EntityApp, name: str, value: Any, titles: Titles, language: str) -> Cell:
    """One field of one record. A value that may not be seen comes as null, like an empty one."""
    field = model.fields[name]
    if value is None or value == [] or value == "":
        return EMPTY
    if isinstance(field, Linking):
        return _pointing(app, field, str(value), titles)
    if isinstance(field, Attached):
        files = tuple(titles.file(id) for id in file_ids(value))
        return Cell("files", shown(field, value, language), items=files)
    if isinstance(field, Choosing):
        keys = value if isinstance(value, list) else [value]
        tags = tuple(_tag(field, str(key), language) for key in keys)
        return tags[0] if field.type == "choice" else Cell("tags", "、".join(tag.text for tag in tags), items=tags)
    text = shown(field, value, language)
    match kept_type(field):
        case "boolean":
            return Cell("yes" if value else "no", text)
        case "score":
            return Cell("score", _round(value), color=score_color(app, model, name, value), width=_share(value))
        case "longtext":
            return Cell("long", text)
        case "datetime":
            return Cell("text", text[:16])  # seconds say nothing to people
        case "email":
            return Cell("link", text, f"mailto:{value}")
        case "phone":
            return Cell("link", text, f"tel:{value}")
        case "url":
            return Cell("outside", text, str(value))
        case _:
            return Cell("number" if is_number(field) else "text", text)


def _pointing(app: App, field: Linking, id: str, titles: Titles) -> Cell:
    title = titles.title(field.target, id)
    if title is None:
        return HIDDEN
    target = app.entities[field.target]
    if target.name == "user":
        return Cell("person", title, key=id)
    if target.system:
        return Cell("text", title, key=id)
    return Cell("link", title, address(app.name, target.name, id), key=id)


def _tag(field: Choosing, key: str, language: str) -> Cell:
    option = field.options.get(key)
    color = COLORS.get(option.color or "neutral", "") if option else ""
    return Cell("tag", field.option_label(key, language), color=color, key=key)


def score_color(app: App, model: EntityApp, name: str, value: Any) -> str:
    """The colour of the band a score falls into; neutral where no band names one."""
    score = next((each for each in app.scores.values() if each.entity == model.name and each.field == name), None)
    band = score.band(model.fields[name].parse(value)) if score else None
    return COLORS.get(band.color or "neutral", "") if band else ""


def _round(value: Any) -> str:
    number = float(value)
    return f"{number:.1f}".removesuffix(".0")


def _share(value: Any) -> int:
    return max(0, min(100, round(float(value))))


def timed(app: App, model: EntityApp, name: str, value: Any, titles: Titles, language: str) -> Cell | None:
    """A day or an instant as people say it, where it stands among many others; None for any other value."""
    kind = kept_type(model.fields[name])
    if value is None or kind not in ("date", "datetime"):
        return None
    try:
        if kind == "date":
            return Cell("text", day_words(days(date.fromisoformat(value)), titles.today, Words(language)), note=value)
        local = datetime.fromisoformat(value).astimezone(titles.zone)
        return Cell("text", moment_words(local, titles.today, Words(language)), note=local.strftime("%Y-%m-%d %H:%M"))
    except ValueError:
        return None


def row(
    app: App,
    model: EntityApp,
    columns: Sequence[Column],
    record: Mapping[str, Any],
    titles: Titles,
    language: str,
    pips: Any = None,
) -> Row:
    cells = tuple(
        timed(app, model, column.name, record.get(column.name), titles, language)
        or cell(app, model, column.name, record.get(column.name), titles, language)
        for column in columns
    )
    number = record.get("number") if "number" not in [column.name for column in columns] else None
    return Row(
        address(app.name, model.name, record["id"]),
        cells,
        str(number or ""),
        f"{record['id']}.{record.get('version', '')}",
        str(record["id"]),
        pips,
    )


def problem_of(error: Invalid, path: str, label: Any) -> Problem:
    """What is wrong with a value, at its place in a form."""
    return Problem(error.code, path, {"label": label, **error.parameters})
