"""The fast validator: what somebody sends becomes stored values, or everything that is wrong with it.

It is compiled once for a set of fields from the same field objects that make the published JSON Schema
(`engine.forms.schema`), and says the same: property tests hold it against jsonschema.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from engine.columns import unpack
from engine.fields import Field, Invalid
from engine.fields.choice import Choosing
from engine.fields.lookup import parse_id
from engine.fields.scalars import AN_OBJECT
from engine.forms.entry import Entry
from engine.problems import Label, Problem
from engine.registry import nearest

_SHOWN = 200  # characters of a refused value that are repeated to its sender


class Validator:
    """Takes the fields that may be sent; everything else is unknown."""

    def __init__(self, fields: Mapping[str, Field], labels: Mapping[str, Label], entry: Entry | None = None) -> None:
        self._entry = entry or Entry(Label("记录", "Record"), fields, labels)
        self._parsers = {name: field.parse for name, field in fields.items()}
        self._required = tuple(name for name in fields if name in self._entry.required)
        self._retired = {
            name: retired
            for name, field in fields.items()
            if isinstance(field, Choosing) and (retired := frozenset(field.keys) - frozenset(field.offered))
        }
        self._rows = {name: Validator.of(entry) for name, entry in self._entry.children.items() if name in fields}

    @classmethod
    def of(cls, entry: Entry) -> "Validator":
        """The validator of what `published` says of the same entry."""
        return cls(entry.fields, entry.labels, entry)

    def validate(
        self, data: Any, partial: bool, before: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Any], list[Problem]]:
        """Stored values of the fields that were sent, and problems with their paths.

        `partial`: fields that are not sent are left alone.  `before` are the stored values of the record that is changed:
        a retired option may stay where it is.  Rows come out as maps of stored values, those that are there with their `id`.
        """
        if not isinstance(data, Mapping):
            return {}, [Problem("wrong-type", "", {"label": self._entry.label, "expected": AN_OBJECT})]
        values: dict[str, Any] = {}
        problems: list[Problem] = []
        parsers = self._parsers
        for name, value in data.items():
            parse = parsers.get(name)
            if parse is None:
                problems.append(self._stranger(name))
                continue
            try:
                values[name] = parse(value)
            except Invalid as error:
                problems.append(self._refused(name, error, value))
        if self._required:
            problems += self._missing(data, values, partial)
        if self._retired and (before is not None or not partial):
            problems += self._reborn(values, before or {})
        for name, validator in self._rows.items():
            if values.get(name):
                values[name], found = validator.rows(values[name], partial, f"{name}.")
                problems += found
        return values, problems

    def rows(self, rows: Iterable[Any], partial: bool, path: str) -> tuple[list[dict[str, Any]], list[Problem]]:
        """Like `validate` for every row: new ones are whole, those with an `id` are changes."""
        kept: list[dict[str, Any]] = []
        problems: list[Problem] = []
        for position, row in enumerate(rows):
            at = f"{path}{position}"
            id, given = None, row
            if isinstance(row, Mapping) and "id" in row:
                given = {name: value for name, value in row.items() if name != "id"}
                id = row["id"]
            values: dict[str, Any] = {}
            found: list[Problem] = []
            if id is not None:
                try:
                    values["id"] = parse_id(id)
                except Invalid as error:
                    found.append(Problem(error.code, "id", {"label": self._entry.label, **error.parameters}))
                if not partial:
                    found.append(Problem("row-not-new", "id", {"label": self._entry.label}))
            stored, wrong = self.validate(given, partial=id is not None)
            kept.append(values | stored)
            for problem in (*found, *wrong):
                problems.append(
                    Problem(
                        problem.code,
                        f"{at}.{problem.path}" if problem.path else at,
                        problem.parameters,
                        value=problem.value,
                    )
                )
        return kept, problems

    def _missing(self, data: Mapping[str, Any], values: Mapping[str, Any], partial: bool) -> list[Problem]:
        """Required fields that are not sent, or sent empty; those refused for another reason are reported already."""
        return [
            Problem("required-missing", name, {"label": self._entry.label_of(name)})
            for name in self._required
            if (values.get(name) in (None, []) if name in values else name not in data and not partial)
        ]

    def _reborn(self, values: Mapping[str, Any], before: Mapping[str, Any]) -> list[Problem]:
        """Retired options that were not there before."""
        problems = []
        for name, retired in self._retired.items():
            now, then = values.get(name), before.get(name)
            if now is None or now == then:
                continue
            for key in sorted((retired & set(unpack(now))) - set(unpack(then))):
                problems.append(
                    Problem("option-retired", name, {"label": self._entry.label_of(name), "value": key}, value=key)
                )
        return problems

    def _stranger(self, name: Any) -> Problem:
        if name in self._entry.readable:
            return Problem("field-not-writable", name, {"label": self._entry.label_of(name)})
        shown = str(name)[:60].encode("utf-8", "replace").decode()
        return Problem(
            "unknown-field",
            shown,
            {"entity": self._entry.label, "name": shown, "nearest": nearest(shown, list(self._parsers))},
        )

    def _refused(self, name: str, error: Invalid, value: Any) -> Problem:
        parameters = {"label": self._entry.label_of(name), **error.parameters}
        return Problem(error.code, name, parameters, value=value if _repeatable(value) else None)


def _repeatable(value: Any) -> bool:
    """Whether a refused value can be sent back as it came."""
    if isinstance(value, str):
        return len(value) <= _SHOWN and value.isprintable()
    return isinstance(value, (bool, int)) or (isinstance(value, float) and value - value == 0)
