"""The list of an entity: views as tabs, filters in words, columns, sort, search, count, the next page."""

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from engine.app import EntityApp, ViewApp
from engine.fields import Field
from engine.problems import Refused
from engine.reading import Lens, Page, Query
from engine.web.pages.cells import Column, Titles, address, is_number, row
from engine.web.pages.filters import MOST_COUNTED, Option, State, offered, question, read_filters
from engine.web.pages.frame import Link, Words, said
from engine.web.pages.visit import AppVisit

PAGE = 50
USUAL_COLUMNS = 8
# Not of use in a narrow column, or shown elsewhere.
_UNLISTED = ("longtext", "json", "children", "location", "signature", "address")
_BEHIND = ("id", "version", "deleted_at", "checklist", "created_by", "updated_by", "number")


def listed(model: EntityApp, fields: dict[str, Field] | Any) -> list[str]:
    """The fields that may be columns, in the order in which they are offered."""
    able = [
        name
        for name, each in fields.items()
        if each.stored and each.type not in _UNLISTED and not name.endswith("_detail")
    ]
    own = [name for name in able if model.definition is not None and name in model.definition.fields]
    first = [model.title, *(["stage"] if model.processes else [])]
    return [
        name
        for name in dict.fromkeys((*first, *own, *able))
        if name in able and (name == model.title or name not in _BEHIND)
    ]


def columns_of(
    lens: Lens, model: EntityApp, view: ViewApp | None, chosen: Sequence[str]
) -> tuple[list[str], list[str]]:
    """The columns to show, the title first, and all that could be."""
    fields = lens.fields(model.name)
    able = listed(model, fields)
    wanted = [name for name in (chosen or (view.columns if view else ())) if name in able]
    if not wanted:
        # The engine's own fields, such as when a record was changed, are there for those who ask for them.
        own = model.definition.fields if model.definition else {}
        wanted = [name for name in able if name in own or name == "stage"][:USUAL_COLUMNS]
    return list(dict.fromkeys((model.title, *wanted))), able


def views_of(lens: Lens, model: EntityApp) -> list[ViewApp]:
    principal = lens.principal
    return [
        view
        for view in lens.app.views.values()
        if view.entity == model.name and view.open_to(principal.roles, principal.administrator)
    ]


def current_view(views: Sequence[ViewApp], state: State) -> ViewApp | None:
    """The view that the address names; the default one if it names none; None for all records."""
    named = state.get("view", "-")
    if named == "-":
        plain = any(
            key.startswith("f.") or key in ("q", "where", "deleted") for key, value in state.parameters if value
        )
        return None if plain else next((view for view in views if view.default), None)
    return next((view for view in views if view.name == named), None)


def get_list(visit: AppVisit) -> Response:
    return visit.draw("list.html", **list_page(visit))


