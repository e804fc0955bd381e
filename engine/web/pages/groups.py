"""A list in groups: one heading for each value of a field, with how many there are and what they add up to.

The headings come with one question for all groups, which kept totals answer where the definition has them; the records of
a group with one question for each group that is open, and no more than a handful are open at once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.app import EntityApp
from engine.fields import Field
from engine.fields.choice import Choosing
from engine.fields.lookup import Linking
from engine.reading import Lens, Query
from engine.reading.sums import MONTH
from engine.web.pages.cells import COLORS, Column, Row, Titles, shown
from engine.web.pages.filters import MOST_COUNTED, Option, quoted
from engine.web.pages.frame import Words
from engine.web.pages.looks import Look

OPEN = 5  # groups that are open unless somebody says otherwise
MOST_OPEN = 12
ROWS = 20  # records of an open group
MOST = 100  # groups; the largest


@dataclass(frozen=True)
class Group:
    """`sums` are what stands under each column, by its name. `toggle` opens or closes it, `rest` leads to all its records."""

    key: str
    label: str
    color: str
    person: bool
    count: str
    sums: Mapping[str, str]
    open: bool
    toggle: str
    rows: tuple[Row, ...] = ()
    rest: str = ""
    more: int = 0


@dataclass(frozen=True)
class Grouped:
    """`over` says that there are too many records to be grouped; `cut` how many groups are left out."""

    groups: tuple[Group, ...] = ()
    cut: int = 0
    over: bool = False


def groupable(lens: Lens, model: EntityApp) -> list[str]:
    """The fields by which a list can be grouped: the stage, choices, people, and days by their month."""
    fields = lens.fields(model.name)
    own = model.definition.fields if model.definition else {}
    names = [*(["stage", "pipeline"] if model.processes else []), *own, "created_at"]
    return [
        name + (MONTH if _dated(fields[name]) else "")
        for name in dict.fromkeys(names)
        if name in fields and _may(fields[name])
    ]


def _dated(each: Field) -> bool:
    return each.type in ("date", "datetime")


def _may(each: Field) -> bool:
    few = each.type in ("choice", "boolean", "user", "team")
    return each.stored and (few or _dated(each))


def summed(lens: Lens, model: EntityApp, look: Look, columns: Sequence[str]) -> list[str]:
    """What is added up: what the view says, else the amounts of money that are shown."""
    fields = lens.fields(model.name)
    declared = [name for name in (look.view.sum if look.view else ()) if name in fields and name in columns]
    return declared or [
        name for name in columns if name in fields and fields[name].type == "money" and fields[name].stored
    ]


def totals(lens: Lens, r: Any, look: Look, names: Sequence[str], count: int) -> dict[str, Any]:
    """What all records of a list add up to, by field; empty where that would take long."""
    measures = {name: f"sum({name})" for name in names}
    query = look.query()
    if not names or (count > MOST_COUNTED and not lens.has_totals(look.model.name, query, (), measures)):
        return {}
    found = lens.aggregate(r, look.model.name, query, (), measures)
    return {name: found[0][name] for name in names if found and found[0][name] is not None}


def grouped(
    lens: Lens, r: Any, look: Look, by: str, columns: Sequence[Column], count: int, titles: Titles, t: Words,
    page: Callable[[Query], Sequence[Mapping[str, Any]]], draw: Callable[[Sequence[Mapping[str, Any]]], tuple[Row, ...]],
) -> Grouped:  # fmt: skip
    """`page` answers a query, `draw` makes rows of its records; `count` is how many meet the conditions, cut at a limit."""
    model = look.model
    sums = summed(lens, model, look, [column.name for column in columns])
    measures = {"count": "count()"} | {f"sum_{name}": f"sum({name})" for name in sums}
    query = look.query()
    if count > MOST_COUNTED and not lens.has_totals(model.name, query, (by,), measures):
        return Grouped(over=True)
    found = lens.aggregate(r, model.name, query, (by,), measures)
    name, each = by.removesuffix(MONTH), lens.fields(model.name)[by.removesuffix(MONTH)]
    titles.of(model.name, [{name: group[by]} for group in found], [name] if isinstance(each, Linking) else [])
    found = _ordered(each, by, found, titles)
    cut = max(0, len(found) - MOST)
    folded, unfolded = look.here.all("fold"), look.here.all("unfold")
    made: list[tuple[dict[str, Any], str, bool, Sequence[Mapping[str, Any]]]] = []
    pages: list[Sequence[Mapping[str, Any]]] = []
    for position, group in enumerate(found[:MOST]):
        key = _text(group[by])
        opened = key in unfolded or (position < OPEN and key not in folded)
        records: Sequence[Mapping[str, Any]] = ()
        if opened and len(pages) < MOST_OPEN:
            narrowed = _narrowed(look, by, each, group[by])
            records = page(narrowed)
            pages.append(records)
        made.append((group, key, opened and bool(records), records))
    titles.of(model.name, [record for records in pages for record in records], [column.name for column in columns])
    groups = []
    for group, key, opened, records in made:
        more = int(group["count"]) - len(records) if opened else 0
        groups.append(
            Group(
                key, _label(each, by, group[by], titles, t), _color(each, group[by]), each.type == "user" and group[by] is not None,
                t("count", count=f"{group['count']:,}"), _sums(lens, model, sums, group, t), opened, _toggle(look, key, opened),
                draw(records), _rest(look, by, each, group[by]) if more > 0 else "", max(more, 0),
            )
        )  # fmt: skip
    return Grouped(tuple(groups), cut)


def _text(value: Any) -> str:
    return "~" if value is None else "true" if value is True else "false" if value is False else str(value)


def _ordered(each: Field, by: str, found: list[dict[str, Any]], titles: Titles) -> list[dict[str, Any]]:
    """Options as the definition has them, months from the latest, people by how many records are theirs; empty last."""
    if isinstance(each, Choosing):
        place = {key: position for position, key in enumerate(each.keys)}
        return sorted(found, key=lambda group: (group[by] is None, place.get(group[by], len(place))))
    if _dated(each):
        return sorted(found, key=lambda group: str(group[by] or ""), reverse=True)
    if isinstance(each, Linking):
        names = {group[by]: titles.title(each.target, str(group[by])) or "" for group in found if group[by] is not None}
        return sorted(found, key=lambda group: (group[by] is None, -group["count"], names.get(group[by], "")))
    return sorted(found, key=lambda group: (group[by] is None, not group[by]))


def _label(each: Field, by: str, value: Any, titles: Titles, t: Words) -> str:
    if value is None:
        return t("none")
    if isinstance(each, Linking):
        return titles.title(each.target, str(value)) or t("not-visible")
    if _dated(each):
        return t("month", year=int(value[:4]), month=int(value[5:7]))
    if isinstance(each, Choosing):
        return each.option_label(str(value), t.language)
    return shown(each, value, t.language)


def _color(each: Field, value: Any) -> str:
    option = each.options.get(str(value)) if isinstance(each, Choosing) else None
    return COLORS.get(option.color, "") if option and option.color else ""


def _sums(lens: Lens, model: EntityApp, names: Sequence[str], group: Mapping[str, Any], t: Words) -> dict[str, str]:
    fields = lens.fields(model.name)
    return {
        name: said_sum(fields[name], group[f"sum_{name}"], t.language)
        for name in names
        if group[f"sum_{name}"] is not None
    }


def said_sum(each: Field, value: Any, language: str) -> str:
    """A sum as its field shows values."""
    scale = each.value_type().scale
    return shown(each, round(value, scale) if scale else value, language)


def _narrowed(look: Look, by: str, each: Field, value: Any) -> Query:
    name = by.removesuffix(MONTH)
    if not by.endswith(MONTH):
        return look.query(equal={name: "" if value is None else _text(value)}, limit=ROWS)
    return look.query(also=_month_clause(name, each, value), limit=ROWS)


def _month_clause(name: str, each: Field, first: str | None) -> str:
    """The days of one month, as a range that an index serves."""
    if first is None:
        return f"{name} is null"
    last = _last(first)
    left = f"date({name})" if each.type == "datetime" else name
    return f"{left} >= date({quoted(first)}) and {left} <= date({quoted(last)})"


def _last(first: str) -> str:
    from calendar import monthrange

    year, month = int(first[:4]), int(first[5:7])
    return f"{first[:8]}{monthrange(year, month)[1]:02}"


def _toggle(look: Look, key: str, opened: bool) -> str:
    """The address with this group the other way round."""
    here = look.here.without("fold", key).without("unfold", key)
    return here.plus("fold" if opened else "unfold", key).url()


def _rest(look: Look, by: str, each: Field, value: Any) -> str:
    """The list of one group alone, without headings."""
    name = by.removesuffix(MONTH)
    here = look.here.url(drop=[f"f.{name}"], group=None, fold=None, unfold=None)
    more: dict[str, str]
    if value is None:
        more = {}
        return _with(here, f"c.{_free(look)}", f"{name}.empty")
    if by.endswith(MONTH):
        more = {f"f.{name}.from": value, f"f.{name}.to": _last(value)}
    else:
        more = {f"f.{name}": _text(value)}
    for key, text in more.items():
        here = _with(here, key, text)
    return here


def _free(look: Look) -> int:
    used = [int(key[2:]) for key, _ in look.here.parameters if key.startswith("c.") and key[2:].isdigit()]
    return min(99, max(used, default=0) + 1)


def _with(href: str, key: str, value: str) -> str:
    from urllib.parse import urlencode

    return f"{href}{'&' if '?' in href else '?'}{urlencode({key: value})}"


def group_options(lens: Lens, model: EntityApp, look: Look, by: str, t: Words) -> list[tuple[Option, str]]:
    """By what the list may be grouped, each with its address; the first stands for no groups."""
    none = (Option("", t("group-none"), not by), look.here.url(group=None, fold=None, unfold=None))
    return [
        none,
        *(
            (
                Option(name, t("group-month", name=label) if name.endswith(MONTH) else label, name == by),
                look.here.url(group=name, fold=None, unfold=None),
            )
            for name in groupable(lens, model)
            for label in [model.labels[name.removesuffix(MONTH)][t.language]]
        ),
    ]
