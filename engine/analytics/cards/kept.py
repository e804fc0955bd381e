"""What somebody looked at last, and what he starred: his own, whatever the home is."""

from pydantic import Field as Key

from engine.analytics.cards.base import Card, card_kinds
from engine.problems import Label


@card_kinds.register("recent")
class RecentCard(Card):
    """The records that the reader opened last."""

    title = Label("最近看过", "Recent")
    doc = Label("自己最近打开过的记录。", "The records that the reader opened last.")
    example = "{kind: recent, limit: 6}"
    sign = "history"
    usual = "third"

    limit: int = Key(6, ge=1, le=20, description="How many records.")


@card_kinds.register("starred")
class StarredCard(Card):
    """The records that the reader starred."""

    title = Label("收藏", "Starred")
    doc = Label("自己收藏的记录。", "The records that the reader starred.")
    example = "{kind: starred}"
    sign = "star"
    usual = "third"

    limit: int = Key(8, ge=1, le=20, description="How many records.")
