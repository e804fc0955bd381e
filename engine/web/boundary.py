"""The outermost layer, which every request passes: limits before anything is read, an id, headers of protection, a log line.

Nothing that comes in makes a 5xx: what is refused is a `Refused`, and an exception nobody foresaw is logged with the
request's id, which is all that the caller learns of it.
"""

import errno
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.problems import Problem, Refused
from engine.storage.errors import FULL, LockTimeout, StatementTimeout, Unavailable
from engine.web import answers
from engine.web.incoming import language
from engine.web.observe import Metrics, log
from engine.web.settings import Settings

MAX_ADDRESS = 16 << 10
MAX_HEADERS = 32 << 10
MAX_HEADER_COUNT = 100
SLOW = 1.0  # seconds; what is neither slow nor failed is counted, and a line of its own only in `debug`
TOLD = frozenset((401, 403, 429))  # who was kept out of what stands in the log, too
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


def policy(framed_by: Iterable[str] = ()) -> str:
    """The content security policy of a page that only pages of these origins may show in a frame."""
    framing = " ".join(framed_by) or "'none'"
    return (
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
        f"frame-ancestors {framing}; form-action 'self'"
    )


PROTECTION: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", policy().encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), microphone=(self), geolocation=(self), payment=()"),
)
_PROTECTED = frozenset(name for name, _ in PROTECTION)
_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")
_NO_STORE = (b"cache-control", b"no-store")

Refusal = Callable[[Request, Refused], Awaitable[ASGIApp]]


class Boundary:
    """Wraps the application. `upload` says of a path how many bytes a body with files may have; 0 where there are none.

    `patterns` are those of the routes, `/api/v1/{app}/{entity}`, by endpoint: what logs and counters call an address.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        metrics: Metrics,
        upload: Callable[[str], int],
        patterns: Mapping[Any, str],
    ) -> None:
        self._app, self._settings, self._metrics, self._upload = app, settings, metrics, upload
        self._patterns = patterns

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = f"{random.getrandbits(64):016x}"
        scope["request_id"] = request_id
        status = 0
        marks = [*PROTECTION, (b"x-request-id", request_id.encode())]
        if scope.get("scheme") == "https":
            marks.append(_TRANSPORT)

        async def outgoing(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = message.get("headers", ())
                names = {name for name, _ in given}
                own = marks if names.isdisjoint(_PROTECTED) else [mark for mark in marks if mark[0] not in names]
                policy = next((value for name, value in given if name == b"content-security-policy"), b"")
                if b"frame-ancestors" in policy and b"frame-ancestors 'none'" not in policy:
                    # Who may frame the page is said there; the older header knows nobody or everybody.
                    own = [mark for mark in own if mark[0] != b"x-frame-options"]
                if b"cache-control" not in names:
                    own = [*own, _NO_STORE]
                message["headers"] = [*given, *own]
            await send(message)

        self._metrics.began()
        try:
            refused = self._limits(scope)
            if refused:
                await self._refuse(refused, scope, receive, outgoing)
            else:
                await self._app(scope, self._counted(scope, receive), outgoing)
        except Refused as error:
            await self._refuse(error, scope, receive, outgoing)
        except HTTPException as error:
            await self._refuse(_in_our_words(error, scope), scope, receive, outgoing)
        except (Unavailable, LockTimeout, StatementTimeout) as error:
            log.error("database", request=request_id, kind=type(error).__name__)
            if status:
                raise
            await self._refuse(Refused(Problem("unavailable"), 503), scope, receive, outgoing)
        except Exception as error:
            if isinstance(error, OSError) and error.errno in FULL and not status:
                log.error("disk", request=request_id, kind=errno.errorcode[error.errno])
                await self._refuse(Refused(Problem("unavailable"), 503), scope, receive, outgoing)
                return
            log.error("failed", error, request=request_id, path=_safe_path(scope))
            if status:
                raise  # half an answer is out: the server closes the connection
            failure = Refused(Problem("internal", parameters={"id": request_id}), 500)
            await self._refuse(failure, scope, receive, outgoing)
        finally:
            took = time.perf_counter() - began
            if scope.get("streamed"):
                took = 0.0  # how long somebody looked at a page is no time that we took
            route = self._patterns.get(scope.get("endpoint"), "-")
            method = scope["method"] if scope["method"] in METHODS else "other"
            self._metrics.ended(route, method, status, took)
            tell = log.info if took > SLOW or status >= 500 or status in TOLD else log.debug
            client = scope.get("client")
            tell(
                "request", address=client[0] if client else None, request=request_id, method=method, route=route, status=status,
                ms=round(took * 1000, 2), user=scope.get("user_id"),
            )  # fmt: skip

    def _limits(self, scope: Scope) -> Refused | None:
        """What can be refused from the head of the request alone."""
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_ADDRESS:
            return Refused(Problem("address-too-long", parameters={"limit": MAX_ADDRESS}), 414)
        headers = scope["headers"]
        if len(headers) > MAX_HEADER_COUNT or sum(len(name) + len(value) for name, value in headers) > MAX_HEADERS:
            return Refused(Problem("headers-too-large"), 431)
        if scope["method"] not in METHODS:
            return Refused(Problem("method-unknown", parameters={"method": scope["method"][:20]}), 405)
        for name, value in headers:
            if name == b"content-length":
                limit = self._limit(scope)
                if not value.isdigit() or len(value) > 18 or int(value) > limit:
                    return Refused(Problem("too-large", parameters={"limit": limit}), 413)
        return None

    def _limit(self, scope: Scope) -> int:
        return max(self._settings.body_limit, self._upload(scope["path"]))

    def _counted(self, scope: Scope, receive: Receive) -> Receive:
        """`receive`, refusing a body that states no length once it has become too long."""
        if scope["method"] in ("GET", "HEAD"):
            return receive
        limit, read = self._limit(scope), 0

        async def counting() -> Message:
            nonlocal read
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if read > limit:
                    raise Refused(Problem("too-large", parameters={"limit": limit}), 413)
            return message

        return counting

    async def _refuse(self, refused: Refused, scope: Scope, receive: Receive, send: Send) -> None:
        header = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"accept-language"), None)
        words = scope.get("language") or language(header) or self._settings.language
        response = answers.problem(refused, words, scope["request_id"])
        if refused.status == 413:
            response.headers["connection"] = "close"  # the rest of the body is not read
        await response(scope, receive, send)


def _in_our_words(error: HTTPException, scope: Scope) -> Refused:
    """What Starlette itself refuses."""
    if error.status_code == 405:
        return Refused(Problem("method-unknown", parameters={"method": scope["method"]}), 405)
    if error.status_code == 404:
        return Refused(Problem("not-found"), 404)
    return Refused(Problem("form-broken"), 413 if error.status_code == 413 else 400)


def _safe_path(scope: Scope) -> str:
    return str(scope["path"])[:200]
