"""What is asked of a record before it is saved: its values, its conditions, what it points to, whose it may be."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import sqlalchemy as sa

from engine.access.definition import Action
from engine.app import EntityApp
from engine.problems import Label, Problem, Refused
from engine.reading.tables import ThisTables, this_fields
from engine.runtime.act import Act, Draft
from engine.runtime.plans import EntityPlan, least_rows
from engine.storage.errors import UniqueViolation


class Checking(Act):
    """The part of a command that checks. Problems are collected, never raised one by one."""

    def accept(
        self,
        model: EntityApp,
        values: Mapping[str, Any],
        writable: frozenset[str],
        *,
        partial: bool,
        path: str,
        before: Mapping[str, Any] | None = None,
    ) -> tuple[dict[str, Any], list[Problem]]:
        """Stored values of what somebody sent, and everything that is wrong with it. `before`: the record as it was.

        A field hidden from the principal is as unknown as one that does not exist.
        """
        problems: list[Problem] = []
        sent = dict(values)
        if not sent.keys() <= writable:
            problems += self._strangers(model, sent, writable, path)
        stored, found = self.plans.validator(model, writable).validate(sent, partial, before)
        problems += [_below(problem, path) for problem in found if problem.code != "required-missing"]
        return stored, problems

    def _strangers(
        self, model: EntityApp, sent: dict[str, Any], writable: frozenset[str], path: str
    ) -> Iterator[Problem]:
        """Why fields may not be written; they are taken out of `sent`."""
        visible = self.lens.view.permit(model.name).visible
        for name in [each for each in sent if each not in writable]:
            label = model.labels.get(name)
            if name in ("stage", "pipeline"):
                yield Problem("stage-by-transition", path + name)
            elif label is not None and (name in visible or self.principal.administrator):
                yield Problem("field-not-writable", path + name, {"label": label})
            else:
                yield Problem("unknown-field", path + name, {"entity": model.label, "name": name, "nearest": None})
            del sent[name]

    def too_few(self, model: EntityApp, counts: Mapping[str, int], path: str) -> list[Problem]:
        """The tables that a record may not be without, and is. `counts` are the rows it will have, by table."""
        return [
            Problem("items-too-few", path + name, {"label": model.labels[name], "min": least, "count": count})
            for name, count in counts.items()
            if count < (least := least_rows(model, name))
        ]

    def locked(self, draft: Draft, names: frozenset[str], path: str) -> list[Problem]:
        """Fields that the record's own state makes read-only, judged by the record as it was."""
        found = []
        plan = self.plans.entity(draft.model.name)
        conditions = [
            (name, draft.model.readonly_when[name]) for name in sorted(names) if name in draft.model.readonly_when
        ]
        if conditions and draft.before is not None:
            values = {**draft.before, **self.fetch(plan, [each for _, each in conditions], draft.id)}
            for name, expression in conditions:
                if expression.evaluate(values, self.context):
                    found.append(Problem("field-locked", path + name, {"label": draft.model.labels[name]}))
        return found

    def fetch(self, plan: EntityPlan, expressions: list[Any], id: int) -> dict[str, Any]:
        """The non-local atoms of expressions, for a written record."""
        reads = plan.reads(expressions)
        if reads.one is None:
            return {}
        row = self.w.one(reads.one, {**self.parameters, "id": id})
        return dict(zip(reads.keys, row or (), strict=False))

    def conditions(self, draft: Draft, path: str, reads: Mapping[str, Any]) -> list[Problem]:
        """Required fields and validations of the record as it will be."""
        model, context = draft.model, self.context
        plan = self.plans.entity(model.name)
        values = {**draft.after, **reads} if reads else draft.after
        problems = []
        for name in (*plan.required, *model.required_when):
            if draft.after.get(name) is not None or name in model.children or name not in model.columns:
                continue
            when = model.required_when.get(name)
            if (name in plan.required or when is None or when.evaluate(values, context)) and self.is_shown(
                model, name, values
            ):
                problems.append(Problem("required-missing", path + name, {"label": model.labels[name]}))
        for rule in model.rules:
            if not rule.expression.evaluate(values, context):
                where = rule.fields[0] if rule.fields else rule.name
                problems.append(
                    Problem(
                        "rule-broken", path + where, {"say": rule.say, "rule": rule.name, "fields": list(rule.fields)}
                    )
                )
        return problems

    def is_shown(self, model: EntityApp, name: str, values: Mapping[str, Any]) -> bool:
        """A field that its own condition hides is not asked for."""
        shown = model.visible_when.get(name)
        return shown is None or bool(shown.evaluate(values, self.context))

    def check_references(self, draft: Draft, path: str, names: frozenset[str]) -> list[Problem]:
        """Whatever the changed lookups point to must exist, be alive, be seen by the principal, and meet the field's condition."""
        model = draft.model
        wanted = {
            name: value
            for name in sorted(names)
            if name in model.lookups and (value := draft.after.get(name)) is not None
        }
        wanted = {
            name: value
            for name, value in wanted.items()
            if not (model.lookups[name] == "user" and value == self.principal.user)
        }
        if not wanted:
            return []
        statement = self.plans.kept(
            ("references", model.name, tuple(wanted), self.principal.roles, self.principal.administrator),
            lambda: self._references(model, tuple(wanted)),
        )
        flags = self.w.one(statement, {**self.parameters, **{f"to_{name}": value for name, value in wanted.items()}})
        return [
            Problem("reference-missing", path + name, {"label": model.labels[name]})
            for name, found in zip(wanted, flags or (), strict=False)
            if not found
        ]

    def _references(self, model: EntityApp, names: tuple[str, ...]) -> Any:
        view = self.lens.view
        columns: list[Any] = []
        for name in names:
            target = model.lookups[name]
            alias = view.tables.table(target)
            clauses = [
                alias.c.id == sa.bindparam(f"to_{name}", type_=sa.BigInteger()),
                view.tables.readable(alias, target),
            ]
            if target == "user":
                clauses.append(alias.c.active.is_(True))
            found = sa.select(sa.literal(1)).select_from(alias).where(*clauses)
            found = self.plans.guarded(found, alias, target, model.name)
            columns.append(sa.exists(found).label(f"e{len(columns)}"))
        return self.plans.db.statement(sa.select(*columns))

    def check_choices(self, draft: Draft, path: str, names: frozenset[str]) -> list[Problem]:
        """The conditions that lookups put on what may be chosen, once the record is written."""
        model, problems = draft.model, []
        for name in sorted(names & model.lookups.keys()):
            expression = self.app.expressions.get(f"entities.{model.name}.fields.{name}.where")
            if expression is None or draft.after.get(name) is None:
                continue
            statement = self.plans.kept(
                ("choice", model.name, name),
                partial(self._choice, model, name, expression),
            )
            own = {f"this_{each}": draft.after.get(each) for each in this_fields(expression.variables)}
            if self.w.one(statement, {**self.parameters, **own, "this": draft.id, "to": draft.after[name]}) is None:
                problems.append(Problem("reference-unfit", path + name, {"label": model.labels[name]}))
        return problems

    def _choice(self, model: EntityApp, name: str, expression: Any) -> Any:
        tables = ThisTables.edited(self.plans.reading.whole, model.name)
        alias = tables.table(model.lookups[name])
        statement = (
            sa.select(sa.literal(1))
            .select_from(alias)
            .where(alias.c.id == sa.bindparam("to"), expression.clause(tables, alias))
        )
        return self.plans.db.statement(statement)

    def autofill(self, draft: Draft, names: frozenset[str]) -> None:
        """Copy fields of a lookup's target when the link is set; what the command itself filled stays."""
        model = draft.model
        for name, copies in self.plans.entity(model.name).autofills.items():
            target = draft.after.get(name)
            if name not in names or target is None:
                continue
            other = self.app.entities[model.lookups[name]]
            sources = tuple(source for source in copies.values() if source in other.columns)
            statement = self.plans.kept(("autofill", model.name, name), partial(self._copied, other, sources))
            row = self.w.one(statement, {"id": target})
            copied = dict(zip(sources, row or (), strict=False))
            for own, source in copies.items():
                if own not in draft.given and own in model.columns and copied.get(source) is not None:
                    draft.after[own] = copied[source]

    def _copied(self, other: EntityApp, sources: tuple[str, ...]) -> Any:
        table = other.table
        return self.plans.db.statement(
            sa.select(*(table.c[other.columns[name]] for name in sources)).where(table.c.id == sa.bindparam("id"))
        )

    def stay_permitted(self, draft: Draft, action: Action, parent: tuple[str, int] | None = None) -> None:
        """The record as it now is must still be one that the principal may have made so. Raises Refused (403)."""
        problems = self.check_choices(draft, "", frozenset(draft.changed))
        if problems:
            raise Refused(problems)
        if not self.held(draft.model, draft.id, action, draft):
            raise Refused(Problem("rows-refused", draft.model.name, {"entity": draft.model.label}), 403)

    def not_unique(self, model: EntityApp, plan: EntityPlan, error: UniqueViolation, path: str) -> Refused:
        names = plan.unique.get(
            frozenset(error.columns), tuple(name for name, column in model.columns.items() if column in error.columns)
        )
        return Refused(
            [
                Problem("not-unique", path + name, {"label": model.labels.get(name, Label.of(name))})
                for name in names or ("id",)
            ],
            409,
        )


def _below(problem: Problem, path: str) -> Problem:
    if not path:
        return problem
    return Problem(
        problem.code, path + problem.path, problem.parameters, problem.severity, problem.place, problem.value
    )
