"""Everything wrong with an expression is said at once, at its place, with what would mend it."""

import pytest

from engine.expressions import Fault, Type, check
from engine.expressions.types import ANY_NUMBER, BOOLEAN, TEXT
from engine.words.expressions import WORDS
from tests.effort import at_most
from tests.expressions.schema import MONEY, SCHEMA, STATES


def faults(text: str, expect: Type | None = None, entity: str | None = "order") -> list[Fault]:
    return check(text, entity, SCHEMA, expect=expect)[1]


def codes(text: str, expect: Type | None = None) -> list[str]:
    return [fault.code for fault in faults(text, expect)]


def mended(text: str, fault: Fault, at: int = 0) -> str:
    edit = fault.patches[at]
    return text[: edit.offset] + edit.text + text[edit.offset + edit.length :]


@pytest.mark.parametrize(
    ("text", "code", "wrong", "right"),
    [
        ("amuont > 0", "unknown-field", "amuont", "amount > 0"),
        ("customer.nam == 'x'", "unknown-field", "nam", "customer.name == 'x'"),
        ("count(lines where lte)", "unknown-field", "lte", "count(lines where late)"),
        ("state == 'payd'", "unknown-option", "'payd'", "state == 'paid'"),
        ("state in ['draft', 'snet']", "unknown-option", "'snet'", "state in ['draft', 'sent']"),
        ("has(tags, 'gren')", "unknown-option", "'gren'", "has(tags, 'green')"),
        ("'gren' in tags", "unknown-option", "'gren'", "'green' in tags"),
        ("SWITCH(state, 'paid', 1, 'drat', 2)", "unknown-option", "'drat'", "SWITCH(state, 'paid', 1, 'draft', 2)"),
        ("ronud(amount)", "unknown-function", "ronud", "round(amount)"),
        ("due > today() + 3", "type-mismatch", "3", "due > today() + 3 d"),
        ("effort > 2", "type-mismatch", "2", "effort > 2 d"),
        ("rate > 15", "unit-mismatch", "15", "rate > 15%"),
        ("(amount + 1", "expression-syntax", "", "(amount + 1)"),
    ],
)
def test_a_slip_is_found_where_it_is_and_its_patch_mends_it(text: str, code: str, wrong: str, right: str) -> None:
    (fault,) = faults(text)
    assert fault.code == code
    assert text[fault.offset : fault.offset + fault.length] == wrong
    assert mended(text, fault) == right
    assert codes(right) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("amount + price_usd", "unit-mismatch"),
        ("amount * cost", "unit-mismatch"),
        ("amount == price_usd", "unit-mismatch"),
        ("title * 2", "type-mismatch"),
        ("title % 2", "type-mismatch"),
        ("amount + title", "type-mismatch"),
        ("lines", "type-mismatch"),
        ("customer.orders", "type-mismatch"),
        ("customer == owner", "type-mismatch"),
        ("photos == 'x'", "type-mismatch"),
        ("amount and paid", "type-mismatch"),
        ("IF(amount, 1, 2)", "type-mismatch"),
        ("state < 'paid'", "type-mismatch"),
        ("sum(lines)", "type-mismatch"),
        ("sum(lines.label)", "type-mismatch"),
        ("all(lines)", "type-mismatch"),
        ("count(amount)", "type-mismatch"),
        ("exists(amount)", "type-mismatch"),
        ("count(amount where paid)", "type-mismatch"),
        ("round(amount, quantity)", "type-mismatch"),
        ("[1, 2]", "type-mismatch"),
        ("power(amount, 11)", "type-mismatch"),
        ("round(1, 2, 3)", "argument-count"),
        ("left(title)", "argument-count"),
        ("3 workhours > effort", "unit-mismatch"),
        ("due + 3 workhours", "type-mismatch"),
        ("hours(3 workdays)", "unit-mismatch"),
        ("1.5 workdays", "duration-unfit"),
        ("2 months", "duration-unfit"),
        ("12345678901234567890", "number-too-long"),
        ("0.123456789012", "number-too-long"),
        ("customer.parent.parent.parent.parent.parent.name", "expression-too-large"),
    ],
)
def test_what_does_not_fit_together_is_refused(text: str, code: str) -> None:
    assert codes(text) == [code]


def test_faults_with_causes_of_their_own_are_all_found_and_no_other() -> None:
    text = "amuont > 0 and state == 'payd' or ronud(amuont, tite) > x.y"
    assert codes(text) == ["unknown-field", "unknown-option", "unknown-function", "unknown-field"]


def test_a_name_without_a_record_is_an_unknown_variable() -> None:
    assert [fault.code for fault in faults("amount > 0", entity=None)] == ["unknown-variable"]
    assert faults("user == user", entity=None) == []


