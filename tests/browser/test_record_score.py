"""Trying out a score on the record's page: the same arithmetic as the server's, nothing saved."""

import json
import random

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Upkeep
from tests.browser.test_pages import sign_in
from tests.browser.test_record_talk import violations

pytestmark = pytest.mark.browser


def test_terms_are_moved_by_keyboard_and_the_score_follows_without_being_saved(page: Page, upkeep: Upkeep) -> None:
    path = upkeep.visit(planned="2026-12-01")
    sign_in(page, upkeep)
    page.goto(upkeep.url + path)
    card = page.locator(".dg-card", has_text="就绪度")
    card.get_by_text("试算").click()
    told = card.get_by_role("status")
    expect(told).to_contain_text("40")
    expect(told).to_contain_text("准备中")
    slider = card.get_by_role("slider", name="已有预算")
    slider.focus()
    slider.press("End")
    expect(told).to_contain_text("100")
    expect(told).to_contain_text("就绪")
    expect(told).to_contain_text("+60")
    slider.press("Home")
    expect(told).not_to_contain_text("+")
    card.get_by_role("slider", name="已定日期").press("Home")
    expect(told).to_contain_text("−40")
    assert violations(page) == []
    card.get_by_role("button", name="还原").click()
    expect(told).to_contain_text("40")
    page.reload()
    expect(card.locator(".big")).to_have_text("40")


def test_the_browser_adds_up_what_the_server_adds_up(page: Page, upkeep: Upkeep) -> None:
    score = upkeep.site.app("upkeep").scores["readiness"]
    path = upkeep.visit()
    sign_in(page, upkeep)
    page.goto(upkeep.url + path)
    rule = json.loads(page.locator("[data-score]").get_attribute("data-score") or "")
    rnd = random.Random(7)
    tried = [[None if rnd.random() < 0.2 else rnd.randrange(10**6 + 1) for _ in rule["terms"]] for _ in range(60)]
    module = page.evaluate("document.querySelector('script[type=module]').src.replace('pages.js', 'score.js')")
    found = page.evaluate(
        """([module, rule, tried]) => import(module).then((score) => tried.map((values) =>
            Number(score.total(rule, values.map((value) => value === null ? null : BigInt(value))))))""",
        [module, rule, tried],
    )
    assert found == [score.total(values) for values in tried]
