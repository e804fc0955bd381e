"""What is not open to somebody says why: the rule in words and whom to ask, by key, by touch and without a script."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Upkeep
from tests.browser.test_pages import sign_in, violations

pytestmark = pytest.mark.browser


def test_a_lock_says_why_and_whom_to_ask(page: Page, upkeep: Upkeep) -> None:
    path = upkeep.visit("zhao")
    sign_in(page, upkeep, "wang", path)
    lock = page.locator(".dg-top summary", has_text="编辑").locator("visible=true")
    lock.focus()
    page.keyboard.press("Enter")
    told = page.locator(".dg-top .why-in").locator("visible=true")
    expect(told).to_contain_text("不能修改")
    expect(told).to_contain_text("「维修工」只管这样的记录：「维修工」为 当前用户")
    expect(told).to_contain_text("可以找：赵敏")
    assert violations(page, "a lock that is open") == []
    page.keyboard.press("Escape")
    expect(told).to_be_hidden()
    expect(lock).to_be_focused()


def test_a_lock_opens_by_touch_and_speaks_english(page: Page, upkeep: Upkeep) -> None:
    path = upkeep.visit("wang")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    sign_in(page, upkeep, "wang", path)
    page.goto(f"{upkeep.url}{path}?language=en")
    page.locator(".dg-top details.pop.right:not(.why) > summary").click()
    page.locator("summary.off", has_text="Delete").click()
    told = page.locator(".sure.why .why-in").locator("visible=true")
    expect(told).to_contain_text("You may not: Delete")
    expect(told).to_contain_text("Ask: 林慧")
    assert violations(page, "a lock in a menu") == []


def test_a_list_says_what_one_may_do_with_it(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit("wang")
    sign_in(page, upkeep, "wang", "/upkeep/visit")
    page.locator("summary", has_text="我的权限").locator("visible=true").click()
    told = page.locator(".rights .why-in")
    expect(told).to_contain_text("可以查看、新建、修改、推进")
    expect(told.locator("li", has_text="不能导出")).to_contain_text("林慧")
    assert violations(page, "one's rights") == []


def test_without_a_script_the_reason_is_a_page(upkeep: Upkeep) -> None:
    path = upkeep.visit("zhao")
    wang = upkeep.browse("wang")
    page = wang.get(path).text
    address = re.search(r'data-why="([^"]+action=update)"', page)
    assert address is not None
    assert "「维修工」只管这样的记录" in wang.get(address[1]).text


def test_nothing_is_told_of_what_one_may_not_know(upkeep: Upkeep) -> None:
    path = upkeep.visit("wang", title="东湖")
    wang = upkeep.browse("wang")
    hidden, unknown = (wang.get(f"{path}/why?action=read&field={name}") for name in ("secret", "nothing"))
    assert (hidden.status_code, unknown.status_code) == (404, 404)
    assert "内部成本" not in hidden.text
    request = upkeep.create("zhao", "request", title="漏水", site=upkeep.records("site")[0]["id"])
    for answer in (
        wang.get(f"/upkeep/request/{request.id}/why?action=update"),
        wang.get("/upkeep/request/1/why?action=update"),
    ):
        assert answer.status_code == 404
        assert "漏水" not in answer.text
    assert wang.get(f"{path}/why?action=steal").status_code == 404
