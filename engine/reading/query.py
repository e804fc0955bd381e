"""What somebody asks for: which records, which fields, in which order, how many, from where on."""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from engine.columns import MAX_STORED
from engine.problems import Problem, Refused

MOST_ROWS = 200
MOST_SORTS = 4
MOST_VALUES = 200


@dataclass(frozen=True)
class Query:
    """`where` is an expression; `filters` compare fields with values as people and URLs write them, `a,b` meaning either.

    `sort` names fields, a leading minus meaning descending. `fields` None means all. `cursor` comes from the page before.
    `deleted` asks for the trash instead. `action` is what he means to do with them: rows he may only read are not exported.
    """

    where: str | None = None
    filters: Mapping[str, str] = field(default_factory=dict)
    search: str | None = None
    view: str | None = None
    sort: tuple[str, ...] = ()
    fields: tuple[str, ...] | None = None
    expand: tuple[str, ...] = ()
    limit: int = 50
    cursor: str | None = None
    deleted: bool = False
    action: Literal["read", "export"] = "read"


def encode_cursor(shape: str, values: list[Any]) -> str:
    """An opaque place in a sorted list: the sort values and id of the last row."""
    return base64.urlsafe_b64encode(orjson.dumps([shape, *values])).rstrip(b"=").decode()


def decode_cursor(shape: str, cursor: str, kinds: Sequence[type]) -> list[Any]:
    """The values of a cursor made for the same question, each None or of its kind. Raises Refused (400) for any other text."""
    try:
        decoded = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        decoded = None
    if (
        not isinstance(decoded, list)
        or len(decoded) != len(kinds) + 1
        or decoded[0] != shape
        or not all(_fits(value, kind) for value, kind in zip(decoded[1:], kinds, strict=True))
    ):
        raise Refused(Problem("cursor-invalid", "cursor"), 400)
    return decoded[1:]


def _fits(value: Any, kind: type) -> bool:
    """Whether the databases can compare a value with a column of this kind."""
    if value is None or isinstance(value, bool):
        return value is None or kind is bool
    if isinstance(value, str):
        return kind is str and "\0" not in value
    return isinstance(value, int) and kind is int and -MAX_STORED <= value <= MAX_STORED


def shape_of(*parts: Any) -> str:
    """A short name of the question that a cursor belongs to."""
    return hashlib.blake2s(repr(parts).encode(), digest_size=6).hexdigest()
