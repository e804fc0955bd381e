"""Which version of each app this process serves, changed while it runs.

Publishing raises a number in `dg_epoch` in its own transaction.  Every process looks at these numbers a few times a second
at most; when one has risen, the new version is compiled beside running work and takes the old one's place at once.  A
request keeps the `App` it began with.
"""

import logging
import threading
from collections.abc import Mapping
from time import monotonic

import sqlalchemy as sa

from engine.app import App
from engine.problems import Refused
from engine.publishing.versions import live_version, load_app, published_apps
from engine.storage import system
from engine.storage.database import Database
from engine.storage.errors import StorageError
from engine.storage.working_days import has_working_days, keep_working_days

LOOK_EVERY = 0.2  # seconds

_log = logging.getLogger(__name__)


class Live:
    """The live version of every app. Safe to ask from any thread."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self._apps: dict[str, App] = {}
        self._epochs: dict[str, int] = {}
        self._looked = 0.0
        self._changes: int | None = None
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None
        self._closed = False
        self._numbers = db.statement(
            sa.select(system.epoch.c.name, system.epoch.c.number).where(
                sa.func.substr(system.epoch.c.name, 1, 4) == "app:"
            )
        )
        self.refresh()

    def app(self, name: str) -> App | None:
        """The app as this process serves it now; None if nothing is published under that name."""
        self._look()
        return self._apps.get(name)

    def apps(self) -> Mapping[str, App]:
        """All apps by name."""
        self._look()
        return dict(self._apps)

    def refresh(self) -> None:
        """Serve what is live at this moment, before returning: at start, and right after publishing in this process."""
        with self._lock:
            epochs = self._read_epochs()
            for name in self._names(epochs):
                self._load(name)
            self._epochs = epochs

    def close(self) -> None:
        """Look no more, and wait for a version that is just being compiled."""
        self._closed = True
        if self._worker is not None:
            self._worker.join()

    def _look(self) -> None:
        now = monotonic()
        if self._closed or now - self._looked < LOOK_EVERY:
            return
        self._looked = now
        try:
            if not self._risen():
                return
        except StorageError:
            # Whoever needs the database will say that it is gone.
            return
        if self._worker is None or not self._worker.is_alive():
            self._worker = threading.Thread(target=self._catch_up, name="live-version", daemon=True)
            self._worker.start()

    def _risen(self) -> bool:
        changes = self.db.changes()
        if changes is not None and changes == self._changes:
            return False
        self._changes = changes
        return self._read_epochs() != self._epochs

    def _catch_up(self) -> None:
        try:
            self.refresh()
        except StorageError:
            pass  # the next look tries again
        except Refused:
            # Published by a newer release, perhaps. Go on serving what this one understands, and do not try for ever.
            _log.exception("the live version cannot be compiled; the one before it stays")
            self._epochs = self._read_epochs()
        # What was published while this was compiling has been looked at already and must be looked at again.
        self._changes = None

    def _read_epochs(self) -> dict[str, int]:
        return {str(name).removeprefix("app:"): number for name, number in self.db.all(self._numbers)}

    def _names(self, epochs: Mapping[str, int]) -> list[str]:
        return [name for name, number in epochs.items() if self._epochs.get(name) != number]

    def _load(self, name: str) -> None:
        with self.db.read() as read:
            stored = live_version(read, self.db, name)
        served = self._apps.get(name)
        if stored is None or (served is not None and (served.number, served.hash) == (stored.number, stored.hash)):
            return
        app = load_app(stored)
        with self.db.read() as read:
            known = has_working_days(self.db, read, app.calendar)
        if not known:  # newly announced holidays came with a newer release
            self.db.transact(lambda write: keep_working_days(self.db, write, app.calendar))
        self._apps = {**self._apps, name: app}


__all__ = ["LOOK_EVERY", "Live", "published_apps"]
