"""The disk: what is acknowledged is on it, and when it is full or broken people are told and nothing is lost."""

import json
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash.checker import Intent, Ledger
from tests.crash.served import BASE, PDF, Client, Served

STRACE = shutil.which("strace")


@pytest.fixture
def served(sqlite_url: str, tmp_path: Path) -> Iterator[Served]:
    with Served(sqlite_url, tmp_path) as served:
        yield served


class Writer:
    """One client whose requests stand in a ledger."""

    def __init__(self, served: Served) -> None:
        self.client = Client(served.ports[0], served.headers)
        self.ledger = Ledger()

    def create(self, mark: str, **values: Any) -> int:
        intent = self.ledger.intend(Intent(mark, (mark,)))
        headers = {"Content-Type": "application/json", "Idempotency-Key": mark}
        body = json.dumps({"name": mark, **values}).encode()
        status, self.answer = self.client.ask("POST", f"{BASE}/client", body, headers)
        intent.status = status
        return status

    def upload(self, order: str, mark: str, size: int = 0) -> int:
        intent = self.ledger.intend(Intent(mark, (f"{mark}.pdf",)))
        head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{mark}.pdf"\r\n\r\n'.encode()
        headers = {"Content-Type": "multipart/form-data; boundary=b", "Idempotency-Key": mark}
        body = head + PDF % mark.encode() + b"%" * size + b"\r\n--b--\r\n"
        status, self.answer = self.client.ask("POST", f"{BASE}/order/{order}/files/report", body, headers)
        intent.status = status
        return status

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self.client.connection.close()

    def order(self) -> str:
        assert self.create("m-client") == 201
        body = json.dumps({"client": self.answer["id"]}).encode()
        status, answer = self.client.ask("POST", f"{BASE}/order", body, {"Content-Type": "application/json"})
        assert status == 201
        return str(answer["id"])


@pytest.fixture
def writer(served: Served) -> Iterator[Writer]:
    with Writer(served) as writer:
        yield writer


@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
def test_an_answer_leaves_after_what_it_tells_of_is_on_the_disk(served: Served, writer: Writer, tmp_path: Path) -> None:
    order = writer.order()
    trace = tmp_path / "trace"
    calls = "trace=fsync,fdatasync,rename,sendto,sendmsg,write,writev,pwrite64"
    pid = served.alive[served.ports[0]]
    tracing = subprocess.Popen(
        [STRACE, "-f", "-y", "-s", "32", "-e", calls, "-o", str(trace), "-p", str(pid)], stderr=subprocess.PIPE
    )  # type: ignore[list-item]
    try:
        assert tracing.stderr is not None
        if b"attached" not in tracing.stderr.readline():
            pytest.skip("strace may not attach here")
        assert writer.create("m-traced") == 201
        assert writer.upload(order, "m-traced-too") == 201
    finally:
        tracing.send_signal(signal.SIGINT)
        tracing.communicate()
    events = [_event(line) for line in trace.read_text(encoding="utf-8", errors="replace").splitlines()]
    told = [position for position, event in enumerate(events) if event == "answer"]
    assert len(told) == 2
    before, between = events[: told[0]], events[told[0] : told[1]]
    # Into the write-ahead log, from there to the disk, and then the answer.
    assert "log written" in before
    assert "log synced" in before[_last(before, "log written") :]
    # The content, then its name, then the row that says so.
    renamed = between.index("file renamed")
    assert "file synced" in between[:renamed]
    assert "folder synced" in between[renamed:]
    assert "log synced" in between[_last(between, "log written") :]
    assert renamed < _last(between, "log written")


def _last(events: list[str], event: str) -> int:
    return len(events) - 1 - events[::-1].index(event)


def _event(line: str) -> str:
    call = line.split(None, 1)[1] if " " in line else line
    if call.startswith(("sendto", "sendmsg", "write(", "writev")) and "HTTP/1.1 20" in call:
        return "answer"
    if "-wal>" in call:
        return "log synced" if call.startswith(("fsync", "fdatasync")) else "log written" if "write" in call else ""
    if call.startswith("fsync") and "/incoming/" in call:
        return "file synced"
    if call.startswith("rename"):
        return "file renamed"
    return "folder synced" if call.startswith("fsync") and "/files" in call else ""


def test_a_full_disk_is_told_and_nothing_is_lost(served: Served, writer: Writer) -> None:
    order = writer.order()
    pid = served.alive[served.ports[0]]
    assert writer.create("m-before") == 201
    # No file may grow beyond what the log has already: SIGXFSZ is ignored by Python, so writing fails as on a full disk.
    size = max(path.stat().st_size for path in served.folder.rglob("*") if path.is_file())
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    refused = [writer.create(f"m-full-{number}", phone="138" + "0" * 8, person="x" * 900) for number in range(60)]
    assert 503 in refused
    assert set(refused) <= {201, 503}
    assert writer.upload(order, "m-full", size) == 503
    assert writer.answer["code"] == "unavailable"
    assert writer.client.ask("GET", f"{BASE}/client?limit=1")[0] == 200  # reading goes on
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
    assert writer.create("m-after") == 201
    assert writer.upload(order, "m-after-all") == 201
    assert served.checker().faults(writer.ledger) == []
    assert served.checker().orphans() == []
    assert not list((served.folder / "files" / "incoming").iterdir())


@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
def test_a_broken_disk_is_told_and_nothing_is_lost(served: Served, writer: Writer) -> None:
    assert writer.create("m-before") == 201
    pid = served.alive[served.ports[0]]
    inject = "inject=fdatasync,fsync:error=EIO:when=1+1"
    tracing = subprocess.Popen(
        [STRACE, "-f", "-e", "trace=fdatasync,fsync", "-e", inject, "-o", "/dev/null", "-p", str(pid)],
        stderr=subprocess.PIPE,
    )  # type: ignore[list-item]
    try:
        assert tracing.stderr is not None
        if b"attached" not in tracing.stderr.readline():
            pytest.skip("strace may not attach here")
        assert writer.create("m-broken") == 503
    finally:
        tracing.send_signal(signal.SIGINT)
        tracing.communicate()
    assert writer.create("m-after") == 201
    served.kill(served.ports[0])
    time.sleep(0.01)
    # Whether the refused one is there after all, nobody can know whose disk fails while it is told to keep something.
    writer.ledger.intents = [intent for intent in writer.ledger.intents if intent.key != "m-broken"]
    assert [fault for fault in served.checker().faults(writer.ledger) if "m-broken" not in fault] == []
