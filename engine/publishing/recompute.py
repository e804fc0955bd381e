"""Stored values that follow from others, computed anew when their rule changes: set by set, in the database.

Fields are taken in the order in which they draw on each other, across all entities, so that each is computed once.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Literal

import sqlalchemy as sa

from engine.app import App, Computed, EntityApp
from engine.expressions.tree import Variable, walk
from engine.publishing.identity import Identity
from engine.publishing.survey import variables
from engine.reading.searched import searched_fields
from engine.reading.tables import WholeTables
from engine.rules.duplicates import comparators, keys
from engine.storage import system
from engine.storage.database import Database
from engine.storage.search import RULE, search_tokens
from engine.storage.session import Write
from engine.storage.statement import Tokens

CHUNK = 1000
Pair = tuple[str, str]


def outdated(old: App, new: App, identity: Identity) -> dict[str, tuple[str, ...]]:
    """Entity -> the stored computed fields whose rule or whose inputs' rule is another than in the old version."""
    calendar = old.definition.calendar != new.definition.calendar
    stale = set(identity.predecessors)
    for name, entity in new.definition.entities.items():
        # What draws on another field that has this name now draws on other values.
        stale |= {(name, field) for field in entity.fields if identity.is_new(name, field, entity.fields)}
    order = in_order(new)
    for computed in order:
        drawn = set().union(*(expression.fields for expression in computed.expressions))
        if drawn & stale or not _same(old, computed, identity) or (calendar and _reads_calendar(computed)):
            stale |= {(computed.entity, name) for name in computed.writes}
    found: dict[str, list[str]] = {}
    for computed in order:
        if (computed.entity, computed.name) in stale:
            found.setdefault(computed.entity, []).append(computed.name)
    return {entity: tuple(names) for entity, names in found.items()}


def in_order(app: App) -> list[Computed]:
    """All stored computed fields of an app, each after those that it draws on."""
    stored = [computed for model in app.entities.values() for computed in model.computed.values() if computed.stored]
    writer = {(computed.entity, name): computed for computed in stored for name in computed.writes}
    order: dict[Pair, Computed] = {}

    def visit(computed: Computed, above: frozenset[Pair]) -> None:
        key = (computed.entity, computed.name)
        if key in order or key in above:
            return
        for expression in computed.expressions:
            for pair in sorted(expression.fields):
                if pair in writer:
                    visit(writer[pair], above | {key})
        order[key] = computed

    for computed in stored:
        visit(computed, frozenset())
    return list(order.values())


def _same(old: App, computed: Computed, identity: Identity) -> bool:
    """Whether the old version kept the same value in the same columns."""
    entity = identity.entities.get(computed.entity)
    before = (
        old.entities[entity].computed.get(identity.fields.get((computed.entity, computed.name), "")) if entity else None
    )
    if (
        before is None
        or not before.stored
        or any((computed.entity, name) not in identity.fields for name in computed.writes)
    ):
        return False
    if computed.score is not None:
        return before.score is not None and before.score.rule == computed.score.rule
    return [each.text for each in before.expressions] == [each.text for each in computed.expressions]


def _reads_calendar(computed: Computed) -> bool:
    nodes = (node for expression in computed.expressions for node in walk(expression.tree))
    return any(isinstance(node, Variable) and node.name in ("calendar", "timezone") for node in nodes)


def recompute(db: Database, write: Write, app: App, names: Mapping[str, tuple[str, ...]], moment: int) -> int:
    """Compute fields of every record anew, deleted ones too; how many values have become others."""
    chosen = {(entity, name) for entity, each in names.items() for name in each}
    values = variables(app, moment)
    tables = WholeTables(app)
    changed = 0
    for computed in in_order(app):
        if (computed.entity, computed.name) in chosen:
            for statement in _updates(app, tables, computed):
                changed += write.run(db.statement(statement), values)
    return changed


def _updates(app: App, tables: WholeTables, computed: Computed) -> Iterator[Any]:
    model = app.entities[computed.entity]
    table = model.table
    if computed.score is None:
        assert computed.expression is not None
        column = table.c[model.columns[computed.name]]
        value = computed.expression.to_sql(tables, table)
        yield sa.update(table).where(column.is_distinct_from(value)).values({column: value})
        return
    score = computed.score
    scored = score.select(tables, table.alias("scored"))
    values: dict[Any, Any] = {
        model.columns[score.field]: scored.c.score,
        model.columns[score.detail_field]: scored.c.detail,
    }
    if score.band_field in model.columns:
        values[model.columns[score.band_field]] = scored.c.band
    differs = sa.or_(*(table.c[column].is_distinct_from(value) for column, value in values.items()))
    yield sa.update(table).where(table.c.id == scored.c.id, differs).values(values)


