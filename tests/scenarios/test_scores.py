"""What the scores of the CRM say of records whose figures are known."""

import pytest

from tests.scenarios.conftest import Crm

FULL = {
    "past_orders": 12, "shelf_rate": 1, "stock_turn_days": 15, "competitor_coverage": 0, "intent_level": "high", "urgency": "red", "budget_max": 500000,
    "potential_level": "a", "source": "referral", "decision_maker_reached": True, "outlets": 20,
}  # fmt: skip


def lead(crm: Crm, **values: object) -> dict[str, object]:
    id = crm.create(
        "chenxiaowen",
        "lead",
        **{"company_name": "绿谷食品批发", "phone": "13800138001", "source": "referral", **values},
    )
    return crm.get("chenxiaowen", "lead", id) or {}


def test_a_lead_with_everything_but_touches_is_gold(crm: Crm) -> None:
    got = lead(crm, **FULL)
    assert (got["lead_score"], got["pool"]) == (95, "gold")


@pytest.mark.parametrize(("past_orders", "score", "pool"), [(12, 78.5, "gold"), (9, 74.8, "normal")])
def test_75_is_the_border_of_the_gold_pool(crm: Crm, past_orders: int, score: float, pool: str) -> None:
    got = lead(crm, **{**FULL, "past_orders": past_orders, "urgency": "green", "budget_max": 250000, "outlets": 2})
    assert (got["lead_score"], got["pool"]) == (score, pool)


def test_a_lead_of_which_nothing_is_known_is_nurtured(crm: Crm) -> None:
    got = lead(crm, source="field")
    assert got["pool"] == "nurture"
    assert float(str(got["lead_score"])) < 40


def test_a_score_explains_itself_term_by_term(crm: Crm) -> None:
    id = int(str(lead(crm, **FULL)["id"]))
    detail = (crm.get("chenxiaowen", "lead", id, fields=("lead_score_detail",)) or {})["lead_score_detail"]
    assert len(detail["terms"]) == 12


def test_a_touch_raises_the_score_of_its_lead(crm: Crm) -> None:
    before = lead(crm, **FULL)
    crm.create("chenxiaowen", "activity", subject="首次电话", type="call", lead=before["id"])
    after = crm.get("chenxiaowen", "lead", int(str(before["id"]))) or {}
    assert (after["touches"], after["lead_score"]) == (1, 96)


def delivered(crm: Crm, account: int, promised: str, on: str) -> int:
    return crm.create("chengang", "delivery", account=str(account), promised_on=promised, delivered_on=on)


def test_purchase_health_reaches_100_and_falls_to_0(crm: Crm) -> None:
    best = crm.account(name="最好", order_volatility=0, trial_participation=1)
    delivered(crm, best, "2026-02-20", "2026-02-19")
    worst = crm.account(name="最差", phone="13700137000", order_volatility=1, trial_participation=0)
    delivered(crm, worst, "2026-02-20", "2026-02-25")
    assert (crm.get("chenxiaowen", "account", best) or {})["purchase_health"] == 100
    assert (crm.get("chenxiaowen", "account", worst) or {})["purchase_health"] == 0


def test_purchase_health_looks_three_months_back_from_the_last_delivery(crm: Crm) -> None:
    account = crm.account(order_volatility=0.2, trial_participation=0.5)
    delivered(crm, account, "2025-10-01", "2025-10-09")
    for promised, on in (("2026-01-10", "2026-01-10"), ("2026-02-10", "2026-02-12")):
        delivered(crm, account, promised, on)
    got = crm.get("chenxiaowen", "account", account) or {}
    assert (got["deliveries_3m"], got["punctual_3m"]) == (2, 1)
    assert got["purchase_health"] == 30 + 20 - 6 + 15


def test_account_health_is_coloured_by_deliveries_faults_and_wishes(crm: Crm) -> None:
    account = crm.account()
    delivery = delivered(crm, account, "2026-02-20", "2026-02-19")
    got = crm.get("chenxiaowen", "account", account) or {}
    assert (got["account_health"], got["account_health_band"]) == (69.2, "yellow"), (
        "45 of 65: no equipment, its weight is shared"
    )
    crm.update("chengang", "delivery", delivery, wishes=["upgrade", "remote"])
    got = crm.get("chenxiaowen", "account", account) or {}
    assert (got["upsell_wishes"], got["account_health"], got["account_health_band"]) == (1, 84.6, "green")


def test_a_customer_long_overdue_whose_engineers_fall_silent_is_at_risk(crm: Crm) -> None:
    account = crm.account()
    assert (crm.get("chenxiaowen", "account", account) or {})["risk_level"] == "low"
    crm.update("chenxiaowen", "account", account, tech_contacts=1, tech_contacts_before=8)
    crm.update("guomei", "account", account, overdue_days=130, return_rate=0.08, return_rate_before=0.02)
    got = crm.get("chenxiaowen", "account", account) or {}
    assert (got["risk_score"], got["risk_level"]) == (35, "medium")
    crm.contact(account, is_key=True, is_active=False)
    got = crm.get("chenxiaowen", "account", account) or {}
    assert (got["risk_score"], got["risk_level"]) == (50, "high")


def test_journey_completeness_counts_the_recorded_nodes_of_seven(crm: Crm) -> None:
    account = crm.account()
    deal = crm.opportunity(account)
    nodes = ["lead", "screening", "technical", "quote", "contract", "acceptance"]
    crm.update(
        "chenxiaowen",
        "opportunity",
        deal,
        journey=[{"node": node, "summary": "已记录", "owner": str(crm.ids["chenxiaowen"])} for node in nodes],
    )
    got = crm.get("chenxiaowen", "opportunity", deal) or {}
    assert (got["journey_index"], got["journey_index_band"], got["missing_nodes"]) == (85.7, "target", 1)


def test_commission_climbs_its_ladder(crm: Crm) -> None:
    plan = crm.create("zhouming", "commission_plan", name="标准")
    agent = crm.create(
        "zhouming",
        "agent",
        name="Hanoi Parts",
        country="Vietnam",
        contact_name="Nguyen",
        email="n@example.com",
        commission_plan=str(plan),
        yearly_sales=2500000,
    )
    assert (crm.get("zhouming", "agent", agent) or {})["commission"] == 500000 * 0.03 + 1500000 * 0.05 + 500000 * 0.08
