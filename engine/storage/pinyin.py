"""How Chinese titles are spelled with Latin letters, so that `zhsp` and `zhonghua` find 中华食品.

The readings stand in `pinyin.txt`, one syllable a line with the characters that are usually read so, without tones and with
`v` for ü as people type it.  They were taken once from pypinyin 0.55 (MIT), whose readings come from Unicode's Unihan: a
table of 65 kB that is read when the first title is spelled costs neither the memory nor the start of a library.  Characters
that names use in two readings are spelled both ways.
"""

from functools import cache
from itertools import product
from operator import add
from pathlib import Path
from typing import Final

_TWICE = 2  # characters of a title whose readings are combined with each other
_LONGEST = 40  # letters of a word that may be pinyin
# Character: the reading usual in names, and the other one.
_TWO: Final = {
    "长": ("chang", "zhang"), "行": ("hang", "xing"), "重": ("zhong", "chong"), "乐": ("le", "yue"), "厦": ("xia", "sha"),
    "都": ("du", "dou"), "单": ("dan", "shan"), "曾": ("zeng", "ceng"), "藏": ("zang", "cang"), "六": ("liu", "lu"),
    "蚌": ("bang", "beng"), "番": ("fan", "pan"), "朝": ("chao", "zhao"), "贾": ("jia", "gu"), "查": ("cha", "zha"),
    "沈": ("shen", "chen"), "会": ("hui", "kuai"), "降": ("jiang", "xiang"), "解": ("jie", "xie"), "调": ("diao", "tiao"),
}  # fmt: skip


@cache
def _readings() -> dict[str, str]:
    text = (Path(__file__).parent / "pinyin.txt").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for line in text.splitlines():
        syllable, _, characters = line.partition(" ")
        found.update(dict.fromkeys(characters, syllable))
    return found | {character: usual for character, (usual, _) in _TWO.items()}


@cache
def _syllables() -> frozenset[str]:
    return frozenset(_readings().values()) | {other for _, other in _TWO.values()}


def spelled(text: str) -> tuple[list[str], list[str]]:
    """The initials of a run of Chinese characters as words, and the syllables in which it is read.

    Both readings count where a character has two; characters without any are passed over.  Neighbours that read like one
    syllable (西安 as `xian`) are one as well.
    """
    readings = _readings()
    found = [reading for character in text if (reading := readings.get(character)) is not None]
    if not found:
        return [], []
    initials, syllables = {"".join([each[0] for each in found]): None}, found
    if not _TWO.keys().isdisjoint(text):
        known = [character for character in text if character in readings]
        twice = [at for at, character in enumerate(known) if character in _TWO]
        syllables = found + [_TWO[known[at]][1] for at in twice]
        for chosen in product((0, 1), repeat=min(len(twice), _TWICE)):
            word = [each[0] for each in found]
            for at, which in zip(twice, chosen, strict=False):
                word[at] = _TWO[known[at]][which][0]
            initials["".join(word)] = None
    joined = _syllables().intersection(map(add, found, found[1:]))
    return list(initials), [*syllables, *joined]


def syllables_of(word: str) -> list[str]:
    """The syllables of a word that is typed in full pinyin, such as `zhonghua`; empty if it is none.

    A last syllable that is only begun is left out, since more is being typed.
    """
    if not 3 <= len(word) <= _LONGEST or not word.isascii() or not word.isalpha():
        return []
    known = _syllables()
    # From the end: how what begins at each place is split, the longest syllable first; None where it cannot be.
    splits: list[list[str] | None] = [None] * len(word) + [[]]
    for at in range(len(word) - 1, -1, -1):
        rest = word[at:]
        for length in range(min(6, len(rest)), 1, -1):
            more = splits[at + length]
            if more is not None and rest[:length] in known:
                splits[at] = [rest[:length], *more]
                break
        else:
            if at and len(rest) < 6 and any(each.startswith(rest) for each in known):
                splits[at] = []
    return splits[0] or []


__all__ = ["spelled", "syllables_of"]
