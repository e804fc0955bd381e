"""Looking at records: conditions in words and as an expression, groups with sums, gates at a glance, pinyin."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Upkeep
from tests.browser.test_lists_cells import enter
from tests.browser.test_pages import violations

pytestmark = pytest.mark.browser


@pytest.fixture
def visits(upkeep: Upkeep) -> Upkeep:
    upkeep.visit(title="东湖泵站", budget=1200, planned="2026-12-01")
    upkeep.visit(title="西山水塔", budget=300, kind="repair")
    upkeep.visit("zhao", title="南岭阀门", budget=90, kind="repair", planned="2027-01-09")
    return upkeep


def rows(page: Page) -> list[str]:
    return [text.strip() for text in page.locator("tr[data-row] td.first a").all_text_contents()]


def test_a_condition_is_put_together_in_words_and_said_as_an_expression(page: Page, visits: Upkeep) -> None:
    enter(page, visits, "/upkeep/visit?view=all")
    page.get_by_role("link", name="条件").click()
    page.locator(".askf").get_by_role("link", name="预算", exact=True).click()
    expect(page.get_by_label("怎样比较")).to_be_focused()
    assert violations(page, "asking for a condition") == []
    page.get_by_label("怎样比较").select_option("ge")
    page.get_by_label("比较的值").fill("很多")
    page.get_by_label("比较的值").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("这个值不合适")
    page.get_by_label("比较的值").fill("200")
    page.locator(".ask").get_by_role("button", name="应用").click()
    expect(page.locator(".crit")).to_have_text(re.compile(r"预算\s*不少于\s*¥200.00"))
    assert sorted(rows(page)) == ["东湖泵站", "西山水塔"]

    # An alternative beside it, by an operator without a value.
    page.locator(".crit a").click()
    page.locator(".askf").get_by_role("link", name="维修工", exact=True).click()
    page.get_by_label("怎样比较").select_option("named")
    page.get_by_label("比较的值").fill("赵")
    page.get_by_label("比较的值").press("Enter")
    expect(page.locator(".crit")).to_have_count(2)
    assert len(rows(page)) == 3

    page.get_by_role("link", name="表达式").click()
    expression = page.get_by_label("表达式")
    expect(expression).to_have_value("(budget >= 200.00 or contains(worker.name, '赵'))")
    expect(page.locator(".exb")).to_contain_text("有效 · 3 条")
    assert violations(page, "an expression") == []
    expression.fill("budget >= 200 and colour == 1")
    page.locator(".exb").get_by_role("button").click()
    expect(page.locator(".exb [role=alert]")).to_contain_text("colour")
    expect(page.get_by_label("表达式")).to_have_value("budget >= 200 and colour == 1")
    page.get_by_label("表达式").fill("budget < 200")
    page.locator(".exb").get_by_role("button").click()
    expect(page.locator("tr[data-row]")).to_have_count(1)
    assert rows(page) == ["南岭阀门"]
    page.get_by_role("link", name="清除筛选").click()
    expect(page.locator("tr[data-row]")).to_have_count(3)


def test_groups_open_and_close_and_say_what_they_add_up_to(page: Page, visits: Upkeep) -> None:
    enter(page, visits, "/upkeep/visit?view=all&columns=title&columns=kind&columns=budget")
    page.locator("summary", has_text="分组").click()
    page.locator(".arr").get_by_role("link", name="类型", exact=True).click()
    groups = page.locator("tr.grp")
    expect(groups).to_have_count(2)
    expect(groups.nth(0)).to_contain_text("例行1 条")
    expect(groups.nth(1)).to_contain_text("抢修2 条")
    expect(groups.nth(1)).to_contain_text("¥390.00")
    expect(page.locator(".lfoot")).to_contain_text("预算合计 ¥1,590.00")
    assert violations(page, "groups") == []
    toggle = groups.nth(1).get_by_role("link")
    toggle.focus()
    page.keyboard.press("Enter")
    expect(page.locator("tr[data-row]")).to_have_count(1)
    expect(page.locator("tr.grp").nth(1).get_by_role("link")).to_be_focused()
    expect(page.locator("tr.grp").nth(1).get_by_role("link")).to_have_attribute("aria-expanded", "false")
    # The address says it too.
    page.reload()
    expect(page.locator("tr[data-row]")).to_have_count(1)
    page.goto(f"{visits.url}/upkeep/visit?view=all&columns=title&columns=planned&group=planned.month")
    assert [text.split()[0:2] for text in page.locator("tr.grp b").all_text_contents()] == [
        ["2027", "年"], ["2026", "年"], ["无"],
    ]  # fmt: skip


def test_gates_show_how_many_of_their_needs_are_met_without_a_question_per_row(page: Page, visits: Upkeep) -> None:
    enter(page, visits, "/upkeep/visit?view=all&columns=title&columns=stage")
    row = page.locator("tr[data-row]", has_text="西山水塔")
    expect(row.get_by_role("img", name="门槛 1/2")).to_be_visible()
    expect(row.locator(".gp")).to_have_attribute("title", re.compile("还缺：.*计划日期"))
    expect(page.locator("tr[data-row]", has_text="东湖泵站").get_by_role("img", name="门槛 2/2")).to_be_visible()
    page.goto(f"{visits.url}/upkeep/visit/board?view=all")
    expect(page.locator(".kc", has_text="西山水塔").get_by_role("img", name="门槛 1/2")).to_be_visible()


def test_titles_are_found_by_their_pinyin(page: Page, visits: Upkeep) -> None:
    enter(page, visits, "/upkeep/visit?view=all")
    for typed in ("dhbz", "donghu", "东湖"):
        page.get_by_role("searchbox", name="搜索维保单").fill(typed)
        page.get_by_role("searchbox", name="搜索维保单").press("Enter")
        expect(page).to_have_url(re.compile("q="))
        expect(page.locator("tr[data-row]")).to_have_count(1)
        assert rows(page) == ["东湖泵站"], typed


def test_a_phone_shows_groups_and_conditions_without_scrolling_sideways(page: Page, visits: Upkeep) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    enter(page, visits, "/upkeep/visit?view=all&group=kind&c.1=budget.ge.100")
    expect(page.locator("tr.grp")).to_have_count(2)
    assert violations(page, "groups on a phone") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(f"{visits.url}/upkeep/visit?view=all&add=kind&beside=1")
    expect(page.get_by_label("怎样比较")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(f"{visits.url}/upkeep/visit?view=all&group=kind&language=en")
    expect(page.locator("tr.grp").nth(0)).to_contain_text("1 records")


def test_a_list_costs_the_same_few_statements_however_many_rows_it_shows(upkeep: Upkeep) -> None:
    client = upkeep.browse("wang")
    counts: dict[str, list[int]] = {}
    for many in (2, 12):
        while len(upkeep.records("visit")) < many:
            upkeep.visit(title="东湖", kind="repair", planned="2026-12-01")
        for path in (
            "/upkeep/visit?view=all&columns=title&columns=stage",
            "/upkeep/visit?view=all&group=kind",
            "/upkeep/visit/board?view=all",
        ):
            client.get(path)
            with upkeep.site.db.counter() as counter:
                assert client.get(path).status_code == 200
            counts.setdefault(path, []).append(counter.count)
    for path, (few, more) in counts.items():
        # The server itself looks now and then what is live.
        assert more < few + 5, path
        assert few < 25, path
