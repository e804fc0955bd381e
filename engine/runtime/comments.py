"""Comments: what people say to each other about a record, beside its values.

A comment is plain text.  People are mentioned in it as `@[login]` and are told so, if they may see the record with their own
eyes.  Whoever may read a record may comment on it; what he wrote he may change and delete, and the journal keeps how.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import sqlalchemy as sa

from engine.access.notices import Notices
from engine.access.people import People
from engine.access.principal import Principal
from engine.app import App
from engine.columns import new_id
from engine.problems import Problem, Refused
from engine.runtime.act import Draft
from engine.runtime.commands import Comment, EditComment, RemoveComment
from engine.runtime.work import Work
from engine.storage import system
from engine.storage.statement import Statement, among

LONGEST: Final = 5000
MOST_MENTIONED: Final = 20
MENTION: Final = re.compile(r"@\[([^\[\]\s]{1,200})\]")
MENTIONED: Final = "mention"  # the kind of the notice
_C = system.comment


def mentioned(text: str) -> list[str]:
    """The logins that a comment names, each once."""
    return list(dict.fromkeys(login.lower() for login in MENTION.findall(text)))


@dataclass(frozen=True)
class Circle:
    """The people of an app, and who of them sees a record: asked with the eyes of each, never with those of the asker."""

    people: People
    notices: Notices

    def principal(self, app: App, user: int) -> Principal | None:
        return self.people.principal(user, app.name, app.policies)

    def sees(self, work: Work, user: int, entity: str, id: int) -> bool:
        """Whether somebody sees a live record."""
        principal = self.principal(work.app, user)
        if principal is None:
            return False
        lens = work.plans.reading.lens(principal)
        return lens.may(entity, "read") and lens.get(work.w, entity, id, ("id",)) is not None

    def tell(self, work: Work, draft: Draft, comment: int, logins: Iterable[str]) -> None:
        """Tell those who are mentioned; the writer hears of those who are not told."""
        untold = []
        for position, login in enumerate(logins):
            user = self.people.find_user(login) if position < MOST_MENTIONED else None
            if user is not None and user == work.principal.user:
                continue
            if user is None or not self.sees(work, user, draft.model.name, draft.id):
                # The same for a stranger and for somebody who may not see it: neither comes to light here.
                untold.append(login)
                continue
            self.notices.add(
                work.w, user, work.app.name, MENTIONED, entity=draft.model.name, record=draft.id,
                by=work.principal.user, detail={"comment": str(comment)},
            )  # fmt: skip
        if untold:
            work.warnings.append(Problem("mention-untold", "text", {"names": "、".join(untold)}, severity="warning"))

    def withdraw(self, work: Work, comment: int, logins: Iterable[str]) -> None:
        for login in logins:
            user = self.people.find_user(login)
            if user is not None:
                self.notices.withdraw(work.w, user, work.app.name, MENTIONED, {"comment": str(comment)})


def comment(work: Work, command: Comment, circle: Circle) -> tuple[Draft, int]:
    """Say something about a record. Raises Refused: 404 if he may not see it, 422 if there is nothing to say or too much."""
    draft = _record(work, command.entity, command.id)
    text, id = _fit(command.text), new_id()
    row = {
        "id": id, "app": work.app.name, "entity": draft.model.name, "record": draft.id, "by": work.principal.user,
        "text": text, "at": work.now, "edited_at": None, "deleted_at": None,
    }  # fmt: skip
    insert = sa.insert(_C).values({each.name: sa.bindparam(each.name) for each in _C.c})
    work.w.run(work.plans.kept("comment", lambda: work.plans.db.statement(insert)), row)
    _journal(work, draft, {f"@{id}": [None, text]})
    circle.tell(work, draft, id, mentioned(text))
    return draft, id


def edit_comment(work: Work, command: EditComment, circle: Circle) -> Draft:
    """Change what one wrote. Raises Refused: 404 if it is not there, 403 if somebody else wrote it."""
    draft = _record(work, command.entity, command.id)
    was = _own(work, draft, command.comment, administrators=False)
    text = _fit(command.text)
    if text == was:
        return draft
    _set(work, command.comment, text=text, edited_at=work.now, deleted_at=None)
    _journal(work, draft, {f"@{command.comment}": [was, text]})
    before, now = mentioned(was), mentioned(text)
    circle.withdraw(work, command.comment, [each for each in before if each not in now])
    circle.tell(work, draft, command.comment, [each for each in now if each not in before])
    return draft


def remove_comment(work: Work, command: RemoveComment, circle: Circle) -> Draft:
    """Take back what one wrote: that something stood there stays. Administrators may take back anybody's."""
    draft = _record(work, command.entity, command.id)
    was = _own(work, draft, command.comment, administrators=True)
    row = _row(work, command.comment)
    assert row is not None
    _set(work, command.comment, text=was, edited_at=row[3], deleted_at=work.now)
    _journal(work, draft, {f"@{command.comment}": [was, None]})
    circle.withdraw(work, command.comment, mentioned(was))
    return draft


