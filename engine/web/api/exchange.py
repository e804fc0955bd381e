"""Import and export over HTTP. Both run beside the event loop and keep neither the file nor its rows in memory."""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson
from anyio import to_thread
from starlette.concurrency import iterate_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response, StreamingResponse

from engine.problems import Problem, Refused
from engine.web import answers, incoming
from engine.web.api.records import query_of
from engine.web.idempotency import Replay, once
from engine.web.resource import AppCall

# What reads and writes spreadsheets is imported by whoever first needs it: a server without imports does without.
if TYPE_CHECKING:
    from engine.exchange import ImportMapping

CHUNK = 1 << 18
LARGEST_MAPPING = 1 << 20
ENCODINGS = ("utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16")
DELIMITERS = (",", ";", "\t", "|")
_KEYS = ("file", "mapping", "dry_run", "encoding", "delimiter", "sheet")
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def import_file(call: AppCall) -> Response:
    """Import a CSV or XLSX file: the part `file`, and `mapping` (YAML), `dry_run`, `encoding`, `delimiter`, `sheet` if needed.

    The rows that were refused come back as a file of their own, `refused_file`, with the reasons.
    """
    if not (call.header("content-type") or "").lower().startswith("multipart/form-data"):
        raise Refused(Problem("type-unsupported", parameters={"expected": "multipart/form-data"}), 415)
    with call.site.db.read() as r:
        call.site.runtime.work(call.app, call.principal, r).model(call.entity, "import")
    async with call.request.form(max_files=2, max_fields=10) as form:
        incoming.known_keys(dict(form), _KEYS)
        given = form.get("file")
        if not isinstance(given, UploadFile):
            raise Refused(Problem("file-missing", "file"), 422)
        what = await _mapping(form, call.entity)
        how = _how(form)
        dry_run = incoming.flag({name: str(form[name]) for name in ("dry_run",) if name in form}, "dry_run")
        source, name = given.file, Path(given.filename or "import.csv").name

        def work() -> Response:
            return _imported(call, source, name, what, how, dry_run)

        if call.header("idempotency-key") is None:
            return await call.aside(work)
        try:
            asked = once(call.site.keys, call.request, call.visitor.signed_in(), await _content(call, form))
            return await call.aside(work if asked is None else lambda: asked.long(call.site.db, work))
        except Replay as replay:
            return replay.response


async def _content(call: AppCall, form: FormData) -> bytes:
    """What stands for the body when two imports are compared: everything that was sent, the files by their digests."""

    def digest(file: Any) -> bytes:
        found = hashlib.file_digest(file, "sha256").digest()
        file.seek(0)
        return found

    parts = []
    for name, value in sorted(form.multi_items(), key=lambda part: part[0]):
        if isinstance(value, UploadFile):
            value.file.seek(0)
            parts.append((name, value.filename, (await call.aside(partial(digest, value.file))).hex()))
        else:
            parts.append((name, None, value))
    return orjson.dumps(parts)


def _how(form: FormData) -> dict[str, str]:
    """How the file is written, where the person says so. Raises Refused (422) for what cannot be."""
    how = {name: str(form[name]) for name in ("encoding", "delimiter", "sheet") if form.get(name)}
    for name, known in (("encoding", ENCODINGS), ("delimiter", DELIMITERS)):
        if how.get(name, known[0]) not in known:
            expected = ", ".join(each.replace("\t", "\\t") for each in known)
            raise Refused(Problem("json-key-wrong", name, {"name": name, "expected": expected}), 422)
    return how


