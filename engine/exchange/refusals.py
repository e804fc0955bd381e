"""The rows that could not be imported, in a file of the same form with the reasons beside them: mend it and import it again."""

import csv
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import xlsxwriter

from engine.exchange.neutral import neutral
from engine.exchange.tables import Line, Table
from engine.problems import Problem
from engine.words import catalogue

MOST_REASONS = 20


class Refusals:
    """Written as the rows come; there is no file while there is no such row. Cells are as they were, but harmless."""

    def __init__(self, path: Path | None, table: Table) -> None:
        self.path, self.table = path, table
        self.count = 0
        self._file: Any = None
        self._rows: Any = None
        self._book: Any = None
        self._next = 0  # the row of a sheet to be written
        own = {catalogue()["import-problems-header"][language] for language in ("zh", "en")}
        # A file that is mended has such columns already.
        self._columns = [position for position, header in enumerate(table.headers) if header not in own]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._book is not None:
            self._book.close()
        if self._file is not None:
            self._file.close()

    @property
    def file(self) -> Path | None:
        """The file with the rows; None if there are none, or nobody wants it."""
        return self.path if self.count and self.path is not None else None

    def add(self, line: Line, problems: Iterable[Problem]) -> None:
        self.count += 1
        if self.path is None:
            return
        if self.count == 1:
            self._begin(self.path)
        reasons = list(problems)[:MOST_REASONS]
        cells = [line.cells[position] for position in self._columns]
        self._write([*cells, *(" ".join(_said(problem, language) for problem in reasons) for language in ("zh", "en"))])

    def _begin(self, path: Path) -> None:
        headers = [self.table.headers[position] for position in self._columns]
        if self.table.format == "csv":
            self._file = open(path, "w", encoding=_written(self.table.encoding), newline="")  # noqa: SIM115
            self._rows = csv.writer(self._file, delimiter=self.table.delimiter, lineterminator="\r\n")
        else:
            self._book = xlsxwriter.Workbook(
                path, {"constant_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"}
            )
            self._rows = self._book.add_worksheet()
        self._write([*headers, *(catalogue()["import-problems-header"][language] for language in ("zh", "en"))])

    def _write(self, cells: list[Any]) -> None:
        if self._book is None:
            self._rows.writerow([_harmless(cell) for cell in cells])
            return
        row, self._next = self._next, self._next + 1
        for column, cell in enumerate(cells):
            if isinstance(cell, bool):
                self._rows.write_boolean(row, column, cell)
            elif isinstance(cell, (int, float)):
                self._rows.write_number(row, column, cell)
            elif isinstance(cell, (datetime, date, time, timedelta)):
                self._rows.write_datetime(row, column, cell)
            elif cell != "":
                self._rows.write_string(row, column, str(cell))


def _said(problem: Problem, language: Any) -> str:
    return f"{problem.message(language)} {problem.hint(language)}".strip()


def _harmless(cell: Any) -> str:
    """Numbers stay numbers; other texts cannot become formulas. What no text file holds is replaced."""
    text = str(cell).replace("\0", "\ufffd")
    try:
        float(text.replace(",", ""))
    except ValueError:
        return neutral(text)
    return text


def _written(encoding: str) -> str:
    """The encoding of the file that was read where it can hold every text, else one that can and is read alike."""
    name = encoding.replace("_", "-").lower()
    if name.startswith(("gb", "cp936", "936")):
        return "gb18030"
    # Spreadsheets take UTF-8 for what it is only when it is marked.
    return encoding if name.startswith(("utf-16", "utf-32")) else "utf-8-sig"
