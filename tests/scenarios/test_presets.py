"""Each industry preset is a leaner CRM with its own sales process."""

import pytest

from engine.definition import load
from tests.scenarios.conftest import APPS

STAGES = {
    "consumer_goods": ["线索", "初访", "需求确认", "方案演示", "报价", "签约"],
    "machinery": ["线索确认", "需求诊断", "方案匹配", "样件报价", "合同评审", "交付启动"],
    "industrial_distribution": ["线索获取", "需求初筛", "技术对接", "方案报价", "样品测试", "合同签订", "交付验收"],
    "pharmacy_chain": ["线索获取", "资质审核", "拜访预约", "方案演示", "合同签订", "回款跟踪"],
    "equipment_maker": ["首次拜访", "技术对接会", "需求确认", "方案设计", "报价审批", "合同签订", "交付验收"],
}


@pytest.mark.parametrize("preset", STAGES)
def test_a_preset_keeps_its_own_process_with_the_stages_of_its_case(preset: str) -> None:
    definition = load(APPS / "crm.yaml", preset=preset).definition
    assert definition is not None
    sales = {name: process for name, process in definition.processes.items() if process.entity == "opportunity"}
    assert set(sales) == {preset, "direct_sales"}
    assert [stage.label.zh for stage in sales[preset].stages.values() if not stage.end and stage.label] == STAGES[
        preset
    ]
    line = definition.entities["opportunity"].fields["business_line"]
    assert line.default == preset


def test_without_a_preset_all_five_stand_side_by_side() -> None:
    definition = load(APPS / "crm.yaml").definition
    assert definition is not None
    assert set(STAGES) <= set(definition.processes)
    assert set(STAGES) == set(definition.presets)


def test_three_things_are_asked_before_each_stage_of_the_machinery_process_is_left() -> None:
    definition = load(APPS / "crm.yaml").definition
    assert definition is not None
    for name, stage in definition.processes["machinery"].stages.items():
        if stage.end is None:
            gate = stage.exit
            assert gate is not None
            asked = len(gate.fields) + len(gate.files) + len(gate.related) + len(gate.checklist) + len(gate.rules)
            assert asked >= 3, name