def matched(app: App, model: EntityApp) -> dict[str, Literal["exact", "fuzzy"]]:
    """How each matched field is compared; empty where nothing is matched."""
    if model.duplicates is None:
        return {}
    return dict(comparators(model.duplicates, {name: field.type for name, field in model.fields.items()}))


def rematch(db: Database, write: Write, app: App, entity: str) -> None:
    """Make the keys by which duplicates are found anew for every live record. Pairs that were flagged stay flagged."""
    model, k = app.entities[entity], system.match_key
    own = f"{app.name}.{entity}"
    write.run(db.statement(sa.delete(k).where(k.c.entity == own)))
    if model.duplicates is None:
        return
    by = comparators(model.duplicates, {name: field.type for name, field in model.fields.items()})
    table = model.table
    columns = [table.c[model.columns[name]] for name in by]
    alive = sa.select(table.c.id, *columns).where(table.c.deleted_at.is_(None), table.c.id > sa.bindparam("last"))
    read = db.statement(alive.order_by(table.c.id).limit(sa.literal_column(str(CHUNK))))
    add = db.statement(sa.insert(k).values({name: sa.bindparam(name) for name in ("entity", "key", "record")}))
    last = 0
    while rows := write.all(read, {"last": last}):
        found = ((key, keys(dict(zip(by, values, strict=True)), by)) for key, *values in rows)
        write.many(add, [{"entity": own, "key": each, "record": key} for key, some in found for each in sorted(some)])
        last = rows[-1][0]


def reindex(db: Database, write: Write, app: App, entity: str) -> int:
    """Build the search words of every record of an entity anew; how many records there are."""
    some = _reindexing(db, app, entity)
    last, count = 0, 0
    while found := some(write, last):
        last, count = found[0], count + found[1]
    return count


def _reindexing(db: Database, app: App, entity: str) -> Callable[[Write, int], tuple[int, int] | None]:
    """Makes the search words of the next records after an id anew: the last id and how many; None when there are no more."""
    model = app.entities[entity]
    table, names = model.table, searched_fields(app, model)
    columns = [table.c[model.columns[name]] for name in names]
    rows = (
        sa.select(table.c.id, *columns)
        .where(table.c.id > sa.bindparam("last"))
        .order_by(table.c.id)
        .limit(sa.literal_column(str(CHUNK)))
    )
    read = db.statement(rows.with_for_update() if db.dialect == "postgresql" else rows)
    save = db.statement(
        sa.update(table).where(table.c.id == sa.bindparam("key")).values(search=sa.bindparam("words", type_=Tokens()))
    )
    shows = [(name == model.title, model.fields[name].show) for name in names]

    def some(write: Write, last: int) -> tuple[int, int] | None:
        found = write.all(read, {"last": last})
        if not found:
            return None
        changed = []
        for key, *values in found:
            texts, title = [], ""
            for (named, show), value in zip(shows, values, strict=True):
                if value is not None:
                    texts.append(show(value))
                    title = texts[-1] if named else title
            changed.append({"key": key, "words": search_tokens(texts, title)})
        write.many(save, changed)
        return found[-1][0], len(found)

    return some


def searched_otherwise(db: Database, app: App) -> bool:
    """Whether an older engine has made search words of the app's records that are to be made anew."""
    known = db.statement(sa.select(system.epoch.c.number).where(system.epoch.c.name == sa.bindparam("name")))
    return bool(db.scalar(known, {"name": f"search:{app.name}"}) != RULE)


def search_again(db: Database, app: App, progress: Callable[[int], None] | None = None) -> int:
    """Make the search words of an app's records anew if an older engine has made them; how many records there were.

    A thousand records at a time, each in a transaction of its own, so that others can write meanwhile.  What is broken off
    begins again with the entity that was not finished. `progress` is told how many are done.
    """
    if not searched_otherwise(db, app):
        return 0
    known = db.statement(sa.select(system.epoch.c.number).where(system.epoch.c.name == sa.bindparam("name")))
    done = db.upsert(system.epoch, ["name"], ["number"])
    count = 0
    for entity, model in app.entities.items():
        mark = {"name": f"search:{app.name}.{entity}"}
        if model.system or db.scalar(known, mark) == RULE:
            continue
        some = _reindexing(db, app, entity)
        last = 0
        while (found := db.transact(partial(_after, some, last))) is not None:
            last, count = found[0], count + found[1]
            if progress is not None:
                progress(count)
        db.transact(lambda w, mark=mark: w.run(done, {**mark, "number": RULE}))  # type: ignore[misc]
    db.transact(lambda w: w.run(done, {"name": f"search:{app.name}", "number": RULE}))
    return count


def _after(some: Callable[[Write, int], tuple[int, int] | None], last: int, write: Write) -> tuple[int, int] | None:
    return some(write, last)
