"""The database server itself is killed under load: the servers before it go on by themselves, and nothing is lost.

`KILLS=200 pytest -m long tests/crash/test_database_killed.py` kills as often as it is told.
"""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.checker import Ledger
from tests.crash.served import Served, working
from tests.postgresql import OwnServer, killable_server

# What is acknowledged is on the disk, as in any installation; small, so that it recovers soon.
SETTINGS = """
max_connections = 100
shared_buffers = 32MB
wal_level = minimal
max_wal_senders = 0
"""
LOOK_EVERY = 10
# Whoever is cut off while he commits cannot know whether it was done, and is told to try again.
UNSURE = (503,)


def killed(server: OwnServer, folder: Path, kills: int, seed: int, processes: int) -> None:
    """Kill the whole server, or one of its processes, which makes it throw out everybody and recover."""
    chance, ledger, began = random.Random(seed), Ledger(), time.monotonic()
    with Served(server.url, folder, processes) as served:
        serving = dict(served.alive)
        for done in range(0, kills, LOOK_EVERY):
            with working(served, ledger, 4, seed * 1_000_000 + done, unsure=UNSURE):
                for turn in range(done, min(done + LOOK_EVERY, kills)):
                    before = ledger.acknowledged
                    while ledger.acknowledged < before + 5:
                        time.sleep(0.01)
                    time.sleep(chance.uniform(0, 0.2))
                    if turn % 2:
                        server.kill()
                        server.start()
                    else:
                        try:
                            os.kill(chance.choice(server.children()), signal.SIGKILL)
                        except ProcessLookupError:
                            pass  # it has just left
                    for port in served.ports:
                        assert served.ready(port)
            assert served.alive == serving, "no server was started again"
            assert served.checker().faults(ledger) == []
    told = sum(intent.status is not None for intent in ledger.intents)
    print(
        f"{kills} kills of PostgreSQL, {processes} servers, {time.monotonic() - began:.0f} s: {ledger.acknowledged} acknowledged of {told} answered, {len(ledger.intents)} asked"
    )


@pytest.fixture
def server() -> Iterator[OwnServer]:
    with killable_server(SETTINGS) as server:
        yield server


def test_what_was_acknowledged_survives_the_death_of_the_database(server: OwnServer, tmp_path: Path) -> None:
    killed(server, tmp_path, kills=4, seed=1, processes=2)


@pytest.mark.long
def test_what_was_acknowledged_survives_many_deaths_of_the_database(server: OwnServer, tmp_path: Path) -> None:
    killed(server, tmp_path, int(os.environ.get("KILLS", "100")), seed=time.time_ns() % 1_000, processes=2)
