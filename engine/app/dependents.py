"""What must be computed anew when a field changes: the order within a record, and the ways from one record to another."""

from collections.abc import Iterator, Mapping

from engine.app.model import Computed, Dependent, EntityApp
from engine.expressions import Expression
from engine.expressions.tree import Step


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


def routes(expression: Expression, entities: Mapping[str, EntityApp]) -> Iterator[tuple[tuple[Step, ...], str, str]]:
    """Every field whose change makes the stored value stale: the way there from its own record, the entity, the field.

    The own record's fields are none: they change in the same write; but for those read inside an aggregate, where a
    computed one counts as it is stored.
    """
    for each in expression.dependencies:
        if (each.path or each.stored) and each.name not in entities[each.entity].relations:
            yield each.path, each.entity, each.name


def dependents_of(
    computed: list[Computed], entities: Mapping[str, EntityApp]
) -> dict[tuple[str, str], tuple[Dependent, ...]]:
    """(entity, field) -> what must be computed anew elsewhere when it changes."""
    found: dict[tuple[str, str], dict[tuple[str, str, tuple[Step, ...]], Dependent]] = {}
    for each in computed:
        if not each.stored:
            continue
        for expression in each.expressions:
            for path, entity, name in routes(expression, entities):
                keys = [(entity, name)]
                last = path[-1] if path else None
                if last is not None and last.kind == "records":
                    # A child that moves to another parent changes both.
                    keys.append((entity, entities[last.entity].relations[last.name][1]))
                for key in keys:
                    found.setdefault(key, {})[(each.entity, each.name, path)] = Dependent(each, path)
    return {key: tuple(by.values()) for key, by in found.items()}
