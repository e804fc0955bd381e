"""The shape of a form that everybody may answer, without an account: what is asked, what is filled in unseen, how long.

A form with `public` belongs to the world.  It asks the fields of its sections and takes nothing else.  What must not come
from the visitor - where he comes from, which campaign paid for it - is said by `fill`, for the whole form or for one
channel; the server writes it.  Each channel has an address of its own, and so a QR code of its own.
"""

import re
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field as Key
from pydantic_core import PydanticCustomError

from engine.shape import Names, Shape, Text

_COLOR = re.compile(r"#[0-9a-fA-F]{6}\Z")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\Z")


def _unfit(expected: str) -> PydanticCustomError:
    return PydanticCustomError("wrong_shape", "expected {expected}", {"expected": expected})


def _color(text: str) -> str:
    if not _COLOR.match(text):
        raise _unfit("color")
    return text.lower()


def _day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise _unfit("day") from None
    return text


def _origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    """Each must be an origin and nothing else: a path, a star or a second word would say more than it seems to."""
    for each in origins:
        parts = urlsplit(each)
        local = parts.hostname in ("localhost", "127.0.0.1")
        plain = parts.scheme == "https" or (parts.scheme == "http" and local)
        try:
            port = parts.port
        except ValueError:
            port = -1
        host = parts.hostname or ""
        if not plain or not _HOST.match(host) or each != f"{parts.scheme}://{host}{f':{port}' if port else ''}":
            raise _unfit("origin")
    return origins


class Channel(Shape):
    """One way to the form: a poster, an advertisement, a page. It has an address and a QR code of its own."""

    label: Text | None = None
    fill: dict[str, Any] = Key(
        default_factory=dict, description="Field and value: what is known of everybody who comes this way."
    )


class Public(Shape):
    """Who may answer, and what becomes of it: everybody, by a page without signing in."""

    managed_by: Names = Key(
        (), description="Roles that get the addresses, QR codes and counts; administrators always do."
    )
    channels: dict[str, Channel] = Key(
        default_factory=dict, description="The ways to the form; its own address is one beside them."
    )
    fill: dict[str, Any] = Key(
        default_factory=dict,
        description="Field and value: written by the server, never asked; a channel's own fill goes first.",
    )
    required: Names = Key((), description="Fields that must be answered here, although a record may lack them.")
    prefill: Names = Key(
        (),
        description="Asked fields that the address may fill in beforehand, as ?field=value; the visitor may change them.",
    )
    questions: dict[str, Text] = Key(
        default_factory=dict, description="Field and question, instead of the field's label."
    )
    consent: Text | None = Key(None, description="What the visitor must agree to; without it nothing is sent.")
    thanks: Text | None = Key(None, description="What he reads when it is done.")
    again: bool = Key(False, description="Whether he is offered to answer once more.")
    closed: Text | None = Key(None, description="What he reads when the form is closed.")
    until: Annotated[str, AfterValidator(_day)] | None = Key(
        None, description="The last day on which it is open, such as 2026-12-31."
    )
    limit: int | None = Key(None, ge=1, le=10_000_000, description="How many answers it takes in all.")
    color: Annotated[str, AfterValidator(_color)] | None = Key(
        None, description="The colour of its buttons and links, such as #0f6e5c."
    )
    embed: Annotated[Names, AfterValidator(_origins)] = Key(
        (), description="Sites whose pages may show the form in a frame, such as https://www.example.com."
    )

    def fills(self, channel: str | None) -> dict[str, Any]:
        """What the server fills in for those who come by a channel; None for the form's own address."""
        return self.fill | (self.channels[channel].fill if channel is not None else {})

    @property
    def ways(self) -> tuple[str | None, ...]:
        """Every way to the form: its own address, then the channels."""
        return (None, *self.channels)
