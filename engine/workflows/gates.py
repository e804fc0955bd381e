"""Why a record may not pass: every requirement of a gate held against a record, met and missing alike."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.columns import unpack
from engine.expressions import Expression
from engine.expressions.types import Context
from engine.problems import Label, Problem
from engine.workflows.process import Requirement, RequirementKind


@dataclass(frozen=True)
class Need:
    """One requirement held against one record. `words` says it to people; `providers` are roles that can help."""

    kind: RequirementKind
    name: str
    label: Label
    need: int
    have: int
    words: Label
    providers: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()

    @property
    def met(self) -> bool:
        return self.have >= self.need


def needs(
    requirements: Iterable[Requirement],
    values: Mapping[str, Any],
    context: Context,
    stage: str,
    roles: frozenset[str],
    role_labels: Mapping[str, Label],
    files: Mapping[int, str],
    everything: bool = False,
) -> list[Need]:
    """`values` are the stored values of the record's fields and of the requirements' non-local reads.

    `stage` is the stage whose checklist counts; `roles` are those of the person who asks; `files` names the record's files.
    """
    return [_need(each, values, context, stage, roles, role_labels, files, everything) for each in requirements]


def _need(
    requirement: Requirement,
    values: Mapping[str, Any],
    context: Context,
    stage: str,
    roles: frozenset[str],
    role_labels: Mapping[str, Label],
    files: Mapping[int, str],
    everything: bool,
) -> Need:
    r = requirement
    match r.kind:
        case "field":
            have = int(values.get(r.name) is not None)
        case "files":
            have = _files(values.get(r.name), r.accept, files)
        case "related":
            have = _number(r.expression, values, context)
        case "checklist":
            have = int(f"{stage}.{r.name}" in unpack(values.get("checklist")))
        case "roles":
            have = int(everything or bool(roles & set(r.roles)))
        case "rule":
            have = int(r.expression is not None and bool(r.expression.evaluate(values, context)))
    return Need(r.kind, r.name, r.label, r.need, have, _words(r, have, role_labels), r.providers, r.accept)


def _files(stored: str | None, accept: tuple[str, ...], names: Mapping[int, str]) -> int:
    held = json.loads(stored) if stored else []
    endings = tuple("." + ending.lower().lstrip(".") for ending in accept)
    return sum(1 for each in held if not endings or names.get(int(each), "").lower().endswith(endings))


def _number(expression: Expression | None, values: Mapping[str, Any], context: Context) -> int:
    found = expression.evaluate(values, context) if expression else 0
    return int(found or 0)


def _words(r: Requirement, have: int, role_labels: Mapping[str, Label]) -> Label:
    if r.say is not None and r.kind in ("rule", "related"):
        return r.say if r.kind == "rule" else Label(f"{r.say.zh}({have}/{r.need})", f"{r.say.en} ({have}/{r.need})")
    parameters: dict[str, Any] = {"label": r.label, "need": r.need, "have": have, "accept": "、".join(r.accept)}
    if r.kind == "roles":
        labels = [role_labels[name] for name in r.roles if name in role_labels]
        parameters["label"] = Label("、".join(each.zh for each in labels), ", ".join(each.en for each in labels))
    problem = Problem(f"gate-{r.kind}" + ("-typed" if r.kind == "files" and r.accept else ""), r.name, parameters)
    return Label(problem.message("zh"), problem.message("en"))
