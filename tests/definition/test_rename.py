"""Renaming patches the text at every mention, and nowhere else."""

import json

import pytest

from engine.definition import load
from engine.definition.rename import rename

TEXT = """\
app: demo
version: 1.0.0
label: {zh: 演示, en: Demo}
allow: {label-missing: the example is short}
roles: {clerk: {}, chief: {includes: [clerk]}}   # who works here
entities:
  order:
    number: "{place}-{seq:4}"
    title: name
    fields:
      name: text
      place: {type: text, required: true}
      amount: {type: money, label: 金额}   # amount of the order
      double: {type: formula, formula: "amount * 2 + sum(lines.amount)"}
      kind:
        type: choice
        options: {small: 小, large: {zh: 大, en: Large}}
      note: {type: text, visible_when: "amount > 5 and kind == 'large'"}
      lines: {type: children, of: line, by: order}
    sections:
      main: {fields: [name, place, amount]}
  line:
    part_of: order
    fields:
      name: text
      amount: money
      order: {type: lookup, to: order, on_delete: cascade}
      share: {type: formula, formula: "amount * 100 / order.amount"}
views:
  big:
    entity: order
    where: >-
      amount > 100
      and stage == 'open'
    sort: [-amount]
policies:
  clerk:
    order: {rows: 'true', actions: [read, create, update, transition], readonly: amount, transitions: [finish]}
processes:
  flow:
    entity: order
    stages:
      open: {exit: {fields: [place], related: {lines: {where: "amount > 1 and this.amount > 2", count: 1}}}}
      done: {end: done}
    transitions:
      finish: {from: open, to: done, by: clerk}
"""


def renamed(kind: str, name: str, to: str, owner: str | None = None) -> str:
    checked = load({"x.yaml": TEXT})
    assert [str(p.place) + p.code for p in checked.problems] == []
    text = rename(checked, kind, name, to, owner)["x.yaml"]  # type: ignore[arg-type]
    assert [f"{p.place} {p.code} {p.message('en')}" for p in load({"x.yaml": text}).problems] == []
    return text


def changed(text: str) -> list[str]:
    """The lines that differ."""
    return [line.strip() for line, before in zip(text.split("\n"), TEXT.split("\n"), strict=True) if line != before]


def test_a_field_is_renamed_where_it_is_meant_and_the_field_of_the_same_name_is_not() -> None:
    assert changed(renamed("field", "amount", "total", "order")) == [
        "total: {was: amount, type: money, label: 金额}   # amount of the order",
        'double: {type: formula, formula: "total * 2 + sum(lines.amount)"}',
        "note: {type: text, visible_when: \"total > 5 and kind == 'large'\"}",
        "main: {fields: [name, place, total]}",
        'share: {type: formula, formula: "amount * 100 / order.total"}',
        "total > 100",
        "sort: [-total]",
        "order: {rows: 'true', actions: [read, create, update, transition], readonly: total, transitions: [finish]}",
        'open: {exit: {fields: [place], related: {lines: {where: "amount > 1 and this.total > 2", count: 1}}}}',
    ]


def test_a_short_form_grows_a_was() -> None:
    assert changed(renamed("field", "name", "subject", "order")) == [
        "title: subject",
        "subject: {was: name, type: text}",
        "main: {fields: [subject, place, amount]}",
    ]


def test_a_field_in_a_number_and_in_a_gate() -> None:
    assert changed(renamed("field", "place", "town", "order")) == [
        'number: "{town}-{seq:4}"',
        "town: {was: place, type: text, required: true}",
        "main: {fields: [name, town, amount]}",
        'open: {exit: {fields: [town], related: {lines: {where: "amount > 1 and this.amount > 2", count: 1}}}}',
    ]


def test_a_collection_is_a_field_too() -> None:
    assert changed(renamed("field", "lines", "items", "order")) == [
        'double: {type: formula, formula: "amount * 2 + sum(items.amount)"}',
        "items: {was: lines, type: children, of: line, by: order}",
        'open: {exit: {fields: [place], related: {items: {where: "amount > 1 and this.amount > 2", count: 1}}}}',
    ]


def test_a_block_map_gets_its_was_on_a_line_of_its_own() -> None:
    text = renamed("field", "kind", "size_class", "order")
    assert "      size_class:\n        was: kind\n        type: choice\n" in text
    assert "visible_when: \"amount > 5 and size_class == 'large'\"" in text


def test_an_entity() -> None:
    text = renamed("entity", "order", "purchase")
    assert "  purchase:\n    was: order\n    number:" in text
    assert "lines: {type: children, of: line, by: order}" in text
    assert "order: {type: lookup, to: purchase, on_delete: cascade}" in text
    assert "    purchase: {rows: 'true'" in text
    assert "    entity: purchase\n    stages" in text


def test_options_stages_and_roles() -> None:
    text = renamed("stage", "open", "begun", "flow")
    assert "and stage == 'begun'" in text
    assert "begun: {was: open, exit:" in text
    assert "finish: {from: begun, to: done, by: clerk}" in text
    text = renamed("role", "clerk", "agent")
    assert "roles: {agent: {was: clerk}, chief: {includes: [agent]}}   # who works here" in text
    assert "\n  agent:\n    order:" in text
    assert "by: agent}" in text
    text = renamed("option", "small", "tiny", "order.kind")
    assert "{tiny: {was: small, label: 小}, large:" in text
    text = renamed("option", "large", "big", "order.kind")
    assert "big: {was: large, label: {zh: 大, en: Large}}" in text
    assert "kind == 'big'" in text


def test_what_is_not_there_cannot_be_renamed() -> None:
    with pytest.raises(KeyError):
        rename(load({"x.yaml": TEXT}), "field", "nothing", "anything", "order")


def test_a_definition_in_json_stays_json() -> None:
    text = json.dumps(
        {
            "app": "demo",
            "version": "1.0.0",
            "label": "d",
            "allow": {"label-missing": "short"},
            "entities": {"order": {"fields": {"name": "text"}, "title": "name"}},
        }
    )
    after = json.loads(rename(load({"x.json": text}), "field", "name", "subject", "order")["x.json"])
    assert after["entities"] == {"order": {"fields": {"subject": {"was": "name", "type": "text"}}, "title": "subject"}}
