"""What stands in the database, and the DDL that adds what is missing.

Schemas only ever grow here: tables, columns and indexes are added, and indexes are dropped.  A column is never dropped or
changed, so no publishing rewrites a table or loses a value.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import AddConstraint, CreateColumn, CreateIndex, CreateTable

from engine.storage.session import Read
from engine.storage.statement import DIALECTS, Dialect, Statement, Tokens, search_table
from engine.storage.system import system

if TYPE_CHECKING:
    from engine.storage.database import Database

_COLUMNS: Mapping[Dialect, Statement] = {
    "sqlite": Statement(
        "SELECT m.name, c.name, upper(c.type) FROM sqlite_master m, pragma_table_info(m.name) c"
        " WHERE m.type = 'table' AND m.name NOT LIKE '%$search%' ORDER BY m.name, c.cid"
    ),
    "postgresql": Statement(
        "SELECT c.relname::text, a.attname::text, upper(format_type(a.atttypid, a.atttypmod))"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"
        " ORDER BY c.relname, a.attnum"
    ),
}
_INDEXES: Mapping[Dialect, Statement] = {
    "sqlite": Statement("SELECT tbl_name, name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"),
    "postgresql": Statement(
        "SELECT t.relname::text, i.relname::text FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid"
        " JOIN pg_class t ON t.oid = x.indrelid"
        " WHERE t.relnamespace = current_schema()::regnamespace AND x.indisvalid"
    ),
}


@compiles(CreateColumn, "postgresql")
def _text_in_code_point_order(element: CreateColumn, compiler: Any, **options: Any) -> str:
    """Texts are ordered by code point, as on SQLite, whatever the locale of the server is."""
    made: str = compiler.visit_create_column(element, **options)
    return made.replace(" TEXT", ' TEXT COLLATE "C"', 1) if isinstance(element.element.type, sa.Text) else made


@dataclass(frozen=True)
class Inspection:
    """What stands in the database: table -> column -> SQL type, and table -> names of its indexes."""

    tables: Mapping[str, Mapping[str, str]]
    indexes: Mapping[str, frozenset[str]]

    def has_index(self, table: str, name: str) -> bool:
        return name in self.indexes.get(table, ())


def inspect(read: Read, dialect: Dialect) -> Inspection:
    """Every table and index of the database (the current schema on PostgreSQL)."""
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind in read.all(_COLUMNS[dialect]):
        tables.setdefault(table, {})[column] = kind
    indexes: dict[str, set[str]] = {}
    for table, name in read.all(_INDEXES[dialect]):
        indexes.setdefault(table, set()).add(name)
    return Inspection(tables, {table: frozenset(names) for table, names in indexes.items()})


def create_table(table: sa.Table, dialect: Dialect) -> list[str]:
    """The statements that make a table without its indexes; with its full-text index if it has a column of tokens."""
    made = [_text(CreateTable(table, if_not_exists=True), dialect)]
    return made + _search(table, dialect)


def add_column(column: sa.Column[object], dialect: Dialect) -> list[str]:
    """The statements that add a column: null in every row, at once, however large the table is."""
    table = DIALECTS[dialect].identifier_preparer.quote(column.table.name)
    made = [f"ALTER TABLE {table} ADD COLUMN {_text(CreateColumn(column), dialect)}"]
    return made + (_search(column.table, dialect) if isinstance(column.type, Tokens) else [])


def create_index(index: sa.Index, dialect: Dialect, *, concurrently: bool = False) -> str:
    """The statement that makes an index; `concurrently` (PostgreSQL) lets writes go on, outside any transaction."""
    text = _text(CreateIndex(index, if_not_exists=True), dialect)
    if dialect == "sqlite":
        # Nulls come first there, and an index may not say so.
        return text.replace(" NULLS FIRST", "").replace(" NULLS LAST", "")
    return text.replace("INDEX", "INDEX CONCURRENTLY", 1) if concurrently else text


def drop_index(name: str, dialect: Dialect) -> str:
    return f"DROP INDEX IF EXISTS {DIALECTS[dialect].identifier_preparer.quote(name)}"


def _search(table: sa.Table, dialect: Dialect) -> list[str]:
    """The full-text index of SQLite: it holds no text of its own, triggers keep it equal to the column of tokens."""
    column = next((c for c in table.columns if isinstance(c.type, Tokens)), None)
    if column is None or dialect != "sqlite":
        return []
    quote = DIALECTS[dialect].identifier_preparer.quote
    index, base, tokens = quote(search_table(table.name)), quote(table.name), quote(column.name)
    add = f"INSERT INTO {index} (rowid, {tokens}) SELECT new.id, new.{tokens} WHERE new.{tokens} IS NOT NULL;"
    remove = (
        f"INSERT INTO {index} ({index}, rowid, {tokens}) SELECT 'delete', old.id, old.{tokens}"
        f" WHERE old.{tokens} IS NOT NULL;"
    )
    trigger = f"CREATE TRIGGER IF NOT EXISTS {quote(table.name + '$search_{}')} AFTER {{}} ON {base} BEGIN {{}} END"
    return [
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {index} USING fts5({tokens}, content={base}, content_rowid=id,"
        " columnsize=0, detail=none, tokenize='unicode61 remove_diacritics 0')",
        trigger.format("insert", "INSERT", add),
        trigger.format("update", f"UPDATE OF {tokens}", remove + " " + add),
        trigger.format("delete", "DELETE", remove),
    ]


def _text(element: sa.schema.ExecutableDDLElement | CreateColumn, dialect: Dialect) -> str:
    return str(element.compile(dialect=DIALECTS[dialect])).strip()


def missing(tables: Iterable[sa.Table], found: Inspection, dialect: Dialect) -> list[str]:
    """The statements, in order, that add the tables, columns and indexes that `found` lacks."""
    out: list[str] = []
    late: list[str] = []
    for table in tables:
        standing = found.tables.get(table.name)
        if standing is None:
            out += create_table(table, dialect)
            late += [
                _text(AddConstraint(constraint), dialect)
                for constraint in table.foreign_key_constraints
                if constraint.use_alter and dialect == "postgresql"
            ]
        else:
            for column in table.columns:
                if column.name not in standing:
                    out += add_column(column, dialect)
        out += [
            create_index(index, dialect)
            for index in sorted(table.indexes, key=lambda index: str(index.name))
            if not found.has_index(table.name, str(index.name))
        ]
    return out + late


def prepare(db: "Database") -> None:
    """Make the engine's own tables (see `engine.storage.system`) and whatever a newer engine has added to them."""
    tables = system.sorted_tables
    with db.read() as read:
        if not missing(tables, inspect(read, db.dialect), db.dialect):
            return
    with db.write(statement_timeout=None) as write:
        if db.dialect == "postgresql":
            # Processes that start together must not make the same table twice.
            write.script("SELECT pg_advisory_xact_lock(1685481559)")
        for text in missing(tables, inspect(write, db.dialect), db.dialect):
            write.script(text)
