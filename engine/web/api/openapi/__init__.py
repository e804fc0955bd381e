"""The OpenAPI 3.1 document of an app, made from the same compiled definition that answers the requests.

It describes every field of every entity, whoever asks: what a person may not see simply does not occur in his answers,
so no property of a record is required.  Tests hold the answers of the server against it.
"""

from typing import Any

from engine.app import App
from engine.problems import Language
from engine.web.api.openapi.operations import entity_paths
from engine.web.api.openapi.parts import ID, PARAMETERS, TEXT, Schema, list_of, named, object_of, operation
from engine.web.api.openapi.records import outcome, schemas_of

_PROBLEM: Schema = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "errors"],
    "properties": {
        "type": TEXT,
        "title": TEXT,
        "status": {"type": "integer"},
        "code": TEXT,
        "detail": TEXT,
        "instance": TEXT,
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Error"}},
        "current": {"type": ["object", "null"], "description": "The record as it is now, when the edit was stale."},
    },
}
_ERROR: Schema = {
    "type": "object",
    "required": ["code", "detail", "pointer"],
    "properties": {
        "pointer": {
            "type": "string",
            "description": "A JSON Pointer to the value that the error is about; empty for the whole.",
        },
        "code": TEXT,
        "detail": TEXT,
        "hint": TEXT,
    },
}
_REFUSALS = {
    400: "Malformed",
    401: "Not signed in, or credentials that do not hold",
    403: "Not allowed",
    404: "Not there, or not to be seen",
    405: "Not a method of this address",
    409: "In conflict with what is there now",
    413: "Too large",
    415: "Not the expected content type",
    422: "Does not fit",
    428: "If-Match is missing",
    429: "Too often",
}  # fmt: skip


def document(app: App, language: Language) -> dict[str, Any]:
    """The whole document. `servers` is this server: the addresses are relative to it."""
    schemas = {"Problem": _PROBLEM, "Error": _ERROR, "Outcome": outcome()}
    paths: dict[str, Any] = {}
    for name in app.hot_entities:
        model = app.entities[name]
        schemas |= schemas_of(app, model, language)
        paths |= entity_paths(app, model)
    return {
        "openapi": "3.1.0",
        "info": {"title": app.label[language], "version": f"{app.definition.version}+{app.number}"},
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": []}],
        "paths": paths | _common(app),
        "components": {
            "schemas": schemas,
            "responses": {str(status): _refusal(words) for status, words in _REFUSALS.items()},
            "parameters": PARAMETERS,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "dougong"},
            },
        },
    }


def _refusal(words: str) -> Schema:
    return {
        "description": words,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _common(app: App) -> dict[str, Any]:
    """The addresses that belong to no entity."""
    base = f"/api/v1/{app.name}"
    return {
        f"{base}/undo": {
            "post": operation(
                "undo", "Take back what was changed together", named("Outcome"), body=object_of({"batch": ID}, ("batch",)), refusals=(409,),
                parameters=("idempotency-key",),
            )
        },
        f"{base}/handover": {
            "post": operation(
                "handover", "Give the records of one person to another", named("Outcome"), refusals=(409,), parameters=("idempotency-key",),
                body=object_of({"leaver": ID, "successor": ID, "entities": list_of(TEXT)}, ("leaver", "successor")),
            )
        },
        f"{base}/files/{{id}}": {
            "get": operation(
                "download", "A file", {"content": {"application/octet-stream": {"schema": {}}}}, parameters=("id",),
            )
        },
    }  # fmt: skip


__all__ = ["document"]
