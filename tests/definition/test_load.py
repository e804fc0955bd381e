"""Loading a package: everything wrong at once, each thing once, and a checked definition where nothing is wrong."""

from pathlib import Path

import pytest

from engine.app import compile_app
from engine.definition import Checked, load
from engine.definition.render import render
from engine.expressions.types import Context
from tests.effort import at_most

APPS = Path(__file__).parents[2] / "apps"
HEAD = "app: demo\nversion: 1.0.0\nlabel: {zh: 演示, en: Demo}\nallow: {label-missing: short}\n"


def made(text: str) -> Checked:
    return load({"x.yaml": HEAD + text})


def told(checked: Checked) -> list[str]:
    return [f"{problem.path} {problem.code}" for problem in checked.problems]


def test_a_root_file_that_does_not_exist_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing.yaml")


def test_an_entity_alone_works() -> None:
    checked = made("entities: {order: {fields: {name: text}}}")
    assert checked.ok
    assert checked.problems == ()


def test_problems_of_shape_are_reported_together_in_the_order_of_the_text() -> None:
    checked = made(
        "entities:\n  order:\n    lable: x\n    fields:\n      name: txt\n      kind: {type: choice, options: {}}\n      size: {typ: integer}\n"
        "roles: {clerk: {administrator: 'yes'}}\nprocesses: {flow: {entity: order, stages: {open: {limit: 3}}}}\n"
    )
    assert checked.definition is None
    assert not checked.ok
    assert told(checked) == [
        "entities.order.lable unknown-key",
        "entities.order.fields.name unknown-type",
        "entities.order.fields.kind.options options-broken",
        "entities.order.fields.size.type missing-key",
        "roles.clerk.administrator wrong-shape",
        "processes.flow.stages.open.limit unit-missing",
    ]


TEN_BUGS = """\
roles: {clerk: {}, chief: {includes: [clark]}}
entities:
  order:
    fields:
      name: text
      amount: {type: money, required: true}
      total: {type: formula, formula: amuont * 2}
      ratio: {type: formula, formula: "name + 1"}
      kind: {type: choice, options: {small: 小, large: 大}}
      customer: {type: lookup, to: custmer, on_delete: keep}
    sections: {main: {fields: [name, amount, nmae]}}
views:
  open: {entity: order, where: "kind == 'lareg'", sort: -amuont}
policies:
  clerk: {order: {rows: "owner == user", actions: [read, create, transition]}}
processes:
  flow:
    entity: order
    stages: {new: {}, open: {exit: {fields: [prize]}}, lost: {end: lost}, island: {}}
    transitions: {begin: {from: new, to: open}, give_up: {from: [new, opne], to: lost}, stay: {from: island, to: open}}
"""


def test_ten_planted_bugs_are_all_caught_each_once() -> None:
    assert told(made(TEN_BUGS)) == [
        "roles.chief.includes unknown-role",
        "entities.order.fields.total.formula unknown-field",
        "entities.order.fields.ratio.formula type-mismatch",
        "entities.order.fields.customer.to unknown-entity",
        "entities.order.sections.main.fields unknown-field",
        "views.open.where unknown-option",
        "views.open.sort unknown-field",
        "policies.clerk.order.rows unknown-field",
        "processes.flow.stages.open.exit.fields unknown-field",
        "processes.flow.transitions.give_up.from unknown-stage",
    ]


def test_one_wrong_formula_silences_what_hangs_on_it() -> None:
    checked = made(
        "entities: {order: {fields: {name: text, a: {type: formula, formula: nmae}, b: {type: formula, formula: a * 2}, c: {type: formula, formula: b > 1}}}}\n"
        "views: {all: {entity: order, where: c and a > b}}"
    )
    assert told(checked) == ["entities.order.fields.a.formula unknown-field"]


def test_a_ring_of_formulas_is_one_problem_with_the_way_around() -> None:
    checked = made(
        "entities:\n  order: {fields: {name: text, best: {type: formula, formula: max(lines.share)}, lines: {type: children, of: line, by: order}}}\n"
        "  line: {fields: {name: text, order: {type: lookup, to: order, on_delete: cascade}, share: {type: formula, formula: order.best / 2}}}\n"
        "views: {all: {entity: order, where: best > 1}}"
    )
    (problem,) = checked.problems
    assert problem.code == "formula-cycle"
    assert problem.parameters["ring"]["en"] == "order.best → line.share → order.best"


