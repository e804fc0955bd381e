"""The compiled app: everything that can be known before the first request, made once per published version.

`compile_app` turns a checked definition and a layout into an `App`: tables, fields with the built-in ones, expressions,
the order in which computed fields depend on each other, process graphs, scores, policies, views.  An `App` is immutable;
publishing makes a new one and running processes swap to it.
"""

from engine.app.compiling import compile_app, hash_of, renames_of, specs_of
from engine.app.dependents import routes
from engine.app.model import (
    App,
    Computed,
    ConversionApp,
    Dependent,
    EntityApp,
    HomeApp,
    NoticeApp,
    RuleApp,
    ViewApp,
    in_words,
)
from engine.fields.builtin import RESERVED

__all__ = [
    "RESERVED", "App", "Computed", "ConversionApp", "Dependent", "EntityApp", "HomeApp", "NoticeApp", "RuleApp", "ViewApp", "compile_app", "hash_of",
    "in_words", "renames_of", "routes", "specs_of",
]  # fmt: skip
