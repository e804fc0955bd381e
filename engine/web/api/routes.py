"""The addresses of the API. Fixed words stand before patterns that would match them too."""

from starlette.responses import Response
from starlette.routing import Route

from engine.problems import Problem, Refused
from engine.web import answers
from engine.web.api import account, changes, comments, exchange, files, openapi, process, records, sets, trail
from engine.web.resource import AppCall, Call, Resource

_BASE = "/api/v1"


def routes() -> list[Route]:
    app, entity = f"{_BASE}/{{app}}", f"{_BASE}/{{app}}/{{entity}}"
    one = f"{entity}/{{id:id}}"
    return [
        Route(f"{app}/files/{{id}}", Resource(get=files.download)),
        Route(one, Resource(get=records.get_one, patch=changes.update, delete=changes.delete)),
        Route(f"{_BASE}/session", Resource(Call, open_to_all=True, get=account.get_session, post=account.sign_in, delete=account.sign_out)),
        Route(f"{_BASE}/me", Resource(Call, get=account.get_me, patch=account.patch_me)),
        Route(f"{_BASE}/tokens", Resource(Call, get=account.get_tokens, post=account.create_token)),
        Route(f"{_BASE}/tokens/{{id}}", Resource(Call, delete=account.delete_token)),
        Route(f"{app}/openapi.json", Resource(get=document)),
        Route(f"{app}/undo", Resource(post=changes.undo)),
        Route(f"{app}/handover", Resource(post=changes.handover)),
        Route(entity, Resource(get=records.get_list, post=changes.create)),
        Route(f"{one}/restore", Resource(post=changes.restore)),
        Route(f"{one}/transitions", Resource(get=process.transitions, post=changes.move)),
        Route(f"{one}/checklist", Resource(post=changes.tick)),
        Route(f"{one}/history", Resource(get=trail.history)),
        Route(f"{one}/stages", Resource(get=trail.stages)),
        Route(f"{one}/comments", Resource(get=comments.get_list, post=comments.create)),
        Route(f"{one}/comments/{{comment}}", Resource(patch=comments.update, delete=comments.delete)),
        Route(f"{one}/explain", Resource(get=trail.explain)),
        Route(f"{one}/files/{{field}}", Resource(get=files.get_list, post=files.upload)),
        Route(f"{one}/files/{{field}}/{{file}}", Resource(delete=files.detach)),
        Route(f"{one}/merge", Resource(post=changes.merge)),
        Route(f"{one}/convert", Resource(post=changes.convert)),
        Route(f"{one}/duplicates", Resource(get=process.duplicates, post=changes.distinct)),
        Route(f"{entity}/aggregate", Resource(get=sets.aggregate)),
        Route(f"{entity}/choices/{{field}}", Resource(get=sets.choices)),
        Route(f"{entity}/bulk", Resource(post=changes.bulk)),
        Route(f"{entity}/import", Resource(post=exchange.import_file)),
        Route(f"{entity}/export.csv", Resource(get=exchange.export_csv)),
        Route(f"{entity}/export.xlsx", Resource(get=exchange.export_xlsx)),
        Route(f"{entity}/duplicates", Resource(get=process.pairs)),
        Route(f"{_BASE}/{{rest:path}}", Resource(Call, get=nowhere, post=nowhere, put=nowhere, patch=nowhere, delete=nowhere)),
    ]  # fmt: skip


async def document(call: AppCall) -> Response:
    """The app's OpenAPI document, for whoever has a role in the app."""
    app, language = call.app, call.language
    body = call.site.documents.get((app.name, language))
    if body is None or body[0] is not app:
        body = await call.aside(lambda: (app, answers.dump(openapi.document(app, language))))
        call.site.documents[app.name, language] = body
    return Response(body[1], 200, {"cache-control": "private, max-age=60"}, answers.JSON)


async def nowhere(call: Call) -> Response:
    raise Refused(Problem("not-found"), 404)


def takes_files(path: str) -> bool:
    """Whether an address takes files, and so the larger limit on bodies."""
    return path.startswith(_BASE) and ("/files/" in path or path.endswith("/import"))
