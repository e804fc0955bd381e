"""Record tables: what SQLAlchemy knows of them, and the indexes that a definition calls for.

Every table has the same columns of the engine (id, version, who and when, soft deletion, process, search) and one column
for each stored field.

There are no foreign keys between record tables.  Records are deleted softly, so that a key would hold while its target
is gone for every reader; and what happens to those who point at a deleted record (`keep`, `clear`, `cascade`, `restrict`)
is a rule of the definition, which the write path carries out in the same transaction.  A constraint would check less, and
would make each publishing that adds a lookup scan the table.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.fields.base import Field
from engine.storage.layout import EntityLayout, Layout
from engine.storage.statement import Tokens
from engine.storage.system import ID


def record_table(home: EntityLayout, fields: Mapping[str, Field], *, staged: bool, metadata: sa.MetaData) -> sa.Table:
    """The table of one entity. `fields` are its declared fields; `staged`: it goes through a process.

    Columns are named as in the layout.
    """
    columns: list[sa.Column[Any]] = [
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.BigInteger),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("updated_by", sa.BigInteger),
        sa.Column("deleted_at", sa.BigInteger),
    ]
    if staged:
        columns += [
            sa.Column("pipeline", sa.Text),
            sa.Column("stage", sa.Text),
            sa.Column("stage_entered_at", sa.BigInteger),
            sa.Column("checklist", sa.Text),
        ]
    columns += [sa.Column(stored.column, fields[name].column()) for name, stored in home.fields.items()]
    columns.append(sa.Column("search", Tokens))
    return sa.Table(home.table, metadata, *columns)


def record_tables(
    layout: Layout, fields: Mapping[str, Mapping[str, Field]], staged: Collection[str]
) -> dict[str, sa.Table]:
    """The tables of all entities by entity name. `staged`: the entities that go through a process."""
    metadata = sa.MetaData()
    return {
        name: record_table(home, fields[name], staged=name in staged, metadata=metadata)
        for name, home in layout.entities.items()
    }


def ordered(column: sa.Column[Any], descending: bool = False) -> Any:
    """The column in an ORDER BY, empty values before all others in rising order, on both databases and in the indexes."""
    if not column.nullable:
        # PostgreSQL does not see that nulls first and nulls last are the same here.
        return column.desc() if descending else column.asc()
    return column.desc().nulls_last() if descending else column.asc().nulls_first()


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """An index over columns; of each whether it falls. `live`: only rows that are not deleted. `why` is shown in plans."""

    columns: tuple[tuple[str, bool], ...]
    unique: bool = False
    live: bool = True
    why: str = ""

    def name(self, table: str) -> str:
        """The same for the same index. A `$` keeps it apart from all other generated names."""
        said = repr((self.columns, self.unique, self.live))
        return f"{table[:44]}${hashlib.sha256(f'{table} {said}'.encode()).hexdigest()[:12]}"

    def build(self, table: sa.Table) -> sa.Index:
        """The index of a table that is not attached to it."""
        plain = sa.Table(
            table.name, sa.MetaData(), *(sa.Column(c.name, c.type, nullable=c.nullable) for c in table.columns)
        )
        where = plain.c.deleted_at.is_(None) if self.live else None
        if self.columns == (("search", False),):
            return sa.Index(self.name(table.name), plain.c.search, postgresql_using="gin")
        # A unique index finds equals; the order of its columns is nobody's business.
        parts = [plain.c[name] if self.unique else ordered(plain.c[name], falls) for name, falls in self.columns]
        return sa.Index(self.name(table.name), *parts, unique=self.unique, sqlite_where=where, postgresql_where=where)


def plain_indexes(
    home: EntityLayout, fields: Mapping[str, Field], combinations: Iterable[Sequence[str]], staged: bool, dialect: str
) -> list[IndexSpec]:
    """The indexes that the fields of an entity call for by themselves; views and policies add theirs.

    Unique fields and combinations hold among records that are not deleted; rows where one of the values is empty are
    never equal to others.
    """
    found = [
        IndexSpec(((home.column(name), False),), unique=True, why=f"unique {name}")
        for name in home.fields
        if fields[name].unique or fields[name].type == "autonumber"
    ]
    found += [
        IndexSpec(tuple((home.column(name), False) for name in names), unique=True, why="unique " + ", ".join(names))
        for names in combinations
    ]
    found += [
        IndexSpec(((home.column(name), False), ("id", True)), why=name)
        for name in home.fields
        if (fields[name].index or fields[name].value_type().kind == "record") and not fields[name].unique
    ]
    if staged:
        found.append(IndexSpec((("pipeline", False), ("stage", False), ("id", True)), why="stage"))
    if dialect == "postgresql":
        found.append(IndexSpec((("search", False),), live=False, why="search"))
    return reduced(found)


def reduced(indexes: Iterable[IndexSpec]) -> list[IndexSpec]:
    """The indexes without those whose work another one does because it begins with the same columns."""
    unique: dict[tuple[Any, ...], IndexSpec] = {}
    for spec in indexes:
        unique.setdefault((spec.columns, spec.unique, spec.live), spec)
    specs = list(unique.values())

    def is_served(spec: IndexSpec) -> bool:
        # Whoever asks for the newest of one value finds few rows: any index that begins with the value finds them.
        lookup = len(spec.columns) == 2 and spec.columns[0][1] is False and spec.columns[1] == ("id", True)
        others = [each for each in specs if not each.unique and each.live == spec.live and each.columns != spec.columns]
        if spec.unique:
            return False
        if lookup:
            return any(other.columns[0] == spec.columns[0] for other in others)
        return any(other.columns[: len(spec.columns)] == spec.columns for other in others)

    return [spec for spec in specs if not is_served(spec)]
