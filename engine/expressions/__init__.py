"""One language for formulas, conditions, policies, gates and metrics.

`check` reads a text in the scope of an entity and gives a checked `Expression`, or everything that is wrong with it.
An expression can be evaluated on one record (`evaluate`), compiled to SQL for sets (`to_sql`, `clause`), handed to a
browser (`to_json`) and said in words (`words`); all of them mean the same, empty values and overflows included.

What it needs from other records (`account.group.name`, `count(contacts where …)`) is listed in `reads`; whoever
evaluates it fetches those by `read_sql` and passes them along with the record's own values.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from engine.expressions import python, sql
from engine.expressions.browser import as_json
from engine.expressions.checking import Checker, Silenced
from engine.expressions.faults import Edit, Fault, Wrong
from engine.expressions.names import Mention
from engine.expressions.primitives import SQLITE_FUNCTIONS
from engine.expressions.reading import SUPPLIED, Dependency, Read, dependencies_of, locals_of, reads_of, variables_of
from engine.expressions.result import fitted
from engine.expressions.sql import parameters
from engine.expressions.syntax import parse
from engine.expressions.tree import Call, Node
from engine.expressions.types import Context, Scope, Tables, Type
from engine.expressions.wording import LabelOf, OptionOf, in_words

__all__ = [
    "SQLITE_FUNCTIONS", "Context", "Dependency", "Edit", "Expression", "Fault", "Mention", "Read", "Scope", "Tables", "Type",
    "check", "parameters", "read_sql", "rename",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Expression:
    """A checked expression; immutable, compared by identity. `entity` is None where it has no record of its own.

    `full` is the tree with those fields of the own record put in that are computed whenever they are read, so that no
    record has a value for them; None where there are none.
    """

    text: str
    type: Type
    entity: str | None
    tree: Node
    mentions: tuple[Mention, ...] = ()
    full: Node | None = None

    @cached_property
    def dependencies(self) -> tuple[Dependency, ...]:
        """Every field that takes part, with the path on which it is reached."""
        return dependencies_of(self.tree)

    @cached_property
    def fields(self) -> frozenset[tuple[str, str]]:
        """Every (entity, field) it reads, through relations too, the links of the paths included."""
        found = {(each.entity, each.name) for each in self.dependencies if each.name != "deleted_at"}
        return frozenset(found | {(each.entity, each.name) for each in self.mentions})

    @cached_property
    def reads(self) -> tuple[Read, ...]:
        """The values it needs from other records."""
        return reads_of(self.full or self.tree)

    @cached_property
    def locals(self) -> frozenset[str]:
        """The fields of the own record that it reads directly, or that those do which are computed on reading."""
        return locals_of(self.tree) | locals_of(self.full or self.tree)

    @cached_property
    def variables(self) -> frozenset[str]:
        """The app's variables it reads: `user`, `user.teams_below`."""
        return variables_of(self.full or self.tree) - SUPPLIED

    @cached_property
    def volatile(self) -> bool:
        """Whether its value may change although no record does: it reads the time or a variable."""
        return bool(variables_of(self.full or self.tree) - {"timezone", "calendar"})

    @cached_property
    def alternatives(self) -> tuple["Expression", ...]:
        """The conditions that it joins by `or`: it is true if one of them is. Itself where it joins none."""
        tree = self.full or self.tree
        if not (isinstance(tree, Call) and tree.operation == "or"):
            return (self,)
        parts = (replace(self, tree=each, full=None) for each in tree.arguments)
        return tuple(alternative for part in parts for alternative in part.alternatives)

    @cached_property
    def _evaluator(self) -> python.Evaluator:
        return python.compiled(self.full or self.tree)

    def evaluate(self, values: Mapping[str, Any], context: Context) -> Any:
        """The stored value of `type`; None for null. `values` are stored values of `locals` by name and of `reads` by key;
        a missing one is null."""
        return self._evaluator(values, context)

    def to_sql(self, tables: Tables, alias: Any = None) -> Any:
        """The stored value as a SQLAlchemy element over the row `alias`; what `tables` makes of None is its own affair."""
        return sql.value_sql(self.tree, tables, {0: alias})

    def clause(self, tables: Tables, alias: Any = None) -> Any:
        """The condition as a SQLAlchemy element for WHERE: true, or else false or null, in a form that indexes serve."""
        return sql.clause_sql(self.tree, tables, {0: alias})

    def to_json(self) -> dict[str, Any]:
        """The expression for `expressions.js`, which evaluates it in a browser; see `browser.as_json`."""
        return as_json(self.full or self.tree)

    def words(self, language: str, label_of: LabelOf, option_of: OptionOf | None = None) -> str:
        """The expression as people say it: 「金额」大于 0. `label_of` names a field, `option_of` an option of a choice."""
        return in_words(self.tree, language, label_of, option_of)


def check(
    text: str, entity: str | None, scope: Scope, *, expect: Type | None = None, result_scale: int | None = None
) -> tuple[Expression | None, list[Fault]]:
    """The checked expression, and every fault in order of place. None if any fault is an error. Never raises.

    `expect` is the type that the value must have.  A number is rounded to its scale, or to `result_scale`; where it is
    ANY_NUMBER, or nothing is expected, the number keeps the scale it has.
    """
    checker = Checker(text, entity, scope)
    try:
        tree = fitted(checker, parse(text), expect, result_scale)
    except Wrong as wrong:
        return None, [wrong.fault]
    except Silenced:
        return None, _sorted(checker.faults)
    if any(fault.severity == "error" for fault in checker.faults):
        return None, _sorted(checker.faults)
    mentions = tuple(dict.fromkeys(checker.names.mentions))
    return Expression(text, tree.type, entity, tree, mentions), _sorted(checker.faults)


def read_sql(read: Read, tables: Tables, alias: Any = None) -> Any:
    """The SQL of one read, so that all that many expressions need of a record is fetched in one statement."""
    return sql.value_sql(read.tree, tables, {0: alias})


def rename(text: str, renames: Mapping[tuple[str, str], str], entity: str | None, scope: Scope) -> str:
    """The text with fields renamed wherever they are meant, and otherwise as it was.

    `renames` maps (entity, old name) to the new name; `scope` still knows the old names.  What cannot be parsed is
    left alone; what is wrong elsewhere is no hindrance.
    """
    checker = Checker(text, entity, scope)
    try:
        checker.node(parse(text))
    except (Wrong, Silenced):
        pass
    places = {(each.offset, each.length): each for each in checker.names.mentions}
    for (offset, length), mention in sorted(places.items(), reverse=True):
        new = renames.get((mention.entity, mention.name))
        if new is not None:
            text = text[:offset] + new + text[offset + length :]
    return text


def _sorted(faults: list[Fault]) -> list[Fault]:
    return sorted(faults, key=lambda fault: (fault.offset, fault.length, fault.code))
