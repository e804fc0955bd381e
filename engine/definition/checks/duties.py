"""Duties that one person must not hold together: who asks for the money is not who pays it."""

from collections.abc import Iterator

from engine.access.policies import joined
from engine.definition.checks.base import Check
from engine.definition.facts import Facts
from engine.definition.source import KeyPath
from engine.problems import Problem

_ORDER = "entities: {order: {fields: {name: text}}}\n"
_POLICIES = "policies: {payer: {order: {rows: 'true'}}, asker: {order: {rows: 'created_by == user'}}}\n"


class DutiesJoined(Check):
    """A role that includes two which `apart` keeps from each other, or a sample person who holds both."""

    code = "duties-joined"
    wrong = _ORDER + "roles: {payer: {apart: asker}, asker: {}, chief: {includes: [payer, asker]}}\n" + _POLICIES
    repaired = _ORDER + "roles: {payer: {apart: asker}, asker: {}, chief: {includes: [payer]}}\n" + _POLICIES

    def find(self, facts: Facts) -> Iterator[Problem]:
        roles = facts.definition.roles
        held: list[tuple[KeyPath, tuple[str, ...]]] = [
            (("roles", name, "includes"), (name,)) for name in roles if not facts.administrator(name)
        ]
        held += [
            (("sample", "people", login, "roles"), person.roles)
            for login, person in facts.definition.sample.people.items()
        ]
        told: set[str] = set()
        for path, names in held:
            pair = joined(roles, names)
            # What a role joins is joined in all that include it: one cause, one report.
            if pair is None or (path[0] == "roles" and told & (facts.roles[str(path[1])] - {str(path[1])})):
                continue
            told.add(str(path[1]))
            one, other = pair
            yield facts.problem(
                self.code,
                path if facts.has(path) else path[:-1],
                related=[("roles", one, "apart")],
                value=str(path[-2]),
                holder=facts.role_label(str(path[1]))
                if path[0] == "roles"
                else facts.definition.sample.people[str(path[2])].name,
                one=facts.role_label(one),
                other=facts.role_label(other),
            )
