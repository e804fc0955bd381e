"""A database with the tables of the test schema, reached as the engine will: compiled text on the bare driver."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from engine.calendars import WorkingCalendar
from engine.expressions import SQLITE_FUNCTIONS, Context, parameters
from tests.expressions.schema import CALENDAR, days, metadata, stretches

DIALECTS = {"sqlite": sqlite.dialect(paramstyle="named"), "postgresql": postgresql.psycopg.dialect()}


class Database:
    def __init__(self, kind: str, connection: Any) -> None:
        self.kind, self.connection, self.dialect = kind, connection, DIALECTS[kind]

    def run(self, statement: Any, context: Context | None = None) -> list[tuple[Any, ...]]:
        compiled: Any = statement.compile(dialect=self.dialect)
        values = (
            {}
            if isinstance(statement, sa.schema.ExecutableDDLElement)
            else compiled.construct_params(parameters(context) if context else {})
        )
        cursor = self.connection.execute(str(compiled), values)
        return list(cursor.fetchall()) if cursor.description else []

    def insert(self, table: sa.Table, rows: list[Mapping[str, Any]]) -> None:
        for row in rows:
            self.run(sa.insert(table).values({column.name: row.get(column.name) for column in table.columns}))

    def value(self, element: Any, source: Any = None, context: Context | None = None) -> Any:
        """The one value of an element, over a row of `source` if it stands on one."""
        statement = sa.select(element)
        rows = self.run(statement if source is None else statement.select_from(source), context)
        return rows[0][0]


@contextmanager
def opened(kind: str, url: str) -> Iterator[Database]:
    connection: Any
    if kind == "sqlite":
        connection = sqlite3.connect(":memory:", isolation_level=None)
        for name, (count, function) in SQLITE_FUNCTIONS.items():
            connection.create_function(name, count, function, deterministic=True)
    else:
        connection = psycopg.connect(url, autocommit=True)
    database = Database(kind, connection)
    for table in metadata.sorted_tables:
        database.run(sa.schema.CreateTable(table))
        for index in table.indexes:
            database.run(sa.schema.CreateIndex(index))
    keep(database, CALENDAR)
    try:
        yield database
    finally:
        connection.close()


def keep(database: Database, calendar: WorkingCalendar) -> None:
    """Put the days and the stretches of working time of a calendar into the database."""
    for table, rows in ((days, calendar.rows()), (stretches, calendar.stretches())):
        named = [(calendar.name, *row) for row in rows]
        if database.kind == "sqlite":
            database.connection.executemany(f"INSERT INTO {table.name} VALUES (?, ?, ?, ?)", named)
        else:
            with database.connection.cursor() as cursor, cursor.copy(f"COPY {table.name} FROM STDIN") as copy:
                for row in named:
                    copy.write_row(row)
