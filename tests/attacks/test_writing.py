"""P06-P08, P10, P26, P27: nobody writes what he may not, and whatever is refused leaves no trace."""

from typing import Any

import pytest

from tests.attacks.conftest import PDF, PNG, Shop

FORBIDDEN: list[tuple[str, Any]] = [
    ("id", "1"),
    ("version", 7),
    ("created_by", "1"),
    ("created_at", "2020-01-01T00:00:00Z"),
    ("updated_by", "1"),
    ("deleted_at", "2020-01-01T00:00:00Z"),
    ("margin_rate", 0.5),
    ("total", 1),
    ("number", "O2020-0001"),
    ("stage_entered_at", "2020-01-01T00:00:00Z"),
    ("stage", "shipped"),
    ("checklist", ["new.ready"]),
    ("roles", ["admin"]),
    ("search", "x"),
    ("margin", 1),
    ("nargin", 1),
    ("__class__", "x"),
    ("title; DROP TABLE shop_order", "x"),
]


def pointers(response: Any) -> list[str]:
    return [error["pointer"] for error in response.json()["errors"]]


@pytest.mark.parametrize(("name", "value"), FORBIDDEN, ids=[name for name, _ in FORBIDDEN])
def test_p06_what_is_not_a_persons_to_write_is_refused_by_name(shop: Shop, name: str, value: Any) -> None:
    made = shop.ann.create("order", title="Bench")
    with shop.unchanged():
        for response in (
            shop.ann.post("/order", {"title": "Chair", name: value}),
            shop.ann.patch(f"/order/{made['id']}", {name: value}, made["version"]),
            shop.ann.post(
                "/order/bulk",
                {
                    "commands": [
                        {"action": "update", "id": made["id"], "version": made["version"], "values": {name: value}}
                    ]
                },
            ),
        ):
            assert response.status_code in (400, 403, 404, 422), response.text
            assert any(pointer.endswith("/" + name.replace("/", "~1")) for pointer in pointers(response)), response.text


def test_p06_a_hidden_field_is_refused_like_one_that_does_not_exist(shop: Shop) -> None:
    hidden = shop.ann.post("/order", {"title": "Chair", "margin": 1})
    missing = shop.ann.post("/order", {"title": "Chair", "nargin": 1})
    assert hidden.status_code == missing.status_code
    told = [
        str(response.json()["errors"]).replace(name, "?")
        for response, name in ((hidden, "margin"), (missing, "nargin"))
    ]
    assert told[0] == told[1]


def test_p06_children_are_not_moved_into_another_persons_record(shop: Shop) -> None:
    mine = shop.ann.create("order", title="Mine", lines=[{"product": "Bolt", "price": 1}])
    theirs = shop.bob.create("order", title="Theirs", lines=[{"product": "Nut", "price": 2}])
    line = shop.bob.get("/line", order=theirs["id"]).json()["records"][0]
    with shop.unchanged():
        assert shop.ann.patch(
            f"/order/{mine['id']}", {"lines": [{"id": line["id"], "price": 99}]}, mine["version"]
        ).status_code in (403, 404, 422)
        assert shop.ann.post("/line", {"order": theirs["id"], "product": "Screw"}).status_code in (403, 404, 422)
        assert shop.ann.patch(f"/line/{line['id']}", {"price": 99}, line["version"]).status_code == 404


def test_p07_what_is_refused_changes_nothing_however_often(shop: Shop) -> None:
    theirs = shop.bob.create("order", title="Theirs", papers=[])
    path = f"/order/{theirs['id']}"
    attempts = [
        lambda: shop.ann.patch(path, {"title": "Mine now"}, theirs["version"]),
        lambda: shop.ann.delete(path, theirs["version"]),
        lambda: shop.ann.post(f"{path}/restore"),
        lambda: shop.ann.post(f"{path}/transitions", {"to": "dropped", "reason": "x"}),
        lambda: shop.ann.upload(f"{path}/files/papers", "a.pdf", PDF),
        lambda: shop.ann.upload(f"{path}/files/photo", "a.png", PNG),
        lambda: shop.sue.post("/order", {"title": "No role"}),
        lambda: shop.sue.upload(f"{path}/files/papers", "a.pdf", PDF),
        lambda: shop.ann.post(
            "/order/bulk",
            {
                "commands": [
                    {"action": "create", "values": {"title": "ok"}},
                    {"action": "delete", "id": theirs["id"], "version": 1},
                ]
            },
        ),
    ]
    with shop.unchanged():
        for attempt in attempts * 2:
            response = attempt()
            assert response.status_code in (403, 404), response.text


