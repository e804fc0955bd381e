"""The names that expressions of an app may use, with their types: fields, built-ins, relations, users and teams.

A formula field has the type of its expression, so asking for its type checks that expression first; what was checked
is kept, and nobody checks it again.  A formula that feeds itself has no type: the ring is remembered in `cycles`.
"""

import re
from collections.abc import Callable, Mapping
from functools import cached_property

from engine.definition.model import AppDefinition, Entity
from engine.expressions.types import BOOLEAN, TEXT, Type
from engine.fields import Field
from engine.fields.children import ChildrenField
from engine.fields.lookup import LookupField

USER = "user"
TEAM = "team"
SYSTEM: Mapping[str, Mapping[str, Type]] = {
    USER: {
        "id": Type("record", nullable=False, entity=USER),
        "name": TEXT.required(),
        "login": TEXT.required(),
        "email": TEXT,
        "phone": TEXT,
        "active": BOOLEAN,
        "team": Type("record", entity=TEAM),
        "manager": Type("record", entity=USER),
    },
    TEAM: {
        "id": Type("record", nullable=False, entity=TEAM),
        "key": TEXT.required(),
        "name": TEXT.required(),
        "parent": Type("record", entity=TEAM),
        "leader": Type("record", entity=USER),
    },
}
VARIABLES: Mapping[str, Type] = {
    "user": Type("record", nullable=False, entity=USER),
    "user.team": Type("record", entity=TEAM),
    "user.teams": Type("list", nullable=False, item=Type("record", nullable=False, entity=TEAM)),
    "user.teams_below": Type("list", nullable=False, item=Type("record", nullable=False, entity=TEAM)),
    "user.roles": Type("list", nullable=False, item=Type("text", nullable=False)),
}


