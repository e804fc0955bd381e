"""Links to teams."""

from typing import ClassVar, Literal

from engine.fields.base import field_types
from engine.fields.lookup import Linking
from engine.problems import Label


@field_types.register("team")
class TeamField(Linking):
    """A team; `default: team` is that of the user who creates the record."""

    title: ClassVar[Label] = Label("团队", "Team")
    doc: ClassVar[Label] = Label(
        "一个团队;default: team 表示创建人所在的团队。",
        "A team; `default: team` means that of whoever creates the record.",
    )
    example: ClassVar[str] = "{type: team, default: team}"
    widget: ClassVar[str] = "team"

    type: Literal["team"] = "team"

    @property
    def target(self) -> str:
        return "team"

    @property
    def dynamic_default(self) -> str | None:
        return "team" if self.default == "team" else None
