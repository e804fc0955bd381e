"""Counts or sums by an option, a person or a team, as bars of one scale."""

from collections.abc import Iterator

from pydantic import Field as Key

from engine.analytics.cards.base import Mention, RecordsCard, card_kinds
from engine.problems import Label


@card_kinds.register("bars")
class BarsCard(RecordsCard):
    """A bar for each group; each opens its records."""

    title = Label("条形", "Bars")
    doc = Label(
        "按选项、人员或团队分组的条数或合计，同一把尺子；每一条都能点开。",
        "How many, or sums, by option, person or team, on one scale; each opens its records.",
    )
    example = "{kind: bars, view: open_visits, by: worker}"
    sign = "chart"

    by: str = Key(description="The field that tells the groups apart: a choice, yes or no, a person, a team, a record.")
    sum: str | None = Key(None, description="The number that is summed; without it, records are counted.")
    limit: int = Key(8, ge=1, le=20, description="How many groups, the largest first; choices keep their order.")

    def mentions(self) -> Iterator[Mention]:
        yield from super().mentions()
        yield Mention("field", ("by",), self.by, use="group")
        if self.sum is not None:
            yield Mention("field", ("sum",), self.sum, use="sum")
