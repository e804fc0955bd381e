"""The write path: what a save does, and what it refuses."""

import pytest

from engine.problems import Refused
from engine.runtime import Create, Delete, Restore, Update
from tests.runtime.conftest import Works


def codes(refused: pytest.ExceptionInfo[Refused]) -> list[tuple[str, str]]:
    return [(problem.code, problem.path) for problem in refused.value.problems]


def test_a_new_record_gets_defaults_number_formulas_and_children(works: Works) -> None:
    client = works.create("ada", "client", name="Stone Mill", region="north")
    order = works.create(
        "ada",
        "order",
        client=str(client),
        lines=[{"part": "belt", "quantity": 2, "price": 392.25, "rebate": 0.85}, {"part": "oil", "price": 10}],
    )
    got = works.get("ada", "order", order, expand=("lines",))
    assert got is not None
    assert got["number"] == "R202603-0001"
    assert got["owner"] == str(works.ids["ada"])
    assert got["region"] == "north"
    assert [line["amount"] for line in got["lines"]] == [117.68, 10]
    assert got["total"] == 127.68
    assert got["client_region"] == "Stone Mill"
    assert works.get("ada", "client", client)["orders_total"] == 127.68  # type: ignore[index]


def test_a_rollup_follows_its_children_when_they_change_move_and_go(works: Works) -> None:
    one, two = works.create("ada", "client", name="One"), works.create("ada", "client", name="Two")
    order = works.create("ada", "order", client=str(one), lines=[{"part": "belt", "price": 12000}])
    assert works.get("ada", "client", one)["big"] is True  # type: ignore[index]
    line = works.get("ada", "order", order, expand=("lines",))["lines"][0]  # type: ignore[index]
    works.update("ada", "line", int(line["id"]), price=50)
    assert works.get("ada", "client", one)["orders_total"] == 50  # type: ignore[index]
    works.update("ada", "order", order, client=str(two))
    assert works.get("ada", "client", one)["orders_total"] in (0, None)  # type: ignore[index]
    assert works.get("ada", "client", two)["orders_total"] == 50  # type: ignore[index]
    works.act("fay", Delete("order", order))
    assert works.get("ada", "client", two)["orders_total"] in (0, None)  # type: ignore[index]
    works.act("fay", Restore("order", order))
    assert works.get("ada", "client", two)["orders_total"] == 50  # type: ignore[index]


def test_every_problem_is_told_at_once(works: Works) -> None:
    with pytest.raises(Refused) as refused:
        works.create(
            "ada", "order", urgent=True, discount=0.8, margin=5, nonsense=1, stage="done", lines=[{"price": -1}]
        )
    assert set(codes(refused)) >= {
        ("unknown-field", "margin"), ("unknown-field", "nonsense"), ("stage-by-transition", "stage"),
    }  # fmt: skip


def test_required_fields_and_rules_are_asked_of_the_whole_record(works: Works) -> None:
    client = works.create("ada", "client", name="One")
    with pytest.raises(Refused) as refused:
        works.create("ada", "order", urgent=True, discount=0.8)
    assert set(codes(refused)) == {
        ("required-missing", "client"),
        ("required-missing", "why_urgent"),
        ("rule-broken", "discount"),
    }
    order = works.create("ada", "order", client=str(client))
    with pytest.raises(Refused) as refused:
        works.update("ada", "order", order, urgent=True)
    assert codes(refused) == [("required-missing", "why_urgent")]


def test_a_stale_edit_is_refused_and_loses_nothing(works: Works) -> None:
    client = works.create("ada", "client", name="One")
    works.act("ben", Update("client", client, {"person": "Ben's"}, version=1))
    with pytest.raises(Refused) as refused:
        works.act("ada", Update("client", client, {"name": "Ada's"}, version=1))
    assert refused.value.status == 409
    got = works.get("ada", "client", client)
    assert got is not None
    assert (got["name"], got["person"], got["version"]) == ("One", "Ben's", 2)


def test_what_a_person_may_not_see_does_not_exist_for_him(works: Works) -> None:
    client = works.create("ada", "client", name="One")
    order = works.create("ada", "order", client=str(client))
    assert works.get("ben", "order", order) is None
    assert works.get("fay", "order", order) is not None
    assert "margin" not in (works.get("ada", "order", order) or {})
    assert "margin" in (works.get("fay", "order", order) or {})
    for command in (Update("order", order, {"what": "x"}), Update("order", 17, {"what": "x"})):
        with pytest.raises(Refused) as refused:
            works.act("ben", command)
        assert (refused.value.status, codes(refused)) == (404, [("not-found", "order")])


def test_nobody_writes_a_record_out_of_his_own_reach(works: Works) -> None:
    client = works.create("ada", "client", name="One")
    with pytest.raises(Refused) as refused:
        works.create("ada", "order", client=str(client), owner=str(works.ids["sun"]))
    assert refused.value.status == 403
    assert works.rows("max", "order") == []


def test_history_says_who_changed_what_from_what_to_what(works: Works) -> None:
    client = works.create("ada", "client", name="One")
    works.update("ben", "client", client, name="Two")
    newest = works.history("ada", "client", client)[0]
    assert (newest["user_name"], newest["action"]) == ("Ben", "update")
    assert {"field": "name", "old": "One", "new": "Two"} in newest["changes"]


def test_deleting_is_restricted_while_something_points_here(works: Works) -> None:
    client = works.create("ada", "client", name="One")
    works.create("ada", "order", client=str(client))
    with pytest.raises(Refused) as refused:
        works.act("fay", Delete("client", client))
    assert codes(refused) == [("deletion-restricted", "client")]


def test_a_save_without_difference_writes_nothing(works: Works) -> None:
    client = works.create("ada", "client", name="One")
    before = len(works.history("ada", "client", client))
    assert works.update("ada", "client", client, name="One").version == 1
    assert len(works.history("ada", "client", client)) == before


def test_likely_duplicates_are_flagged_and_told(works: Works) -> None:
    works.create("ada", "client", name="上海恒锐机械有限公司", phone="13800138000", person="张伟")
    outcome = works.act("ben", Create("client", {"name": "上海恒锐机械", "phone": "13800138000", "person": "张伟"}))
    assert [problem.code for problem in outcome.warnings] == ["duplicate-found"]


def test_a_family_of_clients_shares_the_topmost_parent(works: Works) -> None:
    top = works.create("ada", "client", name="Top")
    middle = works.create("ada", "client", name="Middle", parent=str(top))
    low = works.create("ada", "client", name="Low", parent=str(middle))
    assert works.get("ada", "client", low)["family"] == str(top)  # type: ignore[index]
    works.update("ada", "client", middle, parent=None)
    assert works.get("ada", "client", low)["family"] == str(middle)  # type: ignore[index]
    with pytest.raises(Refused) as refused:
        works.update("ada", "client", middle, parent=str(low))
    assert codes(refused) == [("group-circle", "parent")]
