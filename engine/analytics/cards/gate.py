"""Records on their way, with what their next gate still asks for."""

from collections.abc import Iterator

from pydantic import Field as Key

from engine.analytics.cards.base import Mention, RecordsCard, card_kinds, sorts
from engine.problems import Label
from engine.shape import Names


@card_kinds.register("gate")
class GateCard(RecordsCard):
    """Each record with its stage and what is missing for the next one."""

    title = Label("下一道门", "Next gate")
    doc = Label(
        "流程中的记录离下一阶段还差什么。",
        "Records in a process, with what they still lack for the next stage.",
    )
    example = "{kind: gate, view: open_visits, limit: 3}"
    sign = "gate"

    sort: Names = Key((), description="Fields; a leading minus means descending. The view's order if none are named.")
    limit: int = Key(4, ge=1, le=8, description="How many records.")

    def mentions(self) -> Iterator[Mention]:
        yield from super().mentions()
        yield from sorts(self.sort, "sort")
