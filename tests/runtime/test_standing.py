"""How far many records have come: the same as each by itself, in the same few statements however many they are."""

from engine.problems import Label
from engine.runtime import Tick
from engine.runtime.moves import ways
from engine.runtime.standing import onward, standings
from tests.runtime.conftest import Works, compiled, works  # noqa: F401


def orders(works: Works, count: int) -> list[int]:  # noqa: F811
    """Orders of which every third has its text, every fourth is ticked off and every second of those has begun."""
    client = works.create("ada", "client", name=f"Client {count}")
    made = []
    for number in range(count):
        values = {"what": "Gearbox"} if number % 3 == 0 else {}
        id = works.create("ada", "order", client=str(client), lines=[{"part": "p", "price": number}], **values)
        if number % 4 == 0:
            works.act("ada", Tick("order", id, "called", True))
        if number % 12 == 0:
            works.move("ada", "order", id, "working")
            works.create("ada", "note", order=str(id), text="yes", agreed=number % 24 == 0)
        made.append(id)
    return made


def test_what_is_said_of_many_records_is_what_is_said_of_each(works: Works) -> None:  # noqa: F811
    made = orders(works, 26)
    model = works.app.entities["order"]
    for login in ("ada", "fay", "max"):
        with works.db.read() as r:
            work = works.runtime.work(works.app, works.who(login), r)
            together = standings(work, model, made)
            for id in made:
                stage = (works.get("max", "order", id) or {})["stage"]
                taken = onward(work, work.app.processes["repair"], model, stage)
                alone = next((way for way in ways(work, model, id) if way.transition is taken), None)
                assert (together[id].needs if id in together else None) == (alone.needs if alone else None), (login, id)


def test_it_takes_as_many_statements_for_many_records_as_for_a_few(works: Works) -> None:  # noqa: F811
    made = orders(works, 26)
    model = works.app.entities["order"]
    counts = []
    for some in (made[:13], made):
        with works.db.read() as r:
            work = works.runtime.work(works.app, works.who("ada"), r)
            with works.db.counter() as counter:
                found = standings(work, model, some)
            counts.append(counter.count)
        assert len(found) == len(some)
    assert counts[0] == counts[1] <= 4


def test_records_before_no_gate_have_none(works: Works) -> None:  # noqa: F811
    (id,) = orders(works, 1)
    client = works.create("ada", "client", name="C")
    with works.db.read() as r:
        work = works.runtime.work(works.app, works.who("ada"), r)
        assert standings(work, works.app.entities["client"], [client]) == {}
        assert standings(work, works.app.entities["order"], []) == {}
        (found,) = standings(work, works.app.entities["order"], [id]).values()
    assert found.met < len(found.needs)
    assert all(isinstance(need.words, Label) for need in found.needs)
