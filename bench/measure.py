"""One server process and what it costs: CPU and real time per request, start, memory.

CPU is what the operating system charged to the server process (all its threads) between the first and the last
request of a run, so it hardly depends on what else the machine does; real time does.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import psutil

from bench.load import Conversation, Load, drive, request
from engine.storage.session import Read
from engine.storage.statement import Statement

ROOT = Path(__file__).resolve().parent.parent
CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Cost:
    """`cpu` is ms of the server's CPU per request; `p50` and `p99` are ms until the answer, under this load."""

    cpu: float
    per_second: float
    p50: float
    p99: float


class Refusal(Exception):
    """A server answered something else than what was measured."""


class Server:
    """A server process, in a `with` block. `cold_start` is seconds from its start to its first 200."""

    def __init__(self, command: Sequence[str], port: int, environment: Mapping[str, str] | None = None) -> None:
        self.port = port
        began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL
        )
        self._watched = psutil.Process(self._process.pid)
        while not self._ready():
            if self._process.poll() is not None:
                raise Refusal(f"{' '.join(command)} ended with {self._process.returncode}")
            if time.perf_counter() - began > 60:
                self._process.kill()
                raise Refusal(f"{' '.join(command)} was not ready within a minute")
        self.cold_start = time.perf_counter() - began

    def _ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(request("GET", "/healthz", {"Connection": "close"}))
                return connection.recv(12) == b"HTTP/1.1 200"
        except OSError:
            time.sleep(0.005)
            return False

    @property
    def cpu(self) -> float:
        """Seconds of CPU so far."""
        times = self._watched.cpu_times()
        return times.user + times.system

    @property
    def memory(self) -> float:
        """Resident memory in MB."""
        return self._watched.memory_info().rss / 1e6

    def run(self, conversations: list[Conversation]) -> tuple[Load, float]:
        """The load and the seconds of CPU that it cost. Raises Refusal if any answer is not 2xx."""
        before = self.cpu
        load = drive(self.port, conversations)
        spent = self.cpu - before
        wrong = {status: count for status, count in load.statuses.items() if not 200 <= status < 300}
        if wrong:
            raise Refusal(f"answers that were no success: {wrong}")
        return load, spent

    def cost(self, conversations: list[Conversation]) -> Cost:
        load, spent = self.run(conversations)
        return Cost(
            spent / len(load.times) * 1000, load.per_second, load.quantile(0.5) * 1000, load.quantile(0.99) * 1000
        )

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def spent(read: Read, dialect: str) -> float:
    """Seconds of CPU so far, of this process and, on PostgreSQL, of the process in the server behind the connection."""
    seconds = time.process_time()
    if dialect == "postgresql":
        server = read.scalar(Statement("SELECT pg_backend_pid()"))
        seconds += int(Path(f"/proc/{server}/schedstat").read_text().split()[0]) / 1e9
    return seconds


def median(costs: Sequence[Cost]) -> Cost:
    """The run whose CPU is in the middle."""
    return sorted(costs, key=lambda cost: cost.cpu)[len(costs) // 2]
