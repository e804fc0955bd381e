"""The command line: what it prints, and the exit codes that scripts rely on."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest
import sqlalchemy as sa

from engine.cli import main
from engine.storage import system
from engine.web.settings import Settings
from engine.web.site import Site

APP = Path(__file__).parent / "attacks" / "app.yaml"
ROOT = Path(__file__).parent.parent


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


def dougong(*words: str, language: str = "en") -> Done:
    """Run a command in this process: what is tested is what it says, and starting Python anew each time takes long."""
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, DOUGONG_LANGUAGE=language),
        patch.object(sys, "argv", ["dougong", *words]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
            code = 0
        except SystemExit as stopped:
            code = stopped.code if isinstance(stopped.code, int) else 0
    return Done(code, out.getvalue(), err.getvalue())


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the app that may be edited."""
    copy = tmp_path / "app.yaml"
    copy.write_text(APP.read_text(encoding="utf-8"), encoding="utf-8")
    return copy


def edit(package: Path, old: str, new: str) -> None:
    text = package.read_text(encoding="utf-8")
    assert old in text
    package.write_text(text.replace(old, new), encoding="utf-8")


def test_a_sound_definition_passes(package: Path) -> None:
    done = dougong("check", str(package))
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 errors" in done.stdout
    assert json.loads(dougong("check", str(package), "--format", "json").stdout) == []


def test_problems_are_told_with_their_place_and_fail(package: Path) -> None:
    edit(package, 'formula: "sum(lines.price)"', 'formula: "sum(lines.prise)"')
    done = dougong("check", str(package))
    assert done.returncode == 1
    assert "app.yaml:" in done.stderr
    assert "unknown-field" in done.stderr
    found = json.loads(dougong("check", str(package), "--format", "json").stdout)
    assert [problem["code"] for problem in found] == ["unknown-field"]
    assert found[0]["line"] > 1
    assert "没有" in dougong("check", str(package), language="zh").stderr


def test_a_command_line_that_makes_no_sense_is_told_apart(tmp_path: Path) -> None:
    assert dougong("check", str(tmp_path / "missing.yaml")).returncode == 2
    assert dougong("nonsense").returncode == 2
    assert dougong("versions", "shop", "--database", "mysql://x/y").returncode == 2
    assert dougong("serve", "--workers", "2", "--data", str(tmp_path)).returncode == 2


def test_a_database_that_cannot_be_reached_is_told_apart() -> None:
    done = dougong("versions", "shop", "--database", "postgresql://nobody@127.0.0.1:1/nothing")
    assert done.returncode == 3
    assert "cannot be reached" in done.stderr


def test_plan_publish_diff_and_rollback(database_url: str, package: Path, tmp_path: Path) -> None:
    where = ("--database", database_url, "--data", str(tmp_path))
    assert dougong("plan", str(package), *where, "--detailed-exitcode").returncode == 4
    assert dougong("publish", str(package), *where, "--yes").returncode == 0
    nothing = dougong("plan", str(package), *where, "--detailed-exitcode")
    assert (nothing.returncode, nothing.stdout.strip()) == (0, "Nothing to publish")
    edit(package, "urgent: {type: boolean", "pressing: {type: boolean, was: urgent")
    edit(package, "notes: {type: longtext", "remarks: {type: longtext, was: notes")
    edit(package, "writable: [notes]", "writable: [remarks]")
    planned = json.loads(dougong("plan", str(package), *where, "--format", "json").stdout)
    assert {change["code"] for change in planned["changes"]} >= {"change-renamed"}
    assert dougong("publish", str(package), *where, "--yes", "--note", "Say it differently").returncode == 0
    listed = dougong("versions", "shop", *where).stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["*", "1"]
    assert "Say it differently" in listed[0]
    told = dougong("diff", "shop", "1", "2", *where).stdout
    assert "+      pressing: {type: boolean, was: urgent" in told
    assert dougong("rollback", "shop", "1", *where, "--yes").returncode == 0
    assert [line.split()[0] for line in dougong("versions", "shop", *where).stdout.splitlines()] == ["*", "2", "1"]
    assert dougong("rollback", "shop", "9", *where, "--yes").returncode == 1
    assert dougong("versions", "nothing", *where).returncode == 1


