"""Handing over: when somebody leaves, all that he owns goes to a successor, and a record of who could see what stays."""

from collections.abc import Iterable, Set as AbstractSet
from functools import partial
from typing import Any

import sqlalchemy as sa

from engine.access.definition import ACTIONS
from engine.access.people import People
from engine.app import App, EntityApp
from engine.problems import Label, Language, Problem, Refused
from engine.reading import Lens
from engine.reading.why import rows_in_words
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


def handover(work: Work, command: Handover) -> dict[str, Any]:
    """Give live records of the leaver to the successor, or to several in turn. Nothing is left without an owner.

    `counts` says how many of each entity, `given` how many of each entity to whom.
    """
    receivers = (command.successor, *command.others)
    _known(work, command.leaver, receivers)
    entities = command.entities if command.entities is not None else handed_over(work.lens)
    given: dict[str, dict[str, int]] = {}
    for entity in entities:
        model = work.model(entity, "handover")
        names = owned(model)
        if not names:
            continue
        statement = work.plans.kept(
            ("owned", entity, work.principal.roles, work.principal.administrator, command.most is None),
            partial(_owned_by, work.lens, model, command.most is not None),
        )
        parameters = {**work.parameters, "leaver": command.leaver, "most": command.most}
        place = command.turn
        for row in work.w.all(statement, parameters):
            draft = work.find(model, row[0])
            held = [name for name in names if draft is not None and draft.after[name] == command.leaver]
            if draft is None or not held or draft.after["deleted_at"] is not None:
                continue  # somebody else was faster
            receiver = receivers[place % len(receivers)]
            draft.after |= dict.fromkeys(held, receiver)
            work.change(draft, cause=f"handover:{command.leaver}", checked=False)
            counts = given.setdefault(entity, {})
            counts[str(receiver)] = counts.get(str(receiver), 0) + 1
            place += 1
    return {"counts": {entity: sum(counts.values()) for entity, counts in given.items()}, "given": given}


def handed_over(lens: Lens) -> tuple[str, ...]:
    """The entities whose records the principal may hand over."""
    return tuple(name for name in lens.entities() if lens.may(name, "handover") and owned(lens.app.entities[name]))


def holdings(lens: Lens, r: Any, leaver: int) -> dict[str, int]:
    """How many live records of each entity somebody owns that the principal may hand over; none where there are none."""

    def count(entity: str) -> Statement:
        inner = _owned(lens, lens.app.entities[entity]).subquery()
        return lens.db.statement(sa.select(sa.func.count()).select_from(inner))

    parameters = {**lens.parameters, "leaver": leaver}
    found = {
        entity: int(r.scalar(lens.view.kept(("holdings", entity), partial(count, entity)), parameters))
        for entity in handed_over(lens)
    }
    return {entity: number for entity, number in found.items() if number}


def _known(work: Work, leaver: int, receivers: tuple[int, ...]) -> None:
    """Raises Refused (404) for somebody who does not exist, or is suspended and should receive something."""
    u = system.user
    statement = work.plans.kept(
        "person",
        lambda: work.plans.db.statement(
            sa.select(u.c.active).where(u.c.id == sa.bindparam("id"), u.c.deleted_at.is_(None))
        ),
    )
    if work.w.one(statement, {"id": leaver}) is None:
        raise Refused(Problem("person-unknown", "leaver"), 404)
    for who in receivers:
        row = work.w.one(statement, {"id": who})
        if row is None or not row[0] or who == leaver:
            raise Refused(Problem("person-unknown", "successor"), 404)


def _owned(lens: Lens, model: EntityApp) -> Any:
    """The live records that somebody owns in whichever field, of those that the principal may hand over."""
    table = model.table
    rows = lens.view.tables.rows(table, model.name, "handover")
    owns = [table.c[model.columns[name]] == sa.bindparam("leaver", type_=sa.BigInteger()) for name in owned(model)]
    clauses = [sa.or_(*owns), table.c.deleted_at.is_(None)]
    return sa.select(table.c.id).where(*clauses, *([] if rows is None else [rows]))


def _owned_by(lens: Lens, model: EntityApp, limited: bool) -> Statement:
    statement = _owned(lens, model).order_by(model.table.c.id)
    return lens.db.statement(statement.limit(sa.bindparam("most", type_=sa.BigInteger())) if limited else statement)


def permission_matrix(
    app: App, people: People, users: Iterable[tuple[int, str]], language: Language = "zh", lens: Lens | None = None
) -> list[dict[str, Any]]:
    """Who may do what: one row for each person, entity and role that gives something, with actions, rows in words and hidden fields.

    With a `lens` nothing is told of entities and fields that whoever looks does not know.
    """
    out = []
    comma = "、" if language == "zh" else ", "
    for user, name in users:
        principal = people.principal(user, app.name, app.policies)
        if principal is None:
            continue
        for entity in app.hot_entities:
            if lens is not None and not lens.may(entity, "read"):
                continue
            known = lens.fields(entity) if lens is not None else app.entities[entity].fields
            permit = app.policies.permit(principal.roles, entity, principal.administrator)
            for grant in permit.grants:
                model = app.entities[entity]
                role = app.role_label(grant.role) if grant.role else Label.of("")
                out.append(
                    {
                        "person": name,
                        "role": role[language] or Problem("explain-everything").message(language),
                        "entity": model.label[language],
                        "actions": comma.join(
                            app.action_label(action)[language] for action in ACTIONS if action in grant.actions
                        ),
                        "rows": rows_in_words(app, grant, "read")[language],
                        "write": rows_in_words(app, grant, "update")[language],
                        "hidden": _listed(model, known, known.keys() - grant.visible, language),
                        "readonly": _listed(model, known, (known.keys() & grant.visible) - grant.writable, language),
                    }
                )
    return out


def _listed(model: EntityApp, known: Iterable[str], names: AbstractSet[str], language: Language) -> str:
    """The labels of fields that the definition names, in its order."""
    own = model.definition.fields if model.definition else {}
    shown = [name for name in known if name in own and name in names and not name.endswith(("_detail", "_band"))]
    return ("、" if language == "zh" else ", ").join(model.labels[name][language] for name in shown)
