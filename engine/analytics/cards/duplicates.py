"""How many pairs of records are probably the same, and the most alike of them."""

from collections.abc import Callable, Iterator

from pydantic import Field as Key

from engine.analytics.cards.base import Card, Mention, card_kinds
from engine.problems import Label


@card_kinds.register("duplicates")
class DuplicatesCard(Card):
    """The queue of likely duplicates of an entity; it opens the page on which they are merged or told apart."""

    title = Label("疑似重复", "Likely duplicates")
    doc = Label(
        "还有多少对记录疑似重复，最像的几对在前；点开去合并或区分。",
        "How many pairs are probably the same, the most alike first; it opens where they are merged or told apart.",
    )
    example = "{kind: duplicates, entity: site}"
    sign = "merge"
    usual = "third"

    entity: str = Key(description="The entity, which says under `duplicates` when two records are alike.")
    limit: int = Key(3, ge=1, le=10, description="How many pairs.")

    def mentions(self) -> Iterator[Mention]:
        yield Mention("entity", ("entity",), self.entity)

    def about(self, view_entity: Callable[[str], str | None]) -> str | None:
        return self.entity
