"""How far many records have come with the gate before their next stage, in a few statements for all of them together.

What is said of a record is what its own page says of it (`moves.ways`): the same transition, the same requirements, the same
words.  Here the stored values of all records come with one statement, what gates read of other records with one for each
stage that some of them stand in, and the names of their files with one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.app import EntityApp
from engine.runtime.moves import met_and_missing, refused
from engine.runtime.plans import EntityPlan
from engine.runtime.work import Work
from engine.workflows.gates import Need
from engine.workflows.process import ProcessApp, TransitionApp


@dataclass(frozen=True)
class Standing:
    """The needs of the transition on, met and missing alike."""

    transition: TransitionApp
    needs: tuple[Need, ...]

    @property
    def met(self) -> int:
        return sum(need.met for need in self.needs)


def onward(work: Work, process: ProcessApp, model: EntityApp, stage: str) -> TransitionApp | None:
    """The way on: the first forward transition that is no failure, one that the roles may take before others."""
    found = [
        each for each in process.leaving(stage) if each.direction == "forward" and not process.stages[each.to].failed
    ]
    return next((each for each in found if refused(work, process, each, model) is None), found[0] if found else None)


def standings(work: Work, model: EntityApp, ids: Iterable[int]) -> dict[int, Standing]:
    """Of those of `ids` that stand before a gate; the others are missing. They are records that the principal may see."""
    plan = work.plans.entity(model.name)
    wanted = sorted(set(ids))
    if not wanted or not model.processes:
        return {}
    rows = [dict(zip(plan.stored, row, strict=True)) for row in work.w.raw(plan.select_many(), {"ids": wanted})]
    together: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        together.setdefault((row["pipeline"] or "", row["stage"] or ""), []).append(row)
    held: list[tuple[ProcessApp, TransitionApp, dict[str, Any]]] = []
    for (name, stage), some in together.items():
        process = work.app.processes.get(name)
        taken = onward(work, process, model, stage) if process is not None and stage in process.stages else None
        if process is None or taken is None or not (process.requirements(taken, stage) or taken.when):
            continue
        read = _read(work, plan, process, taken, stage, some)
        held += [(process, taken, {**row, **read.get(row["id"], {})}) for row in some]
    files = _files(work, held)
    return {
        values["id"]: Standing(taken, tuple(met_and_missing(work, process, taken, values, files.get(values["id"], {}))))
        for process, taken, values in held
    }


def _read(
    work: Work,
    plan: EntityPlan,
    process: ProcessApp,
    taken: TransitionApp,
    stage: str,
    rows: Sequence[Mapping[str, Any]],
) -> dict[int, dict[str, Any]]:
    """What the gate reads of other records, by record."""
    expressions = [each.expression for each in process.requirements(taken, stage) if each.expression is not None]
    reads = plan.reads([*expressions, *([taken.when] if taken.when is not None else [])])
    if reads.many is None:
        return {}
    found = work.w.all(reads.many, {**work.parameters, "ids": [row["id"] for row in rows]})
    return {id: dict(zip(reads.keys, values, strict=True)) for id, *values in found}


def _files(
    work: Work, held: Sequence[tuple[ProcessApp, TransitionApp, Mapping[str, Any]]]
) -> dict[int, dict[int, str]]:
    """The names of the files of those records whose gates ask for files of some kind."""
    ids = [
        values["id"]
        for process, taken, values in held
        if any(each.kind == "files" and each.accept for each in process.requirements(taken, values["stage"]))
    ]
    found: dict[int, dict[int, str]] = {}
    if ids:
        for record, id, name in work.w.all(work.plans.files_of, {"ids": ids}):
            found.setdefault(record, {})[id] = name
    return found


__all__ = ["Standing", "onward", "standings"]
