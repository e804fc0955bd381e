"""One visit to a page: who comes, what he may see, what the form said, and the answer that is drawn for him.

A `Page` is the ASGI application of one address.  Its functions run in a worker thread, since drawing a page costs
milliseconds; they return a response or raise `Refused`, which becomes a page of its own.  Whoever has not signed in is
sent to the sign-in page and comes back afterwards.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, unquote, urlencode

import orjson
from anyio import CapacityLimiter, to_thread
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from engine.access.principal import Principal
from engine.app import App, EntityApp, HomeApp
from engine.app.public import PublicForm
from engine.problems import Language, Problem, Refused
from engine.reading import Lens, Query
from engine.storage.errors import LockTimeout, StatementTimeout, Unavailable
from engine.web import incoming
from engine.web.observe import log
from engine.web.pages.cells import Cell, address
from engine.web.pages.frame import DENSITIES, LANGUAGES, THEMES, Link, MenuGroup, Shell, Words, draw, icon_of, said
from engine.web.pages.uploads import file_cells
from engine.web.site import Site
from engine.web.visitor import Visitor, forget, genuine, visitor


@dataclass(frozen=True)
class Back:
    """The way back from what was just done: a form with these fields, shown once beside the note that says so."""

    action: str
    fields: Mapping[str, str]


MOST_PARTS = 4000
MOST_FILES = 100
MOST_TEXT = 1 << 20  # bytes of one value that is not a file
FLASH = "dougong-note"
HOME = "home"  # the cookie that names the home that he chose, one for each app
MOST_UNREAD = 99
STARS = 6  # at the side
BAR = 3  # entities in a phone's bar
FOLDED = "folded"  # groups of the menu that the reader closed, as pages.js keeps them
REST = "~rest"
LONGEST_FLASH = 3500  # a browser drops a cookie of more than 4 kB


class Visit:
    """A request for a page outside any app: signing in, choosing an app, one's settings."""

    app: App | None = None

    def __init__(self, request: Request, site: Site, who: Visitor, form: FormData | None) -> None:
        self.request, self.site, self.visitor = request, site, who
        self.form = form
        self.query: tuple[tuple[str, str], ...] = tuple(request.query_params.multi_items())
        self.language = self._language()
        self.flash = _flash(request)

    def _language(self) -> Language:
        """What the address or an earlier choice in this browser says, else the person's own, else the browser's."""
        for chosen in (self.request.query_params.get("language"), self.request.cookies.get("language")):
            if chosen in dict(LANGUAGES):
                return "en" if chosen == "en" else "zh"
        person = self.site.people.person(self.visitor.user) if self.visitor.user is not None else None
        return person.language if person else self.visitor.language or self.site.settings.default_language

    @property
    def t(self) -> Words:
        return Words(self.language)

    @property
    def path(self) -> str:
        return str(self.request.url.path)

    @property
    def secure(self) -> bool:
        """Whether the browser came over TLS, and so must the cookies come back."""
        return bool(self.request.scope.get("scheme") == "https")

    @property
    def here(self) -> str:
        """The address of this page, to come back to."""
        query = self.request.url.query
        return f"{self.path}?{query}" if query else self.path

    def field(self, name: str) -> str:
        """A value of the posted form; empty if it is missing."""
        value = self.form.get(name) if self.form is not None else None
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> int | None:
        """A whole number of the posted form, such as a version; None if it is missing or something else."""
        text = self.field(name)
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None

    def uploads(self, name: str) -> list[UploadFile]:
        """The files of the posted form under a name."""
        found = self.form.getlist(name) if self.form is not None else []
        return [each for each in found if isinstance(each, UploadFile) and each.filename]

    def read(self) -> AbstractContextManager[Any]:
        """One look at the database: everything on a page is of the same moment."""
        return self.site.db.read(snapshot=True)

    def shell(self) -> Shell | None:
        return None

    def draw(self, template: str, status: int = 200, **values: Any) -> Response:
        theme = self.request.cookies.get("theme", "")
        density = self.request.cookies.get("density", "")
        session = self.visitor.session
        common = {
            "shell": self.shell(),
            "csrf": session.csrf if session else "",
            "theme": theme if theme in THEMES[1:] else "",
            "density": density if density in DENSITIES else "default",
            "keys": "off" if self.request.cookies.get("keys") == "off" else "on",
            "note": self.flash["note"],
            "warnings": self.flash["warnings"],
            "undo": self.flash["undo"],
        }
        response = HTMLResponse(draw(template, self.language, {**common, **values}), status, {"vary": "Cookie"})
        if FLASH in self.request.cookies and self.request.method == "GET":
            response.delete_cookie(FLASH, path="/")
        return response

    def go(self, href: str, note: str = "", warnings: Iterable[str] = (), back: Back | None = None) -> Response:
        """Send the browser on after something was done, with a note to show there once, and the way back if there is one."""
        response = RedirectResponse(own_address(href), 303)
        if note or warnings:
            told = _folded(note, list(warnings), back)
            response.set_cookie(FLASH, told, max_age=120, path="/", secure=self.secure, httponly=True, samesite="lax")
        return response

    @property
    def after_asked(self) -> str:
        """Where whoever opened this page wants to go on afterwards; empty if he said nothing."""
        asked = self.field("after") or self.request.query_params.get("after", "")
        return own_address(asked, "") if asked else ""

    def after(self, default: str) -> str:
        """Where the form says to go next, if that is a page of ours."""
        return own_address(self.field("after"), default)

    def refused(self, error: Refused) -> Response:
        """The page of a refusal that no page of its own shows."""
        t = self.t
        kinds = {404: ("not-found", "not-found-hint", "search"), 403: ("forbidden", "forbidden-hint", "lock")}
        title, hint, sign = kinds.get(error.status, ("error", "error-safe", "alert"))
        found = [] if error.status == 404 else said(error.problems, self.language)
        return self.draw(
            "problem.html", error.status, title=t(title), hint=t(hint), sign=sign, problems=found, number=""
        )

    def failed(self, number: str) -> Response:
        """The page of a mistake of ours: nothing was changed, and the number finds it in the log."""
        t = self.t
        return self.draw(
            "problem.html", 500, title=t("error"), hint=t("error-safe"), sign="alert", problems=(), number=number
        )


