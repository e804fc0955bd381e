"""A plan says beforehand whom and what it will touch, with figures from the live data."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from engine.problems import Refused
from engine.publishing.changes import Hazard
from engine.publishing.plan import Plan
from tests.publishing.conftest import NOW, SHOP, Bench

Edit = Callable[..., str]

FLOW = """
processes:
  check:
    entity: visit
    stages:
      open_: {label: 开, start: true}
      review: {label: 审, exit: {checklist: {seen: 已看}}}
      closed: {label: 完, end: done}
    transitions:
      send: {from: open_, to: review, by: [clerk]}
      close: {from: review, to: closed, by: [clerk]}
"""


def asked(plan: Plan) -> dict[str, Hazard]:
    return {hazard.key: hazard for hazard in plan.hazards if hazard.severity != "note"}


def test_required_counts_the_records_that_lack_the_value(bench: Bench, edit: Edit) -> None:
    bench.add("visit", note="x")
    bench.add("visit")
    bench.add("visit", note="gone", deleted_at=NOW)
    plan = bench.plan(edit(("note: text", "note: {type: text, required: true}")))
    assert asked(plan)["required-added@entities.visit.fields.note"].figures == {"empty": 1}
    plan = bench.plan(edit(("note: text", "note: text\n      rating: {type: integer, required: true}")))
    assert asked(plan)["required-added@entities.visit.fields.rating"].figures == {"empty": 2}


def test_unique_stops_at_duplicates_and_not_at_empty_or_deleted_ones(bench: Bench, edit: Edit) -> None:
    for note in ("a", "b", None, None):
        bench.add("visit", note=note)
    bench.add("visit", note="a", deleted_at=NOW)
    unique = edit(("note: text", "note: {type: text, unique: true}"))
    assert asked(bench.plan(unique)) == {}
    bench.add("visit", note="a")
    hazard = asked(bench.plan(unique))["unique-added@entities.visit.fields.note"]
    assert (hazard.severity, hazard.figures, hazard.samples) == ("stop", {"groups": 1}, ("a",))


def test_a_unique_field_is_unique_among_the_living(bench: Bench, edit: Edit) -> None:
    bench.publish(edit(("note: text", "note: {type: text, unique: true}")))
    bench.add("visit", note="a", deleted_at=NOW)
    bench.add("visit", note="a")
    bench.add("visit")
    bench.add("visit")
    with pytest.raises(Exception, match="not unique"):
        bench.add("visit", note="a")


def test_a_stricter_rule_counts_the_records_that_break_it(bench: Bench, edit: Edit) -> None:
    for amount in (100, 300, None):
        bench.add("visit", amount=amount)
    rule = ("      owner: user\n", "      owner: user\n    rules:\n      enough: {when: amount >= 2, say: 太少}\n")
    assert asked(bench.plan(edit(rule)))["rule-tightened@entities.visit.rules.enough"].figures == {"rows": 2}
    narrow = edit(("amount: money", "amount: {type: money, min: 2}"))
    assert asked(bench.plan(narrow))["rule-tightened@entities.visit.fields.amount"].figures == {"rows": 1}


def test_a_rule_over_a_field_that_does_not_exist_yet_reads_it_as_empty(bench: Bench, edit: Edit) -> None:
    bench.add("visit", note="x")
    plan = bench.plan(
        edit(
            (
                "      owner: user\n",
                "      owner: user\n      rating: integer\n    rules:\n      rated: {when: filled(rating), say: 要评分}\n",
            )
        )
    )
    assert asked(plan)["rule-tightened@entities.visit.rules.rated"].figures == {"rows": 1}


def test_drop_and_add_is_suspected_to_be_a_rename(bench: Bench, edit: Edit) -> None:
    bench.add("visit", note="x")
    plan = bench.plan(
        edit(("note: text", "notes: text"), ("title: note", "title: notes"), ("columns: [note]", "columns: [notes]"))
    )
    hazard = asked(plan)["rename-suspected@entities.visit.fields.notes"]
    assert hazard.figures == {"old": "note", "filled": 1}
    assert hazard.hint("en") == "If it is a rename, write was: note."


def test_a_lookup_that_points_elsewhere_stops(bench: Bench, edit: Edit) -> None:
    place = bench.add("place", name="p")
    moved = edit(("to: place, on_delete: keep, inverse: visits", "to: visit, on_delete: keep, inverse: visits"))
    assert asked(bench.plan(moved)) == {}
    bench.add("visit", place=place)
    hazard = asked(bench.plan(moved))["lookup-retargeted@entities.visit.fields.place"]
    assert (hazard.severity, hazard.figures) == ("stop", {"filled": 1})


def test_a_stage_with_records_cannot_go_but_can_be_renamed(bench: Bench) -> None:
    bench.publish(SHOP + FLOW)
    bench.add("visit", note="x", pipeline="check", stage="review", stage_entered_at=NOW, checklist="|review.seen|")
    gone = (
        (SHOP + FLOW)
        .replace("      review: {label: 审, exit: {checklist: {seen: 已看}}}\n", "")
        .replace("from: open_, to: review", "from: open_, to: closed")
    )
    gone = gone.replace("      close: {from: review, to: closed, by: [clerk]}\n", "")
    hazard = asked(bench.plan(gone))["stage-removed@processes.check.stages.review"]
    assert (hazard.severity, hazard.figures) == ("stop", {"rows": 1})
    renamed = (
        (SHOP + FLOW)
        .replace("      review: {label: 审", "      audit: {was: review, label: 审")
        .replace("to: review", "to: audit")
        .replace("from: review", "from: audit")
    )
    renamed = renamed.replace("  check:\n    entity", "  inspect:\n    was: check\n    entity")
    assert asked(bench.plan(renamed)) == {}
    bench.publish(renamed)
    assert bench.values("visit", "pipeline", "stage", "checklist") == [("inspect", "audit", "|audit.seen|")]
    bench.back_to(2)
    assert bench.values("visit", "pipeline", "stage", "checklist") == [("check", "review", "|review.seen|")]


def test_records_of_a_process_that_was_renamed_before_it_went_begin_anew_when_it_comes_back(bench: Bench) -> None:
    bench.publish(SHOP + FLOW)
    key = bench.add("visit", note="x", pipeline="check", stage="review", stage_entered_at=NOW)
    bench.publish((SHOP + FLOW).replace("  check:\n    entity", "  inspect:\n    was: check\n    entity"))
    bench.apply(bench.plan(SHOP))
    hazard = asked(bench.plan(SHOP + FLOW))["place-unknown@entities.visit"]
    assert (hazard.severity, hazard.figures) == ("accept", {"rows": 1})
    bench.back_to(2)
    assert bench.values("visit", "pipeline", "stage") == [("check", "open_")]
    logged = bench.db.all(bench.db.statement(sa.text("SELECT record, process, stage, direction FROM dg_stage")))
    assert logged == [(key, "check", "open_", "start")]


def test_records_enter_a_process_that_comes_later(bench: Bench) -> None:
    key = bench.add("visit", note="x")
    bench.publish(SHOP + FLOW)
    assert bench.values("visit", "pipeline", "stage", "stage_entered_at") == [("check", "open_", NOW)]
    logged = bench.db.all(bench.db.statement(sa.text("SELECT record, process, stage, direction FROM dg_stage")))
    assert logged == [(key, "check", "open_", "start")]


def test_an_entity_may_lose_its_only_process_and_get_it_back(bench: Bench) -> None:
    bench.publish(SHOP + FLOW)
    bench.add("visit", note="x", pipeline="check", stage="review", stage_entered_at=NOW)
    plan = bench.plan(SHOP)
    assert {key: hazard.severity for key, hazard in asked(plan).items()} == {"stage-removed@processes.check": "accept"}
    bench.apply(plan)
    bench.publish(SHOP + FLOW)
    assert bench.values("visit", "pipeline", "stage") == [("check", "review")]


def test_a_new_template_must_not_repeat_numbers(bench: Bench, edit: Edit) -> None:
    numbered = edit(("label: 巡店\n", "label: 巡店\n    number: 'A-{seq:3}'\n"))
    bench.publish(numbered)
    bench.add("visit", number="B-007")
    bench.add("visit", number="A-009")
    assert asked(bench.plan(numbered.replace("A-{seq:3}", "C-{seq:3}"))) == {}
    hazard = asked(bench.plan(numbered.replace("A-{seq:3}", "B-{seq:3}")))[
        "number-rewound@entities.visit.fields.number"
    ]
    assert (hazard.severity, hazard.figures, hazard.samples) == ("stop", {"last": 7}, ("B-007",))


SCORED = (
    SHOP.replace("      owner: user\n", "      owner: user\n      health: score\n")
    + """
