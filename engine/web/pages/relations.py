"""Which records this one is linked with, two steps far: as a drawing of columns, and as a list that says the same.

What the record points to stands at its left, and beyond that what those point to; what points to the record stands at its
right.  Below what it points to stand others of its own kind that point there too - the companies of one group, the other
orders of one customer.  All are found through the lens: a record that is not for the reader is absent, with its links and
without a trace in any number.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engine.app import EntityApp
from engine.reading import Query
from engine.web.pages.cells import id_in
from engine.web.pages.visit import AppVisit

MOST: Final = 30  # records drawn
EACH: Final = 4  # records of one kind of link
WIDTH, HEIGHT, APART, BETWEEN = 152, 44, 14, 56  # of a box, between boxes, between columns; in pixels
TALLEST: Final = 10  # boxes in a column
LONGEST: Final = 20  # half-width characters of a title in a box

Key = tuple[str, int]


@dataclass(frozen=True)
class Node:
    """A record as a box. `kind` is its entity's label; `own` is the record of the page."""

    title: str
    short: str
    kind: str
    href: str
    x: int
    y: int
    own: bool = False


@dataclass(frozen=True)
class Edge:
    path: str
    label: str


@dataclass(frozen=True)
class Linked:
    """One line of the list: how records are linked, and which."""

    label: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Drawing:
    width: int
    height: int
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    list: tuple[Linked, ...]


@dataclass
class _Found:
    """What was found so far: titles by record, the column each stands in, and the links between them."""

    titles: dict[Key, str] = field(default_factory=dict)
    columns: dict[Key, int] = field(default_factory=dict)
    links: list[tuple[Key, Key, str]] = field(default_factory=list)  # from what points, to what it points to, how

    def add(self, key: Key, title: str, column: int) -> bool:
        if key not in self.columns:
            if len(self.columns) >= MOST:
                return False
            self.titles[key], self.columns[key] = title, column
        return True


def drawing(visit: AppVisit, r: Any, model: EntityApp, record: Mapping[str, Any], title: str) -> Drawing:
    """At most one question for each kind of link and each kind of record."""
    own: Key = (model.name, visit.id)
    found = _Found()
    found.add(own, title, 0)
    first = _pointed(visit, r, model, {visit.id: record}, found, -1)
    _pointing(visit, r, model, visit.id, found)
    _siblings(visit, r, model, own, first, found)
    by_entity: dict[str, list[int]] = {}
    for entity, id in first:
        by_entity.setdefault(entity, []).append(id)
    for entity, ids in by_entity.items():
        other = visit.app.entities[entity]
        names = _followed(visit, other)
        rows = visit.lens.many(r, entity, ids, tuple(names)) if names else {}
        _pointed(visit, r, other, rows, found, -2)
    return _drawn(visit, found, own)


def _followed(visit: AppVisit, model: EntityApp) -> list[str]:
    """The lookups of an entity that lead to records which the reader may know."""
    lens = visit.lens
    return [
        name
        for name, target in model.lookups.items()
        if name in lens.fields(model.name) and not visit.app.entities[target].system and lens.may(target, "read")
    ]


def _pointed(
    visit: AppVisit, r: Any, model: EntityApp, rows: Mapping[int, Mapping[str, Any]], found: _Found, column: int
) -> list[Key]:
    """What these records point to, drawn in a column."""
    wanted: dict[str, set[int]] = {}
    pairs: list[tuple[Key, Key, str]] = []
    for id, row in rows.items():
        for name in _followed(visit, model):
            other = id_in(row.get(name))
            if other is not None and (model.lookups[name], other) != (model.name, id):
                wanted.setdefault(model.lookups[name], set()).add(other)
                pairs.append(((model.name, id), (model.lookups[name], other), model.labels[name][visit.language]))
    titles = {entity: _live(visit, r, entity, ids) for entity, ids in wanted.items()}
    reached = []
    for source, target, label in pairs:
        title = titles[target[0]].get(target[1])
        if title is not None and found.add(target, title, column):
            if not any({source, target} == {each[0], each[1]} for each in found.links):
                found.links.append((source, target, label))
            reached.append(target)
    return list(dict.fromkeys(reached))


def _live(visit: AppVisit, r: Any, entity: str, ids: Iterable[int]) -> dict[int, str]:
    """The titles of those that are there for him and not in the trash."""
    live = visit.lens.many(r, entity, ids, ("id",))
    titles = visit.lens.titles(r, entity, live) if live else {}
    return {id: title or visit.t("untitled") for id, title in titles.items()}


def _pointing(visit: AppVisit, r: Any, model: EntityApp, id: int, found: _Found) -> None:
    """What points to the record: the latest few of each kind, as many kinds as there is room for."""
    named = {way: visit.app.label_of(model.name, name) for name, way in model.relations.items()}
    own_parts = set(model.children.values())
    kinds = []
    for entity in visit.lens.entities():
        other = visit.app.entities[entity]
        for lookup in _followed(visit, other):
            if other.lookups[lookup] == model.name and (entity, lookup) not in own_parts:
                label = named.get((entity, lookup), other.label)[visit.language]
                kinds.append([(key, title, label) for key, title in _latest(visit, r, other, lookup, id)])
    _place(found, kinds, (model.name, id), 1)


