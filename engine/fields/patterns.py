"""Which regular expressions may stand in a definition: those that no text can make slow.

Python's matcher tries alternatives one after another, so that a pattern with repeats inside repeats can take years on a
short text.  We admit what needs no such search: no repeat of something that itself varies, no references back, no
looking around; and the number of ways to share a text among the repeats of a pattern stays below two million.
"""

import re
from re import _constants as op, _parser as parser  # type: ignore[attr-defined]
from typing import Any

from engine.problems import Label

_STEPS = 2_000_000
_REPEATS = {op.MAX_REPEAT, op.MIN_REPEAT}
_PLAIN = {op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN, op.AT}

SYNTAX = Label("不是正确的正则表达式", "it is no regular expression")
NOT_SHARED = Label("用了浏览器不认识的写法", "it uses what browsers do not know")
TOO_CLEVER = Label("用了反向引用、环视或原子组", "it refers back or looks around")
NESTED = Label("重复里面套着重复或分支", "it repeats something that itself varies")
TOO_MANY = Label(
    "变长的重复太多;请写明次数,如 {1,20}", "it has too many repeats of open length; write counts such as {1,20}"
)


def danger(pattern: str, limit: int) -> Label | None:
    """Why `pattern` may not be tested against texts of up to `limit` characters; None when it may."""
    if re.search(r"\(\?(?!:)|\\[AZzGpP]|\\N|[*+?}]\+", pattern):
        return NOT_SHARED if re.search(r"\(\?P|\\[AZzGpP]|\\N|[*+?}]\+", pattern) else TOO_CLEVER
    try:
        tree = parser.parse(pattern)
    except (re.error, RecursionError, OverflowError):
        return SYNTAX
    return _look(tree, limit)


def _look(tree: Any, limit: int) -> Label | None:
    try:
        ways = _ways(tree, limit, repeated=False)
    except _Refused as refused:
        return refused.why
    return TOO_MANY if ways > _STEPS else None


class _Refused(Exception):
    def __init__(self, why: Label) -> None:
        self.why = why


def _ways(tree: Any, limit: int, repeated: bool) -> int:
    """In how many ways the parts of `tree` can share a text, at most. Raises _Refused."""
    ways = 1
    for code, argument in tree:
        if code in _REPEATS:
            least, most, body = argument
            if repeated and least != most:
                raise _Refused(NESTED)
            most = min(int(most), limit)
            inner = _ways(body, limit, repeated or most > 1)
            ways *= inner * max(1, most - least + 1)
        elif code is op.SUBPATTERN:
            ways *= _ways(argument[3], limit, repeated)
        elif code is op.BRANCH:
            if repeated:
                raise _Refused(NESTED)
            ways *= sum(_ways(branch, limit, repeated) for branch in argument[1])
        elif code not in _PLAIN:
            raise _Refused(TOO_CLEVER)
        if ways > _STEPS**2:
            return ways
    return ways
