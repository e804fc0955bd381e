"""Token buckets give what they hold, to all processes together, and refill with time."""

from collections.abc import Iterator

import pytest

from engine.clock import MICROSECONDS, SetClock
from engine.problems import Refused
from engine.storage.database import Database
from engine.web.rates import Bucket, Rates

BUCKET = Bucket(rate=10, burst=200)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    db = Database.open(database_url)
    db.prepare()
    yield db
    db.close()


def spend_all(*processes: Rates) -> int:
    """How many tokens the processes get, in turn, until each is refused."""
    spent, waiting = 0, list(processes)
    while waiting:
        for process in list(waiting):
            try:
                process.take("somebody", BUCKET)
                spent += 1
            except Refused:
                waiting.remove(process)
    return spent


def test_processes_together_get_what_the_bucket_holds(db: Database) -> None:
    clock = SetClock(1_000_000)
    assert spend_all(Rates(db, clock), Rates(db, clock), Rates(db, clock)) == 200


def test_a_bucket_refills_with_time_up_to_its_burst(db: Database) -> None:
    clock = SetClock(1_000_000)
    one, other = Rates(db, clock), Rates(db, clock)
    spend_all(one, other)
    clock.advance(3 * MICROSECONDS)
    assert spend_all(one, other) == 30
    clock.advance(3_600 * MICROSECONDS)
    assert spend_all(one, other) == 200


def test_a_clock_that_runs_behind_takes_nothing_away(db: Database) -> None:
    early, late = SetClock(1_000_000), SetClock(61_000_000)
    Rates(db, late).take("somebody", BUCKET)
    Rates(db, early).take("somebody", BUCKET)
    late.advance(MICROSECONDS)
    assert spend_all(Rates(db, late)) == 200


def test_the_database_is_asked_once_for_many_requests(db: Database) -> None:
    rates = Rates(db, SetClock(1_000_000))
    with db.counter() as counter:
        for _ in range(BUCKET.lease * 4):
            rates.take("somebody", BUCKET)
    assert sum("dg_rate" in text for text in counter.texts) == 2 + 4 * 2  # to make the bucket, and for each lease


def test_a_refusal_costs_no_statement(db: Database) -> None:
    rates = Rates(db, SetClock(1_000_000))
    spend_all(rates)
    with db.counter() as counter, pytest.raises(Refused) as caught:
        rates.take("somebody", BUCKET)
    assert counter.count == 0
    assert caught.value.problems[0].parameters["seconds"] == 1


def test_nobody_pays_for_another(db: Database) -> None:
    rates = Rates(db, SetClock(1_000_000))
    spend_all(rates)
    rates.take("somebody else", BUCKET)


def test_no_burst_means_no_limit(db: Database) -> None:
    rates = Rates(db, SetClock(1_000_000))
    with db.counter() as counter:
        for _ in range(1000):
            rates.take("somebody", Bucket(rate=0, burst=0))
    assert counter.count == 0


def test_a_bucket_may_refill_slower_than_once_a_second(db: Database) -> None:
    clock, hourly = SetClock(1_000_000), Bucket(rate=2, burst=3, per=3600)
    rates = Rates(db, clock)
    for _ in range(3):
        rates.take("a form", hourly)
    with pytest.raises(Refused) as refused:
        rates.take("a form", hourly)
    assert refused.value.problems[0].parameters["seconds"] == 1800
    clock.advance(1799 * MICROSECONDS)
    with pytest.raises(Refused):
        rates.take("a form", hourly)
    clock.advance(MICROSECONDS)
    rates.take("a form", hourly)
