"""The timeline of a record: what changed, what was said, what was done with it, in one stream, the newest first.

Four kinds of things come together: changes of values, moves between stages, comments, and activities - related records that
belong to this one and always have a moment (a required date with time), such as visits.  Each is read through the lens, so
the stream holds what the reader may see and nothing else.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from engine.app import EntityApp
from engine.clock import instant
from engine.columns import days, moment
from engine.reading import Query
from engine.reading.comments import MENTION, Said, comments, names_of
from engine.web import incoming
from engine.web.pages.cells import Titles, cell
from engine.web.pages.events import Event, events
from engine.web.pages.frame import Link
from engine.web.pages.moments import day_words
from engine.web.pages.visit import AppVisit

PAGE: Final = 40  # things shown at once
MOST_ACTIVITIES: Final = 200  # of each kind; older ones stand in their own tab
SHOWN_FACTS: Final = 4
KINDS: Final = ("all", "comments", "changes", "stages")
_MOVES: Final = frozenset({"create", "transition"})


@dataclass(frozen=True)
class Piece:
    """A piece of a comment; `mention` is somebody's name."""

    text: str
    mention: bool = False


@dataclass(frozen=True)
class Remark:
    """A comment as it is drawn. `raw` is what its writer edits; `gone` says that it was taken back."""

    id: str
    who: str
    pieces: tuple[Piece, ...]
    raw: str
    names: str
    edited: bool
    gone: bool
    mine: bool
    removable: bool


@dataclass(frozen=True)
class Done:
    """An activity: a record that belongs to this one."""

    label: str
    title: str
    href: str
    icon: str
    who: str
    facts: tuple[str, ...]


@dataclass(frozen=True)
class Moment:
    """One thing that happened at an instant (microseconds UTC): an event, a remark or something done."""

    at: int
    clock: str
    day: str
    iso: str
    event: Event | None = None
    remark: Remark | None = None
    done: Done | None = None


@dataclass(frozen=True)
class Day:
    label: str
    moments: tuple[Moment, ...]


@dataclass(frozen=True)
class Stream:
    """What the timeline tab draws. `earlier` is the address of what came before; empty at the end."""

    days: tuple[Day, ...]
    ways: tuple[Link, ...]
    earlier: str
    writes: str
    people: str
    typed: str = ""


def stream(
    visit: AppVisit, r: Any, model: EntityApp, log: Sequence[Mapping[str, Any]], deleted: bool, typed: str = ""
) -> Stream:
    """The part of the stream that the address asks for."""
    given = dict(visit.query)
    show = given.get("show", "all")
    show = show if show in KINDS else "all"
    before = incoming.record_id(given["before"]) if given.get("before") else None
    found: list[Moment] = []
    if show in ("all", "changes", "stages"):
        found += _events(visit, r, model, log, show, before)
    if show in ("all", "comments"):
        found += _remarks(visit, r, model, before, deleted)
    if show == "all" and not deleted:
        found += _activities(visit, r, model, before)
    found.sort(key=lambda each: -each.at)
    shown = _page(found)
    href = visit.href(model.name, str(visit.id))
    t, here = visit.t, f"{href}?tab=timeline"
    kept = {"show": show} if show != "all" else {}
    words = {"all": t("all"), "comments": t("show-comments"), "changes": t("show-changes"), "stages": t("stages")}
    more = urlencode({**kept, "before": shown[-1].at}) if len(shown) < len(found) else ""
    return Stream(
        tuple(Day(label, tuple(each)) for label, each in groupby(shown, key=lambda moment: moment.day)),
        tuple(
            Link(words[kind], here if kind == "all" else f"{here}&show={kind}", current=kind == show)
            for kind in KINDS
            if kind != "stages" or model.processes
        ),
        f"{here}&{more}" if more else "",
        "" if deleted else f"{href}/comment",
        f"{href}/people",
        typed,
    )


def _page(found: Sequence[Moment]) -> Sequence[Moment]:
    """As many as fit on a page, and all of the last one's instant: what comes earlier begins before it."""
    end = min(PAGE, len(found))
    while 0 < end < len(found) and found[end].at == found[end - 1].at:
        end += 1
    return found[:end]


def _moment(visit: AppVisit, at: int, **what: Any) -> Moment:
    local = moment(at).astimezone(ZoneInfo(visit.app.definition.calendar.timezone))
    return Moment(
        at,
        local.strftime("%H:%M"),
        day_words(days(local.date()), visit.app.calendar.local_day(visit.site.clock.now()), visit.t, weekday=True),
        moment(at).isoformat(),
        **what,
    )


