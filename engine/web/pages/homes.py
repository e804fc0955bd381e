"""The home page: what the definition puts there for the reader's job, or what there is where it says nothing.

Of several homes the first that is for one of his roles is his; he may choose another one that fits him.  Cards that may
take long are drawn after the page has been painted, each from an address of its own; `?all=1` draws everything at once.
"""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from engine.app import EntityApp, HomeApp
from engine.columns import day
from engine.problems import Problem, Refused
from engine.reading import Query
from engine.web.pages.cards import Drawing, Shown, drawings
from engine.web.pages.cards.actions import ActionsDrawing
from engine.web.pages.cells import Titles, address
from engine.web.pages.filters import MOST_COUNTED, Option
from engine.web.pages.frame import WEEKDAYS
from engine.web.pages.looks import views_of
from engine.web.pages.tools import tools
from engine.web.pages.visit import AppVisit


def home_options(visit: AppVisit) -> list[Option]:
    """The homes to choose from; empty if there is no choice."""
    fitting, own = visit.homes(), visit.home()
    return [Option(each.name, each.label[visit.language], each is own) for each in fitting] if len(fitting) > 1 else []


def to_home(visit: AppVisit) -> Response:
    return visit.go(f"/{visit.app.name}/")


def get_home(visit: AppVisit) -> Response:
    visit.current = ""
    home = visit.home()
    return _derived(visit) if home is None else _desk(visit, home)


def get_card(visit: AppVisit) -> Response:
    """One card of a home, drawn: what fills the place that was kept for it."""
    asked = dict(visit.query)
    home = next((each for each in visit.homes() if each.name == asked.get("home")), None)
    card = home.cards.get(asked.get("card", "")) if home else None
    if home is None or card is None:
        raise Refused(Problem("not-found", "card"), 404)
    drawing = drawings[card.kind](visit, home.name, asked["card"], card)
    if isinstance(drawing, ActionsDrawing) or not drawing.able():  # whose buttons are no card of their own
        raise Refused(Problem("not-found", "card"), 404)
    with visit.read() as r:
        shown = _drawn(visit, r, [drawing])
    return visit.draw("card.html", card=shown[0], shell=None)


def _desk(visit: AppVisit, home: HomeApp) -> Response:
    able = [
        drawing
        for name, card in home.cards.items()
        if (drawing := drawings[card.kind](visit, home.name, name, card)).able()
    ]
    actions = [button for drawing in able if isinstance(drawing, ActionsDrawing) for button in drawing.buttons()]
    cards = [drawing for drawing in able if not isinstance(drawing, ActionsDrawing)]
    whole = dict(visit.query).get("all") == "1"
    with visit.read() as r:
        at_once = [drawing for drawing in cards if whole or not drawing.later()]
        shown = dict(zip((each.name for each in at_once), _drawn(visit, r, at_once), strict=True))
    return visit.draw(
        "desk.html",
        home=home.label[visit.language],
        today=_today(visit),
        actions=actions,
        shown=[shown.get(each.name) or each.shown(None) for each in cards],
        waiting=len(shown) < len(cards),
    )


def _drawn(visit: AppVisit, r: Any, cards: list[Drawing[Any]]) -> list[Shown]:
    """Cards with their content: all ask first, then the titles that they need are found together."""
    needed = [part for drawing in cards for part in drawing.ask(r)]
    titles = Titles(visit.lens, r, visit.files(r)).of_all(needed)
    return [drawing.shown(titles) for drawing in cards]


def _today(visit: AppVisit) -> str:
    today = day(visit.app.calendar.local_day(visit.site.clock.now()))
    weekday = WEEKDAYS[visit.language][today.weekday()]
    return f"{today.month} 月 {today.day} 日 {weekday}" if visit.language == "zh" else f"{weekday} {today.isoformat()}"


# -- without a home in the definition ----------------------------------------------------------------------------------------


def _derived(visit: AppVisit) -> Response:
    """What there is: each kind of record with how many one sees and how many are one's own."""
    with visit.read() as r:
        models = [visit.app.entities[name] for name in visit.lens.entities()]
        own = sorted((model for model in models if model.part_of is None), key=visit.rank)
        cards = [_card(visit, r, model) for model in own]
        tidy = tools(visit, r)
    return visit.draw("home.html", cards=cards, tools=tidy, today=_today(visit))


def owner_field(visit: AppVisit, model: EntityApp) -> str | None:
    """The field that says whose a record is: the first one that names a user."""
    fields = visit.lens.fields(model.name)
    own = model.definition.fields if model.definition else {}
    return next((name for name in own if name in fields and fields[name].type == "user"), None)


def _card(visit: AppVisit, r: Any, model: EntityApp) -> Mapping[str, Any]:
    link, lens = visit.entity(model), visit.lens
    owner = owner_field(visit, model)
    mine = None
    if owner and visit.principal.user is not None:
        count = lens.count(r, model.name, Query(filters={owner: str(visit.principal.user)}), MOST_COUNTED + 1)
        mine = {"count": _number(count), "href": f"{link.href}?view=all&f.{owner}=me"} if count else None
    views = [
        {"label": view.label[visit.language], "href": f"{link.href}?view={view.name}"} for view in views_of(lens, model)
    ]
    return {
        "label": link.label,
        "icon": link.icon,
        "href": link.href,
        "count": _number(lens.count(r, model.name, Query(), MOST_COUNTED + 1)),
        "mine": mine,
        "views": views[:6],
        "new": address(visit.app.name, model.name, "new") if lens.may(model.name, "create") else "",
    }


def _number(count: int) -> str:
    return f"{MOST_COUNTED:,}+" if count > MOST_COUNTED else f"{count:,}"
