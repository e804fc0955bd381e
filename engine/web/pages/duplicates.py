"""The queue of records that are probably the same: pairs, how alike each value is, and what becomes of them.

Only pairs are listed both of which the reader may see, and the same clauses count them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from engine.app import EntityApp
from engine.problems import Problem, Refused
from engine.reading.pairs import STATES, Pair, State, Wanted, count_pairs, pairs
from engine.runtime import Bulk, Distinct
from engine.runtime.matching import compare_again, waiting
from engine.storage.session import Write
from engine.web import incoming
from engine.web.pages.cells import Cell, Titles, cell
from engine.web.pages.filters import MOST_COUNTED, Option, State as Address
from engine.web.pages.frame import Link
from engine.web.pages.visit import AppVisit, Back

PAGE = 20
MOST_CHOSEN = 50
MOST_TOLD = 99  # how many are counted where only a hint of them is given
LEASTS = ("70", "80", "90", "100")
ALIKE, SIMILAR = 100, 70  # from where on a likeness is called the same, and alike


@dataclass(frozen=True)
class Compared:
    """A value of both records; `words` and `color` say how alike they are, empty where that is not told."""

    label: str
    one: Cell
    other: Cell
    words: str = ""
    color: str = ""


@dataclass(frozen=True)
class Twin:
    """A pair as it is drawn. `merge` is where they are merged; empty where the reader may not.

    `words` and `color` say how alike their titles are, where that is told.
    """

    key: str
    score: int
    one: Link
    other: Link
    lines: tuple[Compared, ...]
    merge: str
    by: str = ""
    words: str = ""
    color: str = ""


def looked_through(visit: AppVisit) -> list[EntityApp]:
    """The entities whose likely duplicates the reader may merge, those first on which he works most."""
    models = [visit.app.entities[name] for name in visit.lens.entities()]
    return sorted(
        (model for model in models if model.duplicates is not None and visit.lens.may(model.name, "merge")),
        key=visit.rank,
    )


def get_duplicates(visit: AppVisit) -> Response:
    models, t = looked_through(visit), visit.t
    visit.current = "~duplicates"
    here = Address(visit.href("my-duplicates"), visit.query)
    if not models:
        return visit.draw("duplicates.html", tabs=(), model=None)
    for each in models:
        _catch_up(visit, each)
    with visit.read() as r:
        counts = {each.name: count_pairs(visit.lens, r, each.name, Wanted(), MOST_COUNTED + 1) for each in models}
        # Where something waits comes first.
        models.sort(key=lambda each: not counts[each.name])
        model = next((each for each in models if each.name == here.get("entity")), models[0])
        wanted, owner = _wanted(visit, model, here), _owner(visit, model)
        found, cursor = pairs(visit.lens, r, model.name, wanted, PAGE, here.get("cursor") or None)
        count = count_pairs(visit.lens, r, model.name, wanted, MOST_COUNTED + 1)
        twins = _twins(visit, r, model, found, wanted)
    tabs = [
        Link(each.label[t.language], f"{here.path}?entity={each.name}", count=_number(counts[each.name]), current=each is model)
        for each in models
    ]  # fmt: skip
    called = {"open": t("pairs-open"), "distinct": t("pairs-distinct"), "merged": t("pairs-merged")}
    states = [Link(called[state], here.url(state=state), current=state == wanted.state) for state in STATES]
    leasts = [Option("", t("pairs-any-score"), not wanted.at_least)]
    leasts += [Option(each, t("pairs-from", score=each), str(wanted.at_least) == each) for each in LEASTS]
    return visit.draw(
        "duplicates.html", model=visit.entity(model), tabs=tabs, states=states, state=wanted.state, leasts=leasts, twins=twins, count=_number(count),
        mine=wanted.owner is not None, may_mine=owner is not None, action=here.path, here=here.url(cursor=here.get("cursor") or None),
        next=here.url(cursor=cursor) if cursor else "", first=here.url() if here.get("cursor") else "",
        filtered=bool(wanted.at_least or wanted.owner), clear=Address(here.path, (("entity", model.name), ("state", wanted.state))).url(),
    )  # fmt: skip


def _number(count: int) -> str:
    return f"{MOST_COUNTED:,}+" if count > MOST_COUNTED else f"{count:,}"


def post_duplicates(visit: AppVisit) -> Response:
    """Say of chosen pairs that they are not the same (`do=distinct`), or take that back (`do=same`)."""
    name, do = visit.field("entity"), visit.field("do")
    model = next((each for each in looked_through(visit) if each.name == name), None)
    if model is None or do not in ("distinct", "same"):
        raise Refused(Problem("not-found"), 404)
    after, t = visit.after(visit.href("my-duplicates")), visit.t
    chosen = _chosen(visit)
    if not chosen:
        return visit.go(after, t("several-none"))
    commands = tuple(Distinct(model.name, *pair, apart=do == "distinct") for pair in chosen)
    outcome = visit.site.runtime.execute(visit.app, visit.principal, Bulk(commands))
    done = [pair for pair, result in zip(chosen, outcome.results, strict=True) if not result.problems]
    refused = list(dict.fromkeys(p.message(visit.language) for result in outcome.results for p in result.problems))
    if not done:
        return visit.go(after, warnings=refused)
    if do == "same":
        return visit.go(after, t("pairs-opened", count=len(done)), refused)
    fields = {"do": "same", "entity": name, "pair": ",".join(f"{one}.{other}" for one, other in done), "after": after}
    return visit.go(after, t("pairs-apart", count=len(done)), refused, Back(visit.href("my-duplicates"), fields))


def _chosen(visit: AppVisit) -> list[tuple[int, int]]:
    """The pairs that the form names, as `one.other`, each once."""
    given = visit.form.getlist("pair") if visit.form is not None else []
    texts = list(dict.fromkeys(text for each in given for text in str(each).split(",") if text))
    if len(texts) > MOST_CHOSEN:
        raise Refused(Problem("too-many", "pair", {"what": "pair", "most": MOST_CHOSEN}), 400)
    halves = (text.partition(".") for text in texts)
    return [(incoming.record_id(one), incoming.record_id(other)) for one, _, other in halves]


def _catch_up(visit: AppVisit, model: EntityApp) -> None:
    """Compare those that did not see each other when they were written."""
    runtime = visit.site.runtime
    with visit.site.db.read() as r:
        behind = waiting(runtime.work(visit.app, visit.principal, r), model.name)

    def compare(w: Write) -> None:
        compare_again(runtime.work(visit.app, visit.principal, w), model.name)

    if behind:
        visit.site.db.transact(compare)


def _owner(visit: AppVisit, model: EntityApp) -> str | None:
    fields = visit.lens.fields(model.name)
    own = model.definition.fields if model.definition else {}
    return next((name for name in own if name in fields and fields[name].type == "user" and fields[name].stored), None)


def _wanted(visit: AppVisit, model: EntityApp, here: Address) -> Wanted:
    state: State = next((each for each in STATES if each == here.get("state")), "open")
    owner, user = _owner(visit, model), visit.principal.user
    least = here.get("least")
    return Wanted(
        state,
        int(least) if least in LEASTS else 0,
        (owner, user) if here.get("mine") and owner is not None and user is not None else None,
    )


def open_pairs(visit: AppVisit, r: Any) -> int:
    """How many pairs wait for the reader, of all kinds; counting stops where nobody counts any more."""
    return sum(count_pairs(visit.lens, r, model.name, Wanted(), MOST_TOLD + 1) for model in looked_through(visit))


def _twins(visit: AppVisit, r: Any, model: EntityApp, found: list[Pair], wanted: Wanted) -> list[Twin]:
    lens = visit.lens
    fields = lens.fields(model.name)
    matched = [name for name in (model.duplicates.match if model.duplicates else ()) if name in fields]
    owner = _owner(visit, model)
    names = tuple(dict.fromkeys([model.title, *matched, *([owner] if owner else []), "created_at"]))
    names = tuple(name for name in names if name in fields)
    ids = {id for pair in found for id in (pair.one, pair.other)}
    records = lens.many(r, model.name, ids, names)
    titles = Titles(lens, r).of(model.name, records.values(), names)
    shown = lens.titles(r, model.name, ids)
    people = lens.titles(r, "user", {pair.by for pair in found if pair.by is not None})

    def link(id: int) -> Link:
        return Link(shown.get(id) or visit.t("untitled"), visit.href(model.name, str(id)))

    def twin(pair: Pair) -> Twin:
        one, other = records.get(pair.one), records.get(pair.other)
        lines = tuple(
            _compared(visit, model, name, one, other, pair, titles)
            for name in names
            if one is not None and other is not None and name != model.title
        )
        named = _likeness(visit, pair.parts[model.title]) if model.title in pair.parts else ("", "")
        able = pair.able and wanted.state == "open"
        merge = f"{visit.href(model.name, str(pair.one))}/merge/{pair.other}" if able else ""
        by = people.get(pair.by, "") if pair.by is not None else ""
        return Twin(f"{pair.one}.{pair.other}", pair.score, link(pair.one), link(pair.other), lines, merge, by, *named)

    return [twin(pair) for pair in found]


def _compared(
    visit: AppVisit, model: EntityApp, name: str, one: Mapping[str, Any], other: Mapping[str, Any], pair: Pair, titles: Titles
) -> Compared:  # fmt: skip
    left, right = (cell(visit.app, model, name, each.get(name), titles, visit.language) for each in (one, other))
    part = pair.parts.get(name)
    words, color = ("", "") if part is None else _likeness(visit, part)
    return Compared(model.labels[name][visit.language], left, right, words, color)


def _likeness(visit: AppVisit, part: int) -> tuple[str, str]:
    if part >= ALIKE:
        return visit.t("pair-same"), "green"
    if part >= SIMILAR:
        return visit.t("pair-alike", score=part), "yellow"
    return visit.t("pair-differs", score=part), "red"
