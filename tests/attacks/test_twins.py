"""P01-P04 at random: questions by people who may not see it are answered alike, whatever stands in what is hidden.

Two twins differ in nothing but hidden values. A few hundred random questions go to both, and each pair of answers must be
the same, byte for byte: status, headers, body. With `-m long` there are PAIRS of them, 10,000 if not said.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from engine import columns
from engine.web.settings import Settings
from tests.attacks.questions import Asker
from tests.attacks.twins import Ids, Request, Twin, difference

PAIRS = int(os.environ.get("PAIRS", "10000"))
SEED = int(os.environ.get("SEED", "1"))


@contextmanager
def twins(urls: list[str], folder: Path, secrets: list[int], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Twin]]:
    ids = Ids()
    monkeypatch.setattr(columns, "_ids", ids)
    with ExitStack() as stack:
        made = []
        for number, (url, secret) in enumerate(zip(urls, secrets, strict=True)):
            twin = Twin(Settings(data=folder / str(number), database=url, burst=0, log="error"), ids, secret)
            stack.enter_context(twin.http)
            made.append(twin)
        assert made[0].known == made[1].known
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def pair(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Twin]]:
    """Two servers on databases of the same kind."""
    if request.param == "sqlite":
        with twins(
            [f"sqlite:///{tmp_path / name}.db" for name in ("one", "two")], tmp_path, [2, 3], monkeypatch
        ) as made:
            yield made
        return
    fresh = contextmanager(request.getfixturevalue("postgresql_server").fresh_database)
    with fresh() as one, fresh() as two, twins([one, two], tmp_path, [2, 3], monkeypatch) as made:
        yield made


def question(number: int, twin: Twin) -> Request:
    rnd = random.Random(SEED * 1_000_003 + number)
    asker = Asker(rnd, twin)
    chance = rnd.random()
    if chance < 0.70:
        return asker.question()
    if chance < 0.88:
        return asker.page()
    return asker.write() if chance < 0.97 else asker.posted()


def ask(pair: list[Twin], numbers: range) -> None:
    told: Counter[int] = Counter()
    different = []
    for number in numbers:
        request = question(number, pair[0])
        one, two = (twin.answer(number, request) for twin in pair)
        told[one.status] += 1
        if one != two or one.status >= 500:
            different.append(f"{number}: {request}\n{difference(one, two)}")
    print(dict(told))
    assert not different, f"{len(different)} of {len(numbers)}:\n" + "\n".join(different[:20])
    assert told[200] > len(numbers) // 5, "too few questions were good ones"


def test_p01_hidden_values_change_no_answer(pair: list[Twin]) -> None:
    ask(pair, range(300))


@pytest.mark.long
def test_p01_hidden_values_change_none_of_many_answers(pair: list[Twin]) -> None:
    ask(pair, range(300, 300 + PAIRS))
