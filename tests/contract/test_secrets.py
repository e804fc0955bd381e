"""A hidden field does not exist, on any surface, for any role of any package."""

import pytest

from engine.access.principal import Principal
from engine.app import App
from engine.clock import SetClock
from engine.problems import Refused
from engine.reading import Lens, Query
from engine.reading.lens import Reading
from engine.storage.database import Database
from engine.storage.schema import create_table
from tests.contract.conftest import ROOTS, compiled


def lenses(app: App, db: Database) -> dict[str, Lens]:
    """What each role sees, over the empty tables of the app."""
    with db.write() as w:
        for model in app.entities.values():
            if not model.system:
                for text in create_table(model.table, db.dialect):
                    w.script(text)
    reading = Reading(app, db, SetClock(0))
    return {
        role: reading.lens(
            Principal(1, role, role, app.policies.closure([role]), app.policies.administrator([role]), 1, (1,), (1,))
        )
        for role in app.definition.roles
    }


def codes(lens: Lens, db: Database, entity: str, surface: str, name: str) -> set[str]:
    query = {
        "fields": Query(fields=(name,)), "sort": Query(sort=(name,)), "where": Query(where=f"isblank({name})"), "filter": Query(filters={name: "1"}),
    }  # fmt: skip
    with db.read() as r, pytest.raises(Refused) as refused:
        if surface in query:
            lens.page(r, entity, query[surface])
        elif surface == "group":
            lens.aggregate(r, entity, Query(), (name,), {"n": "count"})
        elif surface == "measure":
            lens.aggregate(r, entity, Query(), (), {"n": f"max({name})"})
        else:
            lens.choices(r, entity, name)
    return {problem.code for problem in refused.value.problems}


@pytest.mark.parametrize("name", [root.stem for root in ROOTS])
def test_a_hidden_field_is_as_unknown_as_one_that_does_not_exist(name: str, database: Database) -> None:
    app = compiled(name)
    tried = 0
    for role, lens in lenses(app, database).items():
        for model in app.entities.values():
            if model.system or not lens.may(model.name, "read"):
                continue
            hidden = set(model.fields) - lens.fields(model.name).keys()
            for surface in ("fields", "sort", "where", "filter", "group", "measure", "choices"):
                absent = codes(lens, database, model.name, surface, "no_such_thing")
                for field in sorted(hidden):
                    assert codes(lens, database, model.name, surface, field) == absent, (
                        f"{role} {model.name}.{field} by {surface}"
                    )
                    tried += 1
    assert tried


@pytest.mark.parametrize("name", [root.stem for root in ROOTS])
def test_what_a_role_may_not_read_is_not_there(name: str, database: Database) -> None:
    app = compiled(name)
    for role, lens in lenses(app, database).items():
        for model in app.entities.values():
            if not model.system and not lens.may(model.name, "read"):
                with database.read() as r, pytest.raises(Refused):
                    lens.page(r, model.name, Query())
                assert model.name not in lens.entities(), role


@pytest.mark.parametrize("name", [root.stem for root in ROOTS])
def test_every_view_opens_for_every_role_it_is_for(name: str, database: Database) -> None:
    app = compiled(name)
    opened = set()
    for role, lens in lenses(app, database).items():
        for view in app.views.values():
            if lens.may(view.entity, "read") and (not view.roles or view.roles & lens.principal.roles):
                with database.read() as r:
                    assert lens.page(r, view.entity, Query(view=view.name)).rows == [], role
                opened.add(view.name)
    assert opened == set(app.views)
