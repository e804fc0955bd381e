"""Policies, compiled: what a set of roles may do with each entity.

A *grant* is what one policy gives: rows (an expression, or every row), fields seen and written, actions.  A *permit* is
all grants that a person's roles give on one entity.  Grants add up row by row and are never merged: a field that one
grant shows and another row's grant does not is seen on the first row only.  Without a grant nothing is seen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from engine.access.definition import ACTIONS, Action, Policy, Role
from engine.expressions import Expression
from engine.problems import Label, Problem
from engine.registry import nearest

# What a person may do to a part, given what he may do to the whole it belongs to.
_OF_PARENT: Mapping[Action, tuple[Action, ...]] = {
    "read": ("read",), "export": ("export",), "import": ("import",), "update": ("create", "update", "delete", "restore"),
}  # fmt: skip


@dataclass(frozen=True)
class Grant:
    """`read` and `write` are None for every row. `parent` is the lookup whose target's rows decide (a part of a whole).

    `transitions` is None for all that allow the role.
    """

    role: str
    entity: str
    actions: frozenset[Action]
    read: Expression | None
    write: Expression | None
    visible: frozenset[str]
    writable: frozenset[str]
    transitions: frozenset[str] | None = None
    parent: str | None = None

    def rows(self, action: Action) -> Expression | None:
        return self.read if action in ("read", "export") else self.write


@dataclass(frozen=True)
class Permit:
    """All grants on one entity. `everything` is the administrator's."""

    entity: str
    grants: tuple[Grant, ...]
    everything: bool = False

    def of(self, action: Action) -> tuple[Grant, ...]:
        return self._of[action]

    @cached_property
    def _of(self) -> Mapping[str, tuple[Grant, ...]]:
        return {action: tuple(grant for grant in self.grants if action in grant.actions) for action in ACTIONS}

    @cached_property
    def _writable(self) -> Mapping[str, frozenset[str]]:
        return {action: frozenset().union(*(grant.writable for grant in grants)) for action, grants in self._of.items()}

    def may(self, action: Action) -> bool:
        """Whether any row allows it."""
        return self.everything or bool(self._of[action])

    @cached_property
    def visible(self) -> frozenset[str]:
        """Fields seen on at least some rows."""
        return frozenset().union(*(grant.visible for grant in self.of("read")))

    def writable(self, action: Action) -> frozenset[str]:
        """Fields that may be written on at least some rows."""
        return self._writable[action]

    def showing(self, name: str) -> tuple[Grant, ...] | None:
        """The grants that show a field; None when every row that is seen shows it."""
        reading = self.of("read")
        showing = tuple(grant for grant in reading if name in grant.visible)
        if len(showing) == len(reading) or any(grant.read is None and grant.parent is None for grant in showing):
            return None
        return showing


@dataclass(frozen=True)
class Fields:
    """What the policy compiler must know of an entity's fields.

    `inputs` gives for each computed field the (entity, field) pairs it draws on.
    """

    names: frozenset[str]
    always: frozenset[str]  # id, version, title … seen by whoever sees the row
    writable: frozenset[str]
    sections: Mapping[str, frozenset[str]]
    inputs: Mapping[str, frozenset[tuple[str, str]]]
    part_of: tuple[str, str] | None = None  # (lookup, parent entity)
    collections: Mapping[str, str] = field(
        default_factory=dict
    )  # part entity -> the field of this entity that holds its rows


@dataclass(frozen=True)
class Policies:
    """Every role's grants, and the permits of each set of roles, made once."""

    roles: Mapping[str, Role]
    fields: Mapping[str, Fields]
    grants: Mapping[str, Mapping[str, Grant]]  # role -> entity -> grant
    common: Mapping[str, Grant] = field(default_factory=dict)  # what everybody may do with the engine's own entities
    # What those may do who come without an account, by the door they came through; nothing else is open to them.
    guests: Mapping[str, Grant] = field(default_factory=dict)
    _permits: dict[tuple[frozenset[str], str, bool], Permit] = field(default_factory=dict, repr=False, compare=False)

    def closure(self, roles: Iterable[str]) -> frozenset[str]:
        """The roles with all that they include. Unknown names are dropped."""
        return closure(self.roles, roles)

    def administrator(self, roles: Iterable[str]) -> bool:
        return any(self.roles[name].administrator for name in self.closure(roles))

    def permit(self, roles: frozenset[str], entity: str, everything: bool = False) -> Permit:
        """The permit of a closed set of roles; with `everything`, the engine's own. Nobody may do anything with an unknown entity."""
        key = (roles, entity, everything)
        permit = self._permits.get(key)
        if permit is None:
            door = next((name for name in roles if name in self.guests), None)
            if door is not None:
                grant = self.guests[door]
                permit = Permit(entity, (grant,) if grant.entity == entity else ())
            elif entity in self.common:
                permit = Permit(entity, (self.common[entity],))
            elif entity not in self.fields:
                return Permit(entity, ())
            elif everything or any(name in self.roles and self.roles[name].administrator for name in roles):
                facts = self.fields[entity]
                whole = Grant("", entity, frozenset(ACTIONS), None, None, facts.names, facts.writable)
                permit = Permit(entity, (whole,), everything=True)
            else:
                found = (self.grants.get(role, {}).get(entity) for role in sorted(roles))
                permit = Permit(entity, tuple(grant for grant in found if grant))
            self._permits[key] = permit
        return permit


def closure(roles: Mapping[str, Role], names: Iterable[str]) -> frozenset[str]:
    found: set[str] = set()
    waiting = [name for name in names if name in roles]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(each for each in roles[name].includes if each in roles)
    return frozenset(found)


