"""The shapes of roles, policies and teams: who may do what to which records and fields. Default closed."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field as Key

from engine.shape import Formula, Names, Shape, Text

Action = Literal[
    "read",
    "create",
    "update",
    "delete",
    "restore",
    "transition",
    "convert",
    "merge",
    "import",
    "export",
    "handover",
    "approve",
    "share",
]
ACTIONS: tuple[Action, ...] = (
    "read",
    "create",
    "update",
    "delete",
    "restore",
    "transition",
    "convert",
    "merge",
    "import",
    "export",
    "handover",
    "approve",
    "share",
)


class Role(Shape):
    """A job. It has everything that the roles it includes have. `administrator: true` may do everything."""

    label: Text | None = None
    was: str | None = None
    help: Text | None = None
    includes: Names = ()
    apart: Names = Key((), description="Roles that nobody holds together with this one: who asks does not approve.")
    administrator: bool = False


def _rows(value: Any) -> Any:
    return value if isinstance(value, (dict, Rows)) else {"read": value}


class Rows(Shape):
    """Which rows a policy covers: `read` for seeing them, `write` for changing them (the same if not given)."""

    read: Formula
    write: Formula | None = None


class Policy(Shape):
    """What one role may do with one entity. Several policies of one person add up, row by row."""

    rows: Annotated[Rows, BeforeValidator(_rows, json_schema_input_type=Formula | Rows)]
    actions: tuple[Action, ...] = ("read",)
    sections: Names = Key((), description="Only these sections of the entity are seen; empty: all.")
    hidden: Names = Key((), description="Fields that do not exist for the role.")
    readonly: Names = Key((), description="Fields the role sees but never writes.")
    writable: Names = Key((), description="Only these fields may be written; empty: all that are seen.")
    reveals: Names = Key((), description="Computed fields shown although they draw on hidden ones.")
    transitions: Names = Key((), description="Only these transitions; empty: all that allow the role.")
