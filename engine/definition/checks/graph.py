"""Whether a process leads from its start to its ends: stages as nodes, transitions as edges."""

from collections.abc import Iterator, Mapping

from engine.definition.checks.base import Check
from engine.definition.facts import Facts
from engine.problems import Label, Problem
from engine.workflows.definition import Process
from engine.workflows.process import origins_of, start_of, transitions_of

_FRAME = "entities: {order: {fields: {name: text}}}\nroles: {clerk: {}}\npolicies: {clerk: {order: {rows: 'created_by == user', actions: [read, create, update, transition]}}}\n"


def edges(process: Process) -> dict[str, set[str]]:
    """Stage -> the stages that a transition leads to from there; only stages that exist."""
    found: dict[str, set[str]] = {name: set() for name in process.stages}
    for transition in transitions_of(process).values():
        for origin in origins_of(process, transition):
            if origin in found and transition.to in found:
                found[origin].add(transition.to)
    return found


def reached(graph: Mapping[str, set[str]], start: str) -> set[str]:
    """Every node on a path from `start`, itself included."""
    seen, waiting = {start}, [start]
    while waiting:
        for each in graph[waiting.pop()]:
            if each not in seen:
                seen.add(each)
                waiting.append(each)
    return seen


def sound(process: Process) -> bool:
    """Whether every transition names stages that exist; else what follows from the graph would only repeat that."""
    return all(
        transition.to in process.stages and all(each == "*" or each in process.stages for each in transition.from_)
        for transition in process.transitions.values()
    )


class StartMissing(Check):
    code = "start-missing"
    wrong = (
        _FRAME
        + "processes: {flow: {entity: order, stages: {new: {start: true}, open: {start: true}, done: {end: done}}}}"
    )
    repaired = _FRAME + "processes: {flow: {entity: order, stages: {new: {start: true}, open: {}, done: {end: done}}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, process in facts.definition.processes.items():
            path = ("processes", name, "stages")
            marked = [stage for stage, each in process.stages.items() if each.start]
            why = None
            at: tuple[str, ...] = path
            if not process.stages:
                why = Label("没有任何阶段", "there are no stages")
            elif len(marked) > 1:
                listed = facts.listed(facts.stage_label(name, stage) for stage in marked)
                why, at = (
                    Label(f"{listed.zh} 都标为起点", f"{listed.en} are all marked as start"),
                    (*path, marked[1], "start"),
                )
            elif process.stages[start_of(process)].end is not None:
                first = start_of(process)
                label = facts.stage_label(name, first)
                why, at = Label(f"起点「{label.zh}」已是终点", f'the start "{label.en}" is an end'), (*path, first)
            if why is not None:
                yield facts.problem(
                    self.code,
                    at,
                    key=not process.stages or len(marked) < 2,
                    process=process.label or Label.of(name),
                    why=why,
                )


class StageUnreachable(Check):
    code = "stage-unreachable"
    wrong = _FRAME + (
        "processes: {flow: {entity: order, stages: {new: {}, open: {}, done: {end: done}}, transitions: {finish: {from: new, to: done}, close: {from: open, to: done}}}}"
    )
    repaired = _FRAME + (
        "processes: {flow: {entity: order, stages: {new: {}, open: {}, done: {end: done}}, transitions: {begin: {from: new, to: open}, close: {from: open, to: done}}}}"
    )

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, process in facts.definition.processes.items():
            if not process.stages or not sound(process):
                continue
            graph = edges(process)
            start = start_of(process)
            there = reached(graph, start)
            for stage in process.stages:
                if stage not in there:
                    # What only such a stage leads to is lost with it.
                    before = [other for other in process.stages if stage in graph[other] and other not in there]
                    if before and not any(
                        stage in reached(graph, other) and other in reached(graph, stage) for other in before
                    ):
                        continue
                    yield facts.problem(
                        self.code,
                        ("processes", name, "stages", stage),
                        key=True,
                        value=stage,
                        stage=facts.stage_label(name, stage),
                        start=facts.stage_label(name, start),
                    )


class StageDeadEnd(Check):
    code = "stage-dead-end"
    wrong = _FRAME + (
        "processes: {flow: {entity: order, stages: {new: {}, open: {}, done: {end: done}}, transitions: {begin: {from: new, to: open}, finish: {from: new, to: done}}}}"
    )
    repaired = _FRAME + (
        "processes: {flow: {entity: order, stages: {new: {}, open: {}, done: {end: done}}, transitions: {begin: {from: new, to: open}, finish: {from: open, to: done}}}}"
    )

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, process in facts.definition.processes.items():
            if not sound(process):
                continue
            graph = edges(process)
            for stage, each in process.stages.items():
                if each.end is None and not graph[stage]:
                    yield facts.problem(
                        self.code,
                        ("processes", name, "stages", stage),
                        key=True,
                        value=stage,
                        stage=facts.stage_label(name, stage),
                    )


class EndUnreachable(Check):
    code = "end-unreachable"
    wrong = _FRAME + (
        "processes: {flow: {entity: order, stages: {new: {}, open: {}, wait: {}, done: {end: done}}, transitions: {begin: {from: new, to: open},"
        " finish: {from: new, to: done}, hold: {from: open, to: wait}, resume: {from: wait, to: open}}}}"
    )
    repaired = _FRAME + (
        "processes: {flow: {entity: order, stages: {new: {}, open: {}, wait: {}, done: {end: done}}, transitions: {begin: {from: new, to: open},"
        " finish: {from: open, to: done}, hold: {from: open, to: wait}, resume: {from: wait, to: open}}}}"
    )

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, process in facts.definition.processes.items():
            ends = {stage for stage, each in process.stages.items() if each.end is not None}
            if not ends or not sound(process):
                continue
            graph = edges(process)
            there = reached(graph, start_of(process))
            # A stage that leads into a dead end is that dead end's matter.
            dead = {stage for stage in process.stages if stage not in ends and not graph[stage]}
            trapped = [
                stage for stage in process.stages if stage in there and not reached(graph, stage) & (ends | dead)
            ]
            if trapped:
                yield facts.problem(
                    self.code,
                    ("processes", name, "stages", trapped[0]),
                    key=True,
                    value=trapped[0],
                    related=[("processes", name, "stages", stage) for stage in trapped[1:]],
                    stages=facts.listed(facts.stage_label(name, stage) for stage in trapped),
                    ends=facts.listed(facts.stage_label(name, stage) for stage in process.stages if stage in ends),
                )
