"""Converting a record: several records of other entities made from one, together, once."""

from typing import Any

import sqlalchemy as sa

from engine.app import ConversionApp, EntityApp
from engine.problems import Problem, Refused
from engine.registry import nearest
from engine.rules.definition import ConversionTarget
from engine.runtime.commands import Convert
from engine.runtime.work import Draft, Work


def convert(work: Work, command: Convert) -> tuple[Draft, dict[str, int]]:
    """Run a conversion; the source, and the id of each target. Existing records that match are used instead of new ones."""
    model = work.model(command.entity, "convert")
    conversion = model.conversions.get(command.name)
    if conversion is None:
        raise Refused(
            Problem(
                "conversion-unknown",
                "name",
                {"name": command.name, "nearest": nearest(command.name, list(model.conversions))},
            ),
            404,
        )
    draft, _ = work.load(model, command.id, "convert")
    plan = work.plans.entity(model.name)
    stores = {target: one.store for target, one in conversion.definition.to.items() if one.store}
    if any(draft.after[field] is not None for field in stores.values()):
        raise Refused(Problem("converted-already", model.name), 409)
    expressions = [each for sets in conversion.sets.values() for each in sets.values()]
    expressions += [
        *conversion.conditions.values(),
        *conversion.then.values(),
        *([conversion.when] if conversion.when else []),
    ]
    values = {**draft.after, **work.fetch(plan, expressions, draft.id)}
    if conversion.when is not None and not conversion.when.evaluate(values, work.context):
        say = conversion.definition.say or conversion.label
        raise Refused(Problem("conversion-refused", model.name, {"say": say}))
    made = _targets(work, conversion, values, command)
    for target, field in stores.items():
        if target in made:
            draft.after[field] = made[target]
    draft.after |= {name: expression.evaluate(values, work.context) for name, expression in conversion.then.items()}
    work.change(draft, action="convert", cause=f"conversion:{conversion.name}", checked=False)
    return draft, made


def _targets(work: Work, conversion: ConversionApp, values: dict[str, Any], command: Convert) -> dict[str, int]:
    made: dict[str, int] = {}
    for target, one in conversion.definition.to.items():
        condition = conversion.conditions.get(target)
        if condition is not None and not condition.evaluate(values, work.context):
            continue
        entity = one.entity or target
        model = work.model(entity, "create")
        stored = {
            name: expression.evaluate(values, work.context) for name, expression in conversion.sets[target].items()
        }
        stored |= {name: made.get(other) for name, other in conversion.references[target].items()}
        found = _existing(work, model, one, stored)
        if found is None:
            sent = {name: model.fields[name].to_json(value) for name, value in stored.items() if value is not None}
            sent |= dict(command.values.get(target, {}))
            found = work.create(model, sent, path=f"{target}.", trusted=True).id
        made[target] = found
    return made


def _existing(work: Work, model: EntityApp, one: ConversionTarget, stored: dict[str, Any]) -> int | None:
    """The oldest live record that the principal may see and that equals the new one in all `match` fields."""
    if not one.match or any(stored.get(name) is None for name in one.match):
        return None
    tables = work.lens.view.tables
    key = ("existing", model.name, one.match, work.principal.roles, work.principal.administrator)

    def make() -> Any:
        table = model.table
        clauses = [
            table.c[model.columns[name]] == sa.bindparam(f"m_{name}", type_=table.c[model.columns[name]].type)
            for name in one.match
        ]
        statement = (
            sa.select(table.c.id).where(*clauses, tables.readable(table, model.name)).order_by(table.c.id).limit(1)
        )
        return work.plans.db.statement(statement)

    parameters = {**work.parameters, **{f"m_{name}": stored[name] for name in one.match}}
    found = work.w.scalar(work.plans.kept(key, make), parameters)
    return int(found) if found is not None else None
