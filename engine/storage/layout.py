"""Where the values of an app's fields lie: entity -> table, field -> column, the same for ever.

Physical names are generated once and never change.  A renamed field keeps its column, a field that is dropped leaves its
column behind, and one that changes its type gets a new column.  So a layout only ever grows, and every published version
can be gone back to: its layout still points at columns that stand.

A column's *signature* says what its values mean (`number:2`, `lookup>crm_account`).  A column serves a field only while
their signatures agree.  Where a field changes its type, the layout remembers which column its values have moved to: only along
that way may a conversion write into a column that stood before.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field as default
from typing import Any

from engine.fields.base import Field
from engine.storage.system import system

# Columns that the engine keeps in every record table; their names are those of the built-in fields.
BUILT_IN = (
    "id", "version", "created_at", "created_by", "updated_at", "updated_by", "deleted_at",
    "pipeline", "stage", "stage_entered_at", "checklist", "search",
)  # fmt: skip
# PostgreSQL keeps columns of these names for itself.
SERVERS_OWN = ("tableoid", "xmin", "xmax", "cmin", "cmax", "ctid")
LONGEST = 60  # bytes; PostgreSQL cuts names at 63


@dataclass(frozen=True, slots=True)
class Stored:
    """A column and what its values mean."""

    column: str
    signature: str


@dataclass(frozen=True, slots=True)
class EntityLayout:
    """The table of an entity, the columns of its fields, and the columns that former fields have left."""

    table: str
    fields: Mapping[str, Stored] = default(default_factory=dict)
    left: Mapping[str, tuple[Stored, ...]] = default(default_factory=dict)  # by the field's last name
    moved: Mapping[str, str] = default(default_factory=dict)  # column -> the one its values were last converted into

    def column(self, field: str) -> str:
        """The column of a declared or built-in field. Raises KeyError."""
        found = self.fields.get(field)
        if found is not None:
            return found.column
        if field in BUILT_IN:
            return field
        raise KeyError(field)

    def follow(self, column: str) -> str:
        """The column that the values of `column` have come to, after however many conversions."""
        while column in self.moved:
            column = self.moved[column]
        return column

    def taken(self) -> set[str]:
        """Every column name that is or was in use."""
        names = {stored.column for stored in self.fields.values()} | {*BUILT_IN, *SERVERS_OWN}
        return names | {stored.column for columns in self.left.values() for stored in columns}


@dataclass(frozen=True, slots=True)
class Renames:
    """What the definition's `was:` says: new entity -> old, and (new entity, new field) -> old field."""

    entities: Mapping[str, str] = default(default_factory=dict)
    fields: Mapping[tuple[str, str], str] = default(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of one published version. `retired` are the tables of entities that the definition no longer has."""

    entities: Mapping[str, EntityLayout] = default(default_factory=dict)
    retired: Mapping[str, EntityLayout] = default(default_factory=dict)

    def __getitem__(self, entity: str) -> EntityLayout:
        return self.entities[entity]

    def to_json(self) -> str:
        """One line, the same for equal layouts."""
        parts = {"entities": _dump(self.entities), "retired": _dump(self.retired)}
        return json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Layout":
        parts = json.loads(text)
        return cls(_load(parts["entities"]), _load(parts["retired"]))


def _dump(entities: Mapping[str, EntityLayout]) -> dict[str, Any]:
    return {
        name: {
            "table": entity.table,
            "fields": {field: [stored.column, stored.signature] for field, stored in entity.fields.items()},
            "left": {field: [[s.column, s.signature] for s in columns] for field, columns in entity.left.items()},
            "moved": dict(entity.moved),
        }
        for name, entity in entities.items()
    }


def _load(entities: Mapping[str, Any]) -> dict[str, EntityLayout]:
    return {
        name: EntityLayout(
            entity["table"],
            {field: Stored(*pair) for field, pair in entity["fields"].items()},
            {field: tuple(Stored(*pair) for pair in pairs) for field, pairs in entity["left"].items()},
            entity["moved"] if "moved" in entity else _guessed(entity),
        )
        for name, entity in entities.items()
    }


def _guessed(entity: Mapping[str, Any]) -> dict[str, str]:
    """What earlier engines did not write down: columns left under the name of a field may have moved to its column."""
    fields = entity["fields"]
    return {column: fields[name][0] for name, pairs in entity["left"].items() if name in fields for column, _ in pairs}


def signature(field: Field) -> str:
    """What the stored values of `field` mean: its type, and the scale, unit or target that they depend on.

    Options, limits and labels are no part of it: they change without touching a value.
    """
    kind = field.value_type()
    name = "text" if field.type == "longtext" else field.type
    if kind.kind == "record":
        return f"{name}>{kind.entity}"
    if kind.kind == "number":
        return ":".join(str(part) for part in (name, kind.scale, kind.unit) if part)
    return name if name == kind.kind or kind.kind in ("text", "json", "files") else f"{name}:{kind.kind}"


def extend(
    previous: Layout | None,
    app: str,
    specs: Mapping[str, Mapping[str, str]],
    renames: Renames = Renames(),
    taken: Collection[str] = (),
) -> Layout:
    """The layout of a new version: that of the `previous` one, and room for what is new.

    `specs` maps each entity to the signatures of its stored fields.  A renamed entity or field keeps its place; an
    entity or field that comes back after having been dropped gets its place back if its signature is the same.  `taken`
    are table names in use by others.  A rename whose old name does not exist (any more) means nothing.
    """
    before = previous or Layout()
    tables = {*taken, *system.tables} | {
        entity.table for group in (before.entities, before.retired) for entity in group.values()
    }
    sources = {name: _source(name, renames.entities.get(name), specs, before.entities) for name in specs}
    homes: dict[str, EntityLayout] = {}
    for name in specs:
        source = sources[name]
        home = before.entities[source] if source is not None else before.retired.get(name)
        if home is not None and source is None:
            home = _resting(home)
        if home is None:
            home = EntityLayout(_fresh(f"{_slug(app)}_{_slug(name)}", tables))
            tables.add(home.table)
        homes[name] = home
    physical = {name: home.table for name, home in homes.items()}
    entities = {
        name: _extend_entity(
            homes[name],
            {field: _resolved(text, physical) for field, text in fields.items()},
            {field: old for (entity, field), old in renames.fields.items() if entity == name},
        )
        for name, fields in specs.items()
    }
    retired: dict[str, EntityLayout] = {}
    for name, home in [*before.retired.items(), *before.entities.items()]:
        if home.table not in physical.values():
            retired[_fresh(name, retired)] = home
    return Layout(entities, retired)


def restore(current: Layout, target: Layout) -> Layout:
    """The layout with which an earlier version (`target`) goes live again: its own columns, forgetting none made since."""
    homes = {home.table: _resting(home) for home in current.retired.values()}
    homes |= {home.table: home for home in current.entities.values()}
    entities = {name: _restore_entity(homes.get(home.table, home), home) for name, home in target.entities.items()}
    tables = {home.table for home in entities.values()}
    retired: dict[str, EntityLayout] = {}
    for name, home in [*current.retired.items(), *current.entities.items()]:
        if home.table not in tables:
            retired[_fresh(name, retired)] = home
    return Layout(entities, retired)


def _resting(home: EntityLayout) -> EntityLayout:
    """An entity that is gone, to come back: its fields as those that have left. No values move on that way."""
    left = {name: (*home.left.get(name, ()), stored) for name, stored in home.fields.items()}
    return EntityLayout(home.table, {}, {**home.left, **left}, home.moved)


def _restore_entity(current: EntityLayout, target: EntityLayout) -> EntityLayout:
    used = {stored.column for stored in target.fields.values()}
    left: dict[str, tuple[Stored, ...]] = {}
    for name, columns in [*current.left.items(), *((name, (stored,)) for name, stored in current.fields.items())]:
        kept = tuple(stored for stored in columns if stored.column not in used)
        if kept:
            left[name] = left.get(name, ()) + kept
    standing = {stored.column for stored in current.fields.values()}
    moved = dict(current.moved)
    for column in sorted(used - standing):
        source = current.follow(column)
        if source in standing and source not in used:
            _move(moved, source, column)
    return EntityLayout(target.table, target.fields, left, _without(moved, used))


def _move(moved: dict[str, str], source: str, target: str) -> None:
    """Values move on, or back to where they came from."""
    moved.pop(target, None)
    moved[source] = target


def _without(moved: Mapping[str, str], standing: Collection[str]) -> dict[str, str]:
    """Values of columns that are in use are where they are."""
    return {source: target for source, target in moved.items() if source not in standing}


def _source(name: str, was: str | None, specs: Mapping[str, object], before: Mapping[str, object]) -> str | None:
    """The name that the entity or field had before; None if it is new. `was` counts until it has been carried out."""
    if name in before:
        return name
    return was if was is not None and was in before and was not in specs else None


def _resolved(text: str, tables: Mapping[str, str]) -> str:
    """The target of a lookup is the table it points into, so that renaming the target changes nothing."""
    kind, arrow, target = text.partition(">")
    return f"{kind}{arrow}{tables.get(target, target)}" if arrow else text


def _extend_entity(home: EntityLayout, specs: Mapping[str, str], was: Mapping[str, str]) -> EntityLayout:
    fields: dict[str, Stored] = {}
    left = {name: list(columns) for name, columns in home.left.items()}
    moved = dict(home.moved)
    taken = home.taken()
    used: set[str] = set()
    for name, text in specs.items():
        source = _source(name, was.get(name), specs, home.fields)
        before = home.fields[source] if source is not None else None
        stored = before
        if stored is None or stored.signature != text:
            known = [each for each in reversed(left.get(name, [])) if each.signature == text]
            if before is not None and source is not None:
                # Another field of this name may have left a column, whose values are not to be written over.
                known = [each for each in known if home.follow(each.column) == before.column]
                left.setdefault(name, []).append(before)
                used.add(source)
            stored = next(iter(known), None)
            if stored is not None:
                left[name].remove(stored)
            else:
                stored = Stored(_fresh(_slug(name), taken), text)
                taken.add(stored.column)
            if before is not None:
                _move(moved, before.column, stored.column)
        elif source is not None:
            used.add(source)
            if source != name and source in left:
                left.setdefault(name, []).extend(left.pop(source))
        fields[name] = stored
    for name, stored in home.fields.items():
        if name not in used:
            left.setdefault(name, []).append(stored)
    now = {stored.column for stored in fields.values()}
    kept = {name: tuple(columns) for name, columns in left.items() if columns}
    return EntityLayout(home.table, fields, kept, _without(moved, now))


def _slug(name: str) -> str:
    """An ASCII name of letters, digits and single underscores that begins with a letter."""
    found = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[: LONGEST // 2 - 4].rstrip("_")
    return found if found and found[0].isalpha() else f"x_{found}".rstrip("_")


def _fresh(wanted: str, taken: Collection[str]) -> str:
    """`wanted`, or with the first number that makes it new."""
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}_{number}", number + 1
    return name


def table_names(layouts: Iterable[Layout]) -> set[str]:
    """Every table that these layouts use or have used."""
    return {
        entity.table for layout in layouts for group in (layout.entities, layout.retired) for entity in group.values()
    }
