"""The fields that every record has without being asked, as Field objects like any other.

They stand after the declared fields and are read like them; people do not write them.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

import sqlalchemy as sa

from engine.expressions.types import Type
from engine.fields.base import CHOSEN, Field, Invalid, Operator
from engine.fields.choice import ChoiceField, Option
from engine.fields.choices import ChoicesField
from engine.fields.datetime import DatetimeField
from engine.fields.integer import IntegerField
from engine.fields.lookup import ID_SCHEMA, parse_id
from engine.fields.user import UserField
from engine.problems import Label


class IdField(Field):
    """The number of a record: a text in JSON. Not a type that a definition can name."""

    title: ClassVar[Label] = Label("记录号", "Record id")
    doc: ClassVar[Label] = Label("记录的内部编号。", "The engine's own number of a record.")
    example: ClassVar[str] = ""
    widget: ClassVar[str] = "readonly"
    operators: ClassVar[tuple[Operator, ...]] = CHOSEN
    computed: ClassVar[bool] = True

    type: Literal["id"] = "id"

    def value_type(self) -> Type:
        return Type("number", nullable=False)

    def column(self) -> sa.types.TypeEngine[Any]:
        return sa.BigInteger()

    def parse(self, value: Any) -> int | None:
        return None if value is None else parse_id(value)

    def to_json(self, stored: int | None) -> str | None:
        return None if stored is None else str(stored)

    def json_code(self, stored: str) -> tuple[str, dict[str, Any]] | None:
        return f"str({stored})", {}

    def json_schema(self) -> dict[str, Any]:
        return {**ID_SCHEMA, "readOnly": True}


BUILT_IN: dict[str, Field] = {
    "id": IdField(label=IdField.title),
    "version": IntegerField(label=Label("版本号", "Version"), readonly=True),
    "created_at": DatetimeField(label=Label("创建时间", "Created at"), readonly=True),
    "created_by": UserField(label=Label("创建人", "Created by"), readonly=True),
    "updated_at": DatetimeField(label=Label("修改时间", "Updated at"), readonly=True),
    "updated_by": UserField(label=Label("修改人", "Updated by"), readonly=True),
    "deleted_at": DatetimeField(label=Label("删除时间", "Deleted at"), readonly=True),
}
PROCESS_NAMES = ("pipeline", "stage", "stage_entered_at", "checklist")
RESERVED = frozenset((*BUILT_IN, *PROCESS_NAMES))


def process_fields(
    pipelines: Mapping[str, Label], stages: Mapping[str, Label], checklist: Mapping[str, Label]
) -> dict[str, Field]:
    """The fields of an entity with at least one process.

    `stages` is the union over its processes, `checklist` has keys like `stage.item`; both may share labels, for two
    processes may call different stages alike.
    """
    return {
        "pipeline": _Named(label=Label("流程", "Process"), readonly=True, options=_options(pipelines)),
        "stage": _Named(label=Label("阶段", "Stage"), readonly=True, options=_options(stages)),
        "stage_entered_at": DatetimeField(label=Label("进入阶段时间", "Stage entered at"), readonly=True),
        "checklist": _Ticked(label=Label("检查项", "Checklist"), readonly=True, options=_options(checklist)),
    }


def _options(labels: Mapping[str, Label]) -> dict[str, Option]:
    return {key: Option(label=label) for key, label in labels.items()}


class _Named(ChoiceField):
    """Labels of processes and stages need not differ."""

    def faults(self) -> Iterator[tuple[str, Invalid]]:
        return iter(())


class _Ticked(ChoicesField):
    """Labels of checklist items are sentences, with whatever signs they need; there may be no items at all."""

    def faults(self) -> Iterator[tuple[str, Invalid]]:
        return iter(())
