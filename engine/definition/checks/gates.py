"""Whether somebody can bring a record through the gates: who fills what they ask for, and who may move it."""

from collections.abc import Iterator
from dataclasses import dataclass

from engine.definition.checks.base import Check
from engine.definition.checks.graph import edges, reached, sound
from engine.definition.facts import Facts
from engine.definition.regions import Region
from engine.definition.source import KeyPath
from engine.expressions.tree import Call, Name
from engine.expressions.types import BOOLEAN
from engine.problems import Label, Problem
from engine.workflows.definition import Gate, Process
from engine.workflows.process import start_of, transitions_of


def _frame(
    actions: str = "read, create, update, transition",
    more: str = "",
    fields: str = "name: text, amount: money, photo: file",
) -> str:
    return (
        f"entities: {{order: {{fields: {{{fields}}}}}}}\nroles: {{clerk: {{}}, chief: {{administrator: true}}}}\n"
        f"policies: {{clerk: {{order: {{rows: 'created_by == user', actions: [{actions}]{more}}}}}}}\n"
    )


@dataclass(frozen=True)
class Station:
    """A gate of a stage: where it stands, and the stages in which its needs can be met: up to the one it guards."""

    process: str
    definition: Process
    stage: str
    side: str
    gate: Gate

    @property
    def path(self) -> KeyPath:
        return ("processes", self.process, "stages", self.stage, self.side)

    @property
    def entity(self) -> str:
        return self.definition.entity


def stations(facts: Facts) -> Iterator[Station]:
    """Every gate of a process of a known entity."""
    for name, process in facts.definition.processes.items():
        if process.entity not in facts.definition.entities:
            continue
        for key, stage in process.stages.items():
            for side, gate in (("entry", stage.entry), ("exit", stage.exit)):
                if gate is not None:
                    yield Station(name, process, key, side, gate)


def needed(facts: Facts, station: Station) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """The declared fields that must be filled to pass a gate, and where it says so: as a need, or by a condition that no
    record meets without them."""
    known = facts.definition.entities[station.entity].fields
    for index, name in enumerate(station.gate.fields):
        if name in known:
            yield name, ("fields", index)
    for name in station.gate.files:
        if name in known:
            yield name, ("files", name)
    for where in (("when",), *(("rules", key, "when") for key in station.gate.rules)):
        expression = facts.expression(*station.path, *where)
        if expression is None or Region([(expression.tree, True)], facts.domain).impossible:
            continue
        for name in sorted(expression.locals):
            type = facts.scope.field(station.entity, name)
            if name in known and type is not None and not known[name].derived:
                empty = Call(BOOLEAN, "is_null", (Name(type, station.entity, name, 0),))
                if Region([(expression.tree, True), (empty, True)], facts.domain).impossible:
                    yield name, where


class GateLocked(Check):
    """A gate needs a field that no role can fill, related records that nobody may make, or a role that may not pass."""

    code = "gate-locked"
    wrong = (
        _frame(more=", readonly: [amount]")
        + "processes: {flow: {entity: order, stages: {open: {exit: {fields: [amount]}}, done: {end: done}}}}"
    )
    repaired = (
        _frame() + "processes: {flow: {entity: order, stages: {open: {exit: {fields: [amount]}}, done: {end: done}}}}"
    )

    def find(self, facts: Facts) -> Iterator[Problem]:
        for station in stations(facts):
            entity = station.entity
            if not facts.governed(entity):
                continue
            machine = facts.filled_by_rule(entity)
            known = facts.definition.entities[entity]
            for name, where in needed(facts, station):
                if name in machine or known.fields[name].required:
                    continue
                if not any(facts.fills(role, entity, name) for role in facts.people):
                    yield self._problem(
                        facts,
                        station,
                        where,
                        facts.field_label(entity, name),
                        Label("没有角色能填写它", "no role may fill it"),
                    )
            for name in station.gate.related:
                relation = facts.names.relations[entity].get(name)
                if relation is None or not facts.governed(relation[0]):
                    if relation is not None and not self._made(facts, relation[0]):
                        yield self._nobody(facts, station, name, relation[0])
                    continue
                if not any(facts.may(role, relation[0], "create") for role in facts.people) and not self._made(
                    facts, relation[0]
                ):
                    yield self._nobody(facts, station, name, relation[0])
            if station.gate.roles and all(role in facts.definition.roles for role in station.gate.roles):
                movers = [
                    role
                    for role in facts.including(station.gate.roles)
                    if facts.may(role, entity, "transition") and facts.may(role, entity, "read")
                ]
                if not movers:
                    roles = facts.listed(facts.role_label(role) for role in station.gate.roles)
                    why = Label(
                        f"只许 {roles.zh} 通过,而他们不能推进 {facts.entity_label(entity).zh}",
                        f"only {roles.en} may pass, who may not move {facts.entity_label(entity).en}",
                    )
                    yield self._problem(facts, station, ("roles", 0), Label("角色", "roles"), why)

    def _made(self, facts: Facts, entity: str) -> bool:
        return any(
            (made.entity or target) == entity
            for other in facts.definition.entities.values()
            for each in other.conversions.values()
            for target, made in each.to.items()
        )

    def _nobody(self, facts: Facts, station: Station, name: str, child: str) -> Problem:
        label = facts.entity_label(child)
        return self._problem(
            facts,
            station,
            ("related", name),
            label,
            Label(f"没有角色能新建 {label.zh}", f"no role may create a {label.en}"),
        )

    def _problem(
        self, facts: Facts, station: Station, where: tuple[str | int, ...], need: Label, why: Label
    ) -> Problem:
        return facts.problem(
            self.code,
            (*station.path, *where),
            key=where[0] in ("files", "related"),
            stage=facts.stage_label(station.process, station.stage),
            entity=facts.entity_label(station.entity),
            need=need,
            why=why,
        )