def test_deleting_does_not_count_what_one_does_not_see(shop: Shop) -> None:
    mine = shop.ann.create("customer", name="Acme")
    for number in range(3):
        shop.max.create("order", title=f"Bob's {number}", owner=str(shop.bob.id), customer=mine["id"])
    with shop.unchanged():
        refused = shop.ann.delete(f"/customer/{mine['id']}", mine["version"])
        assert refused.status_code == 409
        assert refused.json()["code"] == "deletion-restricted-unseen"
        assert not any(sign in refused.json()["detail"] for sign in "0123456789")
    shop.ann.create("order", title="Ann's", customer=mine["id"])
    assert "1 Order" in shop.ann.delete(f"/customer/{mine['id']}", mine["version"]).json()["detail"]
    assert "4 Order" in shop.max.delete(f"/customer/{mine['id']}", mine["version"]).json()["detail"]


def test_p08_another_persons_file_is_out_of_reach(shop: Shop) -> None:
    theirs = shop.bob.create("order", title="Theirs")
    response = shop.bob.upload(f"/order/{theirs['id']}/files/papers", "secret.pdf", PDF)
    assert response.status_code == 201, response.text
    file = shop.bob.get(f"/order/{theirs['id']}").json()["papers"][0]
    file = file["id"] if isinstance(file, dict) else file
    assert shop.bob.get(f"/files/{file}").content == PDF
    mine = shop.ann.create("order", title="Mine")
    with shop.unchanged():
        download = shop.ann.get(f"/files/{file}")
        nothing = shop.ann.get("/files/4611686018427387904")
        assert download.status_code == nothing.status_code == 404
        assert download.json()["detail"] == nothing.json()["detail"]
        for values in ({"papers": [file]}, {"photo": file}):
            assert shop.ann.patch(f"/order/{mine['id']}", values, mine["version"]).status_code in (403, 404, 422)
        assert shop.ann.post("/order", {"title": "Copy", "papers": [file]}).status_code in (403, 404, 422)
        assert shop.sue.get(f"/files/{file}").status_code == 404


def test_p08_a_form_sent_back_names_no_file_but_ones_own(shop: Shop) -> None:
    theirs, mine = shop.bob.create("order", title="Theirs"), shop.ann.create("order", title="Mine")
    path = f"/api/v1/shop/order/{theirs['id']}/files/papers"
    file = shop.bob.upload(path, "merger.pdf", PDF).json()["record"]["papers"][0]
    mine = shop.ann.upload(f"/order/{mine['id']}/files/papers", "mine.pdf", PDF).json()["record"]
    own = mine["papers"][0]
    session = shop.site.people.open_session(shop.ann.id)
    with shop.unchanged():
        for id in (file, "²", "9" * 30, "0" * 30, "-1", "x", "9223372036854775807"):
            form = {"csrf": session.csrf, "~version": mine["version"], "title": "", "papers~kept": [own, id]}
            page = shop.ask(
                "POST",
                f"/shop/order/{mine['id']}/edit",
                bare=True,
                data=form,
                headers={"cookie": f"dougong={session.token}"},
            )
            assert page.status_code == 422, id
            assert "mine.pdf" in page.text
            assert "merger" not in page.text


@pytest.mark.parametrize("version", ["x", "²", "-1", "1e3", "9" * 30, "9" * 5000, ""])
def test_p27_a_form_with_a_version_that_is_none_changes_nothing(shop: Shop, version: str) -> None:
    mine = shop.ann.create("order", title="Mine")
    session = shop.site.people.open_session(shop.ann.id)
    with shop.unchanged():
        for action in ("edit", "delete"):
            form = {"csrf": session.csrf, "~version": version, "title": "Other"}
            page = shop.ask(
                "POST",
                f"/shop/order/{mine['id']}/{action}",
                bare=True,
                data=form,
                headers={"cookie": f"dougong={session.token}"},
            )
            assert page.status_code == 409, (action, page.status_code)


