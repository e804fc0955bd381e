"""The reference is what the registries say: committed pages are those that the engine writes now."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from engine.analytics.cards import card_kinds
from engine.cli.meanings import COMMON, MEANINGS, meaning
from engine.cli.reference import pages, shapes_below
from engine.definition.model import AppDefinition
from engine.exchange.mapping import ImportMapping
from engine.fields import Field, field_types
from engine.publishing.hazards import MEASURES

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
WRITTEN = pages()


@pytest.mark.parametrize("name", WRITTEN)
def test_the_committed_page_is_what_the_engine_writes(name: str) -> None:
    assert (REFERENCE / name).read_text(encoding="utf-8") == WRITTEN[name], "run: dougong docs"


def test_there_is_no_page_that_nothing_writes() -> None:
    assert {path.name for path in REFERENCE.iterdir()} == set(WRITTEN)


def shapes() -> list[type[BaseModel]]:
    return [
        *shapes_below(AppDefinition),
        *shapes_below(ImportMapping),
        Field,
        *(each for _, kind in field_types.items() for each in shapes_below(kind)),
        *(each for _, kind in card_kinds.items() for each in shapes_below(kind)),
    ]


def test_every_key_says_what_it_means() -> None:
    silent = [
        f"{shape.__name__}.{name}"
        for shape in shapes()
        for name, info in shape.model_fields.items()
        if not (info.description or meaning(shape.__name__, name) or name in Field.model_fields)
    ]
    assert silent == []


def test_no_meaning_is_kept_for_a_key_that_is_gone() -> None:
    known = {(shape.__name__, name) for shape in shapes() for name in shape.model_fields}
    assert [(shape, key) for shape, keys in MEANINGS.items() for key in keys if (shape, key) not in known] == []
    assert [key for key in COMMON if not any(name == key for _, name in known)] == []


def test_every_measure_of_a_plan_has_its_hazard_in_the_reference() -> None:
    page = WRITTEN["hazards.md"]
    # One measure compares what people may see before and after; it reports in both directions.
    named = {function.__name__.replace("_", "-") for function in MEASURES} - {"access-changed"} | {
        "access-widened",
        "access-narrowed",
    }
    assert [code for code in sorted(named) if f"| `{code}` |" not in page] == []
