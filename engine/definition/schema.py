"""The JSON Schema of definitions for editors, made from the models and the registries of field types and cards.

One schema serves the root file and the files it includes: only a file that says `app` must be complete.  A field may
be the bare name of a type; otherwise its `type` decides which settings it has.
"""

from functools import cache
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from engine.analytics.cards import card_kinds
from engine.definition.model import AppDefinition
from engine.fields import field_types

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Schema(GenerateJsonSchema):
    """Without what editors would only show as noise: null as an alternative to leaving a key out, and made-up titles."""

    def nullable_schema(self, schema: Any) -> dict[str, Any]:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: Any) -> dict[str, Any]:
        inner = self.generate_inner(schema["schema"])
        default = schema.get("default")
        return inner | {"default": default} if isinstance(default, (str, int)) and "$ref" not in inner else inner


@cache
def json_schema() -> dict[str, Any]:
    """The schema of one definition file, draft 2020-12."""
    schema = AppDefinition.model_json_schema(schema_generator=_Schema)
    definitions: dict[str, Any] = schema.pop("$defs")
    for name, kind in field_types.items():
        own = kind.model_json_schema(schema_generator=_Schema)
        definitions |= own.pop("$defs", {})
        own["properties"]["type"] = {"const": name}
        definitions[f"Field_{name}"] = own
    for name, card in card_kinds.items():
        own = card.model_json_schema(schema_generator=_Schema)
        definitions |= own.pop("$defs", {})
        own["properties"]["kind"] = {"const": name}
        definitions[f"Card_{name}"] = own
    definitions["Field"] = _field()
    definitions["Card"] = _card()
    required = schema.pop("required")
    schema |= {
        "$schema": DIALECT,
        "title": "Dougong",
        "description": "Definition of an app: one root file, and the files it includes.",
        "if": {"required": ["app"]},
        "then": {"required": [key for key in required if key != "entities"]},
    }
    text = _text()
    shared: dict[str, Any] = _shared(schema, text)
    shared["$defs"] = {"Text": text, **{name: _shared(each, text) for name, each in sorted(definitions.items())}}
    return shared


def _field() -> dict[str, Any]:
    types = [
        {"const": name, "description": f"{kind.title.zh} / {kind.title.en}. {kind.doc.zh} {kind.doc.en}"}
        for name, kind in field_types.items()
    ]
    # What means nothing without a setting of its own cannot be written as a bare name.
    bare = [each for each in types if not field_types[each["const"]].model_json_schema().get("required")]
    return {
        "description": "A field: the name of a type, or a map with the type and its settings.",
        "anyOf": [
            {"type": "string", "oneOf": bare},
            {
                "type": "object",
                "required": ["type"],
                "properties": {"type": {"oneOf": types, "description": "What kind of value the field holds."}},
                "allOf": [
                    {
                        "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
                        "then": {"$ref": f"#/$defs/Field_{name}"},
                    }
                    for name in field_types
                ],
            },
        ],
    }


def _card() -> dict[str, Any]:
    kinds = [
        {"const": name, "description": f"{kind.title.zh} / {kind.title.en}. {kind.doc.zh} {kind.doc.en}"}
        for name, kind in card_kinds.items()
    ]
    return {
        "description": "A card of a home.",
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"oneOf": kinds, "description": "What the card shows."}},
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": name}}, "required": ["kind"]},
                "then": {"$ref": f"#/$defs/Card_{name}"},
            }
            for name in card_kinds
        ],
    }


def _text() -> dict[str, Any]:
    both = {
        "type": "object",
        "properties": {"zh": {"type": "string"}, "en": {"type": "string"}},
        "required": ["zh"],
        "additionalProperties": False,
    }
    return {"anyOf": [{"type": "string"}, both], "description": "A text for people: one string, or {zh, en}."}


def _shared(schema: Any, text: dict[str, Any]) -> Any:
    """The schema with one definition of texts instead of hundreds of copies."""
    if isinstance(schema, dict):
        if schema == text:
            return {"$ref": "#/$defs/Text"}
        return {key: _shared(value, text) for key, value in schema.items()}
    return [_shared(each, text) for each in schema] if isinstance(schema, list) else schema
