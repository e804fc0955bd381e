"""A brief in the browser: read on a desk and on a phone, copied by keyboard, on one sheet of paper, without a script."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESK, PHONE, Upkeep
from tests.browser.test_pages import sign_in
from tests.browser.test_record_talk import violations

pytestmark = pytest.mark.browser

TITLE = "东湖 {{7*7}} <i>泵</i>"


def visit(upkeep: Upkeep) -> str:
    site = upkeep.create("wang", "site", name="东湖泵站", phone="13857162204")
    parts = [{"product": "滤芯", "quantity": 2}, {"product": "轴承", "quantity": 5}]
    for title in ("水泵异响", "阀门漏水"):
        upkeep.create("wang", "visit", title=title, site=str(site.id), kind="repair")
    made = upkeep.create(
        "lin", "visit", title=TITLE, site=str(site.id), worker=str(upkeep.users["wang"]), planned="2026-03-12",
        secret=4711, parts=parts, notes="先断电",
    )  # fmt: skip
    return f"/upkeep/visit/{made.id}"


def test_it_is_one_press_away_and_copied_by_keyboard(page: Page, upkeep: Upkeep) -> None:
    path = visit(upkeep)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_in(page, upkeep)
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        page.goto(upkeep.url + path)
        page.get_by_role("link", name="上门前速览").click()
        main = page.locator("main")
        expect(main.get_by_text(f"{TITLE}，到 东湖泵站。", exact=True)).to_be_visible()
        expect(main.locator("#l-material li").first).to_contain_text("轴承")
        expect(main.locator("#l-others li")).to_have_count(2)
        expect(main).to_contain_text("预算必须大于 0")
        expect(main).to_contain_text("该站点还有 2 张未完成的维保单")
        expect(main).not_to_contain_text("内部成本")
        expect(main).not_to_contain_text("4,711")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        button = page.get_by_role("button", name="复制")
        if size is PHONE:
            box = button.bounding_box()
            assert box is not None
            assert box["height"] >= 44
        button.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="已复制")).to_be_focused()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert f"{TITLE}，到 东湖泵站。" in copied
        assert "· 轴承，数量：5" in copied
        assert "计划日期：2026-03-12" in copied
        assert "4,711" not in copied


def test_it_speaks_english_in_the_dark_and_fits_on_one_sheet(page: Page, upkeep: Upkeep) -> None:
    path = visit(upkeep)
    sign_in(page, upkeep, "lin")
    page.context.add_cookies([{"name": each, "value": value, "url": upkeep.url} for each, value in (("language", "en"), ("theme", "dark"))])  # fmt: skip
    page.goto(f"{upkeep.url}{path}/brief/on_site")
    main = page.locator("main")
    expect(main.get_by_role("heading", name="Before the visit")).to_be_visible()
    expect(main).to_contain_text("Internal cost")
    expect(main).to_contain_text("4,711")
    assert violations(page) == []
    assert page.pdf(format="A4").count(b"/Type /Page\n") == 1


def test_without_a_script_it_says_the_same(browser: Browser, upkeep: Upkeep) -> None:
    path = visit(upkeep)
    context = browser.new_context(locale="zh-CN", viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, upkeep)
    page.goto(upkeep.url + path)
    page.get_by_role("link", name="上门前速览").click()
    expect(page.locator("#l-others li")).to_have_count(2)
    expect(page.get_by_role("button", name="复制")).to_be_hidden()
    context.close()
