"""The drawing of linked records: two steps far, only what the reader may see, the same as a list."""

import re
from html import unescape

import pytest
from playwright.sync_api import Page, expect

from engine.runtime import Comment
from tests.browser.conftest import PHONE, Upkeep
from tests.browser.test_pages import sign_in
from tests.browser.test_record_talk import violations

pytestmark = pytest.mark.browser


def linked(html: str) -> set[str]:
    """The titles of the records drawn."""
    drawn = html.split('class="scroller linked"', 1)[-1].split("</svg>", 1)[0]
    return {unescape(each) for each in re.findall(r"<g[^>]*><title>([^<]*)</title>", drawn)}


def test_links_are_drawn_two_steps_far_and_lead_on_by_keyboard(page: Page, upkeep: Upkeep) -> None:
    site = upkeep.create("wang", "site", name="东湖泵站")
    first = upkeep.create("wang", "visit", title="春季维保", site=str(site.id))
    upkeep.create("wang", "visit", title="夏季维保", site=str(site.id))
    upkeep.create("wang", "visit", title="别处", site=str(upkeep.create("wang", "site", name="西山水塔").id))
    sign_in(page, upkeep)
    page.goto(f"{upkeep.url}/upkeep/visit/{first.id}?tab=relations")
    assert linked(page.content()) == {"春季维保", "夏季维保", "东湖泵站"}
    listed = page.locator(".facts.one")
    expect(listed).to_contain_text("维保单（东湖泵站）")
    assert violations(page) == []
    link = page.locator(".linked a", has_text="东湖泵站")
    link.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="东湖泵站")).to_be_visible()

    page.set_viewport_size(PHONE)
    page.goto(f"{upkeep.url}/upkeep/visit/{first.id}?tab=relations")
    expect(page.locator(".linked")).to_be_hidden()
    expect(page.locator(".facts.one").get_by_role("link", name="夏季维保")).to_be_visible()


def test_a_record_that_one_may_not_see_is_absent_with_every_trace(upkeep: Upkeep) -> None:
    site = upkeep.create("wang", "site", name="东湖泵站")
    upkeep.create("wang", "request", title="漏水急修", site=str(site.id))
    path = f"/upkeep/site/{site.id}?tab=relations"
    assert "漏水急修" in linked(upkeep.browse("wang").get(path).text)
    zhao = upkeep.browse("zhao").get(path).text
    assert "漏水急修" not in zhao
    alone = upkeep.create("wang", "site", name="东湖泵站")
    other = upkeep.browse("zhao").get(f"/upkeep/site/{alone.id}?tab=relations").text
    drawn = [each.split('<div class="tab">', 1)[1].split("</aside>", 1)[0] for each in (zhao, other)]
    assert next(linked(each) for each in drawn) == [linked(each) for each in drawn][1]


def test_the_parts_of_a_record_page_ask_a_bounded_number_of_questions(upkeep: Upkeep) -> None:
    """However much there is, a part asks as often: nothing is asked for each row."""
    site = upkeep.create("wang", "site", name="东湖泵站")
    wang = upkeep.browse("wang")

    def asked(tab: str) -> int:
        path = f"/upkeep/site/{site.id}?tab={tab}"
        wang.get(path)
        counts = []
        for _ in range(3):
            with upkeep.site.db.counter() as counter:
                assert wang.get(path).status_code == 200
            counts.append(counter.count)
        return min(counts)

    def fill(count: int) -> None:
        app = upkeep.site.app("upkeep")
        principal = upkeep.site.people.principal(upkeep.users["wang"], "upkeep", app.policies)
        assert principal is not None
        assert site.id is not None
        for number in range(count):
            upkeep.create("wang", "visit", title=f"维保 {number}", site=str(site.id))
            upkeep.site.runtime.execute(app, principal, Comment("site", site.id, f"@[lin] 第 {number} 条"))

    fill(1)
    few = {tab: asked(tab) for tab in ("details", "timeline", "relations")}
    fill(12)
    assert {tab: asked(tab) for tab in few} == few
