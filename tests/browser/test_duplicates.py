"""The queue of likely duplicates: pairs are merged, told apart one by one or together, and that is taken back."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Upkeep
from tests.browser.test_pages import sign_in, violations

pytestmark = pytest.mark.browser
QUEUE = "/upkeep/my-duplicates"


def twins(upkeep: Upkeep, *names: str) -> None:
    """Two sites of each name; only their cities differ."""
    for number, name in enumerate(names):
        for city in ("浙江省/杭州市", "江苏省/苏州市"):
            upkeep.create("lin", "site", name=name, phone=f"1385716{number:04}", city=city)


def test_a_pair_is_merged_from_the_queue_and_the_merge_taken_back(page: Page, upkeep: Upkeep) -> None:
    twins(upkeep, "东湖泵站", "西山水塔")
    sign_in(page, upkeep, "lin", QUEUE)
    expect(page.locator(".twin")).to_have_count(2)
    expect(page.locator(".dg-top")).to_contain_text("2 对")
    pair = page.locator(".twin", has_text="东湖泵站")
    expect(pair.locator(".tw-n")).to_have_text("100")
    expect(pair.locator(".tw-r", has_text="电话")).to_contain_text("相同")
    assert violations(page, "the queue") == []
    pair.get_by_role("link", name="合并").click()
    page.get_by_role("button", name="合并这两条").click()
    expect(page).to_have_url(re.compile("my-duplicates"))
    expect(page.locator(".twin")).to_have_count(1)
    assert sorted(upkeep.titles("site")) == ["东湖泵站", "西山水塔", "西山水塔"]
    page.get_by_role("button", name="撤销").click()
    expect(page.get_by_role("status").first).to_contain_text("已撤销")
    assert len(upkeep.titles("site")) == 4


def test_pairs_are_told_apart_together_and_looked_at_again(page: Page, upkeep: Upkeep) -> None:
    twins(upkeep, "东湖泵站", "西山水塔", "南岭机房")
    sign_in(page, upkeep, "lin", QUEUE)
    for box in page.locator(".twin").filter(has_not_text="南岭").get_by_role("checkbox").all():
        box.check()
    expect(page.locator("#apart")).to_contain_text("已选 2 对")
    page.locator("#apart").get_by_role("button", name="不是重复").click()
    expect(page.get_by_role("status").first).to_contain_text("2 对不是同一条")
    expect(page.locator(".twin")).to_have_count(1)
    page.get_by_role("link", name="不是重复", exact=True).click()
    expect(page.locator(".twin")).to_have_count(2)
    expect(page.locator(".twin").first).to_contain_text("林慧说不是重复")
    page.locator(".twin").first.get_by_role("button", name="改回待处理").click()
    expect(page.locator(".twin")).to_have_count(1)
    page.get_by_role("link", name="待处理", exact=True).click()
    expect(page.locator(".twin")).to_have_count(2)


def test_a_mistake_is_undone_where_it_was_made(page: Page, upkeep: Upkeep) -> None:
    twins(upkeep, "东湖泵站")
    sign_in(page, upkeep, "lin", QUEUE)
    page.locator(".twin").get_by_role("button", name="不是重复").click()
    expect(page.locator("main")).to_contain_text("没有疑似重复的记录")
    page.get_by_role("button", name="撤销").click()
    expect(page.locator(".twin")).to_have_count(1)


def first_by_key(page: Page) -> None:
    """Press J until a pair has the focus: the script comes after the page."""
    for _ in range(200):
        page.keyboard.press("j")
        if page.evaluate("Boolean(document.activeElement.closest('.twin'))"):
            return


def test_the_queue_is_worked_through_by_keys(page: Page, upkeep: Upkeep) -> None:
    twins(upkeep, "东湖泵站", "西山水塔")
    sign_in(page, upkeep, "lin", QUEUE)
    second = page.locator(".twin").nth(1)
    name = second.locator(".tw-h a").first.inner_text()
    first_by_key(page)
    expect(page.locator(".twin").first).to_be_focused()
    page.keyboard.press("j")
    expect(second).to_be_focused()
    page.keyboard.press("m")
    expect(page.get_by_role("heading", name="合并站点")).to_be_visible()
    expect(page.locator(".mg-top")).to_contain_text(name)
    page.go_back()
    first_by_key(page)
    page.keyboard.press("u")
    expect(page.get_by_role("status").first).to_contain_text("1 对不是同一条")
    expect(page.locator(".twin")).to_have_count(1)


def test_the_queue_fits_a_phone_and_speaks_english(page: Page, upkeep: Upkeep) -> None:
    twins(upkeep, "东湖泵站")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    sign_in(page, upkeep, "lin", f"{QUEUE}?language=en")
    expect(page.get_by_role("heading", name="Likely duplicates")).to_be_visible()
    expect(page.locator(".twin .tw-r", has_text="Phone")).to_contain_text("same")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    low = page.locator(".twin .dg-btn").all()
    assert all(each.bounding_box()["height"] >= 44 for each in low)  # type: ignore[index]
    assert violations(page, "the queue on a phone") == []


def test_whoever_may_not_merge_finds_an_empty_queue(upkeep: Upkeep) -> None:
    twins(upkeep, "东湖泵站")
    assert "没有可以合并的记录" in upkeep.browse("wang").get(QUEUE).text
