"""Published versions: every one is kept whole, with its text, its layout and the plan that made it."""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.app import App, compile_app
from engine.definition import load, restored
from engine.problems import Problem, Refused
from engine.publishing.compare import compare
from engine.publishing.identity import identify
from engine.storage import system
from engine.storage.database import Database
from engine.storage.layout import Layout, restore, table_names
from engine.storage.session import Read

_V = system.version
_COLUMNS = (
    _V.c.app,
    _V.c.number,
    _V.c.hash,
    _V.c.files,
    _V.c.layout,
    _V.c.plan,
    _V.c.note,
    _V.c.by,
    _V.c.at,
    _V.c.data,
)


@dataclass(frozen=True)
class Version:
    """`files` are the package's texts; `plan` is what changed with it, in words; `at` is in microseconds.

    `data` is JSON of what the texts say together; None in versions of older engines.
    """

    app: str
    number: int
    hash: str
    root: str
    files: Mapping[str, str]
    layout: Layout
    plan: Mapping[str, Any]
    note: str | None
    by: int | None
    at: int
    data: str | None
    current: bool = False

    @classmethod
    def of(cls, row: tuple[Any, ...], current: bool) -> "Version":
        app, number, digest, files, layout, plan, note, by, at, data = row
        stored, told = json.loads(files), json.loads(plan)
        return cls(
            app,
            number,
            digest,
            told.get("root", ""),
            stored,
            Layout.from_json(layout),
            told,
            note,
            by,
            at,
            data,
            current,
        )


def live_version(read: Read, db: Database, app: str) -> Version | None:
    """The version that is live; None before the first publishing."""
    current = sa.select(system.app.c.current).where(system.app.c.name == sa.bindparam("app")).scalar_subquery()
    row = read.one(
        db.statement(sa.select(*_COLUMNS).where(_V.c.app == sa.bindparam("app"), _V.c.number == current)), {"app": app}
    )
    return Version.of(row, True) if row else None


def version(db: Database, app: str, number: int) -> Version:
    """One version. Raises Refused (404) if there is none of that number."""
    with db.read() as read:
        live = live_version(read, db, app)
        row = read.one(
            db.statement(
                sa.select(*_COLUMNS).where(_V.c.app == sa.bindparam("app"), _V.c.number == sa.bindparam("number"))
            ),
            {"app": app, "number": number},
        )
    if row is None:
        raise Refused(Problem("version-unknown", "number", {"number": number}), 404)
    return Version.of(row, live is not None and live.number == number)


def versions(db: Database, app: str) -> list[Version]:
    """All versions, the newest first."""
    with db.read(snapshot=True) as read:
        live = live_version(read, db, app)
        rows = read.all(
            db.statement(sa.select(*_COLUMNS).where(_V.c.app == sa.bindparam("app")).order_by(_V.c.number.desc())),
            {"app": app},
        )
    return [Version.of(row, live is not None and live.number == row[1]) for row in rows]


def published_apps(read: Read, db: Database) -> list[str]:
    """The names of all apps that have a version."""
    return read.column(db.statement(sa.select(system.app.c.name).order_by(system.app.c.name)))


def other_tables(read: Read, db: Database, app: str) -> set[str]:
    """The record tables of all other apps of the database."""
    latest = sa.select(_V.c.layout).join(
        system.app, sa.and_(system.app.c.name == _V.c.app, system.app.c.current == _V.c.number)
    )
    rows = read.column(db.statement(latest.where(_V.c.app != sa.bindparam("app"))), {"app": app})
    return table_names(Layout.from_json(row) for row in rows)


def load_app(stored: Version) -> App:
    """Compile a stored version. Raises Refused if a newer engine no longer understands it."""
    if stored.data is not None:
        try:
            return compile_app(
                restored(stored.files, stored.root, json.loads(stored.data)), stored.layout, stored.number
            )
        except Refused:
            pass  # the texts know where what this engine does not understand stands
    return compile_app(load(stored.files, stored.root or None, known_good=True), stored.layout, stored.number)


@dataclass(frozen=True)
class Difference:
    """Two versions side by side: the unified text difference of each file that differs, and the changes in words."""

    texts: Mapping[str, str]
    changes: tuple[Mapping[str, Any], ...]


def diff(db: Database, app: str, a: int, b: int) -> Difference:
    """What version `b` has that version `a` has not, and the other way round. Raises Refused for an unknown number."""
    one, other = version(db, app, a), version(db, app, b)
    texts = {}
    for name in sorted({*one.files, *other.files}):
        before, after = (stored.files.get(name, "").splitlines(keepends=True) for stored in (one, other))
        found = "".join(_ended(line) for line in difflib.unified_diff(before, after, f"{name} ({a})", f"{name} ({b})"))
        if found:
            texts[name] = found
    old, new = load(one.files, one.root or None).definition, load(other.files, other.root or None).definition
    if old is None or new is None:
        return Difference(texts, ())
    changes = compare(old, new, identify(old, one.layout, new, other.layout))
    return Difference(texts, tuple(change.to_json() for change in changes))


def _ended(line: str) -> str:
    return line if line.endswith("\n") else line + "\n"


def layout_back_to(current: Version, target: Version) -> Layout:
    """The layout of `target` made live again after `current`."""
    return restore(current.layout, target.layout)