def test_a_ring_through_a_score_is_found() -> None:
    checked = made(
        "entities: {order: {fields: {name: text, rank: {type: integer, formula: health / 2}, health: score}}}\n"
        "scores: {health: {entity: order, field: health, terms: {rank: {weight: 100, value: rank / 50}}}}"
    )
    assert [code.split()[1] for code in told(checked)] == ["formula-cycle"]


def test_a_formula_has_the_type_and_scale_that_its_field_keeps() -> None:
    checked = made(
        "entities: {order: {fields: {name: text, amount: money, rate: percent, tax: {type: formula, formula: amount * rate}, fine: {type: formula, scale: 4, formula: amount / 3}}}}\n"
        "views: {taxed: {entity: order, where: tax > 1.005}}"
    )
    assert checked.problems == ()
    tax = checked.expressions["entities.order.fields.tax.formula"]
    assert (tax.type.kind, tax.type.scale, tax.type.unit) == ("number", 2, "CNY")
    nothing = Context(0, None, {})  # type: ignore[arg-type]
    assert tax.evaluate({"amount": 78450, "rate": 1500}, nothing) == 11768  # 784.50 · 15 % = 117.675
    assert checked.expressions["entities.order.fields.fine.formula"].type.scale == 4


def test_an_expression_points_into_its_file_through_quotes_and_folds() -> None:
    checked = made(
        "entities:\n  order:\n    fields:\n      name: text\n      rank:\n        type: formula\n        formula: >-\n          len(name)\n          + lenght(name)\n"
    )
    (problem,) = checked.problems
    assert (problem.code, str(problem.place)) == ("unknown-function", "x.yaml:13:13")


def test_bands_of_scores_are_choices() -> None:
    text = (
        "entities: {order: {fields: {name: text, done: boolean, health: score, pool: {type: choice, options: {good: 好, bad: 坏}, formula: health.band}}}}\n"
        "scores: {health: {entity: order, field: health, terms: {done: {weight: 100, value: 1 if done else 0}}, bands: {good: '>= 50', bad: '< 50'}}}\n"
        "views: {good: {entity: order, where: \"health.band == 'BAND'\"}}"
    )
    assert told(made(text.replace("BAND", "good"))) == []
    assert told(made(text.replace("BAND", "great"))) == ["views.good.where unknown-option"]


def test_gates_count_related_records_by_one_expression() -> None:
    checked = made(
        "entities:\n  order: {fields: {name: text, lines: {type: children, of: line, by: order}}}\n"
        "  line: {fields: {name: text, done: boolean, order: {type: lookup, to: order, on_delete: cascade}}}\n"
        "processes: {flow: {entity: order, stages: {open: {exit: {related: {lines: {where: done, count: 2}}}}, closed: {end: done}}}}"
    )
    assert checked.problems == ()
    assert checked.expressions["processes.flow.stages.open.exit.related.lines"].text == "count(lines where done)"


@pytest.mark.parametrize("entry", ["title-missing", "title-missing@entities.order", "title-missing@entities"])
def test_allow_silences_a_warning_by_code_or_below_a_path(entry: str) -> None:
    text = (
        HEAD.replace("allow: {label-missing: short}", f"allow: {{label-missing: short, {entry}: numbers name it}}")
        + "entities: {order: {fields: {amount: money}}}"
    )
    assert load({"x.yaml": text}).problems == ()


def test_allow_never_silences_an_error_and_says_when_it_is_idle() -> None:
    text = (
        HEAD.replace("short}", "short, unknown-entity: never, title-missing@entities.line: empty}")
        + "entities: {order: {fields: {name: text, other: {type: lookup, to: orde, on_delete: keep}}}}"
    )
    assert told(load({"x.yaml": text})) == [
        "allow.unknown-entity allow-idle",
        "allow.title-missing@entities.line allow-idle",
        "entities.order.fields.other.to unknown-entity",
    ]


