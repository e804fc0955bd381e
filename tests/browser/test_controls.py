"""Controls hold what people can read and the server reads again: for every field type there is."""

import re
from typing import Any

import pytest
from hypothesis import given

from engine.fields import Field, Invalid, field_types
from engine.fields.choice import Choosing
from engine.fields.files import Attached
from engine.fields.lookup import Linking
from engine.web.pages.filters import State, quoted
from engine.web.pages.frame import environment, icon_of, icons
from engine.web.pages.inputs import typed_text
from engine.web.pages.posted import base_of, changed, same
from engine.web.pages.visit import own_address
from tests.fields.samples import FIELDS, near

# An address is typed in one line, which may say less than its parts: the form keeps what was not touched.
TYPED = {
    name: field
    for name, field in FIELDS.items()
    if not isinstance(field, (Choosing, Attached, Linking))
    and not field.derived
    and field.type not in ("boolean", "children", "address")
}


@pytest.mark.parametrize("name", list(TYPED))
def test_what_a_control_shows_is_read_as_the_same_value(name: str) -> None:
    field = TYPED[name]

    @given(near(field.type))
    def shown_and_read(value: Any) -> None:
        stored = valid(field, value)
        if stored is None:
            return
        for language in ("zh", "en"):
            assert field.read(typed_text(field, field.to_json(stored), language)) == stored

    shown_and_read()


def valid(field: Field, value: Any) -> Any:
    """The stored value, or None for one that does not fit."""
    try:
        return field.parse(value)
    except Invalid:
        return None


def test_every_widget_that_a_field_type_names_is_drawn_by_a_macro() -> None:
    drawn = set(environment().get_template("widgets.html").make_module({"language": "zh", "csrf": ""}).registry)  # type: ignore[attr-defined]
    named = {kind.widget for _, kind in field_types.items()}
    assert named <= drawn


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    env = environment()
    for name in env.list_templates():
        source, _, _ = env.loader.get_source(env, name)  # type: ignore[union-attr]
        for icon in re.findall(r'\bicon\("([a-z-]+)"', source):
            assert icon in icons(), f"{name}: {icon}"


def test_an_icon_that_is_not_drawn_becomes_a_plain_one() -> None:
    assert icon_of("no such icon") == icon_of(None)
    assert icon_of("users") == "users"


def test_an_address_of_a_list_says_it_a_little_differently() -> None:
    state = State(
        "/a/b", (("f.kind", "x"), ("f.kind", "y"), ("f.kinder", "z"), ("q", "词"), ("cursor", "abc"), ("sort", ""))
    )
    assert state.url() == "/a/b?f.kind=x&f.kind=y&f.kinder=z&q=%E8%AF%8D"
    assert state.url(drop=["f.kind"]) == "/a/b?f.kinder=z&q=%E8%AF%8D"
    assert state.url(sort="-name", q=None) == "/a/b?f.kind=x&f.kind=y&f.kinder=z&sort=-name"


@pytest.mark.parametrize("text", ["a", "it's", "back\\slash", "'", "\\'", '"', "）", "", "a\nb"])
def test_any_text_can_be_a_literal(text: str) -> None:
    from engine.expressions.tokens import tokens

    (token, end) = tokens(quoted(text))
    assert (token.kind, token.value, end.kind) == ("text", text, "end")


def test_only_what_differs_from_the_beginning_is_sent() -> None:
    base = {"title": "a", "tags": None, "lines": [{"id": "1", "name": "x", "total": 5}], "done": None, "paid": False}
    posted = {"title": "a", "tags": [], "lines": [{"id": "1", "name": "x"}], "done": False, "paid": True}
    assert changed(posted, base) == {"paid": True}
    assert changed({"lines": []}, base) == {"lines": []}
    assert changed({"lines": [{"id": "1", "name": "y"}]}, base) != {}
    assert not same(False, True)
    assert not same(0, None)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "1", '"x"'])
def test_a_spoiled_beginning_is_an_empty_one(text: str) -> None:
    assert base_of(text) == {}


@pytest.mark.parametrize("href", ["//x", "/\\x", "http://x", "javascript:x", "x", "", "/a\nb", "\t/a"])
def test_no_form_sends_a_browser_elsewhere(href: str) -> None:
    assert own_address(href, "/home") == "/home"
