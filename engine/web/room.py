"""Where the work of strangers waits, apart from that of people who work here.

Whatever comes to the public pages shares few threads and a queue that ends: when it is full, or one address has its share
of it, the next is sent away before a byte of what he sends is read.  So a flood of strangers costs other pages nothing but
that, and one stranger who is slow on purpose does not keep the others out.
"""

from collections import Counter
from typing import Final

from anyio import CapacityLimiter

AT_ONCE: Final = 2  # threads, of all public pages of a process together
WAITING: Final = 40  # requests that are under way at once in a process
OF_ONE: Final = 10  # of these, from one address: many phones at a fair share one


class Room:
    """One for each process. `limiter` hands out its threads."""

    def __init__(self) -> None:
        self.limiter = CapacityLimiter(AT_ONCE)
        self._inside: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Whether there is place for a request from an address; whoever is let in leaves again."""
        if self._inside.total() >= WAITING or self._inside[address] >= OF_ONE:
            return False
        self._inside[address] += 1
        return True

    def leave(self, address: str) -> None:
        self._inside[address] -= 1
        if not self._inside[address]:
            del self._inside[address]
