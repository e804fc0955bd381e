"""The demo data of every package names only what exists: fields, options, stages, lists of words, paths, roles."""

import re
from collections.abc import Iterator
from typing import Any

from engine.app import App, EntityApp
from engine.fields.choice import Choosing
from engine.shape import as_list

WORD = re.compile(r"\{(\w+)\}")
MARKS = (
    {"from", "to"},
    {"now"},
    {"since", "of", "otherwise"},
    {"part", "from", "to"},
    {"share", "of"},
    {"turn"},
    {"by", "cases", "otherwise"},
    {"same", "otherwise"},
    {"role"},
    {"team"},
    {"files"},
)


def faults(app: App, model: EntityApp, name: str, shape: Any) -> Iterator[str]:
    """What is wrong with a shape of the values of one field."""
    sample, field = app.definition.sample, model.fields.get(name)
    if field is None or field.derived:
        yield f"{name} is not to be filled"
    elif isinstance(shape, list):
        for each in shape:
            yield from faults(app, model, name, each)
    elif isinstance(shape, dict):
        yield from _marked(app, model, name, shape)
    elif isinstance(shape, str):
        yield from (f"no list {word}" for word in WORD.findall(shape) if word not in {"seq", *sample.lists})
        if isinstance(field, Choosing) and shape not in field.options:
            yield f"{name} has no option {shape}"


def _marked(app: App, model: EntityApp, name: str, shape: dict[str, Any]) -> Iterator[str]:
    field = model.fields[name]
    if not any(set(shape) <= marks for marks in MARKS):
        for value, weight in shape.items():
            yield from faults(app, model, name, value)
            if not isinstance(weight, int):
                yield f"{name}: {weight!r} is no weight"
        return
    for each in (
        *as_list(shape.get("turn", [])),
        *([shape["of"]] if "of" in shape else []),
        *([shape["otherwise"]] if "otherwise" in shape else []),
    ):
        yield from faults(app, model, name, each)
    if "by" in shape:
        by = model.fields.get(shape["by"])
        if not isinstance(by, Choosing):
            yield f"{shape['by']} is no choice"
            return
        for case, inner in shape["cases"].items():
            yield from faults(app, model, name, inner)
            if case not in by.options:
                yield f"{shape['by']} knows no case {case}"
    for path in (shape[mark] for mark in ("same", "part") if mark in shape):
        other: EntityApp | None = model
        *hops, last = path.split(".")
        for hop in hops:
            other = app.entities.get(other.lookups.get(hop, "")) if other else None
        if other is None or last not in other.fields:
            yield f"{path} leads nowhere"
    if "team" in shape and shape["team"] not in app.definition.sample.teams:
        yield f"there is no team {shape['team']}"
    if "role" in shape and not any(shape["role"] in person.roles for person in app.definition.sample.people.values()):
        yield f"nobody is {shape['role']}"
    if "files" in shape:
        endings = getattr(field, "endings", None)
        if endings is None or (endings and not set(shape["files"]) <= set(endings)):
            yield f"{name} takes no {', '.join(shape['files'])}"


def test_demo_data_names_only_what_exists(app: App, package: str) -> None:
    wrong = []
    for entity, make in app.definition.sample.make.items():
        model = app.entities[entity]
        for name, shape in make.fields.items():
            wrong += [f"{entity}.{name}: {fault}" for fault in faults(app, model, name, shape)]
        if make.per is not None and make.per not in model.lookups:
            wrong.append(f"{entity}: {make.per} is no lookup")
        for process, stages in make.stages.items():
            known = app.processes[process]
            wrong += [f"{entity}: no stage {stage}" for stage in stages if stage not in known.stages]
            wrong += [] if known.entity == entity else [f"{process} is not for {entity}"]
    # A preset may leave cases behind that never arise.
    assert [fault for fault in wrong if ":" not in package or "knows no case" not in fault] == []
