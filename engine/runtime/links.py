"""The links of records saved in a batch: what they point to is there and may be chosen, and what it brings along."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.app import App, EntityApp
from engine.expressions import Expression
from engine.problems import Problem
from engine.reading.tables import ThisTables
from engine.runtime.act import Draft
from engine.runtime.newcomers import Made
from engine.runtime.plans import EntityPlan
from engine.runtime.work import Work
from engine.storage.statement import Statement, among


class Links:
    """`known` are ids that were found to be fit to point to, by entity."""

    def __init__(self, work: Work, model: EntityApp) -> None:
        self.work, self.model = work, model
        self.plan: EntityPlan = work.plans.entity(model.name)
        self.known: dict[str, set[int]] = {}

    def check_references(self, drafts: Sequence[tuple[Draft, Any, Made]]) -> None:
        work, model = self.work, self.model
        for name in sorted(model.lookups):
            target = model.lookups[name]
            known = self.known.setdefault(
                target, {work.principal.user} if target == "user" and work.principal.user else set()
            )
            wanted = {
                value for draft, _, _ in drafts if name in draft.given and (value := draft.after[name]) is not None
            } - known
            if wanted:
                known.update(
                    row[0] for row in work.w.all(self.present(target), {**work.parameters, "ids": sorted(wanted)})
                )
            missing = wanted - known
            if missing:
                problem = Problem("reference-missing", name, {"label": model.labels[name]})
                for draft, _, made in drafts:
                    if name in draft.given and draft.after[name] in missing:
                        made.problems += (problem,)

    def present(self, target: str) -> Statement:
        """Those of `ids` that a lookup may point to: alive, seen by the principal, and active if they are people."""
        work = self.work

        def make() -> Statement:
            tables = work.lens.view.tables
            alias = tables.table(target)
            clauses: list[Any] = [among(alias.c.id, "ids"), tables.readable(alias, target)]
            if target == "user":
                clauses.append(alias.c.active.is_(True))
            rows = sa.select(alias.c.id).where(*clauses).order_by(alias.c.id)
            return work.plans.db.statement(work.plans.guarded(rows, alias, target, self.model.name))

        found: Statement = work.plans.kept(
            ("present", target, self.model.name, work.principal.roles, work.principal.administrator), make
        )
        return found

    def autofill(self, drafts: list[Draft]) -> None:
        work, model = self.work, self.model
        for name, copies in self.plan.autofills.items():
            targets = {value for draft in drafts if name in draft.given and (value := draft.after[name]) is not None}
            if not targets:
                continue
            other = work.app.entities[model.lookups[name]]
            sources = tuple(source for source in copies.values() if source in other.columns)

            def make(other: EntityApp = other, sources: tuple[str, ...] = sources) -> Statement:
                table = other.table
                columns = [table.c[other.columns[each]] for each in sources]
                return work.plans.db.statement(sa.select(table.c.id, *columns).where(among(table.c.id, "ids")))

            statement = work.plans.kept(("autofill many", model.name, name), make)
            found = {
                row[0]: dict(zip(sources, row[1:], strict=True))
                for row in work.w.all(statement, {"ids": sorted(targets)})
            }
            for draft in drafts:
                copied = found.get(draft.after[name], {}) if name in draft.given else {}
                for own, source in copies.items():
                    if own not in draft.given and own in model.columns and copied.get(source) is not None:
                        draft.after[own] = copied[source]

    def unfit(self, name: str, expression: Any) -> Statement:
        """Those of `ids` whose lookup does not meet the condition of its field."""
        table = self.model.table
        # Conditions of lookups say `this` of the record that points.
        tables = ThisTables.at(self.work.plans.reading.whole, self.model.name, table)
        other = tables.table(self.model.lookups[name])
        lookup = table.c[self.model.columns[name]]
        fits = sa.exists(
            sa.select(sa.literal(1)).select_from(other).where(other.c.id == lookup, expression.clause(tables, other))
        )
        return self.work.plans.db.statement(
            sa.select(table.c.id).where(among(table.c.id, "ids"), lookup.is_not(None), ~fits)
        )


def entangled(app: App, plan: EntityPlan) -> bool:
    """Whether creating one record changes what creating the next one reads of others before it is written."""
    model = plan.model
    reads = {
        (model.lookups[name], source)
        for name, copies in plan.autofills.items()
        for source in copies.values()
        if source in app.entities[model.lookups[name]].computed
    }
    for process in model.processes:
        when = app.processes[process].when
        reads |= {pair for pair in when.fields if pair[0] != model.name} if when is not None and when.reads else set()
    if not reads:
        return False
    changed: set[tuple[str, str]] = set()
    # Nobody points to a record that is only being made: at first it matters where it is counted among others.
    first = [
        each
        for key, some in app.dependents.items()
        if key[0] == model.name
        for each in some
        if each.path[-1].kind == "records"
    ]
    waiting = [(each.computed.entity, name) for each in first for name in each.computed.writes]
    while waiting:
        key = waiting.pop()
        if key not in changed:
            changed.add(key)
            waiting += [
                (each.computed.entity, name) for each in app.dependents.get(key, ()) for name in each.computed.writes
            ]
    return bool(reads & changed)


def sees_others(app: App, plan: EntityPlan) -> bool:
    """Whether a condition on saving a record may see what saving another record of its entity does."""
    model = plan.model
    asked = list(plan.conditions)
    wanted = {name for expression in asked for name in expression.locals}
    for computed in (model.computed[name] for name in reversed(model.order)):
        if wanted & set(computed.writes):
            asked += computed.expressions
            wanted |= {name for expression in computed.expressions for name in expression.locals}
    moved = _moved(app, model.name)
    # What is computed on reading may come from anywhere.
    return any(expression.full is not None for expression in asked) or any(
        each.entity == model.name
        or any(step.entity == model.name for step in each.path[1:])
        or (each.entity, each.name) in moved
        for expression in asked
        for each in expression.dependencies
        if each.path
    )


def choice_sees_others(app: App, model: EntityApp, name: str, expression: Expression) -> bool:
    """Whether what may be chosen for a lookup may hang on what saving another record of the entity does."""
    moved = _moved(app, model.name)
    seen = {(each.entity, each.name) for each in expression.dependencies}
    for variable in expression.variables:
        head, *path = variable.split(".")
        entity = model.name
        for place, hop in enumerate(path if head == "this" else ()):
            if place:
                seen.add((entity, hop))
            entity = app.entities[entity].lookups.get(hop, "")
    return (
        model.lookups[name] == model.name
        or expression.full is not None
        or any(pair[0] == model.name or pair in moved for pair in seen)
    )


def _moved(app: App, entity: str) -> set[tuple[str, str]]:
    """The computed fields, of whatever entity, that draw on records of `entity`."""
    found: set[tuple[str, str]] = set()
    waiting = [key for key in app.dependents if key[0] == entity]
    while waiting:
        for each in app.dependents.get(waiting.pop(), ()):
            fresh = {(each.computed.entity, name) for name in each.computed.writes} - found
            found |= fresh
            waiting += fresh
    return found
