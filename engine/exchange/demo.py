"""Demo data: an app filled with people, records and months of history, from the shapes that its definition gives.

    counts = populate(runtime, people, app, size=1, seed=1, files=files)

The same seed makes the same data.  Records come in the order of time, a week at once, through `create_many`, so that
formulas, numbers, groups, scores and likely duplicates are as real as those of records that people type.  As long as
there are not too many, every record then goes through its process by real transitions, with a clock that moves through
the months; what a gate asks for is provided first.  Of more records, some do; the others are taken over at the stage they
have reached, with the account of the stages they have been through.
"""

import heapq
import io
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from engine.access.people import People
from engine.access.principal import Principal, engine_principal
from engine.app import App, EntityApp
from engine.clock import SetClock
from engine.columns import new_id
from engine.definition.model import Make
from engine.exchange.samples.paper import content, possible
from engine.exchange.samples.routes import Routes
from engine.exchange.samples.shapes import DAY, Maker, Making
from engine.exchange.samples.walk import Walk
from engine.exchange.samples.world import World
from engine.fields.files import Attached
from engine.problems import Problem, Refused
from engine.runtime import Command, Outcome, Runtime
from engine.runtime.bulk import CHUNK, New, Visit, chunks, create_many
from engine.runtime.work import Work
from engine.storage import system
from engine.storage.files import Files
from engine.storage.statement import Statement

WEEK = 7 * DAY
LIVELY = 1000  # up to so many records all go through their processes step by step, week by week
WALKED = 250  # of more, about so many do; the others are taken over where they stand
MOST_FILES = 2000
MOST_TRIES = 6
Progress = Callable[[int, int | None], None]


def populate(
    runtime: Runtime,
    people: People,
    app: App,
    size: float = 1,
    seed: int = 1,
    progress: Progress | None = None,
    *,
    files: Files | None = None,
) -> dict[str, int]:
    """Fill an app with its sample people and `size` times as many records as its definition says; how many of each entity.

    Without `files`, no field gets a file, and what needs one stays at the stage before.
    """
    return Demo(runtime, people, app, size, seed, progress, files).run()


class Stage:
    """Where demo commands are carried out: in the name of a person who may do anything, at the time of a movable clock."""

    def __init__(self, runtime: Runtime, app: App, files: Files | None, now: int) -> None:
        self.db, self.app, self.files = runtime.db, app, files
        self.clock = SetClock(now)
        self.runtime = Runtime(runtime.db, self.clock)
        self.uploaded = 0
        self._statement: Statement | None = None

    def principal(self, by: int | None) -> Principal:
        return replace(engine_principal(), user=by)

    def work(self, w: Any, by: int | None) -> Work:
        return self.runtime.work(self.app, self.principal(by), w, "demo")

    def act(self, w: Any, by: int | None, command: Command) -> Outcome:
        return self.runtime.execute(self.app, self.principal(by), command, cause="demo", within=w)

    def upload(self, w: Any, by: int | None, field: Attached, accept: Sequence[str], visit_at: int) -> int:
        """A new file that belongs to nobody yet. Raises Refused where none can be made."""
        allowed = [
            each for each in accept or field.endings if not field.endings or each.lower().lstrip(".") in field.endings
        ]
        ending = possible(allowed or field.endings)
        if ending is None or self.files is None:
            raise Refused(Problem("file-unknown", ""))
        id = new_id()
        self.keep(w, [(id, ending, by, visit_at, None, None, None)])
        return id

    def keep(
        self, w: Any, rows: Iterable[tuple[int, str, int | None, int, str | None, int | None, str | None]]
    ) -> None:
        """Write files and their rows: (id, ending, whose, when, entity, record, field)."""
        assert self.files is not None
        out = []
        for id, ending, by, at, entity, record, field in rows:
            body = content(ending) or b"demo"
            self.uploaded += 1
            kept = self.files.save(f"demo-{self.uploaded}.{ending}", io.BytesIO(body), most=len(body))
            out.append(
                {"id": id, "app": self.app.name, "entity": entity, "record": record, "field": field, "name": kept.name, "size": kept.size,
                 "media_type": kept.media_type, "sha256": kept.sha256, "path": kept.path, "by": by, "at": at, "deleted_at": None}
            )  # fmt: skip
        if self._statement is None:
            table = system.file
            self._statement = self.db.statement(
                sa.insert(table).values(
                    {column.name: sa.bindparam(column.name, type_=column.type) for column in table.c}
                )
            )
        w.many(self._statement, out)


