"""Homes in the text of a definition: what the compiler says of cards that it cannot make, and that names in them are names."""

from engine.analytics.cards import card_kinds
from engine.definition import Checked, load
from engine.definition.rename import rename
from engine.problems import Problem

HEAD = """app: demo
version: 1.0.0
label: {zh: 演示, en: Demo}
allow: {label-missing: the snippet is short}
entities: {order: {fields: {name: text, amount: money, sent: datetime}}}
views: {all: {entity: order, where: amount > 0}}
"""


def checked(homes: str) -> Checked:
    return load({"x.yaml": HEAD + homes})


def only(homes: str) -> Problem:
    problems = checked(homes).problems
    assert len(problems) == 1, [str(each) for each in problems]
    return problems[0]


def test_a_card_of_an_unknown_kind_is_named_and_mended() -> None:
    problem = only("homes: {desk: {cards: {orders: {kind: lits, entity: order}}}}")
    assert problem.code == "unknown-card"
    assert problem.path == "homes.desk.cards.orders.kind"
    assert "list" in problem.hint("en")
    assert [patch.text for patch in problem.patches] == ["list"]


def test_a_card_without_a_kind_is_told_which_there_are() -> None:
    problem = only("homes: {desk: {cards: {orders: {entity: order}}}}")
    assert problem.code == "card-kind-missing"
    for kind in card_kinds:
        assert kind in problem.hint("zh")


def test_the_settings_of_a_card_are_those_of_its_kind() -> None:
    problem = only("homes: {desk: {cards: {orders: {kind: number, entity: order, columns: [name]}}}}")
    assert (problem.code, problem.path) == ("unknown-key", "homes.desk.cards.orders.columns")


def test_a_condition_of_a_card_is_checked_like_any_other() -> None:
    problem = only("homes: {desk: {cards: {orders: {kind: list, view: all, where: amuont > 5}}}}")
    assert (problem.code, problem.path) == ("unknown-field", "homes.desk.cards.orders.where")


def test_every_kind_of_card_has_an_example_that_has_its_shape() -> None:
    for name, kind in card_kinds.items():
        text = f"homes: {{desk: {{cards: {{one: {kind.example}}}}}}}"
        shape = [each for each in checked(text).problems if each.code in ("wrong-shape", "unknown-key", "missing-key")]
        assert shape == [], name
        assert kind.title.zh
        assert kind.doc.en


def test_a_renamed_field_is_renamed_in_cards() -> None:
    text = "homes: {desk: {cards: {orders: {kind: list, view: all, where: sent < now(), sort: [-sent], clock: {field: sent}}}}}\n"
    files = rename(checked(text), "field", "sent", "shipped", "order")
    assert "where: shipped < now(), sort: [-shipped], clock: {field: shipped}" in files["x.yaml"]
    assert [each.code for each in load(files).problems] == []
