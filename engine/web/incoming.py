"""What comes in is read strictly, once, and in one place: JSON bodies, query strings, conditional headers, ids.

JSON is read with exact decimals.  What the databases could not hold alike - NaN, infinities, 1e999, integers beyond 63
bits, U+0000, lone surrogates - is refused here with the place where it stands, so both databases answer the same.
"""

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from starlette.convertors import Convertor, register_url_convertor

from engine.columns import MAX_STORED
from engine.problems import Language, Problem, Refused
from engine.registry import nearest

MAX_DEPTH = 32
MAX_PARAMETERS = 100
_MAX_EXPONENT = 40
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_ID = re.compile(r"[1-9][0-9]{0,18}")


class Bytes(Protocol):
    async def body(self) -> bytes: ...


class _Unfit:
    """Stands where a number stood that cannot be stored."""

    def __init__(self, text: str) -> None:
        self.text = text if len(text) <= 40 else text[:37] + "…"


class _Reader:
    """Reads one JSON text; `suspicious` says whether its values must be looked through."""

    def __init__(self) -> None:
        self.suspicious = False

    def unfit(self, text: str) -> _Unfit:
        self.suspicious = True
        return _Unfit(text)

    def integer(self, text: str) -> int | _Unfit:
        if len(text) > 20 or not -MAX_STORED - 1 <= (number := int(text)) <= MAX_STORED:
            return self.unfit(text)
        return number

    def decimal(self, text: str) -> Decimal | _Unfit:
        try:
            number = Decimal(text)
        except InvalidOperation:
            return self.unfit(text)
        exponent = number.as_tuple().exponent
        if not isinstance(exponent, int) or abs(exponent) > _MAX_EXPONENT or number.adjusted() > _MAX_EXPONENT:
            return self.unfit(text)
        return number


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Refused(Problem("json-twice", parameters={"name": _printable(twice)}), 400)
    return found


