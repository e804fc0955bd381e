"""Whatever is edited in whatever order: the database becomes what the definition says, and nothing is lost on the way.

Each example is an app of its own: a few edits, one after the other, with records in between.  After each publishing the
same definition plans to nothing, what stands in the database is what the definition calls for, every column that nothing
was written to is as it was; and going back shows every record as before.
"""

import os
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings, strategies as st

from engine.app import App
from engine.columns import new_id
from engine.definition import load
from engine.publishing.apply import apply, rollback
from engine.publishing.changes import ConvertField, Recompute, Reindex, RenameValues, StartRecords
from engine.publishing.indexes import wanted
from engine.publishing.plan import Plan, plan_for
from engine.publishing.versions import live_version, load_app
from engine.storage.database import Database
from engine.storage.schema import inspect

NOW = 1_772_668_800_000_000
TYPES = {
    "text": "text", "longtext": "longtext", "integer": "integer", "number": "number", "money": "money", "date": "date", "boolean": "boolean",
    "choice": "{type: choice, options: [a, b, c]}", "choices": "{type: choices, options: [a, b, c]}", "duration": "duration",
    "unique": "{type: text, unique: true, max: 200}", "required": "{type: text, required: true}", "indexed": "{type: integer, index: true}",
}  # fmt: skip
SHOWN: Mapping[str, list[Any]] = {
    "text": ["12", "a", "b", "2026-03-05", "是", "1.25"], "longtext": ["x\ny", "7"], "integer": [0, 12, -3], "number": [125, -1200], "money": [100, 0],
    "date": [20517, 0], "boolean": [True, False], "choice": ["a", "c"], "choices": ["|a|", "|b|c|"], "duration": [3_600_000_000],
}  # fmt: skip
NAMES = ("one", "two", "three", "four")
Fields = dict[str, tuple[str, str | None]]  # name -> (key of TYPES, was)


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, str, str]:
    """(what to do, to which name, with which name or type)."""
    what = draw(st.sampled_from(("add", "drop", "rename", "retype", "rename entity", "drop entity", "nothing")))
    return what, draw(st.sampled_from(NAMES)), draw(st.sampled_from(NAMES if what == "rename" else tuple(TYPES)))


class Story:
    """The definition as it is edited: one entity with its fields, and another one that may come and go."""

    def __init__(self, app: str) -> None:
        self.app = app
        self.fields: Fields = {"one": ("text", None), "two": ("choice", None)}
        self.entity, self.was, self.other = "visit", None, True

    def edit(self, what: str, name: str, more: str) -> None:
        self.fields = {each: (kind, None) for each, (kind, _) in self.fields.items()}
        self.was = None
        if what in ("add", "retype") and (name in self.fields) is (what == "retype"):
            self.fields[name] = (more, None)
        elif what == "drop" and len(self.fields) > 1:
            self.fields.pop(name, None)
        elif what == "rename" and name in self.fields and more not in self.fields:
            self.fields[more] = (self.fields.pop(name)[0], name)
        elif what == "rename entity":
            self.entity, self.was = ("check" if self.entity == "visit" else "visit"), self.entity
        elif what == "drop entity":
            self.other = not self.other

    @property
    def text(self) -> str:
        lines = [
            f"app: {self.app}",
            "version: 1.0.0",
            "label: x",
            "entities:",
            f"  {self.entity}:",
            "    label: x",
            "    title: id",
        ]
        if self.was:
            lines.append(f"    was: {self.was}")
        lines.append("    fields:")
        for name, (kind, was) in self.fields.items():
            spec = TYPES[kind]
            if was:
                spec = spec[:-1] + f", was: {was}}}" if spec.startswith("{") else f"{{type: {spec}, was: {was}}}"
            lines.append(f"      {name}: {spec}")
        if self.other:
            lines += ["  place:", "    label: x", "    fields: {name: text}"]
        return "\n".join(lines) + "\n"


