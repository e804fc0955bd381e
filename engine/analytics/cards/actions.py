"""What somebody does all day, one press away: buttons that open a new record's form."""

from collections.abc import Iterator

from pydantic import Field as Key

from engine.analytics.cards.base import Card, Mention, card_kinds, prefilled
from engine.problems import Label
from engine.shape import Shape, Text


class CoreAction(Shape):
    """A button that opens the form of a new record."""

    label: Text | None = None
    icon: str | None = None
    create: str = Key(description="The entity of the new record.")
    set: dict[str, str] = Key(default_factory=dict, description="Fields, and what the form begins with in them.")


@card_kinds.register("actions")
class ActionsCard(Card):
    """Buttons; on a phone they stand at the thumb. Those that one may not use are absent."""

    title = Label("核心动作", "Core actions")
    doc = Label(
        "最常做的几件事，一按就开表单；手机上固定在拇指处。",
        "The things done most, one press away; on a phone they stand at the thumb.",
    )
    example = "{kind: actions, actions: {visit: {create: visit, set: {kind: routine}}}}"
    sign = "plus"
    usual = "full"

    actions: dict[str, CoreAction] = Key(min_length=1, description="The buttons, by name, in order.")
    main: str | None = Key(None, description="The one that is done most.")

    def mentions(self) -> Iterator[Mention]:
        for name, action in self.actions.items():
            yield Mention("entity", ("actions", name, "create"), action.create)
            yield from prefilled(action.set, action.create, "actions", name, "set")
