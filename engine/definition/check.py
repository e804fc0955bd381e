"""Whether a definition makes sense: every problem at once, sorted, each with its place.

A check is a class in `engine.definition.checks`.  It asks `Facts`, which works out once what many checks need, and
yields problems.  A check that would only repeat what another one says of the same cause keeps quiet.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.collector import collector_resting
from engine.definition.facts import Facts
from engine.definition.formulas import Resolver
from engine.definition.model import AppDefinition
from engine.definition.package import of_data, read
from engine.definition.scope import Names
from engine.definition.shaping import shaped
from engine.definition.source import Source
from engine.expressions import Expression
from engine.problems import Problem, worst


@dataclass(frozen=True)
class Checked:
    """A package after checking. `definition` is None when the text has not the shape of one.

    `expressions` are the checked expressions by path; `volatile` are the formula fields, by entity, that are computed
    whenever they are read; `problems` are in order of their places.
    """

    source: Source
    definition: AppDefinition | None
    expressions: Mapping[str, Expression] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    names: Names | None = None
    volatile: frozenset[tuple[str, str]] = frozenset()

    @property
    def files(self) -> Mapping[str, str]:
        """Every text of the package, named relative to the root file's folder; enough to load it again."""
        return self.source.files

    @property
    def ok(self) -> bool:
        """Whether nothing blocks publishing."""
        return self.definition is not None and worst(self.problems) != "error"


def load(
    origin: str | Path | Mapping[str, str],
    root: str | None = None,
    preset: str | None = None,
    *,
    known_good: bool = False,
) -> Checked:
    """Reads and checks an app package: the path of its root file, or a mapping of file names to texts.

    `root` names the root file of a mapping (found by itself otherwise); `preset` is used instead of the package's own.
    `known_good` spares the checks of a package that has passed them, such as a published one; whether its shape and its
    expressions are understood is seen all the same.  Raises FileNotFoundError when there is no root file, and nothing
    else: whatever is wrong is in `problems`.
    """
    with collector_resting(stays=True):
        return _checked(read(origin, root, preset, again=not known_good), known_good)


def restored(files: Mapping[str, str], root: str, data: dict[str, Any]) -> Checked:
    """A package that was loaded and found good before; `data` is what its texts say together (`Source.data`)."""
    with collector_resting():
        return _checked(of_data(files, root, data), known_good=True)


def _checked(source: Source, known_good: bool) -> Checked:
    definition = shaped(source)
    if definition is None:
        return Checked(source, None, problems=_sorted(source.problems))
    resolver = Resolver(source, definition)
    resolver.run()
    if known_good:
        known = _sorted([*source.problems, *resolver.problems])
        return Checked(source, definition, resolver.expressions, known, resolver.names, resolver.volatile)
    from engine.definition.checks import checks  # with what they need, which a running app does not

    facts = Facts(source, definition, resolver)
    found = [*source.problems, *resolver.problems]
    for each in checks.values():
        found.extend(each().find(facts))
    problems = _sorted(allowed(facts, found))
    return Checked(source, definition, resolver.expressions, problems, resolver.names, resolver.volatile)


def allowed(facts: Facts, problems: list[Problem]) -> list[Problem]:
    """The problems without those warnings that `allow` takes on purpose, and with a warning for each idle entry of it.

    An entry names a code, or `code@path` for what lies at that path or below it.  Errors are never silenced.
    """
    allow = facts.definition.allow
    used: set[str] = set()

    def silenced(problem: Problem) -> bool:
        if problem.severity == "error":
            return False
        parts = problem.path.split(".")
        keys = [problem.code, *(f"{problem.code}@{'.'.join(parts[:end])}" for end in range(1, len(parts) + 1))]
        hits = [key for key in keys if key in allow]
        used.update(hits)
        return bool(hits)

    kept = [problem for problem in problems if not silenced(problem)]
    idle = [
        facts.problem("allow-idle", ("allow", key), key=True, severity="warning", value=key, name=key)
        for key in allow
        if key not in used
    ]
    return kept + idle


def _sorted(problems: list[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=Problem.sort_key))
