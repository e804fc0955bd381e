"""Handing over: when somebody leaves, all that he owns goes to a successor, and a record of who could see what stays."""

from collections.abc import Iterable
from functools import partial
from typing import Any

import sqlalchemy as sa

from engine.access.people import People
from engine.app import App, EntityApp
from engine.problems import Problem, Refused
from engine.runtime.commands import Handover
from engine.runtime.work import Work
from engine.storage import system
from engine.storage.statement import Statement

# Fields that say what happened rather than who answers for the record.
_FACTS = frozenset({"created_by", "updated_by"})


def owned(model: EntityApp) -> tuple[str, ...]:
    """The fields by which a person owns records of an entity."""
    return tuple(
        name
        for name, each in model.fields.items()
        if each.type == "user" and name not in _FACTS and not each.derived and name in model.columns
    )


def handover(work: Work, command: Handover) -> dict[str, int]:
    """Give every live record of the leaver to the successor; how many, by entity. Nothing is left without an owner."""
    u = system.user
    for who in (command.leaver, command.successor):
        row = work.w.one(
            work.plans.kept(
                "person", lambda: work.plans.db.statement(sa.select(u.c.active).where(u.c.id == sa.bindparam("id")))
            ),
            {"id": who},
        )
        if row is None or (who == command.successor and not row[0]):
            raise Refused(Problem("person-unknown", "successor" if who == command.successor else "leaver"), 404)
    counts: dict[str, int] = {}
    entities = (
        command.entities
        if command.entities is not None
        else tuple(name for name in work.lens.entities() if work.lens.may(name, "handover"))
    )
    for entity in entities:
        model = work.model(entity, "handover")
        ids: set[int] = set()
        for name in owned(model):
            statement = work.plans.kept(
                ("owned", entity, name, work.principal.roles, work.principal.administrator),
                partial(_owned_by, work, model, name),
            )
            for row in work.w.all(statement, {**work.parameters, "leaver": command.leaver}):
                draft = work.find(model, row[0])
                if draft is not None:
                    draft.after[name] = command.successor
                    work.change(draft, cause=f"handover:{command.leaver}", checked=False)
                    ids.add(draft.id)
        if ids:
            counts[entity] = len(ids)
    return counts


def _owned_by(work: Work, model: EntityApp, name: str) -> Statement:
    table = model.table
    rows = work.lens.view.tables.rows(table, model.name, "handover")
    clauses = [table.c[model.columns[name]] == sa.bindparam("leaver"), table.c.deleted_at.is_(None)]
    return work.plans.db.statement(sa.select(table.c.id).where(*clauses, *([] if rows is None else [rows])))


def permission_matrix(app: App, people: People, users: Iterable[tuple[int, str]]) -> list[dict[str, Any]]:
    """Who may do what: one row for each person, entity and role that gives something, with actions, rows in words and hidden fields."""
    out = []
    for user, name in users:
        principal = people.principal(user, app.name, app.policies)
        if principal is None:
            continue
        for entity in app.hot_entities:
            permit = app.policies.permit(principal.roles, entity, principal.administrator)
            for grant in permit.grants:
                rule = grant.read
                model = app.entities[entity]
                out.append(
                    {
                        "person": name,
                        "role": app.role_label(grant.role).zh if grant.role else "管理员",
                        "entity": model.label.zh,
                        "actions": [app.action_label(action).zh for action in sorted(grant.actions)],
                        "rows": app.say(rule).zh if rule is not None else "所有记录",
                        "hidden": [
                            model.labels[field].zh
                            for field in model.fields
                            if field not in grant.visible and not field.endswith("_detail")
                        ],
                    }
                )
    return out
