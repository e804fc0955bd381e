"""A brief tells nobody what he may not read: not in a sentence, a list, a count, an order, or a heading."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.web.settings import Settings
from tests.attacks.conftest import APP, Shop

_BRIEFS = """\
    briefs:
      short:
        label: {zh: 速览, en: In short}
        help: {zh: 送货前看一眼, en: Read it before a delivery}
        text:
          zh: |
            订单《{{title}}》金额 {{amount}}。
            毛利 {{margin}}
            备注 {{customer.notes}}
          en: |
            The order {{title}} is worth {{amount}}.
            Margin {{margin}}
            Notes {{customer.notes}}
        fields: [margin, margin_rate, amount, customer, customer.phone, owner.name]
        gate: true
        lists:
          lines: {of: lines, columns: [product, price], sort: -price, limit: 2}
          rich: {of: customer.orders, label: {zh: 赚钱的, en: Rich ones}, where: margin > 1}
          others: {of: customer.orders, label: {zh: 同一客户, en: Same customer}, columns: [title, margin, amount], sort: [-margin, title], limit: 2}
      empty: {label: {zh: 毛利速览, en: Margin}, fields: margin}
"""
_BEFORE = "    title: title\n    number:"


class Briefed(Shop):
    """The shop with briefs of its orders."""

    app = {"app.yaml": APP.read_text(encoding="utf-8").replace(_BEFORE, _BRIEFS + _BEFORE)}  # type: ignore[assignment]

    def page(self, login: str, path: str, language: str = "zh", status: int = 200) -> str:
        token = self.site.people.open_session(self.people[login].id).token
        headers = {"cookie": f"dougong={token}; language={language}"}
        answer = self.ask("GET", f"/shop{path}", bare=True, headers=headers, follow_redirects=False)
        assert answer.status_code == status, answer.status_code
        return answer.text

    def brief(self, login: str, order: str, language: str = "zh", name: str = "short") -> str:
        return self.page(login, f"/order/{order}/brief/{name}", language)


@pytest.fixture
def shop(database_url: str, tmp_path: Path) -> Iterator[Briefed]:
    shop = Briefed(Settings(data=tmp_path / "data", database=database_url))
    with shop.http:
        yield shop


def words(text: str) -> str:
    """What stands in the main part of a page, what is copied included, without its tags."""
    main = text.split("<main", 1)[1].split(">", 1)[1].split("</main>", 1)[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def order_of(shop: Briefed, customer_of: str, **values: object) -> tuple[str, str]:
    """An order of ann's with a margin of 4711 for a customer of somebody's; the ids of order and customer."""
    customer = shop.people[customer_of].create("customer", name="Acme", phone="13857162204", notes="likes tea")
    made = shop.meg.create(
        "order", title="Bench", amount=10000, margin=4711, customer=customer["id"], owner=str(shop.ann.id), **values
    )
    return made["id"], customer["id"]


def test_a_hidden_field_is_absent_with_its_name_and_its_sentence(shop: Briefed) -> None:
    order, _ = order_of(shop, "ann")
    told = words(shop.brief("meg", order))
    assert "毛利 4,711.00" in told or "毛利 ¥4,711.00" in told
    for language in ("zh", "en"):
        told = words(shop.brief("ann", order, language))
        assert "Bench" in told
        assert "10,000" in told
        assert "likes tea" in told
        assert not re.search(r"4,?711|47\.11|毛利|Margin", told)
    assert "4711" not in shop.brief("ann", order)


def test_a_list_whose_condition_reads_a_hidden_field_is_absent(shop: Briefed) -> None:
    order, _ = order_of(shop, "ann")
    assert 'id="l-rich"' in shop.brief("meg", order)
    assert 'id="l-rich"' not in shop.brief("ann", order)
    assert "赚钱的" not in shop.brief("ann", order)


def test_the_order_of_a_list_does_not_tell_a_hidden_value(shop: Briefed) -> None:
    """What is hidden from her does not sort her list; the next field of the order does."""
    order, customer = order_of(shop, "ann")
    for title, margin in (("First", 9000), ("Second", 1)):
        shop.meg.create("order", title=title, margin=margin, customer=customer, owner=str(shop.ann.id))
    ann, meg = (shop.brief(login, order).split('id="l-others"')[1] for login in ("ann", "meg"))
    assert ann.index("Bench") < ann.index("First")
    assert meg.index("First") < meg.index("Bench")


def test_a_customer_that_is_not_hers_leaves_no_trace_and_no_count(shop: Briefed) -> None:
    order, customer = order_of(shop, "bob")
    before = words(shop.brief("ann", order))
    assert not re.search("Acme|likes tea|13857162204|同一客户|赚钱的|客户备注", before)
    for number in range(4):
        shop.bob.create("order", title=f"Secret {number}", customer=customer, amount=1)
    assert words(shop.brief("ann", order)) == before
    assert "Acme" in words(shop.brief("meg", order))


def test_records_of_others_are_not_among_those_of_a_list(shop: Briefed) -> None:
    order, customer = order_of(shop, "ann")
    shop.meg.create("order", title="Zebra", customer=customer, owner=str(shop.bob.id))
    assert "Zebra" not in shop.brief("ann", order)
    assert "Zebra" in shop.brief("meg", order)


def test_a_brief_of_what_one_may_not_see_is_answered_like_one_that_is_not_there(shop: Briefed) -> None:
    order, _ = order_of(shop, "ann")
    assert "Bench" in shop.page("ann", f"/order/{order}/brief/short")
    for login, path in (
        ("bob", f"/order/{order}/brief/short"),
        ("sue", f"/order/{order}/brief/short"),
        ("ann", f"/order/{int(order) + 99}/brief/short"),
        ("ann", f"/order/{order}/brief/nothing"),
        ("ann", f"/customer/{order}/brief/short"),
    ):
        assert "Bench" not in shop.page(login, path, status=404)


def test_a_brief_of_which_he_may_see_nothing_says_so_and_no_more(shop: Briefed) -> None:
    order, _ = order_of(shop, "ann")
    told = shop.brief("ann", order, name="empty")
    assert "这里还没有可看的内容" in told
    assert "margin" not in words(told).lower()
