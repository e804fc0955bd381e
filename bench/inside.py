"""What has no hand-written counterpart: gates, scores and the life of a definition, measured inside one process."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.engine import Engine
from bench.measure import ROOT, Server, free_port, spent
from engine.access.principal import engine_principal
from engine.app import App, compile_app
from engine.clock import SystemClock
from engine.definition import load
from engine.publishing.apply import publish
from engine.publishing.plan import plan_for
from engine.runtime import Create, Runtime, Transition, Update
from engine.runtime.derive import recompute_all
from engine.storage.database import Database

CRM = ROOT / "apps" / "crm.yaml"


def timed(work: Callable[[], object], rounds: int = 3) -> float:
    """Seconds of this process's CPU in the quickest round: what the work costs when nothing else disturbs it."""
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best


def inside(console: Console, kind: str, url: str) -> None:
    table = Table("figure", "measured", "bar", "", title=f"inside, {kind}")

    def row(title: str, seconds: float, bar: float | None, unit: str = "ms") -> None:
        shown = f"{seconds * 1000:,.1f} ms" if unit == "ms" else f"{seconds:,.2f}"
        limit = "–" if bar is None else f"{bar * 1000:,.0f} ms" if unit == "ms" else f"{bar:g}"
        table.add_row(title, shown, limit, "" if bar is None else "met" if seconds <= bar else "MISSED")

    engine = Engine(url)
    engine.prepare(1)
    app = engine.app()
    runtime = Runtime(engine.db, SystemClock())
    row("transition through a gate / patch", _gate(runtime, app), 2.5, "ratio")
    engine.fill(app, "asset", _assets(100_000))
    engine.analyze()
    row("recompute a score of 12 terms, 100,000 records", min(_rescore(runtime, app) for _ in range(3)), 1.0)
    if CRM.exists():
        _life(row)
        if kind == "sqlite":
            _start(row)
    console.print(table)


def _assets(count: int):  # type: ignore[no-untyped-def]
    for number in range(count):
        yield {"name": f"A{number}", **{f"m{i}": (number * 7919 * i) % 180 for i in range(1, 7)}}


def _gate(runtime: Runtime, app: App) -> float:
    """A transition that counts files and related records, in patches of the same record."""
    me = engine_principal()
    times = 200
    ids = []
    for number in range(times):
        findings = [{"what": "loose", "settled": True}]
        ids.append(runtime.execute(app, me, Create("job", {"title": f"J{number}", "findings": findings})).id or 0)
    with runtime.db.write() as w:
        for id in ids:
            w.script(f"UPDATE {app.entities['job'].table.name} SET report = '[\"1\"]' WHERE id = {id}")
    began = time.process_time()
    for id in ids:
        runtime.execute(app, me, Update("job", id, {"title": "changed"}))
    patched = time.process_time() - began
    began = time.process_time()
    for id in ids:
        runtime.execute(app, me, Transition("job", id, to="done"))
    return (time.process_time() - began) / patched


def _rescore(runtime: Runtime, app: App) -> float:
    """Seconds of CPU, the database's included."""
    with runtime.db.write(statement_timeout=None) as w:
        work = runtime.work(app, engine_principal(), w)
        model = app.entities["asset"]
        w.script(f"UPDATE {model.table.name} SET {model.columns['health']} = NULL")
        began = spent(w, runtime.db.dialect)
        recompute_all(work, model, ["health"])
        return spent(w, runtime.db.dialect) - began


def _life(row: Callable[[str, float, float | None], None]) -> None:
    """The whole customer-relations package: checked, compiled, planned, published, swapped."""
    load(CRM)
    row("check the whole CRM", timed(lambda: load(CRM)), 0.15)
    checked = load(CRM)
    row("compile it", timed(lambda: compile_app(checked)), None)
    with tempfile.TemporaryDirectory(prefix="dougong-bench-") as folder:
        db = Database.open(f"sqlite:///{Path(folder) / 'life.db'}")
        db.prepare()
        publish(db, checked, SystemClock())
        files = dict(checked.files)
        root = next(name for name in files if name.endswith("crm.yaml"))
        edited = load({**files, root: files[root] + "\n# edited\n"}, root)
        row("plan an edit", timed(lambda: plan_for(db, edited, 0)), 1.0)
        row("publish it", timed(lambda: publish(db, edited, SystemClock()), 1), 1.0)
        db.close()


def _start(row: Callable[..., None]) -> None:
    """Start on a database that holds the CRM already."""
    with tempfile.TemporaryDirectory(prefix="dougong-bench-") as folder:
        url = f"sqlite:///{Path(folder) / 'start.db'}"
        db = Database.open(url)
        db.prepare()
        publish(db, load(CRM), SystemClock())
        db.close()
        starts, memory = [], 0.0
        for _ in range(3):
            port = free_port()
            with Server(
                ["-m", "engine.cli", "serve", "--database", url, "--data", folder, "--port", str(port)], port
            ) as server:
                starts.append(server.cold_start)
                memory = server.memory
        row("cold start with the whole CRM to first 200", min(starts), 1.0)
        row("idle memory, MB", memory, 90, "MB")


__all__ = ["inside"]
