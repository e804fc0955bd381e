"""P22: what is secret stands nowhere but where it belongs: in no log, no refusal, no history, no address, no metric.

One broad run - API, pages, command line, failures of ours - with secrets that can be found again.
"""

from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from engine.access.people import digest
from engine.web.observe import begin_logging
from tests.attacks.conftest import PDF, Shop, _postgresql, _sqlite
from tests.test_cli import dougong

PASSWORD, WRONG, LOGIN = "canary-password-7f1c", "canary-wrong-2b9e", "canary-login-44aa"
BEARER, COOKIE, KEY = "dg_canary-bearer-5d0e", "canary-cookie-91c3", "canary-metrics-key-6e6e"
MARGIN = "8674309"  # an amount that only managers see; on the way it is 8674309.25


class Run:
    """Requests whose answers are kept."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.answers: list[httpx.Response] = []

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        response = self.shop.http.request(method, path, follow_redirects=False, **more)
        self.shop.http.cookies.clear()
        self.answers.append(response)
        return response

    def api(self, token: str, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} | more.pop("headers", {})
        return self.ask(method, f"/api/v1/shop{path}", headers=headers, **more)


def stored(shop: Shop) -> str:
    url = shop.settings.database_url
    return str(_sqlite(url) if url.startswith("sqlite") else _postgresql(url))


def wander(run: Run, token: str, order: dict[str, Any], file: str) -> None:
    """Every address of the API, well and badly."""
    one = f"/order/{order['id']}"
    for path in ("/order", one, f"{one}/history", f"{one}/stages", f"{one}/transitions", f"{one}/explain", f"{one}/files/papers", "/order/aggregate", "/order/export.csv",
                 "/order/export.xlsx", "/order/choices/customer", f"/files/{file}", "/openapi.json", "/order?filter=margin+%3E+1", "/order?sort=margin", "/order?search=8674309",
                 "/order/aggregate?measure.x=sum(margin)", f"{one}/explain?field=margin", "/order?cursor=x", "/nothing", f"{one}?expand=customer,lines"):  # fmt: skip
        run.api(token, "GET", path)
    stale = {"if-match": '"1"'}
    run.api(token, "PATCH", one, json={"title": "x"}, headers=stale)
    run.api(
        token,
        "PATCH",
        one,
        json={"margin": 1, "owner": "x", "amount": "NaN"},
        headers={"if-match": f'"{order["version"]}"'},
    )
    run.api(token, "PATCH", one, json={"title": "x"})
    run.api(token, "DELETE", one, headers=stale)
    run.api(token, "POST", f"{one}/transitions", json={"to": "packed"})
    run.api(
        token,
        "POST",
        "/order/bulk",
        json={"commands": [{"action": "update", "id": order["id"], "version": 1, "values": {"title": "y"}}]},
    )
    run.api(token, "POST", "/order", content=b"{", headers={"content-type": "application/json"})
    run.api(token, "POST", "/order/import", files={"file": ("a.csv", b"Title,Margin\nA,1\nB,x\n", "text/csv")})
    run.api(token, "POST", f"{one}/files/papers", files={"file": ("a.exe", b"MZ", "x/y")})


def browse(run: Run, order: dict[str, Any], password: str) -> tuple[str, str]:
    """Sign in with a form and look around; the session's id and its anti-forgery token."""
    run.ask("POST", "/sign-in", data={"login": LOGIN, "password": WRONG})
    run.ask("POST", "/sign-in", data={"login": "nobody", "password": WRONG, "after": "//evil.test"})
    entered = run.ask("POST", "/sign-in", data={"login": LOGIN, "password": password, "after": "/shop/order"})
    run.answers.remove(entered)  # the one answer that gives the session's id away, to its owner
    assert entered.status_code == 303
    cookie = {"cookie": entered.headers["set-cookie"].split(";")[0]}
    session = cookie["cookie"].partition("=")[2]
    csrf = run.ask("GET", "/api/v1/session", headers=cookie)
    run.answers.remove(csrf)
    one = f"/shop/order/{order['id']}"
    for path in (
        "/",
        "/shop/",
        "/shop/order",
        one,
        f"{one}/edit",
        f"{one}/move/new_to_packed",
        "/shop/my-page",
        "/shop/order/new",
        "/shop/order?where=margin+%3E+1",
        "/nothing",
    ):
        page = run.ask("GET", path, headers=cookie)
        if page.status_code == 200:
            assert session not in page.text
            run.answers.remove(page)  # forms carry the anti-forgery token
            assert MARGIN not in page.text
    run.ask("POST", f"{one}/edit", data={"title": "x", "csrf": "wrong"}, headers=cookie)
    run.ask(
        "POST",
        f"{one}/delete",
        data={"csrf": csrf.json()["csrf"], "~version": "1"},
        headers=cookie | {"origin": "http://evil.test"},
    )
    return session, str(csrf.json()["csrf"])


