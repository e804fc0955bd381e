"""What the conditions of gates and transitions let through: nothing, everything, less than they should, or more."""

from collections.abc import Iterable, Iterator

from engine.definition.checks.base import Check
from engine.definition.checks.gates import stations
from engine.definition.checks.graph import sound
from engine.definition.contradictions import conjuncts, why_impossible
from engine.definition.facts import Facts
from engine.definition.regions import Region
from engine.definition.saying import compared, said, value_text
from engine.definition.source import KeyPath
from engine.expressions import Expression
from engine.expressions.tree import Call, Name, Node
from engine.problems import Label, Patch, Problem
from engine.workflows.definition import Gate, Process
from engine.workflows.process import origins_of, transitions_of

_FIELDS = "name: text, amount: {type: money, required: true}, size: {type: integer, min: 0, max: 10}, kind: {type: choice, options: {a: A, b: B}}"
_ORDER = f"entities: {{order: {{fields: {{{_FIELDS}}}}}}}\n"
_FRAME = (
    _ORDER + "roles: {clerk: {}}\n"
    "policies: {clerk: {order: {rows: 'created_by == user', actions: [read, create, update, transition]}}}\n"
)


def _gate_parts(facts: Facts, path: KeyPath) -> list[tuple[KeyPath, Expression]]:
    """The conditions of a gate, with their places."""
    gate = [("when",), *(("rules", key, "when") for key in (facts.source.value((*path, "rules")) or ()))]
    found = [((*path, *part), facts.expression(*path, *part)) for part in gate]
    return [(where, expression) for where, expression in found if expression is not None]


class GateUnsatisfiable(Check):
    code = "gate-unsatisfiable"
    wrong = (
        _FRAME
        + "processes: {flow: {entity: order, stages: {open: {exit: {when: size > 3 and size < 2}}, done: {end: done}}}}"
    )
    repaired = (
        _FRAME
        + "processes: {flow: {entity: order, stages: {open: {exit: {when: size > 3 and size < 8}}, done: {end: done}}}}"
    )

    def find(self, facts: Facts) -> Iterator[Problem]:
        for station in stations(facts):
            conditions = _gate_parts(facts, station.path)
            parts = [(where, part) for where, expression in conditions for part in conjuncts(expression.tree)]
            needed = self._needed(facts, station.entity, (*station.gate.fields, *station.gate.files))
            why = why_impossible(facts, [part for _, part in parts] + needed)
            if why is None:
                continue
            alone = next(
                (
                    where
                    for where, expression in conditions
                    if why_impossible(facts, conjuncts(expression.tree) + needed)
                ),
                conditions[-1][0],
            )
            does = Label("离开", "leave") if station.side == "exit" else Label("进入", "enter")
            formula = "(" in why.zh and ("最大为" in why.zh or "最小为" in why.zh)
            cure = (
                Label("放宽条件,或改公式。", "Relax the condition, or change the formula.")
                if formula
                else Label("放宽条件。", "Relax the condition.")
            )
            yield facts.problem(
                self.code,
                alone,
                offset=0,
                entity=facts.entity_label(station.entity),
                stage=facts.stage_label(station.process, station.stage),
                does=does,
                why=why,
                cure=cure,
            )

    @staticmethod
    def _needed(facts: Facts, entity: str, fields: Iterable[str]) -> list[tuple[Node, bool]]:
        """That the fields a gate lists are filled, as conditions."""
        found: list[tuple[Node, bool]] = []
        for name in fields:
            type = facts.scope.field(entity, name)
            if type is not None:
                found.append((Call(type, "is_null", (Name(type, entity, name, 0),)), False))
        return found


class GateIdle(Check):
    code = "gate-idle"
    wrong = (
        _FRAME
        + "processes: {flow: {entity: order, stages: {open: {exit: {when: size >= 0 or size is null}}, done: {end: done}}}}"
    )
    repaired = (
        _FRAME
        + "processes: {flow: {entity: order, stages: {open: {exit: {when: size > 0 or size is null}}, done: {end: done}}}}"
    )

    def find(self, facts: Facts) -> Iterator[Problem]:
        for station in stations(facts):
            for where, expression in _gate_parts(facts, station.path):
                if Region([(expression.tree, False)], facts.domain).impossible:
                    yield facts.problem(
                        self.code,
                        where,
                        severity="warning",
                        offset=0,
                        entity=facts.entity_label(station.entity),
                        stage=facts.stage_label(station.process, station.stage),
                    )


