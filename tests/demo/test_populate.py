"""Demo data: people who can sign in, records of every shape, and a past that could have happened."""

from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from engine.access.people import People
from engine.app import App, compile_app
from engine.clock import SetClock
from engine.definition import load
from engine.exchange import demo
from engine.exchange.demo import Demo, populate
from engine.exchange.samples.paper import PREFERRED, content
from engine.problems import Refused
from engine.runtime import Runtime
from engine.storage import system
from engine.storage.database import Database
from engine.storage.files import Files
from tests.runtime.conftest import HERE, START, open_app

DAY = 86_400_000_000

SAMPLE = """
sample:
  password: works-demo
  teams:
    works: {label: {zh: 总厂, en: Works}, leader: boss}
    hall: {label: {zh: 车间, en: Hall}, parent: works, leader: lead}
  people:
    boss: {name: 王总, roles: owner, team: works}
    lead: {name: 李班长, roles: foreman, team: hall}
    one: {name: 张三, roles: fitter, team: hall}
    two: {name: 李四, roles: fitter, team: hall}
  lists:
    city: [杭州, 宁波]
    trade: [机械, 铸造]
    trouble: [异响, 漏油, 过热]
  make:
    client:
      count: 12
      months: 4
      fields:
        name: "{city}{trade} {seq}"
        phone: {share: 50}
        region: {north: 75, south: 25}
        parent: {share: 30}
        owner: {role: fitter}
    order:
      count: 40
      months: 4
      fields:
        what: {share: 70, of: "{trouble} {seq}"}
        region: {same: client.region}
        owner: {same: client.owner}
        urgent: {true: 20, false: 80}
        why_urgent: {by: urgent, cases: {true: 停线}}
        discount: {from: 0, to: 0.4}
      stages: {repair: {received: 25, working: 25, done: 35, refused: 15}}
    line:
      per: order
      least: 1
      count: 3
      fields: {part: {turn: [轴承, 密封, 电机]}, quantity: {from: 1, to: 9}, price: {from: 10, to: 900}}
    note:
      per: order
      count: 2
      fields: {text: "{trouble}"}
"""


def app_of(sample: str) -> App:
    return compile_app(load({"works.yaml": (HERE / "works.yaml").read_text("utf-8") + sample}))


@pytest.fixture(scope="session")
def sampled() -> App:
    return app_of(SAMPLE)


def fill(database: Database, app: App, folder: Path, **more: Any) -> tuple[Demo, dict[str, int]]:
    it = open_app(database, app, SetClock(START))
    made = Demo(
        it.runtime,
        it.people,
        app,
        more.get("size", 1),
        more.get("seed", 1),
        more.get("progress"),
        Files(folder) if more.get("files", True) else None,
    )
    return made, made.run()


def rows(database: Database, app: App, entity: str) -> list[dict[str, Any]]:
    model = app.entities[entity]
    columns = [model.table.c[column].label(name) for name, column in model.columns.items()]
    return dicts(database, sa.select(*columns).order_by(model.table.c.id))


def dicts(database: Database, select: Any) -> list[dict[str, Any]]:
    with database.read() as r:
        return r.dicts(database.statement(select))


def told(database: Database, app: App) -> dict[str, list[dict[str, Any]]]:
    """Every record without the ids, which come from the machine's clock."""
    names = {
        "id",
        "client",
        "order",
        "parent",
        "family",
        "checks",
        "owner",
        "created_by",
        "updated_by",
        "photos",
        "report",
    }
    return {
        entity: [
            {name: value for name, value in row.items() if name not in names} for row in rows(database, app, entity)
        ]
        for entity in app.hot_entities
    }


def test_every_shape_gives_what_it_says(database: Database, sampled: App, tmp_path: Path) -> None:
    _, counts = fill(database, sampled, tmp_path)
    assert counts["client"] == 12
    assert counts["order"] == 40
    assert 40 <= counts["line"] <= 120
    clients = {row["id"]: row for row in rows(database, sampled, "client")}
    assert {row["region"] for row in clients.values()} <= {"north", "south"}
    assert 0 < sum(row["phone"] is not None for row in clients.values()) < 12
    for order in rows(database, sampled, "order"):
        client = clients[order["client"]]
        assert (order["region"], order["owner"]) == (client["region"], client["owner"])
        assert (order["why_urgent"] is not None) == order["urgent"]
        assert client["created_at"] <= order["created_at"] <= sampled_now(order)
    lines = rows(database, sampled, "line")
    assert {line["part"] for line in lines} <= {"轴承", "密封", "电机"}
    assert all(10_00 <= line["price"] <= 900_00 for line in lines)


