"""What was acknowledged is there after a kill, and no transaction is there by half."""

import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from engine.storage.database import Database
from engine.storage.system import epoch

ROOT = Path(__file__).parents[2]
CHILD = Path(__file__).with_name("write_and_tell.py")
TOLD = 40


def test_an_acknowledged_write_survives_a_kill(database: Database, database_url: str) -> None:
    child = subprocess.Popen(
        [sys.executable, str(CHILD), database_url],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    with child.stdout as output:
        told = [int(output.readline()) for _ in range(TOLD)]
        child.kill()
        told += [int(line) for line in output.read().splitlines()]
    child.wait()
    rows = database.all(database.statement(sa.select(epoch.c.number, sa.func.count()).group_by(epoch.c.number)))
    assert {count for _, count in rows} == {2}
    assert set(told) <= {number for number, _ in rows}
    assert len(rows) - len(told) in (0, 1)  # one may have been durable before it could be told
    with database.write() as write:
        write.run(database.upsert(epoch, ["name"], ["number"]), {"name": "after", "number": 1})
