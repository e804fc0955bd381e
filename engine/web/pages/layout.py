"""Which fields stand where: the sections of a form or a record page for one reader.

A declared form decides; without one, the sections of the entity; without those, all fields.  What the reader may not see is
not there, and a section that would be empty is left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from engine.app import EntityApp
from engine.expressions import Expression
from engine.forms.definition import Form, Section
from engine.reading import Lens
from engine.web.pages.frame import Words

# The engine's own fields are shown by their own parts of the page: stage bar, gate, history.
_ENGINE = frozenset(
    {
        "id",
        "version",
        "deleted_at",
        "pipeline",
        "stage",
        "stage_entered_at",
        "checklist",
        "updated_at",
        "updated_by",
        "created_by",
    }
)


@dataclass(frozen=True)
class Part:
    """A titled group of fields. `path` is where its condition stands in the definition."""

    name: str
    label: str
    help: str
    columns: int
    fields: tuple[str, ...]
    visible_when: Expression | None = None


def form_of(lens: Lens, model: EntityApp, purpose: Literal["create", "edit"]) -> tuple[str, Form] | None:
    """The declared form for this reader, the most particular first: one for his roles before one for everybody."""
    principal = lens.principal
    fitting = [
        (name, form)
        for name, form in lens.app.forms.items()
        if form.entity == model.name
        and form.public is None
        and form.for_ in (purpose, "both")
        and (not form.roles or principal.administrator or principal.roles & set(form.roles))
    ]
    fitting.sort(key=lambda each: (not each[1].roles, each[1].for_ == "both"))
    return fitting[0] if fitting else None


def form_parts(lens: Lens, model: EntityApp, purpose: Literal["create", "edit"], t: Words) -> list[Part]:
    """The sections of a form with the fields that the reader sees there."""
    found = form_of(lens, model, purpose)
    if found is None:
        return record_parts(lens, model, t)
    name, form = found
    return _parts(lens, model, form.sections.items(), f"forms.{name}.sections", t)


@dataclass(frozen=True)
class FormTab:
    """A page of a form: the names of its sections."""

    name: str
    label: str
    sections: tuple[str, ...]


def form_tabs(
    lens: Lens, model: EntityApp, purpose: Literal["create", "edit"], t: Words, drawn: Iterable[str]
) -> list[FormTab]:
    """The tabs of a form over its `drawn` sections; empty where it has none. What stands in no tab joins the first."""
    found = form_of(lens, model, purpose)
    if found is None or not found[1].tabs:
        return []
    names = list(drawn)
    placed = {each for tab in found[1].tabs.values() for each in tab.sections}
    loose = [each for each in names if each not in placed]
    tabs: list[FormTab] = []
    for name, tab in found[1].tabs.items():
        own = [each for each in tab.sections if each in names]
        if own:
            sections = (*loose, *own) if not tabs else tuple(own)
            tabs.append(FormTab(name, tab.label[t.language] if tab.label else name, sections))
    return tabs if len(tabs) > 1 else []


def record_parts(lens: Lens, model: EntityApp, t: Words) -> list[Part]:
    """The sections of a record page: those of the entity, then everything that stands in none of them."""
    parts = _parts(lens, model, model.sections.items(), f"entities.{model.name}.sections", t)
    placed = {name for part in parts for name in part.fields} | {
        name for section in model.sections.values() for name in section.fields
    }
    rest = tuple(
        name
        for name in lens.fields(model.name)
        if name not in placed and name not in _ENGINE and not is_detail(model, name) and name != "created_at"
    )
    if rest:
        parts.append(Part("rest", t("other-fields") if parts else "", "", 2, rest))
    return parts


def is_detail(model: EntityApp, name: str) -> bool:
    """Whether a field is the small print of a score, shown with the score itself."""
    return any(name in (score.detail_field, score.band_field) for score in model.scores)


def _parts(lens: Lens, model: EntityApp, sections: Iterable[tuple[str, Section]], path: str, t: Words) -> list[Part]:
    visible = lens.fields(model.name)
    parts = []
    for name, section in sections:
        fields = tuple(each for each in section.fields if each in visible)
        if fields:
            label = section.label[t.language] if section.label else name
            help = section.help[t.language] if section.help else ""
            parts.append(
                Part(
                    name, label, help, section.columns, fields, lens.app.expressions.get(f"{path}.{name}.visible_when")
                )
            )
    return parts
