"""Items of OWASP ASVS 5.0.0 level 2 that no other test shows; docs/explanation/security.md says where each is shown."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.definition import load
from engine.publishing.apply import publish
from tests.attacks.conftest import PDF, Shop

ROOT = Path(__file__).parents[2]
SCRIPT = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(2)</script><foreignObject/></svg>'
# What a template language, a format string or a spreadsheet would carry out.
ACTIVE = (
    "{{7*7}}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "{0.__class__}", "{self}", "%s%s%n", "%(password)s", "${jndi:ldap://x/a}",
    "[x](javascript:alert(1))", "<style>*{display:none}</style>", "[b]x[/b]",
)  # fmt: skip


@pytest.fixture
def order(shop: Shop) -> dict[str, Any]:
    return shop.ann.create("order", title="Desk", amount=5)


# -- 1.3.4 SVG ------------------------------------------------------------------------------------------------------------


def test_1_3_4_a_drawing_with_a_script_is_handed_out_as_a_file_and_never_shown(
    shop: Shop, order: dict[str, Any]
) -> None:
    refused = shop.ann.upload(f"/order/{order['id']}/files/photo", "x.svg", SCRIPT, "image/svg+xml")
    disguised = shop.ann.upload(f"/order/{order['id']}/files/photo", "x.png", SCRIPT, "image/png")
    assert {refused.status_code, disguised.status_code} <= {415, 422}
    assert shop.ann.get(f"/order/{order['id']}").json()["photo"] is None
    kept = shop.ann.upload(f"/order/{order['id']}/files/papers", "x.svg", SCRIPT, "image/svg+xml")
    if kept.status_code != 201:
        assert kept.status_code in (415, 422)
        return
    file = shop.ann.get(f"/order/{order['id']}").json()["papers"][0]
    got = shop.ann.get(f"/files/{file['id'] if isinstance(file, dict) else file}")
    assert got.headers["content-disposition"].startswith("attachment")
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "svg" not in got.headers["content-type"] or "sandbox" in got.headers["content-security-policy"]


# -- 1.3.5, 1.3.7, 1.3.10 templates, markup and format strings -------------------------------------------------------------


@pytest.mark.parametrize("text", ACTIVE)
def test_1_3_7_what_people_write_is_carried_out_by_nothing(shop: Shop, text: str) -> None:
    made = shop.ann.create("customer", name=text, notes=text)
    assert (made["name"], made["notes"]) == (text, text)
    twin = shop.ann.create("order", title=text, customer=made["id"])
    # In refusals that say the value again, in both languages, in exports and among what a record is called elsewhere.
    for language in ("zh", "en"):
        said = shop.ask(
            "POST", "/order", json={"title": "x", "channel": text}, headers={"authorization": f"Bearer {shop.ann.token}", "accept-language": language}
        )  # fmt: skip
        assert said.status_code == 422
        assert "49" not in said.json()["errors"][0]["detail"]
    assert shop.ann.get(f"/order/{twin['id']}", expand="customer").json()["customer"]["title"] == text
    held = shop.max.delete(f"/customer/{made['id']}", made["version"])
    assert held.status_code == 409
    exported = shop.ann.get("/customer/export.csv").content.decode("utf-8-sig")
    assert text in exported.replace('""', '"')
    assert "49" not in re.sub(r"\d{10,}|\d{4}-\d\d-\d\d[^,]*", "", exported)


# -- 1.3.6, 13.2.4, 15.3.2 what goes out ------------------------------------------------------------------------------------

# Whatever can open a connection. The database's own driver is named in the settings, by whoever runs the server.
OUTGOING = {"socket", "http.client", "urllib.request", "httpx", "requests", "aiohttp", "smtplib", "ftplib", "imaplib", "poplib", "telnetlib", "xmlrpc"}  # fmt: skip


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (node.module, *(f"{node.module}.{each.name}" for each in node.names))


def test_1_3_6_nothing_in_the_engine_can_be_made_to_ask_another_machine() -> None:
    found = {
        str(path.relative_to(ROOT)): names
        for path in sorted((ROOT / "engine").rglob("*.py"))
        if (names := OUTGOING.intersection(imported(path)))
    }
    assert found == {}


@pytest.mark.parametrize(
    "address", ["http://127.1/", "http://[::ffff:127.0.0.1]/", "http://169.254.169.254/", "file:///etc/passwd"]
)
def test_1_3_6_an_address_in_a_record_is_a_text(shop: Shop, address: str) -> None:
    made = shop.ann.create("customer", name=address, notes=address)
    assert made["notes"] == address
    with shop.unchanged():
        for path in ("/order/import", "/customer/import"):
            assert shop.ann.post(path, {"file": address, "url": address}).status_code in (415, 422)


# -- 4.3.1 questions that would cost too much ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "question",
    [
        {"filter": "(" * 300 + "title is null" + ")" * 300}, {"filter": " or ".join(["title is null"] * 2000)}, {"filter": "title in [" + ",".join(["'x'"] * 4000) + "]"},
        {"expand": ",".join(["customer"] * 200)}, {"sort": ",".join(["title", "amount", "due", "total", "urgent", "channel"])}, {"limit": "1000000000"},
        {"filter": ".".join(["customer.orders"] * 50) + " is null"}, {"channel": ",".join(["web"] * 1000)},
    ],
)  # fmt: skip
def test_4_3_1_a_question_has_a_depth_a_length_and_a_width(shop: Shop, question: dict[str, str]) -> None:
    response = shop.ann.get("/order", **question)
    assert response.status_code in (400, 404, 413, 414), (question, response.status_code)


# -- 5.4.1, 5.4.2 names of files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd.pdf", "..\\..\\x.pdf", "/etc/x.pdf", "C:\\x.pdf", 'a"; filename="evil.exe.pdf', "a%0d%0aX-Evil: 1.pdf", "合同 – 2026.pdf",
        "a;b,c.pdf", "x" * 300 + ".pdf", "\u202egnp.pdf", "a%00.pdf", " .pdf", "CON.pdf",
    ],
)  # fmt: skip
def test_5_4_1_a_name_leads_nowhere_and_breaks_no_header(shop: Shop, order: dict[str, Any], name: str) -> None:
    response = shop.ann.upload(f"/order/{order['id']}/files/papers", name, PDF)
    if response.status_code != 201:
        assert response.status_code in (400, 415, 422)
        return
    file = shop.ann.get(f"/order/{order['id']}").json()["papers"][0]
    got = shop.ann.get(f"/files/{file['id'] if isinstance(file, dict) else file}")
    assert got.content == PDF
    told = got.headers["content-disposition"]
    assert re.fullmatch(
        r"attachment; filename=\"?[\x20-\x7e]+?\"?(; filename\*=[Uu][Tt][Ff]-8''[A-Za-z0-9!#$&+.^_`|~%-]+)?|attachment; filename\*=[Uu][Tt][Ff]-8''[A-Za-z0-9!#$&+.^_`|~%-]+",
        told,
    ), told
    assert told.count("filename=") <= 1
    assert "x-evil" not in got.headers
    assert not any(sign in told for sign in ("/", "\\", "\r", "\n", "\u202e", ".."))
    assert len(told) < 2000
    # Below the folder of files every name is the engine's own.
    stored = [path.name for path in shop.settings.files.rglob("*") if path.is_file()]
    assert not any("passwd" in each or "evil" in each for each in stored)
    assert not (shop.settings.files.parent / "etc").exists()


# -- 8.1.2, 8.4.1 fields and tenants ------------------------------------------------------------------------------------------


OTHER = """
app: depot
version: 1.0.0
label: Depot
roles: {keeper: {label: Keeper, administrator: true}}
entities:
  customer: {label: Customer, title: name, fields: {name: text, papers: files}}
