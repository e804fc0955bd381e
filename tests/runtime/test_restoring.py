"""What comes back points to nothing that is gone: each lookup says what becomes of it, as it says when its target is deleted."""

import pytest

from engine.problems import Refused
from engine.runtime import Command, Delete, Restore, Undo, Update
from engine.runtime.matching import queue
from tests.runtime.conftest import Works


def refused(works: Works, command: Command, login: str = "max") -> list[tuple[str, str]]:
    with pytest.raises(Refused) as found:
        works.act(login, command)
    assert found.value.status == 409
    return [(problem.code, problem.path) for problem in found.value.problems]


def ordered(works: Works) -> tuple[int, int]:
    """A client and an order of it."""
    client = works.create("ada", "client", name="Stone Mill")
    return client, works.create("ada", "order", client=str(client), lines=[{"part": "belt", "price": 5}])


def delete(works: Works, entity: str, id: int) -> int:
    works.clock.advance(1)
    return works.act("max", Delete(entity, id)).batch


def test_what_would_have_kept_its_target_comes_back_after_it(works: Works) -> None:
    client, order = ordered(works)
    batch = delete(works, "order", order)
    delete(works, "client", client)
    with pytest.raises(Refused) as found:
        works.act("max", Restore("order", order))
    (problem,) = found.value.problems
    assert (problem.code, problem.path, problem.parameters["title"]) == ("restore-needs", "client", "Stone Mill")
    assert refused(works, Undo(batch)) == [("restore-needs", "client")]
    assert works.get("max", "order", order) is None
    works.act("max", Restore("client", client))
    works.act("max", Restore("order", order))
    got = works.get("max", "order", order)
    assert got is not None
    assert (got["client"], got["total"]) == (str(client), 5)


def test_what_would_have_gone_along_comes_back_with_its_target_or_after_it(works: Works) -> None:
    _, order = ordered(works)
    alone, along = (works.create("ada", "note", order=str(order), text=text) for text in ("alone", "along"))
    delete(works, "note", alone)
    delete(works, "order", order)
    assert refused(works, Restore("note", alone)) == [("restore-needs", "order")]
    works.act("max", Restore("order", order))
    assert works.get("max", "note", along) is not None
    assert works.get("max", "note", alone) is None
    works.act("max", Restore("note", alone))
    assert works.get("max", "note", alone)["order"] == str(order)  # type: ignore[index]


def test_a_link_that_would_have_been_cleared_is_cleared(works: Works) -> None:
    parent = works.create("max", "client", name="Group")
    id = works.create("max", "client", name="Mill", parent=str(parent))
    assert works.get("max", "client", id)["family"] == str(parent)  # type: ignore[index]
    delete(works, "client", id)
    delete(works, "client", parent)
    outcome = works.act("max", Restore("client", id))
    got = works.get("max", "client", id)
    assert got is not None
    assert (got["parent"], got["family"], got["version"]) == (None, str(id), outcome.version)


def test_what_comes_back_belongs_to_the_group_of_its_parent_as_it_is_now(works: Works) -> None:
    top = works.create("max", "client", name="Group")
    parent = works.create("max", "client", name="House")
    id = works.create("max", "client", name="Mill", parent=str(parent))
    delete(works, "client", id)
    works.update("max", "client", parent, parent=str(top))
    works.act("max", Restore("client", id))
    assert works.get("max", "client", id)["family"] == str(top)  # type: ignore[index]


def test_a_link_that_is_kept_stays(works: Works) -> None:
    about = works.create("max", "client", name="Other")
    _, order = ordered(works)
    note = works.create("ada", "note", order=str(order), about=str(about))
    delete(works, "note", note)
    delete(works, "client", about)
    works.act("max", Restore("note", note))
    assert works.get("max", "note", note)["about"] == str(about)  # type: ignore[index]


def test_undoing_a_change_points_to_nothing_that_is_gone(works: Works) -> None:
    client, order = ordered(works)
    other = works.create("ada", "client", name="Other")
    moved = works.act("ada", Update("order", order, {"client": str(other)}))
    delete(works, "client", client)
    assert refused(works, Undo(moved.batch)) == [("restore-needs", "client")]
    assert works.get("max", "order", order)["client"] == str(other)  # type: ignore[index]
    works.act("max", Restore("client", client))
    works.act("max", Undo(moved.batch))
    assert works.get("max", "order", order)["client"] == str(client)  # type: ignore[index]
    parent = works.create("max", "client", name="Group")
    works.update("max", "client", client, parent=str(parent))
    unset = works.act("max", Update("client", client, {"parent": None}))
    delete(works, "client", parent)
    works.act("max", Undo(unset.batch))
    assert works.get("max", "client", client)["parent"] is None  # type: ignore[index]


def test_what_comes_back_is_compared_with_what_was_made_meanwhile(works: Works) -> None:
    id = works.create("max", "client", name="Stone Mill", phone="13800138000")
    delete(works, "client", id)
    works.create("max", "client", name="Stone Mill Ltd", phone="13800138000")
    outcome = works.act("max", Restore("client", id))
    assert [warning.code for warning in outcome.warnings] == ["duplicate-found"]
    with works.db.read() as r:
        (pair,) = queue(works.runtime.work(works.app, works.who("max"), r), "client")
    assert {pair["one"]["title"], pair["other"]["title"]} == {"Stone Mill", "Stone Mill Ltd"}
