"""One record and lists of them."""

from typing import Any

from starlette.responses import Response

from engine.problems import Problem, Refused
from engine.reading import Query
from engine.web import answers, incoming
from engine.web.resource import AppCall

MOST_COUNTED = 100_000
QUERY_PARAMETERS = ("filter", "sort", "fields", "expand", "limit", "cursor", "search", "view", "deleted", "count")


def query_of(given: dict[str, str], more: tuple[str, ...] = ()) -> Query:
    """The question that the parameters of a list ask; parameters that are none of ours are fields with a value.

    `more` are further parameters that the caller reads itself.
    """
    reserved = {*QUERY_PARAMETERS, *more}
    fields = incoming.names_parameter(given, "fields", 200) if "fields" in given else None
    return Query(
        where=given.get("filter") or None,
        filters={name: value for name, value in given.items() if name not in reserved},
        search=given.get("search") or None,
        view=given.get("view") or None,
        sort=incoming.names_parameter(given, "sort", 10),
        fields=fields,
        expand=incoming.names_parameter(given, "expand", 20),
        limit=incoming.number_parameter(given, "limit", 50, 1, 200),
        cursor=given.get("cursor") or None,
        deleted=incoming.flag(given, "deleted"),
    )


async def get_list(call: AppCall) -> Response:
    given = call.parameters
    query = query_of(given)
    at_most = incoming.number_parameter(given, "count", 0, 1, MOST_COUNTED)

    def read() -> Response:
        with call.site.db.read(snapshot=bool(at_most)) as r:
            page = call.lens.page(r, call.entity, query)
            body: dict[str, Any] = {"records": page.rows, "next": page.next}
            if at_most:
                body["count"] = call.lens.count(r, call.entity, query, at_most)
        return answers.answer(body)

    question = (call.app.name, call.entity, query.view, query.where, query.search, query.sort, *query.filters)
    return await call.soon(read, (*question, at_most))


async def get_one(call: AppCall) -> Response:
    fields: tuple[str, ...] | None = None
    expand: tuple[str, ...] = ()
    deleted = False
    if given := call.parameters:
        incoming.known_parameters(given, ("fields", "expand", "deleted"))
        fields = incoming.names_parameter(given, "fields", 200) if "fields" in given else None
        expand = incoming.names_parameter(given, "expand", 20)
        deleted = incoming.flag(given, "deleted")
    with call.site.db.read() as r:
        record = call.lens.get(r, call.entity, call.id, fields, expand, deleted)
    if record is None:
        raise Refused(Problem("not-found"), 404)
    body = answers.dump(record)
    tag = answers.etag(record["version"], body)
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    if tag in (call.header("if-none-match") or ""):
        return Response(None, 304, headers)
    return answers.Json(body, 200, headers)
