"""One figure: how many records, or a sum over them, and how much that is of another sum."""

from collections.abc import Iterator

from pydantic import Field as Key

from engine.analytics.cards.base import Mention, RecordsCard, card_kinds
from engine.problems import Label


@card_kinds.register("number")
class NumberCard(RecordsCard):
    """A count or a sum; it opens exactly the records that it counts."""

    title = Label("数字", "Number")
    doc = Label(
        "一个数：多少条，或某个字段的合计；也可以是占另一合计的份额。点开就是这些记录。",
        "One figure: how many, or the sum of a field, or its share of another sum. It opens exactly those records.",
    )
    example = "{kind: number, view: open_visits, sum: budget}"
    sign = "chart"
    usual = "third"

    sum: str | None = Key(None, description="The number that is summed; without it, records are counted.")
    of: str | None = Key(None, description="A second number: the first is shown as a share of it, in per cent.")
    yellow_from: int | None = Key(None, description="From this count or percentage on the figure is yellow.")
    red_from: int | None = Key(None, description="From this count or percentage on the figure is red.")

    def mentions(self) -> Iterator[Mention]:
        yield from super().mentions()
        for key, name in (("sum", self.sum), ("of", self.of)):
            if name is not None:
                yield Mention("field", (key,), name, use="sum")
