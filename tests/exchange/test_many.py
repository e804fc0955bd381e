"""Creating many at once gives what creating one by one gives: records, refusals, numbers, stages, journal, duplicates, groups."""

import random
from typing import Any

import pytest
import sqlalchemy as sa

from engine.problems import Refused
from engine.runtime import Create, Update
from engine.runtime.bulk import accept, create_many
from engine.runtime.revise import Revision, change_many
from engine.storage import system
from tests.runtime.conftest import Works


class Enough(Exception):
    pass


def sent(entity: str, yard: Works, clients: list[int], orders: list[int], seed: int) -> list[dict[str, Any]]:
    pick = random.Random(seed)
    people = [str(yard.ids[login]) for login in ("ada", "ben", "fay", "sun")]

    def client(number: int) -> dict[str, Any]:
        row: dict[str, Any] = {
            "name": pick.choice(["远大机械", "远大机械有限公司", "Acme", "Acme Ltd", f"Firm {number}"])
        }
        if pick.random() < 0.7:
            row["phone"] = pick.choice(["13800138000", "13900139000", f"1350000{number:04}", "12"])
        if pick.random() < 0.5:
            row["person"] = pick.choice(["张伟", "李敏"])
        if pick.random() < 0.4:
            row["parent"] = pick.choice([str(id) for id in clients] + ["12345"])
        if pick.random() < 0.1:
            row["name"] = None
        if pick.random() < 0.1:
            row["nonsense"] = 1
        return row

    def order(number: int) -> dict[str, Any]:
        row: dict[str, Any] = {
            "client": pick.choice([str(id) for id in clients] + ["99"]),
            "owner": pick.choice(people),
            "urgent": pick.random() < 0.3,
        }
        if row["urgent"] and pick.random() < 0.7:
            row["why_urgent"] = "broken"
        if pick.random() < 0.5:
            row["discount"] = pick.choice([0.1, 0.5, 0.6, 2])
        if pick.random() < 0.6:
            row["external"] = f"X{pick.randrange(40)}"
        if pick.random() < 0.1:
            row["region"] = "west"
        if pick.random() < 0.3:
            row["checks"] = str(pick.choice(orders))
        return row

    def line(number: int) -> dict[str, Any]:
        row: dict[str, Any] = {
            "order": str(pick.choice(orders)),
            "part": f"part {number}",
            "quantity": pick.randrange(-1, 9),
            "price": pick.randrange(5000) / 100,
        }
        if pick.random() < 0.2:
            del row["order"]
        return row

    make = {"client": client, "order": order, "line": line}[entity]
    return [make(number) for number in range(60)]


def told(yard: Works, w: Any, before: int) -> dict[str, Any]:
    """Everything that stands in the database, with record ids replaced by the order of their making."""
    places: dict[int, int] = {}

    def place(value: Any) -> Any:
        return (
            places.setdefault(value, len(places))
            if isinstance(value, int) and not isinstance(value, bool) and value > 10**15
            else value
        )

    db, out = yard.db, {}
    for name in ("client", "order", "line"):
        model = yard.app.entities[name]
        ids = w.column(db.statement(sa.select(model.table.c.id).order_by(model.table.c.id)))
        for id in ids:
            place(id)
    for name in ("client", "order", "line"):
        table = yard.app.entities[name].table
        rows = w.dicts(db.statement(sa.select(table).order_by(table.c.id)))
        # A record changed by what follows from others has the same values, but may have been written in fewer steps.
        out[name] = [{key: place(value) for key, value in row.items()} for row in rows]
    j = system.journal
    rows = w.dicts(
        db.statement(
            sa.select(j.c.entity, j.c.record, j.c.action, j.c.changes, j.c.cause, j.c.user, j.c.version)
            .where(j.c.seq > before, sa.or_(j.c.cause.is_(None), j.c.cause != "formula"))
            .order_by(j.c.record, j.c.seq)
        )
    )
    out["journal"] = [{key: place(value) for key, value in row.items() if key != "changes"} for row in rows]
    s = system.stage_log
    out["stages"] = [
        [place(value) for value in row]
        for row in w.all(
            db.statement(
                sa.select(s.c.record, s.c.process, s.c.stage, s.c.direction, s.c.entered_at).order_by(s.c.record)
            )
        )
    ]
    d, k = system.duplicate, system.match_key
    out["duplicates"] = sorted(
        [
            [place(value) for value in row]
            for row in w.all(db.statement(sa.select(d.c.one, d.c.other, d.c.score, d.c.detail)))
        ],
        key=str,
    )
    out["keys"] = sorted(
        [
            [place(value) if not isinstance(value, str) else value for value in row]
            for row in w.all(db.statement(sa.select(k.c.key, k.c.record)))
        ],
        key=str,
    )
    q = system.sequence
    out["counters"] = sorted(w.all(db.statement(sa.select(q.c.name, q.c.period, q.c.last))))
    return out


