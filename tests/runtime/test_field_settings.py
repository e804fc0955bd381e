"""Settings of fields that only the write path can keep: what a table needs, what may no longer be chosen, what is unticked."""

import pytest

from engine.app import compile_app
from engine.clock import SetClock
from engine.definition import load
from engine.problems import Refused
from engine.runtime import Bulk, Delete, Update
from engine.storage.database import Database
from tests.runtime.conftest import START, Works, open_app

TEXT = """
app: depot
version: 1.0.0
label: {zh: 仓库, en: Depot}
roles:
  keeper: {label: {zh: 管理员, en: Keeper}, administrator: true}
entities:
  parcel:
    label: {zh: 包裹, en: Parcel}
    title: code
    fields:
      code: {type: text, required: true, label: {zh: 编码, en: Code}}
      class:
        type: choice
        label: {zh: 等级, en: Class}
        options: {first: {zh: 一等, en: First}, second: {zh: 二等, en: Second}, third: {label: {zh: 三等, en: Third}, retired: true}}
      fragile: {type: boolean, label: {zh: 易碎, en: Fragile}}
      insured: {type: boolean, required: true, label: {zh: 已投保, en: Insured}}
      items: {type: children, of: item, by: parcel, min: 1, max: 2, label: {zh: 物品, en: Items}}
      labels: {type: children, of: label, by: parcel, required: true, label: {zh: 标签, en: Labels}}
  item:
    label: {zh: 物品, en: Item}
    part_of: parcel
    title: name
    fields:
      parcel: {type: lookup, to: parcel, required: true, on_delete: cascade, label: {zh: 包裹, en: Parcel}}
      name: {type: text, required: true, label: {zh: 名称, en: Name}}
  label:
    label: {zh: 标签, en: Label}
    part_of: parcel
    title: text
    fields:
      parcel: {type: lookup, to: parcel, required: true, on_delete: cascade, label: {zh: 包裹, en: Parcel}}
      text: {type: text, required: true, label: {zh: 内容, en: Text}}
"""


@pytest.fixture
def depot(database: Database) -> Works:
    checked = load({"depot.yaml": TEXT})
    assert not [problem for problem in checked.problems if problem.severity == "error"], checked.problems
    database.prepare()
    depot = open_app(database, compile_app(checked), SetClock(START))
    team = depot.people.create_team("depot", "Depot")
    depot.ids["kim"] = depot.people.create_user("kim", "Kim", team=team)
    depot.people.set_roles(depot.ids["kim"], "depot", ["keeper"])
    return depot


WHOLE = {"code": "P1", "insured": True, "items": [{"name": "vase"}], "labels": [{"text": "top"}]}


def refused(depot: Works, **values: object) -> dict[str, str]:
    with pytest.raises(Refused) as found:
        depot.create("kim", "parcel", **{**WHOLE, **values})
    return {problem.path: problem.code for problem in found.value.problems}


def test_a_table_has_as_many_rows_as_its_field_says(depot: Works) -> None:
    assert refused(depot, items=[]) == {"items": "items-too-few"}
    assert refused(depot, items=None) == {"items": "items-too-few"}
    assert refused(depot, items=[{"name": "a"}, {"name": "b"}, {"name": "c"}]) == {"items": "items-too-many"}
    assert refused(depot, items=[{"name": " "}]) == {"items.0.name": "required-missing"}
    depot.create("kim", "parcel", **WHOLE)


def test_a_table_that_may_not_be_empty_is_never_emptied(depot: Works) -> None:
    id = depot.create(
        "kim", "parcel", code="P2", insured=True, items=[{"name": "vase"}, {"name": "jug"}], labels=[{"text": "top"}]
    )

    def rows() -> dict[str, list[str]]:
        found = depot.get("kim", "parcel", id, expand=("items", "labels"))
        assert found is not None
        return {"items": [row["name"] for row in found["items"]], "labels": [row["text"] for row in found["labels"]]}

    def ids(table: str) -> list[int]:
        return [int(row["id"]) for row in depot.get("kim", "parcel", id, expand=(table,))[table]]  # type: ignore[index]

    other = depot.create("kim", "parcel", code="P3", insured=True, items=[{"name": "box"}], labels=[{"text": "side"}])
    whole = {"items": ["vase", "jug"], "labels": ["top"]}
    for table, emptied in (("labels", []), ("labels", None), ("items", []), ("items", None)):
        with pytest.raises(Refused) as found:
            depot.update("kim", "parcel", id, **{table: emptied})
        assert [(each.code, each.path) for each in found.value.problems] == [("items-too-few", table)]
        assert rows() == whole
    (label,) = ids("labels")
    for command in (
        Delete("label", label),
        Update("label", label, {"parcel": str(other)}),
        Bulk((Delete("label", label),), atomic=True),
    ):
        with pytest.raises(Refused) as found:
            depot.act("kim", command)
        assert {each.code for each in found.value.problems} == {"items-too-few"}
        assert rows() == whole
    first, second = ids("items")
    depot.act("kim", Delete("item", first))
    with pytest.raises(Refused):
        depot.act("kim", Delete("item", second))
    assert rows() == {"items": ["jug"], "labels": ["top"]}
    depot.update("kim", "parcel", id, labels=[{"text": "new"}])
    assert rows() == {"items": ["jug"], "labels": ["new"]}
    depot.act("kim", Delete("parcel", id))
    assert depot.get("kim", "parcel", id) is None


def test_an_unticked_box_is_no_and_a_question_needs_an_answer(depot: Works) -> None:
    record = depot.get("kim", "parcel", depot.create("kim", "parcel", **WHOLE))
    assert record is not None
    assert record["fragile"] is False
    assert refused(depot, insured=None) == {"insured": "required-missing"}


def test_a_retired_option_stays_and_is_not_chosen_anew(depot: Works) -> None:
    assert refused(depot, **{"class": "third"}) == {"class": "option-retired"}
    id = depot.create("kim", "parcel", **{**WHOLE, "class": "first"})
    with pytest.raises(Refused) as found:
        depot.update("kim", "parcel", id, **{"class": "third"})
    assert [problem.code for problem in found.value.problems] == ["option-retired"]
