"""The recycle bin of the whole app: what was deleted and may be restored by the reader, by whom, when and why it went.

What goes away with something else, or because it was merged, says so.  Nothing is ever removed from here for good.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from engine.app import EntityApp
from engine.reading import Query
from engine.web.pages.cells import Titles, cell, id_in
from engine.web.pages.events import when
from engine.web.pages.filters import MOST_COUNTED, State as Address
from engine.web.pages.frame import Link
from engine.web.pages.visit import AppVisit, Back

PAGE = 50


@dataclass(frozen=True)
class Gone:
    """A deleted record. `why` is empty where somebody deleted it itself; `undo` takes back the merge that took it away."""

    key: str
    title: str
    href: str
    note: str
    who: str
    when: str
    why: str = ""
    undo: Back | None = None


def kept(visit: AppVisit) -> list[EntityApp]:
    """The entities of which the reader may restore something; parts last, for they come back with their whole."""
    models = [visit.app.entities[name] for name in visit.lens.entities() if visit.lens.may(name, "restore")]
    return sorted(models, key=lambda model: (model.part_of is not None, visit.rank(model)))


def get_trash(visit: AppVisit) -> Response:
    visit.current = "~trash"
    lens, t = visit.lens, visit.t
    here = Address(visit.href("my-trash"), visit.query)
    search = here.get("q").strip()
    with visit.read() as r:
        models = kept(visit)
        counts = {each.name: lens.count(r, each.name, Query(deleted=True), MOST_COUNTED + 1) for each in models}
        named = next((each for each in models if each.name == here.get("entity")), None)
        shown = [each for each in models if counts[each.name] or each is named]
        model = named or (shown[0] if shown else None)
        if model is None:
            return visit.draw("trash.html", model=None, tabs=(), rows=(), may=bool(models))
        names = tuple(name for name in _names(model) if name in lens.fields(model.name))
        query = Query(deleted=True, search=search or None, fields=names, sort=("-updated_at",), limit=PAGE, cursor=here.get("cursor") or None)  # fmt: skip
        page = lens.page(r, model.name, query)
        count = lens.count(r, model.name, query, MOST_COUNTED + 1)
        titles = Titles(lens, r).of(model.name, page.rows, names)
        went = lens.went(r, model.name, [int(record["id"]) for record in page.rows])
        others = lens.titles(r, model.name, {id for each in went.values() if (id := _into(each)) is not None})
        rows = [_gone(visit, model, record, went.get(int(record["id"])), titles, others) for record in page.rows]
    return visit.draw(
        "trash.html", model=visit.entity(model), tabs=[
            Link(each.label[t.language], f"{here.path}?entity={each.name}", count=_number(counts[each.name]), current=each is model) for each in shown
        ],
        rows=rows, count=_number(count), action=here.path, restore=visit.href(model.name, "several"), here=here.url(cursor=here.get("cursor") or None),
        search=search, next=here.url(cursor=page.next) if page.next else "", first=here.url() if here.get("cursor") else "", may=True,
        clear=Address(here.path, (("entity", model.name),)).url(),
    )  # fmt: skip


def _names(model: EntityApp) -> tuple[str, ...]:
    subtitle = (model.definition.subtitle if model.definition else None) or ""
    lookup = model.part_of[0] if model.part_of else ""
    return tuple(dict.fromkeys(name for name in ("id", model.title, "number", "version", subtitle, lookup) if name))


def _number(count: int) -> str:
    return f"{MOST_COUNTED:,}+" if count > MOST_COUNTED else f"{count:,}"


def _into(went: Mapping[str, Any]) -> int | None:
    """The record with which it was merged; None if it went otherwise."""
    kind, _, id = (went["cause"] or "").partition(":")
    return id_in(id) if kind == "merge" else None


def _gone(
    visit: AppVisit, model: EntityApp, record: Mapping[str, Any], went: Mapping[str, Any] | None, titles: Titles, others: Mapping[int, str]
) -> Gone:  # fmt: skip
    def text(name: str) -> str:
        known = record.get(name) is not None
        return cell(visit.app, model, name, record[name], titles, visit.language).text if known else ""

    href = visit.href(model.name, str(record["id"]))
    note = " · ".join(
        found for name in _names(model)[2:] if name not in ("version", model.title) and (found := text(name))
    )
    key, title = f"{record['id']}.{record['version']}", text(model.title) or visit.t("untitled")
    if went is None:
        return Gone(key, title, href, note, "", "")
    why, undo, t = "", None, visit.t
    kind, _, detail = (went["cause"] or "").partition(":")
    into = _into(went)
    if into is not None:
        why = t("gone-merged", title=others[into]) if into in others else t("gone-merged-unseen")
        own = visit.principal.administrator or went["user"] == visit.principal.user
        if own and went["batch"] is not None and visit.lens.may(model.name, "merge"):
            undo = Back(f"{href}/undo", {"batch": str(went["batch"])})
    elif kind == "cascade" and detail in visit.app.entities:
        why = t("gone-along", entity=visit.app.entities[detail].label[t.language])
    elif kind == "undo":
        why = t("gone-undone")
    return Gone(key, title, href, note, went["user_name"] or t("engine"), when(went["at"], visit), why, undo)
