"""A principal is whoever acts: a person with his roles and teams, or the engine itself."""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Principal:
    """`roles` are closed under inclusion. `teams` are the team and all above it, `teams_below` those he leads with all below.

    `teams_below` holds the team ids of the trees that he leads; empty for those who lead nobody.
    """

    user: int | None
    login: str
    name: str
    roles: frozenset[str]
    administrator: bool = False
    team: int | None = None
    teams: tuple[int, ...] = ()
    teams_below: tuple[int, ...] = ()
    language: Literal["zh", "en"] = "zh"

    @property
    def variables(self) -> dict[str, Any]:
        """What expressions call `user` and its attributes, as stored values."""
        return {
            "user": self.user,
            "user.team": self.team,
            "user.teams": self.teams,
            "user.teams_below": self.teams_below,
            "user.roles": tuple(sorted(self.roles)),
        }


def engine_principal(language: Literal["zh", "en"] = "zh") -> Principal:
    """The engine acting on its own: demo data, recomputation, upgrades. Unrestricted, and shown as such in the journal."""
    return Principal(None, "engine", "Dougong", frozenset(), administrator=True, language=language)


def guest_principal(door: str, language: Literal["zh", "en"] = "zh") -> Principal:
    """Somebody without an account, who came through a door such as `form:ask`: he may do what that door's grant says."""
    return Principal(None, door, "", frozenset({door}), language=language)
