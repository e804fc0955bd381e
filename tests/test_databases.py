"""The databases that the tests are given are fresh, and both kinds are there."""

import sqlite3

import psycopg
import pytest


@pytest.mark.parametrize("time", [1, 2])
def test_every_test_gets_an_empty_database(database_url: str, time: int) -> None:
    if database_url.startswith("sqlite:///"):
        connection = sqlite3.connect(database_url.removeprefix("sqlite:///"))
        found = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    else:
        connection = psycopg.connect(database_url)
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert found == (0,)
    connection.execute("CREATE TABLE visit (id INTEGER PRIMARY KEY)")
    connection.commit()
    connection.close()
