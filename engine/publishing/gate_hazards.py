"""Hazards of gates: records in flight that could go on yesterday and cannot tomorrow.

Both versions' gates are held, in SQL, against every record that stands in a stage.  What a gate asks of the record and whom
it lets pass are counted apart: the records that get stuck, and the people who can no longer let one pass.  Where nobody
is left, every record is stuck.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from engine.access.policies import Permit
from engine.access.principal import Principal
from engine.app import App, EntityApp
from engine.expressions.templates import Template
from engine.problems import Label
from engine.publishing.access_hazards import holders, may_take, permit_of
from engine.publishing.changes import Change, Hazard
from engine.publishing.hazards import measure
from engine.publishing.survey import SAMPLES, Survey
from engine.storage import system
from engine.workflows.process import ProcessApp, Requirement, TransitionApp


@measure
def gate_tightened(survey: Survey, changes: list[Change]) -> Iterator[Hazard]:
    for name, process in survey.new.processes.items():
        earlier = survey.old.processes.get(survey.identity.processes.get(name, ""))
        if earlier is None or earlier.entity != survey.identity.entities.get(process.entity):
            continue
        model, before = survey.new.entities[process.entity], survey.old.entities[earlier.entity]
        for stage in process.stages:
            was = survey.identity.stages.get((name, stage))
            if was is None or process.stages[stage].definition.end is not None:
                continue
            table = survey.joint(before, model)
            here = sa.and_(table.c.pipeline == earlier.name, table.c.stage == was)
            if not survey.stands(before) or not (rows := survey.count(table, here)):
                continue
            path = f"processes.{name}.stages.{stage}"
            if earlier.leaving(was) and not process.leaving(stage):
                yield Hazard("exit-removed", path, survey.stop, {"rows": rows})
            elif _said(process, stage) != _said(earlier, was):
                could = _passes(survey, survey.old, before, earlier, was, table)
                can = _passes(survey, survey.new, model, process, stage, table)
                lost, left = _losers(survey, earlier, was, process, stage)
                stuck = survey.count(table, sa.and_(here, could, sa.not_(can) if left or not lost else sa.true()))
                if stuck or lost:
                    zh, en = f",{len(lost)} 人不能再放行", f", {len(lost)} person(s) can no longer let one pass"
                    figures = {"rows": stuck, "people": len(lost), "who": Label(zh, en) if lost else Label("", "")}
                    yield Hazard("gate-tightened", path, "accept", figures, tuple(sorted(lost))[:SAMPLES])


def _said(process: ProcessApp, stage: str) -> object:
    """What leaving a stage asks, as text: where it is the same, nobody needs to count."""
    return [
        (way.when.text if way.when else "", way.direction, way.by, [(r.kind, r.name, r.need, r.accept, r.roles, r.expression.text if r.expression else "") for r in process.requirements(way, stage)])
        for way in process.leaving(stage)
    ]  # fmt: skip


def _losers(
    survey: Survey, earlier: ProcessApp, was: str, process: ProcessApp, stage: str
) -> tuple[set[str], set[str]]:
    """Whose roles let a record go on yesterday and not tomorrow, and whose do tomorrow: logins."""
    could, can = set(), set()
    for before, after in holders(survey):
        if _lets(permit_of(survey.old, before, earlier.entity), before, earlier, was):
            could.add(before.login)
        if _lets(permit_of(survey.new, after, process.entity), after, process, stage):
            can.add(after.login)
    return could - can, can


def _lets(permit: Permit, person: Principal, process: ProcessApp, stage: str) -> bool:
    """Whether a person's roles open some way on."""
    return any(
        may_take(permit, person, way.by)
        and all(
            need.kind != "roles" or permit.everything or person.roles & set(need.roles)
            for need in process.requirements(way, stage)
        )
        for way in _onward(process, stage)
    )


def _onward(process: ProcessApp, stage: str) -> list[TransitionApp]:
    """The ways on: forward or skipping; going back and giving up are none, unless there are no others."""
    ways = [way for way in process.leaving(stage) if way.direction != "return" and not process.stages[way.to].failed]
    return ways or list(process.leaving(stage))


def _passes(survey: Survey, app: App, model: EntityApp, process: ProcessApp, stage: str, table: sa.Table) -> Any:
    """Whether some way on is open to the record."""
    found = []
    for way in _onward(process, stage):
        clauses = [_met(survey, app, model, stage, each, table) for each in process.requirements(way, stage)]
        if way.when is not None:
            clauses.append(way.when.clause(survey.tables(app), table))
        found.append(sa.and_(sa.true(), *clauses))
    return sa.func.coalesce(sa.or_(sa.false(), *found), sa.false())


def _met(survey: Survey, app: App, model: EntityApp, stage: str, need: Requirement, table: sa.Table) -> Any:
    """The clause of the records that meet one requirement."""
    tables = survey.tables(app)
    match need.kind:
        case "field":
            return tables.column(table, model.name, need.name).is_not(None)
        case "files":
            return _files(table, need, tables.column(table, model.name, need.name))
        case "related" if need.expression is not None:
            return need.expression.to_sql(tables, table) >= need.need
        case "rule" if need.expression is not None:
            return need.expression.clause(tables, table)
        case "checklist":
            return Template(
                "instr({0}, {1}) > 0",
                "strpos({0}, {1}) > 0",
                table.c.checklist,
                sa.literal(f"|{stage}.{need.name}|"),
                type_=sa.Boolean(),
            )
    return sa.true()


def _files(table: sa.Table, need: Requirement, column: Any) -> Any:
    if not need.accept:
        count = Template("json_array_length({0})", "json_array_length(CAST({0} AS JSON))", column, type_=sa.Integer())
        return sa.func.coalesce(count, 0) >= need.need
    file = system.file
    endings = [sa.func.lower(file.c.name).like("%." + ending.lower().lstrip(".")) for ending in need.accept]
    held = sa.select(sa.func.count()).where(
        file.c.record == table.c.id, file.c.field == need.name, file.c.deleted_at.is_(None), sa.or_(*endings)
    )
    return held.correlate(table).scalar_subquery() >= need.need


__all__ = ["gate_tightened"]
