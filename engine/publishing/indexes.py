"""The indexes that a definition calls for.

A definition says what its lists filter and sort by, so nobody has to think of indexes: a view that shows the open visits
of one owner, newest first, gets one over (owner, created_at, id).  Columns that are compared for equality come first, then
those sorted by, then the id, which makes the order total.  After it the other filters of the view are carried along, so that
a list filtered by several of them is found within the index of one, without an index for every combination.  What a view
sums for people whose rows its kept totals cannot tell apart is read from an index that holds all of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from engine.app import App, EntityApp, ViewApp
from engine.expressions.tree import Call, Const, Name, Node, Variable
from engine.fields.text import INDEXED
from engine.reading.totals import scanned
from engine.storage.statement import Dialect
from engine.storage.tables import IndexSpec, plain_indexes, reduced

MOST = 24  # for one entity; each costs something at every write
CARRIED = 3  # columns after the id
_CARRIED = ("choice", "record", "boolean", "date", "number")  # short ones
_FILTERED = ("choice", "record", "boolean", "text", "date", "number")
_SORTED = (*_FILTERED, "datetime", "duration")


def wanted(app: App, dialect: Dialect) -> dict[str, list[IndexSpec]]:
    """Entity -> its indexes."""
    found: dict[str, list[IndexSpec]] = {}
    for name, home in app.layout.entities.items():
        model = app.entities[name]
        assert model.definition is not None
        combinations = [[home.column(each) for each in names] for names in model.definition.unique.values()]
        specs = plain_indexes(home, model.fields, combinations, "stage" in model.fields, dialect)
        for view in app.views.values():
            if view.entity == name:
                specs += _of_view(model, view)
                if board := scanned(app, view):
                    specs.append(IndexSpec(tuple((column, False) for column in board), why=f"sums of view {view.name}"))
        found[name] = reduced(_joined(specs))[:MOST]
    return found


def _joined(specs: list[IndexSpec]) -> list[IndexSpec]:
    """Indexes that differ only in what they carry as one that carries what each does, as far as there is room."""
    found: dict[tuple[Any, ...], IndexSpec] = {}
    for spec in specs:
        ends = next((i for i, (name, _) in enumerate(spec.columns, 1) if name == "id"), len(spec.columns))
        key = (spec.columns[:ends], spec.unique, spec.live)
        before = found.get(key)
        carried = (*(before.columns[ends:] if before else ()), *spec.columns[ends:])
        columns = (*spec.columns[:ends], *tuple(dict.fromkeys(carried))[:CARRIED])
        found[key] = replace(before or spec, columns=columns)
    return list(found.values())


def _of_view(model: EntityApp, view: ViewApp) -> Iterator[IndexSpec]:
    equal = (
        [model.columns[name] for name in _equal(view.where.tree) if _fits(model, name, _FILTERED)] if view.where else []
    )
    sort: list[tuple[str, bool]] = []
    for text in view.sort:
        name = text.lstrip("-")
        if name == "id":
            continue
        if not _fits(model, name, _SORTED):
            return
        sort.append((model.columns[name], text.startswith("-")))
    falls = sort[0][1] if sort else True
    if any(text.lstrip("-") == "id" for text in view.sort):
        falls = view.sort[-1].startswith("-")
    yield from _spec(model, equal, sort, falls, f"view {view.name}")
    if equal:
        return  # what a filter leaves of so few rows needs no index of its own
    carried = [model.columns[name] for name in view.filters if _fits(model, name, _CARRIED)]
    for name in view.filters:
        if _fits(model, name, _FILTERED):
            why = f"filter {name} of view {view.name}"
            yield from _spec(model, [model.columns[name]], sort, falls, why, carried)


def _fits(model: EntityApp, name: str, kinds: tuple[str, ...]) -> bool:
    """Whether an index over the field's column helps, and every value has room in it."""
    if name not in model.columns:
        return False
    field = model.fields[name]
    kind = field.value_type().kind
    return kind in kinds and (kind != "text" or getattr(field, "limit", INDEXED + 1) <= INDEXED)


def _spec(
    model: EntityApp, equal: list[str], sort: list[tuple[str, bool]], falls: bool, why: str, carried: Sequence[str] = ()
) -> Iterator[IndexSpec]:
    known = dict.fromkeys(equal)
    columns = [(name, False) for name in known] + [(name, down) for name, down in sort if name not in known]
    names = {column: name for name, column in model.columns.items()}
    texts = sum(
        getattr(model.fields[names[column]], "limit", 0) for column, _ in columns if names[column] in model.fields
    )
    # Texts that fit an index one by one may be too long for it together.
    if columns and len(columns) <= 6 and texts <= INDEXED:
        own = {name for name, _ in columns}
        more = [(name, False) for name in carried if name not in own][:CARRIED]
        yield IndexSpec((*columns, ("id", falls), *more), why=why)


def _equal(node: Node) -> Iterator[str]:
    """The fields of the record that the condition compares with one value that is known when the list is asked for."""
    match node:
        case Call(_, "and", arguments):
            for each in arguments:
                yield from _equal(each)
        case Call(_, "eq", (Name(_, _, name, 0), Const() | Variable())) | Call(
            _, "eq", (Const() | Variable(), Name(_, _, name, 0))
        ):
            yield name
        case Call(_, "is_null", (Name(_, _, name, 0),)):
            yield name
        case Call(_, "in", (Name(_, _, name, 0), Const(_, (_,)))):
            # Of several values, each has its own order: an index after them could not sort.
            yield name
        case Name(type, _, name, 0) if type.kind == "boolean":
            yield name


__all__ = ["wanted"]
