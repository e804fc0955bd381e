"""A box to type into: whoever answers a call finds the caller at once."""

from collections.abc import Callable, Iterator

from pydantic import Field as Key

from engine.analytics.cards.base import Card, Mention, card_kinds
from engine.problems import Label
from engine.shape import Text


@card_kinds.register("search")
class SearchCard(Card):
    """Searches the records of an entity, or the whole app."""

    title = Label("搜索", "Search")
    doc = Label(
        "一个搜索框：查一类记录，或整个应用。",
        "A box to search in: one kind of record, or the whole app.",
    )
    example = "{kind: search, entity: site}"
    sign = "search"
    usual = "third"

    entity: str | None = Key(None, description="The entity that is searched; the whole app if none is named.")
    hint: Text | None = Key(None, description="What one may type, shown in the empty box.")

    def mentions(self) -> Iterator[Mention]:
        if self.entity is not None:
            yield Mention("entity", ("entity",), self.entity)

    def about(self, view_entity: Callable[[str], str | None]) -> str | None:
        return self.entity
