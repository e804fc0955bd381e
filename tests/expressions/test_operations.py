"""Every basic operation can be read everywhere."""

from pathlib import Path

import pytest
from simpleeval import InvalidExpression

from engine.expressions import reference
from engine.expressions.operations import OPERATIONS

BROWSER = (Path(__file__).parents[2] / "engine" / "web" / "static" / "expressions.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", list(OPERATIONS))
def test_the_browser_knows_the_operation(name: str) -> None:
    assert f"\n  {name}: " in BROWSER


@pytest.mark.parametrize("name", [name for name, operation in OPERATIONS.items() if not operation.lazy])
def test_an_operation_says_itself_in_python_and_for_both_databases(name: str) -> None:
    operation = OPERATIONS[name]
    for text in (operation.python, operation.sqlite, operation.postgresql):
        assert "{0}" in text or "{product}" in text


def test_the_reference_is_closed() -> None:
    for text in (
        "().__class__",
        "'%999999999d' % 1",
        "[1][0]",
        "lower.__globals__",
        "(lambda: 1)()",
        "'a' * 2",
        "open('x')",
        "f'{1}'",
    ):
        with pytest.raises((InvalidExpression, TypeError)):
            reference._Closed(reference._FUNCTIONS, {}).eval(text)
