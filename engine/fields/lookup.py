"""Links to one other record, to a user, or to a team: what is stored is the id of the target."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import BeforeValidator, Field as Key

from engine.expressions.types import Type
from engine.fields.base import CHOSEN, DateOrder, Field, Invalid, Operator, field_types
from engine.fields.scalars import END, READ_LIMIT, plain_text, typed
from engine.problems import Label
from engine.shape import Formula, Shape, Text

# Ids are texts in JSON: most are beyond what a browser's numbers hold. Those below 9·10^18 are made until the year 2087.
ID_PATTERN = "^(?:[1-9][0-9]{0,17}|[1-8][0-9]{18})" + END
_ID = re.compile(ID_PATTERN)
ID_SCHEMA: dict[str, Any] = {"type": "string", "pattern": ID_PATTERN}


def parse_id(value: Any) -> int:
    """The stored id of its JSON text. Raises Invalid."""
    text = plain_text(value, READ_LIMIT)
    if len(text) > 19 or not _ID.search(text):
        raise Invalid("reference-malformed", value=text[:40])
    return int(text)


class Linking(Field):
    """What fields that point to a record share."""

    operators: ClassVar[tuple[Operator, ...]] = CHOSEN

    @property
    def target(self) -> str:
        """The entity pointed to."""
        raise NotImplementedError

    def value_type(self) -> Type:
        return Type("record", entity=self.target)

    def column(self) -> sa.types.TypeEngine[Any]:
        return sa.BigInteger()

    def parse(self, value: Any) -> int | None:
        return None if value is None else parse_id(value)

    def read(self, text: str, dates: DateOrder = "ymd") -> int | None:
        """Ids only: who reads names knows the records and looks them up."""
        return self.parse(typed(text) or None)

    def to_json(self, stored: int | None) -> str | None:
        return None if stored is None else str(stored)

    def json_code(self, stored: str) -> tuple[str, dict[str, Any]] | None:
        return f"str({stored})", {}

    def json_schema(self) -> dict[str, Any]:
        return dict(ID_SCHEMA)


class Inverse(Shape):
    """The collection on the other side of a lookup: its name in expressions, and its heading, else the entity's label."""

    name: str = Key(description="Its name in expressions and gates: count(orders).")
    label: Text | None = Key(None, description="Its heading on record pages; the label of the entity when absent.")


def _inverse(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


@field_types.register("lookup")
class LookupField(Linking):
    """A link to one record of another entity."""

    title: ClassVar[Label] = Label("关联", "Lookup")
    doc: ClassVar[Label] = Label(
        "指向另一种记录;inverse 是对方看到的集合,autofill 选中后带出字段。",
        "A link to a record; `inverse` names the collection on the other side, `autofill` copies fields once chosen.",
    )
    example: ClassVar[str] = "{type: lookup, to: customer, on_delete: keep, inverse: orders, autofill: {phone: phone}}"
    widget: ClassVar[str] = "lookup"

    type: Literal["lookup"] = "lookup"
    to: str = Key(description="The entity it points to.")
    on_delete: Literal["keep", "restrict", "clear", "cascade"] | None = Key(
        None,
        description="When the target is deleted: keep the link, refuse the deletion, clear the link, or delete this record too; keep when absent. A record that is restored later finds its link cleared, or is not restored before the target where that was to be refused or to go along.",
    )
    inverse: Annotated[Inverse, BeforeValidator(_inverse, json_schema_input_type=str | Inverse)] | None = Key(
        None,
        description="The name under which the target sees the records that point to it, or {name, label} where their own label says too little.",
    )
    where: Formula | None = Key(None, description="Which records may be chosen; `this` is the record being edited.")
    autofill: dict[str, str] = Key(
        default_factory=dict, description="Own field: field of the target, copied when the link is set."
    )
    create: bool = Key(False, description="Whether a new target may be made from within the form.")

    @property
    def target(self) -> str:
        return self.to

    def faults(self) -> Iterator[tuple[str, Invalid]]:
        if self.required and self.on_delete == "clear":
            yield "on_delete", Invalid("required-cleared")
            return
        yield from super().faults()
