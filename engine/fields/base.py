"""A field type is one class in one file: its settings, and what they mean everywhere.

The class is at once the shape of the definition (`{type: money, currency: CNY}`) and the behaviour of the field: how a
value that somebody sends becomes the stored value, how it is shown, its JSON Schema, its column, its type in
expressions, the widget that edits it.  A new field type is a new file in this package.

Values come in by two doors.  `parse` takes a JSON value and says exactly what `json_schema` says: that is the API.
`read` takes what people type or a table file holds (`¥1.2万`, `2026年3月1日`, `是`) and makes the same stored values.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal, Self

import sqlalchemy as sa
from pydantic import ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from engine.expressions.types import Type
from engine.problems import Label, Problem, Refused
from engine.registry import Registry
from engine.shape import Formula, Shape, Text

field_types: Registry[type["Field"]] = Registry("field type")

Operator = Literal["eq", "ne", "lt", "le", "gt", "ge", "in", "contains", "starts", "has", "empty", "filled"]
COMPARED: tuple[Operator, ...] = ("eq", "ne", "lt", "le", "gt", "ge", "in", "empty", "filled")
MATCHED: tuple[Operator, ...] = ("eq", "ne", "in", "contains", "starts", "empty", "filled")
CHOSEN: tuple[Operator, ...] = ("eq", "ne", "in", "empty", "filled")
PRESENT: tuple[Operator, ...] = ("empty", "filled")

DateOrder = Literal["ymd", "mdy", "dmy"]


class Invalid(ValueError):
    """A value that does not fit a field: a code of the catalogue and its parameters."""

    def __init__(self, code: str, **parameters: Any) -> None:
        self.code = code
        self.parameters = parameters
        super().__init__(code)


class Field(Shape):
    """The settings that every field has."""

    # What documentation and the designer's palette say of the type.
    title: ClassVar[Label]
    doc: ClassVar[Label]
    example: ClassVar[str]
    # How it is edited and searched.
    widget: ClassVar[str] = "text"
    operators: ClassVar[tuple[Operator, ...]] = CHOSEN
    sortable: ClassVar[bool] = True
    stored: ClassVar[bool] = True  # False: the type has no column of its own (children)
    computed: ClassVar[bool] = False  # True: only the engine writes it

    type: str
    label: Text | None = None
    help: Text | None = None
    was: str | None = None
    required: bool = False
    required_when: Formula | None = None
    readonly: bool = False
    readonly_when: Formula | None = None
    visible_when: Formula | None = None
    formula: Formula | None = None
    default: Any = None
    unique: bool = False
    index: bool = False
    search: bool | None = None

    def value_type(self) -> Type:
        """The type of the stored value in expressions, nullable."""
        raise NotImplementedError

    def column(self) -> sa.types.TypeEngine[Any]:
        """The SQL type, the same on both databases."""
        raise NotImplementedError

    def parse(self, value: Any) -> Any:
        """The stored value of a JSON value; None for null and for what counts as empty. Raises Invalid.

        Accepts what `json_schema` accepts, and nothing else (`engine.forms.reference` names the exceptions).
        """
        raise NotImplementedError

    def read(self, text: str, dates: DateOrder = "ymd") -> Any:
        """The stored value of a text that a person typed or a table file holds; None for a blank one. Raises Invalid.

        `dates` is the order in which an import says that its dates are written.
        """
        return self.parse(text.strip() or None)

    def to_json(self, stored: Any) -> Any:
        """The JSON value of a stored one. `parse(to_json(x)) == x`."""
        return stored

    def json_code(self, stored: str) -> tuple[str, dict[str, Any]] | None:
        """`to_json` written out for lists, where a call for each value would cost more than its work.

        A Python expression over the name `stored`, whose value is not None, and the other names in it; None: call `to_json`.
        """
        return None

    def show(self, stored: Any, language: str = "zh") -> str:
        """A stored value as people read it; empty for None. `read(show(x)) == x` for types whose values have words."""
        return "" if stored is None else str(self.to_json(stored))

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of the JSON value, null excluded."""
        raise NotImplementedError

    def filled_schema(self) -> dict[str, Any]:
        """Like `json_schema`, without the values that count as empty."""
        return self.json_schema()

    def default_value(self) -> Any:
        """The literal default as a stored value; None if there is none or it is dynamic (`user`, `today`, `now`)."""
        if self.default is None or self.dynamic_default:
            return None
        return self.read(self.default) if isinstance(self.default, str) else self.parse(self.default)

    @property
    def personal(self) -> bool:
        """Whether it tells of a person, so that showing it to more people is a matter of privacy."""
        return False

    @property
    def dynamic_default(self) -> str | None:
        """`user`, `today`, `now` or `team` when the default is found at the moment of creation, else None."""
        return None

    @property
    def derived(self) -> bool:
        """Whether the engine alone writes it: by its type, or because it has a formula."""
        return self.computed or self.formula is not None

    @property
    def searchable(self) -> bool:
        """Whether global and list search read it."""
        return bool(self.search)

    def within(self, currency: str, timezone: str) -> "Field":
        """The field as an app with this currency and time zone means it, where its own settings are silent."""
        return self

    def faults(self) -> Iterator[tuple[str, Invalid]]:
        """What is wrong with the settings: the setting, and a problem of the catalogue without its label."""
        if self.unique and "eq" not in self.operators:
            yield "unique", Invalid("setting-unfit", setting="unique", type=self.type)
        if self.index and not self.sortable:
            yield "index", Invalid("setting-unfit", setting="index", type=self.type)
        if self.search and "contains" not in self.operators:
            yield "search", Invalid("setting-unfit", setting="search", type=self.type)
        if self.formula is not None and not self.stored:
            yield "formula", Invalid("setting-unfit", setting="formula", type=self.type)
        if self.default is not None:
            if self.derived:
                yield "default", Invalid("setting-unfit", setting="default", type=self.type)
            else:
                try:
                    self.default_value()
                except Invalid as error:
                    yield "default", Invalid("default-invalid", cause=error.code, value=str(self.default)[:80])

    @model_validator(mode="after")
    def _settings_fit(self) -> Self:
        wrong = [
            InitErrorDetails(
                type=PydanticCustomError(
                    error.code.replace("-", "_"), "{code}", {"code": error.code, **error.parameters}
                ),
                loc=(setting,),
                input=getattr(self, setting, None),
            )
            for setting, error in self.faults()
        ]
        if wrong:
            raise ValidationError.from_exception_data(type(self).__name__, wrong)
        return self


def refuse(path: str, error: Invalid, label: Label) -> Refused:
    """The refusal of one value at `path`."""
    return Refused(Problem(error.code, path, {"label": label, **error.parameters}))
