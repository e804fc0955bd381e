"""The addresses by which records come in, go out, are chosen and are told apart."""

from typing import Any

from engine.app import EntityApp
from engine.web.api.openapi.parts import ID, TEXT, Schema, named, object_of, query

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def transfer_paths(model: EntityApp, base: str, operation: Any) -> dict[str, Any]:
    """Import and export, what a lookup may point to, and what is probably the same."""
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
    upload = {"content": {"multipart/form-data": {"schema": object_of(parts, ("file",))}}}
    report = {"type": "object", "required": ["created", "updated", "unchanged", "refused", "steps", "refused_file"]}
    headers = query("headers", {"type": "string", "enum": ["labels", "names"]}, "What stands in the first row.")
    asked: tuple[str, ...] = ("filter", "search", "view", "sort", "fields", "deleted")
    choice = {"type": "array", "items": object_of({"id": ID, "title": {"type": ["string", "null"]}}, ("id", "title"))}
    found: dict[str, Any] = {
        f"{base}/import": {"post": operation(f"import_{name}", "Import a CSV or XLSX file", report, body=upload, parameters=("idempotency-key",), refusals=(409, 422))},
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
        text = query("text", TEXT, "What has been typed so far.")
        found[f"{base}/choices/{{field}}"] = {
            "get": operation(
                f"choices_{name}", "What a lookup may point to", object_of({"choices": choice}, ("choices",)), more=[field, text],
                parameters=("limit",),
            )
        }  # fmt: skip
    if model.duplicates:
        pairs = {"type": "array", "items": {"type": "object"}}
        found[f"{base}/duplicates"] = {
            "get": operation(
                f"pairs_{name}",
                "Pairs that are probably the same",
                object_of({"pairs": pairs}, ("pairs",)),
                parameters=("limit",),
            )
        }
        found[f"{base}/{{id}}/duplicates"] = {
            "get": operation(f"duplicates_{name}", "What is probably the same as a record", object_of({"duplicates": pairs}, ("duplicates",)), parameters=("id",)),
            "post": operation(
                f"distinct_{name}", "Say that two records are not the same", named("Outcome"), parameters=("id", "idempotency-key"),
                body=object_of({"other": ID}, ("other",)), refusals=(409,),
            ),
        }  # fmt: skip
    return found
