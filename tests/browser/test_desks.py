"""Homes in a browser: what somebody finds, how he goes on from there, and what others change while he looks."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from engine.runtime import Update
from tests.browser.conftest import PHONE, Upkeep
from tests.browser.test_pages import sign_in, violations

pytestmark = pytest.mark.browser

HOMES = """
homes:
  planner: {label: {zh: 调度台, en: Planning}, for: planner, cards: {all: {kind: bars, entity: visit, by: kind}}}
  worker:
    label: {zh: 今天, en: Today}
    for: worker
    bar: [visit, site]
    cards:
      core:
        kind: actions
        main: visit
        actions:
          visit: {label: {zh: 登记维保, en: Log a visit}, icon: tool, create: visit, set: {kind: repair}}
          site: {label: {zh: 新站点, en: New site}, create: site}
          report: {label: {zh: 报修, en: Report}, icon: alert, create: request}
      mine:
        kind: list
        view: my_visits
        label: {zh: 我的维保, en: My visits}
        columns: [readiness, site]
        clock: {field: planned, soon: 1 d, label: {zh: 计划, en: Planned}}
        act: {call: site_phone}
      urgent: {kind: number, view: urgent, red_from: 1}
      round: {kind: funnel, entity: visit, process: round, sum: budget}
      gates: {kind: gate, view: my_visits, label: {zh: 下一步还差, en: Missing}}
      recent: {kind: recent}
      starred: {kind: starred}
