"""What follows a save by the entity's own rules: tables keep their rows, groups are kept, likely duplicates are found."""

from functools import partial

import sqlalchemy as sa

from engine.app import EntityApp
from engine.problems import Refused
from engine.runtime.groups import keep_groups
from engine.runtime.matching import find_duplicates
from engine.runtime.work import Draft, Work
from engine.storage.statement import Statement


def after_save(work: Work) -> None:
    """Run for every record that the command wrote."""
    for draft in list(work.touched.values()):
        keep_rows(work, draft)
        if draft.model.group is not None:
            keep_groups(work, draft)
        if draft.model.duplicates is not None:
            find_duplicates(work, draft)


def keep_rows(work: Work, draft: Draft) -> None:
    """A row that was deleted or given away must leave enough behind. Raises Refused (422) if it does not."""
    before, after = draft.before, draft.after
    if before is None or before["deleted_at"] is not None:
        return
    for parent, table, lookup in work.plans.entity(draft.model.name).row_of:
        left = before[lookup]
        if left is None or (after["deleted_at"] is None and after[lookup] == left):
            continue
        make = partial(_rows_left, work, parent, draft.model, lookup)
        statement = work.plans.kept(("rows left", parent.name, table), make)
        row = work.w.one(statement, {"id": left})
        if row is not None and (problems := work.too_few(parent, {table: row[0]}, "")):
            raise Refused(problems)


def _rows_left(work: Work, whole: EntityApp, row: EntityApp, lookup: str) -> Statement:
    """How many rows a live record still has; no row for one that is deleted itself."""
    rows, table = row.table, whole.table
    count = (
        sa.select(sa.func.count())
        .where(rows.c[row.columns[lookup]] == table.c.id, rows.c.deleted_at.is_(None))
        .scalar_subquery()
    )
    return work.plans.db.statement(
        sa.select(count).select_from(table).where(table.c.id == sa.bindparam("id"), table.c.deleted_at.is_(None))
    )
