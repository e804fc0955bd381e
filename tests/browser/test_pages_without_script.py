"""The pages as plain HTML: what they show and what their forms do, without a script and without a browser."""

import re
from html import unescape
from typing import Any

import httpx
import pytest

from engine.clock import SystemClock
from engine.definition import load
from engine.publishing.apply import publish
from tests.browser.conftest import APP, PASSWORD, PDF, PNG, Upkeep


def form_of(html: str, action: str | None = None) -> dict[str, Any]:
    """The values with which a form would be sent as it stands: the one with this action, else the record's."""
    start = html.index('<form class="dg-body fm"' if action is None else f'action="{action}"')
    part = html[start : html.index("</form>", start)]
    part = re.sub(r"<template>.*?</template>", "", part, flags=re.S)
    values: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", part):
        attributes = dict(re.findall(r'([\w~-]+)="([^"]*)"', tag))
        name = attributes.get("name")
        if name is None or attributes.get("type") == "file":
            continue
        if attributes.get("type") in ("checkbox", "radio") and not re.search(r"\schecked", tag):
            continue
        values.setdefault(unescape(name), []).append(unescape(attributes.get("value", "")))
    for name, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>\n?(.*?)</textarea>', part, flags=re.S):
        values[unescape(name)] = [unescape(text)]
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', part, flags=re.S):
        chosen = re.findall(r'<option value="([^"]*)" selected', options)
        values[unescape(name)] = chosen or [""]
    return values


