"""Several records at once: ticked in a list, changed or moved on each by itself, reported and taken back."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Upkeep
from tests.browser.test_pages import sign_in, violations

pytestmark = pytest.mark.browser
BUDGET = {"planned": "2026-12-01", "budget": 800}


def tick(page: Page, *titles: str) -> None:
    for title in titles:
        page.get_by_role("checkbox", name=f"选择「{title}」").check()


def test_ticked_visits_move_on_and_the_others_say_what_they_lack(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit(title="东湖", **BUDGET)
    upkeep.visit(title="西山", budget=800)
    upkeep.visit(title="南岭", **BUDGET)
    sign_in(page, upkeep, path="/upkeep/visit")
    expect(page.locator(".bulk")).to_be_hidden()
    tick(page, "东湖", "西山")
    expect(page.locator(".bulk")).to_contain_text("已选 2 条")
    assert violations(page, "ticked") == []
    page.get_by_role("button", name="批量推进").click()
    page.get_by_text("推进到「现场」（1/2）").click()
    page.get_by_role("button", name="下一步").click()
    expect(page.locator("main")).to_contain_text("2 条中有 1 条可以推进")
    expect(page.locator("li", has_text="西山")).to_contain_text("还差：「计划日期」未填")
    assert violations(page, "checked") == []
    page.get_by_role("button", name="执行 1 条").click()
    expect(page.get_by_role("status")).to_contain_text("1 条已完成。 1 条没有改动")
    expect(page.locator("li", has_text="西山")).to_contain_text("计划日期")
    assert {each["title"]: each["stage"] for each in upkeep.records("visit")} == {
        "东湖": "on_site",
        "西山": "plan",
        "南岭": "plan",
    }
    expect(page.get_by_role("button", name="全部撤销")).to_be_hidden()
    page.get_by_role("link", name="回到列表").click()
    expect(page.locator(".bulk")).to_be_hidden()


def test_one_field_of_many_records_is_changed_on_a_phone(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit(title="东湖")
    upkeep.visit(title="西山")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    sign_in(page, upkeep, path="/upkeep/visit")
    tick(page, "东湖", "西山")
    assert violations(page, "ticked on a phone") == []
    page.get_by_role("button", name="批量修改").click()
    page.get_by_label("要修改的字段").select_option(label="预算")
    page.get_by_role("button", name="下一步").click()
    page.get_by_label("预算").fill("很多")
    page.get_by_role("button", name="执行 2 条").click()
    expect(page.locator(".err").first).to_be_visible()
    page.get_by_label("预算").fill("1.2万")
    page.get_by_role("button", name="执行 2 条").click()
    expect(page.get_by_role("status")).to_contain_text("2 条已完成")
    assert {each["budget"] for each in upkeep.records("visit")} == {12000}
    page.get_by_role("button", name="全部撤销").click()
    expect(page.get_by_role("status").first).to_contain_text("已撤销 2 条")
    assert {each["budget"] for each in upkeep.records("visit")} == {None}


def test_the_whole_page_is_ticked_and_a_row_by_its_key(page: Page, upkeep: Upkeep) -> None:
    for title in ("东湖", "西山", "南岭"):
        upkeep.visit(title=title)
    sign_in(page, upkeep, path="/upkeep/visit")
    page.get_by_role("checkbox", name="全选本页").check()
    expect(page.locator(".bulk")).to_contain_text("已选 3 条")
    page.keyboard.press("Tab")
    page.locator("td.first a").first.focus()
    page.keyboard.press("x")
    expect(page.locator(".bulk")).to_contain_text("已选 2 条")


def test_what_somebody_changed_meanwhile_is_left_alone(upkeep: Upkeep) -> None:
    """And what one may not see or do is not done."""
    path = upkeep.visit(title="东湖", budget=100)
    id = path.rsplit("/", 1)[1]
    lin = upkeep.browse("lin")
    csrf = re.search(r'name="csrf" value="([^"]+)"', lin.get(f"{path}/edit").text)
    assert csrf is not None
    form = {"csrf": csrf[1], "do": "edit", "field": "budget", "budget": "300", "go": "1"}
    assert "完成 0 / 1" in lin.post("/upkeep/visit/several", data={**form, "row": f"{id}.7"}).text
    assert [each["budget"] for each in upkeep.records("visit")] == [100]
    assert lin.post("/upkeep/visit/several", data={**form, "row": f"{id}.1", "field": "readiness"}).status_code == 200
    assert lin.post("/upkeep/visit/several", data={**form, "row": "99999.1"}).url.path == "/upkeep/visit"
    assert lin.post("/upkeep/visit/several", data={**form, "do": "steal", "row": f"{id}.1"}).status_code == 404
    zhao = upkeep.browse("zhao")
    csrf = re.search(r'name="csrf" value="([^"]+)"', zhao.get("/upkeep/visit?view=all").text)
    assert csrf is not None
    assert "完成 0 / 1" in zhao.post("/upkeep/visit/several", data={**form, "csrf": csrf[1], "row": f"{id}.1"}).text
    assert [each["budget"] for each in upkeep.records("visit")] == [100]