class GatesClash(Check):
    code = "gates-clash"
    wrong = (
        _FRAME
        + "processes: {flow: {entity: order, stages: {open: {exit: {when: amount > 5}}, done: {end: done, entry: {when: amount < 3}}}}}"
    )
    repaired = (
        _FRAME
        + "processes: {flow: {entity: order, stages: {open: {exit: {when: amount > 5}}, done: {end: done, entry: {when: amount < 30}}}}}"
    )

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, process in facts.definition.processes.items():
            if process.entity not in facts.definition.entities or not sound(process):
                continue
            told: set[tuple[str, str]] = set()
            for transition in transitions_of(process).values():
                if (
                    not transition.gates
                    or transition.direction == "return"
                    or process.stages[transition.to].end in ("lost", "cancelled")
                ):
                    continue
                for origin in origins_of(process, transition):
                    pair = (origin, transition.to)
                    leave = _gate_parts(facts, ("processes", name, "stages", origin, "exit"))
                    enter = _gate_parts(facts, ("processes", name, "stages", transition.to, "entry"))
                    if pair in told or not leave or not enter:
                        continue
                    told.add(pair)
                    one = [part for _, expression in leave for part in conjuncts(expression.tree)]
                    two = [part for _, expression in enter for part in conjuncts(expression.tree)]
                    if Region(one, facts.domain).impossible or Region(two, facts.domain).impossible:
                        continue
                    if Region(one + two, facts.domain).impossible:
                        clash = next(
                            ((a, b) for a in one for b in two if Region([a, b], facts.domain).impossible), None
                        )
                        words = [said(facts, *part) for part in clash] if clash else []
                        both = (
                            Label("与".join(each.zh for each in words), " and ".join(each.en for each in words))
                            if words
                            else Label("它们", "they")
                        )
                        yield facts.problem(
                            self.code,
                            enter[0][0],
                            offset=0,
                            related=[leave[0][0]],
                            stage=facts.stage_label(name, origin),
                            to=facts.stage_label(name, transition.to),
                            pair=both,
                        )


class StageStuck(Check):
    """Several conditional ways out of a stage, and a record that none of them takes."""

    code = "stage-stuck"
    wrong = _FRAME + (
        "processes: {flow: {entity: order, stages: {open: {}, board: {}, done: {end: done}}, transitions:"
        " {small: {from: open, to: done, when: amount < 500}, large: {from: open, to: board, when: amount > 500}, sign: {from: board, to: done}}}}"
    )
    repaired = wrong.replace("amount > 500", "amount >= 500")

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, process in facts.definition.processes.items():
            if process.entity not in facts.definition.entities or not sound(process):
                continue
            for stage in process.stages:
                problem = self._stuck(facts, name, process, stage)
                if problem is not None:
                    yield problem

    def _stuck(self, facts: Facts, name: str, process: Process, stage: str) -> Problem | None:
        ways = {key: each for key, each in process.transitions.items() if stage in origins_of(process, each)}
        conditions = {key: facts.expression("processes", name, "transitions", key, "when") for key in ways}
        if len(ways) < 2 or any(each is None for each in conditions.values()):
            return None
        trees = [(expression.tree, False) for expression in conditions.values() if expression is not None]
        if any(
            self._computed(facts, each)
            for tree, _ in trees
            for each in Region([(tree, True)], facts.domain).atoms.values()
        ):
            return None
        record = Region(trees, facts.domain).example(filled=True)
        if not record:
            return None
        entity = process.entity
        shown = []
        for field, value in record.items():
            type = facts.scope.field(entity, field)
            label = facts.field_label(entity, field)
            text = value_text(type, value, facts, (entity, field)) if type else Label.of(str(value))
            shown.append((label, text))
        words = Label(
            "、".join(f"「{label.zh}」为 {text.zh}" for label, text in shown),
            " and ".join(f'"{label.en}" {text.en}' for label, text in shown),
        )
        cures = self._cures(facts, name, conditions, record)
        first = next(iter(ways))
        cure = (
            Label(
                ",或".join(f"把「{label.zh}」改为 {text}" for label, text, _ in cures),
                "Write " + ", or ".join(f'{text} in "{label.en}"' for label, text, _ in cures),
            )
            if cures
            else Label("放宽其中一个 when,或加一条出路", "Widen one of the conditions, or add a way out")
        )
        return facts.problem(
            self.code,
            ("processes", name, "transitions", first, "from", 0),
            severity="warning",
            related=[("processes", name, "transitions", key, "when") for key in ways],
            witness={field: text.en for (field, _), (_, text) in zip(record.items(), shown, strict=True)},
            patches=[patch for _, _, patch in cures],
            record=words,
            entity=facts.entity_label(entity),
            stage=facts.stage_label(name, stage),
            cure=cure,
        )

    @staticmethod
    def _computed(facts: Facts, atom: Node) -> bool:
        """Whether a value follows from others, so that it cannot be chosen freely."""
        field = facts.field(atom.entity, atom.name) if isinstance(atom, Name) else None
        return field is None or field.derived

    def _cures(
        self, facts: Facts, process: str, conditions: dict[str, Expression | None], record: dict[str, object]
    ) -> list[tuple[Label, str, Patch | None]]:
        """Comparisons that just miss the record, widened by their own edge; the upward ones first."""
        found = []
        for key, expression in conditions.items():
            comparison = compared(expression.tree, True) if expression is not None else None
            if comparison is None or expression is None:
                continue
            sign, value, constant = comparison
            if isinstance(value, Name) and sign in ("lt", "gt") and record.get(value.name) == constant.value:
                strict = "<" if sign == "lt" else ">"
                if expression.text.count(strict) != 1 or strict + "=" in expression.text:
                    continue
                patch = facts.source.patch(
                    ("processes", process, "transitions", key, "when"), strict + "=", expression.text.index(strict), 1
                )
                found.append(
                    (sign, facts.transition_label(process, key), expression.text.replace(strict, strict + "="), patch)
                )
        return [(label, text, patch) for _, label, text, patch in sorted(found, key=lambda each: each[0] != "gt")]