def joined(roles: Mapping[str, Role], names: Iterable[str]) -> tuple[str, str] | None:
    """Two roles that `apart` keeps from each other and that whoever has `names` would hold both; None if there are none.

    Administrators, who may do everything, are not told apart from anybody.
    """
    held = closure(roles, names)
    if any(roles[name].administrator for name in held):
        return None
    return next(((one, other) for one in sorted(held) for other in roles[one].apart if other in held), None)


def unfit_roles(roles: Mapping[str, Role], names: Iterable[str]) -> list[Problem]:
    """Why nobody can be given these roles: one that does not exist, or two that are kept apart."""
    names = list(names)
    found = [
        Problem("role-unknown", "roles", {"name": name, "nearest": nearest(name, roles)}, value=name)
        for name in names
        if name not in roles
    ]
    pair = joined(roles, names)
    if pair is not None:
        one, other = (roles[name].label or Label.of(name) for name in pair)
        found.append(Problem("roles-apart", "roles", {"one": one, "other": other}, value=pair[1]))
    return found


def compile_policies(
    roles: Mapping[str, Role],
    policies: Mapping[str, Mapping[str, Policy]],
    fields: Mapping[str, Fields],
    expressions: Mapping[str, Expression],
) -> Policies:
    """`expressions` are the checked row clauses by path, `policies.<role>.<entity>.rows.read` and `.write`."""
    own = {
        role: {
            entity: _grant(role, entity, policy, fields[entity], expressions) for entity, policy in by_entity.items()
        }
        for role, by_entity in policies.items()
    }
    for role in roles:
        own.setdefault(role, {})
        for entity in fields:
            _inherit(role, entity, own[role], fields, policies.get(role, {}))
    return Policies(roles, fields, _strictest(roles, policies, fields, own))


def _grant(role: str, entity: str, policy: Policy, facts: Fields, expressions: Mapping[str, Expression]) -> Grant:
    path = f"policies.{role}.{entity}.rows"
    seen = (
        frozenset().union(*(facts.sections[name] for name in policy.sections)) | facts.always
        if policy.sections
        else facts.names
    )
    visible = seen - frozenset(policy.hidden)
    writable = (visible & facts.writable) - frozenset(policy.readonly)
    if policy.writable:
        writable &= frozenset(policy.writable)
    read = _rows(expressions[f"{path}.read"])
    write = _rows(expressions[f"{path}.write"]) if policy.rows.write is not None else read
    return Grant(
        role,
        entity,
        frozenset(policy.actions),
        read,
        write,
        visible,
        writable,
        frozenset(policy.transitions) if policy.transitions else None,
    )


def _rows(expression: Expression) -> Expression | None:
    return None if expression.text.strip() == "true" else expression


def _inherit(
    role: str, entity: str, own: dict[str, Grant], fields: Mapping[str, Fields], policies: Mapping[str, Policy]
) -> None:
    """A part without a policy of its own is reached through the whole that it belongs to.

    It is seen and written where the whole's collection of such parts is.  Where the whole declares no such collection,
    a policy that narrows the whole to some sections does not show the part, and one that narrows what may be written
    does not let it be written.
    """
    facts = fields[entity]
    if entity in own or facts.part_of is None:
        return
    lookup, parent = facts.part_of
    if parent != entity and parent not in own:
        _inherit(role, parent, own, fields, policies)
    if parent not in own:
        return
    whole, policy, collection = own[parent], policies.get(parent), fields[parent].collections.get(entity)
    if collection is not None:
        seen, written = collection in whole.visible, collection in whole.writable
    else:
        seen, written = not (policy and policy.sections), not (policy and policy.writable)
    if not seen:
        return
    actions = frozenset(mine for theirs in whole.actions for mine in _OF_PARENT.get(theirs, ()))
    if not written:
        actions &= {"read", "export"}
    own[entity] = Grant(role, entity, actions, None, None, facts.names, facts.writable, parent=lookup)


def _strictest(
    roles: Mapping[str, Role],
    policies: Mapping[str, Mapping[str, Policy]],
    fields: Mapping[str, Fields],
    own: Mapping[str, Mapping[str, Grant]],
) -> dict[str, dict[str, Grant]]:
    """Hide computed fields whose inputs the role may not see, unless a policy reveals them. Repeats until nothing changes."""
    result: dict[str, dict[str, Grant]] = {}
    for role in roles:
        held = sorted(closure(roles, [role]))
        reach: dict[str, frozenset[str]] = {
            entity: frozenset().union(*(own[each][entity].visible for each in held if entity in own.get(each, {})))
            for entity in fields
        }
        grants = dict(own.get(role, {}))
        changed = True
        while changed:
            changed = False
            for entity, grant in grants.items():
                policy = policies.get(role, {}).get(entity)
                revealed = frozenset(policy.reveals) if policy else frozenset()
                lost = {
                    name
                    for name, inputs in fields[entity].inputs.items()
                    if name in grant.visible
                    and name not in revealed
                    and any(
                        field_name not in (grant.visible if source == entity else reach.get(source, frozenset()))
                        for source, field_name in inputs
                        if source in fields
                    )
                }
                if lost:
                    grants[entity] = Grant(
                        **{**grant.__dict__, "visible": grant.visible - lost, "writable": grant.writable - lost}
                    )
                    reach[entity] = frozenset().union(
                        grants[entity].visible,
                        *(own[each][entity].visible for each in held if each != role and entity in own.get(each, {})),
                    )
                    changed = True
        result[role] = grants
    return result