def one_by_one(yard: Works, login: str, entity: str, rows: list[dict[str, Any]], w: Any) -> list[Any]:
    out: list[Any] = []
    for row in rows:
        try:
            with w.savepoint():
                outcome = yard.runtime.execute(yard.app, yard.who(login), Create(entity, row), within=w)
            out.append(sorted(problem.code for problem in outcome.warnings))
        except Refused as refused:
            out.append([(problem.code, problem.path) for problem in refused.problems])
    return out


def together(yard: Works, login: str, entity: str, rows: list[dict[str, Any]], w: Any) -> list[Any]:
    work = yard.runtime.work(yard.app, yard.who(login), w)
    model = yard.app.entities[entity]
    made = create_many(work, model, [accept(work, model, row) for row in rows])
    return [
        sorted(problem.code for problem in each.warnings)
        if each.id is not None
        else [(problem.code, problem.path) for problem in each.problems]
        for each in made
    ]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("login", "entity"),
    [("max", "client"), ("ada", "client"), ("max", "order"), ("ada", "order"), ("max", "line"), ("ada", "line")],
)
def test_many_at_once_are_what_they_are_one_by_one(yard: Works, login: str, entity: str, seed: int) -> None:
    clients = [
        yard.create("max", "client", name=f"Known {n}", region="north", phone="13800138000" if n == 1 else None)
        for n in range(3)
    ]
    clients.append(yard.create("max", "client", name="Branch", parent=str(clients[0])))
    orders = [
        yard.create("max", "order", client=str(clients[n]), owner=str(yard.ids[who]))
        for n, who in enumerate(("ada", "sun", "fay"))
    ]
    rows = sent(entity, yard, clients, orders, seed)
    found = []
    for way in (one_by_one, together):
        with pytest.raises(Enough), yard.db.write() as w:
            before = w.scalar(yard.db.statement(sa.select(sa.func.max(system.journal.c.seq))))
            answers = way(yard, login, entity, rows, w)
            found.append((answers, told(yard, w, before)))
            raise Enough
    assert found[0][0] == found[1][0]
    for part, expected in found[0][1].items():
        assert found[1][1][part] == expected, part
    assert any(isinstance(answer, list) and answer and isinstance(answer[0], tuple) for answer in found[0][0]), (
        "nothing was refused"
    )
    assert any(not answer for answer in found[0][0]), "nothing went in"


def edits(entity: str, yard: Works, ids: list[int], clients: list[int], seed: int) -> list[tuple[int, dict[str, Any]]]:
    pick = random.Random(seed)
    people = [str(yard.ids[login]) for login in ("ada", "ben", "sun")]
    choices: dict[str, dict[str, list[Any]]] = {
        "client": {
            "name": ["远大机械", "远大机械有限公司", "Acme", None, "Firm"],
            "phone": ["13800138000", "12", None, "13900139000"],
            "region": ["north", "south", "west", None],
            "parent": [None, "12345", *map(str, clients)],
            "owner": people,
            "nonsense": [1],
        },
        "order": {
            "client": ["99", *map(str, clients)],
            "owner": people,
            "urgent": [True, False],
            "why_urgent": ["broken", None],
            "discount": [0.1, 0.5, 0.6, 2, None],
            "external": [f"X{number}" for number in range(6)],
            "margin": [5, 7],
            "what": ["leaks", "异响"],
            "total": [1],
            "checks": [*map(str, ids), None],
        },
        "line": {
            "part": ["bolt", "nut", None],
            "quantity": [1, 2, -1],
            "price": [3.5, 10, 900],
            "order": ["99"],
        },
    }

    def edit() -> dict[str, Any]:
        some = choices[entity]
        likely = [name for name in some if name not in ("nonsense", "total", "parent", "name")]
        names = pick.sample(likely, pick.randint(1, 2)) if pick.random() < 0.8 else pick.sample(list(some), 2)
        return {name: pick.choice(some[name]) for name in names}

    return [(pick.choice([*ids, *ids, 77]), edit()) for _ in range(50)]


def changed_one_by_one(
    yard: Works, login: str, entity: str, rows: list[tuple[int, dict[str, Any]]], w: Any
) -> list[Any]:
    out: list[Any] = []
    for id, values in rows:
        try:
            with w.savepoint():
                outcome = yard.runtime.execute(yard.app, yard.who(login), Update(entity, id, values), within=w)
            out.append(sorted(problem.code for problem in outcome.warnings))
        except Refused as refused:
            out.append([(problem.code, problem.path) for problem in refused.problems])
    return out


