"""Everything that changes a record: each is one command to the runtime, answered with an outcome.

    {"id", "version", "batch", "record", "warnings"}

`batch` is what `undo` takes back, `record` the record as it is now.  A stale edit is answered with 409 and the `current`
record, so that neither edit is lost.
"""

from dataclasses import replace
from typing import Any

from starlette.responses import Response

from engine.problems import Problem, Refused
from engine.reading import Lens
from engine.runtime import (
    Bulk,
    Command,
    Comment,
    Convert,
    Create,
    Delete,
    Distinct,
    Handover,
    Merge,
    Outcome,
    Outdated,
    Restore,
    Tick,
    Transition,
    Undo,
    Update,
)
from engine.storage.errors import LockTimeout, StatementTimeout
from engine.storage.session import Read, Write
from engine.web import answers, incoming
from engine.web.idempotency import Replay, once
from engine.web.resource import AppCall

MOST_COMMANDS = 1000
AN_OBJECT, A_TEXT, A_LIST, A_NUMBER, YES_NO = "{…}", '"…"', "[…]", "1, 2, …", "true, false"


async def execute(call: AppCall, command: Command, status: int = 200, content: bytes | None = None) -> Response:
    """Do it, once for each Idempotency-Key, and answer with its outcome. `content` stands for a body that was a stream."""
    body = await call.request.body() if content is None else content
    asked = once(call.site.keys, call.request, call.visitor.signed_in(), body)

    def within(w: Write) -> Response:
        if asked is not None:
            asked.claim(w)
        outcome = call.site.runtime.execute(call.app, call.principal, command, within=w)
        response = respond(call, w, command, outcome, status)
        return response if asked is None else asked.keep(w, response)

    async def written() -> Response:
        if isinstance(command, Bulk | Merge | Undo | Handover):
            return await call.aside(lambda: call.site.db.transact(within))
        return await call.site.writes.write(within)

    try:
        try:
            return await written()
        except Outdated:
            await call.aside(call.renew)
            return await written()
    except Replay as replay:
        return replay.response
    except (LockTimeout, StatementTimeout):
        raise Refused(Problem("busy"), 503) from None
    except Refused as refused:
        raise with_current(call, command, refused) from None


def respond(call: AppCall, r: Read, command: Command, outcome: Outcome, status: int) -> Response:
    if isinstance(command, Bulk):
        return answers.answer(
            {"results": [_result(call, each) for each in outcome.results], "batch": str(outcome.batch)}, status
        )
    entity = outcome.entity or getattr(command, "entity", None)
    record = None
    if (
        outcome.id is not None
        and entity is not None
        and not isinstance(command, Delete)
        and call.lens.may(entity, "read")
    ):
        record = None if outcome.after is None else call.lens.told(entity, outcome.after)
        record = record or call.lens.get(r, entity, outcome.id)
    body = _result(call, outcome) | {"record": record}
    headers: dict[str, str] = {}
    if record is not None:
        headers["etag"] = answers.etag(record["version"], answers.dump(record))
    if status == 201:
        said = f"/comments/{outcome.details['comment']}" if isinstance(command, Comment) else ""
        headers["location"] = f"/api/v1/{call.app.name}/{entity}/{outcome.id}{said}"
    return answers.answer(body, status, headers)


def _result(call: AppCall, outcome: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": None if outcome.id is None else str(outcome.id),
        "version": outcome.version,
        "batch": str(outcome.batch),
        "warnings": answers.errors(outcome.warnings, call.language),
    }
    if outcome.problems:
        found |= {"status": outcome.status, "errors": answers.errors(outcome.problems, call.language)}
    if outcome.results:
        found["results"] = [_result(call, each) | {"entity": each.entity} for each in outcome.results]
    if outcome.details:
        found["details"] = dict(outcome.details)
    return found


def with_current(call: AppCall, command: Command, refused: Refused) -> Refused:
    """To the refusal of a stale edit, the record as it is now; to that of a bulk, where in the request its commands stand."""
    if isinstance(command, Bulk):
        return Refused(
            [replace(problem, path=f"commands.{problem.path}") for problem in refused.problems], refused.status
        )
    if refused.status == 409 and isinstance(command, Update | Delete | Transition):
        with call.site.db.read() as r:
            current = _visible(call.lens, r, command.entity, command.id)
        return answers.Told(refused, current=current)
    return refused


def _visible(lens: Lens, r: Read, entity: str, id: int) -> dict[str, Any] | None:
    return lens.get(r, entity, id) if lens.may(entity, "read") else None


def version(call: AppCall, *, required: bool = True) -> int | None:
    found = incoming.expected_version(call.header("if-match"))
    if found is None and required:
        raise Refused(Problem("version-missing"), 428)
    return found


async def create(call: AppCall) -> Response:
    return await execute(call, Create(call.entity, await call.object()), 201)


async def update(call: AppCall) -> Response:
    return await execute(call, Update(call.entity, call.id, await call.object(), version(call)))


async def delete(call: AppCall) -> Response:
    return await execute(call, Delete(call.entity, call.id, version(call)))


async def restore(call: AppCall) -> Response:
    incoming.known_keys(await call.object(optional=True), ())
    return await execute(call, Restore(call.entity, call.id))


