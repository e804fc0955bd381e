"""Whatever is edited in whatever order: the database becomes what the definition says, and nothing is lost on the way.

Each sequence is an app of its own: some edits of any kind, one after the other, and people who enter and change records in
between.  After each publishing the same definition plans to nothing, what stands in the database is what the definition
calls for, what the engine computes and keeps is in order, and every column that nothing was written to is as it was.  At the
end any earlier version goes live again, and shows whatever nobody has touched since as it was, also what had been dropped
or converted in between; and what is exported and imported elsewhere is the same there.

`SEQUENCES=500 FIRST=1000 pytest -m long tests/publishing/test_sequences.py` tells as many others as it is told.
"""

import copy
import csv
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from engine.access.principal import engine_principal
from engine.app import App
from engine.clock import SetClock
from engine.definition import load
from engine.exchange import bring, stream_csv
from engine.exchange.report import Report
from engine.problems import Refused
from engine.publishing.apply import apply, rollback
from engine.publishing.changes import ConvertField, Hazard, Recompute, Reindex, Removed, RenameValues, StartRecords
from engine.publishing.convert import Unfit, converter
from engine.publishing.indexes import wanted
from engine.publishing.plan import Plan, plan_for
from engine.publishing.versions import live_version, load_app
from engine.reading import Query
from engine.runtime import Create, Delete, Runtime, Transition, Update
from engine.storage import system
from engine.storage.database import Database
from engine.storage.files import Files
from engine.storage.schema import inspect
from tests.crash.checker import Checker
from tests.publishing.conftest import NOW
from tests.publishing.story import CHOOSING, VALUES, Kept, Story

ENGINE = engine_principal()
# What a plan may say no to: the definition must change first.
STOPS = {
    "unique-added", "option-removed", "stage-removed", "exit-removed", "lookup-retargeted", "number-rewound", "nobody-left",
}  # fmt: skip
PLACE = {"stage", "pipeline", "checklist"}
Columns = Mapping[tuple[str, str], Mapping[int, Any]]
Seen = dict[str, dict[int, dict[str, Any]]]


