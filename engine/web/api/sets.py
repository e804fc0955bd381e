"""Questions about many records: groups and measures, choices of a lookup, probable duplicates."""

from starlette.responses import Response

from engine.problems import Problem, Refused
from engine.web import answers, incoming
from engine.web.api.records import query_of
from engine.web.resource import AppCall

_MEASURE = "measure."
MOST_MEASURES = 20
MOST_GROUPS = 4


async def aggregate(call: AppCall) -> Response:
    """`group=stage&measure.total=sum(amount)`: one entry for each group, with its measures by name.

    With `view` alone, the groups and sums that the view declares.
    """
    given = call.parameters
    named = {key.removeprefix(_MEASURE): text for key, text in given.items() if key.startswith(_MEASURE)}
    if len(named) > MOST_MEASURES:
        raise Refused(Problem("list-too-long", "measure", {"name": "measure", "limit": MOST_MEASURES}), 400)
    for name in named:
        if not (name.isidentifier() and name.isascii() and len(name) <= 60):
            raise Refused(
                Problem("parameter-unfit", _MEASURE + name, {"name": _MEASURE + name, "expected": "a_name"}), 400
            )
    group = incoming.names_parameter(given, "group", MOST_GROUPS)
    if set(group) & set(named):
        raise Refused(Problem("parameter-unfit", "group", {"name": "measure", "expected": "≠ group"}), 400)
    for name in ("sort", "fields", "expand", "limit", "cursor", "count"):
        if name in given:
            raise Refused(Problem("parameter-unknown", name, {"name": name}), 400)
    measures = named or {"count": "count()"}
    query = query_of({key: text for key, text in given.items() if not key.startswith(_MEASURE)}, ("group",))
    if not group and not named:
        group, measures = call.lens.declared(call.entity, query.view)

    def read() -> Response:
        with call.site.db.read() as r:
            return answers.answer({"groups": call.lens.aggregate(r, call.entity, query, group, measures)})

    if call.lens.has_totals(call.entity, query, group, measures):
        return await call.soon(read, (call.app.name, call.entity, "sums", query.view, query.where, group, *measures))
    return await call.aside(read)


async def choices(call: AppCall) -> Response:
    """The records that a lookup field may point to: `text` is what has been typed so far."""
    given = call.parameters
    incoming.known_parameters(given, ("text", "limit"))
    limit = incoming.number_parameter(given, "limit", 20, 1, 100)
    text = given.get("text", "")[:200]
    field = call.request.path_params["field"]

    def read() -> Response:
        with call.site.db.read() as r:
            return answers.answer({"choices": call.lens.choices(r, call.entity, field, text, limit)})

    return await call.soon(read, (call.app.name, call.entity, "choices", field, bool(text)))
