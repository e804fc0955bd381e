"""Columns stay where they are: renaming, dropping, bringing back and changing types lose nothing."""

from engine.storage.layout import Layout, Renames, extend, restore

V1 = extend(None, "shop", {"visit": {"note": "text", "amount": "money:2:CNY"}, "place": {"name": "text"}})


def columns(layout: Layout, entity: str = "visit") -> dict[str, str]:
    return {name: stored.column for name, stored in layout[entity].fields.items()}


def test_a_layout_survives_its_json() -> None:
    v2 = extend(V1, "shop", {"visit": {"amount": "text"}})
    assert Layout.from_json(v2.to_json()) == v2
    assert "shop_place" in v2.to_json()


def test_the_same_definition_keeps_the_same_layout() -> None:
    assert extend(V1, "shop", {"visit": {"note": "text", "amount": "money:2:CNY"}, "place": {"name": "text"}}) == V1


def test_a_renamed_field_keeps_its_column() -> None:
    specs = {"visit": {"remark": "text", "amount": "money:2:CNY"}, "place": {"name": "text"}}
    renames = Renames(fields={("visit", "remark"): "note"})
    v2 = extend(V1, "shop", specs, renames)
    assert columns(v2) == {"remark": "note", "amount": "amount"}
    assert v2["visit"].left == {}
    assert extend(v2, "shop", specs, renames) == v2


def test_a_renamed_entity_keeps_its_table_and_lookups_to_it_do_not_change() -> None:
    v1 = extend(V1, "shop", {"place": {"name": "text"}, "visit": {"where": "lookup>place"}})
    v2 = extend(v1, "shop", {"site": {"name": "text"}, "visit": {"where": "lookup>site"}}, Renames({"site": "place"}))
    assert v2["site"].table == "shop_place"
    assert v2["visit"] == v1["visit"]
    assert v2.retired == {}


def test_a_dropped_field_leaves_its_column_and_gets_it_back() -> None:
    v2 = extend(V1, "shop", {"visit": {"amount": "money:2:CNY"}, "place": {"name": "text"}})
    assert columns(v2) == {"amount": "amount"}
    v3 = extend(v2, "shop", {"visit": {"amount": "money:2:CNY", "note": "text"}, "place": {"name": "text"}})
    assert columns(v3) == {"amount": "amount", "note": "note"}


def test_a_new_field_never_takes_a_column_that_holds_something_else() -> None:
    v2 = extend(V1, "shop", {"visit": {"amount": "money:2:CNY"}})
    v3 = extend(v2, "shop", {"visit": {"amount": "money:2:CNY", "note": "number:2"}})
    assert columns(v3)["note"] == "note_2"
    v4 = extend(v3, "shop", {"visit": {"amount": "money:2:CNY", "note": "text"}})
    assert columns(v4)["note"] == "note_3", (
        "converting into the first one would write over what the dropped field holds"
    )
    assert [stored.column for stored in v4["visit"].left["note"]] == ["note", "note_2"]


def test_a_conversion_goes_back_the_way_it_came_and_no_other() -> None:
    v2 = extend(V1, "shop", {"visit": {"note": "number:2", "amount": "money:2:CNY"}})
    assert (columns(v2)["note"], v2["visit"].moved) == ("note_2", {"note": "note_2"})
    v3 = extend(v2, "shop", {"visit": {"note": "text", "amount": "money:2:CNY"}})
    assert (columns(v3)["note"], v3["visit"].moved) == ("note", {"note_2": "note"})
    dropped = extend(V1, "shop", {"visit": {"amount": "money:2:CNY"}})
    another = extend(dropped, "shop", {"visit": {"note": "number:2", "amount": "money:2:CNY"}})
    assert restore(v2, V1)["visit"].moved == {"note_2": "note"}
    assert restore(another, V1)["visit"].moved == {}
    assert Layout.from_json(v2.to_json()) == v2


def test_another_type_gets_another_column_and_the_old_type_the_old_one() -> None:
    v2 = extend(V1, "shop", {"visit": {"note": "text", "amount": "text"}})
    assert columns(v2)["amount"] == "amount_2"
    v3 = extend(v2, "shop", {"visit": {"note": "text", "amount": "money:2:CNY"}})
    assert columns(v3)["amount"] == "amount"


def test_a_field_that_is_renamed_and_then_renamed_back_never_moves() -> None:
    specs = {"visit": {"remark": "text", "amount": "money:2:CNY"}}
    v2 = extend(V1, "shop", specs, Renames(fields={("visit", "remark"): "note"}))
    back = {"visit": {"note": "text", "amount": "money:2:CNY"}}
    v3 = extend(v2, "shop", back, Renames(fields={("visit", "note"): "remark"}))
    assert columns(v3) == columns(V1)


def test_a_dropped_entity_leaves_its_table_and_gets_it_back() -> None:
    v2 = extend(V1, "shop", {"visit": {"note": "text"}})
    assert v2.retired["place"].table == "shop_place"
    v3 = extend(v2, "shop", {"visit": {"note": "text"}, "place": {"name": "text"}})
    assert v3["place"].table == "shop_place"
    assert v3.retired == {}


def test_an_entity_never_takes_the_table_of_another() -> None:
    assert extend(None, "dg", {"user": {}})["user"].table == "dg_user_2"
    assert extend(None, "a_b", {"c": {}}, taken={"a_b_c"})["c"].table == "a_b_c_2"
    v2 = extend(V1, "shop", {"place": {"name": "text"}}, Renames({"place": "visit"}))
    assert (v2["place"].table, v2.retired["visit"].table) == ("shop_place", "shop_visit")


def test_two_entities_that_change_names_in_a_row_keep_both_tables() -> None:
    v2 = extend(V1, "shop", {"place": {"name": "text"}})
    v3 = extend(v2, "shop", {"visit": {"name": "text"}}, Renames({"visit": "place"}))
    v4 = extend(v3, "shop", {"other": {}})
    assert sorted(home.table for home in v4.retired.values()) == ["shop_place", "shop_visit"]


def test_physical_names_are_short_ascii_and_never_the_engines() -> None:
    names = [
        "order",
        'a"b',
        "客户",
        "客人",
        "x" * 300,
        "x" * 299,
        "Stage",
        "stage",
        "search",
        "xmin",
        "a__b",
        "a_b",
        "1st",
        "_",
    ]
    found = columns(extend(None, "应用" * 9, {"e" * 99: dict.fromkeys(names, "text")}), "e" * 99)
    assert len(set(found.values())) == len(names)
    assert all(
        column.isascii() and len(column) <= 60 and column.replace("_", "").isalnum() for column in found.values()
    )
    assert not {"stage", "search", "xmin"} & set(found.values())
    assert len(extend(None, "a" * 31, {"e" * 99: {}})["e" * 99].table) <= 60


def test_an_entity_that_comes_back_brings_its_columns_and_converts_none() -> None:
    gone = extend(V1, "shop", {"place": {"name": "text"}})
    back = extend(gone, "shop", {"visit": {"note": "text", "amount": "text"}, "place": {"name": "text"}})
    assert columns(back) == {"note": "note", "amount": "amount_2"}
    assert back["visit"].moved == {}, "nothing was converted, so nothing may be converted back"
    again = restore(back, V1)
    assert columns(again) == {"note": "note", "amount": "amount"}
    assert again["visit"].moved == {}
