"""Search over the whole app: by key or from the menu, with words or without a script."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Upkeep
from tests.browser.test_pages import sign_in, violations

pytestmark = pytest.mark.browser


def test_two_letters_find_a_record_from_everywhere(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit(title="西山水塔检修")
    upkeep.visit(title="东湖泵站春季维保")
    sign_in(page, upkeep, path="/upkeep/site")
    page.keyboard.press("Control+k")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("link", name="新建维保单")).to_be_visible()
    page.keyboard.type("水塔")
    hit = dialog.get_by_role("link", name="西山水塔检修")
    expect(hit).to_contain_text("V")  # its number stands beside it
    expect(dialog).not_to_contain_text("东湖泵站春季维保")
    assert violations(page, "find") == []
    page.keyboard.press("ArrowDown")
    expect(hit).to_be_focused()
    page.keyboard.type("检")  # whoever types on is back in the text
    expect(dialog.get_by_role("searchbox")).to_have_value("水塔检")
    expect(hit).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="西山水塔检修")).to_be_visible()


def test_pages_and_actions_are_found_by_their_words(page: Page, upkeep: Upkeep) -> None:
    sign_in(page, upkeep)
    page.locator("[data-find]:visible").first.click()
    page.keyboard.type("加急")
    page.get_by_role("dialog").get_by_role("link", name="维保单 · 加急").click()
    expect(page).to_have_url(re.compile(r"/upkeep/visit\?view=urgent"))


def test_it_opens_and_closes_on_a_phone(page: Page, upkeep: Upkeep) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    sign_in(page, upkeep)
    page.locator("[data-find]:visible").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("searchbox")).to_be_visible()
    assert violations(page, "find on a phone") == []
    dialog.get_by_role("button", name="关闭").click()
    expect(dialog).to_be_hidden()


def test_it_finds_only_what_one_may_see(upkeep: Upkeep) -> None:
    site = upkeep.create("lin", "site", name="东湖泵站", phone="13857162204")
    upkeep.create("lin", "request", title="西山水塔漏水", site=str(site.id))
    for login, found in (("lin", True), ("wang", False)):
        html = upkeep.browse(login).get("/upkeep/my-search?q=水塔").text
        assert ("西山水塔漏水" in html) is found
    nothing = upkeep.browse("wang").get("/upkeep/my-search", params={"q": "<b>zzz"})
    assert "没有找到「&lt;b&gt;zzz」" in nothing.text
