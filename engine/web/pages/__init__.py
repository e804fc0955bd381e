"""The pages that people work in, drawn from the definition on the server.

Every page asks the same lens and sends the same commands as the API; nothing is decided here that is not decided there.
Pages work without a script: forms are plain HTML forms, tabs and filters are addresses.  Scripts make them quicker.

    frame       templates, words, the frame around every page        visit     one request: who, what he may see, the answer
    cells       values as people read them                           inputs    fields as controls
    filters     quick filters in words                               posted    what a form said
    criteria    conditions that people put together                  groups    a list in groups, with sums
    looks       what an address asks for, and what stands around it  pips      gates at a glance
    layout      which field stands in which section                  events    history and stage bar in words
    mapped      which column of a file goes where           kept       recent and starred records
    cards/      the cards of a home, one kind a file         clocks     time that runs, in words
    handbook    the app's own help                              watching   what others just changed
    installing  the app on a phone's home screen

Every other module is a page, or pages that belong together.
"""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

from engine.web.live import LivePage
from engine.web.pages import (
    actions,
    asking,
    boards,
    briefs,
    cell_edit,
    doors,
    drafts,
    duplicates,
    finding,
    forms,
    gates,
    guests,
    handbook,
    handing,
    homes,
    installing,
    inviting,
    kept,
    lists,
    merging,
    months,
    notices,
    permissions,
    records,
    saved,
    several,
    talking,
    told,
    trash,
    watching,
    why,
)
from engine.web.pages.frame import STATIC, static_version
from engine.web.pages.guests import GuestPage, public_upload
from engine.web.pages.visit import AppVisit, Page, Visit

__all__ = ["public_upload", "routes", "takes_files"]


