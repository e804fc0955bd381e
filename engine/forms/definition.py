"""The shapes of forms and views: how fields are laid out, never what they mean."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field as Key

from engine.forms.public import Public
from engine.shape import Formula, Names, Shape, Text


class Section(Shape):
    """A titled group of fields; policies may show or hide it as a whole."""

    label: Text | None = None
    help: Text | None = None
    columns: Literal[1, 2, 3] = 2
    fields: Names = Key(description="Fields of the entity, in order; children fields appear as tables.")
    visible_when: Formula | None = None


class Tab(Shape):
    """A page of a form or record: several sections under one heading."""

    label: Text | None = None
    sections: Names


class Form(Shape):
    """A form for creating or editing records of an entity. Without one, the entity's sections are the form."""

    entity: str
    was: str | None = None
    label: Text | None = None
    help: Text | None = None
    sections: dict[str, Section] = Key(description="Sections of this form, in order.")
    tabs: dict[str, Tab] = Key(
        default_factory=dict, description="Groups of sections; without tabs they follow one another."
    )
    for_: Literal["create", "edit", "both"] = Key("both", alias="for")
    roles: Names = Key((), description="Who gets this form instead of the derived one; empty: everybody.")
    public: Public | None = Key(
        None, description="Opens the form to everybody, without signing in; nobody inside gets it."
    )

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of all sections, in order, each once."""
        return tuple(dict.fromkeys(name for section in self.sections.values() for name in section.fields))


class MenuGroup(Shape):
    """Entities that stand together in the menu. Those that no group names stand in a last one of their own."""

    label: Text | None = None
    entities: Names = Key(description="Entities, in order; whoever may not see one has no entry for it.")
    folded: bool = Key(False, description="Closed until somebody opens it; the browser remembers what he opened.")


def _sort(value: object) -> object:
    return [value] if isinstance(value, str) else value


class View(Shape):
    """A named list: which records, in which order, with which columns. Its filters and sorts get indexes, its sums totals
    that are kept as records change."""

    entity: str
    was: str | None = None
    label: Text | None = None
    type: Literal["list"] = "list"
    where: Formula | None = None
    columns: Names = ()
    sort: Annotated[tuple[str, ...], BeforeValidator(_sort, json_schema_input_type=str | tuple[str, ...])] = Key(
        (), description="Fields; a leading minus means descending."
    )
    filters: Names = Key((), description="Fields offered as quick filters.")
    group: Names = Key(
        (), description="Fields by which the view's records are counted and summed: choices, yes/no, links, dates."
    )
    sum: Names = Key((), description="Numbers that are summed for each group.")
    default: bool = False
    roles: Names = Key((), description="Who sees the view; empty: everybody who may read the entity.")