class Names:
    """The fields and relations of every entity of a definition, built-in ones included; facts that many checks share."""

    def __init__(self, definition: AppDefinition) -> None:
        self.definition = definition
        self.entities = definition.entities
        # entity -> collection -> (child entity, the child's lookup that points back)
        self.relations: dict[str, dict[str, tuple[str, str]]] = {name: {} for name in definition.entities}
        for name, entity in definition.entities.items():
            for key, field in entity.fields.items():
                if isinstance(field, LookupField):
                    if field.inverse and field.to in self.relations:
                        self.relations[field.to].setdefault(field.inverse.name, (name, key))
                elif isinstance(field, ChildrenField):
                    self.relations[name][key] = (field.of, field.by)
        self.scored = {(score.entity, score.field): score for score in definition.scores.values()}

    @cached_property
    def stages(self) -> dict[str, dict[str, None]]:
        """Entity -> the names of all stages that its records may be in, in order."""
        found: dict[str, dict[str, None]] = {}
        for process in self.definition.processes.values():
            found.setdefault(process.entity, {}).update(dict.fromkeys(process.stages))
        return found

    @cached_property
    def processes(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, process in self.definition.processes.items():
            found.setdefault(process.entity, []).append(name)
        return found

    def target(self, entity: str, field: str) -> str | None:
        """The entity that a lookup, user or team field points to, or a collection holds; None for other fields."""
        if entity in SYSTEM:
            own = SYSTEM[entity].get(field)
            return own.entity if own else None
        relation = self.relations.get(entity, {}).get(field)
        if relation:
            return relation[0]
        known = self.entities.get(entity)
        declared = known.fields.get(field) if known else None
        if declared is None:
            return USER if field in ("created_by", "updated_by") else None
        if isinstance(declared, LookupField):
            return declared.to
        return declared.type if declared.type in (USER, TEAM) else None

    @cached_property
    def builtin(self) -> dict[str, dict[str, Type]]:
        """Entity -> the fields that the engine adds to the declared ones."""
        return {name: self._builtin(name, entity) for name, entity in self.entities.items()}

    def _builtin(self, name: str, entity: Entity) -> dict[str, Type]:
        added = {
            "id": Type("record", nullable=False, entity=name),
            "version": Type("number", nullable=False),
            "created_at": Type("datetime", nullable=False),
            "created_by": Type("record", entity=USER),
            "updated_at": Type("datetime", nullable=False),
            "updated_by": Type("record", entity=USER),
            "deleted_at": Type("datetime"),
        }
        if name in self.stages:
            items = [
                f"{stage}.{item}"
                for process in self.processes[name]
                for stage, each in self.definition.processes[process].stages.items()
                for gate in (each.entry, each.exit)
                if gate
                for item in gate.checklist
            ]
            added["pipeline"] = Type("choice", nullable=False, options=tuple(self.processes[name]))
            added["stage"] = Type("choice", nullable=False, options=tuple(self.stages[name]))
            added["stage_entered_at"] = Type("datetime", nullable=False)
            added["checklist"] = Type("choices", options=tuple(dict.fromkeys(items)))
        if entity.number:
            added["number"] = TEXT
        for (owner, field), score in self.scored.items():
            if owner == name:
                if score.bands:
                    added[f"{field}_band"] = Type("choice", options=tuple(score.bands))
                added[f"{field}_detail"] = Type("json")
        return added


class DefinitionScope:
    """The `Scope` of an app's expressions. `formula` gives the type of a formula field's expression, None while unknown."""

    def __init__(
        self,
        names: Names | AppDefinition,
        formula: Callable[[str, str], Type | None] | None = None,
        more: Mapping[str, Type] | None = None,
    ) -> None:
        self.all = names if isinstance(names, Names) else Names(names)
        self.formula = formula or (lambda entity, name: None)
        self.variables = {**VARIABLES, **(more or {})}
        self._types: dict[tuple[str, str], Type | None] = {}

    def with_variables(self, more: Mapping[str, Type]) -> "DefinitionScope":
        """The same names with further variables, such as `this`."""
        scope = DefinitionScope(self.all, self.formula, more)
        scope._types = self._types
        return scope

    def field(self, entity: str, name: str) -> Type | None:
        key = (entity, name)
        if key not in self._types:
            found = self._field(entity, name)
            if found is None or found.kind == "null":
                return found  # perhaps a formula that is being checked just now, or a broken one
            self._types[key] = found
        return self._types[key]

    def _field(self, entity: str, name: str) -> Type | None:
        if entity in SYSTEM:
            return SYSTEM[entity].get(name)
        known = self.all.entities.get(entity)
        if known is None:
            return None
        relation = self.all.relations[entity].get(name)
        if relation:
            return Type("records", nullable=False, entity=relation[0])
        declared = known.fields.get(name)
        if declared is None:
            return self.all.builtin[entity].get(name)
        return self.formula(entity, name) if typed_by_formula(declared) else self.declared(declared)

    def declared(self, field: Field) -> Type:
        """The type of a declared field as the app's currency and time zone make it; required ones are never null."""
        definition = self.all.definition
        own = field.within(definition.currency, definition.calendar.timezone).value_type()
        return own.required() if field.required and not field.derived else own

    def names(self, entity: str) -> list[str]:
        if entity in SYSTEM:
            return list(SYSTEM[entity])
        known = self.all.entities.get(entity)
        if known is None:
            return []
        return list(dict.fromkeys([*known.fields, *self.all.relations[entity], *self.all.builtin[entity]]))

    def variable(self, name: str) -> Type | None:
        return self.variables.get(name)


def typed_by_formula(field: Field) -> bool:
    """Whether a field has no type of its own: it has the one of its expression."""
    return field.type in ("formula", "rollup")


_BAND = re.compile(r"\b(\w+)\.band\b")


def with_bands(text: str, names: Names) -> str:
    """`health.band` as `health_band`, the built-in field beside every score. The text keeps its length."""
    if ".band" not in text:
        return text
    scored = {field for _, field in names.scored}
    return _BAND.sub(lambda found: f"{found[1]}_band" if found[1] in scored else found[0], text)
