"""What people type is what they mean; what cannot be meant is refused, never guessed."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from engine.fields import Invalid
from engine.fields.address import corrected
from tests.fields.samples import make

MONEY = make("money", currency="CNY")
EXAMPLES: list[tuple[str, dict[str, Any], str, Any]] = [
    ("number", {}, "1,234.50", 1234.5),
    ("number", {}, "１２３．４５", 123.45),
    ("number", {}, "1.2万", 12000),
    ("number", {}, "3亿", 300_000_000),
    ("number", {}, "(300)", -300),
    ("number", {}, "−5", -5),
    ("number", {}, "1e3", 1000),
    ("number", {}, ".5", 0.5),
    ("number", {}, "2.675", 2.68),
    ("number", {}, "-2.675", -2.68),
    ("integer", {}, " 42 ", 42),
    ("integer", {}, "1.2万", 12000),
    ("money", {"currency": "CNY"}, "¥1,234.50", 1234.5),
    ("money", {"currency": "CNY"}, "￥１，２３４．５", 1234.5),
    ("money", {"currency": "CNY"}, "12.5万元", 125_000),
    ("money", {"currency": "CNY"}, "RMB 99", 99),
    ("money", {"currency": "CNY"}, "-¥3", -3),
    ("money", {"currency": "USD"}, "$7.5", 7.5),
    ("percent", {}, "15%", 0.15),
    ("percent", {}, "15", 0.15),
    ("percent", {}, "１２．５％", 0.125),
    ("boolean", {}, "是", True),
    ("boolean", {}, "TRUE", True),
    ("boolean", {}, "０", False),
    ("boolean", {}, "no", False),
    ("date", {}, "2026-3-1", "2026-03-01"),
    ("date", {}, "2026年3月1日", "2026-03-01"),
    ("date", {}, "２０２６／０３／０１", "2026-03-01"),
    ("date", {}, "2026.3.1", "2026-03-01"),
    ("date", {}, "20260301", "2026-03-01"),
    ("date", {}, "2026-03-01 00:00:00", "2026-03-01"),
    ("datetime", {"timezone": "Asia/Shanghai"}, "2026-03-01 14:00", "2026-03-01T06:00:00Z"),
    ("datetime", {"timezone": "Asia/Shanghai"}, "2026年3月1日 14时05分", "2026-03-01T06:05:00Z"),
    ("datetime", {"timezone": "Asia/Shanghai"}, "2026-03-01T14:00:00+09:00", "2026-03-01T05:00:00Z"),
    ("datetime", {"timezone": "Asia/Shanghai"}, "2026/3/1", "2026-02-28T16:00:00Z"),
    ("duration", {}, "2 h", "PT2H"),
    ("duration", {}, "2小时30分钟", "PT2H30M"),
    ("duration", {}, "1天", "P1D"),
    ("duration", {}, "1.5 h", "PT1H30M"),
    ("duration", {}, "1:30", "PT1H30M"),
    ("duration", {}, "PT90M", "PT1H30M"),
    ("choice", {"options": {"red": {"zh": "紧急", "en": "Urgent"}}}, "紧急", "red"),
    ("choice", {"options": {"red": {"zh": "紧急", "en": "Urgent"}}}, "ｕｒｇｅｎｔ", "red"),
    ("choices", {"options": {"a": "甲", "b": "乙", "c": "丙"}}, "丙、甲", ["a", "c"]),
    ("choices", {"options": {"a": "甲", "b": "乙"}}, "b;甲;b", ["a", "b"]),
    ("phone", {}, "１３８ ００１３ ８０００", "+8613800138000"),
    ("phone", {}, "86-13800138000", "+8613800138000"),
    ("phone", {}, "(010) 6234-5678", "+861062345678"),
    ("phone", {}, "0571-87654321转802", "+8657187654321;ext=802"),
    ("phone", {}, "'13800138000", "+8613800138000"),
    ("phone", {}, "0044 20 7946 0018", "+442079460018"),
    ("phone", {"region": "US"}, "(650) 253-0000", "+16502530000"),
    ("email", {}, "a＠EXAMPLE.com", "a@example.com"),
    ("region", {}, "浙江杭州", "浙江省/杭州市"),
    ("region", {}, "广西 桂林市", "广西壮族自治区/桂林市"),
    ("region", {}, "深圳", "广东省/深圳市"),
    ("region", {}, "深玔市", "广东省/深圳市"),
    ("region", {}, "吉林", "吉林省"),
    ("region", {"levels": 1}, "杭州市", "浙江省"),
    ("identifier", {"scheme": "uscc"}, "9111 0000 6000 3734 1l", "91110000600037341L"),
    ("location", {}, "30.25,120.16", {"lat": 30.25, "lng": 120.16}),
    ("json", {}, '{"a": [1, null]}', {"a": [1, None]}),
]
REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("number", {}, "12a", "number-unreadable"),
    ("number", {}, "1,23,4", "number-unreadable"),
    ("number", {}, "1e999", "number-unreadable"),
    ("number", {}, "Infinity", "number-unreadable"),
    ("number", {"max": 10}, "11", "number-above"),
    ("number", {}, "9" * 16, "number-above"),
    ("integer", {}, "1.5", "integer-fraction"),
    ("money", {"currency": "CNY"}, "$5", "money-currency"),
    ("money", {"currency": "USD"}, "5元", "money-currency"),
    ("money", {"currency": "CNY"}, "¥", "number-unreadable"),
    ("boolean", {}, "也许", "boolean-unreadable"),
    ("date", {}, "3/1/2026", "date-unreadable"),
    ("date", {}, "2026-02-30", "date-unreadable"),
    ("date", {}, "26-3-1", "date-unreadable"),
    ("datetime", {}, "2026-03-01 25:00", "datetime-unreadable"),
    ("duration", {}, "5", "duration-unreadable"),
    ("duration", {}, "2 months", "duration-unreadable"),
    ("choice", {"options": ["red"]}, "rde", "option-unknown"),
    ("phone", {}, "12345", "phone-invalid"),
    ("phone", {}, "1380013800", "phone-invalid"),
    ("url", {}, "javascript:alert(1)", "url-invalid"),
    ("url", {}, "https://bank.cn@evil.cn/", "url-invalid"),
    ("region", {}, "海岸市", "region-unknown"),
    ("identifier", {"scheme": "uscc"}, "91110000600037341A", "identifier-invalid"),
    ("lookup", {"to": "order"}, "张三", "reference-malformed"),
    ("json", {}, "{", "json-unreadable"),
]


@pytest.mark.parametrize(("type", "settings", "text", "meant"), EXAMPLES)
def test_typed_texts_are_read_as_they_are_meant(type: str, settings: dict[str, Any], text: str, meant: Any) -> None:
    field = make(type, **settings)
    assert field.to_json(field.read(text)) == meant


@pytest.mark.parametrize(("type", "settings", "text", "code"), REFUSED)
def test_what_cannot_be_meant_is_refused(type: str, settings: dict[str, Any], text: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        make(type, **settings).read(text)
    assert refused.value.code == code


def test_american_dates_are_read_only_when_the_import_says_so() -> None:
    field = make("date")
    assert field.to_json(field.read("3/1/2026", "mdy")) == "2026-03-01"
    assert field.to_json(field.read("3/1/2026", "dmy")) == "2026-01-03"
    assert field.to_json(field.read("2026/3/1", "mdy")) == "2026-03-01"  # four digits first leave no doubt


def test_a_time_without_a_zone_is_refused_in_json() -> None:
    with pytest.raises(Invalid) as refused:
        make("datetime").parse("2026-03-01T14:00:00")
    assert refused.value.code == "datetime-zone-missing"


@pytest.mark.parametrize(
    ("type", "settings", "value", "zh", "en"),
    [
        ("money", {"currency": "CNY"}, 1234.5, "¥1,234.50", "¥1,234.50"),
        ("money", {"currency": "SEK"}, -5, "-SEK 5.00", "-SEK 5.00"),
        ("percent", {}, 0.125, "12.5%", "12.5%"),
        ("boolean", {}, True, "是", "yes"),
        ("datetime", {"timezone": "Asia/Shanghai"}, "2026-03-01T06:00:00Z", "2026-03-01 14:00", "2026-03-01 14:00"),
        ("duration", {}, "PT26H5S", "1 天 2 小时 5 秒", "1 d 2 h 5 s"),
        ("choices", {"options": {"a": {"zh": "甲", "en": "A"}, "b": "乙"}}, ["b", "a"], "甲、乙", "A, 乙"),
        ("phone", {}, "+8613800138000", "138 0013 8000", "138 0013 8000"),
        ("phone", {}, "+16502530000", "+1 650-253-0000", "+1 650-253-0000"),
        ("address", {}, {"province": "上海市", "city": "上海市", "district": "浦东新区", "detail": "世纪大道1号"}, "上海市浦东新区世纪大道1号", "上海市浦东新区世纪大道1号"),
        ("files", {}, ["5", "7"], "2 个文件", "2 files"),
    ],
)  # fmt: skip
def test_values_are_shown_as_people_write_them(
    type: str, settings: dict[str, Any], value: Any, zh: str, en: str
) -> None:
    field = make(type, **settings)
    stored = field.parse(value)
    assert (field.show(stored, "zh"), field.show(stored, "en")) == (zh, en)
    assert field.show(None) == ""


@given(value=st.floats(-1e13, 1e13), scale=st.integers(0, 6))
def test_json_numbers_are_rounded_half_away_from_zero_by_their_decimal_digits(value: float, scale: int) -> None:
    field = make("number", scale=scale)
    wanted = int(Decimal(repr(value)).scaleb(scale).to_integral_value(ROUND_HALF_UP))
    if abs(wanted) < 10**15:
        assert field.parse(value) == field.parse(Decimal(repr(value))) == wanted


@given(stored=st.integers(-(10**15) + 1, 10**15 - 1), scale=st.integers(0, 6))
def test_every_stored_number_survives_the_way_through_json(stored: int, scale: int) -> None:
    field = make("number", scale=scale)
    value = field.to_json(stored)
    assert field.parse(value) == stored
    assert Decimal(repr(value)) == Decimal(stored).scaleb(-scale)


ADDRESSES = [
    ("浙江省杭州市西湖区文三路1号", ("浙江省", "杭州市", "西湖区", "文三路1号"), []),
    ("浙江省杭洲市西湖区文三路1号", ("浙江省", "杭州市", "西湖区", "文三路1号"), ["杭洲市"]),
    ("淅江省宁波市海曙区中山路8号", ("浙江省", "宁波市", "海曙区", "中山路8号"), ["淅江省"]),
    ("广东深圳南山区科技园", ("广东省", "深圳市", "南山区", "科技园"), []),
    ("深圳市南山区科技园", ("广东省", "深圳市", "南山区", "科技园"), []),
    ("上海浦东新区世纪大道1号", ("上海市", "上海市", "浦东新区", "世纪大道1号"), []),
    ("北京市 朝阳区 建国路 88号", ("北京市", "北京市", "朝阳区", "建国路88号"), []),
    ("吉林市船营区解放路", ("吉林省", "吉林市", "船营区", "解放路"), []),
    ("内蒙古自治区呼和浩特市新城区", ("内蒙古自治区", "呼和浩特市", "新城区", None), []),
    ("新疆伊犁哈萨克自治州伊宁市", ("新疆维吾尔自治区", "伊犁哈萨克自治州", "伊宁市", None), []),
    ("人民路100号", (None, None, None, "人民路100号"), []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "parts", "mended"), ADDRESSES)
def test_a_typed_address_is_split_and_slips_in_province_and_city_are_mended(
    text: str, parts: tuple[str | None, ...], mended: list[str]
) -> None:
    found, corrections = corrected(text)
    assert tuple(found.get(part) for part in ("province", "city", "district", "detail")) == parts
    assert [each.was for each in corrections] == mended


def test_a_known_place_is_never_mended_into_another() -> None:
    # 泰州 in 江苏 and 台州 in 浙江 sound alike; 宿州 and 徐州 differ by one character.
    for text, city in (("江苏省泰州市海陵区", "泰州市"), ("浙江省台州市椒江区", "台州市"), ("安徽省宿州市", "宿州市")):
        assert corrected(text) == ({**corrected(text)[0], "city": city}, [])
    assert make("region").read("江苏省/徐州市") == "江苏省/徐州市"


@pytest.mark.parametrize("text", ["\u200b", " \u200b\u200d\ufeff ", "\u3164", "\u2800\u2060", "\u00ad", "\u200e\u200f"])
@pytest.mark.parametrize("kind", ["text", "longtext"])
def test_a_text_in_which_nobody_could_see_anything_is_empty(kind: str, text: str) -> None:
    field = make(kind)
    assert (field.parse(text), field.read(text)) == (None, None)
    assert field.parse(f"{text}x") is not None
