"""Every package can be published, and then there is nothing left to publish."""

import pytest

from engine.clock import SetClock
from engine.publishing.apply import publish
from engine.publishing.plan import plan_for
from engine.storage.database import Database
from tests.contract.conftest import ROOTS, checked


@pytest.mark.parametrize("name", [root.stem for root in ROOTS])
def test_a_published_package_plans_itself_to_nothing(name: str, database: Database) -> None:
    clock = SetClock(1_772_668_800_000_000)
    assert publish(database, checked(name), clock) == 1
    plan = plan_for(database, checked(name), clock.now())
    assert (plan.changes, plan.hazards) == ((), ())
