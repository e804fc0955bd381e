"""Days and instants as people say them."""

from datetime import date, datetime

import pytest

from engine.columns import days
from engine.web.pages.frame import Words
from engine.web.pages.moments import day_words, moment_words

TODAY = days(date(2026, 3, 12))


@pytest.mark.parametrize(
    ("day", "zh", "en"),
    [
        (date(2026, 3, 12), "今天", "Today"),
        (date(2026, 3, 11), "昨天", "Yesterday"),
        (date(2026, 3, 13), "明天", "Tomorrow"),
        (date(2026, 3, 4), "3月4日", "2026-03-04"),
        (date(2025, 12, 31), "2025年12月31日", "2025-12-31"),
        (date(2027, 1, 1), "2027年1月1日", "2027-01-01"),
    ],
)
def test_a_day_is_said_as_people_say_it(day: date, zh: str, en: str) -> None:
    assert day_words(days(day), TODAY, Words("zh")) == zh
    assert day_words(days(day), TODAY, Words("en")) == en


def test_a_day_of_the_week_stands_beside_the_date_where_it_is_asked_for() -> None:
    assert day_words(days(date(2026, 3, 4)), TODAY, Words("zh"), weekday=True) == "3月4日 周三"
    assert day_words(days(date(2026, 3, 4)), TODAY, Words("en"), weekday=True) == "Wed 2026-03-04"
    assert day_words(TODAY, TODAY, Words("zh"), weekday=True) == "今天"


@pytest.mark.parametrize(
    ("moment", "zh", "en"),
    [
        ("2026-03-12T09:52+08:00", "今天 09:52", "today 09:52"),
        ("2026-03-11T17:40+08:00", "昨天 17:40", "yesterday 17:40"),
        ("2026-03-13T00:00+08:00", "明天 00:00", "tomorrow 00:00"),
        ("2026-03-04T11:06+08:00", "3月4日 11:06", "2026-03-04 11:06"),
        ("2025-03-04T11:06+08:00", "2025年3月4日 11:06", "2025-03-04 11:06"),
    ],
)
def test_an_instant_is_said_as_people_say_it(moment: str, zh: str, en: str) -> None:
    assert moment_words(datetime.fromisoformat(moment), TODAY, Words("zh")) == zh
    assert moment_words(datetime.fromisoformat(moment), TODAY, Words("en")) == en
