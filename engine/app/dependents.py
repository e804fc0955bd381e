"""What must be computed anew when a field changes: the order within a record, and the ways from one record to another."""

from collections.abc import Mapping

from engine.app.model import Computed, Dependent, EntityApp
from engine.expressions import Expression
from engine.expressions.tree import Aggregate, Follow, Name, Node, Step


def order_of(computed: Mapping[str, Computed]) -> tuple[str, ...]:
    """Stored computed fields so that each comes after those of the same record that it reads."""
    order: list[str] = []
    writer = {name: each.name for each in computed.values() for name in each.writes}

    def visit(name: str, above: frozenset[str]) -> None:
        if name in order or name in above:
            return
        for expression in computed[name].expressions:
            for read in sorted(expression.locals):
                if read in writer and writer[read] != name:
                    visit(writer[read], above | {name})
        order.append(name)

    for name in computed:
        visit(name, frozenset())
    return tuple(name for name in order if computed[name].stored)


def routes(expression: Expression) -> set[tuple[tuple[Step, ...], str, str]]:
    """Every field that an expression reads of other records: the way there from its own record, the entity, the field.

    A field of its own record that is read inside an aggregate comes with an empty way: what is read there is the stored
    value, so that the aggregate is stale when a computed one changes.
    """
    found: set[tuple[tuple[Step, ...], str, str]] = set()

    def way(node: Node, rows: Mapping[int, tuple[Step, ...]]) -> tuple[Step, ...]:
        """The steps to the record that a record-valued node points to."""
        match node:
            case Name(kind, entity, name, row):
                return (*rows[row], Step(entity, name, "record", kind.entity or ""))
            case Follow(kind, source, entity, name):
                return (*way(source, rows), Step(entity, name, "record", kind.entity or ""))
        return ()

    def visit(node: Node, rows: Mapping[int, tuple[Step, ...]]) -> None:
        match node:
            case Name(_, entity, name, row):
                if rows[row] or len(rows) > 1:
                    found.add((rows[row], entity, name))
            case Follow(_, source, entity, name):
                found.add((way(source, rows), entity, name))
                visit(source, rows)
            case Aggregate(_, _, path, origin, row, value, where):
                steps = rows[origin]
                for step in path:
                    if step.kind == "record" and steps:
                        found.add((steps, step.entity, step.name))
                    steps = (*steps, step)
                    if step.kind == "records":
                        found.add((steps, step.target, "deleted_at"))
                for part in (value, where):
                    if part is not None:
                        visit(part, {**rows, row: steps})
                return
            case _:
                for child in node.children:
                    visit(child, rows)

    visit(expression.tree, {0: ()})
    return found


def dependents_of(
    computed: list[Computed], entities: Mapping[str, EntityApp]
) -> dict[tuple[str, str], tuple[Dependent, ...]]:
    """(entity, field) -> what must be computed anew elsewhere when it changes."""
    found: dict[tuple[str, str], dict[tuple[str, str, tuple[Step, ...]], Dependent]] = {}
    for each in computed:
        if not each.stored:
            continue
        for expression in each.expressions:
            for path, entity, name in routes(expression):
                keys = [(entity, name)]
                last = path[-1] if path else None
                if last is not None and last.kind == "records":
                    # A child that moves to another parent changes both.
                    keys.append((entity, entities[last.entity].relations[last.name][1]))
                for key in keys:
                    found.setdefault(key, {})[(each.entity, each.name, path)] = Dependent(each, path)
    return {key: tuple(by.values()) for key, by in found.items()}
