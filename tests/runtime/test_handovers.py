"""A handover of any size: in batches, in turn, gone on with where it stopped, taken back."""

import pytest

from engine.problems import Refused
from engine.runtime import Update
from engine.runtime.handover import holdings
from engine.runtime.handovers import Handovers, Passing
from tests.runtime.conftest import Works


@pytest.fixture
def handovers(works: Works, monkeypatch: pytest.MonkeyPatch) -> Handovers:
    """Batches of three, so that a few records are many."""
    monkeypatch.setattr("engine.runtime.handovers.BATCH", 3)
    return Handovers(works.runtime)


def clients(works: Works, count: int, login: str = "ada") -> list[int]:
    return [works.create(login, "client", name=f"Client {number}") for number in range(count)]


def owners(works: Works) -> list[str]:
    logins = {str(id): login for login, id in works.ids.items()}
    return [logins[row["owner"]] for row in works.rows("max", "client", sort=("id",), limit=200)]


def run(works: Works, handovers: Handovers, id: int, login: str = "fay") -> Passing:
    while handovers.step(works.app, works.who(login), id)[1]:
        pass
    return handovers.finish(works.app, works.who(login), id)


def test_records_go_to_several_in_turn_batch_by_batch(works: Works, handovers: Handovers) -> None:
    clients(works, 7)
    receivers = (works.ids["ben"], works.ids["fay"])
    id = handovers.begin(works.app, works.who("fay"), works.ids["ada"], {"client": receivers})
    first, gave = handovers.step(works.app, works.who("fay"), id)
    assert (gave, first.done, first.total) == (True, 3, 7)
    assert owners(works) == ["ben", "fay", "ben", "ada", "ada", "ada", "ada"]
    done = run(works, handovers, id)
    assert owners(works) == ["ben", "fay", "ben", "fay", "ben", "fay", "ben"]
    assert (done.stage, done.done, len(done.batches)) == ("done", 7, 3)
    assert done.given == {"client": {works.ids["ben"]: 4, works.ids["fay"]: 3}}


def test_a_step_that_is_sent_again_gives_nothing_twice(works: Works, handovers: Handovers) -> None:
    """And after somebody else has gone on with it, it goes on from there."""
    clients(works, 4)
    id = handovers.begin(works.app, works.who("fay"), works.ids["ada"], {"client": (works.ids["ben"],)})
    handovers.step(works.app, works.who("fay"), id)
    assert run(works, handovers, id, "max").done == 4
    again, gave = handovers.step(works.app, works.who("fay"), id)
    assert (gave, again.done, again.stage) == (False, 4, "done")
    assert all(row["version"] == 2 for row in works.rows("max", "client"))


def test_the_history_of_each_record_says_why(works: Works, handovers: Handovers) -> None:
    (one,) = clients(works, 1)
    run(
        works,
        handovers,
        handovers.begin(works.app, works.who("fay"), works.ids["ada"], {"client": (works.ids["ben"],)}),
    )
    assert works.history("fay", "client", one)[0]["cause"] == f"handover:{works.ids['ada']}"


def test_it_is_taken_back_but_for_what_was_given_on(works: Works, handovers: Handovers) -> None:
    ids = clients(works, 5)
    id = handovers.begin(works.app, works.who("fay"), works.ids["ada"], {"client": (works.ids["ben"],)})
    run(works, handovers, id)
    works.act("fay", Update("client", ids[1], {"owner": str(works.ids["fay"])}))
    stages = [handovers.back(works.app, works.who("fay"), id).stage for _ in range(2)]
    assert stages == ["returning", "returned"]
    assert owners(works) == ["ada", "fay", "ada", "ada", "ada"]
    after = handovers.one(works.app, works.who("fay"), id)
    assert (after.left, after.batches) == (1, ())
    assert handovers.back(works.app, works.who("fay"), id) == after


def test_only_what_one_may_hand_over_is_counted_and_given(works: Works, handovers: Handovers) -> None:
    clients(works, 2)
    with works.db.read() as r:
        assert holdings(works.lens("fay"), r, works.ids["ada"]) == {"client": 2}
        assert holdings(works.lens("ben"), r, works.ids["ada"]) == {}
    with pytest.raises(Refused) as refused:
        handovers.begin(works.app, works.who("ben"), works.ids["ada"], {"client": (works.ids["ben"],)})
    assert refused.value.status == 403
    with pytest.raises(Refused) as refused:
        handovers.begin(works.app, works.who("fay"), works.ids["ada"], {"client": (works.ids["ada"],)})
    assert [problem.code for problem in refused.value.problems] == ["handover-nobody"]


def test_a_handover_is_for_whoever_began_it_and_for_administrators(works: Works, handovers: Handovers) -> None:
    clients(works, 1)
    id = handovers.begin(works.app, works.who("fay"), works.ids["ada"], {"client": (works.ids["ben"],)})
    for step in (handovers.step, handovers.finish, handovers.back, handovers.one):
        with pytest.raises(Refused) as refused:
            step(works.app, works.who("ben"), id)
        assert refused.value.status == 404
    assert handovers.latest(works.app, works.who("ben")) == []
    assert [each.id for each in handovers.latest(works.app, works.who("max"))] == [id]
