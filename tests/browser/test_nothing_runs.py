"""What people type, upload or write into a definition is shown as it is: nothing of it runs in anybody's browser."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from engine.clock import SystemClock
from engine.definition import load
from engine.problems import Refused
from engine.publishing.apply import publish
from tests.browser.conftest import APP, PNG, Upkeep
from tests.browser.test_pages import sign_in

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=ran()><script>ran()</script>\"'`"
TEMPLATE = "{{7*7}} ${7*7} {% raw %}"
SCRIPTED = b'<svg xmlns="http://www.w3.org/2000/svg" onload="ran()"><script>ran()</script></svg>'


@pytest.fixture
def watched(page: Page) -> list[str]:
    """What ran: dialogs and calls of `ran`, by what tried it. Errors on the page count too."""
    seen: list[str] = []
    page.on("dialog", lambda dialog: (seen.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("pageerror", lambda error: seen.append(f"error {error}"))
    page.expose_function("ran", lambda: seen.append("ran"))
    return seen


def hostile_app(folder: Path) -> Path:
    """The app again, with labels, options, stages, sections and help that would run if they could."""
    text = APP.read_text(encoding="utf-8")
    for word in ("类型", "抢修", "计划", "资料", "我的维保", "含材料", "现场已清理", "就绪"):
        assert f"zh: {word}, en" in text
        text = text.replace(f"zh: {word}, en", f"zh: '{word}<img src=x onerror=ran()>{{{{7*7}}}}', en")
    path = folder / "hostile.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_hostile_values_and_labels_are_only_text(
    page: Page, upkeep: Upkeep, watched: list[str], tmp_path: Path
) -> None:
    publish(upkeep.site.db, load(hostile_app(tmp_path)), SystemClock())
    upkeep.site.live.refresh()
    site = upkeep.create("wang", "site", name=HOSTILE + TEMPLATE, phone="13857162204")
    values: dict[str, Any] = {
        "title": TEMPLATE + HOSTILE, "site": str(site.id), "notes": HOSTILE + "\n" + TEMPLATE, "kind": "repair", "urgent": True,
        "urgent_reason": HOSTILE, "planned": "2026-12-01", "parts": [{"product": HOSTILE, "quantity": 1}],
    }  # fmt: skip
    made = upkeep.create("wang", "visit", **values)
    upkeep.create("wang", "site", name=HOSTILE + TEMPLATE, phone="13857162204")  # a likely duplicate
    path = f"/upkeep/visit/{made.id}"
    sign_in(page, upkeep)
    for address in (
        "/upkeep/", "/upkeep/visit", "/upkeep/visit?view=all&f.kind=repair&q=%3Cimg", "/upkeep/visit/board", "/upkeep/visit/calendar?month=2026-12",
        path, f"{path}?tab=timeline", f"{path}/edit", f"{path}/move/plan_to_on_site", "/upkeep/visit/new", f"/upkeep/site/{site.id}", "/upkeep/my-search?q=%3Cimg", "/upkeep/my-page",
    ):  # fmt: skip
        page.goto(upkeep.url + address, wait_until="networkidle")
        assert page.locator("[onerror], [onload]").count() == 0, address
    page.goto(upkeep.url + path)
    expect(page.locator("h1")).to_contain_text(TEMPLATE + "<img src=x onerror=ran()>")
    page.keyboard.press("Control+k")
    page.locator("#find input").fill("img")
    expect(page.locator("#found a").first).to_be_visible()
    page.goto(f"{upkeep.url}/upkeep/visit/new")
    page.get_by_role("combobox", name="站点").fill("img")
    expect(page.locator("[role=option]").first).to_contain_text("<img src=x")
    assert watched == []


@pytest.mark.parametrize(
    "address",
    [
        "javascript:ran()",
        "JaVaScRiPt:ran()",
        "\tjavascript:ran()",
        "data:text/html,<script>ran()</script>",
        "vbscript:ran()",
    ],
)
def test_an_address_that_would_run_is_no_address(upkeep: Upkeep, address: str) -> None:
    with pytest.raises(Refused) as refused:
        upkeep.create("wang", "site", name="东湖泵站", web=address)
    assert [problem.path for problem in refused.value.problems] == ["web"]


def test_a_file_that_would_run_is_only_downloaded(page: Page, upkeep: Upkeep, watched: list[str]) -> None:
    path = upkeep.visit()
    client = upkeep.browse("wang")
    token = {"csrf": _csrf(client.get(f"{path}/edit").text), "after": path}
    disguised = {"file": ("photo.png", b"<html><script>ran()</script></html>", "image/png")}
    assert client.post(f"{path}/files/photos", data=token, files=disguised).status_code in (415, 422)
    scripted = {"file": ("photo.svg", SCRIPTED, "image/svg+xml")}
    assert client.post(f"{path}/files/photos", data=token, files=scripted).status_code in (415, 422)
    assert upkeep.records("visit")[0]["photos"] in (None, [])

    real = {"file": ("photo.png", PNG, "image/png")}
    assert client.post(f"{path}/files/photos", data=token, files=real).status_code == 200
    (id,) = upkeep.records("visit")[0]["photos"]
    sign_in(page, upkeep)
    answer = page.request.get(f"{upkeep.url}/api/v1/upkeep/files/{id}")
    assert answer.status == 200
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert watched == []


def _csrf(text: str) -> str:
    return text.split('name="csrf" value="', 1)[1].split('"', 1)[0]
