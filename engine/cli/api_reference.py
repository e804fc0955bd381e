"""The reference of the HTTP API: its addresses are those of a small app that has everything an app can have."""

import inspect
from typing import Any

from engine.cli.reference import NOTE, cell

_APP = """
app: care
version: 1.0.0
label: Care
roles: {clerk: {}}
entities:
  site: {label: Site, fields: {name: text}}
  device:
    label: Device
    fields:
      name: {type: text, required: true}
      site: {type: lookup, to: site, on_delete: restrict}
      papers: files
      next: {type: lookup, to: site, on_delete: clear}
    duplicates: {match: {name: 100}}
    conversions: {site: {to: {site: {set: {name: name}, store: next}}}}
processes:
  life: {entity: device, stages: {new: {}, used: {}, gone: {end: done}}}
policies:
  clerk: {device: {rows: true, actions: [read, create, update, transition]}}
"""


def api_page() -> str:
    """Every address with its methods, parameters and answers, from the OpenAPI document and the routes."""
    from engine.app import compile_app
    from engine.definition import load
    from engine.web.api.openapi import document

    whole = document(compile_app(load({"care.yaml": _APP})), "en")
    lines = [
        "# API",
        "",
        NOTE,
        "Every app has these addresses for each of its entities. 每个应用、每个对象都有这些接口地址。",
        "",
        "`/api/v1/APP/openapi.json` is the same for one app, as OpenAPI 3.1 with every field. A request shows who sends it",
        "with `Authorization: Bearer TOKEN`, or with the cookie of a session and, for changes, the session's `csrf` as",
        "`X-CSRF-Token`. Ids are texts of digits. Money and other decimals are JSON numbers without rounding.",
        "",
        "## Who one is",
        "",
        "| Address | Method | |",
        "|---|---|---|",
        *_account(),
        "",
        "## Records of an app",
        "",
        "Parameters stand below. `*`: must be there. Refusals beside 400, 401, 403, 404 and 429 are named.",
        "",
        "| Address | Method | What it does | Parameters | Done | Refused |",
        "|---|---|---|---|---|---|",
    ]
    for path, methods in whole["paths"].items():
        if "/care/site" not in path:
            lines += [_operation(path, method, each) for method, each in methods.items()]
    lines += ["", "## Parameters and headers", "", "| Name | Where | Meaning |", "|---|---|---|"]
    for parameter in whole["components"]["parameters"].values():
        if parameter["name"] != "id":
            line = f"| `{parameter['name']}` | {parameter['in']} | {cell(parameter['description'])} |"
            lines += [] if line in lines else [line]
    lines += [
        "",
        "Any other parameter of a list is a field with a value: `?state=open,late`; an empty value finds those without one.",
        "",
        "## Refusals",
        "",
        "A refusal is `application/problem+json`: `type`, `title`, `status`, `code`, `detail`, and `errors`, each with",
        "`pointer` (a JSON Pointer into what was sent), `code`, `detail` and `hint`. Codes: [problems](problems.md).",
        "A stale edit is a 409 with the record as it is now in `current`.",
        "",
        "| Status | Meaning |",
        "|---|---|",
        *(f"| {status} | {each['description']} |" for status, each in sorted(whole["components"]["responses"].items())),
        "| 503 | The database does not answer, or somebody holds a lock for long; try again |",
        "",
        "## For operators",
        "",
        "| Address | |",
        "|---|---|",
        *_operators(),
    ]
    return "\n".join(lines) + "\n"


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    where = path.replace("/care/device", "/APP/ENTITY").replace("/care/", "/APP/")
    done = " ".join(status for status in operation["responses"] if status < "400")
    usual = {"400", "401", "403", "404", "429"}
    refused = " ".join(status for status in operation["responses"] if status >= "400" and status not in usual)
    names: list[str] = []
    for parameter in operation.get("parameters", []):
        name = parameter.get("name") or parameter["$ref"].rpartition("/")[2]
        if parameter.get("in") == "query" and "Only records whose" in parameter.get("description", ""):
            name = "FIELD=VALUE"
        elif name == "if-match":
            name = "If-Match*"
        elif "-" in name:
            name = "-".join(part.capitalize() for part in name.removesuffix("-optional").split("-"))
        if parameter.get("in") != "path" and name not in ("id", *names):
            names.append(name)
    summary = operation["summary"] + _body(operation)
    return f"| `{where}` | {method.upper()} | {cell(summary)} | {' '.join(f'`{name}`' for name in names)} | {done} | {refused} |"


def _body(operation: dict[str, Any]) -> str:
    """What is sent, in short."""
    content = operation.get("requestBody", {}).get("content", {})
    for kind, described in content.items():
        properties = described["schema"].get("properties", {})
        if not properties:
            return "; the values of fields are sent" if kind == "application/json" else ""
        names = ", ".join(f"`{name}`" for name in properties)
        return f": {names}" + (" as multipart/form-data" if kind.startswith("multipart") else "")
    return ""


def _account() -> list[str]:
    from engine.web.api.routes import routes
    from engine.web.resource import Resource

    words = {
        "sign_out": "End the session.",
        "patch_me": "Choose one's language: `language`.",
        "get_tokens": "One's API tokens, without their texts.",
        "delete_token": "Revoke a token.",
    }
    found = []
    for route in routes():
        resource = route.endpoint
        if isinstance(resource, Resource) and not route.path.startswith("/api/v1/{app}") and "rest" not in route.path:
            for method, function in resource.methods.items():
                if method != "HEAD":
                    doc = inspect.cleandoc(function.__doc__ or words[function.__name__]).split("\n")[0]
                    found.append(f"| `{route.path.replace('{id}', 'ID')}` | {method} | {cell(doc)} |")
    return found


def _operators() -> list[str]:
    from engine.web import server

    return [
        f"| `/{function.__name__}` | {cell(inspect.cleandoc(function.__doc__ or ''))} |"
        for function in (server.healthz, server.readyz, server.metrics)
    ]
