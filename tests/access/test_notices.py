"""What people are told: whose it is, what is unread, what is taken back."""

import pytest

from engine.access.notices import KEPT, MOST_COUNTED, Notices
from engine.clock import SetClock


@pytest.fixture
def clock():
    return SetClock(1_000)


@pytest.fixture
def notices(database, clock):
    database.prepare()
    return Notices(database, clock)


@pytest.fixture
def tell(database, notices, clock):
    def told(user, kind="mention", **more):
        clock.advance(1)
        with database.write() as w:
            notices.add(w, user, "shop", kind, **more)

    return told


def test_a_notice_is_for_one_person_in_one_app_until_he_reads_it(notices, tell):
    tell(1, entity="order", record=7, by=2, detail={"comment": "9"})
    tell(3)
    assert notices.unread(1, "shop") == 1
    assert notices.unread(1, "farm") == 0
    (found,) = notices.all(1, "shop")
    assert (found.kind, found.entity, found.record, found.by, found.detail) == (
        "mention",
        "order",
        7,
        2,
        {"comment": "9"},
    )
    notices.read(3, "shop", [found.id])
    assert notices.unread(1, "shop") == 1, "nobody reads for another"
    notices.read(1, "shop", [found.id])
    assert notices.unread(1, "shop") == 0
    assert notices.all(1, "shop", only_unread=True) == []
    assert [each.id for each in notices.all(1, "shop")] == [found.id]


def test_the_latest_come_first_and_earlier_ones_on_the_next_page(notices, tell):
    for record in range(5):
        tell(1, record=record)
    page = notices.all(1, "shop", most=2)
    assert [each.record for each in page] == [4, 3]
    assert [each.record for each in notices.all(1, "shop", most=2, before=page[-1].at)] == [2, 1]


def test_looking_at_a_record_reads_what_was_told_of_it_and_nothing_else(database, notices, tell):
    tell(1, entity="order", record=7)
    tell(1, entity="order", record=8)
    notices.read_about(1, "shop", "order", 7)
    assert [each.record for each in notices.all(1, "shop", only_unread=True)] == [8]
    with database.counter() as counter:
        notices.read_about(1, "shop", "order", 7)
    assert len(counter.texts) == 1, "looking again writes nothing"


def test_all_can_be_read_at_once_and_what_was_read_is_not_taken_back(database, notices, tell):
    tell(1, detail={"comment": "5"})
    tell(1, detail={"comment": "6"})
    with database.write() as w:
        notices.withdraw(w, 1, "shop", "mention", {"comment": "5"})
    assert [each.detail for each in notices.all(1, "shop")] == [{"comment": "6"}]
    notices.read(1, "shop")
    with database.write() as w:
        notices.withdraw(w, 1, "shop", "mention", {"comment": "6"})
    assert notices.unread(1, "shop") == 0
    assert len(notices.all(1, "shop")) == 1


def test_the_oldest_go_where_there_are_too_many_and_counting_stops(notices, tell):
    for record in range(KEPT + 3):
        tell(1, record=record)
    kept = notices.all(1, "shop", most=KEPT + 10)
    assert [each.record for each in kept] == list(range(KEPT + 2, 2, -1))
    assert notices.unread(1, "shop") == MOST_COUNTED
