"""What happened to a record, in words: the journal as a timeline, the stage log as a stage bar."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from engine.app import EntityApp
from engine.clock import MICROSECONDS, instant
from engine.columns import days
from engine.problems import Label
from engine.shape import SpanValue
from engine.web.pages.cells import Titles, cell, id_in
from engine.web.pages.frame import Words
from engine.web.pages.moments import moment_words
from engine.web.pages.visit import AppVisit
from engine.workflows.process import ProcessApp, StageApp

# The engine's own bookkeeping says nothing that the event itself does not say.
_QUIET = frozenset(
    {
        "stage",
        "stage_entered_at",
        "pipeline",
        "version",
        "deleted_at",
        "created_at",
        "created_by",
        "updated_at",
        "updated_by",
        "id",
    }
)
_ICONS = {
    "create": "plus", "update": "edit", "delete": "trash", "restore": "undo", "transition": "gate", "return": "undo", "tick": "check",
    "merge": "merge", "convert": "convert", "import": "download", "undo": "undo", "handover": "users", "recompute": "refresh",
}  # fmt: skip
MOST_CHANGES = 12
MINUTE, HOUR, DAY = 60, 3600, 86_400


@dataclass(frozen=True)
class Difference:
    """`before` is None for what had no value; `why` says what set the value where nobody did."""

    label: str
    before: str | None
    after: str
    why: str = ""


@dataclass(frozen=True)
class Event:
    """`batch` names what can be taken back by the reader, such as a merge; empty for all else."""

    who: str
    words: str
    when: str
    at: str
    icon: str
    color: str = ""
    reason: str = ""
    changes: tuple[Difference, ...] = ()
    batch: str = ""


@dataclass(frozen=True)
class Step:
    """One stage of the stage bar. `state` is done, now, won, lost or empty; `blocked` marks the gate that holds the record."""

    label: str
    state: str
    note: str = ""
    late: bool = False
    blocked: bool = False
    title: str = ""  # what the stage is for, and who answers for it


@dataclass
class Stay:
    """How long a record stayed in a stage, all visits together: seconds, working seconds, how often it came back."""

    seconds: int = 0
    working: int = 0
    returns: int = 0
    visits: list[Mapping[str, Any]] = field(default_factory=list)


def when(at: str | None, visit: AppVisit) -> str:
    """An instant as people say it: today 09:52, yesterday 17:40, 3月4日 11:06."""
    if not at:
        return ""
    zone = ZoneInfo(visit.app.definition.calendar.timezone)
    local = datetime.fromisoformat(at).astimezone(zone)
    return moment_words(local, visit.app.calendar.local_day(visit.site.clock.now()), visit.t)


def events(
    visit: AppVisit, r: Any, model: EntityApp, history: Sequence[Mapping[str, Any]], stages: Sequence[Mapping[str, Any]]
) -> list[Event]:
    """The timeline, newest first."""
    names = {change["field"] for each in history for change in each["changes"]}
    titles = Titles(visit.lens, r, visit.files(r))
    sides = [
        {change["field"]: change[side] for change in each["changes"]} for each in history for side in ("old", "new")
    ]
    titles.of(model.name, sides, names)
    moves = {each["entered_at"]: each for each in stages}
    merged = {id for each in history if (id := _merged(each)) is not None}
    others = visit.lens.titles(r, model.name, merged)
    undone = {each["cause"].partition(":")[2] for each in history if (each["cause"] or "").startswith("undo:")}
    return [_told(visit, each, _event(visit, model, each, titles, moves), others, undone) for each in history]


def _merged(entry: Mapping[str, Any]) -> int | None:
    """The other record of a merge; None for anything else that happened."""
    kind, _, id = (entry["cause"] or "").partition(":")
    return id_in(id) if kind == "merge" else None


def _told(
    visit: AppVisit, entry: Mapping[str, Any], event: Event, others: Mapping[int, str], undone: set[str]
) -> Event:
    """A merge says with what, and can be taken back by whoever did it, unless it has been."""
    other, t = _merged(entry), visit.t
    if other is None:
        return event
    title = others.get(other)
    into = entry["action"] == "merge"
    words = t("did-merge-in-unseen") if title is None else t("did-merge-into" if into else "did-merge-in", title=title)
    own = visit.principal.administrator or entry["user"] == str(visit.principal.user)
    batch = entry["batch"] if own and entry["batch"] and entry["batch"] not in undone else ""
    return replace(event, words=words, icon="merge", reason="", batch=batch)


def _event(
    visit: AppVisit, model: EntityApp, entry: Mapping[str, Any], titles: Titles, moves: Mapping[str, Mapping[str, Any]]
) -> Event:
    t = visit.t
    moved = moves.get(entry["at"]) if entry["action"] == "transition" else None
    action, color, reason = entry["action"], "", ""
    if moved is not None:
        action = "return" if moved["direction"] == "return" else "transition"
        reason = _reason(visit, moved)
        words = t(f"did-{action}", source=_stage(visit, moved, "came_from"), target=_stage(visit, moved, "stage"))
    else:
        words = t(
            f"did-{action}" if f"did-{action}" in _KNOWN else "did-other",
            action=visit.app.action_label(action)[t.language],
            source="",
            target="",
        )
    if action == "delete":
        color = "red"
    set_by_stage = _set_by_stage(visit, moved) if moved is not None else frozenset()
    changes = tuple(
        replace(
            _difference(visit, model, change, titles), why=t("set-by-stage") if change["field"] in set_by_stage else ""
        )
        for change in entry["changes"]
        if change["field"] not in _QUIET and _worth(model, change)
    )
    if entry["action"] == "create":
        changes = ()
    labels = "、".join(
        model.labels[change["field"]][t.language]
        for change in entry["changes"]
        if change["field"] not in _QUIET and _worth(model, change)
    )
    if action == "update" and labels:
        words = f"{words} {labels}" if len(labels) <= 60 else f"{words} {labels[:60]}…"
    cause = entry.get("cause")
    who = entry["user_name"] or (t("visitor") if (cause or "").startswith("form:") else t("engine"))
    if cause:
        reason = reason or cause_words(visit, cause)
    return Event(
        who,
        words,
        when(entry["at"], visit),
        entry["at"],
        _ICONS.get(action, "edit"),
        color,
        reason,
        changes[:MOST_CHANGES],
    )


_CAUSES = ("form", "formula", "group", "clear", "conversion", "merge", "undo", "handover", "import", "demo")


def cause_words(visit: AppVisit, cause: str) -> str:
    """What brought a change about that nobody made himself: `import:people.csv`, `conversion:qualify`."""
    kind, _, detail = cause.partition(":")
    if kind not in _CAUSES:
        return visit.t("by-rule", rule=cause)
    named: dict[str, Label] = {name: each.label for name, each in visit.app.entities.items()}
    if kind == "form":
        detail = _form_words(visit, detail)
    if kind == "conversion":
        named = {
            name: each.label for source in visit.app.entities.values() for name, each in source.conversions.items()
        }
    return visit.t(f"cause-{kind}", detail=named[detail][visit.language] if detail in named else detail)


def _form_words(visit: AppVisit, detail: str) -> str:
    """A public form and the way to it, `ask:fair`, as they are called now; as they were written if they are no more."""
    name, _, channel = detail.partition(":")
    form = visit.app.public.get(name)
    if form is None or (channel and channel not in form.public.channels):
        return detail
    way = form.way_label(channel or None)
    return " · ".join(label[visit.language] for label in (form.label, way) if label is not None)


_KNOWN = frozenset(f"did-{each}" for each in (*_ICONS, "attach"))


def _worth(model: EntityApp, change: Mapping[str, Any]) -> bool:
    """Whether a change is shown: the small print of a score is not."""
    return not change["field"].endswith("_detail") and change["field"] in model.fields


def _set_by_stage(visit: AppVisit, moved: Mapping[str, Any]) -> frozenset[str]:
    """The fields that the stage sets on entering."""
    process = visit.app.processes.get(moved["process"])
    stage = process.stages.get(moved["stage"]) if process else None
    return frozenset(stage.sets) if stage else frozenset()


def _difference(visit: AppVisit, model: EntityApp, change: Mapping[str, Any], titles: Titles) -> Difference:
    name, t = change["field"], visit.t

    def words(value: Any) -> str:
        found = cell(visit.app, model, name, value, titles, t.language)
        if found.kind == "hidden":
            return t("not-visible")
        return "、".join(each.text for each in found.items) if found.kind == "files" else found.text

    before = words(change["old"])
    return Difference(model.labels[name][t.language], before or None, words(change["new"]) or t("was-empty"))


def _reason(visit: AppVisit, entry: Mapping[str, Any]) -> str:
    """The reason given for a transition; one of the declared reasons in the reader's words."""
    process = visit.app.processes.get(entry["process"])
    taken = process.transitions.get(entry["transition"] or "") if process else None
    key, colon, rest = (entry["reason"] or "").partition(": ")
    if taken is None or key not in taken.reasons:
        return entry["reason"] or ""
    return f"{taken.reasons[key][visit.language]}{colon}{rest}"


