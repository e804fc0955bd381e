"""The JSON Schema (2020-12) of what may be sent to create or to change a record.

It says what `engine.forms.compile` enforces.  Null empties a field, so fields take it unless they are required.
"""

from typing import Any

from engine.fields import Field
from engine.fields.choice import Choosing
from engine.fields.lookup import ID_SCHEMA
from engine.forms.entry import Entry

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def published(entry: Entry, *, partial: bool, language: str = "zh") -> Schema:
    """The schema of a whole document. `partial`: a change, in which fields that are not sent stay as they are."""
    return {"$schema": DIALECT, **record_schema(entry, partial=partial, language=language)}


def record_schema(entry: Entry, *, partial: bool, language: str = "zh") -> Schema:
    """The schema of one record, to stand inside another."""
    schema: Schema = {
        "type": "object",
        "title": entry.label[language],
        "properties": {name: _property(entry, name, each, partial, language) for name, each in entry.fields.items()},
        "additionalProperties": False,
    }
    required = [name for name in entry.fields if name in entry.required]
    return schema if partial or not required else {**schema, "required": required}


def _property(entry: Entry, name: str, field: Field, partial: bool, language: str) -> Schema:
    required = name in entry.required
    schema = field.filled_schema() if required else field.json_schema()
    if isinstance(field, Choosing) and not partial:
        schema = _offered(field, schema)
    if name in entry.children:
        schema = {**schema, "items": row_schema(entry.children[name], partial=partial, language=language)}
    schema = schema if required else _nullable(schema)
    described = {"title": entry.label_of(name)[language]}
    if field.help is not None:
        described["description"] = field.help[language]
    return described | schema


def row_schema(entry: Entry, *, partial: bool, language: str = "zh") -> Schema:
    """The schema of a row: a new one, or (when the record is changed) one that is there already and named by its id."""
    new = record_schema(entry, partial=False, language=language)
    new = {**new, "properties": {"id": {"type": "null"}, **new["properties"]}}
    if not partial:
        return new
    old = record_schema(entry, partial=True, language=language)
    old = {**old, "properties": {"id": dict(ID_SCHEMA), **old["properties"]}, "required": ["id"]}
    return {"anyOf": [new, old]}


def _offered(field: Choosing, schema: Schema) -> Schema:
    """New records do not get retired options."""
    offered = list(field.offered)
    return (
        {**schema, "items": {**schema["items"], "enum": offered}} if "items" in schema else {**schema, "enum": offered}
    )


def _nullable(schema: Schema) -> Schema:
    kind = schema.get("type")
    if "enum" in schema:
        return {**schema, "type": [kind, "null"], "enum": [*schema["enum"], None]}
    return {**schema, "type": [*kind, "null"] if isinstance(kind, list) else [kind, "null"]}
