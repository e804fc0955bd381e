"""Moving through a process: transitions, gates, checklists, and the record of where a record has been."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.app import EntityApp
from engine.columns import pack, unpack
from engine.problems import Label, Problem, Refused
from engine.runtime.commands import Tick, Transition
from engine.runtime.work import Draft, Work
from engine.workflows.gates import Need, needs
from engine.workflows.process import ProcessApp, TransitionApp


@dataclass(frozen=True)
class Way:
    """A transition that is open to somebody from where a record stands, and what it still needs."""

    transition: TransitionApp
    needs: tuple[Need, ...]
    refusal: Problem | None = None

    @property
    def open(self) -> bool:
        return self.refusal is None and all(need.met for need in self.needs)


def transition(work: Work, command: Transition) -> Draft:
    """Take a transition. Raises Refused with everything that is missing at once."""
    model = work.model(command.entity, "transition")
    draft, writable = work.load(model, command.id, "transition", command.version)
    process = process_of(work, draft)
    origin = draft.after["stage"]
    taken = _chosen(work, process, origin, command, model)
    refusal = refused(work, process, taken, model)
    if refusal is not None:
        raise Refused(refusal, 403)
    if command.values:
        # What is saved on the way needs the right to change the record as well.
        work.apply(
            draft,
            command.values,
            writable if "update" not in _actions(work, model) else work.permitted(model, command.id, "update"),
        )
    reason = (command.reason or "").strip()[:2000] or None
    if taken.reason == "required" and reason is None:
        reasons = (
            "、".join(label.zh for label in taken.reasons.values()),
            ", ".join(label.en for label in taken.reasons.values()),
        )
        raise Refused(
            Problem(
                "reason-missing",
                "reason",
                {"transition": taken.label, "reasons": Label(*reasons) if taken.reasons else None},
            )
        )
    if command.values:
        work.change(draft)
        draft = Draft(model, draft.id, dict(draft.after), dict(draft.after), draft.given)
    blocked = _missing(work, process, taken, draft)
    if blocked:
        raise Refused([_summary(work, process, origin, blocked), *(_problem(work, need) for need in blocked)])
    move(work, draft, process, taken, reason)
    return draft


def _actions(work: Work, model: EntityApp) -> frozenset[str]:
    return frozenset(action for grant in work.lens.view.permit(model.name).grants for action in grant.actions)


def move(work: Work, draft: Draft, process: ProcessApp, taken: TransitionApp, reason: str | None) -> None:
    """Change the stage, set what the new stage sets, and keep the account of time."""
    origin = draft.after["stage"]
    entered = draft.after["stage_entered_at"]
    target = process.stages[taken.to]
    draft.after |= {"stage": taken.to, "stage_entered_at": work.now}
    if target.sets:
        plan = work.plans.entity(draft.model.name)
        values = {**draft.after, **work.fetch(plan, list(target.sets.values()), draft.id)}
        draft.after |= {name: expression.evaluate(values, work.context) for name, expression in target.sets.items()}
    spent = work.app.calendar.working(entered, work.now) if entered is not None else 0
    work.w.run(work.plans.stage_leave, {"for_record": draft.id, "at": work.now, "spent": spent})
    work.change(draft, action="transition", cause=work.cause)
    work.log_stage(draft, origin, taken.direction, taken.name, reason, work.now)


def process_of(work: Work, draft: Draft) -> ProcessApp:
    process = work.app.processes.get(draft.after.get("pipeline") or "")
    if process is None:
        raise Refused(Problem("no-process", draft.model.name, {"entity": draft.model.label}))
    return process


def _chosen(work: Work, process: ProcessApp, origin: str, command: Transition, model: EntityApp) -> TransitionApp:
    taken = process.transitions.get(command.name) if command.name else process.between(origin, command.to or "")
    if taken is None or origin not in taken.origins:
        here = process.stages[origin].label if origin in process.stages else Label.of(origin)
        to = taken.to if taken else command.to or command.name or ""
        there = process.stages[to].label if to in process.stages else Label.of(to)
        ways = process.leaving(origin)
        open_ = (
            Label("、".join(each.label.zh for each in ways), ", ".join(each.label.en for each in ways))
            if ways
            else None
        )
        raise Refused(Problem("transition-unknown", "to", {"origin": here, "to": there, "open": open_}), 409)
    return taken


def refused(work: Work, process: ProcessApp, taken: TransitionApp, model: EntityApp) -> Problem | None:
    """Why somebody may not take a transition, whatever the record holds; None if he may."""
    if work.principal.administrator:
        return None
    permit = work.lens.view.permit(model.name)
    granted = [
        grant for grant in permit.of("transition") if grant.transitions is None or taken.name in grant.transitions
    ]
    if not granted or (taken.by and not work.principal.roles & set(taken.by)):
        names = taken.by or tuple(
            role
            for role, grants in work.app.policies.grants.items()
            if model.name in grants and "transition" in grants[model.name].actions
        )
        labels = [work.app.role_label(name) for name in names]
        roles = Label("、".join(label.zh for label in labels), ", ".join(label.en for label in labels))
        return Problem("transition-roles", "transition", {"transition": taken.label, "roles": roles})
    return None


def held(work: Work, process: ProcessApp, taken: TransitionApp, draft: Draft) -> list[Need]:
    """Every requirement of a transition held against a written record, met and missing alike."""
    requirements = process.requirements(taken, draft.after["stage"])
    expressions = [each.expression for each in requirements if each.expression is not None]
    conditions = [taken.when] if taken.when is not None else []
    values = {**draft.after, **work.fetch(work.plans.entity(draft.model.name), [*expressions, *conditions], draft.id)}
    files: Mapping[int, str] = {}
    if any(each.kind == "files" and each.accept for each in requirements):
        files = dict(work.w.all(work.plans.file_names, {"id": draft.id}))
    return met_and_missing(work, process, taken, values, files)


def met_and_missing(
    work: Work, process: ProcessApp, taken: TransitionApp, values: Mapping[str, Any], files: Mapping[int, str]
) -> list[Need]:
    """The same of a record with these stored values and reads, and these names of its files."""
    origin = values["stage"]
    requirements = process.requirements(taken, origin)
    target = process.stages[taken.to]
    labels = {name: work.app.role_label(name) for name in work.app.definition.roles}
    entry = set(map(id, target.entry))
    leaving = [each for each in requirements if id(each) not in entry]
    roles, everything = work.principal.roles, work.principal.administrator
    found = needs(leaving, values, work.context, origin, roles, labels, files, everything)
    found += needs(target.entry, values, work.context, taken.to, roles, labels, files, everything)
    if taken.when is not None:
        have = int(bool(taken.when.evaluate(values, work.context)))
        words = taken.say or work.app.say(taken.when)
        found.append(Need("rule", taken.name, taken.label, 1, have, words))
    return found


def _missing(work: Work, process: ProcessApp, taken: TransitionApp, draft: Draft) -> list[Need]:
    return [need for need in held(work, process, taken, draft) if not need.met]


def _summary(work: Work, process: ProcessApp, origin: str, missing: list[Need]) -> Problem:
    words = Label("、".join(need.words.zh for need in missing), ", ".join(need.words.en for need in missing))
    return Problem(
        "gate-blocked",
        "stage",
        {"origin": process.stages[origin].label, "count": len(missing), "missing": words, "who": None},
    )


def _problem(work: Work, need: Need) -> Problem:
    labels = [work.app.role_label(role) for role in need.providers]
    who = Label("、".join(label.zh for label in labels), ", ".join(label.en for label in labels)) if labels else None
    parameters: dict[str, Any] = {
        "words": need.words,
        "who": who,
        "kind": need.kind,
        "need": need.need,
        "have": need.have,
    }
    return Problem("gate-missing", need.name, parameters)


def ways(work: Work, model: EntityApp, id: int) -> list[Way]:
    """Every transition out of the stage a record is in: what it needs, and whether the principal may take it at all."""
    draft = work.find(model, id)
    if draft is None or draft.after["deleted_at"] is not None or work.lens.shown(work.w, model.name, id) is None:
        raise Refused(Problem("not-found", model.name), 404)
    if not model.processes:
        return []
    process = process_of(work, draft)
    allowed = work.lens.allowed(work.w, model.name, "transition", id)
    out = []
    for taken in process.leaving(draft.after["stage"]):
        refusal = refused(work, process, taken, model)
        if refusal is None and not allowed:
            refusal = work.refused(model, "transition").problems[0]
        out.append(Way(taken, tuple(held(work, process, taken, draft)), refusal))
    return out


def tick(work: Work, command: Tick) -> Draft:
    """Tick or untick an item of a checklist, by its key within the stage or as `stage.item`."""
    model = work.model(command.entity, "update")
    draft, _ = work.load(model, command.id, "update")
    process = process_of(work, draft)
    item = command.item if "." in command.item else f"{draft.after['stage']}.{command.item}"
    stage, _, key = item.partition(".")
    known = process.stages.get(stage)
    if known is None or not any(each.kind == "checklist" and each.name == key for each in (*known.entry, *known.exit)):
        raise Refused(Problem("checklist-unknown", "item", {"item": command.item}))
    ticked = [each for each in unpack(draft.after["checklist"]) if each != item] + ([item] if command.done else [])
    draft.after["checklist"] = pack(sorted(ticked))
    work.change(draft)
    return draft