class Demo:
    def __init__(
        self,
        runtime: Runtime,
        people: People,
        app: App,
        size: float,
        seed: int,
        progress: Progress | None,
        files: Files | None,
    ) -> None:
        self.app, self.people, self.size, self.progress, self.files = app, people, size, progress, files
        self.sample = app.definition.sample
        self.rnd = random.Random(seed)
        self.now = runtime.clock.now()
        self.world = World(app, self.sample, self.rnd, self.now)
        self.stage = Stage(runtime, app, files, self.now)
        self.makes = {name: make for name, make in self.sample.make.items() if name in app.entities}
        self.makers: dict[str, Maker] = {}
        self.children: dict[str, list[str]] = defaultdict(list)
        for name, make in self.makes.items():
            if make.per is not None and make.per in app.entities[name].lookups:
                self.children[app.entities[name].lookups[make.per]].append(name)
        self.routes = {
            each: Routes(process, self.makes.get(process.entity, Make()), self.rnd)
            for each, process in app.processes.items()
        }
        self.counts: dict[str, int] = dict.fromkeys(self.makes, 0)
        self.numbers: dict[str, int] = defaultdict(int)
        self.seen: dict[str, list[tuple[tuple[str, ...], set[Any]]]] = {}
        self.waiting: dict[str, list[tuple[int, int, int, int, int]]] = defaultdict(
            list
        )  # time, order, parent, base, number
        self.late: dict[str, list[tuple[int, int | None, int, int | None]]] = defaultdict(list)
        self.order = 0
        self.walks: list[tuple[int, int, str, int, int | None, list[Visit]]] = []
        self.total = round(sum(self.expected(name) for name in self.makes))
        self.done = 0

    def expected(self, name: str) -> float:
        """About how many records of an entity there will be."""
        make = self.makes[name]
        if make.per is None:
            return (make.count or 0) * self.size
        parent = self.app.entities[name].lookups.get(make.per, "")
        above = self.expected(parent) if parent in self.makes and parent != name else 0
        return above * (make.least + max(make.count or 0, make.least)) / 2

    def run(self) -> dict[str, int]:
        self.hire()
        self.makers = {
            name: Maker(self.world, model, self.makes.get(name, Make()))
            for name, model in self.app.entities.items()
            if not model.system
        }
        staged = sum(
            self.expected(name) for name in self.makes if self.app.entities[name].processes and self.makes[name].stages
        )
        self.lively = staged <= LIVELY
        self.share = 1.0 if self.lively else WALKED / staged
        self.walk = Walk(self.app, self.stage, self.makers)
        times = {name: self.times(make) for name, make in self.makes.items() if make.per is None}
        begin = min((some[0] for some in times.values() if some), default=self.now)
        ends = [*range(begin + WEEK, self.now, WEEK), self.now + 1] if self.lively else [self.now + 1]
        places = dict.fromkeys(times, 0)
        for end in ends:
            for name in self.makes:
                if name in times:
                    first = places[name]
                    while places[name] < len(times[name]) and times[name][places[name]] < end:
                        places[name] += 1
                    self.create(
                        name,
                        [
                            *self.postponed(name, end),
                            *((at, None, at, None) for at in times[name][first : places[name]]),
                        ],
                    )
                else:
                    self.create(name, self.due(name, end))
            self.take_steps(end)
        return self.counts

    # -- people --------------------------------------------------------------------------------------------------------

    def hire(self) -> None:
        """The sample's teams and people, with one password hash for all of them."""
        people, sample = self.people, self.sample
        self.world.teams = people.teams()
        for key, team in sample.teams.items():
            if key not in self.world.teams:
                above = self.world.teams.get(team.parent) if team.parent else None
                self.world.teams[key] = people.create_team(key, team.label.zh, above)
        hashed = people.hash(sample.password) if sample.password else None
        for login, person in sample.people.items():
            id = people.find_user(login)
            if id is None:
                place = self.world.teams.get(person.team) if person.team else None
                id = people.create_user(
                    login, person.name, team=place, email=person.email, phone=person.phone, hashed=hashed
                )
            people.set_roles(id, self.app.name, person.roles)
            self.world.users[login] = id
            for role in person.roles:
                self.world.by_role.setdefault(role, []).append(id)
        for key, team in sample.teams.items():
            if team.leader in self.world.users:
                people.set_leader(self.world.teams[key], self.world.users[team.leader])

    # -- when ----------------------------------------------------------------------------------------------------------

    def times(self, make: Make) -> list[int]:
        """When the records of an entity were made: over the past months, more of them lately, in working hours."""
        count = round((make.count or 0) * self.size)
        reach = max(make.months, 1) * 30 * DAY
        return sorted(
            self.hour(self.now - int(reach * self.rnd.random() ** 1.15))
            for _ in range(max(count, 1 if make.count else 0))
        )

    def hour(self, at: int) -> int:
        """The same day, between nine and six in the app's time zone, and not later than now."""
        calendar = self.app.calendar
        moment = (
            calendar.at(calendar.local_day(at), self.rnd.randint(9 * 60, 18 * 60)) + self.rnd.randrange(60) * 1_000_000
        )
        return min(moment, self.now - self.rnd.randint(1, 3600) * 1_000_000)

    def schedule(self, parent: str, values: dict[str, Any]) -> None:
        """Decide how many parts a new record will get, and when."""
        for name in self.children[parent]:
            make, maker = self.makes[name], self.makers[name]
            most = max(make.count if make.count is not None else 1, make.least)
            base = values["created_at"]
            since = max(base, self.now - max(make.months, 1) * 30 * DAY)
            part_of = maker.model.part_of
            for number in range(self.rnd.randint(make.least, most)):
                # Parts of a whole come with it; so do those of which there are always some, within days.  Where the
                # shapes themselves spread records over weeks, they count from the parent's time.
                if maker.longest >= 2 * WEEK or (part_of is not None and part_of[0] == make.per):
                    at = base
                elif number < make.least:
                    at = min(base + self.rnd.randint(0, 2 * DAY), self.now)
                else:
                    at = since + int((self.now - since) * self.rnd.random())
                self.order += 1
                heapq.heappush(self.waiting[name], (at, self.order, values["id"], at, number))

    def due(self, name: str, end: int) -> Iterable[tuple[int, int | None, int, int | None]]:
        waiting = self.waiting[name]
        while waiting and waiting[0][0] < end:
            at, _, parent, base, number = heapq.heappop(waiting)
            yield at, parent, base, number

    def postponed(self, name: str, end: int) -> list[tuple[int, int | None, int, int | None]]:
        """Records that had nothing yet to point to, and whose new time has come."""
        some = [event for event in self.late[name] if event[0] < end]
        self.late[name] = [event for event in self.late[name] if event[0] >= end]
        return some

    # -- records -------------------------------------------------------------------------------------------------------

    def create(self, name: str, events: Iterable[tuple[int, int | None, int, int | None]]) -> None:
        model = self.app.entities[name]
        for some in chunks(events, CHUNK):
            rows = [
                row
                for at, parent, base, number in some
                if (row := self.record(model, at, parent, base, number)) is not None
            ]
            if rows:
                self.write(model, rows)
            self.done += len(some)
            if self.progress is not None:
                self.progress(self.done, max(self.total, self.done))

    def record(
        self, model: EntityApp, at: int, parent: int | None, base: int, number: int | None
    ) -> tuple[New, Making] | None:
        """A record to be made; None when it would be the same as another one in what must differ."""
        maker, make = self.makers[model.name], self.makes[model.name]
        if number is None:
            number = self.numbers[model.name]
            self.numbers[model.name] += 1
        for _ in range(MOST_TRIES):
            given = {make.per: parent} if make.per is not None and parent is not None else {}
            making = maker.record(base, number, given)
            if self.fresh(model, making.values):
                break
        else:
            return None
        values = {name: value for name, value in making.values.items() if value is not None}
        if any(name in model.lookups and name not in values for name in maker.needed) and at + WEEK < self.now:
            self.late[model.name].append((at + WEEK, parent, base + WEEK, number))
            return None
        by = next((value for name in maker.users if (value := values.get(name)) is not None), None)
        above = self.world.known[model.lookups[make.per]] if make.per is not None and parent is not None else None
        by = (
            by
            or (above.get(parent, "created_by") if above is not None and parent is not None else None)
            or self.world.person()
        )
        for name in maker.users:
            if model.fields[name].dynamic_default == "user":
                # Where a shape leaves it empty, nobody has it: his own maker is not put in his place.
                values.setdefault(name, None if name in maker.shapes else by)
        pointed = (
            self.world.known[target].get(values[name], "created_at")
            for name, target in model.lookups.items()
            if name in values and target in self.world.known
        )
        at = max((at, *(moment for moment in pointed if moment is not None)))
        if maker.longest >= 2 * WEEK:
            at = self.first_event(model, maker, values, at)
        if self.files is None or self.stage.uploaded + len(making.files) > MOST_FILES:
            for _, name, _ in making.files:
                values.pop(name, None)
            making.files = []
        at = min(at, self.now)
        making.walks = bool(model.processes and make.stages) and self.rnd.random() < self.share
        return New(values, at=at, by=by, way=self.way_of(model, at, making.walks)), making

    def first_event(self, model: EntityApp, maker: Maker, values: dict[str, Any], at: int) -> int:
        """A record that tells of something is made when that has happened."""
        moments = [
            values[name]
            for name in maker.shapes
            if model.fields[name].type == "datetime" and isinstance(values.get(name), int)
        ]
        past = [moment for moment in moments if at <= moment <= self.now]
        return min(past, default=at)

    def fresh(self, model: EntityApp, values: dict[str, Any]) -> bool:
        """Whether no record of this run has the same values where values must be unique; remembers them if so."""
        seen = self.seen.get(model.name)
        if seen is None:
            combinations: list[tuple[str, ...]] = [(name,) for name, field in model.fields.items() if field.unique]
            combinations += [tuple(names) for names in (model.definition.unique.values() if model.definition else ())]
            seen = self.seen[model.name] = [(names, set()) for names in combinations]
        keys = [(found, tuple(values.get(name) for name in names)) for names, found in seen]
        keys = [(found, key) for found, key in keys if None not in key]
        if any(key in found for found, key in keys):
            return False
        for found, key in keys:
            found.add(key)
        return True

    def way_of(self, model: EntityApp, created: int, walks: bool) -> Callable[[str], Sequence[Visit]] | None:
        if not model.processes:
            return None
        if walks:
            return lambda process: (Visit(self.app.processes[process].start, created),)
        return lambda process: self.routes[process].way(created, self.now)

    def write(self, model: EntityApp, rows: list[tuple[New, Making]]) -> None:
        self.stage.clock.set(max(new.at or 0 for new, _ in rows))

        def attempt(w: Any) -> Any:
            work = self.stage.work(w, None)
            made = create_many(work, model, [replace(new, problems=[], visits=()) for new, _ in rows], trusted=True)
            papers = [
                (id, ending, new.by, new.at or 0, model.name, each.id, field)
                for (new, making), each in zip(rows, made, strict=True)
                if each.id is not None
                for id, field, ending in making.files
            ]
            if papers:
                self.stage.keep(w, papers)
            return made

        for (new, making), each in zip(rows, self.stage.db.transact(attempt), strict=True):
            if each.id is None:
                continue
            self.counts[model.name] += 1
            self.world.known[model.name].add(each.values)
            self.schedule(model.name, dict(each.values))
            if making.walks:
                visits = self.routes[each.values["pipeline"]].way(each.values["created_at"], self.now)[1:]
                if visits:
                    self.order += 1
                    heapq.heappush(self.walks, (visits[0].at, self.order, model.name, each.id, new.by, visits))

    # -- processes -----------------------------------------------------------------------------------------------------

    def take_steps(self, end: int) -> None:
        """Every transition that is due before `end`, in the order of time, some in one transaction."""
        while self.walks and self.walks[0][0] < end:
            with self.stage.db.write() as w:
                for _ in range(50):
                    if not self.walks or self.walks[0][0] >= end:
                        break
                    at, _, name, id, by, visits = heapq.heappop(self.walks)
                    self.stage.clock.set(at)
                    if self.walk.step(w, name, id, visits[0], by) and len(visits) > 1:
                        self.order += 1
                        heapq.heappush(self.walks, (visits[1].at, self.order, name, id, by, visits[1:]))


__all__ = ["populate"]
