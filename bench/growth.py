"""How cost grows with the data: the same questions and writes at 10,000, 100,000 and 1,000,000 visits of one database.

Asked in one process by the planner, who may not see one visit in twenty.  What counts is CPU, on PostgreSQL with that of the
server, and of several rounds the quickest: what the work costs when nothing else disturbs it.  What grows less than the data rests on an index or on kept totals; what grows as
the data reads all of it.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from rich.console import Console
from rich.table import Table

from bench.engine import Engine
from bench.rows import REGIONS, STATES, visit_rows
from bench.subjects import SEARCHED
from engine.app import App
from engine.clock import SystemClock
from engine.reading import Lens, Query
from engine.runtime import Create, Runtime, Update
from engine.storage.statement import Statement

SIZES = (10_000, 100_000, 1_000_000)


@dataclass(frozen=True)
class Step:
    """`work` does something `times` times. `at_most` ms at the largest size, `grows` at most so many times its figure at
    the size before: the bars, where there are any."""

    title: str
    times: int
    work: Callable[[], object]
    at_most: float | None = None
    grows: float | None = None
    rounds: int = 7


class Growing:
    """One database that is filled further and further."""

    def __init__(self, url: str) -> None:
        self.engine = Engine(url)
        self.engine.prepare(0)
        self.app: App = self.engine.app()
        self.runtime = Runtime(self.engine.db, SystemClock())
        self.planner = self.engine.planner()
        self.pick = random.Random(5)

    @property
    def lens(self) -> Lens:
        return self.runtime.lens(self.app, self.planner)

    def fill(self, size: int) -> None:
        there = self.engine.db.scalar(Statement(f"SELECT count(*) FROM {self.app.entities['visit'].table.name}"))
        self.engine.fill(self.app, "visit", visit_rows(size - there, seed=size), keep=20_000)
        self.engine.analyze()

    def steps(self) -> list[Step]:
        return [
            Step("get one", 200, lambda: self._get(200)),
            Step("list 50 through a view, by state and region", 40, lambda: self._lists(40), grows=1.2),
            Step("list 50 through a view, all", 20, lambda: self._pages(Query(view="newest"), 20)),
            Step("list 50 after a cursor, 20 pages on", 20, self._next_pages),
            Step("list 50 by search", 2, lambda: self._pages(Query(search=SEARCHED), 2)),
            Step("count up to 1,000", 5, self._count),
            Step("create", 50, self._create),
            Step("patch", 50, self._patch),
            Step("sum by state on a board", 20, lambda: self._sums("sum(amount)", 20), at_most=50.0),
            Step("greatest by state, which nobody declared", 1, lambda: self._sums("max(amount)", 1)),
            Step("import a row", 1000, lambda: self.engine.import_rows(1, 1000), rounds=2),
        ]

    def _get(self, times: int) -> None:
        lens = self.lens
        with self.engine.db.read() as r:
            for id in self.pick.sample(self.engine.ids, times):
                assert lens.get(r, "visit", id)

    def _lists(self, times: int) -> None:
        for number in range(times):
            filters = {"state": STATES[number % len(STATES)], "region": REGIONS[number % len(REGIONS)]}
            self._pages(Query(view="newest", filters=filters), 1)

    def _pages(self, query: Query, times: int) -> None:
        lens = self.lens
        with self.engine.db.read() as r:
            for _ in range(times):
                assert lens.page(r, "visit", query).rows

    def _next_pages(self) -> None:
        lens, cursor = self.lens, None
        with self.engine.db.read() as r:
            for _ in range(20):
                page = lens.page(r, "visit", Query(view="newest", cursor=cursor))
                cursor = page.next

    def _count(self) -> None:
        lens = self.lens
        with self.engine.db.read() as r:
            for state in STATES:
                lens.count(r, "visit", Query(filters={"state": state}), 1000)

    def _create(self) -> None:
        for row in visit_rows(50, seed=self.pick.randrange(10**6)):
            values = row | {"sealed": False, "amount": float(row["amount"])}
            self.runtime.execute(self.app, self.planner, Create("visit", values))

    def _patch(self) -> None:
        for id in self.pick.sample(self.engine.ids, 50):
            values = {"amount": self.pick.randrange(10**6) / 100, "quantity": self.pick.randrange(500)}
            self.runtime.execute(self.app, self.planner, Update("visit", id, values))

    def _sums(self, measure: str, times: int) -> None:
        lens = self.lens
        with self.engine.db.read() as r:
            for _ in range(times):
                assert len(lens.aggregate(r, "visit", Query(), ("state",), {"it": measure})) == len(STATES)


def growth(console: Console, kind: str, url: str, largest: int) -> None:
    """Fill, measure, print; `largest` ends it earlier."""
    growing = Growing(url)
    sizes = [size for size in SIZES if size <= largest]
    figures: list[list[float]] = [[] for _ in growing.steps()]
    for size in sizes:
        growing.fill(size)
        for found, step in zip(figures, growing.steps(), strict=True):
            step.work()  # the statement is made, the pages are read
            rounds = min(step.rounds, 3) if found and found[-1] * step.times > 500 else step.rounds
            found.append(min(_cost(growing, step) for _ in range(rounds)) / step.times * 1000)
    table = Table(
        "figure", *(f"{size:,}" for size in sizes), *_growths(sizes), "bar", "", title=f"growth, {kind}, ms of CPU"
    )
    for found, step in zip(figures, growing.steps(), strict=True):
        ratios = [after / before for before, after in pairwise(found)]
        bar, met = _verdict(step, found, ratios)
        table.add_row(
            step.title, *(f"{each:,.3f}" for each in found), *(f"x {ratio:.2f}" for ratio in ratios), bar, met
        )
    console.print(table)


def _cost(growing: Growing, step: Step) -> float:
    before = growing.engine.spent()
    step.work()
    return growing.engine.spent() - before


def _growths(sizes: list[int]) -> Iterator[str]:
    for before, after in pairwise(sizes):
        yield f"{before // 1000:,}k → {after // 1000:,}k"


def _verdict(step: Step, found: list[float], ratios: list[float]) -> tuple[str, str]:
    if step.at_most is not None:
        return f"{step.at_most:g} ms", "met" if found[-1] <= step.at_most else "MISSED"
    if step.grows is not None and ratios:
        return f"x {step.grows:g}", "met" if ratios[-1] <= step.grows else "MISSED"
    return "–", ""


__all__ = ["growth"]
