"""Publishing adds what is missing, moves what is renamed or converted, and loses nothing."""

import random
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from engine.access.principal import engine_principal
from engine.definition import load
from engine.definition.rename import rename
from engine.problems import Refused
from engine.publishing.apply import apply
from engine.publishing.changes import (
    AddColumn,
    ConvertField,
    CreateIndex,
    CreateTable,
    Recompute,
    Reindex,
    Removed,
    Renamed,
    RenameValues,
)  # fmt: skip
from engine.publishing.plan import Plan
from engine.publishing.versions import diff, versions
from engine.runtime import Create, Runtime
from engine.storage import system
from engine.storage.errors import UniqueViolation
from engine.storage.schema import inspect
from engine.storage.search import matches, query_tokens
from tests.publishing.conftest import NOW, SHOP, Bench

Edit = Callable[..., str]


def kinds(plan: Plan) -> list[str]:
    return [type(change).__name__ for change in plan.changes]


def keys(plan: Plan) -> list[str]:
    """What somebody has to agree to."""
    return [hazard.key for hazard in plan.hazards if hazard.severity != "note"]


def test_the_first_publishing_makes_every_table(bench: Bench) -> None:
    with bench.db.read() as read:
        found = inspect(read, bench.db.dialect)
    assert {"shop_visit", "shop_place"} <= set(found.tables)
    assert "twice" in found.tables["shop_visit"]
    assert bench.app.number == 1


def test_planning_what_is_live_changes_nothing(bench: Bench) -> None:
    plan = bench.plan(SHOP)
    assert (plan.changes, plan.hazards, plan.empty) == ((), (), True)
    assert bench.apply(plan) == 1
    assert len(versions(bench.db, "shop")) == 1


def test_a_comment_alone_is_published_without_touching_the_database(bench: Bench) -> None:
    plan = bench.plan(SHOP + "# a remark\n")
    assert (plan.changes, plan.empty) == ((), False)
    assert bench.apply(plan) == 2
    assert bench.plan(SHOP + "# a remark\n").empty


def test_a_new_field_gets_a_column_and_old_records_have_none_of_it(bench: Bench, edit: Edit) -> None:
    bench.add("visit", note="x")
    plan = bench.plan(edit(("note: text", "note: text\n      rating: {type: integer, index: true}")))
    assert kinds(plan) == ["Added", "AddColumn", "CreateIndex"]
    assert plan.changes[0].message("en") == 'Add Field "entities.visit.fields.rating"'
    assert bench.apply(plan) == 2
    assert bench.values("visit", "note", "rating") == [("x", None)]


def test_a_renamed_field_keeps_its_values_and_its_column(bench: Bench, edit: Edit) -> None:
    bench.add("visit", note="x")
    text = edit(
        ("note: text", "remark: {type: text, was: note}"),
        ("title: note", "title: remark"),
        ("columns: [note]", "columns: [remark]"),
    )
    plan = bench.plan(text)
    assert [change.message("zh") for change in plan.changes if isinstance(change, Renamed)] == [
        "字段「note」改名为「entities.visit.fields.remark」"
    ]
    assert not {"AddColumn", "ConvertField"} & set(kinds(plan))
    assert keys(plan) == []
    bench.apply(plan)
    assert bench.values("visit", "remark") == ["x"]
    assert bench.app.entities["visit"].columns["remark"] == "note"
    assert bench.plan(text).empty


def test_going_back_from_a_rename_is_a_rename(bench: Bench, edit: Edit) -> None:
    bench.add("visit", note="x")
    bench.publish(
        edit(
            ("note: text", "remark: {type: text, was: note}"),
            ("title: note", "title: remark"),
            ("columns: [note]", "columns: [remark]"),
        )
    )
    bench.add("visit", remark="y")
    assert bench.back_to(1) == 3
    assert bench.values("visit", "note") == ["x", "y"]
    assert bench.plan(SHOP).empty


