"""Whether homes reach somebody, and whether their cards can show what they say."""

from collections.abc import Iterator

from engine.analytics.cards import Card, Mention, RecordsCard
from engine.analytics.cards.actions import ActionsCard
from engine.analytics.cards.duplicates import DuplicatesCard
from engine.analytics.cards.number import NumberCard
from engine.analytics.cards.records import ListCard
from engine.definition.checks.base import Check
from engine.definition.facts import Facts
from engine.definition.source import KeyPath
from engine.fields.formula import Following
from engine.problems import Label, Problem

_ORDER = "entities: {order: {fields: {name: text, photo: files, rate: percent, amount: money, sent: datetime}}}\n"


def _cards(facts: Facts) -> Iterator[tuple[KeyPath, Card]]:
    for name, home in facts.definition.homes.items():
        for key, card in home.cards.items():
            yield ("homes", name, "cards", key), card


def _about(facts: Facts, card: Card) -> str | None:
    """The entity of a card, if it is there."""
    views = facts.definition.views
    found = card.about(lambda name: views[name].entity if name in views else None)
    return found if found in facts.definition.entities else None


class CardSource(Check):
    """A card that shows records must say of what: by a view or an entity, and one of them alone."""

    code = "card-source"
    wrong = _ORDER + "homes: {desk: {cards: {orders: {kind: list}}}}"
    repaired = _ORDER + "homes: {desk: {cards: {orders: {kind: list, entity: order}}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for path, card in _cards(facts):
            if isinstance(card, RecordsCard) and (card.view is None) == (card.entity is None):
                neither = Label("没有说显示谁的记录", "does not say whose records it shows")
                both = Label("同时写了 view 和 entity", "names a view and an entity")
                key = card.view is None
                place = (*path, "kind") if key else (*path, "entity")
                yield facts.problem(self.code, place, key=not key, why=neither if key else both)


class CardUnfit(Check):
    """A field that cannot do what the card wants of it."""

    code = "card-unfit"
    wrong = _ORDER + "homes: {desk: {cards: {sent: {kind: list, entity: order, clock: {field: amount}}}}}"
    repaired = _ORDER + "homes: {desk: {cards: {sent: {kind: list, entity: order, clock: {field: sent}}}}}"

    _KINDS = {"moment": ("datetime", "date"), "sum": ("number", "duration"), "group": ("choice", "boolean", "record")}
    _DOES = {
        "column": Label("不能作列", "cannot be a column"),
        "sort": Label("不能排序", "cannot be sorted by"),
        "sum": Label("不能求和", "cannot be summed"),
        "group": Label("不能用来分组", "cannot group"),
        "moment": Label("不是日期或时间", "is no date or time"),
        "phone": Label("不是电话", "is no telephone number"),
        "write": Label("不能填写", "cannot be filled"),
        "link": Label("不指向这些记录", "does not point to these records"),
    }

    def find(self, facts: Facts) -> Iterator[Problem]:
        for path, card in _cards(facts):
            about = _about(facts, card)
            for mention in card.mentions():
                entity = mention.of or about
                if mention.kind != "field" or mention.use is None or entity not in facts.definition.entities:
                    continue
                if not self._fits(facts, mention, entity, about):
                    name = mention.name.removeprefix("-")
                    declared = facts.field(entity, name)
                    yield facts.problem(
                        self.code,
                        (*path, *mention.path),
                        key=mention.key,
                        value=mention.name,
                        field=facts.field_label(entity, name),
                        type=declared.type if declared else "",
                        does=self._DOES[mention.use],
                    )

    def _fits(self, facts: Facts, mention: Mention, entity: str, about: str | None) -> bool:
        name = mention.name.removeprefix("-")
        field = facts.field(entity, name)
        if field is None:
            return True  # the check of names says so
        match mention.use:
            case "column":
                return field.stored
            case "sort":
                return field.sortable and field.stored
            case "phone":
                return field.type == "phone"
            case "write":
                return not field.derived and field.stored
            case "link":
                return facts.names.target(entity, name) == about
            case use:
                formula = facts.expression("entities", entity, "fields", name, "formula")
                if isinstance(field, Following) and formula is None:
                    return True
                kind = "" if not field.stored else formula.type.kind if formula else field.value_type().kind
                return kind in self._KINDS[str(use)] and name not in ("id", "version")


