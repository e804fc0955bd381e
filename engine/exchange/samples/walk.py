"""Taking demo records through their process for real: what a gate asks for is provided, then the transition is taken."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from engine.app import App, EntityApp
from engine.exchange.samples.routes import forward
from engine.exchange.samples.shapes import Maker, Making
from engine.exchange.samples.suggested import suggested
from engine.expressions.tree import Aggregate, Call, Const, Name, Node, walk
from engine.fields.files import Attached
from engine.problems import Problem, Refused
from engine.runtime import Create, Tick, Transition, Update
from engine.runtime.bulk import Visit
from engine.runtime.moves import held, process_of
from engine.runtime.work import Draft, Work
from engine.workflows.gates import Need
from engine.workflows.process import Requirement

if TYPE_CHECKING:
    from engine.exchange.demo import Stage

ASK = object()  # some value, it does not matter which
MOST_PARTS = 12
DEEPEST = 2  # a gate may ask for a record that has passed gates of its own


class Walk:
    """Moves records one step at a time. `stage` carries commands out; `makers` know what values look like."""

    def __init__(self, app: App, stage: "Stage", makers: Mapping[str, Maker]) -> None:
        self.app, self.stage, self.makers = app, stage, makers
        self.count = 0
        self.depth = 0
        self.stopped: Counter[tuple[str, str, str]] = (
            Counter()
        )  # steps that could not be taken: entity, stage, what was missing

    def step(self, w: Any, entity: str, id: int, visit: Visit, by: int | None) -> bool:
        """Take a record to the stage of the visit; False if its gate asks for what cannot be provided here."""
        try:
            with w.savepoint():
                self.prepare(w, entity, id, visit, by)
                self.stage.act(w, by, Transition(entity, id, to=visit.stage, reason=visit.reason))
        except Refused as refused:
            self.stopped[entity, visit.stage, refused.problems[-1].path] += 1
            return False
        return True

    def prepare(self, w: Any, entity: str, id: int, visit: Visit, by: int | None) -> None:
        """Provide everything that the gate misses."""
        self.count += 1
        work = self.stage.work(w, by)
        draft = work.find(self.app.entities[entity], id)
        if draft is None:
            return
        process = process_of(work, draft)
        taken = process.between(draft.after["stage"], visit.stage)
        if taken is None:
            return
        requirements: list[Requirement | None] = [*process.requirements(taken, draft.after["stage"]), None]
        values: dict[str, Any] = {}
        making = Making(self.maker(entity), visit.at, self.count, dict(draft.after))
        for requirement, need in zip(requirements, held(work, process, taken, draft), strict=False):
            if not need.met:
                self.provide(w, work, draft, requirement, need, making, values, by)
        if values:
            self.stage.act(w, by, Update(entity, id, values))

    def maker(self, entity: str) -> Maker:
        return self.makers[entity]

    def provide(
        self,
        w: Any,
        work: Work,
        draft: Draft,
        requirement: Requirement | None,
        need: Need,
        making: Making,
        values: dict[str, Any],
        by: int | None,
    ) -> None:
        model = draft.model
        match need.kind:
            case "field" if need.name in model.computed:
                self.feed(w, draft, need.name, making, by)
            case "field" if need.name in model.columns:
                values[need.name] = self.json(model.name, need.name, self.made(making, need.name))
            case "files":
                field = model.fields[need.name]
                if isinstance(field, Attached):
                    had = [str(id) for id in field.ids(draft.after.get(need.name))]
                    new = [
                        str(self.stage.upload(w, by, field, need.accept, visit_at=making.at))
                        for _ in range(need.need - need.have)
                    ]
                    values[need.name] = had + new if field.most != 1 else new[-1]
            case "checklist":
                self.stage.act(w, by, Tick(model.name, draft.id, need.name))
            case "related" if requirement is not None and requirement.expression is not None:
                self.relate(w, draft, requirement.expression.tree, need.need - need.have, making, by)
            case "rule":
                tree = (
                    requirement.expression.tree
                    if requirement is not None and requirement.expression is not None
                    else None
                )
                if tree is not None:
                    self.satisfy(w, draft, tree, making, values, by)

    def satisfy(self, w: Any, draft: Draft, tree: Node, making: Making, values: dict[str, Any], by: int | None) -> None:
        """What a condition seems to wish: values of the record's own fields, and parts that it counts."""
        for name, value in wishes(tree, 0).items():
            if name in draft.model.computed:
                self.feed(w, draft, name, making, by)
            elif name in draft.model.columns and not draft.model.fields[name].derived:
                values[name] = self.json(draft.model.name, name, self.made(making, name) if value is ASK else value)
        none = [
            each.arguments[0]
            for each in walk(tree)
            if isinstance(each, Call) and each.operation == "eq" and _is_zero(each.arguments[1])
        ]
        for each in walk(tree):
            if isinstance(each, Aggregate) and each.function in ("count", "exists"):
                if any(each is one for one in none):
                    self.mend(w, draft, each, making, by)
                else:
                    self.relate(w, draft, each, 1, making, by)

    def parts(self, w: Any, model: EntityApp, lookup: str, id: int, by: int | None) -> list[int]:
        """The records that point to one."""
        plans, table = self.stage.work(w, by).plans, model.table
        statement = plans.kept(
            ("parts", model.name, lookup),
            lambda: plans.db.statement(
                sa.select(table.c.id).where(
                    table.c[model.columns[lookup]] == sa.bindparam("id"), table.c.deleted_at.is_(None)
                )
            ),
        )
        return list(w.column(statement, {"id": id}))

    def send(self, w: Any, entity: str, id: int, stage: str, at: int, by: int | None) -> bool:
        """Take a record forward to a stage, if there is a way from where it stands."""
        if self.depth >= DEEPEST:
            return False
        self.depth += 1
        try:
            for _ in range(MOST_PARTS):
                draft = self.stage.work(w, by).find(self.app.entities[entity], id)
                if draft is None or draft.after["stage"] == stage:
                    return draft is not None
                process = self.app.processes[draft.after["pipeline"]]
                taken = forward(process, draft.after["stage"], stage)
                if not taken or not self.step(
                    w, entity, id, Visit(taken[0].to, at, taken[0].name, taken[0].direction), by
                ):
                    return False
            return False
        finally:
            self.depth -= 1

    def feed(self, w: Any, draft: Draft, name: str, making: Making, by: int | None) -> None:
        """Make one of the parts from which a computed field follows, at the end of however many steps."""
        waiting, seen = [name], set()
        while waiting:
            computed = draft.model.computed.get(waiting.pop())
            if computed is None or computed.name in seen:
                continue
            seen.add(computed.name)
            for expression in computed.expressions:
                if any(isinstance(each, Aggregate) for each in walk(expression.tree)):
                    self.relate(w, draft, expression.tree, 1, making, by)
                    return
                waiting += sorted(expression.locals)

    def mend(self, w: Any, draft: Draft, counted: Aggregate, making: Making, by: int | None) -> None:
        """Change related records so that the condition under which they are counted holds for none of them."""
        cures = contrary(counted.where, counted.row) if counted.where is not None and len(counted.path) == 1 else {}
        if not cures or counted.path[0].kind != "records":
            return
        child, lookup = draft.model.relations[counted.path[0].name]
        model = self.app.entities[child]
        work = self.stage.work(w, by)
        for id in self.parts(w, model, lookup, draft.id, by):
            part = work.find(model, id)
            if part is None:
                continue
            values = {}
            for name, (value, cure) in cures.items():
                if (part.after.get(name) or None) == value:
                    values[name] = self.json(
                        child,
                        name,
                        self.made(Making(self.maker(child), making.at, 0, dict(part.after)), name)
                        if cure is ASK
                        else cure,
                    )
            if values:
                self.stage.act(w, by, Update(child, id, values))

    def made(self, making: Making, name: str) -> Any:
        """A value as the field's shape or type suggests; not empty if that is possible."""
        shape = making.maker.shapes.get(name)
        for _ in range(8):
            value = shape(making) if shape is not None else suggested(making, name)
            if value is not None:
                return value
        return suggested(making, name)

    def json(self, entity: str, name: str, value: Any) -> Any:
        return None if value is None else self.app.entities[entity].fields[name].to_json(value)

    def relate(self, w: Any, draft: Draft, tree: Node, count: int, making: Making, by: int | None) -> None:
        """Make related records that an aggregate counts."""
        counted = next((each for each in walk(tree) if isinstance(each, Aggregate)), None)
        if counted is None or len(counted.path) != 1 or counted.path[0].kind != "records":
            return
        child, lookup = draft.model.relations[counted.path[0].name]
        model = self.app.entities[child]
        maker = self.maker(child)
        wished = wishes(counted.where, counted.row) if counted.where is not None else {}
        stage = wished.pop("stage", None)
        made = 0
        if stage is not None:
            for id in self.parts(w, model, lookup, draft.id, by):
                made += made < count and self.send(w, child, id, stage, making.at, by)
        for attempt in range(MOST_PARTS):
            if made >= count:
                return
            part = Making(maker, making.at, attempt, {lookup: draft.id})
            part.values |= {name: value for name, value in wished.items() if value is not ASK}
            part = maker.record(making.at, attempt, part.values)
            for name, value in wished.items():
                if value is ASK and part.values.get(name) is None:
                    part.values[name] = self.made(part, name)
            sent = {
                name: self.json(child, name, value)
                for name, value in part.values.items()
                if value is not None
                and name in model.columns
                and not model.fields[name].derived
                and not isinstance(model.fields[name], Attached)
            }
            for name, field in model.fields.items():
                if isinstance(field, Attached) and (wished.get(name) is ASK or field.required):
                    file = str(self.stage.upload(w, by, field, (), visit_at=making.at))
                    sent[name] = [file] if field.most != 1 else file
            try:
                with w.savepoint():
                    outcome = self.stage.act(w, by, Create(child, sent))
                    if stage is not None and not self.send(w, child, outcome.id or 0, stage, making.at, by):
                        raise Refused(Problem("not-found", child))
                made += 1
            except Refused:
                continue


