"""Lists, boards and calendars in the browser: their addresses, saved views and cells give nothing away and change nothing.

What is tried with a hidden field is tried with one that does not exist as well: the pages must be the same but for the name.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.attacks.conftest import Person, Shop

HIDDEN, MISSING = "margin", "nargin"


class Browser:
    """Somebody signed in, who looks at pages."""

    def __init__(self, person: Person) -> None:
        self.shop = person.shop
        session = person.shop.site.people.open_session(person.id)
        self.headers = {"cookie": f"dougong={session.token}; language=en"}
        self.csrf = session.csrf

    def get(self, path: str, asked: Mapping[str, Any] | None = None) -> httpx.Response:
        address = f"{path}?{urlencode(asked, doseq=True)}" if asked else path
        return self.shop.ask("GET", address, bare=True, headers=self.headers)

    def post(self, path: str, **data: Any) -> httpx.Response:
        return self.shop.ask(
            "POST", path, bare=True, headers=self.headers, data={"csrf": self.csrf, **data}, follow_redirects=False
        )

    def save(self, path: str = "/shop/order/views", **data: Any) -> int:
        """Save a view; its id."""
        given = {"do": "save", "label": "Mine", "form": "list", "parameters": "view=all", "shared": "none", **data}
        answer = self.post(path, **given)
        assert answer.status_code == 303, answer.text
        return int(answer.headers["location"].partition("saved=")[2])


@pytest.fixture
def order(shop: Shop) -> dict[str, Any]:
    made = shop.ann.create("order", title="Bench", amount=100, due="2026-03-01")
    record: dict[str, Any] = shop.meg.patch(f"/order/{made['id']}", {"margin": 4711}, made["version"]).json()["record"]
    return record


@pytest.mark.parametrize(
    "asked",
    [
        {"group": "FIELD"},
        {"group": "FIELD.month"},
        {"sort": "-FIELD"},
        {"columns": ["title", "FIELD"]},
        {"c.1": "FIELD.ge.1"},
        {"c.1": ["FIELD.empty", "amount.ge.1"]},
        {"f.FIELD.from": "1"},
        {"where": "FIELD > 1"},
        {"add": "FIELD"},
        {"add": "FIELD", "op": "ge", "value": "1"},
        {"group": "stage", "unfold": "FIELD"},
    ],
)
@pytest.mark.parametrize("form", ["", "/board", "/calendar"])
def test_p01_no_address_of_a_list_tells_a_hidden_field_from_none(
    shop: Shop, order: dict[str, Any], form: str, asked: dict[str, Any]
) -> None:
    ann, told = Browser(shop.ann), []
    for name in (HIDDEN, MISSING):
        given = {
            key.replace("FIELD", name): [each.replace("FIELD", name) for each in value]
            if isinstance(value, list)
            else value.replace("FIELD", name)
            for key, value in asked.items()
        }
        answer = ann.get(f"/shop/order{form}", given)
        told.append((answer.status_code, answer.text.replace(name, "?")))
    assert told[0] == told[1]
    assert told[0][0] == 200
    assert "4,711" not in told[0][1]


@pytest.mark.parametrize(
    "asked",
    [
        {"group": "stage"},
        {"group": "due.month"},
        {"group": "owner"},
    ],
)
def test_p02_groups_add_up_only_what_the_reader_sees(shop: Shop, order: dict[str, Any], asked: dict[str, str]) -> None:
    shop.meg.create("order", title="Chair", amount=900)
    given = {**asked, "view": "board", "columns": ["title", "amount", "margin"]}
    mine, whole = Browser(shop.ann).get("/shop/order", given).text, Browser(shop.meg).get("/shop/order", given).text
    assert "4,711" not in mine
    assert "1,000.00" not in mine
    assert "4,711" in whole
    assert "1,000.00" in whole


def test_a_shared_view_shows_each_what_he_may_see_and_does_not_name_the_rest(shop: Shop, order: dict[str, Any]) -> None:
    meg, ann = Browser(shop.meg), Browser(shop.ann)
    asked = [
        ("view", "all"), ("where", "margin > 1"), ("c.1", "margin.ge.1"), ("f.margin.from", "1"), ("sort", "-margin"),
        ("columns", "title"), ("columns", "margin"), ("columns", "amount"), ("f.title", "Bench"),
    ]  # fmt: skip
    id = meg.save(label="Worth it", parameters=urlencode(asked), shared="all")
    seen = ann.get("/shop/order", {"saved": id})
    assert seen.status_code == 200
    assert "Worth it" in seen.text
    assert "Bench" in seen.text
    assert "left out" in seen.text
    assert "argin" not in seen.text
    assert "left out" not in meg.get("/shop/order", {"saved": id}).text
    for form in ("board", "calendar"):
        assert "argin" not in ann.get(f"/shop/order/{form}", {"saved": id}).text


def test_a_view_of_ones_own_is_there_for_nobody_else(shop: Shop) -> None:
    meg, ann = Browser(shop.meg), Browser(shop.ann)
    id = meg.save(label="Private plans")
    pages = [re.sub(r"\d{10,}", "?", ann.get("/shop/order", {"saved": each}).text) for each in (id, id + 1)]
    assert pages[0] == pages[1]
    assert "Private plans" not in pages[0]
    assert "Private plans" in meg.get("/shop/order").text
    with shop.unchanged():
        for do in ("replace", "drop"):
            given = {"do": do, "id": str(id), "version": "1", "label": "Stolen", "shared": "none"}
            assert ann.post("/shop/order/views", **given).status_code == 404
            assert ann.post("/shop/customer/views", **given).status_code == 404


def test_sharing_with_everybody_needs_the_right_to_share(shop: Shop) -> None:
    ann, sue, id = Browser(shop.ann), Browser(shop.sue), Browser(shop.meg).save(label="Team plan", shared="all")
    with shop.unchanged():
        given = {"do": "save", "label": "For all", "form": "list", "parameters": "view=all"}
        assert ann.post("/shop/order/views", **given, shared="all").status_code == 403
        # Who belongs to no team has nobody to share with there.
        assert ann.post("/shop/order/views", **given, shared="team").status_code == 422
        # What others share is read, not changed.
        taken = {"do": "replace", "id": str(id), "version": "1", "label": "Stolen", "shared": "none"}
        assert ann.post("/shop/order/views", **taken).status_code == 404
        # What a stranger to the entity may not read he may not keep views of.
        assert sue.post("/shop/order/views", **given).status_code == 404
    assert "Team plan" in ann.get("/shop/order").text


def test_p27_a_view_that_changed_meanwhile_is_not_written_over(shop: Shop) -> None:
    meg = Browser(shop.meg)
    id = meg.save(label="First")
    given = {"id": str(id), "form": "list", "parameters": "view=all", "shared": "none", "version": "1"}
    assert meg.post("/shop/order/views", do="replace", label="Second", **given).status_code == 303
    with shop.unchanged():
        assert meg.post("/shop/order/views", do="replace", label="Third", **given).status_code == 409
        assert meg.post("/shop/order/views", do="drop", **given).status_code == 409
    assert "Second" in meg.get("/shop/order").text


def test_p10_nothing_of_an_address_becomes_part_of_a_statement(shop: Shop, order: dict[str, Any]) -> None:
    ann, evil = Browser(shop.ann), "x'\"; DROP TABLE dg_user --"
    names = ("group", "sort", "columns", "density", "by", "pipeline", "on", "saved", "fold", "unfold", "view", "month")
    names += (
        "add",
        "op",
        "value",
        "beside",
        "c.1",
        "c.99",
        "c.1x",
        "f.title",
        "f.owner",
        "f.amount.from",
        "cursor",
        "span",
    )
    values = (evil, f"title.{evil}", f"title.contains.{evil}", "9" * 40)
    with shop.site.db.counter() as counter:
        for form in ("", "/board", "/calendar"):
            for value in values:
                # All at once, and each of those that decide what is asked by itself.
                assert ann.get(f"/shop/order{form}", dict.fromkeys(names, value)).status_code in (200, 303), value
        for name in ("group", "sort", "c.1", "fold", "saved", "cursor", "op"):
            for value in values[:3]:
                assert ann.get("/shop/order", {name: value}).status_code in (200, 303), (name, value)
    assert not [text for text in counter.texts if "DROP TABLE" in text]


def test_p23_an_address_full_of_conditions_costs_no_more_than_its_limit(shop: Shop) -> None:
    ann = Browser(shop.ann)
    many = {f"c.{number}": [f"amount.ge.{each}" for each in range(20)] for number in range(1, 30)}
    with shop.site.db.counter() as counter:
        assert ann.get("/shop/order", many).status_code == 200
    assert counter.count < 20
    assert ann.get("/shop/order", {"unfold": [str(each) for each in range(500)], "group": "stage"}).status_code == 200
    with shop.unchanged():
        given = {"do": "save", "label": "Long", "form": "list", "shared": "none"}
        assert ann.post("/shop/order/views", **given, parameters=urlencode({"where": "x" * 9000})).status_code == 413
        assert ann.post("/shop/order/views", **given | {"label": "y" * 61}, parameters="view=all").status_code == 422


def test_p06_a_cell_of_a_field_that_one_may_not_change_is_none(shop: Shop, order: dict[str, Any]) -> None:
    ann, bob, path = Browser(shop.ann), Browser(shop.bob), f"/shop/order/{order['id']}/cell"
    with shop.unchanged():
        for name in (HIDDEN, MISSING, "margin_rate", "stage", "version", "id", "number", "papers", "created_by"):
            assert ann.get(path, {"field": name}).status_code == 404, name
            given = {"field": name, name: "1", "~version": str(order["version"]), "columns": "title"}
            assert ann.post(path, **given).status_code == 404, name
        assert bob.get(path, {"field": "amount"}).status_code == 404
        stale = {"field": "amount", "amount": "5", "~version": "1", "columns": "title"}
        assert ann.post(path, **stale).status_code == 409
        wrong = {"field": "amount", "amount": "much", "~version": str(order["version"]), "columns": "title"}
        assert ann.post(path, **wrong).status_code == 422
        assert (
            shop.ask("POST", path, bare=True, headers=ann.headers, data={**stale, "csrf": "wrong"}).status_code == 403
        )
    saved = ann.post(
        path, field="amount", amount="5", columns="title,amount,margin", **{"~version": str(order["version"])}
    )
    assert saved.status_code == 200
    assert "argin" not in saved.text


def test_pinyin_finds_titles_that_one_may_read_and_nothing_else(shop: Shop) -> None:
    shop.ann.create("customer", name="中华食品", notes="北京烤鸭")
    shop.meg.create("customer", name="中华书局")

    def found(person: Person, text: str) -> list[str]:
        return sorted(each["name"] for each in person.get("/customer", search=text).json()["records"])

    for text in ("zhsp", "zhonghua", "zhonghuash", "ZHSP", "中华"):
        assert found(shop.ann, text) == ["中华食品"], text
    assert found(shop.meg, "zhonghua") == ["中华书局", "中华食品"]
    assert found(shop.bob, "zhonghua") == []
    # The notes are no title, so that their pinyin finds nothing.
    assert found(shop.meg, "bjky") == found(shop.meg, "beijing") == []


def test_p15_an_export_from_a_list_holds_the_columns_shown_and_no_formulas(shop: Shop, order: dict[str, Any]) -> None:
    shop.ann.create("order", title="=1+1", amount=7)
    page = Browser(shop.ann).get("/shop/order", {"columns": ["title", "amount", "margin"], "c.1": "amount.le.50"}).text
    link = next(each for each in re.findall(r'href="(/api/[^"]+)"', page) if "export.csv" in each).replace("&amp;", "&")
    text = shop.ann.get(link).content.decode("utf-8-sig")
    assert text.splitlines()[0].endswith("Title,Amount")
    assert "'=1+1" in text
    assert "Bench" not in text
    assert "argin" not in text
