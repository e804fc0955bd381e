"""Export: what somebody sees through his lens, as a CSV or spreadsheet file.

The same filters, sorts and permissions as a list; only fields that he may see; rows in the order of the list, read page by
page, so that the size of the result costs no memory.  Cells are written so that importing the file again gives equal
records: numbers as numbers, days as days, options and links by name, and a first column with each record's own number.
"""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Literal

import xlsxwriter

from engine.access.principal import Principal
from engine.app import App, EntityApp
from engine.columns import day, moment
from engine.exchange.cells import Reader, reader
from engine.exchange.neutral import neutral
from engine.fields import Field, Invalid
from engine.fields.builtin import IdField
from engine.fields.choice import ChoiceField
from engine.fields.date import DateField
from engine.fields.datetime import DatetimeField
from engine.fields.files import Attached
from engine.fields.formula import Following
from engine.fields.lookup import Linking
from engine.fields.number import Numeric
from engine.fields.percent import PercentField
from engine.fields.scalars import plain
from engine.fields.text import TextLike
from engine.problems import Problem, Refused
from engine.reading import Lens, Query
from engine.runtime import Runtime

PAGE = 1000
_EXACT = (TextLike, ChoiceField, DateField, IdField)
_WIDEST = 10**15  # a spreadsheet's numbers have 15 digits
Progress = Callable[[int, int | None], None]
ExportFormat = Literal["csv", "xlsx"]


@dataclass(frozen=True)
class _Cell:
    """How a field's values are written. `kind` is number, percent, date, moment, boolean or text."""

    name: str
    header: str
    field: Field
    kind: str
    target: str | None = None

    @cached_property
    def read(self) -> Reader:
        """What an import will make of the cell."""
        return reader(self.field, {}, "ymd", None)


