"""Pages lead somewhere, and say only commands, variables and pictures that there are."""

import re
from pathlib import Path

import click
import pytest
import typer.main

from engine import cli
from engine.app import compile_app
from engine.definition import load
from engine.web.settings import PREFIX, Settings
from engine.workflows.graph import svg
from tests.docs.commands import DOCS, PAGES, ROOT, WRITTEN, lines

COMMANDS = typer.main.get_command(cli.app)
OURS = ("dougong", ".venv/bin/dougong")
# Variables that the tests and the tools around them read, not the server.
OTHERS = {"DOUGONG_TEST_POSTGRESQL"}


def ours() -> list[tuple[str, list[str]]]:
    """Every call of the command line that a page shows: the page, and the words after `dougong`."""
    found = []
    for page in WRITTEN:
        for words in lines(page):
            if words[0] in OURS:
                found.append((page.name, words[1:]))
            elif words[1:3] == ["-m", "engine.cli"]:
                found.append((page.name, words[3:]))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, link


def test_every_page_can_be_found_from_the_index() -> None:
    reached, waiting = set(), [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        links = re.findall(r"\]\((?!https?:|#)([^)#]+\.md)", page.read_text(encoding="utf-8"))
        waiting += [(page.parent / link).resolve() for link in links]
    assert set(DOCS.rglob("*.md")) <= reached


@pytest.mark.parametrize(("page", "words"), ours(), ids=lambda each: " ".join(each) if isinstance(each, list) else each)
def test_a_command_that_a_page_shows_can_be_given(page: str, words: list[str]) -> None:
    command: click.Command = COMMANDS
    context = click.Context(command, info_name="dougong")
    while isinstance(command, click.Group) and words:
        found = command.get_command(context, words[0])
        assert found is not None, f"{page}: {words[0]}"
        command, words = found, words[1:]
        context = click.Context(command, info_name=command.name, parent=context)
    # An app that a page has the reader write is not there; everything else is checked.
    command.make_parser(context).parse_args(list(words))


def test_variables_of_the_environment_exist() -> None:
    known = {PREFIX + name.upper() for name in Settings.__dataclass_fields__} | OTHERS
    named = {name for page in PAGES for name in re.findall(rf"\b{PREFIX}[A-Z_]+\b", page.read_text(encoding="utf-8"))}
    assert named <= known


@pytest.mark.parametrize(("name", "language"), [("consumer-goods.svg", "en"), ("consumer-goods.zh.svg", "zh")])
def test_the_picture_is_what_the_definition_draws(name: str, language: str) -> None:
    process = compile_app(load(ROOT / "apps" / "crm.yaml")).processes["consumer_goods"]
    drawn = svg(process, language)  # type: ignore[arg-type]
    assert (DOCS / "pictures" / name).read_text(encoding="utf-8") == drawn, (
        f"run: dougong graph … -o docs/pictures/{name}"
    )


def test_the_gate_that_the_front_page_shows_is_the_gate() -> None:
    definition = (ROOT / "apps" / "crm" / "processes" / "consumer_goods.yaml").read_text(encoding="utf-8")
    for page in ("README.md", "README.zh.md", "docs/how-to/adapt-the-crm.md"):
        (gate,) = re.findall(r"```yaml\n(exit:.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
        assert "".join(f"        {line}\n" for line in gate.splitlines()) in definition, page


def test_the_documentation_speaks_of_the_project_alone() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"/work/|/tmp/|\bshared/|\bissue \d|\bAI\b", text), page
