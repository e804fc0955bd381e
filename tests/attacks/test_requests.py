"""P15, P21-P24: forged, oversized and malformed requests are refused in time, by name, without a trace."""

import base64
import io
import json
import resource
import zipfile
from typing import Any

import orjson
import pytest
import xlsxwriter

from engine.exchange import tables
from tests.attacks.conftest import PASSWORD, PDF, Shop
from tests.effort import at_most


def browser(shop: Shop, login: str) -> dict[str, str]:
    """The headers of a browser that has signed in: its cookie, and the anti-forgery token under `csrf`."""
    response = shop.http.post("/api/v1/session", json={"login": login, "password": PASSWORD})
    assert response.status_code == 201
    cookie = response.headers["set-cookie"].split(";")[0]
    shop.http.cookies.clear()
    return {"cookie": cookie, "csrf": response.json()["csrf"]}


# P21: forged requests


def test_p21_a_change_needs_the_sessions_token_and_our_own_page(shop: Shop) -> None:
    own = browser(shop, "ann")
    good = {
        "cookie": own["cookie"],
        "x-csrf-token": own["csrf"],
        "origin": "http://shop.test",
        "sec-fetch-site": "same-origin",
    }
    other = browser(shop, "bob")["csrf"]
    with shop.unchanged():
        for change in (
            {"x-csrf-token": ""},
            {"x-csrf-token": "x"},
            {"x-csrf-token": other},
            {"x-csrf-token": "é"},
            {"origin": "http://evil.test"},
            {"origin": "null"},
            {"origin": "http://shop.test.evil.test"},
            {"origin": "http://shop.test:81"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
        ):
            headers = {name: value for name, value in (good | change).items() if value}
            response = shop.ask(
                "POST", "/customer", json={"name": "Acme"}, headers={k: v.encode() for k, v in headers.items()}
            )
            assert response.status_code == 403, change
    assert shop.ask("POST", "/customer", json={"name": "Acme"}, headers=good).status_code == 201


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "text/json",
        "application/jsonp",
    ],
)
def test_p21_json_under_another_name_is_no_json(shop: Shop, kind: str) -> None:
    with shop.unchanged():
        response = shop.ann.ask("POST", "/customer", content=b'{"name": "Acme"}', headers={"content-type": kind})
        assert response.status_code == 415


def test_p21_signing_in_makes_a_new_session_and_ends_the_old_one(shop: Shop) -> None:
    planted = "planted-by-somebody-else"
    response = shop.http.post(
        "/api/v1/session", json={"login": "ann", "password": PASSWORD}, headers={"cookie": f"dougong={planted}"}
    )
    shop.http.cookies.clear()
    assert response.status_code == 401  # broken credentials are never taken for none
    first = browser(shop, "ann")["cookie"]
    response = shop.http.post("/api/v1/session", json={"login": "ann", "password": PASSWORD}, headers={"cookie": first})
    shop.http.cookies.clear()
    second = response.headers["set-cookie"].split(";")[0]
    assert response.status_code == 201
    assert second != first
    assert shop.ask("GET", "/api/v1/me", headers={"cookie": first}).status_code == 401
    assert shop.ask("GET", "/api/v1/me", headers={"cookie": second}).status_code == 200
    attributes = response.headers["set-cookie"].lower()
    assert "httponly" in attributes
    assert "samesite=lax" in attributes


def test_p21_over_tls_the_cookie_never_leaves_it(shop: Shop) -> None:
    response = shop.http.post("https://shop.test/api/v1/session", json={"login": "ann", "password": PASSWORD})
    shop.http.cookies.clear()
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("__Host-")
    assert "Secure" in cookie
    assert response.headers["strict-transport-security"]


@pytest.mark.parametrize(
    "credentials",
    ["Bearer ", "Bearer x", "Bearer dg_" + "x" * 43, "Basic YW5uOng=", "bearer", "Token x", "Bearer \x00"],
)
def test_broken_credentials_never_become_nobody(shop: Shop, credentials: str) -> None:
    with shop.unchanged():
        for path in ("/api/v1/session", "/api/v1/me", "/order"):
            assert shop.ask("GET", path, headers={"authorization": credentials}).status_code == 401


def test_guessing_credentials_is_slowed_down(shop: Shop) -> None:
    statuses = [
        shop.ask("GET", "/api/v1/me", headers={"authorization": f"Bearer dg_{number}"}).status_code
        for number in range(130)
    ]
    assert set(statuses) == {401, 429}
    assert statuses[-1] == 429
    assert shop.ann.get("/api/v1/me").status_code == 200


# P23: size


