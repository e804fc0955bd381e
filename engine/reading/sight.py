"""Who is looking at what: the ground that everything a principal may ask stands on."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from engine.access.definition import Action
from engine.access.principal import Principal
from engine.expressions import parameters
from engine.expressions.types import Context
from engine.fields import Field
from engine.problems import Problem, Refused
from engine.reading.query import MOST_ROWS
from engine.reading.tables import bound_as
from engine.reading.view import View


class Sight:
    """One principal before one view of an app. `r`, where it is asked for, is a reader or a transaction of the database."""

    def __init__(self, view: View, principal: Principal) -> None:
        self.view = view
        self.app = view.app
        self.principal = principal
        self.db = view.db

    # -- what exists for him -----------------------------------------------------------------------------------------

    def entities(self) -> list[str]:
        """Entities of which he may read some records."""
        return [
            name for name, model in self.app.entities.items() if not model.system and self.view.permit(name).may("read")
        ]

    def may(self, entity: str, action: Action) -> bool:
        """Whether the action is allowed on any record."""
        return entity in self.app.entities and self.view.permit(entity).may(action)

    def fields(self, entity: str) -> Mapping[str, Field]:
        return self.view.fields(entity)

    def writable(self, entity: str, action: Action = "update") -> frozenset[str]:
        return self.view.permit(entity).writable(action)

    def context(self) -> Context:
        return Context(self.view.clock.now(), self.app.calendar, self.principal.variables)

    @property
    def parameters(self) -> dict[str, Any]:
        """The values of the variables of policies and expressions in SQL."""
        return self.parameters_at(self.view.clock.now())

    def parameters_at(self, now: int) -> dict[str, Any]:
        return {**self._fixed, "now": now, "today": self.app.calendar.local_day(now)}

    @cached_property
    def _fixed(self) -> dict[str, Any]:
        """Those that stay the same for the principal."""
        found: dict[str, Any] = self.view.kept(
            ("variables", self.principal),
            lambda: {bound_as(name): value for name, value in parameters(self.context()).items()},
        )
        return found

    def limited(self, limit: int) -> int:
        if not 1 <= limit <= MOST_ROWS:
            raise Refused(Problem("too-many", "limit", {"what": "limit", "most": MOST_ROWS}), 400)
        return limit
