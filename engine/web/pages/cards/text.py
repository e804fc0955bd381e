"""A few words, in paragraphs."""

from collections.abc import Mapping
from typing import Any

from engine.analytics.cards.text import TextCard
from engine.web.pages.cards.base import Drawing, drawings
from engine.web.pages.cells import Titles


@drawings.register("text")
class TextDrawing(Drawing[TextCard]):
    def body(self, titles: Titles) -> Mapping[str, Any]:
        words = self.card.text[self.t.language]
        return {"paragraphs": [part.strip() for part in words.split("\n\n") if part.strip()]}