def test_a_renamed_entity_keeps_its_records_files_and_numbers(bench: Bench, edit: Edit) -> None:
    place = bench.add("place", name="p")
    bench.add("visit", note="x", place=place)
    db = bench.db
    with db.write() as write:
        file = {
            "id": 1,
            "app": "shop",
            "entity": "place",
            "record": place,
            "field": "name",
            "name": "n",
            "size": 1,
            "media_type": "x",
            "sha256": "x",
            "path": "x",
            "at": 0,
        }
        write.run(db.statement(sa.insert(system.file).values(file)))
        write.run(db.statement(sa.insert(system.sequence).values(name="shop.shop_place.name", period="#", last=7)))
        told = {"app": "shop", "entity": "place", "record": place, "version": 1, "at": 0, "action": "create"}
        write.run(db.statement(sa.insert(system.journal).values(told)))
        write.run(db.statement(sa.insert(system.match_key).values(entity="shop.place", key="0=p", record=place)))
        write.run(db.statement(sa.insert(system.match_again).values(entity="shop.place", record=place)))
    site = (
        "  place:\n    label: 门店\n    title: name\n    fields:\n      name: {type: text,",
        "  site:\n    was: place\n    label: 门店\n    title: title\n    fields:\n      title: {was: name, type: text,",
    )
    bench.publish(edit(site, ("to: place", "to: site"), ("    place: {rows", "    site: {rows")))
    assert bench.values("site", "title") == ["p"]
    assert bench.values("visit", "place") == [place]
    assert db.one(db.statement(sa.select(system.file.c.entity, system.file.c.field))) == ("site", "title")
    assert db.one(db.statement(sa.select(system.journal.c.entity))) == ("site",)
    assert db.one(db.statement(sa.select(system.match_key.c.entity))) == ("shop.site",)
    assert db.one(db.statement(sa.select(system.match_again.c.entity))) == ("shop.site",)
    assert db.one(db.statement(sa.select(system.sequence.c.name, system.sequence.c.last))) == (
        "shop.shop_place.title",
        7,
    )


def test_a_removed_field_is_announced_kept_and_comes_back(bench: Bench, edit: Edit) -> None:
    bench.add("visit", note="x", amount=100)
    bench.add("visit", note="y")
    without = edit(
        ("      amount: money\n      twice: {type: money, formula: amount * 2}\n", ""), ("sort: -amount, ", "")
    )
    plan = bench.plan(without)
    assert [change.path for change in plan.changes if isinstance(change, Removed)] == [
        "entities.visit.fields.amount",
        "entities.visit.fields.twice",
    ]
    assert keys(plan) == ["field-removed@entities.visit.fields.amount"]
    assert plan.hazards[0].figures == {"filled": 1}
    bench.apply(plan)
    bench.publish(SHOP)
    assert bench.values("visit", "amount", "twice") == [(100, 200), (None, None)]


def test_a_removed_entity_is_announced_kept_and_comes_back(bench: Bench, edit: Edit) -> None:
    bench.add("place", name="p")
    gone = edit(
        ("  place:\n    label: 门店\n    title: name\n    fields:\n      name: {type: text, required: true}\n", ""),
        ("      place: {type: lookup, to: place, on_delete: keep, inverse: visits}\n", ""),
        ('    place: {rows: "true", actions: [read]}\n', ""),
    )
    plan = bench.plan(gone)
    assert "entity-removed@entities.place" in keys(plan)
    bench.apply(plan)
    bench.publish(SHOP)
    assert bench.values("place", "name") == ["p"]


def test_text_that_is_no_number_stays_where_it_was(bench: Bench, edit: Edit) -> None:
    for note in ("12.50", "a dozen", None, "1,000", "３"):
        bench.add("visit", note=note)
    text = edit(("note: text", "note: number"), ("    title: note\n", ""))
    plan = bench.plan(text)
    assert [type(change) for change in plan.changes if isinstance(change, (ConvertField, AddColumn))] == [
        AddColumn,
        ConvertField,
    ]
    (hazard,) = [hazard for hazard in plan.hazards if hazard.code == "type-narrowed"]
    assert (hazard.figures, hazard.samples) == ({"filled": 4, "unfit": 1}, ("a dozen",))
    bench.apply(plan)
    assert bench.values("visit", "note") == [1250, None, None, 100000, 300]
    model = bench.app.entities["visit"]
    with bench.db.write() as write:
        # Since then somebody has corrected one number, and cleared another.
        for old, new in ((1250, 1300), (100000, None)):
            column = model.table.c[model.columns["note"]]
            write.run(bench.db.statement(sa.update(model.table).where(column == old).values({column: new})))
    bench.back_to(1)
    assert bench.values("visit", "note") == ["13.00", "a dozen", None, None, "３"]


