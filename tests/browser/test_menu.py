"""The menu is grouped as the definition says, shows what one may see, and stays as one folded it."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from engine.clock import SystemClock
from engine.definition import load
from engine.publishing.apply import publish
from tests.browser.conftest import APP, DESK, Upkeep
from tests.browser.test_pages import sign_in, violations

pytestmark = pytest.mark.browser
MENU = """
menu:
  outside: {label: {zh: 外勤, en: Out and about}, entities: [visit, site]}
  papers: {label: {zh: 单据, en: Papers}, entities: [request], folded: true}
"""


@pytest.fixture
def grouped(upkeep: Upkeep, tmp_path: Path) -> Upkeep:
    path = tmp_path / "grouped.yaml"
    path.write_text(APP.read_text(encoding="utf-8") + MENU, encoding="utf-8")
    publish(upkeep.site.db, load(path), SystemClock())
    upkeep.site.live.refresh()
    return upkeep


def test_without_a_menu_the_entities_follow_one_another(page: Page, upkeep: Upkeep) -> None:
    page.set_viewport_size(DESK)
    sign_in(page, upkeep)
    expect(page.locator(".navg")).to_have_count(1)
    expect(page.locator(".navg .dg-nav")).to_have_text(["站点", "维保单", "报修"])


def test_groups_come_in_their_order_and_stay_as_the_reader_folds_them(page: Page, grouped: Upkeep) -> None:
    page.set_viewport_size(DESK)
    sign_in(page, grouped)
    expect(page.locator(".navg summary")).to_have_text(["外勤", "单据"])
    expect(page.locator(".navg .dg-nav:visible")).to_have_text(["维保单", "站点"])
    assert violations(page, "menu") == []
    page.locator(".navg summary", has_text="单据").press("Enter")
    page.locator(".navg summary", has_text="外勤").click()
    expect(page.locator(".navg .dg-nav:visible")).to_have_text(["报修"])
    page.reload()
    expect(page.locator(".navg .dg-nav:visible")).to_have_text(["报修"])
    page.goto(f"{grouped.url}/upkeep/site")
    expect(page.locator(".navg .dg-nav[aria-current=page]")).to_be_visible()


def test_a_group_of_which_one_sees_nothing_is_not_there(page: Page, grouped: Upkeep, tmp_path: Path) -> None:
    text = (tmp_path / "grouped.yaml").read_text(encoding="utf-8")
    closed = [line for line in text.split("\n") if not line.startswith("    request: {rows:")]
    assert len(closed) == text.count("\n")
    path = tmp_path / "closed.yaml"
    path.write_text("\n".join(closed), encoding="utf-8")
    publish(grouped.site.db, load(path), SystemClock())
    grouped.site.live.refresh()
    page.set_viewport_size(DESK)
    sign_in(page, grouped)
    page.goto(f"{grouped.url}/upkeep/my-page?language=en")
    expect(page.locator(".navg summary")).to_have_text(["Out and about"])
