"""The one gate for plain values: what no field of any type lets through, and how typed texts are made plain.

JSON numbers keep at most 15 significant digits, as in spreadsheets: so many survive every reader that computes with
binary floating point (IEEE 754 double), and browsers are such readers.  NaN, infinities and lone surrogates are no
JSON (RFC 8259, I-JSON); U+0000 cannot be stored by PostgreSQL.  All are refused here, the same for both databases.
"""

import re
import unicodedata
from decimal import Decimal
from typing import Any

from engine.columns import scaled
from engine.fields.base import Invalid
from engine.problems import Label

MAX_NUMBER = 10**15 - 1
READ_LIMIT = 200  # longer texts are no number, date or the like, whatever they say

A_TEXT = Label("一段文字", "a text")
A_NUMBER = Label("一个数", "a number")
A_BOOLEAN = Label("是或否", "true or false")
A_LIST = Label("一个列表", "a list")
AN_OBJECT = Label("一个对象", "an object")
A_TABLE = Label("一张明细表", "a table of rows")

# Everything printable, and tab, newline, carriage return.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
# Python lets `$` match before a line break at the end, other readers of JSON Schema do not; this end is the same to all.
END = r"(?!\n)$"
PLAIN_TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$"  # the same for JSON Schema; surrogates cannot be written in JSON

_NUMBER = re.compile(r"(?P<open>\()?(?P<sign>[-+]?)(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]*)(?:\.(?P<part>[0-9]*))?(?:[eE](?P<power>[-+]?[0-9]{1,3}))?(?P<unit>万亿|千|万|亿)?(?P<close>\))?")  # fmt: skip
_SIMPLE = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
_UNITS = {"千": 3, "万": 4, "亿": 8, "万亿": 12}
_SIGNS = str.maketrans({"−": "-", "–": "-", "—": "-", "、": ",", "。": ".", "\u200b": None, "\ufeff": None})


def plain_text(value: Any, limit: int) -> str:
    """`value` if it is a text of at most `limit` characters without control characters, else raises Invalid."""
    if not isinstance(value, str):
        raise Invalid("wrong-type", expected=A_TEXT)
    if len(value) > limit:
        raise Invalid("text-too-long", max=limit, length=len(value))
    if not value.isprintable() and _CONTROL.search(value):
        raise Invalid("text-unprintable")
    return value


# Signs that leave nothing on paper: soft hyphens, joiners, direction marks, fillers, selectors, byte order marks.
_INVISIBLE = re.compile(
    r"[\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
    r"\U000e0000-\U000e0fff]*"
)


def trimmed(text: str) -> str | None:
    """Without outer blanks; None where nothing is left that anybody could see."""
    text = text.strip()
    return None if not text or (not text.isascii() and _INVISIBLE.fullmatch(text)) else text


def typed(text: str) -> str:
    """A typed text made plain: full-width signs and digits to ASCII (NFKC), outer blanks removed."""
    if len(text) > READ_LIMIT:
        raise Invalid("text-too-long", max=READ_LIMIT, length=len(text))
    if text.isascii() and text.isprintable():
        return text.strip()
    return unicodedata.normalize("NFKC", plain_text(text, READ_LIMIT)).translate(_SIGNS).strip()


def simple_number(text: str) -> Decimal | None:
    """The number that a text of digits says, with a sign and a point or without; None for anything else."""
    return Decimal(text) if _SIMPLE.fullmatch(text) else None


def read_number(text: str) -> Decimal | None:
    """The number a person means: `1,234.50`, `１２`, `1.2万`, `(300)`; None for a blank. Raises Invalid."""
    simple = simple_number(text)
    if simple is not None:
        return simple
    plain = typed(text).replace(" ", "")
    if not plain:
        return None
    found = _NUMBER.fullmatch(plain)
    if not found or not (found["whole"] or found["part"]) or bool(found["open"]) != bool(found["close"]):
        raise Invalid("number-unreadable", value=plain[:40])
    digits = Decimal(f"{found['whole'].replace(',', '') or 0}.{found['part'] or 0}")
    power = int(found["power"] or 0) + _UNITS.get(found["unit"] or "", 0)
    if digits and not -60 <= digits.adjusted() + power <= 30:
        raise Invalid("number-unreadable", value=plain[:40])
    negative = found["sign"] == "-" or bool(found["open"])
    return digits.scaleb(power) * (-1 if negative else 1)


def exact(value: Any) -> int | Decimal:
    """A JSON number as an exact one, by its shortest decimal form. Raises Invalid for anything else."""
    kind = type(value)
    if kind is int:
        return value  # type: ignore[no-any-return]
    if kind is float:
        if value - value != 0:
            raise Invalid("number-not-finite")
        return int(value) if value.is_integer() else Decimal(repr(value))
    if kind is Decimal:
        if not value.is_finite():
            raise Invalid("number-not-finite")
        return value  # type: ignore[no-any-return]
    raise Invalid("wrong-type", expected=A_NUMBER)


def fixed(value: int | Decimal, scale: int, low: int, high: int) -> int:
    """`value` in units of 10**-scale, rounded half away from zero, when it lies in low…high (in those units).

    The bounds hold for the value before rounding too, so that a JSON Schema can say the same.  Raises Invalid.
    """
    if isinstance(value, int):
        raw: int | Decimal = value * 10**scale
        stored = int(raw)
    elif value and value.adjusted() > 20:  # the exact product would be needlessly large
        raw = stored = high + 1 if value > 0 else low - 1
    elif value and value.adjusted() < -40:  # nothing of it is kept, but it still lies on one side of 0
        raw, stored = Decimal("1e-40").copy_sign(value), 0
    else:
        raw, stored = value * 10**scale, scaled(value, scale)
    if raw < low:
        raise Invalid("number-below", min=plain(low, scale))
    if raw > high:
        raise Invalid("number-above", max=plain(high, scale))
    return stored


def plain(stored: int, scale: int) -> int | float:
    """A fixed-point integer as the JSON number nearest to it: exact up to 15 digits, whole ones as integers."""
    if not scale:
        return stored
    power: int = 10**scale
    return stored / power if stored % power else stored // power


def grouped(stored: int, scale: int, trim: bool = False) -> str:
    """`1,234.50`; with `trim`, zeros at the end of the fraction are left out."""
    whole, part = divmod(abs(stored), 10**scale)
    fraction = f"{part:0{scale}d}" if scale else ""
    if trim:
        fraction = fraction.rstrip("0")
    return f"{'-' if stored < 0 else ''}{whole:,}{'.' if fraction else ''}{fraction}"
