"""A definition that is edited at random, again and again: every kind of edit that somebody could make in a text.

The story holds things, not names: a formula knows the field that it draws on, whatever that is called by now, and is
left out of the text while there is no such field.  So nearly every edit gives a definition without errors.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

NAMES = ("one", "two", "three", "four", "five", "six")
WORDS: tuple[str, ...] = ("a", "b", "c", "d", "e")
CHOOSING = ("choice", "choices")
NUMERIC = ("integer", "number", "money", "percent")
# What a person might enter, as JSON.
VALUES: dict[str, tuple[Any, ...]] = {
    "text": ("12", "a", "b", "2026-03-05", "是", "1.25", "=1+1", "13800138000"), "longtext": ("x\ny", "7", "a"),
    "integer": (0, 12, -3), "number": (1.25, -12, 0), "money": (1, 0, 99.99), "percent": (0.25, 1, 0),
    "date": ("2026-03-05", "1969-12-31"), "datetime": ("2026-03-05T10:00:00+08:00", "2026-12-31T23:59:59.5Z"),
    "boolean": (True, False), "duration": ("PT1H", "P2DT30M", "PT0.5S"), "phone": ("13800138000", "13912345678"),
    "email": ("a@example.com", "b.c@example.org"), "url": ("https://example.com/x",), "json": ({"a": [1, None, "x"]}, [1.5]),
    "location": ({"lat": 31.2, "lon": 121.5},),
}  # fmt: skip
TYPES = (*(kind for kind in VALUES if kind != "location"), *CHOOSING, "lookup")


@dataclass
class Thing:
    """Something with a name. `was` is what the text says it was called, rightly or no longer."""

    name: str
    was: str | None = None

    def rename(self, name: str) -> None:
        self.name, self.was = name, self.name

    def said(self) -> dict[str, str]:
        return {"was": self.was} if self.was else {}


@dataclass
class Kept(Thing):
    """A field with values of its own."""

    type: str = "text"
    options: list[Thing] = field(default_factory=list)
    keys: dict[str, Any] = field(default_factory=dict)

    @property
    def numeric(self) -> bool:
        return self.type in NUMERIC

    def spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = {"type": self.type, **self.keys, **self.said()}
        if self.type in CHOOSING:
            spec["options"] = {each.name: {"label": each.name.upper(), **each.said()} for each in self.options}
            if spec.get("default") not in [each.name for each in self.options]:
                spec.pop("default", None)
        if self.type == "lookup":
            spec |= {"to": "place", "on_delete": "clear"}
        return spec


@dataclass
class Derived(Thing):
    """A formula over fields of the entity, or a rollup of its children: `what` names it, `of` is drawn on."""

    what: str = "times"
    of: Kept | None = None
    factor: int = 2


@dataclass
class Stage(Thing):
    needs: Kept | None = None
    ticked: bool = False


@dataclass
class Process(Thing):
    stages: list[Stage] = field(default_factory=list)


@dataclass
class Policy:
    hidden: list[Kept] = field(default_factory=list)
    actions: tuple[str, ...] = ("read", "create", "update", "transition")
    own: bool = False


class Story:
    """What the definition says now. `edit` changes it; `text` writes it down."""

    def __init__(self, app: str) -> None:
        self.app = app
        self.entity = Thing("visit")
        self.fields: list[Kept] = [Kept("one"), Kept("two", type="choice", options=[Thing(each) for each in "abc"])]
        self.derived: list[Derived] = []
        self.place = True
        self.item: list[Kept] | None = [Kept("amount", type="money")]
        self.process: Process | None = (
            Process("way", None, [Stage(name) for name in "abc"]) if app[-1:] in "02468" else None
        )
        self.roles: list[Thing] = [Thing("boss"), Thing("clerk")]
        self.policies: dict[int, Policy] = {1: Policy()}
        self.board = False
        self.alike: Kept | None = None
        self.rule: Kept | None = None
        self.number = False

    # -- the text -------------------------------------------------------------------------------------------------------

    def standing(self, each: Kept | None) -> bool:
        """Whether a field is part of the text."""
        return (
            any(each is kept for kept in self.fields) and (each is not None) and (self.place or each.type != "lookup")
        )

    def kept(self) -> list[Kept]:
        return [each for each in self.fields if self.standing(each)]

    def formulas(self) -> Iterator[tuple[Derived, str, str]]:
        """(which, type, formula) of those that can be computed."""
        for each in self.derived:
            if each.what == "times" and each.of is not None and self.standing(each.of) and each.of.numeric:
                yield each, "number", f"{each.of.name} * {each.factor}"
            elif each.what == "empty" and each.of is not None and self.standing(each.of) and each.of.type != "json":
                yield each, "boolean", f"{each.of.name} is null"
            elif each.what == "sum" and self.item is not None and self.item[0].numeric:
                yield (
                    each,
                    "rollup",
                    f"sum(items.{self.item[0].name})" + (f" * {each.factor}" if each.factor > 2 else ""),
                )
            elif each.what == "count" and self.item is not None:
                yield each, "rollup", f"count(items) + {each.factor}"

    @property
    def text(self) -> str:
        return json.dumps(self.definition(), ensure_ascii=False, indent=1)

    def definition(self, app: str = "", bare: bool = False) -> dict[str, Any]:
        """The whole of it; `bare` without all that could refuse or fill in a value."""
        fields: dict[str, Any] = {each.name: each.spec() for each in self.kept()}
        if bare:
            for spec in fields.values():
                for key in ("required", "default", "unique", "index", "was"):
                    spec.pop(key, None)
        entities: dict[str, Any] = {}
        visit: dict[str, Any] = {"label": "x", "title": "id", "fields": fields, **self.entity.said()}
        entities[self.entity.name] = visit
        if self.place:
            entities["place"] = {"label": "p", "title": "name", "fields": {"name": {"type": "text", "unique": True}}}
        found: dict[str, Any] = {"app": app or self.app, "version": "1.0.0", "label": "x", "entities": entities}
        if bare:
            return found
        if self.item is not None:
            back = {"type": "lookup", "to": self.entity.name, "required": True, "on_delete": "cascade"}
            own = {each.name: each.spec() for each in self.item}
            entities["item"] = {"label": "i", "part_of": "visit", "title": "id", "fields": {"visit": back, **own}}
            fields["items"] = {"type": "children", "of": "item", "by": "visit"}
        fields |= {each.name: {"type": kind, "formula": text, **each.said()} for each, kind, text in self.formulas()}
        if self.number:
            visit["number"] = "V{yyyy}-{seq:4}"
        if self.rule is not None and self.standing(self.rule) and self.rule.numeric:
            visit["rules"] = {"small": {"when": f"{self.rule.name} is null or {self.rule.name} < 1000", "say": "x"}}
        if self.alike is not None and self.standing(self.alike) and self.alike.type in ("text", "phone"):
            visit["duplicates"] = {"match": {self.alike.name: 100}}
        found["roles"] = {each.name: {"label": each.name, **each.said()} for each in self.roles}
        found["roles"][self.roles[0].name]["administrator"] = True
        found["policies"] = {
            self.roles[position].name: {
                self.entity.name: {
                    "rows": "created_by == user" if policy.own else "true", "actions": list(policy.actions),
                    "hidden": [each.name for each in policy.hidden if self.standing(each)],
                }
            }
            for position, policy in self.policies.items() if position < len(self.roles)
        }  # fmt: skip
        grouped = next((each for each in self.kept() if each.type == "choice"), None)
        summed = next((each for each in self.kept() if each.type in ("number", "money", "integer")), None)
        if self.board and grouped is not None:
            found["views"] = {"board": {"entity": self.entity.name, "columns": ["id"], "group": grouped.name}}
            if summed is not None:
                found["views"]["board"]["sum"] = [summed.name]
        if self.process is not None:
            found["processes"] = {self.process.name: self._process(self.process)}
        return found

    def _process(self, process: Process) -> dict[str, Any]:
        stages: dict[str, Any] = {}
        for stage in process.stages[:-1]:
            gate: dict[str, Any] = {}
            if stage.needs is not None and self.standing(stage.needs):
                gate["fields"] = [stage.needs.name]
            if stage.ticked:
                gate["checklist"] = {"called": "called"}
            stages[stage.name] = {"label": stage.name, **({"exit": gate} if gate else {}), **stage.said()}
        last = process.stages[-1]
        stages[last.name] = {"label": last.name, "end": "done", **last.said()}
        names = list(stages)
        ways = {f"to_{there}": {"from": here, "to": there} for here, there in pairwise(names)}
        return {"entity": self.entity.name, "label": "x", "stages": stages, "transitions": ways, **process.said()}

    # -- edits ----------------------------------------------------------------------------------------------------------

    def things(self) -> Iterator[Thing]:
        yield self.entity
        yield from (*self.fields, *self.derived, *(self.item or ()), *self.roles)
        yield from (option for each in self.fields for option in each.options)
        if self.process is not None:
            yield from (self.process, *self.process.stages)

    def settle_names(self, rnd: Random) -> None:
        """What `was:` said of a version that has been published stays in the text as often as not, as people leave it."""
        for thing in self.things():
            if rnd.random() < 0.5:
                thing.was = None

    def edit(self, rnd: Random) -> str:
        """Change something, and say what."""
        while True:
            name = rnd.choice(EDITS)
            said = getattr(self, name)(rnd)
            if said is not None:
                return f"{name}: {said}"

    def _free(self, rnd: Random) -> str | None:
        taken = {each.name for each in (*self.fields, *self.derived)}
        free = [name for name in NAMES if name not in taken]
        return rnd.choice(free) if free else None

    def add(self, rnd: Random) -> str | None:
        name = self._free(rnd)
        if name is None:
            return None
        kind = rnd.choice(TYPES)
        new = Kept(name, type=kind)
        if kind in CHOOSING:
            new.options = [Thing(each) for each in rnd.sample(WORDS, 3)]
        self.fields.append(new)
        return json.dumps(new.spec())

    def drop(self, rnd: Random) -> str | None:
        if len(self.fields) < 2:
            return None
        gone = self.fields.pop(rnd.randrange(len(self.fields)))
        return gone.name

    def rename(self, rnd: Random) -> str | None:
        new, thing = self._free(rnd), rnd.choice([*self.fields, *self.derived])
        if new is None:
            return None
        thing.rename(new)
        return f"{thing.was} -> {new}"

    def exchange(self, rnd: Random) -> str | None:
        """One goes, another takes its name."""
        if len(self.fields) < 3:
            return None
        gone = self.fields.pop(rnd.randrange(len(self.fields)))
        thing = rnd.choice(self.fields)
        thing.rename(gone.name)
        return f"{thing.was} -> {gone.name}, which goes"

    def retype(self, rnd: Random) -> str | None:
        each = rnd.choice(self.fields)
        before, each.type = each.type, rnd.choice(TYPES)
        each.keys = {}
        if each.type in CHOOSING and not each.options:
            each.options = [Thing(word) for word in rnd.sample(WORDS, 3)]
        return f"{each.name}: {before} -> {each.type}"

    def options(self, rnd: Random) -> str | None:
        choosing = [each for each in self.fields if each.type in CHOOSING]
        if not choosing:
            return None
        each, taken = rnd.choice(choosing), {option.name for option in rnd.choice(choosing).options}
        free = [word for word in WORDS if word not in taken | {option.name for option in each.options}]
        how = rnd.choice(("add", "rename", "remove", "swap"))
        if how == "add" and free:
            each.options.insert(rnd.randrange(len(each.options) + 1), Thing(rnd.choice(free)))
        elif how == "rename" and free:
            rnd.choice(each.options).rename(rnd.choice(free))
        elif how == "remove" and len(each.options) > 1:
            each.options.pop(rnd.randrange(len(each.options)))
        elif how == "swap":
            rnd.shuffle(each.options)
        else:
            return None
        return f"{how} {each.name}: {[(option.name, option.was) for option in each.options]}"

    def require(self, rnd: Random) -> str | None:
        each = rnd.choice(self.fields)
        if not each.keys.pop("required", False):
            each.keys["required"] = True
        return f"{each.name} {each.keys}"

    def default(self, rnd: Random) -> str | None:
        each = rnd.choice(self.fields)
        if each.keys.pop("default", None) is None:
            if each.type in ("text", "integer", "number", "money", "boolean"):
                each.keys["default"] = rnd.choice([value for value in VALUES[each.type] if value is not None])
            elif each.type == "choice":
                each.keys["default"] = each.options[0].name
            else:
                return None
        return f"{each.name} {each.keys}"

    def unique(self, rnd: Random) -> str | None:
        each = rnd.choice(self.fields)
        if each.type not in ("text", "phone", "integer"):
            return None
        if not each.keys.pop("unique", False):
            each.keys["unique"] = True
        return f"{each.name} {each.keys}"

    def index(self, rnd: Random) -> str | None:
        each = rnd.choice(self.fields)
        if each.type not in ("text", "integer", "date", "choice", "money"):
            return None
        if not each.keys.pop("index", False):
            each.keys["index"] = True
        return f"{each.name} {each.keys}"

    def compute(self, rnd: Random) -> str | None:
        name, what = self._free(rnd), rnd.choice(("times", "empty", "sum", "count"))
        if self.derived and rnd.random() < 0.5:
            each = rnd.choice(self.derived)
            if rnd.random() < 0.3:
                self.derived.remove(each)
                return f"{each.name} goes"
            each.factor, each.of = rnd.randrange(2, 5), rnd.choice(self.fields)
            return f"{each.name}: {each.what} {each.of.name} {each.factor}"
        if name is None or len(self.derived) > 2:
            return None
        self.derived.append(Derived(name, None, what, rnd.choice(self.fields)))
        return f"{name}: {what}"

    def settle(self, rnd: Random) -> str | None:
        """A formula becomes a field that people fill, or the other way round."""
        if not self.derived:
            return None
        each = self.derived.pop()
        self.fields.append(Kept(each.name, each.was, "number"))
        return each.name

    def entities(self, rnd: Random) -> str | None:
        self.entity.rename("check" if self.entity.name == "visit" else "visit")
        return self.entity.name

    def places(self, rnd: Random) -> str | None:
        self.place = not self.place
        return str(self.place)

    def items(self, rnd: Random) -> str | None:
        """The children come and go, their fields too."""
        if self.item is None:
            self.item = [Kept("amount", type="money")]
        elif rnd.random() < 0.4:
            self.item = None
            return "gone"
        elif len(self.item) == 1:
            self.item.append(Kept("remark", type="text"))
        elif rnd.random() < 0.5:
            self.item.pop()
        else:
            self.item[0].rename("sum" if self.item[0].name == "amount" else "amount")
        return str([each.name for each in self.item])

    def processes(self, rnd: Random) -> str | None:
        if self.process is None:
            names = rnd.sample(WORDS, 3)
            self.process = Process(rnd.choice(("way", "path")), None, [Stage(name) for name in names])
        elif rnd.random() < 0.2:
            self.process = None
            return "gone"
        elif rnd.random() < 0.5:
            self.process.rename("way" if self.process.name == "path" else "path")
        else:
            return None
        return self.process.name

    def stages(self, rnd: Random) -> str | None:
        if self.process is None:
            return None
        stages = self.process.stages
        free = [word for word in WORDS if word not in [each.name for each in stages]]
        how = rnd.choice(("add", "rename", "remove", "order"))
        if how == "add" and free:
            stages.insert(rnd.randrange(1, len(stages)), Stage(rnd.choice(free)))
        elif how == "rename" and free:
            rnd.choice(stages).rename(rnd.choice(free))
        elif how == "remove" and len(stages) > 2:
            stages.pop(rnd.randrange(len(stages)))
        elif how == "order" and len(stages) > 3:
            stages[1], stages[2] = stages[2], stages[1]
        else:
            return None
        return f"{how}: {[(each.name, each.was) for each in stages]}"

    def gate(self, rnd: Random) -> str | None:
        if self.process is None:
            return None
        stage = rnd.choice(self.process.stages[:-1])
        if rnd.random() < 0.5:
            stage.ticked = not stage.ticked
        else:
            stage.needs = None if stage.needs is not None else rnd.choice(self.fields)
        return f"{stage.name}: {stage.ticked}, {stage.needs and stage.needs.name}"

    def role(self, rnd: Random) -> str | None:
        if len(self.roles) < 3 and rnd.random() < 0.5:
            self.roles.append(Thing("guest"))
        elif len(self.roles) > 2 and rnd.random() < 0.5:
            self.roles.pop()
        else:
            taken = {each.name for each in self.roles}
            rnd.choice(self.roles).rename(
                rnd.choice([each for each in ("boss", "clerk", "seller", "chief") if each not in taken])
            )
        return str([(each.name, each.was) for each in self.roles])

    def policy(self, rnd: Random) -> str | None:
        policy = self.policies.setdefault(rnd.choice((1, 1, 2)), Policy())
        policy.own = rnd.random() < 0.5
        policy.hidden = rnd.sample(self.fields, rnd.randrange(min(3, len(self.fields))))
        policy.actions = ("read",) if rnd.random() < 0.3 else ("read", "create", "update", "transition")
        return f"{policy.actions}, hidden {[each.name for each in policy.hidden]}"

    def view(self, rnd: Random) -> str | None:
        self.board = not self.board
        return str(self.board)

    def look_alike(self, rnd: Random) -> str | None:
        self.alike = None if self.alike is not None else rnd.choice(self.fields)
        return self.alike.name if self.alike is not None else "nothing"

    def check(self, rnd: Random) -> str | None:
        self.rule = None if self.rule is not None else rnd.choice(self.fields)
        return self.rule.name if self.rule is not None else "nothing"

    def numbered(self, rnd: Random) -> str | None:
        self.number = not self.number
        return str(self.number)

    def nothing(self, rnd: Random) -> str | None:
        return ""


EDITS = (
    "add", "add", "drop", "drop", "rename", "rename", "exchange", "retype", "retype", "options", "options", "require", "default", "unique", "index",
    "compute", "compute", "settle", "entities", "places", "items", "items", "processes", "processes", "stages",
    "stages", "stages", "stages", "gate", "gate", "options", "role", "policy", "view",
    "look_alike", "check", "numbered", "nothing",
)  # fmt: skip
