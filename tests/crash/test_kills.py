"""Servers are killed at random and at every point where it could hurt, under load; nothing that was acknowledged is lost,
nothing is done twice, nothing is there by half.

A few kills by default.  `KILLS=2000 pytest -m long tests/crash/test_kills.py` kills as often as it is told, for as long as
that takes, and says what came of it.
"""

import os
import random
import time
from pathlib import Path

import pytest

from engine.clock import SystemClock
from engine.web.attachments import Attachments
from tests.crash.checker import Ledger
from tests.crash.serve_and_die import POINTS
from tests.crash.served import Served, working

LOOK_EVERY = 25  # kills between two looks at everything


def killed(served: Served, ledger: Ledger, kills: int, seed: int, clients: int = 4, publishing: bool = False) -> int:
    """Kill servers under load: every second time at a point that is passed a random number of times, else at a random
    moment.  How many died by themselves at their point.  The clients go on through it all.

    With `publishing`, one process publishes two versions in turn all the while, and is killed as often.
    """
    chance = random.Random(seed)
    died = 0
    done = 0
    while done < kills:
        some = min(LOOK_EVERY, kills - done)
        with working(served, ledger, clients, seed * 1_000_000 + done):
            for turn in range(done, done + some):
                if publishing:
                    served.publish()
                port = chance.choice(served.ports)
                if turn % 2 == 0:
                    time.sleep(chance.uniform(0.05, 0.4))
                    served.kill(port)
                else:
                    served.kill(port)
                    point = POINTS[turn // 2 % len(POINTS)]
                    most = {"statement": 400, "file renamed": 4}.get(point, 40)
                    served.start(port, point, chance.randrange(1, most))
                    until = time.monotonic() + 5
                    while not served.dead(port) and time.monotonic() < until:
                        time.sleep(0.005)
                    died += served.dead(port)
                    served.kill(port)
                if publishing:
                    time.sleep(chance.uniform(0, 0.3))
                    served.kill(0)
                served.start(port)
                assert served.ready(port)
        done += some
        assert served.checker().faults(ledger) == []
        print(f"{done} kills, {ledger.acknowledged} acknowledged", flush=True)
    return died


def survived(
    url: str, folder: Path, kills: int, seed: int, processes: int = 1, clients: int = 4, publishing: bool = False
) -> None:
    ledger = Ledger()
    began = time.monotonic()
    with Served(url, folder, processes) as served:
        died = killed(served, ledger, kills, seed, clients, publishing)
        checker = served.checker()
        unsure = sum(intent.status is None for intent in ledger.intents)
        orphans = checker.orphans()
        # A file that was stored right before the end has no row. Nobody was told of it, and the sweep finds it.
        assert len(orphans) <= sum(intent.status is None or intent.key not in intent.marks for intent in ledger.intents)
        attachments = Attachments(served.db, SystemClock(), checker.files)
        checker.files.sweep(attachments.orphans(age=-1))
        assert checker.orphans() == []
        assert checker.faults(ledger) == []
        if publishing:
            assert checker.app.number >= kills // 2
    assert ledger.acknowledged > kills
    print(
        f"{kills} kills ({died} at a point) in {time.monotonic() - began:.0f} s: {ledger.acknowledged} acknowledged, "
        f"{unsure} never answered, {len(orphans)} files without a row"
    )


def test_what_was_acknowledged_survives_kills(database_url: str, tmp_path: Path) -> None:
    survived(database_url, tmp_path, kills=6, seed=1)


def test_what_was_acknowledged_survives_kills_of_servers_and_of_publishing(database_url: str, tmp_path: Path) -> None:
    survived(database_url, tmp_path, kills=6, seed=2, publishing=True)


@pytest.mark.long
def test_what_was_acknowledged_survives_many_kills_of_publishing(database_url: str, tmp_path: Path) -> None:
    kills = int(os.environ.get("KILLS", "200"))
    survived(database_url, tmp_path, kills, seed=time.time_ns() % 1_000, publishing=True)


@pytest.mark.long
@pytest.mark.parametrize("processes", [1, 2])
def test_what_was_acknowledged_survives_many_kills(database_url: str, tmp_path: Path, processes: int) -> None:
    if processes > 1 and database_url.startswith("sqlite"):
        pytest.skip("several processes need PostgreSQL")
    survived(
        database_url, tmp_path, int(os.environ.get("KILLS", "200")), seed=time.time_ns() % 1_000, processes=processes
    )
