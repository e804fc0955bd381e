"""All fields of every entity as field objects: the declared ones, those that the engine adds, and people and teams."""

from collections.abc import Mapping
from typing import Any

from engine.definition.check import Checked
from engine.definition.model import AppDefinition, Entity
from engine.definition.scope import Names, typed_by_formula
from engine.fields import Field, field_types
from engine.fields.builtin import BUILT_IN, RESERVED, IdField, process_fields
from engine.fields.formula import Following
from engine.problems import Label


def _field(settings: dict[str, Any], label: Label) -> Field:
    return field_types[settings["type"]].model_validate({**settings, "label": label, "readonly": True})


def fields_of(checked: Checked) -> dict[str, dict[str, Field]]:
    """Entity -> field name -> field: `id`, the declared fields, then the engine's own.

    Currency and time zone are the app's; formula fields have the type of their expression.  The definition must be sound.
    """
    names = checked.names
    assert names is not None
    definition = names.definition
    currency, timezone = definition.currency, definition.calendar.timezone

    def whole(entity: str, name: str, field: Field) -> Field:
        field = field.within(currency, timezone)
        if typed_by_formula(field) and isinstance(field, Following):
            return field.resolved(checked.expressions[f"entities.{entity}.fields.{name}.formula"].type)
        return field

    return {
        entity: {
            name: whole(entity, name, each)
            for name, each in _fields(names, entity, definition.entities[entity]).items()
        }
        for entity in definition.entities
    }


def _fields(names: Names, name: str, entity: Entity) -> dict[str, Field]:
    found: dict[str, Field] = {"id": BUILT_IN["id"]}
    if entity.number:
        found["number"] = _field({"type": "autonumber", "template": entity.number}, Label("编号", "Number"))
    for key, declared in entity.fields.items():
        found[key] = declared
        score = names.scored.get((name, key))
        if score is not None:
            label = declared.label or Label.of(key)
            bands = {
                band: {"label": each.label or Label.of(band), "color": each.color} for band, each in score.bands.items()
            }
            if bands:
                found[f"{key}_band"] = _field(
                    {"type": "choice", "options": bands}, Label(f"{label.zh}档位", f"{label.en} band")
                )
            found[f"{key}_detail"] = _field({"type": "json"}, Label(f"{label.zh}明细", f"{label.en} details"))
    if name in names.stages:
        found |= _process_fields(names, name)
    return found | {key: each for key, each in BUILT_IN.items() if key != "id"}


def _process_fields(names: Names, name: str) -> dict[str, Field]:
    definition: AppDefinition = names.definition
    processes = {key: definition.processes[key] for key in names.processes[name]}
    stages: dict[str, Label] = {}
    items: dict[str, Label] = {}
    for process in processes.values():
        for key, stage in process.stages.items():
            stages.setdefault(key, stage.label or Label.of(key))
            for gate in (stage.entry, stage.exit):
                items |= {f"{key}.{item}": text for item, text in (gate.checklist if gate else {}).items()}
    return process_fields({key: each.label or Label.of(key) for key, each in processes.items()}, stages, items)


SYSTEM_FIELDS: Mapping[str, Mapping[str, Field]] = {
    "user": {
        "id": IdField(label=IdField.title),
        "name": _field({"type": "text"}, Label("姓名", "Name")),
        "login": _field({"type": "text"}, Label("账号", "Login")),
        "email": _field({"type": "text"}, Label("邮箱", "Email")),
        "phone": _field({"type": "text"}, Label("电话", "Phone")),
        "active": _field({"type": "boolean"}, Label("在职", "Active")),
        "team": _field({"type": "team"}, Label("团队", "Team")),
        "manager": _field({"type": "user"}, Label("上级", "Manager")),
    },
    "team": {
        "id": IdField(label=IdField.title),
        "key": _field({"type": "text"}, Label("代号", "Key")),
        "name": _field({"type": "text"}, Label("名称", "Name")),
        "parent": _field({"type": "team"}, Label("上级团队", "Parent")),
        "leader": _field({"type": "user"}, Label("负责人", "Leader")),
    },
}

__all__ = ["RESERVED", "SYSTEM_FIELDS", "fields_of"]
