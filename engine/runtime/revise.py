"""Many changed records at once: what comes of it is what would come of changing them one by one, in order.

    revisions = [Revision(id, {"phone": "13800138000"}), …]          # JSON values, as the API takes them
    made = change_many(lambda: runtime.work(app, principal, w, cause), model, revisions)

Every row goes through the same permission, validation, links, formulas and conditions as alone; what asks or writes the
database does so once for a chunk.  A row that may meet others of its chunk - it moves in a group, its likeness to others
is looked for, it leaves a table of rows, a condition looks at other records of the entity - is changed alone, in its turn.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import orjson

from engine.app import EntityApp
from engine.collector import collector_resting
from engine.problems import Problem, Refused
from engine.runtime.act import OWN, Change, Draft
from engine.runtime.derive import evaluate, propagate
from engine.runtime.newcomers import CHUNK, Made, chunks
from engine.runtime.rules import after_save
from engine.runtime.together import Faults, Together
from engine.runtime.uploads import take_files
from engine.runtime.work import Work
from engine.storage.errors import UniqueViolation


@dataclass(frozen=True, slots=True)
class Revision:
    """A record that is to be changed, and JSON values by field."""

    id: int
    values: dict[str, Any]


def change_many(fresh: Callable[[], Work], model: EntityApp, revisions: Sequence[Revision]) -> list[Made]:
    """Change records in their order inside one transaction; each succeeds or is refused by itself.

    `fresh` gives a new command in that transaction. The id of a Made is None when its row was refused.
    """
    made = [Made() for _ in revisions]
    batch = _Revising(fresh, model)
    for some in chunks(zip(revisions, made, strict=True), CHUNK):
        with collector_resting():
            batch.take(some)
    return made


_Pairs = list[tuple[Revision, Made]]
_Rows = list[tuple[Draft, Revision, Made]]


class _Revising(Together[Revision]):
    def __init__(self, fresh: Callable[[], Work], model: EntityApp) -> None:
        super().__init__(fresh(), model)
        self.fresh = fresh
        view = self.work.lens.view
        _, local, statement = self.work.plans.holding(model.name, view.tables, view.permit(model.name), "update")
        self.alone = self.sees_others or not (statement is None or local)
        self.delicate = self._delicate()
        self.watched = any(entity == model.name for entity, _ in self.work.app.dependents)
        self.unique = frozenset(name for names in self.plan.unique.values() for name in names)

    def _delicate(self) -> frozenset[str]:
        """The fields whose change makes a record meet others of its entity."""
        model = self.model
        found = {*model.children, *(lookup for _, _, lookup in self.plan.row_of)}
        if model.group is not None:
            found |= {model.group.parent, model.group.root}
        if model.duplicates is not None:
            found |= set(model.duplicates.match)
        for name in reversed(model.order):
            if found & set(model.computed[name].writes):
                found |= {each for expression in model.computed[name].expressions for each in expression.locals}
        for own, copies in self.plan.autofills.items():
            if found & copies.keys():
                found.add(own)
        return frozenset(found)

    def take(self, pairs: _Pairs) -> None:
        """Rows in their order: side by side where they do not meet, each alone where they may."""
        for alone, some in groupby(pairs, lambda pair: self.alone or bool(self.delicate & pair[0].values.keys())):
            if alone:
                for pair in some:
                    self.single(*pair)
            else:
                self.apart(list(some))

    def apart(self, pairs: _Pairs) -> None:
        """Rows that do not meet, unless they are changes of the same record."""
        start, seen = 0, set[int]()
        for place, (revision, _) in enumerate(pairs):
            if revision.id in seen:
                self.run(pairs[start:place])
                start, seen = place, set()
            seen.add(revision.id)
        self.run(pairs[start:])

    def single(self, revision: Revision, made: Made) -> None:
        work = self.fresh()
        try:
            with work.w.savepoint():
                draft = work.update(self.model, revision.id, revision.values, None)
                after_save(work)
                propagate(work)
        except Refused as refused:
            made.problems = refused.problems
            return
        made.id, made.values, made.warnings = draft.id, draft.after, tuple(work.warnings)

    # -- a chunk -------------------------------------------------------------------------------------------------------

    def run(self, pairs: _Pairs) -> None:
        if not pairs:
            return
        rows = self.prepared(pairs)
        changed = [row for row in rows if row[0].changed]
        if changed:
            self.attempt(changed)
        for draft, revision, made in rows:
            if not draft.changed:
                # Nothing but what is computed may differ.
                self.single(revision, made)

    def prepared(self, pairs: _Pairs) -> _Rows:
        """Drafts with everything that can be known before writing; what is wrong stands in the row's Made."""
        work, plan = self.work, self.plan
        place = plan.stored.index("id")
        ids = sorted(revision.id for revision, _ in pairs)
        found = {row[place]: row for row in work.w.all(plan.select_many(lock=True), {"ids": ids})}
        rows: _Rows = []
        for revision, made in pairs:
            try:
                draft, problems = self.opened(revision, found.get(revision.id))
            except Refused as refused:
                made.problems = refused.problems
                continue
            made.problems = tuple(problems)
            rows.append((draft, revision, made))
        self.check_references(rows)
        for draft, _, made in rows if plan.files else ():
            made.problems += tuple(take_files(work, draft, "", draft.given))
        rows = [row for row in rows if not row[2].problems]
        self.autofill([draft for draft, _, _ in rows])
        context = work.context
        for draft, _, made in rows:
            evaluate(self.model, plan.early, draft.after, context)
            if self.conditioned and not plan.outside.keys:
                made.problems = tuple(work.conditions(draft, "", {}))
        return [row for row in rows if not row[2].problems]

    def opened(self, revision: Revision, row: Sequence[Any] | None) -> tuple[Draft, list[Problem]]:
        """The record with its new values, and what is wrong with them. Raises Refused (404, 403)."""
        work, model, plan = self.work, self.model, self.plan
        before = None if row is None else dict(zip(plan.stored, row, strict=True))
        if before is None or before["deleted_at"] is not None:
            raise Refused(Problem("not-found", model.name), 404)
        draft = Draft(model, revision.id, before, dict(before))
        writable = work.permitted(model, revision.id, "update", draft)
        given, problems = work.accept(model, revision.values, writable, partial=True, path="", before=before)
        draft.after |= given
        draft.given = frozenset(name for name in given if before.get(name) != given[name])
        problems += work.locked(draft, draft.given, "")
        return draft, problems

    # -- writing -------------------------------------------------------------------------------------------------------

    def write(self, rows: _Rows) -> None:
        work, model = self.work, self.model
        drafts = [draft for draft, _, _ in rows]
        for draft in drafts:
            assert draft.before is not None
            own = {"version": draft.before["version"] + 1, "updated_at": work.now, "updated_by": work.principal.user}
            draft.after |= own
        kept = len(work.changes)
        try:
            for names, some in self.alike(drafts):
                columns = (self.plan.changes(draft.id, draft.changed, draft.after) for draft in some)
                try:
                    work.w.many(self.plan.update(names), columns)
                except UniqueViolation as error:
                    raise work.not_unique(model, self.plan, error, "") from None
            self.settle(drafts)
            self.choose_fit(drafts)
            self.stay_permitted(drafts)
            self.journal(drafts)
            propagate(work)
        except (Refused, Faults):
            del work.changes[kept:]
            raise

    def alike(self, drafts: Sequence[Draft]) -> Iterable[tuple[frozenset[str], list[Draft]]]:
        """Records of which the same fields change; in their order where one may want the unique value that another leaves."""
        if any(not self.unique.isdisjoint(draft.changed) for draft in drafts):
            for names, some in groupby(drafts, lambda draft: frozenset(draft.changed)):
                yield names, list(some)
            return
        found: dict[frozenset[str], list[Draft]] = {}
        for draft in drafts:
            found.setdefault(frozenset(draft.changed), []).append(draft)
        yield from found.items()

    def stay_permitted(self, drafts: Sequence[Draft]) -> None:
        """The principal may still change the records as they now are. Raises Faults."""
        problem = Problem("rows-refused", self.model.name, {"entity": self.model.label})
        lost = {draft.id: [problem] for draft in drafts if not self.work.held(self.model, draft.id, "update", draft)}
        if lost:
            raise Faults(lost)

    def journal(self, drafts: Sequence[Draft]) -> None:
        work, entity = self.work, self.model.name
        fixed = {
            "app": work.app.name, "entity": entity, "at": work.now, "user": work.principal.user, "action": "update",
            "cause": work.cause, "batch": work.batch,
        }  # fmt: skip
        rows = []
        for draft in drafts:
            before = draft.before or {}
            told = {name: (before.get(name), value) for name, value in draft.changed.items() if name not in OWN}
            changes = orjson.dumps(told).decode() if told else None
            rows.append({**fixed, "record": draft.id, "version": draft.after["version"], "changes": changes})
            if self.watched:
                work.changes.append(Change(entity, draft.id, frozenset(told), before, dict(draft.after)))
        work.w.many(work.plans.journal, rows)


__all__ = ["Revision", "change_many"]
