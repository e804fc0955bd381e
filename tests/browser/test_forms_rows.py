"""Tables in forms: rows by keys, and blocks of cells from a spreadsheet."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, Upkeep
from tests.browser.test_pages import press, sign_in

pytestmark = pytest.mark.browser
PASTE = """(text) => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
}"""


def begin(page: Page, upkeep: Upkeep) -> None:
    upkeep.create("wang", "site", name="东湖泵站")
    sign_in(page, upkeep, path="/upkeep/visit/new")
    page.get_by_label("标题").fill("春季维保")
    page.get_by_role("combobox", name="站点").press_sequentially("东湖")
    page.get_by_role("option", name="东湖泵站").click()


def test_rows_come_and_go_by_keys(page: Page, upkeep: Upkeep) -> None:
    begin(page, upkeep)
    page.locator("[data-add-row]").click()
    name, count = page.get_by_label("品名"), page.get_by_label("数量")
    expect(name.first).to_be_focused()
    name.first.fill("密封圈")
    name.first.press("Enter")
    expect(name.nth(1)).to_be_focused()
    name.nth(1).fill("轴承")
    count.nth(1).fill("2")
    count.nth(1).press("ArrowUp")
    expect(count.first).to_be_focused()
    count.first.fill("4")
    count.first.press("Enter")
    expect(count.nth(1)).to_be_focused()
    count.nth(1).press("Alt+Delete")
    expect(name).to_have_count(1)
    expect(count.first).to_be_focused()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_block_of_cells_fills_rows_and_says_which_cells_need_mending(
    page: Page, upkeep: Upkeep, size: dict[str, int]
) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    begin(page, upkeep)
    page.locator("[data-add-row]").click()
    page.get_by_label("品名").focus()
    page.evaluate(PASTE, "密封圈\t4\t¥1,200.50\r\n轴承\t许多\t1.2万\r\n")
    rows = page.locator("[data-rows] tbody tr")
    expect(rows).to_have_count(2)
    expect(page.locator("[data-pasted]")).to_contain_text("已贴入 6 个格子")
    expect(page.locator("[data-pasted]")).to_contain_text("其中 1 个要改")
    expect(page.get_by_label("单价").first).to_have_value("1,200.50")
    expect(page.get_by_label("单价").nth(1)).to_have_value("12,000.00")
    bad = page.get_by_label("数量").nth(1)
    expect(bad).to_have_value("许多")
    expect(bad).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[data-missing]")).to_contain_text("第 2 行 数量")
    bad.fill("2")
    expect(page.locator("[data-missing]")).to_contain_text("可以保存")
    press(page, "保存")
    expect(page.get_by_role("status").first).to_contain_text("已新建")
    assert sorted(part["quantity"] for part in upkeep.records("part")) == [2, 4]
