"""No index is made whose work another one does."""

from engine.storage.tables import IndexSpec, reduced


def spec(*columns: str, unique: bool = False) -> IndexSpec:
    """`-amount` falls."""
    return IndexSpec(tuple((name.lstrip("-"), name.startswith("-")) for name in columns), unique=unique)


def test_an_index_serves_all_that_begin_like_it() -> None:
    longer = spec("owner", "state", "-id")
    assert reduced([spec("owner"), spec("owner", "state"), longer]) == [longer]


def test_a_lookup_is_served_by_any_index_that_begins_with_it() -> None:
    sorted_one = spec("owner", "-created_at", "-id")
    assert reduced([spec("owner", "-id"), sorted_one]) == [sorted_one]
    assert reduced([spec("name", "-id"), spec("name", "id")]) == [spec("name", "id")]
    assert reduced([spec("owner", "-id"), spec("state", "owner", "-id")]) == [
        spec("owner", "-id"),
        spec("state", "owner", "-id"),
    ]


def test_another_order_needs_an_index_of_its_own() -> None:
    both = [spec("-created_at", "-id"), spec("-created_at", "state", "-id"), spec("created_at", "id")]
    assert reduced(both) == both


def test_a_unique_index_is_always_made_and_serves_nobody_else() -> None:
    both = [spec("code", unique=True), spec("code", "-id")]
    assert reduced([*both, spec("code", unique=True)]) == both


def test_index_names_are_short_stable_and_apart() -> None:
    names = {
        spec("a").name("t" * 60),
        spec("-a").name("t" * 60),
        spec("a", unique=True).name("t" * 60),
        spec("a").name("u" * 60),
    }
    assert len(names) == 4
    assert all(len(name) <= 60 for name in names)
    assert spec("a").name("t") == spec("a").name("t")
