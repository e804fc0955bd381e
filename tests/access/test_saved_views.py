"""Saved views: whose they are, who sees them, and that nobody writes over what he has not seen."""

import pytest

from engine.access.principal import Principal
from engine.access.saved_views import LONGEST_LABEL, LONGEST_QUERY, MOST, SavedViews
from engine.clock import SetClock
from engine.problems import Refused

ADA = Principal(1, "ada", "Ada", frozenset(), team=10, teams=(10, 1))
BEN = Principal(2, "ben", "Ben", frozenset(), team=11, teams=(11, 10, 1))
CAT = Principal(3, "cat", "Cat", frozenset(), team=20, teams=(20, 1))
MAX = Principal(4, "max", "Max", frozenset(), administrator=True)
ASKED = (("view", "all"), ("f.kind", "repair"))


@pytest.fixture
def views(database):
    database.prepare()
    return SavedViews(database, SetClock(1_000))


def seen(views, principal, entity="visit", app="upkeep"):
    with views._db.read() as r:
        return [view.label for view in views.all(r, principal, app, entity)]


def one(views, principal, id):
    with views._db.read() as r:
        return views.one(r, principal, "upkeep", "visit", id)


def add(views, principal, label, shared="none"):
    return views.add(principal, "upkeep", "visit", label, "list", ASKED, shared)


def change(views, principal, id, version, **more):
    given = {"label": "Other", "form": "board", "parameters": ASKED[:1], "shared": "none", **more}
    views.change(principal, "upkeep", "visit", id, version, **given)


def test_a_view_is_seen_by_its_owner_his_team_and_those_below_or_everybody(views):
    add(views, ADA, "own")
    add(views, ADA, "team", "team")
    add(views, BEN, "below", "team")
    add(views, CAT, "whole", "all")
    assert seen(views, ADA) == ["own", "team", "whole"]
    assert seen(views, BEN) == ["below", "team", "whole"]  # one's own first
    assert seen(views, CAT) == ["whole"]
    assert seen(views, ADA, "site") == seen(views, ADA, app="farm") == []


def test_what_was_kept_comes_back_as_it_was(views):
    id = add(views, ADA, "  two   words ")
    view = one(views, ADA, id)
    assert (view.label, view.form, view.parameters, view.shared, view.mine, view.version) == (
        "two words", "list", ASKED, "none", True, 1,
    )  # fmt: skip
    assert one(views, BEN, id) is None


def test_only_the_version_that_was_seen_is_replaced_or_deleted(views):
    id = add(views, ADA, "first")
    change(views, ADA, id, 1)
    for attempt in (lambda: change(views, ADA, id, 1), lambda: views.drop(ADA, "upkeep", "visit", id, 1)):
        with pytest.raises(Refused) as refused:
            attempt()
        assert refused.value.status == 409
    assert one(views, ADA, id).form == "board"
    views.drop(ADA, "upkeep", "visit", id, 2)
    assert seen(views, ADA) == []


def test_nobody_changes_what_is_not_his_and_administrators_tidy_away_what_is_shared(views):
    own, shared = add(views, ADA, "own"), add(views, ADA, "shared", "all")
    for principal in (BEN, MAX):
        for id in (own, shared):
            with pytest.raises(Refused) as refused:
                change(views, principal, id, 1)
            assert refused.value.status == 404
    for principal, id in ((BEN, shared), (MAX, own), (BEN, own)):
        with pytest.raises(Refused) as refused:
            views.drop(principal, "upkeep", "visit", id, 1)
        assert refused.value.status == 404
    views.drop(MAX, "upkeep", "visit", shared, 1)
    assert seen(views, ADA) == ["own"]


def test_what_cannot_be_kept_is_refused_and_nothing_is_kept(views):
    for label, parameters, shared, who, status in (
        ("", ASKED, "none", ADA, 422),
        ("x" * (LONGEST_LABEL + 1), ASKED, "none", ADA, 422),
        ("long", (("where", "x" * LONGEST_QUERY),), "none", ADA, 413),
        ("teamless", ASKED, "team", MAX, 422),
    ):
        with pytest.raises(Refused) as refused:
            views.add(who, "upkeep", "visit", label, "list", parameters, shared)
        assert refused.value.status == status
    assert seen(views, ADA) == []
    for number in range(MOST):
        add(views, ADA, f"view {number}")
    with pytest.raises(Refused):
        add(views, ADA, "one more")
    assert len(seen(views, ADA)) == MOST
