"""What the stage gates of the five sales processes ask for, as the customers described it."""

from tests.scenarios.conftest import Crm

PARAMETERS = {
    "line_takt": 12, "temperature_range": "0–35 ℃", "humidity_range": "70%", "existing_models": "A1", "power_supply": "AC380V", "power_capacity": 12,
    "air_supply": "0.6 MPa", "floor_space": 40, "ceiling_height": 3, "floor_load": 900, "entrance_width": 2, "package_type": "纸箱", "package_size": "400×300",
    "unit_weight": 2, "daily_volume": 100, "peak_volume": 200, "shifts": 2, "storage_condition": "常温", "shelf_size": "3 m", "hygiene_level": "食品级",
    "receiving_window": "9:00–17:00",
}  # fmt: skip


def to_demo(crm: Crm) -> tuple[int, int]:
    """An opportunity that has come to the demonstration, and its account."""
    account = crm.account()
    contact = crm.contact(account)
    deal = crm.opportunity(
        account, primary_contact=str(contact), expected_close_date="2026-04-01", need_summary="堆头位"
    )
    crm.move("chenxiaowen", "opportunity", deal, "first_visit")
    crm.create(
        "chenxiaowen",
        "activity",
        subject="初访",
        type="visit",
        account=str(account),
        opportunity=str(deal),
        progress_tag="comparing",
    )
    crm.move("chenxiaowen", "opportunity", deal, "need")
    crm.update("chenxiaowen", "opportunity", deal, **PARAMETERS)
    crm.move("chenxiaowen", "opportunity", deal, "demo")
    return deal, account


def test_the_need_is_confirmed_with_all_21_parameters_at_once(crm: Crm) -> None:
    account = crm.account()
    deal = crm.opportunity(
        account, primary_contact=str(crm.contact(account)), expected_close_date="2026-04-01", need_summary="堆头位"
    )
    crm.move("chenxiaowen", "opportunity", deal, "first_visit")
    crm.create(
        "chenxiaowen",
        "activity",
        subject="初访",
        type="visit",
        account=str(account),
        opportunity=str(deal),
        progress_tag="comparing",
    )
    crm.move("chenxiaowen", "opportunity", deal, "need")
    assert len(PARAMETERS) == 21
    assert {path for _, path in crm.refused("chenxiaowen", "opportunity", deal, "demo")} == set(PARAMETERS)
    crm.update(
        "chenxiaowen", "opportunity", deal, **{key: value for key, value in PARAMETERS.items() if key != "line_takt"}
    )
    assert [path for _, path in crm.refused("chenxiaowen", "opportunity", deal, "demo")] == ["line_takt"]


def test_the_demonstration_waits_for_photos_minutes_three_decks_and_two_decision_makers(crm: Crm) -> None:
    deal, account = to_demo(crm)
    reasons = crm.refused("chenxiaowen", "opportunity", deal, "quote")
    assert {path for _, path in reasons} == {"site_photo", "minutes", "deck", "contacts"}
    crm.attach("chenxiaowen", "opportunity", deal, "site_photo", "门头.jpg")
    crm.attach("chenxiaowen", "opportunity", deal, "minutes", "纪要.docx")
    crm.attach("chenxiaowen", "opportunity", deal, "deck", "一.pptx", "二.pptx")
    assert {path for _, path in crm.refused("chenxiaowen", "opportunity", deal, "quote")} == {
        "minutes",
        "deck",
        "contacts",
    }
    crm.attach("chenxiaowen", "opportunity", deal, "minutes", "纪要.pdf")
    crm.attach("chenxiaowen", "opportunity", deal, "deck", "三.ppt")
    assert {path for _, path in crm.refused("chenxiaowen", "opportunity", deal, "quote")} == {"contacts"}
    for name, phone in (("周建国", "13900139001"), ("吴敏", None)):
        reach = {"phone": phone} if phone else {"phone": None, "wechat": "wumin"}
        person = crm.contact(account, name=name, is_decision_maker=True, **reach)
        crm.create(
            "chenxiaowen", "opportunity_contact", opportunity=str(deal), contact=str(person), is_decision_maker=True
        )
    assert {path for _, path in crm.refused("chenxiaowen", "opportunity", deal, "quote")} == {"contacts"}, (
        "one of the two has no phone number"
    )
    third = crm.contact(account, name="郑洁", phone="13900139003")
    crm.create("chenxiaowen", "opportunity_contact", opportunity=str(deal), contact=str(third), is_decision_maker=True)
    crm.move("chenxiaowen", "opportunity", deal, "quote")


def test_a_stage_cannot_be_skipped(crm: Crm) -> None:
    deal, _ = to_demo(crm)
    assert crm.refused("chenxiaowen", "opportunity", deal, "signing")
    assert crm.refused("chenxiaowen", "opportunity", deal, "won")


def test_a_return_wants_its_reason_and_is_counted(crm: Crm) -> None:
    deal, _ = to_demo(crm)
    assert crm.refused("chenxiaowen", "opportunity", deal, "need")
    crm.move("chenxiaowen", "opportunity", deal, "need", reason="parameters")
    assert (crm.get("chenxiaowen", "opportunity", deal) or {})["stage"] == "need"
    with crm.db.read() as r:
        stages = crm.lens("chenxiaowen").stages(r, "opportunity", deal)
    assert [one["direction"] for one in stages if one.get("direction") == "return"] == ["return"]


