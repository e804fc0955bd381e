"""P01-P05: what is hidden from somebody leaks through no question he can ask.

Each attack is tried on a hidden field and on one that does not exist: the answers must be the same but for the name.
"""

from typing import Any

import httpx
import pytest

from tests.attacks.conftest import Shop

HIDDEN, MISSING = "margin", "nargin"


def told(response: httpx.Response, name: str) -> tuple[int, Any]:
    """Status and body without what differs from request to request and without the name asked for."""
    body = response.json()
    body.pop("instance", None)
    return response.status_code, str(body).replace(name, "?")


def refused_alike(shop: Shop, path: str, **parameters: str) -> None:
    """The question with the hidden field is answered as the one with a field that does not exist: not at all."""
    answers = []
    with shop.unchanged():
        for name in (HIDDEN, MISSING):
            asked = {key.replace("FIELD", name): value.replace("FIELD", name) for key, value in parameters.items()}
            answers.append(told(shop.ann.get(path, **asked), name))
    assert answers[0] == answers[1]
    assert answers[0][0] in (400, 403, 404)


@pytest.fixture
def order(shop: Shop) -> dict[str, Any]:
    """An order of ann's whose margin the manager has filled in."""
    made = shop.ann.create("order", title="Bench", amount=100)
    response = shop.meg.patch(f"/order/{made['id']}", {"margin": 40}, made["version"])
    assert response.status_code == 200, response.text
    record: dict[str, Any] = response.json()["record"]
    assert record["margin"] == 40
    return record


@pytest.mark.parametrize(
    "parameters",
    [
        {"filter": "FIELD > 1"},
        {"filter": "amount > 1 and FIELD == 40"},
        {"filter": "count(lines where this.FIELD > 1) >= 0"},
        {"filter": "customer.orders.FIELD > 1"},
        {"filter": "sum(customer.orders.FIELD) > 1"},
        {"FIELD": "40"},
        {"FIELD": ""},
        {"sort": "FIELD"},
        {"sort": "-amount,FIELD"},
        {"fields": "title,FIELD"},
        {"expand": "FIELD"},
    ],
)
def test_p01_a_hidden_field_cannot_be_asked_for_in_a_list(
    shop: Shop, order: dict[str, Any], parameters: dict[str, str]
) -> None:
    refused_alike(shop, "/order", **parameters)


def test_p01_a_formula_over_a_hidden_field_is_hidden_too(shop: Shop, order: dict[str, Any]) -> None:
    assert "margin_rate" not in shop.ann.get(f"/order/{order['id']}").json()
    assert (
        shop.ann.get("/order", filter="margin_rate > 0").status_code
        == shop.ann.get("/order", filter="nargin_rate > 0").status_code
        == 400
    )


def test_p01_search_does_not_look_into_what_is_hidden(shop: Shop, order: dict[str, Any]) -> None:
    found = shop.ann.get("/order", search="40").json()["records"]
    assert found == []
    assert len(shop.ann.get("/order", search="Bench").json()["records"]) == 1


def test_p01_cursors_say_nothing_of_hidden_values(shop: Shop, order: dict[str, Any]) -> None:
    for number in range(3):
        shop.ann.create("order", title=f"Chair {number}", amount=number + 1)
    before = shop.ann.get("/order", limit="2", sort="amount").json()
    shop.meg.patch(f"/order/{order['id']}", {"margin": 99}, order["version"])
    after = shop.ann.get("/order", limit="2", sort="amount").json()
    assert before["next"] == after["next"]
    assert [each["id"] for each in before["records"]] == [each["id"] for each in after["records"]]


@pytest.mark.parametrize(
    "parameters",
    [
        {"measure.x": "min(FIELD)"},
        {"measure.x": "sum(FIELD * 2)"},
        {"measure.x": "count(FIELD)"},
        {"group": "FIELD"},
        {"group": "stage,FIELD", "measure.x": "count()"},
        {"group": "stage", "filter": "FIELD > 0"},
    ],
)
def test_p02_a_hidden_field_cannot_be_measured_or_grouped(
    shop: Shop, order: dict[str, Any], parameters: dict[str, str]
) -> None:
    refused_alike(shop, "/order/aggregate", **parameters)


@pytest.mark.parametrize(
    "path",
    ["owner.password", "created_by.password", "owner.team.leader.password", "customer.owner.password", "user.password"],
)
def test_p03_secrets_cannot_be_reached_through_relations(shop: Shop, order: dict[str, Any], path: str) -> None:
    with shop.unchanged():
        for text in (f"starts_with({path}, '$argon2')", f"{path} == 'x'", f"{path} is null"):
            assert shop.ann.get("/order", filter=text).status_code == 400
        assert shop.ann.get("/order", expand=path).status_code in (400, 404)
        assert shop.max.get("/order", filter=f"{path} is null").status_code == 400