@pytest.mark.parametrize(
    ("text", "expect", "code"),
    [
        ("amount", BOOLEAN, "type-mismatch"),
        ("price_usd", MONEY, "unit-mismatch"),
        ("'gold'", Type("choice", options=STATES), "unknown-option"),
        ("IF(paid, 'paid', 'pad')", Type("choice", options=STATES), "unknown-option"),
        ("customer", Type("record", entity="user"), "type-mismatch"),
        ("3 workdays", Type("duration"), "unit-mismatch"),
    ],
)
def test_a_result_must_be_what_is_expected(text: str, expect: Type, code: str) -> None:
    assert codes(text, expect) == [code]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("amount", "amount or 0"),
        ("cost + amount", "cost + (amount or 0)"),
        ("amount + quantity", "(amount + quantity) or 0"),
        ("cost / count(lines)", "(cost / count(lines)) or 0"),
    ],
)
def test_one_empty_operand_that_empties_a_required_result_is_told(text: str, right: str) -> None:
    expect = MONEY.required()
    told = [fault for fault in faults(text, expect) if fault.code == "null-unhandled"]
    assert [fault.severity for fault in told] == ["warning"]
    assert mended(text, told[0]) == right
    assert "null-unhandled" not in codes(right, expect)


@pytest.mark.parametrize(
    "text",
    [
        "amount if amount is not null else 0", "IF(ISBLANK(amount), 0, amount)", "IF(amount > 0, amount, 0)", "amount if amount and_more else 0", "cost", "sum(amount, quantity)",
        "IF(filled(amount) and filled(quantity), amount * quantity, 0)", "coalesce(amount, cost)", "count(lines)", "0 if amount is null or quantity is null else amount * quantity",
    ],
)  # fmt: skip
def test_a_condition_that_asked_for_null_is_understood(text: str) -> None:
    assert codes(text.replace("amount and_more", "(amount > 1 and paid)"), ANY_NUMBER.required()) == []


def test_a_division_warns_where_the_divisor_is_known_to_reach_zero() -> None:
    assert codes("amount / count(lines)") == ["may-divide-by-zero"]
    assert codes("amount / 0") == ["may-divide-by-zero"]
    for asked in (
        "amount / count(lines) or 0",
        "IF(count(lines) > 0, amount / count(lines), 0)",
        "amount / max(count(lines), 1)",
        "amount / quantity",
        "coalesce(amount / count(lines), 0)",
        "0 if count(lines) == 0 else amount / count(lines)",
    ):
        assert codes(asked) == [], asked


HOSTILE = [
    "__import__('os').system('x')", "().__class__", "amount.__class__", "_amount", "this._x", "lambda: 1", "[x for x in lines]", "amount[0]", "f'{amount}'", "(x := 1)",
    "'%999999999d' % 1", "'a' * 999999999", "9 ** 9 ** 9", "power(power(power(9, 10), 10), 10)", "eval('1')", "open('x')", "exec('1')", "title.upper()", "{'a': 1}", "{1, 2}",
    "1; 2", "import os", "yield 1", "await x", "@x", "`x`", "a\\b", "1e999", "0x10", "...", "*amount", "**x", "amount = = 1", "print", "user.__dict__", "$user", "#x", "'\\x",
    "1" * 3999, "(" * 3999, "-" * 3999, "not " * 900, "[" * 3999, "a." * 1999 + "a", "a" * 3999, "1+" * 1999 + "1", "IF(" * 1300, "'" + "x" * 3998, "x" * 5000, "１" * 3999, "，" * 3999,
    "a<" * 1999 + "a", "amount<amount<amount=="[:22] + "(amount<amount<amount)" * 30, "a if " * 700, "in " * 900, "， ".join(["1"] * 900), "\u202e", "\0", "𝟙", "²", "a\u200bb",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:24])
def test_every_hostile_text_is_refused_or_harmless_at_once(text: str) -> None:
    with at_most(150_000):  # the most that any of them takes is 32,000
        expression, found = check(text, "order", SCHEMA)
    assert (expression is None) == any(fault.severity == "error" for fault in found)
    assert expression is None or expression.type.kind == "number"
    assert all(0 <= fault.offset <= len(text) and fault.offset + fault.length <= len(text) for fault in found)


def test_what_would_be_shared_without_end_is_too_large() -> None:
    text = "quantity"
    for _ in range(12):
        text = f"SWITCH({text}, 1, 2, 3, 4, 5, 6)"
    assert codes(text) == ["expression-too-large"]
    text = "quantity"
    for _ in range(14):
        text = f"number(1 < {text} < 3)"
    assert codes(text) == ["expression-too-large"]


def test_a_chain_of_a_hundred_conditions_is_fine() -> None:
    assert codes(" or ".join(f"quantity == {number}" for number in range(99))) == []


def test_every_code_has_words_with_its_parameters() -> None:
    for text in (
        "amuont",
        "state == 'payd'",
        "ronud(1)",
        "effort > 2",
        "amount + price_usd",
        "(1",
        "round(1,2,3)",
        "2 months",
        "1" * 3999,
        "amount / 0",
        "1" * 30,
    ):
        for fault in faults(text):
            for language in ("zh", "en"):
                said = WORDS[fault.code][language].format(
                    **{
                        name: value if isinstance(value, str | int) else value[language]
                        for name, value in fault.parameters.items()
                    }
                )
                assert "{" not in said


def test_the_words_of_a_fault_are_the_catalogues() -> None:
    (fault,) = faults("effort > 2", TEXT)
    assert fault.parameters["text"] == "2"
    assert fault.parameters["expected"].en == "a duration with its unit"
