"""Cells of a list: changed where they stand, by the keyboard or a double click; what is refused is said at the cell."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PHONE, Upkeep
from tests.browser.test_pages import sign_in, violations

pytestmark = pytest.mark.browser
LIST = "/upkeep/visit?view=all&columns=title&columns=stage&columns=planned&columns=budget&columns=kind&columns=worker"


def enter(page: Page, upkeep: Upkeep, path: str, login: str = "wang") -> None:
    sign_in(page, upkeep, login)
    page.goto(upkeep.url + path)


def cell(page: Page, title: str, name: str) -> Locator:
    return page.locator("tr[data-row]", has_text=title).locator(f'td[data-edit="{name}"]')


def test_enter_saves_escape_gives_up_and_tab_goes_on(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit(title="东湖", budget=1200, planned="2026-12-01")
    enter(page, upkeep, LIST)
    cell(page, "东湖", "budget").dblclick()
    control = page.locator("td.editing input:not([type=hidden])")
    expect(control).to_be_focused()
    assert violations(page, "a cell that is edited") == []
    control.fill("3000")
    control.press("Enter")
    expect(cell(page, "东湖", "budget")).to_have_text("¥3,000.00")
    expect(page.locator("#cell-says")).to_have_text("已保存")

    page.keyboard.press("F2")
    page.locator("td.editing input:not([type=hidden])").fill("9")
    page.keyboard.press("Escape")
    expect(cell(page, "东湖", "budget")).to_have_text("¥3,000.00")

    # From a date with Tab to the next cell; a choice is chosen from its options.
    cell(page, "东湖", "planned").dblclick()
    page.locator("td.editing input").fill("2026-12-24")
    page.keyboard.press("Tab")
    expect(cell(page, "东湖", "planned")).to_have_attribute("title", "2026-12-24")
    expect(cell(page, "东湖", "planned")).to_contain_text("12月24日")
    expect(page.locator("td.editing")).to_have_attribute("data-edit", "budget")
    page.keyboard.press("Tab")
    page.locator("td.editing select").select_option("repair")
    page.keyboard.press("Enter")
    expect(cell(page, "东湖", "kind")).to_have_text("抢修")
    (record,) = upkeep.records("visit")
    assert (record["budget"], record["planned"], record["kind"]) == (3000, "2026-12-24", "repair")


def test_what_is_refused_is_said_at_the_cell_and_what_was_typed_stays(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit(title="东湖", budget=1200)
    enter(page, upkeep, LIST)
    cell(page, "东湖", "budget").dblclick()
    control = page.locator("td.editing input:not([type=hidden])")
    control.fill("很多钱")
    control.press("Enter")
    expect(page.locator("td.editing [role=alert]")).to_contain_text("预算")
    expect(control).to_have_value("很多钱")
    control.fill("-5")
    control.press("Enter")
    expect(page.locator("td.editing [role=alert]")).to_contain_text("不能小于 0")
    control.fill("5")
    control.press("Enter")
    expect(cell(page, "东湖", "budget")).to_have_text("¥5.00")


def test_what_somebody_else_has_changed_is_shown_before_it_is_replaced(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit(title="东湖", budget=1200)
    enter(page, upkeep, LIST)
    (record,) = upkeep.records("visit")
    client = upkeep.browse("lin")
    csrf = client.get(LIST).text.partition('data-cells="')[2].partition('"')[0]
    given = {"field": "budget", "budget": "7000", "~version": record["version"], "columns": "title", "csrf": csrf}
    assert client.post(f"/upkeep/visit/{record['id']}/cell", data=given).status_code == 200

    cell(page, "东湖", "budget").dblclick()
    control = page.locator("td.editing input:not([type=hidden])")
    control.fill("8000")
    control.press("Enter")
    expect(page.locator("td.editing [role=alert]")).to_contain_text("现在的值：¥7,000.00")
    expect(control).to_have_value("8,000.00")
    control.press("Enter")
    expect(cell(page, "东湖", "budget")).to_have_text("¥8,000.00")


def test_only_what_may_be_written_is_a_cell_that_opens(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit("zhao", title="西山", budget=10)
    enter(page, upkeep, LIST)
    expect(page.locator('td[data-edit="stage"]')).to_have_count(0)
    # Somebody else's: the control opens, and saving says why not.
    cell(page, "西山", "budget").dblclick()
    control = page.locator("td.editing input:not([type=hidden])")
    control.fill("20")
    control.press("Enter")
    expect(page.locator("td.editing [role=alert]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(cell(page, "西山", "budget")).to_have_text("¥10.00")


def test_on_a_phone_a_record_is_opened_and_not_edited_in_the_list(page: Page, upkeep: Upkeep) -> None:
    path = upkeep.visit(title="东湖", budget=1200)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    enter(page, upkeep, LIST)
    cell(page, "东湖", "budget").dblclick()
    expect(page.locator("td.editing")).to_have_count(0)
    page.get_by_role("link", name="东湖", exact=True).click()
    expect(page).to_have_url(f"{upkeep.url}{path}")
