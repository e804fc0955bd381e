"""Drafts: what somebody typed into a form and has not saved, kept for him and offered when he comes back.

A draft is the form as it would have been sent, without its files: names and texts, with the version and the values it began
with.  Taking it up again reads it as a sent form is read, so a record that somebody changed meanwhile leads to the same
choice between both values as ever.
"""

from typing import Any

import orjson
from starlette.datastructures import FormData
from starlette.responses import Response

from engine.app import EntityApp
from engine.clock import MICROSECONDS
from engine.problems import Problem, Refused
from engine.web.pages.posted import base_of
from engine.web.pages.visit import AppVisit

MOST_PAIRS = 4000
_NEVER = ("csrf", "~add", "~drafted")


def draft_key(model: EntityApp, id: int | None) -> str:
    """Under which the draft of a new record, or of a change to one, is kept."""
    return f"{model.name}/{id if id is not None else 'new'}"


def post_draft(visit: AppVisit) -> Response:
    """Keep a form as it stands, or drop what was kept; the answer says until when it reaches."""
    assert visit.form is not None
    model, user = visit.model(), visit.principal.user
    id = _id(visit)
    if user is None or not visit.lens.may(model.name, "update" if id is not None else "create"):
        raise Refused(Problem("not-found"), 404)
    if visit.field("~discard"):
        visit.site.personal.drop(user, visit.app.name, "draft", draft_key(model, id))
        place = (model.name, str(id), "edit") if id is not None else (model.name, "new")
        return visit.go(visit.href(*place))
    pairs = [(name, text) for name, text in visit.form.multi_items() if isinstance(text, str) and name not in _NEVER]
    now = visit.site.clock.now()
    kept = {"at": now, "pairs": pairs[:MOST_PAIRS]}
    visit.site.personal.keep(user, visit.app.name, "draft", draft_key(model, id), kept)
    return Response(orjson.dumps({"said": visit.t("draft-said")}), media_type="application/json")


def _id(visit: AppVisit) -> int | None:
    return visit.id if "id" in visit.request.path_params else None


def offered(visit: AppVisit, model: EntityApp, id: int | None) -> str:
    """How old the draft is that waits for this form, in words; empty if there is none."""
    kept = _kept(visit, model, id)
    if kept is None:
        return ""
    minutes = max(0, visit.site.clock.now() - kept["at"]) // (60 * MICROSECONDS)
    if minutes < 1:
        return visit.t("ago-moment")
    if minutes < 60:
        return visit.t("ago-minutes", count=minutes)
    if minutes < 24 * 60:
        return visit.t("ago-hours", count=minutes // 60)
    return visit.t("ago-days", count=minutes // (24 * 60))


def taken_up(visit: AppVisit, model: EntityApp, id: int | None) -> FormData | None:
    """The draft as a form that was sent; None if there is none. What he may no longer see is not in it."""
    kept = _kept(visit, model, id)
    if kept is None:
        return None
    seen = visit.lens.fields(model.name)
    base = {name: value for name, value in base_of(dict(kept["pairs"]).get("~base", "")).items() if name in seen}
    pairs = [(name, text) for name, text in kept["pairs"] if name != "~base"]
    return FormData([*pairs, ("~base", orjson.dumps(base).decode()), ("~drafted", "true")])


def _kept(visit: AppVisit, model: EntityApp, id: int | None) -> dict[str, Any] | None:
    user = visit.principal.user
    if user is None:
        return None
    kept: dict[str, Any] | None = visit.site.personal.one(user, visit.app.name, "draft", draft_key(model, id))
    return kept


def drop(visit: AppVisit, model: EntityApp, id: int | None) -> None:
    """The form was saved: its draft is no longer needed. A form that never had one says nothing of it."""
    user = visit.principal.user
    if user is not None and visit.field("~drafted"):
        visit.site.personal.drop(user, visit.app.name, "draft", draft_key(model, id))
