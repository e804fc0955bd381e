"""The same rows for everybody who is measured: visits, 12 fields each, made from a seed."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

STATES = ("planned", "confirmed", "under_way", "reported", "closed")
REGIONS = ("north", "northeast", "east", "central", "south", "southwest", "northwest", "islands")
SOURCES = ("hotline", "website", "partner", "exhibition", "referral")
PLACES = ("华强", "东方", "长江", "泰山", "金陵", "岭南", "天府", "云岭", "海河", "松江")
KINDS = ("泵站", "电机", "阀门", "仪表", "压缩机", "输送线", "变压器", "冷却塔")
WORK = ("巡检", "安装", "大修", "验收", "培训", "回访")
FIRST_DAY = date(2025, 1, 1)


def visit_rows(count: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """`count` visits as JSON values; money is text with two decimals, a date is ISO text. One in 20 is sealed."""
    pick = random.Random(seed)
    for number in range(count):
        yield {
            "title": f"{pick.choice(PLACES)}{pick.choice(KINDS)}{pick.choice(WORK)} {number}",
            "phone": f"13{pick.randrange(10**9):09}",
            "email": f"site{number}@example.com",
            "state": pick.choice(STATES),
            "region": pick.choice(REGIONS),
            "source": pick.choice(SOURCES),
            "amount": f"{pick.randrange(10_000_000) / 100:.2f}",
            "quantity": pick.randrange(1, 500),
            "due_on": (FIRST_DAY + timedelta(days=pick.randrange(700))).isoformat(),
            "sealed": pick.randrange(20) == 0,
            "crew": pick.randrange(1, 21),
            "note": f"{pick.choice(PLACES)}站点,联系人已确认,带备件 {pick.randrange(1000)} 号。",
        }
