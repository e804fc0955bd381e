"""Two who write at the same time: whatever the one has not committed yet, the other waits for or knows nothing of, and in
the end every record is as if they had come one after the other."""

import threading

from engine.problems import Refused
from engine.runtime import Command, Create, Delete, Outcome, Update
from tests.runtime.conftest import Works

LONG_ENOUGH = 0.3  # seconds in which the second one gets as far as it can


def together(works: Works, first: Command, second: Command) -> list[Outcome | Refused]:
    """What both are answered: the second begins when the first has done everything but commit."""
    answers: list[Outcome | Refused] = []

    def go() -> None:
        try:
            answers.append(works.act("max", second))
        except Refused as refused:
            answers.append(refused)

    other = threading.Thread(target=go)
    with works.db.write() as w:
        outcome = works.runtime.execute(works.app, works.who("max"), first, within=w)
        other.start()
        other.join(LONG_ENOUGH)
    other.join()
    return [outcome, *answers]


def test_a_sum_holds_what_both_have_brought(works: Works) -> None:
    client = works.create("max", "client", name="Stone Mill")
    one, two = (works.create("max", "order", client=str(client), lines=[{"part": "oil", "price": 1}]) for _ in range(2))
    together(
        works,
        Update("order", one, {"lines": [{"part": "belt", "price": 10}]}),
        Update("order", two, {"lines": [{"part": "belt", "price": 200}]}),
    )
    assert works.get("max", "client", client)["orders_total"] == 210  # type: ignore[index]


def test_what_is_copied_from_another_record_is_its_newest(works: Works) -> None:
    client = works.create("max", "client", name="Stone Mill")
    _, made = together(works, Update("client", client, {"name": "Iron Mill"}), Create("order", {"client": str(client)}))
    assert isinstance(made, Outcome)
    assert made.id is not None
    assert works.get("max", "order", made.id)["client_region"] == "Iron Mill"  # type: ignore[index]


def test_rows_are_not_replaced_unseen(works: Works) -> None:
    client = works.create("max", "client", name="Stone Mill")
    order = works.create("max", "order", client=str(client), lines=[{"part": "oil", "price": 1}])
    _, second = together(
        works,
        Update("order", order, {"lines": [{"part": "belt", "price": 10}]}, 1),
        Update("order", order, {"lines": [{"part": "fan", "price": 200}]}, 1),
    )
    assert isinstance(second, Refused)
    assert [problem.code for problem in second.problems] == ["stale-edit"]
    found = works.get("max", "order", order, expand=("lines",))
    assert found is not None
    assert ([line["part"] for line in found["lines"]], found["total"], found["version"]) == (["belt"], 10, 2)
    rows = [{"id": found["lines"][0]["id"], "part": "belt"}]
    assert works.act("max", Update("order", order, {"lines": rows}, 2)).version == 2  # nothing differs


def test_nothing_comes_to_point_to_what_is_being_deleted(works: Works) -> None:
    client = works.create("max", "client", name="Stone Mill")
    deleted, made = together(works, Delete("client", client), Create("order", {"client": str(client)}))
    assert isinstance(made, Refused)
    assert [problem.code for problem in made.problems] == ["reference-missing"]
    client = works.create("max", "client", name="Iron Mill")
    made, deleted = together(works, Create("order", {"client": str(client)}), Delete("client", client))
    assert isinstance(deleted, Refused)
    assert [problem.code for problem in deleted.problems] == ["deletion-restricted"]
    assert works.get("max", "client", client) is not None
