"""Server processes that are made to be killed: `serve_and_die.py URL FOLDER`.

Reads lines from its input: `start PORT` or `start PORT POINT COUNT`.  Each is answered with the id of a process that
serves on that port and kills itself when it passes that point for the `COUNT`th time.  `publish` is answered with one that
publishes two versions in turn until it is killed.  The processes are forked from one that has imported everything, so that
starting one again takes a moment instead of seconds.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

from engine.clock import SystemClock
from engine.definition import load
from engine.problems import Refused
from engine.publishing.apply import apply
from engine.publishing.plan import plan_for
from engine.storage import files
from engine.storage.database import Database
from engine.storage.errors import Conflict, LockTimeout
from engine.storage.postgresql import PostgresWrite
from engine.storage.session import Write
from engine.storage.sqlite import SqliteWrite
from engine.web.resource import Resource
from engine.web.server import create_server
from engine.web.settings import Settings
from tests.crash.served import APP, NEXT

POINTS = ("statement", "before commit", "after commit", "file renamed", "answered")


class Fuse:
    """Burns down by one at each call, and then kills the process."""

    def __init__(self, count: int) -> None:
        self.left = count

    def __call__(self, *_: Any) -> None:
        self.left -= 1
        if self.left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    append = extend = __call__  # as a log of statements


def plant(server: Any, point: str, fuse: Fuse) -> None:
    """Put the fuse where the process passes `point`."""
    match point:
        case "statement":
            server.state.site.db._driver.log.append(fuse)
        case "before commit":
            for kind in (SqliteWrite, PostgresWrite):
                _wrap(kind, before=fuse)
        case "after commit":
            for kind in (SqliteWrite, PostgresWrite):
                _wrap(kind, after=fuse)
        case "file renamed":
            rename = os.rename

            def renamed(*arguments: Any) -> None:
                rename(*arguments)
                fuse()

            files.os.rename = renamed  # type: ignore[attr-defined]
        case "answered":
            answer = Resource._answer

            async def answered(self: Resource, *arguments: Any) -> Any:
                response = await answer(self, *arguments)
                fuse()
                return response

            Resource._answer = answered  # type: ignore[method-assign]
        case _:
            raise ValueError(point)


def _wrap(
    kind: type[Write], before: Callable[[], None] = lambda: None, after: Callable[[], None] = lambda: None
) -> None:
    leave = kind.__exit__

    def left(self: Any, error: Any, *more: Any) -> None:
        if error is None:
            before()
        leave(self, error, *more)
        if error is None:
            after()

    kind.__exit__ = left  # type: ignore[assignment,method-assign]


def serve(settings: Settings, port: int, point: str, count: int) -> None:
    server = create_server(settings)
    if point:
        plant(server, point, Fuse(count))
    uvicorn.run(server, host="127.0.0.1", port=port, access_log=False, log_config=None, ws="none")


def publish(url: str) -> None:
    """Publish the version that is not live, and again, while others write."""
    db, clock = Database.open(url), SystemClock()
    definitions = [load(files) for files in (APP, NEXT)]
    while True:
        for checked in definitions:
            try:
                plan = plan_for(db, checked, clock.now())
                apply(db, plan, {hazard.key: "tested" for hazard in plan.hazards}, by=None, at=clock.now())
            except Refused as refused:
                if refused.status != 409:  # another publisher was killed after it had published
                    raise
            except (LockTimeout, Conflict):
                pass


def main(url: str, folder: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody is waited for, so the dead leave at once
    settings = Settings(database=url, data=Path(folder), rate=100_000, burst=1_000_000, log="error")
    for line in sys.stdin:
        what, *rest = line.split()
        child = os.fork()
        if child == 0:
            sys.stdin.close()
            if what == "publish":
                publish(url)
            port, *rest = rest
            serve(settings, int(port), " ".join(rest[:-1]), int(rest[-1]) if rest else 0)
            os._exit(0)
        print(child, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
