"""What a formula reads that is computed on reading makes it so, too; conditions see through it."""

from engine.app import compile_app
from engine.calendars import WorkingCalendar
from engine.definition import load
from engine.expressions import Context

APP = """\
app: demo
version: 1.0.0
label: {zh: 演示, en: Demo}
allow: {label-missing: the snippet is short}
entities:
  shop:
    fields:
      name: text
      opened: date
      age: {type: integer, formula: "days_between(opened, today())"}
      size: integer
      area: {type: integer, formula: size * 2}
  order:
    fields:
      name: text
      shop: {type: lookup, to: shop, on_delete: keep}
      due: date
      left: {type: integer, formula: "days_between(today(), due)"}
      late: {type: boolean, formula: left < 0}
      old: {type: boolean, formula: shop.age > 365}
      note: {type: text, required_when: late}
    rules:
      timely: {when: left > 0 - 10, say: too late}
"""
DAY = 86_400_000_000
CALENDAR = WorkingCalendar.of("week", timezone="UTC")


def test_a_formula_is_computed_on_reading_if_what_it_reads_is() -> None:
    checked = load({"app.yaml": APP})
    assert [problem.code for problem in checked.problems] == []
    assert checked.volatile == {("shop", "age"), ("order", "left"), ("order", "late"), ("order", "old")}
    app = compile_app(checked)
    stored = {name for model in app.entities.values() for name, each in model.computed.items() if each.stored}
    assert stored == {"area"}
    assert "late" not in app.entities["order"].columns


def test_conditions_see_through_what_no_record_has_a_value_for() -> None:
    expressions = load({"app.yaml": APP}).expressions
    rule, needed = (
        expressions["entities.order.rules.timely.when"],
        expressions["entities.order.fields.note.required_when"],
    )
    assert rule.locals == {"left", "due"}
    for due, timely, late in ((100, True, False), (95, True, True), (80, False, True)):
        context = Context(100 * DAY, CALENDAR, {})
        assert rule.evaluate({"due": due}, context) is timely
        assert needed.evaluate({"due": due}, context) is late
    nodes = {node[1] for node in needed.to_json()["nodes"] if node[0] == "get"}
    assert nodes == {"due"}


def test_words_still_name_the_field() -> None:
    rule = load({"app.yaml": APP}).expressions["entities.order.rules.timely.when"]
    assert "left" in rule.words("en", lambda entity, name: name)
    assert "due" not in rule.words("en", lambda entity, name: name)


def test_what_feeds_itself_by_way_of_today_is_reported_as_that() -> None:
    text = APP.replace("due: date", 'due: {type: date, formula: "today() + left * 1 d"}')
    assert [problem.code for problem in load({"app.yaml": text}).problems] == ["formula-cycle"]


def test_a_score_may_not_hang_on_the_day_it_is_read() -> None:
    score = "scores:\n  health:\n    entity: order\n    field: health\n    terms: {early: {weight: 100, value: 1 if %s else 0}}\n"
    text = APP.replace("      due: date\n", "      due: date\n      health: score\n")
    for condition, codes in (
        ("late", ["stored-volatile"]),
        ("due < today()", ["stored-volatile"]),
        ("due is null", []),
    ):
        assert [problem.code for problem in load({"app.yaml": text + score % condition}).problems] == codes


def test_formulas_that_double_at_each_level_do_not_reach_the_database() -> None:
    wide = " + ".join(["left"] * 40)
    wider = " + ".join(["a"] * 40)
    fields = f"      a: {{type: formula, formula: {wide}}}\n      b: {{type: formula, formula: {wider}}}\n"
    text = APP.replace("      old:", fields + "      old:")
    assert [(problem.path, problem.code) for problem in load({"app.yaml": text}).problems] == [
        ("entities.order.fields.b.formula", "not-in-sql")
    ]
