"""The board: cards are carried with the mouse, a finger or the keyboard, and what may not be is refused with what is missing."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import PHONE, PNG, Upkeep
from tests.browser.test_pages import sign_in, violations

pytestmark = pytest.mark.browser


def column(page: Page, name: str) -> Locator:
    return page.locator(f'.kcol[aria-label="{name}"]')


def carry(page: Page, title: str, to: str) -> None:
    """With the mouse, as people do."""
    card = page.locator(".kc", has_text=title).bounding_box()
    target = column(page, to).bounding_box()
    assert card is not None
    assert target is not None
    page.mouse.move(card["x"] + 40, card["y"] + card["height"] - 8)
    page.mouse.down()
    page.mouse.move(card["x"] + 80, card["y"] + 40, steps=3)
    page.mouse.move(target["x"] + target["width"] / 2, target["y"] + 120, steps=5)
    page.mouse.up()


def test_a_card_that_may_not_move_goes_back_and_asks_for_what_is_missing(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit(title="东湖泵站春季维保", budget=1200)
    upkeep.visit(title="西山水塔检修", planned="2026-12-01", budget=800)
    sign_in(page, upkeep, path="/upkeep/visit")
    page.get_by_role("link", name="看板").click()
    expect(column(page, "计划").locator(".kc")).to_have_count(2)

    carry(page, "西山水塔检修", "现场")
    expect(page.locator("#board-says")).to_have_text("已放到「现场」")
    expect(column(page, "现场").locator(".kc")).to_have_count(1)
    expect(column(page, "现场").locator("header")).to_contain_text("1")

    carry(page, "东湖泵站春季维保", "现场")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("离开「计划」还差 1 项")
    expect(dialog.get_by_role("button", name="差 1 项")).to_be_disabled()
    expect(column(page, "计划").locator(".kc")).to_have_count(1)
    assert violations(page, "board") == []
    dialog.locator("summary", has_text="填写").click()
    dialog.get_by_label("计划日期").fill("2026-12-02")
    dialog.get_by_role("button", name="保存").click()

    # The page comes back with the same gate, met now.
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("门槛已全部满足")
    dialog.get_by_role("button", name="推进到「现场」").click()
    expect(page).to_have_url(re.compile("/upkeep/visit/board"))
    expect(column(page, "现场").locator(".kc")).to_have_count(2)
    assert sorted(each["stage"] for each in upkeep.records("visit")) == ["on_site", "on_site"]


def test_the_keyboard_carries_as_well(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit(title="西山水塔检修", planned="2026-12-01", budget=800)
    sign_in(page, upkeep, path="/upkeep/visit/board")
    card = page.locator(".kc")
    card.focus()
    page.keyboard.press("Space")
    expect(page.locator("#board-says")).to_contain_text("已拿起「西山水塔检修」")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    expect(column(page, "计划").locator(".kc")).to_have_count(1)
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.locator("#board-says")).to_have_text("已放到「现场」")
    expect(column(page, "现场").locator(".kc")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="西山水塔检修")).to_be_visible()


def test_a_board_by_options_changes_the_field(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit(title="西山水塔检修", budget=800)
    sign_in(page, upkeep, path="/upkeep/visit/board?by=kind")
    expect(column(page, "例行").locator("header")).to_contain_text("¥800")
    carry(page, "西山水塔检修", "抢修")
    expect(page.locator("#board-says")).to_have_text("已放到「抢修」")
    expect(column(page, "抢修").locator(".kc")).to_have_count(1)
    assert [each["kind"] for each in upkeep.records("visit")] == ["repair"]


def test_a_way_that_does_not_exist_is_said_with_those_that_do(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit(title="西山水塔检修")
    sign_in(page, upkeep, path="/upkeep/visit/board")
    carry(page, "西山水塔检修", "完成")
    expect(page.get_by_role("dialog")).to_contain_text("「计划」不能直接到「完成」")
    page.keyboard.press("Escape")
    expect(column(page, "计划").locator(".kc")).to_have_count(1)


def test_a_stale_card_is_not_moved(page: Page, upkeep: Upkeep) -> None:
    path = upkeep.visit(title="西山水塔检修", budget=800)
    sign_in(page, upkeep, path="/upkeep/visit/board?by=kind")
    other = upkeep.browse("wang")
    csrf = re.search(r'name="csrf" value="([^"]+)"', other.get(f"{path}/edit").text)
    assert csrf is not None
    other.post(f"{path}/files/photos", data={"csrf": csrf[1]}, files={"file": ("a.png", PNG, "image/png")})
    carry(page, "西山水塔检修", "抢修")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_be_visible()
    assert [each["kind"] for each in upkeep.records("visit")] == ["routine"]


def test_the_board_on_a_phone(browser: Browser, upkeep: Upkeep) -> None:
    upkeep.visit(title="西山水塔检修", planned="2026-12-01", budget=800)
    context = browser.new_context(locale="zh-CN", viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    sign_in(page, upkeep, path="/upkeep/visit/board")
    assert violations(page, "board") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    # A finger that rests lifts the card.
    box = page.locator(".kc").bounding_box()
    assert box is not None
    session = context.new_cdp_session(page)
    at = {"x": box["x"] + 40, "y": box["y"] + 20}
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
    expect(page.locator(".carried")).to_be_visible()
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(page.locator(".carried")).to_have_count(0)
    context.close()


def test_a_board_asks_one_question_for_the_sums_and_one_for_each_column(upkeep: Upkeep) -> None:
    for number in range(6):
        upkeep.visit(title=f"第 {number} 站", planned="2026-12-01")
    client = upkeep.browse("wang")
    client.get("/upkeep/visit/board")
    with upkeep.site.db.counter() as few:
        client.get("/upkeep/visit/board")
    for number in range(6, 30):
        upkeep.visit(title=f"第 {number} 站", planned="2026-12-01")
    with upkeep.site.db.counter() as many:
        html = client.get("/upkeep/visit/board").text
    assert html.count('class="kc"') == 20
    assert "查看全部" in html
    assert many.count == few.count


def test_an_entity_without_columns_has_no_board(upkeep: Upkeep) -> None:
    client = upkeep.browse("wang")
    assert client.get("/upkeep/site/board").status_code == 404
    assert "看板" not in client.get("/upkeep/site").text
    assert client.get("/upkeep/visit/board?where=nonsense+%3D").status_code == 200
