"""A process that publishes a definition and is killed in the middle of it: `publish_and_die.py URL FILE STATEMENTS`.

It dies by SIGKILL right before its publishing executes its statement of that number, and exits with 0 if there are fewer.
"""

import os
import signal
import sys
from pathlib import Path

from engine.definition import load
from engine.publishing.apply import apply
from engine.publishing.plan import plan_for
from engine.storage.database import Database

AT = 1_772_668_800_000_000


class Fuse(list[str]):
    """A log of statements that kills the process when it is `length` long."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length

    def append(self, text: str) -> None:
        super().append(text)
        if len(self) >= self.length:
            os.kill(os.getpid(), signal.SIGKILL)


def main(url: str, file: str, statements: str) -> None:
    db = Database.open(url)
    plan = plan_for(db, load({"shop.yaml": Path(file).read_text(encoding="utf-8")}), AT)
    db._driver.log.append(Fuse(int(statements)))
    apply(db, plan, {hazard.key: "tested" for hazard in plan.hazards}, by=None, at=AT)


if __name__ == "__main__":
    main(*sys.argv[1:])
