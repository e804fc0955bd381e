"""What a computed field stores has the digits that the field shows."""

import pytest

from engine.app import compile_app
from engine.definition import load
from tests.contract.conftest import ROOTS

SHOP = """
app: demo
version: 1.0.0
label: Demo
allow: {label-missing: short}
entities:
  order:
    fields:
      name: text
      mean: {type: rollup, formula: avg(lines.size)}
      finer: {type: rollup, formula: avg(lines.size), scale: 4}
      half: {type: formula, formula: size / 3}
      size: integer
  line:
    fields:
      order: {type: lookup, to: order, on_delete: cascade, inverse: lines}
      size: {type: number, scale: 1}
"""


def digits(files: dict[str, str] | str) -> list[tuple[str, int, int]]:
    """Each stored number that is computed, with the digits of its expression and those of its field."""
    app = compile_app(load(files))
    return [
        (f"{model.name}.{name}", computed.expression.type.scale, model.fields[name].value_type().scale)
        for model in app.entities.values()
        for name, computed in model.computed.items()
        if computed.expression is not None and computed.expression.type.kind == "number"
    ]


def test_formulas_and_rollups_are_rounded_to_what_their_field_keeps() -> None:
    found = digits({"x.yaml": SHOP})
    assert found == [("order.mean", 2, 2), ("order.finer", 4, 4), ("order.half", 2, 2)]


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.stem)
def test_every_package_stores_what_it_shows(root: object) -> None:
    assert [each for each in digits(str(root)) if each[1] != each[2]] == []