def wishes(node: Node, row: int) -> dict[str, Any]:
    """The values of the row's fields with which a condition would hold, as far as it can be told from its form."""
    match node:
        case Name(row=where, name=name) if where == row:
            return {name: True}
        case Call(operation="and", arguments=arguments):
            found: dict[str, Any] = {}
            for each in arguments:
                found |= wishes(each, row)
            return found
        case Call(operation="or", arguments=arguments):
            return next((found for each in arguments if (found := wishes(each, row))), {})
        case Call(operation="eq", arguments=(Name(row=where, name=name), Const(value=value))) if (
            where == row and value is not None
        ):
            return {name: value}
        case Call(operation="in", arguments=(Name(row=where, name=name), Const(value=value))) if where == row and value:
            return {name: value[0]}
        case Call(
            operation="ge" | "gt" | "le" | "lt" as operation, arguments=(Name(row=where, name=name), Const(value=value))
        ) if where == row:
            return {name: value + {"gt": 1, "lt": -1}.get(operation, 0)} if isinstance(value, int) else {name: ASK}
        case Call(
            operation="not",
            arguments=(Call(operation="eq", arguments=(Name(row=where, name=name), Const(value=None))),),
        ) if where == row:
            return {name: ASK}
        case Call(operation="not", arguments=(Name(row=where, name=name),)) if where == row:
            return {name: False}
    return {}


def contrary(node: Node, row: int) -> dict[str, tuple[Any, Any]]:
    """For a condition that must not hold: field -> the value with which it does, and one with which it does not."""
    match node:
        case Name(row=where, name=name) if where == row:
            return {name: (True, False)}
        case Call(operation="and", arguments=arguments):
            return next((found for each in reversed(arguments) if (found := contrary(each, row))), {})
        case Call(operation="not", arguments=(Name(row=where, name=name),)) if where == row:
            return {name: (None, True)}
        case Call(operation="eq", arguments=(Name(row=where, name=name), Const(value=None))) if where == row:
            return {name: (None, ASK)}
    return {}


def _is_zero(node: Node) -> bool:
    return isinstance(node, Const) and node.value == 0


__all__ = ["ASK", "Walk", "contrary", "wishes"]