def test_problems_are_text_for_people_and_json_for_tools() -> None:
    checked = made("entities: {order: {fields: {name: text, other: {type: lookup, to: orde, on_delete: keep}}}}")
    assert (
        render(checked.problems, "en")
        == 'x.yaml:5:67  entities.order.fields.other.to\n  unknown-entity: There is no entity "orde".\n  Did you mean "order"?\n'
    )
    assert '"line": 5' in render(checked.problems, "en", "json")
    assert render((), "zh") == ""


def test_the_same_text_is_checked_again_in_a_fraction_of_the_time_and_with_the_same_result() -> None:
    path = APPS / "crm.yaml"
    first = load(path)
    with at_most(900 * len(first.expressions)):  # about 570 each; 1,300 where nothing is remembered
        second = load(path)
    assert list(second.expressions) == list(first.expressions)
    assert second.problems == first.problems


def test_a_change_of_type_is_noticed_by_expressions_that_did_not_change() -> None:
    text = "entities: {order: {fields: {name: text, size: TYPE}}}\nviews: {big: {entity: order, where: size > 5}}"
    assert told(made(text.replace("TYPE", "integer"))) == []
    assert told(made(text.replace("TYPE", "text"))) == ["views.big.where type-mismatch"]
    assert told(made(text.replace("TYPE", "integer"))) == []


GATED = """\
roles: {clerk: {}, chief: {}}
entities: {order: {fields: {name: text, amount: money, approved: boolean, note: text}}}
policies:
  clerk: {order: {rows: "created_by == user", actions: [read, create, update, transition], readonly: [approved]}}
  chief: {order: {rows: "ROWS", actions: [read, update], writable: [approved]}}
processes:
  flow:
    entity: order
    stages: {open: {exit: {when: approved and amount > 5}}, checked: {exit: {fields: [note]}}, done: {end: done}}
"""


def test_a_gate_that_waits_for_somebody_else_is_open() -> None:
    assert told(made(GATED.replace("ROWS", "stage == 'open'"))) == []


def test_a_condition_that_nobody_may_fulfil_locks_its_gate() -> None:
    text = GATED.replace("ROWS", "true").replace("writable: [approved]", "writable: [note]")
    assert told(made(text)) == ["processes.flow.stages.open.exit.when gate-locked"]


def test_a_gate_before_the_stage_in_which_its_field_may_be_written_is_too_early() -> None:
    assert told(made(GATED.replace("ROWS", "stage == 'checked'"))) == ["processes.flow.stages.open.exit.when gate-late"]


def test_a_required_field_in_a_section_that_may_be_hidden() -> None:
    text = "entities: {order: {fields: {name: text, large: boolean, plan: {type: text, required: true}}, sections: {main: {fields: [name, large]}, more: {fields: [plan], visible_when: large}}}}"
    assert told(made(text)) == ["entities.order.fields.plan.required required-while-hidden"]


def test_signs_beyond_16_bits_may_be_escaped_in_json() -> None:
    checked = load({"x.json": '{"app": "demo", "version": "1.0.0", "label": "\\ud83d\\ude9a", "entities": {}}'})
    assert checked.problems == ()
    assert checked.definition is not None
    assert checked.definition.label.zh == "\U0001f69a"


def test_a_collection_is_called_by_its_lookup_or_else_by_its_entity() -> None:
    text = (
        "entities:\n  order: {label: {zh: 订单, en: Order}, fields: {name: text,\n"
        "    buyer: {type: lookup, to: client, on_delete: keep, inverse: {name: bought, label: {zh: 买入, en: Bought}}},\n"
        "    payer: {type: lookup, to: client, on_delete: keep, inverse: paid}}}\n"
        "  client: {fields: {name: text, busy: {type: boolean, formula: count(bought) > count(paid)}}}\n"
    )
    checked = made(text)
    assert told(checked) == []
    client = compile_app(checked).entities["client"]
    assert client.relations == {"bought": ("order", "buyer"), "paid": ("order", "payer")}
    assert (client.labels["bought"].en, client.labels["paid"].en) == ("Bought", "Order")
    assert told(made(text.replace("inverse: paid", "inverse: {name: bought}"))) == [
        "entities.order.fields.payer.inverse.name relation-broken",
        "entities.client.fields.busy.formula unknown-field",
    ]