"""


@pytest.fixture
def upkeep(tmp_path: Path) -> Iterator[Upkeep]:
    made = Upkeep(tmp_path, HOMES)
    yield made
    made.close()


def change(upkeep: Upkeep, login: str, path: str, **values: object) -> None:
    app = upkeep.site.app("upkeep")
    principal = upkeep.site.people.principal(upkeep.users[login], "upkeep", app.policies)
    assert principal is not None
    upkeep.site.runtime.execute(app, principal, Update("visit", int(path.rsplit("/", 1)[1]), values))


def day(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def test_a_rep_finds_his_day_on_a_phone_and_begins_his_work_with_one_press(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit(
        title="水塔检修", planned=day(-3), budget=100, site_phone="13857162204", urgent=True, urgent_reason="漏水"
    )
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    sign_in(page, upkeep)
    expect(page.get_by_role("heading", name="今天")).to_be_visible()
    card = page.get_by_role("region", name="我的维保")
    expect(card.get_by_role("link", name="水塔检修", exact=True)).to_be_visible()
    expect(card.locator(".run.red")).to_contain_text("超")
    expect(card.get_by_role("link", name="拨打 水塔检修")).to_have_attribute("href", re.compile("^tel:"))
    expect(page.get_by_role("region", name="下一步还差").get_by_role("link", name="水塔检修")).to_be_visible()
    assert violations(page, "home on a phone") == []
    for each in page.locator(".ph-acts a, .ph-bar a, .cline .dg-btn").all():
        box = each.bounding_box()
        assert box is not None
        assert box["height"] >= 44, each.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.get_by_role("navigation", name="核心动作").get_by_role("link", name="登记维保").click()
    expect(page.get_by_label("类型")).to_have_value("repair")


def test_a_figure_opens_the_records_that_it_counts(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit(title="水塔检修", urgent=True, urgent_reason="漏水")
    upkeep.visit(title="泵站例行")
    sign_in(page, upkeep)
    figure = page.get_by_role("region", name="加急").get_by_role("link", name="加急 1")
    figure.click()
    expect(page.get_by_role("link", name="水塔检修")).to_be_visible()
    expect(page.get_by_role("link", name="泵站例行")).to_have_count(0)


def test_late_cards_take_the_place_that_was_kept_for_them(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit(title="水塔检修")
    page.route("**/my-card?*", lambda route: route.abort())
    sign_in(page, upkeep)
    card = page.locator("#card-round")
    expect(card.get_by_role("button", name="重试")).to_be_visible()
    page.unroute("**/my-card?*")
    card.get_by_role("button", name="重试").click()
    expect(card.get_by_role("link", name="计划")).to_be_visible()
    assert violations(page, "home") == []
    card.get_by_role("link", name="计划").click()
    expect(page.get_by_role("link", name="水塔检修")).to_be_visible()


def test_the_home_speaks_english_too(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit(title="Tower", planned=day(-3))
    sign_in(page, upkeep)
    page.context.add_cookies([{"name": "language", "value": "en", "url": upkeep.url}])
    page.reload()
    expect(page.get_by_role("heading", name="Today")).to_be_visible()
    expect(page.get_by_role("region", name="My visits")).to_contain_text("over")
    expect(page.locator("#card-round")).to_contain_text("Average stay")
    assert not re.search(r"[一-鿿]", page.locator("#card-round").inner_text())


def test_a_star_stands_at_the_side_and_in_the_search(page: Page, upkeep: Upkeep) -> None:
    path = upkeep.visit(title="水塔检修")
    sign_in(page, upkeep, path=path)
    star = page.get_by_role("button", name="收藏")
    expect(star).to_have_attribute("aria-pressed", "false")
    star.click()
    expect(page.get_by_role("button", name="收藏")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("navigation", name="主导航").first.get_by_role("link", name="水塔检修")).to_be_visible()
    page.keyboard.press("Control+k")
    dialog = page.get_by_role("dialog")
    for group in ("最近", "收藏"):
        expect(dialog.get_by_role("region", name=group).get_by_role("link", name="水塔检修")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="收藏").click()
    expect(page.get_by_role("button", name="收藏")).to_have_attribute("aria-pressed", "false")


def test_the_search_changes_language_and_keeps_the_page(page: Page, upkeep: Upkeep) -> None:
    sign_in(page, upkeep, path="/upkeep/visit?view=all")
    page.keyboard.press("Control+k")
    page.keyboard.type("English")
    page.get_by_role("dialog").get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Visit")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/upkeep/visit\?view=all$"))


def test_a_question_mark_shows_the_keys_of_the_page(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit(title="水塔检修")
    sign_in(page, upkeep, path="/upkeep/visit?view=all")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="键盘快捷键")
    expect(dialog).to_contain_text("下一行")
    expect(dialog.get_by_text("提交")).to_be_hidden()
    assert violations(page, "keys") == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("j")
    expect(page.locator(":focus")).to_have_text("水塔检修")


def test_single_keys_can_be_switched_off(page: Page, upkeep: Upkeep) -> None:
    sign_in(page, upkeep, path="/upkeep/my-page")
    page.locator("form", has=page.locator("[name=keys]")).get_by_role("button", name="关闭").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_planner_chooses_the_home_that_he_wants_to_find(page: Page, upkeep: Upkeep) -> None:
    sign_in(page, upkeep, "lin", path="/upkeep/")
    expect(page.get_by_role("heading", name="调度台")).to_be_visible()
    page.goto(f"{upkeep.url}/upkeep/my-page")
    page.get_by_role("button", name="今天").click()
    page.goto(f"{upkeep.url}/upkeep/")
    expect(page.get_by_role("heading", name="今天")).to_be_visible()


def test_a_record_that_others_change_says_who_changed_what(page: Page, upkeep: Upkeep) -> None:
    path = upkeep.visit(title="水塔检修")
    with page.expect_response(lambda answer: "my-live" in answer.url):
        sign_in(page, upkeep, path=path)
    change(upkeep, "lin", path, secret=9, notes="阀门已换")
    note = page.locator("#fresh")
    expect(note).to_contain_text("林慧 刚刚修改了 备注")
    expect(note).not_to_contain_text("成本")
    note.get_by_role("link", name="查看").click()
    expect(page.get_by_text("阀门已换")).to_be_visible()


def test_a_list_says_how_many_of_its_records_changed(page: Page, context: BrowserContext, upkeep: Upkeep) -> None:
    path = upkeep.visit(title="水塔检修")
    with page.expect_response(lambda answer: "my-live" in answer.url):
        sign_in(page, upkeep, path="/upkeep/visit?view=all")
    change(upkeep, "lin", path, title="水塔大修")
    note = page.locator("#fresh")
    expect(note).to_contain_text("有 1 条更新")
    expect(page.locator("tr.fresh")).to_have_count(1)
    note.get_by_role("link", name="刷新").click()
    expect(page.get_by_role("link", name="水塔大修")).to_be_visible()
    expect(note).to_be_empty()


def test_without_a_network_a_page_says_so_and_goes_on_by_itself(
    page: Page, context: BrowserContext, upkeep: Upkeep
) -> None:
    sign_in(page, upkeep)
    page.wait_for_function("navigator.serviceWorker.ready.then(() => caches.match('/upkeep/my-offline')).then(Boolean)")
    context.set_offline(True)
    page.goto(f"{upkeep.url}/upkeep/visit")
    expect(page.get_by_role("heading", name="没有网络")).to_be_visible()
    context.set_offline(False)
    expect(page.get_by_role("heading", name="维保单")).to_be_visible()
