"""A check is one class: its code, and a method that yields the problems it finds.

`wrong` is the smallest definition that has the problem, `repaired` the same after mending; a test demands exactly this
problem of the first and none of the second.  Both are the part below `app`, `version` and `label`.
"""

from collections.abc import Iterator
from typing import ClassVar

from engine.definition.facts import Facts
from engine.problems import Problem

checks: dict[str, type["Check"]] = {}


class Check:
    """A subclass that sets `code` is registered under it."""

    code: ClassVar[str]
    wrong: ClassVar[str]
    repaired: ClassVar[str]

    def __init_subclass__(cls) -> None:
        if "code" in cls.__dict__:
            if cls.code in checks:
                raise ValueError(f"{cls.code} is checked twice")
            checks[cls.code] = cls

    def find(self, facts: Facts) -> Iterator[Problem]:
        raise NotImplementedError
