"""Sums, counts and the like over related records, kept true when they change."""

from typing import ClassVar, Literal

from engine.fields.base import field_types
from engine.fields.formula import Following
from engine.problems import Label


@field_types.register("rollup")
class RollupField(Following):
    """A formula that draws together related records."""

    title: ClassVar[Label] = Label("汇总", "Rollup")
    doc: ClassVar[Label] = Label(
        "汇总关联记录,如明细金额合计;关联记录变化时自动更新。",
        "Draws related records together, such as the sum of the lines; follows their changes.",
    )
    example: ClassVar[str] = '{type: rollup, formula: "sum(lines.amount)"}'

    type: Literal["rollup"] = "rollup"
