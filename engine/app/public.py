"""Public forms, compiled: what each asks by which way, what the server fills in, until when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from engine.columns import days
from engine.definition.model import AppDefinition
from engine.fields import Field
from engine.fields.files import Attached
from engine.forms.definition import Form
from engine.forms.public import Public
from engine.problems import Label

_DOOR = "form:"  # no role has such a name


@dataclass(frozen=True)
class PublicForm:
    """`fills` are JSON values by way and field, `asks` the fields asked by each way; None is the form's own address.

    `last` is the last day it is open, in days since 1970, None for ever.  `upload` is how many bytes of files an answer may
    bring.
    """

    name: str
    entity: str
    label: Label
    definition: Form
    public: Public
    fills: Mapping[str | None, Mapping[str, Any]]
    asks: Mapping[str | None, tuple[str, ...]]
    last: int | None
    upload: int

    @property
    def door(self) -> str:
        """What its visitors are known by: instead of a role."""
        return door_of(self.name)

    def cause(self, channel: str | None) -> str:
        """What the journal says brought a record: `form:ask`, `form:ask:fair`."""
        return self.door if channel is None else f"{self.door}:{channel}"

    def way_label(self, channel: str | None) -> Label | None:
        """What a channel is called; None for the form's own address."""
        return None if channel is None else self.public.channels[channel].label or Label.of(channel)


def door_of(form: str) -> str:
    return _DOOR + form


def public_forms(definition: AppDefinition, fields: Mapping[str, Mapping[str, Field]]) -> dict[str, PublicForm]:
    """Every form that is open to everybody, by name."""
    found = {}
    for name, form in definition.forms.items():
        if form.public is None:
            continue
        own = fields[form.entity]
        fills = {way: _values(own, form.public.fills(way)) for way in form.public.ways}
        asks = {way: tuple(each for each in form.fields if each not in fills[way]) for way in form.public.ways}
        slots = (own[each] for each in form.fields)
        found[name] = PublicForm(
            name, form.entity, form.label or Label.of(name), form, form.public, fills, asks,
            days(date.fromisoformat(form.public.until)) if form.public.until else None,
            sum(each.bytes_allowed * each.most for each in slots if isinstance(each, Attached)),
        )  # fmt: skip
    return found


def _values(fields: Mapping[str, Field], given: Mapping[str, Any]) -> dict[str, Any]:
    """What the definition says as a person would write it, as the JSON values that commands take."""
    stored = {
        name: fields[name].read(each) if isinstance(each, str) else fields[name].parse(each)
        for name, each in given.items()
    }
    return {name: fields[name].to_json(value) for name, value in stored.items()}
