"""The page behind the bell: what one was told, each in words that are read with one's own eyes now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response

from engine.access.notices import Notice
from engine.columns import moment
from engine.web import incoming
from engine.web.pages.cells import address
from engine.web.pages.events import when
from engine.web.pages.frame import Link
from engine.web.pages.visit import AppVisit

MOST: Final = 30
_ICONS: Final = {"mention": "chat", "assigned": "user"}


@dataclass(frozen=True)
class Told:
    """`href` is empty where what it speaks of is no longer there for the reader; then `words` say no more than that."""

    id: str
    icon: str
    who: str
    words: str
    href: str
    when: str
    at: str
    unread: bool


def get_notices(visit: AppVisit) -> Response:
    """The list, the latest first; `?show=unread` leaves out what was read."""
    visit.current = "~notices"
    given = dict(visit.query)
    only, before = given.get("show") == "unread", given.get("before")
    user, t, store = visit.visitor.signed_in(), visit.t, visit.site.notices
    found = store.all(
        user,
        visit.app.name,
        only_unread=only,
        most=MOST + 1,
        before=incoming.record_id(before) if before else None,
    )
    here, shown = visit.href("my-notices"), found[:MOST]
    with visit.read() as r:
        told = _told(visit, r, shown)
    unread = store.unread(user, visit.app.name)
    more = {**({"show": "unread"} if only else {}), "before": str(shown[-1].at)} if len(found) > MOST else {}
    return visit.draw(
        "told.html",
        told=told,
        unread=unread,
        here=here,
        after=visit.here,
        ways=[
            Link(t("all"), here, current=not only),
            Link(t("notices-unread"), f"{here}?show=unread", current=only, count=str(unread) if unread else None),
        ],
        only=only,
        earlier=f"{here}?{urlencode(more)}" if more else "",
    )


def post_notices(visit: AppVisit) -> Response:
    """Mark one notice as read, or all of them."""
    user, one = visit.visitor.signed_in(), visit.field("notice")
    visit.site.notices.read(user, visit.app.name, [incoming.record_id(one)] if one else None)
    return visit.go(visit.after(visit.href("my-notices")))


def get_count(visit: AppVisit) -> Response:
    """How many are unread, for the bell."""
    unread = visit.site.notices.unread(visit.visitor.signed_in(), visit.app.name)
    return JSONResponse({"unread": unread}, headers={"cache-control": "no-store"})


def _told(visit: AppVisit, r: Any, found: Sequence[Notice]) -> list[Told]:
    """One question for each entity among them, and one for those who did it."""
    lens, t = visit.lens, visit.t
    records: dict[str, set[int]] = {}
    for each in found:
        if each.entity is not None and each.entity in visit.app.entities and each.record is not None:
            records.setdefault(each.entity, set()).add(each.record)
    titles = {entity: _live(visit, r, entity, ids) for entity, ids in records.items()}
    people = lens.titles(r, "user", [each.by for each in found if each.by is not None])
    told = []
    for each in found:
        at = moment(each.at).isoformat()
        title = titles.get(each.entity or "", {}).get(each.record or 0)
        who = (people.get(each.by, "") if each.by is not None else "") or t("engine")
        if title is None or each.entity is None:
            told.append(Told(str(each.id), "lock", "", t("told-gone"), "", when(at, visit), at, each.read_at is None))
            continue
        label = visit.app.entities[each.entity].label[t.language]
        words = t("told-mention" if each.kind == "mention" else "told-other", entity=label, title=title)
        href = address(visit.app.name, each.entity, str(each.record)) + _part(each)
        icon = _ICONS.get(each.kind, "bell")
        told.append(Told(str(each.id), icon, who, words, href, when(at, visit), at, each.read_at is None))
    return told


def _live(visit: AppVisit, r: Any, entity: str, ids: set[int]) -> Mapping[int, str]:
    """The titles of those that are there for him: deleted ones are not."""
    lens = visit.lens
    if not lens.may(entity, "read"):
        return {}
    live = lens.many(r, entity, ids, ("id",))
    return {id: title or visit.t("untitled") for id, title in lens.titles(r, entity, live).items()}


def _part(notice: Notice) -> str:
    """The place on the record's page that it speaks of."""
    comment = notice.detail.get("comment")
    return f"?tab=timeline#c-{comment}" if comment else ""
