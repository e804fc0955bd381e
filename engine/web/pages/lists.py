"""The list of an entity: columns, sort, groups with what they add up to, gates at a glance, count, the next page."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from engine.app import EntityApp, ViewApp
from engine.fields import Field
from engine.problems import Refused
from engine.publishing.indexes import wanted
from engine.reading import Lens, Page, Query
from engine.storage.errors import StatementTimeout
from engine.web.pages.cells import Column, Row, Titles, is_number, row
from engine.web.pages.criteria import answered
from engine.web.pages.filters import MOST_COUNTED, Option, State
from engine.web.pages.frame import Words
from engine.web.pages.groups import Grouped, group_options, groupable, grouped, said_sum, summed, totals
from engine.web.pages.looks import Look, around, look
from engine.web.pages.pips import pips_of
from engine.web.pages.several import SINGLE, several_actions, several_locked
from engine.web.pages.visit import AppVisit

PAGE = 50
COUNTING = 0.25  # seconds; what takes longer to count is not worth waiting for
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


def get_list(visit: AppVisit) -> Response:
    if (answer := one_more(visit)) is not None:
        return answer
    page = list_page(visit)
    return visit.draw(
        "list.html",
        back=visit.here,
        several=[] if page["deleted"] else several_actions(visit, visit.model()),
        several_locked=several_locked(visit, visit.model()),
        **page,
    )


def one_more(visit: AppVisit, form: str = "list") -> Response | None:
    """Where a form has asked for one more condition: the same page with it; None where there is none, or it does not fit."""
    given = dict(visit.query)
    if not given.get("op"):
        return None
    href = answered(visit.lens, visit.model(), State(visit.path, visit.query), visit.t)
    return visit.go(href) if href else None


def list_page(visit: AppVisit) -> dict[str, Any]:
    """What the template `list.html` draws. Raises Refused (404) for an entity that is not there for the reader."""
    lens, t = visit.lens, visit.t
    with visit.read() as r:
        titles = Titles(lens, r, visit.files(r))
        seen = look(visit, titles)
        model, here = seen.model, seen.here
        names, able = columns_of(lens, model, seen.view, seen.state.all("columns"))
        fields = _fields(lens, model, names)
        query = seen.query(sort=_sort(lens, model.name, here.get("sort")), fields=fields, limit=PAGE)
        by = here.get("group") if here.get("group") in groupable(lens, model) and not seen.deleted else ""
        quick = not query.sort or _quick(lens, model, query.sort[0])
        count: int | None = None
        page, problems = _found(lens, r, model.name, seen, query) if quick and not by else (Page([], None), ())
        whole = quick and not by and page.next is None and not here.get("cursor")
        count, problems = (len(page.rows), problems) if whole else _counted_at_most(lens, model.name, query)
        most = MOST_COUNTED + 1 if count is None else count
        # Of so many records only an index can find the first in an order.
        slow = most > MOST_COUNTED and not quick
        query = seen.query(sort=() if slow else query.sort, fields=fields, limit=PAGE)
        columns = [_column(lens, model, each, here, query, seen.view, t) for each in names]
        draw = _Drawing(visit, r, seen, columns, titles)
        groups, sums = Grouped(), {}
        if not problems:
            if by:
                groups = grouped(
                    lens, r, seen, by, columns, most, titles, t,
                    lambda narrowed: lens.page(r, model.name, _like(narrowed, query)).rows, draw.rows,
                )  # fmt: skip
            if (by and groups.over) or (not by and not quick):
                page, problems = _found(lens, r, model.name, seen, query)
            sums = totals(lens, r, seen, summed(lens, model, seen, names), most) if most else {}
        titles.of(model.name, page.rows, names)
        rows = draw.rows(page.rows)
    shown = len(page.rows) or sum(len(each.rows) for each in groups.groups)
    known = lens.fields(model.name)
    return around(visit, seen, problems, most) | {
        "columns": columns,
        "choices": [Option(each, model.labels[each][t.language], each in names) for each in able],
        "rows": rows,
        "groups": groups.groups,
        "groups_cut": groups.cut,
        "notes": [
            *([t("group-over", most=f"{MOST_COUNTED:,}")] if groups.over else []),
            *([t("sort-over", most=f"{MOST_COUNTED:,}")] if slow else []),
        ],
        "grouping": group_options(lens, model, seen, by, t),
        "group": by,
        "sums": [
            (model.labels[name][t.language], said_sum(known[name], value, t.language)) for name, value in sums.items()
        ],
        "count": _counted(count, shown, t),
        "next": here.url(cursor=page.next) if page.next else "",
        "first": here.url() if here.get("cursor") else "",
        "actions": visit.list_actions(model, query, names),
    }


class _Drawing:
    """Makes rows of records: the cells in the order of the columns, and the gate beside the stage."""

    def __init__(self, visit: AppVisit, r: Any, seen: Look, columns: Sequence[Column], titles: Titles) -> None:
        self.visit, self.r, self.seen, self.columns, self.titles = visit, r, seen, columns, titles

    def rows(self, records: Sequence[Mapping[str, Any]]) -> tuple[Row, ...]:
        staged = any(column.name == "stage" for column in self.columns) and not self.seen.deleted
        pips = pips_of(self.visit, self.r, self.seen.model, records) if staged and records else {}
        return tuple(
            row(
                self.visit.app,
                self.seen.model,
                self.columns,
                record,
                self.titles,
                self.visit.language,
                pips.get(record["id"]),
            )
            for record in records
        )


def editable(lens: Lens, model: EntityApp, name: str) -> bool:
    """Whether a cell can be changed where it stands: by the small control of a field that may be written."""
    each = model.fields[name]
    return each.widget in SINGLE and not each.derived and name in lens.writable(model.name, "update")


def _like(narrowed: Query, query: Query) -> Query:
    """A narrower question with the order and fields of a wider one."""
    return replace(narrowed, sort=query.sort, fields=query.fields)


def _quick(lens: Lens, model: EntityApp, sort: str) -> bool:
    """Whether an index holds the records in this order."""

    def make() -> frozenset[str]:
        found = wanted(lens.app, lens.db.dialect).get(model.name, [])
        return frozenset(str(spec.columns[0][0]) for spec in found) | {"id"}

    first: frozenset[str] = lens.view.kept(("quick sorts", model.name), make)
    return model.columns.get(sort.lstrip("-")) in first


def _fields(lens: Lens, model: EntityApp, names: Sequence[str]) -> tuple[str, ...]:
    visible = lens.fields(model.name)
    return tuple(each for each in dict.fromkeys((*names, "number", "version")) if each in visible)


def _counted_at_most(lens: Lens, name: str, query: Query) -> tuple[int | None, Sequence[Any]]:
    """The count, None if counting took too long; an expression that makes no sense counts nothing and says why."""
    try:
        return _count(lens, name, query), ()
    except Refused as error:
        if error.status != 400:
            raise
        return 0, error.problems


def _found(lens: Lens, r: Any, name: str, seen: Look, query: Query) -> tuple[Page, Sequence[Any]]:
    """The page; a place in the list that does not exist finds nothing and says why."""
    try:
        return lens.page(r, name, replace(query, cursor=seen.here.get("cursor") or None)), ()
    except Refused as error:
        if error.status != 400:
            raise
        return Page([], None), error.problems


def _count(lens: Lens, name: str, query: Query) -> int | None:
    """How many records there are, as far as that is known soon: of a million, few may meet a filter that no index serves."""
    try:
        with lens.db.hurry(COUNTING), lens.db.read() as r:
            return lens.count(r, name, query, MOST_COUNTED + 1)
    except StatementTimeout:
        return None


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
    edit = editable(lens, model, name) and not here.get("deleted")
    return Column(name, model.labels[name][t.language], is_number(each), href, direction, edit)  # type: ignore[arg-type]


def _counted(count: int | None, shown: int, t: Words) -> dict[str, str]:
    over = count is None or count > MOST_COUNTED
    number = f"{shown if count is None else min(count, MOST_COUNTED):,}"
    if shown == count:
        words = t("count", count=number)
    else:
        words = t("count-shown-over" if over else "count-shown", shown=shown, count=number)
    return {"short": number + ("+" if over else ""), "words": words}
