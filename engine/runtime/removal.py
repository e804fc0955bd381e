"""Deleting, restoring, merging and undoing. Nothing is ever lost: deleted records keep their row, and every batch can be taken back."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import orjson
import sqlalchemy as sa

from engine.app import EntityApp
from engine.problems import Problem, Refused
from engine.runtime.commands import Merge, Undo
from engine.runtime.comments import move_comments, take_back
from engine.runtime.uploads import hand_over_files, let_go
from engine.runtime.work import Draft, Work
from engine.storage import system
from engine.storage.statement import Statement

Back = dict[tuple[str, int], frozenset[str]]  # records that are back, by entity and id: the lookups to look after


def delete(work: Work, model: EntityApp, id: int, version: int | None) -> Draft:
    """Delete a record softly, and do with what points to it as each lookup says."""
    draft, _ = work.load(model, id, "delete", version)
    return remove(work, draft)


def remove(work: Work, draft: Draft, cause: str | None = None) -> Draft:
    model = draft.model
    for other, name, rule in pointing(work, model):
        # What points to itself, such as the topmost of a group, keeps nobody from deleting it.
        ids = [row[0] for row in work.w.all(_pointing(work, other, name), {"id": draft.id}) if row[0] != draft.id]
        if not ids:
            continue
        if rule == "restrict":
            raise Refused(_restricted(work, model, other, name, ids), 409)
        for each in ids:
            found = work.find(other, each)
            if found is None:
                continue
            if rule == "cascade":
                remove(work, found, f"cascade:{model.name}")
            else:
                found.after[name] = None
                work.change(found, cause=f"clear:{model.name}", checked=False)
    _set_deleted(work, draft, work.now, "delete", cause)
    return draft


def _restricted(work: Work, model: EntityApp, other: EntityApp, lookup: str, ids: list[int]) -> Problem:
    """Why what `ids` point to stays: how many of them there are is for those who see them."""
    seen = work.lens.titles(work.w, other.name, ids) if lookup in work.lens.view.permit(other.name).visible else ()
    if not seen:
        return Problem("deletion-restricted-unseen", model.name)
    return Problem("deletion-restricted", model.name, {"count": len(seen), "entity": other.label})


def pointing(work: Work, model: EntityApp) -> Iterator[tuple[EntityApp, str, str]]:
    """The lookups that point to an entity and what they say of deletion: (entity, lookup, restrict | clear | cascade)."""
    for other in work.app.entities.values():
        for name, target in other.lookups.items():
            if target == model.name and not other.system and (rule := _rule(other, name)) != "keep":
                yield other, name, rule


def _rule(model: EntityApp, lookup: str) -> str:
    """What a lookup says of the deletion of what it points to: restrict, clear, cascade, keep."""
    part = model.part_of is not None and model.part_of[0] == lookup
    return getattr(model.fields[lookup], "on_delete", None) or ("cascade" if part else "keep")


def _pointing(work: Work, other: EntityApp, name: str) -> Statement:
    table = other.table
    statement: Statement = work.plans.kept(
        ("pointing", other.name, name),
        lambda: work.plans.db.statement(
            sa.select(table.c.id)
            .where(table.c[other.columns[name]] == sa.bindparam("id"), table.c.deleted_at.is_(None))
            .order_by(table.c.id)
        ),
    )
    return statement


def _set_deleted(work: Work, draft: Draft, at: int | None, action: str, cause: str | None = None) -> None:
    assert draft.before is not None
    draft.after |= {
        "deleted_at": at,
        "version": draft.before["version"] + 1,
        "updated_at": work.now,
        "updated_by": work.principal.user,
    }
    work.write(draft, work.plans.entity(draft.model.name), "", draft.before["version"])
    work.record(draft, action, cause)


def restore(work: Work, model: EntityApp, id: int) -> Draft:
    """Bring a deleted record back, and with it what its deletion took along. Raises Refused (404, 403, 409)."""
    draft = work.find(model, id)
    if draft is None or work.lens.shown(work.w, model.name, id) is None:
        raise Refused(Problem("not-found", model.name), 404)
    work.permitted(model, id, "restore")
    if draft.after["deleted_at"] is None:
        raise Refused(Problem("not-deleted", model.name), 409)
    back: Back = {}
    _bring_back(work, draft, None, back)
    _reconnect(work, back)
    fresh = work.find(model, id)
    assert fresh is not None
    if let_go(work, fresh):
        # It was merged into another record, which has taken files of it.
        work.change(fresh, cause="files taken over", checked=False)
        fresh = work.find(model, id)
        assert fresh is not None
    work.settle(fresh, work.plans.entity(model.name), "", checked=False)
    return fresh


def _bring_back(work: Work, draft: Draft, cause: str | None, back: Back) -> None:
    """Bring a deleted record back, and all that went at the same moment because of it."""
    model, deleted_at = draft.model, draft.after["deleted_at"]
    _set_deleted(work, draft, None, "restore", cause)
    back[model.name, draft.id] = frozenset(model.lookups)
    for other, name, rule in pointing(work, model):
        if rule != "cascade":
            continue
        statement = work.plans.kept(
            ("taken along", other.name, name),
            partial(_taken_along, work, other, name),
        )
        for row in work.w.all(statement, {"id": draft.id, "at": deleted_at}):
            found = work.find(other, row[0])
            if found is not None:
                _bring_back(work, found, f"cascade:{model.name}", back)


def _reconnect(work: Work, back: Back) -> None:
    """Let records that are back point to nothing that is gone, as if it had been deleted while they were there.

    `clear` clears the link and `keep` keeps it.  Where the deletion would have been refused (`restrict`) or would have taken
    them along (`cascade`), they do not come back without it. Raises Refused (409) naming what must come back first.
    """
    problems = []
    for (entity, id), names in back.items():
        model = work.app.entities[entity]
        lookups = sorted(names & model.lookups.keys())
        draft = work.find(model, id) if lookups else None
        if draft is None or draft.after["deleted_at"] is not None:
            continue
        for name in lookups:
            target, rule = work.app.entities.get(draft.model.lookups[name]), _rule(draft.model, name)
            if target is None or target.system or rule == "keep" or draft.after[name] is None:
                continue
            pointed = work.find(target, draft.after[name])
            if pointed is not None and pointed.after["deleted_at"] is None:
                continue
            if rule == "clear":
                draft.after[name] = None
                work.change(draft, cause=f"clear:{target.name}", checked=False)
                draft = Draft(draft.model, id, dict(draft.after), dict(draft.after))
            else:
                problems.append(_gone(work, draft, name, target))
    if problems:
        raise Refused(problems, 409)


def _gone(work: Work, draft: Draft, lookup: str, target: EntityApp) -> Problem:
    """That a record cannot come back without what it points to: named to those who see it."""
    id = draft.after[lookup]
    seen = lookup in work.lens.view.permit(draft.model.name).visible
    title = work.lens.titles(work.w, target.name, [id]).get(id) if seen else None
    if title is None:
        return Problem("restore-needs-unseen", draft.model.name)
    what = {"label": draft.model.labels[lookup], "entity": target.label, "title": title, "id": str(id)}
    return Problem("restore-needs", lookup, what)


def _taken_along(work: Work, other: EntityApp, name: str) -> Statement:
    table = other.table
    lookup = table.c[other.columns[name]]
    return work.plans.db.statement(
        sa.select(table.c.id).where(lookup == sa.bindparam("id"), table.c.deleted_at == sa.bindparam("at"))
    )


def merge(work: Work, command: Merge) -> Draft:
    """Make one record of two. The one that stays gets the chosen values; what was empty in it is filled from the other."""
    model = work.model(command.entity, "merge")
    if command.keep == command.lose:
        raise Refused(Problem("merge-same", "lose"))
    seen = command.versions or (None, None)
    keep, writable = work.load(model, command.keep, "merge", seen[0])
    lose, theirs = work.load(model, command.lose, "merge", seen[1])
    # What he may not touch on the one that goes does not come to light on the one that stays.
    writable &= theirs
    problems = []
    for name, side in command.choices.items():
        if name not in writable or name not in model.columns:
            problems.append(
                Problem("unknown-field", f"choices.{name}", {"entity": model.label, "name": name, "nearest": None})
            )
        elif side == "lose":
            keep.after[name] = lose.after[name]
    if problems:
        raise Refused(problems)
    for name in sorted(writable & frozenset(model.columns)):
        if keep.after[name] is None and name not in command.choices:
            keep.after[name] = lose.after[name]
    for name, target in model.lookups.items():
        if target == model.name and keep.after[name] == lose.id:
            # Where it pointed to what is now itself, it takes over where that one points.
            beyond = lose.after[name]
            keep.after[name] = None if beyond in (keep.id, lose.id) else beyond
    cause = f"merge:{lose.id}"
    # The loser goes first, so that a unique value may move to the one that stays.
    _set_deleted(work, lose, work.now, "merge", f"merge:{keep.id}")
    hand_over_files(work, lose, keep)
    move_comments(work, lose, keep)
    if not work.change(keep, cause=cause, checked=False):
        # Its history says so even where no value of it is another one.
        work.record(keep, "update", cause)
    for other in work.app.entities.values():
        for name, target in other.lookups.items():
            if target != model.name or other.system:
                continue
            for row in work.w.all(_pointing(work, other, name), {"id": lose.id}):
                found = work.find(other, row[0])
                if found is not None and not (other.name == model.name and found.id == keep.id):
                    found.after[name] = keep.id
                    work.change(found, cause=cause, checked=False)
    _settle_duplicates(work, model, keep.id, lose.id, "merged")
    fresh = work.find(model, keep.id)
    assert fresh is not None
    return fresh


def _settle_duplicates(work: Work, model: EntityApp, keep: int, lose: int, state: str) -> None:
    d = system.duplicate
    pair = sa.and_(d.c.one == sa.bindparam("low"), d.c.other == sa.bindparam("high"), d.c.entity == sa.bindparam("of"))
    statement = work.plans.kept(
        "pair",
        lambda: work.plans.db.statement(
            sa.update(d).where(pair).values(state=sa.bindparam("to"), by=sa.bindparam("who"))
        ),
    )
    key = f"{work.app.name}.{model.name}"
    work.w.run(
        statement, {"low": min(keep, lose), "high": max(keep, lose), "of": key, "to": state, "who": work.principal.user}
    )
    stale = work.plans.kept(
        "stale pairs",
        lambda: work.plans.db.statement(
            sa.delete(d).where(
                d.c.entity == sa.bindparam("of"),
                d.c.state == "open",
                sa.or_(d.c.one == sa.bindparam("lost"), d.c.other == sa.bindparam("lost")),
            )
        ),
    )
    work.w.run(stale, {"of": key, "lost": lose})


def undo(work: Work, command: Undo) -> tuple[list[Draft], int]:
    """Take back what one command did: the last change first, each only if nothing has changed the same fields since.

    Whoever did it may undo it, and administrators.  Stages are not taken back: a process has its own way back.
    Returns the records and, if it is done `partly`, how many were left alone.
    """
    j = system.journal
    statement = work.plans.kept(
        "batch",
        lambda: work.plans.db.statement(
            sa.select(j.c.entity, j.c.record, j.c.action, j.c.changes, j.c.user, j.c.cause)
            .where(j.c.batch == sa.bindparam("batch"), j.c.app == sa.bindparam("app"))
            .order_by(j.c.seq.desc())
        ),
    )
    rows = work.w.all(statement, {"batch": command.batch, "app": work.app.name})
    if not rows or not (work.principal.administrator or any(row[4] == work.principal.user for row in rows)):
        raise Refused(Problem("undo-unknown", "batch"), 404)
    done: list[Draft] = []
    left = 0
    back: Back = {}
    for entity, id, action, changes, _, cause in rows:
        model = work.app.entities.get(entity)
        draft = work.find(model, id) if model is not None else None
        if model is None or draft is None:
            raise Refused(Problem("undo-unknown", "batch"), 404)
        if cause == "formula":
            continue
        if action == "comment":
            take_back(work, draft, orjson.loads(changes), command.batch)
            done.append(draft)
            continue
        _permit_undo(work, model, draft, action)
        if action == "create":
            if draft.after["deleted_at"] is None:
                remove(work, draft, f"undo:{command.batch}")
        elif action in ("delete", "merge"):
            _set_deleted(work, draft, None, "restore", f"undo:{command.batch}")
            back[entity, id] = frozenset(model.lookups)
        elif action == "restore":
            remove(work, draft, f"undo:{command.batch}")
        elif action == "transition":
            raise Refused(Problem("undo-transition", "batch"), 409)
        else:
            taken = orjson.loads(changes) if changes else {}
            problems = _changed_since(model, draft, taken)
            if problems and command.partly:
                left += 1
                continue
            if problems:
                raise Refused(problems, 409)
            _put_back(work, model, draft, taken, command.batch)
            back[entity, id] = back.get((entity, id), frozenset()) | taken.keys()
        done.append(draft)
    _reconnect(work, back)
    _reopen_duplicates(work, rows)
    return done, left


def _permit_undo(work: Work, model: EntityApp, draft: Draft, action: str) -> None:
    if work.principal.administrator or work.lens.may(model.name, "update") or work.lens.may(model.name, "merge"):
        return
    raise work.refused(model, "update")


def _taken_back(model: EntityApp, changes: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """The values that an undo sets itself: field, the value before the change and after it."""
    derived = {name for computed in model.computed.values() for name in computed.writes}
    for name, (old, new) in changes.items():
        if name not in derived and name in model.columns and name not in ("deleted_at", "stage_entered_at"):
            yield name, old, new


def _changed_since(model: EntityApp, draft: Draft, changes: Mapping[str, Any]) -> list[Problem]:
    return [
        Problem("undo-changed", name, {"label": model.labels[name]})
        for name, _, new in _taken_back(model, changes)
        if draft.after[name] != new
    ]


def _put_back(work: Work, model: EntityApp, draft: Draft, changes: Mapping[str, Any], batch: int) -> None:
    for name, old, _ in _taken_back(model, changes):
        draft.after[name] = old
    work.change(draft, cause=f"undo:{batch}", checked=False)


def _reopen_duplicates(work: Work, rows: list[Any]) -> None:
    merged = [(entity, id, cause) for entity, id, action, _, _, cause in rows if action == "merge" and cause]
    d = system.duplicate
    for entity, lost, cause in merged:
        keep = int(cause.partition(":")[2])
        statement = sa.update(d).where(
            d.c.entity == f"{work.app.name}.{entity}", d.c.one == min(lost, keep), d.c.other == max(lost, keep)
        )
        work.w.run(work.plans.db.statement(statement.values(state="open")))
