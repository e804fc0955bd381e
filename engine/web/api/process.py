"""Where a record may go and what each way still needs; which records are probably the same."""

from typing import Any

from starlette.responses import Response

from engine.problems import Problem, Refused
from engine.runtime.matching import candidates, compare_again, queue, waiting
from engine.runtime.moves import Way
from engine.storage.session import Write
from engine.web import answers, incoming
from engine.web.resource import AppCall
from engine.workflows.gates import Need


async def transitions(call: AppCall) -> Response:
    """Every way out of the stage, met needs and missing ones alike. `open` says whether it could be taken now."""
    incoming.known_parameters(call.parameters, ())
    ways = call.site.runtime.ways(call.app, call.principal, call.entity, call.id)
    return answers.answer({"transitions": [_way(call, way) for way in ways]})


def _way(call: AppCall, way: Way) -> dict[str, Any]:
    taken = way.transition
    return {
        "name": taken.name,
        "label": taken.label[call.language],
        "to": taken.to,
        "direction": taken.direction,
        "open": way.open,
        "refusal": way.refusal.message(call.language) if way.refusal else None,
        "reason": taken.reason,
        "reasons": {name: label[call.language] for name, label in taken.reasons.items()},
        "needs": [_need(call, need) for need in way.needs],
    }


def _need(call: AppCall, need: Need) -> dict[str, Any]:
    return {
        "kind": need.kind,
        "name": need.name,
        "label": need.label[call.language],
        "words": need.words[call.language],
        "need": need.need,
        "have": need.have,
        "met": need.met,
        "accept": list(need.accept),
        "who": [call.app.role_label(role)[call.language] for role in need.providers],
    }


async def duplicates(call: AppCall) -> Response:
    """The records that are probably the same as this one, most alike first, as far as they may be seen."""
    incoming.known_parameters(call.parameters, ())
    with call.site.db.read() as r:
        work = call.site.runtime.work(call.app, call.principal, r)
        model = work.model(call.entity, "read")
        if call.lens.get(r, call.entity, call.id, ("id",)) is None:
            raise Refused(Problem("not-found"), 404)
        draft = work.find(model, call.id)
        found = candidates(work, model, draft.after, call.id) if model.duplicates and draft is not None else []
        titles = call.lens.titles(r, call.entity, [id for id, _ in found])
    alike = [{"id": str(id), "title": titles[id], "score": likeness.score} for id, likeness in found if id in titles]
    return answers.answer({"duplicates": alike})


async def pairs(call: AppCall) -> Response:
    """Pairs that wait for somebody to merge them or to say that they are not the same."""
    given = call.parameters
    incoming.known_parameters(given, ("limit",))
    limit = incoming.number_parameter(given, "limit", 50, 1, 200)
    runtime = call.site.runtime
    with call.site.db.read() as r:
        work = runtime.work(call.app, call.principal, r)
        work.model(call.entity, "merge")
        behind = waiting(work, call.entity)
    if behind:

        def catch_up(w: Write) -> None:
            compare_again(runtime.work(call.app, call.principal, w), call.entity)

        await call.aside(lambda: call.site.db.transact(catch_up))
    with call.site.db.read(snapshot=True) as r:
        work = runtime.work(call.app, call.principal, r)
        return answers.answer({"pairs": queue(work, call.entity, limit)})
