"""What goes out: exact numbers, and problem details with pointers."""

from decimal import Decimal

import orjson

from engine.problems import Problem, Refused
from engine.web import answers


def test_decimals_leave_exactly() -> None:
    assert answers.dump({"amount": Decimal("12345678901234567.89"), "rate": Decimal("1E-7")}) == (
        b'{"amount":12345678901234567.89,"rate":0.0000001}'
    )


def test_a_refusal_lists_every_problem_with_its_place() -> None:
    refused = Refused(
        [Problem("number-unfit", "lines.2.amount", {"value": "NaN"}), Problem("text-unfit", "a/b~c")], 422
    )
    response = answers.problem(refused, "en", "0123")
    assert response.media_type == "application/problem+json"
    body = orjson.loads(response.body)
    assert body["status"] == 422
    assert body["code"] == "number-unfit"
    assert body["instance"] == "urn:dougong:request:0123"
    assert [(error["code"], error["pointer"]) for error in body["errors"]] == [
        ("number-unfit", "/lines/2/amount"),
        ("text-unfit", "/a~1b~0c"),
    ]
    assert body["errors"][0]["detail"] == "NaN is not a number that can be stored."


def test_who_must_wait_is_told_how_long() -> None:
    refused = Refused(Problem("too-many-requests", parameters={"seconds": 7}), 429)
    response = answers.problem(refused, "zh", "0123")
    assert response.headers["retry-after"] == "7"
    assert orjson.loads(response.body)["detail"] == "请求太频繁,请稍后再试。"


def test_an_etag_begins_with_the_version_and_changes_with_the_body() -> None:
    one, other = answers.etag(7, b"{}"), answers.etag(7, b"{ }")
    assert one != other
    assert one.startswith('"7.')
    assert one == answers.etag(7, b"{}")
