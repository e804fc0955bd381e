"""P19, P20: signing in tells nothing about who exists; taking access away takes effect at once."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pwdlib import PasswordHash

from engine.access.people import People
from engine.clock import SetClock
from engine.storage.database import Database
from tests.attacks.conftest import PASSWORD, Person, Shop, hashed

WRONG = "wrong password"


def sign_in(shop: Shop, login: str, password: str) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, body and headers of an attempt, without what is new in every answer."""
    response = shop.http.post(
        "/api/v1/session", json={"login": login, "password": password}, headers={"accept-language": "en"}
    )
    shop.http.cookies.clear()
    body = response.json()
    body.pop("instance", None)
    headers = {name: value for name, value in response.headers.items() if name != "x-request-id"}
    return response.status_code, body, headers


@pytest.fixture
def strangers(shop: Shop) -> list[str]:
    """Logins that differ in what an outsider must not learn: nobody's, a person's, and those who cannot sign in."""
    people = shop.site.people
    people.create_user("known", "Somebody", hashed=hashed(PASSWORD))
    people.suspend(people.create_user("suspended", "Somebody", hashed=hashed(PASSWORD)))
    people.create_user("no-password", "Somebody")
    return ["unknown", "known", "suspended", "no-password", "ann"]


@contextmanager
def verifications(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The parameters of every hash that a password is compared with: they decide how long it takes."""
    made: list[str] = []
    verify = PasswordHash.verify

    def noted(self: PasswordHash, password: str | bytes, hash: str | bytes) -> bool:
        made.append(str(hash).split("$")[3])
        return verify(self, password, hash)

    with monkeypatch.context() as patch:
        patch.setattr(PasswordHash, "verify", noted)
        yield made


def test_p19_whoever_may_not_in_is_answered_alike_for_the_same_work(
    shop: Shop, strangers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, work = [], []
    for login in strangers:
        with verifications(monkeypatch) as made, shop.site.db.counter() as counter:
            answers.append(sign_in(shop, login, WRONG))
        # Once in a while the server looks for new versions, whoever asks.
        work.append((made, [text for text in counter.texts if "dg_epoch" not in text]))
    assert answers[0][0] == 401
    assert all(answer == answers[0] for answer in answers)
    assert len(work[0][0]) == 1
    assert all(each == work[0] for each in work)


def test_p19_a_right_password_of_somebody_suspended_says_no_more(shop: Shop, strangers: list[str]) -> None:
    assert sign_in(shop, "suspended", PASSWORD) == sign_in(shop, "unknown", PASSWORD)
    assert sign_in(shop, "suspended", PASSWORD)[0] == 401


def test_p19_somebody_throttled_is_answered_alike_too(shop: Shop, strangers: list[str]) -> None:
    answers = []
    for login in strangers:
        tries = [sign_in(shop, login, WRONG) for _ in range(7)]
        assert [status for status, *_ in tries] == [401] * 5 + [429] * 2
        answers.append(tries[-1])
    assert all(answer == answers[0] for answer in answers)


def test_p19_nobody_can_try_passwords_for_long(shop: Shop) -> None:
    statuses = [sign_in(shop, "ann", f"guess {number}")[0] for number in range(8)]
    assert statuses == [401] * 5 + [429] * 3
    assert sign_in(shop, "ann", PASSWORD)[0] == 429
    assert sign_in(shop, "bob", PASSWORD)[0] == 201


def test_p20_access_ends_when_it_is_taken_away(shop: Shop) -> None:
    people = shop.site.people
    cookies = {}
    for login in ("ann", "bob", "meg", "sue"):
        response = shop.http.post("/api/v1/session", json={"login": login, "password": PASSWORD})
        cookies[login] = {"cookie": response.headers["set-cookie"].split(";")[0]}
        shop.http.cookies.clear()
        assert shop.ask("GET", "/api/v1/me", headers=cookies[login]).status_code == 200
    people.suspend(shop.ann.id)
    people.set_password(shop.bob.id, "another good password")
    people.set_roles(shop.sue.id, "shop", [])
    for login in ("ann", "bob"):
        assert shop.ask("GET", "/order", headers=cookies[login]).status_code == 401
        assert shop.people[login].get("/order").status_code == 401
    assert shop.ask("GET", "/customer", headers=cookies["sue"]).status_code == 404
    assert shop.ask("GET", "/order", headers=cookies["meg"]).status_code == 200
    token = people.tokens(shop.meg.id)[0]
    people.revoke_token(int(token["id"]))
    assert shop.meg.get("/order").status_code == 401


def token_of(people: People, user: int) -> int:
    return int(people.tokens(user)[0]["id"])


# How access is taken away, and what the person is answered afterwards at /order.
ENDINGS: dict[str, tuple[Callable[[People, Person], object], int]] = {
    "suspended": (lambda people, who: people.suspend(who.id), 401),
    "token deleted": (lambda people, who: people.revoke_token(token_of(people, who.id)), 401),
    "password reset": (lambda people, who: people.set_password(who.id, "another good password"), 401),
    "role dropped": (lambda people, who: people.set_roles(who.id, "shop", []), 404),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_p20_what_another_process_takes_away_ends_within_a_second(shop: Shop, ending: str) -> None:
    end, status = ENDINGS[ending]
    clock = shop.site.people.clock = SetClock(shop.site.clock.now())
    elsewhere = People(Database.open(shop.settings.database_url), clock)
    assert shop.ann.get("/order").status_code == 200
    assert end(elsewhere, shop.ann) is not False
    clock.advance(1_000_000)
    assert shop.ann.get("/order").status_code == status
    elsewhere.db.close()


def test_p20_what_a_team_gave_ends_with_the_team(shop: Shop) -> None:
    clock = shop.site.people.clock = SetClock(shop.site.clock.now())
    elsewhere = People(Database.open(shop.settings.database_url), clock)
    team = elsewhere.create_team("north", "North")
    elsewhere.set_leader(team, shop.ann.id)
    elsewhere.set_team(shop.bob.id, team)
    theirs = shop.bob.create("order", title="Bob's")
    clock.advance(1_000_000)
    assert shop.ann.get(f"/order/{theirs['id']}").status_code == 200
    elsewhere.set_leader(team, None)
    clock.advance(1_000_000)
    assert shop.ann.get(f"/order/{theirs['id']}").status_code == 404
    elsewhere.set_leader(team, shop.ann.id)
    elsewhere.set_team(shop.bob.id, None)
    clock.advance(1_000_000)
    assert shop.ann.get(f"/order/{theirs['id']}").status_code == 404
    elsewhere.db.close()


def test_p20_who_is_looked_up_while_access_ends_is_not_remembered(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    people = shop.site.people
    found = people._token

    def slow(key: str) -> tuple[int, int | None] | None:
        row = found(key)
        people.suspend(shop.ann.id)
        return row

    with monkeypatch.context() as patch:
        patch.setattr(people, "_token", slow)
        shop.ann.get("/order")
    assert shop.ann.get("/order").status_code == 401


@pytest.mark.long
def test_p19_five_hundred_tries_take_as_long_for_nobody_as_for_somebody(shop: Shop) -> None:
    """Medians of processor time, known and unknown in turn."""
    shop.site.people.allow = lambda *_: True  # type: ignore[method-assign]
    took: dict[str, list[float]] = {"ann": [], "nobody": []}
    for number in range(1000):
        login = ("ann", "nobody")[number % 2]
        began = time.process_time()
        sign_in(shop, login, WRONG)
        took[login].append(time.process_time() - began)
    known, unknown = (statistics.median(each) for each in took.values())
    print(f"known {known * 1000:.2f} ms, unknown {unknown * 1000:.2f} ms")
    assert abs(known - unknown) < 0.005


def test_p20_a_session_ends_by_itself(shop: Shop) -> None:
    response = shop.http.post("/api/v1/session", json={"login": "ann", "password": PASSWORD})
    cookie = {"cookie": response.headers["set-cookie"].split(";")[0]}
    shop.http.cookies.clear()
    people = shop.site.people
    clock = SetClock(people.clock.now())
    people.clock = clock
    assert shop.ask("GET", "/order", headers=cookie).status_code == 200
    clock.advance(15 * 86_400 * 1_000_000)
    assert shop.ask("GET", "/order", headers=cookie).status_code == 401
