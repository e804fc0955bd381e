"""Where a character of a scalar's value stands in the text: through folding, quotes and escapes.

An expression is a scalar, and a problem inside it points at one word of it.  The value and its raw text hold the same
characters in the same order; only white space is folded and quotes and escapes are written differently.  So the two
are walked side by side, when a problem asks, never for every scalar.
"""

import re

_ESCAPE = re.compile(r"\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[^xuU])", re.S)
_WHITE = " \t\r\n"


def raw_index(raw: str, style: str | None, value: str, offset: int) -> int:
    """The index in `raw` of the character `value[offset]`; one past the last character for `offset == len(value)`.

    `raw` is the text of the scalar from its first character (quote or block sign included); `style` is that of
    PyYAML's events: None for plain, or one of ' " | >.
    """
    at = 1 if style in ("'", '"') else raw.find("\n") + 1 if style in ("|", ">") else 0
    end = at
    for index, char in enumerate(value):
        if char in _WHITE:
            start, end = _white(raw, style, at, char)
        else:
            start, end = _solid(raw, style, at)
        if index == offset:
            return start
        at = end
    return end


def _solid(raw: str, style: str | None, at: int) -> tuple[int, int]:
    """The next character that is no white space, as a range of `raw`."""
    while at < len(raw):
        if style == '"' and raw[at] == "\\":
            found = _ESCAPE.match(raw, at)
            length = len(found[0]) if found else 1
            if raw[at + 1 : at + 2] in ("\n", "\r"):
                at += length
                continue
            return at, at + length
        if raw[at] not in _WHITE:
            return at, at + (2 if style == "'" and raw[at] == "'" else 1)
        at += 1
    return len(raw), len(raw)


def _white(raw: str, style: str | None, at: int, char: str) -> tuple[int, int]:
    """One white space of the value. A folded line break is one, however long; else each stands for itself."""
    if style == '"' and raw.startswith(("\\n", "\\t", "\\r", "\\ "), at):
        return at, at + 2
    stop = at
    while stop < len(raw) and raw[stop] in _WHITE:
        stop += 1
    if "\n" in raw[at:stop] and style not in ("|", ">"):
        # Which of several folded breaks is meant does not matter: no word stands there.
        return at, at if char == "\n" else stop
    return at, min(at + 1, len(raw)) if at < stop else at
