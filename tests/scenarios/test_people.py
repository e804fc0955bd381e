"""Who sees and does what in the CRM: the cases' own examples."""

import pytest

from engine.problems import Refused
from engine.reading.notices import notices
from engine.runtime import Convert, Handover, Merge
from tests.scenarios.conftest import Crm


def test_a_technical_engineer_sees_only_needs_and_communication(crm: Crm) -> None:
    account = crm.account(tech_requirements="60 包/分", communication_summary="关注交期", annual_demand=900000)
    got = crm.get("limin", "account", account) or {}
    assert (got["tech_requirements"], got["communication_summary"], got["name"]) == (
        "60 包/分",
        "关注交期",
        "福满家商贸有限公司",
    )
    assert not {"phone", "annual_demand", "owner", "purchase_health", "uscc"} & got.keys()
    deal = crm.opportunity(account, amount=100000, contacts=[{"contact": str(crm.contact(account)), "role": "boss"}])
    got = crm.get("limin", "opportunity", deal) or {}
    assert "feasibility" in got
    assert not {"amount", "contacts", "lost_reason"} & got.keys()
    with pytest.raises(Refused) as refused:
        crm.rows("limin", "opportunity_contact")
    assert refused.value.status in (403, 404)


def test_the_consultant_reads_the_sales_notes_and_the_engineer_does_not(crm: Crm) -> None:
    account = crm.account()
    note = crm.create(
        "chenxiaowen",
        "activity",
        subject="拜访",
        type="visit",
        account=str(account),
        summary="要 3 米堆头",
        sales_note="价格是关键",
    )
    assert (crm.get("gaoyuan", "activity", note) or {})["sales_note"] == "价格是关键"
    got = crm.get("limin", "activity", note) or {}
    assert got["summary"] == "要 3 米堆头"
    assert "sales_note" not in got


def test_reps_see_their_own_and_managers_their_teams(crm: Crm) -> None:
    deal = crm.opportunity(crm.account(), amount=1000, probability=0.5)
    crm.update("linhui", "opportunity", deal, cost=600)
    assert "margin" not in (crm.get("chenxiaowen", "opportunity", deal) or {})
    assert crm.get("zhangwei", "opportunity", deal) is None
    assert crm.get("huangzhiqiang", "opportunity", deal) is None
    assert (crm.get("linhui", "opportunity", deal) or {})["margin"] == 400
    assert (crm.get("zhouming", "opportunity", deal) or {})["margin_rate"] == 0.4


def test_quote_lines_hide_their_cost_from_the_rep_who_writes_them(crm: Crm) -> None:
    account = crm.account()
    product = crm.create("guomei", "product", code="P-1", name="冷萃咖啡", list_price=120, cost=70)
    quote = crm.create(
        "chenxiaowen",
        "quote",
        opportunity=str(crm.opportunity(account)),
        account=str(account),
        valid_until="2026-04-30",
        lines=[{"product": str(product)}],
    )
    mine = (crm.get("chenxiaowen", "quote", quote, expand=("lines",)) or {})["lines"][0]
    theirs = (crm.get("linhui", "quote", quote, expand=("lines",)) or {})["lines"][0]
    assert (mine["unit_price"], theirs["unit_cost"]) == (120, 70)
    assert not {"unit_cost", "line_cost"} & mine.keys()


def test_choosing_a_territory_brings_region_distributor_and_insurance_grade(crm: Crm) -> None:
    territory = crm.create(
        "heping", "territory", name="湖州片区", region="浙江省/湖州市", distributor_code="PS-07", insurance_level="a"
    )
    got = crm.get("chenxiaowen", "account", crm.account(territory=str(territory))) or {}
    assert (got["region"], got["distributor_code"], got["insurance_level"]) == ("浙江省/湖州市", "PS-07", "a")


def test_choosing_an_account_brings_its_purchases(crm: Crm) -> None:
    account = crm.account(business_line="machinery")
    got = crm.get("chenxiaowen", "opportunity", crm.opportunity(account)) or {}
    assert (got["business_line"], got["pipeline"]) == ("machinery", "machinery")


def test_no_samples_go_to_a_customer_who_has_moved(crm: Crm) -> None:
    account = crm.account(lifecycle="moved")
    product = crm.create("guomei", "product", code="P-1", name="冷萃咖啡", list_price=120)
    with pytest.raises(Refused) as refused:
        crm.create("chenxiaowen", "sample_request", account=str(account), product=str(product))
    assert {problem.path for problem in refused.value.problems} == {"account"}


def test_a_requirement_document_keeps_its_versions(crm: Crm) -> None:
    deal = crm.opportunity(crm.account())

    def version(number: int, **more: object) -> int:
        file = crm.loose_file("chenxiaowen", f"需求 v{number}.pdf")
        return crm.create(
            "chenxiaowen", "requirement_document", opportunity=str(deal), version_no=number, file=str(file), **more
        )

    first = version(1)
    second = version(2, supersedes=str(first), change_note="节拍改为 60 包/分")
    current = [crm.get("chenxiaowen", "requirement_document", id) or {} for id in (first, second)]
    assert [one["is_current"] for one in current] == [False, True]
    with pytest.raises(Refused):
        version(2, supersedes=str(second), change_note="重号")


