"""The checker is worth something: each of a dozen mistakes that a write path could make is planted, and it sees every one.

The story below is told by a server in this process: requests with keys, refusals among them, and two deaths, one right
before a commit and one right after it, each followed by the same request again.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine.access.people import People
from engine.clock import SystemClock
from engine.definition import load
from engine.publishing.apply import publish
from engine.runtime import runtime as running
from engine.runtime.act import Act
from engine.runtime.plans import EntityPlan
from engine.runtime.work import Work
from engine.storage import system
from engine.storage.database import Database
from engine.storage.files import Files
from engine.storage.sqlite import SqliteWrite
from engine.web.idempotency import Keys
from engine.web.server import create_server
from engine.web.settings import Settings
from tests.attacks.conftest import TestClient
from tests.crash.checker import Checker, Intent, Ledger
from tests.crash.served import APP, BASE, PDF

Patch = pytest.MonkeyPatch


class Died(Exception):
    """The process is gone: nothing after this point has happened."""


class Story:
    """One process after another on one database; `ask` writes into the ledger what a client would."""

    def __init__(self, folder: Path, token: str, patch: Patch) -> None:
        self.folder, self.patch = folder, patch
        self.settings = Settings(data=folder, log="error")
        self.headers = {"authorization": f"Bearer {token}"}
        self.ledger = Ledger()
        self.death, self.dead = "", False
        leave = SqliteWrite.__exit__

        def left(write: SqliteWrite, kind: Any, *more: Any) -> None:
            if kind is None and self.death == "before":
                self.death, self.dead = "", True
                leave(write, Died, *more)
                raise Died
            leave(write, kind, *more)
            if kind is None and self.death == "after":
                self.death, self.dead = "", True
                raise Died

        patch.setattr(SqliteWrite, "__exit__", left)

    def ask(self, method: str, path: str, body: Any, *marks: str, key: str = "", **more: Any) -> dict[str, Any]:
        """Ask until there is an answer."""
        key = key or f"key {len(self.ledger.intents)}"
        intent = self.ledger.intend(Intent(key, marks, whole=more.pop("whole", True), count=more.pop("count", None)))
        headers = self.headers | {"idempotency-key": key} | more.pop("headers", {})
        content: Any = {"files": body} if isinstance(body, dict) and "file" in body else {"json": body}
        for _ in range(2):
            self.dead = False
            response = self.http.request(method, BASE + path, headers=headers, **content)
            if self.dead:
                continue  # nobody would have got this answer
            intent.status = response.status_code
            return dict(json.loads(response.content)) if response.content else {}
        raise AssertionError("died twice")

    def tell(self) -> None:
        with TestClient(create_server(self.settings)) as self.http:
            self._tell()

    def _tell(self) -> None:
        ask = self.ask
        client = ask("POST", "/client", {"name": "m-mill", "phone": "13800000001"}, "m-mill")["id"]
        other = ask("POST", "/client", {"name": "m-shop", "parent": client}, "m-shop")["id"]
        rows = [{"part": "m-belt", "price": 10}, {"part": "m-oil", "price": 5}]
        values = {"client": client, "what": "m-noise", "margin": 0, "lines": rows}
        order = ask("POST", "/order", values, "m-noise", "m-belt", "m-oil")["id"]
        path = f"/order/{order}"
        ask("PATCH", path, {"lines": [{"part": "m-fan", "price": 7}]}, "m-fan", headers={"if-match": '"1"'})
        ask("PATCH", path, {"margin": 1}, count=int(order), headers={"if-match": '"2"'})
        ask("PATCH", path, {"margin": 1}, count=int(order), headers={"if-match": '"2"'})  # has not seen the other's
        ask("POST", f"{path}/transitions", {"to": "working", "reason": "m-too-early"}, "m-too-early")
        ask("POST", f"{path}/checklist", {"item": "called"})
        ask("POST", f"{path}/transitions", {"to": "working", "reason": "m-begin"}, "m-begin")
        ask("POST", f"{path}/files/photos", {"file": ("m-1.pdf", PDF % b"1")}, "m-1.pdf")
        ask("POST", "/note", {"order": order, "text": "m-yes", "agreed": True}, "m-yes")
        commands = [{"action": "create", "values": {"name": "m-a"}}, {"action": "create", "values": {"phone": "1"}}]
        ask("POST", "/client/bulk", {"commands": commands}, "m-a")
        ask("DELETE", f"/client/{client}", None, headers={"if-match": '"1"'})
        self.death = "before"
        again = {"client": other, "what": "m-rust", "lines": [{"part": "m-nut", "price": 1}]}
        ask("POST", "/order", again, "m-rust", "m-nut")
        self.death = "after"
        ask("POST", "/client", {"name": "m-late"}, "m-late", key="late")
        note = ask("POST", "/note", {"order": order, "text": "m-so"}, "m-so")["id"]
        batch = ask("PATCH", f"/note/{note}", {"text": "m-no"}, "m-no", headers={"if-match": '"1"'})["batch"]
        ask("POST", "/undo", {"batch": batch}, f"undo:{batch}")
        twin = ask("POST", "/client", {"name": "m-twin"}, "m-twin")["id"]
        ask("POST", f"/client/{other}/merge", {"lose": twin})  # which takes no value of it, but says so

    def faults(self) -> list[str]:
        db = Database.open(self.settings.database_url)
        try:
            return Checker(db, "works", Files(self.settings.files), SystemClock().now()).faults(self.ledger)
        finally:
            db.close()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with a published workshop, and the token of its owner."""
    folder = tmp_path_factory.mktemp("template")
    db, clock = Database.open(Settings(data=folder).database_url), SystemClock()
    db.prepare()
    publish(db, load(APP), clock)
    people = People(db, clock)
    boss = people.create_user("max", "Max", team=people.create_team("works", "Works"))
    people.set_roles(boss, "works", ["owner"])
    token = people.create_token(boss, "test")[1]
    db.close()
    return folder, token


