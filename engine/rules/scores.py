"""A score, compiled: a number from 0 to 100 that can say where it comes from.

    score = base + Σ weightᵢ · clamp(valueᵢ, 0, 1), clamped to 0…100

A term whose value is empty counts as its `missing` says: zero, half, full; or it is skipped, and the others share its
weight in proportion.  All arithmetic is on integers (weights at four digits, values at six, the score at one), so that one
record at a time in Python and a whole table at once in SQL give the same score.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import orjson
import sqlalchemy as sa

from engine.columns import scaled
from engine.expressions import Expression
from engine.expressions.types import Context
from engine.problems import Label
from engine.rules.definition import Band, Score

WEIGHT_SCALE, VALUE_SCALE, SCORE_SCALE = 4, 6, 1
_ONE = 10**VALUE_SCALE
_TOP: int = 100 * 10**SCORE_SCALE
# From weight times value to the score's own scale.
_STEP: int = 10 ** (WEIGHT_SCALE + VALUE_SCALE - SCORE_SCALE)
_MISSING = {"zero": 0, "half": _ONE // 2, "full": _ONE}
_BOUND = re.compile(r"\s*(>=|<=|>|<|==)\s*(-?\d+(?:\.\d+)?)\s*")


@dataclass(frozen=True)
class BandApp:
    """A named range of the score; bounds are in score units, None for none. The first band in file order that fits is it."""

    name: str
    label: Label
    color: str | None
    low: Decimal | None
    high: Decimal | None
    low_included: bool = True
    high_included: bool = True

    def holds(self, stored: int) -> bool:
        low = (
            self.low is None
            or stored > (edge := scaled(self.low, SCORE_SCALE))
            or (self.low_included and stored == edge)
        )
        return low and (
            self.high is None
            or stored < (edge := scaled(self.high, SCORE_SCALE))
            or (self.high_included and stored == edge)
        )

    def clause(self, score: Any) -> Any:
        parts = []
        if self.low is not None:
            edge = scaled(self.low, SCORE_SCALE)
            parts.append(score >= edge if self.low_included else score > edge)
        if self.high is not None:
            edge = scaled(self.high, SCORE_SCALE)
            parts.append(score <= edge if self.high_included else score < edge)
        return sa.and_(sa.true(), *parts)


def band_of(name: str, band: Band) -> BandApp:
    """Raises ValueError for a range that is none: write `>= 75`, `< 40`, `>= 40 and < 75`."""
    low: tuple[Decimal, bool] | None = None
    high: tuple[Decimal, bool] | None = None
    for part in band.range.split(" and "):
        found = _BOUND.fullmatch(part)
        if not found:
            raise ValueError(band.range)
        sign, number = found[1], Decimal(found[2])
        if sign in (">=", ">", "=="):
            low = (number, sign != ">")
        if sign in ("<=", "<", "=="):
            high = (number, sign != "<")
    return BandApp(
        name,
        band.label or Label.of(name),
        band.color,
        low[0] if low else None,
        high[0] if high else None,
        low[1] if low else True,
        high[1] if high else True,
    )


@dataclass(frozen=True)
class TermApp:
    name: str
    label: Label
    weight: int  # at WEIGHT_SCALE
    missing: Literal["zero", "skip", "half", "full"]
    expression: Expression  # a number at VALUE_SCALE


@dataclass(frozen=True)
class Scored:
    """`value` at SCORE_SCALE, None without a score; `terms` at VALUE_SCALE after clamping, None where empty."""

    value: int | None
    band: str | None
    terms: tuple[int | None, ...] = ()


@dataclass(frozen=True)
class ScoreApp:
    """`rule` is a short hash of the definition: the version of the rule that made a stored score."""

    name: str
    entity: str
    field: str
    label: Label
    base: int  # at WEIGHT_SCALE
    terms: tuple[TermApp, ...]
    bands: tuple[BandApp, ...]
    rule: str
    when: Expression | None = None

    @property
    def band_field(self) -> str:
        return f"{self.field}_band"

    @property
    def detail_field(self) -> str:
        return f"{self.field}_detail"

    def band(self, value: int | None) -> BandApp | None:
        return None if value is None else next((band for band in self.bands if band.holds(value)), None)

    def compute(self, values: Mapping[str, Any], context: Context) -> Scored:
        """The score of one record from its stored values (and the terms' non-local reads)."""
        if self.when is not None and not self.when.evaluate(values, context):
            return Scored(None, None)
        terms = tuple(_clamp(term.expression.evaluate(values, context)) for term in self.terms)
        value = self.total(terms)
        band = self.band(value)
        return Scored(value, band.name if band else None, terms)

    def total(self, terms: Sequence[int | None]) -> int:
        total = present = whole = 0
        for term, value in zip(self.terms, terms, strict=True):
            whole += term.weight
            if value is None and term.missing == "skip":
                continue
            present += term.weight
            total += term.weight * (_MISSING[term.missing] if value is None else value)
        if present != whole:
            total = _divide(total * whole, present) if present else 0
        score: int = min(max(_divide(self.base * _ONE + total, _STEP), 0), _TOP)
        return score

    def detail(self, scored: Scored) -> str | None:
        """What is stored beside a score: the rule's version and each term's value."""
        if scored.value is None:
            return None
        return orjson.dumps(
            {"rule": self.rule, "terms": dict(zip((t.name for t in self.terms), scored.terms, strict=True))}
        ).decode()

    def explain(self, detail: str | None) -> list[dict[str, Any]]:
        """The contributions behind a stored score: name, label, weight, value (0…1) and points, in the terms' order."""
        if not detail:
            return []
        stored = orjson.loads(detail)["terms"]
        values = [stored.get(term.name) for term in self.terms]
        left_out = sum(t.weight for t, v in zip(self.terms, values, strict=True) if v is None and t.missing == "skip")
        whole = sum(term.weight for term in self.terms)
        share = Decimal(whole) / (whole - left_out) if left_out and whole != left_out else Decimal(1)
        out = []
        for term, value in zip(self.terms, values, strict=True):
            counted = value if value is not None else _MISSING.get(term.missing, 0)
            points = (
                Decimal(term.weight)
                / 10**WEIGHT_SCALE
                * counted
                / _ONE
                * (0 if value is None and term.missing == "skip" else share)
            )
            out.append(
                {
                    "term": term.name,
                    "label": term.label,
                    "weight": float(Decimal(term.weight) / 10**WEIGHT_SCALE),
                    "value": None if value is None else value / _ONE,
                    "points": float(round(points, 2)),
                }
            )
        return out

    def exported(self, detail: str, language: str) -> dict[str, Any]:
        """The rule as JSON for `score.js`, which tries other term values by the same arithmetic: integers as texts.

        `detail` is that of a stored score: the values to begin with.
        """
        stored = orjson.loads(detail)["terms"]
        return {
            "base": str(self.base),
            "terms": [
                {
                    "weight": str(term.weight),
                    "missing": None if term.missing == "skip" else str(_MISSING[term.missing]),
                    "value": None if (value := stored.get(term.name)) is None else str(value),
                }
                for term in self.terms
            ],
            "bands": [
                {
                    "label": band.label[language],
                    "color": band.color or "neutral",
                    "low": None if band.low is None else str(scaled(band.low, SCORE_SCALE)),
                    "high": None if band.high is None else str(scaled(band.high, SCORE_SCALE)),
                    "lowIncluded": band.low_included,
                    "highIncluded": band.high_included,
                }
                for band in self.bands
            ],
        }

    def select(self, tables: Any, alias: Any) -> sa.Subquery:
        """The scores of all rows of `alias` (id, score, band, detail): one pass, nothing per row in Python."""
        terms = [term.expression.to_sql(tables, alias).label(f"t{i}") for i, term in enumerate(self.terms)]
        holds = sa.true() if self.when is None else self.when.clause(tables, alias)
        rows = sa.select(alias.c.id, holds.label("holds"), *terms).select_from(alias)
        raw = self._step(rows.where(alias.c.deleted_at.is_(None)), "raw")
        clamped = [_clamp_sql(raw.c[f"t{i}"]).label(f"t{i}") for i in range(len(self.terms))]
        inner = self._step(sa.select(raw.c.id, raw.c.holds, *clamped), "terms")
        columns = [inner.c[f"t{i}"] for i in range(len(self.terms))]
        score = sa.case((inner.c.holds, self._total_sql(columns))).label("score")
        middle = self._step(sa.select(inner.c.id, score, *columns), "total")
        band = (
            sa.case(*((band.clause(middle.c.score), sa.literal(band.name)) for band in self.bands))
            if self.bands
            else sa.null()
        )
        band = sa.case((middle.c.score.is_not(None), band))
        detail = sa.case(
            (middle.c.score.is_not(None), self._detail_sql([middle.c[f"t{i}"] for i in range(len(self.terms))]))
        )
        return self._step(sa.select(middle.c.id, middle.c.score, band.label("band"), detail.label("detail")), "scored")

    def _step(self, rows: sa.Select[Any], name: str) -> sa.Subquery:
        # Left to themselves, both databases write each step out wherever the next one mentions it, many times over.
        # An offset keeps them from that, and lets row after row pass through all steps, so that none is stored.
        return rows.offset(sa.literal_column("0")).subquery(f"{self.name}_{name}")

    def _total_sql(self, columns: list[Any]) -> Any:
        whole = sum(term.weight for term in self.terms)
        total: Any = sa.literal(0, sa.BigInteger())
        present: Any = sa.literal(whole, sa.BigInteger())
        for term, column in zip(self.terms, columns, strict=True):
            total = total + sa.func.coalesce(column, _MISSING.get(term.missing, 0)) * term.weight
            if term.missing == "skip":
                present = present - sa.case((column.is_(None), term.weight), else_=0)
        positive = self.base >= 0 and all(term.weight >= 0 for term in self.terms)
        if any(term.missing == "skip" for term in self.terms):
            shared = _divide_sql(total * whole, present, positive)
            total = sa.case((present == 0, 0), (present == whole, total), else_=shared)
        total = _divide_sql(self.base * _ONE + total, sa.literal(_STEP, sa.BigInteger()), positive)
        # Each mention of the sum writes it out once more; where it cannot leave the range, once is enough.
        if positive and (self.base + whole) * _ONE <= _TOP * _STEP:
            return total
        return sa.case((total < 0, 0), (total > _TOP, _TOP), else_=total)

    def _detail_sql(self, columns: list[Any]) -> Any:
        text: Any = sa.literal(f'{{"rule":"{self.rule}","terms":{{', sa.Text())
        for position, (term, column) in enumerate(zip(self.terms, columns, strict=True)):
            text = text.concat(sa.literal(("," if position else "") + f'"{term.name}":', sa.Text()))
            text = text.concat(sa.func.coalesce(sa.cast(column, sa.Text()), "null"))
        return text.concat(sa.literal("}}", sa.Text()))


def rule_version(score: Score) -> str:
    """Eight hex digits that change when the rule changes."""
    return hashlib.blake2s(score.model_dump_json(exclude={"label", "help", "was"}).encode(), digest_size=4).hexdigest()


def _clamp(value: int | None) -> int | None:
    return None if value is None else min(max(value, 0), _ONE)


def _clamp_sql(value: Any) -> Any:
    return sa.case((value < 0, 0), (value > _ONE, _ONE), else_=value)


def _divide(number: int, divisor: int) -> int:
    """Half away from zero."""
    if divisor < 0:
        number, divisor = -number, -divisor
    quotient = (2 * abs(number) + divisor) // (2 * divisor)
    return quotient if number >= 0 else -quotient


def _divide_sql(number: Any, divisor: Any, positive: bool) -> Any:
    # Integer division truncates on both databases, so the half is added towards the sign of the dividend.
    if positive:
        return (2 * number + divisor) // (2 * divisor)
    # Divisors are sums of weights; where they are negative both signs turn.
    half = sa.func.abs(divisor)
    size = (2 * sa.func.abs(number) + half) // (2 * half)
    return sa.case(((number < 0) != (divisor < 0), -size), else_=size)
