"""What is asked of every app package, whatever it is about."""

import re
from pathlib import Path

import networkx as nx
import pytest
from jsonschema import Draft202012Validator

from engine.app import App
from engine.forms.entry import Entry, always_required
from engine.forms.schema import published
from engine.workflows.graph import graph_of, mermaid, svg
from tests.contract.conftest import ROOTS, checked, compiled

ENGINE = Path(__file__).parents[2] / "engine"
SPOKEN = (".py", ".html", ".js", ".css")


def test_it_checks_without_a_single_problem(package: str) -> None:
    assert [(str(problem.place), problem.code, problem.path) for problem in checked(package).problems] == []


def test_every_stage_can_be_reached_and_every_stage_leads_to_an_end(app: App) -> None:
    for process in app.processes.values():
        graph = graph_of(process)
        ends = {name for name, stage in process.stages.items() if stage.definition.end}
        assert set(process.stages) <= nx.descendants(graph, process.start) | {process.start}, process.name
        for name in process.stages:
            assert name in ends or nx.descendants(graph, name) & ends, f"{process.name}.{name}"


def test_every_process_has_a_picture_in_both_languages(app: App) -> None:
    for process in app.processes.values():
        for language in ("zh", "en"):
            assert all(stage.label[language] in mermaid(process, language) for stage in process.stages.values())
            assert svg(process, language).startswith("<svg")


@pytest.mark.parametrize("name", [root.stem for root in ROOTS])
def test_what_each_role_may_send_has_a_valid_schema(name: str) -> None:
    app = compiled(name)
    for role in app.definition.roles:
        roles = app.policies.closure([role])
        for model in app.entities.values():
            permit = app.policies.permit(roles, model.name)
            if model.system or not permit.may("create"):
                continue
            fields = {name: model.fields[name] for name in model.fields if name in permit.writable("create")}
            entry = Entry(model.label, fields, model.labels, permit.visible, always_required(fields))
            for partial in (False, True):
                Draft202012Validator.check_schema(published(entry, partial=partial))


def test_every_sample_person_has_a_role_and_every_role_a_person(app: App) -> None:
    people = app.definition.sample.people.values()
    assert {role for person in people for role in person.roles} == set(app.definition.roles)


def test_demo_data_is_described_for_every_kind_of_record(app: App) -> None:
    assert set(app.definition.sample.make) == set(app.definition.entities)


def test_the_engine_names_nothing_of_any_package() -> None:
    """Ids of several words and Chinese labels of what a package defines: nothing of them stands in the engine."""
    told: set[str] = set()
    for root in ROOTS:
        app = compiled(root.stem)
        definition = app.definition
        for group in (definition.entities, definition.processes, definition.scores, definition.views, definition.forms):
            told |= {name for name in group if "_" in name}
            told |= {each.label.zh for each in group.values() if each.label is not None and len(each.label.zh) > 2}
    words = re.compile(
        "|".join(
            rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word)
            for word in sorted(told, key=len, reverse=True)
        )
    )
    found = {
        f"{path.relative_to(ENGINE)}: {match[0]}"
        for path in sorted(ENGINE.rglob("*"))
        if path.suffix in SPOKEN
        for match in words.finditer(path.read_text(encoding="utf-8"))
    }
    assert found == set()
