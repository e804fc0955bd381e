"""Where the work of strangers waits, apart from that of people who work here.

Whatever comes to the public pages shares few threads and a queue that ends: when it is full, the next is sent away before
a byte of what he sends is read.  So a flood of strangers costs other pages nothing but that.
"""

from typing import Final

from anyio import CapacityLimiter

AT_ONCE: Final = 2  # threads, of all public pages of a process together
WAITING: Final = 40  # requests that are under way at once in a process


class Room:
    """One for each process. `limiter` hands out its threads."""

    def __init__(self) -> None:
        self.limiter = CapacityLimiter(AT_ONCE)
        self._inside = 0

    def enter(self) -> bool:
        """Whether there is place; whoever is let in leaves again."""
        if self._inside >= WAITING:
            return False
        self._inside += 1
        return True

    def leave(self) -> None:
        self._inside -= 1
