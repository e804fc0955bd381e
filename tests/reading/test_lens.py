"""Reading through a lens: filters, sorts, pages, sums; and nothing of what is hidden."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from engine.problems import Refused
from engine.reading import Query
from engine.reading.notices import notices
from engine.storage.errors import StatementTimeout
from tests.runtime.conftest import Works, compiled, works  # noqa: F401


@pytest.fixture
def filled(works: Works) -> Works:  # noqa: F811
    """Seven clients with and without region and phone; three orders of Ada with margins."""
    for position, region in enumerate(["north", "south", None, "north", "south", None, "north"]):
        works.create(
            "ada", "client", name=f"C{position}", region=region, phone=None if position % 2 else f"1380013800{position}"
        )
    clients = works.rows("ada", "client", sort=("name",))
    for position, margin in enumerate([5, 10, 20]):
        order = works.create(
            "ada", "order", client=clients[position]["id"], lines=[{"part": "p", "price": 100 + position}]
        )
        works.update("fay", "order", order, margin=margin)
    return works


@pytest.mark.parametrize("sort", [("region",), ("-region",), ("region", "-name"), ("-created_at",), ("name",), ()])
def test_pages_put_together_are_the_whole_list_in_order(filled: Works, sort: tuple[str, ...]) -> None:
    whole = [row["id"] for row in filled.rows("ada", "client", sort=sort)]
    assert len(whole) == 7
    seen, cursor = [], None
    while True:
        with filled.db.read() as r:
            page = filled.lens("ada").page(r, "client", Query(sort=sort, limit=2, cursor=cursor))
        seen += [row["id"] for row in page.rows]
        cursor = page.next
        if cursor is None:
            break
    assert seen == whole


def test_filters_by_value_by_list_by_emptiness_and_by_expression(filled: Works) -> None:
    def names(**query: object) -> list[str]:
        return [row["name"] for row in filled.rows("ada", "client", sort=("name",), **query)]

    assert names(filters={"region": "north"}) == ["C0", "C3", "C6"]
    assert names(filters={"region": "north,south"}) == ["C0", "C1", "C3", "C4", "C6"]
    assert names(filters={"region": ""}) == ["C2", "C5"]
    assert names(where="region == 'south' and orders_total > 100") == ["C1"]
    assert names(where="count(orders where total > 101) = 1") == ["C2"]
    assert names(where="owner.name == 'Ada' and name >= 'C5'") == ["C5", "C6"]


def test_search_finds_chinese_pairs_and_parts_of_words(filled: Works) -> None:
    filled.create("ada", "client", name="上海恒锐机械有限公司")
    assert [row["name"] for row in filled.rows("ada", "client", search="恒锐")] == ["上海恒锐机械有限公司"]
    assert filled.rows("ada", "client", search="锐恒") == []


@pytest.mark.parametrize("words", ["恒锐", "机", "恒锐 C", "公司 有限", "13800138", "zzz", "恒 锐"])
@pytest.mark.parametrize("sort", [("name",), ("-created_at",), ()])
def test_common_words_find_the_same_as_rare_ones(
    filled: Works, monkeypatch: pytest.MonkeyPatch, words: str, sort: tuple[str, ...]
) -> None:
    """On SQLite common words are looked up in the records as they come, and in the index where that takes long."""
    from engine.reading import lens

    for name in ("上海恒锐机械有限公司", "恒星锐利公司", "机床 C 恒锐", "锐恒有限公司", "100%_恒锐"):
        filled.create("ada", "client", name=name, region="south")
    query = {"search": words, "sort": sort}
    found = [filled.rows(login, "client", **query) for login in ("ada", "bea")]
    south = filled.rows("ada", "client", **query, filters={"region": "south"})
    monkeypatch.setattr(lens, "COMMON", 0)
    walked = [filled.rows(login, "client", **query) for login in ("ada", "bea")]
    assert walked == found
    assert filled.rows("ada", "client", **query, filters={"region": "south"}) == south
    monkeypatch.setattr(lens, "WALK", 0.0)
    assert [filled.rows(login, "client", **query) for login in ("ada", "bea")] == found
    monkeypatch.setattr(filled.db, "hurry", late)
    assert [filled.rows(login, "client", **query) for login in ("ada", "bea")] == found


@contextmanager
def late(seconds: float) -> Iterator[None]:
    raise StatementTimeout("late")
    yield


def test_counts_and_sums_speak_of_the_same_rows_as_the_list(filled: Works) -> None:
    lens = filled.lens("fay")
    with filled.db.read() as r:
        query = Query(where="margin >= 10")
        assert lens.count(r, "order", query) == 2
        assert lens.count(r, "order", Query(), at_most=1) == 1
        (row,) = lens.aggregate(r, "order", query, (), {"n": "count()", "sum": "sum(margin)", "mean": "avg(margin)"})
        assert row == {"n": 2, "sum": 30, "mean": 15}
        groups = lens.aggregate(r, "client", Query(), ("region",), {"n": "count()"})
    assert {row["region"]: row["n"] for row in groups} == {None: 2, "north": 3, "south": 2}


def refusals(works: Works, login: str, entity: str, name: str) -> list[tuple[int, str]]:  # noqa: F811
    """How each way of asking for a field is refused."""
    lens, found = works.lens(login), []
    asks = [
        Query(where=f"{name} > 0"), Query(filters={name: "1"}), Query(sort=(name,)), Query(fields=(name,)), Query(expand=(name,)),
    ]  # fmt: skip
    for query in asks:
        with pytest.raises(Refused) as refused, works.db.read() as r:
            lens.page(r, entity, query)
        found.append((refused.value.status, refused.value.problems[0].code))
    for group, measures in [((name,), {"n": "count()"}), ((), {"n": f"sum({name})"}), ((), {"n": f"min({name})"})]:
        with pytest.raises(Refused) as refused, works.db.read() as r:
            lens.aggregate(r, entity, Query(), group, measures)
        found.append((refused.value.status, refused.value.problems[0].code))
    return found


def test_a_hidden_field_is_as_unknown_as_one_that_does_not_exist(filled: Works) -> None:
    assert refusals(filled, "ada", "order", "margin") == refusals(filled, "ada", "order", "nothing_such")
    assert refusals(filled, "ada", "order", "margin_rate") == refusals(filled, "ada", "order", "nothing_such")
    assert refusals(filled, "ada", "client", "owner.password") == refusals(filled, "ada", "client", "owner.nothing")


def test_history_keeps_hidden_changes_to_itself(filled: Works) -> None:
    order = int(filled.rows("ada", "order")[0]["id"])
    text = str(filled.history("ada", "order", order))
    assert "margin" not in text
    assert "margin" in str(filled.history("fay", "order", order))


def test_roles_that_see_fields_on_different_rows_never_see_their_union(filled: Works) -> None:
    """Buyers see northern clients without their phones; whoever is both sees phones everywhere, for fitters see all."""
    assert [row["name"] for row in filled.rows("bea", "client", sort=("name",))] == ["C0", "C3", "C6"]
    assert all("phone" not in row for row in filled.rows("bea", "client"))


def test_lookups_show_titles_only_of_what_may_be_seen(filled: Works) -> None:
    row = filled.rows("ada", "order", expand=("client", "owner"), sort=("number",))[0]
    assert (row["client"]["title"], row["owner"]["title"]) == ("C0", "Ada")
    with filled.db.read() as r:
        assert [each["title"] for each in filled.lens("ada").choices(r, "order", "client", "c6")] == ["C6"]


def test_why_somebody_may_not_is_explained_rule_by_rule(filled: Works) -> None:
    order = int(filled.rows("ada", "order")[0]["id"])
    with filled.db.read() as r:
        (verdict,) = filled.lens("ada").explain(r, "order", "read", order, "margin")
        assert (verdict["role"], verdict["allowed"], verdict["words"]) == ("fitter", False, "「钳工」看不到这个字段。")
        assert any(each["allowed"] for each in filled.lens("fay").explain(r, "order", "update", order))
        with pytest.raises(Refused):
            filled.lens("ben").explain(r, "order", "read", order)


def test_a_list_takes_one_statement(filled: Works) -> None:
    lens = filled.lens("ada")
    for _ in range(2):
        with filled.db.counter() as counter, filled.db.read() as r:
            lens.page(r, "client", Query(where="region == 'north'", sort=("-name",)))
        assert counter.count == 1


def test_a_notice_tells_of_records_that_one_may_not_see_only_what_it_reveals(works: Works) -> None:  # noqa: F811
    top = works.create("ada", "client", name="Top")
    branch = works.create("sun", "client", name="Branch", parent=str(top))
    works.create("sun", "order", client=str(branch))
    mine = works.create("ada", "order", client=str(top))
    with works.db.read() as r:
        (told,) = notices(works.lens("ada"), r, "order", mine)
        assert (told.words.zh, told.links) == ("集团还有 1 张单,负责人:Sun(South)", ())
        (told,) = notices(works.lens("max"), r, "order", chosen={"client": top})
        assert told.count == 2
        assert len(told.links) == 2


def test_groups_by_the_month_of_a_date(filled: Works) -> None:
    with filled.db.read() as r:
        lens = filled.lens("ada")
        found = lens.aggregate(r, "client", Query(), ("created_at.month",), {"count": "count()"})
        assert found == [{"created_at.month": "2026-03-01", "count": 7}]
        for name in ("name.month", "nothing.month", "created_at.year", "created_at.month.month"):
            with pytest.raises(Refused) as refused:
                lens.aggregate(r, "client", Query(), (name,), {"count": "count()"})
            assert refused.value.status == 404


@pytest.mark.parametrize("words", ["zhsp", "zhonghua", "zhonghua C", "shipin", "gs"])
def test_pinyin_finds_the_same_through_the_index_and_in_the_records(
    filled: Works, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    from engine.reading import lens

    for name in ("中华食品公司", "中华 C 食品", "Zhonghua C", "华中商贸", "公司"):
        filled.create("ada", "client", name=name)
    query = {"search": words, "sort": ("name",)}
    found = filled.rows("ada", "client", **query)
    assert found
    monkeypatch.setattr(lens, "COMMON", 0)
    assert filled.rows("ada", "client", **query) == found
    monkeypatch.setattr(lens, "WALK", 0.0)
    assert filled.rows("ada", "client", **query) == found


def test_search_words_of_an_older_rule_are_made_anew_once(filled: Works) -> None:
    from engine.publishing.recompute import search_again
    from engine.storage.statement import Tokens

    filled.create("ada", "client", name="中华食品")
    table = filled.app.entities["client"].table
    old = filled.db.statement(sa.update(table).values(search=sa.bindparam("words", type_=Tokens())))
    filled.db.transact(lambda w: w.run(old, {"words": ["old"]}))
    assert filled.rows("ada", "client", search="zhsp") == []
    assert search_again(filled.db, filled.app) > 0
    assert [row["name"] for row in filled.rows("ada", "client", search="zhsp")] == ["中华食品"]
    filled.db.transact(lambda w: w.run(old, {"words": ["old"]}))
    assert search_again(filled.db, filled.app) == 0
