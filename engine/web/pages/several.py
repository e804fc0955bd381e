"""Several records of a list at once: change a field, move on, delete; each by itself, with a report for each.

What is about to happen is shown first: how many may be moved, and what the others lack.  Changes can be taken back
together; stages have their own way back.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.responses import Response

from engine.app import EntityApp
from engine.problems import Problem, Refused
from engine.runtime import Bulk, Command, Delete, Outcome, Restore, Transition, Undo, Update
from engine.runtime.moves import Way
from engine.web import incoming
from engine.web.pages.cells import Titles
from engine.web.pages.filters import Option
from engine.web.pages.frame import Link, said
from engine.web.pages.gates import label_of, ways_of
from engine.web.pages.inputs import Draft, Inputs
from engine.web.pages.posted import Posted
from engine.web.pages.uploads import keep
from engine.web.pages.visit import AppVisit

MOST = 200
# Controls that make sense without the rest of a form.
SINGLE = ("text", "textarea", "number", "money", "percent", "date", "datetime", "select", "multiselect", "lookup", "user", "team", "checkbox",
          "phone", "email", "url", "region")  # fmt: skip


@dataclass(frozen=True)
class Chosen:
    """A record that was ticked, with the version that was seen."""

    id: int
    version: int
    title: str
    href: str


@dataclass(frozen=True)
class Line:
    """One record of a report or of what is about to happen. `words` are empty where nothing hinders it."""

    title: str
    href: str
    key: str
    done: bool
    words: tuple[str, ...] = ()


def post_several(visit: AppVisit) -> Response:
    """The next step of what the form asks for: the question, or the report once it is done."""
    model, do = visit.model(), visit.field("do")
    if do == "undo":
        return _undo(visit, model)
    chosen = _chosen(visit, model)
    if not chosen:
        return visit.go(visit.after(visit.href(model.name)), visit.t("several-none"))
    match do:
        case "edit":
            return _edit(visit, model, chosen)
        case "move":
            return _move(visit, model, chosen)
        case "delete":
            return _delete(visit, model, chosen)
        case "restore":
            return _carry_out(visit, model, chosen, [Restore(model.name, each.id) for each in chosen])
        case _:
            raise Refused(Problem("not-found", model.name), 404)


def _chosen(visit: AppVisit, model: EntityApp) -> list[Chosen]:
    """The ticked records that are there for the reader, in the order of the list."""
    seen: dict[int, int] = {}
    for text in visit.form.getlist("row") if visit.form is not None else ():
        id, _, version = str(text).partition(".")
        if version.isascii() and version.isdecimal() and len(version) < 10:
            seen[incoming.record_id(id)] = int(version)
    if len(seen) > MOST:
        raise Refused(Problem("too-many", "row", {"what": "row", "most": MOST}), 400)
    with visit.read() as r:
        titles = visit.lens.titles(r, model.name, seen)
    return [
        Chosen(id, version, titles[id] or visit.t("untitled"), visit.href(model.name, str(id)))
        for id, version in seen.items()
        if id in titles
    ]


def _ask(visit: AppVisit, model: EntityApp, chosen: Sequence[Chosen], do: str, **more: Any) -> Response:
    lines = [Line(each.title, each.href, f"{each.id}.{each.version}", True) for each in chosen]
    values: dict[str, Any] = {"lines": lines, "field": "", "fields": [], "input": None, "moves": [], "move": "", "reason": "none", "reasons": [],
                              "able": len(chosen), "step": "ask", "batch": ""}  # fmt: skip
    return visit.draw(
        "several.html", entity=visit.entity(model), do=do, after=visit.after(visit.href(model.name)),
        action=visit.href(model.name, "several"), **{**values, **more},
    )  # fmt: skip


# -- change a field ----------------------------------------------------------------------------------------------------------


def changeable(visit: AppVisit, model: EntityApp) -> list[str]:
    """The fields that can be given one value in many records."""
    writable = visit.lens.writable(model.name, "update")
    return [
        name
        for name, field in model.fields.items()
        if name in writable and field.widget in SINGLE and not field.unique and not field.derived
    ]


def _edit(visit: AppVisit, model: EntityApp, chosen: Sequence[Chosen]) -> Response:
    able = changeable(visit, model)
    name = visit.field("field")
    options = [Option(each, model.labels[each][visit.language], each == name) for each in able]
    if name not in able:
        return _ask(visit, model, chosen, "edit", fields=options)
    draft = Draft({})
    if visit.field("go"):
        assert visit.form is not None
        with visit.site.db.read() as r:
            posted = Posted(visit.form, visit.lens, r, partial(keep, visit), {}, visit.language)
            draft = posted.draft(model, {name: None})
        if not draft.problems:
            value = draft.values.get(name)
            return _carry_out(
                visit, model, chosen, [Update(model.name, each.id, {name: value}, each.version) for each in chosen]
            )
    with visit.read() as r:
        titles = Titles(visit.lens, r).of(model.name, [draft.values], [name])
        inputs = Inputs(visit.app, titles, draft, visit.t, creating=False)
        control = inputs.input(model, name, draft.values, writable=True)
    return _ask(visit, model, chosen, "edit", fields=options, field=name, input=control)


# -- move on -----------------------------------------------------------------------------------------------------------------


def _move(visit: AppVisit, model: EntityApp, chosen: Sequence[Chosen]) -> Response:
    with visit.read() as r:
        ways = {each.id: ways_of(visit, r, model, each.id) for each in chosen}
    labels = {way.transition.name: label_of(visit, way) for found in ways.values() for way in found}
    open_to = Counter(way.transition.name for found in ways.values() for way in found if way.open)
    name = visit.field("move")
    moves = [
        Option(each, f"{label}（{open_to[each]}/{len(chosen)}）" if visit.language == "zh" else f"{label} ({open_to[each]}/{len(chosen)})", each == name)
        for each, label in labels.items()
    ]  # fmt: skip
    if name not in labels:
        return _ask(visit, model, chosen, "move", moves=moves)
    reason = ": ".join(each for each in (visit.field("choice"), visit.field("reason").strip()) if each) or None
    if visit.field("go"):
        # For the others the answer is known; asking the write path would only say it in the words of the command.
        there = [each for each in chosen if any(way.transition.name == name for way in ways[each.id])]
        left = [_checked(visit, each, None) for each in chosen if each not in there]
        commands = [Transition(model.name, each.id, name=name, reason=reason, version=each.version) for each in there]
        return _carry_out(visit, model, there, commands, left)
    lines = [
        _checked(visit, each, next((w for w in ways[each.id] if w.transition.name == name), None)) for each in chosen
    ]
    taken = next(w.transition for found in ways.values() for w in found if w.transition.name == name)
    return _ask(
        visit, model, chosen, "move", lines=lines, moves=moves, move=name, able=sum(line.done for line in lines), reason=taken.reason,
        reasons=[Option(key, text[visit.language]) for key, text in taken.reasons.items()],
    )  # fmt: skip


def _checked(visit: AppVisit, each: Chosen, way: Way | None) -> Line:
    """Whether a record may take a transition, and what it lacks."""
    key = f"{each.id}.{each.version}"
    if way is None:
        return Line(each.title, each.href, key, False, (visit.t("several-no-way"),))
    refused = [way.refusal.message(visit.language)] if way.refusal is not None else []
    missing = [need.words[visit.language] for need in way.needs if not need.met]
    words = refused + (
        [visit.t("several-lacks", what=("、" if visit.language == "zh" else ", ").join(missing))] if missing else []
    )
    return Line(each.title, each.href, key, not words, tuple(words))


# -- delete, carry out, take back --------------------------------------------------------------------------------------------


def _delete(visit: AppVisit, model: EntityApp, chosen: Sequence[Chosen]) -> Response:
    if not visit.field("go"):
        return _ask(visit, model, chosen, "delete")
    return _carry_out(visit, model, chosen, [Delete(model.name, each.id, each.version) for each in chosen])


def _carry_out(
    visit: AppVisit, model: EntityApp, chosen: Sequence[Chosen], commands: Sequence[Command], left: Sequence[Line] = ()
) -> Response:
    """Do it, each record by itself, and report; `left` are those for which nothing could be done."""
    outcome = visit.site.runtime.execute(visit.app, visit.principal, Bulk(tuple(commands)))
    lines = [*left, *(_result(visit, each, result) for each, result in zip(chosen, outcome.results, strict=True))]
    done = sum(line.done for line in lines)
    # Those that failed come first: they are what is left to do.
    return _ask(
        visit, model, chosen, visit.field("do"), step="report", lines=sorted(lines, key=lambda line: line.done), able=done,
        batch=str(outcome.batch) if done and visit.field("do") != "move" else "",
    )  # fmt: skip


def _result(visit: AppVisit, each: Chosen, result: Outcome) -> Line:
    found = said(result.problems, visit.language)
    words = tuple(f"{one.message} {one.hint}".strip() for one in found)
    return Line(each.title, each.href, str(each.id), not result.problems, words)


def _undo(visit: AppVisit, model: EntityApp) -> Response:
    batch = incoming.record_id(visit.field("batch"))
    outcome = visit.site.runtime.execute(visit.app, visit.principal, Undo(batch))
    return visit.go(visit.after(visit.href(model.name)), visit.t("several-undone", count=len(outcome.results)))


def several_actions(visit: AppVisit, model: EntityApp) -> list[Option]:
    """What can be done with ticked rows of a list."""
    lens = visit.lens
    found = []
    if lens.may(model.name, "update") and changeable(visit, model):
        found.append(Option("edit", visit.t("several-edit")))
    if model.processes and lens.may(model.name, "transition"):
        found.append(Option("move", visit.t("several-move")))
    if lens.may(model.name, "delete"):
        found.append(Option("delete", visit.t("several-delete")))
    return found


def several_locked(visit: AppVisit, model: EntityApp) -> list[Link]:
    """What others do with ticked rows and the reader may not, each with the address that says why."""
    lens, t, place = visit.lens, visit.t, visit.href(model.name, "why")
    found = []
    if not lens.may(model.name, "update"):
        found.append(Link(t("several-edit"), f"{place}?action=update"))
    if model.processes and not lens.may(model.name, "transition"):
        found.append(Link(t("several-move"), f"{place}?action=transition"))
    if not lens.may(model.name, "delete"):
        found.append(Link(t("several-delete"), f"{place}?action=delete"))
    return found
