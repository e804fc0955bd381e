"""P24 and all its kin: whatever is sent, on whatever address, is answered below 500, soon, and alike on both databases.

Two servers hold the same records, one on SQLite, one on PostgreSQL, and both get the same mischief. With `-m long` there
are REQUESTS of them, 200,000 if not said; `-s` prints what was answered and what took longest.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.mischief import Mischief
from tests.attacks.test_twins import SEED, twins
from tests.attacks.twins import Request, Twin, difference

# Starlette leaves the file of a part that never ends to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning")
REQUESTS = int(os.environ.get("REQUESTS", "200000"))
FIRST = int(os.environ.get("FIRST", "0"))


@pytest.fixture
def both(sqlite_url: str, postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Twin]]:
    """The same records on both databases."""
    with twins([sqlite_url, postgresql_url], tmp_path, [2, 2], monkeypatch) as made:
        yield made


def mischief(number: int, twin: Twin) -> Request:
    rnd = random.Random(SEED * 1_000_003 + number)
    asker, chance = Mischief(rnd, twin), rnd.random()
    if chance < 0.8:
        return asker.mischief()
    return rnd.choice([asker.question, asker.page, asker.write, asker.posted])()


def send(both: list[Twin], numbers: range, seconds: float) -> None:
    """Every number's mischief to both; none may cost more than `seconds` of processor time."""
    told: Counter[int] = Counter()
    wrong, slowest = [], (0.0, "")
    for number in numbers:
        request = mischief(number, both[0])
        answers = []
        for twin in both:
            began = time.process_time()
            answers.append(twin.answer(number, request))
            slowest = max(slowest, (time.process_time() - began, f"{number}: {request}"))
        one, two = answers
        told[one.status] += 1
        if one != two or max(one.status, two.status) >= 500:
            wrong.append(f"{number}: {request}\n{difference(one, two)}")
    print(dict(told), f"slowest {slowest[0]:.3f} s: {slowest[1][:300]}")
    assert not wrong, f"{len(wrong)} of {len(numbers)}:\n" + "\n".join(wrong[:20])
    assert slowest[0] < seconds, slowest


def test_p24_mischief_is_refused_alike_on_both_databases(both: list[Twin]) -> None:
    send(both, range(300), seconds=20)


@pytest.mark.long
def test_p24_very_much_mischief_is_refused_alike_and_soon(both: list[Twin]) -> None:
    send(both, range(FIRST, FIRST + REQUESTS), seconds=1)
