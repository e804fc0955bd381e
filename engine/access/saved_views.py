"""Lists as somebody wants to see them again: kept under a name, for himself, for his team and those below, or for everybody.

A saved view holds the parameters of a page's address and nothing else: no record, no value that was read.  Whoever opens one
sees with his own permissions; what names something that does not exist for him is left out by the page that draws it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson
import sqlalchemy as sa

from engine.access.principal import Principal
from engine.clock import Clock
from engine.columns import new_id
from engine.problems import Problem, Refused
from engine.storage import system
from engine.storage.database import Database
from engine.storage.statement import among

Shared = Literal["none", "team", "all"]
MOST: Final = 100  # views that one person keeps of one entity
LONGEST_LABEL: Final = 60
LONGEST_QUERY: Final = 8000  # characters of the parameters as JSON


@dataclass(frozen=True)
class SavedView:
    """`form` is list, board or calendar; `parameters` those of its address. `mine` whether it is the reader's own."""

    id: int
    label: str
    form: str
    parameters: tuple[tuple[str, str], ...]
    shared: Shared
    mine: bool
    version: int


class SavedViews:
    """The store. What somebody may do is decided by whose a view is: sharing with everybody is for the caller to allow."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock
        row = system.saved_view
        here = sa.and_(row.c.app == sa.bindparam("app"), row.c.entity == sa.bindparam("entity"))
        open_to = sa.or_(
            row.c.owner == sa.bindparam("user"),
            row.c.shared == sa.literal_column("'all'"),
            sa.and_(row.c.shared == sa.literal_column("'team'"), among(row.c.team, "teams")),
        )
        columns = (row.c.id, row.c.label, row.c.query, row.c.shared, row.c.owner, row.c.version)
        one = row.c.id == sa.bindparam("id")
        self._all = db.statement(sa.select(*columns).where(here, open_to).order_by(row.c.label, row.c.id))
        self._one = db.statement(sa.select(*columns).where(here, open_to, one))
        self._count = db.statement(
            sa.select(sa.func.count()).select_from(row).where(here, row.c.owner == sa.bindparam("user"))
        )
        self._add = db.statement(
            sa.insert(row).values({column.name: sa.bindparam(column.name, type_=column.type) for column in row.c})
        )
        seen = sa.and_(here, one, row.c.version == sa.bindparam("seen"))
        names = ("label", "query", "shared", "team", "at")
        changed = {name: sa.bindparam(f"n_{name}", type_=row.c[name].type) for name in names}
        self._change = db.statement(sa.update(row).where(seen).values({**changed, "version": row.c.version + 1}))
        self._drop = db.statement(sa.delete(row).where(seen))

    def all(self, r: Any, principal: Principal, app: str, entity: str) -> list[SavedView]:
        """Those that he may open, his own first."""
        rows = r.all(self._all, _who(principal, app, entity))
        return sorted((_view(row, principal) for row in rows), key=lambda view: not view.mine)

    def one(self, r: Any, principal: Principal, app: str, entity: str, id: int) -> SavedView | None:
        """One that he may open; None if there is none."""
        row = r.one(self._one, {**_who(principal, app, entity), "id": id})
        return _view(row, principal) if row is not None else None

    def add(
        self, principal: Principal, app: str, entity: str, label: str, form: str,
        parameters: Sequence[tuple[str, str]], shared: Shared,
    ) -> int:  # fmt: skip
        """Keep a new one; its id. Raises Refused (422) for a name or parameters that cannot be kept, or too many views."""
        made = new_id()
        values = self._values(principal, label, form, parameters, shared)

        def write(w: Any) -> None:
            if w.scalar(self._count, _who(principal, app, entity)) >= MOST:
                raise Refused(Problem("too-many", "label", {"what": "view", "most": MOST}), 422)
            own = {"id": made, "app": app, "entity": entity, "owner": principal.user, "version": 1}
            w.run(self._add, {**own, **values})

        self._db.transact(write)
        return made

    def change(
        self, principal: Principal, app: str, entity: str, id: int, seen: int, *, label: str, form: str,
        parameters: Sequence[tuple[str, str]], shared: Shared,
    ) -> None:  # fmt: skip
        """Replace one. Raises Refused: 404 if it is not his to change, 409 if it is no longer the version that he saw."""
        values = {
            f"n_{name}": value for name, value in self._values(principal, label, form, parameters, shared).items()
        }

        def write(w: Any) -> None:
            found = self._own(w, principal, app, entity, id)
            if not found.mine:
                raise Refused(Problem("not-found", "view"), 404)
            if w.run(self._change, {**_who(principal, app, entity), "id": id, "seen": seen, **values}) == 0:
                raise Refused(Problem("stale-edit", "version", {"seen": seen, "current": found.version}), 409)

        self._db.transact(write)

    def drop(self, principal: Principal, app: str, entity: str, id: int, seen: int) -> None:
        """Delete one. Raises Refused as `change` does."""

        def write(w: Any) -> None:
            found = self._own(w, principal, app, entity, id)
            if w.run(self._drop, {**_who(principal, app, entity), "id": id, "seen": seen}) == 0:
                raise Refused(Problem("stale-edit", "version", {"seen": seen, "current": found.version}), 409)

        self._db.transact(write)

    def _own(self, w: Any, principal: Principal, app: str, entity: str, id: int) -> SavedView:
        """His own; what is shared with an administrator is his to tidy away as well."""
        found = self.one(w, principal, app, entity, id)
        if found is None or not (found.mine or principal.administrator):
            raise Refused(Problem("not-found", "view"), 404)
        return found

    def _values(
        self, principal: Principal, label: str, form: str, parameters: Sequence[tuple[str, str]], shared: Shared
    ) -> dict[str, Any]:
        name = " ".join(label.split())
        if not 1 <= len(name) <= LONGEST_LABEL or "\0" in name:
            raise Refused(Problem("view-label", "label", {"most": LONGEST_LABEL}), 422)
        query = orjson.dumps({"form": form, "parameters": list(parameters)}).decode()
        if len(query) > LONGEST_QUERY:
            raise Refused(Problem("too-large", "query", {"limit": LONGEST_QUERY}), 413)
        team = principal.team if shared == "team" else None
        if shared == "team" and team is None:
            raise Refused(Problem("view-no-team", "shared"), 422)
        return {"label": name, "query": query, "shared": shared, "team": team, "at": self._clock.now()}


def _who(principal: Principal, app: str, entity: str) -> dict[str, Any]:
    return {"user": principal.user, "teams": list(principal.teams), "app": app, "entity": entity}


def _view(row: Any, principal: Principal) -> SavedView:
    id, label, query, shared, owner, version = row
    kept = orjson.loads(query)
    parameters = tuple((str(key), str(value)) for key, value in kept["parameters"])
    return SavedView(id, label, kept["form"], parameters, shared, owner == principal.user, version)


__all__ = ["SavedView", "SavedViews", "Shared"]
