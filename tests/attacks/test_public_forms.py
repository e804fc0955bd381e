"""Public forms under attack: forged fields, robots, replays, floods, files, frames - and nobody reads a thing by them."""

import re
from collections.abc import Iterator
from pathlib import Path

import anyio
import httpx
import pytest

from engine.access.principal import guest_principal
from engine.app.public import door_of
from engine.clock import MICROSECONDS
from engine.problems import Refused
from engine.reading import Query
from engine.runtime import Create, Update
from engine.web.pages import guests
from engine.web.room import AT_ONCE, OF_ONE, WAITING
from engine.web.settings import Settings
from tests.attacks.conftest import PDF, PNG
from tests.forms.fair import GOOD, HEADERS, Fair, slip_of


@pytest.fixture
def fair(database_url: str, tmp_path: Path) -> Iterator[Fair]:
    fair = Fair(Settings(data=tmp_path / "data", database=database_url))
    with fair.http:
        yield fair


# -- what is written ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "forged",
    [
        {"source": "ad"}, {"internal": "x"}, {"grade": "a"}, {"owner": "1"}, {"owner~pick": "1"}, {"owner~text": "Ron"},
        {"id": "7"}, {"version": "3"}, {"created_by": "1"}, {"deleted_at": "0"}, {"stage": "won"}, {"~base": "{}"},
        {"~merge": "{}"}, {"~once": "x"}, {"company~was": "x"}, {"lines~rows": "true"}, {"no_such": "x"}, {"csrf": "x"},
    ],
    ids=lambda each: next(iter(each)),
)  # fmt: skip
def test_a_field_that_the_form_does_not_ask_saves_nothing(fair: Fair, forged: dict[str, str]) -> None:
    slip = fair.slip()
    with fair.unchanged():
        answer = fair.answer({**GOOD, **forged}, slip=slip)
        assert answer.status_code == 422
        assert next(iter(forged)) in answer.text


def test_what_the_channel_fills_in_cannot_be_answered_by_that_channel(fair: Fair) -> None:
    slip = fair.slip("/f/fair/ask/stand")
    with fair.unchanged():
        assert fair.answer({**GOOD, "contact": "me"}, "/f/fair/ask/stand", slip=slip).status_code == 422


def test_a_guest_may_create_with_the_fields_of_the_form_and_do_nothing_else(fair: Fair) -> None:
    fair.answer(GOOD)
    (record,) = fair.saved()
    app, runtime = fair.site.app("fair"), fair.site.runtime
    guest = guest_principal(door_of("ask"))
    lens = fair.site.reading(app).lens(guest)
    assert list(lens.entities()) == []
    assert not lens.may("user", "read")
    for command in (
        Create("inquiry", {"company": "A", "source": "fair", "grade": "a"}),
        Update("inquiry", int(record["id"]), {"note": "x"}),
    ):
        with pytest.raises(Refused):
            runtime.execute(app, guest, command)
    with fair.site.db.read() as r, pytest.raises(Refused):
        lens.page(r, "inquiry", Query())
    # What another form may write, this one may not.
    with pytest.raises(Refused):
        runtime.execute(
            app,
            guest_principal(door_of("few")),
            Create("inquiry", {"company": "A", "source": "fair", "phone": "13812345678"}),
        )
    with pytest.raises(Refused):
        runtime.execute(app, guest_principal(door_of("inside")), Create("inquiry", {"company": "A", "source": "fair"}))


def test_whoever_is_given_the_name_of_a_form_as_a_role_has_nothing_by_it(fair: Fair) -> None:
    people, policies = fair.site.people, fair.site.app("fair").policies
    people.set_roles(fair.ron.id, "fair", ["rep", door_of("ask")])
    ron = people.principal(fair.ron.id, "fair", policies)
    assert ron is not None
    assert ron.roles == {"rep"}


def test_values_are_words_wherever_they_are_shown(fair: Fair) -> None:
    nasty = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    answer = fair.answer({"company": nasty, "phone": nasty, "note": f"</textarea>{nasty}"})
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text
    assert "<script>alert" not in fair.look(f"/f/fair/ask?company={nasty}&language={nasty}").text
    assert fair.answer({**GOOD, "company": nasty}).status_code == 303
    fair.http.post("/sign-in", data={"login": "max", "password": "correct horse battery"}, headers=HEADERS)
    page = fair.http.get("/fair/inquiry")
    fair.http.cookies.clear()
    assert "&lt;script&gt;alert(1)" in page.text
    assert "<script>alert" not in page.text


# -- robots and replays --------------------------------------------------------------------------------------------------------


def test_a_robot_that_fills_every_field_in_saves_nothing_and_a_person_only_presses_again(fair: Fair) -> None:
    answer = fair.answer({**GOOD, "~website": "http://spam.test"})
    assert answer.status_code == 422
    assert fair.saved() == []
    assert "spam.test" not in answer.text
    assert fair.answer(GOOD, slip=slip_of(answer)).status_code == 303


