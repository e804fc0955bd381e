"""Looking at the records of an entity: what an address asks for, read once, and what stands around a list, board or calendar.

An address alone says everything: view, filters, conditions, sort, columns, grouping.  Without any of it one's own default is
meant, then the default view of the definition.  A saved view stands for the parameters that it keeps; what in them means
nothing to the reader (a field that does not exist for him, a view that is not his) is left out, and he is told that
something was, not what.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from engine.access.saved_views import SavedView
from engine.app import EntityApp, ViewApp
from engine.expressions.types import BOOLEAN
from engine.problems import Problem, Refused
from engine.reading import Lens, Query
from engine.web.pages.cells import Titles, address
from engine.web.pages.criteria import ASKING, Criteria, asking, read_criteria
from engine.web.pages.filters import Asked, Filter, State, offered, question, read_filters
from engine.web.pages.frame import DENSITIES, Link, Words, said
from engine.web.pages.visit import AppVisit

FORMS = ("list", "board", "calendar")
# What says how one looks at the records, and so what a saved view keeps; `f.…` and `c.…` besides.
_KEPT = ("view", "q", "where", "sort", "columns", "group", "density", "by", "pipeline", "on", "span")
# What belongs to one form alone, and is left behind on the way to another.
_OF_FORM = ("by", "pipeline", "open", "on", "month", "fold", "unfold", "cursor", "expr", *ASKING)


def keeps(key: str) -> bool:
    """Whether a parameter says how one looks at the records."""
    return key in _KEPT or key.startswith(("f.", "c."))


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
            key.startswith(("f.", "c.")) or key in ("q", "where", "deleted") for key, value in state.parameters if value
        )
        return None if plain else next((view for view in views if view.default), None)
    return next((view for view in views if view.name == named), None)


@dataclass(frozen=True)
class Look:
    """What the address of a list, or of the same records in another form, asks for: read once, drawn by `around`.

    `here` is the address with the view named, `asked` what its filters say.  `opened` is the saved view that one looks
    at, `changed` whether by now in another way; `lost` says that something in the address means nothing to the reader.
    """

    model: EntityApp
    form: str
    state: State
    here: State
    views: list[ViewApp]
    view: ViewApp | None
    deleted: bool
    filters: list[Filter]
    asked: Asked
    criteria: Criteria
    where: str
    search: str
    saved: list[SavedView]
    opened: SavedView | None
    changed: bool
    lost: bool
    default: Any

    def query(self, also: str = "", equal: dict[str, str] | None = None, **more: Any) -> Query:
        """The question; `also` and `equal` narrow it down further."""
        conditions = [*self.asked.conditions, *self.criteria.texts, *([also] if also else [])]
        return question(
            Asked({**self.asked.equal, **(equal or {})}, conditions),
            self.where,
            search=self.search or None,
            view=self.view.name if self.view and not self.deleted else None,
            deleted=self.deleted,
            **more,
        )

    @property
    def kept(self) -> tuple[tuple[str, str], ...]:
        """What a saved view of this look keeps."""
        return tuple((key, value) for key, value in self.here.parameters if value and keeps(key))

    @property
    def expression(self) -> str:
        """All conditions as one expression, except those that the language has no words for."""
        parts = [each.expression for each in self.filters if each.expression]
        parts += self.criteria.texts
        return " and ".join(
            [*parts, *([f"({self.where})"] if parts and self.where else [self.where] if self.where else [])]
        )


def look(visit: AppVisit, titles: Titles, form: str = "list") -> Look:
    """Raises Refused (404) for an entity that is not there."""
    lens, model = visit.lens, visit.model()
    path = address(lens.app.name, model.name, *(() if form == "list" else (form,)))
    state = State(path, visit.query)
    views = views_of(lens, model)
    saved = visit.site.saved.all(titles.r, visit.principal, visit.app.name, model.name)
    default = _default(visit, model)
    # Trash is a list: a card or a day of it could not be moved.
    deleted = form == "list" and state.get("deleted") == "1" and lens.may(model.name, "restore")
    told = any(value and (keeps(key) or key == "deleted") for key, value in state.parameters)
    id = state.get("saved")
    if not told and not id and isinstance(default, dict):
        id = str(default.get("saved", ""))
        if default.get("view"):
            state = State(path, (*state.parameters, ("view", str(default["view"]))))
    opened = next((each for each in saved if str(each.id) == id), None)
    kept, lost = legible(lens, model, opened.parameters, views) if opened else ((), False)
    if opened is not None and not told:
        rest = tuple(each for each in state.parameters if each[0] != "saved")
        state = State(path, (*kept, ("saved", str(opened.id)), *rest))
    view = current_view(views, state)
    # Without the parameter the default view is meant, so a list of all records says so.
    here = State(
        path,
        (("view", view.name if view else "all"), *((k, v) for k, v in state.parameters if k not in ("view", *ASKING))),
    )
    names = offered(lens, model, view.filters if view else (), state)
    filters, asked = read_filters(lens, model, names, here, titles, visit.t)
    criteria = read_criteria(lens, model, here, visit.t)
    now = sorted((key, value) for key, value in here.parameters if value and keeps(key))
    changed = opened is not None and (now != sorted(kept) or opened.form != form)
    return Look(
        model, form, state, here, views, view, deleted, filters, asked, criteria, state.get("where").strip(),
        state.get("q").strip(), saved, opened, changed, lost or criteria.lost, default,
    )  # fmt: skip


def _default(visit: AppVisit, model: EntityApp) -> Any:
    """What the person has chosen to see first: `{"saved": id}` or `{"view": name}`; None if nothing."""
    user = visit.principal.user
    return None if user is None else visit.site.personal.one(user, visit.app.name, "setting", f"list.{model.name}")


def legible(
    lens: Lens, model: EntityApp, parameters: Iterable[tuple[str, str]], views: Sequence[ViewApp]
) -> tuple[tuple[tuple[str, str], ...], bool]:
    """Those of the parameters of a saved view that mean something to the reader, and whether any do not.

    A hidden field is left out as one that does not exist: nothing of it shows, not even that it was named.
    """
    fields = lens.fields(model.name)
    found, lost = [], False
    for key, value in parameters:
        name = key.split(".")[1] if key.startswith("f.") else value.lstrip("-").split(".")[0]
        if key == "view":
            means = value == "all" or any(view.name == value for view in views)
        elif key.startswith(("f.", "c.")) or key in ("sort", "columns", "group", "by", "on"):
            means = name in fields
        elif key == "where":
            means = _checks(lens, model, value)
        else:
            means = keeps(key)
        if means:
            found.append((key, value))
        lost = lost or not means
    if not any(key == "view" for key, _ in found):
        found.insert(0, ("view", "all"))
    return tuple(found), lost


def _checks(lens: Lens, model: EntityApp, text: str) -> bool:
    try:
        lens.view.expression(text, model.name, "filter", BOOLEAN)
    except Refused:
        return False
    return True


def around(visit: AppVisit, seen: Look, problems: Sequence[Problem], count: int = 0) -> dict[str, Any]:
    """What the template `looking.html` draws around the records; `count` are those that meet the conditions."""
    lens, t, model, here = visit.lens, visit.t, seen.model, seen.here
    named = ("view", seen.view.name if seen.view else "all")
    bare = [named, *((key, here.get(key)) for key in ("group", "density", "by", "pipeline", "on", "month", "span"))]
    bare += [("columns", value) for value in here.all("columns")] + [("deleted", "1" if seen.deleted else "")]
    wrong = [p for p in problems if p.path == "filter"]
    return {
        "entity": visit.entity(model),
        "faces": _faces(visit, seen),
        "views": _tabs(lens, seen, t),
        "filters": seen.filters,
        "criteria": seen.criteria.shown,
        "lost": seen.lost,
        "asking": asking(lens, model, seen.state, t),
        "add": here.url(add="") if not seen.deleted else "",
        "filtered": any(each.active for each in seen.filters) or bool(seen.criteria.shown or seen.where or seen.search),
        "clear": State(here.path, tuple((key, value) for key, value in bare if value)).url(),
        "kept": _hidden(here, lambda key: not key.startswith("f.") and key not in ("q", "cursor", "expr")),
        "kept_whole": _hidden(here, lambda key: key not in ("cursor", "columns")),
        "kept_asking": _hidden(here, lambda key: key != "cursor"),
        "kept_plain": _hidden(here, lambda key: not key.startswith("c.") and key not in ("where", "cursor", *_said_as_text(seen))),
        "here": here.path,
        "expr": here.url(expr=None if here.get("expr") else "1"),
        "writing": bool(here.get("expr") or wrong),
        "expression": seen.expression,
        "where": seen.where,
        "where_problems": said(wrong, t.language),
        "problems": said(problems, t.language),
        "valid": t("valid", count=f"{count:,}"),
        "search": seen.search,
        "new": address(lens.app.name, model.name, "new") if lens.may(model.name, "create") and not seen.deleted else "",
        "deleted": seen.deleted,
        "may_restore": lens.may(model.name, "restore"),
        "saving": None if seen.deleted else _saving(visit, seen),
        **_density(visit, seen, t),
    }  # fmt: skip


def _hidden(here: State, keeps_it: Callable[[str], bool]) -> list[tuple[str, str]]:
    return [(key, value) for key, value in here.parameters if value and keeps_it(key)]


def _said_as_text(seen: Look) -> set[str]:
    """The parameters of the filters that the expression says."""
    said = tuple(each.name for each in seen.filters if each.expression)
    return {key for key, _ in seen.here.parameters if any(key == name or key.startswith(f"{name}.") for name in said)}


def _density(visit: AppVisit, seen: Look, t: Words) -> dict[str, Any]:
    """How close the rows stand: what the address says before what the person has set."""
    chosen = seen.here.get("density")
    now = chosen if chosen in DENSITIES else visit.request.cookies.get("density", "default")
    links = [
        Link(t(f"density-{each}"), seen.here.url(density=each), name=each, current=each == now) for each in DENSITIES
    ]
    return {"densities": links, **({"density": chosen} if chosen in DENSITIES else {})}


def _saving(visit: AppVisit, seen: Look) -> dict[str, Any]:
    """What the form for saved views needs."""
    default = {"saved": seen.opened.id} if seen.opened else {"view": seen.view.name if seen.view else "all"}
    return {
        "action": visit.href(seen.model.name, "views"),
        "parameters": urlencode(seen.kept),
        "form": seen.form,
        "opened": seen.opened,
        "changed": seen.changed,
        "may_all": visit.lens.may(seen.model.name, "share"),
        "may_team": visit.principal.team is not None,
        "may_drop": seen.opened is not None and (seen.opened.mine or visit.principal.administrator),
        "first": default == seen.default,
        "here": seen.here.url(),
        "view": seen.view.name if seen.view else "all",
    }


def _faces(visit: AppVisit, seen: Look) -> list[Link]:
    """The forms in which the same records can be looked at."""
    board, calendar = grouping(visit.lens, seen.model), dated(visit.lens, seen.model)
    if seen.deleted or not (board or calendar):
        return []
    plain = address(visit.app.name, seen.model.name)
    kept = tuple((key, value) for key, value in seen.here.parameters if key not in _OF_FORM)
    return [
        Link(visit.t(name), State(path, kept).url(), icon, current=path == seen.here.path)
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


def _tabs(lens: Lens, seen: Look, t: Words) -> list[Link]:
    """The views of the definition first, then one's own, then what others share."""
    path, model = seen.here.path, seen.model
    elsewhere = seen.deleted or seen.opened is not None
    tabs = [
        Link(each.label[t.language], State(path).url(view=each.name), current=each is seen.view and not elsewhere)
        for each in seen.views
    ]
    whole = seen.view is None and not elsewhere
    if whole or all(each.where is not None for each in seen.views):
        # Without a parameter somebody's own default would be meant.
        tabs.append(Link(t("all"), State(path).url(view="all") if seen.views or seen.default else path, current=whole))
    plain = address(lens.app.name, model.name)
    for each in seen.saved:
        href = State(plain if each.form == "list" else f"{plain}/{each.form}").url(saved=str(each.id))
        tabs.append(
            Link(each.label, href, "star" if each.mine else "users", current=each is seen.opened and not seen.deleted)
        )
    if lens.may(model.name, "restore"):
        tabs.append(Link(t("trash"), State(plain).url(view="all", deleted="1"), current=seen.deleted))
    return tabs
