"""One field of every type, with settings that say something, and JSON values near what each of them takes."""

from functools import cache
from typing import Any

from hypothesis import strategies as st

from engine.fields import Field, Invalid, field_types
from engine.fields.china import paths
from engine.problems import Label
from engine.words.fields import WORDS

OPTIONS = {
    "red": {"label": {"zh": "紧急", "en": "Urgent"}, "color": "red"},
    "green": "不急",
    "old": {"label": "旧", "retired": True},
}


def make(type: str, **settings: Any) -> Field:
    return field_types[type].model_validate({"type": type, **settings})


FIELDS: dict[str, Field] = {
    "text": make("text", max=20),
    "text with a pattern": make("text", max=20, pattern=r"[A-Z]{2}-\d{1,6}", say="AB-123"),
    "indexed text": make("text", unique=True),
    "longtext": make("longtext", max=50),
    "integer": make("integer", min=-5, max=1000),
    "boundless integer": make("integer"),
    "number": make("number", scale=3, min="-1.5", max=1000),
    "boundless number": make("number", scale=2),
    "whole number": make("number", scale=0),
    "money": make("money", currency="CNY", min=0),
    "percent": make("percent", min=0, max="100%"),
    "boolean": make("boolean"),
    "date": make("date"),
    "datetime": make("datetime", timezone="Asia/Shanghai"),
    "duration": make("duration"),
    "choice": make("choice", options=OPTIONS),
    "choices": make("choices", options=OPTIONS, max=2),
    "lookup": make("lookup", to="order"),
    "user": make("user"),
    "team": make("team"),
    "file": make("file", accept=["pdf"]),
    "files": make("files", max=3),
    "image": make("image"),
    "signature": make("signature"),
    "phone": make("phone"),
    "email": make("email"),
    "url": make("url"),
    "address": make("address"),
    "location": make("location"),
    "region": make("region"),
    "province": make("region", levels=1),
    **{
        f"identifier {scheme}": make("identifier", scheme=scheme)
        for scheme in ("uscc", "idcard", "iban", "vat", "ean", "imei", "isbn", "bankcard")
    },
    "autonumber": make("autonumber", template="R{yyyy}{mm}-{seq:5}"),
    "score": make("score"),
    "json": make("json", max=2000),
    "children": make("children", of="line", by="order", min=1, max=3),
}

