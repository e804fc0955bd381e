"""Hazards of access: who gains, who loses, and whether anybody is left who can act.

Roles are compared as people hold them: everybody at work with his roles and teams, under both versions.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from engine.access.policies import Grant, Permit
from engine.access.principal import Principal
from engine.app import App, EntityApp
from engine.problems import Label
from engine.publishing.changes import Change, Hazard
from engine.publishing.hazards import entities, measure
from engine.publishing.survey import MOST_PEOPLE, MOST_ROWS, SAMPLES, Survey


def _held(app: App, person: Principal) -> Principal:
    roles = app.policies.closure(person.roles)
    return replace(person, roles=roles, administrator=app.policies.administrator(roles))


def permit_of(app: App, person: Principal, entity: str) -> Permit:
    return app.policies.permit(person.roles, entity, person.administrator)


def holders(survey: Survey) -> list[tuple[Principal, Principal]]:
    """Everybody under the old and under the new version. Roles that are renamed stay with their holders."""
    renamed = {before: name for name, before in survey.identity.roles.items()}
    pairs = []
    for person in survey.people():
        moved = replace(person, roles=frozenset(renamed.get(role, role) for role in person.roles))
        pairs.append((_held(survey.old, person), _held(survey.new, moved)))
    return pairs


@measure
def access_changed(survey: Survey, changes: list[Change]) -> Iterator[Hazard]:
    people = holders(survey)
    for old, new in entities(survey):
        gains: dict[str, set[str]] = {}
        losses: dict[str, set[str]] = {}
        lifted: dict[str, set[str]] = {}
        fields = {
            name: survey.identity.old_field(new.name, name) or (name if name in old.fields else None)
            for name in new.fields
        }
        for before, after in people:
            one, other = permit_of(survey.old, before, old.name), permit_of(survey.new, after, new.name)
            seen = {name for name, earlier in fields.items() if earlier in one.visible}
            known = {name for name, earlier in fields.items() if earlier is not None}
            # A field that is new is nobody's gain.
            more, less = (other.visible & known) - seen, seen - other.visible
            doing, did = ({action for grant in each.grants for action in grant.actions} for each in (other, one))
            for name in (*more, *(doing - did)):
                gains.setdefault(name, set()).add(after.login)
            exporting = "export" in doing and "export" not in did
            for name in other.visible & known if exporting else more:
                if new.fields[name].personal and new.fields[name].stored:
                    lifted.setdefault(name, set()).add(after.login)
            for name in (*less, *(did - doing)):
                losses.setdefault(name, set()).add(after.login)
        path = f"entities.{new.name}"
        if gains:
            yield _changed("access-widened", path, "gains", gains, new, survey)
        if lifted:
            yield _changed("mask-lifted", path, "gains", lifted, new, survey)
        if losses:
            yield _changed("access-narrowed", path, "losses", losses, new, survey)
        yield from _rows_changed(survey, old, new, people)


def _changed(code: str, path: str, key: str, found: dict[str, set[str]], model: EntityApp, survey: Survey) -> Hazard:
    people = set().union(*found.values())
    labels = [model.labels.get(name) or survey.new.action_label(name) for name in found]
    zh, en = "、".join(label.zh for label in labels[:8]), ", ".join(label.en for label in labels[:8])
    words = {"gains": Label(f"得到 {zh}", f"gain {en}"), "losses": Label(f"失去 {zh}", f"lose {en}")}
    return Hazard(code, path, "accept", {"people": len(people), key: words[key]}, tuple(sorted(people))[:SAMPLES])


def _rows_changed(
    survey: Survey, old: EntityApp, new: EntityApp, people: list[tuple[Principal, Principal]]
) -> Iterator[Hazard]:
    """Rows gained and lost by people one by one, where row clauses differ; and those of their own that they lose.

    Of large tables with many people, the first ones are counted.
    """
    if not survey.rows(old):
        return
    gained, lost, own = [0, 0], [0, 0], [0, 0]
    owners: list[str] = []
    table = survey.joint(old, new)
    for before, after in people[: max(MOST_PEOPLE // 25, min(MOST_PEOPLE, MOST_ROWS // survey.rows(old)))]:
        one, other = permit_of(survey.old, before, old.name), permit_of(survey.new, after, new.name)
        if _said(one) == _said(other):
            continue
        values = survey.values(after)
        saw = _clause(survey, survey.old, one, table)
        sees = _clause(survey, survey.new, other, table)
        for tally, clause in ((gained, sa.and_(sees, sa.not_(saw))), (lost, sa.and_(saw, sa.not_(sees)))):
            if rows := survey.count(table, clause, values):
                tally[0] += 1
                tally[1] += rows
        mine = [table.c[new.columns[name]] == after.user for name, field in new.fields.items() if field.type == "user" and name in new.columns
                and name not in ("created_by", "updated_by") and new.columns[name] in survey.found.tables[new.table.name]]  # fmt: skip
        if mine and (rows := survey.count(table, sa.and_(sa.or_(*mine), saw, sa.not_(sees)), values)):
            own[0] += 1
            own[1] += rows
            owners.append(after.name)
    path = f"entities.{new.name}.rows"
    if gained[0]:
        words = Label(f"共多看到 {gained[1]} 行", f"see {gained[1]} more row(s) in all")
        yield Hazard("access-widened", path, "accept", {"people": gained[0], "rows": gained[1], "gains": words})
    if lost[0]:
        words = Label(f"共少看到 {lost[1]} 行", f"see {lost[1]} row(s) less in all")
        yield Hazard("access-narrowed", path, "accept", {"people": lost[0], "rows": lost[1], "losses": words})
    if own[0]:
        severity = survey.stop
        yield Hazard("own-work-lost", path, severity, {"people": own[0], "rows": own[1]}, tuple(owners[:SAMPLES]))


def _said(permit: Permit) -> object:
    """What decides which rows are read, as text."""
    if permit.everything:
        return True
    return sorted((grant.parent or "", grant.read.text if grant.read else "true") for grant in permit.of("read"))


def _clause(survey: Survey, app: App, permit: Permit, table: sa.Table) -> Any:
    if permit.everything:
        return sa.true()
    found = [_of_grant(survey, app, grant, table) for grant in permit.of("read")]
    return sa.func.coalesce(sa.or_(*found), sa.false()) if found else sa.false()


def _of_grant(survey: Survey, app: App, grant: Grant, table: sa.Table) -> Any:
    # What is reached through a whole is counted with the whole.
    if grant.read is None or grant.parent is not None:
        return sa.true()
    return grant.read.clause(survey.tables(app), table)


@measure
def last_actor_gone(survey: Survey, changes: list[Change]) -> Iterator[Hazard]:
    people = holders(survey)
    if not people:
        return
    for name, process in survey.new.processes.items():
        earlier = survey.old.processes.get(survey.identity.processes.get(name, ""))
        if earlier is None or not survey.rows(survey.new.entities[process.entity]):
            continue
        for key, transition in process.transitions.items():
            before = earlier.transitions.get(key)
            if before is None:
                continue
            able = any(
                may_take(permit_of(survey.new, after, process.entity), after, transition.by) for _, after in people
            )
            was_able = any(may_take(permit_of(survey.old, held, earlier.entity), held, before.by) for held, _ in people)
            if was_able and not able:
                roles = tuple(survey.new.role_label(role).zh for role in transition.by) or ("—",)
                severity = survey.stop
                yield Hazard("last-actor-gone", f"processes.{name}.transitions.{key}", severity, {"roles": roles})


def may_take(permit: Permit, person: Principal, by: tuple[str, ...]) -> bool:
    """Whether a person may take a transition that is for the roles `by` (empty: everybody who may move the record)."""
    return permit.everything or (
        permit.may("read") and permit.may("transition") and (not by or bool(person.roles & set(by)))
    )


__all__ = ["access_changed", "holders", "last_actor_gone", "may_take", "permit_of"]


@measure
def opened_to_all(survey: Survey, changes: list[Change]) -> Iterator[Hazard]:
    """Forms that anybody may answer from now on, and fields that anybody may fill who could not before."""
    for name, form in survey.new.public.items():
        before = survey.old.public.get(form.definition.was or name) or survey.old.public.get(name)
        fields = [each for each in form.definition.fields if before is None or each not in before.definition.fields]
        if not fields:
            continue
        labels = survey.new.entities[form.entity].labels
        words = Label("、".join(labels[each].zh for each in fields), ", ".join(labels[each].en for each in fields))
        yield Hazard("opened-to-all", f"forms.{name}.public", "accept", {"fields": words})