class GateLate(Check):
    """A gate needs a field that can be filled only in a later stage: by what that stage sets, or by who may write there."""

    code = "gate-late"
    wrong = (
        _frame(more=", readonly: [amount]")
        + "processes: {flow: {entity: order, stages: {open: {exit: {fields: [amount]}}, priced: {sets: {amount: '100'}}, done: {end: done}}}}"
    )
    repaired = (
        _frame(more=", readonly: [amount]")
        + "processes: {flow: {entity: order, stages: {open: {sets: {amount: '100'}}, priced: {exit: {fields: [amount]}}, done: {end: done}}}}"
    )

    def find(self, facts: Facts) -> Iterator[Problem]:
        for station in stations(facts):
            process = station.definition
            if not facts.governed(station.entity) or not sound(process) or not process.stages:
                continue
            before = self._before(process, station)
            for name, where in needed(facts, station):
                if facts.definition.entities[station.entity].fields[name].required:
                    continue
                later = self._later(facts, station, name, before)
                if later:
                    yield facts.problem(
                        self.code,
                        (*station.path, *where),
                        key=where[0] == "files",
                        related=[("processes", station.process, "stages", stage) for stage in later],
                        stage=facts.stage_label(station.process, station.stage),
                        need=facts.field_label(station.entity, name),
                        later=facts.listed(facts.stage_label(station.process, stage) for stage in later),
                    )

    @staticmethod
    def _later(facts: Facts, station: Station, name: str, before: set[str]) -> list[str]:
        """The later stages in which alone a field is filled; empty if it is filled in time, or never."""
        entity = station.entity
        places = facts.filled_by_rule(entity).get(name, [])
        if not all(place[0] == "processes" and place[1] == station.process for place in places):
            return []
        setting = {str(place[3]) for place in places}
        people = [role for role in facts.people if facts.fills(role, entity, name, ("update",))]
        if any(facts.fills(role, entity, name, ("create",)) for role in facts.people):
            return []
        filling = [
            stage
            for stage in station.definition.stages
            if stage in setting or any(facts.fills_in(role, entity, name, stage) for role in people)
        ]
        return [] if before & set(filling) else filling

    @staticmethod
    def _before(process: Process, station: Station) -> set[str]:
        """The stages that a record can have entered before it passes the gate for the first time."""
        graph = edges(process)
        without = {stage: set() if stage == station.stage else targets for stage, targets in graph.items()}
        found = reached(without, start_of(process))
        return found if station.side == "exit" else found - {station.stage}


class GateStarved(Check):
    """A gate asks for more files or related records than there can be, or for kinds of file that the field refuses."""

    code = "gate-starved"
    wrong = (
        _frame() + "processes: {flow: {entity: order, stages: {open: {exit: {files: {photo: 3}}}, done: {end: done}}}}"
    )
    repaired = (
        _frame(fields="name: text, photo: files")
        + "processes: {flow: {entity: order, stages: {open: {exit: {files: {photo: 3}}}, done: {end: done}}}}"
    )

    def find(self, facts: Facts) -> Iterator[Problem]:
        for station in stations(facts):
            fields = facts.definition.entities[station.entity].fields
            for name, need in station.gate.files.items():
                field = fields.get(name)
                if field is None:
                    continue
                most: int | None = getattr(field, "max", None) if field.type == "files" else getattr(field, "most", 1)
                if isinstance(most, int) and need.count > most:
                    yield self._problem(
                        facts,
                        station,
                        ("files", name),
                        facts.field_label(station.entity, name),
                        need.count,
                        Label(f"最多 {most} 份", f"at most {most}"),
                    )
                accept = {each.lower().lstrip(".") for each in getattr(field, "accept", None) or ()}
                wanted = {each.lower().lstrip(".") for each in need.accept}
                if accept and wanted and not accept & wanted:
                    only = Label("只收 " + "、".join(sorted(accept)), "only " + ", ".join(sorted(accept)))
                    yield self._problem(
                        facts, station, ("files", name), facts.field_label(station.entity, name), need.count, only
                    )
            for name, count in station.gate.related.items():
                field = fields.get(name)
                most = getattr(field, "max", None) if field is not None and field.type == "children" else None
                if most is not None and count.count > most:
                    yield self._problem(
                        facts,
                        station,
                        ("related", name),
                        facts.field_label(station.entity, name),
                        count.count,
                        Label(f"最多 {most} 行", f"at most {most}"),
                    )

    def _problem(
        self, facts: Facts, station: Station, where: tuple[str, str], need: Label, count: int, limit: Label
    ) -> Problem:
        stage = facts.stage_label(station.process, station.stage)
        return facts.problem(
            self.code, (*station.path, *where), key=True, stage=stage, need=need, count=count, limit=limit
        )


