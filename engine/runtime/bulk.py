"""Many new records at once: what comes of it is what would come of creating them one by one, in order.

    rows = [accept(work, model, values) for values in sent]
    made = create_many(work, model, rows)        # one Made for each row: an id, or everything that is wrong with it

Reading, checking and computing happen row by row in Python; everything that asks or writes the database happens once for
a chunk.  A chunk with rows that rules refuse is undone and written without them; one that the database refuses, or a rule
over what its rows do to each other, is tried in two halves, down to the row that is at fault, so that the others go in as
they would have alone.  Two things differ from creating one by one, and neither can be seen in a record: a computed field
of another record gets one entry in the journal for the chunk instead of one for each row, and a condition that counts its
own siblings sees all of the chunk at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa

from engine.app import EntityApp
from engine.collector import collector_resting
from engine.columns import day, new_ids
from engine.problems import Problem, Refused
from engine.runtime.act import OWN, Change, Draft
from engine.runtime.derive import evaluate, propagate
from engine.runtime.groups import keep_groups
from engine.runtime.links import entangled
from engine.runtime.matching import find_among
from engine.runtime.newcomers import CHUNK, Made, New, Visit, chunks
from engine.runtime.together import Together
from engine.runtime.uploads import take_files
from engine.runtime.work import Work
from engine.storage.errors import UniqueViolation
from engine.storage.statement import Statement, among


def accept(
    work: Work,
    model: EntityApp,
    values: Mapping[str, Any],
    pipeline: str | None = None,
    stage: str | None = None,
    at: int | None = None,
) -> New:
    """A row from JSON values, as the API takes them. Tables of children are not for batches: ValueError."""
    if any(name in values for name in model.children):
        raise ValueError("children are created with their parent, one by one")
    given, problems = work.accept(
        model, values, work.lens.view.permit(model.name).writable("create"), partial=False, path=""
    )
    return New(given, pipeline, stage, at, problems)


def create_many(work: Work, model: EntityApp, rows: Sequence[New], *, trusted: bool = False) -> list[Made]:
    """Create `rows` in their order inside the transaction of `work`; each succeeds or is refused by itself.

    What follows from them (groups, likely duplicates, computed fields elsewhere) is done as well.  `trusted` rows come
    from the engine itself and need no permission.  Raises Refused (403, 404) when none of them may be created.
    """
    if not trusted:
        work.model(model.name, "create")
    batch = _Batch(work, model, trusted)
    made = [Made() for _ in rows]
    size = 1 if batch.entangled else CHUNK
    for start in range(0, len(rows), size):
        with collector_resting():
            batch.run(list(zip(rows[start : start + size], made[start : start + size], strict=True)))
    return made


_Pairs = list[tuple[New, Made]]


class _Batch(Together[New]):
    def __init__(self, work: Work, model: EntityApp, trusted: bool) -> None:
        super().__init__(work, model)
        self.trusted = trusted
        self.templates: dict[int, dict[str, Any]] = {}
        self.entangled = entangled(work.app, self.plan)
        self.watched = any(entity == model.name for entity, _ in work.app.dependents)
        plan = self.plan
        unsure = {name for late in plan.late for name in model.computed[late].writes}
        self.certain = tuple(name for name in plan.required if name in model.columns and name not in model.visible_when)
        self.local_rules = tuple(
            each.expression for each in model.rules if not each.expression.reads and not each.expression.locals & unsure
        )
        self.lacking = () if trusted else tuple(work.too_few(model, dict.fromkeys(model.children, 0), ""))
        self.files = () if trusted else plan.files
        # Then a record that is not hopeless breaks no condition.
        self.plain = (
            not model.required_when
            and len(self.certain) == len(plan.required)
            and len(self.local_rules) == len(model.rules)
        )

    # -- a chunk -------------------------------------------------------------------------------------------------------

    def run(self, pairs: _Pairs) -> None:
        drafts: list[tuple[Draft, New, Made]] = []
        suspects: list[tuple[Draft, New, Made]] = []
        for draft, new, made in self.prepared(pairs):
            if made.problems:
                continue
            if self.plan.outside.keys and len(pairs) > 1 and self.hopeless(draft):
                suspects.append((draft, new, made))
            else:
                drafts.append((draft, new, made))
        if drafts:
            self.attempt(drafts)
        # Refused for certain, so their turn does not matter; written among themselves they hear all the reasons.
        if suspects and not self.sees_others:
            self.attempt(suspects)
        else:
            for _, new, made in suspects:
                self.run([(new, made)])

    def prepared(self, pairs: _Pairs) -> list[tuple[Draft, New, Made]]:
        """Drafts with everything that can be known before writing; what is wrong stands in the row's Made."""
        work, model, plan = self.work, self.model, self.plan
        ids = new_ids(len(pairs))
        out = []
        for id, (new, made) in zip(ids, pairs, strict=True):
            record = self.template(work.now if new.at is None else new.at).copy()
            record["id"] = id
            if new.by is not None:
                record["created_by"] = record["updated_by"] = new.by
            record.update(new.values)
            made.problems = (*new.problems, *self.lacking)
            if (new.at, new.by, new.way) != (None, None, None) and not work.principal.administrator:
                made.problems = (Problem("takeover-refused", "at"),)
            out.append((Draft(model, id, None, record, frozenset(new.values)), new, made))
        self.check_references(out)
        self.autofill([draft for draft, _, _ in out])
        context = work.context
        for draft, new, made in out:
            if model.processes:
                try:
                    begun = work.begin(draft, new.pipeline, new.stage, work.now if new.at is None else new.at)
                except Refused as refused:
                    begun = list(refused.problems)
                if begun:
                    made.problems += tuple(begun)
                    continue
                if new.way is not None:
                    self.travel(draft, new)
            if plan.early:
                evaluate(model, plan.early, draft.after, context)
            if self.conditioned and not plan.outside.keys and not (self.plain and not self.hopeless(draft)):
                found = work.conditions(draft, "", {})
                if found:
                    made.problems += tuple(found)
        return out

    def travel(self, draft: Draft, new: New) -> None:
        """Put a record where it has got to, with what the stages on its way have set."""
        assert new.way is not None
        process = self.work.app.processes[draft.after["pipeline"]]
        new.visits = new.way(process.name)
        for visit in new.visits[1:]:
            draft.after |= {"stage": visit.stage, "stage_entered_at": visit.at}
            for name, expression in process.stages[visit.stage].sets.items():
                draft.after[name] = expression.evaluate(draft.after, self.work.context)

    def template(self, at: int) -> dict[str, Any]:
        """A new record with its defaults, as created at that time."""
        found = self.templates.get(at)
        if found is None:
            work, plan = self.work, self.plan
            found = dict.fromkeys(plan.stored)
            found |= {
                "version": 1,
                "created_at": at,
                "created_by": work.principal.user,
                "updated_at": at,
                "updated_by": work.principal.user,
            }
            found |= {name: work.default(each, at) for name, each in plan.defaults}
            if len(self.templates) >= CHUNK:
                self.templates.clear()
            self.templates[at] = found
        return found

    def hopeless(self, draft: Draft) -> bool:
        """Whether the record's own values already break a condition."""
        after, context = draft.after, self.work.context
        for name in self.certain:
            if after[name] is None:
                return True
        for rule in self.local_rules:  # noqa: SIM110 - this runs for every row
            if not rule.evaluate(after, context):
                return True
        return False

    # -- writing -------------------------------------------------------------------------------------------------------

    def write(self, rows: list[tuple[Draft, New, Made]]) -> None:
        """Everything that creating does from the running numbers on. Raises Refused with the problems of some row."""
        work, model, plan = self.work, self.model, self.plan
        drafts = [draft for draft, _, _ in rows]
        for draft in drafts if self.files else ():
            found = take_files(work, draft, "", draft.given & frozenset(self.files))
            if found:
                raise Refused(found)
        if plan.numbers:
            self.number(drafts)
        try:
            # One by one: while the database takes the first, the search words of the next are made.
            work.w.many(plan.insert(), ({**draft.after, "search": plan.words(draft.after)} for draft in drafts))
        except UniqueViolation as error:
            raise work.not_unique(model, plan, error, "") from None
        self.settle(drafts)
        if not self.trusted:
            self.stay_permitted(drafts)
        if model.processes:
            work.w.many(
                work.plans.stage_insert, [each for draft, new, _ in rows for each in self.stages(draft, new.visits)]
            )
        changes = self.journal([(draft, new.by is not None) for draft, new, _ in rows])
        kept = len(work.changes)
        work.changes += changes
        try:
            if model.group is not None:
                self.groups(drafts)
            if model.duplicates is not None:
                for (_, _, one), told in zip(rows, find_among(work, drafts), strict=True):
                    one.warnings = tuple(told)
            propagate(work)
        except Refused:
            del work.changes[kept:]
            raise

    def number(self, drafts: list[Draft]) -> None:
        """Counters are taken for the whole chunk at once, in the order of the rows."""
        work, model = self.work, self.model
        for name, each in self.plan.numbers:
            taken: dict[str, list[tuple[Draft, Any]]] = {}
            frames: dict[Any, Any] = {}
            for draft in drafts:
                shown = {one: model.fields[one].show(draft.after.get(one)) for one in each.fields}  # type: ignore[attr-defined]
                local = work.app.calendar.local_day(draft.after["created_at"])
                key = (local, *shown.values())
                frame = frames.get(key)
                if frame is None:
                    frame = frames[key] = each.frame(day(local), shown)  # type: ignore[attr-defined]
                taken.setdefault(frame.period, []).append((draft, frame))
            for period, some in taken.items():
                counter = {"name": f"{work.app.name}.{model.table.name}.{name}", "period": period, "step": len(some)}
                last = work.w.scalar(work.plans.sequence, counter)
                for count, (draft, frame) in enumerate(some, start=last - len(some) + 1):
                    draft.after[name] = frame.number(count)

    def stay_permitted(self, drafts: list[Draft]) -> None:
        """Lookups point where their conditions allow, and the principal may make every one of these records."""
        work, model = self.work, self.model
        ids = [draft.id for draft in drafts]
        self.choose_fit(drafts)
        view = work.lens.view
        permit = view.permit(model.name)
        if view.tables.rows(model.table, model.name, "create") is None:
            return

        def make() -> Statement:
            allowed = sa.or_(
                *(view.tables.grant(model.table, model.name, grant, "create") for grant in permit.of("create"))
            )
            return work.plans.db.statement(
                sa.select(sa.func.count()).select_from(model.table).where(among(model.table.c.id, "ids"), allowed)
            )

        statement = work.plans.kept(("create many", model.name, work.principal.roles), make)
        if work.w.scalar(statement, {**work.parameters, "ids": ids}) != len(ids):
            raise Refused(Problem("rows-refused", model.name, {"entity": model.label}), 403)

    # -- what is kept about it -----------------------------------------------------------------------------------------

    def stages(self, draft: Draft, visits: Sequence[Visit]) -> Iterable[dict[str, Any]]:
        after, working = draft.after, self.work.app.calendar.working
        visits = visits or (Visit(after["stage"], after["created_at"]),)
        for place, visit in enumerate(visits):
            left = visits[place + 1].at if place + 1 < len(visits) else None
            yield {
                "id": new_ids(1)[0], "app": self.work.app.name, "entity": self.model.name, "record": draft.id, "process": after["pipeline"],
                "stage": visit.stage, "came_from": visits[place - 1].stage if place else None, "direction": visit.direction,
                "transition": visit.transition, "reason": visit.reason, "operator": after["created_by"], "entered_at": visit.at,
                "left_at": left, "working": None if left is None else working(visit.at, left),
            }  # fmt: skip

    def journal(self, drafts: list[tuple[Draft, bool]]) -> list[Change]:
        """One row for each; of records with a past it says when they were made, of others when they came."""
        work, entity = self.work, self.model.name
        fixed = {
            "app": work.app.name, "entity": entity, "version": 1, "action": "create", "cause": work.cause, "batch": work.batch,
        }  # fmt: skip
        rows, changes = [], []
        for draft, past in drafts:
            told = {name: (None, value) for name, value in draft.after.items() if value is not None and name not in OWN}
            at = draft.after["created_at"] if past else work.now
            rows.append(
                {
                    **fixed,
                    "record": draft.id,
                    "at": at,
                    "user": draft.after["created_by"],
                    "changes": orjson.dumps(told).decode() if told else None,
                }
            )
            if self.watched:
                changes.append(Change(entity, draft.id, frozenset((*told, "deleted_at")), {}, draft.after))
        work.w.many(work.plans.journal, rows)
        return changes

    def groups(self, drafts: list[Draft]) -> None:
        """A record without a parent is its own root; the others look for theirs."""
        work, model = self.work, self.model
        group = model.group
        assert group is not None
        roots = [
            draft for draft in drafts if draft.after.get(group.parent) is None and draft.after.get(group.root) is None
        ]
        rows = [{f"n_{group.root}": draft.id, "id": draft.id} for draft in roots]
        work.w.many(self.plan.update(frozenset((group.root,))), rows)
        fixed = {
            "app": work.app.name,
            "entity": model.name,
            "version": 1,
            "at": work.now,
            "user": work.principal.user,
            "action": "update",
            "cause": "group",
            "batch": work.batch,
        }
        work.w.many(
            work.plans.journal,
            [
                {**fixed, "record": draft.id, "changes": orjson.dumps({group.root: [None, draft.id]}).decode()}
                for draft in roots
            ],
        )
        done = {draft.id for draft in roots}
        for draft in drafts:
            if draft.id in done:
                before = dict(draft.after)
                draft.after[group.root] = draft.id
                if self.watched:
                    work.changes.append(Change(model.name, draft.id, frozenset((group.root,)), before, draft.after))
            else:
                keep_groups(work, draft)


__all__ = ["CHUNK", "Made", "New", "Visit", "accept", "chunks", "create_many"]