def test_nobody_answers_within_a_moment(fair: Fair) -> None:
    answer = fair.answer(GOOD, seconds=1)
    assert answer.status_code == 422
    assert fair.saved() == []
    # The time goes on: the same page, pressed again, is taken.
    assert fair.answer(GOOD, slip=slip_of(answer), seconds=1.5).status_code == 303


@pytest.mark.parametrize("slip", ["", "x", "1.2.3", "\x7f", "é.é.é", "ffff.once." + "A" * 24, "." * 500])
def test_a_slip_that_is_not_ours_saves_nothing(fair: Fair, slip: str) -> None:
    answer = fair.answer(GOOD, slip=slip)
    assert answer.status_code == 422
    assert fair.saved() == []
    assert 'value="Acme"' in answer.text


def test_a_slip_is_for_one_form_and_one_channel_and_for_some_hours(fair: Fair) -> None:
    slip = fair.slip()
    assert fair.answer(GOOD, "/f/fair/ask/stand", slip=slip).status_code == 422
    assert fair.answer({"company": "A", "~agreed": "yes"}, "/f/fair/few", slip=slip).status_code == 422
    old = fair.answer(GOOD, slip=slip, seconds=12 * 3600)
    assert old.status_code == 422
    assert fair.saved() == []
    assert fair.answer(GOOD, slip=slip_of(old)).status_code == 303


def test_an_answer_that_is_sent_twice_is_one_record(fair: Fair) -> None:
    slip = fair.slip()
    first = fair.answer(GOOD, slip=slip)
    second = fair.answer({**GOOD, "company": "Other"}, slip=slip)
    assert (first.status_code, first.headers["location"]) == (second.status_code, second.headers["location"])
    assert [each["company"] for each in fair.saved()] == ["Acme"]
    app = fair.site.guests.answered("fair", "ask")
    assert app[""].answers == 1


# -- credentials and origins -----------------------------------------------------------------------------------------------------


def test_whoever_signs_in_is_a_guest_here_like_everybody(fair: Fair) -> None:
    fair.http.post("/sign-in", data={"login": "max", "password": "correct horse battery"}, headers=HEADERS)
    cookie = "; ".join(f"{each.name}={each.value}" for each in fair.http.cookies.jar)
    assert fair.answer(GOOD, headers={"cookie": cookie}).status_code == 303
    (record,) = fair.saved()
    assert (record["created_by"], record["owner"]) == (None, None)


def test_a_token_that_does_not_hold_is_refused_and_not_taken_for_nobody(fair: Fair) -> None:
    slip = fair.slip()
    with fair.unchanged():
        assert fair.look(authorization="Bearer nonsense").status_code == 401
        assert fair.answer(GOOD, slip=slip, headers={"authorization": "Bearer nonsense"}).status_code == 401


def test_a_session_that_does_not_hold_saves_nothing_until_it_is_forgotten(fair: Fair) -> None:
    answer = fair.answer(GOOD, headers={"cookie": "dougong=nonsense"})
    assert answer.status_code == 422
    assert fair.saved() == []
    assert 'dougong="";' in answer.headers["set-cookie"] or "dougong=" in answer.headers["set-cookie"]
    assert 'value="Acme"' in answer.text
    assert fair.answer(GOOD, slip=slip_of(answer)).status_code == 303


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.test"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}]
)
def test_another_sites_page_sends_nothing_in_a_visitors_name(fair: Fair, headers: dict[str, str]) -> None:
    slip = fair.slip()
    with fair.unchanged():
        assert fair.answer(GOOD, slip=slip, headers=headers).status_code == 403


def test_only_the_sites_that_the_form_names_may_frame_it(fair: Fair) -> None:
    def framing(path: str) -> str:
        page = fair.look(path)
        found = re.search(r"frame-ancestors ([^;]+);", page.headers["content-security-policy"])
        assert found
        # The older header would forbid what the policy allows.
        assert ("x-frame-options" in page.headers) == (found[1] == "'none'")
        return found[1]

    named = "https://www.example.com https://shop.example.com:8443"
    assert framing("/f/fair/ask?embed=1") == named
    assert framing("/f/fair/ask/stand?embed=1&sent=1") == named
    assert framing("/f/fair/ask") == "'none'"
    assert framing("/f/fair/ask?embed=1;%20*") == "'none'"
    assert framing("/f/fair/few?embed=1") == "'none'"
    # Every other page keeps both.
    assert fair.http.get("/sign-in").headers["x-frame-options"] == "DENY"
    assert fair.answer({"company": ""}, "/f/fair/ask?embed=1").headers["content-security-policy"].count(named) == 1


# -- files and sizes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [("plan.exe", b"MZ" + b"\0" * 64), ("plan.pdf", PNG), ("plan.pdf", b""), ("plan.pdf", PDF + b"%" * 1_100_000), ("plan.html", b"<script>")],
    ids=["kind", "disguised", "empty", "large", "page"],
)  # fmt: skip
def test_files_are_looked_at_as_everywhere(fair: Fair, name: str, content: bytes) -> None:
    slip = fair.slip()
    with fair.unchanged():
        answer = fair.answer(GOOD, slip=slip, files=[("plan~new", (name, content, "application/pdf"))])
        assert answer.status_code in (413, 415, 422)


