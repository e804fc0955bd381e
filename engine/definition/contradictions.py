"""Why conditions cannot all hold, in words: by the one that meets a bound, or by the two that exclude each other."""

from itertools import combinations

from engine.definition.facts import Facts
from engine.definition.regions import Region
from engine.definition.saying import compared, name_of, said, value_text
from engine.definition.source import KeyPath
from engine.expressions.tree import Call, Name, Node
from engine.problems import Label


def conjuncts(node: Node, truth: bool = True) -> list[tuple[Node, bool]]:
    """The parts that must all hold for `node` to have that truth."""
    if isinstance(node, Call):
        if node.operation == "not":
            return conjuncts(node.arguments[0], not truth)
        if node.operation == ("and" if truth else "or"):
            return [part for each in node.arguments for part in conjuncts(each, truth)]
    return [(node, truth)]


def why_impossible(facts: Facts, parts: list[tuple[Node, bool]]) -> Label | None:
    """Why nothing meets all parts, by the one or two that already exclude everything; None if that is not proven."""
    if not parts or not Region(parts, facts.domain).impossible:
        return None
    for part in parts:
        if Region([part], facts.domain).impossible:
            return _limit(facts, *part) or _alone(facts, *part)
    for pair in combinations(parts, 2):
        if Region(list(pair), facts.domain).impossible:
            one, two = (said(facts, *part) for part in pair)
            return Label(f"要求{one.zh},又要求{two.zh}", f"{one.en}, and {two.en}")
    return Label("各项要求互相矛盾", "its parts contradict each other")


def _alone(facts: Facts, node: Node, truth: bool) -> Label:
    if isinstance(node, Call) and node.operation in ("and", "or"):
        inner = node.arguments if (node.operation == "and") is truth else ()
        found = why_impossible(facts, [part for each in inner for part in conjuncts(each, truth)]) if inner else None
        if found is not None:
            return found
    text = said(facts, node, truth)
    return Label(f"要求{text.zh},而这不可能", f"{text.en}, which is impossible")


def _limit(facts: Facts, node: Node, truth: bool) -> Label | None:
    """The bound that a comparison meets: of a formula with its place, of a field's own least or greatest value."""
    found = compared(node, truth)
    if found is None or not isinstance(found[1], Name):
        return None
    sign, value, _ = found
    name = name_of(facts, value)
    domain = facts.domain(value)
    if name is None or domain is None or not isinstance(value, Name):
        return None
    top = sign in ("gt", "ge")
    edge = value_text(value.type, domain.high if top else domain.low)
    path: KeyPath = ("entities", value.entity, "fields", value.name)
    where = ""
    for setting in ("formula", "max" if top else "min"):
        if facts.has((*path, setting)):
            where = f"({facts.source.place((*path, setting), offset=0)})"
            break
    demand = said(facts, node, truth)
    zh, en = ("最大为", "at most") if top else ("最小为", "at least")
    return Label(
        f"要求{demand.zh},而它{zh} {edge.zh}{where}",
        f"{demand.en}, but is {en} {edge.en}{' ' + where if where else ''}",
    )
