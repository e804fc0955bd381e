"""Search words: how a text becomes tokens, so that two Chinese characters or three letters find a record.

Chinese is cut into single characters and pairs of neighbours; words and numbers of other scripts into runs of three.  A
record is found when it contains every token of the query, wherever they stand.  A title in Chinese is found by its pinyin as
well: by its initials, which are cut like other words, or by the syllables of what is typed in full (`engine.storage.pinyin`).  Tokens of all searchable fields of a
record stand in its column `search`, which both databases index (`matches` in `engine.storage.statement`).
"""

import re
import unicodedata
from collections.abc import Iterable
from operator import add

from engine.storage.pinyin import spelled, syllables_of
from engine.storage.statement import matches

RULE = 2  # of making tokens; records whose tokens were made by an older one are gone through again

LONGEST_TEXT = 20_000  # characters of a record that are searched
LONGEST_QUERY = 100
LONGEST_SPELLED = 24  # characters of a run in a title that are found by their pinyin

_CJK = "\u2e80-\u2fdf\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RUNS = re.compile(f"([{_CJK}]+)|([^\\W_{_CJK}]+)")
_GRAM = 3


def _runs(text: str, longest: int) -> Iterable[tuple[str, bool]]:
    """Runs of letters and digits in lower case, and whether they are Chinese, Japanese or Korean characters."""
    for found in _RUNS.finditer(unicodedata.normalize("NFKC", text[:longest]).lower()):
        yield found[0], found[1] is not None


def search_tokens(texts: Iterable[str], title: str = "") -> list[str]:
    """The tokens of a record whose searchable fields show `texts`: as they occur, each once.

    `title` is the one of them by whose pinyin it is found.
    """
    # No run reaches over a line break, so one look at all texts is enough.
    whole = "\n".join(texts)
    tokens: list[str] = []
    for cjk, other in _RUNS.findall(unicodedata.normalize("NFKC", whole[:LONGEST_TEXT]).lower()):
        if cjk:
            tokens += cjk
            tokens += map(add, cjk, cjk[1:])
        else:
            _cut(other, tokens)
    if title and not title.isascii():
        for cjk, _ in _RUNS.findall(unicodedata.normalize("NFKC", title)):
            initials, syllables = spelled(cjk[:LONGEST_SPELLED])
            for word in initials:
                _cut(word, tokens)
            tokens += syllables
    return list(dict.fromkeys(tokens))


def _cut(word: str, tokens: list[str]) -> None:
    """The beginnings of a word, and its runs of three."""
    tokens.append(word[:1])
    tokens.append(word[:2])
    tokens += map(add, map(add, word, word[1:]), word[2:])


def query_tokens(query: str) -> list[str]:
    """The tokens that a record must all have; empty when the query has no letter and no digit.

    A query of one or two letters finds words that begin with them, a longer one finds it anywhere in a word.
    """
    tokens: dict[str, None] = {}
    for run, is_cjk in _runs(query, LONGEST_QUERY):
        size = 2 if is_cjk else _GRAM
        for start in range(max(1, len(run) - size + 1)):
            tokens[run[start : start + size]] = None
    return list(tokens)


def spelled_tokens(query: str) -> list[str]:
    """The tokens that a record found by pinyin must all have instead; empty when nothing in the query is full pinyin."""
    tokens: dict[str, None] = {}
    some = False
    for run, is_cjk in _runs(query, LONGEST_QUERY):
        syllables = [] if is_cjk else syllables_of(run)
        some = some or bool(syllables)
        for token in syllables or query_tokens(run):
            tokens[token] = None
    return list(tokens) if some else []


__all__ = ["RULE", "matches", "query_tokens", "search_tokens", "spelled_tokens"]
