"""Where demo records are going: a way through the process to the stage that the weights choose, and when each step is taken."""

import random
from collections import deque

from engine.definition.model import Make
from engine.exchange.samples.shapes import DAY
from engine.runtime.bulk import Visit
from engine.workflows.process import ProcessApp, TransitionApp

_LONGEST = 12 * DAY  # what a stage without a limit takes at most
_STUCK = 0.05  # of the records in a stage with a limit
_PATIENCE = 3  # times what the stages up to the present one may take
_WEEKEND = 1.5  # working time in days of the calendar
_UNITS = {"time": 1_000_000, "workdays": DAY * _WEEKEND, "workhours": 3 * 3_600_000_000}


class Routes:
    """The ways through one process."""

    def __init__(self, process: ProcessApp, make: Make, rnd: random.Random) -> None:
        self.process, self.rnd = process, rnd
        weights = make.stages.get(process.name) or {}
        self.weights = {stage: weight for stage, weight in weights.items() if stage in process.stages and weight > 0}
        self.ends = {stage: weight for stage, weight in self.weights.items() if process.stages[stage].definition.end}
        self._found: dict[str, tuple[TransitionApp, ...]] = {}

    def target(self) -> str:
        """A stage, as often as its weight says; the start when there are no weights."""
        if not self.weights:
            return self.process.start
        return self.rnd.choices(list(self.weights), list(self.weights.values()))[0]

    def way(self, created: int, now: int) -> list[Visit]:
        """The stages a record made at `created` has been through by now.

        Where its last stage has a limit, an old record has moved on to an end; a few are stuck, as everywhere.
        """
        target = self.target()
        steps = self.steps(target)
        stage = self.process.stages[target].definition
        if self.ends and stage.limit is not None and stage.end is None and self.rnd.random() > _STUCK:
            patience = sum(self.longest(each) for each in (*(left for left, _ in steps), target)) * _PATIENCE
            if now - created > patience:
                steps = self.steps(self.rnd.choices(list(self.ends), list(self.ends.values()))[0])
        return self.timed(created, steps, now)

    def steps(self, target: str) -> list[tuple[str, TransitionApp]]:
        """(stage left, transition) up to the target. Those that fail do so somewhere on the way."""
        if self.process.stages[target].failed:
            givers = [
                stage
                for stage in self.process.stages
                if self.process.between(stage, target) and (stage == self.process.start or self.path(stage))
            ]
            if not givers:
                return []
            last = self.rnd.choice(givers)
            taken = self.process.between(last, target)
            assert taken is not None
            return [*self._with_origins(self.path(last)), (last, taken)]
        return self._with_origins(self.path(target))

    def path(self, target: str) -> tuple[TransitionApp, ...]:
        """The shortest way forward from the start; empty when there is none, and for the start itself."""
        if target not in self._found:
            self._found[target] = forward(self.process, self.process.start, target)
        return self._found[target]

    def _with_origins(self, path: tuple[TransitionApp, ...]) -> list[tuple[str, TransitionApp]]:
        origins = [self.process.start, *(each.to for each in path)]
        return list(zip(origins, path, strict=False))

    def timed(self, created: int, steps: list[tuple[str, TransitionApp]], now: int) -> list[Visit]:
        """Visits with times: each stage takes part of its limit, and what has ended has ended by now."""
        visits = [Visit(self.process.start, created)]
        if not steps:
            return visits
        spans = [self.dwell(stage) for stage, _ in steps]
        room = max(now - created, len(steps) * 60_000_000)
        # Open records have moved lately; closed ones have taken the time that they needed.
        ended = self.process.stages[steps[-1][1].to].definition.end is not None
        stay = int(self.rnd.triangular(0, 1.3, 0.4) * self.longest(steps[-1][1].to))
        wanted = room * 0.97 if ended else max(room - stay, room * 0.3)
        total = sum(spans)
        factor = min(1.0, wanted / total) if ended else wanted / total
        at = created
        for (_, taken), length in zip(steps, spans, strict=True):
            at = min(now, at + max(60_000_000, int(length * factor)))
            visits.append(Visit(taken.to, at, taken.name, taken.direction, self.reason(taken)))
        return visits

    def dwell(self, stage: str) -> int:
        return int(self.rnd.triangular(0.1, 1.6, 0.5) * self.longest(stage))

    def longest(self, stage: str) -> int:
        """How long a stage may take, in microseconds of the calendar."""
        limit = self.process.stages[stage].definition.limit
        return _LONGEST if limit is None else int(limit.amount * _UNITS[limit.kind])

    def reason(self, taken: TransitionApp) -> str | None:
        if taken.reason == "none" or (taken.reason == "optional" and not taken.reasons):
            return None
        if taken.reasons:
            return self.rnd.choice(list(taken.reasons.values())).zh
        return taken.label.zh


def forward(process: ProcessApp, start: str, target: str) -> tuple[TransitionApp, ...]:
    """The shortest way forward from one stage to another; empty when there is none, and when they are the same."""
    waiting: deque[tuple[str, tuple[TransitionApp, ...]]] = deque([(start, ())])
    seen = {start}
    while waiting:
        stage, taken = waiting.popleft()
        if stage == target:
            return taken
        for each in process.leaving(stage):
            if (
                each.direction == "forward"
                and each.to not in seen
                and (each.to == target or not process.stages[each.to].definition.end)
            ):
                seen.add(each.to)
                waiting.append((each.to, (*taken, each)))
    return ()
