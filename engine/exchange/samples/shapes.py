"""The shapes of `sample.make` (see `engine.definition.model.Make`) as functions that make stored values."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from engine.app import EntityApp
from engine.columns import new_id, pack
from engine.definition.model import Make
from engine.exchange.cells import literal
from engine.exchange.samples.suggested import suggested
from engine.exchange.samples.world import World
from engine.expressions.types import Context
from engine.fields import Field, Invalid
from engine.fields.choices import ChoicesField
from engine.fields.date import DateField
from engine.fields.datetime import DatetimeField
from engine.fields.files import Attached, ManyFiles
from engine.fields.number import Numeric
from engine.fields.text import TextLike
from engine.problems import Problem, Refused

SECOND = 1_000_000
DAY = 86_400 * SECOND
_SPAN = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*(min|h|d|w)\s*\Z")
_UNITS = {"min": 60 * SECOND, "h": 3600 * SECOND, "d": DAY, "w": 7 * DAY}
_WORD = re.compile(r"\{(\w+)\}")
_KEYS = (
    {"from", "to"},
    {"share", "of"},
    {"share"},
    {"turn"},
    {"by", "cases"},
    {"by", "cases", "otherwise"},
    {"same"},
    {"same", "otherwise"},
    {"role"},
    {"team"},
    {"files"},
    {"now"},
    {"since", "of"},
    {"since", "of", "otherwise"},
    {"part", "from", "to"},
)


class Making:
    """A record being made. `at` is the time its spans count from; `number` and `turn` count records (of one parent)."""

    __slots__ = ("at", "busy", "files", "maker", "number", "values", "walks")

    def __init__(self, maker: "Maker", at: int, number: int, values: dict[str, Any]) -> None:
        self.maker, self.at, self.number, self.values = maker, at, number, values
        self.files: list[tuple[int, str, str]] = []  # id, field, ending
        self.busy: set[str] = set()
        self.walks = False  # whether it goes through its process step by step

    def value(self, name: str) -> Any:
        """The value of a field, made now if it is not there yet."""
        if name in self.values:
            return self.values[name]
        made = self.maker.shapes.get(name)
        if name in self.busy or (made is None and name not in self.maker.needed):
            return self.maker.unsaid(self, name)
        self.busy.add(name)
        found = self.maker.unsaid(self, name) if made is None else made(self)
        if found is None and made is None and name not in self.maker.plain:
            found = suggested(self, name)
        self.values[name] = found
        return found


Shape = Callable[[Making], Any]


class Maker:
    """Makes the records of one entity."""

    def __init__(self, world: World, model: EntityApp, make: Make) -> None:
        self.world, self.model, self.make = world, model, make
        self.plain = {
            name: field
            for name, field in model.fields.items()
            if field.default is not None and not field.dynamic_default
        }
        self.shapes: dict[str, Shape] = {}
        self.context = Context(world.now, world.app.calendar, {})
        self.longest = 0  # the farthest span, in microseconds
        for name, said in make.fields.items():
            field = model.fields.get(name)
            if field is None or not field.stored:
                raise self.unfit(name)
            self.shapes[name] = self.shape(name, field, said)
        self.autofilled = {
            own: (lookup, source)
            for lookup in model.lookups
            for own, source in getattr(model.fields[lookup], "autofill", {}).items()
        }
        self.needed = tuple(
            name
            for name, field in model.fields.items()
            if field.required
            and not field.derived
            and field.stored
            and name not in self.shapes
            and name in model.columns
        )
        self.users = tuple(
            name
            for name, target in model.lookups.items()
            if target == "user" and name not in ("created_by", "updated_by")
        )

    def unfit(self, name: str) -> Refused:
        path = f"sample.make.{self.model.name}.fields.{name}"
        return Refused(Problem("demo-shape-unfit", path, {"path": path, "entity": self.model.label}))

    def record(self, at: int, number: int, given: dict[str, Any]) -> Making:
        """A new record with all its values; `given` are known already."""
        making = Making(self, at, number, given)
        for name in self.shapes:
            making.value(name)
        for name in self.needed:
            making.value(name)
        for name, when in self.model.required_when.items():
            if (
                making.values.get(name) is None
                and not when.reads
                and when.evaluate({**self.defaults(making), **making.values}, self.context)
            ):
                making.values[name] = suggested(making, name)
        return making

    def defaults(self, making: Making) -> dict[str, Any]:
        return {
            name: self.unsaid(making, name) for name in (*self.plain, *self.autofilled) if name not in making.values
        }

    def unsaid(self, making: Making, name: str) -> Any:
        """The value a field will have although no shape makes it: what a link brings along, or its default."""
        if name in self.autofilled:
            lookup, source = self.autofilled[name]
            target = making.value(lookup)
            found = (
                self.world.follow(self.model, {lookup: target}, f"{lookup}.{source}") if target is not None else None
            )
            if found is not None:
                return found
        return self.plain[name].default_value() if name in self.plain else None

    # -- shapes --------------------------------------------------------------------------------------------------------

    def shape(self, name: str, field: Field, said: Any) -> Shape:
        rnd = self.world.rnd
        if said is None:
            return lambda making: None
        if isinstance(said, (list, tuple)):
            some = [self.shape(name, field, each) for each in said]
            return lambda making: rnd.choice(some)(making)
        if not isinstance(said, Mapping):
            return self.constant(name, field, said)
        if set(said) not in _KEYS:
            return self.weighted(name, field, said)
        if "now" in said:
            return self.between(name, field, said["now"]["from"], said["now"]["to"], present=True)
        if "since" in said:
            return self.since(name, field, said)
        if "part" in said:
            return self.part(name, field, said["part"], float(said["from"]), float(said["to"]))
        if "from" in said:
            return self.between(name, field, said["from"], said["to"])
        if "share" in said:
            share = float(said["share"])
            inner = self.shape(name, field, said["of"]) if "of" in said else lambda making: suggested(making, name)
            return lambda making: inner(making) if rnd.random() * 100 < share else None
        if "turn" in said:
            turns = [self.shape(name, field, each) for each in said["turn"]]
            return lambda making: turns[making.number % len(turns)](making)
        if "by" in said:
            return self.by(name, field, said)
        if "same" in said:
            return self.same(said["same"], self.shape(name, field, said.get("otherwise")))
        if "team" in said:
            return lambda making: self.world.teams.get(said["team"])
        if "role" in said:
            role = said["role"]
            return lambda making: self.world.person(role)
        return self.paper(name, field, said["files"])

    def constant(self, name: str, field: Field, said: Any) -> Shape:
        if isinstance(said, str) and isinstance(field, TextLike) and "{" in said:
            return lambda making: field.parse(self.text(said, making))
        try:
            value = literal(field, said)
        except Invalid:
            raise self.unfit(name) from None
        return lambda making: value

    def text(self, pattern: str, making: Making) -> str:
        lists, rnd = self.world.sample.lists, self.world.rnd
        return _WORD.sub(
            lambda found: (
                str(making.number + 1)
                if found[1] == "seq"
                else rnd.choice(lists[found[1]])
                if found[1] in lists
                else found[0]
            ),
            pattern,
        )

    def weighted(self, name: str, field: Field, said: Mapping[str, Any]) -> Shape:
        rnd = self.world.rnd
        if not all(isinstance(weight, (int, float)) for weight in said.values()):
            raise self.unfit(name)
        if isinstance(field, ChoicesField):
            chances = [(key, float(weight)) for key, weight in said.items() if key in field.options]
            return lambda making: pack(
                key
                for key in field.keys
                if any(key == each and rnd.random() * 100 < weight for each, weight in chances)
            )
        shapes = [self.constant(name, field, key) for key in said]
        weights = [float(weight) for weight in said.values()]
        return lambda making: rnd.choices(shapes, weights)[0](making)

    def since(self, name: str, field: Field, said: Mapping[str, Any]) -> Shape:
        """One shape for records that were made lately, another for older ones."""
        age = span(str(said["since"]))
        if age is None:
            raise self.unfit(name)
        new, old = self.shape(name, field, said["of"]), self.shape(name, field, said.get("otherwise"))
        return lambda making: (new if making.at >= self.world.now - age else old)(making)

    def part(self, name: str, field: Field, path: str, low: float, high: float) -> Shape:
        """So much of the number along a path, in whole units."""
        if not isinstance(field, Numeric):
            raise self.unfit(name)
        unit, first = 10**field.scale, path.partition(".")[0]

        def found(making: Making) -> Any:
            whole = self.world.follow(self.model, {first: making.value(first)}, path)
            return None if whole is None else int(whole * self.world.rnd.uniform(low, high)) // unit * unit

        return found

    def between(self, name: str, field: Field, low: Any, high: Any, *, present: bool = False) -> Shape:
        """A number between two, or a moment so far from when the record was made; with `present`, from now."""
        rnd, world = self.world.rnd, self.world
        if isinstance(low, str):
            first, last = span(low), span(high)
            if first is None or last is None:
                raise self.unfit(name)
            self.longest = max(self.longest, 0 if present else last)
            # What begins within a day has happened; what begins later may be still to come.
            fact = first < DAY and not present

            def later(making: Making) -> Any:
                moment = (world.now if present else making.at) + rnd.randint(first, max(first, last))
                if fact and moment > world.now:
                    moment = rnd.randint(min(making.at, world.now), world.now)
                if present and isinstance(field, DatetimeField):
                    # Appointments are made for working hours, at the quarter.
                    day = world.app.calendar.local_day(moment)
                    return world.app.calendar.at(day, rnd.randrange(9 * 60, 18 * 60, 15))
                if isinstance(field, DateField):
                    return world.app.calendar.local_day(moment)
                return moment // (60 * SECOND) * 60 * SECOND if isinstance(field, DatetimeField) else moment - making.at

            return later
        if not isinstance(field, Numeric):
            raise self.unfit(name)
        factor = 10**field.scale
        whole = isinstance(low, int) and isinstance(high, int)
        # Amounts that people agree on are round.
        step = (
            next((factor * size for size in (1000, 100, 10, 1) if high >= size * 500), factor)
            if whole
            else max(factor // 100, 1)
        )
        start, stop = round(low * factor), round(high * factor)
        return lambda making: min(stop, start + rnd.randint(0, max(0, stop - start) // step) * step)

    def by(self, name: str, field: Field, said: Mapping[str, Any]) -> Shape:
        key = said["by"]
        deciding = self.model.fields.get(key)
        if deciding is None:
            raise self.unfit(name)
        cases = {case: self.shape(name, field, each) for case, each in said["cases"].items()}
        otherwise = self.shape(name, field, said.get("otherwise"))

        def chosen(making: Making) -> Any:
            value = making.value(key)
            word = str(deciding.to_json(value)).lower() if isinstance(value, bool) else str(deciding.to_json(value))
            return cases.get(word, otherwise)(making)

        return chosen

    def same(self, path: str, otherwise: Shape) -> Shape:
        first = path.partition(".")[0]

        def found(making: Making) -> Any:
            value = self.world.follow(self.model, {first: making.value(first)}, path)
            return otherwise(making) if value is None else value

        return found

    def paper(self, name: str, field: Field, counts: Mapping[str, int]) -> Shape:
        if not isinstance(field, Attached):
            raise self.unfit(name)

        def attached(making: Making) -> Any:
            return self.attach(making, name, field, [ending for ending, count in counts.items() for _ in range(count)])

        return attached

    def attach(self, making: Making, name: str, field: Attached, endings: Sequence[str]) -> str | None:
        """The stored value of a field with new files, which the making of the record then writes."""
        files = [(new_id(), name, ending) for ending in endings]
        making.files += files
        ids = [str(id) for id, _, _ in files]
        return orjson.dumps(ids).decode() if ids and (isinstance(field, ManyFiles) or len(ids) == 1) else None


def span(text: str) -> int | None:
    """Microseconds of `-3 d`, `2 h`, `30 min`, `2 w`; None for anything else."""
    found = _SPAN.match(text)
    return None if found is None else round(float(found[1]) * _UNITS[found[2]])