class CardIdle(Check):
    """A setting of a card that means nothing without another one."""

    code = "card-idle"
    wrong = _ORDER + "homes: {desk: {cards: {total: {kind: number, entity: order, of: amount}}}}"
    repaired = _ORDER + "homes: {desk: {cards: {total: {kind: number, entity: order, sum: amount}}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for path, card in _cards(facts):
            idle = [*_idle(card), *_unlike(facts, card)]
            for key, why in idle:
                place = (*path, *key)
                yield facts.problem(self.code, place, key=True, name=str(key[-1]), why=why)


def _unlike(facts: Facts, card: Card) -> Iterator[tuple[KeyPath, Label]]:
    if isinstance(card, DuplicatesCard):
        entity = facts.definition.entities.get(card.entity)
        if entity is not None and entity.duplicates is None:
            yield (
                ("entity",),
                Label("它没有 duplicates，不知道怎样算重复", "it has no duplicates, which say when records are alike"),
            )


def _idle(card: Card) -> Iterator[tuple[KeyPath, Label]]:
    """The settings without effect, and why they have none."""
    if isinstance(card, NumberCard) and card.of is not None and card.sum is None:
        yield ("of",), Label("没有 sum", "there is no sum")
    if isinstance(card, ListCard) and card.act is not None:
        act = card.act
        if act.create is None:
            for key in ("by", "set"):
                if getattr(act, key):
                    yield ("act", key), Label("没有 create", "there is no create")
        given = [key for key in ("call", "edit", "create") if getattr(act, key) is not None]
        for key in given[1:]:
            yield ("act", key), Label(f"一行只有一个动作，已有 {given[0]}", f"a row has one action, {given[0]}")
    if isinstance(card, ActionsCard) and card.main is not None and card.main not in card.actions:
        yield ("main",), Label("没有这个动作", "there is no such action")


class HomeUnreached(Check):
    """A home behind others that always fit first."""

    code = "home-unreached"
    wrong = "entities: {order: {fields: {name: text}}}\nroles: {clerk: {}}\npolicies: {clerk: {order: {rows: 'true'}}}\nhomes: {all: {cards: {orders: {kind: list, entity: order}}}, clerk: {for: clerk, cards: {orders: {kind: list, entity: order}}}}"
    repaired = "entities: {order: {fields: {name: text}}}\nroles: {clerk: {}}\npolicies: {clerk: {order: {rows: 'true'}}}\nhomes: {clerk: {for: clerk, cards: {orders: {kind: list, entity: order}}}, all: {cards: {orders: {kind: list, entity: order}}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        taken: dict[str, str] = {}
        whole: str | None = None
        for name, home in facts.definition.homes.items():
            roles = facts.including(home.for_) if home.for_ else []
            earlier = whole
            if earlier is None and roles and all(role in taken for role in roles):
                earlier = taken[roles[0]]
            if earlier is not None:
                before = facts.definition.homes[earlier]
                yield facts.problem(
                    self.code,
                    ("homes", name),
                    key=True,
                    severity="warning",
                    related=[("homes", earlier)],
                    home=home.label or Label.of(name),
                    earlier=before.label or Label.of(earlier),
                )
            taken |= {role: name for role in roles if role not in taken}
            whole = whole or (name if not home.for_ else None)


class CardUnseen(Check):
    """A card about records that nobody with the home may see, or of a view that none of them may open."""

    code = "card-unseen"
    wrong = "entities: {order: {fields: {name: text}}, bill: {fields: {name: text}}}\nroles: {clerk: {}, boss: {}}\npolicies: {clerk: {order: {rows: 'true'}}, boss: {order: {rows: 'true'}, bill: {rows: 'true'}}}\nhomes: {clerk: {for: clerk, cards: {bills: {kind: list, entity: bill}}}}"
    repaired = wrong.replace("for: clerk", "for: boss")

    def find(self, facts: Facts) -> Iterator[Problem]:
        for path, card in _cards(facts):
            home = facts.definition.homes[str(path[1])]
            entity = _about(facts, card)
            if entity is None or not home.for_ or not facts.governed(entity):
                continue
            if not all(role in facts.definition.roles for role in home.for_):
                continue
            roles = facts.including(home.for_)
            view = facts.definition.views.get(card.view or "") if isinstance(card, RecordsCard) else None
            opening = facts.including(view.roles) if view is not None and view.roles else facts.definition.roles
            if any(facts.may(role, entity, "read") and role in opening for role in roles):
                continue
            yield facts.problem(
                self.code,
                (*path, "view" if view is not None else "entity"),
                severity="warning",
                card=card.label or Label.of(str(path[-1])),
                roles=facts.listed(facts.role_label(role) for role in home.for_),
                what=(view.label or Label.of(str(card.view))) if view is not None and isinstance(card, RecordsCard) else facts.entity_label(entity),
            )  # fmt: skip