def test_renamed_options_are_renamed_in_the_records_even_when_they_change_places(bench: Bench, edit: Edit) -> None:
    bench.add("visit", state="open", tags="|a|b|")
    bench.add("visit", state="done", tags="|b|c|")
    text = edit(
        ("{open: 开, done: 完}", "{begun: {label: 开, was: open}, done: 完}"),
        ("{a: 甲, b: 乙, c: 丙}", "{x: {label: 甲, was: a}, y: {label: 乙, was: b}, c: 丙}"),
        ("state == 'open'", "state == 'begun'"),
    )
    plan = bench.plan(text)
    assert [dict(change.renames) for change in plan.changes if isinstance(change, RenameValues)] == [
        {"open": "begun"},
        {"a": "x", "b": "y"},
    ]
    bench.apply(plan)
    assert bench.values("visit", "state", "tags") == [("begun", "|x|y|"), ("done", "|y|c|")]
    bench.back_to(1)
    assert bench.values("visit", "state", "tags") == [("open", "|a|b|"), ("done", "|b|c|")]


def test_an_option_that_records_hold_cannot_go(bench: Bench, edit: Edit) -> None:
    bench.add("visit", state="done", tags="|a|c|")
    bench.add("visit", state="open")
    plan = bench.plan(edit((", done: 完}", "}"), ("b: 乙, c: 丙", "b: 乙")))
    assert [(hazard.key, hazard.samples) for hazard in plan.stopped] == [
        ("option-removed@entities.visit.fields.state", ("done (1)",)),
        ("option-removed@entities.visit.fields.tags", ("c (1)",)),
    ]
    with pytest.raises(Refused) as caught:
        bench.apply(plan)
    assert {problem.code for problem in caught.value.problems} == {"hazard-stops"}
    assert bench.app.number == 1


def test_a_changed_formula_is_computed_anew(bench: Bench, edit: Edit) -> None:
    bench.add("visit", amount=100, twice=200)
    bench.add("visit", amount=0, twice=0)
    plan = bench.plan(edit(("amount * 2", "amount * 3")))
    (hazard,) = (hazard for hazard in plan.hazards if hazard.severity != "note")
    assert (hazard.key, hazard.figures, hazard.samples) == (
        "formula-shifted@entities.visit.fields.twice",
        {"rows": 1},
        ("¥2.00 → ¥3.00",),
    )
    assert [change.names for change in plan.changes if isinstance(change, Recompute)] == [("twice",)]
    bench.apply(plan)
    assert bench.values("visit", "twice") == [300, 0]


def test_what_draws_on_a_changed_formula_is_computed_anew_too(bench: Bench, edit: Edit) -> None:
    more = ("formula: amount * 2}", "formula: amount * 2}\n      four: {type: money, formula: twice * 2}")
    total = (
        "name: {type: text, required: true}",
        "name: {type: text, required: true}\n      total: {type: money, formula: sum(visits.four)}",
    )
    bench.publish(edit(more, total))
    place = bench.add("place", name="p", total=400)
    bench.add("visit", amount=100, twice=200, four=400, place=place)
    bench.publish(edit(more, total).replace("amount * 2", "amount * 3"))
    assert bench.values("visit", "twice", "four") == [(300, 600)]
    assert bench.values("place", "total") == [600]


def test_a_newly_searched_field_finds_old_records(bench: Bench, edit: Edit) -> None:
    key = bench.add("visit", note="杭州远大")
    visit = bench.app.entities["visit"].table
    plan = bench.plan(edit(("note: text", "note: text\n      code: {type: text, search: true}")))
    assert [change.entity for change in plan.changes if isinstance(change, Reindex)] == ["visit"]
    bench.apply(plan)
    found = bench.db.statement(sa.select(visit.c.id).where(matches(visit, "words")))
    assert bench.db.all(found, {"words": query_tokens("远大")}) == [(key,)]


