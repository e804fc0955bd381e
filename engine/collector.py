"""When Python's garbage collector rests.

It walks everything that is alive each time enough has been made.  Where much is made that either stays or dies by itself,
it finds nothing and takes most of the time.
"""

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def collector_resting(stays: bool = False) -> Iterator[None]:
    """In this block nothing is collected, in any thread; what refers to nothing that refers to it still goes at once.

    With `stays`, what was made is taken for old afterwards: it is not walked as something young, only when all is.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if stays and not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()
        if was_enabled:
            gc.enable()


def keep_all() -> None:
    """What is alive now stays until the process ends, so that the collector need not walk it again.

    What starting took beyond that goes back to the system, where the C library can be asked for it.
    """
    gc.freeze()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


__all__ = ["collector_resting", "keep_all"]
