"""Core actions: buttons that open forms. The page puts them at its head, a phone at the thumb."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.analytics.cards.actions import ActionsCard, CoreAction
from engine.web.pages.cards.base import Drawing, drawings
from engine.web.pages.cells import Titles, address
from engine.web.pages.filters import State
from engine.web.pages.frame import icon_of, icons


@dataclass(frozen=True)
class Button:
    label: str
    href: str
    icon: str
    main: bool


@drawings.register("actions")
class ActionsDrawing(Drawing[ActionsCard]):
    def able(self) -> bool:
        return bool(self.buttons())

    def buttons(self) -> list[Button]:
        """Those that the reader may press."""
        able = {name: each for name, each in self.card.actions.items() if self.lens.may(each.create, "create")}
        return [self._button(each, name == self.card.main) for name, each in able.items()]

    def _button(self, action: CoreAction, main: bool) -> Button:
        app, language = self.visit.app, self.t.language
        model = app.entities[action.create]
        label = action.label[language] if action.label else self.t("new", entity=model.label[language])
        declared = model.definition.icon if model.definition else None
        icon = action.icon if action.icon in icons() else icon_of(declared)
        writable = self.lens.writable(model.name, "create")
        given = {name: value for name, value in action.set.items() if name in writable}
        return Button(label, State(address(app.name, model.name, "new")).url(**given), str(icon), main)

    def body(self, titles: Titles) -> Mapping[str, Any]:
        return {"buttons": self.buttons()}
