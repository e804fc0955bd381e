"""What people say about records: who may, who is told, what stays when it is taken back."""

import pytest

from engine.problems import Refused
from engine.reading.comments import comments
from engine.runtime import Comment, Delete, EditComment, Merge, RemoveComment, Restore, Undo
from engine.runtime.comments import LONGEST


@pytest.fixture
def order(works):
    client = works.create("ada", "client", name="Acme")
    return works.create("ada", "order", client=str(client))


def said(works, login, entity, id):
    with works.db.read() as r:
        return comments(works.lens(login), r, entity, id)


def say(works, login, entity, id, text):
    works.clock.advance(1_000_000)
    outcome = works.act(login, Comment(entity, id, text))
    return int(outcome.details["comment"]), outcome


def refused(works, login, command):
    with pytest.raises(Refused) as error:
        works.act(login, command)
    return error.value.status, error.value.problems[0].code


def test_whoever_may_read_a_record_may_comment_on_it_and_the_journal_says_so(works, order):
    first, outcome = say(works, "ada", "order", order, "  Pump is loud \r\n again ")
    second, _ = say(works, "fay", "order", order, "<b>see</b> {{7*7}}")
    found = said(works, "fay", "order", order)
    assert [(each.id, each.by_name, each.text) for each in found] == [
        (second, "Fay", "<b>see</b> {{7*7}}"),
        (first, "Ada", "Pump is loud \n again"),
    ]
    assert outcome.version == works.get("ada", "order", order)["version"], "the record itself is not another one"
    assert [each["action"] for each in works.history("ada", "order", order)][:2] == ["comment", "comment"]


def test_a_record_that_one_may_not_see_takes_no_comment_and_shows_none(works, order):
    say(works, "ada", "order", order, "between us")
    assert refused(works, "sun", Comment("order", order, "hello")) == (404, "not-found")
    with pytest.raises(Refused) as error:
        said(works, "sun", "order", order)
    assert error.value.status == 404


def test_only_the_writer_changes_a_comment_and_an_administrator_may_take_it_back(works, order):
    id, _ = say(works, "ada", "order", order, "first")
    assert refused(works, "ben", EditComment("order", order, id, "mine now")) == (404, "not-found")
    assert refused(works, "max", EditComment("order", order, id, "mine now")) == (403, "comment-not-yours")
    assert refused(works, "fay", RemoveComment("order", order, id)) == (403, "comment-not-yours")
    works.act("ada", EditComment("order", order, id, "second"))
    (one,) = said(works, "fay", "order", order)
    assert (one.text, one.edited_at) == ("second", works.clock.now())
    works.act("max", RemoveComment("order", order, id))
    (one,) = said(works, "fay", "order", order)
    assert (one.id, one.by_name, one.text, one.deleted_at) == (id, "Ada", None, works.clock.now())
    assert refused(works, "ada", EditComment("order", order, id, "back")) == (404, "not-found")


def test_a_comment_is_reached_through_its_own_record_only(works, order):
    id, _ = say(works, "ada", "order", order, "here")
    other = works.create("ada", "order", client=works.get("ada", "order", order)["client"])
    client = int(works.get("ada", "order", order)["client"])
    for entity, record in (("order", other), ("client", client), ("order", order + 1)):
        assert refused(works, "ada", EditComment(entity, record, id, "x")) == (404, "not-found")
        assert refused(works, "ada", RemoveComment(entity, record, id)) == (404, "not-found")


def test_a_comment_says_something_and_not_too_much(works, order):
    assert refused(works, "ada", Comment("order", order, " \n ")) == (422, "comment-empty")
    assert refused(works, "ada", Comment("order", order, "x" * (LONGEST + 1))) == (422, "comment-too-long")


def test_those_who_are_mentioned_are_told_if_they_see_the_record(works, order):
    id, outcome = say(works, "ada", "order", order, "@[fay] and @[sun], @[nobody], @[ada], @[fay] again")
    told = {login: works.runtime.notices.all(works.ids[login], "works") for login in ("ada", "fay", "sun")}
    assert told["ada"] == told["sun"] == []
    (notice,) = told["fay"]
    assert (notice.kind, notice.entity, notice.record, notice.by) == ("mention", "order", order, works.ids["ada"])
    assert notice.detail == {"comment": str(id)}
    (warning,) = outcome.warnings
    assert (warning.code, warning.parameters["names"]) == ("mention-untold", "sun、nobody")


def test_changing_a_comment_tells_the_new_and_takes_back_what_nobody_read(works, order):
    notices = works.runtime.notices
    id, _ = say(works, "ada", "order", order, "@[max] look")
    works.act("ada", EditComment("order", order, id, "@[fay] look"))
    assert notices.unread(works.ids["max"], "works") == 0
    assert notices.unread(works.ids["fay"], "works") == 1
    works.act("ada", RemoveComment("order", order, id))
    assert notices.unread(works.ids["fay"], "works") == 0


def test_comments_vanish_with_their_record_and_come_back_with_it(works, order):
    say(works, "ada", "order", order, "kept")
    works.act("max", Delete("order", order))
    with pytest.raises(Refused):
        said(works, "max", "order", order)
    assert refused(works, "max", Comment("order", order, "late")) == (404, "not-found")
    works.act("max", Restore("order", order))
    assert [each.text for each in said(works, "ada", "order", order)] == ["kept"]


def test_comments_move_with_a_merge_and_back_when_it_is_undone(works):
    keep = works.create("ada", "client", name="Acme")
    lose = works.create("ada", "client", name="Acme Ltd")
    say(works, "ada", "client", keep, "of the one")
    say(works, "max", "client", lose, "of the other")
    merged = works.act("max", Merge("client", keep, lose))
    assert [each.text for each in said(works, "max", "client", keep)] == ["of the other", "of the one"]
    works.act("max", Undo(merged.batch))
    assert [each.text for each in said(works, "max", "client", keep)] == ["of the one"]
    assert [each.text for each in said(works, "max", "client", lose)] == ["of the other"]


def test_what_was_done_to_a_comment_can_be_undone_until_it_changes_again(works, order):
    id, first = say(works, "ada", "order", order, "one")
    edited = works.act("ada", EditComment("order", order, id, "two"))
    assert refused(works, "ada", Undo(first.batch)) == (409, "comment-changed")
    works.act("ada", Undo(edited.batch))
    assert said(works, "ada", "order", order)[0].text == "one"
    removed = works.act("ada", RemoveComment("order", order, id))
    works.act("ada", Undo(removed.batch))
    assert said(works, "ada", "order", order)[0].text == "one"
    works.act("ada", Undo(first.batch))
    assert said(works, "ada", "order", order)[0].text is None