LATELY = (
    SAMPLE.replace("region: {north: 75, south: 25}", "region: {since: 60 d, of: north, otherwise: south}")
    .replace("owner: {same: client.owner}", "owner: {since: 60 d, of: null, otherwise: {role: fitter}}")
    .replace("discount: {from: 0, to: 0.4}", "discount: {from: 0, to: 0.4}\n        margin: {from: 1000, to: 9000}")
    .replace("price: {from: 10, to: 900}", "price: {part: order.margin, from: 0.2, to: 0.5}")
)


def test_shapes_know_what_is_new_and_what_is_a_part_of_something(database: Database, tmp_path: Path) -> None:
    app = app_of(LATELY)
    fill(database, app, tmp_path)
    line = sampled_now({}) - 60 * DAY
    clients = {row["id"]: row for row in rows(database, app, "client")}
    assert {row["region"] for row in clients.values()} == {"north", "south"}
    for client in clients.values():
        assert client["region"] == ("north" if client["created_at"] >= line else "south")
    orders = rows(database, app, "order")
    assert {order["owner"] is None for order in orders} == {True, False}, "nobody is put where a shape leaves it empty"
    margin = {order["id"]: order["margin"] for order in orders}
    lines = rows(database, app, "line")
    assert lines
    assert all(0.2 * margin[each["order"]] - 100 <= each["price"] <= 0.5 * margin[each["order"]] for each in lines)
    assert all(each["price"] % 100 == 0 for each in lines), "whole units"


