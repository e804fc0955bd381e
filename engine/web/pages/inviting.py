"""Public forms for those who hand out their addresses: each way with its address, QR code, frame for a site, and answers.

Who that is stands in the form (`managed_by`).  The page shows counts and no record: answers are records like others, and
whoever may read them finds them in their list.
"""

import io
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from engine.app.public import PublicForm
from engine.columns import moment
from engine.problems import Problem, Refused
from engine.web.pages.events import when
from engine.web.pages.visit import AppVisit, Visit

_KINDS = {"svg": "image/svg+xml", "png": "image/png"}


@dataclass(frozen=True)
class Way:
    """One address of a form. `frame` is the HTML for a site, empty where no site may frame it."""

    label: str
    href: str
    qr: str
    svg: str
    png: str
    answers: int
    last: str
    frame: str
    fills: tuple[str, ...]


def get_forms(visit: AppVisit) -> Response:
    forms = visit.managed_forms()
    if not forms:
        raise Refused(Problem("not-found"), 404)
    visit.current = "~forms"
    return visit.draw("public_forms.html", forms=[_shown(visit, form) for form in forms])


def get_qr(visit: AppVisit) -> Response:
    """The QR code of one address, to look at or (`download=1`) to keep."""
    query = visit.request.query_params
    kind, channel = visit.request.path_params["kind"], query.get("channel") or None
    form = next((each for each in visit.managed_forms() if each.name == visit.request.path_params["form"]), None)
    if form is None or kind not in _KINDS or (channel is not None and channel not in form.public.channels):
        raise Refused(Problem("not-found"), 404)
    headers = {"cache-control": "private, max-age=3600"}
    if query.get("download") == "1":
        name = "-".join(part for part in (visit.app.name, form.name, channel) if part)
        headers["content-disposition"] = f'attachment; filename="{name}.{kind}"'
    return Response(qr_code(_address(visit, form, channel), kind), media_type=_KINDS[kind], headers=headers)


@lru_cache(maxsize=256)
def qr_code(address: str, kind: str) -> bytes:
    """Of level M, which a scratched poster survives, with the quiet edge that scanners need."""
    import segno

    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(out, kind=kind, scale=16, border=4)
    return out.getvalue()


def _shown(visit: AppVisit, form: PublicForm) -> dict[str, Any]:
    t, public = visit.t, form.public
    answered = visit.site.guests.answered(visit.app.name, form.name)
    total = sum(each.answers for each in answered.values())
    over = form.last is not None and visit.app.calendar.local_day(visit.site.clock.now()) > form.last
    full = public.limit is not None and total >= public.limit
    state = [t("form-is-closed") if over or full else t("form-is-open")]
    if public.until:
        state.append(t("form-until", day=public.until))
    if public.limit:
        state.append(t("form-limit", limit=f"{public.limit:,}"))
    ways = []
    for channel in public.ways:
        label, found = form.way_label(channel), answered.get(channel or "")
        query = f"?channel={channel}" if channel else ""
        more = f"{query}&download=1" if query else "?download=1"
        href = _address(visit, form, channel)
        at = visit.href("public-forms", form.name)
        ways.append(
            Way(
                label[visit.language] if label else t("form-own-address"), href, f"{at}/qr.svg{query}", f"{at}/qr.svg{more}",
                f"{at}/qr.png{more}", found.answers if found else 0, when(moment(found.at).isoformat(), visit) if found else "",
                _frame(visit, form, href) if public.embed else "", _filled(visit, form, channel),
            )
        )  # fmt: skip
    model = visit.app.entities[form.entity]
    return {
        "label": form.label[visit.language],
        "state": state,
        "closed": over or full,
        "total": total,
        "ways": ways,
        "sites": public.embed,
        "list": visit.entity(model) if visit.lens.may(model.name, "read") else None,
    }


def _filled(visit: AppVisit, form: PublicForm, channel: str | None) -> tuple[str, ...]:
    """What the server fills in for a way, in words; fields that the reader may not see are left out."""
    model, seen = visit.app.entities[form.entity], visit.lens.fields(form.entity)
    return tuple(
        f"{model.labels[name][visit.language]}: {model.fields[name].show(model.fields[name].parse(value), visit.language)}"
        for name, value in form.fills[channel].items()
        if name in seen
    )


def _frame(visit: AppVisit, form: PublicForm, href: str) -> str:
    title = escape(form.label[visit.language])
    script = f"{origin(visit)}/f/embed.js"
    return (
        f'<iframe src="{href}?embed=1" title="{title}" width="100%" height="720" style="border:0"></iframe>\n'
        f'<script src="{script}" async></script>'
    )


def _address(visit: AppVisit, form: PublicForm, channel: str | None) -> str:
    parts = [origin(visit), "f", visit.app.name, form.name, *([channel] if channel else [])]
    return "/".join(parts)


def origin(visit: Visit) -> str:
    """Where the world finds this site: as the settings say, else as the browser came."""
    address = visit.site.settings.address
    if address:
        parts = urlsplit(address)
        return f"{parts.scheme}://{parts.netloc}"
    url = visit.request.url
    return f"{url.scheme}://{url.netloc}"
