"""Whether policies give what people need and keep what they should not see."""

import re
from collections.abc import Iterator

from engine.definition.checks.base import Check
from engine.definition.facts import Facts
from engine.definition.references import templates
from engine.definition.source import KeyPath
from engine.expressions.tree import Call, Const, Follow, Name, Node, Variable
from engine.problems import Label, Patch, Problem


class RoleCycle(Check):
    code = "role-cycle"
    wrong = "entities: {order: {fields: {name: text}}}\nroles: {clerk: {includes: chief}, chief: {includes: clerk}}"
    repaired = "entities: {order: {fields: {name: text}}}\nroles: {clerk: {}, chief: {includes: clerk}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        reported: set[str] = set()
        for role in facts.definition.roles:
            ring = self._ring(facts, role)
            if ring and not reported & set(ring):
                reported |= set(ring)
                words = Label(" → ".join([*ring, ring[0]]), " → ".join([*ring, ring[0]]))
                yield facts.problem(
                    self.code,
                    ("roles", role, "includes"),
                    ring=words,
                    value=role,
                    related=[("roles", each) for each in ring[1:]],
                )

    @staticmethod
    def _ring(facts: Facts, start: str) -> list[str] | None:
        waiting = [[start]]
        seen: set[str] = set()
        while waiting:
            way = waiting.pop(0)
            for each in facts.definition.roles[way[-1]].includes:
                if each == start:
                    return way
                if each in facts.definition.roles and each not in seen:
                    seen.add(each)
                    waiting.append([*way, each])
        return None


class RowsWideOpen(Check):
    """Every role may change every record of an entity that has owners."""

    code = "rows-wide-open"
    wrong = "entities: {order: {fields: {name: text, owner: user}}}\nroles: {clerk: {}, chief: {}}\npolicies: {clerk: {order: {rows: 'true', actions: [read, update]}}, chief: {order: {rows: 'true', actions: [read, update]}}}"
    repaired = "entities: {order: {fields: {name: text, owner: user}}}\nroles: {clerk: {}, chief: {}}\npolicies: {clerk: {order: {rows: {read: 'true', write: 'owner == user'}, actions: [read, update]}}, chief: {order: {rows: 'true', actions: [read, update]}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, entity in facts.definition.entities.items():
            owners = [key for key, field in entity.fields.items() if field.type == "user"]
            if not owners or not facts.people:
                continue
            first: KeyPath | None = None
            for role in facts.people:
                opened = [
                    each
                    for each in facts.allowed(role, name)
                    if each.may("update") and self._everything(facts, each.role, name)
                ]
                if not opened:
                    break
                first = first or ("policies", opened[0].role, name, "rows")
            else:
                if first is not None:
                    owner = facts.field_label(name, owners[0])
                    yield facts.problem(
                        self.code,
                        first,
                        severity="warning",
                        offset=0,
                        entity=facts.entity_label(name),
                        owner=owner,
                        clause=f"{owners[0]} == user",
                    )

    @staticmethod
    def _everything(facts: Facts, role: str, entity: str) -> bool:
        policy = facts.definition.policies.get(role, {}).get(entity)
        return policy is not None and (policy.rows.write or policy.rows.read).strip() == "true"


