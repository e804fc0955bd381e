"""People, teams, roles; signing in, sessions and tokens.

Passwords are hashed with argon2.  Sessions and tokens are opaque: the database holds only their SHA-256, so that reading it
gives nobody a way in, and deleting a row ends access at once, on every process.  What processes cache of people is dropped
when the number in `dg_epoch` named `access` changes; every change of people, teams, roles, sessions or tokens raises it.
"""

import hashlib
import secrets
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from engine.access.policies import Policies
from engine.access.principal import Principal
from engine.clock import MICROSECONDS, Clock
from engine.columns import new_id
from engine.problems import Problem, Refused
from engine.storage import system
from engine.storage.database import Database

if TYPE_CHECKING:
    from pwdlib import PasswordHash

SESSION_LASTS = 14 * 86_400 * MICROSECONDS
SESSION_IDLE = 3 * 86_400 * MICROSECONDS
# Seen times are written at most this often, so that reading pages does not write.
SEEN_EVERY = 300 * MICROSECONDS
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 256
# Five tries, then one more every minute, per login and per address.
SIGN_IN_BURST, SIGN_IN_EVERY = 5, 60 * MICROSECONDS
ADDRESS_BURST = 50


@dataclass(frozen=True)
class Session:
    """`token` is the cookie's value, known only when the session begins; `csrf` goes into forms."""

    user: int
    csrf: str
    expires_at: int
    token: str | None = None


@dataclass(frozen=True)
class Person:
    id: int
    login: str
    name: str
    language: Literal["zh", "en"]
    team: int | None


