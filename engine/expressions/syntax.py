"""From tokens to a syntax tree: what was written, before anybody asks what the names mean.

A small Pratt parser rather than Python's `ast`: `where`, `3 workdays`, `15%`, `=` and Chinese names are no Python, and
every node must know its place in the original text.  Precedence is Python's, with `&` (joins texts) between + and <.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NoReturn

from engine.expressions.faults import Edit, Fault, Wrong, said
from engine.expressions.tokens import KEYWORDS, Token, tokens
from engine.problems import Label

MAX_TEXT = 4_000
MAX_NODES = 400
MAX_DEPTH = 40
_MAX_NESTING = 100

DAY = 86_400_000_000
_UNIT_WORDS = {
    "s": "seconds sec second s 秒", "min": "minutes min minute 分钟 分", "h": "hours h hour 小时 个小时", "d": "days d day 天 日",
    "weeks": "weeks week w 周 星期 个星期", "workdays": "workdays workday 工作日 个工作日", "workhours": "workhours workhour 工作小时 个工作小时",
    "months": "months month 月 个月", "years": "years year 年",
}  # fmt: skip
UNITS = {word: unit for unit, words in _UNIT_WORDS.items() for word in words.split()}
MICROSECONDS = {"s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000, "d": DAY, "weeks": 7 * DAY}

CONSTANTS = {"true": True, "false": False, "null": None, "none": None, "真": True, "假": False, "空": None}


@dataclass(frozen=True, slots=True)
class Written:
    """A node of the syntax tree. `offset` and `length` span all of it."""

    offset: int
    length: int
    depth: int

    @property
    def end(self) -> int:
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Literal(Written):
    """A Decimal, a text, True, False or None. `percent`: written with a percent sign, already divided by 100."""

    value: Decimal | str | bool | None
    percent: bool = False


@dataclass(frozen=True, slots=True)
class Span(Written):
    """A number with a unit of time."""

    amount: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class Dotted(Written):
    """One name, or several joined by points."""

    names: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Unary(Written):
    """`-` or `not`."""

    sign: str
    operand: Written


@dataclass(frozen=True, slots=True)
class Binary(Written):
    """`+ - * / % &`."""

    sign: str
    left: Written
    right: Written


@dataclass(frozen=True, slots=True)
class Logic(Written):
    """`and` or `or` over two or more operands."""

    sign: str
    operands: tuple[Written, ...]


@dataclass(frozen=True, slots=True)
class Comparison(Written):
    """`a < b <= c`: one sign less than operands."""

    signs: tuple[str, ...]
    operands: tuple[Written, ...]


@dataclass(frozen=True, slots=True)
class Membership(Written):
    """`item in container`, or `not in`."""

    item: Written
    container: Written
    negated: bool


@dataclass(frozen=True, slots=True)
class Nullness(Written):
    """`x is null`, or `is not null`."""

    operand: Written
    negated: bool


@dataclass(frozen=True, slots=True)
class Choice(Written):
    """`then if condition else otherwise`."""

    condition: Written
    then: Written
    otherwise: Written


@dataclass(frozen=True, slots=True)
class Items(Written):
    """`[a, b]`."""

    items: tuple[Written, ...]


@dataclass(frozen=True, slots=True)
class Filtered(Written):
    """`path where condition`: an argument of an aggregate."""

    path: Written
    condition: Written


@dataclass(frozen=True, slots=True)
class Invocation(Written):
    """`name(arguments)`."""

    name: Token
    arguments: tuple[Written, ...]


# Binding power of what follows an operand; higher binds tighter.
_IF, _OR, _AND, _NOT, _COMPARE, _JOIN, _ADD, _MULTIPLY, _NEGATE = 1, 2, 3, 4, 5, 6, 7, 8, 9
_POWERS = {
    "if": _IF, "or": _OR, "||": _OR, "and": _AND, "&&": _AND, "in": _COMPARE, "not": _COMPARE, "is": _COMPARE,
    "==": _COMPARE, "!=": _COMPARE, "<": _COMPARE, "<=": _COMPARE, ">": _COMPARE, ">=": _COMPARE, "&": _JOIN,
    "+": _ADD, "-": _ADD, "*": _MULTIPLY, "/": _MULTIPLY, "%": _MULTIPLY,
}  # fmt: skip


def parse(text: str) -> Written:
    """The syntax tree of `text`. Raises Wrong."""
    if len(text) > MAX_TEXT:
        raise Wrong(
            Fault("expression-too-large", MAX_TEXT, len(text) - MAX_TEXT, {"limit": MAX_TEXT, "of": said("characters")})
        )
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.at = 0
        self.nodes = 0
        self.nesting = 0

    def whole(self) -> Written:
        if self.tokens[0].value == "==" and self.tokens[0].length == 1:
            self.at = 1  # Excel people begin a formula with =
        if self.ended():
            raise self._unexpected(self.token)
        tree = self.expression(0)
        if not self.ended():
            raise self._unexpected(self.token)
        return tree

    def ended(self) -> bool:
        return self.token.kind == "end"

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def next_is(self, *values: str) -> bool:
        token = self.tokens[self.at]
        return token.kind in ("sign", "name") and token.value in values

    def expect(self, sign: str) -> Token:
        if self.next_is(sign):
            return self.take()
        raise self._unexpected(self.token, sign)

    def expression(self, power: int) -> Written:
        self.nesting += 1
        if self.nesting > _MAX_NESTING:
            self._too_large(self.token.offset, _MAX_NESTING, "levels")
        left = self.operand()
        while True:
            token = self.token
            if token.kind not in ("sign", "name"):
                break
            binding = _POWERS.get(str(token.value), 0)
            if binding <= power or (token.value == "not" and not self._not_in()):
                break
            left = self.continued(left, str(token.value), binding)
        self.nesting -= 1
        return left

    def _not_in(self) -> bool:
        following = self.tokens[self.at + 1]
        return following.kind == "name" and following.value == "in"

    def continued(self, left: Written, word: str, binding: int) -> Written:
        """The tree that begins with `left` and goes on with the operator that comes next."""
        if binding == _COMPARE:
            return self.compared(left)
        self.take()
        if binding == _IF:
            condition = self.expression(_IF)
            self.expect("else")
            otherwise = self.expression(0)
            return self.node(Choice, left, otherwise, condition, left, otherwise, children=(condition, left, otherwise))
        if binding in (_OR, _AND):
            sign = "or" if binding == _OR else "and"
            right = self.expression(binding)
            # A chain is one node: a hundred conditions joined by `and` are not a hundred levels deep.
            chained = isinstance(left, Logic) and left.sign == sign
            operands = (*left.operands, right) if chained and isinstance(left, Logic) else (left, right)
            return self.node(Logic, left, right, sign, operands, children=operands)
        right = self.expression(binding)
        return self.node(Binary, left, right, word, left, right, children=(left, right))

    def compared(self, left: Written) -> Written:
        token = self.take()
        if token.value == "is":
            negated = self.next_is("not") and bool(self.take())
            nothing = self.take()
            if nothing.kind != "name" or CONSTANTS.get(str(nothing.value).lower(), "") is not None:
                raise self._unexpected(nothing, "null")
            return self.node(Nullness, left, nothing, left, negated, children=(left,))
        if token.value in ("in", "not"):
            if token.value == "not":
                self.take()
            container = self.expression(_COMPARE)
            return self.node(
                Membership, left, container, left, container, token.value == "not", children=(left, container)
            )
        operands, signs = [left], []
        while True:
            signs.append(str(token.value))
            operands.append(self.expression(_COMPARE))
            if not self.next_is("==", "!=", "<", "<=", ">", ">="):
                break
            token = self.take()
        return self.node(Comparison, left, operands[-1], tuple(signs), tuple(operands), children=tuple(operands))

    def operand(self) -> Written:
        token = self.take()
        if token.kind == "number":
            return self.number(token)
        if token.kind == "text":
            return self.node(Literal, token, token, token.value)
        # Where a value must stand, `if(` and `and(` are what Excel people write.
        if token.kind == "name" and (
            token.value not in KEYWORDS or (token.value in ("if", "and", "or") and self.next_is("("))
        ):
            return self.named(token)
        if token.value == "not":
            operand = self.expression(_NOT)
            return self.node(Unary, token, operand, "not", operand, children=(operand,))
        if token.kind == "sign":
            if token.value in ("-", "+"):
                operand = self.expression(_NEGATE)
                return self.node(Unary, token, operand, token.value, operand, children=(operand,))
            if token.value == "(":
                inside = self.expression(0)
                return _spanning(inside, token.offset, self.expect(")").end)
            if token.value == "[":
                items, end = self.listed("]")
                return self.node(Items, token, end, tuple(items), children=tuple(items))
        raise self._unexpected(token)

    def number(self, token: Token) -> Written:
        assert isinstance(token.value, Decimal)
        following, after = self.tokens[self.at], self.tokens[min(self.at + 1, len(self.tokens) - 1)]
        if following.kind == "name" and following.value not in KEYWORDS:
            unit = UNITS.get(str(following.value).lower())
            if unit is None:
                raise self._unexpected(following)
            self.take()
            return self.node(Span, token, following, token.value, unit)
        # In `15 % 4` the sign divides; in `a * 15%` nothing follows that could be divided by.
        divides = (
            after.kind in ("number", "text")
            or (after.kind == "name" and after.value not in KEYWORDS)
            or after.value in ("(", "[")
        )
        if following.value == "%" and following.offset == token.end and not divides:
            self.take()
            return self.node(Literal, token, following, token.value.scaleb(-2), True)
        return self.node(Literal, token, token, token.value)

    def named(self, token: Token) -> Written:
        if self.next_is("("):
            self.take()
            arguments, end = self.listed(")")
            return self.node(Invocation, token, end, token, tuple(arguments), children=tuple(arguments))
        names = [token]
        while self.next_is("."):
            self.take()
            part = self.take()
            if part.kind != "name":
                raise self._unexpected(part)
            names.append(part)
        if len(names) == 1 and str(token.value).lower() in CONSTANTS:
            return self.node(Literal, token, token, CONSTANTS[str(token.value).lower()])
        return self.node(Dotted, token, names[-1], tuple(names))

    def listed(self, closing: str) -> tuple[list[Written], Token]:
        found: list[Written] = []
        while not self.next_is(closing):
            item = self.expression(0)
            if closing == ")" and self.next_is("where"):
                self.take()
                condition = self.expression(0)
                item = self.node(Filtered, item, condition, item, condition, children=(item, condition))
            found.append(item)
            if not self.next_is(","):
                break
            self.take()
        return found, self.expect(closing)

    def node(
        self,
        kind: Callable[..., Written],
        first: Token | Written,
        last: Token | Written,
        *values: object,
        children: tuple[Written, ...] = (),
    ) -> Written:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self._too_large(first.offset, MAX_NODES, "parts")
        depth = 1 + max((child.depth for child in children), default=0)
        if depth > MAX_DEPTH:
            self._too_large(first.offset, MAX_DEPTH, "levels")
        return kind(first.offset, last.end - first.offset, depth, *values)

    def _too_large(self, offset: int, limit: int, of: str) -> NoReturn:
        raise Wrong(
            Fault("expression-too-large", offset, max(1, len(self.text) - offset), {"limit": limit, "of": said(of)})
        )

    def _unexpected(self, token: Token, expected: str | None = None) -> Wrong:
        if token.kind == "end":
            patches = (Edit(token.offset, 0, expected),) if expected in (")", "]") else ()
            return Wrong(
                Fault(
                    "expression-syntax",
                    token.offset,
                    0,
                    {"found": Label("结尾", "the end"), "expected": expected},
                    patches,
                )
            )
        found = self.text[token.offset : token.end]
        return Wrong(Fault("expression-syntax", token.offset, token.length, {"found": found, "expected": expected}))


def _spanning(node: Written, start: int, end: int) -> Written:
    """The same node with its parentheses, so that a patch replaces both."""
    return replace(node, offset=start, length=end - start)