async def _mapping(form: FormData, entity: str) -> "ImportMapping | str":
    """The mapping that came along; without one the entity's own column names are looked for. Raises Refused (422)."""
    given = form.get("mapping")
    if given is None or given == "":
        return entity
    raw = (await given.read(LARGEST_MAPPING + 1)) if isinstance(given, UploadFile) else given.encode()
    if len(raw) > LARGEST_MAPPING:
        raise Refused(Problem("too-large", "mapping", {"limit": LARGEST_MAPPING}), 413)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(Problem("text-unfit", "mapping"), 422) from None
    from engine.exchange import mapping_of, read_mapping

    mapping = mapping_of(incoming.read_json(raw)) if text.lstrip().startswith("{") else read_mapping("mapping", text)
    for position, step in enumerate(mapping.steps):
        # Over HTTP there are no other files beside the one that was sent, and none of the server's may be named.
        if step.file is not None:
            raise Refused(
                Problem("json-key-unknown", f"mapping.steps.{position}.file", {"name": "file", "nearest": None}), 422
            )
    return mapping


def _imported(
    call: AppCall, source: BinaryIO, name: str, what: "ImportMapping | str", how: dict[str, str], dry_run: bool
) -> Response:
    from engine.exchange import bring

    site = call.site
    with tempfile.TemporaryDirectory(prefix="dougong-import-") as folder:
        path = Path(folder) / f"table{Path(name).suffix.lower()[:10]}"
        with open(path, "wb") as out:
            shutil.copyfileobj(source, out, CHUNK)
        left = Path(folder) / f"refused{path.suffix}"
        people = site.people if call.principal.administrator else None
        report = bring(
            site.runtime, call.app, call.principal, path, what, name=name, people=people, dry_run=dry_run, refused=left,
            encoding=how.get("encoding"), delimiter=how.get("delimiter"), sheet=how.get("sheet"),
        )  # fmt: skip
        body = report.as_json(call.language) | {"refused_file": None}
        kept = [each for each in sorted(Path(folder).iterdir()) if each.name.startswith("refused")]
        if kept:
            with open(kept[0], "rb") as rows:
                id = site.attachments.keep(
                    call.app.name, f"refused-{name}", rows, site.settings.upload_limit, call.principal.user
                )
            body["refused_file"] = f"/api/v1/{call.app.name}/files/{id}"
    return answers.answer(body)


async def export_csv(call: AppCall) -> Response:
    """A list as a CSV file, with the parameters of a list; `headers=names` gives names instead of labels."""
    query, headers = _asked(call)
    principal, runtime = call.principal, call.site.runtime

    def begin() -> Iterator[bytes]:
        from engine.exchange import stream_csv

        parts = stream_csv(runtime, call.app, principal, call.entity, query, headers=headers)
        first = [part for part, _ in zip(parts, range(2), strict=False)]  # what is wrong shows with the first rows
        return chain(first, parts)

    parts = await call.aside(begin)
    return StreamingResponse(iterate_in_threadpool(parts), 200, _attachment(call, "csv"), "text/csv")


async def export_xlsx(call: AppCall) -> Response:
    """The same as a spreadsheet."""
    query, headers = _asked(call)
    file = tempfile.TemporaryFile(prefix="dougong-export-")  # noqa: SIM115 - closed when the answer is out

    def write() -> None:
        from engine.exchange import take

        take(call.site.runtime, call.app, call.principal, call.entity, query, "xlsx", file, headers=headers)
        file.seek(0)

    try:
        await call.aside(write)
    except BaseException:
        file.close()
        raise

    async def parts() -> Any:
        with file:
            while part := await to_thread.run_sync(file.read, CHUNK):
                yield part

    return StreamingResponse(parts(), 200, _attachment(call, "xlsx"), _XLSX)


def _asked(call: AppCall) -> tuple[Any, Any]:
    given = call.parameters
    headers = given.get("headers", "labels")
    if headers not in ("labels", "names"):
        raise Refused(Problem("parameter-unfit", "headers", {"name": "headers", "expected": "labels, names"}), 400)
    for name in ("limit", "cursor", "expand", "count"):
        if name in given:
            raise Refused(Problem("parameter-unknown", name, {"name": name}), 400)
    return query_of(given, ("headers",)), headers


def _attachment(call: AppCall, ending: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{call.entity}.{ending}"'}