def test_old_records_are_found_as_duplicates_once_a_rule_says_how(bench: Bench, edit: Edit) -> None:
    key = bench.add("visit", note="abc")
    bench.add("visit", note="abc", deleted_at=NOW)
    bench.publish(edit(("label: 巡店\n", "label: 巡店\n    duplicates: {match: {note: 100}, at_least: 90}\n")))
    kept = bench.db.statement(sa.select(system.match_key.c.entity, system.match_key.c.key, system.match_key.c.record))
    assert bench.db.all(kept) == [("shop.visit", "0=abc", key)]
    bench.publish(SHOP)
    assert bench.db.all(kept) == []


def test_views_get_the_indexes_they_need_and_lose_those_they_do_not(bench: Bench, edit: Edit) -> None:
    text = edit(("sort: -amount", "sort: [-created_at]"))
    plan = bench.plan(text)
    assert [change.spec.columns for change in plan.changes if isinstance(change, CreateIndex)] == [
        (("state", False), ("created_at", True), ("id", True))
    ]
    assert "DropIndex" in kinds(plan)
    bench.apply(plan)
    assert bench.plan(text).empty


def test_a_declared_view_is_served_by_its_index(bench: Bench) -> None:
    visit = bench.app.entities["visit"].table
    query = sa.select(visit.c.id).where(visit.c.state == "open", visit.c.deleted_at.is_(None))
    query = query.order_by(visit.c.amount.desc().nulls_last(), visit.c.id.desc()).limit(50)
    statement = bench.db.statement(query)
    if bench.db.dialect == "sqlite":
        explain = [
            row[-1]
            for row in bench.db.all(
                type(statement)("EXPLAIN QUERY PLAN " + statement.text, statement.names, fixed=statement._fixed)
            )
        ]
        assert "USING INDEX" in explain[0] or "USING COVERING INDEX" in explain[0]
        assert not any("TEMP B-TREE" in line for line in explain)
        return
    with bench.db.write() as write:
        for way in ("seqscan", "bitmapscan", "sort"):
            write.script(f"SET LOCAL enable_{way} = off")
        explain = [
            row[0]
            for row in write.all(type(statement)("EXPLAIN " + statement.text, statement.names, fixed=statement._fixed))
        ]
    assert any("Index" in line for line in explain)
    assert not any("Sort" in line for line in explain), explain


def test_a_stale_plan_is_refused(bench: Bench, edit: Edit) -> None:
    stale = bench.plan(edit(("note: text", "note: longtext")))
    bench.publish(edit(("label: 巡店", "label: 巡查")))
    with pytest.raises(Refused) as caught:
        bench.apply(stale)
    assert ([problem.code for problem in caught.value.problems], caught.value.status) == (["base-moved"], 409)


def test_every_hazard_needs_its_reason(bench: Bench, edit: Edit) -> None:
    bench.add("visit", note=None)
    plan = bench.plan(edit(("note: text", "note: {type: text, required: true}")))
    assert keys(plan) == ["required-added@entities.visit.fields.note"]
    for accepted in ({}, {keys(plan)[0]: " "}, {"required-added@entities.visit.fields.other": "why"}):
        with pytest.raises(Refused) as caught:
            apply(bench.db, plan, accepted, by=None, at=NOW)
        assert caught.value.problems[0].code == "hazard-unacknowledged"
    assert bench.app.number == 1
    assert apply(bench.db, plan, {keys(plan)[0]: "they will be asked"}, by=None, at=NOW, note="n") == 2
    newest = versions(bench.db, "shop")[0]
    assert (newest.number, newest.current, newest.note) == (2, True, "n")
    assert newest.plan["accepted"] == {keys(plan)[0]: "they will be asked"}


def test_a_hazard_that_has_grown_must_be_accepted_again(bench: Bench, edit: Edit) -> None:
    bench.add("visit")
    text = edit(("note: text", "note: {type: text, required: true}"))
    (key,) = keys(bench.plan(text))
    bench.add("visit")
    plan, accepted = bench.plan(text), {key: "one is no harm"}
    with pytest.raises(Refused) as caught:
        apply(bench.db, plan, accepted, by=None, at=NOW, seen={key: {"empty": 1}})
    assert [problem.code for problem in caught.value.problems] == ["hazard-grown"]
    assert apply(bench.db, plan, accepted, by=None, at=NOW, seen={key: {"empty": 2}}) == 2


