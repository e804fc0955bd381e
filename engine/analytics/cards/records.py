"""The first records of a view, as short rows: what to see of each, how its time runs, what to do about it."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field as Key

from engine.analytics.cards.base import Mention, RecordsCard, card_kinds, prefilled, sorts
from engine.problems import Label
from engine.shape import Names, Shape, Span, Text


class Clock(Shape):
    """How the time of a record runs: towards a limit, or since something happened."""

    field: str = Key(description="The date or time it counts from; without `limit`, the one it counts to.")
    limit: Span | None = Key(None, description="How long after it there is time.")
    soon: Span | None = Key(None, description="How long before the end it turns yellow; at the end it turns red.")
    show: Literal["left", "passed"] = Key("left", description="The time that is left, or the time that has passed.")
    label: Text | None = None


class Act(Shape):
    """What is done about a row with one press: a call, a field to fill, a record that points to it."""

    label: Text | None = None
    call: str | None = Key(None, description="A field with a telephone number.")
    edit: str | None = Key(None, description="A field to fill; the form opens there.")
    create: str | None = Key(None, description="The entity of a new record.")
    by: str | None = Key(None, description="With create: its lookup that points to the row.")
    set: dict[str, str] = Key(default_factory=dict, description="With create: what else the new record begins with.")


@card_kinds.register("list")
class ListCard(RecordsCard):
    """The first records, in an order."""

    title = Label("列表", "List")
    doc = Label(
        "前几条记录：显示哪些列、剩余时间和一个动作。",
        "The first few records: which columns, the time that is left, and an action.",
    )
    example = "{kind: list, view: open_visits, columns: [site, planned], limit: 5}"

    columns: Names = Key((), description="The fields beside the title; the view's first ones if none are named.")
    sort: Names = Key((), description="Fields; a leading minus means descending. The view's order if none are named.")
    limit: int = Key(5, ge=1, le=20, description="How many records.")
    clock: Clock | None = Key(None, description="A time that runs for each record.")
    act: Act | None = Key(None, description="What can be done about a row at once.")

    def mentions(self) -> Iterator[Mention]:
        yield from super().mentions()
        for index, name in enumerate(self.columns):
            yield Mention("field", ("columns", index), name, use="column")
        yield from sorts(self.sort, "sort")
        if self.clock is not None:
            yield Mention("field", ("clock", "field"), self.clock.field, use="moment")
        if self.act is not None:
            yield from self._of(self.act)

    def _of(self, act: Act) -> Iterator[Mention]:
        if act.call is not None:
            yield Mention("field", ("act", "call"), act.call, use="phone")
        if act.edit is not None:
            yield Mention("field", ("act", "edit"), act.edit, use="write")
        if act.create is not None:
            yield Mention("entity", ("act", "create"), act.create)
            if act.by is not None:
                yield Mention("field", ("act", "by"), act.by, act.create, "link")
            yield from prefilled(act.set, act.create, "act", "set")
