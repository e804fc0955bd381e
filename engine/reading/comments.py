"""What was said about a record, for whoever may see the record: comments live and die with it.

People are mentioned in a comment as `@[login]`; the names that belong to the logins come along.  Of what was taken back only
that it was there is told, who wrote it and when.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from engine.problems import Problem, Refused
from engine.reading.lens import Lens
from engine.storage import system
from engine.storage.statement import among

MENTION: Final = re.compile(r"@\[([^\[\]\s]{1,200})\]")


@dataclass(frozen=True)
class Said:
    """A comment. `text` is None for one that was taken back; `by` is None for what a rule wrote. Instants are microseconds UTC."""

    id: int
    by: int | None
    by_name: str
    text: str | None
    at: int
    edited_at: int | None
    deleted_at: int | None


def comments(
    lens: Lens, r: Any, entity: str, id: int, most: int = 100, before: int | None = None, deleted: bool = False
) -> list[Said]:
    """The comments of a record, newest first; with `before` only those said before that instant.

    `deleted` asks for those of a record in the trash. Raises Refused (404) if he may not see the record.
    """
    if lens.get(r, entity, id, ("id",), deleted=deleted) is None:
        raise Refused(Problem("not-found", entity), 404)
    c, u = system.comment, system.user

    def make() -> Any:
        here = [c.c.record == sa.bindparam("id"), c.c.app == sa.bindparam("app"), c.c.entity == sa.bindparam("entity")]
        if before is not None:
            here.append(c.c.at < sa.bindparam("before", type_=sa.BigInteger()))
        found = sa.select(c.c.id, c.c.by, u.c.name, c.c.text, c.c.at, c.c.edited_at, c.c.deleted_at)
        found = found.select_from(c.outerjoin(u, u.c.id == c.c.by)).where(*here)
        return lens.db.statement(
            found.order_by(c.c.at.desc(), c.c.id.desc()).limit(sa.bindparam("most", type_=sa.BigInteger()))
        )

    rows = r.all(
        lens.view.kept(("comments", before is None), make),
        {"id": id, "app": lens.app.name, "entity": entity, "before": before, "most": lens.limited(most)},
    )
    return [
        Said(own, by, name or "", None if gone else text, at, edited, gone)
        for own, by, name, text, at, edited, gone in rows
    ]


def names_of(lens: Lens, r: Any, texts: Iterable[str | None]) -> dict[str, str]:
    """The names of those whom these texts mention, by login. One question."""
    logins = sorted({login.lower() for text in texts if text for login in MENTION.findall(text)})
    if not logins:
        return {}
    u = system.user
    statement = lens.view.kept(
        ("mentioned",),
        lambda: lens.db.statement(
            sa.select(u.c.login, u.c.name).where(among(u.c.login, "logins"), u.c.deleted_at.is_(None))
        ),
    )
    return dict(r.all(statement, {"logins": logins}))
