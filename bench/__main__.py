"""Measure and print: `python3 dev.py bench [--database sqlite|postgresql] [--size N] [--rounds N] [--only WORD ...]`.

What is measured alternates between those who are compared, round by round, so that both meet the same machine; of the
rounds of one figure the one in the middle counts.  Quote ratios: times are this machine's.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.engine import Engine
from bench.growth import SIZES, growth
from bench.inside import inside
from bench.kept import kept
from bench.measure import CONNECTIONS, Cost, Server, median
from bench.pages import pages
from bench.subjects import Hand, Subject
from tests.postgresql import own_server


@dataclass(frozen=True)
class Figure:
    """What is asked, how often on each connection (short calls more often: CPU is counted in steps of 10 ms), and its bar:
    the engine's CPU at most so many times the hand-written one's."""

    title: str
    times: int
    bar: float | None
    indexed: bool = False  # against the hand-written one with the best index for the list
    scans: bool = False  # the hand-written one reads all of a table or an index: done less often where these are large

    def turns(self, size: int) -> int:
        return max(2, self.times * 100_000 // max(size, 100_000)) if self.scans else self.times


FIGURES = {
    "get": Figure("get one", 300, 0.5),
    "first_page": Figure("list 50 through a view", 100, 0.35, scans=True),
    "next_pages": Figure("list 50 after a cursor", 100, 0.6, indexed=True),
    "search": Figure("list 50 by search", 25, 0.6, scans=True),
    "create": Figure("create", 200, 1.0),
    "change": Figure("patch", 150, 1.0),
    "sums": Figure("sum by state on a board", 20, None, scans=True),
}
console = Console(width=110)


@contextmanager
def empty_database(kind: str) -> Iterator[str]:
    """The URL of an empty database that is as durable as a real one, gone afterwards."""
    if kind == "postgresql":
        with own_server("max_connections = 50\nshared_buffers = 512MB\nmax_parallel_workers_per_gather = 0\n") as url:
            yield url
    else:
        with tempfile.TemporaryDirectory(prefix="dougong-bench-") as folder:
            yield f"sqlite:///{Path(folder) / 'bench.db'}"


def cost_of(subject: Subject, server: Server, figure: str, size: int) -> Cost:
    times = FIGURES[figure].turns(size)
    return server.cost([getattr(subject, figure)(number, times) for number in range(CONNECTIONS)])


def warm(subject: Subject, server: Server, figure: str) -> None:
    server.run([getattr(subject, figure)(number, 2) for number in range(CONNECTIONS)])


def verdict(value: float, bar: float | None, *, at_least: bool = False) -> str:
    if bar is None:
        return ""
    return "met" if (value >= bar if at_least else value <= bar) else "MISSED"


def requests(kind: str, size: int, rounds: int, wanted: list[str]) -> None:
    """Both subjects on databases of their own, figure by figure."""
    figures = [name for name in FIGURES if not wanted or name in wanted]
    with empty_database(kind) as hand_url, empty_database(kind) as engine_url:
        hand, engine = Hand(hand_url), Engine(engine_url)
        console.print(f"{size:,} visits, {kind}, {CONNECTIONS} connections")
        hand.prepare(size)
        engine.prepare(size)
        table = Table("figure", "hand ms", "dougong ms", "ratio", "bar", "", "hand /s", "dougong /s", "p99 ms")
        with hand.serve() as one, engine.serve() as other:
            starts = (one.cold_start, other.cold_start, one.memory, other.memory)
            indexed = False
            for name in sorted(figures, key=lambda each: FIGURES[each].indexed):
                figure = FIGURES[name]
                if figure.indexed and not indexed:
                    hand.index_the_list()
                    indexed = True
                warm(hand, one, name)
                warm(engine, other, name)
                pairs = [(cost_of(hand, one, name, size), cost_of(engine, other, name, size)) for _ in range(rounds)]
                theirs, ours = median([each for each, _ in pairs]), median([each for _, each in pairs])
                ratio = ours.cpu / theirs.cpu
                table.add_row(
                    figure.title, f"{theirs.cpu:.2f}", f"{ours.cpu:.2f}", f"{ratio:.2f}", f"{figure.bar or '–'}", verdict(ratio, figure.bar),
                    f"{theirs.per_second:,.0f}", f"{ours.per_second:,.0f}", f"{ours.p99:.1f}",
                )  # fmt: skip
            imported = None
            if not wanted or "import" in wanted:
                load, _ = one.run([hand.import_rows(20, 1000)])
                imported = (20_000 / load.seconds, engine.import_rows(20, 1000), *engine.import_file(20_000))
        console.print(table)
        if imported:
            bar = 20_000 if kind == "sqlite" else 10_000
            theirs, *ours = imported
            told = ", ".join(
                f"{title} {rate:,.0f} ({verdict(rate, bar, at_least=True)})"
                for title, rate in zip(("a batch", "out of a file", "changes out of a file"), ours, strict=True)
            )
            console.print(f"import, rows/s: hand {theirs:,.0f}; dougong (bar {bar:,}): {told}")
        console.print(
            f"start of the small app to first 200: hand {starts[0]:.2f} s, dougong {starts[1]:.2f} s; idle {starts[2]:.0f} and {starts[3]:.0f} MB"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="dev.py bench", description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--size", type=int, default=100_000, help="records (100000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each figure is measured (3)")
    parser.add_argument(
        "--only", nargs="*", default=[], help=f"some of: {', '.join(FIGURES)}, import, inside, kept, growth, pages"
    )
    parser.add_argument("--largest", type=int, default=SIZES[-1], help=f"where growth ends ({SIZES[-1]})")
    chosen = parser.parse_args()
    for kind in ("sqlite", "postgresql") if chosen.database == "both" else (chosen.database,):
        if not chosen.only or set(chosen.only) - {"inside", "kept", "growth", "pages"}:
            requests(kind, chosen.size, chosen.rounds, chosen.only)
        if not chosen.only or "inside" in chosen.only:
            with empty_database(kind) as url:
                inside(console, kind, url)
        if not chosen.only or "kept" in chosen.only:
            with empty_database(kind) as one, empty_database(kind) as other:
                kept(console, kind, (one, other))
        if not chosen.only or "pages" in chosen.only:
            with empty_database(kind) as url:
                pages(console, kind, url, chosen.size, chosen.rounds)
        if not chosen.only or "growth" in chosen.only:
            with empty_database(kind) as url:
                growth(console, kind, url, chosen.largest)


if __name__ == "__main__":
    main()
