"""A problem is a frozen value: what is wrong, where, with which value, and how to mend it.

The same value serves the compiler (a place in the text) and the running app (a field of a record).  Its words are
looked up in one catalogue (`engine.words`) in the language of the person who reads it, never earlier.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import Any, Literal

from engine.words import catalogue

Severity = Literal["error", "warning", "hint"]
Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Label:
    """A text in both languages."""

    zh: str
    en: str

    def __getitem__(self, language: str) -> str:
        return self.en if language == "en" else self.zh

    @classmethod
    def of(cls, text: str) -> "Label":
        return cls(text, text)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a definition's text, counted in characters from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Patch:
    """One text edit that mends a problem: replace the `length` characters at `place` by `text`."""

    place: Place
    length: int
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` is dotted: into the definition (`entities.visit.fields.amount`) or into a record (`lines.2.amount`).

    `parameters` fill the words; a `Label` among them appears in the reader's language.  `related` are other places
    that take part; `witness` is the smallest example that shows the problem; each of `patches` alone mends it.
    """

    code: str
    path: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity = "error"
    place: Place | None = None
    value: Any = None
    related: tuple[Place, ...] = ()
    witness: Mapping[str, Any] | None = None
    patches: tuple[Patch, ...] = ()

    def message(self, language: str = "zh") -> str:
        return _fill(catalogue()[self.code][language], self.parameters, language)

    def label(self) -> Label:
        """The message in both languages, to be put into another one."""
        return Label(self.message("zh"), self.message("en"))

    def hint(self, language: str = "zh") -> str:
        """How to mend it; empty when the catalogue or the parameters have nothing to say."""
        template = catalogue()[self.code].get(f"hint_{language}", "")
        needed = {name.split(".")[0].split("[")[0] for _, name, _, _ in Formatter().parse(template) if name}
        if any(self.parameters.get(name) is None for name in needed):
            return ""
        return _fill(template, self.parameters, language)

    def sort_key(self) -> tuple[str, int, int, str, str]:
        place = self.place
        return (
            (place.file, place.line, place.column, self.code, self.path) if place else ("", 0, 0, self.code, self.path)
        )

    def as_json(self, language: str = "zh") -> dict[str, Any]:
        """A plain mapping for tools: code, severity, path, message, hint, and place, value, related if known."""
        out: dict[str, Any] = {
            "code": self.code,
            "severity": self.severity,
            "path": self.path,
            "message": self.message(language),
            "hint": self.hint(language),
        }
        if self.place:
            out |= {"file": self.place.file, "line": self.place.line, "column": self.place.column}
        if self.value is not None:
            out["value"] = self.value if isinstance(self.value, (str, int, float, bool)) else str(self.value)
        if self.related:
            out["related"] = [{"file": p.file, "line": p.line, "column": p.column} for p in self.related]
        if self.witness:
            out["witness"] = dict(self.witness)
        if self.patches:
            out["patches"] = [
                {
                    "file": p.place.file,
                    "line": p.place.line,
                    "column": p.place.column,
                    "length": p.length,
                    "text": p.text,
                }
                for p in self.patches
            ]
        return out


class Refused(Exception):
    """Something was asked that cannot be done; nothing has changed. Carries every problem found, not only the first.

    `status` is the HTTP status that fits: 400 malformed, 401, 403, 404, 409 conflict, 413, 415, 422 invalid, 428, 429.
    """

    def __init__(self, problems: Problem | Iterable[Problem], status: int = 422) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        self.status = status
        super().__init__("; ".join(f"{p.path}: {p.code}" for p in self.problems))


def worst(problems: Iterable[Problem]) -> Severity | None:
    """The gravest severity among `problems`; None when there are none."""
    found = {p.severity for p in problems}
    for severity in ("error", "warning", "hint"):
        if severity in found:
            return severity
    return None


def _fill(template: str, parameters: Mapping[str, Any], language: str) -> str:
    words = {key: value[language] if isinstance(value, Label) else value for key, value in parameters.items()}
    return template.format(**words)
