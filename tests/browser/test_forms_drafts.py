"""Drafts: what was typed and not saved comes back, and only to whoever typed it."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from engine.runtime import Update
from tests.browser.conftest import DESK, PHONE, Upkeep
from tests.browser.test_pages import press, sign_in

pytestmark = pytest.mark.browser
SIZES = pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])


@SIZES
def test_a_draft_is_kept_offered_restored_and_gone_after_saving(
    page: Page, upkeep: Upkeep, size: dict[str, int]
) -> None:
    upkeep.create("wang", "site", name="东湖泵站")
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.on("dialog", lambda dialog: dialog.accept())
    sign_in(page, upkeep, path="/upkeep/visit/new")
    page.get_by_label("标题").fill("春季维保")
    page.get_by_role("combobox", name="站点").press_sequentially("东湖")
    page.get_by_role("option", name="东湖泵站").click()
    with page.expect_response("**/visit/draft"):
        page.locator("[data-add-row]").click()
        page.get_by_label("品名").fill("密封圈")
    page.goto(f"{upkeep.url}/upkeep/visit/new")
    expect(page.locator("[data-offer]")).to_contain_text("有一份草稿没有保存（刚刚）")
    page.get_by_role("link", name="恢复").click()
    expect(page.get_by_label("标题")).to_have_value("春季维保")
    expect(page.get_by_role("combobox", name="站点")).to_have_value("东湖泵站")
    expect(page.get_by_label("品名")).to_have_value("密封圈")
    page.get_by_label("数量").fill("4")
    press(page, "保存")
    expect(page.get_by_role("status").first).to_contain_text("已新建")
    page.goto(f"{upkeep.url}/upkeep/visit/new")
    expect(page.locator("[data-offer]")).to_be_hidden()


def test_a_draft_is_dropped_when_one_says_so(page: Page, upkeep: Upkeep) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    sign_in(page, upkeep, path="/upkeep/site/new")
    page.wait_for_function("performance.getEntriesByType('resource').some(each => each.name.endsWith('drafts.js'))")
    with page.expect_response("**/site/draft"):
        page.get_by_label("名称").fill("东湖泵站")
    page.goto(f"{upkeep.url}/upkeep/site/new")
    page.get_by_role("button", name="丢弃").click()
    expect(page.get_by_label("名称")).to_have_value("")
    expect(page.locator("[data-offer]")).to_be_hidden()


def test_a_draft_of_a_change_knows_that_somebody_saved_meanwhile(page: Page, upkeep: Upkeep) -> None:
    made = upkeep.create("wang", "site", name="东湖泵站", phone="13857162204")
    page.on("dialog", lambda dialog: dialog.accept())
    sign_in(page, upkeep, path=f"/upkeep/site/{made.id}/edit")
    page.wait_for_function("performance.getEntriesByType('resource').some(each => each.name.endsWith('drafts.js'))")
    with page.expect_response("**/draft"):
        page.get_by_label("名称").fill("东湖一号泵站")
    app = upkeep.site.app("upkeep")
    lin = upkeep.site.people.principal(upkeep.users["lin"], "upkeep", app.policies)
    assert lin is not None
    assert made.id is not None
    upkeep.site.runtime.execute(app, lin, Update("site", made.id, {"name": "东湖二号泵站"}, 1))
    page.goto(f"{upkeep.url}/upkeep/site/{made.id}/edit")
    page.get_by_role("link", name="恢复").click()
    expect(page.get_by_label("名称")).to_have_value("东湖一号泵站")
    press(page, "保存")
    expect(page.locator(".cf")).to_contain_text("东湖二号泵站")
    expect(page.locator(".cf")).to_contain_text("东湖一号泵站")


def test_what_is_typed_while_nobody_answers_is_kept_on_this_device(
    context: BrowserContext, page: Page, upkeep: Upkeep
) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    sign_in(page, upkeep, path="/upkeep/site/new")
    page.get_by_label("名称").focus()
    context.set_offline(True)
    page.get_by_label("名称").fill("东湖泵站")
    expect(page.locator("[data-draft-said]")).to_contain_text("离线")
    context.set_offline(False)
    page.goto(f"{upkeep.url}/upkeep/site/new")
    expect(page.locator("[data-offer]")).to_be_visible()
    page.get_by_role("link", name="恢复").click()
    expect(page.get_by_label("名称")).to_have_value("东湖泵站")


def test_a_draft_is_nobody_elses(upkeep: Upkeep) -> None:
    wang, zhao = upkeep.browse("wang"), upkeep.browse("zhao")
    token = wang.get("/upkeep/site/new").text.split('name="csrf" value="')[1].split('"')[0]
    answer = wang.post("/upkeep/site/draft", data={"csrf": token, "name": "东湖泵站"})
    assert answer.status_code == 200
    assert "东湖泵站" in wang.get("/upkeep/site/new?draft=1").text
    assert "东湖泵站" not in zhao.get("/upkeep/site/new?draft=1").text
    assert "data-offer" in zhao.get("/upkeep/site/new").text
    assert "hidden data-offer" in zhao.get("/upkeep/site/new").text
