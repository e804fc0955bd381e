"""Two records that are one: which values the one that stays shall have."""

from typing import Any, Literal

from starlette.responses import Response

from engine.app import EntityApp
from engine.problems import Problem, Refused
from engine.runtime import Distinct, Merge
from engine.web import incoming
from engine.web.pages.cells import Titles, cell
from engine.web.pages.frame import said
from engine.web.pages.posted import same
from engine.web.pages.visit import AppVisit


def get_merge(visit: AppVisit) -> Response:
    return _draw(visit)


def post_merge(visit: AppVisit) -> Response:
    model, other = visit.model(), _other(visit)
    choices: dict[str, Literal["keep", "lose"]] = {}
    for name in model.fields:
        chosen = visit.field(f"~take.{name}")
        if chosen:
            choices[name] = "lose" if chosen == "theirs" else "keep"
    try:
        visit.site.runtime.execute(visit.app, visit.principal, Merge(model.name, visit.id, other, choices))
    except Refused as error:
        if error.status in (403, 404):
            raise
        return _draw(visit, error)
    return visit.go(visit.href(model.name, str(visit.id)), visit.t("merged"))


def post_distinct(visit: AppVisit) -> Response:
    """Say that two records which look alike are not the same."""
    model = visit.model()
    visit.site.runtime.execute(visit.app, visit.principal, Distinct(model.name, visit.id, _other(visit)))
    return visit.go(visit.href(model.name, str(visit.id)), visit.t("told-apart"))


def _other(visit: AppVisit) -> int:
    return incoming.record_id(str(visit.request.path_params["other"]))


def _draw(visit: AppVisit, refused: Refused | None = None) -> Response:
    """Every field that the reader may write and in which the two differ, side by side."""
    model, lens, t = visit.model(), visit.lens, visit.t
    writable = lens.writable(model.name, "merge")
    names = tuple(name for name, each in lens.fields(model.name).items() if each.stored)
    with visit.read() as r:
        mine, theirs = (lens.get(r, model.name, id, names) for id in (visit.id, _other(visit)))
        if mine is None or theirs is None:
            raise Refused(Problem("not-found", model.name), 404)
        titles = Titles(lens, r, visit.files(r)).of(model.name, [mine, theirs], names)
    both = [name for name in names if name in writable and not same(mine.get(name), theirs.get(name))]
    rows = [
        {
            "name": name,
            "label": model.labels[name][t.language],
            "mine": _text(visit, model, name, mine.get(name), titles),
            "theirs": _text(visit, model, name, theirs.get(name), titles),
            # What is empty here is taken from there.
            "take": "theirs" if mine.get(name) is None else "mine",
        }
        for name in both
    ]
    href = visit.href(model.name, str(visit.id))
    return visit.draw(
        "merge.html", refused.status if refused else 200, title=_text(visit, model, model.title, mine.get(model.title), titles), href=href,
        action=f"{href}/merge/{_other(visit)}", rows=rows, other=_text(visit, model, model.title, theirs.get(model.title), titles),
        problems=said(refused.problems, t.language) if refused else [],
    )  # fmt: skip


def _text(visit: AppVisit, model: EntityApp, name: str, value: Any, titles: Titles) -> str:
    return cell(visit.app, model, name, value, titles, visit.language).text or visit.t("was-empty")