def _stage(visit: AppVisit, entry: Mapping[str, Any], key: str) -> str:
    process = visit.app.processes.get(entry["process"])
    name = entry[key]
    stage = process.stages.get(name) if process and name else None
    return stage.label[visit.language] if stage else str(name or "")


# -- the stage bar ---------------------------------------------------------------------------------------------------------


def stays(log: Sequence[Mapping[str, Any]]) -> dict[str, Stay]:
    """The stage log added up by stage."""
    found: dict[str, Stay] = {}
    for entry in log:
        stay = found.setdefault(entry["stage"], Stay())
        stay.seconds += entry["duration"]
        stay.working += entry["working"]
        stay.returns += entry["direction"] == "return"
        stay.visits.append(entry)
    return found


def stage_bar(
    visit: AppVisit, process: ProcessApp, current: str, log: Sequence[Mapping[str, Any]], blocked: bool
) -> list[Step]:
    """Every stage in order with how long the record stayed; ends that are failures only if it is there."""
    spent = stays(log)
    order = [name for name, stage in process.stages.items() if not stage.failed or name == current]
    at = order.index(current) if current in order else 0
    return [
        _step(visit, process.stages[name], position, at, spent.get(name), blocked)
        for position, name in enumerate(order)
    ]


def _title(visit: AppVisit, stage: StageApp) -> str:
    """What is said of a stage when somebody points at it."""
    declared, t = stage.definition, visit.t
    said = [declared.help[t.language]] if declared.help else []
    if declared.owner:
        said.append(t("stage-owner", role=visit.app.role_label(declared.owner)[t.language]))
    return " · ".join(said)