async def move(call: AppCall) -> Response:
    body = await call.object()
    incoming.known_keys(body, ("transition", "to", "reason", "values"))
    name = incoming.wanted(body, "transition", str, A_TEXT, default=None)
    to = incoming.wanted(body, "to", str, A_TEXT, default=None)
    if name is None and to is None:
        raise Refused(Problem("json-key-missing", "transition", {"name": "transition"}), 422)
    reason = incoming.wanted(body, "reason", str, A_TEXT, default=None)
    values = incoming.wanted(body, "values", dict, AN_OBJECT, default={})
    return await execute(
        call, Transition(call.entity, call.id, name, to, reason, values, version(call, required=False))
    )


async def tick(call: AppCall) -> Response:
    body = await call.object()
    incoming.known_keys(body, ("item", "done"))
    item = incoming.wanted(body, "item", str, A_TEXT)
    return await execute(
        call, Tick(call.entity, call.id, item, incoming.wanted(body, "done", bool, YES_NO, default=True))
    )


async def merge(call: AppCall) -> Response:
    body = await call.object()
    incoming.known_keys(body, ("lose", "choices"))
    lose = identity(body, "lose")
    choices = incoming.wanted(body, "choices", dict, AN_OBJECT, default={})
    for field, choice in choices.items():
        if choice not in ("keep", "lose"):
            raise Refused(Problem("json-key-wrong", f"choices.{field}", {"name": field, "expected": "keep, lose"}), 422)
    return await execute(call, Merge(call.entity, call.id, lose, choices))


async def distinct(call: AppCall) -> Response:
    """Two records that look alike are not the same."""
    body = await call.object()
    incoming.known_keys(body, ("other",))
    return await execute(call, Distinct(call.entity, call.id, identity(body, "other")))


async def handover(call: AppCall) -> Response:
    body = await call.object()
    incoming.known_keys(body, ("leaver", "successor", "entities"))
    entities = incoming.wanted(body, "entities", list, A_LIST, default=None)
    if entities is not None and not all(isinstance(each, str) for each in entities):
        raise Refused(Problem("json-key-wrong", "entities", {"name": "entities", "expected": A_LIST}), 422)
    chosen = None if entities is None else tuple(entities)
    return await execute(call, Handover(identity(body, "leaver"), identity(body, "successor"), chosen))


async def convert(call: AppCall) -> Response:
    body = await call.object()
    incoming.known_keys(body, ("conversion", "values"))
    name = incoming.wanted(body, "conversion", str, A_TEXT)
    values = incoming.wanted(body, "values", dict, AN_OBJECT, default={})
    for target, fields in values.items():
        if not isinstance(fields, dict):
            raise Refused(Problem("json-key-wrong", f"values.{target}", {"name": target, "expected": AN_OBJECT}), 422)
    return await execute(call, Convert(call.entity, call.id, name, values))


async def undo(call: AppCall) -> Response:
    body = await call.object()
    incoming.known_keys(body, ("batch",))
    return await execute(call, Undo(identity(body, "batch")))


async def bulk(call: AppCall) -> Response:
    body = await call.object()
    incoming.known_keys(body, ("commands", "atomic"))
    given = incoming.wanted(body, "commands", list, A_LIST)
    if not 1 <= len(given) <= MOST_COMMANDS:
        raise Refused(Problem("list-too-long", "commands", {"name": "commands", "limit": MOST_COMMANDS}), 422)
    atomic = incoming.wanted(body, "atomic", bool, YES_NO, default=True)
    commands = tuple(_command(call.entity, each, f"commands.{position}") for position, each in enumerate(given))
    return await execute(call, Bulk(commands, atomic))


_KEYS = {
    "create": ("values",),
    "update": ("id", "version", "values"),
    "delete": ("id", "version"),
    "restore": ("id",),
    "transition": ("id", "version", "values", "transition", "to", "reason"),
}


def _command(entity: str, given: Any, path: str) -> Command:
    """One command of a bulk. Raises Refused with paths below `path`."""
    try:
        if not isinstance(given, dict):
            raise Refused(Problem("json-key-wrong", "", {"name": path, "expected": AN_OBJECT}), 422)
        action = incoming.wanted(given, "action", str, A_TEXT)
        if action not in _KEYS:
            raise Refused(Problem("json-key-wrong", "action", {"name": "action", "expected": ", ".join(_KEYS)}), 422)
        incoming.known_keys(given, ("action", *_KEYS[action]))
        values = incoming.wanted(given, "values", dict, AN_OBJECT, default={})
        seen = incoming.wanted(given, "version", int, A_NUMBER, default=None)
        if action == "create":
            return Create(entity, values)
        id = identity(given, "id")
        if action in ("update", "delete") and seen is None:
            raise Refused(Problem("version-missing", "version"), 428)
        if action == "update":
            return Update(entity, id, values, seen)
        if action == "delete":
            return Delete(entity, id, seen)
        if action == "restore":
            return Restore(entity, id)
        texts = {key: incoming.wanted(given, key, str, A_TEXT, default=None) for key in ("transition", "to", "reason")}
        return Transition(entity, id, texts["transition"], texts["to"], texts["reason"], values, seen)
    except Refused as refused:
        below = [
            replace(problem, path=f"{path}.{problem.path}" if problem.path else path) for problem in refused.problems
        ]
        raise Refused(below, refused.status) from None


def identity(given: dict[str, Any], name: str) -> int:
    """An id out of a body: a text of digits. Raises Refused (422)."""
    text = incoming.wanted(given, name, str, A_TEXT)
    try:
        return incoming.record_id(text)
    except Refused:
        raise Refused(Problem("json-key-wrong", name, {"name": name, "expected": '"123"'}), 422) from None