def test_renaming_in_the_text_and_publishing_keeps_everything(bench: Bench) -> None:
    bench.add("visit", note="x", amount=100, twice=200)
    files = rename(load({"shop.yaml": SHOP}), "field", "amount", "worth", "visit")
    plan = bench.plan(files["shop.yaml"])
    assert [change.path for change in plan.changes if isinstance(change, Renamed)] == ["entities.visit.fields.worth"]
    assert keys(plan) == []
    bench.apply(plan)
    assert bench.values("visit", "worth", "twice") == [(100, 200)]


def test_a_publishing_that_fails_changes_nothing(bench: Bench, edit: Edit, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = bench.plan(edit(("note: text", "note: text\n      rating: integer"), ("amount * 2", "amount * 3")))
    db = bench.db
    with db.write() as write:
        # The number is taken, so the last step fails.
        write.run(
            db.statement(
                sa.insert(system.version).values(
                    app="shop", number=2, hash="", files="{}", layout="{}", plan="{}", at=0
                )
            )
        )
    with pytest.raises(Exception, match="not unique"):
        bench.apply(plan)
    with db.read() as read:
        assert "rating" not in inspect(read, db.dialect).tables["shop_visit"]
    assert bench.app.number == 1


def test_two_apps_with_the_same_physical_names_keep_apart(bench: Bench) -> None:
    text = SHOP.replace("app: shop", "app: shop_visit").replace("  visit:\n    label", "  visit:\n    label", 1)
    bench.publish(text)
    with bench.db.read() as read:
        found = inspect(read, bench.db.dialect)
    assert {"shop_visit", "shop_visit_visit", "shop_visit_place"} <= set(found.tables)


def test_versions_are_told_apart_in_text_and_in_words(bench: Bench, edit: Edit) -> None:
    bench.publish(edit(("label: 巡店", "label: 巡查")))
    found = diff(bench.db, "shop", 1, 2)
    assert "-    label: 巡店\n+    label: 巡查\n" in found.texts["shop.yaml"]
    assert [change["zh"] for change in found.changes] == ["修改对象「entities.visit」:label"]
    with pytest.raises(Refused):
        diff(bench.db, "shop", 1, 9)


def test_a_new_entity_needs_its_table_only(bench: Bench, edit: Edit) -> None:
    plan = bench.plan(edit(("entities:\n", "entities:\n  item:\n    label: 物\n    fields: {name: text}\n")))
    assert [type(change) for change in plan.changes if isinstance(change, (CreateTable, AddColumn))] == [CreateTable]
    bench.apply(plan)
    assert bench.values("item", "name") == []


def test_texts_fit_their_indexes_at_their_longest(bench: Bench, edit: Edit) -> None:
    text = edit(
        (
            "note: text",
            "note: {type: text, max: 300}\n      code: {type: text, max: 300}\n      hint: {type: text, max: 500}",
        ),
        ("    title: note\n", "    title: note\n    unique: {once: [note, code]}\n"),
        ("sort: -amount, columns: [note]", "sort: [hint, note], columns: [note]"),
    )
    bench.publish(text)
    # No two signs alike and each of four bytes, so that nothing can be compressed.
    signs = "".join(map(chr, random.Random(1).sample(range(0x20000, 0x2A000), 1_100)))
    values = {"note": signs[:300], "code": signs[300:600], "hint": signs[600:], "state": "open"}
    bench.add("visit", **values)
    assert bench.values("visit", "note", "code") == [(values["note"], values["code"])]
    with pytest.raises(UniqueViolation):
        bench.add("visit", **values)


def test_old_records_are_found_by_what_a_changed_formula_says(bench: Bench, edit: Edit) -> None:
    words = "      words: {type: text, search: true, formula: \"'alpha'\"}\n      owner: user\n"
    first = edit(("      owner: user\n", words))
    bench.publish(first)
    bench.add("visit", note="x", words="alpha")
    plan = bench.plan(first.replace("alpha", "omega"))
    assert {"Recompute", "Reindex"} <= set(kinds(plan))
    bench.apply(plan)
    table = bench.app.entities["visit"].table
    found = bench.db.statement(sa.select(table.c.note).where(matches(table, "words")))
    assert bench.db.all(found, {"words": query_tokens("omega")}) == [("x",)]


def test_going_back_writes_nothing_over_values_of_a_field_whose_name_another_has_taken(
    bench: Bench, edit: Edit
) -> None:
    bench.add("visit", note="twelve")
    bench.publish(
        edit(
            ("      note: text\n", "      other: text\n"),
            ("    title: note\n", ""),
            ("columns: [note]", "columns: [amount]"),
        )
    )
    bench.publish(
        edit(
            ("note: text", "note: {type: longtext, was: other}"),
            ("    title: note\n", ""),
            ("columns: [note]", "columns: [amount]"),
        )
    )
    assert bench.values("visit", "note") == [None]
    bench.back_to(1)
    assert bench.values("visit", "note") == ["twelve"]


def test_a_type_that_is_changed_back_writes_nothing_over_values_of_a_field_that_was_dropped(
    bench: Bench, edit: Edit
) -> None:
    bench.add("visit", note="twelve")
    bare = (("    title: note\n", ""), ("columns: [note]", "columns: [amount]"))
    bench.publish(edit(("      note: text\n", ""), *bare))
    bench.publish(edit(("note: text", "note: number"), *bare))
    bench.add("visit", note=700)
    bench.publish(edit(*bare))
    assert bench.values("visit", "note") == [None, "7.00"]
    bench.back_to(1)
    assert bench.values("visit", "note") == ["twelve", None]


def test_an_entity_that_comes_back_is_searched_and_compared_by_what_it_says_then(bench: Bench, edit: Edit) -> None:
    bench.publish(
        edit(
            (
                "      name: {type: text, required: true}\n",
                "      name: {type: text, required: true}\n      street: text\n",
            )
        )
    )
    key = (
        Runtime(bench.db, bench.clock)
        .execute(bench.app, engine_principal(), Create("place", {"name": "Mill", "street": "Elm"}))
        .id
    )
    gone = edit(
        ("  place:\n    label: 门店\n    title: name\n    fields:\n      name: {type: text, required: true}\n", ""), ("      place: {type: lookup, to: place, on_delete: keep, inverse: visits}\n", ""),
        ('    place: {rows: "true", actions: [read]}\n', ""),
    )  # fmt: skip
    bench.publish(gone)
    bench.publish(edit(("entities:\n  place:\n", "entities:\n  place:\n    duplicates: {match: {name: 100}}\n")))
    table = bench.app.entities["place"].table
    found = {
        word: bench.db.all(
            bench.db.statement(sa.select(table.c.id).where(matches(table, "words"))), {"words": query_tokens(word)}
        )
        for word in ("mill", "elm")
    }
    assert found == {"mill": [(key,)], "elm": []}
    keys = sa.select(system.match_key.c.record).where(system.match_key.c.entity == "shop.place")
    assert {row[0] for row in bench.db.all(bench.db.statement(keys))} == {key}


def test_what_draws_on_a_field_draws_on_another_that_takes_its_name(bench: Bench, edit: Edit) -> None:
    bench.publish(edit(("      note: text\n", "      note: text\n      other: text\n")))
    key = bench.add("visit", note="elm", amount=100, twice=200)
    bare = (
        ("    title: note\n", ""),
        ("      note: text\n", ""),
        ("columns: [note]", "columns: [owner]"),
        ("sort: -amount, ", ""),
    )
    bench.publish(
        edit(*bare, ("      amount: money\n      twice: {type: money, formula: amount * 2}\n", "      twice: money\n"))
    )
    bench.publish(edit(("formula: amount * 2", "formula: amount * 2.00")))
    assert bench.values("visit", "note", "amount", "twice") == [("elm", 100, 200)]
    table = bench.app.entities["visit"].table
    found = bench.db.all(
        bench.db.statement(sa.select(table.c.id).where(matches(table, "words"))), {"words": query_tokens("elm")}
    )
    assert found == [(key,)]
