"""All kinds of cards: each is one class in one file. Importing this package registers them in `card_kinds`."""

import pkgutil
from importlib import import_module

from engine.analytics.cards.base import Card, Mention, RecordsCard, card_kinds

for _module in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["Card", "Mention", "RecordsCard", "card_kinds"]
