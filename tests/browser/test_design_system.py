"""What holds for the look of every page: the parts hinder nobody, a first visit is light, nothing jumps."""

import gzip
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response

from tests.browser.conftest import DESK, PHONE, Upkeep
from tests.browser.test_pages import sign_in, violations

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
LIGHTEST = 130_000  # bytes of a first visit, compressed


@pytest.mark.parametrize("name", ["design-system.html", "design-system.en.html"])
def test_no_part_hinders_anybody_in_light_or_dark(page: Page, name: str) -> None:
    page.set_viewport_size(DESK)
    page.goto((REFERENCE / name).as_uri())
    assert page.locator(".spec-in").count() > 40
    assert violations(page, name) == []


@pytest.mark.parametrize("address", ["/upkeep/", "/upkeep/visit", "/upkeep/visit/board", "/upkeep/visit/new"])
def test_a_first_visit_is_light_and_nothing_jumps(page: Page, upkeep: Upkeep, address: str) -> None:
    for number in range(12):
        upkeep.visit(kind="repair", notes=f"第 {number} 次")
    sign_in(page, upkeep)
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        fetched: dict[str, int] = {}

        def weigh(response: Response, fetched: dict[str, int] = fetched) -> None:
            if response.url.startswith(upkeep.url) and response.status == 200:
                fetched[response.url] = len(gzip.compress(response.body(), 6))

        page.on("response", weigh)
        page.goto(upkeep.url + address, wait_until="networkidle")
        page.remove_listener("response", weigh)
        assert any(url.endswith(".css") for url in fetched)
        assert sum(fetched.values()) <= LIGHTEST, fetched
        moved = page.evaluate(
            "new Promise(done => new PerformanceObserver(list => done(list.getEntries().reduce((sum, e) => sum + e.value, 0)))"
            ".observe({type: 'layout-shift', buffered: true}) || setTimeout(() => done(0), 200))"
        )
        assert moved < 0.01
