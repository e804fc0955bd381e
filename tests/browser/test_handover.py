"""Handing over what a colleague leaves: chosen, given in turn, reported, taken back."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Upkeep
from tests.browser.test_pages import sign_in, violations

pytestmark = pytest.mark.browser
START = "/upkeep/my-handover"


def keepers(upkeep: Upkeep) -> list[str]:
    logins = {str(id): login for login, id in upkeep.users.items()}
    return [logins[each["keeper"]] for each in upkeep.records("site")]


def test_a_leavers_records_are_given_in_turn_and_taken_back(page: Page, upkeep: Upkeep) -> None:
    for number in range(3):
        upkeep.visit("wang", title=f"维保 {number}")
    sign_in(page, upkeep, "max", START)
    assert violations(page, "the beginning of a handover") == []
    page.get_by_role("combobox", name="谁要离开").fill("王强")
    page.get_by_role("option", name="王强").click()
    page.get_by_role("button", name="下一步").click()
    expect(page.get_by_role("heading", name="王强的交接")).to_be_visible()
    expect(page.locator(".ho-l li", has_text="维保单")).to_contain_text("3")
    for login in ("赵敏", "林慧"):
        page.get_by_role("combobox", name="加接手人").fill(login)
        page.get_by_role("option", name=login).click()
        page.get_by_role("button", name="加接手人").click()
        expect(page.locator(".ho-p", has_text=login)).to_be_visible()
    page.get_by_label("维保单交给谁").select_option(label="先不移交")
    expect(page.get_by_label("站点交给谁")).to_contain_text("轮流分给 2 人，每人 1–2 条")
    assert violations(page, "planning a handover") == []
    page.get_by_label("交接完成后停用王强的账号").check()
    page.get_by_role("button", name="开始移交").click()
    expect(page.get_by_role("status").filter(has_text="交接完成")).to_contain_text("共移交 3 条")
    assert keepers(upkeep) == ["zhao", "lin", "zhao"]
    assert {each["worker"] for each in upkeep.records("visit")} == {str(upkeep.users["wang"])}
    assert upkeep.site.people.person(upkeep.users["wang"]) is None
    expect(page.locator("main")).to_contain_text("账号已停用")
    assert violations(page, "a handover that is done") == []
    page.get_by_role("button", name="撤回这次交接").click()
    expect(page.get_by_role("status")).to_contain_text("已全部撤回")
    assert keepers(upkeep) == ["wang"] * 3


def test_a_list_shows_as_many_as_the_plan_counts(page: Page, upkeep: Upkeep) -> None:
    for number in range(2):
        upkeep.visit("wang", title=f"维保 {number}")
    upkeep.visit("zhao")
    sign_in(page, upkeep, "max", START)
    page.goto(f"{upkeep.url}{START}?leaver={upkeep.users['wang']}")
    page.get_by_role("link", name="维修工 2").click()
    expect(page.locator("td.first")).to_have_count(2)


def test_a_whole_team_takes_over_on_a_phone_in_english(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit("wang")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    sign_in(page, upkeep, "max", START)
    page.goto(f"{upkeep.url}{START}?leaver={upkeep.users['wang']}&language=en")
    page.get_by_label("A whole team").select_option(label="东区班组")
    page.get_by_role("button", name="Add").click()
    expect(page.locator(".ho-p")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert violations(page, "planning on a phone") == []


def test_without_a_script_each_press_goes_on(upkeep: Upkeep) -> None:
    for number in range(2):
        upkeep.visit("wang", title=f"维保 {number}")
    lead = upkeep.browse("max")
    page = lead.get(START, params={"leaver.text": "王强", "leaver": ""}).text
    assert "王强的交接" in page
    page = lead.get(START, params={"leaver": upkeep.users["wang"], "add.text": "赵敏", "add": ""}).text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)
    assert csrf is not None
    form = {
        "csrf": csrf[1],
        "leaver": upkeep.users["wang"],
        "to": upkeep.users["zhao"],
        "give.site": upkeep.users["zhao"],
    }
    made = lead.post(START, data=form)
    assert "已移交 0 / 2 条" in made.text
    assert "交接完成，共移交 2 条" in lead.post(made.url.path, data={"csrf": csrf[1], "do": "step"}).text
    assert keepers(upkeep) == ["zhao", "zhao"]
    assert "没有接手的人" in lead.post(START, data={**form, "give.site": ""}).text
    file = lead.get(f"{START}/matrix.csv", params={"who": upkeep.users["zhao"]})
    assert "维修工" in file.content.decode("utf-8-sig")
    assert lead.get(f"{START}/matrix.xlsx", params={"who": upkeep.users["zhao"]}).content[:2] == b"PK"


def test_whoever_may_hand_nothing_over_is_told_who_may(upkeep: Upkeep) -> None:
    wang = upkeep.browse("wang")
    csrf = re.search(r'name="csrf" value="([^"]+)"', wang.get("/upkeep/site/new").text)
    assert csrf is not None
    for answer in (
        wang.get(START),
        wang.get(f"{START}/people?q=zhao"),
        wang.get(f"{START}/matrix.csv?who={upkeep.users['zhao']}"),
        wang.post(
            START,
            data={"csrf": csrf[1], "leaver": upkeep.users["zhao"], "to": upkeep.users["wang"], "give.site": "turn"},
        ),
    ):
        assert answer.status_code == 403
        assert "你不能移交别人的记录" in answer.text
