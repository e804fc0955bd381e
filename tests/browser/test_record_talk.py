"""Talking about a record, and being told: comments, mentions, the timeline, the page behind the bell."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from engine.runtime import Transition
from tests.browser.conftest import PHONE, Upkeep
from tests.browser.test_pages import sign_in

pytestmark = pytest.mark.browser
AXE = Path(__file__).parent / "vendor" / "axe.min.js"


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    return page.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.map(v => v.id + ' ' + v.nodes[0].html))"
    )  # type: ignore[no-any-return]


def test_somebody_is_mentioned_by_typing_his_name_and_reads_it_behind_the_bell(page: Page, upkeep: Upkeep) -> None:
    path = upkeep.visit()
    sign_in(page, upkeep)
    page.goto(f"{upkeep.url}{path}?tab=timeline")
    box = page.get_by_label("评论", exact=True).first
    box.press_sequentially("请 @林")
    options = page.get_by_role("option")
    expect(options).to_have_count(1)
    expect(options).to_contain_text("林慧")
    box.press("Enter")
    expect(box).to_have_value("请 @林慧 ")
    box.press_sequentially("看一下 <b>{{7*7}}</b>")
    assert violations(page) == []
    box.press("Control+Enter")
    remark = page.locator(".remark")
    expect(remark).to_contain_text("王强 评论")
    expect(remark.locator("p")).to_have_text("请 @林慧 看一下 <b>{{7*7}}</b>")
    expect(remark.locator(".men")).to_have_text("@林慧")
    assert upkeep.site.notices.unread(upkeep.users["lin"], "upkeep") == 1

    page.context.clear_cookies()
    sign_in(page, upkeep, "lin", "/upkeep/my-notices")
    expect(page.locator(".told")).to_contain_text("王强 在维保单「东湖泵站春季维保」里提到了你")
    assert violations(page) == []
    page.get_by_role("link", name=re.compile("提到了你")).click()
    expect(page.locator(".remark")).to_be_visible()
    page.goto(f"{upkeep.url}/upkeep/my-notices?show=unread")
    expect(page.get_by_text("没有未读的通知")).to_be_visible()


def test_people_are_found_by_name_login_and_pinyin(upkeep: Upkeep) -> None:
    client, path = upkeep.browse("wang"), upkeep.visit()

    def offered(text: str) -> list[str]:
        return [each["login"] for each in client.get(f"{path}/people", params={"q": text}).json()["people"]]

    assert [offered(text) for text in ("林", "linh", "lh", "LIN", "zhaomin", "zm")] == [["lin"]] * 4 + [["zhao"]] * 2
    assert offered("王") == [], "nobody mentions himself"
    assert offered("nobody") == []


def test_only_those_who_see_a_record_are_offered(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit()
    (site,) = upkeep.records("site")
    made = upkeep.create("wang", "request", title="漏水", site=site["id"])
    client = upkeep.browse("wang")
    offered = client.get(f"/upkeep/request/{made.id}/people").json()["people"]
    assert [each["login"] for each in offered] == ["max"], "a request is seen by its maker and the administrator"
    answer = client.post(f"/upkeep/request/{made.id}/comment", data={"text": "x"})
    assert answer.status_code == 403, "a form of another page is not believed"


def test_one_changes_and_takes_back_what_one_wrote(page: Page, upkeep: Upkeep) -> None:
    path = upkeep.visit()
    page.set_viewport_size(PHONE)
    sign_in(page, upkeep)
    page.goto(f"{upkeep.url}{path}?tab=timeline")
    page.get_by_label("评论", exact=True).first.fill("第一版 @[lin]")
    page.get_by_role("button", name="发送").click()
    remark = page.locator(".remark")
    remark.get_by_text("编辑").click()
    edit = remark.get_by_label("评论")
    expect(edit).to_have_value("第一版 @林慧")
    edit.fill("第二版 @林慧")
    remark.get_by_role("button", name="保存").click()
    expect(remark).to_contain_text("已修改")
    expect(remark.locator("p")).to_have_text("第二版 @林慧")
    remark.locator("summary", has_text="删除").click()
    remark.get_by_role("button", name="删除").click()
    expect(remark).to_contain_text("王强 删除了一条评论")
    expect(remark).not_to_contain_text("第二版")
    assert violations(page) == []


def test_the_timeline_says_all_in_one_stream_or_one_kind_of_it(page: Page, upkeep: Upkeep) -> None:
    path = upkeep.visit(planned="2026-12-01", budget=100)
    client = upkeep.browse("wang")
    token = re.search(r'name="csrf" value="([^"]+)"', client.get(f"{path}?tab=timeline").text)
    assert token is not None
    app = upkeep.site.app("upkeep")
    wang = upkeep.site.people.principal(upkeep.users["wang"], "upkeep", app.policies)
    assert wang is not None
    upkeep.site.runtime.execute(app, wang, Transition("visit", int(path.rsplit("/", 1)[1]), to="on_site"))
    for number in range(45):
        client.post(f"{path}/comment", data={"csrf": token[1], "text": f"第 {number} 条"})
    sign_in(page, upkeep)
    page.goto(f"{upkeep.url}{path}?tab=timeline")
    expect(page.get_by_role("heading", name="今天")).to_be_visible()
    expect(page.locator(".dg-ev")).to_have_count(40)
    page.get_by_role("link", name="更早的").click()
    expect(page.locator(".dg-ev")).to_have_count(7)
    expect(page.locator(".dg-tl")).to_contain_text("从「计划」推进到「现场」")
    ways = page.get_by_role("navigation", name="显示")
    ways.get_by_role("link", name="阶段").click()
    expect(page.locator(".dg-ev")).to_have_count(2)
    ways.get_by_role("link", name="变更").click()
    expect(page.locator(".dg-tl")).not_to_contain_text("推进到")
    ways.get_by_role("link", name="评论").click()
    expect(page.locator(".remark")).to_have_count(40)
