"""A form that everybody may answer: what it asks, what it saves, when it is closed, who hands it out."""

import re

import pytest

from engine.forms.colors import DARK, ENOUGH, WHITE, contrast
from engine.web.pages.guests import look
from tests.attacks.conftest import PDF
from tests.forms.fair import BEGIN, GOOD, HEADERS, Fair, asked, slip_of

# -- what is asked ---------------------------------------------------------------------------------------------------------


def test_the_page_asks_the_fields_of_the_form_in_the_forms_own_words(fair: Fair) -> None:
    page = fair.look()
    assert page.status_code == 200
    assert asked(page) == [
        "company",
        "contact",
        "phone",
        "interest",
        "budget",
        "call_back",
        "call_on",
        "hurry",
        "note",
        "plan",
    ]
    assert "It takes a minute" in page.text
    assert "Your mobile" in page.text
    # What a field's help says is for those who work here.
    assert "For colleagues only" not in page.text


def test_a_field_that_the_channel_fills_is_not_asked(fair: Fair) -> None:
    assert "contact" not in asked(fair.look("/f/fair/ask/stand"))
    assert "contact" in asked(fair.look("/f/fair/ask/poster"))


def test_a_field_that_must_be_answered_here_is_marked_though_a_record_may_lack_it(fair: Fair) -> None:
    assert re.search(r'name="phone" required', fair.look().text)
    answer = fair.answer({"company": "Acme", "phone": ""})
    assert answer.status_code == 422
    assert "Phone" in answer.text
    assert fair.saved() == []


def test_the_address_may_fill_in_what_the_form_lets_it_and_nothing_else(fair: Fair) -> None:
    page = fair.look("/f/fair/ask?company=Acme+AG&interest=servo&phone=13812345678&note=hi&source=ad&grade=a")
    assert 'value="Acme AG"' in page.text
    assert re.search(r'value="servo" checked', page.text)
    assert "13812345678" not in page.text
    assert ">hi<" not in page.text


def test_what_cannot_be_read_in_the_address_is_left_out(fair: Fair) -> None:
    page = fair.look("/f/fair/ask?interest=rockets&company=%00")
    assert page.status_code == 200
    assert "checked" not in page.text


def test_a_condition_on_what_is_not_asked_is_judged_on_the_server_alone(fair: Fair) -> None:
    page = fair.look()
    assert re.search(r'data-field="hurry" hidden', page.text)
    assert "grade" not in page.text
    # One on what is asked goes to the browser.
    assert "&#34;call_on&#34;" in page.text


def test_the_page_speaks_the_language_of_the_visitor(fair: Fair) -> None:
    assert "问我们" in fair.look(**{"accept-language": "zh-CN"}).text
    assert "Ask us" in fair.look("/f/fair/ask?language=en", **{"accept-language": "zh-CN"}).text


def test_the_color_of_the_form_is_a_style_sheet_and_no_style_in_the_page(fair: Fair) -> None:
    page = fair.look()
    sheet = re.search(r'href="(/f/fair/ask/look\.css\?[0-9a-f]+)"', page.text)
    assert sheet
    assert "--accent-fill:#0f6e5c" in fair.look(sheet[1]).text
    assert "style=" not in page.text
    assert "look.css" not in fair.look("/f/fair/few").text


@pytest.mark.parametrize("color", ["#0f6e5c", "#ffee00", "#000000", "#ffffff", "#7b2ff7"])
def test_every_color_becomes_one_that_can_be_read_on_white_and_on_dark_paper(color: str) -> None:
    light, dark = re.findall(r"--accent:(#\w{6});--accent-fill:(#\w{6});[^}]*--accent-tint:(#\w{6})", look(color))
    for (words, fill, tint), paper in ((light, WHITE), (dark, DARK)):
        assert contrast(words, paper) >= ENOUGH
        assert contrast(words, tint) >= ENOUGH
        assert contrast(fill, WHITE) >= ENOUGH


# -- what is saved ---------------------------------------------------------------------------------------------------------


