"""The gate on a page: what a transition still needs, who can provide it, and the action that does so right there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from engine.app import EntityApp
from engine.fields.files import Attached
from engine.problems import Problem, Refused
from engine.runtime import Tick, Transition
from engine.runtime.moves import Way, ways
from engine.web.pages.cells import Titles, cell, shown
from engine.web.pages.filters import Option
from engine.web.pages.frame import Link, said
from engine.web.pages.inputs import Draft, Input, Inputs
from engine.web.pages.visit import AppVisit
from engine.workflows.gates import Need
from engine.workflows.process import ProcessApp, Requirement

# Shown in a popover beside the need; other controls need the whole form.
_SMALL = ("text", "textarea", "number", "money", "percent", "date", "datetime", "duration", "select", "multiselect", "lookup", "user", "team",
          "checkbox", "phone", "email", "url", "region", "address", "location")  # fmt: skip


@dataclass(frozen=True)
class Item:
    """One need. `action` is upload, tick, fill, add, edit or empty; `have` says how much of it is there."""

    label: str
    met: bool
    have: str = ""
    who: str = ""
    action: str = ""
    field: str = ""
    input: Input | None = None
    accept: str = ""
    many: bool = False
    href: str = ""
    words: str = ""


@dataclass(frozen=True)
class Gate:
    stage: str
    target: str
    needs: tuple[Item, ...]
    href: str
    after: str
    version: int

    @property
    def met(self) -> int:
        return sum(need.met for need in self.needs)

    @property
    def all(self) -> int:
        return len(self.needs)

    @property
    def missing(self) -> int:
        return self.all - self.met


@dataclass(frozen=True)
class Move:
    """A button that takes a transition: `post` does it at once, `href` leads to what is missing or to a question."""

    name: str
    label: str
    href: str = ""
    post: str = ""
    missing: int = 0


def ways_of(visit: AppVisit, r: Any, model: EntityApp, id: int) -> list[Way]:
    """The transitions out of where a record stands. Raises Refused (404)."""
    return ways(visit.site.runtime.work(visit.app, visit.principal, r), model, id)


def forward(visit: AppVisit, found: Sequence[Way]) -> Way | None:
    """The way on: the first forward transition that is no failure, one that the reader may take before others."""
    onward = [way for way in found if way.transition.direction == "forward" and not _fails(visit, way)]
    return next((way for way in onward if way.refusal is None), onward[0] if onward else None)


def _fails(visit: AppVisit, way: Way) -> bool:
    return any(
        way.transition is each and process.stages[each.to].failed
        for process in visit.app.processes.values()
        for each in process.transitions.values()
    )


def gate_of(
    visit: AppVisit,
    model: EntityApp,
    record: Mapping[str, Any],
    found: Sequence[Way],
    titles: Titles,
    way: Way | None = None,
) -> Gate | None:
    """The gate before the way on (or before `way`); None where nothing is asked for."""
    way = way or forward(visit, found)
    process = visit.app.processes.get(record.get("pipeline") or "")
    if way is None or not way.needs or process is None:
        return None
    t = visit.t
    href = visit.href(model.name, str(visit.id))
    requirements = process.requirements(way.transition, record["stage"])
    items = [_item(visit, model, record, need, _requirement(requirements, need), titles, process) for need in way.needs]
    stage, target = process.stages[record["stage"]].label, process.stages[way.transition.to].label
    ordered = tuple(sorted(items, key=lambda item: item.met))
    return Gate(
        stage[t.language],
        target[t.language],
        _paired(ordered),
        href,
        visit.path if visit.request.method == "GET" else href,
        record["version"],
    )


def _paired(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """Two columns, missing at the left and met at the right, while both last."""
    missing, met = [item for item in items if not item.met], [item for item in items if item.met]
    pairs = [item for pair in zip(missing, met, strict=False) for item in pair]
    rest = missing[len(met) :] or met[len(missing) :]
    return (*pairs, *rest)


def _requirement(requirements: Sequence[Requirement], need: Need) -> Requirement | None:
    return next((each for each in requirements if each.kind == need.kind and each.name == need.name), None)


def _item(
    visit: AppVisit,
    model: EntityApp,
    record: Mapping[str, Any],
    need: Need,
    requirement: Requirement | None,
    titles: Titles,
    process: ProcessApp,
) -> Item:
    t, lens = visit.t, visit.lens
    writable = lens.writable(model.name, "update")
    label = need.label[t.language]
    who = "" if need.met else providers(visit, need)
    href = visit.href(model.name, str(visit.id))
    match need.kind:
        case "files":
            each = model.fields[need.name]
            endings = need.accept or (each.endings if isinstance(each, Attached) else ())
            label = (
                f"{label}{'，' if t.language == 'zh' else ', '}{'、'.join(ending.upper() for ending in need.accept)}"
                if need.accept
                else label
            )
            may = need.name in writable and not need.met
            accept = ",".join(f".{ending.lstrip('.')}" for ending in endings)
            many = isinstance(each, Attached) and each.most > 1
            return Item(
                label,
                need.met,
                f"{need.have} / {need.need}",
                who,
                "upload" if may else "",
                need.name,
                accept=accept,
                many=many,
            )
        case "related":
            entity, lookup = model.relations[need.name]
            may = lens.may(entity, "create") and not need.met
            other = visit.app.entities[entity].label[t.language]
            add = f"{visit.href(entity, 'new')}?{lookup}={visit.id}&after={quote(href, safe='')}"
            return Item(
                label,
                need.met,
                f"{need.have} / {need.need}",
                who,
                "add" if may else "",
                need.name,
                href=add,
                words=other,
            )
        case "checklist":
            return Item(label, need.met, "", who, "tick" if lens.may(model.name, "update") else "", need.name)
        case "field":
            held = shown_value(visit, model, need.name, record, titles) if need.met else ""
            return Item(
                label,
                need.met,
                held,
                who,
                *_fill(visit, model, need.name, record, titles, not need.met and need.name in writable),
                href=f"{href}/edit#f-{need.name}",
            )
        case "roles":
            return Item(need.words[t.language], need.met)
        case _:
            names = sorted(requirement.expression.locals & writable) if requirement and requirement.expression else []
            words = (requirement.say if requirement and requirement.say else need.label)[t.language]
            if len(names) == 1:
                held = shown_value(visit, model, names[0], record, titles)
                return Item(
                    words,
                    need.met,
                    held,
                    who,
                    *_fill(visit, model, names[0], record, titles, not need.met),
                    href=f"{href}/edit#f-{names[0]}",
                )
            return Item(
                words,
                need.met,
                "",
                who,
                "edit" if names and not need.met else "",
                href=f"{href}/edit" + (f"#f-{names[0]}" if names else ""),
            )


def _fill(
    visit: AppVisit, model: EntityApp, name: str, record: Mapping[str, Any], titles: Titles, may: bool
) -> tuple[str, str, Input | None]:
    """The action that fills one field: in a popover where its control is small, else in the form."""
    if not may:
        return "", name, None
    if model.fields[name].widget not in _SMALL:
        return "edit", name, None
    inputs = Inputs(visit.app, titles, Draft(dict(record)), visit.t, creating=False)
    return "fill", name, inputs.input(model, name, record, writable=True)


def shown_value(visit: AppVisit, model: EntityApp, name: str, record: Mapping[str, Any], titles: Titles) -> str:
    text = cell(visit.app, model, name, record.get(name), titles, visit.language).text
    return text if len(text) <= 24 else ""


def providers(visit: AppVisit, need: Need) -> str:
    """Who can provide something: you, or those roles that may."""
    if visit.principal.roles & set(need.providers):
        return visit.t("gate-who", who=visit.t("gate-you"))
    labels = [visit.app.role_label(role)[visit.language] for role in need.providers[:4]]
    return visit.t("gate-who", who=("、" if visit.language == "zh" else ", ").join(labels)) if labels else ""


# -- moving ------------------------------------------------------------------------------------------------------------------


def label_of(visit: AppVisit, way: Way) -> str:
    """What a button says: the transition's own words, or where it leads."""
    process, taken = _process(visit, way), way.transition
    stage = process.stages[taken.to].label[visit.language]
    own = taken.label[visit.language]
    if own != stage:
        return own
    kind = "move-to" if taken.direction == "forward" else "return-to" if taken.direction == "return" else "skip-to"
    return visit.t(kind, stage=stage)


