"""What comes in is read strictly, and what cannot be stored alike on both databases is refused with its place."""

from decimal import Decimal

import pytest

from engine.problems import Refused
from engine.web import incoming


def refusal(body: bytes) -> tuple[int, list[tuple[str, str]]]:
    with pytest.raises(Refused) as caught:
        incoming.read_json(body)
    return caught.value.status, [(problem.code, problem.path) for problem in caught.value.problems]


def test_decimals_arrive_exactly() -> None:
    assert incoming.read_json(b'{"amount": 12345678901234567.89}') == {"amount": Decimal("12345678901234567.89")}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b'{"amount": NaN}', "amount"),
        (b'{"amount": -Infinity}', "amount"),
        (b'{"lines": [{"amount": 1}, {"amount": 1e999}]}', "lines.1.amount"),
        (b'{"amount": 1e-999}', "amount"),
        (b'{"amount": 9223372036854775808}', "amount"),
        (b'{"amount": -9223372036854775809}', "amount"),
        (b'{"amount": ' + b"9" * 5000 + b"}", "amount"),
        (b'{"amount": 1E99999999999999999999}', "amount"),
    ],
)
def test_a_number_that_cannot_be_stored_is_named(body: bytes, path: str) -> None:
    assert refusal(body) == (422, [("number-unfit", path)])


@pytest.mark.parametrize("number", [9223372036854775807, -9223372036854775808])
def test_the_greatest_integers_are_let_in(number: int) -> None:
    assert incoming.read_json(b"[%d]" % number) == [number]


@pytest.mark.parametrize("text", [r"\ud800", r"\udfff\ud800", r"a\u0000b", r"\uD83D"])
def test_a_text_that_cannot_be_stored_is_named(text: str) -> None:
    assert refusal(f'{{"name": "{text}"}}'.encode()) == (422, [("text-unfit", "name")])


def test_surrogate_pairs_and_written_escapes_are_texts() -> None:
    assert incoming.read_json(rb'["\ud83d\ude00", "a \\u0000 b", "\\ud800"]') == ["😀", r"a \u0000 b", r"\ud800"]


def test_a_key_that_cannot_be_stored_is_refused() -> None:
    assert refusal(rb'{"a\u0000": 1}') == (422, [("text-unfit", "")])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "json-broken"),
        (b"", "json-broken"),
        (b'{"a": 1,}', "json-broken"),
        (b'{"a": "\x00"}', "json-broken"),
        (b'{"a": 01}', "json-broken"),
        (b"\xff\xfe", "json-not-text"),
        (b'"\xed\xa0\x80"', "json-not-text"),
        (b'{"a": 1, "a": 2}', "json-twice"),
        (b"[" * 33 + b"]" * 33, "json-deep"),
        (b"[" * 100_000 + b"]" * 100_000, "json-deep"),
        (b'{"a":' * 1000 + b"1" + b"}" * 1000, "json-deep"),
    ],
)
def test_what_is_no_json_is_malformed(body: bytes, code: str) -> None:
    assert refusal(body) == (400, [(code, "")])


def test_every_bad_value_is_reported_at_once() -> None:
    assert refusal(rb'{"a": NaN, "b": "\ud800", "c": 1e999}') == (
        422,
        [("number-unfit", "a"), ("number-unfit", "c"), ("text-unfit", "b")],
    )


def test_parameters_are_text_and_given_once() -> None:
    assert incoming.parameters(b"a=1&b=%E9%87%91+%26&c=&&d") == {"a": "1", "b": "金 &", "c": "", "d": ""}
    for query, code in [
        (b"a=1&a=2", "parameter-twice"),
        (b"a=%00", "text-unfit"),
        (b"%ff=1", "text-unfit"),
        (b"a=%ed%a0%80", "text-unfit"),
    ]:
        with pytest.raises(Refused) as caught:
            incoming.parameters(query)
        assert (caught.value.status, caught.value.problems[0].code) == (400, code)
    with pytest.raises(Refused):
        incoming.parameters(b"&".join(b"p%d=1" % number for number in range(101)))


@pytest.mark.parametrize("text", ["0", "-1", "1.0", "１", "9223372036854775808", "1'--", "", "1" * 30])
def test_what_cannot_be_an_id_names_nothing(text: str) -> None:
    with pytest.raises(Refused) as caught:
        incoming.record_id(text)
    assert caught.value.status == 404


@pytest.mark.parametrize(
    ("header", "version"), [(None, None), ('"7"', 7), ('"7.3fa9c01b"', 7), ('W/"7.3fa9c01b"', 7), (' "12" ', 12)]
)
def test_if_match_names_a_version(header: str | None, version: int | None) -> None:
    assert incoming.expected_version(header) == version


@pytest.mark.parametrize("header", ["7", '"x"', "*", '"7", "8"', '""', '"' + "9" * 30 + '"', '"７"'])
def test_if_match_that_names_no_version_is_malformed(header: str) -> None:
    with pytest.raises(Refused) as caught:
        incoming.expected_version(header)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, None),
        ("en-GB,en;q=0.9,zh;q=0.5", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("fr;q=1,en;q=0.2", "en"),
        ("de", None),
        ("en;q=oops", None),
    ],
)
def test_the_reader_chooses_the_language(header: str | None, language: str | None) -> None:
    assert incoming.language(header) == language
