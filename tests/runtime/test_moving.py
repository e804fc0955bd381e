"""Moving through a process: what a gate asks, what it says when it refuses, and the account of time."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from engine.clock import MICROSECONDS
from engine.columns import new_id
from engine.problems import Refused
from engine.runtime import Attach, Tick, Transition, Update
from engine.storage import system
from tests.runtime.conftest import Works

HOUR = 3600 * MICROSECONDS


def upload(works: Works, login: str, name: str) -> int:
    """A file as it stands after an upload, not attached to anything."""
    id = new_id()
    row = {
        "id": id,
        "app": "works",
        "name": name,
        "size": 10,
        "media_type": "application/pdf",
        "sha256": "",
        "path": name,
        "by": works.ids[login],
        "at": works.clock.now(),
    }
    with works.db.write() as w:
        w.run(works.db.statement(sa.insert(system.file).values(**row)))
    return id


def order(works: Works, login: str = "ada", **values: object) -> int:
    client = works.create(login, "client", name="Stone Mill")
    return works.create(login, "order", client=str(client), **values)


def missing(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [problem.path for problem in refused.value.problems if problem.code == "gate-missing"]


def test_a_gate_lists_everything_that_is_missing_at_once_and_who_can_help(works: Works) -> None:
    id = order(works)
    with pytest.raises(Refused) as refused:
        works.move("ada", "order", id, "working")
    assert missing(refused) == ["what", "called"]
    assert refused.value.problems[0].message("zh") == "不能离开「接单」:还缺 2 项:「事由」未填、未勾选「已电话确认」"
    assert refused.value.problems[1].hint("zh") == "钳工、班长可以提供。"


def test_a_gate_counts_files_related_records_ticks_and_conditions(works: Works) -> None:
    id = order(works, what="belt slips")
    works.act("ada", Tick("order", id, "called"))
    works.move("ada", "order", id, "working")
    with pytest.raises(Refused) as refused:
        works.move("fay", "order", id, "done")
    assert missing(refused) == ["report", "photos", "notes", "when"]
    works.act("ada", Attach("order", id, "report", upload(works, "ada", "report.PDF")))
    for name in ("a.jpg", "b.jpg"):
        works.act("ada", Attach("order", id, "photos", upload(works, "ada", name)))
    works.create("ada", "note", order=str(id), text="agreed on the phone", agreed=True)
    works.update("ada", "order", id, lines=[{"part": "belt", "price": 10}])
    works.move("fay", "order", id, "done")
    assert works.get("ada", "order", id)["stage"] == "done"  # type: ignore[index]


def test_a_transition_is_only_for_its_roles(works: Works) -> None:
    id = order(works, what="belt")
    works.act("ada", Tick("order", id, "called"))
    works.move("ada", "order", id, "working")
    with pytest.raises(Refused) as refused:
        works.move("ada", "order", id, "done")
    assert (refused.value.status, refused.value.problems[0].code) == (403, "transition-roles")


def test_going_back_needs_a_reason_and_no_gate(works: Works) -> None:
    id = order(works, what="belt")
    works.act("ada", Tick("order", id, "called"))
    works.move("ada", "order", id, "working")
    with pytest.raises(Refused) as refused:
        works.move("ada", "order", id, "received")
    assert refused.value.problems[0].code == "reason-missing"
    works.move("ada", "order", id, "received", reason="wrong machine")
    with works.db.read() as r:
        last = works.lens("ada").stages(r, "order", id)[-1]
    assert (last["stage"], last["direction"], last["reason"], last["operator_name"]) == (
        "received",
        "return",
        "wrong machine",
        "Ada",
    )


def test_the_stage_cannot_be_written_directly(works: Works) -> None:
    id = order(works)
    for login in ("ada", "max"):
        with pytest.raises(Refused) as refused:
            works.act(login, Update("order", id, {"stage": "done"}))
        assert refused.value.problems[0].code == "stage-by-transition"


def test_dwell_is_kept_in_calendar_time_and_in_working_time(works: Works) -> None:
    id = order(works, what="belt")
    works.act("ada", Tick("order", id, "called"))
    works.clock.advance(int(timedelta(hours=26) / timedelta(microseconds=1)))  # Monday 10:00 to Tuesday 12:00
    works.move("ada", "order", id, "working")
    with works.db.read() as r:
        first, second = works.lens("ada").stages(r, "order", id)
    assert (first["duration"], first["working"]) == (26 * 3600, (8 + 3) * 3600)
    assert (second["stage"], second["came_from"], second["left_at"]) == ("working", "received", None)


def test_what_is_provided_on_the_way_counts(works: Works) -> None:
    id = order(works)
    works.act("ada", Tick("order", id, "called"))
    works.act("ada", Transition("order", id, to="working", values={"what": "belt slips"}))
    assert works.get("ada", "order", id)["what"] == "belt slips"  # type: ignore[index]


def test_a_refused_move_leaves_no_trace(works: Works) -> None:
    id = order(works)
    before = (works.get("max", "order", id), works.history("max", "order", id))
    with pytest.raises(Refused):
        works.act("ada", Transition("order", id, to="working", values={"what": "belt slips"}))
    assert (works.get("max", "order", id), works.history("max", "order", id)) == before


def test_the_ways_out_are_told_with_what_each_needs(works: Works) -> None:
    id = order(works, what="belt")
    ways = {way.transition.name: way for way in works.runtime.ways(works.app, works.who("ada"), "order", id)}
    assert [(need.name, need.met) for need in ways["start"].needs] == [("what", True), ("called", False)]
    assert ways["refuse"].open