def test_publishing_what_loses_something_needs_a_reason(database_url: str, package: Path, tmp_path: Path) -> None:
    where = ("--database", database_url, "--data", str(tmp_path))
    dougong("publish", str(package), *where, "--yes")
    edit(package, "      phone: {type: phone, label: {zh: 电话, en: Phone}}\n", "")
    planned = json.loads(dougong("plan", str(package), *where, "--format", "json").stdout)
    asked = [hazard for hazard in planned["hazards"] if hazard["severity"] == "accept"]
    refused = dougong("publish", str(package), *where, "--yes")
    assert refused.returncode == (1 if asked else 0), refused.stderr
    if asked:
        accept = [word for hazard in asked for word in ("--accept", f"{hazard['key']}=asked everybody")]
        assert dougong("publish", str(package), *where, "--yes", *accept).returncode == 0


def test_people_and_their_tokens(database_url: str, package: Path, tmp_path: Path) -> None:
    where = ("--database", database_url, "--data", str(tmp_path))
    dougong("publish", str(package), *where, "--yes")
    made = dougong(
        "user", "create", "ann", "--name", "Ann", "--password", "-", "--app", "shop", "--role", "rep", *where
    )
    assert made.returncode == 0
    assert len(made.stdout.splitlines()[-1]) >= 12  # the password that was made
    assert dougong("user", "create", "ann", "--password", "long enough", *where).returncode == 1
    assert dougong("user", "create", "bob", "--password", "short", *where).returncode == 1
    assert dougong("token", "ann", *where).stdout.startswith("dg_")
    assert dougong("token", "nobody", *where).returncode == 1
    assert dougong("explain", "shop", "ann", "order", "--action", "create", *where).returncode == 0
    hidden = dougong("explain", "shop", "ann", "order", "--field", "margin", *where)
    assert (hidden.returncode, hidden.stdout[0]) == (1, "✗")
    assert dougong("user", "suspend", "ann", *where).returncode == 0
    assert dougong("explain", "shop", "ann", "order", *where).returncode == 1
    assert dougong("user", "resume", "ann", *where).returncode == 0


def test_nobody_is_given_roles_that_are_kept_apart(database_url: str, package: Path, tmp_path: Path) -> None:
    where = ("--database", database_url, "--data", str(tmp_path))
    edit(package, "  support: {", "  support: {apart: rep, ")
    dougong("publish", str(package), *where, "--yes")
    assert dougong("user", "create", "ann", "--password", "-", "--app", "shop", "--role", "rep", *where).returncode == 0
    both = dougong("user", "roles", "ann", "shop", "rep", "support", *where)
    assert both.returncode == 1
    assert "roles-apart" in both.stderr
    # A manager is a rep as well.
    assert dougong("user", "roles", "ann", "shop", "manager", "support", *where).returncode == 1
    assert dougong("user", "roles", "ann", "shop", "supprot", *where).returncode == 1
    explained = dougong("explain", "shop", "ann", "order", "--action", "create", *where)
    assert explained.returncode == 0  # still the rep that she was
    assert dougong("user", "roles", "ann", "shop", "support", *where).returncode == 0


