"""Search over the whole app: records of every kind that one may see, its lists and views, what can be begun,
and how the pages look.  Before anything is typed it shows what one opened last, and what one starred.

Without a script it is a page with a search box; with one the same answer fills a dialog that Ctrl+K opens.
"""

from dataclasses import dataclass, replace

from starlette.responses import Response

from engine.app import EntityApp
from engine.reading import Query
from engine.reading.searched import searched_fields
from engine.storage.search import query_tokens, search_tokens
from engine.web.pages.cells import Titles, cell
from engine.web.pages.duplicates import looked_through
from engine.web.pages.filters import State
from engine.web.pages.frame import DENSITIES, LANGUAGES, THEMES
from engine.web.pages.kept import kept
from engine.web.pages.lists import dated, grouping, views_of
from engine.web.pages.tools import tools
from engine.web.pages.visit import AppVisit, own_address

KINDS = 14  # entities that are looked through, those first on which the reader works most
EACH = 4  # records of one kind
PLACES = 6
KEPT = 5  # records lately opened, and starred ones
LONGEST = 100


@dataclass(frozen=True)
class Hit:
    """A place to go. `note` says more of a record: its number and what it belongs to.

    With `send`, a setting and its value, it is a button that changes how the pages look.
    """

    label: str
    href: str
    icon: str
    note: str = ""
    send: tuple[str, str] | None = None


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
    found = (
        *_kept(visit, text),
        *_records(visit, text),
        _begin(visit, text),
        _places(visit, text),
        _looks(visit, text),
    )
    groups = [group for group in found if group.hits]
    template = "found.html" if asked.get("part") == "found" else "find.html"
    # A script asks from the page that the dialog stands on; there one goes back to.
    back = own_address(asked.get("from", visit.here))
    return visit.draw(template, text=text, groups=groups, back=back)


def _kept(visit: AppVisit, text: str) -> list[Group]:
    """Before anything is typed: what he opened last, and what he starred."""
    if text:
        return []
    with visit.read() as r:
        parts = (("recent", kept(visit, r, "seen", KEPT)), ("starred", kept(visit, r, "star", KEPT)))
    return [
        Group(visit.t(title), tuple(Hit(each.label, each.href, each.icon, each.note) for each in records))
        for title, records in parts
    ]


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
    hits = [Hit(each.label, each.href, each.icon) for each in tools(visit)] if text else []
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
            if dated(visit.lens, model):
                hits.append(Hit(f"{link.label} · {visit.t('as-calendar')}", f"{link.href}/calendar", "calendar"))
            if visit.lens.may(model.name, "import"):
                hits.append(Hit(visit.t("import-title", entity=link.label), f"{link.href}/import", "upload"))
    if text:
        home = f"/{visit.app.name}/"
        hits += [
            Hit(visit.t("home"), home, "home"),
            Hit(visit.t("me"), f"{home}my-page", "user"),
            Hit(visit.t("notices"), f"{home}my-notices", "bell"),
            Hit(visit.t("help"), f"{home}my-help", "book"),
        ]
        if looked_through(visit):
            hits.append(Hit(visit.t("pairs"), f"{home}my-duplicates", "merge"))
        if visit.managed_forms():
            hits.append(Hit(visit.t("public-forms"), f"{home}public-forms", "world"))
    return Group(visit.t("find-places"), tuple(_like(hits, text))[:PLACES])


def _looks(visit: AppVisit, text: str) -> Group:
    """How the pages look, changed at once: only what is asked for by name."""
    if not text:
        return Group("", ())
    t = visit.t
    hits = [Hit(label, "/settings", "language", send=("language", key)) for key, label in LANGUAGES]
    hits += [Hit(f"{t('theme')} · {t(f'theme-{key}')}", "/settings", "sun", send=("theme", key)) for key in THEMES]
    hits += [
        Hit(f"{t('density')} · {t(f'density-{key}')}", "/settings", "list", send=("density", key)) for key in DENSITIES
    ]
    other = [
        replace(hit, label=f"{t('language')} · {hit.label}") if hit.send and hit.send[0] == "language" else hit
        for hit in hits
    ]
    return Group(t("find-looks"), tuple(_like(other, text))[:PLACES])


def _like(hits: list[Hit], text: str) -> list[Hit]:
    """Those whose words contain what was typed, by the same rule as records are found."""
    wanted = set(query_tokens(text))
    return [hit for hit in hits if wanted <= set(search_tokens([hit.label]))] if wanted else hits
