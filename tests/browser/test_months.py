"""The calendar: a month of records by one of their dates, at a desk as a grid, on a phone as a list of days."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Upkeep
from tests.browser.test_pages import sign_in, violations

pytestmark = pytest.mark.browser


def test_records_stand_on_their_days_and_new_ones_are_begun_there(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit(title="东湖", planned="2026-10-01", kind="repair")
    upkeep.visit(title="西山", planned="2026-10-31")
    upkeep.visit(title="南岭", planned="2026-11-01")
    sign_in(page, upkeep, path="/upkeep/visit")
    page.get_by_role("link", name="日历").click()
    page.goto(f"{upkeep.url}/upkeep/visit/calendar?month=2026-10")
    expect(page.locator("td", has=page.locator('time[datetime="2026-10-01"]'))).to_contain_text("东湖")
    expect(page.locator("td.out", has_text="南岭")).to_have_count(1)  # the week of Saturday the 31st ends in November
    # A statutory holiday is no working day; the Saturday worked instead is one.
    expect(page.locator("td.off", has=page.locator('time[datetime="2026-10-01"]'))).to_have_count(1)
    expect(page.locator("td.off", has=page.locator('time[datetime="2026-10-10"]'))).to_have_count(0)
    assert violations(page, "calendar") == []
    page.get_by_role("link", name="下个月").click()
    expect(page.get_by_role("heading", name="2026 年 11 月")).to_be_visible()
    expect(page.get_by_role("link", name="东湖")).to_have_count(0)
    page.get_by_role("link", name="11月20日 周五新建").click()
    expect(page.get_by_label("计划日期")).to_have_value("2026-11-20")


def test_a_phone_shows_the_days_that_have_something(page: Page, upkeep: Upkeep) -> None:
    upkeep.visit(title="东湖", planned="2026-10-01")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    sign_in(page, upkeep, path="/upkeep/visit")
    page.goto(f"{upkeep.url}/upkeep/visit/calendar?month=2026-10")
    expect(page.get_by_text("10月1日 周四")).to_be_visible()
    expect(page.locator("td:visible")).to_have_count(1)
    assert violations(page, "calendar on a phone") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_instants_stand_on_the_local_day_and_nonsense_is_harmless(upkeep: Upkeep) -> None:
    upkeep.visit(title="东湖")
    client = upkeep.browse("wang")
    html = client.get("/upkeep/visit/calendar?on=created_at").text
    assert "东湖" in html
    for query in ("month=2026-13", "month=0000-01", "on=secret", "where=nonsense+%3D", "month=9999-12"):
        assert client.get(f"/upkeep/visit/calendar?{query}").status_code == 200, query
    assert client.get("/upkeep/site/calendar").status_code == 404
