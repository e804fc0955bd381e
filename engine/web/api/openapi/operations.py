"""The addresses of an entity: its records, its process, their files."""

from functools import partial
from typing import Any

from engine.app import App, EntityApp
from engine.web.api.openapi.parts import (
    COUNT,
    ID,
    LISTED,
    TEXT,
    TIME,
    Schema,
    list_of,
    named,
    nullable,
    object_of,
    operation,
    query,
)
from engine.web.api.openapi.transfers import transfer_paths


def entity_paths(app: App, model: EntityApp) -> dict[str, Any]:
    """The addresses of one entity."""
    name = model.name
    tagged = partial(operation, tag=name)
    record, values = named(f"{name}.record"), named(f"{name}.values")
    outcome = named("Outcome")
    base = f"/api/v1/{app.name}/{name}"
    one = f"{base}/{{id}}"
    page = object_of(
        {"records": list_of(record), "next": {"type": ["string", "null"]}, "count": COUNT}, ("records", "next")
    )
    got = tagged(
        f"get_{name}",
        "One record",
        record,
        parameters=("id", "fields", "expand", "deleted", "if-none-match"),
        headers=("ETag",),
    )
    got["responses"]["304"] = {"description": "Unchanged"}
    changing = partial(tagged, refusals=(409, 422), headers=("ETag",))
    paths: dict[str, Any] = {
        base: {
            "get": tagged(f"list_{name}", "A page of records", page, parameters=LISTED, more=_filters(model)),
            "post": changing(
                f"create_{name}", "A new record", outcome, status=201, body=values, parameters=("idempotency-key",),
                headers=("Location", "ETag"),
            ),
        },
        one: {
            "get": got,
            "patch": changing(
                f"update_{name}", "Change a record", outcome, body=values, parameters=("id", "if-match", "idempotency-key"),
                refusals=(409, 422, 428),
            ),
            "delete": tagged(
                f"delete_{name}", "Move a record to the trash", outcome, parameters=("id", "if-match", "idempotency-key"),
                refusals=(409, 422, 428),
            ),
        },
        f"{one}/restore": {
            "post": changing(f"restore_{name}", "Bring a record back", outcome, parameters=("id", "idempotency-key"))
        },
        f"{one}/history": {
            "get": tagged(
                f"history_{name}", "What happened to a record, newest first", object_of({"changes": list_of({"type": "object"})}, ("changes",)),
                parameters=("id", "limit"), more=[query("before", COUNT, "Only what came before this `seq`.")],
            )
        },
        f"{one}/explain": {
            "get": tagged(
                f"explain_{name}", "Why one may or may not", object_of({"grants": list_of({"type": "object"})}, ("grants",)),
                parameters=("id",), more=[query("action", TEXT, "read, update, …"), query("field", TEXT, "A field.")],
            )
        },
        f"{base}/aggregate": {
            "get": tagged(
                f"aggregate_{name}", "Groups and their measures", object_of({"groups": list_of({"type": "object"})}, ("groups",)),
                parameters=("filter", "search", "view", "group"),
                more=[query("measure.total", TEXT, "count(), or sum, avg, min, max of an expression. `total` is any name.")]
                + _filters(model),
            )
        },
        f"{base}/bulk": {
            "post": tagged(
                f"bulk_{name}", "Several changes at once", object_of({"results": list_of({"type": "object"}), "batch": TEXT}, ("results",)),
                body=_bulk(values), parameters=("idempotency-key",), refusals=(409, 428),
            )
        },
    }  # fmt: skip
    paths |= _comments(model, one, tagged)
    paths |= transfer_paths(model, base, tagged)
    if model.processes:
        paths |= _process(model, one, tagged)
    if any(field.type in ("file", "files", "image", "signature") for field in model.fields.values()):
        paths |= _files(model, one, tagged)
    if model.conversions:
        paths[f"{one}/convert"] = {
            "post": changing(
                f"convert_{name}", "Make other records from this one", outcome, parameters=("id", "idempotency-key"),
                body=object_of({"conversion": {"type": "string", "enum": list(model.conversions)}, "values": {"type": "object"}}, ("conversion",)),
            )
        }  # fmt: skip
    if model.duplicates:
        choices = {"type": "object", "additionalProperties": {"enum": ["keep", "lose"]}}
        paths[f"{one}/merge"] = {
            "post": changing(
                f"merge_{name}", "Merge another record into this one", outcome, parameters=("id", "idempotency-key"),
                body=object_of({"lose": ID, "choices": choices}, ("lose",)),
            )
        }  # fmt: skip
    return paths


