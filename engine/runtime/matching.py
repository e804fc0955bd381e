"""Duplicates as they arise: keys are kept with every save, and what is too much alike is flagged or refused.

On PostgreSQL two that are written at the same moment do not see each other.  Nobody waits for that: whoever saves tries to
lock the buckets his keys fall into, and where another holds one, the record is remembered in `dg_match_again` and compared
once more when the queue is asked for (`compare_again`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import orjson
import sqlalchemy as sa

from engine.app import EntityApp
from engine.columns import new_id
from engine.problems import Problem, Refused
from engine.reading.pairs import Wanted, pairs
from engine.rules.duplicates import Likeness, comparators as compared, keys, likeness, normalised
from engine.runtime.commands import Distinct
from engine.runtime.work import Draft, Work
from engine.storage import system
from engine.storage.statement import Statement, among

MOST_CANDIDATES = 500
MOST_WARNINGS = 5
MOST_AGAIN = 500
BUCKETS = 512  # few enough for the lock table of the database, and so many that two records seldom meet by chance


def comparators(model: EntityApp) -> dict[str, Literal["exact", "fuzzy"]]:
    """How each matched field of the entity is compared."""
    assert model.duplicates is not None
    return compared(model.duplicates, {name: field.type for name, field in model.fields.items()})


def find_duplicates(work: Work, draft: Draft) -> None:
    """Compare a saved record with those that share a key. Raises Refused (409) where the definition says so."""
    model = draft.model
    rule = model.duplicates
    assert rule is not None
    restored = draft.before is not None and draft.before["deleted_at"] is not None
    if draft.after["deleted_at"] is not None:
        return
    if draft.before is not None and not restored and not set(rule.match) & set(draft.changed):
        return
    by = comparators(model)
    found = keys(draft.after, by)
    _keep_keys(work, model, draft, found)
    alike = candidates(work, model, draft.after, draft.id)
    if not alike:
        return
    # What was there before is not refused its return: else a merge of two that are alike could not be undone.
    if (rule.then == "refuse" or work.refuses_alike) and not restored:
        raise Refused(_told(work, model, alike[:MOST_WARNINGS]), 409)
    work.w.many(_flag_statement(work), [_flag_row(work, model, draft.id, id, how) for id, how in alike])
    work.warnings += _told(work, model, alike[:MOST_WARNINGS])


def candidates(
    work: Work, model: EntityApp, values: Mapping[str, Any], own: int | None = None
) -> list[tuple[int, Likeness]]:
    """Live records at least as alike as the rule says, most alike first. `own` is left out."""
    rule = model.duplicates
    assert rule is not None
    by = comparators(model)
    shared = keys(values, by)
    if not shared:
        return []
    weights = {name: match.weight for name, match in rule.match.items()}
    statement: Statement = work.plans.kept(("candidates", model.name), lambda: _candidates(work, model, tuple(by)))
    found = []
    for row in work.w.all(statement, {"keys": sorted(shared), "entity": _key(work, model), "own": own or 0}):
        alike = likeness(values, dict(zip(by, row[1:], strict=True)), weights, by)
        if alike.score >= rule.at_least:
            found.append((row[0], alike))
    return sorted(found, key=lambda pair: (-pair[1].score, pair[0]))


def _candidates(work: Work, model: EntityApp, names: tuple[str, ...]) -> Statement:
    k, table = system.match_key, model.table
    ids = sa.select(k.c.record).where(k.c.entity == sa.bindparam("entity"), among(k.c.key, "keys")).distinct()
    return work.plans.db.statement(
        sa.select(table.c.id, *(table.c[model.columns[name]] for name in names))
        .where(table.c.id.in_(ids), table.c.deleted_at.is_(None), table.c.id != sa.bindparam("own"))
        .order_by(table.c.id.desc())
        .limit(MOST_CANDIDATES)
    )


def find_among(work: Work, drafts: Sequence[Draft]) -> list[list[Problem]]:
    """`find_duplicates` for many new records of one entity, each compared with those before it: the warnings of each."""
    model = drafts[0].model
    rule = model.duplicates
    assert rule is not None
    by = comparators(model)
    weights = {name: match.weight for name, match in rule.match.items()}
    shared = [sorted(keys(draft.after, by)) for draft in drafts]
    entity = _key(work, model)
    _add_keys(work, entity, [(key, draft.id) for draft, own in zip(drafts, shared, strict=True) for key in own])
    holders: dict[str, list[int]] = {}
    wanted = sorted({key for own in shared for key in own})
    select = work.plans.kept("holders", lambda: _holders(work))
    for key, record in work.w.all(select, {"keys": wanted, "entity": entity, "most": MOST_CANDIDATES + len(drafts)}):
        holders.setdefault(key, []).append(record)
    ids = sorted({id for some in holders.values() if len(some) > 1 for id in some})
    select = work.plans.kept(("compared", model.name), lambda: _compared(work, model, tuple(by)))
    values = {row[0]: dict(zip(by, row[1:], strict=True)) for row in work.w.all(select, {"ids": ids})} if ids else {}
    faces = {id: tuple(normalised(value) for value in each.values()) for id, each in values.items()}
    hopeless = _hopeless([(weights[name], by[name] == "exact") for name in by], rule.at_least)
    likenesses: list[list[tuple[int, Likeness]]] = []
    flags = []
    for draft, own in zip(drafts, shared, strict=True):
        face = tuple(normalised(draft.after.get(name)) for name in by)
        before = sorted({id for key in own for id in holders[key] if id < draft.id and id in values}, reverse=True)[
            :MOST_CANDIDATES
        ]
        alike = []
        for id in before:
            if hopeless(face, faces[id]):
                continue
            found = likeness(draft.after, values[id], weights, by)
            if found.score >= rule.at_least:
                alike.append((id, found))
        alike.sort(key=lambda pair: (-pair[1].score, pair[0]))
        if alike and (rule.then == "refuse" or work.refuses_alike):
            raise Refused(_told(work, model, alike[:MOST_WARNINGS]), 409)
        flags += [_flag_row(work, model, draft.id, id, how) for id, how in alike]
        likenesses.append(alike[:MOST_WARNINGS])
    work.w.many(_flag_statement(work), flags)
    words = iter(_told(work, model, [pair for alike in likenesses for pair in alike]))
    return [[next(words) for _ in alike] for alike in likenesses]


def _hopeless(fields: Sequence[tuple[int, bool]], at_least: int) -> Callable[[tuple[str, ...], tuple[str, ...]], bool]:
    """Whether two records cannot be alike enough, however alike their texts are: told without comparing any.

    `fields` are weights, and whether values are compared exactly.
    """
    whole = sum(weight for weight, _ in fields)

    def told(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
        best = compared = 0
        for (weight, exact), left, right in zip(fields, one, other, strict=True):
            if left and right:
                compared += weight
                if not exact or left == right:
                    best += weight
        return compared * 2 < whole or best * 100 < at_least * compared

    return told


def _holders(work: Work) -> Statement:
    """The newest records that hold each of some keys."""
    k = system.match_key
    place = sa.func.row_number().over(partition_by=k.c.key, order_by=k.c.record.desc()).label("place")
    ranked = (
        sa.select(k.c.key, k.c.record, place)
        .where(k.c.entity == sa.bindparam("entity"), among(k.c.key, "keys"))
        .subquery()
    )
    return work.plans.db.statement(
        sa.select(ranked.c.key, ranked.c.record).where(ranked.c.place <= sa.bindparam("most", type_=sa.BigInteger()))
    )


def _compared(work: Work, model: EntityApp, names: tuple[str, ...]) -> Statement:
    table = model.table
    columns = [table.c[model.columns[name]] for name in names]
    return work.plans.db.statement(
        sa.select(table.c.id, *columns).where(among(table.c.id, "ids"), table.c.deleted_at.is_(None))
    )


def _keep_keys(work: Work, model: EntityApp, draft: Draft, found: Iterable[str]) -> None:
    k = system.match_key
    if draft.before is not None:
        clear = work.plans.kept(
            "clear keys", lambda: work.plans.db.statement(sa.delete(k).where(k.c.record == sa.bindparam("id")))
        )
        work.w.run(clear, {"id": draft.id})
    _add_keys(work, _key(work, model), [(key, draft.id) for key in sorted(found)])


def _add_keys(work: Work, entity: str, rows: Sequence[tuple[str, int]]) -> None:
    """Keep the keys of records, and remember those records whose keys others keep who have not committed yet."""
    if work.plans.db.dialect != "postgresql":
        work.w.many(_add_key(work), [{"entity": entity, "key": key, "record": record} for key, record in rows])
        return
    if not rows:
        return
    statement = work.plans.kept("add and hold keys", lambda: work.plans.db.statement(_ADD_AND_HOLD))
    given = orjson.dumps([{"key": key, "record": record} for key, record in rows]).decode()
    met = {row[0] for row in work.w.all(statement, {"entity": entity, "rows": given}) if not row[1]}
    if met:
        add = work.plans.kept("compare again", lambda: work.plans.db.upsert(system.match_again, ("entity", "record")))
        work.w.many(add, [{"entity": entity, "record": id} for id in sorted(met)])


# Whoever holds the bucket of a key does so until his transaction ends.
_HELD = f"pg_try_advisory_xact_lock(hashtext('match ' || entity), hashtext(key) % {BUCKETS})"
_ADD_AND_HOLD = (
    sa.text(
        "INSERT INTO dg_match_key (entity, key, record) SELECT :entity, key, record "
        f"FROM json_to_recordset(CAST(:rows AS JSON)) AS e(key TEXT, record BIGINT) RETURNING record, {_HELD} AS held"
    )
    .bindparams(sa.bindparam("entity", type_=sa.Text()), sa.bindparam("rows", type_=sa.Text()))
    .columns(system.match_key.c.record, sa.column("held", sa.Boolean()))
)
_HOLD = (
    sa.text(f"SELECT {_HELD} AS held FROM dg_match_key WHERE record = :record")
    .bindparams(sa.bindparam("record", type_=sa.BigInteger()))
    .columns(sa.column("held", sa.Boolean()))
)


def _add_key(work: Work) -> Statement:
    k = system.match_key
    statement: Statement = work.plans.kept(
        "add key",
        lambda: work.plans.db.statement(
            sa.insert(k).values(entity=sa.bindparam("entity"), key=sa.bindparam("key"), record=sa.bindparam("record"))
        ),
    )
    return statement


def _flag_statement(work: Work) -> Statement:
    new: dict[str, Any] = {"score": sa.literal_column("excluded.score"), "detail": sa.literal_column("excluded.detail")}
    statement: Statement = work.plans.kept(
        "flag", lambda: work.plans.db.upsert(system.duplicate, ("entity", "one", "other"), new)
    )
    return statement


def _flag_row(work: Work, model: EntityApp, one: int, other: int, alike: Likeness) -> dict[str, Any]:
    detail = orjson.dumps({part.field: part.likeness for part in alike.parts}).decode()
    return {"id": new_id(), "app": work.app.name, "entity": _key(work, model), "one": min(one, other), "other": max(one, other),
            "score": alike.score, "detail": detail, "state": "open", "by": None, "at": work.now}  # fmt: skip


def _told(work: Work, model: EntityApp, alike: Sequence[tuple[int, Likeness]]) -> list[Problem]:
    """A warning for each record that is alike; of one that the principal may not see only that there is one."""
    titles = work.lens.titles(work.w, model.name, sorted({id for id, _ in alike})) if alike else {}
    return [
        Problem("duplicate-hidden", model.name, {"score": how.score}, "warning")
        if titles.get(id) is None
        else Problem(
            "duplicate-found",
            model.name,
            {"title": titles[id], "score": how.score, "id": str(id), "entity": model.name},
            "warning",
        )
        for id, how in alike
    ]


def distinct(work: Work, command: Distinct) -> None:
    """Say that two records are not the same, or take that back; they are not flagged again until one of them changes."""
    model = work.model(command.entity, "merge")
    one, other = (work.load(model, id, "merge")[0] for id in sorted((command.one, command.other)))
    if one.id == other.id or model.duplicates is None:
        raise Refused(Problem("not-found", model.name), 404)
    d = system.duplicate
    pair = sa.and_(d.c.entity == _key(work, model), d.c.one == one.id, d.c.other == other.id)
    if not command.apart:
        back = sa.update(d).where(pair, d.c.state == "distinct").values(state="open", by=None)
        if work.w.run(work.plans.db.statement(back), {}) == 0:
            raise Refused(Problem("not-found", model.name), 404)
        return
    said = sa.update(d).where(pair, d.c.state != "merged").values(state="distinct", by=work.principal.user)
    if work.w.run(work.plans.db.statement(said), {}):
        return
    # They have not been compared since the definition asks for it: what is said holds all the same.
    weights = {name: match.weight for name, match in model.duplicates.match.items()}
    alike = likeness(one.after, other.after, weights, comparators(model))
    row = _flag_row(work, model, one.id, other.id, alike) | {"state": "distinct", "by": work.principal.user}
    work.w.run(work.plans.db.statement(sa.insert(d)), row)


def compare_again(work: Work, entity: str) -> None:
    """Compare those records that did not see others of the same moment; some of them, if there are very many."""
    model = work.app.entities[entity]
    done, flags = [], []
    for id in waiting(work, entity):
        draft = work.find(model, id)
        if model.duplicates is not None and draft is not None and draft.after["deleted_at"] is None:
            if not _held(work, id):
                continue
            flags += [_flag_row(work, model, id, other, how) for other, how in candidates(work, model, draft.after, id)]
        done.append(id)
    work.w.many(_flag_statement(work), flags)
    m = system.match_again
    forget = work.plans.kept(
        "compared again",
        lambda: work.plans.db.statement(
            sa.delete(m).where(m.c.entity == sa.bindparam("entity"), among(m.c.record, "ids"))
        ),
    )
    work.w.run(forget, {"entity": _key(work, model), "ids": done})


def waiting(work: Work, entity: str) -> list[int]:
    """The records that are to be compared again."""
    m = system.match_again
    statement = work.plans.kept(
        "to compare again",
        lambda: work.plans.db.statement(
            sa.select(m.c.record).where(m.c.entity == sa.bindparam("entity")).order_by(m.c.record).limit(MOST_AGAIN)
        ),
    )
    return [row[0] for row in work.w.all(statement, {"entity": _key(work, work.app.entities[entity])})]


def _held(work: Work, id: int) -> bool:
    """Whether nobody else is at work on a record with like keys, from now until the transaction ends."""
    if work.plans.db.dialect != "postgresql":
        return True  # SQLite has one writer at a time
    statement = work.plans.kept("hold keys", lambda: work.plans.db.statement(_HOLD))
    return all(row[0] for row in work.w.all(statement, {"record": id}))


def queue(work: Work, entity: str, limit: int = 50) -> list[dict[str, Any]]:
    """Open pairs whose two records the principal may both see, most alike first: id, one, other (id and title), score, detail."""
    work.model(entity, "merge")
    found, _ = pairs(work.lens, work.w, entity, Wanted(), limit)
    titles = work.lens.titles(work.w, entity, {id for pair in found for id in (pair.one, pair.other)})
    return [
        {
            "id": str(pair.id),
            "one": {"id": str(pair.one), "title": titles.get(pair.one)},
            "other": {"id": str(pair.other), "title": titles.get(pair.other)},
            "score": pair.score,
            "detail": dict(pair.parts),
        }
        for pair in found
    ]


def _key(work: Work, model: EntityApp) -> str:
    return f"{work.app.name}.{model.name}"