def test_p23_pages_lists_and_paths_have_an_end(shop: Shop) -> None:
    deep = "(" * 1000 + "amount > 1" + ")" * 1000
    long = " or ".join(["amount == 1"] * 1000)
    many = ",".join(str(number) for number in range(1, 10_001))
    hops = ".".join(["customer.orders"] * 25)
    with shop.unchanged():
        for parameters in (
            {"limit": "1000000000"},
            {"limit": "-1"},
            {"limit": "0"},
            {"limit": "1e3"},
            {"limit": "９"},
            {"filter": deep},
            {"filter": long},
            {"filter": "not " * 1000 + "urgent"},
            {"filter": "-" * 3000 + "1 == 1"},
            {"filter": f"amount in [{many[:3900]}]"},
            {"customer": many[:12_000]},
            {"expand": hops},
            {"expand": ",".join(f"customer{n}" for n in range(100))},
            {"sort": ",".join(["amount"] * 50)},
            {"count": "100000000"},
            {"cursor": "x" * 5000},
        ):
            with shop.site.db.counter() as counter, at_most(seconds=10):
                response = shop.ann.get("/order", **parameters)
            assert response.status_code in (400, 404, 414), (parameters, response.text[:300])
            assert sum("shop_order" in text for text in counter.texts) <= 1, list(parameters)
        assert shop.ann.get("/order?" + "&".join(f"p{n}=1" for n in range(200))).status_code == 400
        assert shop.ann.get("/order?filter=" + "x" * 20_000).status_code == 414
        assert shop.ask("GET", "/order", headers={f"x-{n}": "y" * 200 for n in range(300)}).status_code == 431


def test_p23_a_body_that_is_too_large_is_not_read(shop: Shop) -> None:
    limit, sent = shop.settings.body_limit, 0

    async def flood() -> dict[str, Any]:
        nonlocal sent
        sent += 1 << 20
        return {"type": "http.request", "body": bytes(1 << 20), "more_body": sent < 5 << 30}

    def post(path: str, **headers: str) -> int:
        """The status of a request whose body never ends, sent without a client that would collect it first."""
        found: list[int] = []

        async def note(message: Any) -> None:
            found.append(message.get("status", 0))

        raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": raw, "scheme": "http",
            "server": ("shop.test", 80), "client": ("10.0.0.1", 1), "root_path": "", "http_version": "1.1", "asgi": {"version": "3.0"},
        }  # fmt: skip
        assert shop.http.portal is not None
        shop.http.portal.call(shop.server, scope, flood, note)
        return found[0]

    order = shop.ann.create("order", title="Bench")
    files = f"/api/v1/shop/order/{order['id']}/files/papers"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with shop.unchanged():
        told = shop.ann.ask(
            "POST",
            "/order",
            content=b"{}",
            headers={"content-type": "application/json", "content-length": str(5 << 30)},
        )
        assert told.status_code == 413
        own = {"authorization": f"Bearer {shop.ann.token}"}
        form = {"content_type": "multipart/form-data; boundary=x"}
        assert post("/api/v1/shop/order", content_type="application/json", **own) == 413
        assert sent <= limit + (1 << 20)
        sent = 0
        # Nobody's bytes are read before it is known who sends them.
        assert post(files, **form) == 401
        assert post("/api/v1/shop/order", content_type="application/json") == 401
        assert post("/shop/order/new", **form) == 303
        assert post("/shop/order/new", origin="http://evil.test", **form) == 403
        assert sent == 0
        assert post(files, **form, **own) in (400, 413)
        assert post(files, content_length=str(5 << 30), **form, **own) == 413
        assert sent <= shop.settings.upload_limit + (1 << 20)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10  # kilobytes


