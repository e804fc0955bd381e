"""The one way in which records change: `Runtime.execute(app, principal, command)`.

Form, API, import, bulk edit, board, conversion, merge and undo all send commands here, and each goes the same way in one
transaction: permit, validate, derive, gate, write, journal.  Either everything happens or nothing.
"""

from engine.runtime.act import Outdated
from engine.runtime.commands import (
    Attach,
    Bulk,
    Command,
    Comment,
    Convert,
    Create,
    Delete,
    Detach,
    Distinct,
    EditComment,
    Handover,
    Merge,
    Outcome,
    RemoveComment,
    Restore,
    Tick,
    Transition,
    Undo,
    Update,
)
from engine.runtime.runtime import Runtime

__all__ = [
    "Attach", "Bulk", "Command", "Comment", "Convert", "Create", "Delete", "Detach", "Distinct", "EditComment", "Handover", "Merge", "Outcome", "Outdated", "RemoveComment", "Restore", "Runtime", "Tick",
    "Transition", "Undo", "Update",
]  # fmt: skip