def test_an_answer_becomes_a_record_with_what_the_channel_fills_in(fair: Fair) -> None:
    answer = fair.answer({**GOOD, "interest": ["plc", "servo"], "budget": "1.2万"}, "/f/fair/ask/stand")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/f/fair/ask/stand?sent=1"
    (record,) = fair.saved()
    assert (record["company"], record["source"], record["contact"], record["grade"]) == (
        "Acme",
        "fair",
        "展台访客",
        "b",
    )
    assert record["interest"] == ["plc", "servo"]
    assert str(record["budget"]) in ("12000", "12000.00")
    # Nobody's yet: it waits to be assigned.
    assert record["owner"] is None
    assert record["created_by"] is None
    thanks = fair.look(answer.headers["location"])
    assert "We call tomorrow" in thanks.text
    assert 'href="/f/fair/ask/stand"' in thanks.text  # once more


def test_the_forms_own_address_fills_in_what_holds_for_the_whole_form(fair: Fair) -> None:
    assert fair.answer(GOOD).status_code == 303
    assert fair.saved()[0]["source"] == "site"


def test_the_journal_says_by_which_form_and_channel_a_record_came(fair: Fair) -> None:
    fair.answer(GOOD, "/f/fair/ask/poster")
    (record,) = fair.saved()
    (entry,) = fair.max.get(f"/inquiry/{record['id']}/history").json()["changes"]
    assert (entry["cause"], entry["user_name"]) == ("form:ask:poster", None)


def test_what_is_wrong_is_said_at_its_place_and_nothing_typed_is_lost(fair: Fair) -> None:
    answer = fair.answer(
        {"company": "Acme <b>AG</b>", "phone": "12", "note": "line one\r\nline two", "interest": "plc"}
    )
    assert answer.status_code == 422
    assert "Acme &lt;b&gt;AG&lt;/b&gt;" in answer.text
    assert re.search(r'name="phone"[^>]*aria-invalid="true"', answer.text)
    assert 'value="12"' in answer.text
    assert "line one\nline two" in answer.text
    assert re.search(r'value="plc" checked', answer.text)
    assert fair.saved() == []
    again = fair.answer(GOOD, slip=slip_of(answer), seconds=0)
    assert again.status_code == 303


def test_rules_and_conditions_of_the_record_hold_here_too(fair: Fair) -> None:
    answer = fair.answer({**GOOD, "budget": "1"})
    assert "A budget of one makes no sense" in answer.text
    answer = fair.answer({**GOOD, "call_back": "true"})
    assert answer.status_code == 422
    assert not re.search(r'data-field="call_on" hidden', answer.text)
    assert fair.answer({**GOOD, "call_back": "true", "call_on": "2026-06-01"}).status_code == 303


def test_a_likely_duplicate_is_saved_and_flagged_and_the_visitor_learns_nothing(fair: Fair) -> None:
    first, second = fair.answer(GOOD), fair.answer({**GOOD, "company": "Acme again"})
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    assert len(fair.saved()) == 2
    (pair,) = fair.max.get("/inquiry/duplicates").json()["pairs"]
    assert pair["score"] >= 90


def test_files_come_along_and_are_seen_by_whoever_sees_the_record(fair: Fair) -> None:
    answer = fair.answer(GOOD, files=[("plan~new", ("plan.pdf", PDF, "application/pdf"))])
    assert answer.status_code == 303
    (record,) = fair.saved()
    (file,) = record["plan"]
    assert fair.may.get(f"/files/{file}").content == PDF
    assert fair.ron.get(f"/files/{file}").status_code == 404


def test_files_are_not_kept_when_anything_is_wrong_and_the_visitor_is_told(fair: Fair) -> None:
    pdf = ("plan~new", ("plan.pdf", PDF, "application/pdf"))
    slip = fair.slip()
    with fair.unchanged():
        answer = fair.answer({"company": "Acme", "phone": "12"}, slip=slip, files=[pdf])
        assert "Files are not kept with the form" in answer.text
        # What only the record itself refuses is seen after the file has been looked at.
        answer = fair.answer({**GOOD, "budget": "1"}, slip=slip, files=[pdf])
        assert "A budget of one makes no sense" in answer.text


def test_a_form_inside_is_not_the_public_one(fair: Fair) -> None:
    login = fair.http.post("/sign-in", data={"login": "ron", "password": "correct horse battery"}, headers=HEADERS)
    assert login.status_code in (200, 303)
    page = fair.http.get("/fair/inquiry/new", headers={"accept-language": "en"})
    assert 'name="internal"' in page.text
    fair.http.cookies.clear()


# -- when it is closed -----------------------------------------------------------------------------------------------------


