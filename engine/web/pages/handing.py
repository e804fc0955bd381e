"""Handing over what somebody leaves behind: what he owns, who gets it, how far it has got, and the way back.

The pages only plan and push: `engine.runtime.handovers` gives the records away, batch by batch, and knows what remains.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import Response

from engine.access.directory import Colleague
from engine.problems import Label, Problem, Refused
from engine.reading import Query
from engine.runtime.handover import handed_over, holdings, owned, permission_matrix
from engine.runtime.handovers import Passing
from engine.web.pages.cells import id_in
from engine.web.pages.filters import Option, State as Address
from engine.web.pages.frame import Link, said
from engine.web.pages.sheets import Kind, sheet
from engine.web.pages.visit import AppVisit

MOST_RECEIVERS = 20
FORM_STEPS = 10  # batches that one press of a button gives where no script goes on by itself


@dataclass(frozen=True)
class Holding:
    """What the leaver owns of one kind. `parts` lead to lists, one for each field in which he stands."""

    name: str
    label: str
    icon: str
    count: int
    parts: tuple[Link, ...]
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Receiver:
    id: int
    name: str
    note: str
    without: str


@dataclass(frozen=True)
class Given:
    """How many records of a kind went to somebody."""

    label: str
    href: str
    who: str
    count: int


def able(visit: AppVisit) -> bool:
    return bool(handed_over(visit.lens))


def _entered(visit: AppVisit) -> None:
    """Raises Refused (403), naming who may, for somebody who may hand nothing over."""
    visit.current = "~handover"
    if able(visit):
        return
    roles = [
        visit.app.role_label(role)
        for role, grants in visit.app.policies.grants.items()
        if any("handover" in grant.actions for grant in grants.values())
    ]
    who = Label("、".join(each.zh for each in roles), ", ".join(each.en for each in roles)) if roles else None
    raise Refused(Problem("handover-refused", "", {"who": who}), 403)


# -- planning ----------------------------------------------------------------------------------------------------------------


def get_handover(visit: AppVisit) -> Response:
    """Choose who leaves; then what he owns and who gets it."""
    _entered(visit)
    here = Address(visit.href("my-handover"), visit.query)
    leaver = _leaver(visit, here)
    if here.get("add") or here.get("add.text") or here.get("team"):
        return visit.go(_with_added(visit, here, leaver))
    if leaver is None:
        unknown = visit.t("handover-unknown", text=here.get("leaver.text")) if here.get("leaver.text") else ""
        return _draw(visit, here, None, problems=[unknown] if unknown else [])
    return _draw(visit, here, leaver)


def _leaver(visit: AppVisit, here: Address) -> Colleague | None:
    return chosen_person(visit, here.get("leaver"), here.get("leaver.text"))


def chosen_person(visit: AppVisit, id: str, text: str, active: bool = False) -> Colleague | None:
    """A person by id, or by the name that was typed where no script turned it into an id."""
    directory, app = visit.site.directory, visit.app.name
    number = id_in(id)
    if number is not None:
        found = directory.named(app, [number]).get(number)
        return found if found is None or found.active or not active else None
    wanted = text.strip().lower()
    alike = [each for each in directory.find(app, wanted, 20, active) if wanted in (each.name.lower(), each.login)]
    return alike[0] if wanted and len(alike) == 1 else None


def _with_added(visit: AppVisit, here: Address, leaver: Colleague | None) -> str:
    """The address with one more receiver, or a whole team of them."""
    directory, app = visit.site.directory, visit.app.name
    one = chosen_person(visit, here.get("add"), here.get("add.text"), active=True)
    team = id_in(here.get("team"))
    added = ([one] if one else []) + (directory.members(app, team) if team is not None else [])
    ids = [*here.all("to"), *(str(each.id) for each in added if leaver is None or each.id != leaver.id)]
    kept = [("leaver", str(leaver.id) if leaver else "")] + [("to", id) for id in dict.fromkeys(ids)][:MOST_RECEIVERS]
    return Address(here.path, tuple(kept)).url()


def _receivers(visit: AppVisit, ids: Sequence[str], leaver: Colleague) -> list[Colleague]:
    """Those who were chosen, as long as they are active."""
    numbers = [number for each in ids if (number := id_in(each)) is not None and number != leaver.id]
    found = visit.site.directory.named(visit.app.name, numbers)
    return [found[number] for number in dict.fromkeys(numbers) if number in found and found[number].active][
        :MOST_RECEIVERS
    ]


def _draw(
    visit: AppVisit, here: Address, leaver: Colleague | None, problems: Sequence[str] = (), status: int = 200
) -> Response:
    t, directory = visit.t, visit.site.directory
    values: dict[str, Any] = {
        "leaver": None,
        "holdings": (),
        "receivers": (),
        "teams": (),
        "total": 0,
        "unfinished": (),
        "may_suspend": False,
    }
    values["people"] = f"{here.path}/people"
    latest = visit.site.handovers.latest(visit.app, visit.principal)
    known = directory.named(visit.app.name, {each.leaver for each in latest})
    values["latest"] = [_short(visit, each, known) for each in latest]
    if leaver is not None:
        receivers = _receivers(visit, here.all("to"), leaver)
        with visit.read() as r:
            held = _holdings(visit, r, leaver, receivers)
        plain = [("leaver", str(leaver.id)), *(("to", str(each.id)) for each in receivers)]
        values |= {
            "leaver": leaver, "leaver_note": leaver.team if leaver.active else t("handover-suspended"), "holdings": held, "total": sum(each.count for each in held),
            "receivers": [
                Receiver(each.id, each.name, each.team, Address(here.path, tuple(pair for pair in plain if pair != ("to", str(each.id)))).url())
                for each in receivers
            ],
            "teams": [Option(str(team.id), "\u3000" * team.depth + team.name) for team in directory.teams()],
            "may_suspend": visit.principal.administrator and leaver.active and leaver.id != visit.principal.user,
            "unfinished": [short for short, each in zip(values["latest"], latest, strict=True) if each.leaver == leaver.id and each.stage == "running"],
            "matrix": "&".join(f"who={id}" for _, id in plain),
        }  # fmt: skip
    return visit.draw("handover.html", status, action=here.path, problems=problems, **values)


def _holdings(visit: AppVisit, r: Any, leaver: Colleague, receivers: Sequence[Colleague]) -> list[Holding]:
    lens, t, found = visit.lens, visit.t, []
    for entity, count in holdings(lens, r, leaver.id).items():
        model = visit.app.entities[entity]
        parts = []
        for name in owned(model):
            if name in lens.fields(entity):
                number = lens.count(r, entity, Query(filters={name: str(leaver.id)}))
                place = f"{visit.href(entity)}?view=all&f.{name}={leaver.id}"
                parts += [Link(model.labels[name][t.language], place, count=f"{number:,}")] if number else []
        options = []
        if len(receivers) > 1:
            least, more = divmod(count, len(receivers))
            share = f"{least:,}" if not more else f"{least:,}–{least + 1:,}"
            options.append(Option("turn", t("handover-in-turn", count=len(receivers), share=share), True))
        options += [
            Option(str(each.id), t("handover-all-to", name=each.name), len(receivers) == 1) for each in receivers
        ]
        options.append(Option("", t("handover-not-now"), not receivers))
        link = visit.entity(model)
        found.append(Holding(entity, link.label, link.icon, count, tuple(parts), tuple(options)))
    return sorted(found, key=lambda each: -each.count)


def post_handover(visit: AppVisit) -> Response:
    """Plan it as the form says, and go where it is carried out."""
    _entered(visit)
    leaver = chosen_person(visit, visit.field("leaver"), "")
    if leaver is None:
        raise Refused(Problem("person-unknown", "leaver"), 404)
    ids = [str(each) for each in visit.form.getlist("to")] if visit.form is not None else []
    receivers = _receivers(visit, ids, leaver)
    turn = tuple(each.id for each in receivers)
    plan: dict[str, tuple[int, ...]] = {}
    for entity in handed_over(visit.lens):
        said_of = visit.field(f"give.{entity}")
        one = id_in(said_of)
        if said_of == "turn" and turn:
            plan[entity] = turn
        elif one in turn and one is not None:
            plan[entity] = (one,)
    if not plan:
        here = Address(visit.href("my-handover"), (("leaver", str(leaver.id)), *(("to", str(id)) for id in turn)))
        problem = Problem("handover-nobody")
        return _draw(visit, here, leaver, [problem.message(visit.language)], 422)
    suspend = visit.principal.administrator and bool(visit.field("suspend")) and leaver.id != visit.principal.user
    id = visit.site.handovers.begin(visit.app, visit.principal, leaver.id, plan, suspend)
    return visit.go(visit.href("my-handover", str(id)))


def get_people(visit: AppVisit) -> Response:
    """People by what was typed of their names, as JSON: id and title."""
    _entered(visit)
    return Response(orjson.dumps(person_titles(visit)), media_type="application/json")


def person_titles(visit: AppVisit) -> list[dict[str, str]]:
    """People of the app by what was typed of their names: id and title."""
    query = visit.request.query_params
    found = visit.site.directory.find(visit.app.name, query.get("q", "")[:100], 20, query.get("active") == "1")
    return [{"id": str(each.id), "title": _title(visit, each)} for each in found]


def _title(visit: AppVisit, each: Colleague) -> str:
    state = "" if each.active else visit.t("handover-suspended")
    return " · ".join(part for part in (each.name, each.team, state) if part)


def get_matrix(visit: AppVisit) -> Response:
    """What the leaver and those who follow him may do, as a file; nothing that the reader may not know of."""
    _entered(visit)
    kind: Kind = "csv" if visit.request.path_params["kind"] == "csv" else "xlsx"
    ids = [number for key, value in visit.query if key == "who" and (number := id_in(value)) is not None]
    named = visit.site.directory.named(visit.app.name, ids[: MOST_RECEIVERS + 1])
    people = [(each.id, each.name) for number in ids if (each := named.get(number)) is not None]
    rows = permission_matrix(visit.app, visit.site.people, people, visit.language, visit.lens)
    t, keys = visit.t, ("person", "role", "entity", "actions", "rows", "write", "hidden", "readonly")
    headers = [
        t("matrix-person"), t("matrix-role"), t("matrix-entity"), t("matrix-actions"), t("matrix-rows"), t("matrix-write"), t("matrix-hidden"), t("matrix-readonly"),
    ]  # fmt: skip
    return sheet(t("matrix"), kind, [(t("matrix"), headers, [[str(row[key]) for key in keys] for row in rows])])


# -- carrying it out ---------------------------------------------------------------------------------------------------------


def get_passing(visit: AppVisit) -> Response:
    _entered(visit)
    return _draw_passing(visit, visit.site.handovers.one(visit.app, visit.principal, visit.id))


def post_passing(visit: AppVisit) -> Response:
    """Give the next batch or take the last one back; for a script the account of it as JSON, else some more at once."""
    _entered(visit)
    back = visit.field("do") == "back"
    scripted = "application/json" in visit.request.headers.get("accept", "")
    problems: Sequence[Problem] = ()
    now = visit.site.handovers.one(visit.app, visit.principal, visit.id)
    try:
        for _ in range(1 if scripted else FORM_STEPS):
            now, more = _back(visit) if back else _step(visit)
            if not more:
                break
    except Refused as error:
        if error.status in (403, 404):
            raise
        problems = error.problems
    if not scripted:
        if problems:
            return _draw_passing(visit, now, problems)
        return visit.go(visit.href("my-handover", str(visit.id)))
    told = {
        "done": now.done if not back else len(now.batches), "total": now.total, "over": now.stage in ("done", "returned"),
        "words": _words(visit, now), "width": _width(now), "problems": [each.message for each in said(problems, visit.language)],
    }  # fmt: skip
    return Response(orjson.dumps(told), media_type="application/json")


def _step(visit: AppVisit) -> tuple[Passing, bool]:
    """One batch. Where nothing remains, the account is suspended if that was asked for, and it is done."""
    handovers = visit.site.handovers
    now, gave = handovers.step(visit.app, visit.principal, visit.id)
    if gave or now.stage != "running":
        return now, gave
    if now.suspend and visit.principal.administrator:
        visit.site.people.suspend(now.leaver)
    return handovers.finish(visit.app, visit.principal, visit.id), False


def _back(visit: AppVisit) -> tuple[Passing, bool]:
    now = visit.site.handovers.back(visit.app, visit.principal, visit.id)
    return now, now.stage != "returned"


def _width(now: Passing) -> int:
    if now.stage in ("done", "returned"):
        return 100
    if now.stage == "returning":
        return min(99, len(now.batches))
    return min(99, now.done * 100 // max(1, now.total))


def _words(visit: AppVisit, now: Passing) -> str:
    t = visit.t
    match now.stage:
        case "running":
            return t("handover-running", done=f"{now.done:,}", total=f"{max(now.total, now.done):,}")
        case "done":
            return t("handover-done", count=f"{now.done:,}")
        case "returning":
            return t("handover-returning", count=len(now.batches))
        case _:
            return t("handover-returned-but", left=now.left) if now.left else t("handover-returned")


def _draw_passing(visit: AppVisit, now: Passing, problems: Sequence[Problem] = ()) -> Response:
    t = visit.t
    named = visit.site.directory.named(
        visit.app.name, {now.leaver, *(who for each in now.plan.values() for who in each)}
    )
    leaver = named.get(now.leaver)
    return visit.draw(
        "handover_passing.html", title=t("handover-of", name=_name(named, now.leaver)), leaver=now.leaver, action=visit.href("my-handover", str(now.id)),
        start=visit.href("my-handover"), stage=now.stage, words=_words(visit, now), width=_width(now), given=_given(visit, now, named),
        suspended=now.suspend and now.stage == "done" and leaver is not None and not leaver.active, suspends=now.suspend and now.stage == "running",
        matrix="&".join(f"who={id}" for id in dict.fromkeys((now.leaver, *(who for each in now.plan.values() for who in each)))),
        problems=said(problems, t.language), failed=t("handover-stopped"),
    )  # fmt: skip


def _given(visit: AppVisit, now: Passing, named: Mapping[int, Colleague]) -> list[Given]:
    found = []
    for entity, counts in now.given.items():
        model = visit.app.entities.get(entity)
        if model is None or not visit.lens.may(entity, "read"):
            continue
        fields = [name for name in owned(model) if name in visit.lens.fields(entity)]
        for who, count in counts.items():
            place = f"{visit.href(entity)}?view=all&f.{fields[0]}={who}" if fields else visit.href(entity)
            found.append(Given(model.label[visit.language], place, _name(named, who), count))
    return found


def _short(visit: AppVisit, each: Passing, named: Mapping[int, Colleague]) -> Link:
    words = f"{visit.t('handover-of', name=_name(named, each.leaver))} · {_words(visit, each)}"
    return Link(words, visit.href("my-handover", str(each.id)), "users", each.stage)


def _name(named: Mapping[int, Colleague], id: int) -> str:
    return named[id].name if id in named else "—"