@pytest.mark.parametrize(
    "merge",
    [
        '{"lines": -1}',
        '{"total": "x", "nothing": 1}',
        '{"title": {"a": 1}}',
        '{"amount": "x", "due": [1], "owner": {}}',
        "[]",
        "x",
        '{"papers": 7}',
        '{"urgent": "maybe"}',
    ],
)
def test_a_conflict_page_that_was_written_by_hand_fails_nowhere(shop: Shop, merge: str) -> None:
    mine = shop.ann.create("order", title="Mine", amount=5)
    shop.max.patch(
        f"/order/{mine['id']}", {"title": "Other", "amount": 6, "due": "2026-03-03", "urgent": True}, mine["version"]
    )
    session = shop.site.people.open_session(shop.ann.id)
    with shop.unchanged():
        form = {"csrf": session.csrf, "~version": "1", "~merge": merge}
        page = shop.ask(
            "POST",
            f"/shop/order/{mine['id']}/edit",
            bare=True,
            data=form,
            headers={"cookie": f"dougong={session.token}"},
            follow_redirects=False,
        )
        assert page.status_code in (303, 409, 422)


def test_p08_even_ones_own_file_belongs_to_one_record(shop: Shop) -> None:
    first = shop.ann.create("order", title="First")
    shop.ann.upload(f"/order/{first['id']}/files/papers", "a.pdf", PDF)
    file = shop.ann.get(f"/order/{first['id']}").json()["papers"][0]
    second = shop.ann.create("order", title="Second")
    with shop.unchanged():
        assert shop.ann.patch(f"/order/{second['id']}", {"papers": [file]}, second["version"]).status_code in (
            403,
            404,
            409,
            422,
        )


