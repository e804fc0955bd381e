"""The first records of a view: a table where there is room, else short rows, each with its time and an action."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from engine.analytics.cards.records import Act, Clock, ListCard
from engine.clock import instant
from engine.columns import days
from engine.web.pages.cards.base import RecordsDrawing, drawings
from engine.web.pages.cells import Cell, Column, Row, Titles, address, is_number, row
from engine.web.pages.clocks import Running, running
from engine.web.pages.filters import MOST_COUNTED, State
from engine.web.pages.lists import columns_of

FEW = 3  # fields beside the title where no columns are named


@dataclass(frozen=True)
class Press:
    """The action of a row: where it leads, what it says, what it is called by those who cannot see the row."""

    href: str
    label: str
    name: str
    icon: str = ""


@dataclass(frozen=True)
class Line:
    """A record: `score` stands before its title, `small` below it, `clock` and `press` after it."""

    href: str
    title: str
    score: Cell | None
    small: tuple[Cell, ...]
    clock: Running | None
    press: Press | None
    row: Row


@drawings.register("list")
class ListDrawing(RecordsDrawing[ListCard]):
    records: list[dict[str, Any]]
    count: int

    def ask(self, r: Any) -> Iterable[tuple[str, list[dict[str, Any]], Iterable[str]]]:
        card, fields = self.card, self.lens.fields(self.entity)
        further = [card.clock.field] if card.clock else []
        further += [card.act.call] if card.act and card.act.call else []
        wanted = tuple(name for name in dict.fromkeys((*self.columns(), *further, "version")) if name in fields)
        sort = tuple(name for name in card.sort if name.removeprefix("-") in fields)
        page = self.lens.page(r, self.entity, self.query(sort=sort, fields=wanted, limit=card.limit))
        self.records = page.rows
        # What fits is counted already.
        self.count = (
            self.lens.count(r, self.entity, self.query(), MOST_COUNTED + 1) if page.next is not None else len(page.rows)
        )
        return [(self.entity, page.rows, self.columns())]

    def columns(self) -> list[str]:
        """The title and what stands beside it."""
        view = self.visit.app.views.get(self.card.view) if self.card.view else None
        names, _ = columns_of(self.lens, self.model, view, self.card.columns)
        hour = self.card.clock.field if self.card.clock else ""
        return [name for name in names if name != hour][: None if self.card.columns else FEW + 1]

    def rows(self) -> int:
        return self.card.limit

    def heading(self) -> dict[str, Any]:
        over = self.count > MOST_COUNTED
        number = f"{min(self.count, MOST_COUNTED):,}{'+' if over else ''}"
        return {"more": self.list_href(), "words": self.t("card-all", count=number), "mark": number}

    def body(self, titles: Titles) -> Mapping[str, Any]:
        names = self.columns()
        fields = self.lens.fields(self.entity)
        columns = [Column(name, self.model.labels[name][self.t.language], is_number(fields[name])) for name in names]
        wide = (self.card.width or type(self.card).usual) in ("wide", "full")
        lines = [self._line(columns, record, titles) for record in self.records]
        return {
            "wide": wide,
            "columns": columns,
            "lines": lines,
            "clock": self._clock_label() if self.card.clock and self.card.clock.field in fields else "",
            "press": any(line.press for line in lines),
        }

    def _line(self, columns: list[Column], record: dict[str, Any], titles: Titles) -> Line:
        drawn = row(self.visit.app, self.model, columns, record, titles, self.t.language)
        cells = [replace(each) for each in drawn.cells]
        score = next((each for each in cells[1:] if each.kind == "score"), None)
        small = tuple(each for each in cells[1:] if each is not score and each.kind not in ("empty", "hidden"))
        title = cells[0].text or self.t("untitled")
        clock = self._clock(record, self.card.clock) if self.card.clock else None
        press = self._press(record, title, self.card.act) if self.card.act else None
        return Line(drawn.href, title, score, small, clock, press, drawn)

    def _clock_label(self) -> str:
        clock = self.card.clock
        assert clock is not None
        return (clock.label or self.model.labels[clock.field])[self.t.language]

    def _clock(self, record: Mapping[str, Any], clock: Clock) -> Running | None:
        value = record.get(clock.field)
        if not value:
            return None
        calendar, now = self.visit.app.calendar, self.visit.site.clock.now()
        if len(value) == 10:  # a day: there is time until its end
            since = calendar.at(days(datetime.fromisoformat(value).date()) + (clock.show == "left"), 0)
        else:
            since = instant(datetime.fromisoformat(value))
        return running(calendar, now, since, clock, self._clock_label(), self.t)

    def _press(self, record: Mapping[str, Any], title: str, act: Act) -> Press | None:
        lens, t, app = self.lens, self.t, self.visit.app
        said = act.label[t.language] if act.label else ""
        if act.call is not None:
            number = record.get(act.call)
            words = said or t("call")
            return Press(f"tel:{number}", words, f"{words} {title}", "phone") if number else None
        if act.edit is not None:
            if act.edit not in lens.writable(self.entity, "update"):
                return None
            words = said or t("card-fill", field=self.model.labels[act.edit][t.language])
            href = address(app.name, self.entity, record["id"], "edit")
            return Press(f"{href}#f-{act.edit}", words, f"{words} {title}")
        if act.create is None or not lens.may(act.create, "create"):
            return None
        words = said or t("new", entity=app.entities[act.create].label[t.language])
        given = {**({act.by: record["id"]} if act.by else {}), **act.set}
        return Press(State(address(app.name, act.create, "new")).url(**given), words, f"{words} {title}")
