"""The JSON Schema for editors: it accepts what the compiler accepts and underlines what the compiler refuses in shape."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from engine.definition import load
from engine.definition.checks import checks
from engine.definition.parse import parse
from engine.definition.schema import json_schema
from engine.fields import field_types

APPS = Path(__file__).parents[2] / "apps"
# Presets are parts of definitions, import mappings have a schema of their own.
OTHERS = {"presets", "imports"}
FILES = sorted(path for path in APPS.rglob("*.yaml") if not OTHERS & set(path.parts))
HEAD = "app: demo\nversion: 1.0.0\nlabel: {zh: 演示, en: Demo}\n"


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def data(text: str) -> Any:
    root = parse("x.yaml", text).root
    assert root is not None
    return root.data


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(APPS)))
def test_every_file_of_every_app_is_valid(path: Path, validator: jsonschema.Draft202012Validator) -> None:
    assert [error.message for error in validator.iter_errors(data(path.read_text(encoding="utf-8")))] == []


@pytest.mark.parametrize("check", checks.values(), ids=checks)
def test_what_only_a_check_refuses_is_valid_for_an_editor(
    check: Any, validator: jsonschema.Draft202012Validator
) -> None:
    head = HEAD.replace("label: {zh: 演示, en: Demo}\n", "") if check.wrong.startswith("label:") else HEAD
    assert [error.message for error in validator.iter_errors(data(head + check.wrong))] == []


WRONG = {
    "an unknown key": "entities: {order: {fields: {name: text}, lable: x}}",
    "an unknown key of a field": "entities: {order: {fields: {name: {type: text, requierd: true}}}}",
    "an unknown type": "entities: {order: {fields: {name: {type: txt}}}}",
    "an unknown bare type": "entities: {order: {fields: {name: txt}}}",
    "a bare type that needs settings": "entities: {order: {fields: {kind: choice}}}",
    "a field without a type": "entities: {order: {fields: {name: {required: true}}}}",
    "a card without a kind": "homes: {desk: {cards: {orders: {entity: order}}}}",
    "a card of an unknown kind": "homes: {desk: {cards: {orders: {kind: lits, entity: order}}}}",
    "an unknown key of a card": "homes: {desk: {cards: {orders: {kind: list, entity: order, colums: [name]}}}}",
    "a clock without a field": "homes: {desk: {cards: {orders: {kind: list, entity: order, clock: {limit: 2 h}}}}}",
    "a text for a boolean": "entities: {order: {fields: {name: {type: text, required: 'yes'}}}}",
    "a list for a map": "entities: {order: {fields: [name]}}",
    "a duration without a unit": "processes: {flow: {entity: order, stages: {open: {limit: 3}}}}",
    "a duration with a wrong unit": "processes: {flow: {entity: order, stages: {open: {limit: 3 dayz}}}}",
    "an action that is none": "policies: {clerk: {order: {rows: 'true', actions: [reed]}}}",
    "a label in a third language": "roles: {clerk: {label: {zh: x, fr: y}}}",
    "a number beyond its limit": "entities: {order: {fields: {name: text}, duplicates: {match: {name: 100}, at_least: 101}}}",
    "a root without a version": "app: x\nlabel: y\nentities: {}",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_what_has_the_wrong_shape_is_underlined_and_refused(
    text: str, validator: jsonschema.Draft202012Validator
) -> None:
    whole = text if text.startswith("app:") else HEAD + ("" if "entities:" in text else "entities: {}\n") + text
    assert list(validator.iter_errors(data(whole)))
    assert load({"x.yaml": whole}).definition is None


SHORT = {
    "rows": "policies: {clerk: {order: {rows: 'true'}}}",
    "rows in full": "policies: {clerk: {order: {rows: {read: 'true', write: 'false'}}}}",
    "counts": "processes: {flow: {entity: order, stages: {open: {exit: {files: {photo: 2}, related: {lines: {count: 1}}}}}}}",
    "bands": "scores: {health: {entity: order, field: health, terms: {}, bands: {good: '>= 5', bad: {range: '< 5', color: red}}}}",
    "names": "views: {all: {entity: order, columns: name, sort: -name}}",
    "options": "entities: {order: {fields: {a: {type: choice, options: {x: X, y: {zh: 是, en: Y}, z: {label: Z, color: red}}}, b: {type: choice, options: [x, y]}}}}",
}


@pytest.mark.parametrize("text", SHORT.values(), ids=SHORT)
def test_short_forms_are_valid(text: str, validator: jsonschema.Draft202012Validator) -> None:
    assert [error.message for error in validator.iter_errors(data(HEAD + text))] == []


def test_every_field_type_is_offered_with_a_description_in_both_languages() -> None:
    offered = json_schema()["$defs"]["Field"]["anyOf"][1]["properties"]["type"]["oneOf"]
    assert [each["const"] for each in offered] == list(field_types)
    assert all(
        kind.doc.zh in each["description"] and kind.doc.en in each["description"]
        for each, kind in zip(offered, dict(field_types.items()).values(), strict=True)
    )
