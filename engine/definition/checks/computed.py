"""Computed fields: what feeds itself, and what would have to change although nothing was written."""

from collections.abc import Iterator

import networkx as nx

from engine.definition.checks.base import Check
from engine.definition.facts import Facts
from engine.definition.source import KeyPath
from engine.problems import Label, Problem

Node = tuple[str, str]


def inputs(facts: Facts) -> dict[Node, tuple[KeyPath, set[Node]]]:
    """(entity, computed field) -> where its rule stands, and every field that it reads. A score's band counts as the score."""
    found: dict[Node, tuple[KeyPath, set[Node]]] = {}
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
        read: set[Node] = set()
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
        graph: nx.DiGraph[Node] = nx.DiGraph()
        for node, (_, read) in known.items():
            graph.add_edges_from((each, node) for each in read if each in known)
        for ring in facts.rings:
            for each, following in zip(ring, [*ring[1:], ring[0]], strict=True):
                known.setdefault(each, (("entities", each[0], "fields", each[1], "formula"), set()))
                graph.add_edge(following, each)
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
    def _ring(graph: "nx.DiGraph[Node]", first: Node, part: set[Node]) -> list[Node]:
        within = graph.subgraph(part)
        ways = [nx.shortest_path(within, each, first) for each in sorted(within.successors(first))]
        return [first] if graph.has_edge(first, first) else [first, *min(ways, key=len)[:-1]]

    @staticmethod
    def _name(facts: Facts, node: Node) -> str:
        return f"{node[0]}.{node[1]}"


class StoredVolatile(Check):
    """A stored value that reads the clock or the reader would be wrong a moment later.

    Formula fields that do so are computed on reading; but what is unique, indexed, or an input of a score is stored.
    """

    code = "stored-volatile"
    wrong = "entities: {order: {fields: {name: text, due: date, left: {type: integer, index: true, formula: 'days_between(today(), due)'}}}}"
    repaired = "entities: {order: {fields: {name: text, due: date, left: {type: integer, formula: 'days_between(today(), due)'}}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, entity in facts.definition.entities.items():
            for key, field in entity.fields.items():
                path: KeyPath = ("entities", name, "fields", key, "formula")
                expression = facts.expression(*path)
                if expression is None or not expression.volatile:
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
