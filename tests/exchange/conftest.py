"""The workshop of the write path's tests, in which foremen may also import and export, and orders have a number from elsewhere."""

from collections.abc import Iterator

import pytest

from engine.app import App, compile_app
from engine.clock import SetClock
from engine.definition import load
from engine.storage.database import Database
from engine.storage.schema import create_index
from engine.storage.tables import plain_indexes
from tests.runtime.conftest import HERE, START, Works, open_app

EDITS = (
    ("actions: [read, create, update, delete, restore, merge, handover]", "actions: [read, create, update, delete, restore, merge, handover, import, export]"),
    ("actions: [read, create, update, transition, delete, restore, handover]", "actions: [read, create, update, transition, delete, restore, handover, import, export]"),
    ("      what: {type: longtext,", "      external: {type: text, unique: true, label: {zh: 外部编号, en: External no.}}\n      ordered_on: {type: date, label: {zh: 下单日期, en: Ordered on}}\n      what: {type: longtext,"),
    ("owner: {type: user, default: user, label: {zh: 负责人, en: Owner}}\n      client:", "owner: {type: user, required: true, default: user, label: {zh: 负责人, en: Owner}}\n      client:"),
)  # fmt: skip


@pytest.fixture(scope="session")
def yard_app() -> App:
    text = (HERE / "works.yaml").read_text("utf-8")
    for old, new in EDITS:
        assert old in text
        text = text.replace(old, new)
    return compile_app(load({"works.yaml": text}))


@pytest.fixture
def yard(database: Database, yard_app: App) -> Iterator[Works]:
    """Ada and Ben are fitters of the north team that Fay leads; Sun is a fitter of the south; Max owns the place."""
    it = open_app(database, yard_app, SetClock(START))
    with database.write() as w:
        for name in yard_app.hot_entities:
            model, home = yard_app.entities[name], yard_app.layout[name]
            for spec in plain_indexes(home, {**model.fields}, (), bool(model.processes), database.dialect):
                w.script(create_index(spec.build(model.table), database.dialect))
    teams = {"works": it.people.create_team("works", "Works")}
    teams["north"] = it.people.create_team("north", "North", teams["works"])
    teams["south"] = it.people.create_team("south", "South", teams["works"])
    for login, name, role, team in [
        ("ada", "Ada Stone", "fitter", "north"), ("ben", "Ben Wood", "fitter", "north"), ("fay", "Fay Lake", "foreman", "north"),
        ("sun", "Sun Field", "fitter", "south"), ("max", "Max Hill", "owner", "works"),
    ]:  # fmt: skip
        it.ids[login] = it.people.create_user(login, name, team=teams[team])
        it.people.set_roles(it.ids[login], "works", [role])
    it.people.set_leader(teams["north"], it.ids["fay"])
    it.people.set_leader(teams["works"], it.ids["max"])
    return it
