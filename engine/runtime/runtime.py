"""The runtime: commands in, outcomes out. It holds what is prepared for each app version and opens the transactions."""

from collections.abc import Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from engine.access.notices import Notices
from engine.access.people import People
from engine.access.principal import Principal
from engine.app import App
from engine.clock import Clock
from engine.columns import new_id
from engine.problems import Problem, Refused
from engine.reading import Lens, Reading
from engine.runtime.act import Outdated
from engine.runtime.commands import (
    Attach,
    Bulk,
    Command,
    Comment,
    Convert,
    Create,
    Delete,
    Detach,
    Distinct,
    EditComment,
    Handover,
    Merge,
    Outcome,
    RemoveComment,
    Restore,
    Tick,
    Transition,
    Undo,
    Update,
)
from engine.runtime.comments import Circle, comment, edit_comment, remove_comment
from engine.runtime.converting import convert
from engine.runtime.derive import propagate
from engine.runtime.files import attach, detach
from engine.runtime.handover import handover
from engine.runtime.matching import distinct
from engine.runtime.moves import Way, tick, transition, ways
from engine.runtime.plans import Plans
from engine.runtime.removal import delete, merge, restore, undo
from engine.runtime.rules import after_save
from engine.runtime.work import Draft, Work
from engine.storage import system
from engine.storage.database import Database
from engine.storage.errors import LockTimeout, StatementTimeout
from engine.storage.system import publishing_lock

KEPT_VERSIONS = 4


class Runtime:
    """One for each process. Knows no request and no page."""

    def __init__(self, db: Database, clock: Clock, people: People | None = None) -> None:
        self.db = db
        self.clock = clock
        self.notices = Notices(db, clock)
        self.circle = Circle(people or People(db, clock), self.notices)
        self._readings: dict[tuple[str, int, str], tuple[Reading, Plans]] = {}
        live = sa.select(system.app.c.current).where(system.app.c.name == sa.bindparam("name"))
        self._live = db.statement(live)
        lock = sa.func.pg_advisory_xact_lock_shared(sa.func.hashtext(sa.bindparam("lock", type_=sa.Text())))
        self._shared = db.statement(sa.select(lock)) if db.dialect == "postgresql" else None

    def prepared(self, app: App) -> tuple[Reading, Plans]:
        """The statements kept for an app version; those of versions long gone are forgotten."""
        key = (app.name, app.number, app.hash)
        found = self._readings.get(key)
        if found is None or found[0].app is not app:
            reading = Reading(app, self.db, self.clock)
            found = self._readings[key] = (reading, Plans(app, self.db, reading))
            while len(self._readings) > KEPT_VERSIONS:
                self._readings.pop(next(iter(self._readings)))
        return found

    def lens(self, app: App, principal: Principal) -> Lens:
        return self.prepared(app)[0].lens(principal)

    def execute(
        self, app: App, principal: Principal, command: Command, *, cause: str | None = None, within: Any = None
    ) -> Outcome:
        """Carry out a command in one transaction, or within the transaction `within`. Raises Refused; then nothing has changed."""
        try:
            if within is not None:
                return self._execute(app, principal, command, cause, within)
            return self.db.transact(lambda w: self._execute(app, principal, command, cause, w))
        except (LockTimeout, StatementTimeout):
            raise Refused(Problem("busy"), 503) from None

    def hold(self, app: App, w: Any) -> None:
        """See that a version is live, and let it be until the transaction ends: nobody publishes another one meanwhile.

        What was written by a version that no longer is live would stand in columns that nobody reads any more, and be
        missing in those that came.  Raises Outdated.
        """
        if not app.number:
            return  # never published
        if self._shared is not None:
            w.later(self._shared, {"lock": publishing_lock(app.name)})
        elif (app.name, app.number) in w.known:
            return  # the only writer is this one
        live = w.scalar(self._live, {"name": app.name})
        if live is not None and live != app.number:
            raise Outdated
        w.known.add((app.name, app.number))

    def work(self, app: App, principal: Principal, w: Any, cause: str | None = None) -> Work:
        """The state of a command inside a transaction."""
        reading, plans = self.prepared(app)
        return Work(app, plans, reading.lens(principal), principal, w, self.clock.now(), cause)

    def _execute(self, app: App, principal: Principal, command: Command, cause: str | None, w: Any) -> Outcome:
        self.hold(app, w)
        if isinstance(command, Bulk):
            return self._bulk(app, principal, command, cause, w)
        work = self.work(app, principal, w, cause)
        outcome = _run(work, command, self.circle)
        after_save(work)
        propagate(work)
        written = work.touched.get((outcome.entity or "", outcome.id or 0))
        return Outcome(
            outcome.id,
            outcome.version,
            work.batch,
            outcome.entity,
            tuple(work.warnings),
            results=outcome.results,
            details=outcome.details,
            after=None if written is None else written.after,
        )

    def _bulk(self, app: App, principal: Principal, command: Bulk, cause: str | None, w: Any) -> Outcome:
        """All commands under one batch; unless atomic, each in a part of its own that fails alone."""
        results: list[Outcome] = []
        batch = new_id()
        for each in command.commands:
            if isinstance(each, Bulk):
                raise Refused(Problem("too-many", "commands", {"what": "bulk", "most": 1}), 400)
            work = self.work(app, principal, w, cause)
            work.batch = batch
            try:
                with _part(w, command.atomic):
                    outcome = _run(work, each, self.circle)
                    after_save(work)
                    propagate(work)
                results.append(
                    Outcome(
                        outcome.id,
                        outcome.version,
                        batch,
                        outcome.entity,
                        tuple(work.warnings),
                        details=outcome.details,
                    )
                )
            except Refused as refused:
                if command.atomic:
                    raise Refused(
                        [_numbered(problem, len(results)) for problem in refused.problems], refused.status
                    ) from None
                entity, id = getattr(each, "entity", None), getattr(each, "id", None)
                results.append(Outcome(id, None, batch, entity, problems=refused.problems, status=refused.status))
        return Outcome(batch=batch, results=tuple(results))

    # -- questions about what could be done ------------------------------------------------------------------------------

    def ways(self, app: App, principal: Principal, entity: str, id: int) -> list[Way]:
        """The transitions out of the stage a record is in, with what each still needs. Raises Refused (404)."""
        with self.db.read() as r:
            work = self.work(app, principal, r)
            model = work.model(entity, "read")
            return ways(work, model, id)

    def try_out(self, app: App, principal: Principal, command: Command) -> Outcome:
        """What a command would answer: it is carried out and taken back."""
        try:
            with self.db.write() as w:
                outcome = self._execute(app, principal, command, None, w)
                raise _Enough(outcome)
        except _Enough as enough:
            return enough.outcome


