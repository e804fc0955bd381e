"""One figure over records; it opens exactly these."""

from collections.abc import Iterable, Mapping
from typing import Any

from engine.analytics.cards.number import NumberCard
from engine.web.pages.cards.base import RecordsDrawing, drawings
from engine.web.pages.cells import Titles, brief
from engine.web.pages.filters import MOST_COUNTED


@drawings.register("number")
class NumberDrawing(RecordsDrawing[NumberCard]):
    count: int = 0
    sums: tuple[Any, Any] = (None, None)

    def needed(self) -> Iterable[str]:
        return [name for name in (self.card.sum, self.card.of) if name]

    def _measures(self) -> dict[str, str]:
        return {key: f"sum({name})" for key, name in (("sum", self.card.sum), ("of", self.card.of)) if name}

    def later(self) -> bool:
        # Counting stops at a limit; a sum is quick where totals are kept.
        return bool(self.card.sum) and not self.lens.has_totals(self.entity, self.query(), (), self._measures())

    def rows(self) -> int:
        return 2

    def ask(self, r: Any) -> Iterable[tuple[str, list[dict[str, Any]], Iterable[str]]]:
        if self.card.sum:
            found = self.lens.aggregate(r, self.entity, self.query(), (), self._measures())[0]
            self.sums = found["sum"], found.get("of")
        else:
            self.count = self.lens.count(r, self.entity, self.query(), MOST_COUNTED + 1)
        return ()

    def heading(self) -> dict[str, Any]:
        return {"more": self.list_href(), "words": self.t("card-open")}

    def body(self, titles: Titles) -> Mapping[str, Any]:
        card, fields = self.card, self.lens.fields(self.entity)
        value: float
        if not card.sum:
            value = self.count
            figure = f"{MOST_COUNTED:,}+" if self.count > MOST_COUNTED else f"{self.count:,}"
            return {"figure": figure, "unit": "", "note": "", "width": None, "color": self._color(value)}
        total, whole = (float(each or 0) for each in self.sums)
        parts = brief(total, self.t, fields[card.sum])
        if not card.of:
            return {"figure": parts, "unit": "", "note": "", "width": None, "color": self._color(total)}
        share = total / whole * 100 if whole else 0.0
        of = brief(whole, self.t, fields[card.of])
        note = self.t("card-share", part=parts, whole=of)
        return {
            "figure": f"{share:.1f}".removesuffix(".0"),
            "unit": "%",
            "note": note,
            "width": f"{max(0.0, min(100.0, share)):.1f}",
            "color": self._color(share),
        }

    def _color(self, value: float) -> str:
        if self.card.red_from is not None and value >= self.card.red_from:
            return "red"
        if self.card.yellow_from is not None and value >= self.card.yellow_from:
            return "yellow"
        return ""
