"""Why somebody may or may not: each of his roles' rules, held against a record."""

from typing import Any

import sqlalchemy as sa

from engine.access.definition import Action
from engine.access.policies import Grant
from engine.app import App
from engine.expressions import Expression
from engine.problems import Label, Problem, Refused
from engine.reading.past import Past
from engine.reading.view import unknown
from engine.storage.statement import Statement


class Why(Past):
    """The part of a lens that explains."""

    def explain(
        self, r: Any, entity: str, action: Action, id: int | None = None, field: str | None = None, *, own: bool = False
    ) -> list[dict[str, Any]]:
        """Why he may or may not: one entry for each of his roles' grants, `{role, allowed, words, place}`; allowed if any entry is.

        With an id the rows' conditions are tried on that record; of a record that he cannot see nothing is said.  `place` is
        where the rule stands in the definition.  What is explained to himself (`own`) names no field that he may not know,
        and of a field hidden from him nothing is said, as of one that does not exist.
        """
        model = self.app.entities.get(entity)
        if model is None or model.system:
            raise Refused(Problem("not-found", entity), 404)
        permit = self.view.permit(entity)
        if permit.everything:
            return [self._verdict("", True, Problem("explain-everything"))]
        if id is not None and self.shown(r, entity, id) is None and not self._exists_for_action(r, entity, id, action):
            raise Refused(Problem("not-found", entity), 404)
        if field is not None and (field not in model.fields or (own and field not in permit.visible)):
            raise Refused(Problem("unknown-field", field, unknown(self.app, entity, field)), 404)
        out = []
        for grant in permit.grants:
            role = self.app.role_label(grant.role)
            words = rows_in_words(self.app, grant, action)
            if own and not self.knows(grant.rows(action)):
                words = Problem("rows-unseen").label()
            place = f"policies.{grant.role}.{entity}"
            if action not in grant.actions:
                problem = Problem("explain-action", "", {"role": role, "action": self.app.action_label(action)})
                out.append(self._verdict(grant.role, False, problem, f"{place}.actions"))
            elif field is not None and field not in grant.visible:
                problem = Problem("explain-hidden", "", {"role": role})
                out.append(self._verdict(grant.role, False, problem, f"{place}.hidden"))
            elif field is not None and action != "read" and field not in grant.writable:
                problem = Problem("explain-readonly", "", {"role": role})
                out.append(self._verdict(grant.role, False, problem, f"{place}.readonly"))
            elif id is not None and not self._holds(r, entity, id, grant, action):
                problem = Problem("explain-rows", "", {"role": role, "rule": words})
                out.append(self._verdict(grant.role, False, problem, f"{place}.rows"))
            else:
                problem = Problem("explain-allowed", "", {"role": role, "rule": words})
                out.append(self._verdict(grant.role, True, problem, f"{place}.rows"))
        return out or [self._verdict("", False, Problem("explain-nothing"))]

    def knows(self, rule: Expression | None) -> bool:
        """Whether he sees every field that a rule reads, on some record at least: only then may it be told to him."""
        return rule is None or all(name in self.view.permit(entity).visible for entity, name in rule.fields)

    def allowed(self, r: Any, entity: str, action: Action, id: int) -> bool:
        """Whether he may do it to this record."""
        permit = self.view.permit(entity)
        return permit.may(action) and self._exists_for_action(r, entity, id, action)

    def _exists_for_action(self, r: Any, entity: str, id: int, action: Action) -> bool:
        if not self.view.permit(entity).may(action):
            return False

        def make() -> Statement:
            alias = self.app.entities[entity].table
            rows = self.view.tables.rows(alias, entity, action)
            return self.db.statement(
                sa.select(sa.literal(1))
                .select_from(alias)
                .where(alias.c.id == sa.bindparam("id"), *([] if rows is None else [rows]))
            )

        return r.one(self.view.kept(("allowed", entity, action), make), {**self.parameters, "id": id}) is not None

    def _holds(self, r: Any, entity: str, id: int, grant: Any, action: Action) -> bool:
        alias = self.app.entities[entity].table
        clause = self.view.tables.grant(alias, entity, grant, action)
        statement = self.view.kept(
            ("holds", entity, grant.role, action),
            lambda: self.db.statement(
                sa.select(sa.literal(1)).select_from(alias).where(alias.c.id == sa.bindparam("id"), clause)
            ),
        )
        return r.one(statement, {**self.parameters, "id": id}) is not None

    def _verdict(self, role: str, allowed: bool, problem: Problem, place: str = "") -> dict[str, Any]:
        return {"role": role, "allowed": allowed, "words": problem.message(self.principal.language), "place": place}


def rows_in_words(app: App, grant: Grant, action: Action) -> Label:
    """Which records a grant covers, as people say it."""
    rule = grant.rows(action)
    if rule is not None:
        return app.say(rule)
    if grant.parent is not None:
        whole = app.entities[app.entities[grant.entity].lookups[grant.parent]].label
        return Problem("rows-of-whole", "", {"entity": whole}).label()
    return Problem("all-rows").label()


def roles_that_may(app: App, entity: str, action: Action, field: str | None = None) -> tuple[str, ...]:
    """The roles that may do it to some record, with what they include; with a field, that may see or write it. Administrators last."""
    policies = app.policies

    def may(role: str) -> bool:
        for each in policies.closure([role]):
            grant = policies.grants.get(each, {}).get(entity)
            if grant is None or action not in grant.actions:
                continue
            if field is None or field in (grant.visible if action == "read" else grant.writable):
                return True
        return False

    able = [role for role in app.definition.roles if not policies.administrator([role]) and may(role)]
    return (*able, *(role for role in app.definition.roles if policies.administrator([role])))
