"""The shape of homes: what somebody finds when he opens the app, by role."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field as Key, SerializeAsAny
from pydantic_core import PydanticCustomError

from engine.analytics.cards import Card, card_kinds
from engine.shape import Names, Shape, Text


def _card(value: Any) -> Any:
    """A card of the kind that the text names."""
    if isinstance(value, Card):
        return value
    if not isinstance(value, Mapping):
        raise PydanticCustomError("wrong_shape", "expected a card", {"expected": "card"})
    name = value.get("kind")
    if name is None:
        raise PydanticCustomError("card_kind_missing", "a card needs a kind", {"kinds": ", ".join(card_kinds)})
    kind = card_kinds.get(name) if isinstance(name, str) else None
    if kind is None:
        raise PydanticCustomError(
            "unknown_card",
            "unknown kind of card",
            {"name": str(name), "nearest": card_kinds.nearest(str(name)), "kinds": ", ".join(card_kinds)},
        )
    return kind.model_validate(value)


AnyCard = Annotated[SerializeAsAny[Card], BeforeValidator(_card)]


class Home(Shape):
    """A home page. Of several, a person gets the first one that is for one of his roles."""

    label: Text | None = None
    help: Text | None = None
    for_: Names = Key((), alias="for", description="The roles whose home it is; empty: everybody's.")
    bar: Names = Key((), description="Entities in the bar of a phone; those worked on most if none are named.")
    cards: dict[str, AnyCard] = Key(description="What stands on it, in order.")


__all__ = ["AnyCard", "Home"]
