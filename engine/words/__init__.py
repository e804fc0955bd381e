"""The words of every problem and refusal, in Chinese and English: one module a room, each with a table `WORDS`.

    WORDS = {"unknown-field": {"zh": "{entity} 没有字段「{name}」。", "en": '{entity} has no field "{name}".',
                               "hint_zh": "是否想写「{nearest}」?", "hint_en": 'Did you mean "{nearest}"?'}}

A template's parameters are plain values.  A hint whose parameters are not all present (or are None) is left out.
Codes are `thing-trouble` in kebab-case; a code has one wording and is never reused.
"""

import pkgutil
from functools import cache
from importlib import import_module

Wording = dict[str, str]


@cache
def catalogue() -> dict[str, Wording]:
    """Every code with its wording, from all modules of this package. Raises ValueError if a code is worded twice."""
    words: dict[str, Wording] = {}
    for module in pkgutil.iter_modules(__path__):
        for code, wording in import_module(f"{__name__}.{module.name}").WORDS.items():
            if code in words:
                raise ValueError(f"{code} is worded twice")
            words[code] = wording
    return words
