"""Who is measured: each subject says in its own words what everybody is asked.

A subject prepares a database of so many visits, starts its server on it, and holds the conversations in which one
connection reads, lists, searches, creates, changes and imports them.
"""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, Protocol

import sqlalchemy as sa

from bench import hand
from bench.load import Conversation, repeat, request
from bench.measure import Server, free_port
from bench.rows import REGIONS, STATES, visit_rows

START = 1_760_000_000_000_000  # microseconds since 1970: when the first visit was created; one more every second
SEARCHED = "泰山仪表"


class Subject(Protocol):
    """`limit` is how many requests of a kind one connection makes; connections are numbered from 0."""

    name: str

    def prepare(self, size: int) -> None:
        """Fill an empty database with `size` visits."""
        ...

    def serve(self) -> Server: ...

    def get(self, connection: int, times: int) -> Conversation: ...

    def first_page(self, connection: int, times: int) -> Conversation:
        """The 50 newest of one state and region."""
        ...

    def next_pages(self, connection: int, times: int) -> Conversation:
        """Such pages, each after the one before."""
        ...

    def search(self, connection: int, times: int) -> Conversation: ...

    def create(self, connection: int, times: int) -> Conversation: ...

    def change(self, connection: int, times: int) -> Conversation: ...

    def sums(self, connection: int, times: int) -> Conversation: ...

    def import_rows(self, batches: int, size: int) -> Conversation: ...


def choices(connection: int, times: int) -> Iterator[tuple[str, str]]:
    """States and regions, so that no two connections ask the same at once."""
    for number in range(times):
        turn = connection * 5 + number
        yield STATES[turn % len(STATES)], REGIONS[turn // len(STATES) % len(REGIONS)]


def batches(count: int, size: int) -> list[bytes]:
    rows = visit_rows(count * size, seed=3)
    return [json.dumps(list(islice(rows, size)), ensure_ascii=False).encode() for _ in range(count)]


class Hand:
    """`bench.hand`, with an index on state and one on the time of creation, or with the best one for the list."""

    name = "hand"

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = hand.connect(url)
        self.headers = {"Authorization": f"Bearer {hand.TOKEN}"}
        self.size = 0

    def prepare(self, size: int) -> None:
        self.size = size
        hand.metadata.create_all(self.engine)
        with self.engine.begin() as connection:
            rows = enumerate(visit_rows(size), start=1)
            while some := list(islice(rows, 10_000)):
                connection.execute(hand.insert_many, [self._stored(number, row) for number, row in some])
        self._analyze()

    def index_the_list(self) -> None:
        hand.composite.create(self.engine)
        self._analyze()

    def _analyze(self) -> None:
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("ANALYZE"))

    @staticmethod
    def _stored(number: int, row: dict[str, Any]) -> dict[str, Any]:
        values = hand.columns(hand.NewVisit(**row).model_dump())
        return values | {"version": 1, "created_at": START + number * 1_000_000}

    def serve(self) -> Server:
        port = free_port()
        return Server(["-m", "bench.hand", self.url, str(port)], port)

    def _ids(self, connection: int, times: int) -> list[int]:
        """Visits of this connection alone that are not sealed."""
        rows = visit_rows(min(self.size, 20_000))
        open_ones = [number for number, row in enumerate(rows, start=1) if not row["sealed"]]
        return [open_ones[(connection * times + turn) % len(open_ones)] for turn in range(times)]

    def get(self, connection: int, times: int) -> Conversation:
        ids = self._ids(connection, times)
        return repeat(times, lambda turn: request("GET", f"/visits/{ids[turn]}", self.headers))

    def first_page(self, connection: int, times: int) -> Conversation:
        for state, region in choices(connection, times):
            yield request("GET", f"/visits?state={state}&region={region}&limit=50", self.headers)

    def next_pages(self, connection: int, times: int) -> Conversation:
        state, region = next(choices(connection, 1))
        path = f"/visits?state={state}&region={region}&limit=50"
        after = ""
        for _ in range(times):
            answer = yield request("GET", path + after, self.headers)
            cursor = json.loads(answer.body)["next"]
            after = f"&after={cursor}" if cursor else ""

    def search(self, connection: int, times: int) -> Conversation:
        path = "/visits?q=" + "".join(f"%{byte:02X}" for byte in SEARCHED.encode())
        return repeat(times, lambda _: request("GET", path, self.headers))

    def create(self, connection: int, times: int) -> Conversation:
        bodies = [json.dumps(row, ensure_ascii=False).encode() for row in visit_rows(times, seed=100 + connection)]
        return repeat(times, lambda turn: request("POST", "/visits", self.headers, bodies[turn]))

    def change(self, connection: int, times: int) -> Conversation:
        versions: dict[int, str] = {}
        ids = self._ids(connection, 50)
        for turn in range(times):
            id = ids[turn % len(ids)]
            if id not in versions:
                answer = yield request("GET", f"/visits/{id}", self.headers)
                versions[id] = answer.headers["etag"]
            body = json.dumps({"amount": f"{turn}.50", "quantity": turn % 100, "note": f"改期 {turn}"}).encode()
            answer = yield request("PATCH", f"/visits/{id}", self.headers | {"If-Match": versions[id]}, body)
            versions[id] = answer.headers["etag"]

    def sums(self, connection: int, times: int) -> Conversation:
        return repeat(times, lambda _: request("GET", "/visits/sums", self.headers))

    def import_rows(self, count: int, size: int) -> Conversation:
        bodies = batches(count, size)
        return repeat(count, lambda turn: request("POST", "/visits/import", self.headers, bodies[turn]))
