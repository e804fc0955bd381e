"""Every function does what its examples say: in Python, on SQLite and on PostgreSQL."""

import json
import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.columns import day, unscaled
from engine.expressions import check
from engine.expressions.functions import FUNCTIONS, find
from tests.expressions.databases import Database
from tests.expressions.schema import CONTEXT, SCHEMA, TABLES, Stored

PAGE = (Path(__file__).parents[2] / "docs" / "explanation" / "expressions.md").read_text(encoding="utf-8")
EXAMPLES = [example for entry in FUNCTIONS.values() for example in entry.examples] + re.findall(
    r"^(\S.*?) +→ (.+)$", PAGE, re.MULTILINE
)


def shown(kind: str, scale: int, value: object) -> str:
    if value is None:
        return "null"
    if kind == "boolean":
        return json.dumps(bool(value))
    if kind == "number":
        return f"{unscaled(int(str(value)), scale).normalize():f}"
    return f'"{day(int(str(value))).isoformat()}"' if kind == "date" else json.dumps(value, ensure_ascii=False)


@pytest.mark.parametrize(("text", "expected"), EXAMPLES)
def test_an_example_gives_what_it_says(text: str, expected: str, databases: list[Database]) -> None:
    if "lines" in text:
        on_an_order(text, expected, databases)
        return
    expression, faults = check(text, None, SCHEMA)
    assert expression is not None, faults
    of_type = (expression.type.kind, expression.type.scale)
    assert shown(*of_type, expression.evaluate({}, CONTEXT)) == expected
    for database in databases:
        assert shown(*of_type, database.value(expression.to_sql(Stored()), None, CONTEXT)) == expected


def on_an_order(text: str, expected: str, databases: list[Database]) -> None:
    """The example on an order with two lines, one of them late."""
    expression, faults = check(text, "order", SCHEMA)
    assert expression is not None, faults
    for database in databases:
        for entity in ("order", "line"):
            database.run(sa.delete(TABLES[entity]))
        database.insert(TABLES["order"], [{"id": 1}])
        database.insert(TABLES["line"], [{"id": 1, "order": 1, "late": True}, {"id": 2, "order": 1}])
        alias = TABLES["order"].alias()
        assert shown("boolean", 0, database.value(expression.to_sql(Stored(), alias), alias)) == expected


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_every_function_is_documented_in_both_languages_with_an_example(name: str) -> None:
    entry = FUNCTIONS[name]
    assert entry.examples
    assert entry.doc.zh
    assert entry.doc.en
    assert any(not alias.isascii() for alias in entry.aliases), "a name in Chinese"
    assert find(name.upper()) is entry
