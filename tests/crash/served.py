"""The workshop served by processes that may die at any moment, and the clients who use it meanwhile."""

import contextlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

from engine.access.people import People
from engine.clock import SystemClock
from engine.definition import load
from engine.publishing.apply import publish
from engine.storage.database import Database
from engine.storage.files import Files
from tests.crash.checker import MARK, Checker, Intent, Ledger

ROOT = Path(__file__).parents[2]
CHILD = Path(__file__).with_name("serve_and_die.py")
WORKS = ROOT / "tests" / "runtime" / "works.yaml"
# With a board, whose totals are kept.
APP = {
    "works.yaml": WORKS.read_text(encoding="utf-8")
    + "views:\n  board: {entity: order, columns: [number], group: stage, sum: [total]}\n"
}
# Another column and index, a conversion, all values of a formula and the totals made anew, an entity more: what clients
# write stays as it is.
_EDITS = (
    ("      big: {", "      rating: {type: integer, index: true}\n      big: {"), ("orders_total >= 10000", "10000 <= orders_total"),
    ("rebate: {type: percent", "rebate: {type: number"), ("sum: [total]", "sum: [payable]"),
    ("  note:\n", "  tool:\n    label: Tool\n    fields: {name: text}\n  note:\n"),
)  # fmt: skip
NEXT = {"works.yaml": reduce(lambda text, edit: text.replace(*edit), _EDITS, APP["works.yaml"])}
BASE = "/api/v1/works"
PDF = b"%%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n%% %s\ntrailer<</Root 1 0 R>>\n%%%%EOF\n"
GONE = (OSError, http.client.HTTPException)


