"""Groups: every record knows the topmost of its parents, so that a whole family is one comparison away."""

from collections.abc import Sequence

import sqlalchemy as sa

from engine.app import EntityApp
from engine.problems import Problem, Refused
from engine.runtime.work import Draft, Work
from engine.storage.statement import among

MOST_LEVELS = 50


def keep_groups(work: Work, draft: Draft) -> None:
    """Set the root of a record whose parent changed, and of all below it. A record without a parent is its own root.

    Raises Refused when the parents lead in a circle.
    """
    group = draft.model.group
    assert group is not None
    before = draft.before or {}
    if (
        draft.before is not None
        and before.get(group.parent) == draft.after.get(group.parent)
        and draft.after.get(group.root) is not None
        and before["deleted_at"] is None  # else the parents may have moved while it was gone
    ):
        return
    root = _root(work, draft.model, draft)
    if draft.after.get(group.root) == root:
        return
    _set(work, draft.model, [draft.id], root)
    level = [draft.id]
    for _ in range(MOST_LEVELS):
        level = _children(work, draft.model, level)
        if not level:
            return
        _set(work, draft.model, level, root)


def _root(work: Work, model: EntityApp, draft: Draft) -> int:
    group = model.group
    assert group is not None
    table = model.table
    above = work.plans.kept(
        ("above", model.name),
        lambda: work.plans.db.statement(
            sa.select(table.c[model.columns[group.parent]]).where(
                table.c.id == sa.bindparam("id"), table.c.deleted_at.is_(None)
            )
        ),
    )
    at, parent = draft.id, draft.after.get(group.parent)
    for _ in range(MOST_LEVELS):
        if parent is None:
            return at
        if parent == draft.id:
            break
        row = work.w.one(above, {"id": parent})
        if row is None:
            return at
        at, parent = parent, row[0]
    raise Refused(Problem("group-circle", group.parent, {"label": model.labels[group.parent]}))


def _children(work: Work, model: EntityApp, ids: Sequence[int]) -> list[int]:
    group = model.group
    assert group is not None
    table = model.table
    below = work.plans.kept(
        ("below", model.name),
        lambda: work.plans.db.statement(
            sa.select(table.c.id).where(
                among(table.c[model.columns[group.parent]], "ids"), table.c.deleted_at.is_(None)
            )
        ),
    )
    return [row[0] for row in work.w.all(below, {"ids": list(ids)})]


def _set(work: Work, model: EntityApp, ids: Sequence[int], root: int) -> None:
    group = model.group
    assert group is not None
    for id in ids:
        draft = work.find(model, id)
        if draft is not None and draft.after[group.root] != root:
            draft.after[group.root] = root
            work.write(draft, work.plans.entity(model.name), "", None)
            work.record(draft, "update", "group")
