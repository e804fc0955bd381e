"""What a form says and offers while one types: at a desk and on a phone."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import DESK, PHONE, Upkeep
from tests.browser.test_pages import press, sign_in

pytestmark = pytest.mark.browser
SIZES = pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])


@SIZES
def test_the_main_button_leads_to_what_is_missing_and_never_stands_dead(
    page: Page, upkeep: Upkeep, size: dict[str, int]
) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    sign_in(page, upkeep, path="/upkeep/visit/new")
    press(page, "保存")
    title = page.get_by_label("标题")
    expect(title).to_be_focused()
    expect(title).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[data-field=site] .err")).to_contain_text("必填")
    page.keyboard.press("F8")
    expect(page.get_by_role("combobox", name="站点")).to_be_focused()
    title.fill("春季维保")
    expect(title).not_to_have_attribute("aria-invalid", "true")
    # Pressed twice for the same, the server answers.
    press(page, "保存")
    press(page, "保存")
    expect(page.get_by_text("填的内容都还在")).to_be_visible()
    expect(title).to_have_value("春季维保")


def test_whether_a_value_fits_is_said_while_it_is_typed_in_the_words_of_saving(page: Page, upkeep: Upkeep) -> None:
    sign_in(page, upkeep, path="/upkeep/site/new")
    phone = page.get_by_label("电话")
    phone.press_sequentially("1385716")
    expect(page.locator("[data-field=phone] .err")).to_be_visible()
    expect(page.locator("[data-missing]")).to_contain_text("电话")
    phone.fill("13857162204")
    expect(page.locator("[data-field=phone] .err")).to_have_count(0)
    page.get_by_label("地址").fill("浙江省杭洲市文三路1号")
    expect(page.locator("[data-field=place]")).to_contain_text("杭洲市 → 杭州市")


@SIZES
def test_a_record_that_is_probably_the_same_is_linked_while_one_types(
    page: Page, upkeep: Upkeep, size: dict[str, int]
) -> None:
    upkeep.create("wang", "site", name="东湖泵站", phone="13857162204")
    page.set_viewport_size(size)  # type: ignore[arg-type]
    sign_in(page, upkeep, path="/upkeep/site/new")
    page.get_by_label("名称").fill("东湖泵站")
    page.get_by_label("电话").fill("13857162204")
    told = page.locator("[data-alike]")
    expect(told).to_contain_text("可能与已有记录重复")
    expect(told.get_by_role("link", name=re.compile("东湖泵站"))).to_have_attribute("href", re.compile("/upkeep/site/"))
    page.get_by_label("名称").fill("西山水塔")
    page.get_by_label("电话").fill("13900000000")
    expect(told.get_by_role("link")).to_have_count(0)


@SIZES
def test_a_record_that_a_lookup_lacks_is_made_on_the_way(page: Page, upkeep: Upkeep, size: dict[str, int]) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    sign_in(page, upkeep, path="/upkeep/visit/new")
    page.get_by_label("标题").fill("春季维保")
    site = page.get_by_role("combobox", name="站点")
    site.press_sequentially("南门泵房")
    page.get_by_role("option", name="新建「南门泵房」").click()
    dialog = page.get_by_role("dialog", name="新建站点")
    expect(dialog.get_by_label("名称")).to_have_value("南门泵房")
    dialog.get_by_label("名称").fill("")
    dialog.get_by_role("button", name="保存并选用").click()
    expect(dialog.get_by_label("名称")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("名称").fill("南门泵房")
    dialog.get_by_role("button", name="保存并选用").click()
    expect(dialog).to_have_count(0)
    expect(site).to_have_value("南门泵房")
    expect(page.get_by_label("标题")).to_have_value("春季维保")
    press(page, "保存")
    expect(page.get_by_role("link", name="南门泵房").first).to_be_visible()
    assert upkeep.titles("site") == ["南门泵房"]


def test_what_was_chosen_lately_is_offered_first(page: Page, upkeep: Upkeep) -> None:
    for name in ("东湖泵站", "西山水塔", "北门泵房"):
        upkeep.create("wang", "site", name=name)
    sign_in(page, upkeep, path="/upkeep/visit/new")
    site = page.get_by_role("combobox", name="站点")
    site.press_sequentially("东湖")
    with page.expect_response(lambda answer: answer.request.method == "POST" and "choices" in answer.url) as told:
        page.get_by_role("option", name="东湖泵站").click()
    assert told.value.status == 204
    page.evaluate("window.onbeforeunload = null")
    page.goto(f"{upkeep.url}/upkeep/request/new")
    page.get_by_role("combobox", name="站点").click()
    expect(page.get_by_role("option").first).to_contain_text("东湖泵站")
    expect(page.get_by_role("option").first).to_contain_text("最近")
    expect(page.get_by_role("option")).to_have_count(3)


@SIZES
def test_many_options_are_narrowed_by_typing(page: Page, upkeep: Upkeep, size: dict[str, int]) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    sign_in(page, upkeep, path="/upkeep/site/new")
    page.get_by_label("名称").fill("东湖泵站")
    box = page.get_by_role("textbox", name=re.compile("特征"))
    box.press_sequentially("防")
    group = page.get_by_role("group", name="特征")
    expect(group.locator("label:visible")).to_have_count(1)
    box.press("Enter")
    box.press_sequentially("潮")
    box.press("Enter")
    expect(group.get_by_role("checkbox", name="防爆")).to_be_checked()
    box.press("Backspace")
    expect(group.get_by_role("checkbox", name="防爆")).not_to_be_checked()
    press(page, "保存")
    expect(page.get_by_role("status").first).to_contain_text("已新建")
    assert upkeep.records("site")[0]["traits"] == ["b"]


@SIZES
def test_a_form_in_tabs_shows_one_at_a_time_and_what_each_lacks(
    page: Page, upkeep: Upkeep, size: dict[str, int]
) -> None:
    made = upkeep.create("wang", "site", name="东湖泵站")
    page.set_viewport_size(size)  # type: ignore[arg-type]
    sign_in(page, upkeep, path=f"/upkeep/site/{made.id}/edit")
    expect(page.get_by_label("说明")).to_be_hidden()
    page.get_by_label("名称").fill("")
    page.get_by_role("link", name="资料").click()
    expect(page.get_by_label("说明")).to_be_visible()
    expect(page.get_by_label("名称")).to_be_hidden()
    expect(page.locator("[data-tab=first]")).to_contain_text("1")
    press(page, "保存")
    expect(page.get_by_label("名称")).to_be_focused()


def test_a_long_text_can_be_spoken_where_the_browser_listens(page: Page, upkeep: Upkeep) -> None:
    page.add_init_script(
        """window.SpeechRecognition = class extends EventTarget {
          start() { window.heard = this; }
          stop() { this.dispatchEvent(new Event("end")); }
        };"""
    )
    sign_in(page, upkeep, path="/upkeep/site/new")
    page.get_by_role("button", name="说话输入").click()
    page.evaluate(
        """() => { const said = [{transcript: "水泵有异响"}]; said.isFinal = true;
        window.heard.dispatchEvent(Object.assign(new Event("result"), {resultIndex: 0, results: [said]})); }"""
    )
    expect(page.get_by_label("说明")).to_have_value("水泵有异响")
    assert page.evaluate("window.heard.lang") == "zh-CN"
    page.get_by_role("button", name="停止说话").click()
    expect(page.get_by_role("button", name="说话输入")).to_be_visible()


def test_a_check_that_nobody_answers_does_not_stand_in_the_way(page: Page, upkeep: Upkeep) -> None:
    def lost(route: Route) -> None:
        route.abort()

    sign_in(page, upkeep, path="/upkeep/site/new")
    page.route("**/check", lost)
    page.route("**/alike*", lost)
    page.get_by_label("名称").fill("东湖泵站")
    page.get_by_label("电话").fill("13857162204")
    press(page, "保存")
    expect(page.get_by_role("status").first).to_contain_text("已新建")
