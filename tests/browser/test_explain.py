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
    expect(told).to_contain_text("You may not: delete")
    expect(told).to_contain_text("Ask: 林慧")
    assert violations(page, "a lock in a menu") == []


def test_a_list_says_what_one_may_do_with_it(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit("wang")
    sign_in(page, upkeep, "wang", "/upkeep/visit")
    page.locator("summary[aria-label='更多']").locator("visible=true").last.click()
    page.locator("summary", has_text="我的权限").locator("visible=true").click()
    told = page.locator("details.why[open] .why-in")
    expect(told).to_contain_text("可以查看、新建、修改、推进")
    expect(told.locator("li", has_text="不能导出")).to_contain_text("林慧")
    assert violations(page, "one's rights") == []


def test_what_one_may_not_do_with_ticked_rows_says_why(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit("wang", title="东湖")
    sign_in(page, upkeep, "wang", "/upkeep/visit")
    page.get_by_role("checkbox", name="选择「东湖」").check()
    bar = page.locator(".bulk")
    bar.locator("summary", has_text="删除").click()
    expect(bar.locator(".why-in")).to_contain_text("「维修工」没有「删除」权限")
    expect(bar.locator(".why-in")).to_be_in_viewport(ratio=1)
    assert violations(page, "a lock below ticked rows") == []


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


def test_an_administrator_asks_why_somebody_may_not(page: Page, upkeep: Upkeep) -> None:
    path = upkeep.visit("zhao", title="东湖春检")
    sign_in(page, upkeep, "max", "/upkeep/my-explain")
    page.get_by_role("combobox", name="谁", exact=True).fill("王")
    page.get_by_role("option", name="王强").click()
    page.get_by_label("业务").select_option(label="维保单")
    page.get_by_label("做什么").select_option(label="修改")
    page.get_by_label("哪一条").fill(upkeep.url + path)
    page.get_by_role("button", name="查一查").click()
    answer = page.locator("section", has=page.locator(".ex-v"))
    expect(answer).to_contain_text("王强：修改 维保单「东湖春检」")
    expect(answer).to_contain_text("不可以")
    expect(answer.locator("code")).to_contain_text(re.compile(r"policies\.worker\.visit\.rows · app\.yaml:\d+"))
    assert violations(page, "an explanation") == []
    page.get_by_label("哪个字段").select_option(label="内部成本")
    page.get_by_label("做什么").select_option(label="查看")
    page.get_by_role("button", name="查一查").click()
    expect(answer).to_contain_text("「维修工」看不到这个字段")


def test_who_may_what_stands_in_a_table_and_is_taken_along(page: Page, upkeep: Upkeep) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    sign_in(page, upkeep, "max", "/upkeep/my-explain/roles")
    page.get_by_label("业务").select_option(label="维保单")
    page.get_by_role("button", name="应用").click()
    row = page.get_by_role("row", name="内部成本")
    expect(row.get_by_role("cell")).to_have_text(["可改", "看不到", "可改"])
    expect(page.get_by_role("row", name="推进").get_by_role("cell").nth(1)).to_contain_text("哪些记录")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert violations(page, "the table of permissions") == []
    lead = upkeep.browse("max")
    text = lead.get("/upkeep/my-explain/roles.csv").content.decode("utf-8-sig")
    assert "维修工,维保单,推进,「维修工」为 当前用户" in text
    assert "维保单,内部成本,可改,看不到,可改" in text
    assert lead.get("/upkeep/my-explain/roles.xlsx?language=en").content[:2] == b"PK"


def test_who_may_what_is_for_administrators(upkeep: Upkeep) -> None:
    lin = upkeep.browse("lin")
    for path in ("my-explain", "my-explain/people", "my-explain/roles", "my-explain/roles.csv"):
        assert lin.get(f"/upkeep/{path}").status_code == 404