class World:
    """One app in a database: its publishing, its people, and a look at all that is stored."""

    def __init__(self, db: Database, name: str, rnd: Random) -> None:
        self.db, self.name, self.rnd = db, name, rnd
        self.clock = SetClock(NOW)
        self.runtime = Runtime(db, self.clock)
        self.count = 0
        # Whether something that points was away: what it points to may have been deleted meanwhile, and nobody could see to it.
        self.gaps = False
        self.strange: set[str] = set()
        self._app: App | None = None

    # -- publishing -----------------------------------------------------------------------------------------------------

    def plan(self, text: str) -> Plan:
        return plan_for(self.db, load({"app.yaml": text}), self.clock.now(), live=self._app)

    def apply(self, plan: Plan) -> None:
        self.clock.travel(60_000_000) if hasattr(self.clock, "travel") else None
        apply(self.db, plan, {hazard.key: "tested" for hazard in plan.hazards}, by=None, at=self.clock.now())
        self._app = None

    @property
    def app(self) -> App:
        if self._app is None:
            with self.db.read() as read:
                stored = live_version(read, self.db, self.name)
            assert stored is not None
            self._app = load_app(stored)
        return self._app

    # -- people ---------------------------------------------------------------------------------------------------------

    def work(self, story: Story) -> None:
        """Some people enter, change, move and delete some records."""
        if story.place:
            self.count += 1
            self.ask(Create("place", {"name": f"place {self.count}"}))
        for _ in range(self.rnd.randrange(1, 4)):
            children = {"items": self.rows(story)} if story.item is not None else {}
            self.ask(Create(story.entity.name, {**self.values(story, story.kept(), True), **children}))
        for id in self.ids(story.entity.name):
            chance = self.rnd.random()
            if chance < 0.3:
                some = [each for each in story.kept() if self.rnd.random() < 0.5]
                self.ask(Update(story.entity.name, id, self.values(story, some, False)))
            elif chance < 0.5 and story.process is not None:
                self.ask(Transition(story.entity.name, id, to=self.rnd.choice(story.process.stages).name))
            elif chance < 0.55:
                self.ask(Delete(story.entity.name, id))

    def ask(self, command: Any) -> None:
        try:
            self.runtime.execute(self.app, ENGINE, command)
        except Refused as refused:
            if refused.status not in (404, 409, 422):
                raise

    def ids(self, entity: str) -> list[int]:
        table = self.app.entities[entity].table
        return self.column(sa.select(table.c.id).where(table.c.deleted_at.is_(None)).order_by(table.c.id))

    def rows(self, story: Story) -> list[dict[str, Any]]:
        assert story.item is not None
        return [self.values(story, story.item, False) for _ in range(self.rnd.randrange(3))]

    def values(self, story: Story, fields: list[Kept], new: bool) -> dict[str, Any]:
        found = {each.name: self.value(story, each) for each in fields}
        return {name: value for name, value in found.items() if value is not None or not new}

    def value(self, story: Story, each: Kept) -> Any:
        self.count += 1
        if each.keys.get("unique"):
            return self.count if each.type == "integer" else f"{13_000_000_000 + self.count}"
        if self.rnd.random() < 0.2 and not each.keys.get("required"):
            return None
        if each.type == "lookup":
            places = self.ids("place")
            return str(self.rnd.choice(places)) if places else None
        if each.type in CHOOSING:
            names = [option.name for option in each.options]
            return self.rnd.choice(names) if each.type == "choice" else self.rnd.sample(names, min(2, len(names)))
        return self.rnd.choice(VALUES[each.type])

    # -- what is stored -------------------------------------------------------------------------------------------------

    def column(self, query: Any) -> list[Any]:
        with self.db.read() as read:
            return read.column(self.db.statement(query))

    def seen(self) -> Seen:
        """table -> id -> the stored values of the live version's own fields by their names, `version` and where it stands."""
        app, found = self.app, {}
        for name in app.hot_entities:
            model = app.entities[name]
            names = [each for each in app.layout[name].fields if not model.fields[each].derived]
            names += ["version", "deleted_at"] + (["pipeline", "stage", "checklist"] if model.processes else [])
            columns = [model.table.c.id, *(model.table.c[model.columns[each]] for each in names)]
            rows = self.db.all(self.db.statement(sa.select(*columns)))
            found[model.table.name] = {id: dict(zip(names, values, strict=True)) for id, *values in rows}
        return found

    def columns(self) -> Columns:
        """Everything in every column of the app's tables, also of those that no field has any more."""
        found: dict[tuple[str, str], dict[int, Any]] = {}
        with self.db.read(snapshot=True) as read:
            for table, columns in inspect(read, self.db.dialect).tables.items():
                if not table.startswith(f"{self.name}_") or "id" not in columns:
                    continue
                this = sa.table(table, *(sa.column(each) for each in columns))
                names = [each for each in columns if each != "id"]
                rows = read.all(self.db.statement(sa.select(this.c.id, *(this.c[each] for each in names))))
                for position, name in enumerate(names, start=1):
                    found[table, name] = {row[0]: row[position] for row in rows}
        return found

    # -- what must be true ----------------------------------------------------------------------------------------------

    def check(self, folder: Path) -> None:
        """The tables and indexes are those of the definition; what follows from other values does."""
        app = self.app
        with self.db.read(snapshot=True) as read:
            found = inspect(read, self.db.dialect)
            for name, specs in wanted(app, self.db.dialect).items():
                table = app.entities[name].table
                assert {column.name for column in table.columns} <= set(found.tables[table.name])
                assert {spec.name(table.name) for spec in specs} == {
                    index for index in found.indexes.get(table.name, ()) if "$" in index
                }
            checker = Checker(self.db, self.name, Files(folder), self.clock.now())
            checker.rows = {model.name: checker._rows(read, model) for model in checker.models}
            checker.stages = checker._table(
                read, system.stage_log, system.stage_log.c.entered_at, system.stage_log.c.id
            )
            checker.kept = []
            faults = [
                *checker.sound(read), *checker.computed(read), *checker.searched(read), *checker.summed(read), *checker.matching(read),
                *self.standing(checker), *([] if self.gaps else checker.linked()),
            ]  # fmt: skip
        assert faults == []

    def standing(self, checker: Checker) -> Iterator[str]:
        """Every record of an entity with a process has entered one; those outside the bin stand in a stage of it, unless a plan
        said otherwise."""
        for model in checker.models:
            places = {(name, stage) for name in model.processes for stage in checker.app.processes[name].stages}
            for id, record in checker.rows[model.name].items():
                if model.processes and record["pipeline"] is None:
                    yield f"{model.name} {id} stands nowhere"
                elif (
                    places
                    and record["deleted_at"] is None
                    and "stage" not in self.strange
                    and (record["pipeline"], record["stage"]) not in places
                ):
                    yield f"{model.name} {id} stands in {record['pipeline']}.{record['stage']}, which nobody knows"

    # -- out and in again -----------------------------------------------------------------------------------------------

    def table(self, app: App, entity: str, folder: Path, fields: tuple[str, ...] | None = None) -> Path:
        path = folder / f"{app.name}-{entity}.csv"
        query = Query(sort=("id",), fields=fields)
        path.write_bytes(b"".join(stream_csv(self.runtime, app, ENGINE, entity, query, headers="names")))
        return path

    def exchange(self, story: Story, folder: Path) -> None:
        """Importing what was exported changes nothing; imported into another app, it is the same there."""
        columns = self.columns()
        for entity in self.app.hot_entities:
            if self.app.entities[entity].part_of is None:
                path = self.table(self.app, entity, folder)
                report = bring(self.runtime, self.app, ENGINE, path, entity)
                assert (report.created, report.updated, report.refused) == (0, 0, 0), told_by(report)
        assert self.columns() == columns
        definition = story.definition(f"{self.name}copy", bare=True)
        other = World(self.db, f"{self.name}copy", self.rnd)
        other.apply(other.plan(json.dumps(definition)))
        for entity in (["place"] if story.place else []) + [story.entity.name]:
            names = tuple(definition["entities"][entity]["fields"])
            one = self.table(self.app, entity, folder, names)
            specs = definition["entities"][entity]["fields"].values()
            boxes = {at for at, spec in enumerate(specs) if spec["type"] == "boolean"}
            if rows := _without_ids(one, boxes):
                report = bring(self.runtime, other.app, ENGINE, one, entity)
                assert report.refused == 0, told_by(report)
                assert _without_ids(self.table(other.app, entity, folder, names), boxes) == rows


