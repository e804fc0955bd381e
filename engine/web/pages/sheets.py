"""Tables to take along: rows of plain texts as a spreadsheet or as CSV that spreadsheets open.

A text that a spreadsheet would run as a formula is written as the text that it is.
"""

import csv
import io
from collections.abc import Sequence
from typing import Literal
from urllib.parse import quote

from starlette.responses import Response

from engine.exchange.neutral import neutral

Kind = Literal["xlsx", "csv"]
WIDEST = 60  # characters of a column
_TYPES = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "text/csv; charset=utf-8"}


def sheet(name: str, kind: Kind, tables: Sequence[tuple[str, Sequence[str], Sequence[Sequence[str]]]]) -> Response:
    """A file of tables, each with its title, its headers and its rows. In CSV they stand one below the other."""
    content = _spreadsheet(tables) if kind == "xlsx" else _lines(tables)
    plain = quote(f"{name}.{kind}", safe="")
    return Response(
        content, media_type=_TYPES[kind], headers={"content-disposition": f"attachment; filename*=UTF-8''{plain}"}
    )


def _spreadsheet(tables: Sequence[tuple[str, Sequence[str], Sequence[Sequence[str]]]]) -> bytes:
    import xlsxwriter  # only who takes a spreadsheet along needs it

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        bold, folded = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
        for title, headers, rows in tables:
            page = book.add_worksheet(title[:31])
            page.freeze_panes(1, 0)
            for column, header in enumerate(headers):
                page.write_string(0, column, header, bold)
                longest = max((len(row[column]) for row in rows), default=0)
                page.set_column(column, column, min(WIDEST, max(10, 2 * len(header), longest + 2)))
            for line, row in enumerate(rows, 1):
                for column, text in enumerate(row):
                    page.write_string(line, column, text, folded)
    return out.getvalue()


def _lines(tables: Sequence[tuple[str, Sequence[str], Sequence[Sequence[str]]]]) -> bytes:
    out = io.StringIO()
    written = csv.writer(out)
    for number, (title, headers, rows) in enumerate(tables):
        if len(tables) > 1:
            written.writerows([[]] * bool(number) + [[neutral(title)]])
        written.writerow([neutral(each) for each in headers])
        written.writerows([neutral(each) for each in row] for row in rows)
    # Spreadsheets take a CSV without this mark for one in the system's old encoding.
    return b"\xef\xbb\xbf" + out.getvalue().encode()


__all__ = ["Kind", "sheet"]
