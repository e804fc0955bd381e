"""Hazards of data: what a new version would do to the records that stand there now, measured by query.

Each measure is a function that takes the survey and yields hazards; one that finds nobody affected yields none.
"""

from collections.abc import Callable, Iterator

import sqlalchemy as sa

from engine.app import Computed, EntityApp
from engine.columns import moment as instant_of
from engine.fields import Field
from engine.fields.autonumber import AutonumberField
from engine.fields.choice import Choosing
from engine.publishing.changes import Change, ConvertField, Hazard, StartRecords
from engine.publishing.convert import Unfit, attempt, converter
from engine.publishing.moves import unknown_place
from engine.publishing.survey import SAMPLES, Survey, sampled
from engine.registry import nearest
from engine.storage import system

Measure = Callable[[Survey, list[Change]], Iterator[Hazard]]
MEASURES: list[Measure] = []
# Settings that make a type accept less or more; labels and the like never make a value wrong.
_HARMLESS = frozenset({"label", "help", "was", "required", "required_when", "readonly", "readonly_when", "visible_when", "default", "unique",
                       "index", "search", "formula", "options", "on_delete", "inverse", "where", "autofill", "create", "title", "template"})  # fmt: skip


def measure(function: Measure) -> Measure:
    MEASURES.append(function)
    return function


def entities(survey: Survey) -> Iterator[tuple[EntityApp, EntityApp]]:
    """Every entity that both versions have: (old, new)."""
    for name, before in survey.identity.entities.items():
        yield survey.old.entities[before], survey.new.entities[name]


def _fields(survey: Survey) -> Iterator[tuple[EntityApp, EntityApp, str, Field, Field]]:
    """Every declared field that both versions have in the same column, stored in both: old and new entity, new name, old and new field."""
    for old, new in entities(survey):
        for name, field in new.fields.items():
            before = survey.identity.fields.get((new.name, name))
            if before is not None and before in old.columns and name in new.columns:
                yield old, new, name, old.fields[before], field


@measure
def entity_removed(survey: Survey, changes: list[Change]) -> Iterator[Hazard]:
    kept = set(survey.identity.entities.values())
    for name, model in survey.old.entities.items():
        if not model.system and name not in kept and (rows := survey.rows(model)):
            yield Hazard("entity-removed", f"entities.{name}", "accept", {"rows": rows})


@measure
def field_removed(survey: Survey, changes: list[Change]) -> Iterator[Hazard]:
    for old, new in entities(survey):
        kept = {before for (entity, _), before in survey.identity.continued.items() if entity == new.name}
        fresh = [
            name
            for name in new.fields
            if name in survey.new.layout[new.name].fields and survey.identity.old_field(new.name, name) is None
        ]
        for name, field in old.fields.items():
            if (
                name in kept
                or name not in survey.old.layout[old.name].fields
                or field.derived
                or not (filled := survey.filled(old, name))
            ):
                continue
            twin = _twin(name, field, new, fresh)
            if twin is not None and not survey.back:
                yield Hazard(
                    "rename-suspected", f"entities.{new.name}.fields.{twin}", "accept", {"old": name, "filled": filled}
                )
            else:
                yield Hazard("field-removed", f"entities.{old.name}.fields.{name}", "accept", {"filled": filled})


def _twin(name: str, field: Field, model: EntityApp, fresh: list[str]) -> str | None:
    """A new field that is probably the old one under another name: the same type, and a like name or the same label."""
    same = [each for each in fresh if model.fields[each].type == field.type]
    by_label = (each for each in same if field.label is not None and model.fields[each].label == field.label)
    return next(by_label, None) or nearest(name, same)


@measure
def type_narrowed(survey: Survey, changes: list[Change]) -> Iterator[Hazard]:
    for change in changes:
        if isinstance(change, ConvertField):
            trial = attempt(survey.db, survey.read, change)
            if trial.unfit:
                yield Hazard(
                    "type-narrowed",
                    change.path,
                    "accept",
                    {"filled": trial.filled, "unfit": trial.unfit},
                    trial.samples,
                )


@measure
def lookup_retargeted(survey: Survey, changes: list[Change]) -> Iterator[Hazard]:
    converted = {change.path for change in changes if isinstance(change, ConvertField)}
    for (entity, name), before in survey.identity.predecessors.items():
        path, model = f"entities.{entity}.fields.{name}", survey.old.entities[survey.identity.entities[entity]]
        if path not in converted and not model.fields[before].derived and (filled := survey.filled(model, before)):
            yield Hazard("lookup-retargeted", path, survey.stop, {"filled": filled})