scores:
  health:
    entity: visit
    field: health
    terms:
      big: {weight: 100, value: amount / 100}
    bands: {good: ">= 50", poor: "< 50"}
"""
)


def test_moved_bands_show_who_moves_where(bench: Bench) -> None:
    bench.publish(SCORED)
    for amount, band in ((9000, "good"), (6000, "good"), (1000, "poor")):
        bench.add("visit", amount=amount, health=amount // 10, health_band=band)
    moved = SCORED.replace(">= 50", ">= 70").replace("< 50", "< 70")
    hazard = asked(bench.plan(moved))["score-rebanded@scores.health"]
    assert (hazard.figures, hazard.samples) == ({"rows": 1}, ("good → poor: 1",))
    bench.publish(moved)
    assert bench.values("visit", "health", "health_band") == [(900, "good"), (600, "poor"), (100, "poor")]


def test_who_gains_and_who_loses_is_told(bench: Bench, edit: Edit) -> None:
    owner, other = bench.person("ann", "clerk"), bench.person("bob", "clerk")
    bench.person("cat", "boss")
    for user in (owner, owner, other):
        bench.add("visit", note="x", owner=user)
    bench.add("visit", note="x")
    rows = (
        '    visit: {rows: "true", actions: [read, create, update, transition]}',
        '    visit: {rows: "owner == user", actions: [read, create], hidden: [amount, twice]}',
    )
    plan = bench.plan(edit(rows))
    found = asked(plan)
    assert found["access-narrowed@entities.visit"].figures["people"] == 2
    assert found["access-narrowed@entities.visit.rows"].figures["rows"] == 5
    assert "own-work-lost@entities.visit.rows" not in found
    assert not [key for key in found if key.startswith("access-widened")]
    bench.apply(plan)
    back = asked(bench.plan(SHOP))
    assert back["access-widened@entities.visit"].samples == ("ann", "bob")
    assert back["access-widened@entities.visit.rows"].figures["rows"] == 5


def test_a_form_is_not_opened_to_everybody_unasked(bench: Bench) -> None:
    bench.publish(SHOP)
    form = "forms: {ask: {entity: visit, sections: {main: {fields: [%s]}}, public: {}}}\n"
    opening = bench.plan(SHOP + form % "note")
    hazard = asked(opening)["opened-to-all@forms.ask.public"]
    assert hazard.severity == "accept"
    assert "note" in hazard.message("en")
    bench.apply(opening)
    assert "opened-to-all@forms.ask.public" not in asked(bench.plan(SHOP + form % "note"))
    wider = asked(bench.plan(SHOP + form % "note, amount"))["opened-to-all@forms.ask.public"]
    assert "amount" in wider.message("en")
    assert "note" not in wider.message("en")


def test_nobody_loses_sight_of_his_own_work_unasked(bench: Bench, edit: Edit) -> None:
    ann = bench.person("ann", "clerk")
    bench.add("visit", note="x", owner=ann, state="open")
    plan = bench.plan(edit(('    visit: {rows: "true"', """    visit: {rows: "state == 'done'" """.rstrip())))
    hazard = asked(plan)["own-work-lost@entities.visit.rows"]
    assert (hazard.severity, hazard.figures, hazard.samples) == ("stop", {"people": 1, "rows": 1}, ("ann",))


def test_somebody_must_be_left_who_can_act(bench: Bench) -> None:
    flow = SHOP + FLOW
    bench.publish(flow)
    bench.person("ann", "clerk")
    bench.add("visit", note="x", pipeline="check", stage="review", stage_entered_at=NOW)
    plan = bench.plan(
        flow.replace("close: {from: review, to: closed, by: [clerk]}", "close: {from: review, to: closed, by: [boss]}")
    )
    assert asked(plan)["last-actor-gone@processes.check.transitions.close"].severity == "stop"
    with pytest.raises(Refused):
        bench.apply(plan)


def test_a_stricter_gate_counts_who_gets_stuck(bench: Bench) -> None:
    flow = SHOP.replace("      owner: user\n", "      owner: user\n      papers: files\n") + FLOW
    bench.publish(flow)
    for amount, ticked, papers in (
        (100, True, '["1","2"]'),
        (100, True, '["3"]'),
        (None, True, '["4","5"]'),
        (100, False, '["6","7"]'),
    ):
        values = {"amount": amount, "checklist": "|review.seen|" if ticked else None, "papers": papers}
        bench.add("visit", note="x", pipeline="check", stage="review", stage_entered_at=NOW, **values)
    strict = flow.replace(
        "checklist: {seen: 已看}", "checklist: {seen: 已看}, fields: [amount], files: {papers: 2}, when: amount >= 1"
    )
    hazard = asked(bench.plan(strict))["gate-tightened@processes.check.stages.review"]
    assert (hazard.severity, hazard.figures["rows"], hazard.figures["people"]) == ("accept", 2, 0)
    assert "2" in hazard.message("en")
    assert asked(bench.plan(flow.replace("checklist: {seen: 已看}", "checklist: {}"))) == {}


def test_a_gate_for_fewer_roles_tells_who_can_no_longer_let_a_record_pass(bench: Bench) -> None:
    flow = SHOP.replace(
        "roles: {clerk: {label: 店员},", "roles: {clerk: {label: 店员}, buyer: {label: 采购, includes: [clerk]},"
    )
    flow += FLOW
    bench.publish(flow)
    for _ in range(2):
        bench.add("visit", note="x", pipeline="check", stage="review", checklist="|review.seen|", stage_entered_at=NOW)
    bench.add("visit", note="x", pipeline="check", stage="review", stage_entered_at=NOW)  # stuck already
    for login, role in (("ann", "clerk"), ("bob", "clerk"), ("eve", "buyer")):
        bench.person(login, role)
    key = "gate-tightened@processes.check.stages.review"
    narrow = flow.replace("checklist: {seen: 已看}", "checklist: {seen: 已看}, roles: [buyer]")
    hazard = asked(bench.plan(narrow))[key]
    assert (hazard.figures["rows"], hazard.figures["people"], hazard.samples) == (0, 2, ("ann", "bob"))
    assert "2 person(s) can no longer let one pass" in hazard.message("en")
    # Only eve could let them pass, and she leaves: then all that could go on are stuck.
    bench.publish(narrow)
    with bench.db.write() as write:
        write.run(bench.db.statement(sa.text("UPDATE dg_user SET active = FALSE WHERE login = 'eve'")))
        write.run(bench.db.statement(sa.text("UPDATE dg_user_role SET role = 'buyer' WHERE role = 'clerk'")))
    hazard = asked(bench.plan(narrow.replace("roles: [buyer]", "roles: [boss]")))[key]
    assert (hazard.figures["rows"], hazard.figures["people"], hazard.samples) == (2, 2, ("ann", "bob"))


def test_personal_data_that_more_people_read_or_export_need_a_word(bench: Bench, edit: Edit) -> None:
    shop = edit(
        ("note: text", "note: text\n      phone: phone"),
        ("    visit: {rows", "    visit: {hidden: [phone, amount], rows"),
    )
    bench.publish(shop)
    bench.person("ann", "clerk")
    bench.person("max", "boss")
    shown = shop.replace("hidden: [phone, amount], ", "hidden: [amount], ")
    hazard = asked(bench.plan(shown))["mask-lifted@entities.visit"]
    assert (hazard.severity, hazard.figures["people"], hazard.samples) == ("accept", 1, ("ann",))
    assert "mask-lifted@entities.visit" not in asked(
        bench.plan(shop.replace("hidden: [phone, amount], ", "hidden: [phone], "))
    )
    bench.publish(shown)
    exporting = shown.replace(
        "actions: [read, create, update, transition]", "actions: [read, create, update, transition, export]"
    )
    assert asked(bench.plan(exporting))["mask-lifted@entities.visit"].figures["people"] == 1


def test_moved_weights_show_which_pairs_appear_and_which_vanish(bench: Bench, edit: Edit) -> None:
    rule = "      owner: user\n    duplicates: {match: {note: 50, amount: 50}, at_least: 100}\n"
    shop = edit(("      owner: user\n", rule))
    bench.publish(shop)
    for note, amount in (("Acme", 100), ("Acme", 100), ("Acme", 200), ("Bolt", 300), ("Bolt", 400)):
        bench.add("visit", note=note, amount=amount)
    key = "duplicates-shifted@entities.visit.duplicates"
    assert key not in asked(bench.plan(shop))
    hazard = asked(bench.plan(shop.replace("{note: 50, amount: 50}", "{note: 100}")))[key]
    assert (hazard.severity, hazard.figures) == ("accept", {"records": 5, "appear": 3, "vanish": 0})
    assert "Bolt / Bolt" in hazard.samples
    for amount in range(5, 9):
        bench.add("visit", note="Coil", amount=amount * 100)
    hazard = asked(bench.plan(shop.replace("{note: 50, amount: 50}", "{note: 100}")))[key]
    assert (hazard.figures, len(hazard.samples)) == ({"records": 9, "appear": 9, "vanish": 0}, 5)
    hazard = asked(bench.plan(shop.replace("{note: 50, amount: 50}", "{note: {weight: 50}, owner: 50}")))[key]
    assert hazard.figures == {"records": 9, "appear": 9, "vanish": 0}
    assert key not in asked(
        bench.plan(
            shop.replace("note: 50", "remark: 50")
            .replace("note: text", "remark: {type: text, was: note}")
            .replace("title: note", "title: remark")
            .replace("columns: [note]", "columns: [remark]")
        )
    )


def test_a_type_that_takes_more_has_no_way_back(bench: Bench, edit: Edit) -> None:
    bench.publish(edit(("note: text", "note: text\n      rating: integer")))
    wider = edit(("note: text", "note: text\n      rating: text"))
    hazard = asked(bench.plan(wider))["way-back-lossy@entities.visit.fields.rating"]
    assert (hazard.severity, hazard.samples[0]) == ("accept", "x")
    bench.publish(wider)
    narrower = edit(("note: text", "note: text\n      rating: {type: integer, min: 0, max: 5}"))
    assert "way-back-lossy@entities.visit.fields.rating" not in asked(bench.plan(narrower))


def test_a_renamed_role_stays_with_its_people(bench: Bench, edit: Edit) -> None:
    bench.person("ann", "clerk")
    bench.add("visit", note="x")
    text = edit(
        ("clerk: {label: 店员}", "staff: {label: 店员, was: clerk}"),
        ("includes: [clerk]", "includes: [staff]"),
        ("  clerk:\n", "  staff:\n"),
    )
    plan = bench.plan(text)
    assert asked(plan) == {}
    bench.apply(plan)
    assert bench.db.all(bench.db.statement(sa.text("SELECT role FROM dg_user_role"))) == [("staff",)]


def test_every_hazard_and_change_has_its_words(bench: Bench, edit: Edit) -> None:
    bench.person("ann", "clerk")
    bench.add("visit", note="many", amount=100, twice=200, state="done")
    text = edit(
        ("note: text", "note: number"), ("    title: note\n", ""), ("amount * 2", "amount * 3"), (", done: 完}", "}"),
        ('    visit: {rows: "true"', '    visit: {rows: "owner == user"'), ("sort: -amount", "sort: amount"),
    )  # fmt: skip
    plan = bench.plan(text)
    assert len({hazard.code for hazard in plan.hazards}) >= 4
    told = plan.to_json()
    for each in told["changes"] + told["hazards"]:
        assert each["zh"]
        assert each["en"]
        assert "{" not in each["zh"] + each["en"]
