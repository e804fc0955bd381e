"""The OpenAPI 3.1 document of an app, made from the same compiled definition that answers the requests.

It describes every field of every entity, whoever asks: what a person may not see simply does not occur in his answers,
so no property of a record is required.  Tests hold the answers of the server against it.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from engine.app import App, EntityApp
from engine.fields import Field
from engine.forms.entry import Entry
from engine.forms.schema import record_schema
from engine.problems import Language
from engine.web.api.records import MOST_COUNTED

Schema = dict[str, Any]

ID: Schema = {"type": "string", "pattern": "^[1-9][0-9]{0,18}$"}
TIME: Schema = {"type": "string", "format": "date-time"}
TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
_NULL: Schema = {"type": "null"}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

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
    maker = _Document(app, language)
    return {
        "openapi": "3.1.0",
        "info": {"title": app.label[language], "version": f"{app.definition.version}+{app.number}"},
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": []}],
        "paths": maker.paths(),
        "components": {
            "schemas": maker.schemas,
            "responses": {str(status): _refusal(words) for status, words in _REFUSALS.items()},
            "parameters": _PARAMETERS,
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


def _query(name: str, schema: Schema, description: str) -> Schema:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def _header(name: str, description: str, required: bool = False, **schema: Any) -> Schema:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "schema": {"type": "string"} | schema,
        "description": description,
    }


_PARAMETERS: dict[str, Schema] = {
    "id": {"name": "id", "in": "path", "required": True, "schema": ID},
    "filter": _query("filter", TEXT, "An expression that the records meet, such as amount > 1000 and owner == user."),
    "search": _query("search", TEXT, "Words that occur in the searched fields."),
    "view": _query("view", TEXT, "A named view of the definition: its condition and its order."),
    "sort": _query("sort", TEXT, "Fields divided by commas; a leading minus means descending."),
    "fields": _query("fields", TEXT, "Only these fields, divided by commas."),
    "expand": _query("expand", TEXT, "Lookups and collections to be answered with what they point to, divided by commas."),
    "limit": _query("limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, "Records on a page."),
    "cursor": _query("cursor", TEXT, "`next` of the page before."),
    "deleted": _query("deleted", {"type": "boolean", "default": False}, "The trash instead."),
    "count": _query("count", {"type": "integer", "minimum": 1, "maximum": MOST_COUNTED}, "Count the records too, up to so many."),
    "group": _query("group", TEXT, "Fields divided by commas."),
    "if-match": _header("If-Match", "The ETag of the record as it was read.", True, pattern='^"[0-9]{1,9}(\\.[0-9a-f]{8})?"$'),
    "if-match-optional": _header("If-Match", "The ETag of the record as it was read.", pattern='^"[0-9]{1,9}(\\.[0-9a-f]{8})?"$'),
    "if-none-match": _header("If-None-Match", "Answer 304 if the record still has this ETag."),
    "idempotency-key": _header(
        "Idempotency-Key", "Sent again with the same key and content, the request is answered again but not done again.",
        minLength=1, maxLength=200, pattern="^[!-~]+$",
    ),
}  # fmt: skip
_LIST = ("filter", "search", "view", "sort", "fields", "expand", "limit", "cursor", "deleted", "count")


def _ref(parameter: str) -> Schema:
    return {"$ref": f"#/components/parameters/{parameter}"}


def _schema(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(schema: Schema) -> Schema:
    return {"content": {"application/json": {"schema": schema}}}


def _object(properties: Mapping[str, Schema], required: tuple[str, ...] = (), **more: Any) -> Schema:
    made: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return made | ({"required": list(required)} if required else {}) | more


def _list(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items} | more


def nullable(schema: Schema) -> Schema:
    kind = schema.get("type")
    if "enum" in schema or not isinstance(kind, str):
        return {"anyOf": [schema, _NULL]}
    return schema | {"type": [kind, "null"]}


class _Document:
    def __init__(self, app: App, language: Language) -> None:
        self.app, self.language = app, language
        self.schemas: dict[str, Schema] = {"Problem": _PROBLEM, "Error": _ERROR, "Outcome": self._outcome()}

    def paths(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in self.app.hot_entities:
            model = self.app.entities[name]
            self._schemas(model)
            found |= self._entity(model)
        return found | self._common()

    # -- schemas ---------------------------------------------------------------------------------------------------

    def _schemas(self, model: EntityApp) -> None:
        self.schemas[f"{model.name}.record"] = {
            "type": "object",
            "title": model.label[self.language],
            "properties": {name: self._read(model, name, field) for name, field in model.fields.items()},
            "additionalProperties": self._collections(model),
        }
        # Which fields must be filled depends on conditions, defaults and the stage: the server says so with 422.
        self.schemas[f"{model.name}.values"] = record_schema(self._entry(model), partial=True, language=self.language)

    def _entry(self, model: EntityApp, above: frozenset[str] = frozenset()) -> Entry:
        """What may be sent for a record: its writable fields, and those of its tables."""
        fields = {name: field for name, field in model.fields.items() if writable(model, name, field)}
        above |= {model.name}
        children = {
            name: self._entry(self.app.entities[child], above)
            for name, (child, _) in model.children.items()
            if name in fields and child not in above
        }
        return Entry(model.label, fields, model.labels, children=children)

    def _collections(self, model: EntityApp) -> Schema:
        """What `expand` may add: collections of other records."""
        return {"type": "array", "items": {"type": "object"}} if model.relations else {"not": {}}

    def _read(self, model: EntityApp, name: str, field: Field) -> Schema:
        if name == "id":
            return ID
        if name == "version":
            return {"type": "integer", "minimum": 1}
        described = {"title": model.labels[name][self.language]}
        if field.help:
            described["description"] = field.help[self.language]
        schema = nullable(_plain(field))
        if name in model.lookups:
            expanded = {
                "type": "object",
                "properties": {"id": ID, "title": {"type": ["string", "null"]}},
                "required": ["id", "title"],
            }
            schema = {"anyOf": [ID, expanded, _NULL]}
        return schema | described | {"readOnly": not writable(model, name, field)}

    def _outcome(self) -> Schema:
        return _object(
            {
                "id": {"type": ["string", "null"]},
                "version": {"type": ["integer", "null"]},
                "batch": {"type": "string", "description": "What `undo` takes back."},
                "record": {
                    "type": ["object", "null"],
                    "description": "The record as it is now; null if it may not be seen.",
                },
                "warnings": _list(_schema("Error")),
                "results": _list({"type": "object"}, description="What became of several records."),
                "details": {
                    "type": "object",
                    "description": "What the command has to say besides, such as the records a conversion made.",
                },
            },
            ("id", "version", "batch", "record", "warnings"),
        )

    # -- operations ------------------------------------------------------------------------------------------------

    def _operation(
        self,
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
        ok: Schema = {"description": summary}
        if answer is not None:
            ok |= answer if "content" in answer else _json(answer)
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
            made["parameters"] = [_ref(each) for each in parameters] + (more or [])
        if body:
            made["requestBody"] = {"required": True} | (body if "content" in body else _json(body))
        return made

    def _entity(self, model: EntityApp) -> dict[str, Any]:
        name = model.name
        operation = partial(self._operation, tag=name)
        record, values = _schema(f"{name}.record"), _schema(f"{name}.values")
        outcome = _schema("Outcome")
        base = f"/api/v1/{self.app.name}/{name}"
        one = f"{base}/{{id}}"
        page = _object(
            {"records": _list(record), "next": {"type": ["string", "null"]}, "count": COUNT}, ("records", "next")
        )
        got = operation(
            f"get_{name}",
            "One record",
            record,
            parameters=("id", "fields", "expand", "deleted", "if-none-match"),
            headers=("ETag",),
        )
        got["responses"]["304"] = {"description": "Unchanged"}
        changing = partial(operation, refusals=(409, 422), headers=("ETag",))
        paths: dict[str, Any] = {
            base: {
                "get": operation(f"list_{name}", "A page of records", page, parameters=_LIST, more=self._filters(model)),
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
                "delete": operation(
                    f"delete_{name}", "Move a record to the trash", outcome, parameters=("id", "if-match", "idempotency-key"),
                    refusals=(409, 422, 428),
                ),
            },
            f"{one}/restore": {
                "post": changing(f"restore_{name}", "Bring a record back", outcome, parameters=("id", "idempotency-key"))
            },
            f"{one}/history": {
                "get": operation(
                    f"history_{name}", "What happened to a record, newest first", _object({"changes": _list({"type": "object"})}, ("changes",)),
                    parameters=("id", "limit"), more=[_query("before", COUNT, "Only what came before this `seq`.")],
                )
            },
            f"{one}/explain": {
                "get": operation(
                    f"explain_{name}", "Why one may or may not", _object({"grants": _list({"type": "object"})}, ("grants",)),
                    parameters=("id",), more=[_query("action", TEXT, "read, update, …"), _query("field", TEXT, "A field.")],
                )
            },
            f"{base}/aggregate": {
                "get": operation(
                    f"aggregate_{name}", "Groups and their measures", _object({"groups": _list({"type": "object"})}, ("groups",)),
                    parameters=("filter", "search", "view", "group"),
                    more=[_query("measure.total", TEXT, "count(), or sum, avg, min, max of an expression. `total` is any name.")]
                    + self._filters(model),
                )
            },
            f"{base}/bulk": {
                "post": operation(
                    f"bulk_{name}", "Several changes at once", _object({"results": _list({"type": "object"}), "batch": TEXT}, ("results",)),
                    body=self._bulk(values), parameters=("idempotency-key",), refusals=(409, 428),
                )
            },
        }  # fmt: skip
        paths |= self._exchange(model, base, operation)
        if model.processes:
            paths |= self._process(model, one, operation)
        if any(field.type in ("file", "files", "image", "signature") for field in model.fields.values()):
            paths |= self._files(model, one, operation)
        if model.conversions:
            paths[f"{one}/convert"] = {
                "post": changing(
                    f"convert_{name}", "Make other records from this one", outcome, parameters=("id", "idempotency-key"),
                    body=_object({"conversion": {"type": "string", "enum": list(model.conversions)}, "values": {"type": "object"}}, ("conversion",)),
                )
            }  # fmt: skip
        if model.duplicates:
            choices = {"type": "object", "additionalProperties": {"enum": ["keep", "lose"]}}
            paths[f"{one}/merge"] = {
                "post": changing(
                    f"merge_{name}", "Merge another record into this one", outcome, parameters=("id", "idempotency-key"),
                    body=_object({"lose": ID, "choices": choices}, ("lose",)),
                )
            }  # fmt: skip
        return paths

    def _filters(self, model: EntityApp) -> list[Schema]:
        reserved = {*_LIST, "group"}
        return [
            _query(
                name,
                TEXT,
                f"Only records whose {name} is this; several values divided by commas; empty: those without one.",
            )
            for name, field in model.fields.items()
            if field.stored
            and name not in reserved
            and field.type in ("choice", "boolean", "text", "lookup", "user", "team", "integer")
        ]

    def _bulk(self, values: Schema) -> Schema:
        command = _object(
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
        return _object(
            {"commands": _list(command, minItems=1, maxItems=1000), "atomic": {"type": "boolean", "default": True}},
            ("commands",),
        )

    def _process(self, model: EntityApp, one: str, operation: Any) -> dict[str, Any]:
        name, outcome = model.name, _schema("Outcome")
        move = _object(
            {"transition": TEXT, "to": TEXT, "reason": TEXT, "values": _schema(f"{name}.values")},
            anyOf=[{"required": ["transition"]}, {"required": ["to"]}],
        )
        changing = partial(operation, refusals=(409, 422), headers=("ETag",))
        return {
            f"{one}/transitions": {
                "get": operation(
                    f"transitions_{name}", "Where a record may go, and what each way still needs",
                    _object({"transitions": _list({"type": "object"})}, ("transitions",)), parameters=("id",),
                ),
                "post": changing(
                    f"move_{name}", "Move a record to another stage", outcome, body=move,
                    parameters=("id", "if-match-optional", "idempotency-key"),
                ),
            },
            f"{one}/stages": {
                "get": operation(
                    f"stages_{name}", "The way a record took, with the time spent", _object({"stages": _list({"type": "object"})}, ("stages",)),
                    parameters=("id",),
                )
            },
            f"{one}/checklist": {
                "post": changing(
                    f"tick_{name}", "Tick an item of a gate's checklist", outcome, parameters=("id",),
                    body=_object({"item": TEXT, "done": {"type": "boolean", "default": True}}, ("item",)),
                )
            },
        }  # fmt: skip

    def _files(self, model: EntityApp, one: str, operation: Any) -> dict[str, Any]:
        name = model.name
        slots = [each for each, field in model.fields.items() if field.type in ("file", "files", "image", "signature")]
        slot = {"name": "field", "in": "path", "required": True, "schema": {"type": "string", "enum": slots}}
        upload = {
            "content": {
                "multipart/form-data": {
                    "schema": _object(
                        {"file": {"type": "string", "contentMediaType": "application/octet-stream"}}, ("file",)
                    )
                }
            }
        }
        file = {"type": "object", "required": ["id", "name", "size"]}
        return {
            f"{one}/files/{{field}}/{{file}}": {
                "delete": operation(
                    f"detach_{name}", "Take a file off", _schema("Outcome"), parameters=("id", "idempotency-key"), refusals=(409, 422),
                    more=[slot, {"name": "file", "in": "path", "required": True, "schema": ID}],
                )
            },
            f"{one}/files/{{field}}": {
                "get": operation(f"files_{name}", "The files of a field", _object({"files": _list(file)}, ("files",)), parameters=("id",), more=[slot]),
                "post": operation(
                    f"upload_{name}", "Add a file", _schema("Outcome"), status=201, body=upload, parameters=("id", "idempotency-key"), more=[slot],
                    refusals=(409,),
                ),
            }
        }  # fmt: skip

    def _exchange(self, model: EntityApp, base: str, operation: Any) -> dict[str, Any]:
        name = model.name
        file = {"type": "string", "contentMediaType": "application/octet-stream"}
        parts: dict[str, Schema] = {
            "file": file,
            "mapping": file,
            "dry_run": {"enum": ["true", "false"]},
            "encoding": TEXT,
            "delimiter": TEXT,
            "sheet": TEXT,
        }
        upload = {"content": {"multipart/form-data": {"schema": _object(parts, ("file",))}}}
        report = {"type": "object", "required": ["created", "updated", "unchanged", "refused", "steps", "refused_file"]}
        headers = _query("headers", {"type": "string", "enum": ["labels", "names"]}, "What stands in the first row.")
        asked: tuple[str, ...] = ("filter", "search", "view", "sort", "fields", "deleted")
        choice = {"type": "array", "items": _object({"id": ID, "title": {"type": ["string", "null"]}}, ("id", "title"))}
        found: dict[str, Any] = {
            f"{base}/import": {"post": operation(f"import_{name}", "Import a CSV or XLSX file", report, body=upload)},
            f"{base}/export.csv": {
                "get": operation(f"export_csv_{name}", "A list as a CSV file", {"content": {"text/csv": {"schema": TEXT}}}, parameters=asked, more=[headers])
            },
            f"{base}/export.xlsx": {
                "get": operation(f"export_xlsx_{name}", "A list as a spreadsheet", {"content": {XLSX: {"schema": {}}}}, parameters=asked, more=[headers])
            },
        }  # fmt: skip
        if model.lookups:
            field = {
                "name": "field",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "enum": list(model.lookups)},
            }
            text = _query("text", TEXT, "What has been typed so far.")
            found[f"{base}/choices/{{field}}"] = {
                "get": operation(
                    f"choices_{name}", "What a lookup may point to", _object({"choices": choice}, ("choices",)), more=[field, text],
                    parameters=("limit",),
                )
            }  # fmt: skip
        if model.duplicates:
            pairs = {"type": "array", "items": {"type": "object"}}
            found[f"{base}/duplicates"] = {
                "get": operation(
                    f"pairs_{name}",
                    "Pairs that are probably the same",
                    _object({"pairs": pairs}, ("pairs",)),
                    parameters=("limit",),
                )
            }
            found[f"{base}/{{id}}/duplicates"] = {
                "get": operation(f"duplicates_{name}", "What is probably the same as a record", _object({"duplicates": pairs}, ("duplicates",)), parameters=("id",)),
                "post": operation(
                    f"distinct_{name}", "Say that two records are not the same", _schema("Outcome"), parameters=("id", "idempotency-key"),
                    body=_object({"other": ID}, ("other",)), refusals=(409,),
                ),
            }  # fmt: skip
        return found

    def _common(self) -> dict[str, Any]:
        base = f"/api/v1/{self.app.name}"
        return {
            f"{base}/undo": {
                "post": self._operation(
                    "undo", "Take back what was changed together", _schema("Outcome"), body=_object({"batch": ID}, ("batch",)), refusals=(409,),
                    parameters=("idempotency-key",),
                )
            },
            f"{base}/handover": {
                "post": self._operation(
                    "handover", "Give the records of one person to another", _schema("Outcome"), refusals=(409,), parameters=("idempotency-key",),
                    body=_object({"leaver": ID, "successor": ID, "entities": _list(TEXT)}, ("leaver", "successor")),
                )
            },
            f"{base}/files/{{id}}": {
                "get": self._operation(
                    "download", "A file", {"content": {"application/octet-stream": {"schema": {}}}}, parameters=("id",),
                )
            },
        }  # fmt: skip


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
