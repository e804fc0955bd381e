"""What people say about a record: reading, writing, changing and taking back comments."""

from typing import Any

from starlette.responses import Response

from engine.columns import moment
from engine.reading.comments import comments, names_of
from engine.runtime import Comment, EditComment, RemoveComment
from engine.web import answers, incoming
from engine.web.api.changes import A_TEXT, execute
from engine.web.resource import AppCall


async def get_list(call: AppCall) -> Response:
    """Newest first. `next` is what `before` of the following page says; null at the end."""
    given = call.parameters
    incoming.known_parameters(given, ("limit", "before"))
    limit = incoming.number_parameter(given, "limit", 50, 1, 199)
    before = incoming.record_id(given["before"]) if "before" in given else None
    with call.site.db.read(snapshot=True) as r:
        found = comments(call.lens, r, call.entity, call.id, limit + 1, before)
        names = names_of(call.lens, r, [each.text for each in found])
    shown = found[:limit]
    told: list[dict[str, Any]] = [
        {
            "id": str(each.id),
            "by": None if each.by is None else str(each.by),
            "by_name": each.by_name,
            "text": each.text,
            "at": _time(each.at),
            "edited_at": _time(each.edited_at),
            "deleted_at": _time(each.deleted_at),
        }
        for each in shown
    ]
    body = {"comments": told, "names": names, "next": str(shown[-1].at) if len(found) > limit else None}
    return answers.answer(body)


def _time(at: int | None) -> str | None:
    return None if at is None else moment(at).isoformat().replace("+00:00", "Z")


async def _text(call: AppCall) -> str:
    body = await call.object()
    incoming.known_keys(body, ("text",))
    return str(incoming.wanted(body, "text", str, A_TEXT))


def _comment(call: AppCall) -> int:
    return incoming.record_id(call.request.path_params["comment"])


async def create(call: AppCall) -> Response:
    """The outcome's `details.comment` is the id of the comment."""
    return await execute(call, Comment(call.entity, call.id, await _text(call)), 201)


async def update(call: AppCall) -> Response:
    return await execute(call, EditComment(call.entity, call.id, _comment(call), await _text(call)))


async def delete(call: AppCall) -> Response:
    return await execute(call, RemoveComment(call.entity, call.id, _comment(call)))
