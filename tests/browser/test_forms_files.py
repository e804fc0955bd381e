"""Files, photos and signatures in forms: sent at once, seen, taken out, sent again."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import DESK, PHONE, PNG, Upkeep
from tests.browser.test_pages import press, sign_in

pytestmark = pytest.mark.browser
SIZES = pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])


def image(name: str) -> dict[str, object]:
    return {"name": name, "mimeType": "image/png", "buffer": PNG}


@SIZES
def test_files_go_at_once_and_one_is_taken_out_before_saving(page: Page, upkeep: Upkeep, size: dict[str, int]) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    sign_in(page, upkeep, path="/upkeep/site/new")
    page.get_by_label("名称").fill("东湖泵站")
    field = page.locator("[data-field=plan]")
    field.locator("input[type=file]:not([data-camera])").set_input_files([image("a.png"), image("b.png")])  # type: ignore[list-item]
    expect(field.get_by_role("link", name="a.png")).to_be_visible()
    expect(field.get_by_role("link", name="b.png")).to_be_visible()
    expect(field.locator("img.thumb")).to_have_count(2)
    with page.expect_response("**/unfile") as told:
        field.get_by_title("移除 a.png").click()
    assert told.value.status == 204
    expect(field.get_by_role("link")).to_have_count(1)
    press(page, "保存")
    expect(page.get_by_role("link", name="b.png")).to_be_visible()
    assert len(upkeep.records("site")[0]["plan"]) == 1


def test_an_upload_that_failed_is_tried_again(page: Page, upkeep: Upkeep) -> None:
    tries: list[str] = []

    def lost(route: Route) -> None:
        tries.append(route.request.url)
        if len(tries) == 1:
            route.abort()
        else:
            route.continue_()

    sign_in(page, upkeep, path="/upkeep/site/new")
    page.get_by_label("名称").fill("东湖泵站")
    page.route("**/files/plan", lost)
    field = page.locator("[data-field=plan]")
    field.locator("input[type=file]:not([data-camera])").set_input_files([image("a.png")])  # type: ignore[list-item]
    expect(field.get_by_role("alert")).to_contain_text("没传上去")
    field.get_by_role("button", name="重试").click()
    expect(field.get_by_role("link", name="a.png")).to_be_visible()
    press(page, "保存")
    expect(page.get_by_role("link", name="a.png")).to_be_visible()


def test_a_file_that_does_not_fit_is_refused_at_once_with_the_reason(page: Page, upkeep: Upkeep) -> None:
    sign_in(page, upkeep, path="/upkeep/visit/new")
    field = page.locator("[data-field=report]")
    field.locator("input[type=file]").set_input_files([image("a.png")])  # type: ignore[list-item]
    expect(field.get_by_role("alert")).to_contain_text("pdf")


@SIZES
def test_a_signature_is_drawn_or_typed(page: Page, upkeep: Upkeep, size: dict[str, int]) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    sign_in(page, upkeep, path="/upkeep/site/new")
    page.get_by_label("名称").fill("东湖泵站")
    field = page.locator("[data-field=seal]")
    pad = field.get_by_role("img", name="在此手写签名")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 60, steps=4)
    page.mouse.up()
    field.get_by_role("button", name="用这个签名").click()
    expect(field.get_by_role("link", name="signature.png")).to_have_count(1)
    # Typed instead: it takes the place of the first.
    field.get_by_label("或输入姓名代替手写").fill("王强")
    with page.expect_response("**/files/seal"):
        field.get_by_label("或输入姓名代替手写").press("Enter")
    expect(field.get_by_role("link", name="signature.png")).to_have_count(1)
    press(page, "保存")
    expect(page.get_by_role("link", name="signature.png")).to_be_visible()
    assert upkeep.records("site")[0]["seal"]