@pytest.fixture
def story(template: tuple[Path, str], tmp_path: Path, monkeypatch: Patch) -> Story:
    shutil.copytree(template[0], tmp_path / "data")
    return Story(tmp_path / "data", template[1], monkeypatch)


# -- mistakes -----------------------------------------------------------------------------------------------------------

mistakes: dict[str, tuple[Callable[[Patch, Story], None], str]] = {}
Mistake = Callable[[Patch, Story], None]


def seen_as(words: str) -> Callable[[Mistake], Mistake]:
    def register(mistake: Mistake) -> Mistake:
        mistakes[mistake.__name__] = (mistake, words)
        return mistake

    return register


def every(times: int, patch: Patch, owner: Any, name: str, instead: Callable[..., Any]) -> None:
    """Let every so manieth call of a method do something else."""
    usual, calls = getattr(owner, name), [0]

    def called(*arguments: Any, **more: Any) -> Any:
        calls[0] += 1
        return (usual if calls[0] % times else instead)(*arguments, **more)

    patch.setattr(owner, name, called)


@seen_as("was acknowledged and is lost")
def acknowledged_before_it_is_durable(patch: Patch, story: Story) -> None:
    leave = SqliteWrite.__exit__

    def early(write: SqliteWrite, kind: Any, *more: Any) -> None:
        leave(write, kind or Died, *more)

    every(4, patch, SqliteWrite, "__exit__", early)


@seen_as("is there by half")
def committed_in_two_parts(patch: Patch, story: Story) -> None:
    save = Work.save_children

    def split(work: Work, parent: Any, name: str, rows: Any, path: str, trusted: Any = None) -> None:
        save(work, parent, name, rows[:1], path, trusted)
        if parent.before is None:
            work.w.script("COMMIT")
            work.w.script("BEGIN IMMEDIATE")
            story.dead = True
            raise Died

    calls = [0]

    def once(work: Work, parent: Any, name: str, rows: Any, path: str, trusted: Any = None) -> None:
        calls[0] += 1
        (split if calls[0] == 1 else save)(work, parent, name, rows, path, trusted)

    patch.setattr(Work, "save_children", once)


@seen_as("is there 2 times")
def a_key_that_differs_each_time(patch: Patch, story: Story) -> None:
    claim, turns = Keys.claim, iter(range(1000))

    def random(keys: Keys, write: Any, user: int, key: str, request: str) -> None:
        claim(keys, write, user, f"{key} {next(turns)}", request)

    patch.setattr(Keys, "claim", random)


