"""Buttons of a record page that do one thing: delete, restore, upload, convert."""

from starlette.responses import Response

from engine.fields.files import Attached
from engine.problems import Problem, Refused
from engine.runtime import Attach, Convert, Delete, Restore
from engine.web.pages.records import record_page
from engine.web.pages.uploads import keep
from engine.web.pages.visit import AppVisit


def post_delete(visit: AppVisit) -> Response:
    model = visit.model()
    try:
        visit.site.runtime.execute(
            visit.app, visit.principal, Delete(model.name, visit.id, visit.number("~version") or 0)
        )
    except Refused as error:
        if error.status in (403, 404):
            raise
        return record_page(visit, error.status, error.problems)
    return visit.go(visit.href(model.name), visit.t("was-deleted"))


def post_restore(visit: AppVisit) -> Response:
    model = visit.model()
    visit.site.runtime.execute(visit.app, visit.principal, Restore(model.name, visit.id))
    return visit.go(visit.href(model.name, str(visit.id)), visit.t("was-restored"))


def post_files(visit: AppVisit) -> Response:
    """Attach what was chosen to a file field of the record."""
    model, name = visit.model(), visit.request.path_params["field"]
    href = visit.href(model.name, str(visit.id))
    each = model.fields.get(name)
    if not isinstance(each, Attached) or name not in visit.lens.fields(model.name):
        raise Refused(Problem("not-found", model.name), 404)
    with visit.site.db.read() as r:
        if not visit.lens.allowed(r, model.name, "update", visit.id):
            raise Refused(Problem("not-found", model.name), 404)
    try:
        for upload in visit.uploads("file"):
            file = keep(visit, model, name, name, upload)
            visit.site.runtime.execute(visit.app, visit.principal, Attach(model.name, visit.id, name, file))
    except Refused as error:
        if error.status in (403, 404):
            raise
        return record_page(visit, error.status, error.problems)
    return visit.go(visit.after(href), visit.t("uploaded"))


def post_convert(visit: AppVisit) -> Response:
    """Run a conversion and show the first record that it made."""
    model, name = visit.model(), visit.request.path_params["conversion"]
    try:
        outcome = visit.site.runtime.execute(visit.app, visit.principal, Convert(model.name, visit.id, name))
    except Refused as error:
        if error.status in (403, 404):
            raise
        return record_page(visit, error.status, error.problems)
    made = outcome.details.get("made", {})
    conversion = model.conversions[name].definition
    last = next((target for target in reversed(list(conversion.to)) if target in made), None)
    entity = (conversion.to[last].entity or last) if last else model.name
    return visit.go(visit.href(entity, made[last] if last else str(visit.id)), visit.t("created"))