def _comments(model: EntityApp, one: str, operation: Any) -> dict[str, Any]:
    name, outcome = model.name, named("Outcome")
    said = object_of({"text": {"type": "string", "minLength": 1, "maxLength": 5000}}, ("text",))
    comment = {
        "type": "object",
        "required": ["id", "by", "by_name", "text", "at", "edited_at", "deleted_at"],
        "properties": {
            "id": ID, "by": nullable(ID), "by_name": TEXT, "text": nullable(TEXT), "at": TIME, "edited_at": nullable(TIME),
            "deleted_at": nullable(TIME),
        },
    }  # fmt: skip
    page = object_of(
        {
            "comments": list_of(comment),
            "names": {"type": "object", "additionalProperties": TEXT},
            "next": {"type": ["string", "null"]},
        },
        ("comments", "names", "next"),
    )
    which = {"name": "comment", "in": "path", "required": True, "schema": ID}
    changing = partial(operation, refusals=(409, 422), headers=("ETag",), more=[which])
    return {
        f"{one}/comments": {
            "get": operation(
                f"comments_{name}", "What people said about a record, newest first", page, parameters=("id",),
                more=[
                    query("limit", {"type": "integer", "minimum": 1, "maximum": 199, "default": 50}, "Comments on a page."),
                    query("before", ID, "`next` of the page before."),
                ],
            ),
            "post": operation(
                f"comment_{name}", "Say something about a record; @[login] mentions somebody", outcome, status=201, body=said,
                parameters=("id", "idempotency-key"), refusals=(409, 422), headers=("Location", "ETag"),
            ),
        },
        f"{one}/comments/{{comment}}": {
            "patch": changing(
                f"edit_comment_{name}", "Change what one wrote", outcome, body=said, parameters=("id", "idempotency-key"),
            ),
            "delete": changing(
                f"remove_comment_{name}", "Take back what one wrote", outcome, parameters=("id", "idempotency-key"),
            ),
        },
    }  # fmt: skip


def _filters(model: EntityApp) -> list[Schema]:
    reserved = {*LISTED, "group"}
    return [
        query(
            name,
            TEXT,
            f"Only records whose {name} is this; several values divided by commas; empty: those without one.",
        )
        for name, field in model.fields.items()
        if field.stored
        and name not in reserved
        and field.type in ("choice", "boolean", "text", "lookup", "user", "team", "integer")
    ]


def _bulk(values: Schema) -> Schema:
    command = object_of(
        {
            "action": {"type": "string", "enum": ["create", "update", "delete", "restore", "transition"]},
            "id": ID,
            "version": {"type": "integer", "minimum": 1},
            "values": values,
            "transition": TEXT,
            "reason": TEXT,
        },
        ("action",),
    )
    return object_of(
        {"commands": list_of(command, minItems=1, maxItems=1000), "atomic": {"type": "boolean", "default": True}},
        ("commands",),
    )


def _process(model: EntityApp, one: str, operation: Any) -> dict[str, Any]:
    name, outcome = model.name, named("Outcome")
    move = object_of(
        {"transition": TEXT, "to": TEXT, "reason": TEXT, "values": named(f"{name}.values")},
        anyOf=[{"required": ["transition"]}, {"required": ["to"]}],
    )
    changing = partial(operation, refusals=(409, 422), headers=("ETag",))
    return {
        f"{one}/transitions": {
            "get": operation(
                f"transitions_{name}", "Where a record may go, and what each way still needs",
                object_of({"transitions": list_of({"type": "object"})}, ("transitions",)), parameters=("id",),
            ),
            "post": changing(
                f"move_{name}", "Move a record to another stage", outcome, body=move,
                parameters=("id", "if-match-optional", "idempotency-key"),
            ),
        },
        f"{one}/stages": {
            "get": operation(
                f"stages_{name}", "The way a record took, with the time spent", object_of({"stages": list_of({"type": "object"})}, ("stages",)),
                parameters=("id",),
            )
        },
        f"{one}/checklist": {
            "post": changing(
                f"tick_{name}", "Tick an item of a gate's checklist", outcome, parameters=("id",),
                body=object_of({"item": TEXT, "done": {"type": "boolean", "default": True}}, ("item",)),
            )
        },
    }  # fmt: skip


def _files(model: EntityApp, one: str, operation: Any) -> dict[str, Any]:
    name = model.name
    slots = [each for each, field in model.fields.items() if field.type in ("file", "files", "image", "signature")]
    slot = {"name": "field", "in": "path", "required": True, "schema": {"type": "string", "enum": slots}}
    upload = {
        "content": {
            "multipart/form-data": {
                "schema": object_of(
                    {"file": {"type": "string", "contentMediaType": "application/octet-stream"}}, ("file",)
                )
            }
        }
    }
    file = {"type": "object", "required": ["id", "name", "size"]}
    return {
        f"{one}/files/{{field}}/{{file}}": {
            "delete": operation(
                f"detach_{name}", "Take a file off", named("Outcome"), parameters=("id", "idempotency-key"), refusals=(409, 422),
                more=[slot, {"name": "file", "in": "path", "required": True, "schema": ID}],
            )
        },
        f"{one}/files/{{field}}": {
            "get": operation(f"files_{name}", "The files of a field", object_of({"files": list_of(file)}, ("files",)), parameters=("id",), more=[slot]),
            "post": operation(
                f"upload_{name}", "Add a file", named("Outcome"), status=201, body=upload, parameters=("id", "idempotency-key"), more=[slot],
                refusals=(409,),
            ),
        }
    }  # fmt: skip
