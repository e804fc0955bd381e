"""Pages that anybody may open and answer: the public forms of the apps, without an account and without a cookie.

Whoever comes is a guest of the form, and nothing else: credentials that he brings do not count here, and those that do
not hold are refused as everywhere.  He may make records with the fields that the form asks, and read none.  What the form
fills in - where he comes from - the server writes.  The answer never says whether he, his number or his company is known.

A flood harms nobody: answers of one address and of one form are limited, the work of all public pages has a small room of
its own, and when that is full whoever comes is told so at once, before a byte of what he sends is read.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from anyio import CapacityLimiter, fail_after
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from engine.access.guests import Slip
from engine.access.principal import guest_principal
from engine.app import App, EntityApp
from engine.app.public import PublicForm
from engine.clock import MICROSECONDS
from engine.fields import Invalid
from engine.fields.files import Attached
from engine.forms.colors import DARK, WHITE, mixed, readable
from engine.problems import Problem, Refused
from engine.runtime import Create
from engine.storage.session import Write
from engine.web.boundary import policy
from engine.web.idempotency import Replay
from engine.web.pages.cells import Titles, file_size
from engine.web.pages.conditions import Conditions
from engine.web.pages.forms import Section
from engine.web.pages.frame import LANGUAGES, said
from engine.web.pages.inputs import Draft, Inputs
from engine.web.pages.layout import Part
from engine.web.pages.posted import Posted
from engine.web.pages.uploads import keep_upload
from engine.web.pages.visit import Page, Visit, stranger
from engine.web.rates import Bucket
from engine.web.visitor import Visitor

if TYPE_CHECKING:
    from engine.web.site import Site

QUICKEST: Final = 2 * MICROSECONDS  # nobody reads and answers a form in less
LONGEST: Final = 12 * 3600 * MICROSECONDS  # shorter than a used slip is remembered, so none is used twice
# Many phones at one fair share an address; and one form at a fair is answered by many.
OF_ADDRESS: Final = Bucket(rate=240, burst=60, per=3600)
OF_TRIES: Final = Bucket(rate=1200, burst=240, per=3600)
OF_FORM: Final = Bucket(rate=2400, burst=1200, per=3600)
PATIENCE: Final = 60  # seconds for a body to come in
NOBODY: Final = 0  # no user has this id
TRAP, SLIP, AGREED = "~website", "~slip", "~agreed"
_OWN = (TRAP, SLIP, AGREED, "language")


class GuestVisit(Visit):
    """A visit to a public form by its address: app, form and perhaps a channel."""

    app: App

    def __init__(self, request: Request, site: "Site", who: Visitor, form: FormData | None) -> None:
        super().__init__(request, site, Visitor(None, None, None, who.language, who.address), form)
        self.app, self.open, self.way = find(site, request.path_params)
        self.principal = guest_principal(self.open.door, self.language)
        self.model: EntityApp = self.app.entities[self.open.entity]
        self.framed = request.query_params.get("embed") == "1"
        self.scope = f"{self.app.name}/{self.open.name}/{self.way or ''}"

    @property
    def closed(self) -> bool:
        """Whether it takes no more answers: its last day is over, or it has taken all that it may."""
        form = self.open
        if form.last is not None and self.app.calendar.local_day(self.site.clock.now()) > form.last:
            return True
        limit = form.public.limit
        return limit is not None and self.site.guests.total(self.app.name, form.name) >= limit

    def draw(self, template: str, status: int = 200, **values: Any) -> Response:
        form, language = self.open, self.language
        address = self.request.url.path
        more = "&embed=1" if self.framed else ""
        common = {
            "heading": form.label[language],
            "look": f"/f/{self.app.name}/{form.name}/look.css?{self.app.hash[:8]}" if form.public.color else "",
            "framed": self.framed,
            "languages": [(code, label, f"{address}?language={code}{more}") for code, label in LANGUAGES],
        }
        response = super().draw(template, status, **common, **values)
        response.headers["content-security-policy"] = policy(form.public.embed if self.framed else ())
        return response

    def refused(self, error: Refused) -> Response:
        return told(self, error)


def find(site: "Site", parameters: Mapping[str, str]) -> tuple[App, PublicForm, str | None]:
    """The form of an address. Raises Refused (404), the same for what does not exist and for what is not open to all."""
    app = site.live.app(parameters["app"])
    form = app.public.get(parameters["form"]) if app else None
    way = parameters.get("channel")
    if app is None or form is None or (way is not None and way not in form.public.channels):
        raise Refused(Problem("not-found"), 404)
    return app, form, way


def told(visit: Visit, error: Refused) -> Response:
    """A page that says why there is no form, without a way into the rooms behind it."""
    t = visit.t
    kinds = {
        404: ("search", t("form-nowhere"), t("form-nowhere-hint")),
        429: ("clock", t("form-full"), t("form-full-hint")),
    }
    plain = ("alert", t("error"), t("error-safe"))
    sign, title, hint = kinds.get(error.status, plain)
    found = said(error.problems, visit.language) if error.status not in kinds else []
    response = Visit.draw(
        visit, "guest_told.html", error.status, sign=sign, title=title, hint=hint, found=found,
        heading="", look="", framed=False, languages=(),
    )  # fmt: skip
    if error.status in (429, 503):
        response.headers["retry-after"] = str(error.problems[0].parameters.get("seconds", 10))
    return response


class GuestPage(Page):
    """The ASGI application of a public page: its room is small and its own, and full is full."""

    def __init__(self, **methods: Any) -> None:
        super().__init__(GuestVisit, open_to_all=True, **methods)

    def refusal(self, visit: Visit, error: Refused) -> Response:
        return told(visit, error)

    def room(self, site: "Site") -> CapacityLimiter:
        return site.guest_room.limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        site: Site = scope["app"].state.site
        request = Request(scope, receive, send)
        address = request.client.host if request.client else "-"
        if not site.guest_room.enter(address):
            full = Refused(Problem("too-many-requests", parameters={"seconds": 10}), 429)
            await told(stranger(request, site), full)(scope, receive, send)
            return
        try:
            await super().__call__(scope, receive, send)
        finally:
            site.guest_room.leave(address)

    def _comes(self, request: Request, site: "Site") -> tuple[Visitor, bool, Response | None]:
        """A bearer's token that does not hold is refused; so is a session's, and forgotten, when something is sent."""
        who, broken, response = super()._comes(request, site)
        if broken and response is None:
            if "authorization" in request.headers:
                response = told(stranger(request, site), Refused(Problem("credentials-broken"), 401))
            request.scope["broken"] = True
        return Visitor(None, None, None, who.language, who.address), broken, response

    async def _received(self, request: Request, site: "Site") -> tuple[Response | None, FormData | None]:
        try:
            with fail_after(PATIENCE):
                return await super()._received(request, site)
        except TimeoutError:
            slow = Refused(Problem("form-broken"), 408)
            return told(stranger(request, site), slow), None


# -- looking ---------------------------------------------------------------------------------------------------------------


def get_form(visit: GuestVisit) -> Response:
    """The empty form with its defaults and what the address may fill in; after sending, the thanks."""
    if visit.request.query_params.get("sent") == "1":
        return _thanks(visit)
    if visit.closed:
        return _closed(visit)
    return _draw(visit, Draft(_begun(visit)), visit.site.guests.slip(visit.scope))


def _begun(visit: GuestVisit) -> dict[str, Any]:
    """What the asked fields begin with: their defaults, then the address, as far as the form allows it."""
    values: dict[str, Any] = {}
    now, calendar = visit.site.clock.now(), visit.app.calendar
    for name in visit.open.asks[visit.way]:
        each = visit.model.fields[name]
        match each.dynamic_default:
            case "today":
                stored: Any = calendar.local_day(now)
            case "now":
                stored = now // 60_000_000 * 60_000_000
            case None:
                stored = each.default_value()
            case _:
                stored = None
        given = visit.request.query_params.get(name, "")[:2000] if name in visit.open.public.prefill else ""
        if given and "\x00" not in given:
            try:
                stored = each.read(given)
            except (Invalid, ValueError):
                pass
        if stored is not None:
            values[name] = each.to_json(stored)
    return values


def _draw(visit: GuestVisit, draft: Draft, slip: str, status: int = 200, *, agreed: bool = False) -> Response:
    form, model, t = visit.open, visit.model, visit.t
    asked, must = form.asks[visit.way], frozenset(form.public.required)
    parts = [part for part in _parts(visit, asked) if part.fields]
    values = {**draft.values, **form.fills[visit.way]}
    lens = visit.site.reading(visit.app).lens(visit.principal)
    conditions = Conditions.guest(lens.context(), model, parts, values, frozenset(asked))
    inputs = Inputs(visit.app, Titles(lens, None), draft, t, creating=True)
    sections = []
    for part in parts:
        shown = []
        for name in part.fields:
            each = inputs.input(model, name, draft.values, writable=True)
            label = form.public.questions[name][t.language] if name in form.public.questions else each.label
            # What a field's help explains is for those who work here.
            asked_for = replace(each, label=label, help="", required=each.required or name in must)
            slot = model.fields[name]
            if isinstance(slot, Attached):
                most = {
                    "data-most": str(slot.bytes_allowed),
                    "data-large": t("form-file-large", most=file_size(slot.bytes_allowed)),
                }
                asked_for = replace(asked_for, attributes=most)
            shown.append(conditions.apply(asked_for, name))
        hidden = not conditions.shows(part)
        sections.append(Section(part.name, part.label, part.help, 1, tuple(shown), hidden))
    form_help = form.definition.help
    return visit.draw(
        "guest_form.html", status,
        intro=form_help[t.language] if form_help else "", sections=sections, slip=slip, trap=TRAP, slip_name=SLIP, agreed_name=AGREED,
        consent=form.public.consent[t.language] if form.public.consent else "", agreed=agreed,
        conditions=conditions.for_browser(), problems=said(inputs.unplaced(), t.language),
        wrong=len(draft.problems), action=_here(visit),
    )  # fmt: skip


def _parts(visit: GuestVisit, asked: tuple[str, ...]) -> list[Part]:
    """The sections of the form with the fields that are asked by this way."""
    language, found = visit.language, []
    for name, section in visit.open.definition.sections.items():
        when = visit.app.expressions.get(f"forms.{visit.open.name}.sections.{name}.visible_when")
        fields = tuple(each for each in section.fields if each in asked)
        label = section.label[language] if section.label else ""
        found.append(Part(name, label, section.help[language] if section.help else "", 1, fields, when))
    return found


def _here(visit: GuestVisit, **more: str) -> str:
    """The form's own address with what belongs to it, and no more of what the visitor's address said."""
    kept = {"embed": "1"} if visit.framed else {}
    chosen = visit.request.query_params.get("language")
    if chosen in dict(LANGUAGES):
        kept["language"] = chosen
    query = "&".join(f"{name}={value}" for name, value in {**kept, **more}.items())
    return f"{visit.path}?{query}" if query else visit.path


def _thanks(visit: GuestVisit) -> Response:
    words = visit.open.public.thanks
    text = words[visit.language] if words else visit.t("form-thanks-hint")
    again = _here(visit) if visit.open.public.again and not visit.closed else ""
    return visit.draw("guest_done.html", sign="ok", title=visit.t("form-thanks"), text=text, again=again)


def _closed(visit: GuestVisit) -> Response:
    words = visit.open.public.closed
    text = words[visit.language] if words else visit.t("form-closed-hint")
    return visit.draw("guest_done.html", 410, sign="lock", title=visit.t("form-closed"), text=text, again="")


# -- answering -------------------------------------------------------------------------------------------------------------


def post_form(visit: GuestVisit) -> Response:
    """Save the answer once, however often it is sent; or the form again with everything typed and what is wrong."""
    assert visit.form is not None
    visit.site.rates.take(f"try:{visit.visitor.address}", OF_TRIES)
    if visit.closed:
        return _closed(visit)
    strangers = _strangers(visit)
    if strangers:
        raise Refused([Problem("form-field-stranger", name, {"name": name}) for name in strangers[:5]], 422)
    slip = visit.site.guests.read(visit.scope, visit.field(SLIP))
    agreed = visit.field(AGREED) == "yes"
    draft = _posted(visit)
    if draft.problems:
        return _again(visit, draft, 422, agreed=agreed)
    early = _unfit(visit, slip, agreed)
    if early is not None:
        draft.problems.append(early)
        return _again(visit, draft, 422, agreed=agreed)
    assert slip is not None
    try:
        visit.site.rates.take(f"form:{visit.visitor.address}", OF_ADDRESS)
        visit.site.rates.take(f"form={visit.app.name}.{visit.open.name}", OF_FORM)
    except Refused as error:
        seconds = error.problems[0].parameters.get("seconds", 10)
        draft.problems.append(Problem("form-waiting", "", {"seconds": seconds}))
        response = _again(visit, draft, 429, agreed=agreed)
        response.headers["retry-after"] = str(seconds)
        return response
    return _save(visit, draft, slip, agreed)


def _strangers(visit: GuestVisit) -> list[str]:
    """Names in the posted form that the form does not have."""
    assert visit.form is not None
    fields = visit.model.fields
    words, files = set(_OWN), set()
    for name in visit.open.asks[visit.way]:
        if isinstance(fields[name], Attached):
            words.add(f"{name}~kept")
            files.add(f"{name}~new")
        else:
            words.add(name)
    sent = visit.form.multi_items()
    return sorted({name[:60] for name, value in sent if name not in (words if isinstance(value, str) else files)})


def _posted(visit: GuestVisit) -> Draft:
    """What was typed. Files are looked at, and kept only once everything else is right."""
    assert visit.form is not None
    lens = visit.site.reading(visit.app).lens(visit.principal)
    names = {name: None for name in visit.open.asks[visit.way] if not isinstance(visit.model.fields[name], Attached)}
    draft = Posted(visit.form, lens, None, _no_file, {}, visit.language).draft(visit.model, names)
    for name in visit.open.public.required:
        if name in names and draft.values.get(name) in (None, []) and name not in draft.typed:
            draft.problems.append(Problem("required-missing", name, {"label": visit.model.labels[name]}))
    for name, each in _slots(visit):
        uploads = visit.uploads(f"{name}~new")
        label = visit.model.labels[name]
        if len(uploads) > each.most:
            draft.problems.append(
                Problem("items-too-many", name, {"label": label, "max": each.most, "count": len(uploads)})
            )
        if name in visit.open.public.required and not uploads:
            draft.problems.append(Problem("required-missing", name, {"label": label}))
    return draft


def _no_file(model: EntityApp, name: str, path: str, upload: Any) -> int:
    raise Refused(Problem("form-broken", path), 400)


def _slots(visit: GuestVisit) -> list[tuple[str, Attached]]:
    fields = visit.model.fields
    return [(name, each) for name in visit.open.asks[visit.way] if isinstance(each := fields[name], Attached)]


def _unfit(visit: GuestVisit, slip: Slip | None, agreed: bool) -> Problem | None:
    """Why the page itself cannot be taken as it came; one press more mends it."""
    now = visit.site.clock.now()
    if visit.request.scope.get("broken"):
        return Problem("credentials-broken")
    if visit.field(TRAP):
        return Problem("form-trap")
    if slip is None or now - slip.at > LONGEST:
        return Problem("form-slip-old")
    if now - slip.at < QUICKEST:
        return Problem("form-too-quick")
    if visit.open.public.consent is not None and not agreed:
        return Problem("form-consent", AGREED)
    return None


def _again(visit: GuestVisit, draft: Draft, status: int, *, agreed: bool) -> Response:
    """The form with what was typed. A slip that still holds stays, so that the time goes on; files must be chosen again."""
    slip, now = visit.site.guests.read(visit.scope, visit.field(SLIP)), visit.site.clock.now()
    text = visit.field(SLIP) if slip is not None and now - slip.at <= LONGEST else visit.site.guests.slip(visit.scope)
    told_already = {problem.path for problem in draft.problems}
    for name, _ in _slots(visit):
        if visit.uploads(f"{name}~new") and name not in told_already:
            draft.problems.append(Problem("form-files-again", name, {"label": visit.model.labels[name]}))
    return _draw(visit, draft, text, status, agreed=agreed)


def _save(visit: GuestVisit, draft: Draft, slip: Slip, agreed: bool) -> Response:
    site, form, files = visit.site, visit.open, []
    values = {name: value for name, value in draft.values.items() if value not in (None, [])}
    try:
        for name, each in _slots(visit):
            ids = [
                keep_upload(site, visit.app, visit.model, name, upload, None) for upload in visit.uploads(f"{name}~new")
            ]
            files += ids
            if ids:
                values[name] = [str(id) for id in ids] if each.type == "files" else str(ids[0])
        command = Create(form.entity, {**values, **form.fills[visit.way]})
        site.db.transact(partial(_create, visit, command, slip))
    except Replay as replay:
        _discard(site, files)
        return visit.go(replay.response.headers["location"])
    except Refused as error:
        _discard(site, files)
        if error.status == 410:
            return _closed(visit)
        draft.problems = list(error.problems)
        return _again(visit, draft, error.status, agreed=agreed)
    except BaseException:
        _discard(site, files)
        raise
    return visit.go(_here(visit, sent="1"))


def _create(visit: GuestVisit, command: Create, slip: Slip, w: Write) -> None:
    site, form, key = visit.site, visit.open, f"slip:{slip.once}"
    site.keys.claim(w, NOBODY, key, visit.scope)
    site.runtime.execute(visit.app, visit.principal, command, cause=form.cause(visit.way), within=w)
    site.guests.took(w, visit.app.name, form.name, visit.way or "", form.public.limit)
    site.keys.keep(w, NOBODY, key, RedirectResponse(_here(visit, sent="1"), 303))


def _discard(site: "Site", files: list[int]) -> None:
    for id in files:
        site.attachments.discard(id)


# -- the look --------------------------------------------------------------------------------------------------------------


def get_look(visit: GuestVisit) -> Response:
    """The form's colour as a style sheet, since no page of ours has styles of its own."""
    color = visit.open.public.color
    text = look(color) if color else ""
    return Response(text, media_type="text/css", headers={"cache-control": "public, max-age=86400"})


