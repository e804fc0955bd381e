"""The shape of definition text: what every room's slice of the vocabulary is made of.

A `Shape` is a frozen Pydantic model that refuses unknown keys.  `Text` is a label in both languages, written as one
string or as `{zh, en}`.  `Formula` marks a string that is an expression; the compiler checks each one in its scope.
`Span` is a duration with a unit.  Each room declares its own shapes; `engine.definition.model` assembles them.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from engine.problems import Label


def _exact(schema: Any) -> Any:
    """The schema without the conversions that Pydantic would make: `required: "yes"` is a text, no boolean.

    Only scalars become strict; lists may still stand for tuples, and numbers for decimals.
    """
    if isinstance(schema, list):
        return [_exact(each) for each in schema]
    if isinstance(schema, tuple):
        return tuple(_exact(each) for each in schema)
    if not isinstance(schema, dict):
        return schema
    exact = {
        key: value if key in ("metadata", "ref", "default", "cls") else _exact(value) for key, value in schema.items()
    }
    if schema.get("type") in ("bool", "int", "str"):
        exact["strict"] = True
    return exact


class Shape(BaseModel):
    """One map of the definition. Instances are frozen; keys that the vocabulary does not know are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _exact(handler(source))  # type: ignore[no-any-return]


class _TextSchema:
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_label)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        both = {
            "type": "object",
            "properties": {"zh": {"type": "string"}, "en": {"type": "string"}},
            "required": ["zh"],
            "additionalProperties": False,
        }
        return {"anyOf": [{"type": "string"}, both], "description": "A text for people: one string, or {zh, en}."}


def _label(value: Any) -> Label:
    if isinstance(value, Label):
        return value
    if isinstance(value, str):
        return Label.of(value)
    if isinstance(value, Mapping):
        unknown = [key for key in value if key not in ("zh", "en")]
        if unknown:
            raise PydanticCustomError("unknown_key", "unknown language {name}", {"name": unknown[0]})
        zh, en = value.get("zh"), value.get("en")
        if isinstance(zh, str) and isinstance(en, str | None):
            return Label(zh, en or zh)
    raise PydanticCustomError("wrong_shape", "expected a text or {{zh, en}}", {"expected": "text"})


Text = Annotated[Label, _TextSchema]


class FormulaText(str):
    """The source text of an expression."""


def _formula(value: Any) -> FormulaText:
    if isinstance(value, bool):
        return FormulaText("true" if value else "false")
    if isinstance(value, (str, int)):
        return FormulaText(value)
    raise PydanticCustomError("wrong_shape", "expected an expression", {"expected": "expression"})


Formula = Annotated[
    FormulaText,
    BeforeValidator(_formula),
    WithJsonSchema(
        {"type": ["string", "boolean", "integer"], "description": "An expression.", "format": "dougong-expression"}
    ),
]

_UNITS = {
    "min": ("time", 60), "minutes": ("time", 60), "minute": ("time", 60), "h": ("time", 3600), "hours": ("time", 3600), "hour": ("time", 3600),
    "d": ("time", 86400), "days": ("time", 86400), "day": ("time", 86400), "weeks": ("time", 604800), "week": ("time", 604800),
    "workdays": ("workdays", 1), "workday": ("workdays", 1), "workhours": ("workhours", 1), "workhour": ("workhours", 1),
}  # fmt: skip
_SPAN = re.compile(r"^\s*(\d{1,6})\s*([a-z]+)\s*$")


class SpanValue(str):
    """A duration with its unit: `3 workdays`. `kind` is time, workdays or workhours; `amount` is seconds, days or hours."""

    kind: str
    amount: int


def _span(value: Any) -> SpanValue:
    if isinstance(value, SpanValue):
        return value
    if isinstance(value, int):
        raise PydanticCustomError("unit_missing", "a duration needs a unit", {"value": value})
    found = _SPAN.match(value) if isinstance(value, str) else None
    if not found or found[2] not in _UNITS:
        raise PydanticCustomError("wrong_shape", "expected a duration", {"expected": "duration"})
    span = SpanValue(f"{found[1]} {found[2]}")
    kind, factor = _UNITS[found[2]]
    span.kind, span.amount = kind, int(found[1]) * factor
    return span


Span = Annotated[
    SpanValue,
    BeforeValidator(_span),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\s*\d{1,6}\s*(" + "|".join(_UNITS) + r")\s*$",
            "description": "A duration with its unit, such as 3 workdays.",
        }
    ),
]


def as_list(value: Any) -> Any:
    """For keys that take one name or a list of names."""
    return value if value is None or isinstance(value, (list, tuple)) else [value]


Names = Annotated[
    tuple[str, ...],
    BeforeValidator(as_list),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
