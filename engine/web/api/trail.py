"""What happened to one record, where it stands, where it may go, and why somebody may or may not."""

from typing import get_args

from starlette.responses import Response

from engine.access.definition import Action
from engine.problems import Problem, Refused
from engine.web import answers, incoming
from engine.web.resource import AppCall

_ACTIONS: tuple[Action, ...] = get_args(Action)


async def history(call: AppCall) -> Response:
    given = call.parameters
    incoming.known_parameters(given, ("limit", "before"))
    limit = incoming.number_parameter(given, "limit", 100, 1, 200)
    before = incoming.record_id(given["before"]) if "before" in given else None
    with call.site.db.read(snapshot=True) as r:
        return answers.answer({"changes": call.lens.history(r, call.entity, call.id, limit, before)})


async def stages(call: AppCall) -> Response:
    incoming.known_parameters(call.parameters, ())
    with call.site.db.read(snapshot=True) as r:
        return answers.answer({"stages": call.lens.stages(r, call.entity, call.id)})


async def explain(call: AppCall) -> Response:
    given = call.parameters
    incoming.known_parameters(given, ("action", "field"))
    action = next((each for each in _ACTIONS if each == given.get("action", "read")), None)
    if action is None:
        raise Refused(Problem("parameter-unfit", "action", {"name": "action", "expected": ", ".join(_ACTIONS)}), 400)
    with call.site.db.read(snapshot=True) as r:
        return answers.answer(
            {"grants": call.lens.explain(r, call.entity, action, call.id, given.get("field"), own=True)}
        )
