"""The design system shows what there is: every macro and every widget of the templates has a specimen."""

import re
from pathlib import Path

import pytest

from engine.web.pages.frame import HERE, environment
from engine.web.pages.specimens import design_system

PAGE = (HERE / "templates" / "specimens.html").read_text(encoding="utf-8")
DRAWN = {"parts.html": "p", "gate.html": "gates"}


def macros(template: str) -> list[str]:
    return re.findall(r"{%-? macro (\w+)\(", (HERE / "templates" / template).read_text(encoding="utf-8"))


@pytest.mark.parametrize(("template", "name"), [(each, name) for each in DRAWN for name in macros(each)])
def test_every_part_has_a_specimen(template: str, name: str) -> None:
    inside = name == "action"  # drawn by the gate that it belongs to
    assert inside or f"{DRAWN[template]}.{name}(" in PAGE or f"call {DRAWN[template]}.{name}(" in PAGE


def test_every_widget_has_a_specimen() -> None:
    text = (HERE / "templates" / "widgets.html").read_text(encoding="utf-8")
    registered = set(re.findall(r'"(\w+)": \w+', text.split("set registry", 1)[1].split("%}", 1)[0]))
    assert registered
    page = design_system("en")
    assert {name for name in registered if f'id="control-{name}"' not in page} == set()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_id_is_on_the_page_twice(language: str) -> None:
    page = design_system(language)  # type: ignore[arg-type]
    found = re.findall(r'\bid="([^"]+)"', page)
    assert sorted(each for each in set(found) if found.count(each) > 1) == []


def test_the_english_page_has_no_chinese() -> None:
    assert re.findall(r"[\u4e00-\u9fff]+", design_system("en")) == []


def test_the_page_refers_to_files_that_are_there() -> None:
    reference = Path(__file__).parents[2] / "docs" / "reference"
    linked = re.findall(r'<link rel="stylesheet" href="([^"]+)"', design_system("zh"))
    assert linked
    assert [each for each in linked if not (reference / each).resolve().is_file()] == []
    assert environment().globals["static"]("app.css").startswith("/static/"), "served pages keep their addresses"
