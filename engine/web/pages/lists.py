"""The list of an entity: views as tabs, filters in words, columns, sort, search, count, the next page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from engine.app import EntityApp, ViewApp
from engine.fields import Field
from engine.problems import Problem, Refused
from engine.reading import Lens, Page, Query
from engine.web.pages.cells import Column, Titles, address, is_number, row
from engine.web.pages.filters import MOST_COUNTED, Asked, Filter, Option, State, offered, question, read_filters
from engine.web.pages.frame import Link, Words, said
from engine.web.pages.several import several_actions, several_locked
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


@dataclass(frozen=True)
class Look:
    """What the address of a list, or of the same records in another form, asks for: read once, drawn by `around`.

    `here` is the address with the view named, `asked` what its filters say.
    """

    model: EntityApp
    state: State
    here: State
    views: list[ViewApp]
    view: ViewApp | None
    deleted: bool
    filters: list[Filter]
    asked: Asked
    where: str
    search: str

    def query(self, **more: Any) -> Query:
        return question(
            self.asked,
            self.where,
            search=self.search or None,
            view=self.view.name if self.view and not self.deleted else None,
            deleted=self.deleted,
            **more,
        )


def look(visit: AppVisit, titles: Titles, *form: str) -> Look:
    """`form` is the last part of the address, such as `board`. Raises Refused (404) for an entity that is not there."""
    lens, model = visit.lens, visit.model()
    state = State(address(lens.app.name, model.name, *form), visit.query)
    views = views_of(lens, model)
    view = current_view(views, state)
    deleted = state.get("deleted") == "1" and lens.may(model.name, "restore")
    # Without the parameter the default view is meant, so a list of all records says so.
    here = State(
        state.path, (*((k, v) for k, v in state.parameters if k != "view"), ("view", view.name if view else "all"))
    )
    names = offered(lens, model, view.filters if view else (), state)
    filters, asked = read_filters(lens, model, names, here, titles, visit.t)
    return Look(
        model, state, here, views, view, deleted, filters, asked, state.get("where").strip(), state.get("q").strip()
    )


def around(visit: AppVisit, seen: Look, problems: Sequence[Problem], kept: Sequence[str] = ()) -> dict[str, Any]:
    """What the template `looking.html` draws around the records. `kept` are further parameters that filters leave alone."""
    lens, t, model, state = visit.lens, visit.t, seen.model, seen.state
    named = ("view", seen.view.name if seen.view else "all")
    always = [named, *((name, state.get(name)) for name in kept), ("deleted", "1" if seen.deleted else "")]
    always = [(key, value) for key, value in always if value]
    return {
        "entity": visit.entity(model),
        "faces": _faces(visit, seen),
        "views": _tabs(lens, model, seen.views, seen.view, state, seen.deleted, t),
        "filters": seen.filters,
        "filtered": any(each.active for each in seen.filters) or bool(seen.where or seen.search),
        "clear": State(state.path, tuple((key, value) for key, value in always if key != "sort")).url(),
        "kept": always,
        "here": state.path,
        "where": seen.where,
        "where_problems": said([p for p in problems if p.path == "filter"], t.language) if seen.where else [],
        "problems": said(problems, t.language),
        "search": seen.search,
        "new": address(lens.app.name, model.name, "new") if lens.may(model.name, "create") and not seen.deleted else "",
        "deleted": seen.deleted,
        "may_restore": lens.may(model.name, "restore"),
    }


def _faces(visit: AppVisit, seen: Look) -> list[Link]:
    """The forms in which the same records can be looked at."""
    board, calendar = grouping(visit.lens, seen.model), dated(visit.lens, seen.model)
    if seen.deleted or not (board or calendar):
        return []
    plain = address(visit.app.name, seen.model.name)
    kept = tuple(
        (key, value) for key, value in seen.state.parameters if key not in ("by", "pipeline", "open", "on", "month")
    )
    return [
        Link(visit.t(name), State(path, kept).url(), icon, current=path == seen.state.path)
        for name, path, icon, able in (
            ("as-list", plain, "list", True),
            ("as-board", f"{plain}/board", "kanban", board),
            ("as-calendar", f"{plain}/calendar", "calendar", calendar),
        )
        if able
    ]


def grouping(lens: Lens, model: EntityApp) -> list[str]:
    """The fields by which records can be laid out in columns: the stage first, then what has a few options."""
    fields = lens.fields(model.name)
    own = model.definition.fields if model.definition else {}
    choices = [name for name in own if name in fields and fields[name].type == "choice" and fields[name].stored]
    return [*(["stage"] if model.processes and "stage" in fields else []), *choices]


def dated(lens: Lens, model: EntityApp) -> list[str]:
    """The fields by which records can be laid out in a calendar, the definition's own first."""
    fields = lens.fields(model.name)
    own = model.definition.fields if model.definition else {}
    found = [
        name for name in own if name in fields and fields[name].stored and fields[name].type in ("date", "datetime")
    ]
    return [*found, *(["created_at"] if found and "created_at" in fields else [])]


def get_list(visit: AppVisit) -> Response:
    page = list_page(visit)
    return visit.draw(
        "list.html",
        back=visit.here,
        several=[] if page["deleted"] else several_actions(visit, visit.model()),
        several_locked=several_locked(visit, visit.model()),
        **page,
    )


def list_page(visit: AppVisit) -> dict[str, Any]:
    """What the template `list.html` draws. Raises Refused (404) for an entity that is not there for the reader."""
    lens, t = visit.lens, visit.t
    with visit.read() as r:
        titles = Titles(lens, r, visit.files(r))
        seen = look(visit, titles)
        model, here, view = seen.model, seen.here, seen.view
        name = model.name
        names, able = columns_of(lens, model, view, seen.state.all("columns"))
        query = seen.query(
            sort=_sort(lens, name, seen.state.get("sort")), fields=_fields(lens, model, names), limit=PAGE,
            cursor=seen.state.get("cursor") or None,
        )  # fmt: skip
        page, count, problems = _found(lens, r, name, query)
        titles.of(name, page.rows, names)
    return around(visit, seen, problems, ("sort",)) | {
        "columns": [_column(lens, model, each, here, query, view, t) for each in names],
        "choices": [Option(each, model.labels[each][t.language], each in names) for each in able],
        "rows": [
            row(lens.app, model, [Column(each, "") for each in names], record, titles, t.language)
            for record in page.rows
        ],
        "count": _counted(count, len(page.rows), t),
        "next": here.url(cursor=page.next) if page.next else "",
        "first": here.url() if seen.state.get("cursor") else "",
        "actions": visit.list_actions(model, query),
    }


def _fields(lens: Lens, model: EntityApp, names: Sequence[str]) -> tuple[str, ...]:
    visible = lens.fields(model.name)
    return tuple(each for each in dict.fromkeys((*names, "number", "version")) if each in visible)


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