class ReturnNowhere(Check):
    """A transition called a return whose target comes later."""

    code = "return-nowhere"
    wrong = _FRAME + (
        "processes: {flow: {entity: order, stages: {open: {}, tried: {}, done: {end: done}}, transitions:"
        " {try: {from: open, to: tried, direction: return}, finish: {from: tried, to: done}}}}"
    )
    repaired = wrong.replace(", direction: return", "")

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, process in facts.definition.processes.items():
            if not sound(process):
                continue
            order = {stage: index for index, stage in enumerate(process.stages)}
            for key, transition in process.transitions.items():
                origins = origins_of(process, transition)
                earlier = [each for each in origins if order[each] < order[transition.to]]
                # Of all stages at once, some may well lie before the target.
                if (
                    transition.direction == "return"
                    and earlier
                    and ("*" not in transition.from_ or earlier == list(origins))
                ):
                    yield facts.problem(
                        self.code,
                        ("processes", name, "transitions", key, "to"),
                        related=[("processes", name, "stages", transition.to)],
                        transition=facts.transition_label(name, key),
                        to=facts.stage_label(name, transition.to),
                        origin=facts.stage_label(name, earlier[0]),
                    )


class GateBypassed(Check):
    """A skip leads around a gate whose needs nothing later repeats."""

    code = "gate-bypassed"
    wrong = _FRAME + (
        "processes: {flow: {entity: order, stages: {open: {}, priced: {exit: {fields: [amount]}}, done: {end: done}},"
        " transitions: {price: {from: open, to: priced}, finish: {from: priced, to: done}, rush: {from: open, to: done, direction: skip}}}}"
    )
    repaired = _FRAME + (
        "processes: {flow: {entity: order, stages: {open: {}, priced: {exit: {fields: [amount]}}, done: {end: done}},"
        " transitions: {price: {from: open, to: priced}, finish: {from: priced, to: done}}}}"
    )

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, process in facts.definition.processes.items():
            if not sound(process) or not process.stages:
                continue
            order = list(process.stages)
            for key, transition in process.transitions.items():
                target = process.stages[transition.to]
                if transition.direction != "skip" or target.end in ("lost", "cancelled"):
                    continue
                for origin in transition.from_:
                    if origin == "*":
                        continue
                    between = order[order.index(origin) + 1 : order.index(transition.to)]
                    around = [
                        stage
                        for stage in between
                        if (gate := process.stages[stage].exit)
                        and not transition.when
                        and not self._repeated(gate, target.entry)
                    ]
                    if around:
                        yield facts.problem(
                            self.code,
                            ("processes", name, "transitions", key),
                            key=True,
                            severity="warning",
                            related=[("processes", name, "stages", stage, "exit") for stage in around],
                            transition=facts.transition_label(name, key),
                            stages=facts.listed(facts.stage_label(name, stage) for stage in around),
                            to=facts.stage_label(name, transition.to),
                        )
                        break

    @staticmethod
    def _repeated(gate: Gate, entry: Gate | None) -> bool:
        """Whether the entry gate asks for everything that the gate asks for."""
        if entry is None:
            return False
        same = set(gate.fields) <= set(entry.fields) and set(gate.checklist) <= set(entry.checklist)
        same = same and gate.files.items() <= entry.files.items() and gate.related.items() <= entry.related.items()
        return same and (gate.when is None or gate.when == entry.when) and gate.rules.items() <= entry.rules.items()