def _siblings(visit: AppVisit, r: Any, model: EntityApp, own: Key, first: Iterable[Key], found: _Found) -> None:
    """Others of the record's own kind that point where it points."""
    label = model.label[visit.language]
    linked = {each[1:] for each in found.links if each[0] == own}
    for target in first:
        for lookup in _followed(visit, model):
            if model.lookups[lookup] == target[0] and (target, model.labels[lookup][visit.language]) in linked:
                others = [
                    (key, title, label) for key, title in _latest(visit, r, model, lookup, target[1]) if key != own
                ]
                _place(found, [others], target, 0)


def _latest(visit: AppVisit, r: Any, other: EntityApp, lookup: str, id: int) -> list[tuple[Key, str]]:
    """The latest few records that point there, with their titles."""
    asked = Query(filters={lookup: str(id)}, fields=(other.title,), sort=("-id",), limit=EACH + 1)
    rows = visit.lens.page(r, other.name, asked).rows
    titles = visit.lens.titles(r, other.name, [int(row["id"]) for row in rows])
    return [
        ((other.name, own), titles[own] or visit.t("untitled")) for row in rows if (own := int(row["id"])) in titles
    ][:EACH]


def _place(found: _Found, kinds: Sequence[Sequence[tuple[Key, str, str]]], target: Key, column: int) -> None:
    """Put records into a column while there is room: the first of each kind, then the second of each; kinds stay together."""
    room = TALLEST - sum(each == column for each in found.columns.values())
    turns = [(number, kind) for number in range(EACH) for kind, some in enumerate(kinds) if number < len(some)]
    chosen = sorted(turns[: max(0, room)], key=lambda turn: (turn[1], turn[0]))
    for number, kind in chosen:
        key, title, label = kinds[kind][number]
        if key == target or not found.add(key, title, column):
            continue
        if not any({key, target} == {each[0], each[1]} for each in found.links):
            found.links.append((key, target, label))


# -- drawing ---------------------------------------------------------------------------------------------------------------


def _drawn(visit: AppVisit, found: _Found, own: Key) -> Drawing:
    together: dict[int, list[Key]] = {}
    for key, column in found.columns.items():
        together.setdefault(column, []).append(key)
    columns = [
        keys[start : start + TALLEST] for _, keys in sorted(together.items()) for start in range(0, len(keys), TALLEST)
    ]
    tallest = max(len(keys) for keys in columns)
    height = tallest * (HEIGHT + APART) + APART
    nodes: dict[Key, Node] = {}
    for position, keys in enumerate(columns):
        top = (height - len(keys) * (HEIGHT + APART) + APART) // 2
        for number, key in enumerate(keys):
            title = found.titles[key]
            nodes[key] = Node(
                title, shortened(title), visit.app.entities[key[0]].label[visit.language],
                visit.href(key[0], str(key[1])), APART + position * (WIDTH + BETWEEN), top + number * (HEIGHT + APART), key == own,
            )  # fmt: skip
    edges = [Edge(_path(nodes[source], nodes[target]), label) for source, target, label in found.links]
    listed: dict[str, list[Node]] = {}
    for source, target, label in found.links:
        if source == own:
            listed.setdefault(label, []).append(nodes[target])
        elif target == own:
            listed.setdefault(label, []).append(nodes[source])
        else:
            said = visit.t("linked-with", label=label, title=found.titles[target])
            listed.setdefault(said, []).append(nodes[source] if source != own else nodes[target])
    width = APART * 2 + len(columns) * WIDTH + (len(columns) - 1) * BETWEEN
    return Drawing(
        width, height, tuple(nodes.values()), tuple(edges), tuple(Linked(label, tuple(each)) for label, each in listed.items())
    )  # fmt: skip


def _path(source: Node, target: Node) -> str:
    """A line from the side of one box to the facing side of the other; of boxes in one column around their left sides."""
    if source.x == target.x:
        one, other = source.y + HEIGHT // 2, target.y + HEIGHT // 2
        return f"M{source.x} {one}C{source.x - 40} {one} {source.x - 40} {other} {target.x} {other}"
    left, right = (source, target) if source.x < target.x else (target, source)
    x1, y1, x2, y2 = left.x + WIDTH, left.y + HEIGHT // 2, right.x, right.y + HEIGHT // 2
    half = (x1 + x2) // 2
    return f"M{x1} {y1}C{half} {y1} {half} {y2} {x2} {y2}"


def shortened(title: str) -> str:
    """As much of a title as fits into a box: Chinese characters are twice as wide."""
    room, shown = LONGEST, ""
    for character in title:
        room -= 1 if character.isascii() else 2
        if room < 0:
            return f"{shown}…"
        shown += character
    return shown
