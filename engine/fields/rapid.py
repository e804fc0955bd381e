"""The library that says how alike two texts are. It takes megabytes that most apps do without, so it is loaded when needed."""

import threading
from functools import cache
from types import ModuleType

_loading = threading.Lock()


@cache
def rapid() -> ModuleType:
    """`rapidfuzz`, with its `fuzz` and `distance`.

    Its modules import each other: two threads that load different ones of them at once would each see half of it.
    """
    with _loading:
        import rapidfuzz
    return rapidfuzz
