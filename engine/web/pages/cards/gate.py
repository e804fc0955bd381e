"""Records on their way with what their next gate still asks for."""

from collections.abc import Iterable, Mapping
from typing import Any

from engine.analytics.cards.gate import GateCard
from engine.runtime.moves import ways
from engine.web.pages.cards.base import RecordsDrawing, drawings
from engine.web.pages.cells import Titles, address
from engine.web.pages.frame import Words
from engine.web.pages.gates import forward
from engine.workflows.gates import Need

MOST_WORDS = 4


def _lacks(need: Need, t: Words) -> str:
    """What is missing in few words; how much of it where there must be several."""
    label = need.label[t.language]
    return t("card-lacks", what=label, count=need.need - need.have) if need.need > 1 else label


@drawings.register("gate")
class GateDrawing(RecordsDrawing[GateCard]):
    slow = True
    records: list[dict[str, Any]]
    needs: dict[str, tuple[Any, ...]]

    def able(self) -> bool:
        return super().able() and bool(self.model.processes)

    def needed(self) -> Iterable[str]:
        return ("stage", "pipeline")

    def rows(self) -> int:
        return self.card.limit

    def ask(self, r: Any) -> Iterable[tuple[str, list[dict[str, Any]], Iterable[str]]]:
        fields = self.lens.fields(self.entity)
        sort = tuple(name for name in self.card.sort if name.removeprefix("-") in fields)
        names = (self.model.title, "stage", "pipeline")
        query = self.query(sort=sort, fields=names, limit=self.card.limit)
        self.records = self.lens.page(r, self.entity, query).rows
        work = self.visit.site.runtime.work(self.visit.app, self.visit.principal, r)
        self.needs = {}
        for record in self.records:
            way = forward(self.visit, ways(work, self.model, int(record["id"])))
            self.needs[record["id"]] = way.needs if way else ()
        return [(self.entity, self.records, (self.model.title,))]

    def heading(self) -> dict[str, Any]:
        return {"more": self.list_href(), "words": self.t("card-open")}

    def body(self, titles: Titles) -> Mapping[str, Any]:
        language = self.t.language
        rows = []
        for record in self.records:
            needs = self.needs[record["id"]]
            missing = [need for need in needs if not need.met]
            words = [_lacks(need, self.t) for need in missing]
            rest = len(words) - MOST_WORDS
            listed = ("、" if language == "zh" else ", ").join(words[:MOST_WORDS])
            process = self.visit.app.processes.get(record.get("pipeline") or "")
            stage = process.stages.get(record.get("stage") or "") if process else None
            rows.append(
                {
                    "title": record.get(self.model.title) or self.t("untitled"),
                    "href": address(self.visit.app.name, self.entity, record["id"]),
                    "stage": stage.label[language] if stage else "",
                    "met": len(needs) - len(missing),
                    "all": len(needs),
                    "missing": listed + (self.t("card-more", count=rest) if rest > 0 else ""),
                }
            )
        return {"rows": rows}
