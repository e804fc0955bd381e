"""Links to people who use the app."""

from typing import ClassVar, Literal

from engine.fields.base import field_types
from engine.fields.lookup import Linking
from engine.problems import Label


@field_types.register("user")
class UserField(Linking):
    """A user; `default: user` is the one who creates the record."""

    title: ClassVar[Label] = Label("人员", "User")
    doc: ClassVar[Label] = Label(
        "一位用户;default: user 表示创建人。", "A user of the app; `default: user` means whoever creates the record."
    )
    example: ClassVar[str] = "{type: user, default: user}"
    widget: ClassVar[str] = "user"

    type: Literal["user"] = "user"

    @property
    def target(self) -> str:
        return "user"

    @property
    def dynamic_default(self) -> str | None:
        return "user" if self.default == "user" else None
