"""The shapes of processes: stages, the gates between them, and the transitions that lead through."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field as Key

from engine.shape import Formula, Names, Shape, Span, Text

Direction = Literal["forward", "return", "skip"]


def _count(value: Any) -> Any:
    return {"count": value} if isinstance(value, int) else value


class FileNeed(Shape):
    """How many files of which kind a slot (a file field) must hold. `accept` lists file name endings."""

    count: int = Key(1, ge=1, le=100)
    accept: Names = ()


class RelatedNeed(Shape):
    """How many related records, meeting a condition, must exist."""

    count: int = Key(1, ge=1, le=1000)
    where: Formula | None = None
    say: Text | None = None


class Condition(Shape):
    """An expression that must hold, and the words of the refusal when it does not."""

    when: Formula
    say: Text | None = None


class Gate(Shape):
    """What a record must have to pass. All needs count together; a refusal lists every one that is missing."""

    fields: Names = ()
    files: dict[str, Annotated[FileNeed, BeforeValidator(_count, json_schema_input_type=int | FileNeed)]] = Key(
        default_factory=dict
    )
    related: dict[str, Annotated[RelatedNeed, BeforeValidator(_count, json_schema_input_type=int | RelatedNeed)]] = Key(
        default_factory=dict
    )
    checklist: dict[str, Text] = Key(default_factory=dict, description="Items that somebody ticks.")
    roles: Names = Key((), description="Only these roles may pass.")
    when: Formula | None = None
    say: Text | None = None
    rules: dict[str, Condition] = Key(default_factory=dict)


class Stage(Shape):
    """A station of a process. `kind` compares stages across processes; `end` closes the record."""

    label: Text | None = None
    help: Text | None = None
    was: str | None = None
    kind: str | None = None
    start: bool = False
    end: Literal["won", "lost", "done", "cancelled"] | None = None
    limit: Span | None = Key(None, description="How long a record should stay at most.")
    owner: str | None = Key(None, description="The role that answers for this stage.")
    entry: Gate | None = None
    exit: Gate | None = None
    sets: dict[str, Formula] = Key(default_factory=dict, description="Fields set on entering the stage.")


class Transition(Shape):
    """A way from one stage to another. `return` goes back, `skip` passes over stages; both may demand a reason."""

    label: Text | None = None
    from_: Names = Key(alias="from", description="One stage or several; * for every stage that is no end.")
    to: str
    by: Names = Key((), description="Roles that may take it; empty: whoever may transition the record.")
    direction: Direction = "forward"
    when: Formula | None = None
    say: Text | None = None
    reason: Literal["required", "optional", "none"] | None = None
    reasons: dict[str, Text] = Key(default_factory=dict, description="Reasons to choose from.")
    gates: bool = Key(
        True, description="Whether the exit gate of the stage left must be passed; returns never need it."
    )


class Kind(Shape):
    """A kind of stage, common to several processes."""

    label: Text | None = None


class Process(Shape):
    """The stages a record of an entity goes through. Of several, a record follows the one named in its `pipeline`.

    Without `transitions`, stages lead one into the next in file order and back to any earlier one.
    """

    entity: str
    label: Text | None = None
    help: Text | None = None
    was: str | None = None
    when: Formula | None = Key(None, description="New records that meet it start here, unless they say otherwise.")
    stages: dict[str, Stage]
    transitions: dict[str, Transition] = Key(default_factory=dict)
