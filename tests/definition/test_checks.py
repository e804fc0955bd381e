"""Every check finds exactly its problem in its wrong snippet, and nothing once that is repaired."""

from collections.abc import Callable

import pytest

from engine.definition import Checked, load
from engine.definition.checks import Check, checks
from engine.problems import Problem
from engine.words import catalogue

# Snippets are short; in an app, what people see has a label in both languages.
HEAD = "app: demo\nversion: 1.0.0\nlabel: {zh: 演示, en: Demo}\n"
ALLOW = "allow: {label-missing: the snippet is short}\n"


def checked(snippet: str, check: type[Check]) -> Checked:
    head = HEAD.replace("label: {zh: 演示, en: Demo}\n", "") if snippet.startswith("label:") else HEAD
    return load({"x.yaml": head + ("" if check.code == "label-missing" else ALLOW) + snippet})


def told(problems: tuple[Problem, ...]) -> list[str]:
    return [f"{p.place} {p.path} {p.code}: {p.message('en')}" for p in problems]


@pytest.mark.parametrize("check", checks.values(), ids=checks)
def test_the_wrong_snippet_has_exactly_this_problem(check: type[Check]) -> None:
    problems = checked(check.wrong, check).problems
    assert [p.code for p in problems] == [check.code], told(problems)


@pytest.mark.parametrize("check", checks.values(), ids=checks)
def test_the_repaired_snippet_has_none(check: type[Check]) -> None:
    assert told(checked(check.repaired, check).problems) == []


@pytest.mark.parametrize("check", checks.values(), ids=checks)
def test_the_problem_has_a_place_a_path_and_words_in_both_languages(check: type[Check]) -> None:
    (problem,) = checked(check.wrong, check).problems
    assert problem.place is not None
    assert problem.path
    for language in ("zh", "en"):
        assert problem.message(language)
        hint = problem.hint(language)
        assert ("hint_zh" in catalogue()[check.code]) == bool(hint) or problem.parameters.get("nearest") is None


@pytest.mark.parametrize("check", checks.values(), ids=checks)
def test_every_patch_alone_cures_and_breaks_nothing(check: type[Check]) -> None:
    (problem,) = checked(check.wrong, check).problems
    text = checked(check.wrong, check).files["x.yaml"]
    for patch in problem.patches:
        lines = text.split("\n")
        line = lines[patch.place.line - 1]
        start = patch.place.column - 1
        lines[patch.place.line - 1] = line[:start] + patch.text + line[start + patch.length :]
        assert told(load({"x.yaml": "\n".join(lines)}).problems) == []


@pytest.fixture
def problems() -> Callable[[str], list[str]]:
    return lambda snippet: told(load({"x.yaml": HEAD + ALLOW + snippet}).problems)
