"""Files on pages: their names and addresses, and keeping those that a form brings."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from starlette.datastructures import UploadFile

from engine.app import EntityApp
from engine.fields import Invalid
from engine.fields.files import IMAGES
from engine.problems import Problem, Refused
from engine.storage import system
from engine.storage.statement import among
from engine.web.pages.cells import Cell, address, file_size, problem_of
from engine.web.site import Site

if TYPE_CHECKING:
    from engine.web.pages.visit import AppVisit


def file_cells(site: Site, r: Any, app: str, ids: Iterable[str]) -> Mapping[str, Cell]:
    """Names, sizes and addresses of files, by id. Whoever sees the field sees these; the address asks again."""
    wanted = [int(id) for id in ids if id.isdigit()]
    if not wanted:
        return {}
    f = system.file
    statement = site.db.statement(
        sa.select(f.c.id, f.c.name, f.c.size).where(among(f.c.id, "ids"), f.c.app == sa.bindparam("app"))
    )
    return {
        str(id): file_cell(app, str(id), name, size) for id, name, size in r.all(statement, {"ids": wanted, "app": app})
    }


def file_cell(app: str, id: str, name: str, size: int) -> Cell:
    ending = name.rpartition(".")[2].lower()
    href = f"/api/v1{address(app, 'files', id)}"
    return Cell("text", name, href, color="image" if ending in IMAGES else "", note=file_size(size), key=id)


def keep(visit: "AppVisit", model: EntityApp, name: str, path: str, upload: UploadFile) -> int:
    """Store an upload meant for a file field; its id. It belongs to no record until it is attached.

    Raises Refused with problems at `path` when it does not fit the field.
    """
    each: Any = model.fields[name]
    label, filename = model.labels[name], upload.filename or ""
    try:
        each.admit(filename, upload.size or 0)
        return visit.site.attachments.keep(
            visit.app.name, filename, upload.file, each.bytes_allowed, visit.principal.user
        )
    except Invalid as error:
        raise Refused(problem_of(error, path, label)) from None
    except Refused as refused:
        found = [Problem(problem.code, path, {"label": label, **problem.parameters}) for problem in refused.problems]
        raise Refused(found, refused.status) from None
