"""A handover of any size: planned once, carried out batch by batch, gone on with where it stopped, taken back likewise.

What remains is never counted from memory: each step asks for the records that the leaver still owns.  So a step that is sent
twice gives nothing twice, a handover that was cut off goes on with the next step, whoever takes it, and others wait for no
more than one small transaction.  The account of it stands in `dg_handover`, the reason in the history of each record.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson
import sqlalchemy as sa

from engine.access.principal import Principal
from engine.app import App
from engine.columns import new_id
from engine.problems import Problem, Refused
from engine.runtime.commands import Handover, Undo
from engine.runtime.handover import handed_over, holdings
from engine.runtime.runtime import Runtime
from engine.storage import system
from engine.storage.session import Write

BATCH = 100  # records of one step
Stage = Literal["running", "done", "returning", "returned"]
_H = system.handover


@dataclass(frozen=True)
class Passing:
    """One handover. `plan` says for each entity who gets its records, in turn; `given` how many went to whom.

    `left` is how many were not taken back, since somebody has changed them meanwhile.
    """

    id: int
    by: int | None
    leaver: int
    plan: Mapping[str, tuple[int, ...]]
    total: int
    given: Mapping[str, Mapping[int, int]]
    batches: tuple[int, ...]
    left: int
    suspend: bool
    stage: Stage
    at: int
    done_at: int | None

    @property
    def done(self) -> int:
        return sum(count for counts in self.given.values() for count in counts.values())


class Handovers:
    """Handovers of all apps. Whoever began one sees it and goes on with it, and so do administrators."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime, self._db = runtime, runtime.db
        columns = (_H.c.id, _H.c.by, _H.c.leaver, _H.c.plan, _H.c.total, _H.c.given, _H.c.batches, _H.c.left, _H.c.suspend, _H.c.state, _H.c.at, _H.c.done_at)  # fmt: skip
        mine = sa.or_(_H.c.by == sa.bindparam("user"), sa.literal(True) == sa.bindparam("whole", type_=sa.Boolean()))
        here = sa.and_(_H.c.app == sa.bindparam("app"), mine)
        self._latest = self._db.statement(
            sa.select(*columns).where(here).order_by(_H.c.at.desc(), _H.c.id.desc()).limit(20)
        )
        one = sa.select(*columns).where(here, _H.c.id == sa.bindparam("id"))
        self._one, self._locked = self._db.statement(one), self._db.statement(one.with_for_update())
        self._insert = self._db.statement(sa.insert(_H))
        self._keep = self._db.statement(
            sa.update(_H)
            .where(_H.c.id == sa.bindparam("which"))
            .values({name: sa.bindparam(f"to_{name}") for name in ("given", "batches", "left", "state", "done_at")})
        )

    def latest(self, app: App, principal: Principal) -> list[Passing]:
        """The last handovers that the principal may go on with or look at, the newest first."""
        with self._db.read() as r:
            return [_passing(row) for row in r.all(self._latest, _asked(app, principal))]

    def one(self, app: App, principal: Principal, id: int) -> Passing:
        """Raises Refused (404)."""
        with self._db.read() as r:
            row = r.one(self._one, {**_asked(app, principal), "id": id})
        if row is None:
            raise Refused(Problem("not-found"), 404)
        return _passing(row)

    def begin(
        self, app: App, principal: Principal, leaver: int, plan: Mapping[str, tuple[int, ...]], suspend: bool = False
    ) -> int:
        """Plan a handover; nothing is given yet. Raises Refused: 403 for what he may not hand over, 422 without a receiver."""
        lens = self._runtime.lens(app, principal)
        able = handed_over(lens)
        for entity, receivers in plan.items():
            if entity not in able:
                with self._db.read() as r:
                    work = self._runtime.work(app, principal, r)
                    work.model(entity, "handover")
            if not receivers or leaver in receivers:
                raise Refused(Problem("handover-nobody", entity))
        with self._db.read() as r:
            held = holdings(lens, r, leaver)
        id = new_id()
        row = {
            "id": id, "app": app.name, "by": principal.user, "leaver": leaver, "plan": orjson.dumps({e: [str(one) for one in who] for e, who in plan.items()}).decode(),
            "total": sum(held.get(entity, 0) for entity in plan), "given": "{}", "batches": "[]", "left": 0, "suspend": suspend, "state": "running",
            "at": self._runtime.clock.now(), "done_at": None,
        }  # fmt: skip
        self._db.transact(lambda w: w.run(self._insert, row))
        return id

    def step(self, app: App, principal: Principal, id: int) -> tuple[Passing, bool]:
        """Give the next batch; whether anything remained to be given. Raises Refused, and then nothing of it has happened."""

        def give(w: Write) -> tuple[Passing, bool]:
            now = self._locking(w, app, principal, id)
            if now.stage != "running":
                return now, False
            for entity, receivers in now.plan.items():
                given = dict(now.given.get(entity, {}))
                command = Handover(now.leaver, receivers[0], (entity,), receivers[1:], BATCH, sum(given.values()))
                outcome = self._runtime.execute(app, principal, command, within=w)
                fresh = outcome.details["given"].get(entity, {})
                if not fresh:
                    continue
                for who, count in fresh.items():
                    given[int(who)] = given.get(int(who), 0) + count
                return self._kept(w, now, {**now.given, entity: given}, (*now.batches, outcome.batch)), True
            return now, False

        return self._db.transact(give)

    def finish(self, app: App, principal: Principal, id: int) -> Passing:
        """Say that nothing remains to be given."""

        def done(w: Write) -> Passing:
            now = self._locking(w, app, principal, id)
            return self._kept(w, now, now.given, now.batches, stage="done") if now.stage == "running" else now

        return self._db.transact(done)

    def back(self, app: App, principal: Principal, id: int) -> Passing:
        """Take the last batch back; what somebody has changed since is left where it is."""

        def take(w: Write) -> Passing:
            now = self._locking(w, app, principal, id)
            if now.stage == "returned":
                return now
            if not now.batches:
                return self._kept(w, now, now.given, (), stage="returned")
            outcome = self._runtime.execute(app, principal, Undo(now.batches[-1], partly=True), within=w)
            left = now.left + int(outcome.details.get("left", 0))
            rest = now.batches[:-1]
            return self._kept(w, now, now.given, rest, left, "returning" if rest else "returned")

        return self._db.transact(take)

    def _locking(self, w: Write, app: App, principal: Principal, id: int) -> Passing:
        """The handover, held until the transaction ends: of two steps at once one waits. Raises Refused (404)."""
        row = w.one(self._locked, {**_asked(app, principal), "id": id})
        if row is None:
            raise Refused(Problem("not-found"), 404)
        return _passing(row)

    def _kept(
        self, w: Write, now: Passing, given: Mapping[str, Mapping[int, int]], batches: tuple[int, ...], left: int | None = None,
        stage: Stage = "running",
    ) -> Passing:  # fmt: skip
        after = self._runtime.clock.now() if stage in ("done", "returned") else now.done_at
        left = now.left if left is None else left
        texts = {entity: {str(who): count for who, count in counts.items()} for entity, counts in given.items()}
        w.run(
            self._keep,
            {"which": now.id, "to_given": orjson.dumps(texts).decode(), "to_batches": orjson.dumps(batches).decode(), "to_left": left,
             "to_state": stage, "to_done_at": after},
        )  # fmt: skip
        return Passing(
            now.id, now.by, now.leaver, now.plan, now.total, given, batches, left, now.suspend, stage, now.at, after
        )


def _asked(app: App, principal: Principal) -> dict[str, Any]:
    return {"app": app.name, "user": principal.user, "whole": principal.administrator}


def _passing(row: Any) -> Passing:
    id, by, leaver, plan, total, given, batches, left, suspend, state, at, done_at = row
    return Passing(
        id, by, leaver, {entity: tuple(int(one) for one in who) for entity, who in orjson.loads(plan).items()}, total,
        {entity: {int(who): count for who, count in counts.items()} for entity, counts in orjson.loads(given).items()},
        tuple(orjson.loads(batches)), left, bool(suspend), state, at, done_at,
    )  # fmt: skip


__all__ = ["BATCH", "Handovers", "Passing", "Stage"]