class _Forever(StaticFiles):
    """Static files under an address that changes with their content: kept by browsers for ever."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def outgoing(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                message["headers"] = [*message["headers"], (b"cache-control", b"public, max-age=31536000, immutable")]
            await send(message)

        await super().__call__(scope, receive, outgoing)


def routes() -> list[BaseRoute]:
    """The addresses of the pages. Words with a hyphen stand before patterns, since no app or entity has such a name."""
    one = "/{app}/{entity}/{id:id}"
    return [
        Mount(f"/static/{static_version()}", _Forever(directory=STATIC), name="static"),
        Route("/service-worker.js", installing.service_worker),
        Route("/", Page(Visit, get=doors.get_root)),
        Route("/sign-in", Page(Visit, open_to_all=True, get=doors.get_sign_in, post=doors.post_sign_in)),
        Route("/sign-out", Page(Visit, open_to_all=True, post=doors.post_sign_out)),
        Route("/settings", Page(Visit, open_to_all=True, post=doors.post_settings)),
        Route("/{app}", Page(get=homes.to_home)),
        Route("/{app}/", Page(get=homes.get_home)),
        Route("/{app}/my-card", Page(get=homes.get_card)),
        Route("/{app}/my-page", Page(get=doors.get_me, post=doors.post_me)),
        Route("/{app}/my-help", Page(get=handbook.get_help)),
        Route("/{app}/my-live", LivePage()),
        Route("/{app}/my-changes", Page(get=watching.get_changes)),
        Route("/{app}/manifest.webmanifest", Page(get=installing.get_manifest)),
        Route("/{app}/my-offline", Page(get=installing.get_offline)),
        Route("/f/embed.js", embed_script),
        Route("/f/{app}/{form}", GuestPage(get=guests.get_form, post=guests.post_form)),
        Route("/f/{app}/{form}/look.css", GuestPage(get=guests.get_look)),
        Route("/f/{app}/{form}/{channel}", GuestPage(get=guests.get_form, post=guests.post_form)),
        Route("/{app}/my-page", Page(get=doors.get_me)),
        Route("/{app}/my-notices", Page(get=told.get_notices, post=told.post_notices)),
        Route("/{app}/my-notices/count", Page(get=told.get_count)),
        Route("/{app}/my-search", Page(get=finding.get_find)),
        Route("/{app}/public-forms", Page(get=inviting.get_forms)),
        Route("/{app}/public-forms/{form}/qr.{kind}", Page(get=inviting.get_qr)),
        Route("/{app}/my-duplicates", Page(get=duplicates.get_duplicates, post=duplicates.post_duplicates)),
        Route("/{app}/my-explain", Page(get=permissions.get_explain)),
        Route("/{app}/my-explain/people", Page(get=permissions.get_people)),
        Route("/{app}/my-explain/roles", Page(get=permissions.get_matrix)),
        Route("/{app}/my-explain/roles.{kind}", Page(get=permissions.get_export)),
        Route("/{app}/my-trash", Page(get=trash.get_trash)),
        Route("/{app}/my-handover", Page(get=handing.get_handover, post=handing.post_handover)),
        Route("/{app}/my-handover/people", Page(get=handing.get_people)),
        Route("/{app}/my-handover/matrix.{kind}", Page(get=handing.get_matrix)),
        Route("/{app}/my-handover/{id:id}", Page(get=handing.get_passing, post=handing.post_passing)),
        Route("/{app}/{entity}", Page(get=lists.get_list)),
        Route("/{app}/{entity}/why", Page(get=why.get_why)),
        Route("/{app}/{entity}/several", Page(post=several.post_several)),
        Route("/{app}/{entity}/views", Page(post=saved.post_views)),
        Route("/{app}/{entity}/calendar", Page(get=months.get_calendar)),
        Route("/{app}/{entity}/import", Page(get=_importing("ask"), post=_importing("next"))),
        Route("/{app}/{entity}/import/template", Page(get=_importing("template"))),
        Route("/{app}/{entity}/board", Page(get=boards.get_board)),
        Route("/{app}/{entity}/new", Page(get=forms.get_new, post=forms.post_new)),
        Route("/{app}/{entity}/choices", Page(get=asking.get_choices, post=asking.post_chosen)),
        Route("/{app}/{entity}/autofill", Page(get=asking.get_autofill)),
        Route("/{app}/{entity}/check", Page(post=asking.post_check)),
        Route("/{app}/{entity}/alike", Page(post=asking.post_alike)),
        Route("/{app}/{entity}/quick", Page(get=asking.get_quick, post=asking.post_quick)),
        Route("/{app}/{entity}/draft", Page(post=drafts.post_draft)),
        Route("/{app}/{entity}/unfile", Page(post=asking.post_unfile)),
        Route("/{app}/{entity}/files/{field}", Page(post=asking.post_file)),
        Route("/{app}/{entity}/notices", Page(get=notices.get_notices)),
        Route(one, Page(get=records.get_record)),
        Route(f"{one}/why", Page(get=why.get_why)),
        Route(f"{one}/brief/{{brief}}", Page(get=briefs.get_brief)),
        Route(f"{one}/draft", Page(post=drafts.post_draft)),
        Route(f"{one}/edit", Page(get=forms.get_edit, post=forms.post_edit)),
        Route(f"{one}/move/{{transition}}", Page(get=gates.get_move, post=gates.post_move)),
        Route(f"{one}/put", Page(get=boards.get_put, post=boards.post_put)),
        Route(f"{one}/cell", Page(get=cell_edit.get_cell, post=cell_edit.post_cell)),
        Route(f"{one}/tick", Page(post=gates.post_tick)),
        Route(f"{one}/files/{{field}}", Page(post=actions.post_files)),
        Route(f"{one}/comment", Page(post=talking.post_comment)),
        Route(f"{one}/people", Page(get=talking.get_people)),
        Route(f"{one}/delete", Page(post=actions.post_delete)),
        Route(f"{one}/star", Page(post=kept.post_star)),
        Route(f"{one}/restore", Page(post=actions.post_restore)),
        Route(f"{one}/convert/{{conversion}}", Page(post=actions.post_convert)),
        Route(f"{one}/merge/{{other:int}}", Page(get=merging.get_merge, post=merging.post_merge)),
        Route(f"{one}/undo", Page(post=merging.post_undo)),
        Route(f"{one}/distinct/{{other:int}}", Page(post=merging.post_distinct)),
    ]


async def embed_script(request: Request) -> Response:
    """What a page of another site loads beside a public form, so that the frame is as high as the form."""
    headers = {"cache-control": "public, max-age=3600", "cross-origin-resource-policy": "cross-origin"}
    return FileResponse(STATIC / "embed.js", media_type="text/javascript", headers=headers)


def _importing(step: str) -> Callable[[AppVisit], Response]:
    """A step of an import. What reads spreadsheets is loaded by whoever first imports something."""

    def run(visit: AppVisit) -> Response:
        from engine.web.pages.importing import STEPS

        return STEPS[step](visit)

    return run


def takes_files(path: str) -> bool:
    """Whether an address takes files, and so the larger limit on bodies."""
    parts = path.strip("/").split("/")
    return parts[0] != "api" and (parts[-1] in ("new", "edit", "import") or "files" in parts)
