"""Secrets written into the text of a package: whoever reads the definition, its history or its backups has them."""

import re
from collections import Counter
from collections.abc import Iterator
from math import log2
from typing import Any

from engine.definition.checks.base import Check
from engine.definition.facts import Facts
from engine.problems import Label, Place, Problem

# What issuers of keys mark them with, so that they are found when they lie about.
_MARKED = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\bAKIA[0-9A-Z]{16}\b|\bLTAI[0-9A-Za-z]{12,}|\bAKID[0-9A-Za-z]{13,}"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,}|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bsk-[A-Za-z0-9_-]{20,}"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}"
    r"|(?<=://)[^/\s:@\"']+:[^/\s:@\"']+(?=@)"
)
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
            for found in self._secrets(text):
                secret = found[0]
                if values is None:
                    values = dict(_texts(facts.source.data, ""))
                path = next((path for value, path in values.items() if secret in value), file)
                start = text.rfind("\n", 0, found.start()) + 1
                place = Place(facts.source.prefix + file, text.count("\n", 0, start) + 1, found.start() - start + 1)
                shown = secret[:4] + "…"
                yield Problem(self.code, path, {"text": Label.of(shown)}, "error", place, shown)

    @staticmethod
    def _secrets(text: str) -> Iterator[re.Match[str]]:
        marked = list(_MARKED.finditer(text))
        yield from marked
        for found in _WORD.finditer(text):
            known = any(each.start() < found.end() and found.start() < each.end() for each in marked)
            if not known and _random(found[0]):
                yield found


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
