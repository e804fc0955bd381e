"""What somebody may ask for: each command is a small value, and its answer an `Outcome`.

Values are JSON values by field name, as the API takes them; tables of children are lists of such maps, each row with its
`id` if it exists already.  `version` is the version the person has seen: if the record has changed since, nothing happens.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.problems import Problem

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Create:
    """A new record. `pipeline` chooses among several processes.

    `stage` and `at` (microseconds) are for taking over records from elsewhere: only an administrator may say them.
    """

    entity: str
    values: Values
    pipeline: str | None = None
    stage: str | None = None
    at: int | None = None


@dataclass(frozen=True)
class Update:
    entity: str
    id: int
    values: Values
    version: int | None = None


@dataclass(frozen=True)
class Delete:
    entity: str
    id: int
    version: int | None = None


@dataclass(frozen=True)
class Restore:
    entity: str
    id: int


@dataclass(frozen=True)
class Transition:
    """Move on, back or over, by the transition's name or by the stage it leads to; `values` are saved on the way."""

    entity: str
    id: int
    name: str | None = None
    to: str | None = None
    reason: str | None = None
    values: Values = field(default_factory=dict)
    version: int | None = None


@dataclass(frozen=True)
class Tick:
    """Tick an item of a stage's checklist, or take the tick away."""

    entity: str
    id: int
    item: str
    done: bool = True


@dataclass(frozen=True)
class Attach:
    """Attach an uploaded file to a file field."""

    entity: str
    id: int
    field: str
    file: int


@dataclass(frozen=True)
class Detach:
    entity: str
    id: int
    field: str
    file: int


@dataclass(frozen=True)
class Comment:
    """Say something about a record: plain text, in which `@[login]` mentions somebody."""

    entity: str
    id: int
    text: str


@dataclass(frozen=True)
class EditComment:
    entity: str
    id: int
    comment: int
    text: str


@dataclass(frozen=True)
class RemoveComment:
    entity: str
    id: int
    comment: int


@dataclass(frozen=True)
class Merge:
    """Make one record of two: `lose` goes, what pointed to it points to `keep`. `choices` names fields taken from `lose`.

    `versions` are those of `keep` and `lose` that the person has seen.
    """

    entity: str
    keep: int
    lose: int
    choices: Mapping[str, Literal["keep", "lose"]] = field(default_factory=dict)
    versions: tuple[int, int] | None = None


@dataclass(frozen=True)
class Distinct:
    """Two records that look alike are not the same; with `apart` false, that is taken back."""

    entity: str
    one: int
    other: int
    apart: bool = True


@dataclass(frozen=True)
class Convert:
    """Run a conversion of the entity. `values` overrides fields of its targets: target -> field -> value."""

    entity: str
    id: int
    name: str
    values: Mapping[str, Values] = field(default_factory=dict)


@dataclass(frozen=True)
class Undo:
    """Take back everything that one command did, unless it has been changed since.

    `partly` leaves alone what has been changed since, and takes back the rest.
    """

    batch: int
    partly: bool = False


@dataclass(frozen=True)
class Handover:
    """Give the records of one person to another; all entities in which the principal may hand over, or those named.

    With `others` they go in turn to the successor and to them, beginning at place `turn`; with `most` only so many of each
    entity are given now.
    """

    leaver: int
    successor: int
    entities: tuple[str, ...] | None = None
    others: tuple[int, ...] = ()
    most: int | None = None
    turn: int = 0


@dataclass(frozen=True)
class Bulk:
    """Several commands. Not atomic: each succeeds or fails by itself."""

    commands: tuple["Command", ...]
    atomic: bool = False


Command = (
    Create
    | Update
    | Delete
    | Restore
    | Transition
    | Tick
    | Attach
    | Detach
    | Comment
    | EditComment
    | RemoveComment
    | Merge
    | Distinct
    | Convert
    | Undo
    | Handover
    | Bulk
)


@dataclass(frozen=True)
class Outcome:
    """`batch` names all changes the command made (for `Undo`). `results` are those of several commands or records.

    `problems` are not empty when this part of a bulk failed; `warnings` are things to look at, such as likely duplicates.
    `after` are the stored values of the record as the command has left it; None where it was not written.
    """

    id: int | None = None
    version: int | None = None
    batch: int = 0
    entity: str | None = None
    warnings: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()
    results: tuple["Outcome", ...] = ()
    status: int = 200
    details: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] | None = None