def text_of(html: str) -> str:
    """What a reader sees, roughly."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def filled(client: httpx.Client, address: str, **values: Any) -> Any:
    """Open a form, fill some controls, send it."""
    form = form_of(client.get(address).text) | values
    return client.post(address, data=form)


def test_a_page_asks_to_sign_in_and_comes_back(upkeep: Upkeep) -> None:
    client = upkeep.client()
    asked = client.get("/upkeep/visit?view=urgent")
    assert "密码" in asked.text
    assert 'value="/upkeep/visit?view=urgent"' in asked.text
    wrong = client.post("/sign-in", data={"login": "wang", "password": "nonsense", "after": "/upkeep/visit"})
    assert wrong.status_code == 401
    assert "nonsense" not in wrong.text
    assert 'value="wang"' in wrong.text
    right = client.post("/sign-in", data={"login": "wang", "password": PASSWORD, "after": "/upkeep/visit?view=urgent"})
    assert str(right.url).endswith("/upkeep/visit?view=urgent")
    assert "加急" in right.text


@pytest.mark.parametrize(
    "after", ["//evil.example", "/\\evil.example", "https://evil.example/x", "javascript:alert(1)"]
)
def test_signing_in_never_leads_to_another_site(upkeep: Upkeep, after: str) -> None:
    client = upkeep.client()
    answer = client.post(
        "/sign-in", data={"login": "wang", "password": PASSWORD, "after": after}, follow_redirects=False
    )
    assert answer.headers["location"] == "/"


def test_a_form_without_the_sessions_token_changes_nothing(upkeep: Upkeep) -> None:
    client = upkeep.browse("wang")
    form = form_of(client.get("/upkeep/site/new").text) | {"name": "东湖", "csrf": "guessed"}
    assert client.post("/upkeep/site/new", data=form).status_code == 403
    assert upkeep.titles("site") == []


def test_a_form_from_another_site_changes_nothing(upkeep: Upkeep) -> None:
    client = upkeep.browse("wang")
    form = form_of(client.get("/upkeep/site/new").text) | {"name": "东湖"}
    answer = client.post("/upkeep/site/new", data=form, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert upkeep.titles("site") == []


def test_a_record_is_created_from_what_people_type(upkeep: Upkeep) -> None:
    client = upkeep.browse("wang")
    upkeep.create("wang", "site", name="东湖泵站", phone="13857162204")
    answer = filled(
        client, "/upkeep/visit/new", title="春季维保", **{"site~text": "东湖泵站"}, budget="1.2万", planned="2026-03-01",
        tools=["ladder", "lift"], **{"parts.0.product": "密封圈", "parts.0.quantity": "4", "parts.0.price": "¥25.50", "parts.1.product": ""},
    )  # fmt: skip
    assert answer.status_code == 200, text_of(answer.text)
    (record,) = upkeep.records("visit")
    assert record["title"] == "春季维保"
    assert record["budget"] == 12000
    assert record["total"] == 102
    assert record["planned"] == "2026-03-01"
    assert record["tools"] == ["ladder", "lift"]
    assert "已新建" in answer.text
    assert "¥12,000.00" in answer.text
    assert "密封圈" in answer.text


def test_a_form_sent_twice_makes_one_record(upkeep: Upkeep) -> None:
    client = upkeep.browse("wang")
    form = form_of(client.get("/upkeep/site/new").text) | {"name": ""}
    assert client.post("/upkeep/site/new", data=form).status_code == 422
    form |= {"name": "东湖泵站"}
    first, second = (client.post("/upkeep/site/new", data=form) for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert first.url == second.url
    assert upkeep.titles("site") == ["东湖泵站"]


def test_what_does_not_fit_is_said_at_its_place_and_nothing_typed_is_lost(upkeep: Upkeep) -> None:
    client = upkeep.browse("wang")
    answer = filled(
        client,
        "/upkeep/visit/new",
        title="春季维保",
        budget="很多",
        **{"parts.0.product": "密封圈", "parts.0.quantity": "0"},
    )
    assert answer.status_code == 422
    html = answer.text
    assert 'value="很多"' in html
    assert 'value="春季维保"' in html
    assert 'value="密封圈"' in html
    assert re.search(r'id="f-budget"[^>]*aria-invalid="true"', html)
    assert upkeep.records("visit") == []


def test_a_name_that_several_records_have_is_asked_back(upkeep: Upkeep) -> None:
    client = upkeep.browse("wang")
    for name in ("东湖一站", "东湖二站"):
        upkeep.create("wang", "site", name=name)
    answer = filled(client, "/upkeep/visit/new", title="维保", **{"site~text": "东湖"})
    assert answer.status_code == 422
    chosen = re.search(r'name="site~pick" value="(\d+)"><span>东湖二站', answer.text)
    assert chosen is not None
    form = form_of(answer.text) | {"site~pick": chosen[1]}
    saved = client.post("/upkeep/visit/new", data=form)
    assert saved.status_code == 200
    assert upkeep.records("visit")[0]["site"] == chosen[1]


def test_everything_wrong_is_told_at_once(upkeep: Upkeep) -> None:
    client = upkeep.browse("wang")
    answer = filled(client, "/upkeep/visit/new", urgent=["false", "true"])
    assert answer.status_code == 422
    for name in ("title", "site", "urgent_reason"):
        assert re.search(rf'id="f-{name}"[^>]*aria-invalid="true"', answer.text), name


def test_a_condition_hides_a_field_until_it_holds(upkeep: Upkeep) -> None:
    client = upkeep.browse("wang")
    quiet, urgent = upkeep.visit(), upkeep.visit(urgent=True, urgent_reason="漏水")
    assert re.search(r'data-field="urgent_reason" hidden', client.get(f"{quiet}/edit").text)
    assert re.search(r'data-field="urgent_reason">.*?required', client.get(f"{urgent}/edit").text)


def test_an_edit_sends_only_what_was_changed(upkeep: Upkeep) -> None:
    client = upkeep.browse("wang")
    path = upkeep.visit(notes="第一行\n第二行", budget=100)
    filled(client, f"{path}/edit", budget="200")
    (record,) = upkeep.records("visit")
    assert record["budget"] == 200
    assert record["version"] == 2
    history = client.get(f"{path}?tab=timeline").text
    assert "¥100.00" in history
    assert "¥200.00" in history
    assert "第一行" not in history


def test_saving_without_a_change_makes_no_version(upkeep: Upkeep) -> None:
    client = upkeep.browse("wang")
    path = upkeep.visit(
        budget=100.5,
        planned="2026-03-01",
        tools=["meter"],
        notes="a\nb",
        parts=[{"product": "垫片", "quantity": 2, "price": 3}],
    )
    filled(client, f"{path}/edit")
    assert upkeep.records("visit")[0]["version"] == 1


def test_an_address_whose_words_say_less_than_its_parts_stays_as_it_is(upkeep: Upkeep) -> None:
    client = upkeep.browse("wang")
    place = {"province": "东区", "city": "二片", "detail": "三号库"}
    site = upkeep.create("wang", "site", name="东湖泵站", place=place)
    filled(client, f"/upkeep/site/{site.id}/edit", name="新名字")
    (record,) = upkeep.records("site")
    assert (record["name"], record["place"]) == ("新名字", place)
    filled(client, f"/upkeep/site/{site.id}/edit", place="浙江杭州市西湖区文三路1号")
    assert upkeep.records("site")[0]["place"] == {
        "province": "浙江省",
        "city": "杭州市",
        "district": "西湖区",
        "detail": "文三路1号",
    }


def test_rows_of_a_table_are_changed_added_and_removed(upkeep: Upkeep) -> None:
    client = upkeep.browse("wang")
    path = upkeep.visit(
        parts=[{"product": "垫片", "quantity": 2, "price": 3}, {"product": "螺栓", "quantity": 1, "price": 5}]
    )
    changes = {
        "parts.0.quantity": "10",
        "parts.1.~gone": "true",
        "parts.2.product": "阀门",
        "parts.2.quantity": "1",
        "parts.2.price": "80",
    }
    filled(client, f"{path}/edit", **changes)
    assert upkeep.titles("part") == ["垫片", "阀门"]
    assert upkeep.records("visit")[0]["total"] == 110


def test_a_row_is_added_without_a_script(upkeep: Upkeep) -> None:
    client = upkeep.browse("wang")
    form = form_of(client.get("/upkeep/visit/new").text) | {"title": "维保", "~add": "parts"}
    answer = client.post("/upkeep/visit/new", data=form)
    assert answer.status_code == 200
    assert 'value="维保"' in answer.text
    assert re.search(r'<tbody>.*name="parts.0.product"', answer.text, flags=re.S)
    assert upkeep.records("visit") == []


def test_two_people_who_change_different_fields_do_not_disturb_each_other(upkeep: Upkeep) -> None:
    wang, lin = upkeep.browse("wang"), upkeep.browse("lin")
    path = upkeep.visit(budget=100)
    form = form_of(wang.get(f"{path}/edit").text)
    filled(lin, f"{path}/edit", notes="先打电话")
    answer = wang.post(f"{path}/edit", data=form | {"budget": "200"})
    assert answer.status_code == 200
    (record,) = upkeep.records("visit")
    assert record["budget"] == 200
    assert "先打电话" in wang.get(path).text


def test_two_people_who_change_the_same_field_choose_between_their_values(upkeep: Upkeep) -> None:
    wang, lin = upkeep.browse("wang"), upkeep.browse("lin")
    path = upkeep.visit(budget=100, title="旧标题")
    form = form_of(wang.get(f"{path}/edit").text)
    filled(lin, f"{path}/edit", budget="300", title="林的标题")
    asked = wang.post(f"{path}/edit", data=form | {"budget": "200", "title": "王的标题", "notes": "我的备注"})
    assert asked.status_code == 409
    told = text_of(asked.text)
    assert "林慧" in told
    assert "¥300.00" in told
    assert "¥200.00" in told
    assert "林的标题" in told
    assert "王的标题" in told
    assert upkeep.records("visit")[0]["budget"] == 300
    choice = form_of(asked.text, f"{path}/edit") | {"~take.budget": "mine", "~take.title": "theirs"}
    saved = wang.post(f"{path}/edit", data=choice)
    assert saved.status_code == 200
    (record,) = upkeep.records("visit")
    assert record["budget"] == 200
    assert record["title"] == "林的标题"
    assert "我的备注" in wang.get(path).text


def test_a_field_one_may_not_see_is_on_no_page(upkeep: Upkeep) -> None:
    path = upkeep.visit("lin", secret=4242, worker=str(upkeep.users["wang"]))
    assert "4,242" in upkeep.browse("lin").get(path).text
    wang = upkeep.browse("wang")
    pages = (
        path,
        f"{path}/edit",
        f"{path}?tab=timeline",
        "/upkeep/visit?view=all",
        "/upkeep/visit?view=all&columns=title&columns=secret",
        "/upkeep/visit?f.secret.from=1",
    )
    for address in pages:
        page = wang.get(address).text
        assert "4,242" not in page, address
        assert "内部成本" not in page, address
    assert wang.get("/upkeep/visit?sort=secret").status_code == 200


def test_an_expression_over_a_hidden_field_finds_nothing(upkeep: Upkeep) -> None:
    upkeep.visit("lin", secret=4242, worker=str(upkeep.users["wang"]))
    page = upkeep.browse("wang").get("/upkeep/visit?view=all&where=secret+%3E+4000")
    assert page.status_code == 200
    assert "东湖泵站" not in re.sub(r"<select.*?</select>", "", page.text, flags=re.S)
    assert "1 条" in text_of(upkeep.browse("lin").get("/upkeep/visit?view=all&where=secret+%3E+4000").text)


def test_what_one_may_not_write_is_shown_and_not_asked(upkeep: Upkeep) -> None:
    path = upkeep.visit("lin", worker=str(upkeep.users["zhao"]))
    wang = upkeep.browse("wang")
    assert f'href="{path}/edit"' not in wang.get(path).text
    form = {"csrf": form_of(wang.get("/upkeep/site/new").text)["csrf"], "~version": "1", "budget": "5"}
    assert wang.post(f"{path}/edit", data=form).status_code == 403
    assert upkeep.records("visit")[0]["budget"] is None


def test_unknown_and_forbidden_records_look_alike(upkeep: Upkeep) -> None:
    wang = upkeep.browse("wang")
    for address in ("/upkeep/visit/1", "/upkeep/nothing", "/upkeep/nothing/1", "/upkeep/user", "/elsewhere/"):
        answer = wang.get(address)
        assert answer.status_code == 404, address
        assert "找不到" in answer.text, address


def test_the_gate_shows_everything_missing_and_opens_when_it_is_provided(upkeep: Upkeep) -> None:
    wang = upkeep.browse("wang")
    path = upkeep.visit()
    page = wang.get(path)
    assert "离开「计划」还差 2 项" in page.text
    assert "预算必须大于 0" in page.text
    assert "你可以提供" in page.text
    csrf = form_of(page.text, f"{path}/edit")["csrf"]
    refused = wang.post(f"{path}/move/plan_to_on_site", data={"csrf": csrf})
    assert refused.status_code == 422
    assert "还差 2 项" in refused.text
    filled(wang, f"{path}/edit", planned="2026-03-01", budget="500")
    moved = wang.post(f"{path}/move/plan_to_on_site", data={"csrf": csrf})
    assert moved.status_code == 200
    assert "已从「计划」到「现场」" in moved.text
    assert "离开「现场」还差 4 项" in moved.text

    wrong = wang.post(f"{path}/files/report", data={"csrf": csrf}, files={"file": ("a.txt", b"hello", "text/plain")})
    assert wrong.status_code == 422
    assert "a.txt" in wrong.text
    lying = wang.post(
        f"{path}/files/report", data={"csrf": csrf}, files={"file": ("a.pdf", b"hello", "application/pdf")}
    )
    assert lying.status_code == 415
    assert "a.pdf" in lying.text
    wang.post(f"{path}/files/report", data={"csrf": csrf}, files={"file": ("报告.pdf", PDF, "application/pdf")})
    wang.post(f"{path}/files/photos", data={"csrf": csrf}, files={"file": ("a.png", PNG, "image/png")})
    wang.post(f"{path}/tick", data={"csrf": csrf, "item": "cleaned", "done": "true"})
    filled(wang, f"{path}/edit", **{"parts.0.product": "垫片", "parts.0.quantity": "1"})
    assert "「现场」的门槛已全部满足" in wang.get(path).text
    done = wang.post(f"{path}/move/on_site_to_closed", data={"csrf": csrf})
    assert "已从「现场」到「完成」" in done.text
    told = text_of(wang.get(f"{path}?tab=timeline").text)
    assert "从「现场」推进到「完成」" in told
    assert "从「计划」推进到「现场」" in told
    assert "报告.pdf" in told


def test_giving_up_needs_a_reason_that_the_history_keeps(upkeep: Upkeep) -> None:
    wang = upkeep.browse("wang")
    path = upkeep.visit()
    page = wang.get(f"{path}/move/plan_to_dropped")
    csrf = form_of(page.text, f"{path}/move/plan_to_dropped")["csrf"]
    refused = wang.post(f"{path}/move/plan_to_dropped", data={"csrf": csrf, "reason": " "})
    assert refused.status_code == 422
    assert "原因" in refused.text
    wang.post(f"{path}/move/plan_to_dropped", data={"csrf": csrf, "reason": "站点停用"})
    assert "站点停用" in wang.get(f"{path}?tab=timeline").text


def test_files_come_and_go_with_a_form(upkeep: Upkeep) -> None:
    wang = upkeep.browse("wang")
    path = upkeep.visit()
    form = form_of(wang.get(f"{path}/edit").text)
    saved = wang.post(f"{path}/edit", data=form, files={"photos~new": ("门口.png", PNG, "image/png")})
    assert "门口.png" in saved.text
    form = form_of(wang.get(f"{path}/edit").text)
    wang.post(f"{path}/edit", data=form | {"photos~kept": [""]})
    assert "门口.png" not in wang.get(path).text


def test_a_file_refused_keeps_what_was_typed(upkeep: Upkeep) -> None:
    wang = upkeep.browse("wang")
    path = upkeep.visit()
    form = form_of(wang.get(f"{path}/edit").text) | {"notes": "写了很多"}
    refused = wang.post(f"{path}/edit", data=form, files={"report~new": ("a.exe", b"MZ", "application/pdf")})
    assert refused.status_code == 422
    assert "写了很多" in refused.text
    assert "a.exe" in refused.text


def test_a_deleted_record_waits_in_the_recycle_bin(upkeep: Upkeep) -> None:
    lin = upkeep.browse("lin")
    path = upkeep.visit("lin")
    csrf = form_of(lin.get(path).text, f"{path}/delete")["csrf"]
    gone = lin.post(f"{path}/delete", data={"csrf": csrf, "~version": "1"})
    assert "已删除" in gone.text
    assert upkeep.records("visit") == []
    assert "东湖泵站春季维保" in lin.get("/upkeep/visit?view=all&deleted=1").text
    back = lin.post(f"{path}/restore", data={"csrf": csrf})
    assert "已恢复" in back.text
    assert len(upkeep.records("visit")) == 1
    assert "回收站" not in upkeep.browse("wang").get("/upkeep/visit").text


def test_a_record_that_others_need_is_not_deleted(upkeep: Upkeep) -> None:
    lin = upkeep.browse("lin")
    upkeep.visit("lin")
    site = f"/upkeep/site/{upkeep.records('site')[0]['id']}"
    csrf = form_of(lin.get(site).text, f"{site}/delete")["csrf"]
    refused = lin.post(f"{site}/delete", data={"csrf": csrf})
    assert refused.status_code in (409, 422)
    assert "维保单" in refused.text
    assert len(upkeep.records("site")) == 1


def test_likely_duplicates_are_told_on_saving_and_on_the_page(upkeep: Upkeep) -> None:
    wang = upkeep.browse("wang")
    upkeep.create("wang", "site", name="东湖泵站", phone="13857162204")
    saved = filled(wang, "/upkeep/site/new", name="东湖泵站", phone="138 5716 2204")
    assert "可能" in saved.text
    assert saved.text.count("东湖泵站") >= 2
    site = upkeep.records("site")[1]["id"]
    assert "相似度" in wang.get(f"/upkeep/site/{site}").text


def test_filters_say_in_words_what_they_ask(upkeep: Upkeep) -> None:
    wang = upkeep.browse("wang")
    for title, kind, budget in (("甲", "repair", 100), ("乙", "check", 5000), ("丙", "repair", 9000)):
        upkeep.visit(title=title, kind=kind, budget=budget)
    page = wang.get("/upkeep/visit?view=my_visits&f.kind=repair&f.kind=check&f.budget.from=1000&f.budget.to=¥5,000")
    told = text_of(page.text)
    assert "抢修 或 巡检" in told
    assert "不少于 ¥1,000.00 · 不多于 ¥5,000.00" in told
    assert re.findall(r'<a class="b" href="[^"]+">([^<]+)</a>', page.text) == ["乙"]
    assert "1 条" in told


@pytest.mark.parametrize(
    "query",
    ["f.budget.from=abc", "f.planned.from=2026-99-99", "f.kind=nonsense", "f.site=999", "f.site=x", "f.nothing=1", "cursor=nonsense", "sort=nothing", "where=)(", "where=nothing+%3D%3D+1",
     "view=nothing", "q=%25%27%22", "f.title=%27%29+or+true+or+contains%28title%2C%27", "columns=nothing", "f.budget.to=1e999"],
)  # fmt: skip
def test_no_address_of_a_list_breaks_it(upkeep: Upkeep, query: str) -> None:
    upkeep.visit()
    answer = upkeep.browse("wang").get(f"/upkeep/visit?{query}")
    assert answer.status_code in (200, 400)
    assert "维保单" in answer.text


def test_the_next_page_begins_where_this_one_ends(upkeep: Upkeep) -> None:
    wang = upkeep.browse("wang")
    for number in range(53):
        upkeep.create("wang", "site", name=f"站点 {number:02}")
    first = wang.get("/upkeep/site?view=all&sort=name").text
    names = re.findall(r'<a class="b" href="[^"]+">([^<]+)</a>', first)
    assert names == [f"站点 {number:02}" for number in range(50)]
    assert "共 53 条" in first
    following = re.search(r'href="([^"]+)" rel="next"', first)
    assert following is not None
    second = wang.get(unescape(following[1])).text
    assert re.findall(r'<a class="b" href="[^"]+">([^<]+)</a>', second) == ["站点 50", "站点 51", "站点 52"]


def test_markup_in_a_value_is_text(upkeep: Upkeep) -> None:
    evil = '<script>alert(1)</script><img src=x onerror="alert(1)">'
    path = upkeep.visit(title=evil, notes=evil)
    wang = upkeep.browse("wang")
    for address in (
        path,
        f"{path}/edit",
        f"{path}?tab=timeline",
        "/upkeep/visit?view=all",
        f"{path}/move/plan_to_dropped",
    ):
        page = wang.get(address).text
        assert "<script>alert" not in page, address
        assert "<img src=x" not in page, address


def test_no_page_has_a_script_or_style_inside(upkeep: Upkeep) -> None:
    wang = upkeep.browse("wang")
    path = upkeep.visit()
    for address in (
        "/upkeep/",
        "/upkeep/visit",
        path,
        f"{path}/edit",
        "/upkeep/visit/new",
        f"{path}/move/plan_to_dropped",
        "/upkeep/my-page",
    ):
        page = wang.get(address)
        assert page.status_code == 200, address
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page.text), address
        assert "default-src 'self'" in page.headers["content-security-policy"]


def test_the_language_is_ones_own_and_kept(upkeep: Upkeep) -> None:
    wang = upkeep.browse("wang")
    path = upkeep.visit()
    csrf = form_of(wang.get("/upkeep/my-page").text, "/settings")["csrf"]
    english = wang.post("/settings", data={"csrf": csrf, "language": "en", "after": path}).text
    assert 'lang="en"' in english
    assert "Leaving" not in english
    assert "missing before leaving Plan" in english
    assert "Budget" in english
    again = upkeep.browse("wang").get(path).text
    assert "missing before leaving Plan" in again


def test_every_sentence_of_the_pages_is_in_both_languages() -> None:
    from engine.words.ui import WORDS

    for code, wording in WORDS.items():
        assert wording["zh"].strip(), code
        assert wording["en"].strip(), code
        assert not re.search("[\u4e00-\u9fff]", wording["en"]), code
        assert sorted(re.findall(r"{(\w+)}", wording["zh"])) == sorted(re.findall(r"{(\w+)}", wording["en"])), code


def test_every_sentence_is_used_and_every_one_used_is_there() -> None:
    from engine.web.pages.frame import HERE
    from engine.words.ui import WORDS

    files = [*(HERE / "pages").rglob("*.py"), *(HERE / "templates").glob("*.html")]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    asked = set(re.findall(r"""\bt\(\s*["']([a-z-]+)["']""", text))
    assert {f"ui-{code}" for code in asked} - set(WORDS) == set()
    named = set(re.findall(r"""["'](?:ui-)?([a-z][a-z-]+)["']""", text))
    made = ("theme-", "density-", "did-", "unit-", "stage-", "gate-", "count-", "cause-", "op-", "period-", "keys-")
    unused = [
        code
        for code in WORDS
        if code.removeprefix("ui-") not in named and not code.removeprefix("ui-").startswith(made)
    ]
    assert unused == []


def test_a_mistake_of_ours_is_told_with_its_number_and_nothing_else(
    upkeep: Upkeep, monkeypatch: pytest.MonkeyPatch
) -> None:
    wang = upkeep.browse("wang")
    path = upkeep.visit()

    def broken(*_: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr("engine.web.pages.records.record_parts", broken)
    page = wang.get(path)
    assert page.status_code == 500
    assert page.headers["x-request-id"] in page.text
    assert "secret" not in page.text


def test_a_filter_takes_the_name_of_a_record(upkeep: Upkeep) -> None:
    wang = upkeep.browse("wang")
    upkeep.visit(title="甲")
    upkeep.visit(title="乙")
    page = wang.get("/upkeep/visit?view=all&f.site.text=东湖泵站 2").text
    assert re.findall(r'<a class="b" href="[^"]+">([^<]+)</a>', page) == ["乙"]


def test_what_a_list_shows_can_be_taken_along(upkeep: Upkeep) -> None:
    lin = upkeep.browse("lin")
    upkeep.visit("lin", title="甲", kind="repair")
    upkeep.visit("lin", title="乙", kind="check")
    page = lin.get("/upkeep/visit?view=all&f.kind=repair").text
    export = re.search(r'href="(/api/v1/upkeep/visit/export.xlsx[^"]*)"', page)
    assert export is not None
    answer = lin.get(unescape(export[1]))
    assert answer.status_code == 200
    assert answer.content[:2] == b"PK"
    assert "导出" not in upkeep.browse("wang").get("/upkeep/visit").text


def test_signing_out_ends_the_session(upkeep: Upkeep) -> None:
    wang = upkeep.browse("wang")
    cookie = dict(wang.cookies)
    csrf = form_of(wang.get("/upkeep/my-page").text, "/sign-out")["csrf"]
    assert "已退出登录" in wang.post("/sign-out", data={"csrf": csrf}).text
    old = upkeep.client()
    old.cookies.update(cookie)
    assert "密码" in old.get("/upkeep/visit").text


def test_a_notice_stands_where_a_record_is_chosen_and_where_it_is_opened(upkeep: Upkeep) -> None:
    wang = upkeep.browse("wang")
    path = upkeep.visit("lin", title="第一张")
    site = upkeep.records("site")[0]["id"]
    piece = wang.get(f"/upkeep/visit/notices?on=site&site={site}").text
    assert "还有 1 张未完成的维保单，负责人：林慧" in piece
    assert f'href="{path}"' in piece
    made = upkeep.create("wang", "visit", title="第二张", site=site)
    assert "还有 1 张" in wang.get(f"/upkeep/visit/{made.id}").text
    assert "还有 2 张" in wang.get(f"/upkeep/visit/new?site={site}").text


def test_two_records_that_are_one_are_merged_value_by_value(upkeep: Upkeep) -> None:
    lin = upkeep.browse("lin")
    upkeep.create("lin", "site", name="东湖泵站", phone="13857162204", contact="a@example.com")
    upkeep.create("lin", "site", name="东湖泵站", phone="13857162204", city="浙江省/杭州市", contact="b@example.com")
    keep, lose = (each["id"] for each in upkeep.records("site"))
    upkeep.create("lin", "visit", title="维保", site=lose)
    page = lin.get(f"/upkeep/site/{keep}").text
    address = f"/upkeep/site/{keep}/merge/{lose}"
    assert f'href="{address}"' in page
    asked = lin.get(address).text
    assert "a@example.com" in asked
    assert "b@example.com" in asked
    assert "东湖泵站</span></label>" not in asked
    form = form_of(asked, address) | {"~take.contact": "theirs"}
    assert "已合并" in lin.post(address, data=form).text
    (site,) = upkeep.records("site")
    assert (site["id"], site["contact"], site["city"]) == (keep, "b@example.com", "浙江省/杭州市")
    assert upkeep.records("visit")[0]["site"] == keep


def test_records_told_apart_are_not_named_again(upkeep: Upkeep) -> None:
    lin = upkeep.browse("lin")
    for _ in range(2):
        upkeep.create("lin", "site", name="东湖泵站", phone="13857162204")
    one, other = (each["id"] for each in upkeep.records("site"))
    page = lin.get(f"/upkeep/site/{one}").text
    address = f"/upkeep/site/{one}/distinct/{other}"
    answer = lin.post(address, data=form_of(page, address))
    assert "已记下" in answer.text
    assert "相似度" not in answer.text


def test_a_worker_may_not_merge(upkeep: Upkeep) -> None:
    wang = upkeep.browse("wang")
    for _ in range(2):
        upkeep.create("wang", "site", name="东湖泵站", phone="13857162204")
    one, other = (each["id"] for each in upkeep.records("site"))
    page = wang.get(f"/upkeep/site/{one}").text
    assert "相似度" in page
    assert "/merge/" not in page
    csrf = form_of(wang.get("/upkeep/site/new").text)["csrf"]
    assert wang.post(f"/upkeep/site/{one}/merge/{other}", data={"csrf": csrf}).status_code == 403
    assert len(upkeep.records("site")) == 2


def test_a_conversion_makes_its_record_and_shows_it(upkeep: Upkeep) -> None:
    wang = upkeep.browse("wang")
    site = upkeep.create("wang", "site", name="东湖泵站")
    request = upkeep.create("wang", "request", title="漏水", site=str(site.id))
    path = f"/upkeep/request/{request.id}"
    address = f"{path}/convert/plan"
    made = wang.post(address, data=form_of(wang.get(path).text, address))
    assert made.status_code == 200
    (visit,) = upkeep.records("visit")
    assert str(made.url).endswith(f"/upkeep/visit/{visit['id']}")
    assert visit["title"] == "漏水"
    again = wang.post(address, data=form_of(wang.get(path).text, address))
    assert again.status_code in (409, 422)
    assert len(upkeep.records("visit")) == 1


def test_a_file_belonging_to_somebody_else_cannot_be_named(upkeep: Upkeep) -> None:
    lin, wang = upkeep.browse("lin"), upkeep.browse("wang")
    theirs = upkeep.visit("lin")
    form = form_of(lin.get(f"{theirs}/edit").text)
    lin.post(f"{theirs}/edit", data=form, files={"report~new": ("geheim.pdf", PDF, "application/pdf")})
    file = next(each["report"] for each in upkeep.records("visit") if each["report"])[0]
    path = upkeep.visit("wang")
    answer = wang.post(f"{path}/edit", data=form_of(wang.get(f"{path}/edit").text) | {"report~kept": ["", file]})
    assert answer.status_code == 422
    assert [each["report"] for each in upkeep.records("visit") if each["id"] in path] == [None]


def test_a_new_record_takes_its_files_at_once(upkeep: Upkeep) -> None:
    wang = upkeep.browse("wang")
    site = upkeep.create("wang", "site", name="东湖泵站")
    form = form_of(wang.get("/upkeep/visit/new").text) | {
        "title": "维保",
        "site": str(site.id),
        "site~was": "x",
        "site~text": "x",
    }
    made = wang.post("/upkeep/visit/new", data=form, files={"report~new": ("报告.pdf", PDF, "application/pdf")})
    assert made.status_code == 200
    assert "报告.pdf" in made.text
    name = re.search(r'href="(/api/v1/upkeep/files/\d+)"', made.text)
    assert name is not None
    assert wang.get(name[1]).content == PDF


def test_history_says_what_a_stage_set(upkeep: Upkeep) -> None:
    text = APP.read_text(encoding="utf-8")
    dropped = "dropped: {label: {zh: 取消, en: Dropped}, end: cancelled"
    assert dropped in text
    text = text.replace(dropped, dropped + ", sets: {urgent_reason: \"'不再需要'\"}")
    publish(upkeep.site.db, load({"app.yaml": text}), SystemClock())
    upkeep.site.live.refresh()
    path = upkeep.visit()
    client = upkeep.browse("wang")
    move = f"{path}/move/plan_to_dropped"
    csrf = form_of(client.get(move).text, move)["csrf"]
    client.post(move, data={"csrf": csrf, "reason": "站点停用"})
    assert "不再需要 进入阶段时设置" in text_of(client.get(f"{path}?tab=timeline").text)
