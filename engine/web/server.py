"""The server: API and pages of every published app, in one ASGI application.

    uvicorn --factory engine.web.server:from_environment

`create_server` is what tests and `dougong serve` call.  The application is FastAPI's.  Its routes are plain ones: what
FastAPI makes of Python signatures - models, validation, documents - comes from the app's definition here.
"""

import asyncio
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

from anyio import to_thread
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from engine.clock import Clock
from engine.collector import collector_resting, keep_all
from engine.problems import Problem, Refused
from engine.publishing.live import LOOK_EVERY
from engine.web import pages
from engine.web.api.routes import routes, takes_files
from engine.web.boundary import Boundary
from engine.web.live import before_stopping
from engine.web.observe import CONTENT_TYPE_LATEST, begin_logging, forward_libraries
from engine.web.settings import Settings
from engine.web.site import Site


def create_server(settings: Settings, clock: Clock | None = None) -> FastAPI:
    """The ASGI application. It opens the database at once, so that a wrong address is known before serving.

    Raises Unavailable.
    """
    begin_logging(settings.log)
    site = Site.open(settings, clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        watch = asyncio.create_task(attend(site))
        with before_stopping(site.stop):
            yield
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch  # what it has begun in another thread would open the database again
        site.stop()
        site.close()

    own = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
    server = Server(
        openapi_url=None,  # each app has a document of its own
        telemetry={"tracing": False, "metrics": False, "logs": False},  # observed by engine.web.observe
        routes=[*routes(), *own, *pages.routes()],
        lifespan=lifespan,
    )
    server.router.redirect_slashes = False
    server.state.site = site
    return server


class Server(FastAPI):
    """FastAPI with one layer around its routes instead of six: `Boundary` answers every exception by itself."""

    def build_middleware_stack(self) -> ASGIApp:
        site: Site = self.state.site
        patterns = {route.endpoint: route.path for route in self.routes if isinstance(route, Route)}
        return Boundary(self.router, site.settings, site.metrics, partial(_upload, site), patterns)


async def attend(site: Site) -> None:
    """Notice newly published versions also while nobody asks for anything, so that the first to ask gets the newest."""
    while True:
        await asyncio.sleep(LOOK_EVERY)
        await to_thread.run_sync(site.live.apps)


def from_environment() -> FastAPI:
    """For servers that import a factory: settings from the environment alone."""
    settings = Settings.read()
    forward_libraries(settings.log)
    with collector_resting():
        server = create_server(settings)
    keep_all()
    return server


def _upload(site: Site, path: str) -> int:
    """How many bytes a body with files may have there; 0 where none are taken."""
    most = site.settings.upload_limit
    return most if takes_files(path) or pages.takes_files(path) else min(most, pages.public_upload(site, path))


async def healthz(request: Request) -> Response:
    """Whether the process lives."""
    return PlainTextResponse("ok\n")


async def readyz(request: Request) -> Response:
    """Whether requests should be sent here: the database answers and the server is not about to stop."""
    site: Site = request.app.state.site
    if site.draining or not site.db.ready():
        raise Refused(Problem("unavailable"), 503)
    return PlainTextResponse("ok\n")


async def metrics(request: Request) -> Response:
    """For Prometheus: on this machine, or with the token of the settings."""
    site: Site = request.app.state.site
    token = site.settings.metrics_token
    local = request.client is not None and request.client.host in ("127.0.0.1", "::1")
    given = request.headers.get("authorization", "").encode()
    if not (local and not token) and not (token and hmac.compare_digest(given, f"Bearer {token}".encode())):
        raise Refused(Problem("sign-in-needed"), 401)
    return Response(site.metrics.text(), media_type=CONTENT_TYPE_LATEST)
