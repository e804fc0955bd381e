"""Files of records: adding, listing, taking off, downloading.

A file is handed out as an attachment that a browser does not interpret, to whoever sees the field that it is in.
"""

import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from starlette.datastructures import UploadFile
from starlette.responses import Response, StreamingResponse

from engine.fields.base import Invalid
from engine.fields.files import Attached
from engine.problems import Problem, Refused
from engine.runtime import Attach, Detach
from engine.storage import system
from engine.storage.session import Read
from engine.storage.statement import among
from engine.web import answers, incoming
from engine.web.api.changes import execute
from engine.web.attachments import Attachment
from engine.web.resource import AppCall

CHUNK = 1 << 18
_F = system.file


def slot(call: AppCall) -> tuple[str, Attached]:
    """The file field that the address names. Raises Refused (404)."""
    name = call.request.path_params["field"]
    field: Any = call.lens.fields(call.entity).get(name)
    if not isinstance(field, Attached):
        raise Refused(Problem("not-found"), 404)
    return name, field


async def upload(call: AppCall) -> Response:
    """One file as multipart/form-data, in a part named `file`."""
    name, field = slot(call)
    if not call.request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise Refused(Problem("type-unsupported", parameters={"expected": "multipart/form-data"}), 415)
    with call.site.db.read() as r:
        if not call.lens.may(call.entity, "update") or not call.lens.allowed(r, call.entity, "update", call.id):
            readable = call.lens.shown(r, call.entity, call.id) is not None
            action = {
                "action": call.app.action_label("update"),
                "entity": call.app.entities[call.entity].label,
                "who": None,
            }
            raise (
                Refused(Problem("action-refused", name, action), 403)
                if readable
                else Refused(Problem("not-found"), 404)
            )
    async with call.request.form(max_files=1, max_fields=5) as form:
        given = form.get("file")
        if not isinstance(given, UploadFile):
            raise Refused(Problem("file-missing", "file"), 422)
        label = call.app.entities[call.entity].labels[name]
        filename, source = given.filename or "", given.file
        try:
            field.admit(filename, given.size or 0)
        except Invalid as error:
            raise Refused(Problem(error.code, name, {"label": label, **error.parameters}), 422) from None
        attachments = call.site.attachments

        def keep() -> tuple[bytes, int]:
            content = hashlib.sha256()
            for chunk in iter(lambda: source.read(CHUNK), b""):
                content.update(chunk)
            source.seek(0)
            id = attachments.keep(call.app.name, filename, source, field.bytes_allowed, call.principal.user)
            return content.digest() + filename.encode(), id

        content, id = await call.aside(keep)
    try:
        response = await execute(call, Attach(call.entity, call.id, name, id), 201, content)
    except BaseException:
        await call.aside(lambda: attachments.discard(id))
        raise
    if "idempotency-replayed" in response.headers:
        await call.aside(lambda: attachments.discard(id))
    return response


async def get_list(call: AppCall) -> Response:
    name, _ = slot(call)
    with call.site.db.read(snapshot=True) as r:
        record = call.lens.get(r, call.entity, call.id, (name,))
        if record is None:
            raise Refused(Problem("not-found"), 404)
        value = record[name]
        ids = [int(id) for id in (value if isinstance(value, list) else [value] if value else [])]
        found = _described(call, r, ids)
    return answers.answer({"files": found})


def _described(call: AppCall, r: Read, ids: list[int]) -> list[dict[str, Any]]:
    statement = call.site.db.statement(
        sa.select(_F.c.id, _F.c.name, _F.c.size, _F.c.media_type).where(among(_F.c.id, "ids"))
    )
    rows = {row[0]: row for row in r.all(statement, {"ids": ids})}
    base = f"/api/v1/{call.app.name}/files"
    return [
        {"id": str(id), "name": rows[id][1], "size": rows[id][2], "media_type": rows[id][3], "href": f"{base}/{id}"}
        for id in ids
        if id in rows
    ]


async def detach(call: AppCall) -> Response:
    name, _ = slot(call)
    file = incoming.record_id(call.request.path_params["file"])
    return await execute(call, Detach(call.entity, call.id, name, file))


async def download(call: AppCall) -> Response:
    file = call.site.attachments.find(call.id)
    if file is None or file.app != call.app.name or not _may_see(call, file):
        raise Refused(Problem("not-found"), 404)
    try:
        content = call.site.files.open(file.path)
    except FileNotFoundError:
        raise Refused(Problem("not-found"), 404) from None
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "._- ") else "_" for sign in file.name)
    headers = {
        "content-length": str(file.size),
        "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}",
        "content-security-policy": "sandbox; default-src 'none'",
        "cache-control": "private, max-age=0",
    }
    return StreamingResponse(_chunks(content), 200, headers, file.media_type)


def _may_see(call: AppCall, file: Attachment) -> bool:
    """Whoever uploaded a file sees it until it is attached; then whoever sees the field of the record it is in."""
    if file.record is None or file.entity is None or file.field is None:
        return file.by is not None and file.by == call.principal.user
    if not call.lens.may(file.entity, "read") or file.entity not in call.app.entities:
        return False
    with call.site.db.read() as r:
        shown = call.lens.shown(r, file.entity, file.record)
    return shown is not None and file.field in shown


def _chunks(content: Any) -> Iterator[bytes]:
    with content:
        while chunk := content.read(CHUNK):
            yield chunk