@measure
def option_removed(survey: Survey, changes: list[Change]) -> Iterator[Hazard]:
    for old, new, name, before, after in _fields(survey):
        if not isinstance(before, Choosing) or not isinstance(after, Choosing) or not survey.stands(old):
            continue
        renamed = survey.identity.options.get((new.name, name), {})
        gone = [key for key in before.options if key not in after.options and key not in renamed]
        column = old.table.c[old.columns[survey.identity.fields[new.name, name]]]
        held = {}
        for key in gone:
            holds = column == key if before.type == "choice" else sa.func.instr(column, f"|{key}|") > 0
            if survey.db.dialect == "postgresql" and before.type != "choice":
                holds = sa.func.strpos(column, f"|{key}|") > 0
            if rows := survey.count(old, holds):
                held[key] = rows
        if held:
            samples = tuple(f"{key} ({rows})" for key, rows in held.items())[:SAMPLES]
            severity = survey.stop
            yield Hazard(
                "option-removed", f"entities.{new.name}.fields.{name}", severity, {"rows": sum(held.values())}, samples
            )


@measure
def required_added(survey: Survey, changes: list[Change]) -> Iterator[Hazard]:
    for old, new in entities(survey):
        for name, field in new.fields.items():
            before = survey.identity.old_field(new.name, name)
            was_required = before is not None and before in old.fields and old.fields[before].required
            if (
                not field.required
                or was_required
                or field.derived
                or name not in new.columns
                or not (rows := survey.rows(old))
            ):
                continue
            empty = rows - (survey.filled(old, before) if before is not None else 0)
            if empty:
                yield Hazard("required-added", f"entities.{new.name}.fields.{name}", "accept", {"empty": empty})


@measure
def unique_added(survey: Survey, changes: list[Change]) -> Iterator[Hazard]:
    for _, new in entities(survey):
        assert new.definition is not None
        wanted: dict[str, tuple[str, ...]] = {
            f"entities.{new.name}.fields.{name}": (name,) for name, field in new.fields.items() if field.unique
        }
        wanted |= {f"entities.{new.name}.unique.{key}": names for key, names in new.definition.unique.items()}
        standing = survey.found.tables.get(new.table.name, {})
        for path, names in wanted.items():
            columns = [new.table.c[new.columns[name]] for name in names if new.columns.get(name) in standing]
            if len(columns) != len(names):
                continue
            filled = [column.is_not(None) for column in columns]
            groups = (
                sa.select(*columns)
                .where(new.table.c.deleted_at.is_(None), *filled)
                .group_by(*columns)
                .having(sa.func.count() > 1)
            )
            found = survey.all(groups.limit(1000))
            if found:
                samples = sampled(
                    " / ".join(new.fields[name].show(value) for name, value in zip(names, row, strict=True))
                    for row in found
                )
                yield Hazard("unique-added", path, "stop", {"groups": len(found)}, samples)


@measure
def rule_tightened(survey: Survey, changes: list[Change]) -> Iterator[Hazard]:
    for old, new in entities(survey):
        if not survey.rows(old):
            continue
        known = {rule.name: rule.expression.text for rule in old.rules}
        for rule in new.rules:
            if known.get(rule.name) != rule.expression.text and (
                rows := survey.count(new, survey.holds_not(new, rule.expression))
            ):
                yield Hazard("rule-tightened", f"entities.{new.name}.rules.{rule.name}", "accept", {"rows": rows})
    for old, new, name, before, after in _fields(survey):
        if _settings(before) == _settings(after) or after.derived or not survey.stands(old) or name not in new.columns:
            continue
        column = new.table.c[new.columns[name]]
        convert = converter(before, after)
        wrong = 0
        values = (
            sa.select(column, sa.func.count())
            .where(column.is_not(None), new.table.c.deleted_at.is_(None))
            .group_by(column)
        )
        for value, rows in survey.all(values):
            try:
                if convert(value) != value:
                    wrong += rows
            except Unfit:
                wrong += rows
        if wrong:
            yield Hazard("rule-tightened", f"entities.{new.name}.fields.{name}", "accept", {"rows": wrong})


def _settings(field: Field) -> dict[str, object]:
    return field.model_dump(exclude=set(_HARMLESS))


@measure
def formula_shifted(survey: Survey, changes: list[Change]) -> Iterator[Hazard]:
    for old, new in entities(survey):
        if not survey.rows(old):
            continue
        for name, computed in new.computed.items():
            before = survey.identity.fields.get((new.name, name))
            if computed.expression is None or not computed.stored or before is None or before not in old.computed:
                continue
            earlier = old.computed[before].expression
            if earlier is None or earlier.text == computed.expression.text or not _measurable(survey, computed):
                continue
            column = new.table.c[new.columns[name]]
            value = computed.expression.to_sql(survey.tables(survey.new), new.table)
            differs = column.is_distinct_from(value)
            rows = survey.count(new, differs)
            if rows:
                found = survey.all(
                    sa.select(column, value.label("value"))
                    .where(differs, new.table.c.deleted_at.is_(None))
                    .order_by(new.table.c.id)
                    .limit(SAMPLES)
                )
                show = new.fields[name].show
                samples = tuple(f"{show(one) or '—'} → {show(other) or '—'}" for one, other in found)
                yield Hazard("formula-shifted", f"entities.{new.name}.fields.{name}", "accept", {"rows": rows}, samples)


