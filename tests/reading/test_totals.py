"""Totals that are kept answer as the records themselves would, whatever has been written, by whatever way."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from engine.access.people import People
from engine.access.principal import engine_principal
from engine.clock import SetClock
from engine.definition import load
from engine.problems import Refused
from engine.publishing.apply import apply, publish, rollback
from engine.publishing.changes import CreateTotals, DropTotals
from engine.publishing.live import Live
from engine.publishing.plan import Plan, plan_for
from engine.reading import Query
from engine.reading.sums import _sums
from engine.reading.totals import kept_totals
from engine.runtime import Bulk, Create, Delete, Handover, Merge, Restore, Runtime, Transition, Undo, Update
from engine.runtime.bulk import New, create_many
from engine.storage.database import Database
from engine.storage.schema import inspect
from engine.storage.statement import Statement
from engine.storage.totals import fold, is_totals
from tests.runtime.conftest import START, Works

PLAIN = (Path(__file__).parents[1] / "runtime" / "works.yaml").read_text(encoding="utf-8")
BOARDS = """
views:
  orders: {entity: order, label: {zh: 订单, en: Orders}, group: [stage, region], sum: [total, margin]}
  clients: {entity: client, label: {zh: 客户, en: Clients}, where: big is null or not big, group: region, sum: orders_total}
