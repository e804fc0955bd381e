"""An address of the API and what each method does there.

A `Resource` finds out who asks, keeps to the limits, calls the method's function with a `Call`, and turns a refusal into
problem details.  Functions run on the event loop: a short statement costs less there than the way to another thread.
What may take long goes through `Call.aside`.
"""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import replace
from time import monotonic
from typing import Any, TypeVar

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from engine.access.principal import Principal
from engine.app import App
from engine.problems import Language, Problem, Refused
from engine.reading import Lens
from engine.storage.errors import StatementTimeout
from engine.web import answers, incoming
from engine.web.site import Site
from engine.web.visitor import Visitor, genuine, visitor

T = TypeVar("T")
MOMENT = 0.01  # seconds for which a statement may keep all other requests waiting
PAUSE = 5.0  # seconds for which a question that took longer is asked elsewhere at once
MOST_LATE = 1000  # questions remembered


class Call:
    """One request, with whoever sent it. `parameters` are those of the query string."""

    def __init__(self, request: Request, site: Site, visitor: Visitor) -> None:
        self.request, self.site, self.visitor = request, site, visitor
        self.language: Language = visitor.language or site.settings.default_language

    @property
    def parameters(self) -> dict[str, str]:
        return incoming.parameters(self.request.scope["query_string"])

    async def object(self, optional: bool = False) -> dict[str, Any]:
        """The JSON object that the request carries."""
        return await incoming.json_object(self.request, optional=optional)

    async def aside(self, work: Callable[[], T]) -> T:
        """Do what may take long in another thread, so that others are answered meanwhile."""
        return await to_thread.run_sync(work, limiter=self.site.limiter)

    async def soon(self, work: Callable[[], T], question: Hashable) -> T:
        """Read what takes a moment or long, as it turns out: here, or if it is not done in a moment, in another thread.

        A `question` that took long is not tried here again for a while, so it does not keep others waiting each time.
        """
        late, now, mark = self.site.late, monotonic(), hash(question)
        if late.get(mark, 0) < now:
            try:
                with self.site.db.hurry(MOMENT):
                    return work()
            except StatementTimeout:
                if len(late) >= MOST_LATE:
                    late.clear()
                late[mark] = now + PAUSE
        return await self.aside(work)

    def header(self, name: str) -> str | None:
        value: str | None = self.request.headers.get(name)
        return value


class AppCall(Call):
    """A request to one app, by somebody who has a role in it."""

    def __init__(self, request: Request, site: Site, visitor: Visitor) -> None:
        super().__init__(request, site, visitor)
        self.app: App = site.app(request.path_params["app"])
        principal = site.people.principal(visitor.signed_in(), self.app.name, self.app.policies)
        if principal is None:
            raise Refused(Problem("not-found"), 404)
        if visitor.language is None:
            self.language = principal.language
        elif visitor.language != principal.language:
            principal = replace(principal, language=visitor.language)
        self.principal: Principal = principal
        self.lens: Lens = site.reading(self.app).lens(principal)

    def renew(self) -> None:
        """Go on with the version that is live now. Raises Refused as a new request would."""
        self.site.live.refresh()
        AppCall.__init__(self, self.request, self.site, self.visitor)

    @property
    def entity(self) -> str:
        name: str = self.request.path_params["entity"]
        return name

    @property
    def id(self) -> int:
        return incoming.record_id(self.request.path_params["id"])


class Resource:
    """An ASGI application for one address. `open_to_all` lets those in who have not signed in."""

    def __init__(
        self, call: type[Call] = AppCall, *, open_to_all: bool = False, **methods: Callable[[Any], Awaitable[Response]]
    ) -> None:
        self._call, self._open_to_all = call, open_to_all
        self.methods = {name.upper(): function for name, function in methods.items()}
        if "GET" in self.methods:
            self.methods["HEAD"] = self.methods["GET"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        site: Site = scope["app"].state.site
        try:
            response = await self._answer(request, site)
        except Refused as refused:
            words = scope.get("language") or incoming.language(request.headers.get("accept-language"))
            response = answers.problem(refused, words or site.settings.default_language, scope["request_id"])
            if refused.status == 405:
                response.headers["allow"] = ", ".join(sorted(self.methods))
        except HTTPException as error:  # Starlette's reading of forms
            raise Refused(Problem("form-broken"), 400) from error
        await response(scope, receive, send)

    async def _answer(self, request: Request, site: Site) -> Response:
        function = self.methods.get(request.method)
        if function is None:
            raise Refused(Problem("method-unknown", parameters={"method": request.method}), 405)
        who = visitor(request, site)
        if not self._open_to_all:
            user = who.signed_in()
            if not site.rates.spend(name := f"api:{user}", site.bucket):
                await to_thread.run_sync(site.rates.renew, name, site.bucket, limiter=site.limiter)
            genuine(request, who)
        call = self._call(request, site, who)
        request.scope["language"] = call.language
        return await function(call)
