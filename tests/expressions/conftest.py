"""`databases`: the test schema on SQLite and on PostgreSQL at once, so that one test compares both with Python."""

from collections.abc import Iterator

import pytest

from tests.conftest import PostgresServer
from tests.expressions.databases import Database, opened


@pytest.fixture(scope="session")
def databases(postgresql_server: PostgresServer) -> Iterator[list[Database]]:
    fresh = postgresql_server.fresh_database()
    with opened("sqlite", "") as sqlite, opened("postgresql", next(fresh)) as postgresql:
        yield [sqlite, postgresql]
    next(fresh, None)