class Export:
    """A query, ready to be written out."""

    def __init__(
        self,
        runtime: Runtime,
        app: App,
        principal: Principal,
        entity: str,
        query: Query,
        *,
        headers: Literal["labels", "names"] = "labels",
    ) -> None:
        """Raises Refused: 404 for what he may not see, 403 if he may not export it, 400 for a broken query."""
        self.lens: Lens = runtime.lens(app, principal)
        self.db, self.principal, self.app = runtime.db, principal, app
        self.model: EntityApp = self.lens.view.model(entity)
        if not self.lens.may(entity, "export"):
            with runtime.db.read() as r:
                raise runtime.work(app, principal, r).refused(self.model, "export")
        visible = self.lens.view.chosen(entity, query.fields)
        self.names = (
            tuple(dict.fromkeys(("id", *(name for name in visible if name not in ("id", "version")))))
            if query.fields is None
            else tuple(visible)
        )
        self.query = replace(query, fields=self.names, cursor=None, expand=(), action="export")
        self.cells = [self._cell(name, headers) for name in self.names if self.model.fields[name].stored]

    def _cell(self, name: str, headers: str) -> _Cell:
        field = self.model.fields[name]
        kept = field.kept if isinstance(field, Following) else field
        kind = "text"
        if isinstance(kept, Linking):
            return _Cell(name, self._header(name, headers), kept, "link", self.model.lookups.get(name) or kept.target)
        for kinds, found in (
            (PercentField, "percent"),
            (Numeric, "number"),
            (DateField, "date"),
            (DatetimeField, "moment"),
        ):
            if isinstance(kept, kinds):
                kind = found
                break
        if kept.type == "boolean":
            kind = "boolean"
        return _Cell(name, self._header(name, headers), kept, kind)

    def _header(self, name: str, headers: str) -> str:
        return name if headers == "names" else self.model.labels[name][self.principal.language]

    @property
    def headers(self) -> list[str]:
        """One for each column; names where two labels are the same."""
        labels = [cell.header for cell in self.cells]
        return [cell.header if labels.count(cell.header) == 1 else cell.name for cell in self.cells]

    def pages(self) -> Iterator[list[tuple[Any, ...]]]:
        """Stored values, page by page, with the titles of what links point to instead of their ids."""
        view, lens = self.lens.view, self.lens
        after: list[Any] | None = None
        while True:
            shape = view.list_shape(self.model.name, self.query, self.names, after)
            parameters = {**lens.parameters, **view.filter_values(self.model, self.query), "most": PAGE}
            parameters |= {f"after{i}": value for i, value in enumerate(after or ())}
            with self.db.read() as r:
                rows = r.all(shape.statement, parameters)
                if rows:
                    yield self._named(r, [row[: len(self.cells)] for row in rows])
            if len(rows) < PAGE:
                return
            after = [rows[-1][position] for position in shape.keys]

    def _named(self, r: Any, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        links = [position for position, cell in enumerate(self.cells) if cell.kind == "link"]
        if not links:
            return rows
        titles = {
            position: self.lens.titles(
                r, self.cells[position].target or "", {row[position] for row in rows if row[position] is not None}
            )
            for position in links
        }
        out = []
        for row in rows:
            cells = list(row)
            for position in links:
                if cells[position] is not None:
                    cells[position] = titles[position].get(cells[position]) or str(cells[position])
            out.append(tuple(cells))
        return out

    # -- CSV -----------------------------------------------------------------------------------------------------------

    def csv(self) -> Iterator[bytes]:
        """The file in parts, in UTF-8 that spreadsheets recognise."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow([neutral(header) for header in self.headers])
        yield b"\xef\xbb\xbf" + text.getvalue().encode()
        for rows in self.pages():
            text.seek(0)
            text.truncate()
            writer.writerows(
                [self._csv(cell, value) for cell, value in zip(self.cells, row, strict=True)] for row in rows
            )
            yield text.getvalue().encode("utf-8", "replace")

    def _csv(self, cell: _Cell, value: Any) -> str:
        if value is None:
            return ""
        if cell.kind == "number":
            return str(plain(value, cell.field.scale)) if isinstance(cell.field, Numeric) else str(value)
        if cell.kind == "percent":
            return cell.field.show(value)
        return neutral(self.text(cell, value))

    def text(self, cell: _Cell, value: Any) -> str:
        """A value as a text that reads back as the same value."""
        if cell.kind == "link":
            return str(value)
        field = cell.field
        if isinstance(field, Attached):
            return ", ".join(str(id) for id in field.ids(value))
        if cell.name == "checklist":
            return str(value)
        shown = field.show(value, self.principal.language)
        if isinstance(field, _EXACT):
            return shown
        try:
            exact = cell.read(shown) == value
        except (Invalid, ValueError):
            exact = False
        if exact:
            return shown
        said = field.to_json(value)
        return said if isinstance(said, str) else str(value)

    # -- spreadsheets --------------------------------------------------------------------------------------------------

    def xlsx(self, file: BinaryIO | Path, progress: Progress | None = None) -> int:
        """Write a spreadsheet; how many rows it has. Raises Refused (413) beyond what a sheet can hold."""
        book = xlsxwriter.Workbook(
            file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        )
        sheet = book.add_worksheet()
        bold = book.add_format({"bold": True})
        formats = {
            "date": book.add_format({"num_format": "yyyy-mm-dd"}), "moment": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
            "percent": book.add_format({"num_format": "0.####%"}),
        }  # fmt: skip
        for column, header in enumerate(self.headers):
            sheet.write_string(0, column, header, bold)
        sheet.freeze_panes(1, 0)
        count = 0
        with book:  # closed whatever happens: it keeps files of its own until then
            for rows in self.pages():
                for row in rows:
                    count += 1
                    if count >= 1_048_576:
                        raise Refused(Problem("too-many", "export", {"what": "xlsx", "most": 1_048_575}), 413)
                    for column, (cell, value) in enumerate(zip(self.cells, row, strict=True)):
                        if value is not None:
                            self._xlsx(sheet, count, column, cell, value, formats)
                if progress is not None:
                    progress(count, None)
        return count

    def _xlsx(self, sheet: Any, row: int, column: int, cell: _Cell, value: Any, formats: dict[str, Any]) -> None:
        field = cell.field
        if isinstance(field, Numeric) and abs(value) < _WIDEST:
            sheet.write_number(row, column, plain(value, field.scale), formats.get(cell.kind))
        elif cell.kind == "date" and value >= 0:
            at = day(value)
            sheet.write_datetime(row, column, datetime(at.year, at.month, at.day), formats["date"])  # noqa: DTZ001
        elif isinstance(field, DatetimeField) and value >= 0 and value % 1_000_000 == 0 and _unambiguous(field, value):
            sheet.write_datetime(
                row, column, moment(value).astimezone(field.zone).replace(tzinfo=None), formats["moment"]
            )
        elif cell.kind == "boolean":
            sheet.write_boolean(row, column, value)
        else:
            sheet.write_string(row, column, self.text(cell, value))


def _unambiguous(field: DatetimeField, value: int) -> bool:
    """Whether the local time names one instant only: clocks are put back once a year in some zones."""
    return field.read(field.show(value)) == value


def stream_csv(
    runtime: Runtime,
    app: App,
    principal: Principal,
    entity: str,
    query: Query,
    *,
    headers: Literal["labels", "names"] = "labels",
) -> Iterator[bytes]:
    """A CSV file in parts. Raises Refused before the first of them."""
    return Export(runtime, app, principal, entity, query, headers=headers).csv()


def take(
    runtime: Runtime, app: App, principal: Principal, entity: str, query: Query, format: str, file: BinaryIO, *,
    headers: Literal["labels", "names"] = "labels", progress: Progress | None = None,
) -> int:  # fmt: skip
    """Write records to `file`; how many. Raises Refused (400) for an unknown format."""
    export = Export(runtime, app, principal, entity, query, headers=headers)
    if format == "xlsx":
        return export.xlsx(file, progress)
    if format != "csv":
        raise Refused(Problem("export-format", "format", {"name": format[:20]}), 400)
    count = -1
    for part in export.csv():
        file.write(part)
        count += part.count(b"\r\n")
        if progress is not None:
            progress(count, None)
    return count


def template(runtime: Runtime, app: App, principal: Principal, entity: str) -> bytes:
    """An empty CSV file with a header for every field that the person may fill in on creation. Raises Refused (403, 404)."""
    lens = runtime.lens(app, principal)
    with runtime.db.read() as r:
        model = runtime.work(app, principal, r).model(entity, "import")
    writable = lens.writable(entity, "create")
    names = [
        name for name, field in model.fields.items() if name in writable and field.stored and name in model.columns
    ]
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(
        [neutral(model.labels[name][principal.language]) for name in names]
    )
    return b"\xef\xbb\xbf" + text.getvalue().encode()


__all__ = ["Export", "stream_csv", "take", "template"]
