"""What a checked expression reads: its own fields, other records, variables, and along which paths.

A `Read` is one value that stands on other records, fetched by SQL.  A `Dependency` says which field at the end of which
path takes part, so that a change over there can find the records over here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from engine.expressions.tree import Aggregate, Call, Const, Follow, Name, Node, Step, Variable, walk
from engine.expressions.types import Type

SUPPLIED = frozenset({"now", "today", "timezone", "calendar"})


@dataclass(frozen=True)
class Read:
    """A value from other records. `key` names it among the values given to `Expression.evaluate`."""

    key: str
    tree: Node
    type: Type


@dataclass(frozen=True)
class Dependency:
    """The field `name` of `entity` at the end of `path`, which starts at the expression's own record; empty for itself.

    Records that are counted are a dependency on their `deleted_at`.  `stored`: a field of the own record that is read
    inside an aggregate, by SQL, where the stored value counts.
    """

    path: tuple[Step, ...]
    entity: str
    name: str
    stored: bool = False


def reads_of(tree: Node) -> tuple[Read, ...]:
    """In the order of their first appearance."""
    return tuple(
        {node.key: Read(node.key, node, node.type) for node in _atoms(tree) if not isinstance(node, Name)}.values()
    )


def locals_of(tree: Node) -> frozenset[str]:
    return frozenset(node.name for node in _atoms(tree) if isinstance(node, Name))


def variables_of(tree: Node) -> frozenset[str]:
    """The app's variables, and among `now`, `today`, `timezone` and `calendar` those that are used."""
    return frozenset(node.name for node in walk(tree) if isinstance(node, Variable))


def put_in(tree: Node, instead: Mapping[str, Node]) -> Node:
    """The tree with trees instead of fields of the own record; what reads other records stays as it is."""
    if isinstance(tree, Name):
        return instead.get(tree.name, tree)
    if isinstance(tree, Call):
        arguments = tuple(put_in(each, instead) for each in tree.arguments)
        return tree if arguments == tree.arguments else replace(tree, arguments=arguments)
    return tree


def _atoms(tree: Node) -> Iterator[Node]:
    """What stands on records: fields of the own row, and reads as wholes."""
    if isinstance(tree, Name | Follow | Aggregate):
        yield tree
    elif isinstance(tree, Call):
        for child in tree.children:
            yield from _atoms(child)


def dependencies_of(tree: Node) -> tuple[Dependency, ...]:
    """Every field that takes part, the links of the paths included; without repetition."""
    return tuple(dict.fromkeys(_dependencies(tree, {0: ()})))


def _dependencies(node: Node, rows: Mapping[int, tuple[Step, ...]]) -> Iterator[Dependency]:
    match node:
        case Name(_, entity, name, row):
            yield Dependency(rows[row], entity, name, not rows[row] and len(rows) > 1)
        case Follow(_, source, entity, name):
            yield from _dependencies(source, rows)
            yield Dependency(_path_of(node.source, entity, rows), entity, name)
        case Aggregate():
            path = rows[node.origin]
            for step in node.path:
                yield Dependency(path, step.entity, step.name)
                path += (step,)
                if step.kind == "records":
                    yield Dependency(path, step.target, "deleted_at")
            for child in node.children:
                yield from _dependencies(child, {**rows, node.row: path})
        case Call():
            for child in node.arguments:
                yield from _dependencies(child, rows)
        case Const() | Variable():
            pass


def _path_of(source: Node, target: str, rows: Mapping[int, tuple[Step, ...]]) -> tuple[Step, ...]:
    """The path to the record that a chain of lookups arrives at."""
    assert isinstance(source, Name | Follow)
    before = rows[source.row] if isinstance(source, Name) else _path_of(source.source, source.entity, rows)
    return (*before, Step(source.entity, source.name, "record", target))
