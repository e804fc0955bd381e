"""Merging side by side: a choice for each value, what comes along, refusals in words, and the way back."""

import re

import pytest
from playwright.sync_api import Page, expect

from engine.runtime import Update
from tests.browser.conftest import PHONE, Upkeep
from tests.browser.test_pages import sign_in, violations

pytestmark = pytest.mark.browser


def twins(upkeep: Upkeep) -> tuple[int, int]:
    """Two sites that are one: they differ in their e-mail, the city is missing in the first; a visit points to the second."""
    upkeep.create("lin", "site", name="东湖泵站", phone="13857162204", contact="a@example.com")
    upkeep.create("lin", "site", name="东湖泵站", phone="13857162204", city="浙江省/杭州市", contact="b@example.com")
    keep, lose = (int(each["id"]) for each in upkeep.records("site"))
    upkeep.create("lin", "visit", title="春检", site=str(lose))
    return keep, lose


def update(upkeep: Upkeep, id: int, **values: str) -> None:
    app = upkeep.site.app("upkeep")
    principal = upkeep.site.people.principal(upkeep.users["max"], "upkeep", app.policies)
    assert principal is not None
    upkeep.site.runtime.execute(app, principal, Update("site", id, values))


def test_what_differs_is_chosen_and_what_comes_of_it_is_seen_before(page: Page, upkeep: Upkeep) -> None:
    keep, lose = twins(upkeep)
    sign_in(page, upkeep, "lin", f"/upkeep/site/{keep}")
    page.get_by_role("link", name="合并", exact=True).click()
    mail = page.get_by_role("group", name="邮箱")
    result = mail.locator(".mg-o")
    expect(result.locator("visible=true").get_by_text("a@example.com")).to_be_visible()
    expect(page.get_by_role("group", name="城市").get_by_role("radio", name="浙江省/杭州市")).to_be_checked()
    mail.get_by_role("radio", name="a@example.com").focus()
    page.keyboard.press("ArrowRight")
    expect(result.get_by_text("b@example.com")).to_be_visible()
    expect(result.get_by_text("a@example.com")).to_be_hidden()
    expect(page.get_by_role("link", name="维保单 1")).to_have_attribute("href", re.compile(f"f.site={lose}"))
    page.get_by_text("个字段相同").click()
    expect(page.locator(".mg-eq")).to_contain_text("138 5716 2204")
    assert violations(page, "merging") == []
    page.get_by_role("button", name="合并这两条").click()
    expect(page.get_by_role("status").first).to_contain_text("已合并")
    (site,) = upkeep.records("site")
    assert (site["id"], site["contact"], site["city"]) == (str(keep), "b@example.com", "浙江省/杭州市")
    assert upkeep.records("visit")[0]["site"] == str(keep)


def test_a_merge_is_undone_beside_its_note_or_in_the_history(page: Page, upkeep: Upkeep) -> None:
    keep, lose = twins(upkeep)
    sign_in(page, upkeep, "lin", f"/upkeep/site/{keep}")
    for place in ("note", "history"):
        page.goto(f"{upkeep.url}/upkeep/site/{keep}/merge/{lose}")
        page.get_by_role("button", name="合并这两条").click()
        expect(page.get_by_role("status").first).to_contain_text("已合并")
        if place == "history":
            page.get_by_role("link", name="时间线").click()
            expect(page.locator(".dg-ev").first).to_contain_text("并入了「东湖泵站」")
            page.locator(".dg-ev").first.get_by_role("button", name="撤销").click()
        else:
            page.get_by_role("button", name="撤销").click()
        expect(page.get_by_role("status").first).to_contain_text("已撤销")
        assert len(upkeep.records("site")) == 2
        assert upkeep.records("visit")[0]["site"] == str(lose)
    page.get_by_role("link", name="时间线").click()
    expect(page.locator(".dg-ev").get_by_role("button", name="撤销")).to_have_count(0)


def test_a_merge_that_something_depends_on_is_not_undone_and_says_why(page: Page, upkeep: Upkeep) -> None:
    keep, lose = twins(upkeep)
    sign_in(page, upkeep, "lin", f"/upkeep/site/{keep}")
    page.goto(f"{upkeep.url}/upkeep/site/{keep}/merge/{lose}")
    page.get_by_role("button", name="合并这两条").click()
    update(upkeep, keep, city="江苏省/苏州市")
    page.get_by_role("button", name="撤销").click()
    expect(page.get_by_role("alert")).to_contain_text("没有撤销")
    expect(page.get_by_role("alert")).to_contain_text("「城市」后来又被改过")
    assert [each["city"] for each in upkeep.records("site")] == ["江苏省/苏州市"]


def test_what_somebody_changed_meanwhile_is_not_merged_unseen(page: Page, upkeep: Upkeep) -> None:
    keep, lose = twins(upkeep)
    sign_in(page, upkeep, "lin", f"/upkeep/site/{keep}")
    page.goto(f"{upkeep.url}/upkeep/site/{keep}/merge/{lose}")
    update(upkeep, lose, contact="c@example.com")
    page.get_by_role("group", name="邮箱").get_by_role("radio", name="b@example.com").check()
    page.get_by_role("button", name="合并这两条").click()
    expect(page.get_by_role("alert")).to_contain_text("别人已先保存过这条记录")
    expect(page.get_by_role("group", name="邮箱").get_by_role("radio", name="c@example.com")).to_be_checked()
    assert len(upkeep.records("site")) == 2


def test_the_other_one_can_stay_instead_on_a_phone_in_english(page: Page, upkeep: Upkeep) -> None:
    keep, lose = twins(upkeep)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    sign_in(page, upkeep, "lin", f"/upkeep/site/{keep}")
    page.goto(f"{upkeep.url}/upkeep/site/{keep}/merge/{lose}?language=en")
    expect(page.get_by_role("heading", name="Merge Site")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert all(each.bounding_box()["height"] >= 44 for each in page.locator("label.mg-c").all())  # type: ignore[index]
    assert violations(page, "merging on a phone") == []
    page.locator(".mg-go").get_by_role("link", name="Keep the other").click()
    page.get_by_role("button", name="合并这两条").click()
    assert [each["id"] for each in upkeep.records("site")] == [str(lose)]


def test_whoever_may_not_merge_is_told_who_may(upkeep: Upkeep) -> None:
    keep, lose = twins(upkeep)
    answer = upkeep.browse("wang").get(f"/upkeep/site/{keep}/merge/{lose}")
    assert answer.status_code == 403
    assert "你不能合并这条站点" in answer.text
    assert "调度可以" in answer.text
