"""The schemas of records: as they are answered, and as they may be sent."""

from engine.app import App, EntityApp
from engine.fields import Field
from engine.forms.entry import Entry
from engine.forms.schema import record_schema
from engine.problems import Language
from engine.web.api.openapi.parts import ID, NULL, Schema, list_of, named, nullable, object_of


def schemas_of(app: App, model: EntityApp, language: Language) -> dict[str, Schema]:
    """What a record is answered as, and what may be sent for one."""
    record: Schema = {
        "type": "object",
        "title": model.label[language],
        "properties": {name: _read(model, name, field, language) for name, field in model.fields.items()},
        "additionalProperties": _collections(model),
    }
    # Which fields must be filled depends on conditions, defaults and the stage: the server says so with 422.
    values = record_schema(_entry(app, model), partial=True, language=language)
    return {f"{model.name}.record": record, f"{model.name}.values": values}


def _entry(app: App, model: EntityApp, above: frozenset[str] = frozenset()) -> Entry:
    """What may be sent for a record: its writable fields, and those of its tables."""
    fields = {name: field for name, field in model.fields.items() if writable(model, name, field)}
    above |= {model.name}
    children = {
        name: _entry(app, app.entities[child], above)
        for name, (child, _) in model.children.items()
        if name in fields and child not in above
    }
    return Entry(model.label, fields, model.labels, children=children)


def _collections(model: EntityApp) -> Schema:
    """What `expand` may add: collections of other records."""
    return {"type": "array", "items": {"type": "object"}} if model.relations else {"not": {}}


def _read(model: EntityApp, name: str, field: Field, language: Language) -> Schema:
    if name == "id":
        return ID
    if name == "version":
        return {"type": "integer", "minimum": 1}
    described = {"title": model.labels[name][language]}
    if field.help:
        described["description"] = field.help[language]
    schema = nullable(_plain(field))
    if name in model.lookups:
        expanded = {
            "type": "object",
            "properties": {"id": ID, "title": {"type": ["string", "null"]}},
            "required": ["id", "title"],
        }
        schema = {"anyOf": [ID, expanded, NULL]}
    return schema | described | {"readOnly": not writable(model, name, field)}


def outcome() -> Schema:
    """What every command answers."""
    return object_of(
        {
            "id": {"type": ["string", "null"]},
            "version": {"type": ["integer", "null"]},
            "batch": {"type": "string", "description": "What `undo` takes back."},
            "record": {
                "type": ["object", "null"],
                "description": "The record as it is now; null if it may not be seen.",
            },
            "warnings": list_of(named("Error")),
            "results": list_of({"type": "object"}, description="What became of several records."),
            "details": {
                "type": "object",
                "description": "What the command has to say besides, such as the records a conversion made.",
            },
        },
        ("id", "version", "batch", "record", "warnings"),
    )


def _plain(field: Field) -> Schema:
    """The schema of a value as it is read: what it must not be to be written is of no interest."""
    schema = field.json_schema()
    return {
        key: value
        for key, value in schema.items()
        if key not in ("maxLength", "allOf", "minItems", "maxItems", "minimum", "maximum", "enum")
    }


def writable(model: EntityApp, name: str, field: Field) -> bool:
    """Whether anybody at all may send the field."""
    return not field.derived and not field.readonly and name in (model.definition.fields if model.definition else ())