INJECTIONS = [
    "title'--",
    'title"',
    "title; DROP TABLE dg_user",
    "title) UNION SELECT password FROM dg_user--",
    "1=1",
    "title`",
    "ｔitle",
    "title\u200b",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_p10_names_are_looked_up_never_pasted_into_sql(shop: Shop, text: str) -> None:
    order = shop.ann.create("order", title="Bench", amount=1)
    with shop.unchanged(), shop.site.db.counter() as counter:
        for path, parameters in (
            ("/order", {"sort": text}),
            ("/order", {"fields": text}),
            ("/order", {"expand": text}),
            ("/order", {text: "1"}),
            ("/order", {"view": text}),
            ("/order", {"cursor": text}),
            ("/order/aggregate", {"group": text}),
            ("/order/aggregate", {"measure.x": f"sum({text})"}),
            ("/order/aggregate", {f"measure.{text}": "count()"}),
            (f"/order/choices/{text}", {"text": "a"}),
            (f"/order/{order['id']}/explain", {"field": text}),
            ("/order/export.csv", {"sort": text}),
        ):
            response = shop.ann.get(path, **parameters)
            assert response.status_code in (400, 404), (path, parameters, response.text)
    assert not any(text in statement for statement in counter.texts)


@pytest.mark.parametrize(
    "text",
    [
        "x' OR '1'='1",
        "%",
        "_",
        "\\",
        "'; DROP TABLE dg_user; --",
        "\x7f",
        "🦊" * 50,
        "{{7*7}}",
        "<script>alert(1)</script>",
    ],
)
def test_p10_values_stay_values(shop: Shop, text: str) -> None:
    shop.ann.create("order", title="Bench")
    made = shop.ann.create("order", title=text)
    assert made["title"] == text
    with shop.site.db.counter() as counter:
        assert [each["id"] for each in shop.ann.get("/order", title=text).json()["records"]] == [made["id"]]
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        found = shop.ann.get("/order", filter=f'title == "{quoted}"')
        assert [each["id"] for each in found.json()["records"]] == [made["id"]], found.text
        shop.ann.get("/order", search=text)
        shop.ann.get("/customer", search=text)
        shop.ann.get("/order/choices/customer", text=text)
    assert not any(text in statement for statement in counter.texts if len(text) > 1)


def test_p26_a_gate_holds_on_every_way_there(shop: Shop) -> None:
    order = shop.ann.create("order", title="Bench")
    path = f"/order/{order['id']}"
    with shop.unchanged():
        refused = shop.ann.post(f"{path}/transitions", {"to": "packed"})
        assert refused.status_code == 422
        for response in (
            shop.ann.patch(path, {"stage": "packed"}, order["version"]),
            shop.ann.post("/order", {"title": "Chair", "stage": "packed"}),
            shop.ann.post("/order/bulk", {"commands": [{"action": "transition", "id": order["id"], "to": "packed"}]}),
            shop.ann.post(
                "/order/bulk",
                {
                    "commands": [
                        {
                            "action": "update",
                            "id": order["id"],
                            "version": order["version"],
                            "values": {"stage": "packed"},
                        }
                    ]
                },
            ),
            shop.meg.post(f"{path}/transitions", {"to": "packed"}),
            shop.max.post(f"{path}/transitions", {"to": "packed"}),
            shop.ann.post(f"{path}/transitions", {"to": "shipped"}),
            shop.ann.post(f"{path}/transitions", {"transition": "packed_to_shipped"}),
        ):
            assert response.status_code in (400, 403, 409, 422), response.text
    needs = refused.json()["errors"]
    assert {"/customer", "/papers"} <= {error["pointer"] for error in needs}
    assert any("greater than 0" in error["detail"] for error in needs)


def test_p26_no_way_around_leads_through_a_gate(shop: Shop) -> None:
    """Import, merge, restore, undo and undoing the undoing."""
    customer = shop.max.create("customer", name="Acme")
    ready = shop.max.create("order", title="Ready", customer=customer["id"], amount=10)
    path = f"/order/{ready['id']}"
    assert shop.max.upload(f"{path}/files/papers", "a.pdf", PDF).status_code == 201
    moved = shop.max.post(f"{path}/transitions", {"to": "packed"}).json()
    bare = shop.max.create("order", title="Bare")
    before = shop.max.get(f"/order/{bare['id']}").json()

    # Only an administrator takes records over at the stage where they stood; what is there goes through the gates.
    shop.ann.ask("POST", "/order/import", files={"file": ("a.csv", b"Title,Stage\nNew one,packed\n", "text/csv")})
    assert {each["stage"] for each in shop.max.get("/order", title="New one").json()["records"]} <= {"new"}
    mapping = '{"steps": [{"entity": "order", "key": ["id"], "columns": {"Id": "id"}, "stage": {"column": "Stage"}}]}'
    file = f"Id,Stage\n{bare['id']},packed\n".encode()
    for person in (shop.ann, shop.max):
        sent = {"file": ("a.csv", file, "text/csv"), "mapping": ("m.json", mapping.encode(), "text/plain")}
        told = person.ask("POST", "/order/import", files=sent).json()
        assert told.get("refused", 1) == 1, told
    for choices in ({"stage": "lose"}, {"stage_entered_at": "lose"}, {"pipeline": "lose"}, {"checklist": "lose"}):
        response = shop.max.post(f"/order/{bare['id']}/merge", {"lose": ready["id"], "choices": choices})
        assert response.status_code == 422, (choices, response.text)
    assert shop.max.get(f"/order/{bare['id']}").json() == before

    # A transition is not undone, so that no undoing of the undoing leads past the gate; one goes back instead.
    assert shop.max.post("/undo", {"batch": moved["batch"]}).status_code == 409
    assert shop.max.get(path).json()["stage"] == "packed"
    version = shop.max.get(path).json()["version"]
    assert shop.max.delete(path, version).status_code == 200
    assert shop.max.post(f"{path}/restore").status_code == 200
    assert shop.max.get(path).json()["stage"] == "packed"


def test_p26_the_gate_opens_when_everything_is_there(shop: Shop) -> None:
    customer = shop.ann.create("customer", name="Acme")
    order = shop.ann.create("order", title="Bench", customer=customer["id"], amount=10)
    path = f"/order/{order['id']}"
    assert shop.ann.upload(f"{path}/files/papers", "a.pdf", PDF).status_code == 201
    moved = shop.ann.post(f"{path}/transitions", {"to": "packed"})
    assert moved.status_code == 200, moved.text
    assert moved.json()["record"]["stage"] == "packed"
    stages = shop.ann.get(f"{path}/stages").json()["stages"]
    assert [each["stage"] for each in stages] == ["new", "packed"]


def test_p27_of_two_stale_edits_none_is_lost(shop: Shop) -> None:
    order = shop.ann.create("order", title="Bench", amount=1)
    path = f"/order/{order['id']}"
    assert shop.ann.patch(path, {"title": "Desk"}, order["version"]).status_code == 200
    with shop.unchanged():
        second = shop.ann.patch(path, {"amount": 2}, order["version"])
        assert second.status_code == 409
        assert second.json()["current"]["title"] == "Desk"
        unversioned = shop.ann.patch(path, {"amount": 2})
        assert unversioned.status_code == 428
        assert shop.ann.delete(path).status_code == 428
        assert shop.ann.delete(path, order["version"]).status_code == 409
    current = second.json()["current"]
    assert shop.ann.patch(path, {"amount": 2}, current["version"]).status_code == 200
    last = shop.ann.get(path).json()
    assert (last["title"], last["amount"]) == ("Desk", 2)
