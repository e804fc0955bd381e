"""Bars by option, person or team, on one scale; each opens its records."""

from collections.abc import Iterable, Mapping
from typing import Any

from engine.analytics.cards.bars import BarsCard
from engine.fields.choice import Choosing
from engine.fields.lookup import Linking
from engine.web.pages.cards.base import RecordsDrawing, drawings
from engine.web.pages.cells import Titles, brief, cell


@drawings.register("bars")
class BarsDrawing(RecordsDrawing[BarsCard]):
    groups: list[dict[str, Any]]

    def needed(self) -> Iterable[str]:
        return [name for name in (self.card.by, self.card.sum) if name]

    def _measures(self) -> dict[str, str]:
        return {"count": "count()"} | ({"sum": f"sum({self.card.sum})"} if self.card.sum else {})

    def later(self) -> bool:
        return not self.lens.has_totals(self.entity, self.query(), (self.card.by,), self._measures())

    def rows(self) -> int:
        field = self.model.fields[self.card.by]
        return min(self.card.limit, len(field.keys)) if isinstance(field, Choosing) else min(self.card.limit, 5)

    def ask(self, r: Any) -> Iterable[tuple[str, list[dict[str, Any]], Iterable[str]]]:
        found = self.lens.aggregate(r, self.entity, self.query(), (self.card.by,), self._measures())
        field = self.model.fields[self.card.by]
        if isinstance(field, Choosing):
            order = {key: place for place, key in enumerate(field.keys)}
            found.sort(key=lambda each: order.get(each[self.card.by], len(order)))
        else:
            found.sort(key=self._size, reverse=True)
        self.groups = found[: self.card.limit]
        return [(self.entity, self.groups, (self.card.by,))]

    def _size(self, group: Mapping[str, Any]) -> float:
        return float(group["sum" if self.card.sum else "count"] or 0)

    def heading(self) -> dict[str, Any]:
        return {"more": self.list_href(), "words": self.t("card-open")}

    def body(self, titles: Titles) -> Mapping[str, Any]:
        by, fields = self.card.by, self.lens.fields(self.entity)
        most = max((abs(self._size(each)) for each in self.groups), default=0) or 1
        bars = []
        for group in self.groups:
            key = group[by]
            label = cell(self.visit.app, self.model, by, key, titles, self.t.language)
            words = self.t("card-none") if key is None else label.text
            hidden = label.kind == "hidden"
            figure = brief(self._size(group), self.t, fields[self.card.sum]) if self.card.sum else f"{group['count']:,}"
            bars.append(
                {
                    "label": self.t("not-visible") if hidden else words,
                    "figure": figure,
                    "note": self.t("count", count=f"{group['count']:,}") if self.card.sum else "",
                    "width": f"{abs(self._size(group)) / most * 100:.1f}",
                    "href": self._href(key, fields[by]),
                    "person": label.kind == "person",
                }
            )
        return {"bars": bars}

    def _href(self, key: Any, field: Any) -> str:
        if key is None:
            return self.list_href(f"{self.card.by} is null")
        text = str(key).lower() if isinstance(key, bool) else str(key)
        if isinstance(field, Linking | Choosing) or isinstance(key, bool):
            return self.list_href(**{self.card.by: text})
        return self.list_href()
