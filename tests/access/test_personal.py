"""What one person keeps for himself."""

import pytest

from engine.access.personal import KINDS, LONGEST, Personal
from engine.clock import SetClock
from engine.problems import Refused


@pytest.fixture
def clock():
    return SetClock(1_000)


@pytest.fixture
def personal(database, clock):
    database.prepare()
    return Personal(database, clock)


def test_what_one_keeps_is_there_for_oneself_and_one_app_only(personal):
    personal.keep(1, "shop", "setting", "width", {"name": 120})
    assert personal.one(1, "shop", "setting", "width") == {"name": 120}
    assert personal.one(2, "shop", "setting", "width") is None
    assert personal.one(1, "farm", "setting", "width") is None
    assert personal.all(1, "shop", "star") == []


def test_keeping_again_replaces_and_comes_first(personal, clock):
    for number, key in enumerate(("a", "b", "a")):
        clock.set(2_000 + number)
        personal.keep(1, "shop", "star", key, number)
    assert [(each.key, each.value, each.at) for each in personal.all(1, "shop", "star")] == [
        ("a", 2, 2_002),
        ("b", 1, 2_001),
    ]
    assert [each.key for each in personal.all(1, "shop", "star", 1)] == ["a"]


def test_the_oldest_go_where_there_are_too_many(personal, clock):
    most = KINDS["seen"]
    for number in range(most + 3):
        clock.set(3_000 + number)
        personal.keep(1, "shop", "seen", str(number), True)
    personal.keep(1, "shop", "star", "0", True)
    assert [each.key for each in personal.all(1, "shop", "seen")] == [str(n) for n in range(most + 2, 2, -1)]
    assert [each.key for each in personal.all(1, "shop", "star")] == ["0"]


def test_what_is_dropped_is_gone_and_dropping_twice_is_nothing(personal):
    personal.keep(1, "shop", "draft", "order", {"name": "x"})
    for _ in range(2):
        personal.drop(1, "shop", "draft", "order")
    assert personal.one(1, "shop", "draft", "order") is None


def test_what_is_too_long_is_refused_and_the_old_value_stays(personal):
    personal.keep(1, "shop", "draft", "order", "short")
    with pytest.raises(Refused) as refused:
        personal.keep(1, "shop", "draft", "order", "x" * LONGEST)
    assert refused.value.status == 413
    assert personal.one(1, "shop", "draft", "order") == "short"
