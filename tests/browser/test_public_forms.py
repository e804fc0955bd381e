"""Forms that everybody may answer, in a browser: on a desk and a phone, without a script, inside another site's page."""

import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect

from engine.clock import MICROSECONDS, SetClock
from engine.definition import load
from engine.publishing.apply import publish
from engine.reading import Query
from engine.web.server import create_server
from engine.web.settings import Settings
from tests.browser.conftest import DESK, PASSWORD, PDF, PHONE
from tests.forms.fair import BEGIN

FAIR = Path(__file__).parents[1] / "forms" / "fair.yaml"
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
RULES = "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})"

pytestmark = pytest.mark.browser


class Stand:
    """The fair, served at `url`; `site` is another site's server, which may frame its forms, and `evil` one that may not."""

    def __init__(self, folder: Path) -> None:
        self.clock = SetClock(BEGIN)
        self.pages = folder / "pages"
        self.pages.mkdir()
        handler = partial(_Quiet, directory=str(self.pages))
        self._others = [ThreadingHTTPServer(("127.0.0.1", 0), handler) for _ in range(2)]
        self.partner, self.evil = (f"http://127.0.0.1:{other.server_port}" for other in self._others)
        text = FAIR.read_text(encoding="utf-8").replace("https://www.example.com", self.partner)
        self.server = create_server(Settings(data=folder / "data", log="error"), self.clock)
        self.site = self.server.state.site
        publish(self.site.db, load({"fair.yaml": text}), self.clock)
        self.site.live.refresh()
        self.may = self.site.people.create_user("may", "梅", hashed=self.site.people.hash(PASSWORD))
        self.site.people.set_roles(self.may, "fair", ["marketing"])
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(self.server, host="127.0.0.1", port=0, log_config=None, lifespan="off", ws="none")
        )
        self._threads = [threading.Thread(target=each.serve_forever, daemon=True) for each in self._others]
        self._threads.append(threading.Thread(target=self._uvicorn.run, daemon=True))
        for thread in self._threads:
            thread.start()
        deadline = time.monotonic() + 20
        while not self._uvicorn.started:
            assert time.monotonic() < deadline, "the server did not start"
            threading.Event().wait(0.02)
        self.url = f"http://127.0.0.1:{self._uvicorn.servers[0].sockets[0].getsockname()[1]}"

    def close(self) -> None:
        for other in self._others:
            other.shutdown()
            other.server_close()
        self._uvicorn.should_exit = True
        for thread in self._threads:
            thread.join(10)
        self.site.close()

    def read(self) -> None:
        """Time passes, as when somebody reads and fills in."""
        self.clock.advance(20 * MICROSECONDS)

    def saved(self) -> list[dict[str, Any]]:
        app = self.site.app("fair")
        may = self.site.people.principal(self.may, "fair", app.policies)
        assert may is not None
        with self.site.db.read() as r:
            rows: list[dict[str, Any]] = self.site.reading(app).lens(may).page(r, "inquiry", Query(sort=("id",))).rows
        return rows


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test says what matters."""


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    made = Stand(tmp_path)
    yield made
    made.close()


def blameless(page: Page) -> None:
    """axe finds no violation of WCAG 2.2 A and AA, and nothing is wider than the screen."""
    # The policy of the page stops scripts that are not its own; playwright's evaluate is not the page's.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in page.evaluate(RULES)["violations"]]
    assert found == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_somebody_scans_the_code_answers_and_is_thanked(stand: Stand, page: Page, size: dict[str, int]) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.goto(f"{stand.url}/f/fair/ask/poster")
    expect(page.get_by_role("heading", level=1)).to_have_text("问我们")
    blameless(page)
    button = page.get_by_role("button", name="提交")
    assert (button.bounding_box() or {})["height"] >= 44
    # What is missing is said before anything is sent, and the first of it has the focus.
    button.click()
    expect(page.get_by_role("alert")).to_contain_text("有 2 处需要修改")
    expect(page.get_by_label("公司")).to_be_focused()
    blameless(page)
    page.get_by_label("公司").fill("苏州明远自动化")
    page.get_by_label("手机号").fill("138 1234 5678")
    page.get_by_label("伺服").check()
    # A day is asked for once somebody wants to be called.
    expect(page.get_by_label("哪天")).to_be_hidden()
    page.get_by_label("请回电").check()
    page.get_by_label("哪天").fill("2026-06-01")
    large = {"name": "large.pdf", "mimeType": "application/pdf", "buffer": PDF + b"%" * 1_100_000}
    page.locator("input[type=file]").set_input_files(large)  # type: ignore[arg-type]
    expect(page.get_by_text("每个文件最大")).to_be_visible()
    page.locator("input[type=file]").set_input_files({"name": "图纸.pdf", "mimeType": "application/pdf", "buffer": PDF})
    expect(page.get_by_text("图纸.pdf")).to_be_visible()
    expect(page.get_by_text("每个文件最大")).to_be_hidden()
    stand.read()
    button.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("已收到，谢谢")
    expect(page.get_by_text("明天回电")).to_be_visible()
    blameless(page)
    (record,) = stand.saved()
    assert (record["company"], record["source"], record["interest"], record["call_on"]) == (
        "苏州明远自动化", "ad", ["servo"], "2026-06-01",
    )  # fmt: skip
    assert len(record["plan"]) == 1
    page.get_by_role("link", name="再填一份").click()
    expect(page.get_by_label("公司")).to_have_value("")


def test_a_refused_answer_keeps_what_was_typed_and_says_where_it_is_wrong(stand: Stand, page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(f"{stand.url}/f/fair/ask?language=en")
    page.get_by_label("Company").fill("Acme")
    page.get_by_label("Your mobile").fill("12")
    stand.read()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text("1 to put right")
    expect(page.get_by_label("Company")).to_have_value("Acme")
    blameless(page)
    page.get_by_role("alert").get_by_role("link", name="Your mobile").click()
    expect(page.get_by_label("Your mobile")).to_be_focused()
    page.get_by_label("Your mobile").fill("13812345678")
    page.get_by_role("button", name="Send").dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text("Received, thank you")
    assert len(stand.saved()) == 1


def test_it_works_without_a_script(stand: Stand, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, locale="zh-CN", viewport=PHONE)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{stand.url}/f/fair/ask/stand")
    page.get_by_label("公司").fill("Acme")
    page.get_by_label("手机号").fill("12")
    page.get_by_label("请回电").check()
    stand.read()
    page.get_by_role("button", name="提交").click()
    # Whoever wants to be called is now asked when.
    page.get_by_label("手机号").fill("13812345678")
    page.get_by_role("button", name="提交").click()
    page.get_by_label("哪天").fill("2026-06-01")
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("已收到，谢谢")
    assert [each["source"] for each in stand.saved()] == ["fair"]
    context.close()


def test_dark_pages_and_pages_without_a_form_are_read_as_well(stand: Stand, browser: Browser) -> None:
    context = browser.new_context(color_scheme="dark", locale="en-US", viewport=PHONE)  # type: ignore[arg-type]
    page = context.new_page()
    for path in ("/f/fair/ask", "/f/fair/ask?sent=1", "/f/fair/few", "/f/fair/nothing"):
        page.goto(f"{stand.url}{path}")
        blameless(page)
    stand.clock.advance(30 * 86_400 * MICROSECONDS)
    page.goto(f"{stand.url}/f/fair/few")
    expect(page.get_by_text("All taken")).to_be_visible()
    blameless(page)
    context.close()


def signed_in(context: BrowserContext, stand: Stand, size: dict[str, int]) -> Page:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.goto(f"{stand.url}/sign-in")
    page.get_by_label("用户名").fill("may")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.goto(f"{stand.url}/fair/public-forms")
    return page


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_marketing_hands_out_addresses_and_codes(stand: Stand, context: BrowserContext, size: dict[str, int]) -> None:
    page = signed_in(context, stand, size)
    blameless(page)
    for code in page.get_by_role("img").all():
        code.scroll_into_view_if_needed()
        expect(code).to_have_js_property("complete", True)
        assert code.evaluate("image => image.naturalWidth") > 0
    page.get_by_role("button", name="复制").nth(1).click()
    expect(page.get_by_text("已复制")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"{stand.url}/f/fair/ask/stand"
    with page.expect_download() as download:
        page.get_by_role("link", name="PNG").nth(1).click()
    assert download.value.suggested_filename == "fair-ask-stand.png"


def test_a_site_that_the_form_names_shows_it_as_high_as_it_is_and_another_does_not(
    stand: Stand, context: BrowserContext
) -> None:
    marketing = signed_in(context, stand, DESK)
    snippet = marketing.get_by_label("嵌入网页: 展台").input_value()
    (stand.pages / "landing.html").write_text(f"<!doctype html><title>Landing</title><body>{snippet}", encoding="utf-8")
    page = context.new_page()
    page.goto(f"{stand.partner}/landing.html")
    form = page.frame_locator("iframe")
    expect(form.get_by_role("heading", level=1)).to_have_text("问我们")
    page.wait_for_function("Math.abs(document.querySelector('iframe').getBoundingClientRect().height - 720) > 20")
    inner = next(each for each in page.frames if "/f/fair/ask/stand" in each.url)
    page.wait_for_function(
        "height => document.querySelector('iframe').getBoundingClientRect().height >= height",
        arg=inner.evaluate("document.documentElement.scrollHeight") - 1,
    )
    form.get_by_label("公司").fill("Framed")
    form.get_by_label("手机号").fill("13812345678")
    stand.read()
    form.get_by_role("button", name="提交").click()
    expect(form.get_by_role("heading", level=1)).to_have_text("已收到，谢谢")
    assert [(each["company"], each["source"]) for each in stand.saved()] == [("Framed", "fair")]
    page.goto(f"{stand.evil}/landing.html")
    page.wait_for_load_state("networkidle")
    assert not [each for each in page.frames if each.url.startswith(stand.url)]
