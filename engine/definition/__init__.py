"""The definition of an app: from text to a checked `AppDefinition`, or to everything that is wrong with it."""

from engine.definition.check import Checked, load, restored
from engine.definition.scope import DefinitionScope

__all__ = ["Checked", "DefinitionScope", "load", "restored"]
