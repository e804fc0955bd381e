"""Keeping computed fields true: what a change makes stale elsewhere is computed anew in the same transaction.

The app knows, for each field, which computed fields of which other records draw on it, and by which path.  Following the
path backwards from the changed record finds the records to compute; what changes there is followed in turn.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import orjson
import sqlalchemy as sa

from engine.app import App, Computed, Dependent, EntityApp
from engine.expressions import read_sql
from engine.expressions.types import Context
from engine.runtime.plans import Plans
from engine.runtime.work import MOST_ROUNDS, Change, Work
from engine.storage.statement import Statement, among

CHUNK = 500


def propagate(work: Work) -> None:
    """Follow all changes of the command until nothing more changes."""
    for _ in range(MOST_ROUNDS):
        changes, work.changes = work.changes, []
        stale = _stale(work, changes)
        if not stale:
            return
        for entity, (ids, names) in sorted(stale.items()):
            recompute(work, work.app.entities[entity], sorted(ids), names)
    raise RuntimeError("computed fields never come to rest")  # the compiler refuses cycles


def _stale(work: Work, changes: Sequence[Change]) -> dict[str, tuple[set[int], set[str]]]:
    """Entity -> the records and the computed fields that the changes make stale."""
    by_way: dict[tuple[Any, ...], tuple[Dependent, set[int]]] = {}
    for change in changes:
        for name in change.names:
            for dependent in work.app.dependents.get((change.entity, name), ()):
                for way, start in _starts(work.app, dependent, change):
                    known = by_way.setdefault(
                        (dependent.computed.entity, dependent.computed.name, dependent.path, way), (dependent, set())
                    )
                    known[1].add(start)
    stale: dict[str, tuple[set[int], set[str]]] = {}
    for (_, _, path, way), (dependent, starts) in by_way.items():
        ids = _back(work, path[: len(path) - way], starts)
        if ids:
            known_ids, names = stale.setdefault(dependent.computed.entity, (set(), set()))
            known_ids |= ids
            names.add(dependent.computed.name)
    return stale


def _starts(app: App, dependent: Dependent, change: Change) -> Iterable[tuple[int, int]]:
    """Where to begin walking back: (steps already taken, id). A child knows its parent, also the one it has left."""
    last = dependent.path[-1] if dependent.path else None
    if last is None or last.kind == "record":
        return [(0, change.id)]
    back = app.entities[last.entity].relations[last.name][1]
    return [(1, parent) for parent in {change.before.get(back), change.after.get(back)} if parent is not None]


def _back(work: Work, path: Sequence[Any], ids: set[int]) -> set[int]:
    """The records from which `path` leads to one of `ids`."""
    for step in reversed(path):
        if not ids:
            break
        model = work.app.entities[step.entity]
        if step.kind == "record":
            wanted, source = model.table.c.id, model.table.c[model.columns[step.name]]
        else:
            child, lookup = model.relations[step.name]
            other = work.app.entities[child]
            wanted, source = other.table.c[other.columns[lookup]], other.table.c.id
        statement: Statement = work.plans.kept(
            ("back", step.entity, step.name, step.kind),
            partial(_step_back, work, wanted, source),
        )
        ids = {row[0] for row in work.w.all(statement, {"ids": sorted(ids)})}
    return ids


def _step_back(work: Work, wanted: Any, source: Any) -> Statement:
    return work.plans.db.statement(sa.select(wanted).where(among(source, "ids"), wanted.is_not(None)).distinct())


def closure_of(model: EntityApp, names: Iterable[str]) -> tuple[str, ...]:
    """`names` and the computed fields of the same record that draw on them, in order."""
    wanted = set(names)
    for name in model.order:
        computed = model.computed[name]
        written = {each for one in wanted for each in model.computed[one].writes}
        if any(expression.locals & written for expression in computed.expressions):
            wanted.add(name)
    return tuple(name for name in model.order if name in wanted)


def recompute(work: Work, model: EntityApp, ids: Sequence[int], names: Iterable[str]) -> int:
    """Compute fields of live records anew; what differs is written, journalled and remembered. Returns how many records changed."""
    order = closure_of(model, names)
    plan = work.plans.entity(model.name)
    select = work.plans.kept(("recompute", model.name, order), lambda: _select(work.plans, model, order))
    keys = plan.reads(each for name in order for each in model.computed[name].expressions).keys
    count = 0
    for start in range(0, len(ids), CHUNK):
        if work.plans.db.dialect == "postgresql":
            # Whoever writes another of the records that these are computed from waits here, and then sees what we have written.
            work.w.all(
                work.plans.kept(("lock", model.name), lambda: _lock(work.plans, model)),
                {"ids": list(ids[start : start + CHUNK])},
            )
        journal: list[dict[str, Any]] = []
        updates: dict[frozenset[str], list[dict[str, Any]]] = {}
        for row in work.w.all(select, {**work.parameters, "ids": list(ids[start : start + CHUNK])}):
            before = dict(zip(plan.stored, row, strict=False))
            values = before | dict(zip(keys, row[len(plan.stored) :], strict=True))
            evaluate(model, order, values, work.context)
            changed = {
                name: values[name]
                for each in order
                for name in model.computed[each].writes
                if values.get(name) != before.get(name)
            }
            if not changed:
                continue
            count += 1
            id = before["id"]
            updates.setdefault(frozenset(changed), []).append(plan.changes(id, changed, values))
            told = {name: [before.get(name), value] for name, value in changed.items()}
            journal.append(
                {"app": work.app.name, "entity": model.name, "record": id, "version": before["version"], "at": work.now, "user": None,
                 "action": "update", "changes": orjson.dumps(told).decode(), "cause": "formula", "batch": work.batch}
            )  # fmt: skip
            work.changes.append(Change(model.name, id, frozenset(changed), before, {**before, **changed}))
            draft = work.touched.get((model.name, id))
            if draft is not None:
                draft.after.update(changed)
        for changed_names, rows in updates.items():
            work.w.many(plan.update(changed_names), rows)
        if journal:
            work.w.many(work.plans.journal, journal)
    return count


def evaluate(model: EntityApp, order: Iterable[str], values: dict[str, Any], context: Context) -> None:
    """Compute fields in place, in order; `values` holds the record and what the expressions read elsewhere."""
    for name in order:
        computed: Computed = model.computed[name]
        if computed.score is not None:
            scored = computed.score.compute(values, context)
            values[name], values[computed.score.detail_field] = scored.value, computed.score.detail(scored)
            if computed.score.bands:
                values[computed.score.band_field] = scored.band
        else:
            assert computed.expression is not None
            values[name] = computed.expression.evaluate(values, context)


def _lock(plans: Plans, model: EntityApp) -> Statement:
    table = model.table
    # In the order of their ids, so that two who lock some of the same do not wait for each other.
    rows = sa.select(table.c.id).where(among(table.c.id, "ids")).order_by(table.c.id)
    return plans.db.statement(rows.with_for_update(key_share=True))


def _select(plans: Plans, model: EntityApp, order: tuple[str, ...]) -> Statement:
    reads: dict[str, Any] = {}
    for name in order:
        for expression in model.computed[name].expressions:
            for read in expression.reads:
                reads.setdefault(read.key, read)
    table = model.table
    columns = [table.c[column] for column in model.columns.values()]
    columns += [read_sql(read, plans.reading.whole, table).label(f"r{i}") for i, read in enumerate(reads.values())]
    return plans.db.statement(
        sa.select(*columns).where(among(table.c.id, "ids"), table.c.deleted_at.is_(None)).order_by(table.c.id)
    )


def recompute_all(work: Work, model: EntityApp, names: Iterable[str]) -> int:
    """Compute fields of every live record anew as set operations in the database; returns how many records changed.

    Used when a definition changes.  The journal gets one row for the entity, not one for each record.
    """
    count = 0
    for name in closure_of(model, names):
        computed = model.computed[name]
        statement = _update_score(work, model, computed) if computed.score else _update_formula(work, model, computed)
        count = max(count, work.w.run(statement, work.parameters))
    return count


def _update_formula(work: Work, model: EntityApp, computed: Computed) -> Statement:
    assert computed.expression is not None
    table = model.table
    column = table.c[model.columns[computed.name]]
    value = computed.expression.to_sql(work.plans.reading.whole, table)
    return work.plans.db.statement(
        sa.update(table)
        .where(table.c.deleted_at.is_(None), column.is_distinct_from(value))
        .values({column.name: value})
    )


def _update_score(work: Work, model: EntityApp, computed: Computed) -> Statement:
    score = computed.score
    assert score is not None
    table = model.table
    scored = score.select(work.plans.reading.whole, table.alias("scored_rows"))
    values = {model.columns[score.field]: scored.c.score, model.columns[score.detail_field]: scored.c.detail}
    if score.bands:
        values[model.columns[score.band_field]] = scored.c.band
    differs = sa.or_(*(table.c[column].is_distinct_from(value) for column, value in values.items()))
    return work.plans.db.statement(sa.update(table).where(table.c.id == scored.c.id, differs).values(values))