def look(color: str) -> str:
    """The tokens of app.css in a form's colour, on white paper and on dark."""
    fill = readable(color, WHITE)  # white words stand on it
    tokens = {}
    for selector, paper, press, tint, line in (
        (":root", WHITE, "#000000", 0.1, 0.34),
        (":root[data-theme=dark]", DARK, WHITE, 0.24, 0.6),
    ):
        tinted = mixed(fill, paper, tint)
        # Words in the colour stand on paper and on its tint.
        words = readable(readable(fill, paper), tinted)
        tokens[selector] = (words, fill, mixed(fill, press, 0.84), tinted, mixed(fill, paper, line))
    names = ("accent", "accent-fill", "accent-press", "accent-tint", "accent-line")
    rules = (
        f"{selector}{{{';'.join(f'--{name}:{value}' for name, value in zip(names, values, strict=True))}}}"
        for selector, values in tokens.items()
    )
    return "@layer look{" + "".join(rules) + "}\n"


def public_upload(site: "Site", path: str) -> int:
    """How many bytes an answer to a public form may have with its files; 0 where the form asks for none."""
    parts = path.split("/")
    app = site.live.app(parts[2]) if len(parts) in (4, 5) and parts[:2] == ["", "f"] else None
    form = app.public.get(parts[3]) if app else None
    return form.upload + site.settings.body_limit if form and form.upload else 0
