"""What goes out: JSON made by orjson straight from plain values, and problem details (RFC 9457).

Every refusal is `application/problem+json` with a stable `code`, words in the reader's language and a list `errors`,
each with a JSON Pointer to the value it speaks of.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from hashlib import blake2b
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response

from engine.problems import Problem, Refused

JSON = "application/json"
PROBLEM = "application/problem+json"


class Told(Refused):
    """A refusal that says more than its problems: further `members` of the answer, such as the `current` record."""

    def __init__(self, refused: Refused, **members: Any) -> None:
        super().__init__(refused.problems, refused.status)
        self.members = members


def dump(value: Any) -> bytes:
    return orjson.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f"))  # exact: no float in between
    if isinstance(value, (frozenset, set)):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON")


class Json(Response):
    """JSON that is bytes already. Made for every call of the API, so without what Starlette does for texts."""

    def __init__(self, body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.status_code, self.body, self.background = status, body, None
        self.raw_headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
        if headers:
            self.raw_headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`headers` have lower-case names."""
    return Json(dump(value), status, headers)


def etag(version: int, body: bytes) -> str:
    """`"7.3fa9c01b"`: the record's version, then a mark of this representation of it.

    If-None-Match compares all of it, since a title looked up elsewhere may change without the record; If-Match reads the
    version, since that is what a change is made to.
    """
    return f'"{version}.{blake2b(body, digest_size=4).hexdigest()}"'


def pointer(path: str) -> str:
    """The JSON Pointer (RFC 6901) of a dotted path: `lines.2.amount` -> `/lines/2/amount`; empty for the whole."""
    if not path:
        return ""
    return "/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in path.split("."))


def errors(problems: Iterable[Problem], language: str) -> list[dict[str, Any]]:
    """Problems as the `errors` of an answer, or as its `warnings`."""
    out = []
    for problem in problems:
        error = {"pointer": pointer(problem.path), "code": problem.code, "detail": problem.message(language)}
        hint = problem.hint(language)
        out.append(error | {"hint": hint} if hint else error)
    return out


def _telling(errors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The errors whose words make up the whole: a blocked gate says in one sentence what the others say one by one."""
    return [each for each in errors if each["code"] != "gate-missing"] or errors


def problem(refused: Refused, language: str, request_id: str) -> Response:
    """The answer to what was refused."""
    first = refused.problems[0]
    found = errors(refused.problems, language)
    body = {
        "type": f"urn:dougong:problem:{first.code}",
        "title": HTTPStatus(refused.status).phrase,
        "status": refused.status,
        "code": first.code,
        "detail": " ".join(dict.fromkeys(error["detail"] for error in _telling(found))),
        "instance": f"urn:dougong:request:{request_id}",
        "errors": found,
    }
    headers = {"content-language": language}
    seconds = first.parameters.get("seconds")
    if refused.status in (429, 503):
        headers["retry-after"] = str(seconds or 1)
    if refused.status == 401:
        headers["www-authenticate"] = "Bearer"
    more = refused.members if isinstance(refused, Told) else {}
    return Response(dump(body | more), refused.status, headers, PROBLEM)