def _process(visit: AppVisit, way: Way) -> ProcessApp:
    return next(
        process
        for process in visit.app.processes.values()
        if process.transitions.get(way.transition.name) is way.transition
    )


def main_move(visit: AppVisit, href: str, found: Sequence[Way], gate: Gate | None) -> Move | None:
    """The one filled button of the page; never a dead one: it leads to what is missing."""
    way = forward(visit, found)
    if way is None or way.refusal is not None:
        return None
    label, name = label_of(visit, way), way.transition.name
    if gate is not None and gate.missing:
        return Move(name, label, href="#gate", missing=gate.missing)
    if way.transition.reason == "none":
        return Move(name, label, post=f"{href}/move/{name}")
    return Move(name, label, href=f"{href}/move/{name}")


def other_moves(visit: AppVisit, href: str, found: Sequence[Way], main: Move | None) -> list[Link]:
    """The other ways out, for the menu."""
    icons = {"forward": "gate", "return": "undo", "skip": "next"}
    return [
        Link(label_of(visit, way), f"{href}/move/{way.transition.name}", icons[way.transition.direction])
        for way in found
        if way.refusal is None and (main is None or way.transition.name != main.name)
    ]


def get_move(visit: AppVisit) -> Response:
    return _draw(visit)


def post_move(visit: AppVisit) -> Response:
    """Take a transition; a refusal shows everything that is missing."""
    model, name = visit.model(), visit.request.path_params["transition"]
    # A chosen reason is kept by its key, so that it can be counted and read in both languages.
    reason = ": ".join(each for each in (visit.field("choice"), visit.field("reason").strip()) if each)
    command = Transition(model.name, visit.id, name=name, reason=reason or None, version=visit.number("~version"))
    href = visit.href(model.name, str(visit.id))
    with visit.read() as r:
        before = visit.lens.get(r, model.name, visit.id, ("pipeline", "stage"))
    try:
        outcome = visit.site.runtime.execute(visit.app, visit.principal, command)
    except Refused as error:
        if error.status == 404:
            raise
        return _draw(visit, error.status, error.problems)
    process = visit.app.processes[(before or {})["pipeline"]]
    source, target = process.stages[(before or {})["stage"]].label, process.stages[process.transitions[name].to].label
    note = visit.t("moved", source=source[visit.language], target=target[visit.language])
    return visit.go(visit.after(href), note, [problem.message(visit.language) for problem in outcome.warnings])


