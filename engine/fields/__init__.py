"""All field types. Importing this package registers every type in `field_types`."""

import pkgutil
from importlib import import_module

from engine.fields.base import Field, Invalid, field_types

for _module in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["Field", "Invalid", "field_types"]
