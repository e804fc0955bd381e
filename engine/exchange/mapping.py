"""The mapping file: which column of a table becomes which field, written once and used for every import of its kind.

    entity: order
    key: [external_id]                       # a row with the same key changes the record instead of making another
    columns:
      Order no.: [external_id, name]       # one column may fill several fields
      Client: {field: client, lookup: {by: name, create: true, set: {region: north}}}
      Device: {field: device, values: {GTXPro: GTX Pro}}
      Ordered: {field: ordered_on, dates: mdy}
      Remarks: {ignore: true}
    defaults: {source: old_system}
    stage: {column: State, values: {Won: won, Lost: lost}, at: Ordered}

Several tables, or several kinds of record in one table, are `steps`, done one after the other; a step may name its own
`file`.  A step with `people` makes users and teams instead of records.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field as Key, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from engine.definition.parse import parse
from engine.fields.base import DateOrder
from engine.problems import Label, Place, Problem, Refused
from engine.shape import Names, Shape

MOST_STEPS = 50


class LookupBy(Shape):
    """How a text finds the record that a link points to."""

    by: str | None = Key(None, description="The field of the target that holds the text; its title when absent.")
    create: bool = Key(False, description="Make the target when there is none.")
    set: dict[str, Any] = Key(default_factory=dict, description="Values of targets that are made.")
    otherwise: Literal["refuse", "empty", "me"] = Key(
        "refuse",
        description="When there is none: refuse the row, leave the field empty, or (people) take whoever imports.",
    )


class Column(Shape):
    """What becomes of one column."""

    field: str | None = Key(None, description="The field; none for a column that is only read by `stage` or ignored.")
    values: dict[str, Any] = Key(
        default_factory=dict, description="Texts of the file and what they stand for; null for empty."
    )
    dates: DateOrder | None = Key(None, description="In which order dates are written.")
    lookup: LookupBy | None = None
    default: Any = Key(None, description="The value of an empty cell.")
    times: Decimal | None = Key(
        None, gt=0, description="What a number is multiplied with: 1000000 where the file counts in millions."
    )
    ignore: bool = Key(False, description="The column is left out on purpose.")


def _columns(value: Any) -> Any:
    """`Header: field` is short for `Header: [{field: field}]`, and `Header: null` for a column that is ignored."""
    if value is None:
        return [{"ignore": True}]
    return [
        {"field": each} if isinstance(each, str) else each
        for each in (value if isinstance(value, (list, tuple)) else [value])
    ]


class Takeover(Shape):
    """Records enter their process at the stage that the file says: for administrators who take over an older system."""

    column: str
    values: dict[str, str] = Key(
        default_factory=dict,
        description="Texts of the file and the stages they stand for; otherwise a stage's key or label.",
    )
    at: str | None = Key(None, description="The column of the date since when the record exists.")
    dates: DateOrder | None = None


class PeopleStep(Shape):
    """People of the organisation: each distinct name becomes a user, each distinct path of teams a team."""

    name: str = Key(description="The column of the name.")
    login: str | None = Key(None, description="The column of the login; made from the name when absent.")
    team: Names = Key((), description="Columns that name the team, from the top down.")
    leader: str | None = Key(None, description="The column of who leads the team.")
    roles: Names = ()
    leader_roles: Names = ()


class Step(Shape):
    """One kind of record out of one table."""

    entity: str | None = None
    people: PeopleStep | None = None
    file: str | None = Key(
        None, description="The table, beside the mapping or the first table; the one given when absent."
    )
    key: Names = Key(
        (),
        description="Fields that tell a record: one with the same values is changed. `id` is the record's own number.",
    )
    columns: dict[str, Annotated[tuple[Column, ...], BeforeValidator(_columns)]] = Key(default_factory=dict)
    defaults: dict[str, Any] = Key(default_factory=dict, description="Values of fields that no column gives.")
    dates: DateOrder = "ymd"
    duplicates: Literal["flag", "refuse"] = Key(
        "flag",
        description="flag: as the entity's own rule says; refuse: rows that are probably duplicates are left out.",
    )
    pipeline: str | None = None
    stage: Takeover | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> "Step":
        if (self.entity is None) == (self.people is None):
            raise PydanticCustomError("wrong_shape", "a step has an entity or people", {"expected": "entity or people"})
        return self


class ImportMapping(Shape):
    """A mapping: steps in their order."""

    label: str | None = None
    steps: tuple[Step, ...] = Key(min_length=1, max_length=MOST_STEPS)


def _whole(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """A mapping of a single step may do without `steps`."""
    if "steps" in data:
        return data
    return {
        "steps": [{key: value for key, value in data.items() if key != "label"}],
        **({"label": data["label"]} if "label" in data else {}),
    }


def read_mapping(name: str, text: str) -> ImportMapping:
    """The mapping of a YAML or JSON text. Raises Refused (422) with everything that is wrong, each with its place or path."""
    parsed = parse(name, text)
    wrong = [problem for problem in parsed.problems if problem.severity == "error"]
    if parsed.root is None or wrong:
        raise Refused(
            wrong
            or Problem("wrong-shape", "", {"expected": Label("键值对", "keys with values")}, place=Place(name, 1, 1))
        )
    return mapping_of(parsed.root.data)


def mapping_of(data: Mapping[str, Any]) -> ImportMapping:
    """The mapping of plain data. Raises Refused (422)."""
    try:
        return ImportMapping.model_validate(_whole(data))
    except ValidationError as error:
        raise Refused([_problem(each) for each in error.errors(include_url=False, include_input=False)]) from None


def load_mapping(path: Path) -> ImportMapping:
    return read_mapping(path.name, path.read_text("utf-8"))


def mapping_schema() -> dict[str, Any]:
    """The JSON Schema of mapping files, for editors."""
    whole = ImportMapping.model_json_schema(ref_template="#/$defs/{model}")
    defs = whole.pop("$defs", {})
    step = defs["Step"]
    # What the reader of mappings writes out by itself.
    one = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Column"}]}
    step["properties"]["columns"]["additionalProperties"] = {
        "anyOf": [{"type": "null"}, one, {"type": "array", "items": one, "minItems": 1}]
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": defs,
        "anyOf": [whole, {**step, "properties": {**step["properties"], "label": {"type": "string"}}}],
    }


def _problem(error: Any) -> Problem:
    path = ".".join(str(part) for part in error["loc"] if not str(part).startswith("function-"))
    if error["type"] in ("extra_forbidden", "unknown_key"):
        return Problem("import-mapping-key", path, {"key": str(error["loc"][-1])})
    if error["type"] == "missing":
        return Problem("import-mapping-missing", path, {"key": str(error["loc"][-1])})
    return Problem("import-mapping-shape", path, {"path": path or "mapping"})
