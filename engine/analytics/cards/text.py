"""A few words to everybody with this home: what matters this month, where to ask."""

from pydantic import Field as Key

from engine.analytics.cards.base import Card, card_kinds
from engine.problems import Label
from engine.shape import Text


@card_kinds.register("text")
class TextCard(Card):
    """Plain text; blank lines separate paragraphs."""

    title = Label("文字", "Text")
    doc = Label("给大家的几句话。", "A few words to everybody.")
    example = "{kind: text, text: 周五前提交巡检计划。}"
    sign = "info"
    usual = "third"

    text: Text = Key(description="The words; blank lines separate paragraphs.")
