"""One meaning: whatever the expression and whatever the row, all readings give the same value."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, assume, given, settings

from engine.expressions import Expression, Read, check, read_sql, reference
from engine.expressions.browser import working_days, working_time
from tests.expressions.databases import Database
from tests.expressions.rows import ALL, DAYS, DURATIONS, NUMBERS, TEXTS
from tests.expressions.schema import CALENDAR, CONTEXT, NOW, SCHEMA, TABLES, Stored, day
from tests.expressions.strategies import texts

# An expression says what is wrong with it better than its shrunken kin, which take minutes to find.
quickly = settings(
    max_examples=settings.default.max_examples * 3 // 2,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
ORDERS = TABLES["order"].alias("o")


@pytest.fixture(scope="module")
def filled(databases: list[Database]) -> Iterator[list[Database]]:
    for database in databases:
        for entity, rows in ALL.items():
            database.run(sa.delete(TABLES[entity]))
            database.insert(TABLES[entity], rows)
    yield databases
    for database in databases:
        for entity in ALL:
            database.run(sa.delete(TABLES[entity]))


def each_row(database: Database, *elements: Any) -> dict[int, tuple[Any, ...]]:
    statement = sa.select(ORDERS.c.id, *elements).select_from(ORDERS)
    return {row[0]: row[1:] for row in database.run(statement, CONTEXT)}


def plain(expression: Expression, value: Any) -> Any:
    return bool(value) if expression.type.kind == "boolean" and value is not None else value


@quickly
@given(text=texts())
def test_python_and_both_databases_agree(text: str, filled: list[Database]) -> None:
    expression, _ = check(text, "order", SCHEMA)
    assume(expression is not None)
    assert expression is not None
    tables = Stored()
    reads = each_row(
        filled[0], *(read_sql(read, tables, ORDERS).label(f"r{at}") for at, read in enumerate(expression.reads))
    )
    answers = {database.kind: each_row(database, expression.to_sql(tables, ORDERS)) for database in filled}
    for row in ALL["order"]:
        values = row | dict(zip((read.key for read in expression.reads), reads[row["id"]], strict=True))
        value = expression.evaluate(values, CONTEXT)
        for kind, answer in answers.items():
            assert plain(expression, answer[row["id"]][0]) == value, f"{text} on {kind}, order {row}"


# In the browser

NODE = shutil.which("node")
MODULE = Path(__file__).parents[2] / "engine" / "web" / "static" / "expressions.js"
DRIVER = f"""
import {{ evaluate }} from {json.dumps(MODULE.as_uri())};
import {{ createInterface }} from "node:readline";
for await (const line of createInterface({{ input: process.stdin }})) {{
  const {{ expression, rows, context }} = JSON.parse(line);
  const said = (value) => (typeof value === "bigint" ? value.toString() : value);
  console.log(JSON.stringify(rows.map((values) => {{
    try {{ return said(evaluate(expression, values, context)); }} catch (error) {{ return {{ error: String(error) }}; }}
  }})));
}}
"""


@pytest.fixture(scope="module")
def browser_reading() -> Iterator[Callable[[Any], Any]]:
    """Evaluates in Node what a page evaluates in a browser."""
    if NODE is None:
        pytest.skip("expressions.js is run by node, and there is none")
    with subprocess.Popen(
        [NODE, "--input-type=module", "-e", DRIVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as node:
        assert node.stdin is not None
        assert node.stdout is not None

        def ask(question: Any) -> Any:
            node.stdin.write(json.dumps(question) + "\n")
            node.stdin.flush()
            return json.loads(node.stdout.readline())

        yield ask
        node.stdin.close()


def for_page(value: Any) -> Any:
    """A stored value as a page gets it: integers as texts."""
    if isinstance(value, tuple):
        return [for_page(each) for each in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


PAGE_CONTEXT = {
    "now": str(NOW), "timezone": CALENDAR.timezone, "variables": {name: for_page(value) for name, value in CONTEXT.variables.items()},
    "calendar": {
        **working_days(CALENDAR, day("1999-06-01"), day("2051-06-01")), "worktime": working_time(CALENDAR, day("1999-06-01"), day("2051-06-01")),
    },
}  # fmt: skip


@quickly
@given(text=texts())
def test_the_browser_agrees_with_python(text: str, browser_reading: Callable[[Any], Any]) -> None:
    expression, _ = check(text, "order", SCHEMA)
    assume(expression is not None)
    assert expression is not None
    rows = [row | {read.key: _elsewhere(read, at) for read in expression.reads} for at, row in enumerate(ALL["order"])]
    question = {
        "expression": expression.to_json(),
        "context": PAGE_CONTEXT,
        "rows": [{name: for_page(value) for name, value in row.items()} for row in rows],
    }
    for row, said in zip(rows, browser_reading(question), strict=True):
        assert said == for_page(expression.evaluate(row, CONTEXT)), f"{text}: {row}"


def _elsewhere(read: Read, at: int) -> Any:
    """Some value for what is read from other records; which one, does not matter here."""
    values: dict[str, list[Any]] = {
        "number": NUMBERS, "text": [None, *TEXTS], "boolean": [True, None, False], "date": [None, *DAYS], "duration": [None, *DURATIONS], "record": [None, 7, 1, 3],
    }  # fmt: skip
    possible = [0, 1, 7] if read.key.startswith("count(") else values[read.type.kind]
    return possible[at % len(possible)]


@quickly
@given(text=texts())
def test_the_readable_reference_agrees_with_python(text: str) -> None:
    expression, _ = check(text, "order", SCHEMA)
    assume(expression is not None)
    assert expression is not None
    for at, row in enumerate(ALL["order"]):
        values = row | {read.key: _elsewhere(read, at) for read in expression.reads}
        assert reference.evaluate(expression.tree, values, CONTEXT) == expression.evaluate(values, CONTEXT), (
            f"{text}: {values}"
        )
