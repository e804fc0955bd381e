"""What one person keeps for himself inside an app: stars, records lately seen, drafts of forms, what was chosen last, settings of pages.

One small store for all of it: a value (JSON) under a kind and a key.  Nobody but the person reads it, no rule and no policy
looks at it, and it never holds what he may not see: pages that draw it ask the lens again for each record it names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import sqlalchemy as sa

from engine.clock import Clock
from engine.problems import Problem, Refused
from engine.storage import system
from engine.storage.database import Database

# How many values a person may keep of a kind; the oldest go first. A kind that is not named here does not exist.
KINDS: Final[Mapping[str, int]] = {"star": 200, "seen": 50, "draft": 50, "chosen": 100, "setting": 200}
LONGEST: Final = 200_000  # characters of a value as JSON


@dataclass(frozen=True)
class Kept:
    """A value that somebody keeps; `at` is when he last kept it, in microseconds UTC."""

    key: str
    value: Any
    at: int


class Personal:
    """The store. `user` is always the one who asks."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock
        row = system.personal
        mine = sa.and_(
            row.c.user == sa.bindparam("user"), row.c.app == sa.bindparam("app"), row.c.kind == sa.bindparam("kind")
        )
        named = sa.and_(mine, row.c.key == sa.bindparam("key"))
        newest = sa.select(row.c.key, row.c.value, row.c.at).where(mine).order_by(row.c.at.desc(), row.c.key)
        self._all = db.statement(newest.limit(sa.bindparam("most")))
        self._one = db.statement(sa.select(row.c.value).where(named))
        self._keep = db.upsert(row, ["user", "app", "kind", "key"], ["value", "at"])
        self._drop = db.statement(sa.delete(row).where(named))
        spared = (
            sa.select(row.c.key)
            .where(mine)
            .order_by(row.c.at.desc(), row.c.key)
            .limit(sa.bindparam("most"))
            .scalar_subquery()
        )
        self._tidy = db.statement(sa.delete(row).where(mine, row.c.key.not_in(spared)))

    def all(self, user: int, app: str, kind: str, most: int | None = None) -> list[Kept]:
        """What somebody keeps of a kind, the latest first."""
        limit = KINDS[kind] if most is None else min(most, KINDS[kind])
        with self._db.read() as r:
            rows = r.all(self._all, {"user": user, "app": app, "kind": kind, "most": limit})
        return [Kept(key, orjson.loads(value), at) for key, value, at in rows]

    def one(self, user: int, app: str, kind: str, key: str) -> Any:
        """The value under a key; None if nothing is kept there."""
        with self._db.read() as r:
            value = r.scalar(self._one, {"user": user, "app": app, "kind": kind, "key": key})
        return None if value is None else orjson.loads(value)

    def keep(self, user: int, app: str, kind: str, key: str, value: Any) -> None:
        """Keep a value, instead of the one there was. Raises Refused (413) if it is too long."""
        text = orjson.dumps(value).decode()
        if len(text) > LONGEST:
            raise Refused(Problem("too-large", parameters={"limit": LONGEST}), 413)
        own = {"user": user, "app": app, "kind": kind}

        def write(w: Any) -> None:
            w.run(self._keep, {**own, "key": key, "value": text, "at": self._clock.now()})
            w.run(self._tidy, {**own, "most": KINDS[kind]})

        self._db.transact(write)

    def drop(self, user: int, app: str, kind: str, key: str) -> None:
        """Keep it no longer; nothing happens if it is not kept."""
        self._db.transact(lambda w: w.run(self._drop, {"user": user, "app": app, "kind": kind, "key": key}))
