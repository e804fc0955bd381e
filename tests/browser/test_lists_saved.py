"""Saved views: kept under a name, shared, put first, changed and deleted; and a calendar in which records change their day."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Upkeep
from tests.browser.test_lists_cells import enter
from tests.browser.test_pages import violations

pytestmark = pytest.mark.browser


def test_a_look_is_saved_opened_changed_and_deleted(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit(title="东湖", kind="repair", budget=500)
    upkeep.visit(title="西山", budget=20)
    enter(page, upkeep, "/upkeep/visit?view=all&f.kind=repair&columns=title&columns=budget&sort=-budget&group=kind")
    page.locator("summary", has_text="存为视图").click()
    panel = page.locator(".vsave")
    expect(panel.get_by_label("所有人")).to_have_count(0)
    panel.get_by_label("名称").fill("  大修 ")
    panel.get_by_label("打开列表时先看它").check()
    assert violations(page, "saving a view") == []
    panel.get_by_role("button", name="保存").click()
    expect(page.get_by_role("status").filter(has_text="已保存视图「大修」。")).to_be_visible()

    # It comes first from now on, with everything that was chosen.
    page.goto(f"{upkeep.url}/upkeep/visit")
    expect(page.get_by_role("link", name="大修", exact=True)).to_have_attribute("aria-current", "page")
    expect(page.locator("tr.grp")).to_have_count(1)
    expect(page.locator("tr[data-row]")).to_have_count(1)
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("预算")

    page.get_by_role("link", name="去掉条件：类型").click()
    expect(page.locator("tr[data-row]")).to_have_count(2)
    page.locator("summary", has_text="视图已改动").click()
    panel = page.locator(".vsave")
    panel.get_by_label("名称").first.fill("全部按类型")
    panel.get_by_role("button", name="更新视图").click()
    page.get_by_role("link", name="全部", exact=True).click()
    page.get_by_role("link", name="全部按类型").click()
    expect(page.locator("tr[data-row]")).to_have_count(2)
    page.locator("summary", has_text="存为视图").click()
    page.locator(".vsave").get_by_role("button", name="删除视图").click()
    expect(page.get_by_role("link", name="全部按类型")).to_have_count(0)
    # What is gone comes first no more.
    page.goto(f"{upkeep.url}/upkeep/visit")
    expect(page.locator("nav.lv [aria-current]")).to_have_count(1)


def test_what_a_planner_shares_others_see_with_their_own_eyes(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit(title="东湖", budget=500)
    enter(
        page,
        upkeep,
        "/upkeep/visit?view=all&columns=title&columns=secret&columns=budget&c.1=secret.empty&c.2=budget.ge.1",
        "lin",
    )
    page.locator("summary", has_text="存为视图").click()
    page.locator(".vsave").get_by_label("名称").fill("要做的")
    page.locator(".vsave").get_by_label("所有人").check()
    page.locator(".vsave").get_by_role("button", name="保存").click()
    expect(page.locator(".crit")).to_have_count(2)

    html = upkeep.browse("wang").get("/upkeep/visit").text
    href = re.search(r'href="([^"]*saved=\d+)"[^>]*>(?:(?!</a>).)*要做的', html)
    assert href is not None
    seen = upkeep.browse("wang").get(href[1]).text
    assert "有的条件或列对你不适用" in seen
    assert "内部成本" not in seen
    assert "secret" not in seen
    assert "东湖" in seen
    # He may keep it for himself, not change it.
    assert "更新视图" not in seen


def test_a_view_is_saved_on_a_phone_and_without_a_script(page: Page, upkeep: Upkeep) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    enter(page, upkeep, "/upkeep/visit?view=all&f.kind=repair")
    page.locator(".vsave > summary").click()
    page.locator(".vsave").get_by_label("名称").fill("抢修")
    page.locator(".vsave").get_by_role("button", name="保存").click()
    expect(page.get_by_role("link", name="抢修", exact=True)).to_be_visible()
    assert violations(page, "a saved view on a phone") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    client = upkeep.browse("zhao")
    asked = client.get("/upkeep/visit?view=all&add=kind&beside=1&op=in&value=repair&value=check")
    assert "c.1=kind.in.repair%2Ccheck" in str(asked.url)
    assert "抢修 或 巡检" in asked.text


def test_a_record_goes_to_another_day_by_mouse_and_by_keyboard(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit(title="东湖", planned="2026-12-01")
    enter(page, upkeep, "/upkeep/visit/calendar?view=all&month=2026-12")
    entry = page.locator(".ce", has_text="东湖")
    box, target = entry.bounding_box(), page.locator('td[data-day="2026-12-10"]').bounding_box()
    assert box is not None
    assert target is not None
    page.mouse.move(box["x"] + 20, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 40, steps=3)
    page.mouse.move(target["x"] + 40, target["y"] + 40, steps=5)
    page.mouse.up()
    expect(page.locator("#days-says")).to_have_text("已放到「12月10日 周四」")
    expect(page.locator('td[data-day="2026-12-10"]')).to_contain_text("东湖")
    assert violations(page, "a calendar") == []

    entry = page.locator(".ce", has_text="东湖")
    expect(entry).to_be_focused()
    for key in (" ", "ArrowDown", "ArrowLeft", " "):
        page.keyboard.press(key)
    expect(page.locator('td[data-day="2026-12-16"]')).to_contain_text("东湖")
    assert [each["planned"] for each in upkeep.records("visit")] == ["2026-12-16"]


def test_boards_and_calendars_know_no_trash(upkeep: Upkeep) -> None:
    upkeep.visit(title="东湖", planned="2026-12-01")
    client = upkeep.browse("lin")
    for form in ("board", "calendar?month=2026-12"):
        seen = client.get(f"/upkeep/visit/{form}{'&' if '?' in form else '?'}view=all&deleted=1").text
        assert "东湖" in seen
