"""What a person should know before going on: notices that the definition asks for, and records that are probably the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from starlette.responses import Response

from engine.app import EntityApp
from engine.problems import Problem, Refused
from engine.reading.notices import notices as told_of
from engine.runtime.matching import candidates
from engine.storage import system
from engine.web import incoming
from engine.web.pages.cells import id_in
from engine.web.pages.frame import icon_of
from engine.web.pages.visit import AppVisit

MOST_ALIKE = 5
_ICONS = {"warning": "tree", "info": "info"}


@dataclass(frozen=True)
class Seen:
    """A record that a notice speaks of; `merge` and `distinct` are where one says that it is the same, or is not."""

    label: str
    href: str
    merge: str = ""
    distinct: str = ""


@dataclass(frozen=True)
class Hint:
    words: str
    level: str
    icon: str
    records: tuple[Seen, ...]


def notices(visit: AppVisit, r: Any, model: EntityApp, id: int | None, values: Mapping[str, Any]) -> list[Hint]:
    """The notices of a record with these JSON values; `id` is None for one that is being made."""
    chosen = {name: other for name in model.lookups if (other := id_in(values.get(name))) is not None}
    return [
        Hint(
            told.words[visit.language],
            told.level,
            icon_of(_ICONS.get(told.level)),
            tuple(Seen(title, visit.href(told.entity, str(other))) for other, title in told.links),
        )
        for told in told_of(visit.lens, r, model.name, id, chosen)
    ]


def noticed(visit: AppVisit, model: EntityApp, id: int | None) -> str:
    """Where a form asks for the notices of what is chosen in it; empty if none depends on a choice."""
    on = sorted({notice.on for notice in model.notices if notice.on is not None})
    own = f"&id={id}" if id is not None else ""
    return f"{visit.href(model.name, 'notices')}?on={','.join(on)}{own}" if on else ""


def get_notices(visit: AppVisit) -> Response:
    """The notices of chosen records, as a piece of a page."""
    model, given = visit.model(), dict(visit.query)
    id = incoming.record_id(given["id"]) if given.get("id") else None
    with visit.site.db.read() as r:
        if id is not None and visit.lens.get(r, model.name, id, ("id",)) is None:
            raise Refused(Problem("not-found", model.name), 404)
        found = notices(visit, r, model, id, given)
    return visit.draw("notices.html", found=found)


def duplicates(visit: AppVisit, r: Any, model: EntityApp, id: int) -> list[Hint]:
    """Records that are probably the same as this one, as far as the reader sees them."""
    if model.duplicates is None:
        return []
    work = visit.site.runtime.work(visit.app, visit.principal, r)
    draft = work.find(model, id)
    told_apart = _told_apart(visit, r, model, id)
    alike = (
        [(other, how) for other, how in candidates(work, model, draft.after, id) if other not in told_apart]
        if draft
        else []
    )
    titles = visit.lens.titles(r, model.name, [other for other, _ in alike[:MOST_ALIKE]])
    t, may = visit.t, visit.lens.allowed(r, model.name, "merge", id)
    here = visit.href(model.name, str(id))
    seen = tuple(
        Seen(
            f"{titles[other]} ({t('likeness', score=how.score)})",
            visit.href(model.name, str(other)),
            f"{here}/merge/{other}" if may else "",
            f"{here}/distinct/{other}" if may else "",
        )
        for other, how in alike[:MOST_ALIKE]
        if other in titles
    )
    if seen and may:
        seen = (*seen, Seen(t("pairs-all"), f"{visit.href('my-duplicates')}?entity={model.name}"))
    return [Hint(t("duplicates-note"), "warning", "merge", seen)] if seen else []


def _told_apart(visit: AppVisit, r: Any, model: EntityApp, id: int) -> set[int]:
    """Records that somebody has said are not the same as this one."""
    d = system.duplicate
    mine = sa.or_(d.c.one == sa.bindparam("id"), d.c.other == sa.bindparam("id"))
    statement = visit.lens.view.kept(
        "told apart",
        lambda: visit.site.db.statement(
            sa.select(d.c.one, d.c.other).where(mine, d.c.entity == sa.bindparam("entity"), d.c.state == "distinct")
        ),
    )
    rows = r.all(statement, {"id": id, "entity": f"{visit.app.name}.{model.name}"})
    return {each for row in rows for each in row if each != id}
