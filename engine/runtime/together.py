"""Many records that are saved together: a batch that is refused goes in without those of its rows that are at fault.

Rows that rules refuse are known, and one more attempt writes the others.  What the database refuses, or a rule over what
the rows do to each other, is tried in two halves, down to the row that is at fault.
"""

from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from engine.app import EntityApp
from engine.expressions import read_sql
from engine.problems import Problem, Refused
from engine.runtime.act import Draft
from engine.runtime.derive import evaluate
from engine.runtime.links import Links, choice_sees_others, sees_others
from engine.runtime.newcomers import Made
from engine.runtime.work import Work
from engine.storage.statement import Statement, among

Asked = TypeVar("Asked")  # what is asked of one row


class Faults(Exception):
    """Records that would be refused in any company: id -> what is wrong."""

    def __init__(self, found: dict[int, list[Problem]]) -> None:
        self.found = found


class Together(Links, Generic[Asked]):
    """Rows that are saved as one. What became of each stands in its Made."""

    def __init__(self, work: Work, model: EntityApp) -> None:
        super().__init__(work, model)
        self.conditioned = bool(self.plan.required or model.required_when or model.rules)
        self.sees_others = sees_others(work.app, self.plan)

    @abstractmethod
    def run(self, pairs: list[tuple[Asked, Made]]) -> None:
        """Prepare rows and write those that nothing speaks against."""

    @abstractmethod
    def write(self, rows: list[tuple[Draft, Asked, Made]]) -> None:
        """Write prepared rows. Raises Faults, or Refused with the problems of some row."""

    def attempt(self, rows: list[tuple[Draft, Asked, Made]]) -> None:
        """Write rows; if they are refused, those that are not at fault."""
        try:
            with self.work.w.savepoint():
                self.write(rows)
        except Faults as faults:
            for draft, _, made in rows:
                made.problems = tuple(faults.found.get(draft.id, ()))
            self.run([(asked, made) for draft, asked, made in rows if draft.id not in faults.found])
            return
        except Refused as refused:
            if len(rows) == 1:
                rows[0][2].problems = refused.problems
                return
            pairs = [(asked, made) for _, asked, made in rows]
            middle = len(pairs) // 2
            self.run(pairs[:middle])
            self.run(pairs[middle:])
            return
        for draft, _, made in rows:
            made.id, made.values = draft.id, draft.after

    def settle(self, drafts: Sequence[Draft]) -> None:
        """Once the records are written: fields and conditions that need other records."""
        work, model, plan = self.work, self.model, self.plan
        keys = plan.outside.keys
        if not keys:
            return
        rows = work.w.all(self.outside(), {**work.parameters, "ids": [draft.id for draft in drafts]})
        reads = {row[0]: dict(zip(keys, row[1:], strict=True)) for row in rows}
        late = [name for each in plan.late for name in model.computed[each].writes]
        updates: dict[frozenset[str], list[dict[str, Any]]] = {}
        context = work.context
        for draft in drafts:
            values = {**draft.after, **reads[draft.id]}
            evaluate(model, plan.late, values, context)
            changed = {name: values[name] for name in late if values.get(name) != draft.after.get(name)}
            if changed:
                draft.after.update(changed)
                updates.setdefault(frozenset(changed), []).append(plan.changes(draft.id, changed, draft.after))
        for names, parameters in updates.items():
            work.w.many(plan.update(names), parameters)
        if not self.conditioned:
            return
        faults = {draft.id: problems for draft in drafts if (problems := work.conditions(draft, "", reads[draft.id]))}
        if faults and self.sees_others:
            raise Refused(next(iter(faults.values())))
        if faults:
            raise Faults(faults)

    def outside(self) -> Statement:
        """What saving needs from other records, for many records."""
        work, model, plan = self.work, self.model, self.plan

        def make() -> Statement:
            late = [each for name in plan.late for each in model.computed[name].expressions]
            reads = {read.key: read for expression in (*late, *plan.conditions) for read in expression.reads}
            columns = [
                read_sql(reads[key], work.plans.reading.whole, model.table).label(f"r{i}")
                for i, key in enumerate(plan.outside.keys)
            ]
            return work.plans.db.statement(sa.select(model.table.c.id, *columns).where(among(model.table.c.id, "ids")))

        found: Statement = work.plans.kept(("outside many", model.name), make)
        return found

    def choose_fit(self, drafts: Sequence[Draft]) -> None:
        """Lookups point where their conditions allow. Raises Faults, or Refused where other rows of the batch may count."""
        work, model = self.work, self.model
        faults: dict[int, list[Problem]] = {}
        for name in sorted(model.lookups):
            expression = work.app.expressions.get(f"entities.{model.name}.fields.{name}.where")
            ids = [
                draft.id
                for draft in drafts
                if draft.after.get(name) is not None and (draft.before or {}).get(name) != draft.after[name]
            ]
            if expression is None or not ids:
                continue
            statement = work.plans.kept(("choices", model.name, name), partial(self.unfit, name, expression))
            unfit = work.w.column(statement, {**work.parameters, "ids": ids})
            problem = Problem("reference-unfit", name, {"label": model.labels[name]})
            if unfit and choice_sees_others(work.app, model, name, expression):
                raise Refused(problem)
            for id in unfit:
                faults.setdefault(id, []).append(problem)
        if faults:
            raise Faults(faults)


__all__ = ["Faults", "Together"]
