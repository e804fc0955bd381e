"""Problems for a terminal or for tools.

As text, each problem is its place and path, then code and message, then the remedy:

    apps/visits/visit.yaml:118:15  processes.visiting.stages.open.exit.when
      unknown-field: visit has no field "photoes".
      Did you mean "photos"?
"""

import json
from collections.abc import Iterable
from typing import Literal

from engine.problems import Language, Problem

Format = Literal["text", "json"]


def render(problems: Iterable[Problem], language: Language = "zh", format: Format = "text") -> str:
    """All problems in one text: blocks with an empty line between them, or a JSON list; empty text for none."""
    if format == "json":
        return json.dumps([problem.as_json(language) for problem in problems], ensure_ascii=False, indent=2) + "\n"
    return "\n".join(heading(problem) + body(problem, language) for problem in problems)


def heading(problem: Problem) -> str:
    """Place and path, as far as there are any."""
    place = str(problem.place) if problem.place else ""
    return "  ".join(part for part in (place, problem.path) if part) + "\n"


def body(problem: Problem, language: Language) -> str:
    severity = "" if problem.severity == "error" else f" ({problem.severity})"
    hint = problem.hint(language)
    return f"  {problem.code}{severity}: {problem.message(language)}\n" + (f"  {hint}\n" if hint else "")
