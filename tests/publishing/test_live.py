"""Running processes take over a new version by themselves, within a second, without ever being without one."""

import time
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from engine.publishing.live import LOOK_EVERY, Live
from engine.storage import system
from engine.storage.database import Database
from tests.publishing.conftest import SHOP, Bench


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Waits for it, `seconds` at most."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds
        time.sleep(0.01)


def test_another_process_notices_a_publishing_within_a_second(bench: Bench, database_url: str) -> None:
    other = Database.open(database_url)
    live = Live(other)
    first = live.app("shop")
    assert first is not None
    assert first.number == 1
    bench.publish(SHOP.replace("label: 巡店", "label: 巡查"))
    assert LOOK_EVERY < 1 / 2  # seconds; how long compiling takes besides depends on the machine
    until(lambda: live.app("shop").number == 2)  # type: ignore[union-attr]
    assert first.number == 1
    assert first.entities["visit"].label.zh == "巡店"
    live.close()
    other.close()


def test_the_process_that_publishes_notices_too(bench: Bench) -> None:
    live = Live(bench.db)
    bench.publish(SHOP.replace("label: 巡店", "label: 巡查"))
    until(lambda: live.app("shop").number == 2)  # type: ignore[union-attr]
    bench.back_to(1)
    live.refresh()
    assert live.app("shop").number == 3  # type: ignore[union-attr]
    assert live.app("nothing") is None
    live.close()


def test_two_publishings_in_a_row_end_with_the_last(bench: Bench, database_url: str) -> None:
    other = Database.open(database_url)
    live = Live(other)
    for label in ("巡查", "查店", "看店", "走店"):
        bench.publish(SHOP.replace("label: 巡店", f"label: {label}"))
        live.app("shop")
    until(lambda: live.app("shop").number == 5)  # type: ignore[union-attr]
    live.close()
    other.close()


@pytest.mark.parametrize("data", [None, '{"app": "shop"}'])
def test_a_version_that_cannot_be_compiled_leaves_the_one_before_it_in_service(
    bench: Bench, caplog: pytest.LogCaptureFixture, data: str | None
) -> None:
    live = Live(bench.db)
    bench.publish(SHOP.replace("label: 巡店", "label: 巡查"))
    with bench.db.write() as write:
        write.run(
            bench.db.statement(
                sa.update(system.version)
                .where(system.version.c.number == 2)
                .values(files='{"shop.yaml": "app: shop"}', data=data)
            )
        )
        write.run(
            bench.db.upsert(system.epoch, ["name"], {"number": system.epoch.c.number + 1}),
            {"name": "app:shop", "number": 1},
        )
    until(lambda: live.app("shop") is not None and bool(caplog.records))
    assert live.app("shop").number == 1  # type: ignore[union-attr]
    live.close()


def test_a_version_of_an_older_engine_is_read_from_its_texts(bench: Bench) -> None:
    bench.publish(SHOP.replace("label: 巡店", "label: 巡查"))
    served = Live(bench.db).app("shop")
    with bench.db.write() as write:
        write.run(bench.db.statement(sa.update(system.version).values(data=None)))
    again = Live(bench.db).app("shop")
    assert served is not None
    assert again is not None
    assert (again.number, again.hash, again.definition) == (2, served.hash, served.definition)


def test_looking_costs_nothing_between_two_looks(bench: Bench) -> None:
    live = Live(bench.db)
    live.app("shop")
    with bench.db.counter() as counter:
        for _ in range(100):
            live.app("shop")
    assert counter.count <= 1
    live.close()
