"""Rows for the test schema, with everything in them that has ever told two readings of an expression apart: nulls, the
ends of 63 bits, halves that round, negative numbers, Chinese and astral characters, leap days, instants around midnight."""

import random
from typing import Any

from tests.expressions.schema import FIELDS, NOW, day, files

HIGHEST = 2**63 - 1
NUMBERS = [
    0,
    0,
    1,
    -1,
    5,
    -5,
    15,
    25,
    149,
    150,
    151,
    -150,
    999,
    10_000,
    39_225,
    -123_456_789,
    10**12,
    HIGHEST,
    -HIGHEST,
    -HIGHEST - 1,
    4 * 10**18,
]
TEXTS = [
    "a",
    "A",
    "ab",
    "abc",
    "北京",
    "广东省广州市",
    "𠮷野家",
    "é",
    "Z",
    " x ",
    "　全角　",
    "12.50",
    "-3",
    "a|b",
    "100%",
    "_",
    "'q'",
    'it"s',
    "\\",
]
DAYS = [
    day(text)
    for text in (
        "2026-03-02",
        "2026-03-01",
        "2024-02-29",
        "2026-01-31",
        "2026-12-31",
        "2025-12-31",
        "1969-07-20",
        "0001-01-01",
        "9999-12-31",
        "2026-10-03",
    )
]
INSTANTS = [
    NOW,
    NOW - 1,
    0,
    -1,
    1_772_380_799_999_999,
    1_772_380_800_000_000,
    1_767_196_800_000_000,
    1_700_000_000_123_456,
    -86_400_000_000,
]
DURATIONS = [0, 1, -1, 90 * 60_000_000, 86_400_000_000, 3 * 86_400_000_000 - 1, -36 * 3_600_000_000, 10**15]


def rows(entity: str, count: int, ids: dict[str, list[int]], seed: int = 5) -> list[dict[str, Any]]:
    """`count` rows with ids from 1; lookups point into `ids`, at times at nothing and at times nowhere."""
    chance = random.Random(f"{entity}{seed}")
    found = []
    for number in range(1, count + 1):
        row: dict[str, Any] = {"id": number}
        for name, type in FIELDS[entity].items():
            if name == "id" or type.kind == "records":
                continue
            empty = chance.random() < 0.2
            options = list(type.options or ())
            choices: dict[str, list[Any]] = {
                "number": NUMBERS, "text": TEXTS, "boolean": [True, False], "date": DAYS, "datetime": INSTANTS, "duration": DURATIONS, "choice": options,
                "choices": ["|" + "|".join(options[:size]) + "|" for size in range(1, len(options) + 1)], "files": [files("a"), files("a", "b", "c")],
                "json": ['{"a": 1}'], "record": [*ids.get(type.entity or "", [1]), 99],
            }  # fmt: skip
            row[name] = None if empty else chance.choice(choices[type.kind])
        found.append(row)
    return found


IDS = {
    "order": list(range(1, 41)),
    "line": list(range(1, 121)),
    "product": [1, 2, 3, 4, 5],
    "customer": [1, 2, 3, 4, 5, 6],
    "user": [7, 8, 9],
    "team": [1, 2, 3],
}
ALL = {entity: rows(entity, len(ids), IDS) for entity, ids in IDS.items()}
for _row, _id in zip(ALL["user"], IDS["user"], strict=True):
    _row["id"] = _id
