"""What the API answers, how many statements that costs, and that a request with a key is done once."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jsonschema
import pytest
import sqlalchemy as sa

from engine.definition import load
from engine.problems import Problem, Refused
from engine.publishing.apply import publish
from engine.storage import system
from engine.storage.errors import StatementTimeout
from engine.web import resource
from engine.web.idempotency import Keys
from tests.attacks.conftest import APP, PASSWORD, PDF, Shop

# How many statements each question may cost, once its statements are made and the person is known.
BUDGET = [
    ("/order/{id}", {}, 1),
    ("/order/{id}", {"expand": "customer"}, 2),
    ("/order", {}, 1),
    ("/order", {"limit": "2", "sort": "-amount"}, 1),
    ("/order", {"stage": "new"}, 1),
    ("/order", {"filter": "amount > 1 and owner == user"}, 1),
    ("/order", {"search": "Desk"}, 1),
    ("/order", {"count": "100"}, 2),
    ("/order/aggregate", {"group": "stage", "measure.total": "sum(amount)"}, 1),
    ("/order/choices/customer", {"text": "a"}, 1),
]


@pytest.fixture
def order(shop: Shop) -> dict[str, Any]:
    customer = shop.ann.create("customer", name="Acme")
    return shop.ann.create(
        "order",
        title="Desk",
        amount=12.5,
        customer=customer["id"],
        lines=[{"product": "Top", "price": 10}, {"product": "Leg", "price": 2.5}],
    )


@pytest.mark.parametrize(
    ("path", "parameters", "statements"), BUDGET, ids=[f"{path} {given}" for path, given, _ in BUDGET]
)
def test_a_question_costs_so_many_statements(
    shop: Shop,
    order: dict[str, Any],
    path: str,
    parameters: dict[str, str],
    statements: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resource, "MOMENT", 10.0)  # what a busy machine does not answer at once would be asked again
    path = path.replace("{id}", order["id"])
    assert shop.ann.get(path, **parameters).status_code == 200
    with shop.site.db.counter() as counter:
        # Whether the app or the people changed is asked a few times a second, not for each request.
        texts = min((_asked(shop, counter, path, parameters) for _ in range(3)), key=len)
    # SQLite is asked first how common the words of a search are.
    probes = 1 if "search" in parameters and shop.site.db.one_writer else 0
    assert len(texts) == statements + probes, texts


def test_a_question_that_takes_long_is_answered_elsewhere_and_not_tried_again_at_once(
    shop: Shop, order: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    @contextmanager
    def hurry(seconds: float) -> Iterator[None]:
        tried.append(seconds)
        raise StatementTimeout("late")
        yield

    at_once = shop.ann.get("/order", stage="new").json()
    monkeypatch.setattr(shop.site.db, "hurry", hurry)
    assert shop.ann.get("/order", stage="new").json() == at_once
    assert shop.ann.get("/order", stage="new").json() == at_once
    assert len(tried) == 1
    assert shop.ann.get("/order", sort="-amount").status_code == 200
    assert len(tried) == 2


def test_a_view_is_summed_as_it_declares_without_what_is_hidden(shop: Shop, order: dict[str, Any]) -> None:
    (seen,) = shop.ann.get("/order/aggregate", view="board").json()["groups"]
    assert seen == {"stage": order["stage"], "count": 1, "sum_amount": 12.5}
    (all_of_it,) = shop.meg.get("/order/aggregate", view="board").json()["groups"]
    assert all_of_it == {**seen, "sum_margin": None}


def test_a_change_costs_so_many_statements(shop: Shop, order: dict[str, Any]) -> None:
    shop.ann.create("customer", name="Before")
    with shop.site.db.counter() as counter:
        shop.ann.create("customer", name="Bolt")
        created = _changes(counter)
        answer = shop.ann.patch(f"/order/{order['id']}", {"title": "Table"}, order["version"])
        changed = _changes(counter)[len(created) :]
    assert answer.status_code == 200
    # Whether the version is live still: on PostgreSQL a lock and a look, sent together with BEGIN.
    live = 1 if shop.site.db.one_writer else 2
    # The record and the journal; what was written tells the answer, and that it is hers.
    assert len(created) == live + 2, created
    # The record as it was, as it will be, what it draws on, the journal; whose it may be is told by its own values.
    assert len(changed) == live + 4, changed


def test_a_change_is_answered_with_what_is_read_afterwards(shop: Shop, order: dict[str, Any]) -> None:
    for person in (shop.ann, shop.meg, shop.max):
        made = person.post("/order", {"title": "Chair", "amount": 3.5})
        version = made.json()["version"]
        changed = person.patch(f"/order/{made.json()['id']}", {"title": "Stool"}, version)
        read = person.get(f"/order/{made.json()['id']}")
        assert (made.status_code, changed.status_code) == (201, 200)
        assert changed.json()["record"] == read.json()
        assert changed.headers["etag"] == read.headers["etag"]


def _changes(counter: Any) -> list[str]:
    """Without those that ask now and then whether the app or the people changed, and those that begin and end transactions."""
    housekeeping = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
    return [
        text
        for text in counter.texts
        if not text.startswith(housekeeping) and "dg_epoch" not in text and "dg_rate" not in text
    ]


def _asked(shop: Shop, counter: Any, path: str, parameters: dict[str, str]) -> list[str]:
    before = counter.count
    shop.ann.get(path, **parameters)
    return [text for text in counter.texts[before:] if not text.startswith(("BEGIN", "COMMIT", "ROLLBACK"))]


def test_records_come_with_their_fields_and_numbers_as_numbers(shop: Shop, order: dict[str, Any]) -> None:
    got = shop.ann.get(f"/order/{order['id']}", expand="customer,lines").json()
    assert (got["title"], got["amount"], got["total"], got["stage"], got["version"]) == ("Desk", 12.5, 12.5, "new", 1)
    assert got["customer"]["title"] == "Acme"
    assert [line["product"] for line in got["lines"]] == ["Top", "Leg"]
    assert got["number"].startswith("O20")


def test_pages_follow_one_another_without_gap_or_overlap(shop: Shop) -> None:
    made = [shop.ann.create("order", title=f"Order {number}", amount=number % 3 or None)["id"] for number in range(11)]
    for sort in ("", "amount", "-amount,title", "-id"):
        seen, cursor = [], None
        for _ in range(10):
            given = {"limit": "4"} | ({"sort": sort} if sort else {}) | ({"cursor": cursor} if cursor else {})
            page = shop.ann.get("/order", **given).json()
            seen += [each["id"] for each in page["records"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert sorted(seen) == sorted(made), sort


def test_an_unchanged_record_is_not_sent_again(shop: Shop, order: dict[str, Any]) -> None:
    path = f"/order/{order['id']}"
    first = shop.ann.get(path)
    again = shop.ann.ask("GET", path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    changed = shop.ann.ask("PATCH", path, json={"title": "Table"}, headers={"if-match": first.headers["etag"]})
    assert changed.status_code == 200
    assert shop.ann.ask("GET", path, headers={"if-none-match": first.headers["etag"]}).status_code == 200
    assert shop.ann.get(path).headers["etag"] == changed.headers["etag"]


def test_a_new_record_says_where_it_is(shop: Shop) -> None:
    made = shop.ann.post("/order", {"title": "Desk"})
    assert made.status_code == 201
    assert (
        shop.ask("GET", made.headers["location"], headers={"authorization": f"Bearer {shop.ann.token}"}).json()
        == made.json()["record"]
    )


def test_the_trash_gives_back(shop: Shop, order: dict[str, Any]) -> None:
    path = f"/order/{order['id']}"
    assert shop.ann.delete(path, order["version"]).status_code == 200
    assert shop.ann.get(path).status_code == 404
    assert [each["id"] for each in shop.ann.get("/order", deleted="true").json()["records"]] == [order["id"]]
    assert shop.ann.post(f"{path}/restore").status_code == 200
    assert shop.ann.get(path).json()["title"] == "Desk"


def test_undo_takes_back_what_one_request_did(shop: Shop, order: dict[str, Any]) -> None:
    path = f"/order/{order['id']}"
    batch = shop.ann.patch(path, {"title": "Table", "amount": 99}, order["version"]).json()["batch"]
    undone = shop.ann.post("/undo", {"batch": batch})
    assert undone.status_code == 200, undone.text
    got = shop.ann.get(path).json()
    assert (got["title"], got["amount"]) == ("Desk", 12.5)


def test_transitions_tell_what_is_missing_and_who_can_help(shop: Shop, order: dict[str, Any]) -> None:
    ways = {way["name"]: way for way in shop.ann.get(f"/order/{order['id']}/transitions").json()["transitions"]}
    forward = ways["new_to_packed"]
    assert forward["open"] is False
    needs = {need["name"]: need for need in forward["needs"]}
    assert needs["customer"]["met"] is True
    assert (needs["papers"]["need"], needs["papers"]["have"], needs["papers"]["met"]) == (1, 0, False)
    assert "Representative" in needs["papers"]["who"]
    assert ways["new_to_dropped"]["open"] is True


def test_files_are_handed_out_as_attachments(shop: Shop, order: dict[str, Any]) -> None:
    path = f"/order/{order['id']}/files/papers"
    assert shop.ann.upload(path, "合同 1.pdf", PDF).status_code == 201
    listed = shop.ann.get(path).json()["files"]
    assert [each["name"] for each in listed] == ["合同 1.pdf"]
    response = shop.ask("GET", listed[0]["href"], headers={"authorization": f"Bearer {shop.ann.token}"})
    assert response.content == PDF
    assert response.headers["content-disposition"].startswith("attachment;")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in response.headers["content-security-policy"]
    assert shop.ann.delete(f"{path}/{listed[0]['id']}").status_code == 200
    assert shop.ann.get(path).json()["files"] == []


def test_p09_what_only_looks_like_a_picture_is_refused(shop: Shop, order: dict[str, Any]) -> None:
    with shop.unchanged():
        for name, content in (
            ("a.png", b"<html><script>alert(1)</script></html>"),
            ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
            ("a.jpg", b"<svg/>"),
            ("../../a.png", b"x"),
        ):
            response = shop.ann.upload(f"/order/{order['id']}/files/photo", name, content, "image/png")
            assert response.status_code in (415, 422), (name, response.text)


def test_an_import_goes_the_way_of_every_write(shop: Shop) -> None:
    table = "名称,Phone\r\nAcme,13800138000\r\n,13800138001\r\n".encode("gbk")
    response = shop.ann.upload("/customer/import", "客户.csv", table)
    assert response.status_code == 200, response.text
    report = response.json()
    assert (report["created"], report["refused"]) == (1, 1)
    left = shop.ask("GET", report["refused_file"], headers={"authorization": f"Bearer {shop.ann.token}"})
    assert left.status_code == 200
    assert [each["name"] for each in shop.ann.get("/customer").json()["records"]] == ["Acme"]
    assert shop.sue.upload("/customer/import", "a.csv", table).status_code == 403


def test_an_export_can_be_imported_again(shop: Shop) -> None:
    for name in ("Acme", "=1+1", "-5"):
        shop.ann.create("customer", name=name, rating=3)
    for ending in ("csv", "xlsx"):
        file = shop.ann.get(f"/customer/export.{ending}").content
        report = shop.ann.upload("/customer/import", f"a.{ending}", file).json()
        assert (report["created"], report["updated"], report["unchanged"], report["refused"]) == (0, 0, 3, 0), report


def test_p25_a_request_with_a_key_is_done_once(shop: Shop) -> None:
    first = shop.ann.post("/order", {"title": "Desk"}, idempotency_key="k1")
    assert first.status_code == 201
    with shop.unchanged():
        again = shop.ann.post("/order", {"title": "Desk"}, idempotency_key="k1")
        assert (again.status_code, again.json()) == (201, first.json())
        assert again.headers["location"] == first.headers["location"]
        assert again.headers["idempotency-replayed"] == "true"
        assert shop.ann.post("/order", {"title": "Other"}, idempotency_key="k1").status_code == 409
        assert shop.ann.post("/customer", {"name": "Desk"}, idempotency_key="k1").status_code == 409
        assert shop.ann.post("/order", {"title": "Desk"}, idempotency_key="x" * 201).status_code == 400
    assert shop.bob.post("/order", {"title": "Desk"}, idempotency_key="k1").json()["id"] != first.json()["id"]


def test_an_import_with_a_key_is_done_once(shop: Shop) -> None:
    table = b"Name,Phone\nAcme,13800138000\n,13800138001\n"

    def send(content: bytes, key: str = "i1", name: str = "a.csv", **more: str) -> Any:
        files = {"file": (name, content)}
        return shop.ann.ask("POST", "/customer/import", files=files, data=more, headers={"idempotency-key": key})

    rehearsed = send(table, key="i0", dry_run="true")
    assert (rehearsed.status_code, rehearsed.json()["dry_run"]) == (200, True)
    first = send(table)
    assert (first.json()["created"], first.json()["refused"]) == (1, 1)
    with shop.unchanged():
        again = send(table)
        assert (again.status_code, again.content) == (200, first.content)
        assert again.headers["idempotency-replayed"] == "true"
        for other in (send(table + b"Other,1\n"), send(table, name="b.csv"), send(table, dry_run="true")):
            assert (other.status_code, other.json()["code"]) == (409, "key-reused")
        assert send(table, key="x" * 201).status_code == 400
        assert send(b"Nothing\n1\n", key="i2").status_code == 422
    assert send(b"Name\nBolt\n", key="i2").json()["created"] == 1
    assert sorted(each["name"] for each in shop.ann.get("/customer").json()["records"]) == ["Acme", "Bolt"]


def test_an_import_that_is_under_way_or_was_broken_off_is_not_done_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send() -> Any:
        files = {"file": ("a.csv", b"Name\nAcme\n")}
        return shop.ann.ask("POST", "/customer/import", files=files, headers={"idempotency-key": "i1"})

    with monkeypatch.context() as broken:
        broken.setattr(Keys, "keep", lambda *_: (_ for _ in ()).throw(Refused(Problem("unavailable"), 503)))
        with pytest.raises(AssertionError, match="503"):
            send()
    with shop.unchanged():
        refused = send()
        assert (refused.status_code, refused.json()["code"]) == (409, "key-under-way")
    assert [each["name"] for each in shop.ann.get("/customer").json()["records"]] == ["Acme"]


def test_p25_what_was_refused_may_be_tried_again_with_its_key(shop: Shop, order: dict[str, Any]) -> None:
    path = f"/order/{order['id']}"
    with shop.unchanged():
        assert shop.ann.post(f"{path}/transitions", {"to": "packed"}, idempotency_key="k2").status_code == 422
    shop.ann.upload(f"{path}/files/papers", "a.pdf", PDF)
    moved = shop.ann.post(f"{path}/transitions", {"to": "packed"}, idempotency_key="k2")
    assert moved.status_code == 200
    again = shop.ann.post(f"{path}/transitions", {"to": "packed"}, idempotency_key="k2")
    assert again.json() == moved.json()
    assert len(shop.ann.get(f"{path}/stages").json()["stages"]) == 2


def test_a_bulk_is_all_or_nothing_unless_it_says_otherwise(shop: Shop, order: dict[str, Any]) -> None:
    commands = [
        {"action": "create", "values": {"title": "Good"}},
        {"action": "create", "values": {"title": ""}},
        {"action": "delete", "id": order["id"], "version": 1},
    ]
    with shop.unchanged():
        refused = shop.ann.post("/order/bulk", {"commands": commands})
        assert refused.status_code == 422
        assert [error["pointer"] for error in refused.json()["errors"]] == ["/commands/1/title"]
    done = shop.ann.post("/order/bulk", {"commands": commands, "atomic": False})
    assert done.status_code == 200
    results = done.json()["results"]
    assert [result.get("status", 200) for result in results] == [200, 422, 200]
    assert [each["title"] for each in shop.ann.get("/order").json()["records"]] == ["Good"]


def test_refusals_speak_the_readers_language(shop: Shop) -> None:
    for language, words in (("zh-CN", "没有"), ("en-GB", "Not found")):
        response = shop.ann.ask("GET", "/order/1", headers={"accept-language": language})
        assert words in response.json()["detail"]
        assert response.headers["content-language"] == language[:2]


def test_an_upload_with_a_key_is_known_by_its_content(shop: Shop, order: dict[str, Any]) -> None:
    path = f"/order/{order['id']}/files/papers"

    def upload(name: str, content: bytes) -> Any:
        return shop.ann.ask("POST", path, files={"file": (name, content)}, headers={"idempotency-key": "u1"})

    first = upload("a.pdf", PDF)
    assert first.status_code == 201
    with shop.unchanged():
        again = upload("a.pdf", PDF)
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["idempotency-replayed"] == "true"
        assert upload("a.pdf", PDF.replace(b"Catalog", b"Gatalog")).status_code == 409
        assert upload("b.pdf", PDF).status_code == 409
    (kept,) = shop.ann.get(path).json()["files"]
    assert shop.ann.get(kept["href"]).content == PDF


def test_tokens_are_shown_once_and_ended_at_will(shop: Shop) -> None:
    ann, bob = signed_in(shop, "ann"), signed_in(shop, "bob")
    made = shop.ask("POST", "/api/v1/tokens", json={"name": "script", "seconds": 3600}, headers=ann)
    assert made.status_code == 201
    token = {"authorization": f"Bearer {made.json()['token']}"}
    assert shop.ask("GET", "/order", headers=token).status_code == 200
    listed = shop.ask("GET", "/api/v1/tokens", headers=ann).json()["tokens"]
    assert {each["name"] for each in listed} == {"test", "script"}
    assert made.json()["token"] not in json.dumps(listed)
    assert shop.ask("DELETE", f"/api/v1/tokens/{made.json()['id']}", headers=bob).status_code == 404
    assert shop.ask("DELETE", f"/api/v1/tokens/{made.json()['id']}", headers=ann).status_code == 204
    assert shop.ask("GET", "/order", headers=token).status_code == 401


def test_a_token_neither_makes_nor_sees_nor_ends_tokens(shop: Shop) -> None:
    (token,) = shop.site.people.tokens(shop.ann.id)
    with shop.unchanged():
        for answer in (
            shop.ann.post("/api/v1/tokens", {"name": "for ever"}),
            shop.ann.get("/api/v1/tokens"),
            shop.ann.delete(f"/api/v1/tokens/{token['id']}"),
        ):
            assert answer.status_code == 403
            assert answer.json()["code"] == "session-needed"
    assert shop.ann.get("/order").status_code == 200


def signed_in(shop: Shop, login: str) -> dict[str, str]:
    """The headers of a new session."""
    response = shop.http.post("/api/v1/session", json={"login": login, "password": PASSWORD})
    shop.http.cookies.clear()
    return {"cookie": response.headers["set-cookie"].split(";")[0], "x-csrf-token": response.json()["csrf"]}


def test_signing_out_ends_the_session(shop: Shop) -> None:
    headers = signed_in(shop, "ann")
    assert shop.ask("GET", "/api/v1/session", headers=headers).json()["user"] == str(shop.ann.id)
    assert shop.ask("DELETE", "/api/v1/session", headers={"cookie": headers["cookie"]}).status_code == 403
    assert shop.ask("DELETE", "/api/v1/session", headers=headers).status_code == 204
    assert shop.ask("GET", "/api/v1/me", headers=headers).status_code == 401


def test_the_openapi_document_is_one_and_its_parts_exist(shop: Shop) -> None:
    document = shop.ann.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    operations = [each["operationId"] for methods in document["paths"].values() for each in methods.values()]
    assert len(operations) == len(set(operations))
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    text = json.dumps(document)
    for reference in {part.split('"')[0] for part in text.split('"$ref": "')[1:]}:
        node = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


def test_answers_are_as_the_openapi_document_says(shop: Shop, order: dict[str, Any]) -> None:
    document = shop.meg.get("/openapi.json").json()
    one = "/api/v1/shop/order/{id}"
    id = order["id"]
    for template, path in (
        ("/api/v1/shop/order", "/order?count=10&expand=customer,lines"),
        (one, f"/order/{id}?expand=customer"),
        (f"{one}/transitions", f"/order/{id}/transitions"),
        (f"{one}/history", f"/order/{id}/history"),
        (f"{one}/stages", f"/order/{id}/stages"),
        (f"{one}/explain", f"/order/{id}/explain"),
        (f"{one}/files/{{field}}", f"/order/{id}/files/papers"),
        ("/api/v1/shop/order/aggregate", "/order/aggregate?group=stage"),
        ("/api/v1/shop/order/export.csv", "/order/export.csv"),
        ("/api/v1/shop/order/choices/{field}", "/order/choices/customer"),
    ):
        response = shop.meg.get(path)
        said = document["paths"][template]["get"]["responses"]["200"]["content"]
        kind = response.headers["content-type"].split(";")[0]
        assert kind in said, (path, kind)
        if kind == "application/json":
            schema = said[kind]["schema"] | {"components": document["components"]}
            jsonschema.Draft202012Validator(schema).validate(response.json())
    outcome = document["components"]["schemas"]["Outcome"] | {"components": document["components"]}
    changed = shop.meg.patch(
        f"/order/{id}", {"title": "Table", "urgent": True, "due": "2026-03-01", "channel": "web"}, 1
    )
    for response in (
        changed,
        shop.meg.post("/undo", {"batch": changed.json()["batch"]}),
        shop.ann.post("/order", {"title": "Desk"}),
    ):
        jsonschema.Draft202012Validator(outcome).validate(response.json())
    refused = shop.meg.patch(f"/order/{id}", {"amount": "x"}, 3)
    problem = document["components"]["schemas"]["Problem"] | {"components": document["components"]}
    jsonschema.Draft202012Validator(problem).validate(refused.json())


def test_what_is_written_right_after_a_publishing_is_written_by_the_new_version(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = shop.ann.create("order", title="Desk", amount=5)
    monkeypatch.setattr("engine.publishing.live.LOOK_EVERY", 1e9)  # nobody has noticed yet
    shop.site.live.app("shop")
    text = APP.read_text(encoding="utf-8")
    field = "      doubled: {type: money, formula: amount * 2, label: {zh: 双倍, en: Doubled}}\n"
    changed = text.replace("      urgent: {type: boolean", field + "      urgent: {type: boolean")
    publish(shop.site.db, load({"app.yaml": changed}), shop.site.clock)
    made = shop.ann.post("/order", {"title": "Chair", "amount": 7})
    assert (made.status_code, made.json()["record"]["doubled"]) == (201, 14)
    assert shop.ann.get(f"/order/{order['id']}").json()["doubled"] == 10
    assert [row["title"] for row in shop.ann.get("/order?doubled=14").json()["records"]] == ["Chair"]


def test_asking_for_pairs_compares_those_of_the_same_moment(shop: Shop) -> None:
    one, other = (shop.ann.create("customer", name=name) for name in ("Acme", "Bolt"))
    with shop.site.db.write() as w:
        add = shop.site.db.upsert(system.match_again, ("entity", "record"))
        w.many(add, [{"entity": "shop.customer", "record": int(each["id"])} for each in (one, other)])
    assert shop.join("boss", "admin").get("/customer/duplicates").json() == {"pairs": []}
    assert shop.site.db.all(shop.site.db.statement(sa.select(system.match_again.c.record))) == []
