"""Two records that are one: which values the one that stays shall have, what comes along, and the way back.

What the reader may not see is neither shown nor lost: the record that stays keeps its own hidden values, and those of the
other stay with it in the recycle bin.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from starlette.responses import Response

from engine.app import EntityApp
from engine.problems import Problem, Refused
from engine.reading import Query
from engine.runtime import Distinct, Merge, Undo
from engine.web import incoming
from engine.web.pages.cells import Cell, Titles, cell
from engine.web.pages.frame import Link, said
from engine.web.pages.posted import same
from engine.web.pages.records import record_page
from engine.web.pages.visit import AppVisit, Back

MOST_MOVED = 999
# What only the engine writes, and what every record has of its own.
_OWN = frozenset({"id", "version", "created_at", "created_by", "updated_at", "updated_by", "deleted_at", "checklist"})


@dataclass(frozen=True)
class Line:
    """A field of both records. `take` is the side that is ticked; empty where there is nothing to choose."""

    name: str
    label: str
    mine: Cell
    theirs: Cell
    take: Literal["mine", "theirs", ""] = ""


@dataclass(frozen=True)
class Side:
    """One of the two records, as the head of a column."""

    title: str
    href: str
    note: str


def get_merge(visit: AppVisit) -> Response:
    return _draw(visit)


def post_merge(visit: AppVisit) -> Response:
    model, other = visit.model(), _other(visit)
    choices: dict[str, Literal["keep", "lose"]] = {}
    for name in model.fields:
        chosen = visit.field(f"~take.{name}")
        if chosen:
            choices[name] = "lose" if chosen == "theirs" else "keep"
    seen = visit.number("~mine"), visit.number("~theirs")
    versions = (seen[0], seen[1]) if seen[0] is not None and seen[1] is not None else None
    try:
        command = Merge(model.name, visit.id, other, choices, versions)
        outcome = visit.site.runtime.execute(visit.app, visit.principal, command)
    except Refused as error:
        if error.status in (403, 404):
            raise
        return _draw(visit, error)
    href = visit.href(model.name, str(visit.id))
    back = Back(f"{href}/undo", {"batch": str(outcome.batch)})
    return visit.go(
        visit.after(href), visit.t("merged"), [each.message(visit.language) for each in outcome.warnings], back
    )


def post_undo(visit: AppVisit) -> Response:
    """Take back what was done to a record, such as a merge; refused with words where later changes depend on it."""
    model = visit.model()
    try:
        visit.site.runtime.execute(visit.app, visit.principal, Undo(incoming.record_id(visit.field("batch"))))
    except Refused as error:
        if error.status in (403, 404):
            raise
        return record_page(visit, error.status, [Problem("undo-not", model.name), *error.problems])
    return visit.go(visit.after(visit.href(model.name, str(visit.id))), visit.t("undone"))


def post_distinct(visit: AppVisit) -> Response:
    """Say that two records which look alike are not the same."""
    model, other = visit.model(), _other(visit)
    visit.site.runtime.execute(visit.app, visit.principal, Distinct(model.name, visit.id, other))
    pair = f"{visit.id}.{other}"
    back = Back(
        visit.href("my-duplicates"),
        {"do": "same", "entity": model.name, "pair": pair, "after": visit.href(model.name, str(visit.id))},
    )
    return visit.go(visit.after(visit.href(model.name, str(visit.id))), visit.t("told-apart"), back=back)


def _other(visit: AppVisit) -> int:
    return incoming.record_id(str(visit.request.path_params["other"]))


def _draw(visit: AppVisit, refused: Refused | None = None) -> Response:
    """Both records side by side: what differs first, what is the same folded away. Raises Refused (404, 403)."""
    model, lens, t = visit.model(), visit.lens, visit.t
    other = _other(visit)
    if other == visit.id:
        raise Refused(Problem("not-found", model.name), 404)
    names = tuple(name for name, each in lens.fields(model.name).items() if each.stored)
    with visit.read() as r:
        mine, theirs = (lens.get(r, model.name, id, names) for id in (visit.id, other))
        if mine is None or theirs is None:
            raise Refused(Problem("not-found", model.name), 404)
        work = visit.site.runtime.work(visit.app, visit.principal, r)
        work.model(model.name, "merge")
        writable = work.permitted(model, visit.id, "merge") & work.permitted(model, other, "merge")
        titles = Titles(lens, r, visit.files(r)).of(model.name, [mine, theirs], names)
        moved = _moved(visit, r, model, other)
    lines = [
        _line(visit, model, name, mine, theirs, titles, name in writable)
        for name in names
        if name not in _OWN and not model.fields[name].derived and not name.endswith(("_detail", "_band"))
    ]
    href, away = visit.href(model.name, str(visit.id)), visit.href(model.name, str(other))
    return visit.draw(
        "merge.html", refused.status if refused else 200, entity=visit.entity(model), href=href, action=f"{href}/merge/{other}",
        swap=f"{away}/merge/{visit.id}", after=visit.after_asked, keep=_side(visit, model, mine, titles), lose=_side(visit, model, theirs, titles),
        versions=(mine["version"], theirs["version"]),
        rows=[line for line in lines if line.take],
        fixed=[line for line in lines if not line.take and not same(mine.get(line.name), theirs.get(line.name))],
        equal=[line for line in lines if same(mine.get(line.name), theirs.get(line.name)) and line.mine.kind != "empty"],
        moved=moved, problems=said(refused.problems, t.language) if refused else [],
    )  # fmt: skip


def _line(
    visit: AppVisit, model: EntityApp, name: str, mine: Mapping[str, Any], theirs: Mapping[str, Any], titles: Titles, may: bool
) -> Line:  # fmt: skip
    one, other = (cell(visit.app, model, name, each.get(name), titles, visit.language) for each in (mine, theirs))
    take: Literal["mine", "theirs", ""] = ""
    if may and not same(mine.get(name), theirs.get(name)):
        # What is empty here is taken from there.
        take = "theirs" if mine.get(name) is None else "mine"
        chosen = visit.field(f"~take.{name}")
        take = chosen if chosen in ("mine", "theirs") else take  # type: ignore[assignment]
    return Line(name, model.labels[name][visit.language], one, other, take)


def _side(visit: AppVisit, model: EntityApp, record: Mapping[str, Any], titles: Titles) -> Side:
    fields = visit.lens.fields(model.name)
    title = cell(visit.app, model, model.title, record.get(model.title), titles, visit.language).text
    made = cell(visit.app, model, "created_at", record.get("created_at"), titles, visit.language).text[:10]
    number = next(
        (str(record[name]) for name, each in fields.items() if each.type == "autonumber" and record.get(name)), ""
    )
    note = " · ".join(each for each in (number, visit.t("made-on", day=made) if made else "") if each)
    return Side(title or visit.t("untitled"), visit.href(model.name, str(record["id"])), note)


def _moved(visit: AppVisit, r: Any, model: EntityApp, lose: int) -> Sequence[Link]:
    """The records that point to the one that goes, as far as the reader sees them: they will point to the one that stays."""
    lens, found = visit.lens, []
    for entity in lens.entities():
        other = visit.app.entities[entity]
        for lookup, target in other.lookups.items():
            if target != model.name or lookup not in lens.fields(entity):
                continue
            count = lens.count(r, entity, Query(filters={lookup: str(lose)}), MOST_MOVED + 1)
            if count:
                label = other.label[visit.language]
                if sum(each == model.name for each in other.lookups.values()) > 1:
                    label = f"{label} · {other.labels[lookup][visit.language]}"
                shown = f"{MOST_MOVED}+" if count > MOST_MOVED else str(count)
                place = f"{visit.href(entity)}?view=all&f.{lookup}={lose}"
                found.append(Link(label, place, visit.entity(other).icon, count=shown))
    return found
