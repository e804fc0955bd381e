"""What every part of the document is made of: schemas, parameters, operations."""

from collections.abc import Mapping
from typing import Any

from engine.web.api.records import MOST_COUNTED

Schema = dict[str, Any]

ID: Schema = {"type": "string", "pattern": "^[1-9][0-9]{0,18}$"}
TIME: Schema = {"type": "string", "format": "date-time"}
TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NULL: Schema = {"type": "null"}


def query(name: str, schema: Schema, description: str) -> Schema:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def header(name: str, description: str, required: bool = False, **schema: Any) -> Schema:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "schema": {"type": "string"} | schema,
        "description": description,
    }


PARAMETERS: dict[str, Schema] = {
    "id": {"name": "id", "in": "path", "required": True, "schema": ID},
    "filter": query("filter", TEXT, "An expression that the records meet, such as amount > 1000 and owner == user."),
    "search": query("search", TEXT, "Words that occur in the searched fields."),
    "view": query("view", TEXT, "A named view of the definition: its condition and its order."),
    "sort": query("sort", TEXT, "Fields divided by commas; a leading minus means descending."),
    "fields": query("fields", TEXT, "Only these fields, divided by commas."),
    "expand": query("expand", TEXT, "Lookups and collections to be answered with what they point to, divided by commas."),
    "limit": query("limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, "Records on a page."),
    "cursor": query("cursor", TEXT, "`next` of the page before."),
    "deleted": query("deleted", {"type": "boolean", "default": False}, "The trash instead."),
    "count": query("count", {"type": "integer", "minimum": 1, "maximum": MOST_COUNTED}, "Count the records too, up to so many."),
    "group": query("group", TEXT, "Fields divided by commas."),
    "if-match": header("If-Match", "The ETag of the record as it was read.", True, pattern='^"[0-9]{1,9}(\\.[0-9a-f]{8})?"$'),
    "if-match-optional": header("If-Match", "The ETag of the record as it was read.", pattern='^"[0-9]{1,9}(\\.[0-9a-f]{8})?"$'),
    "if-none-match": header("If-None-Match", "Answer 304 if the record still has this ETag."),
    "idempotency-key": header(
        "Idempotency-Key", "Sent again with the same key and content, the request is answered again but not done again.",
        minLength=1, maxLength=200, pattern="^[!-~]+$",
    ),
}  # fmt: skip
LISTED = ("filter", "search", "view", "sort", "fields", "expand", "limit", "cursor", "deleted", "count")


def ref(parameter: str) -> Schema:
    return {"$ref": f"#/components/parameters/{parameter}"}


def named(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def as_json(schema: Schema) -> Schema:
    return {"content": {"application/json": {"schema": schema}}}


def object_of(properties: Mapping[str, Schema], required: tuple[str, ...] = (), **more: Any) -> Schema:
    made: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return made | ({"required": list(required)} if required else {}) | more


def list_of(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items} | more


def nullable(schema: Schema) -> Schema:
    kind = schema.get("type")
    if "enum" in schema or not isinstance(kind, str):
        return {"anyOf": [schema, NULL]}
    return schema | {"type": [kind, "null"]}


def operation(
    name: str,
    summary: str,
    answer: Schema | None,
    *,
    status: int = 200,
    parameters: tuple[str, ...] = (),
    body: Schema | None = None,
    refusals: tuple[int, ...] = (),
    headers: tuple[str, ...] = (),
    more: list[Schema] | None = None,
    tag: str = "",
) -> Schema:
    """One method of an address. `answer` is its JSON, or the whole content; `refusals` come on top of the common ones."""
    ok: Schema = {"description": summary}
    if answer is not None:
        ok |= answer if "content" in answer else as_json(answer)
    if headers:
        ok["headers"] = {each: {"schema": TEXT} for each in headers}
    codes = sorted({400, 401, 403, 404, 429, *refusals, *((413, 415, 422) if body else ())})
    made: Schema = {
        "operationId": name,
        "summary": summary,
        "responses": {str(status): ok} | {str(code): {"$ref": f"#/components/responses/{code}"} for code in codes},
    }
    if tag:
        made["tags"] = [tag]
    if parameters or more:
        made["parameters"] = [ref(each) for each in parameters] + (more or [])
    if body:
        made["requestBody"] = {"required": True} | (body if "content" in body else as_json(body))
    return made
