"""What names mean: a dotted path is followed from a row, a record or a variable to a value or to many records."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from engine.expressions.faults import Edit, Fault, Wrong, said
from engine.expressions.syntax import Dotted
from engine.expressions.tokens import Token
from engine.expressions.tree import MAX_HOPS, Follow, Name, Node, Step, Variable
from engine.expressions.types import Scope, Type
from engine.registry import nearest


@dataclass(frozen=True)
class Mention:
    """A name in the text that means a field: what a rename rewrites."""

    offset: int
    length: int
    entity: str
    name: str


@dataclass(frozen=True)
class Reach:
    """Where a path leads. Without steps `value` is it; with steps, rows of `entity`, and `value` is what is taken of each."""

    value: Node | None
    steps: tuple[Step, ...] = ()
    origin: int = 0
    entity: str = ""


class Names:
    """The names that are in reach at one point of an expression; collects those that were used."""

    def __init__(self, entity: str | None, scope: Scope) -> None:
        self.scope = scope
        self.rows: list[str] = [] if entity is None else [entity]
        self.mentions: list[Mention] = []
        self.filled: frozenset[str] = frozenset()  # keys of values that a condition around has found not to be null

    @contextmanager
    def row_of(self, entity: str) -> Iterator[None]:
        """Inside, bare names are first of all fields of a related record."""
        self.rows.append(entity)
        filled, self.filled = self.filled, frozenset()
        try:
            yield
        finally:
            self.rows.pop()
            self.filled = filled

    def reach(self, path: Dotted) -> Reach:
        """Raises Wrong for a name that is unknown, or that nothing can follow."""
        first, *rest = path.names
        word = str(first.value)
        if word == "this" and self.rows and self.scope.variable(word) is None:
            if not rest:
                return Reach(Name(Type("record", nullable=False, entity=self.rows[0]), self.rows[0], "id", 0))
            return self._from_row(0, rest)
        for row in range(len(self.rows) - 1, -1, -1):
            if self._field(self.rows[row], word) is not None:
                return self._from_row(row, path.names)
        if self.scope.variable(word) is not None:
            return Reach(self._variable(path.names))
        if self.rows:
            raise self._unknown_field(first, self.rows[-1])
        raise Wrong(Fault("unknown-variable", first.offset, first.length, {"name": word}))

    def _field(self, entity: str, name: str) -> Type | None:
        return None if name.startswith("_") else self.scope.field(entity, name)

    def _from_row(self, row: int, names: Sequence[Token]) -> Reach:
        entity, origin = self.rows[row], row
        many: tuple[Step, ...] = ()  # up to the last hop to many records
        hops: tuple[Step, ...] = ()  # the lookups since then
        value: Node | None = None
        for index, token in enumerate(names):
            name = str(token.value)
            type = self._field(entity, name)
            if type is None:
                raise self._unknown_field(token, entity)
            self.mentions.append(Mention(token.offset, token.length, entity, name))
            last = index == len(names) - 1
            if len(many) + len(hops) >= MAX_HOPS + last:
                raise Wrong(
                    Fault("expression-too-large", token.offset, token.length, {"limit": MAX_HOPS, "of": said("hops")})
                )
            if type.kind == "records":
                many += (*hops, Step(entity, name, "records", type.entity or ""))
                hops, value = (), None
            else:
                value = self._taken(value, entity, name, len(self.rows) if many else row, type)
                if not last:
                    if type.kind != "record" or not type.entity:
                        raise self._unknown_field(names[index + 1], name)
                    hops += (Step(entity, name, "record", type.entity),)
            if not last or type.kind == "records":
                entity = type.entity or ""
        reached = many[-1].target if many else entity
        return Reach(value, many, origin, reached)

    def _taken(self, source: Node | None, entity: str, name: str, row: int, type: Type) -> Node:
        # What hangs on an empty lookup is empty, whatever its own field promises.
        node: Node
        if source is None:
            node = Name(type, entity, name, row)
        else:
            node = Follow(type.optional() if source.type.nullable else type, source, entity, name)
        if node.type.nullable and node.key in self.filled:
            return (
                Name(type.required(), entity, name, row)
                if source is None
                else Follow(type.required(), source, entity, name)
            )
        return node

    def _variable(self, names: Sequence[Token]) -> Node:
        word = str(names[0].value)
        type = self.scope.variable(word)
        for token in names[1:]:
            name = str(token.value)
            word = f"{word}.{name}"
            own = None if name.startswith("_") else self.scope.variable(word)
            if own is None:
                if type is None or type.kind != "record" or not type.entity:
                    raise Wrong(Fault("unknown-variable", token.offset, token.length, {"name": word}))
                own = self._field(type.entity, name)
                if own is None:
                    raise self._unknown_field(token, type.entity)
                self.mentions.append(Mention(token.offset, token.length, type.entity, name))
            type = own
        assert type is not None
        if type.kind == "records":
            raise Wrong(
                Fault(
                    "type-mismatch",
                    names[0].offset,
                    names[-1].end - names[0].offset,
                    {"text": word, "found": said("records"), "expected": said("value")},
                )
            )
        return Variable(type, word)

    def _unknown_field(self, token: Token, entity: str) -> Wrong:
        name = str(token.value)
        known = [each for each in self.scope.names(entity) if not each.startswith("_")]
        near = nearest(name, known)
        patches = (Edit(token.offset, token.length, near),) if near else ()
        return Wrong(
            Fault(
                "unknown-field", token.offset, token.length, {"entity": entity, "name": name, "nearest": near}, patches
            )
        )
