"""Who one is: signing in and out, oneself, one's API tokens."""

from typing import Any

from starlette.responses import Response

from engine.clock import MICROSECONDS
from engine.columns import moment
from engine.problems import Problem, Refused
from engine.web import answers, incoming
from engine.web.observe import log
from engine.web.resource import Call
from engine.web.visitor import Visitor, forget, genuine, remember

LONGEST_TOKEN = 3660 * 86_400  # seconds


async def sign_in(call: Call) -> Response:
    """A new session, always with a new id: one that somebody slipped to the browser before is worth nothing."""
    body = await call.object()
    incoming.known_keys(body, ("login", "password"))
    login = incoming.wanted(body, "login", str, "a text")
    password = incoming.wanted(body, "password", str, "a text")
    people = call.site.people
    session = await call.aside(lambda: people.sign_in(login[:200], password, call.visitor.address))
    log.info("signed-in", user=session.user, address=call.visitor.address)
    if call.visitor.cookie is not None:
        people.sign_out(call.visitor.cookie)
    response = answers.answer(_session(Visitor(session.user, session, None, call.language, call.visitor.address)), 201)
    remember(response, call.request, session, call.site.clock.now())
    return response


async def get_session(call: Call) -> Response:
    """The session of the cookie with its anti-forgery token; `user` is null when nobody has signed in."""
    return answers.answer(_session(call.visitor))


async def sign_out(call: Call) -> Response:
    genuine(call.request, call.visitor)
    if call.visitor.cookie is not None:
        call.site.people.sign_out(call.visitor.cookie)
    response = Response(None, 204)
    forget(response, call.request)
    return response


def _session(visitor: Visitor) -> dict[str, Any]:
    session = visitor.session
    return {
        "user": None if visitor.user is None else str(visitor.user),
        "csrf": session.csrf if session else None,
        "expires_at": _time(session.expires_at) if session else None,
    }


async def get_me(call: Call) -> Response:
    """The person, and for each app the roles and what may be done there."""
    site, user = call.site, call.visitor.signed_in()
    person = site.people.person(user)
    if person is None:
        raise Refused(Problem("credentials-broken"), 401)
    apps = []
    for name in site.people.apps_of(user):
        app = site.live.app(name)
        principal = site.people.principal(user, name, app.policies) if app is not None else None
        if app is None or principal is None:
            continue
        apps.append(
            {
                "app": name,
                "label": app.label[call.language],
                "version": app.number,
                "roles": sorted(principal.roles),
                "administrator": principal.administrator,
            }
        )
    team = None if person.team is None else str(person.team)
    return answers.answer(
        {
            "id": str(person.id),
            "login": person.login,
            "name": person.name,
            "language": person.language,
            "team": team,
            "apps": apps,
        }
    )


async def patch_me(call: Call) -> Response:
    body = await call.object()
    incoming.known_keys(body, ("language",))
    language = incoming.wanted(body, "language", str, "zh, en")
    if language not in ("zh", "en"):
        raise Refused(Problem("json-key-wrong", "language", {"name": "language", "expected": "zh, en"}), 422)
    call.site.people.set_language(call.visitor.signed_in(), "en" if language == "en" else "zh")
    return await get_me(call)


def in_person(call: Call) -> int:
    """The id of the user, who came with a session: else a token that got into wrong hands could make itself others.

    Raises Refused (403).
    """
    user = call.visitor.signed_in()
    if call.visitor.session is None:
        raise Refused(Problem("session-needed"), 403)
    return user


async def get_tokens(call: Call) -> Response:
    return answers.answer({"tokens": [_token(token) for token in call.site.people.tokens(in_person(call))]})


async def create_token(call: Call) -> Response:
    """A new API token; its text is in this answer and never again. `seconds` is how long it is good for."""
    user = in_person(call)
    body = await call.object()
    incoming.known_keys(body, ("name", "seconds"))
    name = incoming.wanted(body, "name", str, "a text").strip()
    if not 1 <= len(name) <= 100:
        raise Refused(Problem("json-key-wrong", "name", {"name": "name", "expected": "1…100"}), 422)
    seconds = incoming.wanted(body, "seconds", int, "a whole number", default=None)
    if seconds is not None and not 1 <= seconds <= LONGEST_TOKEN:
        raise Refused(Problem("json-key-wrong", "seconds", {"name": "seconds", "expected": f"1…{LONGEST_TOKEN}"}), 422)
    expires_at = None if seconds is None else call.site.clock.now() + seconds * MICROSECONDS
    id, text = call.site.people.create_token(user, name, expires_at)
    made = {"id": str(id), "name": name, "expires_at": None if expires_at is None else _time(expires_at), "token": text}
    return answers.answer(made, 201)


async def delete_token(call: Call) -> Response:
    user = in_person(call)
    id = incoming.record_id(call.request.path_params["id"])
    if not call.site.people.revoke_token(id, user):
        raise Refused(Problem("not-found"), 404)
    return Response(None, 204)


def _token(token: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(token["id"]),
        "name": token["name"],
        "created_at": _time(token["created_at"]),
        "expires_at": None if token["expires_at"] is None else _time(token["expires_at"]),
    }


def _time(microseconds: int) -> str:
    return moment(microseconds).isoformat().replace("+00:00", "Z")