def move_comments(work: Work, lose: Draft, keep: Draft) -> None:
    """What was said about one record is said about the other from now on."""
    here = sa.and_(
        _C.c.record == sa.bindparam("lost"), _C.c.app == sa.bindparam("app"), _C.c.entity == sa.bindparam("of")
    )
    found = work.plans.kept("comments of", lambda: work.plans.db.statement(sa.select(_C.c.id).where(here)))
    given = {"lost": lose.id, "app": work.app.name, "of": lose.model.name}
    ids = [row[0] for row in work.w.all(found, given)]
    if ids:
        _place(work, ids, keep.id)
        _journal(work, keep, {"@moved": [str(lose.id), [str(id) for id in ids]]}, f"merge:{lose.id}")


def take_back(work: Work, draft: Draft, changes: Mapping[str, Any], batch: int) -> None:
    """Undo what the journal says of comments. Raises Refused: 404 if he may not see the record, 409 after later changes."""
    if work.lens.shown(work.w, draft.model.name, draft.id) is None:
        raise Refused(Problem("undo-unknown", "batch"), 404)
    for name, (old, new) in changes.items():
        if name == "@moved":
            _place(work, [int(id) for id in new], int(old))
            continue
        id = int(name.removeprefix("@"))
        row = _row(work, id)
        now = None if row is None or row[4] is not None else row[2]
        if row is None or now != new:
            raise Refused(Problem("comment-changed", "batch"), 409)
        text, gone = (new, work.now) if old is None else (old, None)
        _set(work, id, text=text, edited_at=None if gone else work.now, deleted_at=gone)
        _journal(work, draft, {name: [new, old]}, f"undo:{batch}")


# -- the rows --------------------------------------------------------------------------------------------------------------


def _record(work: Work, entity: str, id: int) -> Draft:
    """The live record, if he sees it. Raises Refused (404)."""
    model = work.model(entity, "read")
    # Locked, so that whoever deletes or merges it at this moment comes before or after.
    draft = work.find(model, id) if work.lens.get(work.w, entity, id, ("id",)) is not None else None
    if draft is None or draft.after["deleted_at"] is not None:
        raise Refused(Problem("not-found", entity), 404)
    return draft


def _fit(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\0", "").strip()
    if not text:
        raise Refused(Problem("comment-empty", "text"))
    if len(text) > LONGEST:
        raise Refused(Problem("comment-too-long", "text", {"limit": LONGEST}))
    return text


def _row(work: Work, id: int) -> Any:
    """(record, by, text, edited_at, deleted_at) of a comment of this app; None if there is none."""
    one = sa.select(_C.c.record, _C.c.by, _C.c.text, _C.c.edited_at, _C.c.deleted_at, _C.c.entity).where(
        _C.c.id == sa.bindparam("id"), _C.c.app == sa.bindparam("app")
    )
    statement: Statement = work.plans.kept("one comment", lambda: work.plans.db.statement(one))
    return work.w.one(statement, {"id": id, "app": work.app.name})


def _own(work: Work, draft: Draft, id: int, administrators: bool) -> str:
    """The text of a comment on this very record that the principal may change. Raises Refused (404, 403)."""
    row = _row(work, id)
    if row is None or row[0] != draft.id or row[5] != draft.model.name or row[4] is not None:
        raise Refused(Problem("not-found", "comment"), 404)
    mine = row[1] is not None and row[1] == work.principal.user
    if not mine and not (administrators and work.principal.administrator):
        raise Refused(Problem("comment-not-yours", "comment"), 403)
    return str(row[2])


def _set(work: Work, id: int, *, text: str, edited_at: int | None, deleted_at: int | None) -> None:
    values = {name: sa.bindparam(name, type_=_C.c[name].type) for name in ("text", "edited_at", "deleted_at")}
    change = sa.update(_C).where(_C.c.id == sa.bindparam("own")).values(values)
    statement = work.plans.kept("change comment", lambda: work.plans.db.statement(change))
    work.w.run(statement, {"own": id, "text": text, "edited_at": edited_at, "deleted_at": deleted_at})


def _place(work: Work, ids: list[int], record: int) -> None:
    move = sa.update(_C).where(among(_C.c.id, "ids")).values(record=sa.bindparam("to", type_=sa.BigInteger()))
    work.w.run(work.plans.kept("move comments", lambda: work.plans.db.statement(move)), {"ids": ids, "to": record})


def _journal(work: Work, draft: Draft, told: Mapping[str, Any], cause: str | None = None) -> None:
    """A row of its own: no field's name begins with @, so nobody takes it for one."""
    work.w.run(
        work.plans.journal,
        {"app": work.app.name, "entity": draft.model.name, "record": draft.id, "version": draft.after["version"], "at": work.now,
         "user": work.principal.user, "action": "comment", "changes": orjson.dumps(dict(told)).decode(),
         "cause": cause or work.cause, "batch": work.batch},
    )  # fmt: skip
