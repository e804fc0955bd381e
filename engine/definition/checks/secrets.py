"""Secrets written into the text of a package: whoever reads the definition, its history or its backups has them."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from math import log2
from typing import Any

from engine.definition.checks.base import Check
from engine.definition.facts import Facts
from engine.problems import Label, Place, Problem

# What issuers of keys mark them with, so that they are found when they lie about: a mark, and what it begins or is part of.
_MARKED = {
    mark: re.compile(pattern)
    for mark, pattern in {
        "PRIVATE KEY": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
        "AKIA": r"AKIA[0-9A-Z]{16}",
        "LTAI": r"LTAI[0-9A-Za-z]{12,}",
        "AKID": r"AKID[0-9A-Za-z]{13,}",
        "gh": r"gh[pousr]_[A-Za-z0-9]{30,}",
        "xox": r"xox[abprs]-[A-Za-z0-9-]{10,}",
        "sk-": r"sk-[A-Za-z0-9_-]{20,}",
        "eyJ": r"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}",
        "://": r"(?<=://)[^/\s:@\"']+:[^/\s:@\"']+(?=@)",
    }.items()
}
_WORD = re.compile(r"[A-Za-z0-9+/_=-]{24,}")
_LEAST = 4.0  # bits a character: names made of words have fewer


def _random(word: str) -> bool:
    """Whether somebody drew the word at random, as far as its letters tell."""
    if not (re.search("[0-9]", word) and re.search("[a-z]", word) and re.search("[A-Z]", word)):
        return False
    counts = Counter(word)
    return -sum(count / len(word) * log2(count / len(word)) for count in counts.values()) >= _LEAST


class SecretInText(Check):
    code = "secret-in-text"
    wrong = "entities: {order: {fields: {name: {type: text, help: 'Token: ghp_aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5'}}}}"
    repaired = "entities: {order: {fields: {name: {type: text, help: 'The token stands in the environment'}}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        values: dict[str, str] | None = None
        for file, text in facts.source.files.items():
            for start, secret in _secrets(text):
                if values is None:
                    values = dict(_texts(facts.source.data, ""))
                path = next((path for value, path in values.items() if secret in value), file)
                line = text.rfind("\n", 0, start) + 1
                place = Place(facts.source.prefix + file, text.count("\n", 0, line) + 1, start - line + 1)
                shown = secret[:4] + "…"
                yield Problem(self.code, path, {"text": Label.of(shown)}, "error", place, shown)


@lru_cache(maxsize=256)  # while somebody types, one file of many changes
def _secrets(text: str) -> tuple[tuple[int, str], ...]:
    """Where secrets begin, and what they are."""
    found = [
        (each.start(), each[0])
        for mark, known in _MARKED.items()
        if mark in text
        for each in known.finditer(text)
        if not text[each.start() - 1 : each.start()].isalnum()
    ]
    for each in _WORD.finditer(text):
        if _random(each[0]) and not any(
            each.start() <= start + len(word) and start <= each.end() for start, word in found
        ):
            found.append((each.start(), each[0]))
    return tuple(sorted(found))


def _texts(data: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every text of the definition, with where it stands."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _texts(value, f"{path}.{key}" if path else str(key))
    elif isinstance(data, (list, tuple)):
        for value in data:
            yield from _texts(value, path)
    elif isinstance(data, str):
        yield data, path