def _without_ids(path: Path, boxes: set[int]) -> list[list[str]]:
    """Leave out the records' own numbers, and lines that are empty then, which are no record to anybody."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    own = [position for position, name in enumerate(rows[0]) if name not in ("id", "version")]
    table = [[row[position] for position in own] for row in rows]
    # A box that nobody has ticked is empty in records from before there was the box.
    kept = [
        ["否" if cell == "" and column in boxes else cell for column, cell in enumerate(row)]
        for row in table
        if any(row)
    ]
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(kept)
    return kept[1:]


def told_by(report: Report) -> list[str]:
    steps = (f"{step.entity}: {step.created} new, {step.updated} changed" for step in report.steps)
    lines = (problem.message("en") for step in report.steps for _, problems in step.problems for problem in problems)
    return [*steps, *lines]


# -- the sequences ---------------------------------------------------------------------------------------------------------


def empty(db: Database, name: str) -> None:
    """Forget the app: a database that is made anew costs more than most sequences."""
    with db.write() as write:
        for table in inspect(write, db.dialect).tables:
            if table.startswith(name):
                write.script(f'DROP TABLE "{table}"' + (" CASCADE" if db.dialect == "postgresql" else ""))
        for table in (
            system.version,
            system.app,
            system.journal,
            system.stage_log,
            system.match_key,
            system.duplicate,
            system.sequence,
        ):
            write.run(db.statement(sa.delete(table)))


def told(db: Database, folder: Path, numbers: range) -> None:
    kinds: Counter[str] = Counter()
    wrong: list[Exception] = []
    for number in numbers:
        edits: list[str] = []
        name = f"app{number}"
        try:
            edited_and_undone(db, name, Random(number), folder, edits, kinds)
        except Exception as error:
            error.add_note(f"sequence {number}:\n" + "\n".join(edits))
            wrong.append(error)
        empty(db, name)
    print(f"{len(numbers)} sequences on {db.dialect}: {dict(kinds)}", file=sys.stderr)
    if wrong:
        raise ExceptionGroup(f"{len(wrong)} of {len(numbers)} sequences on {db.dialect}", wrong)


def test_edits_in_any_order_lose_nothing_and_can_be_undone(database: Database, tmp_path: Path) -> None:
    told(database, tmp_path, range(8))


@pytest.mark.long
def test_many_edits_in_any_order_lose_nothing_and_can_be_undone(database: Database, tmp_path: Path) -> None:
    first = int(os.environ.get("FIRST", "1000"))
    told(database, tmp_path, range(first, first + int(os.environ.get("SEQUENCES", "500"))))


def edited_and_undone(
    db: Database, name: str, rnd: Random, folder: Path, edits: list[str], kinds: Counter[str]
) -> None:
    world, story = World(db, name, rnd), Story(name)
    world.apply(world.plan(story.text))
    before: dict[int, tuple[Story, Seen]] = {}
    for _ in range(rnd.randrange(2, 7)):
        world.work(story)
        world.check(folder)
        before[world.app.number] = copy.deepcopy(story), world.seen()
        edited = copy.deepcopy(story)
        edited.settle_names(rnd)
        edits.append("; ".join(edited.edit(rnd) for _ in range(rnd.choice((1, 1, 2)))))
        try:
            plan = world.plan(edited.text)
        except Refused as refused:
            edits.append(f"  no definition: {refused.problems[0].message('en')}")
            kinds[f"no definition: {refused.problems[0].code}"] += 1
            continue
        if plan.stopped:
            _justly(plan.stopped)
            edits.append(f"  stopped: {[hazard.key for hazard in plan.stopped]}")
            kinds[f"stopped: {plan.stopped[0].code}"] += 1
            continue
        story = edited
        kinds.update(each.split(":")[0] for each in edits[-1].split("; "))
        if any(hazard.code == "place-unknown" for hazard in plan.hazards):
            world.strange |= PLACE
        world.gaps |= any(isinstance(change, Removed) and change.kind in ("entity", "field") for change in plan.changes)
        columns = world.columns()
        world.apply(plan)
        assert world.plan(story.text).empty, [change.message("en") for change in world.plan(story.text).changes]
        world.check(folder)
        _nothing_lost(plan, columns, world.columns())
    world.work(story)
    world.check(folder)
    for number in rnd.sample(sorted(before), min(3, len(before))):
        edits.append(f"back to {number}")
        columns = world.columns()
        plan = rollback(db, name, number, world.clock.now())
        if plan.stopped:
            _justly(plan.stopped)
            kinds[f"stopped on the way back: {plan.stopped[0].code}"] += 1
            continue
        world.apply(plan)
        kinds["back"] += 1
        story, seen = before[number]
        world.strange |= _strange(plan)
        assert world.plan(story.text).empty or plan_says_the_same(world, story)
        world.check(folder)
        _nothing_lost(plan, columns, world.columns())
        _as_before(seen, world.seen(), world.strange)
    if not world.strange:
        world.exchange(story, folder)


def _strange(plan: Plan) -> set[str]:
    """The fields in which, as the plan says and somebody has accepted, names stand that the version does not know."""
    named = {hazard.code: hazard.path for hazard in plan.hazards}
    fields = {hazard.path.rpartition(".")[2] for hazard in plan.hazards if hazard.code == "option-removed"}
    return fields | (PLACE if named.keys() & {"stage-removed", "place-unknown"} else set())


def plan_says_the_same(world: World, story: Story) -> bool:
    """A text with `was:` goes on from another version than it did; without, it says what is live."""
    for thing in story.things():
        thing.was = None
    return world.plan(story.text).changes == ()


def _justly(stopped: tuple[Hazard, ...]) -> None:
    assert {hazard.code for hazard in stopped} <= STOPS, [hazard.key for hazard in stopped]


def _as_before(seen: Seen, now: Seen, strange: set[str]) -> None:
    """Whatever record nobody has touched since shows every value that it showed."""
    for table, records in seen.items():
        for id, record in records.items():
            found = now[table][id]
            if found["version"] == record["version"]:
                different = {name for name in record if found[name] != record[name]}
                assert different <= strange, (table, id, {name: (record[name], found[name]) for name in different})


def _nothing_lost(plan: Plan, before: Columns, after: Columns) -> None:
    """Every value stands where it stood, but for those that the plan says are written; and those are what they must be."""
    tables = {name: plan.app.entities[name].table.name for name in plan.app.layout.entities}
    written: set[tuple[str, str]] = set()
    renamed: dict[tuple[str, str], Mapping[str, str]] = {}
    entered: set[str] = set()
    places = {
        model.table.name: {(name, stage) for name in model.processes for stage in plan.app.processes[name].stages}
        for model in plan.app.entities.values()
    }
    for change in plan.changes:
        match change:
            case ConvertField(table=table, target=target):
                written.add((table, target.column))
                _converted(change, before, after)
            case Reindex(entity=entity):
                written.add((tables[entity], "search"))
            case Recompute(entity=entity, names=names):
                model = plan.app.entities[entity]
                written |= {
                    (model.table.name, model.columns[name]) for each in names for name in model.computed[each].writes
                }
            case StartRecords(entity=entity):
                entered.add(tables[entity])
            case RenameValues(kind="option", entity=entity, field=name, renames=renames):
                renamed[tables[entity], plan.app.entities[entity].columns[name]] = renames
            case RenameValues(kind="stage", entity=entity):
                written |= {(tables[entity], each) for each in ("stage", "checklist")}
            case RenameValues(kind="process", entity=entity):
                written.add((tables[entity], "pipeline"))
    for place, values in before.items():
        table, column = place
        if place in renamed:
            values = {id: _with_names(value, renamed[place]) for id, value in values.items()}
        if place in written:
            if column in ("stage", "pipeline"):
                assert all((value is None) <= (table in entered) or after[place][id] for id, value in values.items()), (
                    place
                )
            continue
        for id, value in values.items():
            if column in ("pipeline", "stage", "stage_entered_at") and table in entered:
                here = tuple(before.get((table, each), {}).get(id) for each in ("pipeline", "stage"))
                if here not in places[table]:
                    assert here == (None, None) or any(hazard.code == "place-unknown" for hazard in plan.hazards)
                    continue
            assert after[place][id] == value, (place, id)


def _with_names(value: Any, renames: Mapping[str, str]) -> Any:
    if value is None or "|" not in value:
        return renames.get(value, value)
    return "|" + "|".join(renames.get(each, each) for each in value.strip("|").split("|")) + "|"


def _converted(change: ConvertField, before: Columns, after: Columns) -> None:
    """A value that the new type can hold is there, and one that came over before and says the same is as it was."""
    forward, reverse = converter(change.before, change.after), converter(change.after, change.before)
    source, target = (change.table, change.source.column), (change.table, change.target.column)
    for id, value in before[source].items():
        stood = before.get(target, {}).get(id)
        try:
            fits = value is None or forward(value) is not None
        except Unfit:
            fits = False
        if value is not None and fits:
            assert after[target][id] is not None, (target, id, value)
        try:
            same = stood is not None and value is not None and reverse(stood) == value
        except Unfit:
            same = False
        if same:
            assert after[target][id] == stood, (target, id)