class Served:
    """`processes` servers on one database. Use in a `with` block."""

    def __init__(self, url: str, folder: Path, processes: int = 1) -> None:
        self.url, self.folder = url, folder
        self.ports = [_free_port() for _ in range(processes)]
        self.alive: dict[int, int] = {}  # port -> process; 0 is the one that publishes
        self.db = Database.open(url)
        self.db.prepare()
        clock = SystemClock()
        publish(self.db, load(APP), clock)
        people = People(self.db, clock)
        boss = people.create_user("max", "Max", team=people.create_team("works", "Works"))
        people.set_roles(boss, "works", ["owner"])
        self.headers = {"Authorization": f"Bearer {people.create_token(boss, 'test')[1]}"}
        self.maker = subprocess.Popen(
            [sys.executable, str(CHILD), url, str(folder)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def start(self, port: int, point: str = "", count: int = 0) -> None:
        """Let a server begin to serve on a port; it may die right away."""
        self._make(port, f"start {port} {point} {count}" if point else f"start {port}")

    def publish(self) -> None:
        """Let a process publish one version after the other."""
        self._make(0, "publish")

    def _make(self, port: int, how: str) -> None:
        assert self.maker.stdin is not None
        assert self.maker.stdout is not None
        self.maker.stdin.write(f"{how}\n")
        self.maker.stdin.flush()
        self.alive[port] = int(self.maker.stdout.readline())

    def ready(self, port: int, seconds: float = 60) -> bool:
        """Wait until a server answers; False if it is dead."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.dead(port):
                return False
            client = Client(port, self.headers)
            try:
                if client.ask("GET", "/readyz")[0] == 200:
                    return True
            except GONE:
                pass
            finally:
                client.connection.close()
            time.sleep(0.01)
        raise AssertionError("the server was not ready in time")

    def dead(self, port: int) -> bool:
        try:
            os.kill(self.alive[port], 0)
        except ProcessLookupError:
            return True
        return False

    def kill(self, port: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.alive[port], signal.SIGKILL)
        while not self.dead(port):
            time.sleep(0.001)

    def checker(self) -> Checker:
        return Checker(self.db, "works", Files(self.folder / "files"), SystemClock().now())

    def __enter__(self) -> "Served":
        for port in self.ports:
            self.start(port)
        for port in self.ports:
            assert self.ready(port)
        return self

    def __exit__(self, *_: object) -> None:
        for port in list(self.alive):
            self.kill(port)
        self.maker.kill()
        self.maker.communicate()
        self.db.close()


class Client:
    """One connection that says who asks. `ask` raises OSError or HTTPException when there is no answer."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = headers

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        try:
            self.connection.request(method, path, body, {**self.headers, **(headers or {})})
            response = self.connection.getresponse()
            text = response.read()
        except GONE:
            self.connection.close()
            raise
        kind = response.headers.get("content-type", "")
        return response.status, json.loads(text) if "json" in kind and text else {}


@dataclass
class Ask:
    """A request to be sent, and what to do with the answer to it."""

    intent: Intent
    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    then: Callable[[int, dict[str, Any]], None] = lambda status, answer: None
    again: bool = True  # may be sent twice


@dataclass
class Known:
    """What the clients know of the records, together. Another may know better by now."""

    clients: list[str] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)  # of clients
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    batches: list[str] = field(default_factory=list)
    most: int = 1_000_000  # orders

    def see(self, answer: dict[str, Any]) -> None:
        record = answer.get("record") or answer.get("current")
        if record and "stage" in record:
            self.orders[record["id"]] = record
        elif record and "phone" in record:
            self.versions[record["id"]] = record["version"]


class Clients:
    """`count` people who write at random until they are stopped, and ask again where they got no answer."""

    def __init__(
        self,
        served: Served,
        ledger: Ledger,
        count: int,
        seed: int,
        orders: int = 1_000_000,
        unsure: tuple[int, ...] = (),
    ) -> None:
        self.served, self.ledger, self.seed = served, ledger, seed
        self.unsure = unsure  # answers that say as little as none
        self.known = Known(most=orders)
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._use, args=(number,)) for number in range(count)]
        self.failures: list[BaseException] = []

    def __enter__(self) -> "Clients":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        if self.failures:
            raise self.failures[0]

    def _use(self, number: int) -> None:
        chance = random.Random(f"{self.seed} {number}")
        port = self.served.ports[number % len(self.served.ports)]
        client = Client(port, self.served.headers)
        turn = 0
        pending: Ask | None = None
        try:
            while not self.stopping.is_set():
                turn += 1
                ask = pending or self._next(chance, f"{MARK}{self.seed}-{number}-{turn}")
                pending = None
                try:
                    status, answer = client.ask(ask.method, ask.path, ask.body, ask.headers)
                except GONE:
                    # Nobody knows whether it was done. Most people try again.
                    pending = ask if ask.again and chance.random() < 0.7 else None
                    self.stopping.wait(0.02)
                    continue
                if status in self.unsure:
                    pending = ask if ask.again and chance.random() < 0.7 else None
                    self.stopping.wait(0.02)
                    continue
                ask.intent.status = status
                self.known.see(answer)
                ask.then(status, answer)
        except BaseException as error:
            self.failures.append(error)
        finally:
            client.connection.close()

    def _next(self, chance: random.Random, mark: str) -> Ask:
        known = self.known
        if not known.clients or not known.orders:
            make = self._client if not known.clients else self._order
        else:
            ways = {
                self._client: 4, self._rename: 4, self._order: 10 if len(known.orders) < known.most else 0, self._patch: 12, self._lines: 8, self._count: 12,
                self._note: 6, self._tick: 6, self._move: 12, self._upload: 6, self._bulk: 4, self._import: 2, self._undo: 3,
                self._delete: 3, self._merge: 1, self._look: 10,
            }  # fmt: skip
            make = chance.choices(list(ways), list(ways.values()))[0]
        return make(chance, mark)

    def _json(self, mark: str, method: str, path: str, body: Any, *marks: str, **more: Any) -> Ask:
        intent = self.ledger.intend(Intent(mark, marks, count=more.pop("count", None)))
        headers = {"Content-Type": "application/json", "Idempotency-Key": mark, **more.pop("headers", {})}
        return Ask(intent, method, BASE + path, json.dumps(body).encode(), headers, **more)

    def _any_order(self, chance: random.Random) -> dict[str, Any]:
        # The newest are the most wanted.
        orders = list(self.known.orders.values())[-40:]
        return chance.choice(orders)

    # -- what somebody may do ---------------------------------------------------------------------------------------------

    def _client(self, chance: random.Random, mark: str) -> Ask:
        values = {"name": mark, "phone": f"138{chance.randrange(40):08}", "region": chance.choice(["north", "south"])}
        if self.known.clients and chance.random() < 0.5:
            values["parent"] = chance.choice(self.known.clients[-20:])

        def then(status: int, answer: dict[str, Any]) -> None:
            if status == 201:
                self.known.clients.append(answer["id"])

        return self._json(mark, "POST", "/client", values, mark, then=then)

    def _rename(self, chance: random.Random, mark: str) -> Ask:
        client = chance.choice(self.known.clients[-20:])
        stated = {"If-Match": f'"{self.known.versions.get(client, 1)}"'}
        return self._json(mark, "PATCH", f"/client/{client}", {"name": mark}, mark, headers=stated)

    def _rows(self, chance: random.Random, mark: str) -> list[dict[str, Any]]:
        return [
            {"part": f"{mark}.{row}", "quantity": chance.randrange(1, 9), "price": chance.randrange(1, 3000)}
            for row in range(chance.randrange(1, 4))
        ]

    def _order(self, chance: random.Random, mark: str) -> Ask:
        rows = self._rows(chance, mark)
        values = {"client": chance.choice(self.known.clients[-20:]), "what": mark, "margin": 0, "lines": rows}
        return self._json(mark, "POST", "/order", values, mark, *(row["part"] for row in rows))

    def _stated(self, order: dict[str, Any]) -> dict[str, str]:
        return {"If-Match": f'"{order["version"]}"'}

    def _patch(self, chance: random.Random, mark: str) -> Ask:
        order = self._any_order(chance)

        def then(status: int, answer: dict[str, Any]) -> None:
            if status == 200:
                self.known.batches.append(answer["batch"])

        path = f"/order/{order['id']}"
        return self._json(mark, "PATCH", path, {"what": mark}, mark, headers=self._stated(order), then=then)

    def _lines(self, chance: random.Random, mark: str) -> Ask:
        order, rows = self._any_order(chance), self._rows(chance, mark)
        values = {"lines": rows, "discount": chance.choice([0, 0.1, 0.25])}
        path = f"/order/{order['id']}"
        return self._json(mark, "PATCH", path, values, *(row["part"] for row in rows), headers=self._stated(order))

    def _count(self, chance: random.Random, mark: str) -> Ask:
        order = self._any_order(chance)
        values = {"margin": (order["margin"] or 0) + 1}
        path = f"/order/{order['id']}"
        return self._json(mark, "PATCH", path, values, headers=self._stated(order), count=int(order["id"]))

    def _note(self, chance: random.Random, mark: str) -> Ask:
        def then(status: int, answer: dict[str, Any]) -> None:
            if status == 201:
                self.known.notes.append(answer["id"])

        values = {"order": self._any_order(chance)["id"], "text": mark, "agreed": True}
        return self._json(mark, "POST", "/note", values, mark, then=then)

    def _tick(self, chance: random.Random, mark: str) -> Ask:
        return self._json(mark, "POST", f"/order/{self._any_order(chance)['id']}/checklist", {"item": "called"})

    def _move(self, chance: random.Random, mark: str) -> Ask:
        order = self._any_order(chance)
        ways = {"received": ["start"], "working": ["finish", "finish", "back"]}.get(order["stage"], ["start"])
        body = {"transition": chance.choice(ways), "reason": mark}
        return self._json(mark, "POST", f"/order/{order['id']}/transitions", body, mark)

    def _upload(self, chance: random.Random, mark: str) -> Ask:
        slot = chance.choice(["photos", "report"])
        return self._form(
            mark, f"/order/{self._any_order(chance)['id']}/files/{slot}", f"{mark}.pdf", PDF % mark.encode()
        )

    def _form(self, mark: str, path: str, name: str, content: bytes, *marks: str, again: bool = True) -> Ask:
        intent = self.ledger.intend(Intent(mark, marks or (name,), whole=again))
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={mark}"} | (
            {"Idempotency-Key": mark} if again else {}
        )
        return Ask(intent, "POST", BASE + path, head + content + f"\r\n--{mark}--\r\n".encode(), headers, again=again)

    def _bulk(self, chance: random.Random, mark: str) -> Ask:
        marks = [f"{mark}.{each}" for each in range(3)]
        commands = [{"action": "create", "values": {"name": each}} for each in marks]
        return self._json(mark, "POST", "/client/bulk", {"commands": commands}, *marks)

    def _import(self, chance: random.Random, mark: str) -> Ask:
        marks = [f"{mark}.{each}" for each in range(5)]
        table = "name,region\n" + "".join(f"{each},north\n" for each in marks)
        return self._form(mark, "/client/import", f"{mark}.csv", table.encode(), *marks, again=False)

    def _undo(self, chance: random.Random, mark: str) -> Ask:
        try:
            batch = self.known.batches.pop()
        except IndexError:
            return self._note(chance, mark)
        return self._json(mark, "POST", "/undo", {"batch": batch}, f"undo:{batch}")

    def _delete(self, chance: random.Random, mark: str) -> Ask:
        if not self.known.notes:
            return self._note(chance, mark)
        if chance.random() < 0.3:
            client = chance.choice(self.known.clients[-20:])
            stated = {"If-Match": f'"{self.known.versions.get(client, 1)}"'}
            return self._json(mark, "DELETE", f"/client/{client}", {}, headers=stated)
        path = f"/note/{chance.choice(self.known.notes[-10:])}"
        if chance.random() < 0.3:
            return self._json(mark, "POST", f"{path}/restore", {})
        return self._json(mark, "DELETE", path, {}, headers={"If-Match": f'"{chance.choice([1, 1, 3])}"'})

    def _look(self, chance: random.Random, mark: str) -> Ask:
        """One who only reads is never told of a failure either."""
        path = chance.choice(["/order", "/client", f"/order/{self._any_order(chance)['id']}"])
        return Ask(self.ledger.intend(Intent(mark)), "GET", BASE + path)

    def _merge(self, chance: random.Random, mark: str) -> Ask:
        one, other = chance.choice(self.known.clients[-20:]), chance.choice(self.known.clients[-20:])
        return self._json(mark, "POST", f"/client/{one}/merge", {"lose": other})


@contextlib.contextmanager
def working(
    served: Served, ledger: Ledger, count: int, seed: int, orders: int = 1_000_000, unsure: tuple[int, ...] = ()
) -> Iterator[Clients]:
    """Clients at work; afterwards they have stopped."""
    with Clients(served, ledger, count, seed, orders, unsure) as clients:
        yield clients


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
