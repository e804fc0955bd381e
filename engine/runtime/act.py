"""A command being carried out: who acts, in which transaction, on which records, with which right."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from engine.access.definition import Action
from engine.access.policies import Grant
from engine.access.principal import Principal
from engine.app import App, EntityApp
from engine.columns import new_id
from engine.expressions.types import Context
from engine.problems import Label, Problem, Refused
from engine.reading import Lens
from engine.runtime.plans import Plans
from engine.storage.session import Write

MOST_ROUNDS = 25
OWN = frozenset({"id", "version", "created_at", "created_by", "updated_at", "updated_by"})


class Outdated(Refused):
    """Another version of the app went live before this could be written: the same must be done by that one."""

    def __init__(self) -> None:
        super().__init__(Problem("version-moved"), 503)


@dataclass
class Draft:
    """A record being changed: stored values by field, as they were (None: it is new) and as they will be."""

    model: EntityApp
    id: int
    before: dict[str, Any] | None
    after: dict[str, Any]
    given: frozenset[str] = frozenset()  # fields that the command itself named
    rows: bool = False  # whether rows of its tables have been made, changed or deleted with it

    @property
    def changed(self) -> dict[str, Any]:
        """The fields that differ, with their new values."""
        old = self.before or {}
        return {name: value for name, value in self.after.items() if old.get(name) != value}


@dataclass(frozen=True)
class Change:
    """Something written: for following up computed fields elsewhere."""

    entity: str
    id: int
    names: frozenset[str]
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass
class Act:
    """The state of one command. `cause` names the rule, import or conversion behind it; None for the person's own doing."""

    app: App
    plans: Plans
    lens: Lens
    principal: Principal
    w: Any
    now: int
    cause: str | None = None
    batch: int = field(default_factory=new_id)
    refuses_alike: bool = False  # likely duplicates are refused, even where the definition would keep and flag them
    changes: list[Change] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    journal: list[dict[str, Any]] = field(default_factory=list)
    touched: dict[tuple[str, int], Draft] = field(default_factory=dict)

    @cached_property
    def context(self) -> Context:
        return Context(self.now, self.app.calendar, self.principal.variables)

    @cached_property
    def parameters(self) -> dict[str, Any]:
        return self.lens.parameters_at(self.now)

    # -- permission -----------------------------------------------------------------------------------------------------

    def model(self, entity: str, action: Action) -> EntityApp:
        """The entity. Raises Refused: 404 if the principal may know nothing of it, 403 if he may never do this to any of it."""
        model = self.app.entities.get(entity)
        permit = self.lens.view.permit(entity) if model is not None else None
        if (
            model is None
            or permit is None
            or model.system
            or not permit.grants
            or not (permit.may("read") or permit.may(action))
        ):
            raise Refused(Problem("not-found", entity), 404)
        if not permit.may(action):
            raise self.refused(model, action)
        return model

    def refused(self, model: EntityApp, action: Action) -> Refused:
        """That the principal may not do this, and who may."""
        allowed = [
            self.app.role_label(role)
            for role in self.app.definition.roles
            if (grant := self.app.policies.grants.get(role, {}).get(model.name)) and action in grant.actions
        ]
        who = (
            Label("、".join(label.zh for label in allowed), ", ".join(label.en for label in allowed))
            if allowed
            else None
        )
        parameters = {"action": self.app.action_label(action), "entity": model.label, "who": who}
        return Refused(Problem("action-refused", model.name, parameters), 403)

    def load(
        self, model: EntityApp, id: int, action: Action, version: int | None = None
    ) -> tuple[Draft, frozenset[str]]:
        """The live record, locked, and the fields that may be written on it.

        Raises Refused: 404 if he may not see it, 403 if he may not do this to it, 409 if it is not the version he saw.
        """
        draft = self.find(model, id)
        if draft is None or draft.after["deleted_at"] is not None:
            raise Refused(Problem("not-found", model.name), 404)
        writable = self.permitted(model, id, action, draft)
        seen = version
        if seen is not None and draft.after["version"] != seen:
            raise Refused(Problem("stale-edit", model.name, {"seen": seen, "current": draft.after["version"]}), 409)
        return draft, writable

    def permitted(self, model: EntityApp, id: int, action: Action, draft: Draft | None = None) -> frozenset[str]:
        """The fields that may be written on this record. Raises Refused (404, 403)."""
        held = self.held(model, id, action, draft)
        if not held:
            if self.lens.shown(self.w, model.name, id) is None:
                raise Refused(Problem("not-found", model.name), 404)
            raise self.refused(model, action)
        return frozenset().union(*(grant.writable for grant in held))

    def held(self, model: EntityApp, id: int, action: Action, draft: Draft | None = None) -> tuple[Grant, ...]:
        """The grants of an action that hold on a written record: by its own values, the `draft`, where they ask no more."""
        view = self.lens.view
        grants, local, statement = self.plans.holding(model.name, view.tables, view.permit(model.name), action)
        if statement is None:
            return grants
        if local and draft is not None:
            rows = [grant.rows(action) for grant in grants]
            flags = tuple(each is None or each.evaluate(draft.after, self.context) for each in rows)
        else:
            flags = self.w.one(statement, {**self.parameters, "id": id}) or ()
        return tuple(grant for grant, holds in zip(grants, flags, strict=False) if holds)

    def find(self, model: EntityApp, id: int) -> Draft | None:
        """A record with its stored values, locked in a transaction that writes; None if there is none."""
        plan = self.plans.entity(model.name)
        row = self.w.one(plan.select(lock=isinstance(self.w, Write)), {"id": id})
        if row is None:
            return None
        values = dict(zip(plan.stored, row, strict=True))
        return Draft(model, id, values, dict(values))
