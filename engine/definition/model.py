"""What a definition's text says, assembled from the slices of the vocabulary that the rooms own.

`AppDefinition` is frozen.  It is the text after parsing and shaping: short forms written out, names not yet resolved.
Whether it makes sense is the business of `engine.definition.check`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field as Key, SerializeAsAny
from pydantic_core import PydanticCustomError

from engine.access.definition import Policy, Role
from engine.analytics.definition import Home
from engine.fields import Field, field_types
from engine.forms.briefs import Brief
from engine.forms.definition import Form, MenuGroup, Section, View
from engine.rules.definition import Conversion, Duplicates, Group, Notice, Rule, Score
from engine.shape import Formula, Names, Shape, Text
from engine.workflows.definition import Kind, Process


def _field(value: Any) -> Any:
    """A field of the type that the text names; `name: text` is short for `name: {type: text}`."""
    if isinstance(value, Field):
        return value
    if isinstance(value, str):
        value = {"type": value}
    if not isinstance(value, Mapping):
        raise PydanticCustomError("wrong_shape", "expected a field", {"expected": "field"})
    name = value.get("type")
    if name is None:
        raise PydanticCustomError("missing", "a field needs a type", {})
    kind = field_types.get(name) if isinstance(name, str) else None
    if kind is None:
        raise PydanticCustomError("unknown_type", "unknown field type", {"name": str(name)})
    return kind.model_validate(value)


AnyField = Annotated[SerializeAsAny[Field], BeforeValidator(_field)]


class Calendar(Shape):
    """Working time. `workdays: cn` knows the Chinese statutory holidays and make-up workdays; `week` is Monday to Friday."""

    workdays: Literal["cn", "week"] = "cn"
    hours: str = Key(
        "09:00-18:00",
        pattern=r"^\d\d:\d\d-\d\d:\d\d(\s*,\s*\d\d:\d\d-\d\d:\d\d)*$",
        description="Working hours of a day; several ranges for a break.",
    )
    timezone: str = "Asia/Shanghai"
    holidays: Names = Key((), description="Own days off, ISO dates.")
    workday_exceptions: Names = Key((), description="Own working days on what would be days off, ISO dates.")


class Entity(Shape):
    """A kind of record: one table."""

    label: Text | None = None
    help: Text | None = None
    was: str | None = None
    icon: str | None = None
    title: str | None = Key(None, description="The field that names a record.")
    subtitle: str | None = None
    number: str | None = Key(None, description="Template of the running number, such as L{yyyy}{mm}-{seq:5}.")
    part_of: str | None = Key(
        None, description="A lookup to the parent: access follows the parent, and the parent's page edits it."
    )
    fields: dict[str, AnyField]
    sections: dict[str, Section] = Key(default_factory=dict)
    rules: dict[str, Rule] = Key(default_factory=dict)
    unique: dict[str, Names] = Key(
        default_factory=dict, description="Combinations of fields that no two records share."
    )
    duplicates: Duplicates | None = None
    group: Group | None = None
    notices: dict[str, Notice] = Key(default_factory=dict)
    conversions: dict[str, Conversion] = Key(default_factory=dict)
    briefs: dict[str, Brief] = Key(default_factory=dict)


class Team(Shape):
    """A team of the sample data."""

    label: Text
    parent: str | None = None
    leader: str | None = None


class Person(Shape):
    """A user of the sample data, who signs in by the key it stands under."""

    name: str
    roles: Names
    team: str | None = None
    email: str | None = None
    phone: str | None = None


class Make(Shape):
    """How demo records of one entity are made: how many, over which months, and what their values look like.

    `fields` gives the shape of a field's values.  A field without one gets what its type suggests where it is required
    (a name, a number, an option, a record to point to) and its default otherwise.  A shape is one of

        a value                      "transfer", 5, true; null leaves the field empty
        a list                       one of its shapes
        {value: weight}              one of the values, as often as its weight says; in a field of several choices each
                                     value is in with a chance of its weight in per cent
        {from, to}                   a number between the two; spans such as "-3 d" or "2 h" count from the creation of
                                     the record, also for dates, so that an order of events is kept
        {now: {from, to}}            a moment so far from now: a visit of today, whenever the demo is made
        {since, of, otherwise}       the shape `of` for records made no longer ago than that, `otherwise` for older ones
        {part: path, from, to}       so much of the number along a path: {part: contract.total_amount, from: 0.2, to: 0.5}
        {share, of}                  so many per cent of the records have a value of the shape `of` (as the type suggests
                                     when absent), the others none
        {turn: [...]}                the first for the first record, the second for the second, and so on
        {by, cases, otherwise}       the shape depends on the value of the field `by`; without a case, none
        {same: path, otherwise}      what is found along a path from the record: {same: account.owner}; where that is
                                     nothing, a value of the shape `otherwise`
        {role: name}                 somebody of the sample people with this role
        {team: name}                 this team of the sample
        {files: {ending: count}}     small files with these endings

    A person without a shape is the one whom a record it points to has in a field of the same name.

    Texts are patterns: {word} takes a word of the list `word` in `sample.lists`, {seq} counts. With `per`, {seq} and
    `turn` begin anew for each parent.  Lookups point to records that meet their `where`; what a unique combination
    refuses is left out.  Records pass the gates on their way to their stage: what a gate asks for and no shape gives is
    filled as its type suggests.
    """

    count: int | None = Key(None, ge=0, description="How many at size 1; with per: how many to a parent at most.")
    per: str | None = Key(None, description="A lookup: so many for each record it points to.")
    least: int = Key(0, ge=0, description="With per: at least so many to a parent.")
    fields: dict[str, Any] = Key(default_factory=dict, description="What the values of a field look like.")
    stages: dict[str, dict[str, int]] = Key(
        default_factory=dict, description="Process, then stage, with weights: where records have got to."
    )
    months: int = Key(6, ge=0, le=60, description="Over how many past months records were created.")


class Sample(Shape):
    """People and demo data, so that a new app can be tried at once."""

    teams: dict[str, Team] = Key(default_factory=dict)
    people: dict[str, Person] = Key(default_factory=dict)
    password: str | None = Key(None, description="The password of all sample people; for demonstrations only.")
    make: dict[str, Make] = Key(default_factory=dict)
    lists: dict[str, Names] = Key(
        default_factory=dict, description="Words from which texts are built: {list} in a field's pattern."
    )


class Preset(Shape):
    """A ready-made variant of the app: a file whose maps are laid over the definition."""

    label: Text
    help: Text | None = None
    file: str


class AppDefinition(Shape):
    """A whole app package."""

    app: str = Key(pattern=r"^[a-z][a-z0-9_]{0,30}$")
    version: str = Key(pattern=r"^\d+\.\d+\.\d+$")
    label: Text
    help: Text | None = None
    include: Names = ()
    currency: str = Key("CNY", pattern="^[A-Z]{3}$")
    calendar: Calendar = Calendar()
    presets: dict[str, Preset] = Key(default_factory=dict)
    preset: str | None = None
    roles: dict[str, Role] = Key(default_factory=dict)
    entities: dict[str, Entity]
    menu: dict[str, MenuGroup] = Key(
        default_factory=dict, description="How the menu is grouped; without it the entities follow one another."
    )
    kinds: dict[str, Kind] = Key(default_factory=dict, description="Kinds of stage, in the order of a journey.")
    forms: dict[str, Form] = Key(default_factory=dict)
    views: dict[str, View] = Key(default_factory=dict)
    homes: dict[str, Home] = Key(
        default_factory=dict, description="What people find when they open the app, by job; one home for all of a role."
    )
    policies: dict[str, dict[str, Policy]] = Key(default_factory=dict)
    processes: dict[str, Process] = Key(default_factory=dict)
    scores: dict[str, Score] = Key(default_factory=dict)
    sample: Sample = Sample()
    allow: dict[str, str] = Key(
        default_factory=dict, description="Warnings taken on purpose: code, or code@path, and the reason."
    )


__all__ = ["AppDefinition", "Calendar", "Entity", "Formula", "Make", "Person", "Preset", "Sample", "Team"]