def changed_together(yard: Works, login: str, entity: str, rows: list[tuple[int, dict[str, Any]]], w: Any) -> list[Any]:
    made = change_many(
        lambda: yard.runtime.work(yard.app, yard.who(login), w),
        yard.app.entities[entity],
        [Revision(id, values) for id, values in rows],
    )
    return [
        sorted(problem.code for problem in each.warnings)
        if each.id is not None
        else [(problem.code, problem.path) for problem in each.problems]
        for each in made
    ]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("login", "entity"), [("max", "client"), ("ada", "client"), ("max", "order"), ("ada", "order"), ("max", "line")]
)
def test_many_changed_at_once_are_what_they_are_one_by_one(yard: Works, login: str, entity: str, seed: int) -> None:
    clients = [
        yard.create("max", "client", name=f"Known {n}", region="north", phone=f"1380013800{n}") for n in range(5)
    ]
    clients.append(yard.create("max", "client", name="Branch", parent=str(clients[0])))
    orders = [
        yard.create("max", "order", client=str(clients[n % 5]), owner=str(yard.ids["ada" if n % 4 else "sun"]))
        for n in range(8)
    ]
    lines = [yard.create("max", "line", order=str(orders[n % 3]), part=f"part {n}", price=n) for n in range(8)]
    rows = edits(entity, yard, {"client": clients, "order": orders, "line": lines}[entity], clients, seed)
    found = []
    for way in (changed_one_by_one, changed_together):
        with pytest.raises(Enough), yard.db.write() as w:
            before = w.scalar(yard.db.statement(sa.select(sa.func.max(system.journal.c.seq))))
            answers = way(yard, login, entity, rows, w)
            found.append((answers, told(yard, w, before)))
            raise Enough
    assert found[0][0] == found[1][0]
    for part, expected in found[0][1].items():
        assert found[1][1][part] == expected, part
    assert any(answer and isinstance(answer[0], tuple) for answer in found[0][0]), "nothing was refused"
    assert any(not answer for answer in found[0][0]), "nothing went in"


def test_a_batch_of_changes_asks_the_database_the_same_few_things_however_many_rows(yard: Works) -> None:
    client = yard.create("max", "client", name="Known")
    with yard.db.write() as w:
        work = yard.runtime.work(yard.app, yard.who("max"), w)
        model = yard.app.entities["order"]
        new = [accept(work, model, {"client": str(client), "what": f"job {n}"}) for n in range(210)]
        ids = [each.id or 0 for each in create_many(work, model, new)]
    counts = []
    for some in (ids[:10], ids[10:]):
        with yard.db.counter() as counter, yard.db.write() as w:
            revisions = [Revision(id, {"what": f"changed {id}", "owner": str(yard.ids["ada"])}) for id in some]
            made = change_many(lambda: yard.runtime.work(yard.app, yard.who("max"), w), model, revisions)
            assert all(each.id is not None for each in made)
        counts.append(counter.count)
    assert counts[0] == counts[1] <= 20


def test_a_batch_asks_the_database_the_same_few_things_however_many_rows(yard: Works) -> None:
    client = yard.create("max", "client", name="Known")
    counts = []
    for size in (10, 400):
        with yard.db.counter() as counter, yard.db.write() as w:
            work = yard.runtime.work(yard.app, yard.who("max"), w)
            model = yard.app.entities["order"]
            made = create_many(
                work, model, [accept(work, model, {"client": str(client), "what": f"job {n}"}) for n in range(size)]
            )
            assert all(each.id is not None for each in made)
        counts.append(counter.count)
    assert counts[0] == counts[1] <= 30


def test_rows_that_are_refused_cost_no_statements_of_their_own(yard: Works) -> None:
    client = yard.create("max", "client", name="Known")
    counts = []
    for every in (100, 4):
        rows = [
            {"client": str(client), "discount": 0.6} if n % every == 1 else {"client": str(client), "what": f"job {n}"}
            for n in range(400)
        ]
        with yard.db.counter() as counter, yard.db.write() as w:
            work = yard.runtime.work(yard.app, yard.who("max"), w)
            model = yard.app.entities["order"]
            made = create_many(work, model, [accept(work, model, row) for row in rows])
        assert [each.id is None for each in made] == [n % every == 1 for n in range(400)]
        assert {problem.code for each in made for problem in each.problems} == {"rule-broken"}
        counts.append(counter.count)
    assert counts[0] == counts[1] <= 45
