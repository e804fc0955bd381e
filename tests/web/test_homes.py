"""Homes of a definition: who gets which, what each kind of card shows, and that what it shows is what it opens."""

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.clock import SetClock
from engine.runtime import Command, Create, Update
from engine.web.settings import Settings
from tests.attacks.conftest import Shop

NOW = datetime(2026, 3, 12, 2, 0, tzinfo=UTC)


class Desk(Shop):
    app, name = Path(__file__).parent / "homes.yaml", "desk"
    roles = {"ann": ["rep"], "bob": ["rep"], "meg": ["boss"], "max": ["admin"]}

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, SetClock(NOW))
        self.cookies = {
            login: f"dougong={self.site.people.open_session(person.id).token}" for login, person in self.people.items()
        }

    def page(self, login: str, path: str, language: str = "zh", **more: Any) -> httpx.Response:
        headers = {"cookie": f"{self.cookies[login]}; language={language}"}
        return self.ask("GET", f"/desk{path}", bare=True, headers=headers, follow_redirects=False, **more)

    def make(self, login: str, entity: str = "deal", **values: Any) -> str:
        """A record made by somebody, past the pages; its id."""
        return str(self._do(login, Create(entity, values)))

    def change(self, login: str, id: str, **values: Any) -> None:
        self._do(login, Update("deal", int(id), values))

    def _do(self, login: str, command: Command) -> int:
        app = self.site.app("desk")
        principal = self.site.people.principal(self.people[login].id, "desk", app.policies)
        assert principal is not None
        return self.site.runtime.execute(app, principal, command).id

    def card(self, login: str, name: str, language: str = "zh") -> str:
        answer = self.page(login, f"/my-card?home=rep&card={name}", language)
        assert answer.status_code == 200, name
        return answer.text


def ago(**span: float) -> str:
    return (NOW - timedelta(**span)).isoformat()


