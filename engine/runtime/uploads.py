"""File ids among the values of a record: each new one must be a file that the person himself uploaded and nobody has yet.

So no file can be reached by naming its id: not another person's, nor one that belongs to another record.
"""

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from engine.fields.base import Invalid
from engine.fields.files import Attached
from engine.problems import Problem
from engine.storage import system
from engine.storage.statement import Statement, among

if TYPE_CHECKING:
    from engine.runtime.work import Draft, Work

_F = system.file


def take_files(work: "Work", draft: "Draft", path: str, names: frozenset[str]) -> list[Problem]:
    """Make the record's what its file fields newly name, and let go what they no longer name; what is wrong with them."""
    problems: list[Problem] = []
    for name in sorted(names):
        field = draft.model.fields[name]
        if not isinstance(field, Attached):
            continue
        had, has = set(field.ids((draft.before or {}).get(name))), field.ids(draft.after.get(name))
        fresh = [id for id in has if id not in had]
        if fresh:
            found = {
                row[0]: row
                for row in work.w.all(work.plans.kept("loose files", lambda: _loose(work)), _asked(work, fresh))
            }
            label = draft.model.labels[name]
            for id in fresh:
                if id not in found:
                    problems.append(Problem("file-unknown", path + name, {"label": label}))
                    continue
                try:
                    field.admit(found[id][1], found[id][2])
                except Invalid as error:
                    problems.append(Problem(error.code, path + name, {"label": label, **error.parameters}))
            place = {"ids": fresh, "to": draft.id, "for_entity": draft.model.name, "for_field": name}
            work.w.run(work.plans.kept("take files", lambda: _take(work)), place)
        gone = sorted(had - set(has))
        if gone:
            work.w.run(
                work.plans.kept("drop files", lambda: _drop(work)), {"ids": gone, "from": draft.id, "at": work.now}
            )
    return problems


def _asked(work: "Work", ids: list[int]) -> dict[str, object]:
    return {"ids": ids, "app": work.app.name, "user": work.principal.user}


def _loose(work: "Work") -> Statement:
    mine = _F.c.by.is_not_distinct_from(sa.bindparam("user", type_=sa.BigInteger()))
    loose = sa.and_(_F.c.record.is_(None), _F.c.deleted_at.is_(None), _F.c.app == sa.bindparam("app"), mine)
    return work.plans.db.statement(sa.select(_F.c.id, _F.c.name, _F.c.size).where(among(_F.c.id, "ids"), loose))


def _take(work: "Work") -> Statement:
    place: dict[str, Any] = {
        "record": sa.bindparam("to"),
        "entity": sa.bindparam("for_entity"),
        "field": sa.bindparam("for_field"),
    }
    return work.plans.db.statement(sa.update(_F).where(among(_F.c.id, "ids"), _F.c.record.is_(None)).values(place))


def _drop(work: "Work") -> Statement:
    theirs = sa.and_(among(_F.c.id, "ids"), _F.c.record == sa.bindparam("from"))
    return work.plans.db.statement(sa.update(_F).where(theirs).values(deleted_at=sa.bindparam("at")))