class World:
    def __init__(self, db: Database, name: str) -> None:
        self.db, self.name = db, name

    def plan(self, text: str) -> Plan:
        return plan_for(self.db, load({"app.yaml": text}), NOW)

    def apply(self, plan: Plan) -> None:
        accepted = {hazard.key: "tested" for hazard in plan.hazards}
        apply(self.db, plan, accepted, by=None, at=NOW)

    @property
    def app(self) -> App:
        with self.db.read() as read:
            stored = live_version(read, self.db, self.name)
        assert stored is not None
        return load_app(stored)

    def fill(self, draw: Any) -> None:
        """A record in every entity, with values where the draw says so."""
        app = self.app
        for name in app.hot_entities:
            model = app.entities[name]
            row: dict[str, Any] = {"id": new_id(), "version": 1, "created_at": NOW, "updated_at": NOW}
            for field in app.layout[name].fields:
                values = SHOWN[model.fields[field].type]
                if not model.fields[field].unique:
                    row[model.columns[field]] = draw(st.sampled_from([None, *values]))
            with self.db.write() as write:
                write.run(self.db.statement(sa.insert(model.table).values(row)))

    def seen(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every stored value of every field of the live version, by the fields' names."""
        app = self.app
        found = {}
        for name in app.hot_entities:
            model = app.entities[name]
            columns = [
                model.table.c.id,
                *(model.table.c[model.columns[each]] for each in sorted(app.layout[name].fields)),
            ]
            found[name] = self.db.all(self.db.statement(sa.select(*columns).order_by(model.table.c.id)))
        return found

    def columns(self) -> dict[tuple[str, str], list[Any]]:
        """Everything in every column of the app's tables, also of those that no field has any more."""
        with self.db.read(snapshot=True) as read:
            standing = inspect(read, self.db.dialect).tables
            found = {}
            for table, columns in standing.items():
                if table.startswith(f"{self.name}_"):
                    for column in columns:
                        this = sa.table(table, sa.column("id"), sa.column(column))
                        found[table, column] = read.column(
                            self.db.statement(sa.select(this.c[column]).order_by(this.c.id))
                        )
        return found

    def check_shape(self) -> None:
        app = self.app
        with self.db.read(snapshot=True) as read:
            found = inspect(read, self.db.dialect)
        for name, specs in wanted(app, self.db.dialect).items():
            table = app.entities[name].table
            assert {column.name for column in table.columns} <= set(found.tables[table.name])
            assert {spec.name(table.name) for spec in specs} == {
                index for index in found.indexes.get(table.name, ()) if "$" in index
            }


_COUNT = iter(range(1, 10_000))


def sequences(examples: int, **more: Any) -> Any:
    unhurried = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=examples, deadline=None, suppress_health_check=unhurried, **more)


@sequences(10)
@given(st.data())
def test_edits_in_any_order_lose_nothing_and_can_be_undone(database: Database, data: st.DataObject) -> None:
    edited_and_undone(database, data)


@pytest.mark.long
@sequences(int(os.environ.get("SEQUENCES", "500")), derandomize=False)
@given(st.data())
def test_many_edits_in_any_order_lose_nothing_and_can_be_undone(database: Database, data: st.DataObject) -> None:
    edited_and_undone(database, data)


def edited_and_undone(database: Database, data: st.DataObject) -> None:
    name = f"app{next(_COUNT)}"
    world, story = World(database, name), Story(name)
    world.apply(world.plan(story.text))
    for what, field, more in data.draw(st.lists(edits(), min_size=1, max_size=4)):
        world.fill(data.draw)
        story.edit(what, field, more)
        before, columns = world.seen(), world.columns()
        number = world.app.number
        plan = world.plan(story.text)
        if plan.stopped:
            assert {hazard.code for hazard in plan.stopped} <= {"unique-added", "option-removed"}
            return
        world.apply(plan)
        assert world.plan(story.text).empty
        world.check_shape()
        _nothing_lost(plan, columns, world.columns())
        back = rollback(database, name, number, NOW)
        world.apply(back)
        assert world.seen() == before, [change.message("en") for change in back.changes]
        world.apply(world.plan(story.text))


def _nothing_lost(
    plan: Plan, before: Mapping[tuple[str, str], list[Any]], after: Mapping[tuple[str, str], list[Any]]
) -> None:
    written: set[tuple[str, str]] = set()
    for change in plan.changes:
        match change:
            case ConvertField(table=table, target=target):
                written.add((table, target.column))
            case Reindex(entity=entity):
                written.add((plan.app.entities[entity].table.name, "search"))
            case RenameValues() | Recompute() | StartRecords():
                raise AssertionError("no such edit was made")
    for column, values in before.items():
        if column not in written:
            assert after[column] == values, column
