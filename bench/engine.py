"""The generic engine as a subject: the same visits, asked through `/api/v1` with permissions, validation and history on."""

import csv
import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from bench.load import Conversation, repeat, request
from bench.measure import ROOT, Server, free_port, spent
from bench.rows import visit_rows
from bench.subjects import SEARCHED, choices
from engine.access.people import People
from engine.access.principal import Principal, engine_principal
from engine.app import App
from engine.clock import SystemClock
from engine.definition import load
from engine.exchange import bring
from engine.exchange.mapping import ImportMapping
from engine.publishing.apply import publish
from engine.publishing.live import Live
from engine.runtime import Runtime
from engine.runtime.bulk import New, create_many
from engine.storage.database import Database

PACKAGE = ROOT / "bench" / "app.yaml"
HERE = "/api/v1/bench/visit"
CHUNK = 2000


class Engine:
    """Dougong serving `bench/app.yaml` to a planner who may not see one visit in twenty."""

    name = "dougong"

    def __init__(self, url: str, package: Mapping[str, str] | Path = PACKAGE) -> None:
        self.url = url
        self.package = package
        self.db = Database.open(url, statement_timeout=None)
        self.clock = SystemClock()
        self.ids: list[int] = []
        self.headers: dict[str, str] = {}
        self.folder = tempfile.TemporaryDirectory(prefix="dougong-bench-files-")

    def prepare(self, size: int) -> None:
        self.db.prepare()
        publish(self.db, load(self.package), self.clock)
        app = self.app()
        people = People(self.db, self.clock)
        user = people.create_user("planner", "Planner")
        people.set_roles(user, "bench", ["planner"])
        self.headers = {"Authorization": f"Bearer {people.create_token(user, 'bench')[1]}"}
        self.fill(app, "visit", visit_rows(size), keep=20_000)
        self.analyze()

    def app(self) -> App:
        live = Live(self.db)
        app = live.app("bench")
        assert app is not None
        return app

    def planner(self) -> Principal:
        people = People(self.db, self.clock)
        user = people.find_user("planner")
        assert user is not None
        planner = people.principal(user, "bench", self.app().policies)
        assert planner is not None
        return planner

    def fill(self, app: App, entity: str, rows: Iterator[dict[str, object]], keep: int = 0) -> None:
        """Records made by the engine itself, in transactions of `CHUNK`; the ids of the first open ones are kept."""
        runtime = Runtime(self.db, self.clock)
        while some := list(islice(rows, CHUNK)):
            fields = app.entities[entity].fields
            values = [{name: fields[name].parse(value) for name, value in _native(row).items()} for row in some]
            with self.db.write(statement_timeout=None) as w:
                work = runtime.work(app, engine_principal(), w, "bench")
                made = create_many(work, app.entities[entity], [New(each) for each in values], trusted=True)
            for row, one in zip(some, made, strict=True):
                assert one.id is not None, one.problems
                if len(self.ids) < keep and not row.get("sealed"):
                    self.ids.append(one.id)

    def analyze(self) -> None:
        with self.db.write(statement_timeout=None) as w:
            w.script("ANALYZE")

    def spent(self) -> float:
        """Seconds of CPU so far, the database's included."""
        with self.db.read() as r:
            return spent(r, self.db.dialect)

    def serve(self) -> Server:
        port = free_port()
        given = [
            "--database",
            self.url,
            "--data",
            str(Path(self.folder.name)),
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
        ]
        # The limit protects a server from floods; here the flood is what is measured.
        return Server(
            ["-m", "engine.cli", "serve", *given], port, {"DOUGONG_RATE": "1000000", "DOUGONG_BURST": "1000000"}
        )

    def _own(self, connection: int, times: int) -> list[int]:
        """Visits of this connection alone."""
        return [self.ids[(connection * times + turn) % len(self.ids)] for turn in range(times)]

    def get(self, connection: int, times: int) -> Conversation:
        ids = self._own(connection, times)
        return repeat(times, lambda turn: request("GET", f"{HERE}/{ids[turn]}", self.headers))

    def first_page(self, connection: int, times: int) -> Conversation:
        for state, region in choices(connection, times):
            yield request("GET", f"{HERE}?view=newest&state={state}&region={region}&limit=50", self.headers)

    def next_pages(self, connection: int, times: int) -> Conversation:
        state, region = next(choices(connection, 1))
        path = f"{HERE}?view=newest&state={state}&region={region}&limit=50"
        after = ""
        for _ in range(times):
            answer = yield request("GET", path + after, self.headers)
            cursor = json.loads(answer.body)["next"]
            after = f"&cursor={cursor}" if cursor else ""

    def search(self, connection: int, times: int) -> Conversation:
        path = f"{HERE}?limit=50&sort=-created_at&search={quote(SEARCHED)}"
        return repeat(times, lambda _: request("GET", path, self.headers))

    def create(self, connection: int, times: int) -> Conversation:
        rows = visit_rows(times, seed=100 + connection)
        bodies = [json.dumps(_native(row) | {"sealed": False}, ensure_ascii=False).encode() for row in rows]
        return repeat(times, lambda turn: request("POST", HERE, self.headers, bodies[turn]))

    def change(self, connection: int, times: int) -> Conversation:
        versions: dict[int, str] = {}
        ids = self._own(connection, 50)
        for turn in range(times):
            id = ids[turn % len(ids)]
            if id not in versions:
                answer = yield request("GET", f"{HERE}/{id}", self.headers)
                versions[id] = answer.headers["etag"]
            body = json.dumps({"amount": turn + 0.5, "quantity": turn % 100, "note": f"改期 {turn}"}).encode()
            answer = yield request("PATCH", f"{HERE}/{id}", self.headers | {"If-Match": versions[id]}, body)
            versions[id] = answer.headers["etag"]

    def sums(self, connection: int, times: int) -> Conversation:
        path = f"{HERE}/aggregate?group=state&measure.total=sum(amount)"
        return repeat(times, lambda _: request("GET", path, self.headers))

    def import_rows(self, count: int, size: int) -> float:
        """Rows a second of a batch that is validated, permitted and journalled like any other save, in one process."""
        runtime, app, planner = self._importing()
        model = app.entities["visit"]
        rows = [_native(row) | {"sealed": False} for row in visit_rows(count * size, seed=3)]
        began = time.perf_counter()
        for start in range(0, len(rows), size):
            with self.db.write() as w:
                work = runtime.work(app, planner, w, "import:bench")
                some = []
                for row in rows[start : start + size]:
                    values, problems = work.accept(
                        model, row, work.lens.writable("visit", "create"), partial=False, path=""
                    )
                    some.append(New(values, problems=problems))
                assert all(made.id is not None for made in create_many(work, model, some))
        return len(rows) / (time.perf_counter() - began)

    def import_file(self, count: int) -> tuple[float, float]:
        """Rows a second out of a CSV file, from opening it to the last commit: new records, and the same ones changed."""
        runtime, app, planner = self._importing()
        rows = [row | {"sealed": "no"} for row in visit_rows(count, seed=4)]
        fresh, changed = Path(self.folder.name) / "fresh.csv", Path(self.folder.name) / "changed.csv"
        columns = {name: name for name in rows[0]}
        mapping = ImportMapping.model_validate({"steps": [{"entity": "visit", "columns": columns}]})
        _write(fresh, rows)
        report = bring(runtime, app, planner, fresh, mapping)
        assert report.created == count, report.lines("en")
        table = app.entities["visit"].table
        newest = self.db.statement(sa.select(table.c.id).order_by(table.c.id.desc()).limit(sa.bindparam("count")))
        ids = sorted(row[0] for row in self.db.all(newest, {"count": count}))
        _write(
            changed,
            [
                {"id": id, **row, "crew": row["crew"] % 20 + 1, "note": f"{row['note']}已改。"}
                for id, row in zip(ids, rows, strict=True)
            ],
        )
        by_id = {"steps": [{"entity": "visit", "key": ["id"], "columns": {"id": "id", **columns}}]}
        again = bring(runtime, app, planner, changed, ImportMapping.model_validate(by_id))
        assert again.updated == count, again.lines("en")
        return count / report.seconds, count / again.seconds

    def _importing(self) -> tuple[Runtime, App, Principal]:
        app = self.app()
        people = People(self.db, self.clock)
        user = people.find_user("planner")
        assert user is not None
        planner = people.principal(user, "bench", app.policies)
        assert planner is not None
        return Runtime(self.db, self.clock), app, planner


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _native(row: dict[str, object]) -> dict[str, object]:
    """Money is a number in the engine's JSON."""
    return row | {"amount": float(str(row["amount"]))} if "amount" in row else row