class _Enough(Exception):
    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


@contextmanager
def _part(w: Any, atomic: bool) -> Any:
    if atomic:
        yield
    else:
        with w.savepoint():
            yield


def _numbered(problem: Problem, position: int) -> Problem:
    return Problem(
        problem.code, f"{position}.{problem.path}", problem.parameters, problem.severity, problem.place, problem.value
    )


def _saved(draft: Draft, details: Mapping[str, Any] | None = None) -> Outcome:
    return Outcome(draft.id, draft.after["version"], entity=draft.model.name, details=details or {})


def _run(work: Work, command: Command, circle: Circle) -> Outcome:
    match command:
        case Create(entity, values, pipeline, stage, at):
            if at is not None and not work.principal.administrator:
                raise Refused(Problem("takeover-refused", "at"), 403)
            model = work.model(entity, "create")
            return _saved(work.create(model, values, pipeline=pipeline, stage=stage, at=at))
        case Update(entity, id, values, version):
            return _saved(work.update(work.model(entity, "update"), id, values, version))
        case Delete(entity, id, version):
            return _saved(delete(work, work.model(entity, "delete"), id, version))
        case Restore(entity, id):
            return _saved(restore(work, work.model(entity, "restore"), id))
        case Transition():
            return _saved(transition(work, command))
        case Tick():
            return _saved(tick(work, command))
        case Attach():
            return _saved(attach(work, command))
        case Detach():
            return _saved(detach(work, command))
        case Comment():
            draft, said = comment(work, command, circle)
            return _saved(draft, {"comment": str(said)})
        case EditComment():
            return _saved(edit_comment(work, command, circle), {"comment": str(command.comment)})
        case RemoveComment():
            return _saved(remove_comment(work, command, circle), {"comment": str(command.comment)})
        case Merge():
            return _saved(merge(work, command))
        case Distinct():
            distinct(work, command)
            return Outcome(command.one, entity=command.entity)
        case Convert():
            draft, made = convert(work, command)
            return _saved(draft, {"made": {target: str(id) for target, id in made.items()}})
        case Undo():
            drafts, left = undo(work, command)
            return Outcome(results=tuple(_saved(draft) for draft in drafts), details={"left": left} if left else {})
        case Handover():
            return Outcome(details=handover(work, command))
        case _:
            raise TypeError(type(command).__name__)


__all__ = ["Runtime"]