def _measurable(survey: Survey, computed: Computed) -> bool:
    """Whether everything that the expressions read has its values already: nothing is about to be converted."""
    moving = set(survey.identity.predecessors)
    return not any(moving & expression.fields for expression in computed.expressions)


@measure
def score_rebanded(survey: Survey, changes: list[Change]) -> Iterator[Hazard]:
    for old, new in entities(survey):
        known = {score.name: score for score in old.scores}
        for score in new.scores:
            earlier = known.get(score.name)
            column = new.columns.get(score.band_field)
            if (
                earlier is None
                or earlier.rule == score.rule
                or not survey.rows(old)
                or column is None
                or column not in survey.found.tables[new.table.name]
            ):
                continue
            fresh = score.select(survey.tables(survey.new), new.table)
            before, after = new.table.c[column], fresh.c.band
            matrix = (
                sa.select(before, after, sa.func.count())
                .select_from(new.table.join(fresh, fresh.c.id == new.table.c.id))
                .where(new.table.c.deleted_at.is_(None), before.is_distinct_from(after))
                .group_by(before, after)
                .order_by(sa.func.count().desc())
            )
            found = survey.all(matrix)
            if found:
                samples = tuple(f"{one or '—'} → {other or '—'}: {rows}" for one, other, rows in found)[:SAMPLES]
                yield Hazard(
                    "score-rebanded", f"scores.{score.name}", "accept", {"rows": sum(row[2] for row in found)}, samples
                )


@measure
def stage_removed(survey: Survey, changes: list[Change]) -> Iterator[Hazard]:
    processed = {survey.identity.entities.get(name) for name, model in survey.new.entities.items() if model.processes}
    kept = {(survey.identity.processes[name], before) for (name, _), before in survey.identity.stages.items()}
    for name, process in survey.old.processes.items():
        model = survey.old.entities[process.entity]
        if not survey.stands(model) or process.entity not in survey.identity.entities.values():
            continue
        here = model.table.c.pipeline == name
        # Without any process the records are where they belong, and keep what they remember of theirs.
        severity = survey.stop if process.entity in processed else "accept"
        if name not in survey.identity.processes.values():
            if rows := survey.count(model, here):
                yield Hazard("stage-removed", f"processes.{name}", severity, {"rows": rows})
            continue
        for stage in process.stages:
            if (name, stage) not in kept and (rows := survey.count(model, sa.and_(here, model.table.c.stage == stage))):
                yield Hazard("stage-removed", f"processes.{name}.stages.{stage}", severity, {"rows": rows})


@measure
def place_unknown(survey: Survey, changes: list[Change]) -> Iterator[Hazard]:
    """Records that remember a process from before there was none, which has another name or other stages now."""
    for change in changes:
        if isinstance(change, StartRecords):
            model = survey.new.entities[change.entity]
            if not survey.found.tables.get(model.table.name, {}).keys() >= {"pipeline", "stage"}:
                continue
            # Those in the bin, too: they would come back at the start.
            where = sa.select(sa.func.count()).where(unknown_place(survey.new, model))
            if rows := survey.all(where)[0][0]:
                yield Hazard("place-unknown", change.path, "accept", {"rows": rows})


@measure
def number_rewound(survey: Survey, changes: list[Change]) -> Iterator[Hazard]:
    for old, new, name, before, after in _fields(survey):
        if not isinstance(after, AutonumberField) or not isinstance(before, AutonumberField) or not survey.stands(old):
            continue
        if before.template == after.template or after.fields:
            continue
        frame = after.frame(instant_of(survey.moment).date(), {})
        column = new.table.c[new.columns[name]]
        begins = sa.func.substr(column, 1, len(frame.before)) == frame.before
        counts = [
            count
            for (text,) in survey.all(sa.select(column).where(column.is_not(None), begins))
            if (count := frame.count_in(text)) is not None
        ]
        issued = survey.all(
            sa.select(system.sequence.c.last).where(
                system.sequence.c.name
                == f"{survey.old.name}.{old.table.name}.{survey.identity.fields[new.name, name]}",
                system.sequence.c.period == frame.period,
            )
        )
        if counts and max(counts) > (issued[0][0] if issued else 0):
            yield Hazard(
                "number-rewound",
                f"entities.{new.name}.fields.{name}",
                "stop",
                {"last": max(counts)},
                (frame.number(max(counts)),),
            )
