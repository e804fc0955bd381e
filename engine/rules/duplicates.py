"""Whether two records are probably the same thing: weighted likeness of a few fields, of 100.

    likeness = Σ weightᵢ · likenessᵢ / Σ weightᵢ   over the fields that both records have

At least half of all weight must be comparable, else nothing can be said.  Comparing every pair would take forever, so each
record gets a few *keys*; only records that share one are compared.  Names are compared without what many share: the legal
form, blanks, punctuation, width and case.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from engine.fields.rapid import rapid
from engine.rules.definition import Duplicates

# Legal forms and the like, longest first: they say nothing about who it is.
_FORMS = (
    "股份有限责任公司", "有限责任公司", "股份有限公司", "集团有限公司", "(集团)", "有限公司", "分公司", "总公司", "公司", "集团",
    "incorporated", "corporation", "company", "limited", "gmbh", "corp", "inc", "ltd", "llc", "co",
)  # fmt: skip
_SEPARATORS = re.compile(r"[\W_]+")
_LONGEST = 200


@dataclass(frozen=True)
class Compared:
    """One field of a match: `likeness` 0…100."""

    field: str
    likeness: int


@dataclass(frozen=True)
class Likeness:
    score: int
    parts: tuple[Compared, ...]


_FUZZY = frozenset({"text", "longtext", "address"})


def comparators(rule: Duplicates, types: Mapping[str, str]) -> dict[str, Literal["exact", "fuzzy"]]:
    """How each matched field is compared: as declared, else texts by likeness and everything else exactly.

    `types` are the field types by name.
    """
    return {name: match.by or ("fuzzy" if types[name] in _FUZZY else "exact") for name, match in rule.match.items()}


def normalised(value: Any) -> str:
    """A value as it is compared; empty for None and for what consists of nothing but a legal form."""
    return "" if value is None else _plain(str(value))


@lru_cache(maxsize=100_000)
def _plain(text: str) -> str:
    # Kept, for a record is compared with hundreds of others.
    text = unicodedata.normalize("NFKC", text)[:_LONGEST].lower()
    for form in _FORMS:
        if form.isascii():
            text = re.sub(rf"\b{form}\b\.?", " ", text)
        elif text.endswith(form) or form.startswith("("):
            text = text.replace(form, "")
    return _SEPARATORS.sub("", text)


def keys(values: Mapping[str, Any], by: Mapping[str, Literal["exact", "fuzzy"]]) -> set[str]:
    """The keys of a record: each exact value whole; of a fuzzy one its first and last pair of signs, and its middle."""
    found: set[str] = set()
    for position, (name, kind) in enumerate(by.items()):
        text = normalised(values.get(name))
        if not text:
            continue
        if kind == "exact" or len(text) <= 3:
            found.add(f"{position}={text}")
            continue
        middle = len(text) // 2
        found |= {f"{position}^{text[:2]}", f"{position}${text[-2:]}", f"{position}~{text[middle - 1 : middle + 1]}"}
    return found


def likeness(
    one: Mapping[str, Any],
    other: Mapping[str, Any],
    weights: Mapping[str, int],
    by: Mapping[str, Literal["exact", "fuzzy"]],
) -> Likeness:
    """How alike two records are; score 0 when less than half of the weight can be compared."""
    ratio = rapid().fuzz.ratio
    total, compared, parts = 0.0, 0, []
    for name, weight in weights.items():
        left, right = normalised(one.get(name)), normalised(other.get(name))
        if not left or not right:
            continue
        alike = (100.0 if left == right else 0.0) if by[name] == "exact" else ratio(left, right)
        compared += weight
        total += weight * alike
        parts.append(Compared(name, round(alike)))
    if compared * 2 < sum(weights.values()):
        return Likeness(0, tuple(parts))
    return Likeness(int(total / compared), tuple(parts))


def pairs(
    records: Mapping[int, Mapping[str, Any]],
    rule: Duplicates,
    by: Mapping[str, Literal["exact", "fuzzy"]],
    most: int,
) -> Iterator[tuple[int, int]]:
    """All pairs of records (the lesser id first) that the rule takes for the same, each once.

    A record is compared with at most `most` of those before it that share a key, the latest first: as when it is saved.
    """
    weights = {name: match.weight for name, match in rule.match.items()}
    holders: dict[str, list[int]] = {}
    for id in sorted(records):
        own = keys(records[id], by)
        before = {other for key in own for other in holders.get(key, ())[-most:]}
        for other in sorted(before, reverse=True)[:most]:
            if likeness(records[id], records[other], weights, by).score >= rule.at_least:
                yield other, id
        for key in own:
            holders.setdefault(key, []).append(id)
