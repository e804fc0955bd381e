"""A process, compiled: its stages, the transitions between them, and what each gate requires.

A gate becomes a list of requirements.  Each is counted by itself (need, have), so that a refusal can list everything
that is missing at once, and a page can show what is already met.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from engine.expressions import Expression
from engine.problems import Label
from engine.workflows.definition import Direction, Process, Stage, Transition

RequirementKind = Literal["field", "files", "related", "checklist", "roles", "rule"]


@dataclass(frozen=True)
class Requirement:
    """One thing a gate asks for. `name` is the field, slot, collection, checklist item or rule.

    `expression` counts (related) or must be true (rule). `providers` are the roles that can provide it, best first.
    """

    kind: RequirementKind
    name: str
    label: Label
    need: int = 1
    accept: tuple[str, ...] = ()
    expression: Expression | None = None
    say: Label | None = None
    roles: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()


@dataclass(frozen=True)
class StageApp:
    name: str
    label: Label
    definition: Stage
    entry: tuple[Requirement, ...] = ()
    exit: tuple[Requirement, ...] = ()
    sets: Mapping[str, Expression] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether the stage closes a record without success."""
        return self.definition.end in ("lost", "cancelled")


@dataclass(frozen=True)
class TransitionApp:
    """`origins` are stage names. `reason` says whether a reason must be, may be or is not given."""

    name: str
    label: Label
    origins: tuple[str, ...]
    to: str
    by: tuple[str, ...]
    direction: Direction
    reason: Literal["required", "optional", "none"]
    reasons: Mapping[str, Label]
    when: Expression | None = None
    say: Label | None = None
    gates: bool = True


@dataclass(frozen=True)
class ProcessApp:
    name: str
    entity: str
    label: Label
    definition: Process
    stages: Mapping[str, StageApp]
    transitions: Mapping[str, TransitionApp]
    start: str
    when: Expression | None = None

    def leaving(self, stage: str) -> tuple[TransitionApp, ...]:
        """The transitions that lead out of a stage, in the order of the definition."""
        return tuple(each for each in self.transitions.values() if stage in each.origins)

    def between(self, origin: str, to: str) -> TransitionApp | None:
        """The first transition from one stage to another; None if there is no way."""
        return next((each for each in self.leaving(origin) if each.to == to), None)

    def requirements(self, transition: TransitionApp, origin: str) -> tuple[Requirement, ...]:
        """What must be met to take a transition: the exit gate of the stage left and the entry gate of the stage entered.

        Going back or giving up asks nothing of the stage left.
        """
        target = self.stages[transition.to]
        leaving = transition.gates and transition.direction != "return" and not target.failed
        return (*(self.stages[origin].exit if leaving else ()), *target.entry)


def start_of(process: Process) -> str:
    """The stage where records begin: the one marked `start`, else the first."""
    return next((name for name, stage in process.stages.items() if stage.start), next(iter(process.stages)))


def transitions_of(process: Process) -> dict[str, Transition]:
    """The declared transitions; without any, the derived ones.

    Derived: each stage leads to the next in file order, back to every earlier one, and to every end that is a failure;
    the last stage leads to every end.
    """
    if process.transitions:
        return dict(process.transitions)
    steps = [name for name, stage in process.stages.items() if stage.end is None]
    ends = {name: stage for name, stage in process.stages.items() if stage.end is not None}
    found: dict[str, Transition] = {}

    def add(origin: str, to: str, direction: Direction) -> None:
        found[f"{origin}_to_{to}"] = Transition.model_validate({"from": origin, "to": to, "direction": direction})

    for position, origin in enumerate(steps):
        if position + 1 < len(steps):
            add(origin, steps[position + 1], "forward")
        for earlier in steps[:position]:
            add(origin, earlier, "return")
        for name, end in ends.items():
            if position + 1 == len(steps) or end.end in ("lost", "cancelled"):
                add(origin, name, "forward")
    return found


def origins_of(process: Process, transition: Transition) -> tuple[str, ...]:
    """The stages a transition leaves; `*` stands for every stage that is no end, except its own target."""
    if "*" in transition.from_:
        return tuple(name for name, stage in process.stages.items() if stage.end is None and name != transition.to)
    return transition.from_


def reason_of(process: Process, transition: Transition) -> Literal["required", "optional", "none"]:
    """Whether a reason is asked: unless declared, for going back, skipping and giving up."""
    if transition.reason is not None:
        return transition.reason
    target = process.stages.get(transition.to)
    failed = target is not None and target.end in ("lost", "cancelled")
    return "required" if failed or transition.direction != "forward" else "none"
