"""Who sent a request, and whether a browser was tricked into sending it.

A visitor shows a session cookie or a bearer token.  Credentials that do not hold are refused: they never turn him into
an anonymous one.  What a browser sends along by itself - the cookie - is believed for changes only together with the
session's token and from our own pages.
"""

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from engine.access.people import Session
from engine.problems import Language, Problem, Refused
from engine.web.incoming import language
from engine.web.rates import Bucket

if TYPE_CHECKING:
    from engine.web.site import Site

SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
CSRF_HEADER = "x-csrf-token"
# Guessing credentials costs the guesser's address, not the person whose they are.
GUESSES = Bucket(rate=5, burst=100)


@dataclass(frozen=True)
class Visitor:
    """`user` is None when nobody has signed in. `session` and its `cookie` are None for a bearer of a token.

    `language` is what the request asks for; None if it asks for none that we speak.
    """

    user: int | None
    session: Session | None
    cookie: str | None
    language: Language | None
    address: str

    def signed_in(self) -> int:
        """The id of the user. Raises Refused (401) if nobody has signed in."""
        if self.user is None:
            raise Refused(Problem("sign-in-needed"), 401)
        return self.user


def visitor(request: Request, site: "Site") -> Visitor:
    """Raises Refused: 401 for credentials that do not hold, 429 for too many such tries, 403 for a forged request."""
    given: dict[bytes, bytes] = dict(request.scope["headers"])
    header = given.get(b"authorization")
    cookie = request.cookies.get(cookie_name(request)) if b"cookie" in given else None
    words = language(given[b"accept-language"].decode("latin-1")) if b"accept-language" in given else None
    address = request.client.host if request.client else "-"
    user: int | None = None
    session: Session | None = None
    if header is not None:
        scheme, _, token = header.decode("latin-1").partition(" ")
        user = site.people.token_user(token.strip()) if scheme.lower() == "bearer" and token else None
        if user is None:
            raise broken(site, address)
        cookie = None
    else:
        if request.method not in SAFE:
            own_origin(request, site.settings.address)
        if cookie is not None:
            session = site.people.session(cookie)
            if session is None:
                raise broken(site, address)
            user = session.user
    request.scope["user_id"] = user
    return Visitor(user, session, cookie, words, address)


def broken(site: "Site", address: str) -> Refused:
    """The refusal of credentials that do not hold. Raises Refused (429) instead when an address tries too many."""
    site.rates.take(f"guess:{address}", GUESSES)
    return Refused(Problem("credentials-broken"), 401)


def own_origin(request: HTTPConnection, address: str) -> None:
    """Raises Refused (403) if the browser says that another site's page made the request."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        raise Refused(Problem("cross-site"), 403)
    if origin is not None:
        expected = urlsplit(address).netloc if address else request.headers.get("host", "")
        if urlsplit(origin).netloc.lower() != expected.lower():
            raise Refused(Problem("cross-site"), 403)


def genuine(request: Request, visitor: Visitor, token: str | None = None) -> None:
    """For a change that a cookie authorises: the session's token must come along, in a header or as `token` from a form.

    Raises Refused (403).
    """
    if visitor.session is None or request.method in SAFE:
        return
    given = token if token is not None else request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), visitor.session.csrf.encode()):
        raise Refused(Problem("csrf-missing"), 403)


def cookie_name(request: HTTPConnection) -> str:
    """Over TLS the name has the prefix that keeps other hosts and plain HTTP from setting it."""
    return "__Host-dougong" if request.scope.get("scheme") == "https" else "dougong"


def remember(response: Response, request: HTTPConnection, session: Session, now: int) -> None:
    """Give the browser the cookie of a new session."""
    assert session.token is not None
    response.set_cookie(
        cookie_name(request),
        session.token,
        max_age=max(0, (session.expires_at - now) // 1_000_000),
        path="/",
        secure=request.scope.get("scheme") == "https",
        httponly=True,
        samesite="lax",
    )


def forget(response: Response, request: HTTPConnection) -> None:
    secure = request.scope.get("scheme") == "https"
    response.delete_cookie(cookie_name(request), path="/", secure=secure, httponly=True, samesite="lax")
