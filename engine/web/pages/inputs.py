"""Fields as controls: from a field of the app and its value to an `Input` that a widget macro draws.

Which macro draws it is the field type's own word (`Field.widget`); the registry of macros stands in `widgets.html`.  A new
field type with a new widget is one class and one macro; nothing here knows the list of types.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from engine.app import App, EntityApp
from engine.fields import Field
from engine.fields.choice import Choosing
from engine.fields.files import Attached
from engine.fields.lookup import Linking
from engine.fields.money import SIGNS
from engine.forms.entry import always_required
from engine.problems import Problem
from engine.reading import Lens
from engine.web.pages.cells import Cell, Titles, address, cell, file_ids, is_number, shown
from engine.web.pages.filters import Option
from engine.web.pages.frame import Words, icon_of

# Drawn in a box of their own, so that their name is no <label> of one control.
GROUPED = ("multiselect", "children", "files", "file", "image", "signature", "readonly")
# What is typed into these always fits, or the browser's own control sees to it.
_UNCHECKED = ("text", "longtext", "date", "datetime", "json")
WIDE = ("textarea", "children", "json", "image", "files", "address")


@dataclass(frozen=True)
class Input:
    """One control. `name` is the path of its value in the form (`lines.0.amount`), `id` its place on the page.

    `bare` is a control inside a table, which names it; `text` is the title of the record a lookup holds; `blank` is the
    template of a new row.  `source`, `autofill`, `create` and `upload` are addresses that its script asks; `check` says that
    whether a text fits is worth asking while it is typed.
    """

    name: str
    id: str
    label: str
    widget: str
    value: str = ""
    text: str = ""
    help: str = ""
    required: bool = False
    readonly: bool = False
    hidden: bool = False
    errors: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    candidates: tuple[Option, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    affix: str = ""
    wide: bool = False
    grouped: bool = False
    bare: bool = False
    number: bool = False
    files: tuple[Cell, ...] = ()
    many: bool = False
    accept: str = ""
    cell: Cell | None = None
    source: str = ""
    autofill: str = ""
    create: str = ""
    upload: str = ""
    check: bool = False
    columns: tuple["Input", ...] = ()
    rows: tuple["InputRow", ...] = ()
    blank: "InputRow | None" = None
    why: str = ""  # where it says why it may not be changed


@dataclass(frozen=True)
class InputRow:
    """A row of a table that is edited with its parent; `id` is empty for a new one."""

    name: str
    id: str
    inputs: tuple[Input, ...]
    errors: tuple[str, ...] = ()


@dataclass
class Draft:
    """What a form holds: JSON values by field, and the texts that could not be read, by path.

    `candidates` are the records that a typed name may mean.
    """

    values: dict[str, Any]
    typed: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    candidates: dict[str, list[Option]] = field(default_factory=dict)


class Inputs:
    """Makes the inputs of one form."""

    def __init__(self, app: App, titles: Titles, draft: Draft, t: Words, *, creating: bool, prefix: str = "") -> None:
        """`prefix` keeps the ids of this form apart from those of another on the same page."""
        self.app, self.titles, self.draft, self.t, self.prefix = app, titles, draft, t, prefix
        self.creating = creating
        self.errors: dict[str, list[str]] = {}
        for problem in draft.problems:
            self.errors.setdefault(problem.path, []).append(_sentence(problem, t.language))
        self.used: set[str] = set()

    def unplaced(self) -> list[Problem]:
        """The problems that belong to no input of the form."""
        return [problem for problem in self.draft.problems if problem.path not in self.used]

    def input(
        self,
        model: EntityApp,
        name: str,
        values: Mapping[str, Any],
        *,
        writable: bool,
        path: str = "",
        bare: bool = False,
    ) -> Input:
        """The control of one field; `values` are the JSON values of its record."""
        each = model.fields[name]
        path = path or name
        language = self.t.language
        self.used.add(path)
        base = Input(
            path,
            f"{self.prefix}f-{path}".replace(".", "-"),
            model.labels[name][language],
            "readonly" if not writable else each.widget,
            help=each.help[language] if each.help else "",
            required=writable and each.required,
            errors=tuple(self.errors.get(path, ())),
            wide=each.widget in WIDE,
            grouped=(each.widget if writable else "readonly") in GROUPED,
            bare=bare,
            number=is_number(each),
        )
        value = values.get(name)
        if not writable:
            known = cell(self.app, model, name, value, self.titles, language)
            return replace(base, cell=None if each.type == "autonumber" and value is None else known, wide=False)
        if isinstance(each, Attached):
            return self._files(base, model, name, each, value)
        if isinstance(each, Linking):
            return self._lookup(base, model, name, each, value)
        if isinstance(each, Choosing):
            return self._choice(base, each, value)
        if each.type == "boolean":
            return self._boolean(base, each, value)
        if each.type == "children":
            return self._children(base, model, name, value)
        return replace(
            base,
            value=self.draft.typed.get(path, typed_text(each, value, language)),
            affix=_affix(each),
            attributes=_attributes(each),
            check=each.type not in _UNCHECKED,
        )

    def _choice(self, base: Input, each: Choosing, value: Any) -> Input:
        chosen = value if isinstance(value, list) else [value] if value is not None else []
        # A retired option stays where it was chosen.
        keys = [key for key in each.keys if key in each.offered or key in chosen]
        options = tuple(Option(key, each.option_label(key, self.t.language), key in chosen) for key in keys)
        return replace(base, options=options, value="" if isinstance(value, list) or value is None else str(value))

    def _boolean(self, base: Input, each: Field, value: Any) -> Input:
        if not each.required:
            return replace(base, value="true" if value else "false")
        # It must be answered: an unticked box would be no answer.
        options = (Option("true", self.t("yes"), value is True), Option("false", self.t("no"), value is False))
        return replace(base, widget="select", options=options)

    def _lookup(self, base: Input, model: EntityApp, name: str, each: Linking, value: Any) -> Input:
        id = "" if value is None else str(value)
        title = self.titles.title(each.target, id) if id else None
        target = self.app.entities[each.target]
        icon = (
            icon_of(target.definition.icon)
            if target.definition and target.definition.icon
            else "user"
            if each.target == "user"
            else ""
        )
        fills = getattr(each, "autofill", {})
        place = address(self.app.name, model.name)
        return replace(
            base, value=id, text=self.draft.typed.get(base.name, title or ""), affix=icon, source=f"{place}/choices?field={name}",
            autofill=f"{place}/autofill?field={name}" if fills else "", create=self._creates(target), candidates=tuple(self.draft.candidates.get(base.name, ())),
        )  # fmt: skip

    def _creates(self, target: EntityApp) -> str:
        """Where a record that a lookup lacks is made on the way; empty where that cannot be."""
        title = target.fields[target.title]
        lens = self.titles.lens
        may = not self.prefix and not target.system and target.part_of is None and lens.may(target.name, "create")
        writable = may and target.title in lens.writable(target.name, "create") and not title.derived
        return address(self.app.name, target.name, "quick") if writable else ""

    def _files(self, base: Input, model: EntityApp, name: str, each: Attached, value: Any) -> Input:
        files = tuple(self.titles.file(id) for id in file_ids(value))
        accept = ",".join(f".{ending}" for ending in each.endings)
        # The browser cannot know of files that are already there, so it must not demand one.
        return replace(base, files=files, many=each.most > 1, accept="image/*" if each.widget == "image" else accept,
            upload=address(self.app.name, model.name, "files", name))  # fmt: skip

    def _children(self, base: Input, model: EntityApp, name: str, value: Any) -> Input:
        entity, lookup = model.relations[name]
        child = self.app.entities[entity]
        names = self.child_fields(entity, lookup)
        rows = []
        for index, values in enumerate(value or ()):
            at = f"{base.name}.{index}"
            inputs = tuple(
                self.input(child, each, values, writable=writable, path=f"{at}.{each}", bare=True)
                for each, writable in names
            )
            self.used.add(at)
            rows.append(InputRow(at, str(values.get("id") or ""), inputs, tuple(self.errors.get(at, ()))))
        at = f"{base.name}.{{row}}"
        begun = row_defaults(child)
        inputs = tuple(
            self.input(child, each, begun, writable=writable, path=f"{at}.{each}", bare=True)
            for each, writable in names
        )
        blank = InputRow(at, "", inputs)
        return replace(base, columns=blank.inputs, rows=tuple(rows), blank=blank)

    def child_fields(self, entity: str, lookup: str) -> list[tuple[str, bool]]:
        """The fields of a row, and whether each may be written."""
        lens = self.titles.lens
        visible, model = lens.fields(entity), self.app.entities[entity]
        writable = lens.writable(entity, "create" if self.creating else "update")
        own = model.definition.fields if model.definition else {}
        return [
            (name, name in writable)
            for name in visible
            if name in own
            and name != lookup
            and visible[name].widget not in ("children", "json")
            and not name.endswith(("_detail", "_band"))
        ]


def row_defaults(child: EntityApp) -> dict[str, Any]:
    """What a new row begins with, as JSON values."""
    found = {}
    for name, each in child.fields.items():
        if each.stored and not each.derived and (stored := each.default_value()) is not None:
            found[name] = each.to_json(stored)
    return found


def quick_fields(lens: Lens, model: EntityApp) -> list[str]:
    """What a new record cannot be without: its title, and what must be filled and no default fills."""
    writable = lens.writable(model.name, "create")
    needed = always_required({name: each for name, each in lens.fields(model.name).items() if name in writable})
    title = [model.title] if model.title in writable and not model.fields[model.title].derived else []
    return [*title, *(name for name in lens.fields(model.name) if name in needed and name not in title)]


def typed_text(each: Field, value: Any, language: str) -> str:
    """A JSON value as its control holds it: what `Field.read` would read again."""
    if value is None:
        return ""
    match each.type:
        case "date":
            return str(value)
        case "datetime":
            return shown(each, value, language).replace(" ", "T")
        case "json":
            return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
        case "money":
            return shown(each.model_copy(update={"currency": None}), value, language)
        case _:
            return shown(each, value, language)


def _affix(each: Field) -> str:
    if each.type == "money":
        currency = getattr(each, "currency", None) or ""
        return SIGNS.get(currency, currency)
    return ""


def _attributes(each: Field) -> dict[str, str]:
    """What the browser may check before anything is sent; the server checks it again."""
    found: dict[str, str] = {}
    if each.type in ("text", "longtext"):
        longest = each.json_schema().get("maxLength")
        if longest:
            found["maxlength"] = str(longest)
    if each.type == "region":
        found["list"] = f"regions-{getattr(each, 'levels', 2)}"
    return found


def _sentence(problem: Problem, language: str) -> str:
    hint = problem.hint(language)
    return f"{problem.message(language)} {hint}".strip()


def record_ids(model: EntityApp, values: Mapping[str, Any], names: Iterable[str]) -> Sequence[str]:
    """The names of those fields of a form that point to records or files."""
    return [
        name for name in names if isinstance(model.fields[name], (Linking, Attached)) and values.get(name) is not None
    ]
