"""A wire between the engine and PostgreSQL that is cut where a test says: idle, in mid-sentence, before or after an answer.

What killing a server does at random moments is done here at one moment, each time.
"""

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict


class Wire:
    """`url` is that of the same database by way of this wire. Use in a `with` block."""

    def __init__(self, url: str) -> None:
        there = {name: str(value) for name, value in conninfo_to_dict(url).items()}
        self._host, self._port = there.get("host", "localhost"), int(there.get("port", 5432))
        self._doors = socket.create_server(("127.0.0.1", 0))
        plain = urlencode({"sslmode": "disable", "gssencmode": "disable"})
        user = quote(there.get("user", "postgres")) + (f":{quote(there['password'])}" if "password" in there else "")
        self.url = f"postgresql://{user}@127.0.0.1:{self._doors.getsockname()[1]}/{there['dbname']}?{plain}"
        self.opened = 0
        self._mark, self._heard, self._passed = b"", False, 0
        self._down = False
        self._lines: list[tuple[socket.socket, threading.Thread]] = []
        self._porter = threading.Thread(target=self._welcome)

    def cut_at(self, mark: str, *, heard: bool = False, passed: int = 0) -> None:
        """Cut the next connection on which `mark` is said: before the server hears it, or, if `heard`, once it has done
        what was asked and the first `passed` bytes of its answer have arrived."""
        self._mark, self._heard, self._passed = mark.encode(), heard, passed

    def cut(self) -> None:
        """Cut all connections, and wait until they are."""
        lines, self._lines = self._lines, []
        for client, thread in lines:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
            thread.join()

    @contextmanager
    def down(self) -> Iterator[None]:
        """In this block nobody gets a connection."""
        self._down = True
        try:
            yield
        finally:
            self._down = False

    def __enter__(self) -> Self:
        self._porter.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._doors.shutdown(socket.SHUT_RDWR)
        self._doors.close()
        self._porter.join()
        self.cut()

    def _welcome(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._doors.accept()
                if self._down:
                    client.close()
                    continue
                self.opened += 1
                line = threading.Thread(target=self._carry, args=(client,))
                self._lines.append((client, line))
                line.start()

    def _carry(self, client: socket.socket) -> None:
        deaf = False
        with client, self._server() as server, contextlib.suppress(OSError):
            while True:
                for end in select.select([client, server], [], [])[0]:
                    data = end.recv(1 << 16)
                    if not data:
                        return
                    if end is server:
                        client.sendall(data[: self._passed] if deaf else data)
                        if deaf:
                            return
                        continue
                    if self._mark and self._mark in data:
                        self._mark, deaf = b"", True
                        if not self._heard:
                            return
                    server.sendall(data)

    def _server(self) -> socket.socket:
        if not self._host.startswith("/"):
            return socket.create_connection((self._host, self._port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(Path(self._host) / f".s.PGSQL.{self._port}"))
        return server
