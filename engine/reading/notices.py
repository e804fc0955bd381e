"""Notices: what somebody should know about other records before he goes on with this one.

A notice counts records of which the reader may see none, so it says only what the definition reveals: how many there are,
and the fields named in `reveals`.  Those that he may see are linked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.app import EntityApp, NoticeApp
from engine.problems import Label
from engine.reading.lens import Lens
from engine.reading.tables import ThisTables, WholeTables

MOST_SHOWN = 5


@dataclass(frozen=True)
class Told:
    """One notice about one record. `links` are (id, title) of the records that the reader may open."""

    name: str
    level: str
    words: Label
    count: int
    entity: str
    links: tuple[tuple[int, str], ...]


def notices(lens: Lens, r: Any, entity: str, id: int | None = None, chosen: dict[str, int] | None = None) -> list[Told]:
    """The notices of a saved record, or while one is being made with `chosen` lookups (field -> id)."""
    model = lens.view.model(entity)
    out = []
    for notice in model.notices:
        about = _about(lens, r, model, notice, id, chosen or {})
        if about is None:
            continue
        told = _tell(lens, r, model, notice, about, id)
        if told is not None:
            out.append(told)
    return out


def _about(
    lens: Lens, r: Any, model: EntityApp, notice: NoticeApp, id: int | None, chosen: dict[str, int]
) -> int | None:
    """The record that `this` means: the target of the field `on`, or the record itself."""
    if notice.on is None:
        return id
    if notice.on in chosen or id is None:
        return chosen.get(notice.on)
    table = model.table
    column = table.c[model.columns[notice.on]]
    statement = lens.view.kept(
        ("about", model.name, notice.name),
        lambda: lens.db.statement(sa.select(column).where(table.c.id == sa.bindparam("id"))),
    )
    found = r.scalar(statement, {"id": id})
    return int(found) if found is not None else None


def _tell(lens: Lens, r: Any, model: EntityApp, notice: NoticeApp, about: int, id: int | None) -> Told | None:
    whole = ThisTables(WholeTables(lens.app), model.lookups[notice.on] if notice.on else model.name)
    other = lens.app.entities[notice.entity]

    def make() -> Any:
        alias = other.table
        columns = [sa.func.count().over().label("n"), alias.c.id]
        columns += [_revealed(lens, alias, other, path).label(f"c{i}") for i, path in enumerate(notice.reveals)]
        clauses = [alias.c.deleted_at.is_(None), alias.c.id != sa.bindparam("own"), notice.where.clause(whole, alias)]
        return lens.db.statement(sa.select(*columns).where(*clauses).order_by(alias.c.id.desc()).limit(MOST_SHOWN))

    statement = lens.view.kept(("notice", model.name, notice.name), make)
    rows = r.all(statement, {**lens.parameters, "this": about, "own": id or 0})
    if not rows:
        return None
    shown = list(dict.fromkeys(_words(row[2:]) for row in rows if any(row[2:])))
    titles = lens.titles(r, notice.entity, [row[1] for row in rows])
    values = {"count": rows[0][0], "records": Label("、".join(shown), ", ".join(shown))}
    words = Label(*(_fill(notice.say[language], values, language) for language in ("zh", "en")))
    return Told(
        notice.name,
        notice.level,
        words,
        rows[0][0],
        notice.entity,
        tuple((row[1], titles[row[1]]) for row in rows if row[1] in titles),
    )


def _fill(template: str, values: dict[str, Any], language: str) -> str:
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value[language] if isinstance(value, Label) else str(value))
    return template


def _words(values: Iterable[Any]) -> str:
    """The first revealed value, and the others in brackets: 张伟(华东区)."""
    first, *others = [str(value) for value in values if value is not None]
    return f"{first}({'、'.join(others)})" if others else first


def _revealed(lens: Lens, alias: Any, model: EntityApp, path: str) -> Any:
    """The value at the end of a path of lookups; of a record its title."""
    name, _, rest = path.partition(".")
    column = alias.c[model.columns[name]]
    target = model.lookups.get(name)
    if target is None:
        return sa.cast(column, sa.Text())
    other = lens.app.entities[target]
    record = other.table.alias()
    value = _revealed(lens, record, other, rest) if rest else record.c[other.columns[other.title]]
    return sa.select(value).where(record.c.id == column).scalar_subquery()
