"""Whose a file is follows the values of the records, through merges, detachments and what takes them back."""

import sqlalchemy as sa

from engine.runtime import Attach, Delete, Detach, Merge, Restore, Undo
from engine.storage import system
from tests.runtime.conftest import Works
from tests.runtime.test_moving import upload

F = system.file


def placed(works: Works) -> dict[int, tuple[int | None, str | None]]:
    """The record and the field of each file that is not in the trash."""
    with works.db.read() as r:
        rows = r.all(works.db.statement(sa.select(F.c.id, F.c.record, F.c.field).where(F.c.deleted_at.is_(None))))
    return {id: (record, field) for id, record, field in rows}


def photos(works: Works, id: int) -> list[int]:
    got = works.get("max", "order", id)
    assert got is not None
    return [int(each) for each in got["photos"] or ()]


def order(works: Works, *files: int) -> int:
    client = works.create("ada", "client", name="Stone Mill")
    return works.create("ada", "order", client=str(client), photos=[str(id) for id in files])


def test_undoing_a_detachment_takes_the_file_out_of_the_trash(works: Works) -> None:
    one, other = upload(works, "ada", "one.jpg"), upload(works, "ada", "other.jpg")
    id = order(works, one, other)
    outcome = works.act("ada", Detach("order", id, "photos", one))
    assert (photos(works, id), placed(works)) == ([other], {other: (id, "photos")})
    undone = works.act("ada", Undo(outcome.batch))
    assert (photos(works, id), placed(works)) == ([one, other], {one: (id, "photos"), other: (id, "photos")})
    works.act("ada", Undo(undone.batch))
    assert (photos(works, id), placed(works)) == ([other], {other: (id, "photos")})


def test_undoing_an_attachment_puts_the_file_into_the_trash(works: Works) -> None:
    one = upload(works, "ada", "one.jpg")
    id = order(works)
    outcome = works.act("ada", Attach("order", id, "photos", one))
    assert (photos(works, id), placed(works)) == ([one], {one: (id, "photos")})
    undone = works.act("ada", Undo(outcome.batch))
    assert (photos(works, id), placed(works)) == ([], {})
    works.act("ada", Undo(undone.batch))
    assert (photos(works, id), placed(works)) == ([one], {one: (id, "photos")})


def test_a_merge_moves_only_the_files_that_it_takes_and_undoing_it_moves_them_back(works: Works) -> None:
    of_keep, of_lose = upload(works, "ada", "keep.jpg"), upload(works, "ada", "lose.jpg")
    keep, lose = order(works, of_keep), order(works, of_lose)
    apart = {of_keep: (keep, "photos"), of_lose: (lose, "photos")}
    outcome = works.act("max", Merge("order", keep, lose))
    assert (photos(works, keep), placed(works)) == ([of_keep], apart)
    works.act("max", Undo(outcome.batch))
    assert placed(works) == apart
    outcome = works.act("max", Merge("order", keep, lose, {"photos": "lose"}))
    assert (photos(works, keep), placed(works)) == ([of_lose], {of_lose: (keep, "photos")})
    undone = works.act("max", Undo(outcome.batch))
    assert (photos(works, keep), photos(works, lose), placed(works)) == ([of_keep], [of_lose], apart)
    assert works.get("max", "order", lose) is not None
    assert len(undone.results) >= 2


def test_a_merge_fills_an_empty_file_field_and_a_restored_loser_leaves_the_file_there(works: Works) -> None:
    file = upload(works, "ada", "lose.jpg")
    keep, lose = order(works), order(works, file)
    works.act("max", Merge("order", keep, lose))
    assert (photos(works, keep), placed(works)) == ([file], {file: (keep, "photos")})
    works.act("max", Restore("order", lose))
    assert (photos(works, keep), placed(works)) == ([file], {file: (keep, "photos")})
    assert photos(works, lose) == [], "it lists nothing that is another's"


def test_deleting_and_restoring_leaves_files_where_they_are(works: Works) -> None:
    file = upload(works, "ada", "one.jpg")
    id = order(works, file)
    works.act("max", Delete("order", id))
    works.act("max", Restore("order", id))
    assert (photos(works, id), placed(works)) == ([file], {file: (id, "photos")})
