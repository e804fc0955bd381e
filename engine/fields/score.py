"""The value of a score: 0.0 to 100.0, written by the score that names the field."""

from typing import Any, ClassVar, Literal

from pydantic import Field as Key

from engine.fields.base import field_types
from engine.fields.number import Numeric
from engine.problems import Label


@field_types.register("score")
class ScoreField(Numeric):
    """A number from 0 to 100 with one decimal place, computed and explained by a score."""

    title: ClassVar[Label] = Label("评分", "Score")
    doc: ClassVar[Label] = Label(
        "0 到 100 的评分,由 scores 里的同名规则计算并逐项说明。",
        "A score from 0 to 100, computed and explained term by term by an entry of `scores`.",
    )
    example: ClassVar[str] = "{type: score}"
    widget: ClassVar[str] = "readonly"
    computed: ClassVar[bool] = True

    type: Literal["score"] = "score"
    scale: Literal[1] = Key(1, description="Scores have one decimal place.")
    min: Literal[None] = None
    max: Literal[None] = None

    @property
    def bounds(self) -> tuple[int, int]:
        return 0, 1000

    def json_schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": 0, "maximum": 100}
