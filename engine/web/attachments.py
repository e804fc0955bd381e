"""Files that come in over HTTP, and those that go out: an upload belongs to nobody's record until it is attached."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

import sqlalchemy as sa

from engine.clock import MICROSECONDS, Clock
from engine.columns import new_id
from engine.storage import system
from engine.storage.database import Database
from engine.storage.errors import Unavailable
from engine.storage.files import Files
from engine.storage.statement import among

_F = system.file
_COLUMNS = (
    _F.c.id,
    _F.c.app,
    _F.c.entity,
    _F.c.record,
    _F.c.field,
    _F.c.name,
    _F.c.size,
    _F.c.media_type,
    _F.c.path,
    _F.c.by,
)


@dataclass(frozen=True)
class Attachment:
    """What is known of a stored file. `record` is None until it is attached; `path` is for the folder of files."""

    id: int
    app: str
    entity: str | None
    record: int | None
    field: str | None
    name: str
    size: int
    media_type: str
    path: str
    by: int | None


class Attachments:
    """The table of files together with their folder."""

    def __init__(self, db: Database, clock: Clock, files: Files) -> None:
        self._db, self._clock, self.files = db, clock, files
        columns = (*_COLUMNS, _F.c.sha256, _F.c.at)
        self._insert = db.statement(
            sa.insert(_F).values({column.name: sa.bindparam(column.name) for column in columns})
        )
        self._forget = db.statement(sa.delete(_F).where(_F.c.id == sa.bindparam("id"), _F.c.record.is_(None)))
        untaken = sa.and_(_F.c.record.is_(None), _F.c.at < sa.bindparam("before"))
        self._loose = db.statement(sa.select(_F.c.id).where(untaken).order_by(_F.c.id))
        self._known = db.statement(sa.select(_F.c.path).where(among(_F.c.path, "paths")))
        self._find = db.statement(sa.select(*_COLUMNS).where(_F.c.id == sa.bindparam("id"), _F.c.deleted_at.is_(None)))

    def keep(self, app: str, name: str, source: BinaryIO | Iterable[bytes], most: int, by: int | None) -> int:
        """Store an upload of at most `most` bytes; its id. Raises Refused (413, 415, 422) if it is too large, empty or disguised."""
        kept = self.files.save(name, source, most=most)
        id = new_id()
        row = {
            "id": id, "app": app, "entity": None, "record": None, "field": None, "name": kept.name, "size": kept.size,
            "media_type": kept.media_type, "sha256": kept.sha256, "path": kept.path, "by": by, "at": self._clock.now(),
        }  # fmt: skip
        written = False
        try:
            with self._db.write() as write:
                write.run(self._insert, row)
                written = True
        except BaseException as error:
            # Of a transaction that was cut off while it ended nobody knows whether it has come about; the sweep will.
            if not (written and isinstance(error, Unavailable)):
                self.files.delete(kept.path)
            raise
        return id

    def discard(self, id: int) -> bool:
        """Forget an upload that belongs to no record; one that has been attached meanwhile stays.

        Of several who discard the same upload at once one is told so.
        """
        found = self.find(id)
        if found is None:
            return False
        with self._db.write() as write:
            gone = bool(write.run(self._forget, {"id": id}))
        if gone:
            self.files.delete(found.path)
        return gone

    def find(self, id: int) -> Attachment | None:
        """A file that has not been deleted."""
        row = self._db.one(self._find, {"id": id})
        return Attachment(*row) if row else None

    def loose(self, age: int) -> list[int]:
        """Uploads that no record has ever taken, from before `age` seconds: forms that were never sent, tables of old imports."""
        before = {"before": self._clock.now() - age * MICROSECONDS}
        return [row[0] for row in self._db.all(self._loose, before)]

    def orphans(self, age: int) -> list[str]:
        """Stored files that no row knows, not even one in the trash, and broken-off uploads; none younger than `age` (seconds)."""
        return self.files.orphans(self._those_known, self._clock.now() / MICROSECONDS - age)

    def _those_known(self, paths: list[str]) -> set[str]:
        return {row[0] for row in self._db.all(self._known, {"paths": paths})}
