"""What many checks need, worked out once: names, labels, who may do what, and how to make a problem.

Facts never fail: what a definition names but does not have is left out here and reported by the check of names.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from engine.access.definition import Action, Policy
from engine.access.policies import closure
from engine.definition.formulas import Resolver, Site
from engine.definition.model import AppDefinition, Entity
from engine.definition.references import Reference, references
from engine.definition.regions import Domain, Region
from engine.definition.scope import DefinitionScope, Names
from engine.definition.source import KeyPath, Source
from engine.expressions import Expression
from engine.expressions.tree import Aggregate, Call, Const, Follow, Name, Node
from engine.expressions.types import BOOLEAN, Type
from engine.fields import Field
from engine.fields.builtin import BUILT_IN
from engine.fields.lookup import LookupField
from engine.problems import Label, Patch, Place, Problem, Severity


@dataclass(frozen=True)
class Allowed:
    """What one policy of a role (its own or an included one's) gives on an entity."""

    role: str
    policy: Policy
    visible: frozenset[str]
    writable: frozenset[str]

    def may(self, action: Action) -> bool:
        return action in self.policy.actions


class Facts:
    """`expressions` are keyed by dotted path; a path that is missing there has a problem of its own."""

    def __init__(self, source: Source, definition: AppDefinition, resolver: Resolver) -> None:
        self.source = source
        self.definition = definition
        self.names: Names = resolver.names
        self.scope: DefinitionScope = resolver.scope
        self.expressions: Mapping[str, Expression] = resolver.expressions
        self.sites: Mapping[KeyPath, Site] = resolver.sites
        self.rings = resolver.rings
        self.volatile = resolver.volatile

    # -- making problems -----------------------------------------------------------------------------------------------

    def problem(
        self,
        code: str,
        path: KeyPath,
        *,
        severity: Severity = "error",
        key: bool = False,
        offset: int | None = None,
        related: Iterable[KeyPath] = (),
        patches: Iterable[Patch | None] = (),
        witness: Mapping[str, Any] | None = None,
        value: Any = None,
        **parameters: Any,
    ) -> Problem:
        """A problem at `path`, or where the text ends on the way there; with `key`, at the key instead of the value."""
        found = self.source.entry(path)[1]
        if value is None:
            plain = self.source.value(found)
            value = plain if isinstance(plain, (str, int, float, bool)) else None
        # Which entry of a list is meant, the place says.
        shown = found[:-1] if found and isinstance(found[-1], int) else found
        return Problem(
            code,
            ".".join(map(str, shown)),
            parameters,
            severity,
            self.source.place(found, key=key, offset=offset),
            value,
            tuple(self.place(each) for each in related),
            witness,
            tuple(patch for patch in patches if patch is not None),
        )

    def place(self, path: KeyPath) -> Place:
        return self.source.place(path)

    def has(self, path: KeyPath) -> bool:
        """Whether the text itself says something at `path`."""
        return self.source.entry(path)[1] == path

    def expression(self, *path: str | int) -> Expression | None:
        return self.expressions.get(".".join(map(str, path)))

    # -- words -----------------------------------------------------------------------------------------------------------

    def entity_label(self, entity: str) -> Label:
        known = self.definition.entities.get(entity)
        return (known.label if known else None) or Label.of(entity)

    def field_label(self, entity: str, field: str) -> Label:
        declared = self.field(entity, field)
        return (declared.label if declared else None) or Label.of(field)

    def role_label(self, role: str) -> Label:
        known = self.definition.roles.get(role)
        return (known.label if known else None) or Label.of(role)

    def stage_label(self, process: str, stage: str) -> Label:
        known = self.definition.processes[process].stages.get(stage)
        return (known.label if known else None) or Label.of(stage)

    def transition_label(self, process: str, name: str) -> Label:
        known = self.definition.processes[process].transitions.get(name)
        return (known.label if known else None) or Label.of(name)

    @staticmethod
    def listed(labels: Iterable[Label]) -> Label:
        """Several things in one breath, each quoted."""
        labels = list(labels)
        return Label("、".join(f"「{each.zh}」" for each in labels), ", ".join(f'"{each.en}"' for each in labels))

    # -- fields ----------------------------------------------------------------------------------------------------------

    def entity(self, name: str) -> Entity | None:
        return self.definition.entities.get(name)

    def field(self, entity: str, name: str) -> Field | None:
        """The declared or built-in field; None for relations, bands and what does not exist."""
        known = self.definition.entities.get(entity)
        if known is None:
            return None
        return known.fields.get(name) or BUILT_IN.get(name)

    @cached_property
    def fields(self) -> Mapping[str, frozenset[str]]:
        """Entity -> its declared and built-in fields (children included, collections that only point here not)."""
        return {
            name: frozenset(entity.fields) | frozenset(self.names.builtin[name])
            for name, entity in self.definition.entities.items()
        }

    @cached_property
    def writable(self) -> Mapping[str, frozenset[str]]:
        """Entity -> the fields that people may write at all."""
        return {
            name: frozenset(
                key
                for key, each in entity.fields.items()
                if not each.derived and not each.readonly and each.type != "autonumber"
            )
            for name, entity in self.definition.entities.items()
        }

    @cached_property
    def references(self) -> list[Reference]:
        return list(references(self.definition, self.names))

    # -- what values may be ----------------------------------------------------------------------------------------------

    def domain(self, node: Node) -> Domain | None:
        """What is known of a value beyond its type: the bounds of its field, of its formula, or of counting."""
        if isinstance(node, Name | Follow):
            return self._domain_of(node.entity, node.name, node.type)
        if isinstance(node, Aggregate) and node.function == "count":
            return Domain(False, 0, 2**31)
        return None

    def _domain_of(self, entity: str, name: str, type: Type) -> Domain | None:
        key = (entity, name)
        if key not in self._domains:
            self._domains[key] = None  # a formula that feeds itself is bounded by nothing
            self._domains[key] = self._bounded(entity, name)
        found = self._domains[key]
        return None if found is None else found._replace(null=type.nullable)

    @cached_property
    def _domains(self) -> dict[tuple[str, str], Domain | None]:
        return {}

    def _bounded(self, entity: str, name: str) -> Domain | None:
        field = self.field(entity, name)
        if field is None:
            return None
        expression = self.expression("entities", entity, "fields", name, "formula")
        if expression is not None:
            found = Region([(expression.tree, True)], self.domain).domain(expression.tree, {})
            return found if found.numeric else None
        bounds = getattr(field, "bounds", None)
        if isinstance(bounds, tuple) and len(bounds) == 2 and all(isinstance(each, int) for each in bounds):
            return Domain(True, *bounds)
        return None

    # -- who may do what -------------------------------------------------------------------------------------------------

    @cached_property
    def roles(self) -> Mapping[str, frozenset[str]]:
        """Role -> itself and all that it includes."""
        return {role: closure(self.definition.roles, [role]) for role in self.definition.roles}

    @cached_property
    def administrators(self) -> frozenset[str]:
        return frozenset(
            role for role, own in self.roles.items() if any(self.definition.roles[each].administrator for each in own)
        )

    def administrator(self, role: str) -> bool:
        return role in self.administrators

    @cached_property
    def people(self) -> tuple[str, ...]:
        """The roles that are no administrators, in order."""
        return tuple(role for role in self.definition.roles if not self.administrator(role))

    def including(self, roles: Iterable[str]) -> list[str]:
        """The roles that have one of `roles`, themselves first, in the order of the definition."""
        wanted = set(roles)
        return [role for role in self.definition.roles if self.roles[role] & wanted]

    def allowed(self, role: str, entity: str) -> tuple[Allowed, ...]:
        """What the policies of a role and of the roles it includes give on an entity; a part without one has its whole's."""
        key = (role, entity)
        if key not in self._allowed:
            self._allowed[key] = self._grants(role, entity, frozenset())
        return self._allowed[key]

    @cached_property
    def _allowed(self) -> dict[tuple[str, str], tuple[Allowed, ...]]:
        return {}

    def _grants(self, role: str, entity: str, seen: frozenset[str]) -> tuple[Allowed, ...]:
        known = self.definition.entities.get(entity)
        if known is None or entity in seen:
            return ()
        parent = self.names.target(entity, known.part_of) if known.part_of else None
        wholes = self._grants(role, parent, seen | {entity}) if parent else ()
        found = []
        for each in sorted(self.roles.get(role, ())):
            policy = self.definition.policies.get(each, {}).get(entity)
            if policy is not None:
                found.append(self._allow(each, entity, known, policy))
            elif parent is not None:
                found += [
                    part for whole in wholes if whole.role == each and (part := self._part(whole, parent, entity))
                ]
        return tuple(found)

    def _part(self, whole: Allowed, parent: str, entity: str) -> Allowed | None:
        """What a policy of the whole gives on a part that has none: as `engine.access.policies` has it."""
        held = [
            key
            for key, field in self.definition.entities[parent].fields.items()
            if field.type == "children" and getattr(field, "of", None) == entity
        ]
        shown = held[0] in whole.visible if held else not whole.policy.sections
        written = held[0] in whole.writable if held else not whole.policy.writable
        if not shown:
            return None
        given = set(whole.policy.actions)
        actions: set[Action] = {
            action for action in given if action in ("read", "export") or (action == "import" and written)
        }
        if written and "update" in given:
            actions |= {"create", "update", "delete", "restore"}
        policy = Policy.model_validate({"rows": whole.policy.rows, "actions": tuple(sorted(actions))})
        return Allowed(whole.role, policy, self.fields[entity], self.writable[entity])

    def _allow(self, role: str, entity: str, known: Entity, policy: Policy) -> Allowed:
        visible = self.fields[entity]
        if policy.sections:
            shown = {
                field
                for section in policy.sections
                if section in known.sections
                for field in known.sections[section].fields
            }
            shown |= set(self.names.builtin[entity]) | {self.title(entity)}
            visible = visible & shown
        visible -= set(policy.hidden)
        writable = (visible & self.writable[entity]) - set(policy.readonly)
        if policy.writable:
            writable &= set(policy.writable)
        return Allowed(role, policy, frozenset(visible), frozenset(writable))

    def may(self, role: str, entity: str, action: Action) -> bool:
        """Whether a role may do it on any row; administrators may do everything."""
        return self.administrator(role) or any(each.may(action) for each in self.allowed(role, entity))

    def sees(self, role: str, entity: str, field: str) -> bool:
        return self.administrator(role) or any(
            each.may("read") and field in each.visible for each in self.allowed(role, entity)
        )

    def fills(self, role: str, entity: str, field: str, actions: tuple[Action, ...] = ("create", "update")) -> bool:
        """Whether a role may write a field of an entity by one of `actions`; nobody writes what the engine computes."""
        key = (role, entity, actions)
        if key not in self._fillable:
            if self.administrator(role):
                found = self.writable[entity]
            else:
                policies = (each for each in self.allowed(role, entity) if any(each.may(action) for action in actions))
                found = frozenset().union(*(each.writable for each in policies))
            self._fillable[key] = found
        return field in self._fillable[key]

    def fills_in(self, role: str, entity: str, field: str, stage: str) -> bool:
        """Whether a role may fill a field of a record that is in a stage, as far as its row clause speaks of stages."""
        if self.administrator(role):
            return field in self.writable[entity]
        for each in self.allowed(role, entity):
            if field in each.writable and each.may("update"):
                side = "write" if each.policy.rows.write is not None else "read"
                expression = self.expression("policies", each.role, entity, "rows", side)
                type = self.scope.field(entity, "stage")
                if expression is None or type is None or ("stage" not in expression.locals):
                    return True
                there = Call(BOOLEAN, "eq", (Name(type, entity, "stage", 0), Const(type, stage)))
                if not Region([(expression.tree, True), (there, True)], self.domain).impossible:
                    return True
        return False

    @cached_property
    def _fillable(self) -> dict[tuple[str, str, tuple[Action, ...]], frozenset[str]]:
        return {}

    def title(self, entity: str) -> str:
        """The field that names a record: the declared one, else the first text, else the number."""
        known = self.definition.entities[entity]
        if known.title:
            return known.title
        texts = [name for name, field in known.fields.items() if field.type in ("text", "autonumber")]
        return texts[0] if texts else "id"

    def governed(self, entity: str) -> bool:
        """Whether any policy speaks of the entity. Without one it is the administrators' alone, and that is no mistake."""
        return any(self.allowed(role, entity) for role in self.people)

    # -- what the engine fills -------------------------------------------------------------------------------------------

    def filled_by_rule(self, entity: str) -> Mapping[str, list[KeyPath]]:
        """Fields that the engine fills on some occasion, with the places that say so: stages, conversions, autofill, groups."""
        return self._filled.get(entity, {})

    @cached_property
    def _filled(self) -> dict[str, dict[str, list[KeyPath]]]:
        found: dict[str, dict[str, list[KeyPath]]] = {name: {} for name in self.definition.entities}

        def fills(entity: str, field: str, *path: str | int) -> None:
            if entity in found:
                found[entity].setdefault(field, []).append(path)

        for name, process in self.definition.processes.items():
            for key, stage in process.stages.items():
                for field in stage.sets:
                    fills(process.entity, field, "processes", name, "stages", key, "sets", field)
        for entity, known in self.definition.entities.items():
            for name, each in known.fields.items():
                if isinstance(each, LookupField):
                    for own in each.autofill:
                        fills(entity, own, "entities", entity, "fields", name, "autofill", own)
                if each.derived or each.type == "autonumber" or each.default is not None:
                    fills(entity, name, "entities", entity, "fields", name)
            if known.group:
                fills(entity, known.group.root, "entities", entity, "group", "root")
            for key, conversion in known.conversions.items():
                base: KeyPath = ("entities", entity, "conversions", key)
                for target, made in conversion.to.items():
                    for field in made.set:
                        fills(made.entity or target, field, *base, "to", target, "set", field)
                    if made.store:
                        fills(entity, made.store, *base, "to", target, "store")
                for field in conversion.set:
                    fills(entity, field, *base, "set", field)
        return found