def read_json(body: bytes) -> Any:
    """The value of a JSON text, decimals exact.

    Raises Refused: 400 when it is not JSON, is nested too deeply or has a key twice; 422 with a problem at each place
    that holds what cannot be stored.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(Problem("json-not-text"), 400) from None
    reader = _Reader()
    decoder = json.JSONDecoder(
        object_pairs_hook=_pairs,
        parse_float=reader.decimal,
        parse_int=reader.integer,
        parse_constant=reader.unfit,
    )
    try:
        value = decoder.decode(text)
    except RecursionError:
        raise Refused(Problem("json-deep", parameters={"limit": MAX_DEPTH}), 400) from None
    except ValueError as error:
        position = getattr(error, "pos", 0) + 1
        raise Refused(Problem("json-broken", parameters={"position": position}), 400) from None
    deep = text.count("{") + text.count("[") > MAX_DEPTH
    if deep or reader.suspicious or "\\u0000" in text or _SURROGATE.search(text):
        problems = list(_trouble(value))
        if problems:
            raise Refused(problems, 400 if problems[0].code == "json-deep" else 422)
    return value


def _trouble(value: Any) -> Iterable[Problem]:
    """Every place in a JSON value that holds what cannot be stored; only the depth when that is too great."""
    problems: list[Problem] = []
    todo: list[tuple[str, Any, int]] = [("", value, 1)]
    while todo:
        path, here, depth = todo.pop()
        if depth > MAX_DEPTH:
            return [Problem("json-deep", parameters={"limit": MAX_DEPTH})]
        if isinstance(here, _Unfit):
            problems.append(Problem("number-unfit", path, {"value": here.text}))
        elif isinstance(here, str):
            if _UNSTORABLE.search(here):
                problems.append(Problem("text-unfit", path))
        elif isinstance(here, dict):
            for key, inner in here.items():
                if _UNSTORABLE.search(key):
                    problems.append(Problem("text-unfit", path))
                else:
                    todo.append((f"{path}.{key}" if path else key, inner, depth + 1))
        elif isinstance(here, list):
            todo += [(f"{path}.{index}" if path else str(index), inner, depth + 1) for index, inner in enumerate(here)]
    return sorted(problems, key=Problem.sort_key)


async def json_object(request: Any, *, optional: bool = False) -> dict[str, Any]:
    """The JSON object that a request carries; `optional`: an empty body is an empty object. Raises Refused (415, 400, 422)."""
    body = await request.body()
    if optional and not body:
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/json", "application/merge-patch+json"):
        raise Refused(Problem("type-unsupported", parameters={"expected": "application/json"}), 415)
    value = read_json(body)
    if not isinstance(value, dict):
        raise Refused(Problem("json-object-expected"), 400)
    return value


def known_keys(given: Mapping[str, Any], known: Iterable[str], path: str = "") -> None:
    """Refuses the keys of a request that mean nothing here."""
    names = tuple(known)
    problems = [
        Problem(
            "json-key-unknown",
            f"{path}.{key}" if path else key,
            {"name": _printable(key), "nearest": nearest(key, names)},
        )
        for key in given
        if key not in names
    ]
    if problems:
        raise Refused(problems, 422)


def wanted(
    given: Mapping[str, Any], name: str, kind: type | tuple[type, ...], expected: str, default: Any = ...
) -> Any:
    """`given[name]`, of the kind it must have. Raises Refused (422) when it is missing without a default, or another kind."""
    value = given.get(name)
    if value is None:
        if default is ...:
            raise Refused(Problem("json-key-missing", name, {"name": name}), 422)
        return default
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise Refused(Problem("json-key-wrong", name, {"name": name, "expected": expected}), 422)
    return value


def parameters(query: bytes) -> dict[str, str]:
    """The parameters of a query string, each once. Raises Refused (400) for more, or for what is not text."""
    found: dict[str, str] = {}
    if not query:
        return found
    parts = query.split(b"&")
    if len(parts) > MAX_PARAMETERS:
        raise Refused(Problem("list-too-long", parameters={"name": "query", "limit": MAX_PARAMETERS}), 400)
    for part in parts:
        if not part:
            continue
        name, _, value = part.partition(b"=")
        try:
            key = unquote_to_bytes(name.replace(b"+", b" ")).decode("utf-8")
            text = unquote_to_bytes(value.replace(b"+", b" ")).decode("utf-8")
        except UnicodeDecodeError:
            raise Refused(Problem("text-unfit"), 400) from None
        if "\x00" in key or "\x00" in text:
            raise Refused(Problem("text-unfit", _printable(key)), 400)
        if key in found:
            raise Refused(Problem("parameter-twice", key, {"name": _printable(key)}), 400)
        found[key] = text
    return found


def known_parameters(given: Mapping[str, str], known: tuple[str, ...]) -> None:
    """Refuses parameters that mean nothing here."""
    problems = [
        Problem("parameter-unknown", name, {"name": _printable(name), "nearest": nearest(name, known)})
        for name in given
        if name not in known
    ]
    if problems:
        raise Refused(problems, 400)


def number_parameter(given: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and least <= int(text) <= most):
        raise Refused(Problem("parameter-unfit", name, {"name": name, "expected": f"{least}…{most}"}), 400)
    return int(text)


def flag(given: Mapping[str, str], name: str) -> bool:
    """A parameter that is true or false; false if it is not given."""
    value = given.get(name, "false")
    if value not in ("true", "false"):
        raise Refused(Problem("parameter-unfit", name, {"name": name, "expected": "true, false"}), 400)
    return value == "true"


def names_parameter(given: Mapping[str, str], name: str, most: int) -> tuple[str, ...]:
    """A list of names divided by commas; empty when it is not given."""
    names = tuple(part for part in given.get(name, "").split(",") if part)
    if len(names) > most:
        raise Refused(Problem("list-too-long", name, {"name": name, "limit": most}), 400)
    return names


class _Id(Convertor[str]):
    """`{id:id}` in a route: digits, left as they are. Starlette's own `int` fails on more digits than Python converts."""

    regex = "[0-9]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("id", _Id())


def record_id(text: str) -> int:
    """The id that a path names. Raises Refused (404) for what cannot be one."""
    if _ID.fullmatch(text) and (number := int(text)) <= MAX_STORED:
        return number
    raise Refused(Problem("not-found"), 404)


def expected_version(header: str | None) -> int | None:
    """The record version that If-Match names: `"7"` or `"7.3fa9…"`, the forms of our ETags; None without the header."""
    if header is None:
        return None
    tag = header.strip().removeprefix("W/")
    version = tag[1:-1].partition(".")[0] if len(tag) > 2 and tag[0] == tag[-1] == '"' else ""
    if not (version.isascii() and version.isdecimal() and len(version) < 10):
        raise Refused(Problem("version-unfit"), 400)
    return int(version)


def language(header: str | None) -> Language | None:
    """`zh` or `en`: which of them an Accept-Language header prefers; None if it asks for neither."""
    return _preferred(header[:400]) if header else None


@lru_cache(maxsize=512)
def _preferred(header: str) -> Language | None:
    best: float = 0
    found: Language | None = None
    for part in header.split(","):
        tag, _, quality = part.partition(";")
        name = tag.strip().lower().split("-")[0]
        try:
            weight = float(quality.strip().removeprefix("q=")) if quality else 1.0
        except ValueError:
            continue
        if name in ("zh", "en") and weight > best:
            best, found = weight, "zh" if name == "zh" else "en"
    return found


def _printable(text: str) -> str:
    """A name out of a request, fit to be quoted in an answer."""
    return _UNSTORABLE.sub("\ufffd", text)[:100]
