"""What others change while somebody looks at it: server-sent events, one watcher for all open pages of a process.

The watcher looks at the journal about once a second, and only while a page is open somewhere.  An open page is a few
objects in the event loop: it holds no thread and no connection to the database.  An event names only records that its
reader may see and of which something changed that he may see; the page then fetches what it wants to show.  With his
session the stream ends.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from engine.problems import Problem, Refused
from engine.reading import Lens
from engine.storage import system
from engine.storage.database import Database
from engine.storage.errors import StorageError
from engine.web import incoming
from engine.web.observe import log
from engine.web.visitor import visitor

if TYPE_CHECKING:
    from engine.web.site import Site

LOOK_EVERY = 1.0  # seconds
HEARTBEAT = 20.0  # seconds without an event after which a comment keeps proxies from closing the stream
LONGEST = 15 * 60.0  # seconds after which a browser opens the stream anew
MOST_STREAMS = 2000  # of one process
MOST_OF_ONE = 20  # of one person
BATCH = 500  # journal rows at one look
BEHIND = 200  # rows before the last one that are looked at again: a transaction may commit after a later one
WAITING = 200  # records that one event names


@dataclass(frozen=True)
class Changed:
    """A row of the journal. `fields` are None where no single fields were changed: something was made, deleted, moved."""

    app: str
    entity: str
    record: int
    user: int | None
    action: str
    fields: frozenset[str] | None


@dataclass(eq=False)
class Stream:
    """One open page: who looks, at which entity, at which record of it (None: at all)."""

    user: int
    cookie: str
    app: str
    entity: str
    record: int | None
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    changed: set[int] = field(default_factory=set)
    made: set[int] = field(default_factory=set)
    ended: bool = False

    def take(self) -> bytes:
        """What has come since the last event, as one event; empty if nothing has."""
        if not self.changed and not self.made:
            return b""
        told = {"changed": [str(id) for id in self.changed], "made": [str(id) for id in self.made]}
        self.changed, self.made = set(), set()
        return b"event: change\ndata: " + orjson.dumps(told) + b"\n\n"


class Journal:
    """The rows that were added to the journal since the last look."""

    def __init__(self, db: Database) -> None:
        self._db = db
        j = system.journal
        columns = (j.c.seq, j.c.app, j.c.entity, j.c.record, j.c.user, j.c.action, j.c.changes)
        after = sa.select(*columns).where(j.c.seq > sa.bindparam("seq")).order_by(j.c.seq).limit(BATCH + BEHIND)
        self._after = db.statement(after)
        self._last_one = db.statement(sa.select(sa.func.max(j.c.seq)))
        self._changes: int | None = None
        self._last = -1
        self._seen: set[int] = set()

    def begin(self) -> None:
        """What is there now is known."""
        self._last = int(self._db.scalar(self._last_one) or 0)
        known = self._db.all(self._after, {"seq": self._last - BEHIND})
        self._seen = {row[0] for row in known}
        self._changes = self._db.changes()

    def look(self) -> list[Changed]:
        changes = self._db.changes()
        if changes is not None and changes == self._changes:
            return []
        self._changes = changes
        rows = self._db.all(self._after, {"seq": self._last - BEHIND})
        new = [row for row in rows if row[0] not in self._seen]
        if len(rows) >= BATCH + BEHIND:
            # A flood, such as an import: who looks sees the first of it and fetches the rest himself.
            self.begin()
        else:
            self._last = max((row[0] for row in rows), default=self._last)
            self._seen = {row[0] for row in rows if row[0] > self._last - BEHIND}
        return [
            Changed(app, entity, record, user, action, frozenset(orjson.loads(changes)) if changes and action == "update" else None)
            for _, app, entity, record, user, action, changes in new
        ]  # fmt: skip


class Streams:
    """All open pages of this process."""

    def __init__(self, site: "Site") -> None:
        self._site = site
        self._open: set[Stream] = set()
        self._watch: asyncio.Task[None] | None = None
        self._one = CapacityLimiter(1)
        self._closed = False

    @property
    def count(self) -> int:
        return len(self._open)

    def add(self, stream: Stream) -> None:
        """Raises Refused (503, 429) when there are too many, or when the server is about to stop."""
        if self._closed or len(self._open) >= MOST_STREAMS:
            raise Refused(Problem("unavailable"), 503)
        if sum(each.user == stream.user for each in self._open) >= MOST_OF_ONE:
            raise Refused(Problem("unavailable"), 429)
        self._open.add(stream)
        if self._watch is None or self._watch.done():
            self._watch = asyncio.get_running_loop().create_task(self._watching())

    def remove(self, stream: Stream) -> None:
        self._open.discard(stream)

    def close(self) -> None:
        """End every stream, and open none any more. In the event loop."""
        self._closed = True
        for stream in self._open:
            stream.ended = True
            stream.wake.set()

    def close_soon(self) -> None:
        """The same from another thread."""
        if self._watch is not None:
            self._watch.get_loop().call_soon_threadsafe(self.close)

    async def _watching(self) -> None:
        """Look while anybody looks. A look that fails is told and repeated: whoever asks for a page learns of it himself."""
        journal = Journal(self._site.db)
        begun = False
        while self._open and not self._closed:
            try:
                if not begun:
                    await to_thread.run_sync(journal.begin, limiter=self._one)
                    begun = True
                await asyncio.sleep(LOOK_EVERY)
                found = await to_thread.run_sync(self._look, journal, tuple(self._open), limiter=self._one)
            except StorageError as error:
                log.error("live", kind=type(error).__name__)
                await asyncio.sleep(LOOK_EVERY)
                continue
            for stream, ended, changed, made in found:
                stream.ended |= ended
                stream.changed |= set(changed[:WAITING])
                stream.made |= set(made[:WAITING])
                stream.wake.set()

    def _look(self, journal: Journal, streams: tuple[Stream, ...]) -> list[tuple[Stream, bool, list[int], list[int]]]:
        """Which streams end, and what is new for the others: (stream, ended, changed records, new records)."""
        new: dict[tuple[str, str], list[Changed]] = {}
        for change in journal.look():
            new.setdefault((change.app, change.entity), []).append(change)
        found: list[tuple[Stream, bool, list[int], list[int]]] = []
        known: dict[tuple[int, str, str], frozenset[Changed]] = {}
        with self._site.db.read() as r:
            for stream in streams:
                lens = self._lens(stream)
                if lens is None:
                    found.append((stream, True, [], []))
                    continue
                changes = new.get((stream.app, stream.entity))
                if not changes:
                    continue
                key = (stream.user, stream.app, stream.entity)
                if key not in known:
                    known[key] = frozenset(visible(lens, r, stream.entity, changes))
                own = [
                    each
                    for each in changes
                    if each in known[key] and stream.record in (None, each.record) and each.user != stream.user
                ]
                if own:
                    made = [each.record for each in own if each.action == "create"]
                    found.append((stream, False, [each.record for each in own if each.action != "create"], made))
        return found

    def _lens(self, stream: Stream) -> Lens | None:
        """The eyes of the reader as they are now; None when his session, his role or the app is gone."""
        return lens_of(self._site, stream.user, stream.cookie, stream.app)


def lens_of(site: "Site", user: int, cookie: str, app_name: str) -> Lens | None:
    session = site.people.session(cookie, seen=False)
    app = site.live.app(app_name)
    if session is None or session.user != user or app is None:
        return None
    principal = site.people.principal(user, app.name, app.policies)
    return site.reading(app).lens(principal) if principal is not None else None


def visible(lens: Lens, r: Any, entity: str, changes: Iterable[Changed]) -> Iterator[Changed]:
    """Those changes of which the reader may know: of records that he sees, in fields that he sees on them."""
    if not lens.may(entity, "read"):
        return
    changes = list(changes)
    permit = lens.view.permit(entity)
    there = lens.titles(r, entity, {each.record for each in changes})
    masked = {name for name in permit.visible if permit.showing(name) is not None}
    shown: dict[int, frozenset[str]] = {}
    for each in changes:
        if each.record not in there:
            continue
        if each.fields is None or each.fields & (permit.visible - masked):
            yield each
        elif each.fields & masked:
            if each.record not in shown:
                shown[each.record] = lens.shown(r, entity, each.record) or frozenset()
            if each.fields & shown[each.record]:
                yield each


class LivePage:
    """`/{app}/my-live?on=entity` or `?on=entity:id`: the stream of one open page."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        site: Site = scope["app"].state.site
        if request.method != "GET":
            raise Refused(Problem("method-unknown", parameters={"method": request.method}), 405)
        stream = self._asked(request, site)
        await to_thread.run_sync(self._permitted, site, stream, limiter=site.limiter)
        site.streams.add(stream)
        scope["streamed"] = True
        try:
            await self._run(stream, receive, send)
        finally:
            site.streams.remove(stream)

    def _asked(self, request: Request, site: "Site") -> Stream:
        who = visitor(request, site)
        if who.user is None or who.cookie is None:
            raise Refused(Problem("sign-in-needed"), 401)
        entity, _, id = request.query_params.get("on", "").partition(":")
        return Stream(who.user, who.cookie, request.path_params["app"], entity, incoming.record_id(id) if id else None)

    def _permitted(self, site: "Site", stream: Stream) -> None:
        """Raises Refused (404) for what is not there for the reader."""
        lens = lens_of(site, stream.user, stream.cookie, stream.app)
        gone = Refused(Problem("not-found", stream.entity), 404)
        if lens is None or lens.view.model(stream.entity).system:
            raise gone
        if stream.record is not None:
            with site.db.read() as r:
                if stream.record not in lens.titles(r, stream.entity, [stream.record]):
                    raise gone

    async def _run(self, stream: Stream, receive: Receive, send: Send) -> None:
        headers = [
            (b"content-type", b"text/event-stream"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b": open\n\n", "more_body": True})
        loop = asyncio.get_running_loop()
        until = loop.time() + LONGEST
        gone = loop.create_task(_gone(receive))
        try:
            while not (stream.ended or gone.done()) and loop.time() < until:
                wake = loop.create_task(stream.wake.wait())
                await asyncio.wait({wake, gone}, timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
                wake.cancel()
                stream.wake.clear()
                if gone.done():
                    return
                await send({"type": "http.response.body", "body": stream.take() or b": on\n\n", "more_body": True})
            last = b"event: over\ndata: {}\n\n" if stream.ended else b""
            await send({"type": "http.response.body", "body": last, "more_body": False})
        finally:
            gone.cancel()


async def _gone(receive: Receive) -> None:
    """Returns when the browser has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


@contextmanager
def before_stopping(act: Callable[[], None]) -> Iterator[None]:
    """Within, `act` is called in the event loop as soon as the process is told to stop.

    A server that is told to stop waits for its connections before it ends; open streams must be ended by then.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before: dict[int, Any] = {}

    def told(number: int, frame: Any) -> None:
        loop.call_soon_threadsafe(act)
        handler = before[number]
        if callable(handler):
            handler(number, frame)

    for number in (signal.SIGTERM, signal.SIGINT):
        handler = signal.getsignal(number)
        if callable(handler) and handler is not signal.default_int_handler:
            before[number] = handler
            signal.signal(number, told)
    try:
        yield
    finally:
        for each, former in before.items():
            if signal.getsignal(each) is told:
                signal.signal(each, former)
