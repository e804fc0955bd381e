"""One command at work: creating and changing records, and what has changed so far.

`Work.create` and `Work.change` are the only places that write a record.  Each collects every problem before it refuses,
and what they wrote is followed through all computed fields of other records before the transaction ends.
"""

from collections.abc import Mapping
from typing import Any

import orjson
import sqlalchemy as sa

from engine.access.definition import Action
from engine.app import EntityApp
from engine.columns import day, new_id
from engine.expressions import read_sql
from engine.fields import Field
from engine.problems import Problem, Refused
from engine.runtime.act import MOST_ROUNDS, OWN, Change, Draft
from engine.runtime.checking import Checking
from engine.runtime.plans import EntityPlan
from engine.runtime.uploads import check_files, place_files, take_files
from engine.storage.errors import UniqueViolation


class Work(Checking):
    """The state of one command. `cause` names the rule, import or conversion behind it; None for the person's own doing."""

    # -- creating -------------------------------------------------------------------------------------------------------

    def create(self, model: EntityApp, values: Mapping[str, Any], *, path: str = "", parent: tuple[str, int] | None = None,
               trusted: bool = False, pipeline: str | None = None, stage: str | None = None, at: int | None = None) -> Draft:  # fmt: skip
        """Make a record from JSON values. `parent` is the lookup and id of the whole it belongs to.

        `trusted` values come from the engine's own rules and may fill fields that the principal may not write.
        """
        plan = self.plans.entity(model.name)
        permit = self.lens.view.permit(model.name)
        writable = frozenset(plan.model.columns) | frozenset(model.children) if trusted else permit.writable("create")
        given, problems = self.accept(model, values, writable, partial=False, path=path)
        children = {name: given.pop(name) for name in list(given) if name in model.children}
        if not trusted:
            # What was sent and is no longer there was refused already.
            counts = {
                name: len(children.get(name) or ()) for name in model.children if name in children or name not in values
            }
            problems += self.too_few(model, counts, path)
        if parent is not None:
            given[parent[0]] = parent[1]
        at = self.now if at is None else at
        record: dict[str, Any] = dict.fromkeys(plan.stored)
        record |= {
            "id": new_id(),
            "version": 1,
            "created_at": at,
            "created_by": self.principal.user,
            "updated_at": at,
            "updated_by": self.principal.user,
        }
        for name, each in plan.defaults:
            if name not in given:
                record[name] = self.default(each, at)
        record |= given
        draft = Draft(model, record["id"], None, record, frozenset(given))
        problems += self.check_references(draft, path, frozenset(given))
        if not trusted:
            problems += take_files(self, draft, path, frozenset(given))
        self.autofill(draft, frozenset(given))
        if model.processes:
            # After what a link brings along, which may decide the process.
            problems += self.begin(draft, pipeline, stage, at)
        self.derive(draft, plan.early)
        if not plan.outside.keys:
            # A value that was refused is missing now: that is said already.
            told = {problem.path for problem in problems}
            problems += [problem for problem in self.conditions(draft, path, {}) if problem.path not in told]
        if problems:
            raise Refused(problems)
        self.number(draft, plan, at)
        self.insert(draft, plan, path)
        for name, rows in children.items():
            self.save_children(draft, name, rows, f"{path}{name}.", writable if trusted else None)
        self.settle(draft, plan, path)
        if not trusted:
            self.stay_permitted(draft, "create", parent)
        if model.processes:
            self.log_stage(draft, None, "start", None, None, at)
        self.record(draft, "create")
        return draft

    def insert(self, draft: Draft, plan: EntityPlan, path: str) -> None:
        parameters = {**draft.after, "search": plan.words(draft.after)}
        try:
            self.w.run(plan.insert(), parameters)
        except UniqueViolation as error:
            raise self.not_unique(draft.model, plan, error, path) from None

    def default(self, each: Field, at: int) -> Any:
        match each.dynamic_default:
            case None:
                return each.default_value()
            case "user":
                return self.principal.user
            case "team":
                return self.principal.team
            case "today":
                return self.app.calendar.local_day(at)
            case _:
                return at

    def number(self, draft: Draft, plan: EntityPlan, at: int) -> None:
        """Running numbers, from counters in the database: no two records get the same, whoever creates them."""
        for name, each in plan.numbers:
            shown = {one: draft.model.fields[one].show(draft.after.get(one)) for one in each.fields}  # type: ignore[attr-defined]
            frame = each.frame(day(self.app.calendar.local_day(at)), shown)  # type: ignore[attr-defined]
            counter = {"name": f"{self.app.name}.{draft.model.table.name}.{name}", "period": frame.period, "step": 1}
            draft.after[name] = frame.number(self.w.scalar(self.plans.sequence, counter))

    # -- changing -------------------------------------------------------------------------------------------------------

    def update(
        self,
        model: EntityApp,
        id: int,
        values: Mapping[str, Any],
        version: int | None,
        *,
        path: str = "",
        action: Action = "update",
    ) -> Draft:
        """Change a record by what somebody sent."""
        draft, writable = self.load(model, id, action, version)
        self.apply(draft, values, writable, path)
        if self.change(draft, path=path):
            self.stay_permitted(draft, action)
        return draft

    def apply(self, draft: Draft, values: Mapping[str, Any], writable: frozenset[str], path: str = "") -> None:
        """Put JSON values into a draft. Raises Refused with all problems."""
        model = draft.model
        given, problems = self.accept(model, values, writable, partial=True, path=path, before=draft.before)
        children = {name: given.pop(name) for name in list(given) if name in model.children}
        draft.after |= given
        draft.given |= frozenset(given)
        fresh = frozenset(name for name in given if (draft.before or {}).get(name) != given[name])
        problems += self.too_few(model, {name: len(rows or ()) for name, rows in children.items()}, path)
        problems += self.locked(draft, fresh, path)
        problems += self.check_references(draft, path, fresh)
        problems += check_files(self, draft, path, fresh)
        if problems:
            raise Refused(problems)
        self.autofill(draft, fresh)
        for name, rows in children.items():
            draft.rows |= self.save_children(draft, name, rows, f"{path}{name}.")

    def change(
        self, draft: Draft, *, action: str = "update", cause: str | None = None, path: str = "", checked: bool = True
    ) -> bool:
        """Derive, check and write a changed draft; False if nothing differs.

        Rows are part of the record: where they differ it is another version, so that nobody replaces rows unseen.
        """
        plan = self.plans.entity(draft.model.name)
        assert draft.before is not None
        self.derive(draft, plan.early)
        if checked and not plan.outside.keys:
            problems = self.conditions(draft, path, {})
            if problems:
                raise Refused(problems)
        if not draft.changed and not draft.rows:
            self.settle(draft, plan, path, checked)
            if draft.changed:
                self.record(draft, action, "formula")
            return bool(draft.changed)
        draft.after |= {
            "version": draft.before["version"] + 1,
            "updated_at": self.now,
            "updated_by": self.principal.user,
        }
        self.write(draft, plan, path, draft.before["version"])
        self.settle(draft, plan, path, checked)
        self.record(draft, action, cause)
        return True

    def write(self, draft: Draft, plan: EntityPlan, path: str, seen: int | None) -> None:
        """Write what differs from `before`; with `seen` only over that version."""
        changed = draft.changed
        if plan.files:
            place_files(self, draft, plan.files)
        parameters = plan.changes(draft.id, changed, draft.after) | {"seen": seen}
        try:
            count = self.w.run(plan.update(frozenset(changed), seen is not None), parameters)
        except UniqueViolation as error:
            raise self.not_unique(draft.model, plan, error, path) from None
        if count == 0:
            raise Refused(Problem("stale-edit", draft.model.name, {"seen": seen, "current": "?"}), 409)

    def settle(self, draft: Draft, plan: EntityPlan, path: str, checked: bool = True) -> None:
        """Once the record is written: fields and conditions that need other records."""
        outside = plan.outside
        if outside.one is None:
            return
        row = self.w.one(outside.one, {**self.parameters, "id": draft.id})
        reads = dict(zip(outside.keys, row or (), strict=False))
        written = dict(draft.after)
        self.derive(draft, plan.late, reads)
        late = {name: value for name, value in draft.after.items() if written.get(name) != value}
        if late:
            self.w.run(plan.update(frozenset(late)), plan.changes(draft.id, late, draft.after))
        if checked:
            problems = self.conditions(draft, path, reads)
            if problems:
                raise Refused(problems)

    def derive(self, draft: Draft, names: tuple[str, ...], reads: Mapping[str, Any] | None = None) -> None:
        """Compute fields in their order."""
        values = draft.after if not reads else {**draft.after, **reads}
        context = self.context
        for name in names:
            computed = draft.model.computed[name]
            if computed.score is not None:
                scored = computed.score.compute(values, context)
                new = {name: scored.value, computed.score.detail_field: computed.score.detail(scored)}
                if computed.score.bands:
                    new[computed.score.band_field] = scored.band
            else:
                assert computed.expression is not None
                new = {name: computed.expression.evaluate(values, context)}
            draft.after.update(new)
            if values is not draft.after:
                values.update(new)

    # -- children -------------------------------------------------------------------------------------------------------

    def save_children(
        self,
        parent: Draft,
        name: str,
        rows: list[Mapping[str, Any]] | None,
        path: str,
        trusted: frozenset[str] | None = None,
    ) -> bool:
        """Make the children of a record be `rows`: rows with an id are changed, new ones made, missing ones deleted.

        Whether any differs now.
        """
        from engine.runtime.removal import delete

        child, lookup = parent.model.children[name]
        model = self.app.entities[child]
        present = set()
        if parent.before is not None:
            table = model.table
            statement = self.plans.kept(
                ("children", parent.model.name, name),
                lambda: self.plans.db.statement(
                    sa.select(table.c.id).where(
                        table.c[model.columns[lookup]] == sa.bindparam("id"), table.c.deleted_at.is_(None)
                    )
                ),
            )
            present = {row[0] for row in self.w.all(statement, {"id": parent.id})}
        problems: list[Problem] = []
        kept = set()
        differs = False
        for position, row in enumerate(rows or ()):
            values = {key: value for key, value in row.items() if key != "id"}
            try:
                if row.get("id") is None:
                    if trusted is None:
                        self.model(child, "create")
                    self.create(
                        model,
                        values,
                        path=f"{path}{position}.",
                        parent=(lookup, parent.id),
                        trusted=trusted is not None,
                    )
                    differs = True
                    continue
                id = int(row["id"]) if str(row["id"]).isdigit() else -1
                if id not in present:
                    problems.append(Problem("child-unknown", f"{path}{position}", {"row": position + 1}))
                    continue
                kept.add(id)
                differs |= bool(self.update(model, id, values, None, path=f"{path}{position}.").changed)
            except Refused as refused:
                problems.extend(refused.problems)
        if problems:
            raise Refused(problems)
        for id in sorted(present - kept):
            delete(self, model, id, None)
        return differs or bool(present - kept)

    # -- stages ---------------------------------------------------------------------------------------------------------

    def begin(self, draft: Draft, pipeline: str | None, stage: str | None, at: int) -> list[Problem]:
        """Put a new record at the start of its process. `stage` takes over a record from elsewhere as it stands."""
        model = draft.model
        if pipeline is not None and pipeline not in model.processes:
            return [Problem("pipeline-unknown", "pipeline", {"name": pipeline, "open": "、".join(model.processes)})]
        if pipeline is None:
            pipeline = self.fitting(draft)
        process = self.app.processes[pipeline]
        if stage is not None:
            if stage != process.start and not self.principal.administrator:
                raise Refused(Problem("takeover-refused", "stage"), 403)
            if stage not in process.stages:
                return [
                    Problem(
                        "transition-unknown", "stage", {"origin": "", "to": stage, "open": "、".join(process.stages)}
                    )
                ]
        start = stage or process.start
        draft.after |= {"pipeline": pipeline, "stage": start, "stage_entered_at": at}
        for name, expression in process.stages[start].sets.items():
            draft.after[name] = expression.evaluate(draft.after, self.context)
        return []

    def fitting(self, draft: Draft) -> str:
        """The first process whose condition the new record meets, else the first without a condition, else the first."""
        processes = [self.app.processes[name] for name in draft.model.processes]
        for process in processes:
            if process.when is not None:
                values = {**draft.after, **self._reads_before(draft, process.when)}
                if process.when.evaluate(values, self.context):
                    return process.name
        return next((process.name for process in processes if process.when is None), processes[0].name)

    def _reads_before(self, draft: Draft, expression: Any) -> dict[str, Any]:
        """Non-local atoms of a record that is not written yet: lookups are followed from the values it will have."""
        if not expression.reads:
            return {}
        model = draft.model
        statement = self.plans.kept(("before", model.name, expression.text), lambda: self._before(model, expression))
        row = self.w.one(
            statement, {**self.parameters, **{f"v_{name}": draft.after.get(name) for name in sorted(model.columns)}}
        )
        return dict(zip((read.key for read in expression.reads), row or (), strict=False))

    def _before(self, model: EntityApp, expression: Any) -> Any:
        # The record as one row of bound values, so that the same SQL serves before it is written.
        types = {name: model.table.c[column].type for name, column in model.columns.items()}
        row = (
            sa.cast(sa.bindparam(f"v_{name}", type_=types[name]), types[name]).label(column)
            for name, column in sorted(model.columns.items())
        )
        record = sa.select(*row).subquery()
        return self.plans.db.statement(
            sa.select(*(read_sql(read, self.plans.reading.whole, record) for read in expression.reads))
        )

    def log_stage(
        self, draft: Draft, origin: str | None, direction: str, transition: str | None, reason: str | None, at: int
    ) -> None:
        self.w.later(
            self.plans.stage_insert,
            {"id": new_id(), "app": self.app.name, "entity": draft.model.name, "record": draft.id, "process": draft.after["pipeline"],
             "stage": draft.after["stage"], "came_from": origin, "direction": direction, "transition": transition, "reason": reason,
             "operator": self.principal.user, "entered_at": at, "left_at": None, "working": None},
        )  # fmt: skip

    # -- the journal ----------------------------------------------------------------------------------------------------

    def record(self, draft: Draft, action: str, cause: str | None = None) -> None:
        """Write the journal's row, and remember the change for what depends on it."""
        before, changed = draft.before or {}, draft.changed
        told = {name: [before.get(name), value] for name, value in changed.items() if name not in OWN}
        if draft.before is None:
            told = {name: pair for name, pair in told.items() if pair[1] is not None}
        self.w.later(
            self.plans.journal,
            {"app": self.app.name, "entity": draft.model.name, "record": draft.id, "version": draft.after["version"], "at": self.now,
             "user": self.principal.user, "action": action, "changes": orjson.dumps(told).decode() if told else None,
             "cause": cause or self.cause, "batch": self.batch},
        )  # fmt: skip
        names = frozenset(told) | ({"deleted_at"} if draft.before is None else frozenset())
        self.changes.append(Change(draft.model.name, draft.id, names, before, dict(draft.after)))
        known = self.touched.setdefault((draft.model.name, draft.id), draft)
        known.after.update(draft.after)


__all__ = ["MOST_ROUNDS", "OWN", "Change", "Draft", "Work"]
