"""The pages before and around an app: signing in and out, choosing an app, one's own page."""

from starlette.responses import Response

from engine.problems import Refused
from engine.web.observe import log
from engine.web.pages.filters import Option
from engine.web.pages.frame import DENSITIES, LANGUAGES, THEMES, said
from engine.web.pages.homes import home_options
from engine.web.pages.kept import kept
from engine.web.pages.tools import tools
from engine.web.pages.visit import HOME, AppVisit, Visit, app_links, own_address
from engine.web.visitor import forget, remember

KEYS = ("on", "off")
MOST_KEPT = 12
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
    if visit.field("keys") in KEYS:
        _keep(visit, response, "keys", visit.field("keys"))
    return response


def _keep(visit: Visit, response: Response, name: str, value: str, path: str = "/") -> None:
    response.set_cookie(name, value, max_age=YEAR, path=path, secure=visit.secure, samesite="lax", httponly=True)


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
        {
            "name": "keys",
            "label": t("keys-setting"),
            "options": [
                Option(key, t(f"keys-{key}"), (key == "off") == (cookies.get("keys") == "off")) for key in KEYS
            ],
        },
    )
    with visit.read() as r:
        stars, seen = kept(visit, r, "star", MOST_KEPT), kept(visit, r, "seen", MOST_KEPT)
    return visit.draw(
        "me.html",
        tools=tools(visit),
        principal=visit.principal,
        roles=roles,
        settings=settings,
        homes=home_options(visit),
        starred=stars,
        recent=seen,
        here=visit.here,
    )


def post_me(visit: AppVisit) -> Response:
    """Choose one of the homes that fit; kept with the browser, as how the pages look is."""
    response = visit.go(visit.after(f"/{visit.app.name}/my-page"))
    name = visit.field("home")
    if name in [home.name for home in visit.homes()]:
        _keep(visit, response, HOME, name, f"/{visit.app.name}/")
    return response
