"""Whatever the engine says has words in both languages."""

import re
from pathlib import Path

from engine.words import catalogue

ENGINE = Path(__file__).parents[2] / "engine"
SAID = re.compile(r"\b(?:Problem|Invalid|Fault)\(\s*\"([a-z0-9-]+)\"")


def test_every_refusal_the_engine_utters_is_in_the_catalogue() -> None:
    unsaid = {
        f"{path.relative_to(ENGINE)}: {code}"
        for path in sorted(ENGINE.rglob("*.py"))
        for code in SAID.findall(path.read_text(encoding="utf-8"))
        if code not in catalogue()
    }
    assert unsaid == set()


def test_every_refusal_is_worded_in_chinese_and_english() -> None:
    for code, words in catalogue().items():
        assert words.get("zh"), code
        assert words.get("en"), code
