"""How much work something takes, in a measure that a busy machine does not change: how many functions are called.

Seconds are limited too, generously and in processor time: one call that never comes back is not seen by counting.
"""

import gc
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def at_most(calls: int = 10**12, seconds: float = 10) -> Iterator[None]:
    """What happens inside calls no more functions than that, Python's own included, and ends in that processor time.

    What would go on for ever is stopped where it has made one call too many.
    """
    made = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal made
        if event in ("call", "c_call"):
            made += 1
            # Once: the exception takes the way out through the calls that were not finished.
            if made == calls + 1:
                raise AssertionError(f"more than {calls} calls")

    # Not collecting costs nothing that counts; collecting costs time in proportion to what other tests left.
    gc.disable()
    before, began = sys.getprofile(), time.process_time()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)
        took = time.process_time() - began
        gc.enable()
    assert made <= calls, f"{made} calls, at most {calls} are allowed"
    assert took < seconds, f"{took:.1f} s of processor time, at most {seconds} s are allowed"
