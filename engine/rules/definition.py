"""The shapes of rules: validations, scores, duplicates, groups, conversions and notices."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field as Key

from engine.shape import Formula, Names, Shape, Text


class Rule(Shape):
    """A validation: the expression must hold whenever a record is saved."""

    when: Formula
    say: Text
    fields: Names = Key((), description="Fields shown red when it does not hold.")


class Term(Shape):
    """One input of a score. `value` lies between 0 and 1 and is clamped to it; `weight` may be negative."""

    label: Text | None = None
    weight: Decimal
    value: Formula
    missing: Literal["zero", "skip", "half", "full"] = Key(
        "zero",
        description="What an empty value counts as; skip leaves the term out and shares its weight among the others.",
    )


class Band(Shape):
    """A named range of a score: `">= 75"`, `"< 40"`, `">= 40 and < 75"`, or a colour beside it."""

    range: str
    label: Text | None = None
    color: Literal["red", "yellow", "green", "accent", "neutral"] | None = None


def _band(value: Any) -> Any:
    return {"range": value} if isinstance(value, str) else value


class Score(Shape):
    """A number from 0 to 100 that explains itself: base plus weight times value, summed over the terms."""

    entity: str
    field: str
    label: Text | None = None
    help: Text | None = None
    was: str | None = None
    base: Decimal = Key(Decimal(0), description="Added to the weighted sum, so that negative weights can reach 0…100.")
    when: Formula | None = Key(None, description="Records that do not meet it have no score.")
    terms: dict[str, Term]
    bands: dict[str, Annotated[Band, BeforeValidator(_band, json_schema_input_type=str | Band)]] = Key(
        default_factory=dict
    )


class Match(Shape):
    """How alike two values must be. `exact` compares normalised values, `fuzzy` counts likeness."""

    weight: int = Key(ge=0, le=100)
    by: Literal["exact", "fuzzy"] | None = None


def _match(value: Any) -> Any:
    return {"weight": value} if isinstance(value, int) else value


class Duplicates(Shape):
    """When two records of an entity are probably the same: weighted likeness, of 100."""

    match: dict[str, Annotated[Match, BeforeValidator(_match, json_schema_input_type=int | Match)]]
    at_least: int = Key(85, ge=1, le=100)
    then: Literal["flag", "refuse"] = Key("flag", description="flag: saved and queued for a person; refuse: not saved.")


class Group(Shape):
    """Records that belong together because they have the same topmost parent.

    `root` is a lookup to the same entity which the engine keeps: the topmost ancestor along `parent`.
    """

    parent: str
    root: str
    label: Text | None = None


class Notice(Shape):
    """A hint shown where a record is chosen or opened: how many records of `entity` meet `where`, and whose they are.

    In `where`, `this` is the record chosen in the field `on` (or the record itself).  `reveals` names the only fields
    (or paths) shown of records that the reader may not see.  `say` may hold {count}, and {records}: for each record what
    `reveals` names, the first followed by the others in brackets.
    """

    label: Text | None = None
    on: str | None = None
    entity: str
    where: Formula
    say: Text
    reveals: Names = ()
    level: Literal["info", "warning"] = "info"


class ConversionTarget(Shape):
    """One record made by a conversion, or found again: a match by `match` fields or duplicates is used instead."""

    entity: str | None = None
    when: Formula | None = None
    set: dict[str, Formula] = Key(
        description="Fields of the new record from expressions over the source; other targets by name."
    )
    match: Names = Key((), description="An existing record equal in all these fields is used instead of a new one.")
    store: str | None = Key(None, description="The lookup of the source that remembers the result.")


class Conversion(Shape):
    """Makes records of other entities from one record, in one transaction, once."""

    label: Text | None = None
    when: Formula | None = None
    say: Text | None = None
    to: dict[str, ConversionTarget]
    set: dict[str, Formula] = Key(default_factory=dict, description="Fields of the source set afterwards.")


__all__ = ["Band", "Conversion", "ConversionTarget", "Duplicates", "Group", "Match", "Notice", "Rule", "Score", "Term"]