class AppVisit(Visit):
    """A visit to a page of one app, by somebody who has a role in it."""

    app: App

    def __init__(self, request: Request, site: Site, who: Visitor, form: FormData | None) -> None:
        super().__init__(request, site, who, form)
        user = who.signed_in()
        self.app = site.app(request.path_params["app"])
        principal = site.people.principal(user, self.app.name, self.app.policies)
        if principal is None:
            raise Refused(Problem("not-found"), 404)
        self.principal: Principal = (
            principal if principal.language == self.language else replace(principal, language=self.language)
        )
        self.lens: Lens = site.reading(self.app).lens(self.principal)
        self.current = request.path_params.get("entity", "")

    @property
    def entity_name(self) -> str:
        return str(self.request.path_params["entity"])

    @property
    def id(self) -> int:
        return incoming.record_id(str(self.request.path_params["id"]))

    def model(self) -> EntityApp:
        """The entity of the address. Raises Refused (404) if it is not there for the reader."""
        model = self.lens.view.model(self.entity_name)
        if model.system:
            raise Refused(Problem("not-found", model.name), 404)
        return model

    def entity(self, model: EntityApp) -> Link:
        icon = model.definition.icon if model.definition else None
        return Link(model.label[self.language], address(self.app.name, model.name), icon_of(icon), model.name)

    def href(self, *parts: str) -> str:
        return address(self.app.name, *parts)

    def files(self, r: Any) -> Callable[[Iterable[str]], Mapping[str, Cell]]:
        return lambda ids: file_cells(self, r, ids)

    def managed_forms(self) -> list[PublicForm]:
        """The public forms of the app whose addresses the visitor may hand out."""
        mine = self.principal
        forms = self.app.public.values()
        return [form for form in forms if mine.administrator or mine.roles & set(form.public.managed_by)]

    def list_actions(self, model: EntityApp, query: Query) -> list[Link]:
        """What else can be done from a list: bring rows in, take its rows along."""
        found = []
        if any(form.entity == model.name for form in self.managed_forms()):
            found.append(Link(self.t("public-forms"), self.href("public-forms"), "globe"))
        if self.lens.may(model.name, "import"):
            found.append(Link(self.t("import"), self.href(model.name, "import"), "upload"))
        if model.duplicates is not None and self.lens.may(model.name, "merge"):
            found.append(Link(self.t("pairs"), f"{self.href('my-duplicates')}?entity={quote(model.name)}", "merge"))
        if not self.lens.may(model.name, "export"):
            return found
        asked = {
            "filter": query.where,
            "search": query.search,
            "view": query.view,
            "sort": ",".join(query.sort),
            **query.filters,
        }
        parameters = urlencode({name: value for name, value in asked.items() if value})
        href = f"/api/v1/{quote(self.app.name)}/{quote(model.name)}/export.xlsx"
        return [*found, Link(self.t("export"), f"{href}?{parameters}" if parameters else href, "download")]

    def shell(self) -> Shell:
        # What is edited with its parent is found there.
        shown = [model for name in self.lens.entities() if (model := self.app.entities[name]).part_of is None]
        links = {model.name: replace(self.entity(model), current=model.name == self.current) for model in shown}
        home = f"/{self.app.name}/"
        return Shell(
            self.app.label[self.language], home, f"{home}my-page", f"{home}my-search", self.principal.name, self._team(),
            self.current, self._menu(links), tuple(links[name] for name in self._bar(shown)), app_links(self, self.app.name),
            f"{home}my-help", f"{home}my-live", f"{home}manifest.webmanifest",
            f"{home}my-notices", self._unread(), self._starred(),
        )  # fmt: skip

    def _unread(self) -> str:
        """How many notices he has not read; empty for none."""
        count = self.site.notices.unread(self.principal.user, self.app.name) if self.principal.user is not None else 0
        return (f"{MOST_UNREAD}+" if count > MOST_UNREAD else str(count)) if count else ""

    def _starred(self) -> tuple[Link, ...]:
        """The records that he starred, the latest first."""
        from engine.web.pages.kept import kept  # which asks visits

        with self.site.db.read() as r:
            return tuple(Link(each.label, each.href, each.icon) for each in kept(self, r, "star", STARS))

    def _bar(self, shown: Sequence[EntityApp]) -> list[str]:
        """The entities in a phone's bar: those that his home names, then what is worked on most."""
        names = [model.name for model in sorted(shown, key=self.rank)]
        home = self.home()
        own = [name for name in (home.bar if home else ()) if name in names]
        return list(dict.fromkeys((*own, *names)))[:BAR]

    def homes(self) -> list[HomeApp]:
        """The homes that fit the reader, in the order of the definition."""
        return [home for home in self.app.homes.values() if home.fits(self.principal.roles)]

    def home(self) -> HomeApp | None:
        """His home: the one chosen in this browser, else the first that fits; None where the definition has none for him."""
        fitting, chosen = self.homes(), self.request.cookies.get(HOME)
        return next((home for home in fitting if home.name == chosen), fitting[0] if fitting else None)

    def _menu(self, links: Mapping[str, Link]) -> tuple[MenuGroup, ...]:
        """What the reader sees of each group; what no group names comes last."""
        folded = self.request.cookies.get(FOLDED)
        known = None if folded is None else frozenset(folded.split("."))
        made, left = [], dict(links)
        for name, group in self.app.definition.menu.items():
            shown = tuple(left.pop(each) for each in group.entities if each in left)
            here = any(link.current for link in shown)
            label = group.label[self.language] if group.label else name
            opened = not group.folded if known is None else name not in known
            made.append(MenuGroup(name, label, shown, here or opened))
        rest = tuple(left.values())
        label = self.t("other-records") if made else self.t("records")
        made.append(
            MenuGroup(REST, label, rest, known is None or REST not in known or any(each.current for each in rest))
        )
        return tuple(group for group in made if group.links)

    def rank(self, model: EntityApp) -> int:
        """How far from the top an entity stands where room is short.

        What has many views for the reader, and what moves through a process, is what he works on all day.
        """
        principal = self.principal
        views = [view for view in self.app.views.values() if view.entity == model.name]
        return -sum(view.open_to(principal.roles, principal.administrator) for view in views) - 2 * bool(
            model.processes
        )

    def _team(self) -> str:
        team = self.principal.team
        if team is None:
            return ""
        with self.site.db.read() as r:
            return self.lens.titles(r, "team", [team]).get(team, "")


