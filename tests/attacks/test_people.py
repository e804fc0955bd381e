"""P19, P20: signing in tells nothing about who exists; taking access away takes effect at once."""

import statistics
import time

from engine.clock import SetClock
from tests.attacks.conftest import PASSWORD, Shop, hashed


def sign_in(shop: Shop, login: str, password: str) -> tuple[int, dict[str, object], float]:
    began = time.process_time()
    response = shop.http.post(
        "/api/v1/session", json={"login": login, "password": password}, headers={"accept-language": "en"}
    )
    took = time.process_time() - began
    shop.http.cookies.clear()
    body = response.json()
    body.pop("instance", None)
    return response.status_code, body, took


def test_p19_an_unknown_login_is_answered_like_a_wrong_password(shop: Shop) -> None:
    known, unknown = [], []
    for number in range(12):
        shop.site.people.create_user(f"person{number}", "Somebody", hashed=hashed(PASSWORD))
    shop.site.people.allow = lambda *_: True  # type: ignore[method-assign]
    for number in range(12):
        known.append(sign_in(shop, f"person{number}", "wrong password"))
        unknown.append(sign_in(shop, f"nobody{number}", "wrong password"))
    assert {(status, str(body)) for status, body, _ in known + unknown} == {(401, str(known[0][1]))}
    difference = statistics.median(took for *_, took in known) - statistics.median(took for *_, took in unknown)
    assert abs(difference) < 0.02


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
