"""What is sent from the timeline: a comment, its change, its end; and whom a comment can mention."""

from typing import Final

from starlette.responses import JSONResponse, Response

from engine.access.people import Person
from engine.problems import Problem, Refused
from engine.runtime import Comment, EditComment, RemoveComment
from engine.storage.pinyin import spelled
from engine.web import incoming
from engine.web.pages.records import record_page
from engine.web.pages.visit import AppVisit

MOST_OFFERED: Final = 8
MOST_ASKED: Final = 40  # people with whose eyes the record is looked at, for one question


def post_comment(visit: AppVisit) -> Response:
    """Say something, change what one said (`comment` names it), or take it back (`remove`)."""
    model, text = visit.model(), visit.field("text")
    which = visit.field("comment")
    id = incoming.record_id(which) if which else None
    command: Comment | EditComment | RemoveComment = Comment(model.name, visit.id, text)
    if id is not None:
        removing = bool(visit.field("remove"))
        command = RemoveComment(model.name, visit.id, id) if removing else EditComment(model.name, visit.id, id, text)
    try:
        outcome = visit.site.runtime.execute(visit.app, visit.principal, command)
    except Refused as error:
        if error.status in (403, 404):
            raise
        return record_page(visit, error.status, error.problems, tab="timeline", typed="" if id else text)
    href = f"{visit.href(model.name, str(visit.id))}?tab=timeline#c-{outcome.details['comment']}"
    warnings = [problem.message(visit.language) for problem in outcome.warnings]
    return visit.go(href, "", warnings)


def get_people(visit: AppVisit) -> Response:
    """Those whom a comment here can mention, by name or login: only people who see the record with their own eyes."""
    model = visit.model()
    asked = dict(visit.query).get("q", "").strip().casefold()[:50]
    circle = visit.site.runtime.circle
    found: list[dict[str, str]] = []
    with visit.site.db.read() as r:
        if visit.lens.get(r, model.name, visit.id, ("id",)) is None:
            raise Refused(Problem("not-found", model.name), 404)
        work = visit.site.runtime.work(visit.app, visit.principal, r)
        fitting = [
            each
            for each in visit.site.people.members(visit.app.name)
            if each.id != visit.principal.user and _called(each, asked)
        ]
        for each in fitting[:MOST_ASKED]:
            if circle.sees(work, each.id, model.name, visit.id):
                found.append({"login": each.login, "name": each.name})
            if len(found) == MOST_OFFERED:
                break
    return JSONResponse({"people": found}, headers={"cache-control": "no-store"})


def _called(person: Person, asked: str) -> bool:
    """Whether what was typed begins his login, stands in his name, or spells it in pinyin, in full or by its initials."""
    name = person.name.casefold()
    if asked in name or person.login.startswith(asked):
        return True
    initials, syllables = spelled(name)
    return any(each.startswith(asked) for each in (*initials, "".join(syllables)))
