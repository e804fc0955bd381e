"""A small app of orders for the tests of the language: how its names are typed, and its tables on a real database."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from engine.calendars import WorkingCalendar
from engine.expressions import Context, Type
from engine.expressions.types import BOOLEAN, DATE, DATETIME, DURATION, JSON, NUMBER, TEXT

MONEY = Type("number", scale=2, unit="CNY")
STATES = ("draft", "sent", "paid")
USER = Type("record", entity="user")

FIELDS: dict[str, dict[str, Type]] = {
    "order": {
        "id": Type("record", nullable=False, entity="order"),
        "title": TEXT, "note": TEXT, "amount": MONEY, "cost": MONEY.required(), "price_usd": Type("number", scale=2, unit="USD"),
        "quantity": NUMBER, "weight": Type("number", scale=3), "rate": Type("number", scale=4, unit="percent"), "paid": BOOLEAN.optional(),
        "due": DATE, "sent_at": DATETIME, "effort": DURATION, "state": Type("choice", options=STATES), "stage": Type("choice", options=("open", "closed")),
        "tags": Type("choices", options=("red", "green", "blue")), "photos": Type("files"), "extra": JSON,
        "customer": Type("record", entity="customer"), "owner": USER, "lines": Type("records", nullable=False, entity="line"),
    },
    "line": {
        "id": Type("record", nullable=False, entity="line"),
        "order": Type("record", entity="order"), "product": Type("record", entity="product"), "amount": MONEY, "quantity": NUMBER, "late": BOOLEAN.optional(),
        "label": TEXT, "day": DATE, "took": DURATION,
    },
    "product": {"id": Type("record", nullable=False, entity="product"), "name": TEXT, "price": MONEY},
    "customer": {
        "id": Type("record", nullable=False, entity="customer"),
        "name": TEXT.required(), "parent": Type("record", entity="customer"), "orders": Type("records", nullable=False, entity="order"),
        "credit": MONEY, "since": DATE, "owner": USER,
    },
    "user": {"id": Type("record", nullable=False, entity="user"), "name": TEXT, "team": Type("record", entity="team"), "manager": USER},
    "team": {"id": Type("record", nullable=False, entity="team"), "name": TEXT},
}  # fmt: skip
RELATIONS = {("order", "lines"): ("line", "order"), ("customer", "orders"): ("order", "customer")}
VARIABLES = {
    "user": USER.required(), "user.teams_below": Type("list", nullable=False, item=Type("record", entity="team")),
    "limit": Type("number", nullable=False, scale=2),
}  # fmt: skip


class Schema:
    """The scope: what `FIELDS` and `VARIABLES` say."""

    def field(self, entity: str, name: str) -> Type | None:
        return FIELDS.get(entity, {}).get(name)

    def names(self, entity: str) -> list[str]:
        return list(FIELDS.get(entity, {}))

    def variable(self, name: str) -> Type | None:
        return VARIABLES.get(name)


SCHEMA = Schema()
_COLUMNS = {
    "number": sa.BigInteger(), "record": sa.BigInteger(), "datetime": sa.BigInteger(), "duration": sa.BigInteger(), "date": sa.Integer(), "boolean": sa.Boolean(),
}  # fmt: skip
metadata = sa.MetaData()
TABLES: dict[str, sa.Table] = {
    entity: sa.Table(
        f"t_{entity}", metadata,
        *(sa.Column(name, _COLUMNS.get(type.kind, sa.Text()), primary_key=name == "id") for name, type in fields.items() if type.kind != "records"),
    )
    for entity, fields in FIELDS.items()
}  # fmt: skip
days = sa.Table(
    "dg_calendar_day", metadata, sa.Column("calendar", sa.Text(), primary_key=True), sa.Column("day", sa.Integer(), primary_key=True), sa.Column("position", sa.Integer()),
    sa.Column("working", sa.Boolean()), sa.Index("dg_calendar_position", "calendar", "working", "position"),
)  # fmt: skip
stretches = sa.Table(
    "dg_calendar_stretch", metadata, sa.Column("calendar", sa.Text(), primary_key=True), sa.Column("since", sa.BigInteger(), primary_key=True),
    sa.Column("until", sa.BigInteger()), sa.Column("before", sa.BigInteger()), sa.Index("dg_calendar_before", "calendar", "before", "since"),
)  # fmt: skip


class Stored:
    """The tables as `TABLES` has them. `hidden` lists (entity, id) that the reader may not see."""

    def __init__(self, hidden: tuple[tuple[str, int], ...] = ()) -> None:
        self.hidden = hidden

    def table(self, entity: str) -> Any:
        return TABLES[entity].alias()

    def column(self, alias: Any, entity: str, name: str) -> Any:
        return alias.c[name]

    def id(self, alias: Any, entity: str) -> Any:
        return alias.c.id

    def relation(self, entity: str, name: str) -> tuple[str, str]:
        return RELATIONS[entity, name]

    def readable(self, alias: Any, entity: str) -> Any | None:
        ids = [id for where, id in self.hidden if where == entity]
        return sa.and_(*(alias.c.id != id for id in ids)) if ids else None

    def variable(self, name: str) -> Any:
        kinds = {"now": sa.BigInteger(), "today": sa.Integer(), "timezone": sa.Text(), "calendar": sa.Text()}
        type = VARIABLES.get(name)
        return sa.bindparam(name, type_=kinds.get(name) or _COLUMNS.get(type.kind if type else "", sa.Text()))


class Given(Stored):
    """The own record is not stored yet: its fields are bound parameters, and nothing else changes."""

    def __init__(self, entity: str, values: Mapping[str, Any]) -> None:
        super().__init__()
        self.entity, self.values = entity, values

    def column(self, alias: Any, entity: str, name: str) -> Any:
        if alias is None:
            return sa.bindparam(
                None, self.values.get(name), type_=_COLUMNS.get(FIELDS[entity][name].kind, sa.Text()), unique=True
            )
        return alias.c[name]

    def id(self, alias: Any, entity: str) -> Any:
        return sa.literal(self.values["id"], sa.BigInteger()) if alias is None else alias.c.id


CALENDAR = WorkingCalendar.of(holidays=["2026-07-01"], workday_exceptions=["2026-07-04"])
NOW = 1_772_426_096_000_000  # 2026-03-02 12:34:56 in Shanghai, a Monday
CONTEXT = Context(NOW, CALENDAR, {"user": 7, "user.teams_below": (1, 3), "limit": 10_000, "user.team": 3})


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - date(1970, 1, 1).toordinal()


def files(*names: str) -> str:
    return json.dumps([{"name": name} for name in names])
