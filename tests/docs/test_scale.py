"""The figures on scale that can be counted, counted."""

import re
from collections.abc import Callable

from engine.access.people import People
from engine.clock import SystemClock
from engine.definition import load
from engine.publishing.apply import publish
from engine.publishing.live import Live
from engine.reading import Query
from engine.runtime import Create, Runtime, Update
from engine.storage.database import Database
from tests.docs.commands import DOCS, ROOT


def promised() -> dict[str, int]:
    """What is done, and how many statements the page says that it costs at most."""
    page = (DOCS / "explanation" / "scale.md").read_text(encoding="utf-8")
    return {what: int(count) for what, count in re.findall(r"^\| ([a-z ]+) \| (\d+) \|", page, re.MULTILINE)}


def test_a_request_costs_no_more_statements_than_the_page_says(database: Database) -> None:
    db, clock = database, SystemClock()
    db.prepare()
    publish(db, load(ROOT / "apps" / "crm.yaml"), clock)
    app, people, runtime = Live(db).app("crm"), People(db, clock), Runtime(db, clock)
    assert app is not None
    user = people.create_user("rep", "Rep", hashed="-")
    people.set_roles(user, "crm", ["rep"])
    rep = people.principal(user, "crm", app.policies)
    assert rep is not None
    lens, made = runtime.lens(app, rep), 0

    def create() -> int:
        nonlocal made
        made += 1
        values = {"company_name": f"铺子 {made}", "source": "expo", "phone": f"1390000{made:04d}"}
        return runtime.execute(app, rep, Create("lead", values)).id or 0

    lead, version = create(), 1

    def get() -> None:
        with db.read() as r:
            lens.get(r, "lead", lead)

    def page() -> None:
        with db.read() as r:
            lens.page(r, "opportunity", Query(view="opportunity_mine"))

    def change() -> None:
        nonlocal version
        version = runtime.execute(app, rep, Update("lead", lead, {"title": f"t{version}"}, version)).version or 0

    def counted(work: Callable[[], object]) -> int:
        work()  # what is made once is made now
        with db.counter() as counter:
            work()
        return counter.count

    doings = {"get a record": get, "a page of a list": page, "create a lead": create, "change a lead": change}
    most = promised()
    assert most.keys() == doings.keys()
    assert [(what, count) for what, work in doings.items() if (count := counted(work)) > most[what]] == []
