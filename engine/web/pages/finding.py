"""Search over the whole app: records of every kind that one may see, its lists and views, and what can be begun.

Without a script it is a page with a search box; with one the same answer fills a dialog that Ctrl+K opens.
"""

from dataclasses import dataclass

from starlette.responses import Response

from engine.app import EntityApp
from engine.reading import Query
from engine.reading.searched import searched_fields
from engine.storage.search import query_tokens, search_tokens, spelled_tokens
from engine.web.pages.cells import Titles, cell
from engine.web.pages.filters import State
from engine.web.pages.looks import grouping, views_of
from engine.web.pages.visit import AppVisit

KINDS = 14  # entities that are looked through, those first on which the reader works most
EACH = 4  # records of one kind
PLACES = 6
LONGEST = 100


@dataclass(frozen=True)
class Hit:
    """A place to go. `note` says more of a record: its number and what it belongs to."""

    label: str
    href: str
    icon: str
    note: str = ""


@dataclass(frozen=True)
class Group:
    """Hits of one kind; `rest` leads to all of them."""

    label: str
    hits: tuple[Hit, ...]
    rest: str = ""


def get_find(visit: AppVisit) -> Response:
    """The page, or for a script the results alone (`part=found`)."""
    asked = dict(visit.query)
    text = asked.get("q", "").strip()[:LONGEST]
    visit.current = "~find"
    groups = [group for group in (*_records(visit, text), _begin(visit, text), _places(visit, text)) if group.hits]
    template = "found.html" if asked.get("part") == "found" else "find.html"
    return visit.draw(template, text=text, groups=groups)


def _ranked(visit: AppVisit) -> list[EntityApp]:
    models = [visit.app.entities[name] for name in visit.lens.entities()]
    return sorted((model for model in models if model.part_of is None), key=visit.rank)


def _records(visit: AppVisit, text: str) -> list[Group]:
    if not query_tokens(text):
        return []
    groups = []
    with visit.read() as r:
        titles = Titles(visit.lens, r)
        models = [model for model in _ranked(visit) if searched_fields(visit.app, model)]
        for model in models[:KINDS]:
            fields = visit.lens.fields(model.name)
            under = (model.definition.subtitle if model.definition else None) or ""
            names = tuple(name for name in (model.title, "number", under) if name in fields)
            page = visit.lens.page(r, model.name, Query(search=text, fields=names, limit=EACH))
            titles.of(model.name, page.rows, names)
            link = visit.entity(model)
            hits = tuple(
                Hit(
                    str(record.get(model.title) or visit.t("untitled")),
                    visit.href(model.name, record["id"]),
                    link.icon,
                    " · ".join(
                        words
                        for name in names[1:]
                        if (words := cell(visit.app, model, name, record.get(name), titles, visit.language).text)
                    ),
                )
                for record in page.rows
            )
            groups.append(Group(link.label, hits, State(link.href).url(view="all", q=text) if page.next else ""))
    return groups


def _begin(visit: AppVisit, text: str) -> Group:
    """What can be made anew."""
    able = [model for model in _ranked(visit) if visit.lens.may(model.name, "create")]
    hits = [
        Hit(visit.t("new", entity=visit.entity(model).label), visit.href(model.name, "new"), "plus") for model in able
    ]
    return Group(visit.t("find-begin"), tuple(_like(hits, text))[:PLACES])


def _places(visit: AppVisit, text: str) -> Group:
    """Lists, boards and views."""
    hits = []
    for model in _ranked(visit):
        link = visit.entity(model)
        hits.append(Hit(link.label, link.href, link.icon))
        if text:
            hits += [
                Hit(f"{link.label} · {view.label[visit.language]}", State(link.href).url(view=view.name), link.icon)
                for view in views_of(visit.lens, model)
            ]
            if grouping(visit.lens, model):
                hits.append(Hit(f"{link.label} · {visit.t('as-board')}", f"{link.href}/board", "kanban"))
    return Group(visit.t("find-places"), tuple(_like(hits, text))[:PLACES])


def _like(hits: list[Hit], text: str) -> list[Hit]:
    """Those whose words contain what was typed, by the same rule as records are found."""
    wanted, other = set(query_tokens(text)), set(spelled_tokens(text))
    if not wanted:
        return hits
    tokens = [(hit, set(search_tokens([hit.label], hit.label))) for hit in hits]
    return [hit for hit, found in tokens if wanted <= found or (other and other <= found)]
