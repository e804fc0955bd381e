"""The cards of a home page: each kind asks the lens and becomes plain values for `cards.html`, one kind a file."""

import pkgutil
from importlib import import_module

from engine.web.pages.cards.base import Drawing, Shown, drawings

for _module in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["Drawing", "Shown", "drawings"]
