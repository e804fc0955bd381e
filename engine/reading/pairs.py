"""Pairs of records that are probably the same, as one person may see them.

A pair is there for somebody only if he may read both of its records; the same clauses find and count, so that a number and
the list behind it never differ.  How alike single fields are is told only of fields whose values he sees on both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import orjson
import sqlalchemy as sa

from engine.app import EntityApp
from engine.reading.lens import Lens
from engine.reading.query import decode_cursor, encode_cursor, shape_of
from engine.storage import system
from engine.storage.statement import Statement

State = Literal["open", "distinct", "merged"]
STATES: tuple[State, ...] = ("open", "distinct", "merged")


@dataclass(frozen=True)
class Wanted:
    """Which pairs. `owner` is the field that says whose a record is, and a person: one of the two must be his."""

    state: State = "open"
    at_least: int = 0
    owner: tuple[str, int] | None = None


@dataclass(frozen=True)
class Pair:
    """Two records, the lesser id first. `parts` are the likenesses of fields, 0 to 100; `able`: he may merge them."""

    id: int
    one: int
    other: int
    score: int
    parts: Mapping[str, int]
    by: int | None
    able: bool


def pairs(
    lens: Lens, r: Any, entity: str, wanted: Wanted, limit: int, cursor: str | None = None
) -> tuple[list[Pair], str | None]:
    """A page of pairs, the most alike first, and the cursor of the next. Raises Refused (404, 400)."""
    model, shape = lens.view.model(entity), shape_of("pairs", entity, wanted.state)
    after = decode_cursor(shape, cursor, (int, int)) if cursor is not None else None

    def make() -> Statement:
        d, one, other, clauses = _joined(lens, model, wanted)
        if after is not None:
            clauses.append(sa.tuple_(d.c.score, d.c.id) < sa.tuple_(sa.bindparam("score"), sa.bindparam("after")))
        able = sa.and_(*(_rows(lens, each, entity) for each in (one, other))).label("able")
        return lens.db.statement(
            sa.select(d.c.id, d.c.one, d.c.other, d.c.score, d.c.detail, d.c.by, able)
            .select_from(d.join(one, one.c.id == d.c.one).join(other, other.c.id == d.c.other))
            .where(*clauses)
            .order_by(d.c.score.desc(), d.c.id.desc())
            .limit(sa.bindparam("most", type_=sa.BigInteger()))
        )

    statement = lens.view.kept(("pairs", *_question(entity, wanted), after is None), make)
    parameters = _parameters(lens, model, wanted) | {"most": lens.limited(limit) + 1}
    if after is not None:
        parameters |= {"score": after[0], "after": after[1]}
    rows = r.all(statement, parameters)
    found = [Pair(row[0], row[1], row[2], row[3], orjson.loads(row[4]), row[5], bool(row[6])) for row in rows[:limit]]
    last = rows[limit - 1] if len(rows) > limit else None
    return _known(lens, r, model, found), encode_cursor(shape, [last[3], last[0]]) if last else None


def count_pairs(lens: Lens, r: Any, entity: str, wanted: Wanted, at_most: int) -> int:
    """How many pairs there are; counting stops at `at_most`."""
    model = lens.view.model(entity)

    def make() -> Statement:
        d, one, other, clauses = _joined(lens, model, wanted)
        inner = sa.select(d.c.id).select_from(d.join(one, one.c.id == d.c.one).join(other, other.c.id == d.c.other))
        inner = inner.where(*clauses).limit(sa.bindparam("most", type_=sa.BigInteger()))
        return lens.db.statement(sa.select(sa.func.count()).select_from(inner.subquery()))

    statement = lens.view.kept(("count pairs", *_question(entity, wanted)), make)
    return int(r.scalar(statement, _parameters(lens, model, wanted) | {"most": at_most}))


def _question(entity: str, wanted: Wanted) -> tuple[Any, ...]:
    return entity, wanted.state == "merged", wanted.owner[0] if wanted.owner else None


def _parameters(lens: Lens, model: EntityApp, wanted: Wanted) -> dict[str, Any]:
    return lens.parameters | {
        "entity": f"{lens.app.name}.{model.name}",
        "state": wanted.state,
        "least": wanted.at_least,
        "owner": wanted.owner[1] if wanted.owner else None,
    }


def _joined(lens: Lens, model: EntityApp, wanted: Wanted) -> tuple[Any, Any, Any, list[Any]]:
    """The queue, the two records of a pair, and the clauses over them."""
    tables, d = lens.view.tables, system.duplicate
    one, other = tables.table(model.name), tables.table(model.name)
    clauses = [
        d.c.entity == sa.bindparam("entity"),
        d.c.state == sa.bindparam("state"),
        d.c.score >= sa.bindparam("least"),
    ]
    for each in (one, other):
        # Of two that were merged one is in the recycle bin.
        rows = tables.rows(each, model.name, "read") if wanted.state == "merged" else tables.readable(each, model.name)
        if rows is not None:
            clauses.append(rows)
    if wanted.owner is not None:
        mine = sa.bindparam("owner", type_=sa.BigInteger())
        clauses.append(sa.or_(*(tables.column(each, model.name, wanted.owner[0]) == mine for each in (one, other))))
    return d, one, other, clauses


def _rows(lens: Lens, alias: Any, entity: str) -> Any:
    rows = lens.view.tables.rows(alias, entity, "merge")
    return sa.true() if rows is None else rows


def _known(lens: Lens, r: Any, model: EntityApp, found: Sequence[Pair]) -> list[Pair]:
    """The pairs without the likeness of values that are hidden on either record."""
    names = tuple(
        name for name in (model.duplicates.match if model.duplicates else ()) if name in lens.fields(model.name)
    )
    seen = lens.many(r, model.name, {id for pair in found for id in (pair.one, pair.other)}, names)
    return [
        replace(
            pair,
            parts={
                name: part
                for name, part in pair.parts.items()
                if name in names and all(seen.get(id, {}).get(name) is not None for id in (pair.one, pair.other))
            },
        )
        for pair in found
    ]


__all__ = ["STATES", "Pair", "State", "Wanted", "count_pairs", "pairs"]
