"""Computed fields: what feeds itself, and what would have to change although nothing was written."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from engine.definition.checks.base import Check
from engine.definition.facts import Facts
from engine.definition.source import KeyPath
from engine.expressions.tree import MAX_SIZE, Follow, Name, walk
from engine.problems import Label, Problem

if TYPE_CHECKING:
    import networkx as nx

Field = tuple[str, str]


def inputs(facts: Facts) -> dict[Field, tuple[KeyPath, set[Field]]]:
    """(entity, computed field) -> where its rule stands, and every field that it reads. A score's band counts as the score."""
    found: dict[Field, tuple[KeyPath, set[Field]]] = {}
    beside = {
        (entity, f"{field}_{part}"): (entity, field)
        for entity, field in facts.names.scored
        for part in ("band", "detail")
    }
    for name, entity in facts.definition.entities.items():
        for key, field in entity.fields.items():
            expression = facts.expression("entities", name, "fields", key, "formula")
            if field.formula is not None and expression is not None:
                found[name, key] = (
                    ("entities", name, "fields", key, "formula"),
                    {beside.get(pair, pair) for pair in expression.fields},
                )
    for name, score in facts.definition.scores.items():
        read: set[Field] = set()
        paths = [("scores", name, "when"), *(("scores", name, "terms", term, "value") for term in score.terms)]
        for path in paths:
            expression = facts.expression(*path)
            if expression is not None:
                read |= {beside.get(pair, pair) for pair in expression.fields}
        found[score.entity, score.field] = (("scores", name), read)
    return found


class FormulaCycle(Check):
    """A formula, a rollup or a score that feeds itself, through whatever other records."""

    code = "formula-cycle"
    wrong = "entities: {order: {fields: {name: text, net: {type: money, formula: gross / 2}, gross: {type: money, formula: net * 2}}}}"
    repaired = "entities: {order: {fields: {name: text, net: money, gross: {type: money, formula: net * 2}}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        known = inputs(facts)
        edges = [(each, node) for node, (_, read) in known.items() for each in read if each in known]
        for ring in facts.rings:
            for each, following in zip(ring, [*ring[1:], ring[0]], strict=True):
                known.setdefault(each, (("entities", each[0], "fields", each[1], "formula"), set()))
                edges.append((following, each))
        if not self._turns(edges):
            return
        import networkx as nx  # it takes longer to load than all else that a sound definition is checked with

        graph: nx.DiGraph[Field] = nx.DiGraph(edges)
        order = {node: index for index, node in enumerate(known)}
        for part in nx.strongly_connected_components(graph):
            first = min(part, key=lambda node: order[node])
            if len(part) == 1 and not graph.has_edge(first, first):
                continue
            ring = self._ring(graph, first, part)
            words = Label(
                " → ".join(self._name(facts, each) for each in [*ring, ring[0]]),
                " → ".join(self._name(facts, each) for each in [*ring, ring[0]]),
            )
            path = known[first][0]
            yield facts.problem(
                self.code, path, key=path[0] == "scores", offset=0 if path[0] != "scores" else None, related=[known[each][0] for each in ring[1:]], ring=words,
                field=facts.field_label(*first),
            )  # fmt: skip

    @staticmethod
    def _turns(edges: list[tuple[Field, Field]]) -> bool:
        """Whether there is a cycle at all."""
        order: TopologicalSorter[Field] = TopologicalSorter()
        for source, target in edges:
            order.add(target, source)
        try:
            order.prepare()
        except CycleError:
            return True
        return False

    @staticmethod
    def _ring(graph: "nx.DiGraph[Field]", first: Field, part: set[Field]) -> list[Field]:
        import networkx as nx

        within = graph.subgraph(part)
        ways = [nx.shortest_path(within, each, first) for each in sorted(within.successors(first))]
        return [first] if graph.has_edge(first, first) else [first, *min(ways, key=len)[:-1]]

    @staticmethod
    def _name(facts: Facts, node: Field) -> str:
        return f"{node[0]}.{node[1]}"


class StoredVolatile(Check):
    """A stored value that reads the clock or the reader would be wrong a moment later.

    Formula fields that do so, or read one that does, are computed on reading; but what is unique, indexed, or an input of
    a score is stored.
    """

    code = "stored-volatile"
    wrong = "entities: {order: {fields: {name: text, due: date, left: {type: integer, index: true, formula: 'days_between(today(), due)'}}}}"
    repaired = "entities: {order: {fields: {name: text, due: date, left: {type: integer, formula: 'days_between(today(), due)'}}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, entity in facts.definition.entities.items():
            for key, field in entity.fields.items():
                path: KeyPath = ("entities", name, "fields", key, "formula")
                expression = facts.expression(*path)
                if expression is None or (name, key) not in facts.volatile:
                    continue
                setting = next((each for each in ("unique", "index", "search") if getattr(field, each)), None)
                if setting is not None:
                    yield facts.problem(
                        self.code,
                        path,
                        offset=0,
                        related=[(*path[:-1], setting)],
                        field=facts.field_label(name, key),
                        setting=setting,
                    )
        for name, score in facts.definition.scores.items():
            for part in (("when",), *(("terms", term, "value") for term in score.terms)):
                expression = facts.expression("scores", name, *part)
                if expression is not None and (expression.volatile or facts.volatile & expression.fields):
                    yield facts.problem(
                        self.code,
                        ("scores", name, *part),
                        offset=0,
                        field=score.label or Label.of(name),
                        setting="score",
                    )


class NotInSql(Check):
    """A formula computed on reading out of formulas computed on reading, which SQL has to hold one within the other.

    Beyond three of them SQLite's parser, which holds a hundred symbols, may give up, and where one is read twice the
    text doubles at each level.
    """

    code = "not-in-sql"
    _CHAIN = "entities: {order: {fields: {name: text, due: date, a: {type: formula, formula: 'days_between(today(), due)'}, b: {type: formula, formula: a + 1}, c: {type: formula, formula: b * 2}, d: {type: formula, formula: %s}}}}"
    wrong = _CHAIN % "c - 3"
    repaired = _CHAIN % "a * 2 - 1"

    LEVELS = 3

    def find(self, facts: Facts) -> Iterator[Problem]:
        formulas = {
            (entity, name): facts.expressions[f"entities.{entity}.fields.{name}.formula"]
            for entity, name in sorted(facts.volatile)
        }
        known: dict[Field, tuple[int, int]] = {}

        def extent(field: Field) -> tuple[int, int]:
            """How many formulas lie within each other, and how many parts the whole is made of."""
            if field not in known:
                known[field] = (0, 0)  # what feeds itself is reported as that
                levels, size = 0, formulas[field].tree.size
                for node in walk(formulas[field].tree):
                    if isinstance(node, Name | Follow) and (node.entity, node.name) in formulas:
                        inner = extent((node.entity, node.name))
                        levels, size = max(levels, inner[0]), size + inner[1]
                known[field] = (levels + 1, size)
            return known[field]

        for field, expression in formulas.items():
            reported = any(each in formulas and self._beyond(*extent(each)) for each in expression.fields)
            if self._beyond(*extent(field)) and not reported:
                path: KeyPath = ("entities", field[0], "fields", field[1], "formula")
                yield facts.problem(self.code, path, offset=0, field=facts.field_label(*field))

    def _beyond(self, levels: int, size: int) -> bool:
        return levels > self.LEVELS or size > MAX_SIZE
