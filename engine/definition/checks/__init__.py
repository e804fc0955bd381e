"""All checks of a definition. Importing this package registers every one in `checks`."""

import pkgutil
from importlib import import_module

from engine.definition.checks.base import Check, checks

for _module in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["Check", "checks"]
