"""Cells that a spreadsheet would take for formulas, made harmless, and back.

A text that begins with `=`, `+`, `-`, `@` (blanks before it do not help), a tab or a line break runs as a formula in the
spreadsheet of whoever opens the file (CWE-1236).  In a spreadsheet file it is written as a text cell; in CSV, which knows
no cell types, it gets a `'` before it, which spreadsheets show as text.  Texts that begin like that already get one more,
so that `restored(neutral(x)) == x` for every text.
"""

import re

_DANGEROUS = re.compile(r"'*(?:[\t\r\n]|\s*[=+\-@＝＋－＠])")
_ESCAPED = re.compile(r"'+(?:[\t\r\n]|\s*[=+\-@＝＋－＠])")


def neutral(text: str) -> str:
    """The text as a CSV cell."""
    return f"'{text}" if _DANGEROUS.match(text) else text


def restored(cell: str) -> str:
    """The text that a CSV cell stands for."""
    return cell[1:] if _ESCAPED.match(cell) else cell
