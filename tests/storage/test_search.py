"""Searching finds two Chinese characters, part of a number, and forgets what is gone; the same on both databases."""

import pytest
import sqlalchemy as sa

from engine.storage.database import Database
from engine.storage.layout import EntityLayout
from engine.storage.schema import create_index, inspect, missing
from engine.storage.search import matches, query_tokens, search_tokens, spelled_tokens
from engine.storage.statement import Statement, Tokens
from engine.storage.tables import plain_indexes, record_table
from tests.effort import at_most

HOME = EntityLayout("shop_visit")
VISIT = record_table(HOME, {}, staged=False, metadata=sa.MetaData())


@pytest.fixture
def visits(database: Database) -> Database:
    with database.write() as write:
        for text in missing([VISIT], inspect(write, database.dialect), database.dialect):
            write.script(text)
        for spec in plain_indexes(HOME, {}, [], False, database.dialect):
            write.script(create_index(spec.build(VISIT), database.dialect))
    return database


def save(db: Database, key: int, *texts: str) -> None:
    row = {"id": key, "version": 1, "created_at": 0, "updated_at": 0, "search": search_tokens(texts)}
    with db.write() as write:
        write.run(db.upsert(VISIT, ["id"], ["search"], list(row)), row)


def found(db: Database, query: str) -> list[int]:
    statement = db.statement(sa.select(VISIT.c.id).where(matches(VISIT, "words")).order_by(VISIT.c.id))
    return [row[0] for row in db.all(statement, {"words": query_tokens(query)})]


def test_parts_of_names_and_numbers_are_found(visits: Database) -> None:
    save(visits, 1, "杭州远大机械有限公司", "+8613800138000", "Acme Tools GmbH")
    save(visits, 2, "远东电缆", "0571-88001234")
    save(visits, 3)
    for query, expected in {
        "远大": [1], "远": [1, 2], "机械有限": [1], "大远": [], "ACME": [1], "cme": [1], "ac": [1], "me": [], "8000": [1],
        "138": [1], "1234": [2], "远东 0571": [2], "远大 0571": [], "ＡＣＭＥ": [1], "gmbh 杭州": [1], "!?": [], "": [], '"': [], "a*": [1],
    }.items():  # fmt: skip
        assert found(visits, query) == expected, query


def test_what_is_changed_or_deleted_is_not_found_any_more(visits: Database) -> None:
    save(visits, 1, "杭州")
    save(visits, 1, "宁波")
    save(visits, 2, "宁波")
    assert (found(visits, "杭州"), found(visits, "宁波")) == ([], [1, 2])
    with visits.write() as write:
        write.run(visits.statement(sa.delete(VISIT).where(VISIT.c.id == 1)))
    assert found(visits, "宁波") == [2]
    save(visits, 2)
    assert found(visits, "宁波") == []


def test_many_records_at_once_are_one_piece_of_the_full_text_index(visits: Database) -> None:
    """Written record by record, the index is as many pieces, and writing and merging them costs most of an import."""
    names = ("id", "version", "created_at", "updated_at", "search")
    add = visits.statement(
        sa.insert(VISIT).values({name: sa.bindparam(name, type_=VISIT.c[name].type) for name in names})
    )
    rows = [
        {"id": key, "version": 1, "created_at": 0, "updated_at": 0, "search": search_tokens([f"远大 {key}"])}
        for key in range(500)
    ]
    with visits.write() as write:
        write.many(add, rows)
    assert found(visits, "远大") == list(range(500))
    assert found(visits, "499") == [499]
    assert pieces(visits) <= 1
    change = visits.statement(
        sa.update(VISIT)
        .where(VISIT.c.id == sa.bindparam("key"))
        .values(version=sa.bindparam("next"), search=sa.bindparam("words", type_=Tokens()))
    )
    with visits.write() as write:
        write.many(change, [{"key": n, "next": n, "words": search_tokens([f"远东 {n}"])} for n in range(500)])
    assert found(visits, "远大") == []
    assert found(visits, "远东") == list(range(500))
    assert visits.all(visits.statement(sa.select(VISIT.c.version).order_by(VISIT.c.id))) == [(n,) for n in range(500)]
    assert pieces(visits) <= 2


def pieces(db: Database) -> int:
    """Of how many parts that were written one after the other the full-text index of SQLite is made."""
    if db.dialect != "sqlite":
        return 0
    count: int = db.all(Statement('SELECT count(DISTINCT segid) FROM "shop_visit$search_idx"'))[0][0]
    return count


def test_a_longer_text_costs_no_more_than_its_limit() -> None:
    assert len(search_tokens(["一二三四五六七八九十" * 100_000])) < 100
    assert search_tokens(["a" * 20_000, "zzz"]) == ["a", "aa", "aaa"]
    assert len(query_tokens("一" * 10_000)) == 1


@pytest.mark.parametrize(
    ("title", "query", "expected"),
    [
        ("中华食品", "zhsp", True),
        ("中华食品", "hsp", True),
        ("中华食品", "zh", True),
        ("中华食品", "sp", False),  # two letters begin a word
        ("中华食品", "zhonghua", True),
        ("中华食品", "shipin", True),
        ("中华食品", "ZHONGHUAsh", True),
        ("中华食品", "zhongguo", False),
        ("中华食品 2026", "zhonghua 2026", True),
        ("中华食品 2026", "zhonghua 2025", False),
        ("西安重工", "xian", True),
        ("西安重工", "xazg", True),
        ("重庆长安", "chongqing", True),
        ("重庆长安", "cqca", True),
        ("华为 Huawei", "huawei", True),
        ("Huawei", "uaw", True),
        ("绿地", "lvdi", True),
        ("ABC", "abc", True),
    ],
)
def test_titles_are_found_by_initials_and_full_pinyin(visits: Database, title: str, query: str, expected: bool) -> None:
    row = {"id": 1, "version": 1, "created_at": 0, "updated_at": 0, "search": search_tokens([title], title)}
    with visits.write() as write:
        write.run(visits.upsert(VISIT, ["id"], ["search"], list(row)), row)
    other = spelled_tokens(query)
    plain = query_tokens(query)
    both = [*plain, None, *other] if other and visits.dialect == "sqlite" else plain
    statement = visits.statement(sa.select(VISIT.c.id).where(matches(VISIT, "words", "spelled" if other else None)))
    assert bool(visits.all(statement, {"words": both, "spelled": other})) is expected


def test_splitting_what_is_typed_into_syllables_takes_steps_in_proportion_to_its_length() -> None:
    with at_most(calls=40_000):
        assert spelled_tokens("xian" * 25) == []  # longer than any name is typed
        assert spelled_tokens("n" * 100) == []
        assert spelled_tokens("gang" * 10) == ["gang"]
