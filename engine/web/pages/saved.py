"""Saving what one looks at as a view, replacing, sharing and deleting it, and choosing what comes first."""

from urllib.parse import parse_qsl

from starlette.responses import Response

from engine.access.saved_views import Shared
from engine.problems import Problem, Refused
from engine.web import incoming
from engine.web.pages.looks import FORMS, keeps
from engine.web.pages.visit import AppVisit

MOST_PARAMETERS = 100


def post_views(visit: AppVisit) -> Response:
    """What the form says: `save`, `replace`, `drop` or `first`; then back to the list."""
    match visit.field("do"):
        case "save":
            return _save(visit)
        case "replace":
            return _replace(visit)
        case "drop":
            return _drop(visit)
        case "first":
            return _first(visit)
        case _:
            raise Refused(Problem("not-found", visit.entity_name), 404)


def _save(visit: AppVisit) -> Response:
    model = visit.model()
    form, parameters = _look(visit)
    id = visit.site.saved.add(
        visit.principal, visit.app.name, model.name, visit.field("label"), form, parameters, _shared(visit)
    )
    if visit.field("default"):
        _keep(visit, {"saved": id})
    return visit.go(_address(visit, form, id), visit.t("view-saved", name=" ".join(visit.field("label").split())))


def _replace(visit: AppVisit) -> Response:
    """Another name, other readers, or another look; what the form leaves out stays as it is."""
    model, id = visit.model(), incoming.record_id(visit.field("id"))
    form, parameters = _look(visit)
    with visit.site.db.read() as r:
        found = visit.site.saved.one(r, visit.principal, visit.app.name, model.name, id)
    if found is None or not found.mine:
        raise Refused(Problem("not-found", "view"), 404)
    keep = not visit.field("look")
    visit.site.saved.change(
        visit.principal, visit.app.name, model.name, id, visit.number("version") or 0,
        label=visit.field("label"), form=found.form if keep else form, parameters=found.parameters if keep else parameters,
        shared=_shared(visit, found.shared),
    )  # fmt: skip
    if visit.field("default"):
        _keep(visit, {"saved": id})
    return visit.go(_address(visit, found.form if keep else form, id), visit.t("view-replaced"))


def _drop(visit: AppVisit) -> Response:
    model, id = visit.model(), incoming.record_id(visit.field("id"))
    visit.site.saved.drop(visit.principal, visit.app.name, model.name, id, visit.number("version") or 0)
    return visit.go(visit.href(model.name), visit.t("view-dropped"))


def _first(visit: AppVisit) -> Response:
    """What comes first when one opens the list without saying more; nothing chosen means the definition's default."""
    model = visit.model()
    if visit.field("off"):
        visit.site.personal.drop(_user(visit), visit.app.name, "setting", f"list.{model.name}")
        return visit.go(visit.after(visit.href(model.name)), visit.t("view-first-off"))
    if id := visit.field("id"):
        _keep(visit, {"saved": incoming.record_id(id)})
    else:
        _keep(visit, {"view": visit.field("view")[:100]})
    return visit.go(visit.after(visit.href(model.name)), visit.t("view-first-on"))


def _keep(visit: AppVisit, value: dict[str, object]) -> None:
    visit.site.personal.keep(_user(visit), visit.app.name, "setting", f"list.{visit.model().name}", value)


def _user(visit: AppVisit) -> int:
    user = visit.principal.user
    assert user is not None  # nobody else is let in
    return user


def _look(visit: AppVisit) -> tuple[str, list[tuple[str, str]]]:
    """Form and parameters, as far as they say how one looks at the records."""
    form = visit.field("form")
    pairs = parse_qsl(visit.field("parameters"), max_num_fields=None)[:MOST_PARAMETERS]
    return form if form in FORMS else "list", [(key, value) for key, value in pairs if keeps(key) and "\0" not in value]


def _shared(visit: AppVisit, before: Shared = "none") -> Shared:
    """With whom. Sharing with everybody is an action of its own, which a role must be given; what was shared may stay so."""
    wanted = visit.field("shared")
    if wanted == "all" and before != "all" and not visit.lens.may(visit.model().name, "share"):
        raise Refused(Problem("view-share", "shared"), 403)
    return "all" if wanted == "all" else "team" if wanted == "team" else "none"


def _address(visit: AppVisit, form: str, id: int) -> str:
    parts = () if form == "list" else (form,)
    return f"{visit.href(visit.model().name, *parts)}?saved={id}"
