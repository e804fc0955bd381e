"""Importing a file step by step: at a desk, on a phone, without a script, and what one may not."""

import io
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import xlsxwriter
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, Upkeep
from tests.browser.test_pages import sign_in, violations
from tests.browser.test_pages_without_script import text_of

IMPORT = "/upkeep/visit/import"
HEADERS = "标题,站点,安排在,预算,来历\r\n"
ROWS = (
    "东湖春检,东湖泵站,3/2/2026,1.2万,旧系统\r\n西山夏检,东湖泵站,3/5/2026,很多,\r\n南岭秋检,没有的站,4/1/2026,300,\r\n"
)


def table(text: str, name: str = "计划.csv", encoding: str = "utf-8-sig") -> Any:
    return {"name": name, "mimeType": "text/csv", "buffer": text.encode(encoding)}


def spreadsheet(rows: list[list[Any]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet("名单")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return out.getvalue()


def stored(upkeep: Upkeep) -> dict[str, tuple[Any, Any]]:
    return {each["title"]: (each["planned"], each["budget"]) for each in upkeep.records("visit")}


# -- in a browser ------------------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_file_is_matched_tried_imported_mended_and_uploaded_again(
    page: Page, upkeep: Upkeep, tmp_path: Path, size: Any
) -> None:
    upkeep.create("lin", "site", name="东湖泵站")
    page.set_viewport_size(size)
    sign_in(page, upkeep, "lin", "/upkeep/visit?view=all")
    page.locator("summary[aria-label=更多]").locator("visible=true").last.click()
    page.get_by_role("link", name="导入").locator("visible=true").click()
    assert violations(page, "upload") == []

    page.get_by_role("button", name="上传并继续").click()
    expect(page.locator(".err")).to_contain_text("还没有选择文件")
    assert violations(page, "nothing uploaded") == []
    page.get_by_label("文件", exact=True).set_input_files([table(HEADERS + ROWS)])
    page.get_by_role("button", name="上传并继续").click()

    expect(page.get_by_label("「预算」对应的字段")).to_have_value("budget")
    expect(page.get_by_label("「安排在」对应的字段")).to_have_value("")
    expect(page.locator(".imp-row", has_text="来历")).to_contain_text("旧系统")
    assert violations(page, "matching") == []
    page.get_by_label("「安排在」对应的字段").select_option(label="计划日期")
    page.get_by_label("用「标题」识别已有记录").check()
    page.get_by_role("button", name="预览").click()
    # A date that can be read in two ways is asked about before anything is tried.
    expect(page.get_by_role("alert")).to_contain_text("请先确认写法")
    orders = page.get_by_label("「安排在」的日期写法")
    expect(orders.locator("option")).to_have_text(
        ["月/日/年（3/2/2026 → 2026-03-02）", "日/月/年（3/2/2026 → 2026-02-03）"]
    )
    assert violations(page, "dates") == []
    orders.select_option("mdy")
    page.get_by_role("button", name="预览").click()

    expect(page.locator(".imp-counts")).to_have_text(re.compile(r"新建\s*1\s*更新\s*0\s*未变\s*0\s*不能导入\s*2"))
    expect(page.locator(".imp-line", has_text="第 3 行")).to_contain_text("预算")
    expect(page.locator(".imp-line", has_text="第 4 行")).to_contain_text("「站点」里找不到「没有的站」")
    expect(page.locator(".imp-rows tbody tr")).to_have_count(1)
    expect(page.locator(".imp-rows")).to_contain_text("2026-03-02")
    assert violations(page, "preview") == []
    assert stored(upkeep) == {}
    page.get_by_role("button", name="改对应关系").click()
    expect(page.get_by_label("「安排在」的日期写法")).to_have_value("mdy")
    page.get_by_role("button", name="预览").click()
    page.get_by_role("button", name="导入 1 行").click()

    expect(page.get_by_role("status").first).to_contain_text("已导入 1 行。 2 行没有导入。")
    assert violations(page, "done") == []
    assert stored(upkeep) == {"东湖春检": ("2026-03-02", 12000)}
    with page.expect_download() as download:
        page.get_by_role("link", name="下载未导入的行").click()
    left = tmp_path / "left.csv"
    download.value.save_as(left)
    text = left.read_text("utf-8-sig")
    assert "未导入原因" in text
    assert "东湖春检" not in text
    mended = text.replace("很多", "500").replace("没有的站", "东湖泵站")
    page.get_by_label("上传改好的文件").set_input_files([table(mended)])
    page.get_by_role("button", name="上传并继续").click()
    # What was matched by hand is still matched.
    expect(page.get_by_label("「安排在」对应的字段")).to_have_value("planned")
    expect(page.get_by_label("用「标题」识别已有记录")).to_be_checked()
    page.get_by_role("button", name="预览").click()
    page.get_by_role("button", name="导入 2 行").click()
    expect(page.get_by_role("status").first).to_contain_text("已导入 2 行。")
    assert stored(upkeep) == {
        "东湖春检": ("2026-03-02", 12000),
        "西山夏检": ("2026-03-05", 500),
        "南岭秋检": ("2026-04-01", 300),
    }


@pytest.mark.browser
def test_while_it_takes_long_the_page_says_so_and_sends_once(page: Page, upkeep: Upkeep) -> None:
    upkeep.create("lin", "site", name="东湖泵站")
    sign_in(page, upkeep, "lin", "/upkeep/site/import")
    page.get_by_label("文件", exact=True).set_input_files([table("名称\r\n西山水塔\r\n")])
    page.get_by_role("button", name="上传并继续").click()
    page.get_by_role("button", name="预览").click()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method) if request.url.endswith("/import") else None)
    expect(page.get_by_role("button", name="导入 1 行")).to_be_visible()
    page.wait_for_load_state()
    # Pressed twice before the answer is there.
    told = page.evaluate(
        """() => {
            const button = document.querySelector("button[value=import]");
            for (let n = 0; n < 2; n++) button.click();
            return [button.getAttribute("aria-disabled"), button.form.querySelector("[role=status]").textContent];
        }"""
    )
    assert told == ["true", "正在导入，请不要关闭页面……"]
    expect(page.get_by_role("status").first).to_contain_text("已导入 1 行。")
    assert sent == ["POST"]
    assert upkeep.titles("site") == ["东湖泵站", "西山水塔"]


