"""How Chinese titles are spelled with Latin letters, so that `zhsp` and `zhonghua` find 中华食品.

The readings stand in `pinyin.txt`, one syllable a line with the characters that are usually read so, without tones and with
`v` for ü as people type it.  They were taken once from pypinyin 0.55 (MIT), whose readings come from Unicode's Unihan: a
table of 65 kB that is read when the first title is spelled costs neither the memory nor the start of a library.  Characters
that names use in two readings are spelled both ways.
"""

from functools import cache
from pathlib import Path
from typing import Final

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


def spellings(text: str) -> list[str]:
    """The initials of a run of Chinese characters and its full spelling; both twice where a character has two readings.

    Characters without a reading are passed over.
    """
    readings = _readings()
    syllables = [reading for character in text if (reading := readings.get(character)) is not None]
    if not syllables:
        return []
    found = ["".join([each[0] for each in syllables]), "".join(syllables)]
    if not _TWO.keys().isdisjoint(text):
        other = [_TWO[each][1] if each in _TWO else readings[each] for each in text if each in readings]
        found += ["".join([each[0] for each in other]), "".join(other)]
    return found


__all__ = ["spellings"]
