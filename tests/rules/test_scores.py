"""A score of one record in Python and of a whole table in SQL is the same number, whatever its weights."""

import random
from typing import Any

import pytest
import sqlalchemy as sa

from engine.problems import Label
from engine.rules.scores import ScoreApp, TermApp
from engine.storage.database import Database
from engine.storage.schema import create_table

ONE = 1_000_000  # a term's value at its largest
TERMS = range(4)
READINGS = sa.Table(
    "readings",
    sa.MetaData(),
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("deleted_at", sa.BigInteger),
    *(sa.Column(f"v{term}", sa.BigInteger) for term in TERMS),
)


class Reading:
    """A term's expression: a column as it stands."""

    def __init__(self, term: int) -> None:
        self.name = f"v{term}"

    def to_sql(self, tables: Any, alias: Any) -> Any:
        return alias.c[self.name]


def scores(pick: random.Random, weights: list[int], bases: list[int]) -> ScoreApp:
    terms = []
    for term in TERMS:
        missing = pick.choice(["zero", "half", "full", "skip"])
        terms.append(TermApp(f"t{term}", Label.of("term"), pick.choice(weights), missing, Reading(term)))  # type: ignore[arg-type]
    return ScoreApp("health", "reading", "health", Label.of("health"), pick.choice(bases), tuple(terms), (), "1", None)


@pytest.mark.parametrize(
    ("weights", "bases"),
    [
        ([0, 50_000, 250_000, 333_333, 12_345], [0]),  # cannot leave 0…100, or only upwards
        ([0, 50_000, 250_000, 333_333, 12_345], [0, 100_000, 900_000]),
        ([0, 50_000, 333_333, 12_345, -70_000], [0, 100_000, 500_000, -40_000]),
    ],
    ids=["positive", "with a base", "negative too"],
)
def test_a_table_is_scored_as_its_records_are(database: Database, weights: list[int], bases: list[int]) -> None:
    pick = random.Random(7)
    values = [None, 0, ONE, ONE // 2, 123_457, 2 * ONE, -5]
    rows = [[pick.choice(values) for _ in TERMS] for _ in range(150)]
    with database.write() as w:
        for text in create_table(READINGS, database.dialect):
            w.script(text)
        insert = sa.insert(READINGS).values({name: sa.bindparam(name) for name in ("id", "v0", "v1", "v2", "v3")})
        w.many(
            database.statement(insert),
            [{"id": number, **{f"v{term}": row[term] for term in TERMS}} for number, row in enumerate(rows)],
        )
    for _ in range(12):
        score = scores(pick, weights, bases)
        scored = score.select(None, READINGS)
        found = dict(database.all(database.statement(sa.select(scored.c.id, scored.c.score))))
        clamped = [[None if value is None else min(max(value, 0), ONE) for value in row] for row in rows]
        assert found == {number: score.total(row) for number, row in enumerate(clamped)}
