"""Full-width signs that somebody typed where YAML wants ASCII: `label：报价`.

A Chinese keyboard makes them, they look right, and YAML then reads one long text or stumbles lines later.  So they are
looked for where a key turned out odd, and around the place where parsing failed.
"""

import re
from typing import Any

from engine.problems import Label, Patch, Place, Problem

_SIGNS = {
    "：": (Label("全角冒号", "a full-width colon"), Label("半角冒号加空格", "an ASCII colon and a space"), ": "),
    "，": (Label("全角逗号", "a full-width comma"), Label("半角逗号加空格", "an ASCII comma and a space"), ", "),
    "｛": (Label("全角花括号", "a full-width brace"), Label("半角花括号", "an ASCII brace"), "{"),
    "｝": (Label("全角花括号", "a full-width brace"), Label("半角花括号", "an ASCII brace"), "}"),
    "［": (Label("全角方括号", "a full-width bracket"), Label("半角方括号", "an ASCII bracket"), "["),
    "］": (Label("全角方括号", "a full-width bracket"), Label("半角方括号", "an ASCII bracket"), "]"),
    "【": (Label("全角方括号", "a full-width bracket"), Label("半角方括号", "an ASCII bracket"), "["),
    "】": (Label("全角方括号", "a full-width bracket"), Label("半角方括号", "an ASCII bracket"), "]"),
    "\u00a0": (Label("不间断空格", "a no-break space"), Label("普通空格", "an ordinary space"), " "),
    "\u3000": (Label("全角空格", "a full-width space"), Label("普通空格", "an ordinary space"), " "),
}
_LINE_START = Label("行首", "the start of the line")
_IN_KEY = re.compile("[：，｛｝［］\u00a0\u3000]")
_IN_ITEM = re.compile(r"(?<=[A-Za-z0-9_])，(?=\s*[A-Za-z0-9_])")
_AFTER_WORD = re.compile(r"([\w\"']+)[ ]*:?[ ]*([：\u00a0\u3000])|(\w+)[ ]*([，｝］】])|:[ ]*([｛［【])")
_INDENT = re.compile(r"^[ ]*(?:-[ ]*)?([\u00a0\u3000])")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'|(?:^|(?<=\s))#.*$")


def fullwidth_key(file: str, event: Any) -> Problem | None:
    """The problem of a full-width sign inside a plain key; None without one."""
    return _inside(_IN_KEY, file, event)


def fullwidth_item(file: str, event: Any) -> Problem | None:
    """The problem of a full-width comma between two names in a flow list; None without one."""
    return _inside(_IN_ITEM, file, event)


def _inside(pattern: re.Pattern[str], file: str, event: Any) -> Problem | None:
    word = event.value
    found = None if word.isascii() else pattern.search(word)
    if not found:
        return None
    at = found.start()
    return _problem(
        file,
        event.start_mark.line,
        event.start_mark.column + at,
        word[at],
        re.split(r"[\s：，]", word[:at].rstrip())[-1],
    )


def fullwidth_near(file: str, text: str, line: int) -> Problem | None:
    """The full-width sign that explains why parsing failed at `line` (from 0), there or in the three lines above."""
    lines = text.split("\n")
    for number in range(min(line, len(lines) - 1), max(-1, line - 4), -1):
        if len(lines[number]) > 2000:
            continue  # nobody typed that
        # What is quoted or a comment may hold any sign.
        bare = _QUOTED.sub(lambda found: "x" * len(found[0]), lines[number])
        indent = _INDENT.search(bare)
        if indent:
            return _problem(file, number, indent.start(1), indent[1], "")
        for found in _AFTER_WORD.finditer(bare):
            group = 2 if found[2] else 4 if found[4] else 5
            at = found.start(group)
            if _as_syntax(bare, at, found.start(group - 1) if group != 5 else at):
                word = lines[number][found.start(group - 1) : found.end(group - 1)] if group != 5 else ":"
                return _problem(file, number, at, bare[at], word.strip("\"'"))
    return None


def _as_syntax(line: str, at: int, word: int) -> bool:
    """Whether the sign stands where YAML punctuation would: after the first word of a line or of a flow entry."""
    before = line[:word].rstrip().rstrip("-").rstrip()
    return not before or before[-1] in "{[,:，｛［【" or line[at] in "，｝］】｛［【"


def _problem(file: str, line: int, column: int, sign: str, before: str) -> Problem:
    name, instead, ascii_sign = _SIGNS[sign]
    place = Place(file, line + 1, column + 1)
    return Problem(
        "fullwidth-sign",
        parameters={"before": before or _LINE_START, "sign": name, "code": f"U+{ord(sign):04X}", "instead": instead},
        place=place,
        patches=(Patch(place, 1, ascii_sign),),
    )
