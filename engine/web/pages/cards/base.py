"""A card on its way to the page: first it asks its questions, then it is drawn.

Cards ask before any is drawn, so that the titles of all records that they point to are found together, by entity.  What
the reader may not see makes a card smaller or absent, never an error: a view that is not open to him, a field that is
hidden from him.  A card that shows records and the list that it opens are one question.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, cast

from engine.analytics.cards import Card, RecordsCard
from engine.app import EntityApp
from engine.problems import Refused
from engine.reading import Query
from engine.registry import Registry
from engine.web.pages.cells import Titles, address
from engine.web.pages.filters import State
from engine.web.pages.frame import icons
from engine.web.pages.visit import AppVisit

C = TypeVar("C", bound=Card)
R = TypeVar("R", bound=RecordsCard)

drawings: Registry[type["Drawing[Any]"]] = Registry("kind of card")
WIDTHS = {"third": "w4", "half": "w6", "wide": "w8", "full": "w12"}


@dataclass(frozen=True)
class Shown:
    """A card as the template draws it. `later` is where its content is fetched from; then there is no `body` yet.

    `rows` says how much room it will take, so that nothing moves when it comes.  `mark` is a count beside the heading.
    """

    name: str
    kind: str
    label: str
    icon: str
    width: str
    help: str = ""
    more: str = ""
    words: str = ""
    mark: str = ""
    color: str = ""
    empty: str = ""
    later: str = ""
    rows: int = 3
    body: Mapping[str, Any] | None = None


class Drawing(Generic[C]):
    """One card before one reader."""

    # Whether it may take so long that the page is better painted without it.
    slow: ClassVar[bool] = False

    def __init__(self, visit: AppVisit, home: str, name: str, card: C) -> None:
        self.visit, self.home, self.name, self.card = visit, home, name, card
        self.t, self.lens = visit.t, visit.lens

    def able(self) -> bool:
        """Whether there is such a card for the reader."""
        return True

    def later(self) -> bool:
        """Whether its content is fetched after the page has been painted."""
        return self.slow

    def ask(self, r: Any) -> Iterable[tuple[str, list[dict[str, Any]], Iterable[str]]]:
        """Ask what it shows; answers with (entity, records, fields) of which titles are needed."""
        return ()

    def body(self, titles: Titles) -> Mapping[str, Any]:
        """What the template of its kind draws."""
        return {}

    def rows(self) -> int:
        """How many lines it probably takes."""
        return 3

    def heading(self) -> dict[str, Any]:
        """Further values of `Shown`: where all of it is, a count."""
        return {}

    def shown(self, titles: Titles | None) -> Shown:
        card, language = self.card, self.t.language
        sign = card.icon if card.icon in icons() else type(card).sign
        base: dict[str, Any] = {
            "name": self.name,
            "kind": card.kind,
            "label": self.label(),
            "icon": sign,
            "width": WIDTHS[card.width or type(card).usual],
            "help": card.help[language] if card.help else "",
            "empty": card.empty[language] if card.empty else self.nothing(),
            "rows": self.rows(),
        }
        if titles is None:
            query = State(f"/{self.visit.app.name}/my-card").url(home=self.home, card=self.name)
            return Shown(**base, later=query)
        return Shown(**base, **self.heading(), body=self.body(titles))

    def label(self) -> str:
        return self.card.label[self.t.language] if self.card.label else type(self.card).title[self.t.language]

    def nothing(self) -> str:
        """What stands there while there is nothing to show, where the definition says nothing."""
        return self.t("card-empty")


class RecordsDrawing(Drawing[R]):
    """A card about records: the question it asks, and the list that asks the same."""

    def __init__(self, visit: AppVisit, home: str, name: str, card: R) -> None:
        super().__init__(visit, home, name, card)
        views = visit.app.views
        entity = card.about(lambda view: views[view].entity if view in views else None) or ""
        self.entity = entity
        self.model = cast(EntityApp, visit.app.entities.get(entity))

    def able(self) -> bool:
        lens, card = self.lens, self.card
        if not lens.may(self.entity, "read"):
            return False
        view = self.visit.app.views.get(card.view) if card.view else None
        if view is not None and not view.open_to(self.visit.principal.roles, self.visit.principal.administrator):
            return False
        if any(name.removeprefix("-") not in lens.fields(self.entity) for name in self.needed()):
            return False
        try:
            self.lens.view.question(self.model, self.query())
            if card.where:
                # A condition that reads what is hidden from him would tell him about it.
                lens.view.expression(card.where, self.entity, "where")
        except Refused:
            return False
        return True

    def needed(self) -> Iterable[str]:
        """The fields without which the card says nothing."""
        return ()

    def query(self, **more: Any) -> Query:
        return Query(view=self.card.view, where=self.card.where or None, **more)

    def label(self) -> str:
        if self.card.label is None and self.card.view:
            return self.visit.app.views[self.card.view].label[self.t.language]
        return self.card.label[self.t.language] if self.card.label else self.model.label[self.t.language]

    def list_href(self, *conditions: str, **filters: str) -> str:
        """The list of exactly the records that the card is about, further narrowed."""
        where = [*([f"({self.card.where})" if conditions else self.card.where] if self.card.where else []), *conditions]
        state = State(address(self.visit.app.name, self.entity))
        return state.url(
            view=self.card.view or "all",
            where=" and ".join(where) or None,
            **{f"f.{name}": value for name, value in filters.items()},
        )
