"""The queue of likely duplicates in short: how many, and the most alike."""

from collections.abc import Iterable, Mapping
from typing import Any

from engine.analytics.cards.duplicates import DuplicatesCard
from engine.reading.pairs import Pair, Wanted, count_pairs, pairs
from engine.web.pages.cards.base import Drawing, drawings
from engine.web.pages.cells import Titles
from engine.web.pages.duplicates import looked_through
from engine.web.pages.filters import MOST_COUNTED, State


@drawings.register("duplicates")
class DuplicatesDrawing(Drawing[DuplicatesCard]):
    slow = True
    count: int
    found: list[Pair]
    titles: dict[int, str]

    def able(self) -> bool:
        return self.card.entity in [model.name for model in looked_through(self.visit)]

    def rows(self) -> int:
        return self.card.limit

    def ask(self, r: Any) -> Iterable[tuple[str, list[dict[str, Any]], Iterable[str]]]:
        entity = self.card.entity
        self.count = count_pairs(self.lens, r, entity, Wanted(), MOST_COUNTED + 1)
        self.found, _ = pairs(self.lens, r, entity, Wanted(), self.card.limit)
        self.titles = self.lens.titles(r, entity, [id for pair in self.found for id in (pair.one, pair.other)])
        return ()

    def heading(self) -> dict[str, Any]:
        number = f"{MOST_COUNTED:,}+" if self.count > MOST_COUNTED else f"{self.count:,}"
        href = State(self.visit.href("my-duplicates")).url(entity=self.card.entity)
        return {"more": href, "words": self.t("card-open"), "mark": number}

    def body(self, titles: Titles) -> Mapping[str, Any]:
        href = self.visit.href(self.card.entity)
        lines = [
            {
                "one": self.titles[pair.one] or self.t("untitled"),
                "other": self.titles[pair.other] or self.t("untitled"),
                "href": f"{href}/{pair.one}/merge/{pair.other}",
                "score": pair.score,
            }
            for pair in self.found
            if pair.one in self.titles and pair.other in self.titles
        ]
        return {"pairs": lines}

    def label(self) -> str:
        if self.card.label is not None:
            return super().label()
        entity = self.visit.app.entities[self.card.entity].label[self.t.language]
        return f"{type(self.card).title[self.t.language]} · {entity}"
