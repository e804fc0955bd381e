"""The open stages of a process: how many, what they are worth, how long they have been there against the limit."""

from collections.abc import Iterable, Mapping
from typing import Any

from engine.analytics.cards.funnel import FunnelCard
from engine.reading import Query
from engine.web.pages.cards.base import RecordsDrawing, drawings
from engine.web.pages.cells import Titles, brief
from engine.web.pages.clocks import HOUR, SECOND
from engine.web.pages.events import elapsed, span_words
from engine.workflows.process import StageApp

LIMIT_AT = 66  # per cent: where the limits of all rows stand
SOON = 0.9  # of the limit


@drawings.register("funnel")
class FunnelDrawing(RecordsDrawing[FunnelCard]):
    slow = True
    found: dict[str, dict[str, Any]]

    def needed(self) -> Iterable[str]:
        return [name for name in ("stage", "pipeline", "stage_entered_at", self.card.sum) if name]

    def stages(self) -> list[StageApp]:
        process = self.visit.app.processes[self.card.process]
        return [stage for stage in process.stages.values() if stage.definition.end is None]

    def rows(self) -> int:
        return len(self.stages()) + 1

    def label(self) -> str:
        return (self.card.label or self.visit.app.processes[self.card.process].label)[self.t.language]

    def ask(self, r: Any) -> Iterable[tuple[str, list[dict[str, Any]], Iterable[str]]]:
        query = Query(view=self.card.view, where=self.card.where or None, filters={"pipeline": self.card.process})
        measures = {"count": "count()", "stay": "avg(hours_between(stage_entered_at, now()))"}
        measures |= {"sum": f"sum({self.card.sum})"} if self.card.sum else {}
        self.found = {
            str(each["stage"]): each for each in self.lens.aggregate(r, self.entity, query, ("stage",), measures)
        }
        return ()

    def heading(self) -> dict[str, Any]:
        return {"more": self.list_href(pipeline=self.card.process), "words": self.t("card-open")}

    def body(self, titles: Titles) -> Mapping[str, Any]:
        most = max((each["count"] for name, each in self.found.items()), default=0) or 1
        return {
            "stages": [self._stage(stage, self.found.get(stage.name), most) for stage in self.stages()],
            "sum": self.model.labels[self.card.sum][self.t.language] if self.card.sum else "",
        }

    def _stage(self, stage: StageApp, group: Mapping[str, Any] | None, most: int) -> dict[str, Any]:
        count = group["count"] if group else 0
        amount = group.get("sum") if group else None
        field = self.lens.fields(self.entity).get(self.card.sum or "")
        return {
            "label": stage.label[self.t.language],
            "count": f"{count:,}",
            "width": f"{count / most * 100:.1f}",
            "sum": brief(float(amount), self.t, field) if amount and field else "",
            "href": self.list_href(pipeline=self.card.process, stage=stage.name),
            **self._stay(stage, float(group["stay"]) if group and group["stay"] is not None else None),
        }

    def _stay(self, stage: StageApp, hours: float | None) -> dict[str, Any]:
        """The average stay against the limit, which stands at the same place in every row."""
        limit, t = stage.definition.limit, self.t
        words = elapsed(int(hours * HOUR), t) if hours is not None else ""
        if limit is None:
            return {"stay": words, "limit": "", "share": None, "color": "", "mark": None}
        # How long the limit is depends on when it begins: here when the average record came.
        now = self.visit.site.clock.now()
        entered = now - int((hours or 0) * HOUR) * SECOND
        allowed = max(self.visit.app.calendar.add(entered, limit) - entered, 1)
        share = (hours or 0) * HOUR * SECOND / allowed
        color = "red" if share > 1 else "yellow" if share >= SOON else ""
        return {
            "stay": words,
            "limit": span_words(limit, t),
            "share": f"{min(share * LIMIT_AT, 100):.1f}",
            "color": color,
            "mark": LIMIT_AT,
        }
