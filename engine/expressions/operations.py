"""The basic operations: what a `Call` in the typed tree may do, each said once for Python and for both databases.

The columns are templates over stored values: `{0}` is an argument, `{s0}` a static parameter.  A strict operation is
null as soon as one argument is; Python sees to that outside the template, SQL by itself.  An operation that may leave
63 bits says so by `bounds`; the compilers put a check only where the bounds of the arguments do not rule it out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.expressions.primitives import (
    FIRST_DAY,
    FIRST_INSTANT,
    FIRST_WORKTIME,
    HIGHEST,
    LAST_DAY,
    LAST_INSTANT,
    LAST_WORKTIME,
    LOWEST,
    MAX_LENGTH,
)

Bounds = tuple[int, int]
FULL: Bounds = (LOWEST, HIGHEST)
_Rule = Callable[[list[Bounds], tuple[Any, ...]], Bounds]


@dataclass(frozen=True)
class Operation:
    """`predicate`: gives true or false, and false where an argument is null. `partial`: may be null though no argument is;
    `may_be_empty`: and that not only at the ends of the calendar or of 63 bits, so that its type says so.

    `lazy` operations (`if`, `and`, …) are built by each compiler itself and have no templates.  `sticky`: on SQLite an
    overflowing argument makes the result a float again, so that the check can wait.
    """

    python: str = ""
    sqlite: str = ""
    postgresql: str = ""
    strict: bool = True
    predicate: bool = False
    partial: bool = False
    may_be_empty: bool = False
    lazy: bool = False
    sticky: bool = False
    bounds: _Rule | None = None


def _corners(function: Callable[[int, int], int]) -> _Rule:
    def bounds(arguments: list[Bounds], _: tuple[Any, ...]) -> Bounds:
        (a, b), (c, d) = arguments
        values = [function(a, c), function(a, d), function(b, c), function(b, d)]
        return min(values), max(values)

    return bounds


def _scaled(by: int) -> _Rule:
    """Bounds of a rounded division of the product or single argument by the static divisor at index `by`."""

    def bounds(arguments: list[Bounds], static: tuple[Any, ...]) -> Bounds:
        low, high = arguments[0] if len(arguments) == 1 else _corners(lambda a, b: a * b)(arguments, static)
        return low // static[by] - 1, high // static[by] + 1

    return bounds


def _quotient(arguments: list[Bounds], static: tuple[Any, ...]) -> Bounds:
    (low, high), (least, most) = arguments
    # The divisor is an integer other than 0, so its size is at least 1.
    smallest = least if least > 0 else -most if most < 0 else 1
    size = max(abs(low), abs(high)) * static[0] // smallest + 1
    return -size, size


def _modulus(arguments: list[Bounds], _: tuple[Any, ...]) -> Bounds:
    low, high = arguments[1]
    return min(low, 0), max(high, 0)


def _raised(arguments: list[Bounds], static: tuple[Any, ...]) -> Bounds:
    size = max(abs(each) for each in arguments[0]) ** static[0] // static[1] + 1
    return -size, size


def _known(low: int, high: int) -> _Rule:
    return lambda arguments, static: (low, high)


def _clamped(arguments: list[Bounds], static: tuple[Any, ...]) -> Bounds:
    return -static[0], static[0]


def _size(arguments: list[Bounds], _: tuple[Any, ...]) -> Bounds:
    low, high = arguments[0]
    return (0 if low <= 0 <= high else min(abs(low), abs(high))), max(abs(low), abs(high))


_DAYS = _known(FIRST_DAY, LAST_DAY)
_EPOCH = "DATE '1970-01-01'"
_AT = f"({_EPOCH} + CAST({{0}} AS INTEGER))"
# Instants by days and a remainder: an interval is multiplied as a double, which has not all digits of microseconds.
_LOCAL = (
    "((TIMESTAMPTZ '1970-01-01 00:00:00+00' + div(CAST({0} AS NUMERIC), 86400000000)::float8 * INTERVAL '24 hours'"
    " + mod({0}, 86400000000)::float8 * INTERVAL '1 microsecond') AT TIME ZONE {1})"
)
_IN_RANGE = f"{{0}} BETWEEN {FIRST_INSTANT} AND {LAST_INSTANT}"
_BLANKS_SQLITE = "' ' || char(9, 10, 13, 12288, 160)"
_BLANKS_POSTGRESQL = "' ' || chr(9) || chr(10) || chr(13) || chr(12288) || chr(160)"


def _part(name: str) -> str:
    return f"CAST(extract({name} FROM {_AT}) AS INTEGER)"


def _comparison(sign: str) -> Operation:
    return Operation(f"{{0}} {sign} {{1}}", f"{{0}} {sign} {{1}}", f"{{0}} {sign} {{1}}", predicate=True)


def _text_comparison(sign: str) -> Operation:
    return Operation(
        f"{{0}} {sign} {{1}}", f"{{0}} {sign} {{1}}", f'{{0}} COLLATE "C" {sign} {{1}} COLLATE "C"', predicate=True
    )


def _narrow(function: str, postgresql: str) -> Operation:
    return Operation(f"{function}({{0}}, {{s0}})", f"dg_{function}({{0}}, '{{s0}}')", postgresql, bounds=_scaled(0))


_HALF = "CAST({0} AS NUMERIC) * {s1}"
_BOTH = "CASE WHEN {0} IS NOT NULL AND {1} IS NOT NULL THEN %s({0}%s, {1}%s) END"
_BYTES = (' COLLATE "C"', ' COLLATE "C"')
_WORKDAY = "(SELECT dg_c.%s FROM dg_calendar_day AS dg_c WHERE dg_c.calendar = {%d} AND dg_c.day = {%d})"
_ADD_WORKDAYS = (
    "CASE WHEN {1} = 0 THEN {0} ELSE (SELECT dg_t.day FROM dg_calendar_day AS dg_f JOIN dg_calendar_day AS dg_t"
    " ON dg_t.calendar = dg_f.calendar AND dg_t.working"
    " AND dg_t.position = dg_f.position + {1} - CASE WHEN dg_f.working OR {1} < 0 THEN 0 ELSE 1 END"
    " WHERE dg_f.calendar = {2} AND dg_f.day = {0}) END"
)
_IN_WORKTIME = f"BETWEEN {FIRST_WORKTIME} AND {LAST_WORKTIME}"


def _worked(at: int, calendar: int, lesser: str) -> str:
    """The working time before the instant that argument `at` is: 0 or more microseconds since a fixed start."""
    return (
        f"(SELECT dg_s.before + {lesser}(CAST({{{at}}} AS BIGINT) - dg_s.since, dg_s.until - dg_s.since) AS worked"
        f" FROM dg_calendar_stretch AS dg_s WHERE dg_s.calendar = {{{calendar}}} AND dg_s.since <= CAST({{{at}}} AS BIGINT)"
        " ORDER BY dg_s.since DESC LIMIT 1)"
    )


def _worktime_between(lesser: str) -> str:
    return (
        f"CASE WHEN {{0}} {_IN_WORKTIME} AND {{1}} {_IN_WORKTIME}"
        f" THEN {_worked(1, 2, lesser)} - {_worked(0, 2, lesser)} END"
    )


def _add_worktime(lesser: str) -> str:
    """Forwards the stretch in which the wanted working time is reached, backwards the last one that begins with it."""
    most = LAST_WORKTIME - FIRST_WORKTIME
    return (
        f"CASE WHEN {{1}} = 0 THEN {{0}} WHEN {{0}} {_IN_WORKTIME} AND {{1}} BETWEEN -{most} AND {most} THEN"
        f" (SELECT CASE WHEN dg_r.at {_IN_WORKTIME} THEN dg_r.at END FROM (SELECT dg_u.since + dg_w.worked + CAST({{1}} AS BIGINT) - dg_u.before AS at"
        f" FROM {_worked(0, 2, lesser)} AS dg_w JOIN dg_calendar_stretch AS dg_u ON dg_u.calendar = {{2}}"
        " AND dg_u.before < dg_w.worked + CAST({1} AS BIGINT) + CASE WHEN {1} < 0 THEN 1 ELSE 0 END"
        " ORDER BY dg_u.before DESC, dg_u.since DESC LIMIT 1) AS dg_r) END"
    )


OPERATIONS: dict[str, Operation] = {
    # Numbers. Static factors and divisors are powers of ten; the second static of a narrowing is its inverse as a decimal.
    "neg": Operation("-{0}", "-{0}", "-CAST({0} AS NUMERIC)", sticky=True, bounds=lambda a, _: (-a[0][1], -a[0][0])),
    "add": Operation("{0} + {1}", "{0} + {1}", "CAST({0} AS NUMERIC) + {1}", sticky=True, bounds=_corners(lambda a, b: a + b)),
    "sub": Operation("{0} - {1}", "{0} - {1}", "CAST({0} AS NUMERIC) - {1}", sticky=True, bounds=_corners(lambda a, b: a - b)),
    "mul": Operation("{0} * {1}", "{0} * {1}", "CAST({0} AS NUMERIC) * {1}", sticky=True, bounds=_corners(lambda a, b: a * b)),
    "widen": Operation(
        "{0} * {s0}", "{0} * {s0}", "CAST({0} AS NUMERIC) * {s0}", sticky=True, bounds=lambda a, s: (a[0][0] * s[0], a[0][1] * s[0])
    ),
    "mul_narrow": Operation(
        "multiply({0}, {1}, {s0})", "dg_multiply({0}, {1}, '{s0}')", "round(CAST({0} AS NUMERIC) * {1} * {s1})", partial=True, bounds=_scaled(0)
    ),
    "narrow": _narrow("narrow", f"round({_HALF})"),
    "narrow_up": _narrow("narrow_up", f"sign(CAST({{0}} AS NUMERIC)) * ceil(abs({_HALF}))"),
    "narrow_down": _narrow("narrow_down", f"trunc({_HALF})"),
    "narrow_floor": _narrow("narrow_floor", f"floor({_HALF})"),
    "whole_days": Operation(
        "{0} // 86400000000", "dg_narrow_floor({0}, '86400000000')",
        "floor(CAST({0} AS NUMERIC) * 1.000000000000000000000 / 86400000000)", bounds=_known(-(10**9), 10**9),
    ),
    # 21 decimals: enough that the quotient of two 63-bit integers, cut there, still rounds as the exact one.
    "div": Operation(
        "divide({0}, {1}, {s0})", "dg_divide({0}, {1}, '{s0}')",
        "round(CAST({0} AS NUMERIC) * {s0}.000000000000000000000 / nullif({1}, 0))", partial=True, bounds=_quotient,
    ),
    "mod": Operation(
        "modulo({0}, {1})", "dg_modulo({0}, {1})",
        "mod(mod(CAST({0} AS NUMERIC), nullif({1}, 0)) + {1}, nullif({1}, 0))", partial=True, bounds=_modulus,
    ),
    "abs": Operation("abs({0})", "CASE WHEN {0} < 0 THEN -{0} ELSE {0} END", "abs(CAST({0} AS NUMERIC))", sticky=True, bounds=_size),
    "power": Operation(
        "power({0}, {s0}, {s1})", "dg_power({0}, {s0}, '{s1}')", "round({product} * {s2})", partial=True, bounds=_raised
    ),
    "lesser": Operation(
        "{0} if {0} <= {1} else {1}", "min({0}, {1})", _BOTH % ("least", "", ""),
        bounds=lambda a, _: (min(a[0][0], a[1][0]), min(a[0][1], a[1][1])),
    ),
    "greater": Operation(
        "{0} if {0} >= {1} else {1}", "max({0}, {1})", _BOTH % ("greatest", "", ""),
        bounds=lambda a, _: (max(a[0][0], a[1][0]), max(a[0][1], a[1][1])),
    ),
    "lesser_text": Operation("{0} if {0} <= {1} else {1}", "min({0}, {1})", _BOTH % ("least", *_BYTES)),
    "greater_text": Operation("{0} if {0} >= {1} else {1}", "max({0}, {1})", _BOTH % ("greatest", *_BYTES)),
    # A whole number as a count of characters, months or days: null beyond what anybody means.
    "small": Operation(
        "{0} if -{s0} <= {0} <= {s0} else None", "CASE WHEN {0} BETWEEN -{s0} AND {s0} THEN {0} END",
        "CASE WHEN {0} BETWEEN -{s0} AND {s0} THEN CAST({0} AS INTEGER) END", partial=True, bounds=_clamped,
    ),
    "number_of_boolean": Operation(
        "1 if {0} else 0", "CASE WHEN {0} THEN 1 WHEN NOT {0} THEN 0 END", "CAST({0} AS INTEGER)", bounds=_known(0, 1)
    ),
    # Comparisons; `eq` compares null as a value.
    "lt": _comparison("<"), "le": _comparison("<="), "gt": _comparison(">"), "ge": _comparison(">="),
    "text_lt": _text_comparison("<"), "text_le": _text_comparison("<="), "text_gt": _text_comparison(">"), "text_ge": _text_comparison(">="),
    "eq": Operation(lazy=True, predicate=True), "is_null": Operation("{0} is None", "{0} IS NULL", "{0} IS NULL", strict=False, predicate=True),
    # Logic. `in`: a value and constants, none of them null. `in_set`: a value and a variable that holds a list.
    "and": Operation(lazy=True, predicate=True), "or": Operation(lazy=True, predicate=True), "not": Operation(lazy=True, predicate=True),
    "if": Operation(lazy=True), "coalesce": Operation(lazy=True),
    "in": Operation(lazy=True, predicate=True), "in_set": Operation(lazy=True, predicate=True),
    # Texts. An empty text is null; letters other than A to Z have no case.
    "join": Operation(
        "join({0}, {1})", f"nullif(substr(coalesce({{0}}, '') || coalesce({{1}}, ''), 1, {MAX_LENGTH}), '')",
        f"nullif(left(coalesce({{0}}, '') || coalesce({{1}}, ''), {MAX_LENGTH}), '')", strict=False, partial=True,
    ),
    "join_both": Operation(
        "join({0}, {1})", f"nullif(substr({{0}} || {{1}}, 1, {MAX_LENGTH}), '')", f"nullif(left({{0}} || {{1}}, {MAX_LENGTH}), '')"
    ),
    "upper": Operation("upper({0})", "upper({0})", 'upper({0} COLLATE "C")'),
    "lower": Operation("lower({0})", "lower({0})", 'lower({0} COLLATE "C")'),
    "trim": Operation("{0}.strip(SPACES) or None", f"nullif(trim({{0}}, {_BLANKS_SQLITE}), '')", f"nullif(btrim({{0}}, {_BLANKS_POSTGRESQL}), '')", partial=True, may_be_empty=True),
    "left": Operation("left({0}, {1})", "nullif(substr({0}, 1, max({1}, 0)), '')", "nullif(left({0}, greatest({1}, 0)), '')", partial=True, may_be_empty=True),
    "right": Operation(
        "right({0}, {1})", "CASE WHEN {1} > 0 THEN substr({0}, -{1}) END", "nullif(right({0}, greatest({1}, 0)), '')", partial=True, may_be_empty=True
    ),
    "middle": Operation(
        "middle({0}, {1}, {2})", "CASE WHEN {1} >= 1 AND {2} >= 1 THEN nullif(substr({0}, {1}, {2}), '') END",
        "CASE WHEN {1} >= 1 AND {2} >= 1 THEN nullif(substr({0}, {1}, {2}), '') END", partial=True, may_be_empty=True,
    ),
    "length": Operation("len({0} or '')", "coalesce(length({0}), 0)", "coalesce(char_length({0}), 0)", strict=False, bounds=_known(0, 2**31)),
    "contains": Operation("{1} in {0}", "instr({0}, {1}) > 0", "strpos({0}, {1}) > 0", predicate=True),
    "starts_with": Operation("{0}.startswith({1})", "substr({0}, 1, length({1})) = {1}", "starts_with({0}, {1})", predicate=True),
    "ends_with": Operation("{0}.endswith({1})", "substr({0}, -length({1})) = {1}", "right({0}, char_length({1})) = {1}", predicate=True),
    "number_text": Operation(
        "number_text({0}, {s0})", "dg_number_text({0}, {s0})", "CAST(round(CAST({0} AS NUMERIC) * {s1}, {s0}) AS TEXT)"
    ),
    "text_number": Operation(
        "text_number({0})", "dg_text_number({0})",
        "CASE WHEN {0} ~ '^[+-]?[0-9]{{1,12}}([.][0-9]{{1,6}})?$' THEN CAST({0} AS NUMERIC) * 1000000 END",
        partial=True, may_be_empty=True, bounds=_known(-(10**18), 10**18),
    ),
    # Sets of choices and files. Nothing at all is an empty set.
    "has": Operation("'|' + {1} + '|' in {0}", "instr({0}, '|' || {1} || '|') > 0", "strpos({0}, '|' || {1} || '|') > 0", predicate=True),
    "count_choices": Operation(
        "count_choices({0})", "coalesce(length({0}) - length(replace({0}, '|', '')) - 1, 0)",
        "coalesce(char_length({0}) - char_length(replace({0}, '|', '')) - 1, 0)", strict=False, bounds=_known(0, 2**31),
    ),
    "count_files": Operation(
        "count_files({0})", "coalesce(json_array_length({0}), 0)", "coalesce(json_array_length(CAST({0} AS JSON)), 0)",
        strict=False, bounds=_known(0, 2**31),
    ),
    # Days and instants. What the calendar from year 1 to 9999 does not have is null.
    "day_of": Operation(
        "day_of({0}, {1})", "dg_day_of({0}, {1})", f"CASE WHEN {_IN_RANGE} THEN CAST({_LOCAL} AS DATE) - {_EPOCH} END", partial=True, bounds=_DAYS
    ),
    "hour_of": Operation(
        "hour_of({0}, {1})", "dg_hour_of({0}, {1})", f"CASE WHEN {_IN_RANGE} THEN CAST(extract(hour FROM {_LOCAL}) AS INTEGER) END",
        partial=True, bounds=_known(0, 23),
    ),
    "instant_text": Operation(
        "instant_text({0}, {1})", "dg_instant_text({0}, {1})", f"CASE WHEN {_IN_RANGE} THEN to_char({_LOCAL}, 'YYYY-MM-DD HH24:MI') END", partial=True
    ),
    "date_text": Operation("date_text({0})", "dg_date_text({0})", f"to_char({_AT}, 'YYYY-MM-DD')", partial=True),
    "year": Operation("year({0})", "dg_year({0})", _part("year"), partial=True, bounds=_known(1, 9999)),
    "quarter": Operation("quarter({0})", "dg_quarter({0})", _part("quarter"), partial=True, bounds=_known(1, 4)),
    "month": Operation("month({0})", "dg_month({0})", _part("month"), partial=True, bounds=_known(1, 12)),
    "day_of_month": Operation("day_of_month({0})", "dg_day_of_month({0})", _part("day"), partial=True, bounds=_known(1, 31)),
    "weekday": Operation(
        "({0} + 3) % 7 + 1", "(({0} + 3) % 7 + 7) % 7 + 1", _part("isodow"), bounds=_known(1, 7)
    ),
    "start_of": Operation(
        "start_of({0}, '{s0}')", "dg_start_of({0}, '{s0}')", f"CAST(date_trunc('{{s0}}', {_AT}) AS DATE) - {_EPOCH}", partial=True, bounds=_DAYS
    ),
    "end_of": Operation(
        "end_of({0}, '{s0}')", "dg_end_of({0}, '{s0}')",
        f"CAST(date_trunc('{{s0}}', {_AT}) + INTERVAL '{{s1}}' - INTERVAL '1 day' AS DATE) - {_EPOCH}", partial=True, bounds=_DAYS,
    ),
    "within": Operation(
        "within({0})", f"CASE WHEN {{0}} BETWEEN {FIRST_DAY} AND {LAST_DAY} THEN {{0}} END",
        f"CASE WHEN {{0}} BETWEEN {FIRST_DAY} AND {LAST_DAY} THEN CAST({{0}} AS INTEGER) END", partial=True, bounds=_DAYS,
    ),
    "within_instants": Operation(
        "within_instants({0})", f"CASE WHEN {_IN_RANGE} THEN {{0}} END", f"CASE WHEN {_IN_RANGE} THEN CAST({{0}} AS BIGINT) END",
        partial=True, bounds=_known(FIRST_INSTANT, LAST_INSTANT),
    ),
    "add_months": Operation(
        "add_months({0}, {1})", "dg_add_months({0}, {1})",
        f"CASE WHEN ({_EPOCH} + CAST({{0}} AS INTEGER) + {{1}} * INTERVAL '1 month') BETWEEN DATE '0001-01-01' AND DATE '9999-12-31'"
        f" THEN CAST({_EPOCH} + CAST({{0}} AS INTEGER) + {{1}} * INTERVAL '1 month' AS DATE) - {_EPOCH} END", partial=True, bounds=_DAYS,
    ),
    "make_date": Operation(
        "make_date({0}, {1}, {2})", "dg_make_date({0}, {1}, {2})",
        "CASE WHEN {0} BETWEEN 1 AND 9999 AND {1} BETWEEN 1 AND 12 AND {2} BETWEEN 1 AND 31 THEN"
        " CASE WHEN {2} <= extract(day FROM make_date({0}, {1}, 1) + INTERVAL '1 month' - INTERVAL '1 day')"
        f" THEN make_date({{0}}, {{1}}, {{2}}) - {_EPOCH} END END", partial=True, may_be_empty=True, bounds=_DAYS,
    ),
    # Working days: a table of days in SQL, the calendar itself in Python. Days outside the table are null.
    "workdays_between": Operation(
        "workdays_between({0}, {1}, {2})", f"{_WORKDAY % ('position', 2, 1)} - {_WORKDAY % ('position', 2, 0)}",
        f"{_WORKDAY % ('position', 2, 1)} - {_WORKDAY % ('position', 2, 0)}", partial=True, bounds=_DAYS,
    ),
    "is_workday": Operation(
        "is_workday({0}, {1})", f"coalesce({_WORKDAY % ('working', 1, 0)}, FALSE)",
        f"coalesce({_WORKDAY % ('working', 1, 0)}, FALSE)", predicate=True,
    ),
    "add_workdays": Operation("add_workdays({0}, {1}, {2})", _ADD_WORKDAYS, _ADD_WORKDAYS, partial=True, bounds=_DAYS),
    # The time of day of an instant, on another day.
    "same_time": Operation(
        "same_time({0}, {1}, {2})", "dg_same_time({0}, {1}, {2})",
        f"CASE WHEN {{1}} BETWEEN {FIRST_INSTANT} AND {LAST_INSTANT} THEN CAST(extract(epoch FROM"
        f" ({_AT} + CAST({_LOCAL.replace('{1}', '{2}').replace('{0}', '{1}')} AS TIME)) AT TIME ZONE {{2}}) * 1000000 AS BIGINT) END",
        partial=True, bounds=_known(FIRST_INSTANT, LAST_INSTANT),
    ),
    # Working time: a table of its stretches in SQL, the calendar itself in Python.
    "worktime_between": Operation(
        "worktime_between({0}, {1}, {2})", _worktime_between("min"), _worktime_between("least"), partial=True,
        bounds=_known(FIRST_WORKTIME - LAST_WORKTIME, LAST_WORKTIME - FIRST_WORKTIME),
    ),
    "add_worktime": Operation(
        "add_worktime({0}, {1}, {2})", _add_worktime("min"), _add_worktime("least"), partial=True,
        bounds=_known(FIRST_INSTANT, LAST_INSTANT),
    ),
}  # fmt: skip
