"""A kind of card is one class in one file: its settings, and which names of the definition they mention.

The class is the shape of the definition's text (`{kind: number, view: open_deals}`).  Checks, renaming and the reference
read what it says of itself; nothing else needs to know which kinds there are.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field as Key

from engine.problems import Label
from engine.registry import Registry
from engine.shape import Formula, Names, Shape, Text

card_kinds: Registry[type["Card"]] = Registry("kind of card")

Width = Literal["third", "half", "wide", "full"]
# What a mentioned field is used for, and so what it must be able to do.
Use = Literal["column", "sort", "sum", "group", "moment", "phone", "write", "link"]


@dataclass(frozen=True)
class Mention:
    """A name that a card mentions, at `path` below it. `of` is the entity of a field, None for the one the card is about.

    `use` says what is done with a field.  `key`: the name is a map's key.
    """

    kind: Literal["field", "entity", "view", "process"]
    path: tuple[str | int, ...]
    name: str
    of: str | None = None
    use: Use | None = None
    key: bool = False


class Card(Shape):
    """What every card has."""

    title: ClassVar[Label]
    doc: ClassVar[Label]
    example: ClassVar[str]
    sign: ClassVar[str] = "list"
    usual: ClassVar[Width] = "half"

    kind: str = Key(description="What the card shows: one of the kinds of cards.")
    label: Text | None = None
    help: Text | None = None
    empty: Text | None = Key(None, description="What stands there while there is nothing to show.")
    icon: str | None = Key(None, description="The name of a sign beside the label.")
    width: Width | None = Key(None, description="How much of a row it takes on a wide screen.")

    def mentions(self) -> Iterator[Mention]:
        """Every name of the definition that the card mentions outside expressions."""
        yield from ()

    def about(self, view_entity: Callable[[str], str | None]) -> str | None:
        """The entity whose records the card shows; None for cards that show no records of one kind."""
        return None


class RecordsCard(Card):
    """A card about the records of a view, or of an entity, those that meet a condition."""

    view: str | None = Key(None, description="The view whose records it shows; who may not open the view has no card.")
    entity: str | None = Key(None, description="The entity whose records it shows, where no view is named.")
    where: Formula | None = Key(None, description="Only records that meet it.")

    def mentions(self) -> Iterator[Mention]:
        if self.view is not None:
            yield Mention("view", ("view",), self.view)
        if self.entity is not None:
            yield Mention("entity", ("entity",), self.entity)

    def about(self, view_entity: Callable[[str], str | None]) -> str | None:
        return view_entity(self.view) if self.view is not None else self.entity


def sorts(names: Names, path: str) -> Iterator[Mention]:
    """The fields of a sort order; a leading minus means descending."""
    for index, name in enumerate(names):
        yield Mention("field", (path, index), name, use="sort")


def prefilled(values: Mapping[str, str], entity: str, *path: str) -> Iterator[Mention]:
    """The fields that a new record begins with."""
    for name in values:
        yield Mention("field", (*path, name), name, entity, "write", key=True)
