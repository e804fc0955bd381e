"""Which column of a file goes where, as a person chooses it on a page: suggested first, then as the form says.

What was chosen is kept by the names of the columns, so that it still holds for the same file mended and uploaded again.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from starlette.datastructures import FormData

from engine.app import EntityApp
from engine.exchange import ImportMapping, suggest
from engine.exchange.cells import as_text
from engine.exchange.mapping import Column, Step, Takeover
from engine.exchange.tables import Table
from engine.fields import Field, Invalid
from engine.fields.base import DateOrder
from engine.fields.files import Attached
from engine.problems import Problem
from engine.reading import Lens
from engine.web.pages.filters import Option
from engine.web.pages.frame import Words

LOOKED_AT = 500  # rows from which the page shows values and tells how dates are written
SHOWN = 3
LONGEST_SHOWN = 40  # characters
ID, STAGE = "id", "stage"
ORDERS: tuple[DateOrder, ...] = ("ymd", "mdy", "dmy")
# Values by which a record can be told from others.
TELLING = ("text", "phone", "email", "url", "integer", "number", "money", "date", "datetime", "choice", "lookup", "user", "team")  # fmt: skip
_HEADER = re.compile(r"header\.([0-9]{1,4})")


@dataclass(frozen=True)
class Choice:
    """What is chosen for one column. `field` is empty for a column that is left out, `dates` where nobody was asked."""

    field: str = ""
    dates: str = ""
    key: bool = False


@dataclass(frozen=True)
class Chosen:
    """What is chosen for a file: by the headers of its columns, and what becomes of likely duplicates."""

    columns: Mapping[str, Choice] = field(default_factory=dict)
    duplicates: Literal["flag", "refuse"] = "flag"


@dataclass(frozen=True)
class ColumnView:
    """A column as the page shows it. `orders` are the ways its dates may be read; empty where there is no doubt."""

    index: int
    header: str
    seen: tuple[str, ...]
    options: list[Option]
    orders: list[Option]
    key: bool
    errors: tuple[str, ...] = ()


def chosen_in(form: FormData | None) -> Chosen:
    """What a form says of columns; nothing is chosen where it is silent."""
    columns = {}
    for name, header in form.multi_items() if form is not None else ():
        found = _HEADER.fullmatch(name)
        if found and form is not None and isinstance(header, str) and header:
            said = [str(form.get(f"{part}.{found[1]}", "")) for part in ("to", "dates", "key")]
            columns[header] = Choice(said[0], said[1] if said[1] in ORDERS else "", bool(said[2]))
    refuse = form is not None and form.get("duplicates") == "refuse"
    return Chosen(columns, "refuse" if refuse else "flag")


def importable(lens: Lens, model: EntityApp) -> dict[str, Field]:
    """The fields that a column may fill: those that the person writes, the record's own number, the stage of a process."""
    writable = lens.writable(model.name, "create") | lens.writable(model.name, "update")
    found: dict[str, Field] = {}
    if lens.may(model.name, "update"):
        found[ID] = model.fields[ID]
    if model.processes and (lens.may(model.name, "transition") or lens.principal.administrator):
        found[STAGE] = model.fields[STAGE]
    return found | {
        name: each
        for name, each in model.fields.items()
        if name in writable and each.stored and name in model.columns and not isinstance(each, Attached)
    }


def lacking(lens: Lens, model: EntityApp, chosen: Chosen) -> list[str]:
    """The fields that a new record needs and that no column and no default fills."""
    filled = {each.field for each in chosen.columns.values()}
    able = lens.writable(model.name, "create")
    return [
        name
        for name, each in model.fields.items()
        if each.required
        and name in able
        and name not in filled
        and each.default is None
        and each.dynamic_default is None
    ]