def test_a_lost_deal_says_why(crm: Crm) -> None:
    deal, _ = to_demo(crm)
    assert [path for _, path in crm.refused("chenxiaowen", "opportunity", deal, "lost")] == ["lost_reason"]
    crm.move("chenxiaowen", "opportunity", deal, "lost", values={"lost_reason": "price"})
    got = crm.get("chenxiaowen", "opportunity", deal) or {}
    assert (got["stage"], got["is_open"], got["closed_on"], got["auto_probability"]) == ("lost", False, "2026-03-02", 0)


def test_the_diagnosis_needs_three_pains_the_decision_chain_and_the_alternatives(crm: Crm) -> None:
    account = crm.account(business_line="machinery")
    deal = crm.opportunity(account, need_summary="壳体", expected_close_date="2026-05-01")
    assert (crm.get("chenxiaowen", "opportunity", deal) or {})["pipeline"] == "machinery"
    assert crm.refused("chenxiaowen", "opportunity", deal, "diagnosis")
    crm.tick("chenxiaowen", "opportunity", deal, "contact_verified")
    crm.move("chenxiaowen", "opportunity", deal, "diagnosis")
    assert {path for _, path in crm.refused("chenxiaowen", "opportunity", deal, "matching")} == {
        "pain_points",
        "contacts",
        "alternatives",
    }
    crm.update(
        "chenxiaowen", "opportunity", deal,
        pain_points=[{"rank": rank, "description": f"痛点 {rank}"} for rank in (1, 2, 3)],
        contacts=[{"contact": str(crm.contact(account)), "role": "purchasing"}],
        alternatives=[{"competitor": "联创精工"}],
    )  # fmt: skip
    crm.move("chenxiaowen", "opportunity", deal, "matching")


def test_no_solution_goes_out_before_seven_parameters_are_known(crm: Crm) -> None:
    account = crm.account(business_line="industrial_distribution")
    deal = crm.opportunity(account, primary_contact=str(crm.contact(account)), source="expo", need_summary="换 PLC")
    crm.move("chenxiaowen", "opportunity", deal, "screening")
    assert {path for _, path in crm.refused("chenxiaowen", "opportunity", deal, "technical")} == {"minutes", "contacts"}
    crm.attach("chenxiaowen", "opportunity", deal, "minutes", "沟通纪要.txt")
    crm.update(
        "chenxiaowen",
        "opportunity",
        deal,
        contacts=[{"contact": str(crm.contact(account)), "role": "user", "reached": True}],
    )
    crm.move("chenxiaowen", "opportunity", deal, "technical")
    assert len(crm.refused("chenxiaowen", "opportunity", deal, "quote")) == 7


def test_a_clinic_without_its_licence_stays_in_qualification(crm: Crm) -> None:
    clinic = crm.account(kind="clinic", business_line="pharmacy_chain", name="康宁口腔诊所")
    deal = crm.opportunity(clinic, primary_contact=str(crm.contact(clinic)))
    crm.move("chenxiaowen", "opportunity", deal, "qualification")
    assert len(crm.refused("chenxiaowen", "opportunity", deal, "visit")) == 2
    crm.attach("chenxiaowen", "account", clinic, "medical_license", "执业许可证.jpg")
    crm.update("chenxiaowen", "account", clinic, license_valid_until="2028-01-01")
    crm.move("chenxiaowen", "opportunity", deal, "visit")


def test_a_chain_store_needs_no_licence(crm: Crm) -> None:
    store = crm.account(kind="store", business_line="pharmacy_chain", name="百草大药房")
    deal = crm.opportunity(store, primary_contact=str(crm.contact(store)))
    crm.move("chenxiaowen", "opportunity", deal, "qualification")
    crm.move("chenxiaowen", "opportunity", deal, "visit")


def test_the_signed_survey_opens_the_way_to_the_design(crm: Crm) -> None:
    account = crm.account(business_line="equipment_maker")
    deal = crm.opportunity(
        account, primary_contact=str(crm.contact(account)), need_summary="包装线", tech_requirements="产能 60 包/分"
    )
    crm.create(
        "chenxiaowen",
        "activity",
        subject="首访",
        type="visit",
        account=str(account),
        opportunity=str(deal),
        progress_tag="budget",
    )
    crm.move("chenxiaowen", "opportunity", deal, "tech_meeting")
    crm.attach("chenxiaowen", "opportunity", deal, "minutes", "会议纪要.pdf")
    crm.tick("chenxiaowen", "opportunity", deal, "meeting_held")
    crm.move("chenxiaowen", "opportunity", deal, "need")
    assert {path for _, path in crm.refused("chenxiaowen", "opportunity", deal, "solution")} == {
        "need_survey",
        "requirement_documents",
    }


def test_a_quote_is_approved_by_the_manager_and_by_nobody_else(crm: Crm) -> None:
    account = crm.account()
    deal = crm.opportunity(account)
    product = crm.create("guomei", "product", code="P-1", name="冷萃咖啡", list_price=120, cost=70)
    quote = crm.create(
        "chenxiaowen",
        "quote",
        opportunity=str(deal),
        account=str(account),
        valid_until="2026-04-30",
        lines=[{"product": str(product), "quantity": 10}],
    )
    crm.move("chenxiaowen", "quote", quote, "submitted")
    assert crm.refused("chenxiaowen", "quote", quote, "approved")
    assert crm.refused("huangzhiqiang", "quote", quote, "approved"), "the manager of another region"
    crm.move("linhui", "quote", quote, "approved")
    got = crm.get("linhui", "quote", quote) or {}
    assert (got["sub_total"], got["tax"], got["grand_total"], got["gross_margin"]) == (1200, 156, 1356, 0.4167)
    assert "gross_margin" not in (crm.get("chenxiaowen", "quote", quote) or {})
