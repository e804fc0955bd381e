"""Files on pages: their names and addresses, and keeping those that a form brings."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from starlette.datastructures import UploadFile

from engine.app import App, EntityApp
from engine.fields import Invalid
from engine.fields.files import IMAGES
from engine.problems import Problem, Refused
from engine.storage import system
from engine.storage.statement import among
from engine.web.pages.cells import Cell, address, file_size, id_in, problem_of

if TYPE_CHECKING:
    from engine.web.pages.visit import AppVisit
    from engine.web.site import Site


def file_cells(visit: "AppVisit", r: Any, ids: Iterable[str]) -> Mapping[str, Cell]:
    """Names, sizes and addresses of those files that the reader may see, by id. The ids may come from a form."""
    wanted = {number for text in ids if (number := id_in(text)) is not None}
    if not wanted:
        return {}
    f = system.file
    statement = visit.site.db.statement(
        sa.select(f.c.id, f.c.name, f.c.size, f.c.entity, f.c.record, f.c.field, f.c.by).where(
            among(f.c.id, "ids"), f.c.app == sa.bindparam("app"), f.c.deleted_at.is_(None)
        )
    )
    rows = r.all(statement, {"ids": sorted(wanted), "app": visit.app.name})
    seen = _seen(visit, r, {(entity, record, field) for *_, entity, record, field, _ in rows if record is not None})
    return {
        str(id): file_cell(visit.app.name, str(id), name, size)
        for id, name, size, entity, record, field, by in rows
        if ((entity, record, field) in seen if record is not None else by == visit.principal.user)
    }


def _seen(visit: "AppVisit", r: Any, places: set[tuple[str, int, str]]) -> set[tuple[str, int, str]]:
    """Those of the places - entity, record, field - that the reader may see."""
    lens, found = visit.lens, set()
    for entity in {entity for entity, _, _ in places} & visit.app.entities.keys():
        permit = lens.view.permit(entity)
        records = lens.titles(r, entity, {record for other, record, _ in places if other == entity})
        for place in places:
            if place[0] != entity or place[1] not in records or place[2] not in permit.visible:
                continue
            if permit.showing(place[2]) is None or place[2] in (lens.shown(r, entity, place[1]) or ()):
                found.add(place)
    return found


def file_cell(app: str, id: str, name: str, size: int) -> Cell:
    ending = name.rpartition(".")[2].lower()
    href = f"/api/v1{address(app, 'files', id)}"
    return Cell("text", name, href, color="image" if ending in IMAGES else "", note=file_size(size), key=id)


def keep(visit: "AppVisit", model: EntityApp, name: str, path: str, upload: UploadFile) -> int:
    """Store an upload meant for a file field; its id. It belongs to no record until it is attached.

    Raises Refused with problems at `path` when it does not fit the field.
    """
    return keep_upload(visit.site, visit.app, model, name, upload, visit.principal.user, path)


def keep_upload(
    site: "Site", app: App, model: EntityApp, name: str, upload: UploadFile, user: int | None, path: str | None = None
) -> int:
    """Like `keep`, for whoever `user` is; None for somebody without an account. `path` is the field itself if not given."""
    each: Any = model.fields[name]
    label, filename, at = model.labels[name], upload.filename or "", path or name
    try:
        each.admit(filename, upload.size or 0)
        return site.attachments.keep(app.name, filename, upload.file, each.bytes_allowed, user)
    except Invalid as error:
        raise Refused(problem_of(error, at, label)) from None
    except Refused as refused:
        found = [Problem(problem.code, at, {"label": label, **problem.parameters}) for problem in refused.problems]
        raise Refused(found, refused.status) from None
