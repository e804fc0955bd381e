"""A package read with a preset keeps it: loading what was kept gives the same definition."""

from pathlib import Path

import pytest

from engine.definition import load

CRM = Path(__file__).parents[2] / "apps" / "crm.yaml"
PRESETS = [*(load(CRM).definition or pytest.fail("the app has no definition")).presets]


@pytest.mark.parametrize("preset", PRESETS)
def test_what_is_kept_of_a_package_chooses_the_same_preset(preset: str) -> None:
    chosen = load(CRM, preset=preset)
    again = load(chosen.files, "crm.yaml")
    assert chosen.definition is not None
    assert again.definition is not None
    assert again.definition.preset == preset
    assert again.definition.entities == chosen.definition.entities
    assert again.definition.processes == chosen.definition.processes