def test_p22_secrets_are_told_nowhere(shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    begin_logging("debug")
    people, run = shop.site.people, Run(shop)
    where = ("--database", shop.settings.database_url, "--data", str(shop.settings.data))
    user = people.create_user(LOGIN, "Cora", PASSWORD)
    people.set_roles(user, "shop", ["rep"])
    _, token = people.create_token(user, "canary")
    order = shop.max.create("order", title="Bench", amount=10, margin=8674309.25, owner=str(user))
    order = shop.max.upload(f"/order/{order['id']}/files/papers", "a.pdf", PDF).json()["record"]
    shop.max.patch(f"/order/{order['id']}", {"margin": 8674309.75}, order["version"])

    wander(run, token, order, order["papers"][0])
    session, csrf = browse(run, order, PASSWORD)
    run.ask("POST", "/api/v1/session", json={"login": LOGIN, "password": WRONG})
    run.ask("POST", "/api/v1/session", json={"login": WRONG, "password": {"x": WRONG}})
    run.ask(
        "POST", "/api/v1/session", content=f'{{"login": "{WRONG}'.encode(), headers={"content-type": "application/json"}
    )
    run.api(BEARER, "GET", "/order")
    run.ask("GET", "/shop/order", headers={"cookie": f"dougong={COOKIE}"})
    run.ask("GET", "/metrics", headers={"authorization": f"Bearer {KEY}"})
    run.ask("GET", f"/api/v1/{WRONG}/order", headers={"authorization": f"Bearer {token}"})
    for words in (
        ("explain", "shop", LOGIN, "order", order["id"], "--field", "margin"),
        ("user", "list"),
        ("versions", "shop"),
        ("token", "nobody"),
    ):
        done = dougong(*words, *where)
        assert PASSWORD not in done.stdout + done.stderr
        assert MARGIN not in done.stdout + done.stderr

    # A mistake of ours: the table is gone.
    moved = shop.site.db
    with moved.write() as write:
        write.run(moved.statement(sa.text("ALTER TABLE shop_order RENAME TO shop_order_away")))
    for method, path, body in (("GET", "/order", None), ("POST", "/order", {"title": WRONG})):
        answer = run.api(token, method, path, json=body)
        assert answer.status_code == 500
    with moved.write() as write:
        write.run(moved.statement(sa.text("ALTER TABLE shop_order_away RENAME TO shop_order")))

    logged = "".join(capfd.readouterr())
    metrics = shop.site.metrics.text().decode()
    told = "".join(f"{each.status_code} {each.headers.get('location')} {each.text}" for each in run.answers)
    assert '"event":"failed"' in logged
    assert '"event":"signed-in"' in logged
    assert '"status":401' in logged
    assert logged.count('"event":"request"') > 50
    assert '"route":"/api/v1/{app}/{entity}/{id:id}"' in logged
    assert 'route="/{app}/{entity}"' in metrics
    for secret in (PASSWORD, WRONG, BEARER, COOKIE, KEY, token, session, csrf):
        assert secret not in logged, secret
        assert secret not in metrics, secret
        assert secret not in told, secret
    for secret in (PASSWORD, WRONG, BEARER, COOKIE, KEY, token, session):
        assert secret not in stored(shop), secret
    assert digest(token) in stored(shop)
    assert MARGIN not in logged + metrics + told
    assert LOGIN not in logged + metrics