def app_links(visit: Visit, current: str = "") -> tuple[Link, ...]:
    """The apps in which the visitor has a role."""
    user = visit.visitor.user
    if user is None:
        return ()
    live = visit.site.live.apps()
    names = [name for name in visit.site.people.apps_of(user) if name in live]
    return tuple(Link(live[name].label[visit.language], f"/{name}/", current=name == current) for name in names)


def own_address(href: str, default: str = "/") -> str:
    """`href` if it is a path of this site, else `default`: a form must not send a browser elsewhere."""
    plain = href.startswith("/") and not href.startswith(("//", "/\\")) and not any(ord(char) < 32 for char in href)
    return href if plain else default


def _folded(note: str, warnings: list[str], back: Back | None) -> str:
    """A note as a cookie; of many warnings as many as fit."""
    undo = {"action": back.action, "fields": dict(back.fields)} if back else None
    while True:
        told = quote(orjson.dumps({"note": note, "warnings": warnings, "undo": undo}).decode())
        if len(told) <= LONGEST_FLASH or not warnings:
            return told
        warnings = warnings[:-1]


def _flash(request: Request) -> dict[str, Any]:
    try:
        found = orjson.loads(unquote(request.cookies.get(FLASH, "")) or "{}")
        undo = found.get("undo")
        back = Back(own_address(undo["action"]), {str(k): str(v) for k, v in undo["fields"].items()}) if undo else None
        warnings = [str(each) for each in found.get("warnings", [])]
        return {"note": str(found.get("note", "")), "warnings": warnings, "undo": back}
    except (ValueError, AttributeError, TypeError, KeyError):
        return {"note": "", "warnings": [], "undo": None}