def test_p03_tables_of_the_engine_are_no_entities(shop: Shop) -> None:
    with shop.unchanged():
        for name in ("user", "team", "dg_user", "dg_session", "dg_token", "sqlite_master", "pg_user"):
            answers = {
                shop.max.ask(method, f"/{name}", json={} if method == "POST" else None).status_code
                for method in ("GET", "POST")
            }
            assert answers <= {403, 404, 405, 200}
            if name not in ("user", "team"):
                assert answers == {404}
        people = shop.ann.get("/user")
        assert people.status_code == 404 or all(
            set(each) <= {"id", "name", "email", "phone", "team", "manager", "active"}
            for each in people.json()["records"]
        )


def test_p04_history_shows_no_values_of_hidden_fields(shop: Shop, order: dict[str, Any]) -> None:
    response = shop.ann.get(f"/order/{order['id']}/history")
    assert response.status_code == 200
    assert "margin" not in response.text
    seen = {change["field"] for entry in response.json()["changes"] for change in entry["changes"]}
    assert "amount" in seen
    whole = shop.meg.get(f"/order/{order['id']}/history").json()["changes"]
    assert "margin" in {change["field"] for entry in whole for change in entry["changes"]}


def test_p04_nothing_that_was_written_says_a_password_or_a_token(shop: Shop, order: dict[str, Any]) -> None:
    from tests.attacks.conftest import PASSWORD, _postgresql, _sqlite

    url = shop.settings.database_url
    stored = str(_sqlite(url) if url.startswith("sqlite") else _postgresql(url))
    assert PASSWORD not in stored
    for person in shop.people.values():
        assert person.token not in stored


def test_p05_roles_that_meet_in_one_person_do_not_mix_their_rows(shop: Shop) -> None:
    both = shop.join("rob", "rep", "support")
    own = both.create("customer", name="Mine", rating=1)
    other = shop.bob.create("customer", name="Bob's", rating=9)
    # As support he may write the notes of good customers, as representative everything of his own.
    assert both.patch(f"/customer/{other['id']}", {"notes": "ok"}, other["version"]).status_code == 200
    assert both.patch(f"/customer/{own['id']}", {"name": "Mine too"}, own["version"]).status_code == 200
    with shop.unchanged():
        refused = both.patch(f"/customer/{other['id']}", {"notes": "ok", "name": "Stolen"}, other["version"] + 1)
        assert refused.status_code in (403, 422)
        assert "/name" in [error["pointer"] for error in refused.json()["errors"]]
        assert both.patch(f"/customer/{other['id']}", {"owner": str(both.id)}, other["version"] + 1).status_code in (
            403,
            422,
        )


def test_openapi_and_answers_never_name_a_hidden_field_to_those_who_may_not_see_it(
    shop: Shop, order: dict[str, Any]
) -> None:
    for path in (
        "/order",
        f"/order/{order['id']}",
        f"/order/{order['id']}/history",
        f"/order/{order['id']}/transitions",
        "/order/aggregate",
        "/order/export.csv",
    ):
        response = shop.ann.get(path)
        assert response.status_code == 200, (path, response.text)
        assert "margin" not in response.text, path


def test_a_page_says_that_a_record_is_not_visible_and_nothing_of_it(shop: Shop) -> None:
    customer = shop.meg.create("customer", name="Quiet Ltd")
    made = shop.meg.create("order", title="Bench", customer=customer["id"], owner=str(shop.ann.id))
    blank = shop.meg.create("order", title="Chair", owner=str(shop.ann.id))
    for login, seen in (("ann", False), ("meg", True)):
        session = shop.site.people.open_session(shop.people[login].id).token
        for path in ("/shop/order", f"/shop/order/{made['id']}"):
            page = shop.ask("GET", path, bare=True, headers={"cookie": f"dougong={session}"})
            assert page.status_code == 200
            assert ("Quiet Ltd" in page.text) is seen
            assert ("你无权查看这条记录" in page.text) is not seen
            assert ("不可见" in page.text) is not seen
        # What is empty is only empty.
        page = shop.ask("GET", f"/shop/order/{blank['id']}", bare=True, headers={"cookie": f"dougong={session}"})
        assert "你无权查看这条记录" not in page.text