def test_no_more_files_than_the_field_takes_and_none_where_none_are_asked(fair: Fair) -> None:
    pdf = ("plan.pdf", PDF, "application/pdf")
    slip, few = fair.slip(), fair.slip("/f/fair/few")
    with fair.unchanged():
        assert fair.answer(GOOD, slip=slip, files=[("plan~new", pdf)] * 3).status_code == 422
        assert fair.answer(GOOD, slip=slip, files=[("company", pdf)]).status_code == 422
        agreed = {"company": "A", "~agreed": "yes"}
        assert fair.answer(agreed, "/f/fair/few", slip=few, files=[("plan~new", pdf)]).status_code == 422


def test_the_file_of_another_cannot_be_taken_by_naming_it(fair: Fair) -> None:
    response = fair.max.upload("/files", "secret.pdf", PDF)
    loose = fair.site.attachments.keep("fair", "loose.pdf", iter([PDF]), 1_000_000, None)
    ids = [response.json()["id"] if response.status_code == 201 else str(loose), str(loose)]
    for id in ids:
        fair.answer({**GOOD, "plan~kept": id})
    assert all(not record["plan"] for record in fair.saved())


def test_bodies_are_as_small_as_the_form_needs(fair: Fair) -> None:
    slip = fair.slip("/f/fair/few")
    with fair.unchanged():
        assert fair.answer({"company": "A" * 3_000_000}, "/f/fair/few", slip=slip).status_code == 413
        # With two plans of a megabyte each a body may have those, and no ten.
        pdf = ("plan~new", ("plan.pdf", PDF + b"%" * 5_000_000, "application/pdf"))
        assert fair.answer(GOOD, slip=slip, files=[pdf]).status_code == 413


# -- floods ------------------------------------------------------------------------------------------------------------------------


def test_one_address_answers_so_often_and_then_waits_with_everything_typed_kept(fair: Fair) -> None:
    sent = 0
    while (answer := fair.answer({**GOOD, "company": f"Acme {sent}"}, seconds=2.1)).status_code == 303:
        sent += 1
        assert sent <= guests.OF_ADDRESS.burst * 2
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert f'value="Acme {sent}"' in answer.text
    assert len(fair.saved()) == sent or len(fair.saved()) == 200
    fair.clock.advance(int(answer.headers["retry-after"]) * MICROSECONDS)
    assert fair.answer(GOOD, slip=slip_of(answer)).status_code == 303


def test_a_flood_fills_its_own_room_and_other_pages_find_theirs_empty(fair: Fair) -> None:
    """Every place of the public pages is taken and stays taken: who comes next is told so unread, and work goes on."""
    site = fair.site
    taken = [f"10.0.0.{place}" for place in range(WAITING)]
    assert all(site.guest_room.enter(address) for address in taken)
    full = fair.look()
    assert full.status_code == 429
    assert full.headers["retry-after"] == "10"
    assert "Many people are here" in full.text
    with fair.unchanged():
        assert fair.answer(GOOD, slip="x").status_code == 429
    # Nothing of it waits where people work.
    assert site.limiter.statistics().tasks_waiting == 0
    assert fair.may.get("/inquiry").status_code == 200
    assert fair.http.get("/sign-in").status_code == 200
    for address in taken:
        site.guest_room.leave(address)
    assert fair.look().status_code == 200


def test_one_address_does_not_keep_the_others_out(fair: Fair) -> None:
    room = fair.site.guest_room
    assert [room.enter("testclient") for _ in range(OF_ONE + 1)] == [True] * OF_ONE + [False]
    assert fair.look().status_code == 429
    assert room.enter("somebody else")
    for _ in range(OF_ONE):
        room.leave("testclient")
    assert fair.look().status_code == 200


def test_public_pages_hold_few_threads_however_many_are_asked_for(fair: Fair) -> None:
    site, statuses, most = fair.site, list[int](), 0

    async def ask(number: int) -> None:
        transport = httpx.ASGITransport(app=fair.server, client=(f"10.0.0.{number}", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
            statuses.append((await client.get("/f/fair/ask", headers=HEADERS)).status_code)

    async def flood() -> None:
        nonlocal most
        async with anyio.create_task_group() as group:
            for number in range(WAITING + 10):
                group.start_soon(ask, number)
            while len(statuses) < WAITING + 10:
                most = max(most, site.guest_room.limiter.borrowed_tokens)
                assert site.limiter.borrowed_tokens == 0
                await anyio.sleep(0.001)

    # In the server's own loop, whose threads close their connections at its end.
    assert fair.http.portal is not None
    fair.http.portal.call(flood)
    assert (statuses.count(429), statuses.count(200)) == (10, WAITING)
    assert 0 < most <= AT_ONCE