def test_records_go_out_and_come_in_again(database_url: str, package: Path, tmp_path: Path) -> None:
    where = ("--database", database_url, "--data", str(tmp_path))
    dougong("publish", str(package), *where, "--yes")
    table = tmp_path / "customers.csv"
    table.write_text("名称,评级\nAcme,3\nBolt & Co,12\n", encoding="utf-8")
    left = tmp_path / "left.csv"
    done = dougong("import", "shop", str(table), "--entity", "customer", "--refused", str(left), *where)
    assert done.returncode == 1, done.stderr  # a rating has no more than ten
    assert "Bolt & Co" in left.read_text(encoding="utf-8-sig")
    out = tmp_path / "out.xlsx"
    assert dougong("export", "shop", "customer", "-o", str(out), *where).returncode == 0
    again = dougong("import", "shop", str(out), "--entity", "customer", *where)
    assert again.returncode == 0, again.stdout + again.stderr
    assert dougong("export", "shop", "customer", "-o", str(tmp_path / "out.pdf"), *where).returncode == 2


def test_a_process_is_drawn(package: Path, tmp_path: Path) -> None:
    assert dougong("graph", str(package)).stdout.split() == ["sale", "Sale"]
    assert dougong("graph", str(package), "sale").stdout.startswith("flowchart LR")
    picture = tmp_path / "sale.svg"
    assert dougong("graph", str(package), "sale", "-o", str(picture)).returncode == 0
    assert picture.read_text(encoding="utf-8").startswith("<svg")
    assert dougong("graph", str(package), "nothing").returncode == 1


def test_the_schema_for_editors_is_one() -> None:
    schema = json.loads(dougong("schema").stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")


def test_serve_publishes_answers_and_stops_when_told(tmp_path: Path, package: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "engine.cli",
        "serve",
        "--app",
        str(package),
        "--data",
        str(tmp_path / "data"),
        "--port",
        str(port),
    ]
    environment = dict(os.environ, DOUGONG_LANGUAGE="en", PYTHONUNBUFFERED="1")
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=ROOT
    )
    try:
        assert server.stdout is not None
        lines = []
        while "Ctrl+C" not in (line := server.stdout.readline()):
            assert line, server.stderr.read() if server.stderr else ""
            lines.append(line)
        assert "Published shop, version 1" in lines[0]
        assert any(f"http://127.0.0.1:{port}/" in line for line in lines)
        deadline = time.monotonic() + 30
        while True:
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/readyz")
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline
        assert answer.text == "ok\n"
        assert httpx.get(f"http://127.0.0.1:{port}/metrics").text.count("dougong_requests_total") > 1
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=30)
    assert server.returncode in (0, -signal.SIGTERM)


def test_sweep_removes_only_old_files_that_no_row_knows_and_uploads_that_no_record_took(
    database_url: str, tmp_path: Path
) -> None:
    site = Site.open(Settings(data=tmp_path, database=database_url))
    try:
        id = site.attachments.keep("shop", "known.txt", [b"x"], 10, None)
        trashed = site.attachments.keep("shop", "trash.txt", [b"x"], 10, None)
        f = system.file
        with site.db.write() as w:
            w.run(site.db.statement(sa.update(f).where(f.c.id == trashed).values(record=1, deleted_at=1)))
        lost, young = (site.files.save("lost.txt", [b"lost"], most=10).path for _ in range(2))
        for path, _ in list(site.files.stored()):
            if path != young:
                os.utime(site.files.place(path), (1000, 1000))
        words = ("--database", database_url, "--data", str(tmp_path))
        loose = site.attachments.keep("shop", "loose.txt", [b"loose"], 10, None)
        with site.db.write() as w:
            w.run(site.db.statement(sa.update(f).where(f.c.id.in_([loose, trashed])).values(at=1)))
        unused = site.attachments.find(loose)
        assert unused is not None
        before = {path for path, _ in site.files.stored()}
        assert "1 files that nobody knows and 1 uploads" in dougong("sweep", *words).stdout
        assert {path for path, _ in site.files.stored()} == before
        done = dougong("sweep", "--yes", *words)
        assert (done.returncode, "4 bytes" in done.stdout) == (0, True)
        assert {path for path, _ in site.files.stored()} == before - {lost, unused.path}
        assert site.attachments.find(loose) is None
        found = site.attachments.find(id)
        assert found is not None
        assert site.files.place(found.path).exists()
    finally:
        site.close()
