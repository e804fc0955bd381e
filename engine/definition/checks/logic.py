"""What conditions admit: nothing, everything, two things at once, or less than together they should."""

from collections.abc import Iterator
from itertools import combinations

from engine.definition.checks.base import Check
from engine.definition.contradictions import conjuncts, why_impossible
from engine.definition.facts import Facts
from engine.definition.regions import Region
from engine.definition.saying import said, value_text
from engine.definition.source import KeyPath
from engine.expressions import Expression
from engine.expressions.tree import Aggregate, Call, Const, Node
from engine.problems import Label, Problem

_FIELDS = "name: text, amount: {type: money, required: true}, size: {type: integer, min: 0, max: 10}, kind: {type: choice, options: {a: A, b: B}}"
_ORDER = f"entities: {{order: {{fields: {{{_FIELDS}}}}}}}\n"
_FRAME = (
    _ORDER + "roles: {clerk: {}}\n"
    "policies: {clerk: {order: {rows: 'created_by == user', actions: [read, create, update, transition]}}}\n"
)


def _sites(facts: Facts) -> Iterator[tuple[KeyPath, Expression]]:
    """Conditions that a person wrote to choose among records: not gates, and not the literal `true` and `false`."""
    for path, site in facts.sites.items():
        expression = facts.expressions.get(site.key)
        if expression is None or expression.type.kind != "boolean" or isinstance(expression.tree, Const):
            continue
        if (
            path[-1] in ("formula", "value")
            or "sets" in path
            or "set" in path
            or (path[0] == "processes" and "stages" in path)
        ):
            continue
        yield path, expression


class AlwaysFalse(Check):
    code = "always-false"
    wrong = _ORDER + "views: {big: {entity: order, where: size > 10}}"
    repaired = _ORDER + "views: {big: {entity: order, where: size > 9}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for path, expression in _sites(facts):
            why = why_impossible(facts, conjuncts(expression.tree))
            if why is not None and expression.entity is not None:
                yield facts.problem(
                    self.code, path, severity="warning", offset=0, entity=facts.entity_label(expression.entity), why=why
                )


class AlwaysTrue(Check):
    code = "always-true"
    wrong = _ORDER + "views: {some: {entity: order, where: amount >= 5 or amount < 5}}"
    repaired = _ORDER + "views: {some: {entity: order, where: amount >= 5}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for path, expression in _sites(facts):
            if expression.entity is not None and Region([(expression.tree, False)], facts.domain).impossible:
                yield facts.problem(
                    self.code, path, severity="warning", offset=0, entity=facts.entity_label(expression.entity)
                )


class BranchDead(Check):
    """A branch of a formula that no record reaches, because an earlier one or a bound takes them all."""

    code = "branch-dead"
    wrong = _ORDER.replace("size:", 'rank: {type: integer, formula: "1 if size > 8 else 2 if size > 9 else 3"}, size:')
    repaired = _ORDER.replace(
        "size:", 'rank: {type: integer, formula: "1 if size > 9 else 2 if size > 8 else 3"}, size:'
    )

    def find(self, facts: Facts) -> Iterator[Problem]:
        for path, site in facts.sites.items():
            expression = facts.expressions.get(site.key)
            if expression is None or expression.entity is None:
                continue
            dead = self._dead(facts, expression.tree, [])
            if dead is not None:
                yield facts.problem(self.code, path, severity="warning", offset=0, condition=dead)

    def _dead(self, facts: Facts, node: Node, met: list[tuple[Node, bool]]) -> Label | None:
        """What is demanded in vain on the way to a branch; None if every branch can be reached for all that is proven."""
        if isinstance(node, Call) and node.operation == "if":
            test, yes, no = node.arguments
            for way, branch in (((test, True), yes), ((test, False), no)):
                if not isinstance(test, Const) and Region([*met, way], facts.domain).impossible:
                    return said(facts, *way)
                found = self._dead(facts, branch, [*met, way])
                if found is not None:
                    return found
            return self._dead(facts, test, met)
        if isinstance(node, Aggregate):
            return None  # inside, names are those of other records
        children = node.arguments if isinstance(node, Call) else ()
        return next((found for each in children if (found := self._dead(facts, each, met))), None)


class NeverVisible(Check):
    """A field and the section around it show under conditions that exclude each other."""

    code = "never-visible"
    wrong = (
        "entities: {order: {fields: {name: text, size: integer, note: {type: text, visible_when: size < 3}},"
        " sections: {main: {fields: [name, size]}, more: {fields: [note], visible_when: size > 5}}}}"
    )
    repaired = wrong.replace("size < 3", "size < 8")

    def find(self, facts: Facts) -> Iterator[Problem]:
        groups = [
            (name, ("entities", name, "sections"), entity.sections)
            for name, entity in facts.definition.entities.items()
        ]
        groups += [
            (form.entity, ("forms", name, "sections"), form.sections) for name, form in facts.definition.forms.items()
        ]
        for entity, base, sections in groups:
            for key, section in sections.items():
                around = facts.expression(*base, key, "visible_when")
                if around is None or Region([(around.tree, True)], facts.domain).impossible:
                    continue
                for index, field in enumerate(section.fields):
                    path: KeyPath = ("entities", entity, "fields", field, "visible_when")
                    own = facts.expression(*path)
                    if own is None or Region([(own.tree, True)], facts.domain).impossible:
                        continue
                    if Region([(around.tree, True), (own.tree, True)], facts.domain).impossible:
                        yield facts.problem(
                            self.code, (*base, key, "fields", index), severity="warning", related=[path, (*base, key, "visible_when")], field=facts.field_label(entity, field),
                            section=section.label or Label.of(key),
                        )  # fmt: skip


