"""Many clients at once on few records: no edit is lost, no number given twice, every sum is the sum of its parts.

Seconds by default; `SECONDS=600 pytest -m long tests/crash/test_together.py` for as long as it is told.  What is looked at
afterwards is all that the checker knows, see `tests.crash.checker`.
"""

import os
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.crash.checker import Ledger
from tests.crash.served import Served, working

CLIENTS = 64
ORDERS = 12  # so that they meet all the time


def crowded(url: str, folder: Path, clients: int, seconds: float, processes: int) -> None:
    ledger = Ledger()
    with Served(url, folder, processes) as served:
        with working(served, ledger, clients, seed=7, orders=ORDERS):
            until = time.monotonic() + seconds
            # On a busy machine it takes longer until enough has happened.
            while time.monotonic() < until or ledger.acknowledged < 5 * clients:
                time.sleep(0.1)
        assert served.checker().faults(ledger) == []
        assert served.checker().orphans() == []
    statuses = Counter(intent.status for intent in ledger.intents)
    assert statuses[None] == 0
    assert statuses[409] > 0  # they did meet
    counted = sum(intent.count is not None and intent.acknowledged for intent in ledger.intents)
    assert counted > 0
    print(f"{clients} clients, {processes} processes, {seconds:.0f} s: {dict(statuses)}, {counted} counted up")


def _processes(url: str) -> int:
    return 1 if url.startswith("sqlite") else 2


def test_many_at_once_lose_nothing(database_url: str, tmp_path: Path) -> None:
    crowded(database_url, tmp_path, clients=16, seconds=1.5, processes=_processes(database_url))


@pytest.mark.long
def test_sixty_four_at_once_lose_nothing(database_url: str, tmp_path: Path) -> None:
    crowded(database_url, tmp_path, CLIENTS, float(os.environ.get("SECONDS", "60")), _processes(database_url))
