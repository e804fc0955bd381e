"""What the reader opened last, and what he starred."""

from collections.abc import Mapping
from typing import Any, ClassVar

from engine.analytics.cards.kept import RecentCard, StarredCard
from engine.web.pages.cards.base import Drawing, drawings
from engine.web.pages.cells import Titles
from engine.web.pages.kept import kept


class _Kept:
    kind: ClassVar[str]
    found: list[Any]

    def ask(self: Any, r: Any) -> Any:
        self.found = kept(self.visit, r, self.kind, self.card.limit)
        return ()

    def rows(self: Any) -> int:
        return 4

    def nothing(self: Any) -> str:
        return str(self.t("recent-none" if self.kind == "seen" else "starred-none"))

    def body(self: Any, titles: Titles) -> Mapping[str, Any]:
        return {"records": self.found}


@drawings.register("recent")
class RecentDrawing(_Kept, Drawing[RecentCard]):
    kind = "seen"


@drawings.register("starred")
class StarredDrawing(_Kept, Drawing[StarredCard]):
    kind = "star"