class CreatesUnseen(Check):
    """Who may create a record but whose row clause its defaults do not meet never sees it again."""

    code = "creates-unseen"
    wrong = "entities: {order: {fields: {name: text, owner: user}}}\nroles: {clerk: {}}\npolicies: {clerk: {order: {rows: 'owner == user', actions: [read, create]}}}"
    repaired = "entities: {order: {fields: {name: text, owner: {type: user, default: user}}}}\nroles: {clerk: {}}\npolicies: {clerk: {order: {rows: 'owner == user', actions: [read, create]}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for role, policies in facts.definition.policies.items():
            for name, policy in policies.items():
                entity = facts.definition.entities.get(name)
                if entity is None or role not in facts.definition.roles or "create" not in policy.actions:
                    continue
                empty = self._unmet(facts, role, name)
                if empty is None:
                    continue
                index = policy.actions.index("create")
                patch = self._patch(facts, name, empty)
                yield facts.problem(
                    self.code,
                    ("policies", role, name, "actions", index),
                    severity="warning",
                    patches=[patch],
                    role=facts.role_label(role),
                    entity=facts.entity_label(name),
                    field=facts.field_label(name, empty),
                )

    def _unmet(self, facts: Facts, role: str, entity: str) -> str | None:
        """The field that starts empty and so keeps the record from its maker, if no clause of his may show it to him."""
        first: str | None = None
        for each in facts.allowed(role, entity):
            expression = facts.expression("policies", each.role, entity, "rows", "read")
            if not each.may("read"):
                continue
            empty: list[str] = []
            if expression is None or self._holds(facts, expression.tree, entity, empty) is not False or not empty:
                return None
            first = first or empty[0]
        return first

    def _holds(self, facts: Facts, node: Node, entity: str, empty: list[str]) -> bool | None:
        """Whether a clause holds for a record just made with its defaults; None where that depends on what was typed.

        Links to people that start empty are collected in `empty`.
        """
        if isinstance(node, Const):
            return bool(node.value)
        if not isinstance(node, Call):
            return None
        if node.operation in ("and", "or"):
            parts = [self._holds(facts, each, entity, empty) for each in node.arguments]
            decisive = node.operation == "or"
            return decisive if decisive in parts else None if None in parts else not decisive
        if node.operation == "not":
            inner = self._holds(facts, node.arguments[0], entity, [])
            return None if inner is None else not inner
        if node.operation in ("eq", "in", "in_set") and not any(isinstance(each, Const) for each in node.arguments):
            starts = [self._start(facts, each, entity, empty) for each in node.arguments]
            if "empty" in starts:
                return False
            if node.operation == "eq" and starts == ["user", "user"]:
                return True
        return None

    @staticmethod
    def _start(facts: Facts, node: Node, entity: str, empty: list[str]) -> str | None:
        """`user` for the maker himself, `empty` for a person (or what hangs on one) not there yet, None for the unknown."""
        if isinstance(node, Variable):
            return "user" if node.name == "user" else None
        followed = isinstance(node, Follow)
        while isinstance(node, Follow):
            node = node.source
        if not isinstance(node, Name) or node.type.entity != "user":
            return None
        if node.name in ("created_by", "updated_by"):
            return None if followed else "user"
        field = facts.definition.entities[entity].fields.get(node.name)
        if field is None or field.derived or field.required or field.default is not None:
            made = field is not None and field.default == "user" and not followed
            return "user" if made else None
        empty.append(node.name)
        return "empty"

    @staticmethod
    def _patch(facts: Facts, entity: str, field: str) -> Patch | None:
        path: KeyPath = ("entities", entity, "fields", field)
        return facts.source.patch(path, "{type: user, default: user}") if facts.source.value(path) == "user" else None