class TransitionNobody(Check):
    """Nobody both sees the record and may move it."""

    code = "transition-nobody"
    _FRAME = (
        "entities: {order: {fields: {name: text}}}\nroles: {clerk: {}, chief: {}}\n"
        "policies: {clerk: {order: {rows: 'true', actions: [read, transition]}}, chief: {order: {rows: 'true'}}}\n"
    )
    wrong = (
        _FRAME
        + "processes: {flow: {entity: order, stages: {open: {}, done: {end: done}}, transitions: {finish: {from: open, to: done, by: chief}}}}"
    )
    repaired = (
        _FRAME
        + "processes: {flow: {entity: order, stages: {open: {}, done: {end: done}}, transitions: {finish: {from: open, to: done, by: clerk}}}}"
    )

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, process in facts.definition.processes.items():
            entity = process.entity
            if entity not in facts.definition.entities or not facts.governed(entity):
                continue
            if not any(self._moves(facts, role, entity, None) for role in facts.people):
                yield self._nobody(facts, name, process)
                continue
            for key, transition in transitions_of(process).items():
                if not all(role in facts.definition.roles for role in transition.by):
                    continue
                roles = facts.including(transition.by) if transition.by else list(facts.people)
                if any(facts.administrator(role) for role in transition.by) or any(
                    self._moves(facts, role, entity, key) for role in roles
                ):
                    continue
                yield self._refused(facts, name, entity, key, transition.by, transition.label or Label.of(key))

    @staticmethod
    def _moves(facts: Facts, role: str, entity: str, transition: str | None) -> bool:
        allowed = facts.allowed(role, entity)
        return any(each.may("read") for each in allowed) and any(
            each.may("transition")
            and (transition is None or not each.policy.transitions or transition in each.policy.transitions)
            for each in allowed
        )

    def _nobody(self, facts: Facts, name: str, process: Process) -> Problem:
        entity = facts.entity_label(process.entity)
        why = Label(
            f"没有角色对 {entity.zh} 既有 read 又有 transition", f"no role has both read and transition on {entity.en}"
        )
        cure = Label("在某个角色的权限里授予这两项", "Grant both to a role")
        return facts.problem(
            self.code, ("processes", name), key=True, transition=process.label or Label.of(name), why=why, cure=cure
        )

    def _refused(self, facts: Facts, process: str, entity: str, key: str, by: tuple[str, ...], label: Label) -> Problem:
        path: KeyPath = ("processes", process, "transitions", key)
        thing = facts.entity_label(entity)
        if not by:
            why = Label("没有哪个角色的权限列出它", "no role's policy lists it")
            return facts.problem(
                self.code,
                path,
                key=True,
                transition=label,
                why=why,
                cure=Label("在某个角色的 transitions 里列出它", "List it in a role's transitions"),
            )
        roles = facts.listed(facts.role_label(role) for role in by)
        lacking = [
            action
            for action in ("read", "transition")
            if not any(facts.may(role, entity, action) for role in facts.including(by))
        ]
        words = Label(" 和 ".join(lacking), " and ".join(lacking)) if lacking else Label("这一流转", "this transition")
        who = Label("他们", "who") if len(by) > 1 else roles
        why = Label(
            f"只许{roles.zh},而{who.zh if len(by) == 1 else roles.zh}对 {thing.zh} 没有 {words.zh}",
            f"it is for {roles.en}, who {'lack' if len(by) > 1 else 'lacks'} {words.en} on {thing.en}",
        )
        both = len(lacking) == 2
        cure = Label(
            f"授予{roles.zh}这{'两' if both else '一'}项,或改 by",
            f"Grant {'both' if both else 'it'} to {roles.en}, or change by",
        )
        return facts.problem(self.code, (*path, "by", 0), transition=label, why=why, cure=cure)