# -- without a script --------------------------------------------------------------------------------------------------


def token(client: httpx.Client, path: str = IMPORT) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert found is not None
    return found[1]


def upload(client: httpx.Client, content: bytes, name: str, path: str = IMPORT, **more: str) -> httpx.Response:
    form = {"csrf": token(client, path), "do": "upload", **more}
    return client.post(path, data=form, files={"upload": (name, content, "application/octet-stream")})


def fields(answer: httpx.Response) -> dict[str, str]:
    """The form of the page as it would be sent."""
    html = answer.text[answer.text.index('<form class="col') :]
    found = {}
    for tag in re.findall(r"<input[^>]*>", html[: html.index("</form>")]):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if attributes.get("type") in ("checkbox", "radio") and " checked" not in tag:
            continue
        if "name" in attributes:
            found[attributes["name"]] = attributes.get("value", "")
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', html, flags=re.S):
        chosen = re.findall(r'<option value="([^"]*)" selected', options)
        found[name] = chosen[0] if chosen else ""
    return found


def test_the_steps_are_plain_forms_and_a_form_sent_twice_imports_once(upkeep: Upkeep) -> None:
    upkeep.create("lin", "site", name="东湖泵站")
    lin = upkeep.browse("lin")
    answer = upload(lin, (HEADERS + ROWS).encode("gbk"), "计划.csv")
    assert answer.status_code == 200
    assert "GB18030" in text_of(answer.text)
    preview = lin.post(IMPORT, data={**fields(answer), "do": "preview"})
    assert "新建 1 更新 0 未变 0 不能导入 2" in text_of(preview.text)
    assert stored(upkeep) == {}
    done = lin.post(IMPORT, data={**fields(preview), "do": "import"})
    assert "已导入 1 行" in text_of(done.text)
    again = lin.post(IMPORT, data={**fields(preview), "do": "import"})
    assert again.status_code == 404
    assert "上传的文件已经不在" in text_of(again.text)
    assert stored(upkeep) == {"东湖春检": (None, 12000)}
    left = re.search(r'href="(/api/v1/upkeep/files/\d+)"', done.text)
    assert left is not None
    assert "很多" in lin.get(left[1]).content.decode("gb18030")


def test_importing_the_same_file_again_changes_nothing(upkeep: Upkeep) -> None:
    lin, path = upkeep.browse("lin"), "/upkeep/site/import"
    content = spreadsheet([["名称", "电话"], ["东湖泵站", "13857162204"], ["西山水塔", 13900001234]])
    for words in ("新建 2 更新 0 未变 0", "新建 0 更新 0 未变 2"):
        answer = upload(lin, content, "站点.xlsx", path)
        assert "工作表「名单」" in text_of(answer.text)
        preview = lin.post(path, data={**fields(answer), "key.0": "1", "do": "preview"})
        assert words in text_of(preview.text)
        lin.post(path, data={**fields(preview), "do": "import"})
    assert upkeep.titles("site") == ["东湖泵站", "西山水塔"]


