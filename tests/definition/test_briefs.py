"""Briefs in the text of a definition: what is wrong with one is said at its place, and names in them are names."""

import pytest

from engine.app import compile_app
from engine.definition import Checked, load
from engine.definition.rename import rename
from engine.problems import Problem
from engine.publishing.compare import compare
from engine.publishing.identity import identify

TEXT = """app: demo
version: 1.0.0
label: {zh: 演示, en: Demo}
allow: {label-missing: the snippet is short}
entities:
  firm: {fields: {name: text, level: text}}
  order:
    fields: {name: text, amount: money, firm: {type: lookup, to: firm, on_delete: restrict, inverse: orders}}
    briefs:
      short: BRIEF
"""
WHOLE = """
        text: {zh: "{{name}}，{{firm.level}}", en: "{{name}}, {{firm.level}}"}
        fields: [name, firm.level]
        lists:
          others: {of: firm.orders, where: amount > 5, columns: [name, amount], sort: -amount}
"""


def checked(brief: str) -> Checked:
    return load({"x.yaml": TEXT.replace("BRIEF", brief)})


def only(brief: str) -> Problem:
    problems = checked(brief).problems
    assert len(problems) == 1, [str(each) for each in problems]
    return problems[0]


def test_a_whole_brief_is_sound() -> None:
    assert checked(WHOLE).problems == ()


@pytest.mark.parametrize(
    ("brief", "code", "path", "mended"),
    [
        ("{fields: [name, amuont]}", "unknown-field", "fields", "amount"),
        ("{fields: frim.level}", "unknown-field", "fields", "firm"),
        ("{fields: firm.levle}", "unknown-field", "fields", "level"),
        ("{text: '{{nmae}}'}", "unknown-field", "text", "name"),
        ("{text: {zh: '名 {{name}}', en: 'Name {{nmae}}'}}", "unknown-field", "text.en", "name"),
        ("{lists: {a: {of: firm.ordres}}}", "unknown-relation", "lists.a.of", "orders"),
        ("{lists: {a: {of: frim.orders}}}", "unknown-field", "lists.a.of", "firm"),
        ("{lists: {a: {of: firm.orders, columns: amuont}}}", "unknown-field", "lists.a.columns", "amount"),
        ("{lists: {a: {of: firm.orders, sort: -amuont}}}", "unknown-field", "lists.a.sort", "amount"),
        ("{lists: {a: {of: firm.orders, where: amuont > 5}}}", "unknown-field", "lists.a.where", "amount"),
    ],
)
def test_a_name_that_is_not_there_is_mended_where_it_stands(brief: str, code: str, path: str, mended: str) -> None:
    problem = only(brief)
    assert (problem.code, problem.path) == (code, f"entities.order.briefs.short.{path}")
    assert [patch.text for patch in problem.patches] == [mended]


@pytest.mark.parametrize(
    ("brief", "code", "path"),
    [
        ("{label: Short}", "brief-empty", ""),
        ("{fields: firm.orders}", "brief-unfit", ".fields"),
        ("{fields: firm.name.x}", "brief-unfit", ".fields"),
        ("{text: '{{firm.orders}}'}", "brief-unfit", ".text"),
        ("{fields: name, gate: true}", "brief-idle", ".gate"),
        ("{fields: name, notices: true}", "brief-idle", ".notices"),
    ],
)
def test_what_cannot_stand_there_is_told_with_a_remedy(brief: str, code: str, path: str) -> None:
    problem = next(each for each in checked(brief).problems if each.code == code)
    assert problem.path == f"entities.order.briefs.short{path}"
    assert problem.hint("zh")
    assert problem.hint("en")


@pytest.mark.parametrize("limit", [0, 11])
def test_a_list_is_short(limit: int) -> None:
    assert only(f"{{lists: {{a: {{of: firm.orders, limit: {limit}}}}}}}").path.endswith("lists.a.limit")


def test_renaming_a_field_reaches_sentences_paths_and_conditions() -> None:
    text = rename(checked(WHOLE), "field", "amount", "worth", "order")["x.yaml"]
    assert "amount" not in text.split("briefs:")[1]
    assert "where: worth > 5, columns: [name, worth], sort: -worth" in text
    text = rename(checked(WHOLE), "field", "level", "grade", "firm")["x.yaml"]
    assert text.count("{{firm.grade}}") == 2
    assert "fields: [name, firm.grade]" in text
    text = rename(checked(WHOLE), "field", "firm", "client", "order")["x.yaml"]
    assert text.count("{{client.level}}") == 2
    assert "of: client.orders" in text


def test_publishing_tells_which_brief_changed_and_how() -> None:
    old, new = (compile_app(checked(each)) for each in ("{fields: name}", "{fields: [name, amount]}"))
    changes = compare(old.definition, new.definition, identify(old.definition, old.layout, new.definition, new.layout))
    assert [(each.path, each.code) for each in changes] == [("entities.order.briefs.short", "change-altered")]
    assert "速览" in changes[0].message("zh")
    assert "Brief" in changes[0].message("en")