def test_records_that_are_open_are_so_since_lately_but_for_a_few(
    database: Database, sampled: App, tmp_path: Path
) -> None:
    """A stage with a limit of three working days does not keep for months what nobody forgot."""
    fill(database, sampled, tmp_path, size=3)
    working = [order for order in rows(database, sampled, "order") if order["stage"] == "working"]
    old = [order for order in working if order["stage_entered_at"] < sampled_now({}) - 21 * DAY]
    assert len(working) > 4
    assert len(old) <= max(2, len(working) // 4)


def sampled_now(order: dict[str, Any]) -> int:
    return int(START.timestamp() * 1_000_000)


def test_records_go_through_their_process_by_real_transitions(database: Database, sampled: App, tmp_path: Path) -> None:
    made, _ = fill(database, sampled, tmp_path)
    assert made.lively
    orders = rows(database, sampled, "order")
    found = Counter(order["stage"] for order in orders)
    assert set(found) == {"received", "working", "done", "refused"}
    s, j = system.stage_log, system.journal
    for order in orders:
        log = dicts(database, sa.select(s).where(s.c.record == order["id"]).order_by(s.c.entered_at))
        assert log[0]["stage"] == "received"
        assert log[-1]["stage"] == order["stage"]
        assert [one["left_at"] for one in log[:-1]] == [one["entered_at"] for one in log[1:]]
        assert log[-1]["left_at"] is None
        assert all(one["working"] is not None for one in log[:-1])
        own = sa.and_(j.c.record == order["id"], j.c.cause != "formula")
        told = database.all(database.statement(sa.select(j.c.action, j.c.at).where(own).order_by(j.c.seq)))
        assert [at for _, at in told] == sorted(at for _, at in told)
        assert sum(action == "transition" for action, _ in told) == len(log) - 1
        if order["stage"] == "done":
            # Its gate asks for a report, two photos, the client's agreement, and a total.
            assert len(orjson.loads(order["report"])) == 1
            assert len(orjson.loads(order["photos"])) == 2
            assert order["total"] > 0
            assert order["what"] is not None
            assert "received.called" in order["checklist"]
    f = system.file
    kept = database.all(database.statement(sa.select(f.c.path, f.c.record, f.c.field, f.c.size)))
    assert kept
    assert all(record is not None and field in ("photos", "report") for _, record, field, _ in kept)
    assert all(Files(tmp_path).place(path).stat().st_size == size for path, _, _, size in kept)


def test_the_same_seed_makes_the_same_records(sampled: App, tmp_path: Path) -> None:
    found = []
    for number, seed in enumerate((7, 7, 8)):
        db = Database.open(f"sqlite:///{tmp_path}/{number}.db")
        db.prepare()
        fill(db, sampled, tmp_path / "files", seed=seed)
        found.append(told(db, sampled))
        db.close()
    assert found[0] == found[1] != found[2]


def test_many_records_are_taken_over_with_the_stages_they_have_been_through(
    database: Database, sampled: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "LIVELY", 10)
    monkeypatch.setattr(demo, "WALKED", 20)
    seen: list[tuple[int, int | None]] = []
    made, counts = fill(database, sampled, tmp_path, size=3, progress=lambda done, total: seen.append((done, total)))
    j = system.journal
    moved = dicts(database, sa.select(j.c.record).where(j.c.action == "transition").distinct())
    assert 5 <= len(moved) <= 40, "some go the way step by step even so"
    assert not made.lively
    assert counts["order"] == 120
    assert seen[-1][0] == sum(counts.values())
    s = system.stage_log
    orders = rows(database, sampled, "order")
    assert {order["stage"] for order in orders} == {"received", "working", "done", "refused"}
    for order in orders:
        log = dicts(database, sa.select(s).where(s.c.record == order["id"]).order_by(s.c.entered_at))
        assert (log[0]["stage"], log[-1]["stage"], log[-1]["entered_at"]) == (
            "received",
            order["stage"],
            order["stage_entered_at"],
        )
        assert [one["left_at"] for one in log[:-1]] == [one["entered_at"] for one in log[1:]]
        assert log[0]["entered_at"] == order["created_at"] <= order["stage_entered_at"] <= sampled_now(order)


def test_sample_people_sign_in_and_stand_in_their_teams(database: Database, sampled: App, tmp_path: Path) -> None:
    fill(database, sampled, tmp_path, size=0.1)
    people = People(database, SetClock(START))
    session = people.sign_in("one", "works-demo", "here")
    principal = people.principal(session.user, "works", sampled.policies)
    assert principal is not None
    assert principal.roles == {"fitter"}
    assert len(principal.teams) == 2
    lead = people.find_user("lead")
    boss = people.principal(people.find_user("boss") or 0, "works", sampled.policies)
    assert lead is not None
    assert boss is not None
    assert boss.administrator
    assert len(boss.teams_below) == 2


def test_without_a_place_for_files_gates_that_ask_for_them_stay_closed(
    database: Database, sampled: App, tmp_path: Path
) -> None:
    fill(database, sampled, tmp_path, files=False)
    assert {order["stage"] for order in rows(database, sampled, "order")} == {"received", "working", "refused"}


def test_a_shape_that_does_not_fit_its_field_is_refused_by_name(database: Database, tmp_path: Path) -> None:
    for wrong in ("discount: {from: soon, to: later}", "owner: {files: {pdf: 1}}"):
        app = app_of(f"sample:\n  make:\n    order: {{count: 1, fields: {{{wrong}}}}}\n")
        it = open_app(database, app, SetClock(START)) if wrong.startswith("discount") else None
        runtime = it.runtime if it else Runtime(database, SetClock(START))
        with pytest.raises(Refused) as refused:
            populate(runtime, People(database, SetClock(START)), app, files=Files(tmp_path))
        assert refused.value.problems[0].path == f"sample.make.order.fields.{wrong.partition(':')[0]}"


def test_made_files_are_what_their_endings_say(tmp_path: Path) -> None:
    for ending in PREFERRED:
        body = content(ending)
        assert body is not None
        assert Files(tmp_path).save(f"a.{ending}", [body], most=10**6).media_type != "application/octet-stream"


def test_people_are_drawn_from_the_record_that_is_pointed_to(database: Database, tmp_path: Path) -> None:
    """With an order's owner left to the type: whoever owns the client; a client's is that of the parent, if it has one."""
    sample = SAMPLE.replace("        owner: {same: client.owner}\n", "        owner: {share: 100}\n").replace(
        "        owner: {role: fitter}\n", "        owner: {same: parent.owner, otherwise: {role: fitter}}\n"
    )
    app = app_of(sample)
    fill(database, app, tmp_path, files=False)
    clients = {row["id"]: row for row in rows(database, app, "client")}
    for row in clients.values():
        assert row["owner"] is not None
        if row["parent"] is not None:
            assert row["owner"] == clients[row["parent"]]["owner"]
    assert len({row["owner"] for row in clients.values()}) > 1
    orders = rows(database, app, "order")
    assert len(orders) == 40
    assert all(row["owner"] == clients[row["client"]]["owner"] for row in orders)
