"""Computed fields: one record at a time and whole tables at once give the same; concurrent creation gives distinct numbers."""

import threading

import orjson

from engine.access.principal import engine_principal
from engine.runtime import Create
from engine.runtime.derive import recompute_all
from tests.runtime.conftest import Works


def scores(works: Works) -> list[tuple[object, ...]]:
    names = ("name", "orders_total", "big", "health", "health_band", "health_detail")
    return [tuple(row[name] for name in names) for row in works.rows("max", "client", sort=("name",), fields=names)]


def test_a_table_recomputed_as_a_set_equals_its_records_computed_one_by_one(works: Works) -> None:
    for number in range(8):
        phone = f"1380013800{number}" if number % 2 else None
        client = works.create("ada", "client", name=f"C{number}", phone=phone)
        if number:
            works.create("ada", "order", client=str(client), lines=[{"part": "p", "price": 1234.5 * number}])
    expected = scores(works)
    table = works.app.entities["client"].table.name
    with works.db.write() as w:
        w.script(
            f"UPDATE {table} SET orders_total = NULL, big = NULL, health = NULL, health_band = 'red', health_detail = NULL"
        )
        work = works.runtime.work(works.app, engine_principal(), w)
        model = works.app.entities["client"]
        recompute_all(work, model, model.order)
    assert scores(works) == expected
    with works.db.write() as w:
        work = works.runtime.work(works.app, engine_principal(), w)
        assert recompute_all(work, works.app.entities["client"], works.app.entities["client"].order) == 0


def test_a_stored_score_says_where_it_comes_from(works: Works) -> None:
    client = works.create("ada", "client", name="C", phone="13800138000")
    works.create("ada", "order", client=str(client), lines=[{"part": "p", "price": 5000}])
    (row,) = works.rows("ada", "client", fields=("health", "health_band", "health_detail"))
    assert (row["health"], row["health_band"]) == (70, "green")
    score = works.app.scores["client_health"]
    parts = score.explain(orjson.dumps(row["health_detail"]).decode())
    assert [(part["term"], part["value"], part["points"]) for part in parts] == [
        ("volume", 0.5, 30),
        ("contact", 1, 30),
    ]
    assert row["health_detail"]["rule"] == score.rule


def test_numbers_are_never_given_twice_however_many_create_at_once(works: Works) -> None:
    client = works.create("ada", "client", name="C")
    errors: list[BaseException] = []

    def create() -> None:
        try:
            for _ in range(5):
                works.act("ada", Create("order", {"client": str(client)}))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    numbers = [row["number"] for row in works.rows("ada", "order", limit=100)]
    assert sorted(numbers) == [f"R202603-{count:04}" for count in range(1, 31)]


def test_a_record_is_found_by_words_that_it_has_from_another(works: Works) -> None:
    client = works.create("ada", "client", name="Stone Mill")
    order = works.create("ada", "order", client=str(client))

    def found(words: str) -> list[str]:
        return [row["id"] for row in works.rows("ada", "order", search=words)]

    assert found("stone") == [str(order)]
    works.update("ada", "client", client, name="Iron Mill")
    assert found("iron") == [str(order)]
    assert found("stone") == []