class HiddenFieldLeaks(Check):
    """A field hidden from a role that a title or the sorting of one of its views gives away.

    Formulas that draw on hidden fields are hidden with them, unless `reveals` says otherwise; what remains is what
    names a record or orders a list.
    """

    code = "hidden-field-leaks"
    wrong = "entities: {order: {fields: {name: text, margin: money}}}\nroles: {clerk: {}}\npolicies: {clerk: {order: {rows: 'true', hidden: [margin]}}}\nviews: {best: {entity: order, sort: -margin, roles: clerk}}"
    repaired = "entities: {order: {fields: {name: text, margin: money}}}\nroles: {clerk: {}}\npolicies: {clerk: {order: {rows: 'true', hidden: [margin]}}}\nviews: {best: {entity: order, sort: name, roles: clerk}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, view in facts.definition.views.items():
            if view.entity not in facts.definition.entities:
                continue
            roles = facts.including(view.roles) if view.roles else facts.people
            where = facts.expression("views", name, "where")
            used: list[tuple[str, KeyPath]] = [
                (key.removeprefix("-"), ("views", name, "sort", index)) for index, key in enumerate(view.sort)
            ]
            used += [(field, ("views", name, "where")) for field in sorted(where.locals if where else ())]
            used += [(field, ("views", name, "filters", index)) for index, field in enumerate(view.filters)]
            told: set[str] = set()
            for field, path in used:
                blind = [
                    role
                    for role in roles
                    if not facts.administrator(role)
                    and facts.may(role, view.entity, "read")
                    and not facts.sees(role, view.entity, field)
                ]
                # Who opens the view without seeing the field gets it ordered or filtered by what is kept from him.
                if blind and field not in told and field in facts.fields[view.entity] and view.roles:
                    told.add(field)
                    yield self._leak(
                        facts,
                        view.entity,
                        field,
                        blind,
                        path,
                        Label(
                            f"列表「{(view.label or Label.of(name)).zh}」",
                            f'the list "{(view.label or Label.of(name)).en}"',
                        ),
                    )
        for name, path, template in templates(facts.definition):
            number = "number" if path[-1] == "number" else str(path[3])
            for token in re.findall(r"\{(\w+)", template):
                if token not in facts.definition.entities[name].fields:
                    continue
                blind = [
                    role
                    for role in facts.people
                    if facts.sees(role, name, number) and not facts.sees(role, name, token)
                ]
                if blind:
                    yield self._leak(facts, name, token, blind, path, Label("编号", "the number"))
        for name in facts.definition.entities:
            title = facts.title(name)
            for role, policies in facts.definition.policies.items():
                policy = policies.get(name)
                if policy and title in policy.hidden:
                    index = policy.hidden.index(title)
                    yield self._leak(
                        facts,
                        name,
                        title,
                        [role],
                        ("policies", role, name, "hidden", index),
                        Label("记录的标题", "the title of the record"),
                    )

    def _leak(self, facts: Facts, entity: str, field: str, roles: list[str], path: KeyPath, by: Label) -> Problem:
        who = facts.listed(facts.role_label(role) for role in roles)
        return facts.problem(
            self.code, path, severity="warning", field=facts.field_label(entity, field), roles=who, by=by
        )


class ActionPowerless(Check):
    """An action that is granted and can never succeed for want of another one."""

    code = "action-powerless"
    wrong = "entities: {order: {fields: {name: text}}}\nroles: {clerk: {}}\npolicies: {clerk: {order: {rows: 'true', actions: [read, transition]}}}"
    repaired = "entities: {order: {fields: {name: text}}}\nroles: {clerk: {}}\npolicies: {clerk: {order: {rows: 'true', actions: [read]}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for role, policies in facts.definition.policies.items():
            for name, policy in policies.items():
                entity = facts.definition.entities.get(name)
                if entity is None or role not in facts.definition.roles or facts.administrator(role):
                    continue
                for index, action in enumerate(policy.actions):
                    why = None
                    holders = [each for each in facts.people if role in facts.roles[each]]
                    if action not in ("read", "create", "import") and not any(
                        facts.may(each, name, "read") for each in holders
                    ):
                        why = Label("没有 read,什么也看不到", "without read, nothing is seen")
                    elif action in ("transition", "approve") and name not in facts.names.stages:
                        why = Label(
                            f"{facts.entity_label(name).zh} 没有流程", f"{facts.entity_label(name).en} has no process"
                        )
                    elif action == "convert" and not entity.conversions:
                        why = Label(
                            f"{facts.entity_label(name).zh} 没有转换",
                            f"{facts.entity_label(name).en} has no conversion",
                        )
                    elif action == "merge" and entity.duplicates is None:
                        why = Label(
                            f"{facts.entity_label(name).zh} 没有查重规则",
                            f"{facts.entity_label(name).en} has no rule for duplicates",
                        )
                    elif action == "import" and not any(
                        facts.may(each, name, "create") or facts.may(each, name, "update") for each in holders
                    ):
                        why = Label("没有 create,也没有 update", "there is neither create nor update")
                    elif action == "restore" and not any(facts.may(each, name, "delete") for each in holders):
                        why = Label("没有 delete", "there is no delete")
                    if why is not None:
                        yield facts.problem(
                            self.code,
                            ("policies", role, name, "actions", index),
                            severity="warning",
                            role=facts.role_label(role),
                            action=action,
                            entity=facts.entity_label(name),
                            why=why,
                        )


