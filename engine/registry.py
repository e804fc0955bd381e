"""A registry maps a name in a definition to the one class (or value) that gives it meaning.

There is one registry for each kind of thing: field types, functions, importers, channels.  Documentation, the
editors' JSON Schema and the designer's palette read the registries, so a new entry is one new file.
"""

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Generic, TypeVar

T = TypeVar("T")


def nearest(name: str, known: Mapping[str, object] | list[str] | set[str] | tuple[str, ...]) -> str | None:
    """The known name most like `name`; None if nothing is near enough to be a slip of the pen."""
    found = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


class Registry(Generic[T]):
    """Names to things of one kind, in order of registration. Registering a name twice raises ValueError."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._things: dict[str, T] = {}

    def register(self, name: str, *aliases: str) -> Callable[[T], T]:
        def add(thing: T) -> T:
            for each in (name, *aliases):
                if each in self._things:
                    raise ValueError(f"{self.kind} {each!r} is registered twice")
                self._things[each] = thing
            return thing

        return add

    def __getitem__(self, name: str) -> T:
        return self._things[name]

    def get(self, name: str) -> T | None:
        return self._things.get(name)

    def __contains__(self, name: object) -> bool:
        return name in self._things

    def __iter__(self) -> Iterator[str]:
        return iter(self._things)

    def __len__(self) -> int:
        return len(self._things)

    def items(self) -> list[tuple[str, T]]:
        return list(self._things.items())

    def nearest(self, name: str) -> str | None:
        return nearest(name, self._things)