def _events(
    visit: AppVisit, r: Any, model: EntityApp, log: Sequence[Mapping[str, Any]], show: str, before: int | None
) -> list[Moment]:
    lens = visit.lens
    # What was said is told by the comments themselves; what formulas made of it stands among the changes.
    history = lens.history(
        r, model.name, visit.id, 200, until=before, without=("comment",),
        actions=tuple(sorted(_MOVES)) if show == "stages" else None, computed=show == "changes",
    )  # fmt: skip
    if show == "changes":
        history = [each for each in history if each["action"] != "transition"]
    told = events(visit, r, model, history, log)
    found = []
    for entry, event in zip(history, told, strict=True):
        made = _moment(visit, instant(datetime.fromisoformat(entry["at"])))
        # The day stands above.
        found.append(replace(made, event=replace(event, when=made.clock)))
    return found


# -- comments --------------------------------------------------------------------------------------------------------------


def _remarks(visit: AppVisit, r: Any, model: EntityApp, before: int | None, deleted: bool) -> list[Moment]:
    found = comments(visit.lens, r, model.name, visit.id, PAGE + 1, before, deleted)
    names = names_of(visit.lens, r, [each.text for each in found])
    return [_moment(visit, each.at, remark=_remark(visit, each, names, deleted)) for each in found]


def _remark(visit: AppVisit, said: Said, names: Mapping[str, str], deleted: bool) -> Remark:
    gone, text = said.text is None, said.text or ""
    mine = not gone and not deleted and said.by is not None and said.by == visit.principal.user
    own = {login: name for login, name in names.items() if f"@[{login}]" in text.lower()}
    return Remark(
        str(said.id),
        said.by_name or visit.t("engine"),
        tuple(pieces(text, names)),
        text if mine else "",
        "\n".join(f"{login} {name}" for login, name in own.items()) if mine else "",
        said.edited_at is not None,
        gone,
        mine,
        mine or (visit.principal.administrator and not gone and not deleted),
    )


def pieces(text: str, names: Mapping[str, str]) -> Iterable[Piece]:
    """A comment cut at those it mentions. Whoever is unknown stays as he was typed."""
    at = 0
    for found in MENTION.finditer(text):
        name = names.get(found[1].lower())
        if name is None:
            continue
        if found.start() > at:
            yield Piece(text[at : found.start()])
        yield Piece(f"@{name}", mention=True)
        at = found.end()
    if at < len(text):
        yield Piece(text[at:])


# -- activities ------------------------------------------------------------------------------------------------------------


def dated(visit: AppVisit, model: EntityApp) -> list[tuple[str, str, str]]:
    """The kinds of records that belong to this one and always have a moment: (entity, lookup, the moment's field)."""
    lens, found = visit.lens, []
    for name, (entity, lookup) in model.relations.items():
        other = visit.app.entities[entity]
        if name in model.children or not lens.may(entity, "read") or lookup not in lens.fields(entity):
            continue
        field = next(
            (name for name, each in lens.fields(entity).items() if each.type == "datetime" and each.required), None
        )
        if field is not None and not other.system:
            found.append((entity, lookup, field))
    return found


def _activities(visit: AppVisit, r: Any, model: EntityApp, before: int | None) -> list[Moment]:
    found: list[Moment] = []
    now = visit.site.clock.now()
    for entity, lookup, name in dated(visit, model):
        other = visit.app.entities[entity]
        people = [each for each, field in visit.lens.fields(entity).items() if field.type == "user"][:1]
        facts = [
            each for each, field in visit.lens.fields(entity).items() if field.type in ("choice", "choices", "longtext")
        ][: SHOWN_FACTS * 2]
        asked = tuple(dict.fromkeys((other.title, name, *people, *facts)))
        rows = visit.lens.page(
            r, entity, Query(filters={lookup: str(visit.id)}, fields=asked, sort=(f"-{name}",), limit=MOST_ACTIVITIES)
        ).rows
        titles = Titles(visit.lens, r).of(entity, rows, asked)
        for row in rows:
            at = instant(datetime.fromisoformat(row[name])) if row.get(name) else None
            if at is None or at > now or (before is not None and at >= before):
                continue
            told = [cell(visit.app, other, each, row.get(each), titles, visit.language) for each in facts]
            title = cell(visit.app, other, other.title, row.get(other.title), titles, visit.language).text
            who = cell(visit.app, other, people[0], row.get(people[0]), titles, visit.language).text if people else ""
            done = Done(
                other.label[visit.language],
                title or visit.t("untitled"),
                visit.href(entity, row["id"]),
                visit.entity(other).icon,
                who,
                tuple(each.text for each in told if each.text and each.kind != "hidden")[:SHOWN_FACTS],
            )
            found.append(_moment(visit, at, done=done))
    return found