def test_a_form_takes_so_many_answers_and_then_says_so(fair: Fair) -> None:
    few, agreed = "/f/fair/few", {"company": "Acme", "~agreed": "yes"}
    late = fair.slip(few)
    assert [fair.answer(agreed, few).status_code for _ in range(2)] == [303, 303]
    assert fair.look(few).status_code == 410
    assert "All taken" in fair.look(few).text
    assert fair.answer(agreed, few, slip=late).status_code == 410
    assert len(fair.saved()) == 2
    # Whoever has just sent his answer is thanked all the same.
    assert "Received" in fair.look(f"{few}?sent=1").text


def test_a_form_is_open_through_its_last_day_in_the_apps_own_zone(fair: Fair) -> None:
    fair.clock.set(BEGIN.replace(month=5, day=31, hour=15, minute=59))
    assert fair.look("/f/fair/few").status_code == 200
    fair.clock.advance(60_000_000)
    assert fair.look("/f/fair/few").status_code == 410


def test_what_needs_consent_is_not_sent_without_it(fair: Fair) -> None:
    answer = fair.answer({"company": "Acme"}, "/f/fair/few")
    assert answer.status_code == 422
    assert "Please agree first" in answer.text
    assert fair.saved() == []


def test_what_is_not_there_and_what_is_not_open_answer_alike(fair: Fair) -> None:
    pages = [fair.look(path) for path in ("/f/fair/inside", "/f/fair/nothing", "/f/nowhere/ask", "/f/fair/ask/nobody")]
    assert {page.status_code for page in pages} == {404}
    assert len({page.text for page in pages}) == 1
    assert "There is no form here" in pages[0].text
    assert 'href="/"' not in pages[0].text


# -- who hands it out ------------------------------------------------------------------------------------------------------


def staff(fair: Fair, login: str, path: str) -> tuple[int, str]:
    """What somebody who signed in sees at an address of the app."""
    fair.http.post("/sign-in", data={"login": login, "password": "correct horse battery"}, headers=HEADERS)
    page = fair.http.get(path, params={"language": "en"} if "?" not in path else None)
    fair.http.cookies.clear()
    return page.status_code, page.text


def test_whoever_manages_a_form_sees_its_addresses_and_how_many_came_by_each(fair: Fair) -> None:
    fair.answer(GOOD, "/f/fair/ask/stand")
    fair.answer(GOOD, "/f/fair/ask/stand")
    fair.answer(GOOD)
    status, text = staff(fair, "may", "/fair/public-forms")
    assert status == 200
    assert "http://shop.test/f/fair/ask/poster" in text
    assert "Source: Ad" in text
    assert re.findall(r"<h3>([^<]+)</h3><span[^>]*>(\d+) answers", text) == [
        ("The form itself", "1"),
        ("Stand", "2"),
        ("Poster", "0"),
    ]
    assert "Few" not in text  # nobody but administrators manages it
    assert "&lt;iframe src=&#34;http://shop.test/f/fair/ask/stand?embed=1&#34;" in text


def test_nobody_else_sees_addresses_or_codes(fair: Fair) -> None:
    assert staff(fair, "ron", "/fair/public-forms")[0] == 404
    assert staff(fair, "ron", "/fair/public-forms/ask/qr.svg")[0] == 404
    assert staff(fair, "may", "/fair/public-forms/few/qr.svg")[0] == 404
    assert staff(fair, "may", "/fair/public-forms/ask/qr.svg?channel=nobody")[0] == 404
    assert staff(fair, "max", "/fair/public-forms/few/qr.png")[0] == 200
    assert "Public forms" not in staff(fair, "ron", "/fair/inquiry")[1]
    assert "Public forms" in staff(fair, "may", "/fair/inquiry")[1]


def test_codes_are_pictures_to_look_at_and_to_keep(fair: Fair) -> None:
    fair.http.post("/sign-in", data={"login": "may", "password": "correct horse battery"}, headers=HEADERS)
    svg = fair.http.get("/fair/public-forms/ask/qr.svg?channel=stand")
    png = fair.http.get("/fair/public-forms/ask/qr.png?channel=stand&download=1")
    fair.http.cookies.clear()
    assert svg.headers["content-type"] == "image/svg+xml"
    assert "<svg" in svg.text
    assert png.content.startswith(b"\x89PNG")
    assert png.headers["content-disposition"] == 'attachment; filename="fair-ask-stand.png"'