numbers = st.one_of(
    st.integers(-(10**16), 10**16),
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(-(10**16), 10**16, places=4).map(float),
    st.sampled_from(
        [
            0,
            -0.0,
            1.0,
            0.005,
            1.005,
            -1.5,
            -1.5001,
            1000,
            1000.0004,
            1e15,
            1e-300,
            1e308,
            2**63,
            10**30,
            999999999999999,
            0.15,
            90,
            90.0000001,
        ]
    ),
)
ids = st.one_of(st.integers(-3, 2**64), st.integers(8 * 10**18, 10**19)).map(str)
days = st.one_of(
    st.dates().map(str),
    st.sampled_from(
        ["2026-02-29", "2024-02-29", "0000-01-01", "2026-13-01", "20260301", "2026-W01-1", "2026-3-1", "２０２６-03-01"]
    ),
)
clocks = st.sampled_from(
    [
        "T14:00:00+08:00",
        "T00:00:00Z",
        " 23:59:60Z",
        "T24:00:00Z",
        "t08:00z",
        "T14:00",
        "T14:00:00.123456789Z",
        "T14:00:00,5Z",
        "T14:00:00+24:00",
        "T14:00:00+08:00:30",
        "",
    ]
)
words = st.one_of(
    st.text(max_size=25),
    st.text(st.characters(max_codepoint=0x2FFF), max_size=25),
    st.text("AB-0123456789 \n\t\r\x00\x0b\x1f é中", max_size=22),
    st.from_regex(r"[A-Z]{1,3}-\d{1,7}", fullmatch=True),
    ids,
    days,
    st.builds(str.__add__, days, clocks),
    st.from_regex(r"P(\d{1,7}D)?(T(\d{1,8}H)?(\d{1,8}M)?(\d{1,10}(\.\d{1,8})?S)?)?", fullmatch=True),
    st.sampled_from(
        ["red", "green", "old", "Red", "", " ", "\n", "true", "15%", "PT2H", "P1D", "PT", "P", "PT0S", "P2W", "-PT1H"]
    ),
    st.sampled_from([*paths(2)[:20], "浙江", "杭州市", "浙江省/杭洲市", "浙江省/"]),
    st.sampled_from(
        [
            "13800138000",
            "+86 138-0013-8000",
            "010-62345678",
            "12345",
            "+1 650 253 0000",
            "0571-87654321 转 802",
            "１３８００１３８０００",
            "abc",
            "+",
            "95588",
            "400-800-8820",
        ]
    ),
    st.sampled_from(
        [
            "a@b.cn",
            "a@B.CN",
            " a@b.cn ",
            "a@b",
            "a b@c.cn",
            "张三@例子.中国",
            "a@@b.cn",
            "@b.cn",
            "a@b.cn\n",
            "<a@b.cn>",
            "a@-b.cn",
            "a@b..cn",
        ]
    ),
    st.sampled_from(
        [
            "http://a.cn",
            "HTTPS://a.cn/x?y=1#z",
            "javascript:alert(1)",
            "http://",
            "http://a b",
            "//a.cn",
            "http://u@a.cn",
            "http://a.cn\n",
            "ftp://a.cn",
            "http://例子.中国/路",
        ]
    ),
    st.sampled_from(
        [
            "91110000600037341L",
            "911100006000373411",
            "9111 0000 6000 3734 1l",
            "360426199101010071",
            "GB82 WEST 1234 5698 7654 32",
            "6901234567892",
            "490154203237518",
            "978-7-115-54608-1",
            "4111111111111111",
        ]
    ),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, words)
parts = st.dictionaries(
    st.sampled_from(["province", "city", "district", "detail", "lat", "lng", "zip"]),
    st.one_of(words, numbers, st.none()),
    max_size=4,
)
points = st.fixed_dictionaries({"lat": numbers, "lng": numbers})
lists = st.lists(st.one_of(scalars, st.sampled_from(["red", "green", "old"]), parts), max_size=4)
values = st.one_of(
    scalars,
    parts,
    points,
    lists,
    st.recursive(
        scalars,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
        max_leaves=6,
    ),
)

# What is worth trying first for each field, so that few examples are wasted on what is refused at once.
LIKELY: dict[str, st.SearchStrategy[Any]] = {
    "text": words, "longtext": words, "date": days, "datetime": st.builds(str.__add__, days, clocks), "boolean": st.booleans(),
    "integer": numbers, "number": numbers, "money": numbers, "percent": numbers, "score": numbers, "lookup": ids, "user": ids, "team": ids, "file": ids, "signature": ids,
    "files": st.lists(ids, max_size=4), "image": st.lists(ids, max_size=4), "choices": st.lists(st.sampled_from(["red", "green", "old", "blue"]), max_size=4),
    "address": parts, "location": points, "children": st.lists(parts, max_size=4),
}  # fmt: skip


@cache
def near(type: str) -> st.SearchStrategy[Any]:
    """JSON values but null, many of them near what a field of the type takes. Made once: making it costs more than drawing."""
    return st.one_of(LIKELY.get(type, words), values.filter(lambda value: value is not None))


LABEL = Label("字段", "Field")


def said(error: Invalid) -> dict[str, str]:
    """The words of a refusal, in both languages; fails when a parameter is missing."""
    parameters = {"label": LABEL, **error.parameters}
    return {
        language: WORDS[error.code][language].format(
            **{key: value[language] if isinstance(value, Label) else value for key, value in parameters.items()}
        )
        for language in ("zh", "en")
    }
