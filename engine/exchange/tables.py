"""Table files as people have them: CSV in whatever encoding and with whatever separator, and spreadsheets.

A table is read once from front to back, so that its size costs no memory.  Texts of Chinese Windows are GB18030 (GBK is a
part of it); whatever is valid UTF-8 is UTF-8, for no text of any length is both by accident.
"""

import codecs
import csv
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

from python_calamine import CalamineError, CalamineWorkbook

from engine.exchange.neutral import restored
from engine.problems import Problem, Refused

Format = Literal["csv", "xlsx"]
LARGEST_SHEET = 2_000_000_000  # bytes that a spreadsheet may unpack to
LARGEST_PART = 200_000_000  # and those of its parts that are held in memory as a whole
LONGEST_CELL = 1_000_000  # characters
MOST_COLUMNS = 1000
_SEPARATORS = ",;\t|"
_BLOCK = 1 << 20
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Line(NamedTuple):
    """A row of the file: its number as a person counts (the header is 1), and its cells, as many as there are headers.

    Cells are texts; in a spreadsheet also numbers, booleans, dates and times. Empty ones are "".  `extra` are cells
    beyond the last header.
    """

    number: int
    cells: tuple[Any, ...]
    extra: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Table:
    """An opened file. `total` is about how many rows it has."""

    path: Path
    format: Format
    headers: tuple[str, ...]
    total: int
    encoding: str = "utf-8"
    delimiter: str = ","
    sheet: str | None = None

    def lines(self) -> Iterator[Line]:
        """The rows below the headers, without blank ones. Raises Refused (422) where the file breaks off or is garbled."""
        width = len(self.headers)
        for number, cells in self._rows():
            count = len(cells)
            if cells.count("") == count:
                continue
            if count == width:
                yield Line(number, tuple(cells))
            else:
                padded = (*cells[:width], *("",) * (width - count))
                yield Line(number, padded, tuple(cell for cell in cells[width:] if cell != ""))

    def _rows(self) -> Iterator[tuple[int, list[Any]]]:
        rows = (
            _csv_rows(self.path, self.encoding, self.delimiter)
            if self.format == "csv"
            else _sheet_rows(self.path, self.sheet)
        )
        found = False
        for number, cells in rows:
            if found:
                yield number, cells
            elif any(cell != "" for cell in cells):
                found = True


def open_table(
    path: Path, *, encoding: str | None = None, delimiter: str | None = None, sheet: str | None = None
) -> Table:
    """Find out what a file is; `encoding`, `delimiter` and `sheet` when known are not guessed.

    Raises Refused (422) for a file that is no table: an unknown format, no headers, a header that stands twice.
    """
    with open(path, "rb") as file:
        beginning = file.read(8)
    if beginning.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return _opened_sheet(path, sheet)
    encoding, total = _encoding(path, encoding)
    delimiter = delimiter or _delimiter(path, encoding)
    first = next((cells for _, cells in _csv_rows(path, encoding, delimiter) if any(cells)), None)
    return Table(path, "csv", _headers(path, first), max(total - 1, 0), encoding, delimiter)


def _headers(path: Path, cells: Sequence[Any] | None) -> tuple[str, ...]:
    if cells is None:
        raise Refused(Problem("import-empty", "", {"file": path.name}))
    headers = [str(cell).strip() for cell in cells]
    while headers and not headers[-1]:
        headers.pop()
    if len(headers) > MOST_COLUMNS:
        raise Refused(Problem("too-many", "columns", {"what": "columns", "most": MOST_COLUMNS}))
    twice = next((name for name in headers if name and headers.count(name) > 1), None)
    if twice is not None:
        raise Refused(Problem("import-header-twice", "", {"header": twice}))
    return tuple(headers)


# -- CSV ---------------------------------------------------------------------------------------------------------------


def _encoding(path: Path, said: str | None) -> tuple[str, int]:
    """The encoding, and how many lines there are."""
    with open(path, "rb") as file:
        beginning = file.read(4)
    marked = next((name for mark, name in _MARKS if beginning.startswith(mark)), None)
    known = said or marked
    for name in (known,) if known else ("utf-8", "gb18030"):
        try:
            decoder = codecs.getincrementaldecoder(name)()
        except LookupError:
            raise Refused(Problem("import-encoding-unknown", "encoding", {"name": name[:40]})) from None
        lines = 0
        try:
            with open(path, "rb") as file:
                while block := file.read(_BLOCK):
                    lines += decoder.decode(block).count("\n")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return name, lines
    raise Refused(Problem("import-encoding", "", {"file": path.name}))


def _delimiter(path: Path, encoding: str) -> str:
    """The separator that stands most often in the first line, outside quotes."""
    with open(path, encoding=encoding, newline="") as file:
        first = next((line for line in islice(file, 20) if line.strip()), "")
    bare = "".join(part for position, part in enumerate(first.split('"')) if position % 2 == 0)
    return max(_SEPARATORS, key=bare.count)


def _csv_rows(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(LONGEST_CELL)
    with open(path, encoding=encoding, newline="") as file:
        reader = csv.reader(file, delimiter=delimiter)
        number = 0
        try:
            for number, cells in enumerate(reader, start=1):
                yield number, [restored(cell) if cell[:1] == "'" else cell for cell in cells]
        except csv.Error:
            raise Refused(Problem("import-garbled", "", {"file": path.name, "line": number + 1})) from None


# -- spreadsheets ------------------------------------------------------------------------------------------------------


def _opened_sheet(path: Path, sheet: str | None) -> Table:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            parts = packed.infolist()
            held = sum(each.file_size for each in parts if "/worksheets/" not in each.filename)
            if held > LARGEST_PART or sum(each.file_size for each in parts) > LARGEST_SHEET:
                raise Refused(Problem("import-too-large", "", {"file": path.name}), 413)
    try:
        book = CalamineWorkbook.from_path(path)
        names = book.sheet_names
        if sheet is not None and sheet not in names:
            raise Refused(Problem("import-sheet-unknown", "sheet", {"name": sheet[:60], "open": "、".join(names[:20])}))
        chosen = sheet or names[0]
        found = book.get_sheet_by_name(chosen)
    except (CalamineError, IndexError):
        raise Refused(Problem("import-format", "", {"file": path.name})) from None
    first = next((row for row in found.iter_rows() if any(cell != "" for cell in row)), None)
    return Table(path, "xlsx", _headers(path, first), max(found.total_height - 1, 0), sheet=chosen)


def _sheet_rows(path: Path, sheet: str | None) -> Iterator[tuple[int, list[Any]]]:
    found = CalamineWorkbook.from_path(path).get_sheet_by_name(sheet or "")
    # Rows above the first cell that holds anything are not handed out.
    above = found.start[0] if found.start else 0
    for number, row in enumerate(found.iter_rows(), start=above + 1):
        yield number, list(row)
