"""Whether a score can be what its bands and thresholds expect: weights, bounds, gaps."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from engine.definition.checks.base import Check
from engine.definition.facts import Facts
from engine.problems import Label, Problem
from engine.rules.definition import Score
from engine.rules.scores import SCORE_SCALE, BandApp, band_of

STEP = Decimal(1).scaleb(-SCORE_SCALE)
_FRAME = "entities: {order: {fields: {name: text, done: boolean, late: boolean, health: score}}}\n"


def _score(bands: str, late: str = "40", done: str = "60") -> str:
    return _FRAME + (
        f"scores: {{health: {{entity: order, field: health, terms: {{done: {{weight: {done}, value: 1 if done else 0}}, late: {{weight: {late}, value: 0 if late else 1}}}}{bands}}}}}"
    )


def plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


@dataclass(frozen=True)
class Span:
    """The scores a band holds, both ends included, in steps of a score; clamped to 0…100."""

    name: str
    low: Decimal
    high: Decimal
    band: BandApp

    def holds(self, score: Decimal) -> bool:
        return self.low <= score <= self.high


def spans(score: Score) -> list[Span]:
    """The bands that can be read and hold anything, lowest first."""
    found = []
    for name, band in score.bands.items():
        try:
            app = band_of(name, band)
        except ValueError:
            continue
        low = Decimal(0) if app.low is None else app.low if app.low_included else app.low + STEP
        high = Decimal(100) if app.high is None else app.high if app.high_included else app.high - STEP
        low, high = max(low.quantize(STEP), Decimal(0)), min(high.quantize(STEP), Decimal(100))
        if low <= high:
            found.append(Span(name, low, high, app))
    return sorted(found, key=lambda span: (span.low, span.high))


class BandBroken(Check):
    code = "band-broken"
    wrong = _score(", bands: {good: 'over 40', low: '< 40'}")
    repaired = _score(", bands: {good: '>= 40', low: '< 40'}")

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, score in facts.definition.scores.items():
            for key, band in score.bands.items():
                try:
                    band_of(key, band)
                except ValueError:
                    yield facts.problem(self.code, ("scores", name, "bands", key, "range"), offset=0, range=band.range)


class BandGap(Check):
    code = "band-gap"
    wrong = _score(", bands: {good: '>= 75', fair: '> 40', low: '< 40'}")
    repaired = _score(", bands: {good: '>= 75', fair: '>= 40', low: '< 40'}")

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, score in facts.definition.scores.items():
            found = spans(score)
            if len(found) != len(score.bands):
                continue  # a band that cannot be read, or that holds nothing: said there
            reach = Decimal(0)
            for index, span in enumerate(found):
                if span.low > reach:
                    yield self._gap(
                        facts, name, score, reach, span.low - STEP, span, found[index - 1] if index else None
                    )
                reach = max(reach, span.high + STEP)
            if found and reach <= 100:
                yield self._gap(facts, name, score, reach, Decimal(100), found[-1], None, above=True)

    def _gap(
        self,
        facts: Facts,
        name: str,
        score: Score,
        low: Decimal,
        high: Decimal,
        span: Span,
        below: Span | None,
        above: bool = False,
    ) -> Problem:
        path = ("scores", name, "bands", span.name, "range")
        label = score.bands[span.name].label or Label.of(span.name)
        # Of a single point, `> 40` misses 40 itself; of a range, people see its whole numbers.
        shown = plain(low) if low == high else f"{plain(low)}…{plain(high)}"
        edge = plain(low) if low != Decimal(0) or not above else "0"
        instead = f"<= {plain(high)}" if above else f">= {edge}"
        text = score.bands[span.name].range
        patch = facts.source.patch(facts.source.entry(path)[1], instead, 0, len(text)) if " and " not in text else None
        return facts.problem(
            self.code,
            path,
            offset=0,
            patches=[patch],
            score=shown,
            band=label,
            instead=instead,
            witness={"score": float(low)},
        )


class BandOverlap(Check):
    code = "band-overlap"
    wrong = _score(", bands: {good: '>= 40 and <= 100', low: '<= 40'}")
    repaired = _score(", bands: {good: '>= 40', low: '< 40'}")

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, score in facts.definition.scores.items():
            # A ladder (`>= 75`, `> 40`, …) is read from the top: the first band that fits. Bands that say both ends,
            # or one end each from opposite sides, mean to share nothing.
            found = spans(score)
            for lower, upper in pairwise(found):
                if upper.low > lower.high or self._ladder(score, lower, upper):
                    continue
                at = max(lower.low, upper.low)
                later = max((lower, upper), key=lambda span: list(score.bands).index(span.name))
                first = lower if later is upper else upper
                yield facts.problem(
                    self.code,
                    ("scores", name, "bands", later.name, "range"),
                    offset=0,
                    related=[("scores", name, "bands", first.name, "range")],
                    witness={"score": float(at)},
                    score=plain(at),
                    one=score.bands[first.name].label or Label.of(first.name),
                    two=score.bands[later.name].label or Label.of(later.name),
                )

    @staticmethod
    def _ladder(score: Score, lower: Span, upper: Span) -> bool:
        """Whether the higher band stands first and both are open upwards, or the lower first and both open downwards."""
        order = list(score.bands)
        if upper.band.high is None and lower.band.high is None:
            return order.index(upper.name) < order.index(lower.name)
        if upper.band.low is None and lower.band.low is None:
            return order.index(lower.name) < order.index(upper.name)
        return False


def reach(score: Score) -> tuple[Decimal, Decimal]:
    """The least and the greatest score that the terms can make."""
    low = score.base + sum((term.weight for term in score.terms.values() if term.weight < 0), Decimal(0))
    high = score.base + sum((term.weight for term in score.terms.values() if term.weight > 0), Decimal(0))
    return max(low, Decimal(0)), min(high, Decimal(100))


class BandUnreachable(Check):
    code = "band-unreachable"
    wrong = _score(", bands: {good: '>= 40', fair: '>= 10 and < 40', low: '< 10'}, base: 40", late="-30")
    repaired = _score(", bands: {good: '>= 40', fair: '>= 10 and < 40', low: '< 10'}, base: 40", late="-40")

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, score in facts.definition.scores.items():
            low, high = reach(score)
            for span in spans(score):
                if span.low > high or span.high < low:
                    label = score.bands[span.name].label or Label.of(span.name)
                    yield facts.problem(
                        self.code,
                        ("scores", name, "bands", span.name, "range"),
                        severity="warning",
                        offset=0,
                        band=label,
                        low=plain(low),
                        high=plain(high),
                    )


class WeightsOff(Check):
    """With weights of one sign the sum is what a perfect record gets: 100. With both signs, base and gains make it."""

    code = "weights-off"
    wrong = _score("", late="30")
    repaired = _score("")

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, score in facts.definition.scores.items():
            best = score.base + sum((term.weight for term in score.terms.values() if term.weight > 0), Decimal(0))
            if score.terms and best != 100:
                yield facts.problem(
                    self.code,
                    ("scores", name, "terms"),
                    key=True,
                    severity="warning",
                    sum=plain(best),
                    value=plain(best),
                )


class ScoreMismatched(Check):
    """A score writes into a field of its entity that has the type score, and no two into one."""

    code = "score-field"
    wrong = "entities: {order: {fields: {name: text, done: boolean, health: integer}}}\nscores: {health: {entity: order, field: health, terms: {done: {weight: 100, value: 1 if done else 0}}}}"
    repaired = "entities: {order: {fields: {name: text, done: boolean, health: score}}}\nscores: {health: {entity: order, field: health, terms: {done: {weight: 100, value: 1 if done else 0}}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        written: dict[tuple[str, str], str] = {}
        for name, score in facts.definition.scores.items():
            known = facts.definition.entities.get(score.entity)
            field = known.fields.get(score.field) if known else None
            if field is None:
                continue
            other = written.setdefault((score.entity, score.field), name)
            if field.type == "score" and other == name:
                continue
            label = facts.field_label(score.entity, score.field)
            why = (
                Label(f"它的类型是 {field.type},应是 score", f"its type is {field.type}, not score")
                if field.type != "score"
                else Label(f"评分「{other}」已写入它", f'the score "{other}" writes it already')
            )
            yield facts.problem(self.code, ("scores", name, "field"), field=label, why=why)
        scored = {(score.entity, score.field) for score in facts.definition.scores.values()}
        for entity, known in facts.definition.entities.items():
            for key, field in known.fields.items():
                if field.type == "score" and (entity, key) not in scored:
                    why = Label("没有评分写入它", "no score writes it")
                    yield facts.problem(
                        self.code,
                        ("entities", entity, "fields", key),
                        key=True,
                        field=facts.field_label(entity, key),
                        why=why,
                    )


class ThresholdUnreachable(Check):
    code = "threshold-unreachable"
    wrong = "entities: {order: {fields: {name: text, place: text}, duplicates: {match: {name: 40, place: 40}, at_least: 85}}}"
    repaired = "entities: {order: {fields: {name: text, place: text}, duplicates: {match: {name: 60, place: 40}, at_least: 85}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, entity in facts.definition.entities.items():
            if entity.duplicates is None:
                continue
            most = sum(match.weight for match in entity.duplicates.match.values())
            if most < entity.duplicates.at_least:
                path = ("entities", name, "duplicates")
                at = (*path, "at_least") if facts.has((*path, "at_least")) else path
                yield facts.problem(
                    self.code, at, entity=facts.entity_label(name), sum=most, at_least=entity.duplicates.at_least
                )