def _draw(visit: AppVisit, status: int = 200, problems: Sequence[Problem] = ()) -> Response:
    """The page of one transition. Raises Refused (404) if it is no way out of where the record is."""
    return visit.draw("move.html", status, **move_values(visit, visit.request.path_params["transition"], problems))


def move_values(visit: AppVisit, name: str, problems: Sequence[Problem] = (), after: str = "") -> dict[str, Any]:
    """What is asked for on the way of a transition. `after` is where to go when something that is missing was provided."""
    model, lens, t = visit.model(), visit.lens, visit.t
    with visit.read() as r:
        names = tuple(each for each, one in lens.fields(model.name).items() if one.stored)
        record = lens.get(r, model.name, visit.id, names)
        if record is None or not record.get("pipeline"):
            raise Refused(Problem("not-found", model.name), 404)
        titles = Titles(lens, r, visit.files(r)).of(model.name, [record], names)
        found = ways_of(visit, r, model, visit.id)
        way = next((each for each in found if each.transition.name == name), None)
        if way is None:
            raise Refused(Problem("not-found", model.name), 404)
        gate = gate_of(visit, model, record, found, titles, way)
        if gate is not None and after:
            gate = replace(gate, after=after)
    process, taken = visit.app.processes[record["pipeline"]], way.transition
    told = [way.refusal] if way.refusal is not None and not problems else problems
    # What is missing is shown by the gate itself, one by one.
    told = [problem for problem in told if problem.code not in ("gate-missing", "gate-blocked")] if gate else told
    href = visit.href(model.name, str(visit.id))
    return {
        "title": shown(model.fields[model.title], record.get(model.title), t.language) or t("untitled"),
        "href": href,
        "action": f"{href}/move/{name}",
        "label": label_of(visit, way),
        "source": process.stages[record["stage"]].label[t.language],
        "target": process.stages[taken.to].label[t.language],
        "gate": gate,
        "version": record["version"],
        "reason": taken.reason,
        "reasons": [Option(key, text[t.language], key == visit.field("choice")) for key, text in taken.reasons.items()],
        "typed": visit.field("reason"),
        "problems": said(told, t.language),
    }


def post_tick(visit: AppVisit) -> Response:
    model = visit.model()
    done = visit.field("done") != "false"
    visit.site.runtime.execute(visit.app, visit.principal, Tick(model.name, visit.id, visit.field("item"), done))
    return visit.go(visit.after(visit.href(model.name, str(visit.id))))
