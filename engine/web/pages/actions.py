"""Buttons of a record page that do one thing: delete, restore, upload, convert."""

from collections.abc import Sequence

from starlette.responses import Response

from engine.app import EntityApp
from engine.fields.files import Attached
from engine.problems import Problem, Refused
from engine.runtime import Attach, Bulk, Convert, Delete, Restore
from engine.web import incoming
from engine.web.pages.records import record_page
from engine.web.pages.uploads import keep
from engine.web.pages.visit import AppVisit, Back


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
    """Bring a deleted record back; `first` names what must come back before it, as entity.id."""
    model = visit.model()
    entity, _, id = visit.field("first").partition(".")
    first = [Restore(entity, incoming.record_id(id))] if entity else []
    try:
        commands = (*first, Restore(model.name, visit.id))
        visit.site.runtime.execute(visit.app, visit.principal, Bulk(commands, atomic=True))
    except Refused as error:
        if error.status in (403, 404):
            raise
        return record_page(visit, error.status, error.problems, first=_first(visit, model, error.problems))
    return visit.go(visit.href(model.name, str(visit.id)), visit.t("was-restored"))


def _first(visit: AppVisit, model: EntityApp, problems: Sequence[Problem]) -> Back | None:
    """The way to restore what is missing and then the record, where one thing is missing that the reader may restore."""
    needs = [each for each in problems if each.code == "restore-needs"]
    target = model.lookups.get(needs[0].path.rpartition(".")[2]) if len(needs) == len(problems) == 1 else None
    if target is None or not visit.lens.may(target, "restore"):
        return None
    fields = {"first": f"{target}.{needs[0].parameters['id']}"}
    return Back(f"{visit.href(model.name, str(visit.id))}/restore", fields)


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
