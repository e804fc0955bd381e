"""A small shop whose definition the tests edit, and a bench that publishes it and looks into the database."""

import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from engine.app import App
from engine.clock import SetClock
from engine.columns import new_id
from engine.definition import load
from engine.publishing.apply import apply, rollback
from engine.publishing.plan import Plan, plan_for
from engine.publishing.versions import live_version, load_app
from engine.storage import system
from engine.storage.database import Database

NOW = 1_772_668_800_000_000  # 2026-03-05 00:00 UTC

SHOP = """
app: shop
version: 1.0.0
label: 门店
roles: {clerk: {label: 店员}, boss: {label: 店长, includes: [clerk], administrator: true}}
entities:
  place:
    label: 门店
    title: name
    fields:
      name: {type: text, required: true}
  visit:
    label: 巡店
    title: note
    fields:
      note: text
      amount: money
      twice: {type: money, formula: amount * 2}
      state: {type: choice, options: {open: 开, done: 完}}
      tags: {type: choices, options: {a: 甲, b: 乙, c: 丙}}
      place: {type: lookup, to: place, on_delete: keep, inverse: visits}
      owner: user
views:
  open_visits: {entity: visit, where: "state == 'open'", sort: -amount, columns: [note]}
policies:
  clerk:
    visit: {rows: "true", actions: [read, create, update, transition]}
    place: {rows: "true", actions: [read]}
"""


class Bench:
    """One database and the app in it. `plan` and `publish` take the text of a definition."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.clock = SetClock(NOW)

    def plan(self, text: str) -> Plan:
        return plan_for(self.db, load({"shop.yaml": text}), self.clock.now())

    def publish(self, text: str) -> int:
        """Publish, taking every hazard that can be taken."""
        return self.apply(self.plan(text))

    def apply(self, plan: Plan) -> int:
        return apply(self.db, plan, {hazard.key: "tested" for hazard in plan.hazards}, by=None, at=self.clock.now())

    def back_to(self, number: int) -> int:
        return self.apply(rollback(self.db, "shop", number, self.clock.now()))

    @property
    def app(self) -> App:
        with self.db.read() as read:
            stored = live_version(read, self.db, "shop")
        assert stored is not None
        return load_app(stored)

    def add(self, entity: str, **values: Any) -> int:
        """A record with stored values, straight into its table."""
        model = self.app.entities[entity]
        key = new_id()
        row = {"id": key, "version": 1, "created_at": NOW, "updated_at": NOW}
        row |= {model.columns[name]: value for name, value in values.items()}
        with self.db.write() as write:
            write.run(self.db.statement(sa.insert(model.table).values(row)))
        return key

    def values(self, entity: str, *names: str) -> list[Any]:
        """Stored values of fields in the order of creation: single values for one name, tuples for several."""
        model = self.app.entities[entity]
        columns = [model.table.c[model.columns[name]] for name in names]
        rows = self.db.all(self.db.statement(sa.select(*columns).order_by(model.table.c.id)))
        return [row[0] for row in rows] if len(names) == 1 else rows

    def person(self, login: str, *roles: str) -> int:
        key = new_id()
        with self.db.write() as write:
            write.run(
                self.db.statement(
                    sa.insert(system.user).values(id=key, login=login, name=login, active=True, created_at=NOW)
                )
            )
            for role in roles:
                write.run(self.db.statement(sa.insert(system.user_role).values(user=key, app="shop", role=role)))
        return key


@pytest.fixture
def bench(database: Database) -> Iterator[Bench]:
    bench = Bench(database)
    bench.publish(SHOP)
    return bench


@pytest.fixture
def edit() -> Callable[..., str]:
    """`edit(("note: text", "note: longtext"))`: the shop's text with each first text replaced by the second."""

    def edited(*pairs: tuple[str, str], text: str = SHOP) -> str:
        for old, new in pairs:
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
            text = text.replace(old, textwrap.dedent(new) if new.startswith("\n") else new)
        return text

    return edited
