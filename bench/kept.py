"""What it costs a write that totals are kept: the same writes with the board of `bench/app.yaml` and without it.

CPU of the process and, on PostgreSQL, of its connection's own process in the server; round by round in turn, for the same
machine to meet both; the middle round counts.
"""

from collections.abc import Callable
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.engine import PACKAGE, Engine
from bench.rows import visit_rows
from engine.clock import SystemClock
from engine.runtime import Create, Runtime, Update

ROUNDS = 9


class Writer:
    """One database and the writes on it."""

    def __init__(self, url: str, *, board: bool) -> None:
        text = PACKAGE.read_text(encoding="utf-8")
        without = text[: text.index("  board:\n")] + text[text.index("policies:\n") :]
        self.engine = Engine(url, {PACKAGE.name: text if board else without})
        self.engine.prepare(5_000)
        self.app = self.engine.app()
        self.planner = self.engine.planner()
        self.runtime = Runtime(self.engine.db, SystemClock())
        self.rows = visit_rows(10**6, seed=7)

    def cost(self, work: Callable[[], int]) -> float:
        """Microseconds of CPU a record."""
        before = self.engine.spent()
        count = work()
        return (self.engine.spent() - before) / count * 1e6

    def create(self) -> int:
        for _ in range(200):
            row = next(self.rows) | {"sealed": False}
            self.runtime.execute(self.app, self.planner, Create("visit", row | {"amount": float(str(row["amount"]))}))
        return 200

    def patch(self) -> int:
        for number, id in enumerate(self.engine.ids[:200]):
            values = {"amount": number + self.engine.ids[0] % 97, "state": ("planned", "closed")[number % 2]}
            self.runtime.execute(self.app, self.planner, Update("visit", id, values))
        self.engine.ids.append(self.engine.ids.pop(0))
        return 200

    def bring(self) -> int:
        self.engine.import_rows(4, 1000)
        return 4000


def kept(console: Console, kind: str, urls: tuple[str, str]) -> None:
    """Print what creates, patches and imports cost with kept totals, and in proportion to what they cost without."""
    with_board, without = Writer(urls[0], board=True), Writer(urls[1], board=False)
    table = Table("write", "without µs", "with µs", "ratio", "bar", "", title=f"what kept totals cost, {kind}")
    for title, name in (("create", "create"), ("patch of group and sum", "patch"), ("import a row", "bring")):
        pairs = []
        for number in range(ROUNDS + 1):
            pair = without.cost(getattr(without, name)), with_board.cost(getattr(with_board, name))
            if number:  # the first one makes the statements
                pairs.append(pair)
        before, after = median(each for each, _ in pairs), median(each for _, each in pairs)
        met = "met" if after <= 1.1 * before else "MISSED"
        table.add_row(title, f"{before:,.0f}", f"{after:,.0f}", f"{after / before:.2f}", "1.1", met)
    console.print(table)


__all__ = ["kept"]
