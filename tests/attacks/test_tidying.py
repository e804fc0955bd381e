"""P04, P05: likely duplicates, merging, handing over, the recycle bin and explanations tell and do nothing that is not one's own."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.web.settings import Settings
from tests.attacks.conftest import Person, Shop

SECRETS = ("Credit", "授信", "Gossip", "传闻", "credit", "gossip")


class Tidy(Shop):
    app, name = Path(__file__).parent / "tidying.yaml", "tidy"
    roles = {"ann": ["rep"], "bob": ["rep"], "meg": ["manager"], "mia": ["manager"], "max": ["admin"]}


@pytest.fixture
def tidy(database_url: str, tmp_path: Path) -> Iterator[Tidy]:
    shop = Tidy(Settings(data=tmp_path / "data", database=database_url))
    with shop.http:
        yield shop


def page(who: Person, path: str, **form: Any) -> httpx.Response:
    """A page as somebody sees it; with a form what is answered to it."""
    more = {"data": form, "follow_redirects": True} if form else {}
    language = "&language=en" if "?" in path else "?language=en"
    return who.ask("POST" if form else "GET", f"/tidy{path}{language}", bare=True, **more)


def count(text: str) -> int:
    found = re.search(r"(\d+) pairs", text)
    assert found is not None
    return int(found[1])


def credit_of(tidy: Tidy, id: str) -> Any:
    return tidy.max.get(f"/customer/{id}").json()["credit"]


def set_credit(tidy: Tidy, id: str, credit: int) -> None:
    version = tidy.max.get(f"/customer/{id}").json()["version"]
    assert tidy.max.patch(f"/customer/{id}", {"credit": credit}, version).is_success


def rows(text: str) -> int:
    return text.count('<li class="twin"')


def test_p05_a_pair_is_there_only_for_who_sees_both(tidy: Tidy) -> None:
    tidy.ann.create("customer", name="Stone Mill")
    tidy.bob.create("customer", name="Stone Mill")
    for who, number in ((tidy.ann, 0), (tidy.bob, 0), (tidy.meg, 1)):
        text = page(who, "/my-duplicates").text
        assert (count(text), rows(text)) == (number, number)
        assert len(who.get("/customer/duplicates").json()["pairs"]) == number


def test_p05_the_queue_counts_what_it_lists_on_all_its_pages(tidy: Tidy) -> None:
    for number in range(36):
        for who in (tidy.ann, tidy.ann, tidy.bob) if number % 3 else (tidy.ann, tidy.bob):
            who.create("customer", name=chr(0x4E00 + 97 * number) * 6)
    for who in (tidy.ann, tidy.meg):
        first = page(who, "/my-duplicates").text
        listed, more = rows(first), re.search(r'href="([^"]+)" rel="next"', first)
        while more is not None:
            following = who.ask("GET", more[1].replace("&amp;", "&"), bare=True).text
            listed, more = listed + rows(following), re.search(r'href="([^"]+)" rel="next"', following)
        assert listed == count(first) > 0


def test_p04_the_likeness_of_a_hidden_value_is_not_told(tidy: Tidy) -> None:
    one, other = (tidy.ann.create("customer", name="Stone Mill") for _ in range(2))
    for each, credit in ((one, 100), (other, 100)):
        set_credit(tidy, each["id"], credit)
    assert tidy.ann.get("/customer/duplicates").json()["pairs"][0]["detail"].keys() == {"name"}
    assert tidy.meg.get("/customer/duplicates").json()["pairs"][0]["detail"].keys() == {"name", "credit"}
    text = page(tidy.ann, "/my-duplicates").text
    assert not any(secret in text for secret in SECRETS)


def test_p05_what_one_does_not_see_is_not_told_apart(tidy: Tidy) -> None:
    one, other = tidy.ann.create("customer", name="Stone Mill"), tidy.bob.create("customer", name="Stone Mill")
    pair = f"{one['id']}.{other['id']}"
    page(tidy.ann, "/my-duplicates")
    with tidy.unchanged():
        for do in ("distinct", "same"):
            answer = page(tidy.ann, "/my-duplicates", entity="customer", do=do, pair=pair)
            assert "Stone" not in answer.text
        assert page(tidy.ann, f"/customer/{one['id']}/distinct/{other['id']}", do="x").status_code == 404
        assert page(tidy.ann, f"/customer/{one['id']}/merge/{other['id']}").status_code == 404
        assert page(tidy.ann, f"/customer/{one['id']}/merge/{other['id']}", do="x").status_code == 404


def test_p04_merging_neither_shows_nor_moves_nor_loses_what_is_hidden(tidy: Tidy) -> None:
    keep, lose = (tidy.ann.create("customer", name="Stone Mill") for _ in range(2))
    set_credit(tidy, lose["id"], 77_431)
    address = f"/customer/{keep['id']}/merge/{lose['id']}"
    shown = page(tidy.ann, address).text
    assert not any(secret in shown for secret in (*SECRETS, "77431", "77,431"))
    page(tidy.ann, address, **{"~take.credit": "theirs"})
    assert credit_of(tidy, keep["id"]) is None
    page(tidy.ann, address, **{"~take.name": "mine"})
    assert credit_of(tidy, keep["id"]) is None
    tidy.meg.post(f"/customer/{lose['id']}/restore")
    assert credit_of(tidy, lose["id"]) == 77_431


def test_p04_a_hidden_field_is_explained_like_one_that_does_not_exist(tidy: Tidy) -> None:
    id = tidy.ann.create("customer", name="Stone Mill")["id"]
    for field in ("credit", "gossip"):
        hidden, unknown = (tidy.ann.get(f"/customer/{id}/explain", field=name) for name in (field, "nothing"))
        assert hidden.status_code == unknown.status_code == 404
        assert hidden.json()["code"] == unknown.json()["code"]
        hidden, unknown = (page(tidy.ann, f"/customer/{id}/why?field={name}") for name in (field, "nothing"))
        assert hidden.status_code == unknown.status_code == 404
        strip = re.compile(r"[?&=](credit|gossip|nothing)")
        assert strip.sub("", hidden.text) == strip.sub("", unknown.text)


def test_p04_a_rule_over_hidden_fields_is_not_spelled_out(tidy: Tidy) -> None:
    id = tidy.ann.create("customer", name="Stone Mill")["id"]
    for credit in (60000, 99999):
        set_credit(tidy, id, credit)
        answers = [
            tidy.ann.get(f"/customer/{id}/explain", action="update").text,
            page(tidy.ann, f"/customer/{id}/why?action=update").text,
            page(tidy.ann, f"/customer/{id}/why?action=update&field=phone").text,
            page(tidy.ann, f"/customer/{id}/why").text,
        ]
        assert not any(secret in text for text in answers for secret in (*SECRETS, "54321", "98765"))
    assert "You may not" in answers[1]
    assert "Meg" in answers[1]


def test_p05_records_one_may_not_know_are_not_explained(tidy: Tidy) -> None:
    theirs = tidy.bob.create("customer", name="Stone Mill")["id"]
    unseen, nothing = (page(tidy.ann, f"/customer/{id}/why?action=update") for id in (theirs, 1))
    assert unseen.status_code == nothing.status_code == 404
    assert "Stone" not in unseen.text
    assert "Bob" not in unseen.text


def test_p05_nobody_hands_over_who_may_not(tidy: Tidy) -> None:
    tidy.bob.create("customer", name="Stone Mill")
    form = {"leaver": tidy.bob.id, "to": tidy.ann.id, "give.customer": tidy.ann.id}
    with tidy.unchanged():
        assert page(tidy.ann, "/my-handover", **form).status_code == 403
        assert page(tidy.ann, "/my-handover?leaver=1").status_code == 403
        people = {"leaver": str(tidy.bob.id), "successor": str(tidy.ann.id)}
        assert tidy.ann.post("/handover", people).json()["details"]["counts"] == {}
        assert tidy.ann.post("/handover", {**people, "entities": ["customer"]}).status_code == 403
    begun = page(tidy.meg, "/my-handover", **form)
    assert begun.status_code == 200
    with tidy.unchanged():
        for who, status in ((tidy.ann, 403), (tidy.mia, 404)):
            assert page(who, begun.url.path.removeprefix("/tidy"), do="step").status_code == status
            assert page(who, begun.url.path.removeprefix("/tidy")).status_code == status
    assert tidy.site.people.person(tidy.bob.id) is not None


def test_p05_only_administrators_suspend_at_the_end_of_a_handover(tidy: Tidy) -> None:
    tidy.bob.create("customer", name="Stone Mill")
    form = {"leaver": tidy.bob.id, "to": tidy.ann.id, "give.customer": tidy.ann.id, "suspend": "1"}
    begun = page(tidy.meg, "/my-handover", **form)
    page(tidy.meg, begun.url.path.removeprefix("/tidy"), do="step")
    assert tidy.site.people.person(tidy.bob.id) is not None
    assert tidy.ann.get("/customer").json()["records"][0]["name"] == "Stone Mill"


def test_p04_permissions_to_take_along_name_no_hidden_field(tidy: Tidy) -> None:
    text = page(tidy.meg, f"/my-handover/matrix.csv?who={tidy.ann.id}").content.decode("utf-8-sig")
    assert "Credit line" in text
    assert "Gossip" not in text
    assert page(tidy.meg, "/my-explain/roles.csv").status_code == 404
    assert page(tidy.ann, f"/my-handover/matrix.csv?who={tidy.meg.id}").status_code == 403


def test_p05_the_recycle_bin_holds_only_ones_own(tidy: Tidy) -> None:
    theirs = tidy.bob.create("customer", name="Stone Mill")
    assert tidy.bob.delete(f"/customer/{theirs['id']}", theirs["version"]).is_success
    text = page(tidy.ann, "/my-trash?entity=customer").text
    assert "Stone" not in text
    assert "Bob" not in text
    assert "Stone Mill" in page(tidy.meg, "/my-trash?entity=customer").text