@seen_as("are not what the journal tells")
def a_change_without_history(patch: Patch, story: Story) -> None:
    record = Work.record

    def forgets(work: Work, draft: Any, action: str, cause: str | None = None) -> None:
        if action == "update":
            draft.before = dict(draft.after)  # nothing to tell
        record(work, draft, action, cause)

    patch.setattr(Work, "record", forgets)


@seen_as("is not what it is computed from")
def a_sum_that_does_not_follow(patch: Patch, story: Story) -> None:
    patch.setattr(running, "propagate", lambda work: None)


@seen_as("numbers were given")
def a_number_that_is_taken_and_not_given(patch: Patch, story: Story) -> None:
    number = Work.number

    def twice(work: Work, *arguments: Any) -> None:
        number(work, *arguments)
        number(work, *arguments)

    patch.setattr(Work, "number", twice)


@seen_as("was counted up 2 times and stands at 1")
def an_edit_over_what_was_not_seen(patch: Patch, story: Story) -> None:
    find = Act.load
    patch.setattr(Act, "load", lambda act, model, id, action, version=None: find(act, model, id, action))


@seen_as("is not found by its words")
def search_words_that_stay_behind(patch: Patch, story: Story) -> None:
    changes = EntityPlan.changes

    def stays(plan: EntityPlan, id: int, changed: Any, values: Any) -> dict[str, Any]:
        return {**changes(plan, id, changed, values), "n_search": []}

    patch.setattr(EntityPlan, "changes", stays)


@seen_as("its way")
def a_move_without_its_stage(patch: Patch, story: Story) -> None:
    every(2, patch, Work, "log_stage", lambda *arguments: None)


@seen_as("is not stored")
def a_file_that_was_only_promised(patch: Patch, story: Story) -> None:
    save = Files.save

    def promised(files: Files, *arguments: Any, **more: Any) -> Any:
        kept = save(files, *arguments, **more)
        files.delete(kept.path)
        return kept

    patch.setattr(Files, "save", promised)


@seen_as("holds file")
def a_file_of_nobody(patch: Patch, story: Story) -> None:
    patch.setattr("engine.runtime.uploads._take", _nothing)


def _nothing(work: Work) -> Any:
    return work.plans.db.statement(sa.update(system.file).where(sa.false()).values(record=sa.bindparam("to")))


@seen_as("and is there")
def a_refusal_that_leaves_traces(patch: Patch, story: Story) -> None:
    def keeps(write: SqliteWrite) -> None:
        write._driver.execute("COMMIT")

    patch.setattr(SqliteWrite, "_undo", keeps)


@seen_as("which is gone")
def a_deletion_that_asks_nobody(patch: Patch, story: Story) -> None:
    patch.setattr("engine.runtime.removal.pointing", lambda work, model: iter(()))


@seen_as("is not found by its matching keys")
def matching_keys_that_are_not_kept(patch: Patch, story: Story) -> None:
    patch.setattr("engine.runtime.matching._keep_keys", lambda *arguments: None)


@seen_as("is in the group of")
def a_group_that_is_not_kept(patch: Patch, story: Story) -> None:
    patch.setattr("engine.runtime.rules.keep_groups", lambda work, draft: None)


@seen_as("are not the sums of")
def a_total_that_is_not_kept(patch: Patch, story: Story) -> None:
    create = Work.create

    def without(work: Work, *arguments: Any, **more: Any) -> Any:
        for name in work.w.column(
            work.plans.db.statement(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
        ):
            work.w.script(f'DROP TRIGGER "{name}"')
        return create(work, *arguments, **more)

    patch.setattr(Work, "create", without)


def test_the_story_without_a_mistake_is_in_order(story: Story) -> None:
    story.tell()
    assert story.faults() == []
    statuses = [intent.status for intent in story.ledger.intents]
    assert statuses.count(None) == 0
    assert {409, 422} <= set(statuses)
    assert story.ledger.acknowledged == len(statuses) - 4


@pytest.mark.parametrize("mistake", mistakes)
def test_a_mistake_is_seen(story: Story, mistake: str, monkeypatch: Patch) -> None:
    plant, words = mistakes[mistake]
    plant(monkeypatch, story)
    try:
        story.tell()
    except (AssertionError, KeyError):
        pass  # what has happened until then is there to be judged
    found = story.faults()
    assert any(words in fault for fault in found), found
