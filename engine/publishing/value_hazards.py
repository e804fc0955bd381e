"""Hazards of values that are compared or converted: which records count as the same, and what a way back would lose."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from engine.app import EntityApp
from engine.fields import Field
from engine.fields.choice import Choosing
from engine.fields.number import Numeric
from engine.fields.text import TextLike
from engine.publishing.changes import Change, ConvertField, Hazard
from engine.publishing.convert import Unfit, converter, is_convertible
from engine.publishing.hazards import entities, measure
from engine.publishing.recompute import matched
from engine.publishing.survey import SAMPLES, Survey, sampled
from engine.rules.duplicates import pairs

MOST_RECORDS = 3000  # the latest ones: more would take longer than anybody waits for a plan
MOST_CANDIDATES = 100


@measure
def duplicates_shifted(survey: Survey, changes: list[Change]) -> Iterator[Hazard]:
    for old, new in entities(survey):
        before, after = old.duplicates, new.duplicates
        if before is None or after is None or not survey.stands(old):
            continue
        earlier = {name: survey.identity.old_field(new.name, name) for name in after.match}
        renamed = {earlier[name] or name: match for name, match in after.match.items()}
        ways = matched(survey.old, old), matched(survey.new, new)
        as_before = {earlier[name] or name: how for name, how in ways[1].items()}
        if (before.match, before.at_least, ways[0]) == (renamed, after.at_least, as_before):
            continue
        records = _latest(survey, old, sorted({*before.match, *(each for each in earlier.values() if each)}))
        then = set(pairs(records, before, ways[0], MOST_CANDIDATES))
        moved = {id: {name: values.get(earlier[name] or "") for name in after.match} for id, values in records.items()}
        now = set(pairs(moved, after, ways[1], MOST_CANDIDATES))
        if then != now:
            figures = {"records": len(records), "appear": len(now - then), "vanish": len(then - now)}
            title = old.title
            shown = sorted(now ^ then)[:SAMPLES]
            names = {id: str(values.get(title) or id) for id, values in _named(survey, old, shown).items()}
            samples = sampled(f"{names[one]} / {names[other]}" for one, other in shown)
            yield Hazard("duplicates-shifted", f"entities.{new.name}.duplicates", "accept", figures, samples)


def _latest(survey: Survey, model: EntityApp, names: list[str]) -> dict[int, dict[str, Any]]:
    """The latest live records with the stored values of some fields."""
    table = model.table
    held = [name for name in names if name in model.columns]
    statement = sa.select(table.c.id, *(table.c[model.columns[name]] for name in held))
    latest = statement.where(table.c.deleted_at.is_(None)).order_by(table.c.id.desc()).limit(MOST_RECORDS)
    return {id: dict(zip(held, values, strict=True)) for id, *values in survey.all(latest)}


def _named(survey: Survey, model: EntityApp, found: list[tuple[int, int]]) -> dict[int, dict[str, Any]]:
    """The titles of the records that are shown as samples."""
    ids = {id for pair in found for id in pair}
    table, title = model.table, model.title
    columns = [table.c[model.columns[title]]] if title in model.columns else []
    rows = survey.all(sa.select(table.c.id, *columns).where(table.c.id.in_(sorted(ids)))) if ids else []
    return {id: {title: values[0]} if values else {} for id, *values in rows}


@measure
def way_back_lossy(survey: Survey, changes: list[Change]) -> Iterator[Hazard]:
    """Values that stand there now come back from their old column; what is entered from now on has to be converted."""
    for change in changes:
        if not isinstance(change, ConvertField) or survey.back:
            continue
        lost = _lost(change.after, change.before)
        if lost:
            yield Hazard("way-back-lossy", change.path, "accept", {}, sampled(lost))


def _lost(field: Field, back: Field) -> list[str]:
    """Values that `field` takes and that its predecessor would not, or would only change, as people see them."""
    if not is_convertible(field, back):
        return [str(field.show(value)) for value in _probes(field)] or ["…"]
    forward, reverse = converter(back, field), converter(field, back)
    found = []
    for value in _probes(field):
        try:
            there = reverse(value)
            if there is None or forward(there) != value:
                found.append(str(field.show(value)))
        except Unfit:
            found.append(str(field.show(value)))
    return found


def _probes(field: Field) -> Iterator[Any]:
    """Stored values at the edges of what a field takes."""
    match field:
        case Choosing():
            yield from field.options if field.type == "choice" else (f"|{key}|" for key in field.options)
        case Numeric():
            low, high = field.bounds
            yield from dict.fromkeys(each for each in (1, 10**field.scale, low, high) if low <= each <= high)
        case TextLike() if field.type in ("text", "longtext"):
            yield from ("x", "x" * (field.limit or 1))


__all__ = ["duplicates_shifted", "way_back_lossy"]
