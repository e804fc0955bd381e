"""Whatever somebody does to a definition, loading it says what is wrong and never fails."""

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings, strategies as st

from engine.definition import load
from engine.definition.checks import checks
from engine.definition.package import read
from engine.problems import Problem

APPS = Path(__file__).parents[2] / "apps"
WHOLE = read(APPS / "inspection.yaml").data
SNIPPETS = [read({"x.yaml": "app: demo\nversion: 1.0.0\nlabel: d\n" + check.wrong}).data for check in checks.values()]
WORDS = [
    "",
    "name",
    "order",
    "nothing",
    "*",
    "true",
    "user",
    "choice",
    "3 d",
    "1 +",
    "size > 5",
    "this.x",
    "a.b.c",
    "{seq:3}",
]
VALUES: list[Any] = [None, True, False, 0, 5, -1, 2.5, [], {}, ["name"], [[]], {"zh": "x"}, {"type": "lookup"}, *WORDS]


def paths(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a tree of plain data."""
    inside = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path] * bool(path) + [found for key, each in inside for found in paths(each, (*path, key))]


def changed(data: Any, path: tuple[Any, ...], how: str, value: Any) -> Any:
    data = copy.deepcopy(data)
    at = data
    for part in path[:-1]:
        try:
            at = at[part]
        except (KeyError, IndexError, TypeError):
            return data
    key = path[-1]
    try:
        if how == "delete":
            del at[key]
        elif how == "replace":
            at[key] = value
        elif isinstance(at, dict):
            at[str(value)] = at.pop(key)
        else:
            at.append(value)
    except (KeyError, IndexError, TypeError):
        pass
    return data


def check(data: Any) -> None:
    checked = load({"x.json": json.dumps(data, ensure_ascii=False)})
    for problem in checked.problems:
        assert isinstance(problem, Problem)
        assert problem.place is not None
        assert problem.message("zh")
        assert problem.message("en")
        assert problem.hint("zh") is not None


_change = st.tuples(st.sampled_from(["delete", "replace", "rename"]), st.integers(0, 10**6), st.sampled_from(VALUES))


@given(st.sampled_from(SNIPPETS), st.lists(_change, min_size=1, max_size=3))
@settings(max_examples=100)
def test_a_small_definition_survives_every_change(data: Any, changes: list[tuple[str, int, Any]]) -> None:
    for how, index, value in changes:
        places = paths(data)
        if places:
            data = changed(data, places[index % len(places)], how, value)
    check(data)


@given(st.lists(_change, min_size=1, max_size=2))
@settings(max_examples=8)
def test_a_whole_app_survives_every_change(changes: list[tuple[str, int, Any]]) -> None:
    data = WHOLE
    for how, index, value in changes:
        places = paths(data)
        data = changed(data, places[index % len(places)], how, value)
    check(data)
