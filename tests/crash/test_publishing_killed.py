"""Killed at any moment of a publishing, the database holds the old version or the new one, whole, and publishing goes on."""

import signal
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from engine.publishing.indexes import wanted
from engine.storage.schema import inspect
from tests.publishing.conftest import SHOP, Bench

ROOT = Path(__file__).parents[2]
CHILD = Path(__file__).with_name("publish_and_die.py")
NEXT = (
    SHOP.replace("amount * 2", "amount * 3")
    .replace("      owner: user\n", "      owner: user\n      rating: {type: integer, index: true}\n      code: {type: text, unique: true}\n")
    .replace("note: text", "note: number").replace("    title: note\n", "").replace("sort: -amount", "sort: [-created_at]")
    .replace("{open: 开, done: 完}", "{begun: {label: 开, was: open}, done: 完}").replace("state == 'open'", "state == 'begun'")
    .replace("entities:\n", "entities:\n  item:\n    label: 物\n    fields: {name: text}\n")
)  # fmt: skip
OLD, NEW = [("12", 100, 200, "open")], [(1200, 100, 300, "begun")]
SEEN = ("note", "amount", "twice", "state")


def published(url: str, file: Path, statements: int) -> bool:
    """Let a process publish; whether it got to the end before the statement of that number."""
    child = subprocess.run(
        [sys.executable, str(CHILD), url, str(file), str(statements)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert child.returncode in (0, -signal.SIGKILL)
    return child.returncode == 0


def test_a_publishing_that_is_killed_leaves_one_whole_version(database_url: str, bench: Bench, tmp_path: Path) -> None:
    bench.add("visit", note="12", amount=100, twice=200, state="open")
    file = tmp_path / "shop.yaml"
    file.write_text(NEXT, encoding="utf-8")
    died, at = 0, 1
    while not published(database_url, file, at):
        died += 1
        at += 1 + at // 2
        with bench.db.read() as read:
            found = inspect(read, bench.db.dialect)
        if bench.app.number == 2:
            break  # only what follows the transaction was left undone
        assert bench.values("visit", *SEEN) == OLD
        assert "rating" not in found.tables["shop_visit"]
        assert "shop_item" not in found.tables
    assert died >= 5
    assert bench.app.number == 2
    assert bench.values("visit", *SEEN) == NEW
    bench.publish(NEXT)
    with bench.db.read() as read:
        found = inspect(read, bench.db.dialect)
    for name, specs in wanted(bench.app, bench.db.dialect).items():
        table = bench.app.entities[name].table.name
        assert {spec.name(table) for spec in specs} <= set(found.indexes.get(table, ()))
    if bench.db.dialect == "sqlite":
        assert bench.db.scalar(bench.db.statement(sa.text("PRAGMA integrity_check"))) == "ok"