class PolicyRedundant(Check):
    """A role repeats, word for word or more narrowly, what a role that it includes has already."""

    code = "policy-redundant"
    wrong = "entities: {order: {fields: {name: text}}}\nroles: {clerk: {}, chief: {includes: clerk}}\npolicies: {clerk: {order: {rows: 'true'}}, chief: {order: {rows: 'true'}}}"
    repaired = "entities: {order: {fields: {name: text}}}\nroles: {clerk: {}, chief: {includes: clerk}}\npolicies: {clerk: {order: {rows: 'true'}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for role, policies in facts.definition.policies.items():
            if role not in facts.definition.roles:
                continue
            for name, policy in policies.items():
                for other in facts.roles[role] - {role}:
                    theirs = facts.definition.policies.get(other, {}).get(name)
                    if theirs is None or not set(policy.actions) <= set(theirs.actions):
                        continue
                    same = policy.model_copy(update={"actions": theirs.actions})
                    if same == theirs:
                        yield facts.problem(
                            self.code,
                            ("policies", role, name),
                            key=True,
                            severity="hint",
                            role=facts.role_label(role),
                            other=facts.role_label(other),
                            entity=facts.entity_label(name),
                        )
                        break


class ClauseWider(Check):
    """Parts of a whole that a role may see although it may not see the whole: the parts tell of it."""

    code = "clause-wider"
    wrong = (
        "entities: {order: {fields: {name: text}}, line: {part_of: order, fields: {name: text,"
        " order: {type: lookup, to: order, on_delete: cascade}}}}\n"
        "roles: {clerk: {}}\npolicies: {clerk: {order: {rows: 'created_by == user'}, line: {rows: 'true'}}}"
    )
    repaired = wrong.replace("line: {rows: 'true'}", "line: {rows: 'order.created_by == user'}")

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, entity in facts.definition.entities.items():
            parent = facts.names.target(name, entity.part_of) if entity.part_of else None
            if parent not in facts.definition.entities or parent is None:
                continue
            for role in facts.people:
                policy = facts.definition.policies.get(role, {}).get(name)
                if policy is None or "read" not in policy.actions or policy.rows.read.strip() != "true":
                    continue
                above = [each for each in facts.allowed(role, parent) if each.may("read")]
                if not any(each.policy.rows.read.strip() == "true" for each in above):
                    yield facts.problem(
                        self.code,
                        ("policies", role, name, "rows"),
                        severity="warning",
                        offset=0,
                        role=facts.role_label(role),
                        entity=facts.entity_label(name),
                        parent=facts.entity_label(parent),
                    )


class LookupUnreadable(Check):
    """A role fills a lookup whose records it may not read: there is nothing to choose from."""

    code = "lookup-unreadable"
    wrong = (
        "entities: {part: {fields: {name: text}}, order: {fields: {name: text, part: {type: lookup, to: part, on_delete: keep, required: true}}}}\n"
        "roles: {clerk: {}}\npolicies: {clerk: {order: {rows: 'true', actions: [read, create]}}}"
    )
    repaired = (
        "entities: {part: {fields: {name: text}}, order: {fields: {name: text, part: {type: lookup, to: part, on_delete: keep, required: true}}}}\n"
        "roles: {clerk: {}}\npolicies: {clerk: {order: {rows: 'true', actions: [read, create]}, part: {rows: 'true'}}}"
    )

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, entity in facts.definition.entities.items():
            for key, field in entity.fields.items():
                target = facts.names.target(name, key) if field.type == "lookup" else None
                if (
                    target not in facts.definition.entities
                    or target is None
                    or facts.definition.entities[name].part_of == key
                ):
                    continue
                if not any(facts.allowed(role, target) for role in facts.people) and not field.required:
                    continue  # the target is the administrators' altogether
                blind = [
                    role
                    for role in facts.people
                    if facts.fills(role, name, key) and not facts.may(role, target, "read")
                ]
                if blind:
                    yield facts.problem(
                        self.code,
                        ("entities", name, "fields", key, "to"),
                        severity="error" if field.required else "warning",
                        related=[
                            ("policies", role, name)
                            for role in blind
                            if name in facts.definition.policies.get(role, {})
                        ],
                        roles=facts.listed(facts.role_label(role) for role in blind),
                        field=facts.field_label(name, key),
                        target=facts.entity_label(target),
                    )