"""
PEOPLE = {"ada": ["fitter"], "fay": ["foreman"], "bea": ["buyer"], "cat": ["fitter", "buyer"], "max": ["owner"]}
N = {"n": "count()"}
ORDERS = {**N, "sum": "sum(total)", "mean": "avg(total)", "filled": "count(total)"}
MARGINS = {**N, "sum": "sum(margin)", "mean": "avg(margin)"}
CLIENTS = {**N, "sum": "sum(orders_total)"}
# Entity, query, groups, measures: questions that the totals answer.
KEPT: list[tuple[str, Query, tuple[str, ...], dict[str, str]]] = [
    ("order", Query(), ("stage",), ORDERS),
    ("order", Query(view="orders"), ("stage", "region"), ORDERS),
    ("order", Query(), (), ORDERS),
    ("order", Query(), ("owner",), MARGINS),
    ("order", Query(filters={"region": "north,south"}, where="stage != 'refused'"), ("stage",), MARGINS),
    ("order", Query(filters={"region": ""}), (), N),
    ("order", Query(where="owner.name >= 'B'"), ("region",), ORDERS),
    ("client", Query(view="clients"), ("region",), CLIENTS),
    ("client", Query(filters={"region": "south"}), (), CLIENTS),
]
# … and those that need the records.
ASKED = [
    ("order", Query(where="total > 100"), ("stage",), ORDERS),
    ("order", Query(deleted=True), ("stage",), N),
    ("order", Query(search="R2026"), ("stage",), N),
    ("order", Query(), ("stage",), {"most": "max(total)"}),
    ("order", Query(), ("client",), N),
    ("order", Query(where="count(lines) > 1"), ("stage",), N),
]


@pytest.fixture
def boards(database: Database) -> Works:
    return opened(database, PLAIN + BOARDS)


def opened(db: Database, text: str) -> Works:
    """The workshop published as people publish it, with its people."""
    clock = SetClock(START)
    publish(db, load({"works.yaml": text}), clock)
    app = Live(db).app("works")
    assert app is not None
    it = Works(app, db, clock, People(db, clock), Runtime(db, clock))
    team = it.people.create_team("all", "All")
    for login, roles in PEOPLE.items():
        it.ids[login] = it.people.create_user(login, login.title(), team=team if login != "bea" else None)
        it.people.set_roles(it.ids[login], "works", roles)
    it.people.set_leader(team, it.ids["fay"])
    return it


def both(
    it: Works, login: str, entity: str, query: Query, group: tuple[str, ...], measures: dict[str, str]
) -> list[Any]:
    """The answers of every way in which the question can be answered. Raises Refused."""
    lens = it.lens(login)
    model = lens.view.model(entity)
    sums = _sums(lens.view, model, query, group, list(measures.values()))
    values = {**lens.parameters, **lens.view.filter_values(model, query)}
    with it.db.read() as r:
        return [r.all(statement, values) for statement in sums.statements]


def agree(it: Works) -> int:
    """Hold the answers against each other, for everybody; how many answers there were."""
    count = 0
    for login in PEOPLE:
        for question in KEPT:
            try:
                answers = both(it, login, *question)
            except Refused:
                continue  # he may not ask that
            assert len(answers) == 2, (login, question)
            assert answers[0] == answers[1], (login, question)
            count += len(answers[0])
    return count


class Writer:
    """Writes of every kind, at random; what is refused changes nothing."""

    def __init__(self, it: Works, seed: int) -> None:
        self.it = it
        self.pick = random.Random(seed)
        self.clients: list[int] = []
        self.orders: list[int] = []
        self.batches: list[int] = []

    def step(self) -> None:
        kinds = [self.create_client, self.create_order, self.change, self.change, self.change_client, self.move, self.delete,
                 self.restore, self.merge, self.undo, self.bulk, self.bring, self.undone, self.hand_over]  # fmt: skip
        try:
            self.pick.choice(kinds)()
        except Refused:
            pass

    def act(self, command: Any) -> int | None:
        outcome = self.it.act(self.pick.choice(["max", "fay"]), command)
        self.batches.append(outcome.batch)
        return outcome.id

    def region(self) -> str | None:
        return self.pick.choice(["north", "south", None])

    def order(self) -> dict[str, Any]:
        lines = [{"part": "p", "price": self.pick.choice([None, 1, 9.5, 200])} for _ in range(self.pick.randrange(3))]
        return {"client": str(self.pick.choice(self.clients)), "region": self.region(), "what": "x", "lines": lines}

    def create_client(self) -> None:
        values = {"name": f"C{self.pick.randrange(10**6)}", "region": self.region()}
        self.clients += filter(None, [self.act(Create("client", values))])

    def create_order(self) -> None:
        self.orders += filter(None, [self.act(Create("order", self.order()))])

    def change(self) -> None:
        margin = self.pick.choice([None, -3, 0, 12.34])
        owner = str(self.it.ids[self.pick.choice(list(PEOPLE))])
        some = {"margin": margin, "region": self.region(), "owner": owner}
        names = self.pick.sample(list(some), self.pick.randrange(1, 4))
        self.act(Update("order", self.pick.choice(self.orders), {name: some[name] for name in names}))

    def change_client(self) -> None:
        self.act(Update("client", self.pick.choice(self.clients), {"region": self.region()}))

    def move(self) -> None:
        self.act(Transition("order", self.pick.choice(self.orders), to=self.pick.choice(["working", "refused"])))

    def delete(self) -> None:
        entity, ids = self.pick.choice([("order", self.orders), ("client", self.clients)])
        self.act(Delete(entity, self.pick.choice(ids)))

    def restore(self) -> None:
        for id in self.pick.sample(self.orders, 3):
            self.act(Restore("order", id))

    def merge(self) -> None:
        keep, lose = self.pick.sample(self.clients, 2)
        self.act(Merge("client", keep, lose, {"region": "lose"}))

    def undo(self) -> None:
        self.act(Undo(self.pick.choice(self.batches)))

    def bulk(self) -> None:
        commands = [
            Create("order", self.order()),
            Update("order", 1, {"region": "north"}),
            Create("order", self.order()),
        ]
        self.orders += filter(
            None, (each.id for each in self.it.act("max", Bulk(tuple(commands))).results if not each.problems)
        )

    def bring(self) -> None:
        """An import."""
        it = self.it
        rows = [{"name": f"I{self.pick.randrange(10**6)}", "region": self.region()} for _ in range(5)]
        with it.db.write() as w:
            work = it.runtime.work(it.app, engine_principal(), w, "import:test")
            made = create_many(work, it.app.entities["client"], [New(row) for row in rows], trusted=True)
        self.clients += filter(None, (each.id for each in made))

    def undone(self) -> None:
        """A transaction that fails at its end, and a part of one that fails."""
        it = self.it
        with pytest.raises(ZeroDivisionError), it.db.write() as w:
            it.runtime.execute(it.app, it.who("max"), Create("order", self.order()), within=w)
            raise ZeroDivisionError
        with it.db.write() as w:
            it.runtime.execute(it.app, it.who("max"), Update("order", self.orders[0], {"margin": 1}), within=w)
            with pytest.raises(ZeroDivisionError), w.savepoint():
                it.runtime.execute(it.app, it.who("max"), Create("order", self.order()), within=w)
                raise ZeroDivisionError

    def hand_over(self) -> None:
        one, other = self.pick.sample([self.it.ids["ada"], self.it.ids["cat"]], 2)
        self.it.act("fay", Handover(one, other, ("order",)))


def begun(it: Works, seed: int) -> Writer:
    """Three clients and four orders."""
    writer = Writer(it, seed)
    for _ in range(3):
        writer.create_client()
    for _ in range(4):
        writer.create_order()
    return writer


def test_totals_agree_with_the_records_whatever_is_written(boards: Works) -> None:
    assert [each.dimensions for each in kept_totals(boards.app, "order")] == [("owner", "region", "stage")]
    writer = begun(boards, seed=4)
    for number in range(60):
        writer.step()
        if number % 10 == 9:
            agree(boards)
    assert agree(boards) > 30


def test_folding_leaves_what_others_are_writing_alone(postgresql_url: str) -> None:
    db = Database.open(postgresql_url)
    db.prepare()
    it = opened(db, PLAIN + BOARDS)
    writer = begun(it, seed=6)
    (totals,) = kept_totals(it.app, "order")
    table = it.app.entities["order"].table
    rows = Statement(f'SELECT count(*) FROM "{totals.name(table.name)}"')
    before = db.scalar(rows)
    writing, folded = Event(), Event()

    def write() -> None:
        with db.write() as w:
            it.runtime.execute(it.app, it.who("max"), Create("order", writer.order()), within=w)
            writing.set()
            folded.wait(30)

    with ThreadPoolExecutor(1) as other:
        done = other.submit(write)
        writing.wait(30)
        with db.write() as w:
            w.script(fold(totals, table))
        assert db.scalar(rows) < before
        assert agree(it) > 10
        folded.set()
        done.result(30)
    assert agree(it) > 10
    assert both(it, "max", "order", Query(), (), N) == [[(5,)], [(5,)]]
    db.close()


def test_what_totals_cannot_tell_apart_is_asked_of_the_records(boards: Works) -> None:
    for entity, query, group, measures in ASKED:
        assert len(both(boards, "max", entity, query, group, measures)) == 1


def test_a_hidden_sum_stays_hidden_and_one_seen_on_some_rows_is_summed_over_those(boards: Works) -> None:
    writer = Writer(boards, 1)
    writer.create_client()
    for owner, margin in (("ada", 5), ("cat", 7), ("max", 11)):
        writer.create_order()
        values = {"owner": str(boards.ids[owner]), "margin": margin}
        boards.act("max", Update("order", writer.orders[-1], values))
    for login in ("ada", "cat"):
        with pytest.raises(Refused):
            both(boards, login, "order", Query(), (), MARGINS)
    assert both(boards, "ada", "order", Query(), (), N) == [[(1,)], [(1,)]]
    assert both(boards, "max", "order", Query(), (), {"sum": "sum(margin)"}) == [[(2300,)], [(2300,)]]
    assert boards.lens("ada").declared("order", "orders") == (
        ("stage", "region"),
        {"count": "count()", "sum_total": "sum(total)"},
    )


def test_totals_are_planned_made_and_dropped_like_indexes(database: Database) -> None:
    it = opened(database, PLAIN)
    writer = begun(it, seed=2)
    boards = load({"works.yaml": PLAIN + BOARDS})
    plan = plan_for(database, boards, START_AT)
    assert {change.entity for change in plan.changes if isinstance(change, CreateTotals)} == {"order", "client"}
    carried_out(it, plan)
    assert standing(it, "order")
    assert plan_for(database, boards, START_AT).empty
    assert agree(it) > 10
    for _ in range(20):
        writer.step()
    agree(it)
    # Back to the version without boards: nothing is kept any more; and forth again: all is counted anew.
    back = rollback(database, "works", 1, START_AT)
    assert sum(isinstance(change, DropTotals) for change in back.changes) == 2
    carried_out(it, back)
    assert not standing(it, "order")
    assert not kept_totals(it.app, "order")
    for _ in range(10):
        writer.step()
    carried_out(it, rollback(database, "works", 2, START_AT))
    assert agree(it) > 10


def test_sums_for_people_whose_rows_totals_cannot_tell_apart_are_read_from_an_index(sqlite_url: str) -> None:
    narrowed = (PLAIN + BOARDS).replace("region == 'north'", "region == 'north' or family is null")
    db = Database.open(sqlite_url)
    db.prepare()
    it = opened(db, narrowed.replace("big is null or not big", "region is not null"))
    lens, model = it.lens("bea"), it.app.entities["client"]
    (statement,) = _sums(lens.view, model, Query(view="clients"), ("region",), ["count()"]).statements
    explained = Statement(f"EXPLAIN QUERY PLAN {statement.text}", statement.names, [], statement._fixed)
    with db.read() as r:
        told = " ".join(str(row[3]) for row in r.all(explained, lens.parameters))
    assert "USING COVERING INDEX" in told
    assert len(both(it, "max", "client", Query(view="clients"), ("region",), N)) == 2
    db.close()


def test_options_that_are_renamed_by_publishing_are_renamed_in_the_totals(boards: Works) -> None:
    begun(boards, seed=3)
    boards.create("max", "client", name="N", region="north")
    text = (
        (PLAIN + BOARDS)
        .replace("north: {zh: 北区, en: North}", "top: {label: {zh: 北区, en: North}, was: north}")
        .replace("'north'", "'top'")
    )
    carried_out(boards, plan_for(boards.db, load({"works.yaml": text}), START_AT))
    answers = both(boards, "max", "client", Query(), ("region",), CLIENTS)
    assert answers[0] == answers[1]
    assert {row[0] for row in answers[0]} & {"top", "north"} == {"top"}


def test_a_board_whose_totals_have_just_been_dropped_is_read_from_the_records(boards: Works) -> None:
    """As in a process that still serves the version before."""
    begun(boards, seed=5)
    old = replace(boards)
    asked = ("order", Query(), ("stage",), N)
    assert len(both(old, "max", *asked)) == 2
    carried_out(boards, plan_for(boards.db, load({"works.yaml": PLAIN}), START_AT))
    with old.db.read() as r:
        groups = old.lens("max").aggregate(r, *asked)
        assert groups == old.lens("max").aggregate(r, *asked) != []


START_AT = int(START.timestamp() * 1_000_000)


def carried_out(it: Works, plan: Plan) -> None:
    """Apply a plan; the workshop goes on with the new version."""
    apply(it.db, plan, {hazard.key: "test" for hazard in plan.hazards}, by=None, at=START_AT)
    app = Live(it.db).app("works")
    assert app is not None
    it.app = app


def standing(it: Works, entity: str) -> list[str]:
    table = it.app.entities[entity].table.name
    with it.db.read() as r:
        return [name for name in inspect(r, it.db.dialect).tables if is_totals(name, table)]
