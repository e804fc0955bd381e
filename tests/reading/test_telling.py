"""What is told of a record by its stored values is what the database answers."""

import pytest

from tests.reading.test_lens import filled  # noqa: F401
from tests.runtime.conftest import Works, compiled, works  # noqa: F401

PEOPLE = ("ada", "ben", "fay", "sun", "bea", "max")


@pytest.mark.parametrize("login", PEOPLE)
def test_a_record_is_told_as_it_would_be_read(filled: Works, login: str) -> None:  # noqa: F811
    lens = filled.lens(login)
    told = 0
    for entity in lens.entities():
        model = filled.app.entities[entity]
        plan = filled.runtime.prepared(filled.app)[1].entity(entity)
        with filled.db.read() as r:
            for row in filled.rows("max", entity):
                id = int(row["id"])
                values = dict(zip(plan.stored, r.one(plan.select(), {"id": id}) or (), strict=True))
                known = lens.told(entity, values)
                if known is not None:
                    assert known == lens.get(r, entity, id)
                    assert list(known) == list(lens.get(r, entity, id) or ())
                    told += 1
                assert lens.told(entity, {**values, "deleted_at": 1}) is None
        assert model.columns.keys() == set(plan.stored)
    assert told


def test_what_depends_on_other_records_is_not_told(filled: Works) -> None:  # noqa: F811
    """Rows of a part are those of its whole."""
    plan = filled.runtime.prepared(filled.app)[1].entity("line")
    lens = filled.lens("ada")
    (row, *_) = filled.rows("max", "line")
    with filled.db.read() as r:
        values = dict(zip(plan.stored, r.one(plan.select(), {"id": int(row["id"])}) or (), strict=True))
    assert lens.told("line", values) is None


def test_one_alternative_that_holds_is_enough(filled: Works) -> None:  # noqa: F811
    expression = filled.lens("ada").view.expression(
        "name = 'C1' or (region = 'south' or owner.name = 'Ada')", "client", "t"
    )
    assert [each.reads == () for each in expression.alternatives] == [True, True, False]
    context = filled.lens("ada").context()
    assert [each.evaluate({"region": "south"}, context) for each in expression.alternatives[:2]] == [False, True]
