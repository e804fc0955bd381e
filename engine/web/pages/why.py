"""Why somebody may not: the rule in words, what the record's own state forbids, and whom to ask.

The answer is the lens's own (`engine.reading.why`), the same as `dougong explain` gives.  Of records and fields that the
reader may not know nothing is said: they are not found.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from engine.access.definition import ACTIONS, Action
from engine.app import EntityApp
from engine.problems import Problem, Refused
from engine.reading import Lens
from engine.reading.why import roles_that_may
from engine.runtime.handover import owned
from engine.web.pages.cells import id_in
from engine.web.pages.gates import label_of, ways_of
from engine.web.pages.visit import AppVisit

MOST_NAMED, MOST_TRIED, MOST_ROLES = 3, 12, 4
# What is asked of a record, and of a list.
OF_RECORD: tuple[Action, ...] = ("read", "update", "delete", "transition", "convert", "merge")
OF_LIST: tuple[Action, ...] = (
    "read",
    "create",
    "update",
    "delete",
    "restore",
    "transition",
    "merge",
    "import",
    "export",
    "handover",
)


@dataclass(frozen=True)
class Reason:
    """One thing that somebody may or may not. `whom` are names, `roles` the jobs of those who may."""

    label: str
    allowed: bool
    words: tuple[str, ...]
    whom: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


def get_why(visit: AppVisit) -> Response:
    """The explanation of one action, field or transition; of everything where nothing is named. Raises Refused (404)."""
    model, asked = visit.model(), dict(visit.query)
    id = visit.id if "id" in visit.request.path_params else None
    action = next((each for each in ACTIONS if each == asked.get("action", "read")), None)
    field, transition = asked.get("field"), asked.get("transition")
    if action is None or (field is not None and field not in visit.lens.fields(model.name)):
        raise Refused(Problem("not-found", model.name), 404)
    with visit.read() as r:
        if id is not None and visit.lens.shown(r, model.name, id) is None:
            raise Refused(Problem("not-found", model.name), 404)
        if transition is not None and id is not None:
            reasons = [_of_transition(visit, r, model, id, transition)]
        elif "action" in asked or field is not None:
            reasons = [reason(visit, r, model, action, id, field)]
        else:
            reasons = [reason(visit, r, model, each, id, None) for each in _asked(visit, model, id)]
    href = visit.href(model.name, str(id)) if id is not None else visit.href(model.name)
    template = "why_part.html" if asked.get("part") else "why.html"
    return visit.draw(template, reasons=reasons, entity=visit.entity(model), href=href)


def _asked(visit: AppVisit, model: EntityApp, id: int | None) -> Iterable[Action]:
    for each in OF_RECORD if id is not None else OF_LIST:
        fits = {"transition": bool(model.processes), "convert": bool(model.conversions), "handover": bool(owned(model))}
        if fits.get(each, True):
            yield each


def reason(visit: AppVisit, r: Any, model: EntityApp, action: Action, id: int | None, field: str | None) -> Reason:
    lens = visit.lens
    verdicts = lens.explain(r, model.name, action, id, field, own=True)
    allowed = any(each["allowed"] for each in verdicts)
    label = visit.app.action_label(action)[visit.language]
    if field is not None:
        label = visit.t("why-field", action=label, field=model.labels[field][visit.language])
    words = [each["words"] for each in verdicts if each["allowed"] == allowed]
    if allowed and field is not None and id is not None and action != "read":
        lock = locked(visit, r, model, id, field, lens)
        if lock:
            return Reason(label, False, (lock,))
    if field is not None and action != "read" and model.fields[field].derived:
        return Reason(label, False, (visit.t("why-derived"),))
    if allowed:
        return Reason(label, True, tuple(dict.fromkeys(words)))
    roles = roles_that_may(visit.app, model.name, action, field)
    named = _whom(visit, r, model, action, id, field, roles)
    return Reason(label, False, tuple(dict.fromkeys(words)), named, _labels(visit, roles))


def locked(visit: AppVisit, r: Any, model: EntityApp, id: int, field: str, lens: Lens) -> str:
    """What the record's own state says of a field; empty if it may be changed. `lens` is that of whom it is told of."""
    rule = model.readonly_when.get(field)
    if rule is None:
        return ""
    work = visit.site.runtime.work(visit.app, lens.principal, r)
    draft = work.find(model, id)
    if draft is None or not work.locked(draft, frozenset((field,)), ""):
        return ""
    return (
        visit.t("why-locked", rule=visit.app.say(rule)[visit.language])
        if visit.lens.knows(rule)
        else visit.t("why-locked-unseen")
    )


def _of_transition(visit: AppVisit, r: Any, model: EntityApp, id: int, name: str) -> Reason:
    way = (
        next((each for each in ways_of(visit, r, model, id) if each.transition.name == name), None)
        if model.processes
        else None
    )
    if way is None:
        raise Refused(Problem("not-found", model.name), 404)
    label = label_of(visit, way)
    if way.refusal is None:
        return Reason(label, True, ())
    by = way.transition.by
    roles = tuple(
        role
        for role in roles_that_may(visit.app, model.name, "transition")
        if not by or visit.app.policies.closure([role]) & set(by) or visit.app.policies.administrator([role])
    )
    words = " ".join(each for each in (way.refusal.message(visit.language), way.refusal.hint(visit.language)) if each)
    return Reason(label, False, (words,), _whom(visit, r, model, "transition", id, None, roles), _labels(visit, roles))


def _labels(visit: AppVisit, roles: Iterable[str]) -> tuple[str, ...]:
    return tuple(visit.app.role_label(role)[visit.language] for role in roles)[:MOST_ROLES]


def _whom(
    visit: AppVisit, r: Any, model: EntityApp, action: Action, id: int | None, field: str | None, roles: Iterable[str]
) -> tuple[str, ...]:  # fmt: skip
    """A few people who really may: whoever owns the record, whoever leads the reader, then others with such a role."""
    site, app, me = visit.site, visit.app, visit.principal.user
    near = [*_owners(visit, r, model, id), *([above] if me is not None and (above := site.directory.above(me)) else [])]
    names = {each.id: each.name for each in site.directory.named(app.name, near).values() if each.active}
    names |= {each.id: each.name for each in site.directory.holders(app.name, roles, MOST_TRIED)}
    found: list[str] = []
    for user in [each for each in dict.fromkeys((*near, *names)) if each in names and each != me][:MOST_TRIED]:
        principal = site.people.principal(user, app.name, app.policies)
        if principal is None:
            continue
        verdicts = site.reading(app).lens(principal)
        try:
            able = any(each["allowed"] for each in verdicts.explain(r, model.name, action, id, field))
        except Refused:
            able = False  # it is not there for him
        if able:
            found.append(names[user])
        if len(found) == MOST_NAMED:
            break
    return tuple(found)


def _owners(visit: AppVisit, r: Any, model: EntityApp, id: int | None) -> list[int]:
    """Whose the record is, as far as the reader sees it."""
    names = tuple(name for name in owned(model) if name in visit.lens.fields(model.name))
    record: Mapping[str, Any] = (visit.lens.get(r, model.name, id, names) if id is not None and names else None) or {}
    return [number for name in names if (number := id_in(record.get(name))) is not None]
