"""One YAML or JSON text becomes plain data and, beside it, a tree that knows where everything stands.

The text goes through libyaml's events, which are fast and expand nothing.  Plain scalars are read by the rules of
YAML 1.2, so `on` and `12:30` stay texts; keys are always texts, as written.  Anchors, aliases, tags, merge keys,
invisible characters and whatever is too large, too deep or too much are refused before they can cost anything.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml
from yaml import _yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from engine.definition.signs import fullwidth_item, fullwidth_key, fullwidth_near
from engine.problems import Label, Place, Problem

MAX_FILE = 1_000_000
MAX_PACKAGE = 10_000_000
MAX_DEPTH = 50
MAX_NODES = 40_000
MAX_SIGNS = 60_000

# Controls, soft hyphens, zero-width and bidirectional marks, line separators, surrogates, noncharacters, tag letters.
INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
_NUMBER = re.compile(r"[-+]?(?:\d+|(\d+\.\d*|\.\d+)([eE][-+]?\d+)?)\Z")
_AMBIGUOUS = re.compile(r"[-+]?(?:0\d+|\d+[eE][-+]?\d+|\d+\.\d*[eE][-+]?\d+|0[xob][\da-fA-F]+|\d[\d_]*_\d+)\Z")
_PAIR = re.compile(r"(?<!\\)\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}")
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_OTHER_BOOLEANS = frozenset(("yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF"))


@dataclass(slots=True)
class Text:
    """One file of an app package. `name` is how places call it."""

    name: str
    text: str


@dataclass(slots=True)
class Branch:
    """A map or a list of the text: its data, and for every key or index an `Entry`."""

    text: Text
    event: Any
    data: Any
    entries: Any


# The text in which it stands, the event of the key (None in a list), and what stands there: a branch or a scalar event.
Entry: TypeAlias = tuple[Text, Any, Any]


@dataclass(slots=True)
class Parsed:
    """`root` is None when the text does not parse; the problems then say why."""

    root: Branch | None
    problems: list[Problem] = field(default_factory=list)


class _Stop(Exception):
    def __init__(self, problem: Problem) -> None:
        self.problem = problem


def parse(name: str, text: str) -> Parsed:
    """The tree of one text. Never raises; takes less than 100 ms to refuse whatever it refuses."""
    if name.endswith(".json") and "\\ud" in text.lower():
        # JSON writes signs beyond 16 bits as two escapes, which YAML does not know.
        text = _PAIR.sub(
            lambda found: (
                found[0].encode("ascii").decode("unicode_escape").encode("utf-16", "surrogatepass").decode("utf-16")
            ),
            text,
        )
    source = Text(name, text)
    problem = _scan(source)
    if problem:
        return Parsed(None, [problem])
    parsed = Parsed(None)
    try:
        parsed.root = _build(source, parsed.problems)
    except _Stop as stop:
        parsed.problems.append(stop.problem)
    except yaml.MarkedYAMLError as error:
        parsed.problems.append(_syntax(source, error))
    return parsed


def hostile(place: Place, zh: str, en: str) -> Problem:
    return Problem("yaml-hostile", parameters={"what": Label(zh, en)}, place=place)


def _scan(source: Text) -> Problem | None:
    text = source.text
    if len(text) > MAX_FILE:
        return hostile(Place(source.name, 1, 1), "文件超过 1 MB", "the file is over 1 MB")
    # So many values take longer to read than the answer may take; their separators are counted in no time.
    if text.count(",") + text.count(":") + text.count("\n") > MAX_SIGNS:
        return hostile(
            Place(source.name, 1, 1), "一个文件里的行、键和值太多", "a file holds too many lines, keys and values"
        )
    found = INVISIBLE.search(text)
    if found:
        before = text[: found.start()]
        place = Place(source.name, before.count("\n") + 1, found.start() - before.rfind("\n"))
        return _invisible(place, found[0])
    return None


def _invisible(place: Place, sign: str) -> Problem:
    code = f"U+{ord(sign):04X}"
    return hostile(place, f"有看不见的字符 {code}", f"there is an invisible character, {code}")


def _build(source: Text, problems: list[Problem]) -> Branch | None:
    """Follows the events with a stack of its own. Raises _Stop at hostile text, MarkedYAMLError at bad syntax."""
    # Its tokens come lazily, so that text which only the parser refuses is refused where it goes wrong.
    next_event = _yaml.CParser(source.text).get_event
    stack: list[tuple[Branch, Any]] = []
    root: Branch | None = None
    branch: Branch | None = None
    key_event: Any = None
    nodes = documents = 0
    twins: dict[int, dict[str, str]] = {}  # of maps with a key beyond ASCII: every key by its normal form
    while True:
        event = next_event()
        kind = type(event)
        if kind is ScalarEvent:
            nodes += 1
            if event.anchor is not None or event.tag is not None:
                raise _Stop(_forbidden(source, event))
            if event.style == '"' and (unseen := INVISIBLE.search(event.value)):  # written as an escape
                raise _Stop(_invisible(_place(source, event), unseen[0]))
            child: Any = event
            if branch is not None and key_event is None and type(branch.data) is dict:
                key_event = event
                continue
            value: Any = event.value
            if not event.style and not (value[:1].isalpha() and len(value) > 5):
                value = _resolve(source, event, problems)
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            nodes += 1
            if event.anchor is not None or event.tag is not None:
                raise _Stop(_forbidden(source, event))
            if branch is not None and key_event is None and type(branch.data) is dict:
                raise _Stop(_bad_key(source, event))
            if len(stack) >= MAX_DEPTH:
                raise _Stop(hostile(_place(source, event), "嵌套超过 50 层", "it nests more than 50 levels deep"))
            opened = Branch(source, event, {}, {}) if kind is MappingStartEvent else Branch(source, event, [], [])
            stack.append((branch, key_event))  # type: ignore[arg-type]
            branch, key_event = opened, None
            continue
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            child, value = branch, branch.data  # type: ignore[union-attr]
            branch, key_event = stack.pop()
        elif kind is AliasEvent:
            raise _Stop(_forbidden(source, event))
        elif kind is DocumentStartEvent:
            documents += 1
            if documents > 1:
                raise _Stop(_expected(source, event.start_mark, "文件结束", "the end of the file"))
            continue
        elif kind is StreamEndEvent:
            return root
        else:
            continue
        if nodes > MAX_NODES:
            raise _Stop(
                hostile(_place(source, event), "一个文件里超过 4 万个值", "a file holds more than 40,000 values")
            )
        if branch is None:
            if not isinstance(child, Branch) or type(value) is not dict:
                raise _Stop(
                    Problem(
                        "wrong-shape",
                        parameters={"expected": Label("键值对", "keys with values")},
                        place=_place(source, event),
                    )
                )
            root = child
        elif type(branch.data) is dict:
            _add(source, branch, key_event, child, value, twins, problems)
            key_event = None
        else:
            if kind is ScalarEvent and not event.style:
                sign = fullwidth_item(source.name, event) if branch.event.flow_style else None
                if sign:
                    problems.append(sign)
            branch.data.append(value)
            branch.entries.append((source, None, child))


def _add(
    source: Text,
    branch: Branch,
    key_event: Any,
    child: Any,
    value: Any,
    twins: dict[int, dict[str, str]],
    problems: list[Problem],
) -> None:
    key = seen = key_event.value
    if key.isascii():
        if key == "<<" and not key_event.style:
            raise _Stop(hostile(_place(source, key_event), "有合并键 <<", "there is a merge key <<"))
        if twins and id(branch) in twins:
            seen = twins[id(branch)].setdefault(key, key)
    else:
        sign = None if key_event.style else fullwidth_key(source.name, key_event)
        if sign:
            problems.append(sign)
            return
        # Two keys that look alike are one key; the second would hide in plain sight.
        known = twins.setdefault(id(branch), {})
        if not known:
            known.update((unicodedata.normalize("NFKC", other), other) for other in branch.entries)
        seen = known.setdefault(unicodedata.normalize("NFKC", key), key)
    if seen in branch.entries:
        first = _place(source, branch.entries[seen][1])
        problems.append(
            Problem(
                "duplicate-key",
                parameters={"key": key, "place": str(first)},
                place=_place(source, key_event),
                related=(first,),
            )
        )
        return
    branch.data[key] = value
    branch.entries[key] = (source, key_event, child)


def _resolve(source: Text, event: Any, problems: list[Problem]) -> Any:
    """The value of a plain scalar by the core schema of YAML 1.2, with a warning where other readers differ."""
    word = event.value
    if word in _NULLS:
        return None
    if word in _BOOLEANS:
        return _BOOLEANS[word]
    number = _NUMBER.match(word)
    if _AMBIGUOUS.match(word) or word in _OTHER_BOOLEANS:
        problems.append(
            Problem(
                "scalar-ambiguous",
                parameters={"text": word},
                severity="warning",
                value=word,
                place=_place(source, event),
            )
        )
        return word
    if number and len(word) <= 30:
        return float(word) if "." in word else int(word)
    return word


def _place(source: Text, event: Any) -> Place:
    return Place(source.name, event.start_mark.line + 1, event.start_mark.column + 1)


def _forbidden(source: Text, event: Any) -> Problem:
    if isinstance(event, AliasEvent):
        return hostile(_place(source, event), f"有别名 *{event.anchor}", f"there is an alias *{event.anchor}")
    if event.anchor is not None:
        return hostile(_place(source, event), f"有锚点 &{event.anchor}", f"there is an anchor &{event.anchor}")
    return hostile(_place(source, event), f"有标签 {event.tag}", f"there is a tag {event.tag}")


def _bad_key(source: Text, event: Any) -> Problem:
    return Problem(
        "wrong-shape", parameters={"expected": Label("文本作键", "a text as key")}, place=_place(source, event)
    )


# What libyaml says, and what it expected instead.
_EXPECTED = {
    "mapping values are not allowed in this context": Label(
        "换行,或给含冒号的文本加引号", "a new line, or quotes around a text with a colon"
    ),
    "did not find expected key": Label("一个键", "a key"),
    "could not find expected ':'": Label("键后的冒号", "a colon after the key"),
    "did not find expected '-' indicator": Label("「-」", 'a "-"'),
    "did not find expected ',' or ']'": Label("「,」或「]」", '"," or "]"'),
    "did not find expected ',' or '}'": Label("「,」或「}」", '"," or "}"'),
    "did not find expected node content": Label("一个值", "a value"),
    "found unexpected end of stream": Label("结束的引号", "a closing quote"),
    "found character that cannot start any token": Label(
        "空格缩进(不能用制表符或 @ ` %)", "spaces for indentation (not a tab, @, ` or %)"
    ),
    "found a tab character that violates indentation": Label("空格缩进", "spaces for indentation"),
    "found unknown escape character": Label("已知的转义符", "a known escape"),
}


def _syntax(source: Text, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    sign = fullwidth_near(source.name, source.text, mark.line if mark else 0)
    if sign:
        return sign
    if error.problem == "found unexpected end of stream" and error.context_mark:
        mark = error.context_mark
    said = error.problem or "?"
    return _expected(source, mark, *_both(_EXPECTED.get(said, Label.of(said))))


def _both(label: Label) -> Iterator[str]:
    yield label.zh
    yield label.en


def _expected(source: Text, mark: Any, zh: str, en: str) -> Problem:
    place = Place(source.name, mark.line + 1, mark.column + 1) if mark else Place(source.name, 1, 1)
    return Problem("yaml-syntax", parameters={"expected": Label(zh, en)}, place=place)
