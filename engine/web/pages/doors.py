"""The pages before and around an app: signing in and out, choosing an app, one's own page, the home page."""

from typing import Any

from starlette.responses import Response

from engine.app import EntityApp
from engine.columns import day
from engine.problems import Refused
from engine.reading import Query
from engine.web.observe import log
from engine.web.pages.cells import address
from engine.web.pages.filters import MOST_COUNTED, Option
from engine.web.pages.frame import DENSITIES, LANGUAGES, THEMES, WEEKDAYS, said
from engine.web.pages.looks import views_of
from engine.web.pages.visit import AppVisit, Visit, app_links, own_address
from engine.web.visitor import forget, remember

YEAR = 365 * 86_400


def get_root(visit: Visit) -> Response:
    """The only app one has a role in, else the choice."""
    apps = app_links(visit)
    if len(apps) == 1:
        return visit.go(apps[0].href)
    return visit.draw("apps.html", apps=apps)


def get_sign_in(visit: Visit) -> Response:
    after = own_address(visit.request.query_params.get("after", "/"))
    if visit.visitor.user is not None:
        return visit.go(after)
    note = visit.flash["note"] or (visit.t("session-over") if visit.request.query_params.get("after") else "")
    response = visit.draw("sign_in.html", after=after, login="", note=note)
    chosen = visit.request.query_params.get("language")
    if chosen in dict(LANGUAGES):
        _keep(visit, response, "language", chosen)
    return response


def post_sign_in(visit: Visit) -> Response:
    """A new session, always with a new id: one that somebody slipped to the browser before is worth nothing."""
    login, people = visit.field("login")[:200], visit.site.people
    try:
        session = people.sign_in(login, visit.field("password"), visit.visitor.address)
    except Refused as error:
        found = said(error.problems, visit.language)
        return visit.draw("sign_in.html", error.status, after=visit.after("/"), login=login, problems=found)
    log.info("signed-in", user=session.user, address=visit.visitor.address)
    if visit.visitor.cookie is not None:
        people.sign_out(visit.visitor.cookie)
    response = visit.go(visit.after("/"))
    remember(response, visit.request, session, visit.site.clock.now())
    return response


def post_sign_out(visit: Visit) -> Response:
    if visit.visitor.cookie is not None:
        visit.site.people.sign_out(visit.visitor.cookie)
    response = visit.go("/sign-in", visit.t("signed-out"))
    forget(response, visit.request)
    return response


def post_settings(visit: Visit) -> Response:
    """Language, appearance and density. The language is kept with the person, the others with the browser."""
    response = visit.go(visit.after("/"))
    language, theme, density = visit.field("language"), visit.field("theme"), visit.field("density")
    if language in dict(LANGUAGES):
        if visit.visitor.user is not None:
            visit.site.people.set_language(visit.visitor.user, "en" if language == "en" else "zh")
        _keep(visit, response, "language", language)
    if theme in THEMES:
        _keep(visit, response, "theme", theme)
    if density in DENSITIES:
        _keep(visit, response, "density", density)
    return response


def _keep(visit: Visit, response: Response, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=YEAR, path="/", secure=visit.secure, samesite="lax", httponly=True)


def get_me(visit: AppVisit) -> Response:
    """One's own page inside an app: who one is there, and how the pages look."""
    t, cookies = visit.t, visit.request.cookies
    visit.current = "~me"
    theme, density = cookies.get("theme", "auto"), cookies.get("density", "default")
    roles = [
        visit.app.role_label(role)[visit.language]
        for role in visit.app.definition.roles
        if role in visit.principal.roles
    ]
    settings = (
        {
            "name": "language",
            "label": t("language"),
            "options": [Option(key, label, key == visit.language) for key, label in LANGUAGES],
        },
        {
            "name": "theme",
            "label": t("theme"),
            "options": [Option(key, t(f"theme-{key}"), key == theme) for key in THEMES],
        },
        {
            "name": "density",
            "label": t("density"),
            "options": [Option(key, t(f"density-{key}"), key == density) for key in DENSITIES],
        },
    )
    return visit.draw("me.html", principal=visit.principal, roles=roles, settings=settings, here=visit.here)


def to_home(visit: AppVisit) -> Response:
    return visit.go(f"/{visit.app.name}/")


def get_home(visit: AppVisit) -> Response:
    """What there is: each kind of record with how many one sees and how many are one's own."""
    visit.current = ""
    with visit.read() as r:
        models = [visit.app.entities[name] for name in visit.lens.entities()]
        own = sorted((model for model in models if model.part_of is None), key=visit.rank)
        cards = [_card(visit, r, model) for model in own]
    today = day(visit.app.calendar.local_day(visit.site.clock.now()))
    weekday = WEEKDAYS[visit.language][today.weekday()]
    words = f"{today.month} 月 {today.day} 日 {weekday}" if visit.language == "zh" else f"{weekday} {today.isoformat()}"
    return visit.draw("home.html", cards=cards, today=words)


def owner_field(visit: AppVisit, model: EntityApp) -> str | None:
    """The field that says whose a record is: the first one that names a user."""
    fields = visit.lens.fields(model.name)
    own = model.definition.fields if model.definition else {}
    return next((name for name in own if name in fields and fields[name].type == "user"), None)


def _card(visit: AppVisit, r: Any, model: EntityApp) -> dict[str, Any]:
    link, lens = visit.entity(model), visit.lens
    owner = owner_field(visit, model)
    mine = None
    if owner and visit.principal.user is not None:
        count = lens.count(r, model.name, Query(filters={owner: str(visit.principal.user)}), MOST_COUNTED + 1)
        mine = {"count": _number(count), "href": f"{link.href}?view=all&f.{owner}=me"} if count else None
    views = [
        {"label": view.label[visit.language], "href": f"{link.href}?view={view.name}"} for view in views_of(lens, model)
    ]
    return {
        "label": link.label,
        "icon": link.icon,
        "href": link.href,
        "count": _number(lens.count(r, model.name, Query(), MOST_COUNTED + 1)),
        "mine": mine,
        "views": views[:6],
        "new": address(visit.app.name, model.name, "new") if lens.may(model.name, "create") else "",
    }


def _number(count: int) -> str:
    return f"{MOST_COUNTED:,}+" if count > MOST_COUNTED else f"{count:,}"