def words(text: str) -> str:
    """What stands on a page, without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def opened(desk: Desk, login: str, page: str, label: str = "more") -> list[str]:
    """The titles of the list that a card opens."""
    href = html.unescape(re.findall(rf'class="{label}" href="([^"]+)"', page)[0])
    listed = desk.page(login, href.removeprefix("/desk"))
    assert listed.status_code == 200, href
    return [html.unescape(each) for each in re.findall(r'class="b" href="[^"]+">([^<]+)<', listed.text)]


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(Settings(data=tmp_path / "data", database=database_url, log="error"))
    with desk.http:
        yield desk


@pytest.fixture
def filled(desk: Desk) -> Desk:
    phone = "13857162204"
    desk.make("ann", title="Large", amount=300, paid=150, kind="new", phone=phone, touched=ago(hours=50))
    desk.make("ann", title="Small", amount=100, paid=50, kind="again", touched=ago(hours=45))
    desk.make("ann", title="Open", touched=ago(hours=1))
    desk.make("bob", title="Secret of Bob", amount=9000, paid=9000, kind="new", touched=ago(hours=99))
    desk.make("meg", title="Of Meg", amount=10, margin=1, kind="new")
    return desk


def test_the_first_home_that_fits_the_roles_is_shown(filled: Desk) -> None:
    assert "今天" in words(filled.page("ann", "/").text)
    assert "主管台" in words(filled.page("meg", "/").text)
    # Whoever has none of the roles gets what there is, as without homes.
    assert 'class="cards"' in filled.page("max", "/").text


def test_another_home_that_fits_can_be_chosen_and_no_other(filled: Desk) -> None:
    def with_home(login: str, home: str) -> str:
        headers = {"cookie": f"{filled.cookies[login]}; home={home}"}
        return words(filled.ask("GET", "/desk/", bare=True, headers=headers).text)

    assert "今天" in with_home("meg", "rep")
    assert "主管台" not in with_home("ann", "boss")


def test_a_list_shows_the_first_records_with_columns_time_and_action(filled: Desk) -> None:
    card = filled.card("ann", "mine")
    said = words(card)
    assert "Large" in said
    assert "Small" in said
    assert "Open" not in said, "the limit is two"
    assert "新购 · ¥300.00" in said
    assert "超 2 时 0 分" in said, "50 hours of 48"
    assert "剩 3 时 0 分" in said
    assert 'class="nw run red"' in card
    assert 'class="nw run yellow"' in card, "three hours are within soon"
    assert "全部 3 条" in said
    assert 'href="tel:+8613857162204" aria-label="拨打 Large"' in card or 'aria-label="拨打 Large"' in card
    assert "2 h 0 min over" in words(filled.card("ann", "mine", "en"))
    assert opened(filled, "ann", card) == ["Large", "Small", "Open"]


def test_time_that_has_passed_and_a_new_record_for_the_row(filled: Desk) -> None:
    card = filled.card("ann", "stale")
    assert "2 天 2 时" in words(card)
    (href,) = set(re.findall(r'href="(/desk/call/new[^"]+)"', card))
    form = filled.page("ann", html.unescape(href).removeprefix("/desk"))
    assert 'value="回访"' in form.text
    assert "Large" in form.text, "the new call is about the deal"
    assert opened(filled, "ann", card) == ["Large"]


def test_a_figure_counts_what_it_opens(filled: Desk) -> None:
    card = filled.card("ann", "unpriced")
    assert 'class="big red"' in card
    assert re.findall(r'class="big red"[^>]*>(\d+)<', card) == ["1"]
    assert opened(filled, "ann", card) == ["Open"]


def test_a_share_is_one_sum_of_another(filled: Desk) -> None:
    said = words(filled.card("ann", "paid"))
    assert "50 %" in said
    assert "¥200 / ¥400" in said


def test_bars_are_groups_of_what_one_sees_each_opening_its_records(filled: Desk) -> None:
    card = filled.card("ann", "kinds")
    assert words(card).endswith("新购 1 复购 1 未填 1") or "新购 1" in words(card)
    for label, title in (("新购", "Large"), ("复购", "Small"), ("未填", "Open")):
        href = html.unescape(re.findall(rf'href="([^"]+)">{label}<', card)[0])
        listed = filled.page("ann", href.removeprefix("/desk")).text
        assert re.findall(r'class="b" href="[^"]+">([^<]+)<', listed) == [title]
    people = words(filled.card("meg", "people"))
    assert people.index("Bob") < people.index("Ann"), "the largest sum stands first"


def test_a_funnel_has_a_row_for_each_open_stage(filled: Desk) -> None:
    card = filled.card("ann", "sale")
    said = words(card)
    assert "洽谈" in said
    assert "报价" in said
    assert "赢单" not in said
    assert "¥400" in said
    assert isinstance(filled.site.clock, SetClock)
    filled.site.clock.set(NOW + timedelta(days=3))
    filled.cookies["ann"] = f"dougong={filled.site.people.open_session(filled.ann.id).token}"
    later = filled.card("ann", "sale")
    assert "3 天" in words(later)
    assert 'class="dg-bar red"' in later, "three days of two"


def test_the_next_gate_says_what_is_missing(filled: Desk) -> None:
    said = words(filled.card("ann", "gates"))
    assert "条件已齐，可以推进" in said
    assert "金额、类型" in said
    assert "Secret of Bob" not in said


def test_a_card_about_what_is_hidden_is_absent(filled: Desk) -> None:
    assert 'id="card-thin"' not in filled.page("ann", "/?all=1").text
    assert filled.page("ann", "/my-card?home=rep&card=thin").status_code == 404
    headers = {"cookie": f"{filled.cookies['meg']}; home=rep"}
    assert 'id="card-thin"' in filled.ask("GET", "/desk/?all=1", bare=True, headers=headers).text


def test_no_card_counts_or_names_the_records_of_others(filled: Desk) -> None:
    whole = filled.page("ann", "/?all=1").text
    assert "Secret of Bob" not in whole
    assert "9000" not in whole
    assert "9,000" not in whole
    assert filled.page("ann", "/my-card?home=boss&card=risky").status_code == 404, "another job's home"
    assert filled.page("ann", "/my-card?home=rep&card=nothing").status_code == 404


def test_core_actions_open_prefilled_forms_for_whoever_may(filled: Desk) -> None:
    home = filled.page("ann", "/").text
    href = html.unescape(re.findall(r'href="(/desk/call/new[^"]*)"', home)[0])
    assert 'value="回访"' in filled.page("ann", href.removeprefix("/desk")).text
    assert "Log a call" in filled.page("ann", "/", "en").text
    assert filled.page("ann", "/my-card?home=rep&card=core").status_code == 404, "its buttons are no card of their own"


def test_what_may_take_long_comes_after_the_first_paint(filled: Desk) -> None:
    first = filled.page("ann", "/").text
    assert 'data-later="/desk/my-card?home=rep&amp;card=sale"' in first
    assert "data-later" not in filled.page("ann", "/?all=1").text


def test_the_bar_of_a_phone_begins_with_what_the_home_names(filled: Desk) -> None:
    bar = re.findall(r'nav class="ph-bar".*?</nav>', filled.page("ann", "/").text, re.DOTALL)[0]
    assert words(f"<{bar}").endswith("首页 通话 商机 我的")


def test_recent_and_starred_records_that_one_may_no_longer_see_are_absent(filled: Desk) -> None:
    deals = filled.ann.get("/deal").json()["records"]
    large = next(each for each in deals if each["title"] == "Large")
    assert filled.page("ann", f"/deal/{large['id']}").status_code == 200
    session = filled.site.people.session(filled.cookies["ann"].removeprefix("dougong="))
    assert session is not None
    star = filled.ask(
        "POST", f"/desk/deal/{large['id']}/star", bare=True, headers={"cookie": filled.cookies["ann"]},
        data={"csrf": session.csrf, "star": "on"}, follow_redirects=False,
    )  # fmt: skip
    assert star.status_code == 303
    for card in ("recent", "starred"):
        assert "Large" in words(filled.card("ann", card))
    assert "Large" in words(filled.page("ann", "/my-search?part=found").text)
    filled.meg.patch(f"/deal/{large['id']}", {"owner": str(filled.bob.id)}, large["version"])
    for card in ("recent", "starred"):
        assert "Large" not in words(filled.card("ann", card))
    assert "Large" not in filled.page("ann", "/my-search?part=found").text
    assert "Large" not in filled.page("ann", "/my-page").text


def test_a_record_that_one_may_not_see_cannot_be_starred(filled: Desk) -> None:
    bobs = filled.bob.get("/deal").json()["records"][0]["id"]
    session = filled.site.people.session(filled.cookies["ann"].removeprefix("dougong="))
    assert session is not None
    answer = filled.ask(
        "POST", f"/desk/deal/{bobs}/star", bare=True, headers={"cookie": filled.cookies["ann"]},
        data={"csrf": session.csrf, "star": "on"}, follow_redirects=False,
    )  # fmt: skip
    assert answer.status_code == 404


def test_a_home_asks_no_more_of_the_database_the_more_records_there_are(filled: Desk) -> None:
    """And its statements are prepared once for a version: the second look prepares none."""
    filled.page("ann", "/?all=1")
    with filled.site.db.counter() as few:
        filled.page("ann", "/?all=1")
    for number in range(30):
        filled.make("ann", title=f"More {number}", amount=number, kind="new", touched=ago(hours=60))
    filled.page("ann", "/?all=1")
    with filled.site.db.counter() as many:
        filled.page("ann", "/?all=1")
    # What a gate asks for is looked up record by record, for at most as many as its card shows.
    assert many.count <= few.count + 8, "\n".join(many.texts)


def test_the_manifest_names_the_app_in_the_language_of_its_reader(desk: Desk) -> None:
    answer = desk.page("ann", "/manifest.webmanifest", "en")
    assert answer.headers["content-type"].startswith("application/manifest+json")
    manifest = answer.json()
    assert manifest["name"] == "Desk"
    assert manifest["start_url"] == "/desk/"
    assert {"any", "maskable"} == {icon["purpose"] for icon in manifest["icons"]}
    for icon in manifest["icons"]:
        picture = desk.ask("GET", icon["src"], bare=True)
        assert picture.content.startswith(b"\x89PNG")
        width = int.from_bytes(picture.content[16:20], "big")
        assert icon["sizes"] == f"{width}x{width}"
    assert desk.page("ann", "/manifest.webmanifest").json()["name"] == "工作台"
    worker = desk.ask("GET", "/service-worker.js", bare=True)
    assert worker.headers["content-type"].startswith("text/javascript")
    assert "{version}" not in worker.text


def test_the_page_without_a_network_holds_nothing_of_anybody(filled: Desk) -> None:
    page = filled.page("ann", "/my-offline").text
    assert "没有网络" in page
    assert "Ann" not in page
    assert "csrf" not in page


def test_help_tells_of_stages_and_gates_and_of_no_hidden_field(filled: Desk) -> None:
    said = words(filled.page("ann", "/my-help?on=deal").text)
    assert "离开「洽谈」需要" in said
    assert "金额" in said
    assert "停留不超过 2 天" in said
    assert "毛利" not in said
    assert "毛利" in words(filled.page("meg", "/my-help?on=deal").text)
