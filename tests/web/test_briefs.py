"""Briefs of a definition: what each of their keys shows, literally, and with how many questions to the database."""

import re

from tests.attacks.test_briefs import Briefed, order_of, shop, words

__all__ = ["shop"]


def test_each_key_shows_what_it_says(shop: Briefed) -> None:
    order, _ = order_of(shop, "ann", lines=[{"product": f"Part {price}", "price": price} for price in (5, 7, 6)])
    page = shop.brief("ann", order, "en")
    told = words(page)
    assert "In short" in told
    assert "Read it before a delivery" in told
    assert re.search(r"The order Bench is worth ¥?10,000\.00\.", told)
    assert "Notes likes tea" in told
    assert "Phone 138" in told
    assert "Name Ann" in told
    assert "Customer Acme" in told
    # The dearest first, two of the three, and where all of them are.
    lines = page.split('id="l-lines"')[1].split("</section>")[0]
    assert lines.index("Part 7") < lines.index("Part 6")
    assert "Part 5" not in lines
    assert f"f.order={order}" in lines
    assert "Same customer" in told
    assert "Still missing for “Packed”" in told
    assert "Papers" in told


def test_the_lists_follow_their_condition(shop: Briefed) -> None:
    order, customer = order_of(shop, "ann")
    shop.meg.create("order", title="Poor", margin=1, customer=customer)
    shop.meg.create("order", title="Rich", margin=2, customer=customer)
    rich = shop.brief("meg", order).split('id="l-rich"')[1].split("</section>")[0]
    assert "Rich" in rich
    assert "Bench" in rich
    assert "Poor" not in rich


def test_a_line_whose_value_is_missing_is_left_out(shop: Briefed) -> None:
    bare = shop.ann.create("order", title="Stool")
    told = words(shop.brief("ann", bare["id"]))
    assert "Stool" in told
    assert told.endswith("暂无：明细")
    assert "订单《" not in told
    assert "备注" not in told
    assert "同一客户" not in told


def test_what_looks_like_a_hole_or_a_tag_in_a_value_stays_as_it_is(shop: Briefed) -> None:
    title = "{{7*7}} {{amount}} <b>x</b> {amount}"
    made = shop.ann.create("order", title=title, amount=5)
    page = shop.brief("ann", made["id"])
    assert f"订单《{title}》" in words(page).replace("&lt;", "<")
    assert "<b>x</b>" not in page
    assert "49" not in words(page)


def test_the_page_asks_as_often_however_much_there_is(shop: Briefed) -> None:
    order, customer = order_of(shop, "ann", lines=[{"product": "A", "price": 1}])

    def asked() -> int:
        shop.brief("meg", order)
        counts = []
        for _ in range(3):
            with shop.site.db.counter() as counter:
                shop.brief("meg", order)
            counts.append(counter.count)
        return min(counts)

    few = asked()
    for number in range(12):
        shop.meg.create("order", title=f"More {number}", margin=number, customer=customer)
    assert asked() == few


def test_the_record_page_leads_to_its_briefs_and_the_bin_does_not(shop: Briefed) -> None:
    order, _ = order_of(shop, "ann")
    link = f'href="/shop/order/{order}/brief/short"'
    assert link in shop.page("ann", f"/order/{order}")
    version = shop.ann.get(f"/order/{order}").json()["version"]
    assert shop.ann.delete(f"/order/{order}", version).status_code < 300
    assert link not in shop.page("ann", f"/order/{order}")
    assert "Bench" not in shop.page("ann", f"/order/{order}/brief/short", status=404)
