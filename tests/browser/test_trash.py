"""The recycle bin: what was deleted, by whom and why, and how it comes back."""

import pytest
from playwright.sync_api import Page, expect

from engine.runtime import Bulk, Delete, Merge
from tests.browser.conftest import PHONE, Upkeep
from tests.browser.test_pages import sign_in, violations

pytestmark = pytest.mark.browser
BIN = "/upkeep/my-trash"


def act(upkeep: Upkeep, login: str, *commands: object) -> None:
    app = upkeep.site.app("upkeep")
    principal = upkeep.site.people.principal(upkeep.users[login], "upkeep", app.policies)
    assert principal is not None
    upkeep.site.runtime.execute(app, principal, Bulk(commands, atomic=True))  # type: ignore[arg-type]


def ids(upkeep: Upkeep, entity: str) -> list[int]:
    return [int(each["id"]) for each in upkeep.records(entity)]


def test_deleted_records_come_back_together(page: Page, upkeep: Upkeep) -> None:
    for title in ("东湖", "西山", "南岭"):
        upkeep.visit("lin", title=title)
    act(upkeep, "lin", *(Delete("visit", id) for id in ids(upkeep, "visit")))
    sign_in(page, upkeep, "lin", BIN)
    expect(page.locator("td.first")).to_have_count(3)
    expect(page.locator(".dg-top")).to_contain_text("3 条")
    expect(page.locator("tbody tr").first).to_contain_text("林慧")
    assert violations(page, "the recycle bin") == []
    for title in ("东湖", "西山"):
        page.get_by_role("checkbox", name=f"选择「{title}」").check()
    page.locator(".bulk").get_by_role("button", name="恢复").click()
    expect(page.get_by_role("status")).to_contain_text("2 条已完成")
    page.get_by_role("link", name="回到列表").click()
    expect(page.locator("td.first")).to_have_count(1)
    page.get_by_role("row", name="南岭").get_by_role("button", name="恢复").click()
    expect(page.get_by_role("status").first).to_contain_text("已恢复")
    assert sorted(upkeep.titles("visit")) == ["东湖", "南岭", "西山"]


def test_what_must_come_back_first_is_named_and_comes_back_with_one_press(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit("lin", title="东湖春检")
    (visit,), (site,) = ids(upkeep, "visit"), ids(upkeep, "site")
    act(upkeep, "lin", Delete("visit", visit), Delete("site", site))
    sign_in(page, upkeep, "lin", BIN)
    page.goto(f"{upkeep.url}{BIN}?entity=visit")
    page.get_by_role("button", name="恢复").first.click()
    expect(page.get_by_role("alert")).to_contain_text("东湖泵站 1")
    assert violations(page, "a record that cannot come back yet") == []
    page.get_by_role("button", name="先恢复它，再恢复这条").click()
    expect(page.get_by_role("status").first).to_contain_text("已恢复")
    assert (upkeep.titles("visit"), upkeep.titles("site")) == (["东湖春检"], ["东湖泵站 1"])


def test_a_record_that_was_merged_says_so_and_the_merge_is_undone_from_here(page: Page, upkeep: Upkeep) -> None:
    for name in ("东湖泵站", "东湖水泵站"):
        upkeep.create("lin", "site", name=name, phone="13857162204")
    keep, lose = ids(upkeep, "site")
    act(upkeep, "lin", Merge("site", keep, lose))
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    sign_in(page, upkeep, "lin", BIN)
    expect(page.locator("tbody")).to_contain_text("并入「东湖泵站」")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert violations(page, "the recycle bin on a phone") == []
    page.get_by_role("button", name="撤销合并").click()
    expect(page.get_by_role("status").first).to_contain_text("已撤销")
    assert upkeep.titles("site") == ["东湖泵站", "东湖水泵站"]


def test_a_worker_who_may_restore_nothing_finds_nothing(upkeep: Upkeep) -> None:
    upkeep.visit("lin", title="东湖")
    act(upkeep, "lin", Delete("visit", ids(upkeep, "visit")[0]))
    page = upkeep.browse("wang").get(f"{BIN}?entity=visit").text
    assert "东湖" not in page
    assert "回收站是空的" in page
    assert "Recycle bin" in upkeep.browse("lin").get(f"{BIN}?language=en").text
