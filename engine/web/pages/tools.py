"""What keeps an app tidy, for those who may: likely duplicates, handing over, the recycle bin."""

from typing import Any

from engine.web.pages.duplicates import MOST_TOLD, looked_through, open_pairs
from engine.web.pages.frame import Link
from engine.web.pages.handing import able
from engine.web.pages.trash import kept
from engine.web.pages.visit import AppVisit


def tools(visit: AppVisit, r: Any = None) -> list[Link]:
    """Links to the pages that are open to the reader; with a reader of the database also how much waits there."""
    t, found = visit.t, []
    if looked_through(visit):
        count = open_pairs(visit, r) if r is not None else 0
        found.append(
            Link(
                t("pairs"),
                visit.href("my-duplicates"),
                "merge",
                count=str(count) if 0 < count <= MOST_TOLD else f"{MOST_TOLD}+" if count else None,
            )
        )
    if able(visit):
        found.append(Link(t("handover"), visit.href("my-handover"), "users"))
    if kept(visit):
        found.append(Link(t("trash"), visit.href("my-trash"), "trash"))
    if visit.principal.administrator:
        found.append(Link(t("permissions"), visit.href("my-explain"), "shield"))
    return found
