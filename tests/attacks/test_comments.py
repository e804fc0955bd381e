"""Comments, mentions and notices tell nobody of records that are not his, and run nothing that was typed into them."""

from typing import Any

import pytest

from tests.attacks.conftest import Shop


@pytest.fixture
def order(shop: Shop) -> dict[str, Any]:
    return shop.ann.create("order", title="Bench", amount=100)


def say(shop: Shop, login: str, order: dict[str, Any], text: str) -> str:
    response = getattr(shop, login).post(f"/order/{order['id']}/comments", {"text": text})
    assert response.status_code == 201, response.text
    id: str = response.json()["details"]["comment"]
    assert response.headers["location"].endswith(f"/order/{order['id']}/comments/{id}")
    return id


def test_comments_are_read_written_changed_and_taken_back(shop: Shop, order: dict[str, Any]) -> None:
    id = say(shop, "meg", order, "@[ann] please call")
    (told,) = shop.ann.get(f"/order/{order['id']}/comments").json()["comments"]
    assert (told["id"], told["by_name"], told["text"], told["edited_at"]) == (id, "Meg", "@[ann] please call", None)
    assert shop.ann.get(f"/order/{order['id']}/comments").json()["names"] == {"ann": "Ann"}
    assert shop.meg.patch(f"/order/{order['id']}/comments/{id}", {"text": "done"}).status_code == 200
    assert shop.ann.patch(f"/order/{order['id']}/comments/{id}", {"text": "x"}).status_code == 403
    assert shop.ann.delete(f"/order/{order['id']}/comments/{id}").status_code == 403
    assert shop.meg.delete(f"/order/{order['id']}/comments/{id}").status_code == 200
    (told,) = shop.ann.get(f"/order/{order['id']}/comments").json()["comments"]
    assert told["text"] is None
    assert told["deleted_at"] is not None
    assert shop.meg.post(f"/order/{order['id']}/comments", {"text": " "}).status_code == 422


def test_comments_come_in_pages(shop: Shop, order: dict[str, Any]) -> None:
    for number in range(3):
        say(shop, "ann", order, str(number))
    first = shop.ann.get(f"/order/{order['id']}/comments", limit=2).json()
    rest = shop.ann.get(f"/order/{order['id']}/comments", limit=2, before=first["next"]).json()
    assert [each["text"] for each in (*first["comments"], *rest["comments"])] == ["2", "1", "0"]
    assert rest["next"] is None


def test_a_comment_of_a_record_that_one_may_not_see_does_not_exist(shop: Shop, order: dict[str, Any]) -> None:
    id = say(shop, "ann", order, "secret plan")
    own = shop.bob.create("order", title="Mine")
    nowhere = str(int(id) + 1)
    with shop.unchanged():
        for there in (f"/order/{order['id']}", f"/order/{own['id']}"):
            for comment in (id, nowhere):
                assert shop.bob.patch(f"{there}/comments/{comment}", {"text": "x"}).status_code == 404
                assert shop.bob.delete(f"{there}/comments/{comment}").status_code == 404
        assert shop.bob.get(f"/order/{order['id']}/comments").status_code == 404
        assert shop.bob.post(f"/order/{order['id']}/comments", {"text": "hello"}).status_code == 404
        assert (
            shop.bob.get(f"/order/{order['id']}").json()["code"]
            == (shop.bob.get(f"/order/{order['id']}/comments").json()["code"])
        )


def test_whoever_may_not_see_the_record_is_not_told_and_no_better_known_than_nobody(
    shop: Shop, order: dict[str, Any]
) -> None:
    answers = []
    for login in ("bob", "rob"):
        response = shop.ann.post(f"/order/{order['id']}/comments", {"text": f"@[{login}] look"})
        answers.append(str(response.json()["warnings"]).replace(login, "?"))
    assert answers[0] == answers[1] != "[]"
    assert shop.site.notices.unread(shop.bob.id, "shop") == 0


def test_a_notice_of_what_one_may_no_longer_see_says_nothing_of_it(shop: Shop, order: dict[str, Any]) -> None:
    say(shop, "meg", order, "@[ann] the margin is 40")
    cookies = {"dougong": shop.site.people.open_session(shop.ann.id).token or ""}

    def page() -> str:
        response = shop.ask("GET", "/shop/my-notices", headers={"cookie": _cookie(cookies)}, bare=True)
        assert response.status_code == 200
        return response.text

    told = page()
    assert "Bench" in told
    assert "Meg" in told
    assert "the margin is" not in told.split("<main", 1)[1], "a notice holds no word of the comment"
    latest = shop.meg.get(f"/order/{order['id']}").json()
    assert shop.meg.patch(f"/order/{order['id']}", {"owner": str(shop.bob.id)}, latest["version"]).status_code == 200
    told = page().split("<main", 1)[1]
    assert "Bench" not in told
    assert "Meg" not in told
    assert str(order["id"]) not in told


def test_nobody_reads_or_marks_the_notices_of_another(shop: Shop, order: dict[str, Any]) -> None:
    say(shop, "meg", order, "@[ann] look")
    (notice,) = shop.site.notices.all(shop.ann.id, "shop")
    session = shop.site.people.open_session(shop.bob.id)
    headers = {"cookie": _cookie({"dougong": session.token or ""})}
    response = shop.ask(
        "POST", "/shop/my-notices", data={"notice": str(notice.id), "csrf": session.csrf}, headers=headers, bare=True
    )
    assert response.status_code in (200, 303)
    assert shop.site.notices.unread(shop.ann.id, "shop") == 1


def _cookie(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())
