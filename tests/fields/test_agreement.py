"""What a field takes, what its JSON Schema says, and what it gives back are one thing."""

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from engine.fields import Field, Invalid, field_types
from engine.forms.reference import reference
from tests.fields.samples import FIELDS, near, said, values

EVERY = pytest.mark.parametrize("name", FIELDS)
UNSTORABLE = [
    float("nan"), float("inf"), -float("inf"), 1e999, 2**63, -(2**63) - 1, 10**400, "a\x00b", "a\ud800b", "\udfff", "x" * 2_000_000,
    [float("nan")], ["a\x00"], {"a\x00": 1}, {"lat": float("nan"), "lng": 0}, {"detail": "\ud800"},
]  # fmt: skip
SCHEMAS = {name: reference(field.json_schema()) for name, field in FIELDS.items()}
FILLED = {name: reference(field.filled_schema()) for name, field in FIELDS.items()}


def stored(field: Field, value: Any) -> tuple[bool, Any]:
    """Whether the field takes the value, and what it keeps; a refusal must have its words."""
    try:
        return True, field.parse(value)
    except Invalid as error:
        said(error)
        return False, None


@EVERY
@settings(max_examples=40)
@given(data=st.data())
def test_a_field_takes_a_json_value_exactly_if_its_schema_does(name: str, data: st.DataObject) -> None:
    field = FIELDS[name]
    value = data.draw(near(field.type))
    taken, kept = stored(field, value)
    # Inside a json value the schema does not look.
    assert taken == SCHEMAS[name].is_valid(value) or (field.type == "json" and not taken)
    if taken and kept is not None:
        again = field.to_json(kept)
        code = field.json_code("value")
        assert code is None or eval(code[0], {**code[1], "value": kept}) == again
        assert SCHEMAS[name].is_valid(again)
        assert field.parse(again) == kept
    # What counts as empty is the same to both.
    assert not taken or (kept is not None) == FILLED[name].is_valid(value)


@EVERY
@settings(max_examples=12)
@given(data=st.data())
def test_what_a_field_shows_it_can_read(name: str, data: st.DataObject) -> None:
    field = FIELDS[name]
    taken, kept = stored(field, data.draw(near(field.type)))
    if not taken or kept is None or field.type in ("children", "file", "files", "image", "signature"):
        return
    for language in ("zh", "en"):
        shown = field.show(kept, language)
        assert shown
        if field.type == "datetime":  # beyond the years that a zone can shift it may fall off the calendar
            assert field.read(shown) == kept or kept < -62_000_000_000_000_000
        elif field.type == "address":
            assert field.read(shown) is not None
        else:
            assert field.read(shown) == kept


@EVERY
@given(
    text=st.one_of(st.text(max_size=30), st.text("0123456789.,-%年月日时分天小:￥¥万亿()（）１２３ \t", max_size=20))
)
@settings(max_examples=20)
def test_any_typed_text_is_read_or_refused_in_words(name: str, text: str) -> None:
    field = FIELDS[name]
    try:
        kept = field.read(text)
    except Invalid as error:
        said(error)
        return
    if kept is not None:
        assert field.parse(field.to_json(kept)) == kept


@EVERY
def test_no_field_lets_through_what_a_database_cannot_hold(name: str) -> None:
    for value in UNSTORABLE:
        if FIELDS[name].type == "children" and isinstance(value, list) and isinstance(value[0], dict):
            continue
        with pytest.raises(Invalid) as refused:
            FIELDS[name].parse(value)
        assert said(refused.value)["zh"].encode()


@pytest.mark.parametrize("type", field_types)
def test_every_type_says_what_it_is_in_both_languages_with_an_example(type: str) -> None:
    kind = field_types[type]
    for text in (kind.title, kind.doc):
        assert text.zh
        assert text.en not in ("", text.zh)
    assert f"type: {type}" in kind.example


@EVERY
def test_every_field_has_a_widget_operators_and_a_column(name: str) -> None:
    field = FIELDS[name]
    assert (
        field.widget
        in (
            "text textarea number money percent checkbox date datetime duration select multiselect lookup children user team file files image "
            "signature phone email url address location region readonly json"
        ).split()
    )
    assert {"empty", "filled"} <= set(field.operators)
    if field.stored:
        assert type(field.column()).__name__ in ("Text", "BigInteger", "Integer", "Boolean")
        assert field.value_type().nullable


@given(value=values)
def test_json_within_limits_is_kept_as_it_is(value: Any) -> None:
    field = FIELDS["json"]
    taken, kept = stored(field, value)
    if taken and kept is not None:
        assert field.to_json(kept) == value
