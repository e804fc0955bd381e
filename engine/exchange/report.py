"""What came of an import, in counts, in words, and for programs."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.problems import Problem

MOST_TOLD = 100  # refused rows whose problems are kept
MOST_SAID = 20
MOST_SAMPLED = 5  # rows that went in whose values are kept


@dataclass(frozen=True)
class Sample:
    """A row that went in: its line, what became of it (created, updated, unchanged), and the stored values of its record."""

    line: int
    what: str
    values: dict[str, Any]


@dataclass
class StepReport:
    """What came of one step. `problems` are those of the first refused rows, by line; `refused_file` holds all such rows.

    `flagged` counts rows that are probably duplicates, `warnings` are those of the first; `samples` the first rows that went
    in; `made` what links brought into being; `ignored` are columns of fields that nobody writes, `unknown` columns that fit
    nothing.
    """

    entity: str
    file: str
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    flagged: int = 0
    made: dict[str, int] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    problems: list[tuple[int, tuple[Problem, ...]]] = field(default_factory=list)
    warnings: list[tuple[int, tuple[Problem, ...]]] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    refused_file: Path | None = None

    @property
    def rows(self) -> int:
        return self.created + self.updated + self.unchanged + self.refused


@dataclass
class Report:
    """The whole import. `batch` undoes it; `seconds` is how long it took."""

    steps: list[StepReport] = field(default_factory=list)
    batch: int = 0
    dry_run: bool = False
    seconds: float = 0.0

    @property
    def created(self) -> int:
        return sum(step.created for step in self.steps)

    @property
    def updated(self) -> int:
        return sum(step.updated for step in self.steps)

    @property
    def unchanged(self) -> int:
        return sum(step.unchanged for step in self.steps)

    @property
    def refused(self) -> int:
        return sum(step.refused for step in self.steps)

    @property
    def flagged(self) -> int:
        return sum(step.flagged for step in self.steps)

    def lines(self, language: Any = "zh") -> list[str]:
        """The report as people read it: what came of each step, columns that were left out, and the first refused rows."""
        said = []
        for step in self.steps:
            parameters = {
                name: getattr(step, name) for name in ("entity", "file", "created", "updated", "unchanged", "refused")
            }
            said.append(Problem("import-report", "", parameters).message(language))
            said += [
                f"  {Problem(code, '', {'names': '、'.join(names)}).message(language)}"
                for code, names in (("import-report-unknown", step.unknown), ("import-report-ignored", step.ignored))
                if names
            ]
            if step.flagged:
                said.append(f"  {Problem('import-report-flagged', '', {'count': step.flagged}).message(language)}")
            for line, problems in step.problems[:MOST_SAID]:
                words = " ".join(problem.message(language) for problem in problems)
                said.append(f"  {Problem('import-report-line', '', {'line': line, 'words': words}).message(language)}")
            if step.refused_file is not None:
                said.append(f"  {Problem('import-report-file', '', {'file': step.refused_file}).message(language)}")
        return said

    def as_json(self, language: Any = "zh") -> dict[str, Any]:
        return {
            "created": self.created, "updated": self.updated, "unchanged": self.unchanged, "refused": self.refused, "flagged": self.flagged,
            "dry_run": self.dry_run, "seconds": round(self.seconds, 3), "batch": str(self.batch),
            "steps": [
                {"entity": step.entity, "file": step.file, "created": step.created, "updated": step.updated, "unchanged": step.unchanged,
                 "refused": step.refused, "flagged": step.flagged, "made": step.made, "ignored": list(step.ignored), "unknown": list(step.unknown),
                 "problems": [{"line": line, "problems": [problem.as_json(language) for problem in problems]} for line, problems in step.problems]}
                for step in self.steps
            ],
        }  # fmt: skip


__all__ = ["MOST_SAMPLED", "MOST_TOLD", "Report", "Sample", "StepReport"]
