"""How often somebody may ask: token buckets that hold for all processes together.

The buckets stand in `dg_rate`.  A process does not go there for each request: it leases a fortieth of the burst at a
time and gives that out by itself, so a bucket costs one small transaction in many requests.
"""

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass

import sqlalchemy as sa

from engine.clock import MICROSECONDS, Clock
from engine.problems import Problem, Refused
from engine.storage import system
from engine.storage.database import Database
from engine.storage.session import Write

_REMEMBERED = 20_000  # names whose lease is kept in this process
_FORGET_AFTER = 86_400 * MICROSECONDS
_TIDY_EVERY = 1_000  # leases

_row = system.rate


@dataclass(frozen=True)
class Bucket:
    """`burst` requests at once, refilled with `rate` in `per` seconds. A burst of 0 is no limit."""

    rate: int
    burst: int
    per: int = 1

    @property
    def lease(self) -> int:
        return max(1, self.burst // 40)


@dataclass(slots=True)
class _Lease:
    left: int
    empty_until: int = 0


class Rates:
    """`spend` is free while the lease lasts; `renew` goes to the database and may block."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock
        self._leases: OrderedDict[str, _Lease] = OrderedDict()
        self._renewals = 0
        self._renewing = threading.Lock()
        held = sa.select(_row.c.tokens, _row.c.at).where(_row.c.name == sa.bindparam("name"))
        self._select = db.statement(held.with_for_update())
        self._make = db.upsert(_row, ["name"])
        self._store = db.upsert(_row, ["name"], ["tokens", "at"])
        self._forget = db.statement(sa.delete(_row).where(_row.c.at < sa.bindparam("before")))

    def spend(self, name: str, bucket: Bucket) -> bool:
        """Take one token from what this process has leased; False: `renew` first. Raises Refused (429) while there is none."""
        if not bucket.burst:
            return True
        lease = self._leases.get(name)
        if lease is None:
            return False
        if lease.left:
            lease.left -= 1
            return True
        if lease.empty_until > self._clock.now():
            raise self._refusal(lease.empty_until)
        return False

    def renew(self, name: str, bucket: Bucket) -> None:
        """Lease tokens and take one. Raises Refused (429) when the bucket is empty."""
        with self._renewing:
            # Of several requests that found the lease used up, one gets a new one for all.
            if self.spend(name, bucket):
                return
            granted = self._db.transact(lambda write: self._draw(write, name, bucket))
            lease = _Lease(granted)
            self._leases[name] = lease
            self._leases.move_to_end(name)
            if len(self._leases) > _REMEMBERED:
                self._leases.popitem(last=False)
            if not granted:
                lease.empty_until = self._clock.now() + math.ceil(bucket.per * MICROSECONDS / bucket.rate)
                raise self._refusal(lease.empty_until)
            lease.left -= 1

    def take(self, name: str, bucket: Bucket) -> None:
        """`spend`, renewing when needed."""
        if not self.spend(name, bucket):
            self.renew(name, bucket)

    def _draw(self, write: Write, name: str, bucket: Bucket) -> int:
        """How many tokens, up to a lease, the bucket gives now."""
        now, full = self._clock.now(), bucket.burst * 1000
        row = write.one(self._select, {"name": name})
        if row is None:
            # Of several processes that see no bucket yet, one makes it; the others wait for that and find it.
            write.run(self._make, {"name": name, "tokens": full, "at": now})
            row = write.one(self._select, {"name": name})
        assert row is not None
        # Clocks of several machines differ a little: time never runs backwards for a bucket.
        passed = max(0, now - row[1])
        held = min(full, row[0] + passed * bucket.rate * 1000 // (bucket.per * MICROSECONDS))
        now = max(now, row[1])
        granted: int = min(bucket.lease, held // 1000)
        write.run(self._store, {"name": name, "tokens": held - granted * 1000, "at": now})
        self._renewals += 1
        if self._renewals % _TIDY_EVERY == 0:
            write.run(self._forget, {"before": now - _FORGET_AFTER})
        return granted

    def _refusal(self, until: int) -> Refused:
        seconds = max(1, math.ceil((until - self._clock.now()) / MICROSECONDS))
        return Refused(Problem("too-many-requests", parameters={"seconds": seconds}), 429)