class RulesClash(Check):
    code = "rules-clash"
    wrong = f"entities: {{order: {{fields: {{{_FIELDS}}}, rules: {{low: {{when: amount < 5, say: x}}, high: {{when: amount > 6, say: x}}}}}}}}"
    repaired = wrong.replace("> 6", "> 3")

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, entity in facts.definition.entities.items():
            found = [
                (key, each)
                for key in entity.rules
                if (each := facts.expression("entities", name, "rules", key, "when"))
            ]
            alone = [(key, each) for key, each in found if not Region([(each.tree, True)], facts.domain).impossible]
            for (one, first), (two, second) in combinations(alone, 2):
                if Region([(first.tree, True), (second.tree, True)], facts.domain).impossible:
                    yield facts.problem(
                        self.code,
                        ("entities", name, "rules", two, "when"),
                        offset=0,
                        related=[("entities", name, "rules", one, "when")],
                        entity=facts.entity_label(name),
                        pair=facts.listed([Label.of(one), Label.of(two)]),
                    )


class ProcessesOverlap(Check):
    """A new record that meets the conditions of two processes: which one it follows would depend on their order."""

    code = "processes-overlap"
    wrong = _FRAME + (
        "processes: {one: {entity: order, when: amount > 5, stages: {open: {}, done: {end: done}}},"
        " two: {entity: order, when: amount > 8, stages: {open: {}, done: {end: done}}}}"
    )
    repaired = _FRAME + (
        "processes: {one: {entity: order, when: amount > 5, stages: {open: {}, done: {end: done}}},"
        " two: {entity: order, when: amount <= 5, stages: {open: {}, done: {end: done}}}}"
    )

    def find(self, facts: Facts) -> Iterator[Problem]:
        conditions = [
            (name, process.entity, each)
            for name, process in facts.definition.processes.items()
            if (each := facts.expression("processes", name, "when"))
        ]
        for (one, entity, first), (two, other, second) in combinations(conditions, 2):
            if entity != other:
                continue
            record = Region([(first.tree, True), (second.tree, True)], facts.domain).example()
            if not record:
                continue
            shown = {}
            for field, value in record.items():
                type = facts.scope.field(entity, field)
                shown[field] = value_text(type, value, facts, (entity, field)) if type else Label.of(str(value))
            zh = "、".join(f"「{facts.field_label(entity, field).zh}」为 {text.zh}" for field, text in shown.items())
            en = " and ".join(f'"{facts.field_label(entity, field).en}" {text.en}' for field, text in shown.items())
            yield facts.problem(
                self.code,
                ("processes", two, "when"),
                offset=0,
                related=[("processes", one, "when")],
                witness={field: text.en for field, text in shown.items()},
                entity=facts.entity_label(entity),
                one=facts.definition.processes[one].label or Label.of(one),
                two=facts.definition.processes[two].label or Label.of(two),
                witness_words=Label(f"({zh})", f" ({en})"),
            )


class TermOutside(Check):
    """A term whose value is bounded on both sides and leaves 0…1: what lies outside is cut off."""

    code = "term-outside"
    wrong = (
        _ORDER.replace("size:", "health: score, size:")
        + "scores: {health: {entity: order, field: health, terms: {size: {weight: 100, value: size / 5}}}}"
    )
    repaired = (
        _ORDER.replace("size:", "health: score, size:")
        + "scores: {health: {entity: order, field: health, terms: {size: {weight: 100, value: size / 10}}}}"
    )

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, score in facts.definition.scores.items():
            for key, term in score.terms.items():
                expression = facts.expression("scores", name, "terms", key, "value")
                if expression is None or expression.type.kind != "number" or isinstance(expression.tree, Const):
                    continue
                domain = Region([(expression.tree, True)], facts.domain).domain(expression.tree, {})
                one = 10**expression.type.scale
                # Bounds of rounded values have a unit of their last digit to spare.
                if domain.low >= -one // 20 and domain.high <= one + one // 20:
                    continue
                if abs(domain.low) > 1000 * one or abs(domain.high) > 1000 * one:
                    continue  # nothing declared bounds it
                low, high = (
                    value_text(expression.type, round(edge, 2 - expression.type.scale))
                    for edge in (domain.low, domain.high)
                )
                yield facts.problem(
                    self.code,
                    ("scores", name, "terms", key, "value"),
                    severity="warning",
                    offset=0,
                    term=term.label or Label.of(key),
                    low=low,
                    high=high,
                )
