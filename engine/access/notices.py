"""What people are told inside an app: somebody mentioned them, something is theirs now.

A notice names a record and says why; it holds no value of any record.  What it says is read with the eyes of whoever looks,
at the moment he looks, so that a notice of yesterday tells nobody what he may no longer see today.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import sqlalchemy as sa

from engine.clock import Clock
from engine.columns import new_id
from engine.storage import system
from engine.storage.database import Database
from engine.storage.statement import among

MOST_COUNTED: Final = 100  # more unread ones than that are not worth counting
KEPT: Final = 500  # notices of one person in one app; the oldest go first


@dataclass(frozen=True)
class Notice:
    """One notice. `kind` says why it came (`mention` …); `detail` holds what the kind needs, such as the comment's id.

    `by` is None for the engine; `entity` and `record` for what speaks of no record. Instants are microseconds UTC.
    """

    id: int
    kind: str
    entity: str | None
    record: int | None
    by: int | None
    detail: Mapping[str, Any]
    at: int
    read_at: int | None


class Notices:
    """The store. `user` is always the one who asks, and sees nobody else's."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock
        row = system.notice
        mine = sa.and_(row.c.user == sa.bindparam("user"), row.c.app == sa.bindparam("app"))
        unread = sa.and_(mine, row.c.read_at.is_(None))
        most = sa.bindparam("most", type_=sa.BigInteger())
        columns = (row.c.id, row.c.kind, row.c.entity, row.c.record, row.c.by, row.c.detail, row.c.at, row.c.read_at)
        newest = sa.select(*columns).order_by(row.c.at.desc(), row.c.id.desc()).limit(most)
        earlier = row.c.at < sa.bindparam("before", type_=sa.BigInteger())
        self._list = {
            (True, True): db.statement(newest.where(unread, earlier)),
            (True, False): db.statement(newest.where(unread)),
            (False, True): db.statement(newest.where(mine, earlier)),
            (False, False): db.statement(newest.where(mine)),
        }
        some = sa.select(row.c.id).where(unread).limit(most).subquery()
        self._count = db.statement(sa.select(sa.func.count()).select_from(some))
        read = sa.update(row).values(read_at=sa.bindparam("now"))
        self._read_all = db.statement(read.where(unread))
        self._read_some = db.statement(read.where(unread, among(row.c.id, "ids")))
        about = sa.and_(unread, row.c.entity == sa.bindparam("entity"), row.c.record == sa.bindparam("record"))
        self._about = db.statement(sa.select(row.c.id).where(about).limit(1))
        self._read_about = db.statement(read.where(about))
        self._add = db.statement(sa.insert(row).values({each.name: sa.bindparam(each.name) for each in row.c}))
        spared = (
            sa.select(row.c.id).where(mine).order_by(row.c.at.desc(), row.c.id.desc()).limit(most).scalar_subquery()
        )
        self._tidy = db.statement(sa.delete(row).where(mine, row.c.id.not_in(spared)))
        same = sa.and_(row.c.kind == sa.bindparam("kind"), row.c.detail == sa.bindparam("detail"))
        self._withdraw = db.statement(sa.delete(row).where(unread, same))

    # -- reading -------------------------------------------------------------------------------------------------------

    def unread(self, user: int, app: str) -> int:
        """How many he has not read; counting stops at MOST_COUNTED."""
        with self._db.read() as r:
            return int(r.scalar(self._count, {"user": user, "app": app, "most": MOST_COUNTED}))

    def all(
        self, user: int, app: str, *, only_unread: bool = False, most: int = 50, before: int | None = None
    ) -> list[Notice]:
        """His notices, the latest first; with `before` only those that came before that instant (microseconds)."""
        statement = self._list[only_unread, before is not None]
        with self._db.read() as r:
            rows = r.all(statement, {"user": user, "app": app, "most": most, "before": before})
        return [
            Notice(id, kind, entity, record, by, orjson.loads(detail) if detail else {}, at, read)
            for id, kind, entity, record, by, detail, at, read in rows
        ]

    # -- having read ---------------------------------------------------------------------------------------------------

    def read(self, user: int, app: str, ids: Iterable[int] | None = None) -> None:
        """Mark those of `ids` that are his as read, or all of them."""
        given = {"user": user, "app": app, "now": self._clock.now()}
        if ids is None:
            self._db.transact(lambda w: w.run(self._read_all, given))
        elif wanted := sorted(set(ids)):
            self._db.transact(lambda w: w.run(self._read_some, {**given, "ids": wanted}))

    def read_about(self, user: int, app: str, entity: str, record: int) -> None:
        """He looks at a record: what he was told of it is read. Nothing is written where he was told nothing."""
        given = {"user": user, "app": app, "entity": entity, "record": record}
        with self._db.read() as r:
            told = r.scalar(self._about, given) is not None
        if told:
            self._db.transact(lambda w: w.run(self._read_about, {**given, "now": self._clock.now()}))

    # -- telling -------------------------------------------------------------------------------------------------------

    def add(
        self,
        w: Any,
        user: int,
        app: str,
        kind: str,
        *,
        entity: str | None = None,
        record: int | None = None,
        by: int | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Tell somebody, in the transaction of what he is told of. Whoever calls has seen to it that he may see the record."""
        row = {
            "id": new_id(), "user": user, "app": app, "kind": kind, "entity": entity, "record": record, "by": by,
            "detail": _text(detail), "at": self._clock.now(), "read_at": None,
        }  # fmt: skip
        w.run(self._add, row)
        w.run(self._tidy, {"user": user, "app": app, "most": KEPT})

    def withdraw(self, w: Any, user: int, app: str, kind: str, detail: Mapping[str, Any]) -> None:
        """Take back what he has not read yet."""
        w.run(self._withdraw, {"user": user, "app": app, "kind": kind, "detail": _text(detail)})


def _text(detail: Mapping[str, Any] | None) -> str | None:
    return orjson.dumps(dict(detail), option=orjson.OPT_SORT_KEYS).decode() if detail else None