def test_p23_a_spreadsheet_that_unpacks_to_too_much_is_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it would unpack to stands in its directory: nothing is unpacked to find out."""
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "Name")
        sheet.write(1, 0, "A")
    monkeypatch.setattr(tables, "LARGEST_PART", 1 << 20)
    monkeypatch.setattr(tables, "LARGEST_SHEET", 4 << 20)
    with shop.unchanged():
        for part, blanks in (("xl/sharedStrings.xml", 2 << 20), ("xl/worksheets/sheet1.xml", 5 << 20)):
            swollen = io.BytesIO()
            with zipfile.ZipFile(packed) as whole, zipfile.ZipFile(swollen, "w", zipfile.ZIP_DEFLATED) as out:
                for name in whole.namelist():
                    out.writestr(name, whole.read(name) + b" " * (blanks if name == part else 0))
            assert len(swollen.getvalue()) < 20_000
            response = shop.ann.upload("/customer/import", "a.xlsx", swollen.getvalue())
            assert response.status_code == 413, response.text
    assert shop.ann.upload("/customer/import", "a.xlsx", packed.getvalue()).json()["created"] == 1


def test_p23_a_form_field_is_no_file(shop: Shop) -> None:
    order = shop.ann.create("order", title="Bench")
    body = b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\n' + b"y" * (8 << 20) + b"\r\n--x--\r\n"
    with shop.unchanged():
        response = shop.ann.ask(
            "POST",
            f"/order/{order['id']}/files/papers",
            content=body,
            headers={"content-type": "multipart/form-data; boundary=x"},
        )
        assert response.status_code in (400, 413)
        for broken in (b"", b"--x", b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--", b"garbage"):
            response = shop.ann.ask(
                "POST",
                f"/order/{order['id']}/files/papers",
                content=broken,
                headers={"content-type": "multipart/form-data; boundary=x"},
            )
            assert response.status_code in (400, 422), (broken, response.text)
        assert (
            shop.ann.ask(
                "POST",
                f"/order/{order['id']}/files/papers",
                content=b"x",
                headers={"content-type": "multipart/form-data"},
            ).status_code
            == 400
        )
        assert shop.ann.post(f"/order/{order['id']}/files/papers", {}).status_code == 415


def test_p23_a_bulk_has_an_end(shop: Shop) -> None:
    with shop.unchanged():
        assert (
            shop.ann.post(
                "/order/bulk", {"commands": [{"action": "create", "values": {"title": "x"}}] * 1001}
            ).status_code
            == 422
        )
        assert shop.ann.post("/order/bulk", {"commands": []}).status_code == 422


# P24: values that the databases would hold differently


SCALARS = [
    ("rating", b"NaN"),
    ("rating", b"Infinity"),
    ("rating", b"-Infinity"),
    ("rating", b"1e999"),
    ("rating", b"9223372036854775808"),
    ("rating", b"9223372036854775807"),
    ("rating", b"1e-400"),
    ("rating", b"1.5"),
    ("rating", b"true"),
    ("rating", b'"5"'),
    ("rating", b"[5]"),
    ("rating", b'{"a": 5}'),
    ("name", rb'"a\u0000b"'),
    ("name", rb'"\ud800"'),
    ("name", b"1"),
    ("name", b"null"),
    ("name", b'""'),
    ("name", b'"' + b"x" * 100_000 + b'"'),
    ("owner", b'"1e5"'),
    ("owner", b'"9223372036854775808"'),
    ("owner", b"1.5"),
    ("owner", b'"nobody"'),
    ("phone", b'"not a phone"'),
    ("notes", b'"' + b"y" * 1_000_000 + b'"'),
]


@pytest.mark.parametrize(("name", "text"), SCALARS, ids=lambda value: str(value)[:24])
def test_p24_what_cannot_be_stored_is_refused_by_name(shop: Shop, name: str, text: bytes) -> None:
    made = shop.ann.create("customer", name="Acme")
    base = b'"name": "Acme", ' if name != "name" else b""
    body = b"{" + base + b'"' + name.encode() + b'": ' + text + b"}"
    kind = {"content-type": "application/json"}
    with shop.unchanged():
        created = shop.ann.ask("POST", "/customer", content=body, headers=kind)
        changed = shop.ann.ask(
            "PATCH", f"/customer/{made['id']}", content=body, headers=kind | {"if-match": f'"{made["version"]}"'}
        )
        for response in (created, changed):
            assert response.status_code == 422, response.text[:300]
            assert [error["pointer"] for error in response.json()["errors"]] == [f"/{name}"]


def test_p24_what_cannot_be_stored_is_refused_on_every_way_in(shop: Shop) -> None:
    made = shop.ann.create("customer", name="Acme")
    order = shop.ann.create("order", title="Bench", lines=[{"product": "Top", "price": 1}])
    session = shop.site.people.open_session(shop.ann.id)
    kind = {"content-type": "application/json", "if-match": f'"{order["version"]}"'}
    with shop.unchanged():
        for name, text in SCALARS:
            value = text.decode()
            base = "" if name == "name" else '"name": "A", '
            update = f'"id": "{made["id"]}", "version": {made["version"]}, "values": {{"{name}": {value}}}'
            for body in (
                f'{{"action": "create", "values": {{{base}"{name}": {value}}}}}',
                f'{{"action": "update", {update}}}',
            ):
                bulk = shop.ann.ask(
                    "POST", "/customer/bulk", content=f'{{"commands": [{body}]}}'.encode(), headers=kind
                )
                assert bulk.status_code == 422, (name, text[:40], bulk.text[:300])
                pointers = [error["pointer"] for error in bulk.json()["errors"]]
                assert [(each.startswith("/commands/0/"), each.endswith(f"/{name}")) for each in pointers] == [
                    (True, True)
                ]
            field = {"rating": "price", "name": "product"}.get(name)
            if field is None or text in (b"1.5", b'"5"'):  # which is a price
                continue
            row = (
                f'{{"lines": [{{"product": "Top", "{field}": {value}}}]}}'
                if field != "product"
                else f'{{"lines": [{{"product": {value}}}]}}'
            )
            for path, inside, method in (
                (f"/order/{order['id']}", row, "PATCH"),
                (f"/order/{order['id']}/transitions", f'{{"to": "packed", "values": {row}}}', "POST"),
            ):
                whole = shop.ann.ask(method, path, content=inside.encode(), headers=kind)
                assert whole.status_code == 422, (path, text[:40], whole.text[:300])
        for typed in ("NaN", "1e999", "9223372036854775808", "1.5", "x", "٣", "0x10", "9" * 5000):
            form = {"csrf": session.csrf, "name": "A", "rating": typed}
            page = shop.ask(
                "POST",
                "/shop/customer/new",
                bare=True,
                data=form,
                headers={"cookie": f"dougong={session.token}"},
                follow_redirects=False,
            )
            assert page.status_code == 422, typed


def test_p24_a_cell_that_cannot_be_stored_leaves_its_row_out(shop: Shop) -> None:
    for number, typed in enumerate(["NaN", "1e999", "9223372036854775808", "1.5", "x", "\x00", "9" * 5000, "=1+1"]):
        file = f"Name,Rating\nGood {number},5\nBad,{typed}\n".encode()
        response = shop.ann.ask("POST", "/customer/import", files={"file": ("a.csv", file, "text/csv")})
        assert response.status_code == 200, (typed, response.text)
        assert (response.json()["created"], response.json()["refused"]) == (1, 1), typed
        assert shop.ann.get(response.json()["refused_file"]).status_code == 200
    assert {each["rating"] for each in shop.ann.get("/customer").json()["records"]} == {5}


def test_p24_a_number_beyond_all_that_a_column_holds_finds_nothing(shop: Shop) -> None:
    shop.ann.create("order", title="Desk")
    big = 2**40 + 1
    for found, question in (
        (0, {"version": big}), (1, {"version": f"{big},1"}), (0, {"version": -big}), (0, {"version": big, "sort": "-version"}),
        (0, {"filter": f"version == {big}"}), (1, {"filter": f"version in [1, {big}]"}), (1, {"filter": f"version * {big} == {big}"}),
        (1, {"filter": f"version - {big} < 0"}),
    ):  # fmt: skip
        response = shop.ann.get("/order", **question)
        assert response.status_code == 200, (question, response.text)
        assert len(response.json()["records"]) == found, question


def test_p24_a_cursor_that_was_written_by_hand_is_none(shop: Shop) -> None:
    for number in range(3):
        shop.ann.create("order", title=f"Desk {number}", amount=number, urgent=number > 0, due="2026-03-05")
    values: list[Any] = [True, 1, "x", 1.5, 2**40, 2**63 - 1, 2**63, -(2**70), "\0", [], {}, None, "1", "9" * 400]
    for sort in ("amount", "title", "urgent", "-urgent,amount", "id", "created_at", "version", "-due,version"):
        good = shop.ann.get("/order", sort=sort, limit="1").json()["next"]
        assert shop.ann.get("/order", sort=sort, limit="1", cursor=good).status_code == 200
        shape, *place = orjson.loads(base64.urlsafe_b64decode(good + "=="))
        for at in range(len(place)):
            for value in values:
                made = json.dumps([shape, *place[:at], value, *place[at + 1 :]]).encode()
                cursor = base64.urlsafe_b64encode(made).decode().rstrip("=")
                response = shop.ann.get("/order", sort=sort, limit="1", cursor=cursor)
                fits = value is None or type(value) is type(place[at])
                assert response.status_code in ((200, 400) if fits else (400,)), (sort, value, response.text)


def test_p24_a_place_in_a_list_is_written_alike_on_both_databases(shop: Shop) -> None:
    shop.ann.create("order", title="A", urgent=True)
    shop.ann.create("order", title="B", urgent=False)
    place = shop.ann.get("/order", sort="-urgent", limit="1").json()["next"]
    assert orjson.loads(base64.urlsafe_b64decode(place + "=="))[1] is True
    groups = [group["urgent"] for group in shop.ann.get("/order/aggregate", group="urgent").json()["groups"]]
    shop.ann.create("order", title="C", urgent=None)
    assert groups == [False, True]
    assert [group["urgent"] for group in shop.ann.get("/order/aggregate", group="urgent").json()["groups"]] == [
        None,
        False,
        True,
    ]
    assert shop.ann.get("/order/aggregate", **{"measure.m": "max(urgent)"}).status_code == 400


def test_p24_what_is_no_entity_is_not_found_below_any_address(shop: Shop) -> None:
    with shop.unchanged():
        for name in ("nothing", "amount", "user_", "dg_user"):
            for below in (
                "",
                "/1",
                "/1/history",
                "/1/stages",
                "/1/explain",
                "/1/transitions",
                "/1/duplicates",
                "/1/files/x",
                "/aggregate",
                "/choices/x",
                "/duplicates",
                "/export.csv",
            ):
                for person in (shop.max, shop.ann):
                    assert person.get(f"/{name}{below}").status_code == 404, (name, below)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("filter", "title == '\x00'"),
        ("title", "\x00"),
        ("search", "a\x00"),
        ("sort", "\x00"),
        ("amount", "NaN"),
        ("amount", "1e999"),
        ("due", "2026-02-30"),
        ("owner", "x"),
        ("id", "0x1"),
        ("urgent", "maybe"),
    ],
)
def test_p24_parameters_go_through_the_same_gate(shop: Shop, path: str, value: str) -> None:
    with shop.unchanged():
        assert shop.ann.get("/order", **{path: value}).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/order/0",
        "/order/-1",
        "/order/9223372036854775808",
        "/order/1e3",
        "/order/%00",
        "/order/..%2f",
        "/order/1/",
        "//order",
        "/ordеr",
        "/order/1/files/%00",
        "/order/%ff",
        "/Order",
        "/order%20",
    ],
)
def test_addresses_that_lead_nowhere_are_not_found(shop: Shop, path: str) -> None:
    with shop.unchanged():
        for method in ("GET", "POST", "PATCH", "DELETE", "PUT"):
            response = shop.ann.ask(method, path, **({"json": {}} if method in ("POST", "PATCH", "PUT") else {}))
            assert response.status_code in (400, 404, 405, 428), (method, path, response.text)


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "X" * 500])
def test_methods_that_mean_nothing_are_refused(shop: Shop, method: str) -> None:
    with shop.unchanged():
        assert shop.ann.ask(method, "/order").status_code == 405


@pytest.mark.parametrize("match", ["*", "1", '"x"', '"1", "2"', "W/", '"' + "1" * 50 + '"'])
def test_a_version_that_is_none_is_refused(shop: Shop, match: str) -> None:
    made = shop.ann.create("customer", name="Acme")
    with shop.unchanged():
        assert (
            shop.ann.ask(
                "PATCH", f"/customer/{made['id']}", json={"name": "B"}, headers={"if-match": match}
            ).status_code
            == 400
        )


# P15: spreadsheets


def test_p15_exported_texts_never_become_formulas(shop: Shop) -> None:
    names = ["=1+1", " =1+1", "\t=1+1", "@x", "+1", "-5", "=cmd|' /C calc'!A0", "plain"]
    for name in names:
        shop.ann.create("order", title=name, amount=-5 if name == "plain" else None)
    text = shop.ann.get("/order/export.csv").content.decode("utf-8-sig")
    for line in text.splitlines()[1:]:
        for cell in line.split(","):
            bare = cell.strip('"').lstrip()
            assert not bare.startswith(("=", "@", "+")) or cell.strip('"').startswith("'"), line
    assert "-5" in text


# P22: secrets


def test_p22_logs_and_answers_say_no_secrets(shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    from engine.web.observe import begin_logging

    begin_logging("debug")
    secret = "canary-5f2c"
    answers = [
        shop.http.post("/api/v1/session", json={"login": secret, "password": secret}).text,
        shop.ask("GET", "/order", headers={"authorization": f"Bearer {secret}"}).text,
        shop.ask("GET", "/order", headers={"cookie": f"dougong={secret}"}).text,
        shop.ann.get("/order", filter=f"title == '{secret}'").text,
        shop.ann.post("/customer", {"name": {"x": secret}}).text,
        shop.ann.upload("/order/1/files/papers", f"{secret}.pdf", PDF).text,
        shop.ann.get(f"/order/{secret}").text,
    ]
    logged = "".join(capfd.readouterr())
    assert '"event":"request"' in logged
    assert secret not in logged
    assert secret not in "".join(answers[:3])
    for person in shop.people.values():
        assert person.token not in logged
