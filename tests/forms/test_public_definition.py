"""What may be written under `public`, and what an app that has public forms says of itself."""

from pathlib import Path

import pytest

from engine.definition import Checked, load
from tests.forms.fair import Fair

FAIR = Fair.app.read_text(encoding="utf-8")
CRM = Path(__file__).parents[2] / "apps" / "crm.yaml"


def checked(old: str, new: str) -> Checked:
    assert old in FAIR
    return load({"fair.yaml": FAIR.replace(old, new)})


def codes(found: Checked) -> list[tuple[str, str]]:
    return [(problem.code, problem.path) for problem in found.problems]


def test_the_fair_itself_is_sound() -> None:
    assert codes(load({"fair.yaml": FAIR})) == []


@pytest.mark.parametrize(
    "origin",
    ["www.example.com", "https://www.example.com/", "https://www.example.com/shop", "http://www.example.com", "*", "https://*",
     "https://*.example.com", "https://a.test https://b.test", "https://a.test; script-src *", "javascript:alert(1)",
     "https://user@example.com", "https://example.com:port", "'self'", "https://例子.测试"],
)  # fmt: skip
def test_a_site_is_named_by_its_origin_alone(origin: str) -> None:
    found = checked("embed: [https://www.example.com, ", f'embed: ["{origin}", ')
    assert codes(found) == [("wrong-shape", "forms.ask.public.embed")]
    assert "https://www.example.com" in found.problems[0].message("en")


@pytest.mark.parametrize("color", ["green", "#0f6e5", "#0f6e5c00", "url(x)", "#12345g"])
def test_a_color_has_six_digits(color: str) -> None:
    assert codes(checked('color: "#0f6e5c"', f'color: "{color}"')) == [("wrong-shape", "forms.ask.public.color")]


@pytest.mark.parametrize("day", ["31.5.2026", "2026-02-30", "tomorrow"])
def test_the_last_day_is_a_day(day: str) -> None:
    assert codes(checked("until: 2026-05-31", f"until: {day}")) == [("wrong-shape", "forms.few.public.until")]


def test_names_under_public_are_names_of_the_app() -> None:
    assert codes(checked("managed_by: marketing", "managed_by: markting"))[0] == (
        "unknown-role",
        "forms.ask.public.managed_by",
    )
    assert codes(checked("prefill: [company, ", "prefill: [compny, "))[0] == (
        "unknown-field",
        "forms.ask.public.prefill",
    )
    assert codes(checked("fill: {source: ad}", "fill: {sorce: ad}"))[0][0] == "unknown-field"
    assert ("name-malformed", "forms.ask.public.channels.Stand") in codes(checked("        stand:", "        Stand:"))


def test_each_way_must_give_what_a_record_needs() -> None:
    found = checked("      fill: {source: site}\n", "")
    (problem,) = [each for each in found.problems if each.code == "public-form-unsaveable"]
    assert "own address" in problem.message("en")
    assert "fill: {source: …}" in problem.hint("en")


def test_an_app_is_not_called_like_the_address_of_public_forms() -> None:
    assert [problem.code for problem in checked("app: fair", "app: f").problems] == ["reserved-name"]


@pytest.mark.parametrize("preset", [None, *(load(CRM).definition or pytest.fail("no definition")).presets])
def test_every_preset_of_the_crm_has_its_one_form_for_all_channels(preset: str | None) -> None:
    found = load(CRM, preset=preset)
    assert found.definition is not None
    form = found.definition.forms["ask_us"]
    assert form.public is not None
    assert {way: form.public.fills(way)["source"] for way in form.public.ways} == {
        None: "website", "baidu": "baidu", "douyin": "douyin", "expo": "expo", "referral": "referral", "wechat": "wechat",
    }  # fmt: skip
    assert "source" not in form.fields
    assert form.public.fills(None)["business_line"] == (preset or "industrial_distribution")