def test_a_lead_becomes_account_contact_and_opportunity_once(crm: Crm) -> None:
    lead = crm.create(
        "chenxiaowen",
        "lead",
        company_name="绿谷食品批发",
        contact_name="吴敏",
        phone="13800138001",
        source="referral",
        inquiry="端架",
    )
    crm.act("chenxiaowen", Convert("lead", lead, "convert"))
    got = crm.get("chenxiaowen", "lead", lead) or {}
    assert got["status"] == "converted"
    deal = crm.get("chenxiaowen", "opportunity", int(got["converted_opportunity"])) or {}
    assert (deal["account"], deal["primary_contact"], deal["need_summary"]) == (
        got["converted_account"],
        got["converted_contact"],
        "端架",
    )
    with pytest.raises(Refused) as refused:
        crm.update("chenxiaowen", "account", int(got["converted_account"]), lifecycle="active")
    assert {problem.path for problem in refused.value.problems} == {"uscc", "registered_address"}, (
        "a prospect may do without, a customer may not"
    )
    with pytest.raises(Refused):
        crm.act("chenxiaowen", Convert("lead", lead, "convert"))


def test_the_same_phone_company_and_name_is_flagged_and_a_person_merges(crm: Crm) -> None:
    first = crm.create(
        "chenxiaowen",
        "lead",
        company_name="绿谷食品批发有限公司",
        contact_name="吴敏",
        phone="13800138001",
        source="baidu",
    )
    second = crm.act(
        "heping",
        crm.creation("lead", company_name="绿谷食品批发", contact_name="吴敏", phone="138 0013 8001", source="douyin"),
    )
    assert [problem.code for problem in second.warnings]
    assert second.id is not None
    crm.act("heping", Merge("lead", keep=first, lose=second.id))
    assert crm.get("heping", "lead", second.id) is None


def test_a_group_of_companies_follows_its_topmost_parent(crm: Crm) -> None:
    top = crm.account(name="福满集团", phone="13600136000")
    middle = crm.account(name="福满家连锁", phone="13600136001", parent_account=str(top))
    shop = crm.account(name="福满家湖滨店", phone="13600136002", parent_account=str(middle))
    assert (crm.get("chenxiaowen", "account", shop) or {})["group_id"] == str(top)


def test_a_leavers_customers_are_handed_over_at_once(crm: Crm) -> None:
    account = crm.account()
    deal = crm.opportunity(account)
    crm.act("zhouming", Handover(crm.ids["chenxiaowen"], crm.ids["zhangwei"]))
    assert crm.get("zhangwei", "opportunity", deal) is not None
    assert crm.get("zhangwei", "account", account) is not None
    assert crm.get("chenxiaowen", "account", account) is None


def test_choosing_an_account_tells_whose_the_other_deals_of_its_group_are(crm: Crm) -> None:
    top = crm.account(name="福满集团", phone="13600136000")
    shop = crm.account("zhaoqian", name="福满家温州店", phone="13600136002")
    crm.update("linhui", "account", shop, parent_account=str(top))
    crm.opportunity(shop, "zhaoqian", name="冰柜陈列")
    with crm.db.read() as r:
        told = notices(crm.lens("chenxiaowen"), r, "opportunity", chosen={"account": top})
    assert [one.words.zh for one in told] == ["该客户所属集团当前已有 1 个活跃商机，负责人：赵倩(浙南区)"]
    assert told[0].links == (), "the deal itself is not his to open"


def test_ticked_actions_write_the_minutes(crm: Crm) -> None:
    clinic = crm.account(kind="clinic", business_line="pharmacy_chain")
    visit = crm.create(
        "chenxiaowen",
        "activity",
        subject="拜访",
        type="visit",
        account=str(clinic),
        action_tags=["gsp_training", "cold_chain"],
        next_step="报冷链柜价格",
    )
    got = crm.get("chenxiaowen", "activity", visit) or {}
    assert got["auto_minutes"] == "本次拜访：完成 GSP 合规宣讲；客户提交冷链设备采购意向；下一步：报冷链柜价格"


def test_a_trip_goes_to_the_address_on_file(crm: Crm) -> None:
    account = crm.account()
    trip = crm.create(
        "chenxiaowen", "trip_request", account=str(account), start_on="2026-03-10", end_on="2026-03-11", purpose="初访"
    )
    assert (crm.get("chenxiaowen", "trip_request", trip) or {})["destination"] == (
        crm.get("chenxiaowen", "account", account) or {}
    )["address"]
    with pytest.raises(Refused):
        crm.update(
            "chenxiaowen", "trip_request", trip, destination={"province": "浙江省", "city": "宁波市", "detail": "别处"}
        )
    nowhere = crm.account(name="没有地址", phone="13500135000", address=None)
    with pytest.raises(Refused):
        crm.create(
            "chenxiaowen",
            "trip_request",
            account=str(nowhere),
            start_on="2026-03-10",
            end_on="2026-03-11",
            purpose="初访",
        )


def test_a_shop_gets_the_materials_once_its_part_is_confirmed(crm: Crm) -> None:
    campaign = crm.create(
        "songjia", "campaign", name="春节慢病管理季", type="promotion", start_date="2026-03-01", end_date="2026-03-31"
    )
    file = crm.loose_file("songjia", "物料包.zip")
    material = crm.create("songjia", "material", campaign=str(campaign), name="物料包", file=str(file))
    signup = crm.create("chenxiaowen", "campaign_signup", campaign=str(campaign), account=str(crm.account()))
    assert crm.get("chenxiaowen", "material", material) is None
    crm.update("linhui", "campaign_signup", signup, confirmed=True)
    assert crm.get("chenxiaowen", "material", material) is not None
    assert crm.get("zhangwei", "material", material) is None
