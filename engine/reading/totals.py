"""Which totals are kept for an app, and which of them answers a question.

A view that declares `group` and `sum` says what is asked all the time.  Its totals have as dimensions the fields it groups
and filters by, and besides those by which policies tell rows apart (the owner, whether it is sealed), so that they can be
added up for every reader from the rows that he may see.  What a question reads of the records decides alone whether totals
answer it: its conditions, those of the policies and of fields that are seen on some rows only are compiled, and every
column of the record table in them must be a dimension.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from engine.access.policies import closure
from engine.app import App, EntityApp, ViewApp
from engine.reading.tables import WholeTables
from engine.storage.totals import Totals

MOST = 6  # for one entity; each costs something at every write
MOST_DIMENSIONS = 8
_GROUPED = ("choice", "boolean", "record", "date")
_NARROW = (*_GROUPED, "number", "duration", "datetime")
_PEOPLE = ("user", "team")  # few enough to be told apart; any other record would make as many rows as there are records


def kept_totals(app: App, entity: str) -> tuple[Totals, ...]:
    """The totals of an entity, those with the fewest dimensions first."""
    model = app.entities[entity]
    found = dict.fromkeys(each for view in app.views.values() if view.entity == entity for each in _of_view(app, view))
    unique = {(each.dimensions, each.sums): each for each in found}
    return tuple(sorted(unique.values(), key=lambda each: len(each.dimensions)))[:MOST] if not model.system else ()


def scanned(app: App, view: ViewApp) -> tuple[str, ...]:
    """The columns that answer what a view declares where its totals do not, because some role's condition on rows reads
    other columns than they tell apart: an index over these spares reading whole records. Empty where totals answer all."""
    model = app.entities[view.entity]
    known = next((set(totals.dimensions) for totals in _of_view(app, view)), set())
    narrow = {column for name, column in model.columns.items() if model.fields[name].value_type().kind in _NARROW}
    further = [read for read in _of_policies(app, model, view) if known and not read <= known and read <= narrow]
    if not further:
        return ()
    group = [model.columns[name] for name in view.group]
    columns = dict.fromkeys((*group, *sorted(known.union(*further)), *(model.columns[name] for name in view.sum)))
    # SQLite looks the deletion up in the record, even where the index holds none but live ones, unless it stands there.
    return (*columns, "deleted_at") if len(columns) <= MOST_DIMENSIONS else ()


def _of_view(app: App, view: ViewApp) -> Iterator[Totals]:
    model = app.entities[view.entity]
    if not view.group or any(name not in model.columns for name in (*view.group, *view.sum)):
        return
    if any(model.fields[name].value_type().kind not in _GROUPED for name in view.group):
        return
    known = {model.columns[name] for name in view.group}
    apart = known | _telling(model)
    if view.where is not None:
        read = columns_of([view.where.clause(WholeTables(app), model.table)], model.table)
        if not read <= apart:
            return
        known |= read
    for read in _of_policies(app, model, view):
        if read <= apart and len(known | read) <= MOST_DIMENSIONS:
            known |= read
    sums = {model.columns[name] for name in view.sum}
    yield Totals(tuple(sorted(known)), tuple(sorted(sums)), f"view {view.name}")


def _telling(model: EntityApp) -> set[str]:
    """The columns that tell many records apart by few values."""
    found = set()
    for name, column in model.columns.items():
        kind = model.fields[name].value_type()
        if kind.kind in ("choice", "boolean") or (kind.kind == "record" and kind.entity in _PEOPLE):
            found.add(column)
    return found


def _of_policies(app: App, model: EntityApp, view: ViewApp) -> Iterator[set[str]]:
    """The columns that each role's condition on rows reads, of the roles that open the view."""
    for role in app.definition.roles:
        grant = app.policies.grants.get(role, {}).get(model.name)
        if grant is None or grant.read is None or not view.open_to(closure(app.definition.roles, [role]), False):
            continue
        yield columns_of([grant.read.clause(WholeTables(app), model.table)], model.table)


def columns_of(elements: Iterable[Any], table: sa.Table) -> set[str]:
    """The columns of a table that SQL elements read, also from within subqueries. What is read of an alias of the same
    table belongs to other records and is not among them."""
    return {
        each.name
        for element in elements
        for each in visitors.iterate(element)
        if isinstance(each, sa.Column) and each.table is table
    }


__all__ = ["columns_of", "kept_totals", "scanned"]
