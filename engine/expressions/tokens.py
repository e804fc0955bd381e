"""From characters to tokens. Every token remembers where it stood in the text as it was written.

Full-width punctuation, digits and letters, as Chinese input methods make them, mean their ASCII twins everywhere but
inside texts.  Each stands for exactly one character, so offsets need no translation.
"""

import re
from decimal import Decimal
from typing import Literal, NamedTuple

from engine.expressions.faults import Fault, Wrong

TokenKind = Literal["number", "text", "name", "sign", "end"]

# U+FF01…U+FF5E are ASCII shifted by 0xFEE0.
_ASCII = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {
    ord("、"): ord(","), ord("。"): ord("."), ord("×"): ord("*"), ord("÷"): ord("/"), ord("−"): ord("-"), 0x3000: ord(" "), 0xA0: ord(" "),
}  # fmt: skip
_MEANING = {"<>": "!=", "≠": "!=", "=": "==", "≥": ">=", "=>": ">=", "≤": "<=", "=<": "<=", ";": ","}
KEYWORDS = frozenset({"and", "or", "not", "in", "is", "if", "else", "where"})
# Keywords as Excel and SQL people write them, and in Chinese.
_WORDS = {word.upper(): word for word in KEYWORDS} | {"且": "and", "并且": "and", "或": "or"}
_QUOTES = {'"': '"', "'": "'", "“": "”", "”": "”“", "‘": "’", "’": "’‘", "＂": "＂", "＇": "＇"}
_ESCAPES = {"n": "\n", "t": "\t"}


class Token(NamedTuple):
    """`value` is the meaning: a Decimal, the text, the name or the sign in ASCII. `length` counts written characters."""

    kind: TokenKind
    value: str | Decimal
    offset: int
    length: int

    @property
    def end(self) -> int:
        return self.offset + self.length


# A point belongs to a number only before a digit: `1.name` is no number.
_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)|(?P<name>[^\W\d]\w*)"
    r"|(?P<sign>==|!=|<>|>=|<=|=>|=<|&&|\|\||[-+*/%()\[\],.<>=&;≥≤≠])"
)


def tokens(text: str) -> list[Token]:
    """All tokens, the last of kind `end`. Raises Wrong at the first character that begins none."""
    plain = text.translate(_ASCII)
    found: list[Token] = []
    at, size = 0, len(text)
    while at < size:
        if text[at] in _QUOTES:
            value, end = _text(text, at)
            found.append(Token("text", value, at, end - at))
            at = end
            continue
        match = _TOKEN.match(plain, at)
        if match is None:
            raise Wrong(Fault("expression-syntax", at, 1, {"found": text[at]}))
        word, length = match[0], match.end() - at
        match match.lastgroup:
            case "name":
                found.append(Token("name", _WORDS.get(word, word), at, length))
            case "sign":
                found.append(Token("sign", _MEANING.get(word, word), at, length))
            case "number":
                found.append(Token("number", Decimal(word), at, length))
        at += length
    found.append(Token("end", "", size, 0))
    return found


def _text(text: str, start: int) -> tuple[str, int]:
    closing = _QUOTES[text[start]]
    value: list[str] = []
    at = start + 1
    while at < len(text):
        char = text[at]
        if char == "\\" and at + 1 < len(text):
            value.append(_ESCAPES.get(text[at + 1], text[at + 1]))
            at += 2
        elif char in closing:
            return "".join(value), at + 1
        else:
            value.append(char)
            at += 1
    raise Wrong(Fault("expression-syntax", start, len(text) - start, {"found": text[start], "expected": closing[0]}))
