"""A box to search in, that opens the list of what was found."""

from collections.abc import Mapping
from typing import Any

from engine.analytics.cards.search import SearchCard
from engine.web.pages.cards.base import Drawing, drawings
from engine.web.pages.cells import Titles


@drawings.register("search")
class SearchDrawing(Drawing[SearchCard]):
    def able(self) -> bool:
        return self.card.entity is None or self.lens.may(self.card.entity, "read")

    def body(self, titles: Titles) -> Mapping[str, Any]:
        card, t = self.card, self.t
        entity = card.entity
        usual = t("search-in", entity=self.visit.app.entities[entity].label[t.language]) if entity else t("find-hint")
        return {
            "action": self.visit.href(entity) if entity else self.visit.href("my-search"),
            "all": entity is not None,
            "hint": card.hint[t.language] if card.hint else usual,
        }
