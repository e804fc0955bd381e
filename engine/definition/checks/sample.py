"""Sample data that the app's own fields refuse: the demo would stop at it."""

from collections.abc import Iterator, Mapping
from typing import Any

from engine.definition.checks.base import Check
from engine.definition.facts import Facts
from engine.definition.source import KeyPath
from engine.fields import Field, Invalid
from engine.fields.number import Numeric
from engine.fields.text import TextLike
from engine.problems import Problem

_RECORDS = ("lookup", "user", "team", "children", "file", "files", "image", "signature")
_ORDER = "entities: {order: {fields: {name: text, kind: {type: choice, options: {a: A, b: B}}, size: {type: integer, max: 10}}}}\n"


class SampleRefused(Check):
    """A constant in the shape of a sample field that the field itself refuses, or numbers beyond its bounds."""

    code = "sample-refused"
    wrong = _ORDER + "sample: {make: {order: {count: 3, fields: {kind: {a: 2, c: 1}, size: {from: 1, to: 9}}}}}"
    repaired = _ORDER + "sample: {make: {order: {count: 3, fields: {kind: {a: 2, b: 1}, size: {from: 1, to: 9}}}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for entity, make in facts.definition.sample.make.items():
            for name, shape in make.fields.items():
                field = facts.field(entity, name)
                if field is None or field.derived or not field.stored or field.type in _RECORDS:
                    continue
                field = field.within(facts.definition.currency, facts.definition.calendar.timezone)
                path: KeyPath = ("sample", "make", entity, "fields", name)
                for where, value in _constants(shape, path):
                    if not _takes(field, value):
                        yield facts.problem(
                            self.code,
                            where,
                            key=where[-1] == value,
                            value=str(value),
                            text=str(value),
                            field=facts.field_label(entity, name),
                        )


def _constants(shape: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    """The values that a shape may give, with where they stand (see `engine.definition.model.Make`)."""
    if isinstance(shape, (list, tuple)):
        for index, each in enumerate(shape):
            yield from _constants(each, (*path, index))
    elif not isinstance(shape, Mapping):
        if shape is not None:
            yield path, shape
    elif "part" in shape or "now" in shape:
        pass  # shares of another value, and spans
    elif "since" in shape and "of" in shape:
        yield from _constants(shape["of"], (*path, "of"))
        yield from _constants(shape.get("otherwise"), (*path, "otherwise"))
    elif "from" in shape and "to" in shape:
        for key in ("from", "to"):
            if not isinstance(shape[key], str):  # a span counts from the creation of the record
                yield (*path, key), shape[key]
    elif "share" in shape and set(shape) <= {"share", "of"}:
        yield from _constants(shape.get("of"), (*path, "of"))
    elif "turn" in shape:
        yield from _constants(shape["turn"], (*path, "turn"))
    elif "by" in shape and "cases" in shape:
        for case, each in shape["cases"].items():
            yield from _constants(each, (*path, "cases", case))
        yield from _constants(shape.get("otherwise"), (*path, "otherwise"))
    elif "same" in shape and set(shape) <= {"same", "otherwise"}:
        yield from _constants(shape.get("otherwise"), (*path, "otherwise"))
    elif not set(shape) & {"role", "team", "files"}:
        for key in shape:
            yield (*path, key), key


def _takes(field: Field, value: Any) -> bool:
    if isinstance(value, str) and isinstance(field, TextLike) and "{" in value:
        return True  # a pattern
    try:
        if isinstance(value, str) and not isinstance(field, TextLike):
            try:
                field.read(value)
            except Invalid:
                field.parse(value)
        else:
            field.parse([value] if field.type == "choices" and isinstance(value, str) else value)
    except Invalid:
        return isinstance(field, Numeric) and isinstance(value, float)  # rounded to what the field keeps
    return True