class People:
    """Everything about who somebody is. What he may do is for `Policies` to say."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self.db = db
        self.clock = clock
        self._lock = threading.Lock()
        self._epoch = -1
        self._checked_at = 0
        self._cache: dict[Any, Any] = {}
        self._statements: dict[str, Any] = {}

    @cached_property
    def _hash(self) -> "PasswordHash":
        """Loaded with the first password: a service that is asked with tokens never sees one."""
        from pwdlib import PasswordHash
        from pwdlib.hashers.argon2 import Argon2Hasher

        return PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),))

    # -- who is it ------------------------------------------------------------------------------------------------

    def principal(self, user: int, app: str, policies: Policies) -> Principal | None:
        """The person as a principal of an app; None if there is no such active person or he has no role in the app."""
        key = ("principal", user, app, id(policies))
        # Remembered with the policies, so that no others can be where these were and be taken for them.
        found: Principal | None = self._cached(key, lambda: (policies, self._principal(user, app, policies)))[1]
        return found

    def _principal(self, user: int, app: str, policies: Policies) -> Principal | None:
        with self.db.read() as r:
            row = r.one(self._statement("person"), {"id": user})
            if row is None or not row[3]:
                return None
            roles = policies.closure(each[0] for each in r.all(self._statement("roles"), {"id": user, "app": app}))
            teams = r.all(self._statement("teams"), {})
        paths = {each[0]: each[1] for each in teams}
        own = paths.get(row[4], "")
        led = [path for id, path, leader in teams if leader == user]
        below = tuple(sorted(id for id, path in paths.items() if any(path.startswith(each) for each in led)))
        if not roles:
            return None
        return Principal(
            user, row[1], row[2], roles, policies.administrator(roles), row[4],
            tuple(int(each) for each in own.strip("/").split("/") if each), below, "en" if row[5] == "en" else "zh",
        )  # fmt: skip

    def person(self, user: int) -> Person | None:
        """An active person; None if there is none."""
        with self.db.read() as r:
            row = r.one(self._statement("person"), {"id": user})
        return Person(row[0], row[1], row[2], "en" if row[5] == "en" else "zh", row[4]) if row and row[3] else None

    def members(self, app: str) -> tuple[Person, ...]:
        """The active people who have a role in an app, by name."""
        u, role = system.user, system.user_role
        inside = sa.select(role.c.user).where(role.c.app == sa.bindparam("app"))
        statement = (
            sa.select(u.c.id, u.c.login, u.c.name, u.c.team, u.c.language)
            .where(u.c.id.in_(inside), u.c.active.is_(True), u.c.deleted_at.is_(None))
            .order_by(u.c.name, u.c.id)
        )

        def find() -> tuple[Person, ...]:
            with self.db.read() as r:
                rows = r.all(self._made("members", statement), {"app": app})
            return tuple(Person(row[0], row[1], row[2], "en" if row[4] == "en" else "zh", row[3]) for row in rows)

        found: tuple[Person, ...] = self._cached(("members", app), find)
        return found

    def apps_of(self, user: int) -> tuple[str, ...]:
        """The apps in which a person has a role."""
        apps = sa.select(system.user_role.c.app).where(system.user_role.c.user == sa.bindparam("id")).distinct()
        with self.db.read() as r:
            return tuple(sorted(row[0] for row in r.all(self._made("apps", apps), {"id": user})))

    # -- signing in -----------------------------------------------------------------------------------------------

    def sign_in(self, login: str, password: str, address: str) -> Session:
        """A new session. Raises Refused: 401 for a wrong login or password (the same for both), 429 after too many tries."""
        login = login.strip().lower()
        # Only the digest is stored, so that a password typed into the login field is not kept.
        name = hashlib.sha256(login.encode()).hexdigest()[:32]
        if not self.allow(f"sign-in:{name}", SIGN_IN_BURST, SIGN_IN_EVERY) or not self.allow(
            f"sign-in-from:{address}", ADDRESS_BURST, SIGN_IN_EVERY // 10
        ):
            raise Refused(Problem("too-many-tries", "login"), 429)
        with self.db.read() as r:
            row = r.one(self._statement("secret"), {"login": login})
        right = self._verify(password, row[1] if row and row[1] else None)
        if row is None or not row[2] or not right:
            raise Refused(Problem("sign-in-wrong", "login"), 401)
        self._forget_tries(f"sign-in:{name}")
        return self.open_session(row[0])

    @cached_property
    def _nobody(self) -> str:
        """Checked when the login is unknown, so that the answer takes as long as for a known one."""
        return self._hash.hash(secrets.token_urlsafe(16))

    def _verify(self, password: str, stored: str | None) -> bool:
        if len(password) > LONGEST_PASSWORD:
            password = ""
        nobody = self._nobody  # made now if ever, so that the first unknown login takes no longer than a known one
        right = self._hash.verify(password, stored or nobody)
        return right and stored is not None

    def open_session(self, user: int) -> Session:
        now = self.clock.now()
        token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
        values = {
            "token": digest(token),
            "user": user,
            "csrf": csrf,
            "created_at": now,
            "seen_at": now,
            "expires_at": now + SESSION_LASTS,
        }
        with self.db.write() as w:
            w.run(
                self._made("open", sa.insert(system.session).values({name: sa.bindparam(name) for name in values})),
                values,
            )
        return Session(user, csrf, now + SESSION_LASTS, token)

    def session(self, token: str, seen: bool = True) -> Session | None:
        """The live session of a cookie; None if it is unknown, ended, expired or its person suspended.

        Not `seen`: nobody did anything, it is only looked whether the session still lives.
        """
        key = digest(token)
        found = self._cached(("session", key), lambda: self._session(key))
        if not isinstance(found, dict):
            return None
        now = self.clock.now()
        if now >= found["expires_at"] or now - found["seen_at"] >= SESSION_IDLE:
            return None
        if seen and now - found["seen_at"] > SEEN_EVERY:
            found["seen_at"] = now
            with self.db.write() as w:
                statement = (
                    sa.update(system.session)
                    .where(system.session.c.token == sa.bindparam("key"))
                    .values(seen_at=sa.bindparam("at"))
                )
                w.run(self._made("seen", statement), {"key": key, "at": now})
        return Session(found["user"], found["csrf"], found["expires_at"])

    def _session(self, key: str) -> dict[str, Any] | None:
        s, u = system.session, system.user
        statement = (
            sa.select(s.c.user, s.c.csrf, s.c.expires_at, s.c.seen_at)
            .join(u, u.c.id == s.c.user)
            .where(s.c.token == sa.bindparam("key"), u.c.active.is_(True), u.c.deleted_at.is_(None))
        )
        with self.db.read() as r:
            row = r.one(self._made("session", statement), {"key": key})
        return dict(zip(("user", "csrf", "expires_at", "seen_at"), row, strict=True)) if row else None

    def sign_out(self, token: str) -> None:
        self._change(sa.delete(system.session).where(system.session.c.token == digest(token)))

    # -- tokens ---------------------------------------------------------------------------------------------------

    def create_token(self, user: int, name: str, expires_at: int | None = None) -> tuple[int, str]:
        """A new API token: its id, and its text, which is never shown again."""
        text, id = f"dg_{secrets.token_urlsafe(32)}", new_id()
        row = {
            "id": id,
            "token": digest(text),
            "user": user,
            "name": name,
            "created_at": self.clock.now(),
            "expires_at": expires_at,
        }
        self._change(sa.insert(system.token).values(**row))
        return id, text

    def token_user(self, text: str) -> int | None:
        """Whose token it is; None if it is unknown, expired, or its person suspended."""
        key = digest(text)
        found = self._cached(("token", key), lambda: self._token(key))
        if not isinstance(found, tuple) or (found[1] is not None and self.clock.now() >= found[1]):
            return None
        return int(found[0])

    def _token(self, key: str) -> tuple[int, int | None] | None:
        t, u = system.token, system.user
        statement = (
            sa.select(t.c.user, t.c.expires_at)
            .join(u, u.c.id == t.c.user)
            .where(t.c.token == sa.bindparam("key"), u.c.active.is_(True))
        )
        with self.db.read() as r:
            row = r.one(self._made("token", statement), {"key": key})
        return (row[0], row[1]) if row else None

    def tokens(self, user: int) -> list[dict[str, Any]]:
        t = system.token
        with self.db.read() as r:
            found = r.all(
                self.db.statement(sa.select(t.c.id, t.c.name, t.c.created_at, t.c.expires_at).where(t.c.user == user)),
                {},
            )
        return [dict(zip(("id", "name", "created_at", "expires_at"), row, strict=True)) for row in found]

    def revoke_token(self, id: int, user: int | None = None) -> bool:
        """Delete a token; with `user` only if it is his. False if there was none."""
        statement = sa.delete(system.token).where(system.token.c.id == id)
        return self._change(statement if user is None else statement.where(system.token.c.user == user)) > 0

    # -- people and teams -----------------------------------------------------------------------------------------

    def create_user(self, login: str, name: str, password: str | None = None, *, team: int | None = None, email: str | None = None,
                    phone: str | None = None, hashed: str | None = None) -> int:  # fmt: skip
        """The new person's id. Raises Refused (409) if the login is taken, (422) if the password is too short or too long."""
        login = login.strip().lower()
        if self.find_user(login) is not None:
            raise Refused(Problem("login-taken", "login", {"login": login}), 409)
        if password is not None:
            hashed = self.hash(password)
        id = new_id()
        row = {"id": id, "login": login, "name": name, "password": hashed, "team": team, "email": email, "phone": phone, "active": True,
               "version": 1, "created_at": self.clock.now()}  # fmt: skip
        self._change(sa.insert(system.user).values(**row))
        self.refresh_managers()
        return id

    def hash(self, password: str) -> str:
        """The argon2 hash to store. Raises Refused (422) for a password of the wrong length."""
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise Refused(
                Problem("password-length", "password", {"least": SHORTEST_PASSWORD, "most": LONGEST_PASSWORD})
            )
        return self._hash.hash(password)

    def find_user(self, login: str) -> int | None:
        statement = sa.select(system.user.c.id).where(system.user.c.login == sa.bindparam("login"))
        with self.db.read() as r:
            found = r.scalar(self._made("find", statement), {"login": login.strip().lower()})
        return int(found) if found is not None else None

    def set_password(self, user: int, password: str) -> None:
        """Also ends all sessions and tokens of the person."""
        hashed = self.hash(password)
        self._change(
            sa.update(system.user).where(system.user.c.id == user).values(password=hashed),
            sa.delete(system.session).where(system.session.c.user == user),
            sa.delete(system.token).where(system.token.c.user == user),
        )

    def suspend(self, user: int, active: bool = False) -> None:
        """Suspend a person (or let him back). All his sessions end at once; tokens work again when he is back."""
        self._change(
            sa.update(system.user).where(system.user.c.id == user).values(active=active),
            sa.delete(system.session).where(system.session.c.user == user),
        )

    def set_language(self, user: int, language: Literal["zh", "en"]) -> None:
        self._change(sa.update(system.user).where(system.user.c.id == user).values(language=language))

    def set_roles(self, user: int, app: str, roles: Iterable[str]) -> None:
        mine = sa.and_(system.user_role.c.user == user, system.user_role.c.app == app)
        self._change(
            sa.delete(system.user_role).where(mine),
            *(sa.insert(system.user_role).values(user=user, app=app, role=role) for role in sorted(set(roles))),
        )

    def roles(self, user: int, app: str) -> tuple[str, ...]:
        """The roles given to a person, not closed under inclusion."""
        with self.db.read() as r:
            return tuple(sorted(row[0] for row in r.all(self._statement("roles"), {"id": user, "app": app})))

    def set_team(self, user: int, team: int | None) -> None:
        self._change(sa.update(system.user).where(system.user.c.id == user).values(team=team))
        self.refresh_managers()

    def create_team(self, key: str, name: str, parent: int | None = None) -> int:
        id = new_id()
        with self.db.read() as r:
            above = r.scalar(self._statement("path"), {"id": parent}) if parent is not None else "/"
        self._change(sa.insert(system.team).values(id=id, key=key, name=name, parent=parent, path=f"{above}{id}/"))
        return id

    def set_leader(self, team: int, leader: int | None) -> None:
        self._change(sa.update(system.team).where(system.team.c.id == team).values(leader=leader))
        self.refresh_managers()

    def teams(self) -> dict[str, int]:
        """Team ids by key."""
        with self.db.read() as r:
            return {
                row[0]: row[1] for row in r.all(self.db.statement(sa.select(system.team.c.key, system.team.c.id)), {})
            }

    def refresh_managers(self) -> None:
        """Everybody's manager: the leader of the nearest team, from his own upwards, that somebody else leads."""
        u = system.user
        with self.db.write() as w:
            teams = {row[0]: (row[1], row[2]) for row in w.all(self._statement("teams"), {})}
            rows = w.all(
                self.db.statement(sa.select(u.c.id, u.c.team, u.c.manager).where(u.c.deleted_at.is_(None))), {}
            )
            for id, team, manager in rows:
                above = [int(each) for each in teams.get(team, ("", None))[0].strip("/").split("/") if each]
                found = next((leader for each in reversed(above) if (leader := teams[each][1]) not in (None, id)), None)
                if found != manager:
                    w.run(self._made("manage", sa.update(u).where(u.c.id == sa.bindparam("who")).values(manager=sa.bindparam("boss"))),
                          {"who": id, "boss": found})  # fmt: skip
            self._raise_epoch(w)

    # -- rates ----------------------------------------------------------------------------------------------------

    def allow(self, name: str, burst: int, every: int) -> bool:
        """Take one token from a bucket of `burst` that fills by one every `every` microseconds; False when it is empty.

        The bucket stands in the database, so it holds across processes.
        """
        now, rate = self.clock.now(), system.rate
        with self.db.write() as w:
            select = sa.select(rate.c.tokens, rate.c.at).where(rate.c.name == sa.bindparam("name"))
            row = w.one(self._made("rate", select.with_for_update()), {"name": name})
            full = burst * 1000
            tokens = full if row is None else min(full, row[0] + (now - row[1]) * 1000 // every)
            allowed = tokens >= 1000
            values = {"name": name, "tokens": tokens - 1000 if allowed else tokens, "at": now}
            w.run(self._upsert_rate(), values)
        return allowed

    def _forget_tries(self, name: str) -> None:
        with self.db.write() as w:
            w.run(
                self._made("forget", sa.delete(system.rate).where(system.rate.c.name == sa.bindparam("name"))),
                {"name": name},
            )

    def _upsert_rate(self) -> Any:
        return self._made(
            "rated",
            sa.text(
                "INSERT INTO dg_rate (name, tokens, at) VALUES (:name, :tokens, :at) "
                "ON CONFLICT (name) DO UPDATE SET tokens = excluded.tokens, at = excluded.at"
            ),
        )

    # -- the cache ------------------------------------------------------------------------------------------------

    def _cached(self, key: Any, find: Any) -> Any:
        self.notice_changes()
        # What is found goes where it was missing: a change meanwhile has put an empty cache in its place.
        cache = self._cache
        found = cache.get(key)
        if found is None:
            found = find()
            if found is not None:
                if len(cache) > 20_000:
                    cache.clear()
                cache[key] = found
        return found

    def notice_changes(self) -> None:
        """Drop what is cached if people changed, here or in another process. Asks the database at most five times a second."""
        now = self.clock.now()
        if abs(now - self._checked_at) < MICROSECONDS // 5:
            return
        self._checked_at = now
        with self.db.read() as r:
            epoch = r.scalar(self._statement("epoch"), {}) or 0
        if epoch != self._epoch:
            self._epoch = epoch
            self._drop_cache()

    def _drop_cache(self) -> None:
        self._cache = {}

    def _change(self, *statements: Any) -> int:
        """Run changes and let every process know. Returns the rows that the first one touched."""
        with self.db.write() as w:
            counts = [w.run(self.db.statement(each), {}) for each in statements]
            self._raise_epoch(w)
        return counts[0]

    def _raise_epoch(self, w: Any) -> None:
        w.run(
            self._made(
                "raise",
                sa.text(
                    "INSERT INTO dg_epoch (name, number) VALUES ('access', 1) ON CONFLICT (name) DO UPDATE SET number = dg_epoch.number + 1"
                ),
            ),
            {},
        )
        w.on_commit(self._drop_cache)

    def _made(self, name: str, element: Any) -> Any:
        found = self._statements.get(name)
        if found is None:
            found = self._statements[name] = self.db.statement(element)
        return found

    def _statement(self, name: str) -> Any:
        found = self._statements.get(name)
        if found is None:
            found = self._statements[name] = self.db.statement(_STATEMENTS[name])
        return found


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _statements() -> Mapping[str, Any]:
    u, t, role = system.user, system.team, system.user_role
    id: Any = sa.bindparam("id")
    return {
        "person": sa.select(u.c.id, u.c.login, u.c.name, u.c.active, u.c.team, u.c.language).where(
            u.c.id == id, u.c.deleted_at.is_(None)
        ),
        "roles": sa.select(role.c.role).where(role.c.user == id, role.c.app == sa.bindparam("app")),
        "teams": sa.select(t.c.id, t.c.path, t.c.leader).where(t.c.deleted_at.is_(None)),
        "path": sa.select(t.c.path).where(t.c.id == id),
        "secret": sa.select(u.c.id, u.c.password, u.c.active).where(
            u.c.login == sa.bindparam("login"), u.c.deleted_at.is_(None)
        ),
        "epoch": sa.select(system.epoch.c.number).where(system.epoch.c.name == "access"),
    }


_STATEMENTS = _statements()

__all__ = ["People", "Person", "Session"]