def _step(visit: AppVisit, stage: StageApp, position: int, at: int, stay: Stay | None, blocked: bool) -> Step:
    t = visit.t
    ended = stage.definition.end
    title = _title(visit, stage)
    state = "now" if position == at else "done" if position < at and stay else ""
    if position == at and ended:
        state = "lost" if stage.failed else "won"
    limit = stage.definition.limit
    allowed = t("stage-limit", limit=span_words(limit, t)) if limit and not ended else ""
    late = position == at and limit is not None and stay is not None and overdue(visit, stay, limit)
    if stay is None or ended:
        note = t("stage-skipped") if position < at and stay is None else allowed
        return Step(stage.label[t.language], state, note, title=title)
    parts = [elapsed(stay.seconds, t)]
    hours = f"{stay.working / HOUR:.1f}".removesuffix(".0")
    spent = t("stage-spent", time=parts[0], hours=hours)
    title = f"{title} · {spent}" if title else spent
    if position == at and limit:
        parts = [f"{parts[0]} / {allowed}"]
    if stay.returns:
        parts.append(t("stage-returns", count=stay.returns))
    return Step(stage.label[t.language], state, " · ".join(parts), late, blocked and position == at, title)


def stay_since(visit: AppVisit, entered: str) -> Stay:
    """The present visit of a stage, of a record that entered it at an instant."""
    now, then = visit.site.clock.now(), instant(datetime.fromisoformat(entered))
    seconds, working = (now - then) // MICROSECONDS, visit.app.calendar.working(then, now) // MICROSECONDS
    return Stay(seconds, working, 0, [{"entered_at": entered, "duration": seconds, "working": working}])


def overdue(visit: AppVisit, stay: Stay, limit: SpanValue) -> bool:
    """Whether the present visit of a stage has lasted longer than its limit."""
    last = stay.visits[-1]
    if limit.kind == "time":
        return int(last["duration"]) > limit.amount
    if limit.kind == "workhours":
        return int(last["working"]) > limit.amount * HOUR
    calendar = visit.app.calendar
    zone = ZoneInfo(visit.app.definition.calendar.timezone)
    entered = days(datetime.fromisoformat(last["entered_at"]).astimezone(zone).date())
    return calendar.index(calendar.local_day(visit.site.clock.now())) - calendar.index(entered) > limit.amount


def elapsed(seconds: int, t: Words) -> str:
    """6.1 days, 3.5 hours, 12 minutes."""
    if seconds >= DAY:
        return t("stage-days", days=f"{seconds / DAY:.1f}".removesuffix(".0"))
    if seconds >= HOUR:
        return t("stage-hours", hours=f"{seconds / HOUR:.1f}".removesuffix(".0"))
    return t("stage-minutes", minutes=seconds // MINUTE)


def span_words(span: SpanValue, t: Words) -> str:
    if span.kind != "time":
        return t(f"unit-{span.kind}", amount=span.amount)
    for unit, size in (("days", DAY), ("hours", HOUR), ("minutes", MINUTE)):
        if span.amount % size == 0:
            return t(f"unit-{unit}", amount=span.amount // size)
    return t("unit-minutes", amount=span.amount // MINUTE)
