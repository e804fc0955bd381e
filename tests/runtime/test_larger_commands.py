"""Commands that touch several records: merge, undo, convert, hand over, bulk, duplicates."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.problems import Refused
from engine.runtime import Bulk, Convert, Create, Delete, Distinct, Handover, Merge, Undo, Update
from engine.runtime.handover import permission_matrix
from engine.runtime.matching import compare_again, queue, waiting
from engine.runtime.rules import after_save
from engine.runtime.work import Work
from tests.runtime.conftest import Works


def test_merging_moves_references_fills_gaps_and_can_be_undone(works: Works) -> None:
    keep = works.create("ada", "client", name="Stone Mill")
    lose = works.create("ada", "client", name="Stone-Mill Ltd", phone="13800138000", region="south")
    order = works.create("ada", "order", client=str(lose), lines=[{"part": "belt", "price": 70}])
    outcome = works.act("fay", Merge("client", keep, lose, {"name": "lose"}))
    got = works.get("ada", "client", keep)
    assert got is not None
    assert (got["name"], got["region"], got["orders_total"]) == ("Stone-Mill Ltd", "south", 70)
    assert works.get("ada", "client", lose) is None
    assert works.get("ada", "order", order)["client"] == str(keep)  # type: ignore[index]
    works.act("fay", Undo(outcome.batch))
    assert works.get("ada", "order", order)["client"] == str(lose)  # type: ignore[index]
    assert works.get("ada", "client", keep)["name"] == "Stone Mill"  # type: ignore[index]
    assert works.get("ada", "client", keep)["orders_total"] in (0, None)  # type: ignore[index]
    assert works.get("ada", "client", lose)["orders_total"] == 70  # type: ignore[index]


def test_undo_is_refused_when_somebody_changed_the_same_field_since(works: Works) -> None:
    client = works.create("ada", "client", name="One")
    outcome = works.act("ada", Update("client", client, {"name": "Two"}))
    works.update("ben", "client", client, name="Three")
    with pytest.raises(Refused) as refused:
        works.act("ada", Undo(outcome.batch))
    assert [problem.code for problem in refused.value.problems] == ["undo-changed"]
    assert works.get("ada", "client", client)["name"] == "Three"  # type: ignore[index]


def test_a_conversion_makes_everything_once_and_reuses_what_exists(works: Works) -> None:
    known = works.create("ben", "client", name="Stone Mill")
    enquiry = works.create("ada", "enquiry", firm="Stone Mill", phone="13800138000", about="belt slips")
    outcome = works.act("ada", Convert("enquiry", enquiry, "take"))
    made = outcome.details["made"]
    assert made["client"] == str(known)
    got = works.get("ada", "order", int(made["order"]))
    assert got is not None
    assert (got["client"], got["what"], got["stage"]) == (str(known), "belt slips", "received")
    source = works.get("ada", "enquiry", enquiry)
    assert source is not None
    assert (source["state"], source["order"]) == ("taken", made["order"])
    with pytest.raises(Refused) as refused:
        works.act("ada", Convert("enquiry", enquiry, "take"))
    assert refused.value.problems[0].code == "converted-already"
    assert len(works.rows("max", "client")) == 1


def test_a_conversion_that_fails_half_way_leaves_nothing(works: Works) -> None:
    enquiry = works.create("ada", "enquiry", firm="Stone Mill", about="belt")
    with pytest.raises(Refused) as refused:
        works.act("ada", Convert("enquiry", enquiry, "take"))
    assert refused.value.problems[0].message("zh") == "先补电话"
    works.update("ada", "enquiry", enquiry, phone="13800138000")
    with pytest.raises(Refused):
        works.act("ada", Convert("enquiry", enquiry, "take", {"order": {"discount": 0.9}}))
    assert works.rows("max", "client") == []


def test_a_leavers_records_all_go_to_the_successor(works: Works) -> None:
    client = works.create("ada", "client", name="One")
    order = works.create("ada", "order", client=str(client))
    outcome = works.act("fay", Handover(works.ids["ada"], works.ids["ben"]))
    assert outcome.details["counts"] == {"client": 1, "order": 1}
    assert works.get("ben", "order", order)["owner"] == str(works.ids["ben"])  # type: ignore[index]
    rows = permission_matrix(works.app, works.people, [(works.ids["ada"], "Ada")])
    assert any(row["entity"] == "订单" and "毛利" in row["hidden"] for row in rows)


def test_in_bulk_each_command_succeeds_or_fails_alone(works: Works) -> None:
    client = works.create("ada", "client", name="One")
    outcome = works.act(
        "ada",
        Bulk(
            (
                Update("client", client, {"name": "Two"}),
                Update("client", client, {"name": ""}),
                Create("client", {"name": "New"}),
            )
        ),
    )
    assert [bool(result.problems) for result in outcome.results] == [False, True, False]
    assert works.get("ada", "client", client)["name"] == "Two"  # type: ignore[index]


def test_an_atomic_bulk_does_all_or_nothing(works: Works) -> None:
    client = works.create("ada", "client", name="One")
    with pytest.raises(Refused) as refused:
        works.act(
            "ada",
            Bulk((Update("client", client, {"name": "Two"}), Update("client", client, {"name": ""})), atomic=True),
        )
    assert refused.value.problems[0].path == "1.name"
    assert works.get("ada", "client", client)["name"] == "One"  # type: ignore[index]


def test_the_queue_holds_likely_pairs_until_somebody_decides(works: Works) -> None:
    one = works.create("ada", "client", name="恒锐机械", phone="13800138000")
    other = works.create("ben", "client", name="恒锐机械有限公司", phone="13800138000")
    with works.db.read() as r:
        work = works.runtime.work(works.app, works.who("fay"), r)
        (pair,) = queue(work, "client")
    assert {pair["one"]["title"], pair["other"]["title"]} == {"恒锐机械", "恒锐机械有限公司"}
    works.act("fay", Distinct("client", one, other))
    with works.db.read() as r:
        assert queue(works.runtime.work(works.app, works.who("fay"), r), "client") == []


def test_deleting_and_undoing_brings_children_back(works: Works) -> None:
    client = works.create("ada", "client", name="One")
    order = works.create("ada", "order", client=str(client), lines=[{"part": "belt", "price": 5}])
    outcome = works.act("fay", Delete("order", order))
    works.act("fay", Undo(outcome.batch))
    assert works.get("ada", "order", order)["total"] == 5  # type: ignore[index]


def test_what_pointed_to_its_own_other_half_points_beyond_it(works: Works) -> None:
    top = works.create("max", "client", name="Stone Group")
    lose = works.create("max", "client", name="Stone Mill", parent=str(top))
    keep = works.create("max", "client", name="Stone Mill Ltd", parent=str(lose))
    works.act("max", Merge("client", keep, lose))
    kept = works.get("max", "client", keep)
    assert kept is not None
    assert (kept["parent"], kept["family"]) == (str(top), str(top))
    works.act("max", Merge("client", keep, top))
    kept = works.get("max", "client", keep)
    assert kept is not None
    assert (kept["parent"], kept["family"]) == (None, str(keep))


def test_undoing_a_creation_does_what_deleting_does(works: Works) -> None:
    made = works.act("max", Create("client", {"name": "Stone Mill"}))
    order = works.create("ada", "order", client=str(made.id))
    with pytest.raises(Refused) as found:
        works.act("max", Undo(made.batch))
    assert [problem.code for problem in found.value.problems] == ["deletion-restricted"]
    assert works.get("ada", "order", order, expand=("client",))["client"] is not None  # type: ignore[index]
    works.act("max", Delete("order", order))
    works.act("max", Undo(made.batch))
    assert works.get("max", "client", made.id or 0) is None


def test_two_alike_of_the_same_moment_are_found_when_the_queue_is_asked_for(works: Works) -> None:
    """Neither transaction sees the other; on SQLite there is one after the other, and nothing is to be done again."""

    def create(work: Work, name: str) -> None:
        work.create(work.model("client", "create"), {"name": name, "phone": "13800138000"})
        after_save(work)

    def ask() -> tuple[list[int], int]:
        with works.db.write() as w:
            work = works.runtime.work(works.app, works.who("fay"), w)
            compare_again(work, "client")
            return waiting(work, "client"), len(queue(work, "client"))

    ada = works.who("ada")
    if works.db.dialect == "sqlite":
        for name in ("恒锐机械", "恒锐机械有限公司"):
            with works.db.write() as w:
                create(works.runtime.work(works.app, ada, w), name)
    else:
        with ThreadPoolExecutor(1) as other, works.db.write() as first:
            create(works.runtime.work(works.app, ada, first), "恒锐机械")

            def second() -> tuple[list[int], int]:
                with works.db.write() as w:
                    create(works.runtime.work(works.app, ada, w), "恒锐机械有限公司")
                return ask()

            behind, pairs = other.submit(second).result(timeout=60)
            # It did not wait, and it stays remembered while the first is under way.
            assert (len(behind), pairs) == (1, 0)
    assert ask() == ([], 1)
    assert ask() == ([], 1)
