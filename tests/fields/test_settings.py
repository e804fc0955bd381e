"""Settings that do not fit each other are refused when the definition is read, at the setting that is wrong."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from engine.expressions.types import BOOLEAN, DATE, TEXT, Type
from engine.fields import Invalid
from engine.fields.builtin import BUILT_IN, RESERVED, process_fields
from engine.fields.choice import Options
from engine.fields.identifier import IdentifierField, schemes
from engine.fields.patterns import danger
from engine.problems import Label
from engine.words.fields import WORDS
from tests.effort import at_most
from tests.fields.samples import make

WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("number", {"min": 5, "max": 1}, "min", "bounds-reversed"),
    ("number", {"scale": 2, "max": "0.005"}, "max", "bound-too-fine"),
    ("number", {"max": 10**15}, "max", "bound-too-wide"),
    ("integer", {"min": "0.5"}, "min", "bound-too-fine"),
    ("number", {"default": "zwölf"}, "default", "default-invalid"),
    ("number", {"min": 5, "default": 1}, "default", "default-invalid"),
    ("date", {"default": "2026-02-30"}, "default", "default-invalid"),
    ("choice", {"options": {"a": "甲"}, "default": "b"}, "default", "default-invalid"),
    ("choice", {"options": {}}, "options", "options-broken"),
    ("choice", {"options": {"a": {"label": "甲", "retired": True}}}, "options", "options-broken"),
    ("choice", {"options": {"a": "甲", "b": "甲"}}, "options", "options-broken"),
    ("choice", {"options": {"a": "Ａ b", "b": "a B"}}, "options", "options-broken"),
    ("choices", {"options": {"a": "甲、乙", "b": "丙"}}, "options", "options-broken"),
    ("text", {"pattern": "(a+)+"}, "pattern", "pattern-dangerous"),
    ("text", {"say": "AB-123"}, "say", "setting-idle"),
    ("text", {"formula": "1", "default": "x"}, "default", "setting-unfit"),
    ("files", {"unique": True}, "unique", "setting-unfit"),
    ("files", {"index": True}, "index", "setting-unfit"),
    ("integer", {"search": True}, "search", "setting-unfit"),
    ("files", {"accept": ["../sh"]}, "accept", "ending-malformed"),
    ("image", {"accept": ["pdf"]}, "accept", "ending-malformed"),
    ("lookup", {"to": "order", "required": True, "on_delete": "clear"}, "on_delete", "required-cleared"),
    ("children", {"of": "line", "by": "order", "min": 5, "max": 2}, "min", "bounds-reversed"),
    ("children", {"of": "line", "by": "order", "formula": "1"}, "formula", "setting-unfit"),
    ("datetime", {"timezone": "Asia/Nowhere"}, "timezone", "timezone-unknown"),
    ("identifier", {"scheme": "usc"}, "scheme", "scheme-unknown"),
    ("autonumber", {"template": "L{yyyy}"}, "template", "number-template"),
    ("autonumber", {"template": "{seq}{seq:3}"}, "template", "number-template"),
    ("autonumber", {"template": "{seq:5"}, "template", "number-template"),
    ("autonumber", {"template": "{seq}-{Y Y}"}, "template", "number-template"),
    ("formula", {}, "formula", "setting-missing"),
]


@pytest.mark.parametrize(("type", "settings", "setting", "code"), WRONG)
def test_settings_that_do_not_fit_are_refused_where_they_stand(
    type: str, settings: dict[str, Any], setting: str, code: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        make(type, **settings)
    (error,) = refused.value.errors()
    assert (error["loc"], error["type"]) == ((setting,), code.replace("-", "_"))
    for language in ("zh", "en"):
        words = {key: value[language] if isinstance(value, Label) else value for key, value in error["ctx"].items()}
        assert WORDS[code][language].format(**words)


@pytest.mark.parametrize(
    ("settings", "kind"),
    [({"max_size": 5}, "unit_missing"), ({"max_size": "many"}, "wrong_shape"), ({"colour": "red"}, "extra_forbidden"), ({"type": "file", "max": 3}, "extra_forbidden")],
)  # fmt: skip
def test_sizes_have_units_and_unknown_settings_are_refused(settings: dict[str, Any], kind: str) -> None:
    with pytest.raises(ValidationError) as refused:
        make(**{"type": "files", **settings})
    assert [error["type"] for error in refused.value.errors()] == [kind]


def test_options_have_short_forms() -> None:
    field: Any = make(
        "choice",
        options={
            "a": "甲",
            "b": {"zh": "乙", "en": "B"},
            "c": None,
            "d": {"label": "丁", "color": "red", "retired": True},
        },
    )
    assert [field.option_label(key, "en") for key in field.keys] == ["甲", "B", "c", "丁"]
    assert field.offered == ("a", "b", "c")
    assert make("choice", options=["x", "y"]).value_type() == Type("choice", options=("x", "y"))
    assert Options


@pytest.mark.parametrize(
    ("type", "settings", "stored"),
    [
        ("percent", {"default": "15%"}, 1500), ("percent", {"default": 0.15}, 1500), ("duration", {"default": "2 h"}, 7_200_000_000), ("boolean", {}, False),
        ("boolean", {"required": True}, None), ("boolean", {"default": True}, True), ("choice", {"options": {"a": "甲"}, "default": "a"}, "a"),
        ("date", {"default": "today"}, None), ("user", {"default": "user"}, None), ("money", {"default": "1.2万"}, 1_200_000), ("text", {}, None),
    ],
)  # fmt: skip
def test_defaults_are_written_as_people_write_values(type: str, settings: dict[str, Any], stored: Any) -> None:
    assert make(type, **settings).default_value() == stored


def test_dynamic_defaults_are_named() -> None:
    assert make("date", default="today").dynamic_default == "today"
    assert make("datetime", default="now").dynamic_default == "now"
    assert make("user", default="user").dynamic_default == "user"
    assert make("team", default="team").dynamic_default == "team"


def test_the_app_fills_in_what_fields_leave_open() -> None:
    money, at = make("money").within("EUR", "Asia/Tokyo"), make("datetime").within("EUR", "Asia/Tokyo")
    assert money.value_type() == Type("number", scale=2, unit="EUR")
    assert money.show(500) == "€5.00"
    assert at.show(0) == "1970-01-01 09:00"
    assert make("money", currency="USD").within("EUR", "Asia/Tokyo").show(500) == "$5.00"


def test_files_are_admitted_by_ending_and_size() -> None:
    field: Any = make("files", accept=["PDF", ".docx"], max_size="2 MB")
    field.admit("报价.Pdf", 2_000_000)
    for name, size, code in (
        ("a.exe", 1, "file-kind"),
        ("pdf", 1, "file-kind"),
        ("a.pdf.exe", 1, "file-kind"),
        ("a.pdf", 2_000_001, "file-too-large"),
    ):
        with pytest.raises(Invalid) as refused:
            field.admit(name, size)
        assert refused.value.code == code


def test_running_numbers_count_within_what_stands_around_the_count() -> None:
    field: Any = make("autonumber", template="R{yyyy}{mm}-{seq:5}/{site}")
    march, april = (field.frame(date(2026, month, 7), {"site": "SH"}) for month in (3, 4))
    assert march.number(42) == "R202603-00042/SH"
    assert march.number(1_234_567) == "R202603-1234567/SH"
    assert march.period != april.period
    assert march.count_in("R202603-00042/SH") == 42
    assert march.count_in("R202604-00042/SH") is None
    assert field.fields == ("site",)


@pytest.mark.parametrize(
    "pattern",
    [
        r"[A-Z]{2}-\d{1,6}",
        r"(?:\+\d{1,3} )?\d{3,4}",
        r"a|b|c",
        r"[A-Z]+-\d+",
        r"(\d{3}-){2}\d{4}",
        r"中[文字]*",
        r"(?:ab){1,3}",
    ],
)
def test_simple_patterns_are_allowed(pattern: str) -> None:
    assert danger(pattern, 1000) is None
    assert make("text", pattern=pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+",
        r"(a|a)*",
        r"(a*)*b",
        r"(.*a){12}",
        r"(?=a)b",
        r"(a)\1",
        r"(?P<x>a)",
        r"a*a*a*b",
        r"\d+\d+\d+$",
        r"(?i)a",
        r"[",
        r"\Aa",
        r"(a?){30}",
        r"a++",
        r"(?>a)",
    ],
)
def test_patterns_that_a_text_could_make_slow_are_refused(pattern: str) -> None:
    assert danger(pattern, 1000) is not None


@pytest.mark.parametrize("pattern", [r"[A-Z]+-\d+", r".*a.*", r"(?:[ab]{1,30}){1}[ab]{1,30}[ab]{1,30}c"])
def test_the_slowest_pattern_allowed_is_still_quick(pattern: str) -> None:
    assert danger(pattern, 1000) is None
    field = make("text", pattern=pattern)
    # Matching is one call: only time can say that it does not search for years.
    with at_most(calls=10_000, seconds=10):
        for text in ("ab" * 500, "A" * 1000, "A-" + "1" * 998):
            try:
                field.parse(text)
            except Invalid:
                pass


@pytest.mark.parametrize(
    ("type", "settings", "stored", "json", "shown"),
    [
        (Type("number", scale=0), {}, 5, 5, "5"),
        (Type("number", scale=10), {}, 1234, 12.34, "12.34"),
        (Type("number", scale=2), {"scale": 3}, 1234, 1.234, "1.234"),
        (Type("number", scale=6, unit="CNY"), {}, 1234, 12.34, "¥12.34"),
        (Type("number", scale=6, unit="percent"), {}, 1500, 0.15, "15%"),
        (TEXT, {}, "x", "x", "x"), (BOOLEAN, {}, True, True, "是"), (DATE, {}, 0, "1970-01-01", "1970-01-01"),
        (Type("datetime"), {}, 0, "1970-01-01T00:00:00Z", "1970-01-01 08:00"),
        (Type("choice", options=("a", "b")), {}, "b", "b", "b"),
        (Type("record", entity="order"), {}, 7, "7", "7"),
    ],
)  # fmt: skip
def test_a_formula_field_behaves_as_its_expression_says(
    type: Type, settings: dict[str, Any], stored: Any, json: Any, shown: str
) -> None:
    field: Any = make("formula", formula="x", **settings).within("CNY", "Asia/Shanghai")
    with pytest.raises(LookupError):
        field.value_type()
    known = field.resolved(type)
    assert known.derived
    assert known.value_type().kind == type.kind
    assert known.to_json(stored) == json
    assert known.show(stored) == shown
    assert known.json_schema()["readOnly"] is True


def test_no_field_keeps_a_collection() -> None:
    field: Any = make("rollup", formula="x")
    with pytest.raises(ValueError):
        field.resolved(Type("records", entity="line"))


def test_built_in_fields_are_fields_that_nobody_writes() -> None:
    staged = process_fields(
        {"p": Label.of("P")},
        {"new": Label.of("New"), "done": Label.of("Done")},
        {"new.asked": Label.of("Asked, twice?")},
    )
    for field in (*BUILT_IN.values(), *staged.values()):
        assert field.readonly or field.derived
        assert field.label
    assert {*BUILT_IN, *staged} == RESERVED
    assert staged["checklist"].parse(["new.asked"]) == "|new.asked|"
    assert process_fields({}, {}, {})["checklist"].parse([]) is None


@pytest.mark.parametrize("scheme", schemes)
def test_every_scheme_of_official_numbers_takes_its_example_and_refuses_a_slip(scheme: str) -> None:
    field = IdentifierField(scheme=scheme)
    example = schemes[scheme].example
    assert field.parse(example) == example
    slips = [
        example[:at] + ("1" if example[at] != "1" else "2") + example[at + 1 :]
        for at in range(len(example))
        if example[at].isdigit()
    ]
    refused = 0
    for slip in slips:
        try:
            field.parse(slip)
        except Invalid:
            refused += 1
    assert refused >= len(slips) - 2
