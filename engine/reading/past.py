"""What happened to a record: its changes, and its way through the stages of its process."""

from collections.abc import Iterable
from typing import Any

import orjson
import sqlalchemy as sa

from engine.columns import moment
from engine.fields import Field
from engine.problems import Problem, Refused
from engine.reading.sight import Sight
from engine.storage import system
from engine.storage.statement import Statement, among


class Past(Sight):
    """The part of a lens that looks back."""

    def history(
        self,
        r: Any,
        entity: str,
        id: int,
        limit: int = 100,
        before: int | None = None,
        *,
        until: int | None = None,
        actions: tuple[str, ...] | None = None,
        without: tuple[str, ...] = (),
        computed: bool = True,
    ) -> list[dict[str, Any]]:
        """Changes of a record, newest first, without the fields he may not see on it.

        `before` is a `seq`, `until` an instant (microseconds): only what came before it. `actions` are the only ones wanted,
        `without` those that are not; without `computed`, what merely followed from formulas is left out.

        Each: seq, at, user, user_name, action, cause, batch, version, changes [{field, label, old, new}] with JSON values.
        """
        model = self.view.model(entity)
        shown = self.shown(r, entity, id)
        if shown is None:
            raise Refused(Problem("not-found", entity), 404)
        j, u = system.journal, system.user
        statement = self.view.kept(
            ("history", before is None, until is None, actions, without, computed),
            lambda: self.db.statement(
                sa.select(j.c.seq, j.c.at, j.c.user, u.c.name, j.c.action, j.c.cause, j.c.batch, j.c.version, j.c.changes)
                .select_from(j.outerjoin(u, u.c.id == j.c.user))
                .where(j.c.record == sa.bindparam("id"), j.c.app == sa.bindparam("app"), j.c.entity == sa.bindparam("entity"),
                       *([] if before is None else [j.c.seq < sa.bindparam("before")]),
                       *([] if until is None else [j.c.at < sa.bindparam("until", type_=sa.BigInteger())]),
                       *([] if actions is None else [sa.or_(*(j.c.action == sa.literal(each) for each in actions))]),
                       *(j.c.action != sa.literal(each) for each in without),
                       *([] if computed else [sa.or_(j.c.cause.is_(None), j.c.cause != sa.literal("formula"))]))
                .order_by(j.c.seq.desc())
                .limit(sa.bindparam("most", type_=sa.BigInteger()))
            ),
        )  # fmt: skip
        rows = r.all(
            statement,
            {"id": id, "app": self.app.name, "entity": entity, "before": before, "until": until, "most": self.limited(limit)},
        )  # fmt: skip
        out = []
        for seq, at, user, name, action, cause, batch, version, changes in rows:
            visible = [
                {"field": field, "old": _json(model.fields[field], old), "new": _json(model.fields[field], new)}
                for field, (old, new) in (orjson.loads(changes) if changes else {}).items()
                if field in shown and field in model.fields
            ]
            if visible or not changes or action != "update":
                out.append(
                    {"seq": seq, "at": _moment(at), "user": None if user is None else str(user), "user_name": name, "action": action,
                     "cause": cause, "batch": None if batch is None else str(batch), "version": version, "changes": visible}
                )  # fmt: skip
        return out

    def shown(self, r: Any, entity: str, id: int) -> frozenset[str] | None:
        """The fields he may see on this very record (live or deleted); None if he may not see it."""
        view = self.view
        permit = view.permit(entity)
        masked = sorted(name for name in permit.visible if permit.showing(name) is not None)

        def make() -> Statement:
            alias = view.model(entity).table
            flags = [
                view.tables.any_of(alias, entity, permit.showing(name) or (), "read").label(f"s{i}")
                for i, name in enumerate(masked)
            ]
            rows = view.tables.rows(alias, entity, "read")
            return self.db.statement(
                sa.select(sa.literal(1), *flags).where(
                    alias.c.id == sa.bindparam("id"), *([] if rows is None else [rows])
                )
            )

        view.model(entity)
        row = r.one(view.kept(("shown", entity), make), {**self.parameters, "id": id})
        if row is None:
            return None
        return permit.visible - {name for name, seen in zip(masked, row[1:], strict=True) if not seen}

    def went(self, r: Any, entity: str, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
        """How records of which he sees the deletion went: id -> at, user, user_name, cause, batch.

        `ids` are those of records that he was shown; nothing is asked of permission here.
        """
        j, u = system.journal, system.user
        wanted = sorted(set(ids))
        if not wanted:
            return {}
        statement = self.view.kept(
            "went",
            lambda: self.db.statement(
                sa.select(j.c.record, j.c.at, j.c.user, u.c.name, j.c.cause, j.c.batch)
                .select_from(j.outerjoin(u, u.c.id == j.c.user))
                .where(among(j.c.record, "ids"), j.c.app == sa.bindparam("app"), j.c.entity == sa.bindparam("entity"),
                       j.c.action.in_(("delete", "merge")))
                .order_by(j.c.seq)
            ),
        )  # fmt: skip
        rows = r.all(statement, {"ids": wanted, "app": self.app.name, "entity": entity})
        return {
            id: {"at": _moment(at), "user": user, "user_name": name, "cause": cause, "batch": batch}
            for id, at, user, name, cause, batch in rows
        }

    def stages(self, r: Any, entity: str, id: int) -> list[dict[str, Any]]:
        """The way of a record through its process, oldest first, with the time spent in each stage.

        Each: process, stage, came_from, direction, transition, reason, operator, operator_name, entered_at, left_at,
        duration and working (seconds; of the present stage until now).
        """
        shown = self.shown(r, entity, id)
        if shown is None or "stage" not in shown:
            raise Refused(Problem("not-found", entity), 404)
        s, u = system.stage_log, system.user
        statement = self.view.kept(
            ("stages",),
            lambda: self.db.statement(
                sa.select(s.c.process, s.c.stage, s.c.came_from, s.c.direction, s.c.transition, s.c.reason, s.c.operator, u.c.name,
                          s.c.entered_at, s.c.left_at, s.c.working)
                .select_from(s.outerjoin(u, u.c.id == s.c.operator))
                .where(s.c.record == sa.bindparam("id"), s.c.app == sa.bindparam("app"), s.c.entity == sa.bindparam("entity"))
                .order_by(s.c.entered_at, s.c.id)
            ),
        )  # fmt: skip
        now = self.view.clock.now()
        out = []
        for process, stage, origin, direction, transition, reason, operator, name, entered, left, working in r.all(
            statement, {"id": id, "app": self.app.name, "entity": entity}
        ):
            out.append(
                {
                    "process": process, "stage": stage, "came_from": origin, "direction": direction, "transition": transition, "reason": reason,
                    "operator": None if operator is None else str(operator), "operator_name": name,
                    "entered_at": _moment(entered), "left_at": None if left is None else _moment(left),
                    "duration": ((now if left is None else left) - entered) // 1_000_000,
                    "working": (working if working is not None else self.app.calendar.working(entered, now)) // 1_000_000,
                }
            )  # fmt: skip
        return out


def _json(field: Field, stored: Any) -> Any:
    return None if stored is None else field.to_json(stored)


def _moment(at: int) -> str:
    return moment(at).isoformat().replace("+00:00", "Z")