"""


def test_8_4_1_a_person_of_one_app_reaches_nothing_of_another(shop: Shop) -> None:
    publish(shop.site.db, load({"depot.yaml": OTHER}), shop.site.clock)
    shop.site.live.refresh()
    keeper = shop.join("kit")
    shop.site.people.set_roles(keeper.id, "depot", ["keeper"])
    mine, theirs = shop.ann.create("customer", name="Mine"), shop.ann.create("order", title="Theirs")
    shop.ann.upload(f"/order/{theirs['id']}/files/papers", "x.pdf", PDF)
    file = shop.ann.get(f"/order/{theirs['id']}").json()["papers"][0]
    file = file["id"] if isinstance(file, dict) else file
    own = keeper.post("/api/v1/depot/customer", {"name": "Own"})
    assert own.status_code == 201
    with shop.unchanged():
        for path in ("/customer", f"/customer/{mine['id']}", f"/files/{file}", "/customer/export.csv", "/openapi.json"):
            assert keeper.get(path).status_code in (403, 404), path
            assert shop.ann.get(f"/api/v1/depot{path}").status_code in (403, 404), path
        # An id of one app means nothing in the other, even where both have an entity of that name.
        assert keeper.get(f"/api/v1/depot/customer/{mine['id']}").status_code == 404
        assert keeper.get(f"/api/v1/depot/files/{file}").status_code == 404
        assert keeper.patch(f"/api/v1/depot/customer/{mine['id']}", {"name": "x"}, 1).status_code == 404
        assert keeper.delete(f"/api/v1/depot/customer/{mine['id']}", 1).status_code == 404
        assert keeper.patch(f"/api/v1/depot/customer/{own.json()['id']}", {"papers": [file]}, 1).status_code in (
            404,
            422,
        )


# -- 16.4.1 logs ---------------------------------------------------------------------------------------------------------------


def test_16_4_1_nobody_writes_a_line_into_the_log(shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    from engine.web.observe import begin_logging

    begin_logging("debug")
    forged = '\r\n{"at":"2026-01-01","level":"error","event":"forged"}\n\x1b[31m\u2028'
    shop.ann.get("/order/" + "%0d%0a%7b%22event%22%3a%22forged%22%7d")
    shop.ann.get("/order", filter=forged, sort=forged)
    shop.ann.post("/customer", {"name": forged, "notes": forged})
    shop.http.post("/api/v1/session", json={"login": forged, "password": forged})
    shop.ann.upload("/order/1/files/papers", "a%0d%0aforged.pdf", PDF)
    shop.ask("GET", "/order", headers={"authorization": "Bearer forged", "user-agent": "x%0d%0aforged"})
    lines = [line for line in capfd.readouterr().err.splitlines() if line]
    told = [json.loads(line) for line in lines]
    assert len(told) >= 6
    assert all(set(each) >= {"at", "level", "event"} for each in told)
    assert not any(each["event"] == "forged" for each in told)
    assert "\x1b" not in "".join(lines)


# -- 3.4.3, 3.4.4, 3.4.6, 14.2.2 headers; 16.3.2 refusals ----------------------------------------------------------------------


def test_3_4_every_answer_is_protected_and_none_is_kept_by_others(shop: Shop, order: dict[str, Any]) -> None:
    shop.ann.upload(f"/order/{order['id']}/files/papers", "x.pdf", PDF)
    file = shop.ann.get(f"/order/{order['id']}").json()["papers"][0]
    file = file["id"] if isinstance(file, dict) else file
    answers = [
        shop.ann.get("/order"), shop.ann.get("/order/1"), shop.ann.get("/order/export.csv"), shop.ann.get(f"/files/{file}"), shop.ann.get("/openapi.json"),
        shop.ask("GET", "/order"), shop.ask("GET", "/login", bare=True), shop.ask("GET", "/nowhere", bare=True), shop.ask("BREW", "/order"),
    ]  # fmt: skip
    for response in answers:
        told = response.headers
        assert "default-src" in told["content-security-policy"] or "sandbox" in told["content-security-policy"], (
            response.url
        )
        assert "unsafe" not in told["content-security-policy"]
        assert told["x-content-type-options"] == "nosniff"
        assert told["x-frame-options"] == "DENY"
        assert "public" not in told["cache-control"]
    for response in answers[:3]:
        assert response.headers["cache-control"] == "no-store"


def test_16_3_2_who_was_kept_out_stands_in_the_log(shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    from engine.web.observe import begin_logging

    begin_logging("info")
    assert shop.sue.post("/customer", {"name": "x"}).status_code == 403
    assert shop.ask("GET", "/order", headers={"authorization": "Bearer no"}).status_code == 401
    told = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line]
    kept_out = [each for each in told if each["event"] == "request" and each["status"] in (401, 403)]
    assert len(kept_out) >= 2
    assert all(each["address"] for each in kept_out)
    assert shop.sue.id in [each["user"] for each in kept_out]
