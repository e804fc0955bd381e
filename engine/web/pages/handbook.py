"""The app's own help: a handbook that the definition writes, of what the reader may see and do.

What is hidden from him is not in it: no entity, no field, no stage of a process that he may not read.
"""

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from engine.access.definition import Action
from engine.app import EntityApp
from engine.web.pages.events import span_words
from engine.web.pages.layout import record_parts
from engine.web.pages.visit import AppVisit
from engine.workflows.process import ProcessApp, Requirement, StageApp

_ACTIONS: tuple[Action, ...] = ("create", "update", "transition", "convert", "delete", "restore", "merge", "import", "export", "handover")  # fmt: skip


@dataclass(frozen=True)
class FieldHelp:
    label: str
    kind: str
    help: str
    required: bool


@dataclass(frozen=True)
class StageHelp:
    """`needs` are (heading, what is asked for); `ways` where one may go on to."""

    label: str
    help: str
    notes: tuple[str, ...]
    needs: tuple[tuple[str, tuple[str, ...]], ...]
    ways: tuple[str, ...]


@dataclass(frozen=True)
class Chapter:
    name: str
    label: str
    icon: str
    href: str
    help: str
    may: tuple[str, ...]
    sections: tuple[tuple[str, str, tuple[FieldHelp, ...]], ...]
    processes: tuple[tuple[str, str, tuple[StageHelp, ...]], ...]


def get_help(visit: AppVisit) -> Response:
    """The whole handbook, or with `?on=entity` the chapter of one entity."""
    visit.current = "~help"
    asked = dict(visit.query).get("on", "")
    models = [visit.app.entities[name] for name in visit.lens.entities()]
    whole = sorted((model for model in models if model.part_of is None), key=visit.rank)
    chosen = [model for model in whole if model.name == asked]
    shown = chosen or whole[:1]
    definition = visit.app.definition
    contents = [visit.entity(model) for model in whole]
    return visit.draw(
        "help.html",
        about=definition.help[visit.language] if definition.help else "",
        contents=contents,
        on=shown[0].name if shown else "",
        chapters=[_chapter(visit, model) for model in shown],
    )


def _chapter(visit: AppVisit, model: EntityApp) -> Chapter:
    t, link = visit.t, visit.entity(model)
    definition = model.definition
    may = tuple(visit.app.action_label(action)[t.language] for action in _ACTIONS if visit.lens.may(model.name, action))
    parts = record_parts(visit.lens, model, t)
    sections = tuple((part.label, part.help, tuple(_field(visit, model, name) for name in part.fields if name in model.fields)) for part in parts)  # fmt: skip
    processes: tuple[Any, ...] = ()
    if "stage" in visit.lens.fields(model.name):
        found = [visit.app.processes[name] for name in model.processes]
        processes = tuple((each.label[t.language], each.definition.help[t.language] if each.definition.help else "", _stages(visit, each)) for each in found)  # fmt: skip
    help = definition.help[t.language] if definition and definition.help else ""
    return Chapter(model.name, link.label, link.icon, link.href, help, may, sections, processes)


def _field(visit: AppVisit, model: EntityApp, name: str) -> FieldHelp:
    field, language = model.fields[name], visit.language
    title = type(field).title[language]
    return FieldHelp(model.labels[name][language], title, field.help[language] if field.help else "", field.required)


def _stages(visit: AppVisit, process: ProcessApp) -> tuple[StageHelp, ...]:
    return tuple(_stage(visit, process, stage) for stage in process.stages.values() if not stage.failed)


def _stage(visit: AppVisit, process: ProcessApp, stage: StageApp) -> StageHelp:
    t, declared = visit.t, stage.definition
    label = stage.label[t.language]
    notes = []
    if declared.owner:
        notes.append(t("book-owner", role=visit.app.role_label(declared.owner)[t.language]))
    if declared.limit:
        notes.append(t("book-limit", limit=span_words(declared.limit, t)))
    gates = (("book-enter", stage.entry), ("book-leave", stage.exit))
    needs = tuple(
        (t(code, stage=label), tuple(_need(visit, process, each) for each in asked if _known(visit, process, each)))
        for code, asked in gates
        if asked
    )
    ways = dict.fromkeys(each.label[t.language] for each in process.leaving(stage.name))
    return StageHelp(label, declared.help[t.language] if declared.help else "", tuple(notes), needs, tuple(ways))


def _known(visit: AppVisit, process: ProcessApp, need: Requirement) -> bool:
    """Whether the reader may know of what is asked for: nothing that speaks of a field hidden from him."""
    fields = visit.lens.fields(process.entity)
    if need.kind in ("field", "files"):
        return need.name in fields
    return need.expression is None or all(
        visit.lens.view.field(entity, name) is not None for entity, name in need.expression.fields
    )


def _need(visit: AppVisit, process: ProcessApp, need: Requirement) -> str:
    t = visit.t
    words = (need.say or need.label)[t.language] if need.kind == "rule" else need.label[t.language]
    if need.kind == "roles":
        words = ("、" if t.language == "zh" else ", ").join(
            visit.app.role_label(role)[t.language] for role in need.roles
        )
    if need.accept:
        words = t("book-accept", what=words, kinds=", ".join(each.upper() for each in need.accept))
    return t("book-count", what=words, count=need.need) if need.need > 1 else words
