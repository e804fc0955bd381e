"""The stages of a process: how many stand in each, what they are worth, how long they have been there."""

from collections.abc import Iterator

from pydantic import Field as Key

from engine.analytics.cards.base import Mention, RecordsCard, card_kinds
from engine.problems import Label


@card_kinds.register("funnel")
class FunnelCard(RecordsCard):
    """One row for each open stage of a process, with the average stay against the stage's limit."""

    title = Label("漏斗", "Funnel")
    doc = Label(
        "流程各阶段在手多少、值多少、平均停留多久；上限对齐在同一位置。",
        "How many stand in each stage, what they are worth, and the average stay against one aligned limit.",
    )
    example = "{kind: funnel, process: round, sum: budget}"
    sign = "funnel"
    usual = "wide"

    process: str = Key(description="The process whose stages are shown.")
    sum: str | None = Key(None, description="The number that is summed for each stage.")

    def mentions(self) -> Iterator[Mention]:
        yield from super().mentions()
        yield Mention("process", ("process",), self.process)
        if self.sum is not None:
            yield Mention("field", ("sum",), self.sum, use="sum")
