"""What others changed on a record while somebody looks at it, in a sentence."""

from starlette.responses import Response

from engine.problems import Problem, Refused
from engine.web import incoming
from engine.web.pages.visit import AppVisit

MOST = 30  # changes that are looked at
NAMED = 3  # fields that are named


def get_changes(visit: AppVisit) -> Response:
    """`?on=entity:id&since=version`: who changed what since that version, as a piece of a page; empty if nobody else did."""
    asked = dict(visit.query)
    entity, _, id = asked.get("on", "").partition(":")
    since = asked.get("since", "")
    if not (since.isascii() and since.isdecimal() and len(since) < 10):
        raise Refused(Problem("not-found", entity), 404)
    record = incoming.record_id(id)
    with visit.read() as r:
        history = visit.lens.history(r, entity, record, MOST)
    model = visit.app.entities[entity]
    mine = str(visit.principal.user)
    others = [each for each in history if each["version"] > int(since) and each["user"] != mine]
    t = visit.t
    # The comma of the language that is read, between names of people and of fields.
    comma = "、" if t.language == "zh" else ", "
    people = list(dict.fromkeys(each["user_name"] or t("live-rule") for each in others))
    fields = list(
        dict.fromkeys(model.labels[change["field"]][t.language] for each in others for change in each["changes"])
    )
    named = comma.join(fields[:NAMED]) + (t("card-more", count=len(fields)) if len(fields) > NAMED else "")
    gone = any(each["action"] == "delete" for each in others)
    code = "live-deleted" if gone else "live-changed" if fields else "live-touched"
    words = t(code, who=comma.join(people[:NAMED]), what=named) if others else ""
    return visit.draw("changes.html", words=words, href=visit.href(entity, id))
