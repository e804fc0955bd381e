"""The pages in a real browser, as the people of the app use them: at a desk and on a phone."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import PASSWORD, PDF, PHONE, PNG, Upkeep

pytestmark = pytest.mark.browser
AXE = Path(__file__).parent / "vendor" / "axe.min.js"


def sign_in(page: Page, upkeep: Upkeep, login: str = "wang", path: str = "/upkeep/") -> None:
    page.goto(f"{upkeep.url}/sign-in?after={path}")
    page.get_by_label("用户名").fill(login)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page).to_have_url(re.compile(re.escape(path) + "$"))


def press(page: Page, name: str) -> None:
    """The visible button or link of this name: desk and phone have one each."""
    page.locator("button:visible, a:visible").filter(has_text=name).last.click()


def test_a_worker_finds_a_visit_is_refused_provides_what_is_missing_and_moves_on(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit(title="东湖泵站春季维保")
    upkeep.visit(title="西山水塔检修")
    sign_in(page, upkeep)

    page.get_by_role("link", name="维保单", exact=True).first.click()
    search = page.get_by_role("searchbox")
    search.fill("东湖")
    search.press("Enter")
    expect(page.locator("td.first")).to_have_count(1)
    page.get_by_role("link", name="东湖泵站春季维保").click()

    gate = page.get_by_role("region", name="离开「计划」还差 2 项")
    expect(gate).to_contain_text("计划日期")
    expect(gate).to_contain_text("预算必须大于 0")
    expect(gate).to_contain_text("你可以提供")
    main = page.locator(".dg-top").get_by_role("link", name="推进到「现场」")
    expect(main).to_contain_text("差 2 项")
    main.click()
    expect(page).to_have_url(re.compile("#gate$"))

    page.locator("summary", has_text="填写").first.click()
    page.locator("#gate").get_by_label("计划日期").fill("2026-12-01")
    page.locator("#gate").get_by_role("button", name="保存").locator("visible=true").click()
    page.locator(".dg-top").get_by_role("link", name="编辑").click()
    page.get_by_label("预算").fill("1.2万")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("status").first).to_contain_text("已保存")
    page.get_by_role("button", name="推进到「现场」").locator("visible=true").click()
    expect(page.get_by_role("status").first).to_contain_text("已从「计划」到「现场」")
    expect(page.get_by_role("heading", name="离开「现场」还差 4 项")).to_be_visible()

    with page.expect_navigation():
        page.get_by_label("上传 维保报告").set_input_files(
            [{"name": "报告.pdf", "mimeType": "application/pdf", "buffer": PDF}]
        )
    with page.expect_navigation():
        page.get_by_label("上传 现场照片").set_input_files(
            [{"name": "门口.png", "mimeType": "image/png", "buffer": PNG}]
        )
    page.get_by_role("button", name="确认完成").click()
    expect(page.get_by_role("heading", name="离开「现场」还差 1 项")).to_be_visible()
    page.locator("#gate").get_by_role("link", name="材料").click()
    page.get_by_label("品名").fill("密封圈")
    page.get_by_label("数量").fill("4")
    page.get_by_role("button", name="保存").locator("visible=true").click()
    expect(page.get_by_role("heading", name="「现场」的门槛已全部满足")).to_be_visible()
    page.get_by_role("button", name="推进到「完成」").locator("visible=true").click()

    page.get_by_role("link", name="时间线").click()
    told = page.locator(".dg-tl")
    expect(told).to_contain_text("从「现场」推进到「完成」")
    expect(told).to_contain_text("报告.pdf")
    expect(told).to_contain_text("¥12,000.00")


def test_a_form_says_live_what_is_missing_and_fills_what_a_choice_brings(page: Page, upkeep: Upkeep) -> None:
    upkeep.create("wang", "site", name="东湖泵站", phone="13857162204")
    upkeep.create("wang", "site", name="西山水塔")
    sign_in(page, upkeep, path="/upkeep/visit/new")
    missing = page.locator("[data-missing]")
    expect(missing).to_contain_text("还差 2 项才能保存")
    page.get_by_label("标题").fill("春季维保")
    expect(missing).to_contain_text("还差 1 项才能保存")

    site = page.get_by_role("combobox", name="站点")
    site.press_sequentially("东")
    expect(page.get_by_role("option", name="东湖泵站")).to_be_visible()
    expect(page.get_by_role("option", name="西山水塔")).to_have_count(0)
    site.press("Enter")
    expect(page.get_by_label("现场电话")).to_have_value("138 5716 2204")
    expect(missing).to_contain_text("可以保存")

    reason = page.get_by_label("加急原因")
    expect(reason).to_be_hidden()
    page.get_by_label("加急", exact=True).check()
    expect(reason).to_be_visible()
    expect(missing).to_contain_text("还差 1 项才能保存")
    page.keyboard.press("F8")
    expect(reason).to_be_focused()
    reason.fill("漏水")
    page.get_by_role("button", name="加一行").click()
    page.get_by_label("品名").fill("密封圈")
    page.get_by_label("数量").fill("2")
    page.get_by_label("数量").press("Enter")
    page.locator("[name='parts.1.product']").fill("阀门")
    page.locator("[name='parts.1.quantity']").fill("1")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="春季维保")).to_be_visible()
    (record,) = upkeep.records("visit")
    assert record["urgent_reason"] == "漏水"
    assert upkeep.titles("part") == ["密封圈", "阀门"]


def test_a_wrong_value_is_shown_where_it_stands_and_kept(page: Page, upkeep: Upkeep) -> None:
    upkeep.create("wang", "site", name="东湖泵站")
    sign_in(page, upkeep, path="/upkeep/visit/new")
    page.get_by_label("标题").fill("春季维保")
    page.get_by_role("combobox", name="站点").fill("东湖泵站")
    page.get_by_label("预算").fill("很多钱")
    page.get_by_role("button", name="保存").locator("visible=true").click()
    budget = page.get_by_label("预算")
    expect(budget).to_have_value("很多钱")
    expect(budget).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[data-missing]")).to_contain_text("还差 1 项")
    budget.fill("800")
    page.get_by_role("button", name="保存").locator("visible=true").click()
    expect(page.get_by_role("heading", name="春季维保")).to_be_visible()
    assert upkeep.records("visit")[0]["budget"] == 800


def test_the_form_works_without_a_script(browser: Any, upkeep: Upkeep) -> None:
    context = browser.new_context(java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    upkeep.create("wang", "site", name="东湖泵站")
    sign_in(page, upkeep, path="/upkeep/visit/new")
    page.get_by_label("标题").fill("春季维保")
    page.get_by_role("combobox", name="站点").fill("东湖泵站")
    page.get_by_role("button", name="保存").locator("visible=true").click()
    expect(page.get_by_role("heading", name="春季维保")).to_be_visible()
    context.close()


def test_a_filter_is_set_in_words_and_taken_away(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit(title="甲", kind="repair")
    upkeep.visit(title="乙", kind="check")
    sign_in(page, upkeep, path="/upkeep/visit")
    expect(page.locator("td.first")).to_have_count(2)
    page.locator("summary", has_text="类型").click()
    page.get_by_role("checkbox", name="抢修").check()
    page.get_by_role("button", name="应用").locator("visible=true").click()
    expect(page.locator(".chip.on")).to_contain_text("类型 是 抢修")
    expect(page.locator("td.first")).to_have_count(1)
    page.get_by_role("link", name="去掉条件：类型").click()
    expect(page.locator("td.first")).to_have_count(2)
    page.get_by_role("link", name="标题").click()
    expect(page.locator("th[scope=col]").first).to_have_attribute("aria-sort", "ascending")


def test_two_people_at_once_choose_between_their_values(page: Page, upkeep: Upkeep) -> None:
    path = upkeep.visit(budget=100)
    sign_in(page, upkeep, path=f"{path}/edit")
    other = upkeep.browse("lin")
    csrf = re.search(r'name="csrf" value="([^"]+)"', other.get(f"{path}/edit").text)
    assert csrf is not None
    other.post(f"{path}/edit", data={"csrf": csrf[1], "~version": "1", "budget": "300"})
    page.get_by_label("预算").fill("200")
    page.get_by_role("button", name="保存").locator("visible=true").click()
    expect(page.locator(".cf")).to_contain_text("林慧的")
    expect(page.locator(".cf")).to_contain_text("¥300.00")
    page.get_by_label("¥300.00").check()
    page.get_by_role("button", name="按勾选保存").click()
    expect(page.get_by_role("heading", name="东湖泵站春季维保")).to_be_visible()
    assert upkeep.records("visit")[0]["budget"] == 300


def test_the_whole_way_works_on_a_phone(context: BrowserContext, page: Page, upkeep: Upkeep) -> None:
    page.set_viewport_size(PHONE)
    path = upkeep.visit(planned="2026-12-01")
    sign_in(page, upkeep)
    page.locator(".ph-bar").get_by_role("link", name="维保单").click()
    page.get_by_role("link", name="东湖泵站春季维保").click()
    expect(page.get_by_role("heading", name="离开「计划」还差 1 项")).to_be_visible()
    page.locator("summary", has_text="填写").click()
    page.locator("#gate").get_by_label("预算").fill("500")
    page.locator("#gate").get_by_role("button", name="保存").locator("visible=true").click()
    page.locator(".pfa").get_by_role("button", name="推进到「现场」").click()
    expect(page.get_by_role("heading", name="离开「现场」还差 4 项")).to_be_visible()
    with page.expect_navigation():
        page.get_by_label("上传 现场照片").set_input_files([{"name": "a.png", "mimeType": "image/png", "buffer": PNG}])
    expect(page.get_by_role("heading", name="离开「现场」还差 3 项")).to_be_visible()
    page.locator(".pfa").get_by_role("link", name="编辑").click()
    page.get_by_label("备注").fill("下雨")
    page.locator(".pfa").get_by_role("button", name="保存").click()
    expect(page.get_by_role("status").first).to_contain_text("已保存")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.goto(upkeep.url + path + "?tab=timeline")
    expect(page.locator(".dg-tl")).to_contain_text("备注")


@pytest.mark.parametrize("width", [390, 800, 1440])
def test_nothing_is_wider_than_the_screen(page: Page, upkeep: Upkeep, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    path = upkeep.visit(
        title="很长很长的标题" * 12, notes="Donaudampfschifffahrt" * 20, parts=[{"product": "x" * 200, "quantity": 1}]
    )
    sign_in(page, upkeep)
    for address in (
        "/upkeep/",
        "/upkeep/visit",
        path,
        f"{path}/edit",
        f"{path}?tab=timeline",
        "/upkeep/visit/new",
        "/upkeep/my-page",
    ):
        page.goto(upkeep.url + address)
        wide = page.evaluate(
            "Math.max(document.documentElement.scrollWidth, ...[...document.querySelectorAll('.dg-main, .dg-body, .dg-top')].map(each => each.scrollWidth))"
        )
        assert wide <= width, address


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_no_page_hinders_anybody(page: Page, upkeep: Upkeep, theme: str, width: int) -> None:
    """axe finds no violation of WCAG 2.2 A and AA."""
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})
    upkeep.create("wang", "site", name="东湖泵站", phone="13857162204")
    path = upkeep.visit(
        kind="repair", tools=["meter", "lift"], parts=[{"product": "垫片", "quantity": 2}], notes="第一行\n第二行"
    )
    page.goto(f"{upkeep.url}/sign-in")
    found = violations(page, "/sign-in")
    sign_in(page, upkeep)
    for address in (
        "/upkeep/", "/upkeep/visit", "/upkeep/visit?view=all&f.kind=check", "/upkeep/visit/board", "/upkeep/visit/calendar", path, f"{path}?tab=timeline", f"{path}/edit", "/upkeep/visit/new",
        f"{path}/move/plan_to_dropped", "/upkeep/my-page", "/upkeep/nothing",
    ):  # fmt: skip
        page.goto(upkeep.url + address)
        found += violations(page, address)
    assert found == []


def test_neither_errors_nor_choices_hinder_anybody(page: Page, upkeep: Upkeep) -> None:
    """axe again, where something has to be mended or decided."""
    for _ in range(2):
        upkeep.create("lin", "site", name="东湖泵站", phone="13857162204")
    one, other = (each["id"] for each in upkeep.records("site"))
    path = upkeep.visit("lin", budget=100)
    sign_in(page, upkeep, "lin", f"/upkeep/site/{one}")
    found = violations(page, "duplicates")
    page.goto(f"{upkeep.url}/upkeep/site/{one}/merge/{other}")
    found += violations(page, "merge")
    page.goto(f"{upkeep.url}/upkeep/visit/new")
    page.get_by_label("预算").fill("很多")
    # The first press leads to what is missing, the second asks the server.
    press(page, "保存")
    press(page, "保存")
    expect(page.get_by_text("填的内容都还在")).to_be_visible()
    found += violations(page, "errors")
    page.goto(f"{upkeep.url}{path}/edit")
    other_one = upkeep.browse("max")
    csrf = re.search(r'name="csrf" value="([^"]+)"', other_one.get(f"{path}/edit").text)
    assert csrf is not None
    other_one.post(f"{path}/edit", data={"csrf": csrf[1], "~version": "1", "budget": "300"})
    page.get_by_label("预算").fill("200")
    press(page, "保存")
    expect(page.locator(".cf")).to_be_visible()
    found += violations(page, "conflict")
    page.goto(f"{upkeep.url}/upkeep/visit")
    page.locator("summary", has_text="类型").click()
    found += violations(page, "filter")
    assert found == []


def test_axe_finds_what_is_wrong(page: Page) -> None:
    page.set_content("<html lang=en><title>x</title><main><h1>x</h1><input><p style='color:#aaa'>pale</p></main>")
    assert {each.split(": ")[1].split()[0] for each in violations(page, "x")} == {"label", "color-contrast"}


def violations(page: Page, address: str) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    result = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})")
    return [
        f"{address}: {each['id']} {each['nodes'][0]['target']} {each['nodes'][0]['failureSummary']}"
        for each in result["violations"]
    ]