def test_likely_duplicates_are_marked_or_left_out_as_one_says(upkeep: Upkeep) -> None:
    upkeep.create("lin", "site", name="东湖泵站", phone="13857162204")
    lin, path = upkeep.browse("lin"), "/upkeep/site/import"
    answer = upload(lin, "名称,电话\n东湖泵站,13857162204\n西山水塔,13900001234\n".encode(), "a.csv", path)
    chosen = fields(answer) | {"do": "preview"}
    flagged = lin.post(path, data={**chosen, "duplicates": "flag"})
    assert "新建 2" in text_of(flagged.text)
    assert "1 行可能与已有记录重复" in text_of(flagged.text)
    refused = lin.post(path, data={**chosen, "duplicates": "refuse"})
    assert "新建 1 更新 0 未变 0 不能导入 1" in text_of(refused.text)
    lin.post(path, data={**fields(refused), "do": "import"})
    assert upkeep.titles("site") == ["东湖泵站", "西山水塔"]


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "a.csv", "空"),
        (b"%PDF-1.4 x", "a.pdf", "不是可以读取的表格"),
        (b"PK\x03\x04 broken", "a.xlsx", "a.xlsx"),
        (b"x" * 10_000_000, "a.csv", "无法读取"),
        ("名称,名称\nA,B\n".encode(), "a.csv", "列「名称」出现了不止一次"),
        ("名称,电话\n".encode(), "a.csv", "只有表头"),
    ],
    ids=["empty", "pdf", "broken", "one line", "twice", "no rows"],
)
def test_what_is_no_table_is_said_at_its_place(upkeep: Upkeep, content: bytes, name: str, words: str) -> None:
    lin, path = upkeep.browse("lin"), "/upkeep/site/import"
    answer = upload(lin, content, name, path, **{"header.0": "名", "to.0": "name", "key.0": "1"})
    assert 400 <= answer.status_code < 500
    errors = " ".join(re.findall(r'<div class="err">(.*?)</div>', answer.text, flags=re.S))
    assert words in text_of(errors)
    # What was chosen before holds for the next file.
    right = upload(
        lin, "名\n东湖泵站\n".encode(), "b.csv", path, **{k: v for k, v in fields(answer).items() if "." in k}
    )
    assert fields(right)["to.0"] == "name"
    assert fields(right)["key.0"] == "1"
    assert upkeep.titles("site") == []


def test_a_choice_that_cannot_be_is_said_at_its_column(upkeep: Upkeep) -> None:
    lin = upkeep.browse("lin")
    answer = upload(lin, (HEADERS + ROWS).encode(), "计划.csv")
    chosen = fields(answer) | {
        "do": "preview",
        "to.4": "title",
        "to.2": "readiness",
        "to.3": "",
        "to.1": "tools",
        "key.1": "1",
    }
    wrong = lin.post(IMPORT, data=chosen)
    assert wrong.status_code == 422
    words = text_of(wrong.text)
    assert "「标题」已经由列「标题」填写" in words
    assert "没有可以导入的字段「readiness」" in words
    assert "「工具」不能用来识别记录" in words
    assert fields(wrong)["to.1"] == "tools"
    none = lin.post(IMPORT, data={**chosen, **{f"to.{n}": "" for n in range(5)}})
    assert "还没有一列对应到维保单的字段" in text_of(none.text)


# -- permissions -------------------------------------------------------------------------------------------------------


def test_who_may_not_import_finds_no_link_and_no_page(upkeep: Upkeep) -> None:
    wang, lin = upkeep.browse("wang"), upkeep.browse("lin")
    assert IMPORT in lin.get("/upkeep/visit").text
    assert IMPORT not in wang.get("/upkeep/visit").text
    assert [wang.get(path).status_code for path in (IMPORT, f"{IMPORT}/template")] == [404, 404]
    csrf = token(wang, "/upkeep/site/new")
    assert wang.post(IMPORT, data={"csrf": csrf, "do": "upload"}).status_code == 404
    assert lin.get("/upkeep/request/import").status_code == 404


def test_only_what_one_may_write_is_offered(upkeep: Upkeep) -> None:
    lin = upkeep.browse("lin")
    template = lin.get(f"{IMPORT}/template")
    assert template.content.startswith(b"\xef\xbb\xbf")
    assert "标题" in template.text
    answer = upload(lin, (HEADERS + ROWS).encode(), "计划.csv")
    options = set(re.findall(r'<option value="(\w+)"', answer.text))
    assert {"title", "site", "budget", "secret"} <= options
    assert not {"readiness", "total", "created_at", "version", "photos", "parts"} & options


def test_the_file_of_somebody_else_is_not_there(upkeep: Upkeep) -> None:
    lin, max_ = upkeep.browse("lin"), upkeep.browse("max")
    chosen = fields(upload(lin, (HEADERS + ROWS).encode(), "计划.csv"))
    assert lin.get(f"{IMPORT}?file={chosen['file']}").status_code == 200
    assert max_.get(f"{IMPORT}?file={chosen['file']}").status_code == 404
    taken = max_.post(IMPORT, data={**chosen, "csrf": token(max_), "do": "import"})
    assert taken.status_code == 404
    assert stored(upkeep) == {}
    assert max_.get(f"{IMPORT}?file=no").status_code == 404
