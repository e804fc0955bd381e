"""Style sheets are whole: a layer inside a layer is another layer, and its rules lose against all others."""

from pathlib import Path

import pytest

from engine.web.pages.frame import STATIC

SHEETS = sorted(STATIC.glob("*.css"))


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_every_layer_is_closed_before_the_next_begins(sheet: Path) -> None:
    depth = 0
    for number, line in enumerate(sheet.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("@layer"):
            assert depth == 0, f"line {number}: a layer inside what was not closed"
        depth += line.count("{") - line.count("}")
        assert depth >= 0, f"line {number}: closes what was not open"
    assert depth == 0