class Mapped:
    """A table with what was chosen for it: completed with what its headers suggest."""

    def __init__(self, lens: Lens, model: EntityApp, table: Table, said: Chosen, t: Words) -> None:
        self.lens, self.model, self.table, self.t = lens, model, table, t
        self.fields = importable(lens, model)
        self.rows = [line.cells for line in islice(table.lines(), LOOKED_AT)]
        found = suggest(lens, model, table.headers)
        step, self.headers = found.step, [header for header in table.headers if header and not found.own(header)]
        suggested = {header: columns[0].field or "" for header, columns in step.columns.items()}
        if step.stage is not None:
            suggested[step.stage.column] = STAGE
        # What was chosen before keeps its word; only the other columns are guessed.
        taken = {said.columns[header].field for header in self.headers if header in said.columns}
        self.chosen = Chosen(
            {
                header: said.columns.get(header) or self._guess(suggested.get(header, ""), step.key, taken)
                for header in self.headers
            },
            said.duplicates,
        )
        self.orders = {header: self._orders(header) for header in self.headers}

    def _guess(self, name: str, key: Sequence[str], taken: set[str]) -> Choice:
        return Choice(name, key=name in key) if name in self.fields and name not in taken else Choice()

    def cells(self, header: str) -> Iterable[Any]:
        position = self.table.headers.index(header)
        return (row[position] for row in self.rows if row[position] != "")

    def _orders(self, header: str) -> dict[DateOrder, str]:
        """How the dates of a column may be read, the likeliest first: each order with an example that tells it apart."""
        each = self.fields.get(self.chosen.columns[header].field)
        if each is None or each.type not in ("date", "datetime"):
            return {}
        texts = list(dict.fromkeys(cell for cell in self.cells(header) if isinstance(cell, str)))
        readings = {order: [_reading(each, text, order) for text in texts] for order in ORDERS}
        fits = [order for order in ORDERS if all(value is not None for value in readings[order])]
        fits = fits or sorted(ORDERS, key=lambda order: readings[order].count(None))
        doubtful = next(
            (place for place in range(len(texts)) if len({readings[order][place] for order in fits}) > 1), None
        )
        if doubtful is None:
            return {fits[0]: ""}
        shown = {order: readings[order][doubtful] for order in fits}
        return {
            order: "" if value is None else f"{texts[doubtful]} → {each.show(value, self.t.language)[:10]}"
            for order, value in shown.items()
        }

    def order(self, header: str) -> DateOrder | None:
        """How the dates of a column are read; None for a column without dates."""
        orders = self.orders[header]
        said = self.chosen.columns[header].dates
        return next((order for order in orders if order == said), next(iter(orders), None))

    @property
    def unasked(self) -> bool:
        """Whether a column has dates of which nobody has said how they are written, though it is doubtful."""
        return any(len(self.orders[header]) > 1 and not self.chosen.columns[header].dates for header in self.headers)

    def wrong(self) -> dict[str, list[Problem]]:
        """What cannot be as it is chosen, by header; under the empty one what concerns the whole file."""
        found: dict[str, list[Problem]] = {}
        first: dict[str, str] = {}
        for header in self.headers:
            choice = self.chosen.columns[header]
            if not choice.field:
                continue
            label = self.model.labels.get(choice.field)
            if choice.field not in self.fields:
                found.setdefault(header, []).append(
                    Problem("import-field-unknown", header, {"entity": self.model.label, "name": choice.field[:60], "nearest": None})
                )  # fmt: skip
            elif choice.field in first:
                parameters = {"label": label, "header": first[choice.field]}
                found.setdefault(header, []).append(Problem("import-column-taken", header, parameters))
            elif choice.key and not self._tells(choice.field):
                found.setdefault(header, []).append(Problem("import-key-unfit", header, {"label": label}))
            first.setdefault(choice.field, header)
        if not first:
            found[""] = [Problem("import-none-chosen", "", {"entity": self.model.label})]
        return found

    def _tells(self, name: str) -> bool:
        return name == ID or (name != STAGE and self.fields[name].type in TELLING)

    def mapping(self) -> ImportMapping:
        columns, stage, key = {}, None, []
        for header in self.headers:
            choice = self.chosen.columns[header]
            if choice.field == STAGE:
                stage = Takeover(column=header)
            elif choice.field:
                columns[header] = (Column(field=choice.field, dates=self.order(header)),)
                key += [choice.field] if choice.key else []
            else:
                columns[header] = (Column(ignore=True),)
        step = Step(
            entity=self.model.name, columns=columns, stage=stage, key=tuple(key), duplicates=self.chosen.duplicates
        )
        return ImportMapping(steps=(step,))

    def header_of(self, name: str) -> str:
        """The column that fills a field; empty if none does."""
        return next((header for header, each in self.chosen.columns.items() if each.field == name), "")

    def views(self, wrong: Mapping[str, Sequence[Problem]]) -> list[ColumnView]:
        found = []
        for index, header in enumerate(self.headers):
            choice, chosen_order = self.chosen.columns[header], self.order(header)
            texts = dict.fromkeys(as_text(cell).strip() for cell in self.cells(header))
            orders = self.orders[header]
            found.append(
                ColumnView(
                    index,
                    header,
                    tuple(_short(text) for text in islice(texts, SHOWN)),
                    [Option(name, self.model.labels[name][self.t.language], name == choice.field) for name in self.fields],
                    [Option(each, self._order_words(each, example), each == chosen_order) for each, example in orders.items()]
                    if len(orders) > 1
                    else [],
                    choice.key,
                    tuple(each.message(self.t.language) for each in wrong.get(header, ())),
                )
            )  # fmt: skip
        return found

    def _order_words(self, order: DateOrder, example: str) -> str:
        words = {"ymd": self.t("import-ymd"), "mdy": self.t("import-mdy"), "dmy": self.t("import-dmy")}[order]
        return self.t("import-order", order=words, example=example) if example else words


def _reading(each: Field, text: str, order: DateOrder) -> Any:
    try:
        return each.read(text, order)
    except (Invalid, ValueError, OverflowError):
        return None


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_SHOWN else f"{line[: LONGEST_SHOWN - 1]}…"
