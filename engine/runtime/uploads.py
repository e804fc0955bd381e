"""File ids among the values of a record: each new one must be a file that the person himself uploaded and nobody has yet.

So no file can be reached by naming its id: not another person's, nor one that belongs to another record.  Whose a file is
follows from the values of its record, whoever changes them: a person, a merge, or an undo of either.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import orjson
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
    """`check_files`, and at once `place_files`: for records that are not written by `Work.write`."""
    problems = check_files(work, draft, path, names)
    place_files(work, draft, sorted(names))
    return problems


def check_files(work: "Work", draft: "Draft", path: str, names: frozenset[str]) -> list[Problem]:
    """What is wrong with the files that file fields among `names` newly hold."""
    problems: list[Problem] = []
    for name in sorted(names):
        field = draft.model.fields[name]
        if not isinstance(field, Attached):
            continue
        had = set(field.ids((draft.before or {}).get(name)))
        fresh = [id for id in field.ids(draft.after.get(name)) if id not in had]
        if not fresh:
            continue
        found = {
            row[0]: row for row in work.w.all(work.plans.kept("loose files", lambda: _loose(work)), _asked(work, fresh))
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
    return problems


def place_files(work: "Work", draft: "Draft", names: Iterable[str]) -> None:
    """Let the files follow the values of the fields: what they newly hold is the record's, what they no longer hold is trash.

    A record that comes back takes its files again, except those that another record has taken over meanwhile.
    """
    before = draft.before or {}
    held = before if before.get("deleted_at") is None else {}
    for name in names:
        field = draft.model.fields[name]
        if not isinstance(field, Attached):
            continue
        had, has = set(field.ids(held.get(name))), field.ids(draft.after.get(name))
        fresh = [id for id in has if id not in had]
        if fresh:
            place = {"ids": fresh, "to": draft.id, "for_entity": draft.model.name, "for_field": name}
            work.w.run(work.plans.kept("take files", lambda: _take(work)), place)
        gone = sorted(had - set(has))
        if gone:
            work.w.run(
                work.plans.kept("drop files", lambda: _drop(work)), {"ids": gone, "from": draft.id, "at": work.now}
            )


def hand_over_files(work: "Work", lost: "Draft", keep: "Draft") -> None:
    """Give those files of one record that another's fields now hold to that other one."""
    for name in work.plans.entity(keep.model.name).files:
        field = keep.model.fields[name]
        ids = field.ids(keep.after[name]) if isinstance(field, Attached) else []
        if ids:
            place = {"ids": ids, "from": lost.id, "to": keep.id}
            work.w.run(work.plans.kept("hand over files", lambda: _hand_over(work)), place)


def let_go(work: "Work", draft: "Draft") -> bool:
    """Leave out of the values the files that another record has by now; whether there were any."""
    some = False
    for name in work.plans.entity(draft.model.name).files:
        field = draft.model.fields[name]
        ids = field.ids(draft.after[name]) if isinstance(field, Attached) else []
        if ids:
            own = set(work.w.column(work.plans.kept("own files", lambda: _own(work)), {"ids": ids, "of": draft.id}))
            if not own.issuperset(ids):
                draft.after[name], some = packed([id for id in ids if id in own]), True
    return some


def packed(ids: list[int]) -> str | None:
    """File ids as they are stored."""
    return orjson.dumps([str(id) for id in ids]).decode() if ids else None


def _asked(work: "Work", ids: list[int]) -> dict[str, object]:
    return {"ids": ids, "app": work.app.name, "user": work.principal.user}


def _loose(work: "Work") -> Statement:
    mine = _F.c.by.is_not_distinct_from(sa.bindparam("user", type_=sa.BigInteger()))
    loose = sa.and_(_F.c.record.is_(None), _F.c.deleted_at.is_(None), _F.c.app == sa.bindparam("app"), mine)
    return work.plans.db.statement(sa.select(_F.c.id, _F.c.name, _F.c.size).where(among(_F.c.id, "ids"), loose))


def _own(work: "Work") -> Statement:
    return work.plans.db.statement(sa.select(_F.c.id).where(among(_F.c.id, "ids"), _F.c.record == sa.bindparam("of")))


def _take(work: "Work") -> Statement:
    place: dict[str, Any] = {
        "record": sa.bindparam("to"),
        "entity": sa.bindparam("for_entity"),
        "field": sa.bindparam("for_field"),
        "deleted_at": None,
    }
    free = sa.or_(_F.c.record.is_(None), _F.c.deleted_at.is_not(None))
    return work.plans.db.statement(sa.update(_F).where(among(_F.c.id, "ids"), free).values(place))


def _drop(work: "Work") -> Statement:
    theirs = sa.and_(among(_F.c.id, "ids"), _F.c.record == sa.bindparam("from"))
    return work.plans.db.statement(sa.update(_F).where(theirs).values(deleted_at=sa.bindparam("at")))


def _hand_over(work: "Work") -> Statement:
    theirs = sa.and_(among(_F.c.id, "ids"), _F.c.record == sa.bindparam("from"))
    return work.plans.db.statement(sa.update(_F).where(theirs).values(record=sa.bindparam("to")))
