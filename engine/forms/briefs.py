"""The shapes of briefs: what somebody wants to know of one record at a glance, such as before a visit.

A brief is chosen from what the definition already has: fields of the record and of what it points to, the latest of its
related records, its notices, what its next stage still needs.  It holds no data and grants nothing.
"""

import re
from collections.abc import Iterator

from pydantic import Field as Key

from engine.shape import Formula, Names, Shape, Text

HOLE = re.compile(r"\{\{([^{}]*)\}\}")


class BriefList(Shape):
    """The first few of the records that belong to the one at hand, or to one that it points to."""

    of: str = Key(description="A collection, or one of a linked record: visits, site.visits.")
    label: Text | None = None
    where: Formula | None = Key(None, description="Only records that meet it.")
    columns: Names = Key(
        (), description="What is said of each, the first linked to it; the usual columns if not given."
    )
    sort: Names = Key((), description="Fields; a leading minus means descending. The newest first if none are named.")
    limit: int = Key(3, ge=1, le=10, description="How many records.")


class Brief(Shape):
    """One calm page about a record. What is empty, or not the reader's to see, is left out."""

    label: Text | None = None
    help: Text | None = None
    text: Text | None = Key(
        None,
        description="Sentences with {{field}} for its value; a line with a field that has none is left out.",
    )
    fields: Names = Key((), description="Fields of the record, or of a linked one: planned, site.phone.")
    lists: dict[str, BriefList] = Key(default_factory=dict, description="Related records, each under a heading.")
    notices: bool = Key(False, description="Whether the hints of the record page stand there, too.")
    gate: bool = Key(False, description="Whether it says what the record still needs for its next stage.")


def holes(text: str) -> Iterator[tuple[str, int]]:
    """The fields that a text asks for, and where each begins."""
    for found in HOLE.finditer(text):
        yield found[1], found.start(1)


__all__ = ["HOLE", "Brief", "BriefList", "holes"]
