"""The functions people may call: one entry each, with its names in Chinese and English, what it takes, and examples.

A function builds nodes of the typed tree out of its checked arguments; the operations underneath know Python and SQL.
Names are found whatever their case.  Documentation, the field picker and the example tests read this registry.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Literal

from engine.expressions.tree import Node, Variable
from engine.expressions.types import DATE, DATETIME, TEXT
from engine.problems import Label
from engine.registry import nearest

# What a parameter takes. `digits` and `times` are whole numbers written out; `printable` is turned into text; all `same`
# arguments are brought to one type; `date` also takes an instant, by its local day.
Takes = Literal[
    "number", "count", "months", "digits", "times", "text", "printable", "boolean", "date", "datetime", "duration", "value", "set", "same", "reach"
]  # fmt: skip


@dataclass(frozen=True)
class Parameter:
    name: str
    takes: Takes
    optional: bool = False
    repeated: bool = False


@dataclass(frozen=True)
class Function:
    """`examples` are expressions with the JSON text of their value; those on related records speak of an order with two
    lines, one of them late. `category` groups the reference.

    `build` gets one node per argument. An aggregate is also called with a path to many records; the checker builds that.
    """

    name: str
    aliases: tuple[str, ...]
    category: str
    parameters: tuple[Parameter, ...]
    doc: Label
    examples: tuple[tuple[str, str], ...]
    build: Callable[..., Node]
    aggregate: bool = False

    @property
    def signature(self) -> str:
        """`round(number, digits)`, optional parameters in brackets."""
        shown = [f"[{p.name}]" if p.optional else f"{p.name}, …" if p.repeated else p.name for p in self.parameters]
        return f"{self.name}({', '.join(shown)})"

    @property
    def fewest(self) -> int:
        return sum(not p.optional for p in self.parameters)

    @property
    def most(self) -> int | None:
        """None for any number of arguments."""
        return None if any(p.repeated for p in self.parameters) else len(self.parameters)


NOW = Variable(DATETIME.required(), "now")
TODAY = Variable(DATE.required(), "today")
TIMEZONE = Variable(TEXT.required(), "timezone")
CALENDAR = Variable(TEXT.required(), "calendar")

FUNCTIONS: dict[str, Function] = {}
_BY_NAME: dict[str, Function] = {}


def function(
    names: str, takes: str, zh: str, en: str, *examples: tuple[str, str], category: str, aggregate: bool = False
) -> Callable[[Callable[..., Node]], Callable[..., Node]]:
    """Registers the decorated builder. `names`: the name and its aliases. `takes`: `number digits? value*`, each `name:kind`
    or a kind alone; `?` marks an optional and `*` a repeated parameter. Raises ValueError for a name taken twice."""

    def add(build: Callable[..., Node]) -> Callable[..., Node]:
        name, *aliases = names.split()
        entry = Function(name, tuple(aliases), category, _parameters(takes), Label(zh, en), examples, build, aggregate)
        for each in (name, *aliases):
            if _BY_NAME.setdefault(each.lower(), entry) is not entry:
                raise ValueError(f"the function {each!r} is registered twice")
        FUNCTIONS[name] = entry
        return build

    return add


def _parameters(takes: str) -> tuple[Parameter, ...]:
    found = []
    for word in takes.split():
        name, _, kind = word.rstrip("?*").rpartition(":")
        found.append(Parameter(name or kind, kind, word.endswith("?"), word.endswith("*")))  # type: ignore[arg-type]
    return tuple(found)


def find(name: str) -> Function | None:
    """The function of that name or alias."""
    return _BY_NAME.get(name.lower())


def like(name: str) -> str | None:
    """The function name most like `name`."""
    return nearest(name.lower(), list(_BY_NAME))


for _module in ("logic", "numbers", "texts", "dates"):
    import_module(f"{__name__}.{_module}")
