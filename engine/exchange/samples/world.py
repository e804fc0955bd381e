"""What the making of demo data remembers: people, words, and of each record what later ones will ask of it."""

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from engine.app import App, EntityApp
from engine.definition.model import Sample

_OR_NONE = re.compile(r"\s*\(?\s*(\w+)\s+is\s+null\s+or\s+(?=\1\s*==\s*this\.)(.*?)\)?\s*\Z")
_TERM = re.compile(
    r"\s*(?:(\w+)\s*==\s*this\.([\w.]+)|(\w+)\s*==\s*'([^']*)'|(\w+)\s+in\s*\[([^\]]*)\]|(\w+)\s+is\s+not\s+null|(not\s+)?(\w+))\s*\Z"
)


class Known:
    """The records of one entity that others may point to: their ids, and their values of the fields in `names`."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(sorted(set(names)))
        self.ids: list[int] = []
        self.values: dict[int, tuple[Any, ...]] = {}
        self.place = {name: position for position, name in enumerate(self.names)}
        self._by: dict[str, dict[Any, list[int]]] = {}
        self._filled: dict[str, tuple[int, list[int]]] = {}

    def add(self, values: Mapping[str, Any]) -> None:
        id = values["id"]
        self.ids.append(id)
        if self.names:
            self.values[id] = tuple(values.get(name) for name in self.names)
        for name, found in self._by.items():
            found[values.get(name)].append(id)

    def get(self, id: int, name: str) -> Any:
        row = self.values.get(id)
        return None if row is None or name not in self.place else row[self.place[name]]

    def with_value(self, name: str, value: Any) -> list[int]:
        """The ids of records whose field has that value."""
        index = self._by.get(name)
        if index is None:
            index = self._by[name] = defaultdict(list)
            for id in self.ids:
                index[self.get(id, name)].append(id)
        return index.get(value, [])

    def meeting(self, name: str, values: tuple[Any, ...]) -> list[int]:
        """The ids of records whose field has one of the values; any but empty if there are none."""
        if len(values) == 1:
            return self.with_value(name, values[0])
        return (
            sorted(id for value in set(values) for id in self.with_value(name, value)) if values else self.filled(name)
        )

    def meets(self, id: int, terms: Iterable[tuple[str, tuple[Any, ...]]]) -> bool:
        return all(self.get(id, name) in values if values else self.get(id, name) is not None for name, values in terms)

    def filled(self, name: str) -> list[int]:
        """The ids of records whose field is not empty, as many as there are by now."""
        start, found = self._filled.get(name, (0, []))
        found += [id for id in self.ids[start:] if self.get(id, name) is not None]
        self._filled[name] = (len(self.ids), found)
        return found


class World:
    def __init__(self, app: App, sample: Sample, rnd: random.Random, now: int) -> None:
        self.app, self.sample, self.rnd, self.now = app, sample, rnd, now
        self.users: dict[str, int] = {}
        self.by_role: dict[str, list[int]] = {}
        self.teams: dict[str, int] = {}
        self.known_entities = frozenset(app.hot_entities)
        self.known = {name: Known(self.needed(name)) for name in app.hot_entities}

    def needed(self, entity: str) -> set[str]:
        """The fields of an entity that values of other records are made from."""
        app, found = self.app, {"created_at", "created_by"}
        for model in app.entities.values():
            for name, target in model.lookups.items():
                if target != entity:
                    continue
                found |= set(getattr(model.fields[name], "autofill", {}).values())
                found |= {term[0] for term in terms(model, name)}
                found |= {own for own in model.lookups if name in self.lookups_with(model, own)}
        for model in app.entities.values():
            for name in model.lookups:
                for own in {term[1] for term in terms(model, name)} - {None}:
                    found |= set(self.met(model, str(own), entity))
        for name, make in self.sample.make.items():
            for path in _paths(make.fields):
                found |= set(self.met(app.entities.get(name), path, entity))
        return found & set(self.app.entities[entity].columns)

    def lookups_with(self, model: EntityApp, name: str) -> tuple[str, ...]:
        """The lookups of an entity to others whose records have a person in a field of that name, too."""
        if model.lookups.get(name) != "user" or name in ("created_by", "updated_by"):
            return ()
        return tuple(
            lookup
            for lookup, target in model.lookups.items()
            if target in self.known_entities and self.app.entities[target].lookups.get(name) == "user"
        )

    def met(self, model: EntityApp | None, path: str, entity: str) -> Iterable[str]:
        """The fields of `entity` that a path from a record of `model` comes through."""
        for hop in path.split("."):
            if model is None:
                return
            if model.name == entity:
                yield hop
            model = self.app.entities.get(model.lookups.get(hop, ""))

    def person(self, role: str | None = None) -> int | None:
        """Somebody with this role among his own; anybody when nobody has it."""
        some = self.by_role.get(role or "") or list(self.users.values())
        return self.rnd.choice(some) if some else None

    def older(self, entity: str, ids: list[int], at: int) -> int | None:
        """One of the records, if possible one that was there at the time."""
        for _ in range(8 if ids else 0):
            id = self.rnd.choice(ids)
            if (self.known[entity].get(id, "created_at") or 0) <= at:
                return id
        return self.rnd.choice(ids) if ids else None

    def follow(self, model: EntityApp, values: Mapping[str, Any], path: str) -> Any:
        """What is found along a path from a record that is being made."""
        first, _, rest = path.partition(".")
        value = values.get(first)
        if not rest or value is None:
            return value
        target = self.app.entities[model.lookups[first]]
        name, _, further = rest.partition(".")
        found = self.known[target.name].get(value, name) if target.name in self.known else None
        return found if not further or found is None else self.follow(target, {name: found}, rest)

    def candidates(self, model: EntityApp, name: str, value_of: Any) -> list[int]:
        """Records that a lookup may point to, by what its condition says of them. `value_of` gives the record's own fields."""
        target = model.lookups[name]
        known = self.known.get(target)
        if known is None:
            return []
        asked: list[tuple[str, tuple[Any, ...], list[int]]] = []
        for field, own, wanted in terms(model, name):
            values = wanted
            if own is not None:
                first = own.partition(".")[0]
                value = self.follow(model, {first: value_of(first)}, own)
                if value is None and not wanted:
                    return []
                values = (value, *wanted)
            asked.append((field, values, known.meeting(field, values)))
        if not asked:
            return known.ids
        # The shortest list is gone through: of many records, few are asked.
        least = min(asked, key=lambda term: len(term[2]))
        others = [(field, values) for field, values, _ in asked if (field, values) != least[:2]]
        return [id for id in least[2] if known.meets(id, others)] if others else least[2]


def terms(model: EntityApp, name: str) -> list[tuple[str, str | None, tuple[Any, ...]]]:
    """What a lookup's condition asks of the target: (field, own path it equals, values it may have; none: any but empty)."""
    text = str(getattr(model.fields[name], "where", None) or "")
    found: list[tuple[str, str | None, tuple[Any, ...]]] = []
    for part in text.split(" and ") if text else ():
        or_none = _OR_NONE.match(part)
        match = _TERM.match(or_none[2] if or_none else part)
        if match is None:
            continue
        if match[1]:
            found.append((match[1], match[2], (None,) if or_none else ()))
        elif match[3]:
            found.append((match[3], None, (match[4],)))
        elif match[5]:
            found.append((match[5], None, tuple(word.strip().strip("'\"") for word in match[6].split(","))))
        elif match[7]:
            found.append((match[7], None, ()))
        else:
            found.append((match[9], None, (not match[8],)))
    return found


def _paths(shape: Any) -> Iterable[str]:
    if isinstance(shape, Mapping):
        for key in ("same", "part"):
            if isinstance(shape.get(key), str):
                yield shape[key]
        for each in shape.values():
            yield from _paths(each)
    elif isinstance(shape, (list, tuple)):
        for each in shape:
            yield from _paths(each)
