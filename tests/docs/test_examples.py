"""The examples in the documentation, tried: a block that begins with the name of a file is part of an app."""

import re
from pathlib import Path
from textwrap import indent

from engine.app import compile_app
from engine.definition import Checked, load

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```yaml\n# (?P<file>\S+\.yaml)(?: (?P<at>\S+))?\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


def told(name: str) -> list[tuple[str, str | None, str]]:
    """File, path within it (None: the whole file) and text of each block of a page, in order."""
    page = (DOCS / name).read_text(encoding="utf-8")
    return [(found["file"], found["at"], found["text"]) for found in BLOCK.finditer(page)]


def added(text: str, at: str, more: str) -> str:
    """`more` put at the head of the map that the path `at` leads to."""
    lines, depth = text.splitlines(keepends=True), 0
    keys = at.split(".")
    for number, line in enumerate(lines):
        if depth < len(keys) and line.startswith("  " * depth + keys[depth] + ":"):
            depth += 1
            if depth == len(keys):
                return "".join([*lines[: number + 1], indent(more, "  " * depth), *lines[number + 1 :]])
    raise AssertionError(f"{at} is not in the file")


def codes(checked: Checked) -> list[str]:
    return [problem.code for problem in checked.problems if problem.severity != "hint"]


def test_the_first_app_works_after_each_chapter() -> None:
    files: dict[str, str] = {}
    broken: list[tuple[str, list[str]]] = []
    for file, at, text in told("tutorial/first-app.md"):
        files[file] = added(files[file], at, text) if at else text
        if file != "tools.yaml":
            broken.append((file, codes(load(files, "tools.yaml"))))
    assert [(file, found) for file, found in broken if found] == [("tools/health.yaml", ["unknown-field"])]
    assert compile_app(load(files, "tools.yaml")).entities["loan"].computed


def test_renaming_keeps_the_first_app_sound() -> None:
    files: dict[str, str] = {}
    for file, at, text in told("tutorial/first-app.md"):
        files[file] = added(files[file], at, text) if at else text
    files["tools/loan.yaml"] = files["tools/loan.yaml"].replace(
        "damage: {type: longtext,", "defects: {type: longtext, was: damage,"
    )
    assert "unknown-field" in codes(load(files, "tools.yaml"))
    files["tools/health.yaml"] = files["tools/health.yaml"].replace("damage", "defects")
    assert codes(load(files, "tools.yaml")) == []