class Page:
    """The ASGI application of one page. `kind` is `AppVisit` for a page inside an app; `open_to_all` needs no signing in."""

    def __init__(
        self, kind: type[Visit] = AppVisit, *, open_to_all: bool = False, **methods: Callable[[Any], Response]
    ) -> None:
        self._kind, self._open_to_all = kind, open_to_all
        self._methods = {name.upper(): function for name, function in methods.items()}
        if "GET" in self._methods:
            self._methods["HEAD"] = self._methods["GET"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        site: Site = scope["app"].state.site
        who, broken, response = self._comes(request, site)
        form = None
        if response is None:
            # Nobody's bytes are read before it is known who sends them.
            response, form = await self._received(request, site)
        try:
            if response is None:
                response = await self._answer(request, site, who, form)
        finally:
            if form is not None:
                await form.close()
        if broken:
            forget(response, request)
        await response(scope, receive, send)

    def room(self, site: Site) -> CapacityLimiter:
        """Where its work waits for a thread."""
        return site.limiter

    def _comes(self, request: Request, site: Site) -> tuple[Visitor, bool, Response | None]:
        """Who comes, whether with credentials that do not hold, and the answer if he gets no further."""
        nobody, broken = stranger(request, site), False
        if request.method not in self._methods:
            return nobody.visitor, broken, HTMLResponse("", 405, {"allow": ", ".join(sorted(self._methods))})
        try:
            who = visitor(request, site)
        except Refused as error:
            if error.status != 401:
                return nobody.visitor, broken, nobody.refused(error)
            # Credentials that do not hold are forgotten; then one signs in anew.
            broken, who = True, nobody.visitor
        stays_out = who.user is None and not self._open_to_all
        return who, broken, _to_sign_in(request) if stays_out else None

    async def _received(self, request: Request, site: Site) -> tuple[Response | None, FormData | None]:
        """The posted form; or the answer to what cannot be one."""
        if request.method != "POST":
            return None, None
        try:
            return None, await request.form(max_files=MOST_FILES, max_fields=MOST_PARTS, max_part_size=MOST_TEXT)
        except HTTPException:
            return stranger(request, site).refused(Refused(Problem("form-broken"), 400)), None

    async def _answer(self, request: Request, site: Site, who: Visitor, form: FormData | None) -> Response:
        plain = Visit(request, site, who, form)
        request.scope["language"] = plain.language
        try:
            genuine(request, who, plain.field("csrf"))
            visit = plain if self._kind is Visit else self._kind(request, site, who, form)
            return await to_thread.run_sync(self._drawn, visit, limiter=self.room(site))
        except Refused as error:
            return plain.refused(error)
        except (Unavailable, LockTimeout, StatementTimeout):
            return stranger(request, site).refused(Refused(Problem("unavailable"), 503))
        except Exception as error:
            log.error("failed", error, request=request.scope["request_id"], path=request.url.path[:200])
            return stranger(request, site).failed(request.scope["request_id"])

    def _drawn(self, visit: Visit) -> Response:
        try:
            return self._methods[visit.request.method](visit)
        except Refused as error:
            return visit.refused(error)


def stranger(request: Request, site: Site) -> Visit:
    """The visit of somebody who has not signed in."""
    words = incoming.language(request.headers.get("accept-language"))
    return Visit(request, site, Visitor(None, None, None, words, request.client.host if request.client else "-"), None)


def _to_sign_in(request: Request) -> Response:
    after = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = after if request.method in ("GET", "HEAD") and request.url.path not in ("/", "/sign-in") else ""
    return RedirectResponse("/sign-in" + (f"?{urlencode({'after': back})}" if back else ""), 303)
