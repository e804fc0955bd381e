"""A lock that is handed over in the order in which it was asked for.

SQLite has one writer at a time.  Left to its own polling, an unlucky writer waits for seconds; in a queue nobody waits
longer than those before him.
"""

import threading
from collections import deque


class Turns:
    """A fair lock between the threads of this process."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Lock] = deque()

    @property
    def held(self) -> bool:
        return self._held

    def acquire(self, timeout: float) -> bool:
        """Wait for the turn, `timeout` seconds at most; whether it came."""
        with self._mutex:
            if not self._held:
                self._held = True
                return True
            gate = threading.Lock()
            gate.acquire()
            self._waiting.append(gate)
        if gate.acquire(timeout=timeout):
            return True
        with self._mutex:
            if gate in self._waiting:
                self._waiting.remove(gate)
                return False
        return True  # it was handed over at the last moment

    def release(self) -> None:
        """Hand the turn to whoever has waited longest."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False