def list_page(visit: AppVisit) -> dict[str, Any]:
    """What the template `list.html` draws. Raises Refused (404) for an entity that is not there for the reader."""
    lens, t, model = visit.lens, visit.t, visit.model()
    name = model.name
    state = State(address(lens.app.name, name), visit.query)
    views = views_of(lens, model)
    view = current_view(views, state)
    deleted = state.get("deleted") == "1" and lens.may(name, "restore")
    names, able = columns_of(lens, model, view, state.all("columns"))
    where, search = state.get("where").strip(), state.get("q").strip()
    # Without the parameter the default view is meant, so a list of all records says so.
    here = State(
        state.path, (*((k, v) for k, v in state.parameters if k != "view"), ("view", view.name if view else "all"))
    )
    with visit.read() as r:
        titles = Titles(lens, r, visit.files(r))
        filters, asked = read_filters(
            lens, model, offered(lens, model, view.filters if view else (), state), here, titles, t
        )
        query = question(
            asked, where, search=search or None, view=view.name if view and not deleted else None, sort=_sort(lens, name, state.get("sort")),
            fields=_fields(lens, model, names), limit=PAGE, cursor=state.get("cursor") or None, deleted=deleted,
        )  # fmt: skip
        page, count, problems = _found(lens, r, name, query)
        titles.of(name, page.rows, names)
    active = any(each.active for each in filters)
    return {
        "entity": visit.entity(model),
        "views": _tabs(lens, model, views, view, state, deleted, t),
        "filters": filters,
        "filtered": active or bool(where or search),
        "clear": State(
            state.path, (("view", view.name if view else "all"), *((("deleted", "1"),) if deleted else ()))
        ).url(),
        "kept": [
            (key, value)
            for key, value in (
                ("view", view.name if view else "all"),
                ("sort", state.get("sort")),
                ("deleted", "1" if deleted else ""),
            )
            if value
        ],
        "here": state.path,
        "where": where,
        "where_problems": said([p for p in problems if p.path == "filter"], t.language) if where else [],
        "problems": said(problems, t.language),
        "search": search,
        "columns": [_column(lens, model, each, here, query, view, t) for each in names],
        "choices": [Option(each, model.labels[each][t.language], each in names) for each in able],
        "rows": [
            row(lens.app, model, [Column(each, "") for each in names], record, titles, t.language)
            for record in page.rows
        ],
        "count": _counted(count, len(page.rows), t),
        "next": here.url(cursor=page.next) if page.next else "",
        "first": here.url() if state.get("cursor") else "",
        "new": address(lens.app.name, name, "new") if lens.may(name, "create") and not deleted else "",
        "actions": visit.list_actions(model, query),
        "deleted": deleted,
        "may_restore": lens.may(name, "restore"),
    }


def _fields(lens: Lens, model: EntityApp, names: Sequence[str]) -> tuple[str, ...]:
    visible = lens.fields(model.name)
    return tuple(each for each in dict.fromkeys((*names, "number")) if each in visible)


def _found(lens: Lens, r: Any, name: str, query: Query) -> tuple[Page, int, Sequence[Any]]:
    """The page and the count; an expression that makes no sense finds nothing and says why."""
    try:
        return lens.page(r, name, query), lens.count(r, name, query, MOST_COUNTED + 1), ()
    except Refused as error:
        if error.status != 400:
            raise
        return Page([], None), 0, error.problems


def _sort(lens: Lens, name: str, text: str) -> tuple[str, ...]:
    each = lens.fields(name).get(text.lstrip("-"))
    return (text,) if each is not None and each.stored and each.sortable else ()


def _column(
    lens: Lens, model: EntityApp, name: str, here: State, query: Query, view: ViewApp | None, t: Words
) -> Column:
    each = lens.fields(model.name)[name]
    sorts = query.sort or (view.sort if view else ())
    first = sorts[0] if sorts else ""
    direction = "" if first.lstrip("-") != name else "descending" if first.startswith("-") else "ascending"
    href = ""
    if each.sortable and each.stored:
        href = here.url(
            sort=name
            if direction == "descending"
            else f"-{name}"
            if direction == "ascending" or is_number(each)
            else name
        )
    return Column(name, model.labels[name][t.language], is_number(each), href, direction)  # type: ignore[arg-type]


def _tabs(
    lens: Lens, model: EntityApp, views: Sequence[ViewApp], view: ViewApp | None, state: State, deleted: bool, t: Words
) -> list[Link]:
    path = state.path
    tabs = [
        Link(each.label[t.language], State(path).url(view=each.name), current=each is view and not deleted)
        for each in views
    ]
    whole = view is None and not deleted
    if whole or all(each.where is not None for each in views):
        tabs.append(Link(t("all"), State(path).url(view="all") if views else path, current=whole))
    if lens.may(model.name, "restore"):
        tabs.append(Link(t("trash"), State(path).url(view="all", deleted="1"), current=deleted))
    return tabs


def _counted(count: int, shown: int, t: Words) -> dict[str, str]:
    over = count > MOST_COUNTED
    number = f"{min(count, MOST_COUNTED):,}"
    if shown == count:
        words = t("count", count=number)
    else:
        words = t("count-shown-over" if over else "count-shown", shown=shown, count=number)
    return {"short": number + ("+" if over else ""), "words": words}
