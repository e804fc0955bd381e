"""What somebody keeps of the records: those that he opened last, and those that he starred.

Only names are kept.  Whatever draws them asks the lens again, so that a record which he may no longer see is absent.
"""

from dataclasses import dataclass
from typing import Any, Literal

from starlette.responses import Response

from engine.problems import Problem, Refused
from engine.storage.errors import StorageError
from engine.web.pages.cells import address, id_in, shown
from engine.web.pages.visit import AppVisit

Kind = Literal["seen", "star"]


@dataclass(frozen=True)
class KeptRecord:
    label: str
    href: str
    icon: str
    note: str


def kept(visit: AppVisit, r: Any, kind: Kind, most: int) -> list[KeptRecord]:
    """The records kept that he may still see, the latest first. One question for each entity among them."""
    user = visit.principal.user
    if user is None:
        return []
    places = [_place(each.key) for each in visit.site.personal.all(user, visit.app.name, kind)]
    by_entity: dict[str, list[int]] = {}
    for entity, id in places:
        if id is not None and visit.lens.may(entity, "read") and not visit.app.entities[entity].system:
            by_entity.setdefault(entity, []).append(id)
    alive = {
        entity: visit.lens.many(r, entity, ids, (visit.app.entities[entity].title,))
        for entity, ids in by_entity.items()
    }
    found = []
    for entity, id in places:
        if id is None or id not in alive.get(entity, {}):
            continue
        model = visit.app.entities[entity]
        link = visit.entity(model)
        value = alive[entity][id].get(model.title)
        title = shown(model.fields[model.title], value, visit.language) or visit.t("untitled")
        found.append(KeptRecord(title, address(visit.app.name, entity, str(id)), link.icon, link.label))
    return found[:most]


def key_of(entity: str, id: int) -> str:
    return f"{entity}/{id}"


def _place(key: str) -> tuple[str, int | None]:
    entity, _, id = key.partition("/")
    return entity, id_in(id)


def remember_seen(visit: AppVisit, entity: str, id: int) -> None:
    """Keep that he opened a record; nothing is written when it was the last one already, or cannot be just now."""
    user, personal = visit.principal.user, visit.site.personal
    if user is None:
        return
    try:
        last = personal.all(user, visit.app.name, "seen", 1)
        if not last or last[0].key != key_of(entity, id):
            personal.keep(user, visit.app.name, "seen", key_of(entity, id), None)
    except StorageError:
        return  # the page is worth more than the memory of it


def starred(visit: AppVisit, entity: str, id: int) -> bool:
    user = visit.principal.user
    if user is None:
        return False
    return visit.site.personal.one(user, visit.app.name, "star", key_of(entity, id)) is not None


def star_of(visit: AppVisit, entity: str, id: int, deleted: bool) -> dict[str, Any]:
    """What the star on a record page needs; that the record was opened is kept along the way."""
    if deleted:
        return {}
    if visit.request.method == "GET":
        remember_seen(visit, entity, id)
    here = visit.here if visit.request.method == "GET" else visit.href(entity, str(id))
    return {"star": starred(visit, entity, id), "live": f"{entity}:{id}", "here": here}


def post_star(visit: AppVisit) -> Response:
    """Star a record, or take the star away."""
    model, user, id = visit.model(), visit.principal.user, visit.id
    with visit.site.db.read() as r:
        if user is None or id not in visit.lens.titles(r, model.name, [id]):
            raise Refused(Problem("not-found", model.name), 404)
    if visit.field("star") == "off":
        visit.site.personal.drop(user, visit.app.name, "star", key_of(model.name, id))
    else:
        visit.site.personal.keep(user, visit.app.name, "star", key_of(model.name, id), True)
    return visit.go(visit.after(visit.href(model.name, str(id))))
