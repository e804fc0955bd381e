"""Whether people can fill what a form requires, and whether lists can do what they say."""

from collections.abc import Iterator

from engine.analytics.cards import Card
from engine.definition.checks.base import Check
from engine.definition.facts import Facts
from engine.definition.regions import Region
from engine.definition.source import KeyPath
from engine.fields.formula import Following
from engine.forms.definition import View
from engine.problems import Label, Problem


class RequiredUnfillable(Check):
    """A required field that those who create the record can never fill: read-only or hidden for them, or on none of their forms."""

    code = "required-unfillable"
    wrong = (
        "entities: {order: {fields: {name: text, price: {type: money, required: true}}}}\nroles: {clerk: {}}\n"
        "policies: {clerk: {order: {rows: 'true', actions: [read, create], hidden: [price]}}}"
    )
    repaired = (
        "entities: {order: {fields: {name: text, price: {type: money, required: true}}}}\nroles: {clerk: {}}\n"
        "policies: {clerk: {order: {rows: 'true', actions: [read, create]}}}"
    )

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, entity in facts.definition.entities.items():
            if not facts.governed(name):
                continue
            machine = facts.filled_by_rule(name)
            creators = [role for role in facts.people if facts.may(role, name, "create")]
            for key, field in entity.fields.items():
                if not field.required or key in machine:
                    continue
                path: KeyPath = ("entities", name, "fields", key, "required")
                if field.readonly:
                    yield self._problem(facts, path, name, key, Label("它只读", "it is read-only"))
                    continue
                unable = [role for role in creators if not facts.fills(role, name, key, ("create",))]
                if unable:
                    roles = facts.listed(facts.role_label(role) for role in unable)
                    yield self._problem(
                        facts,
                        path,
                        name,
                        key,
                        Label(f"能新建的{roles.zh}不能填写它", f"{roles.en} may create the record and not fill it"),
                    )
                    continue
                left_out = [role for role in creators if not self._on_a_form(facts, role, name, key)]
                if left_out:
                    roles = facts.listed(facts.role_label(role) for role in left_out)
                    yield self._problem(
                        facts,
                        path,
                        name,
                        key,
                        Label(
                            f"{roles.zh}的新建表单上没有它", f"no form on which {roles.en} may create the record has it"
                        ),
                    )

    def _problem(self, facts: Facts, path: KeyPath, entity: str, field: str, why: Label) -> Problem:
        return facts.problem(
            self.code, path, field=facts.field_label(entity, field), entity=facts.entity_label(entity), why=why
        )

    @staticmethod
    def _on_a_form(facts: Facts, role: str, entity: str, field: str) -> bool:
        """Whether one of the forms on which the role creates records has the field. Without forms, the derived one has all."""
        forms = [
            form
            for form in facts.definition.forms.values()
            if form.entity == entity
            and form.public is None
            and form.for_ in ("create", "both")
            and (not form.roles or facts.roles[role] & set(form.roles))
        ]
        if forms:
            return any(field in section.fields for form in forms for section in form.sections.values())
        sections = facts.definition.entities[entity].sections
        return not sections or any(field in section.fields for section in sections.values())


class RequiredWhileHidden(Check):
    code = "required-while-hidden"
    wrong = "entities: {order: {fields: {name: text, custom: boolean, sketch: {type: file, required: true, visible_when: custom}}}}"
    repaired = "entities: {order: {fields: {name: text, custom: boolean, sketch: {type: file, required_when: custom, visible_when: custom}}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, entity in facts.definition.entities.items():
            for key, field in entity.fields.items():
                if not field.required or field.derived or field.default is not None:
                    continue
                path: KeyPath = ("entities", name, "fields", key)
                hiding = self._hiding(facts, name, key)
                if hiding is None:
                    continue
                where, condition = hiding
                declared = entity.fields.get(condition.strip())
                label = facts.field_label(name, condition.strip()) if declared else None
                if label is not None:
                    when = Label(f"「{label.zh}」为否时", f'when "{label.en}" is no')
                else:
                    when = Label(f"{condition} 不成立时", f"unless {condition}")
                yield facts.problem(
                    self.code,
                    (*path, "required"),
                    related=[where],
                    field=facts.field_label(name, key),
                    entity=facts.entity_label(name),
                    when=when,
                    condition=condition,
                )

    @staticmethod
    def _hiding(facts: Facts, entity: str, field: str) -> tuple[KeyPath, str] | None:
        """The condition that hides a field, its own or that of the only section it stands in, and where it is written."""
        known = facts.definition.entities[entity]
        places: list[KeyPath] = [("entities", entity, "fields", field, "visible_when")]
        places += [
            ("entities", entity, "sections", key, "visible_when")
            for key, section in known.sections.items()
            if field in section.fields
        ]
        for path in places:
            expression = facts.expression(*path)
            if expression is not None and not Region([(expression.tree, False)], facts.domain).impossible:
                return path, facts.sites[path].text
        return None


class VisibilityCycle(Check):
    """Of two fields each shows only once the other is filled: neither ever shows."""

    code = "visibility-cycle"
    wrong = "entities: {order: {fields: {name: text, a: {type: text, visible_when: filled(b)}, b: {type: text, visible_when: filled(a)}}}}"
    repaired = "entities: {order: {fields: {name: text, a: text, b: {type: text, visible_when: filled(a)}}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, entity in facts.definition.entities.items():
            graph: dict[str, set[str]] = {}
            for key in entity.fields:
                expression = facts.expression("entities", name, "fields", key, "visible_when")
                graph[key] = set(expression.locals) & set(entity.fields) - {key} if expression else set()
            told: set[str] = set()
            for key in entity.fields:
                ring = _ring(graph, key)
                if ring and key not in told:
                    told |= set(ring)
                    fields = facts.listed(facts.field_label(name, each) for each in ring)
                    path: KeyPath = ("entities", name, "fields", key, "visible_when")
                    yield facts.problem(
                        self.code,
                        path,
                        offset=0,
                        related=[("entities", name, "fields", each, "visible_when") for each in ring[1:]],
                        fields=fields,
                    )


def _ring(graph: dict[str, set[str]], start: str) -> list[str] | None:
    """The shortest way from `start` back to itself."""
    waiting, seen = [[start]], set()
    while waiting:
        way = waiting.pop(0)
        for each in sorted(graph.get(way[-1], ())):
            if each == start:
                return way
            if each not in seen:
                seen.add(each)
                waiting.append([*way, each])
    return None


class ViewUnfit(Check):
    """A list sorts, filters, groups or sums by a field that cannot be sorted, filtered, grouped or summed."""

    code = "view-unfit"
    wrong = "entities: {order: {fields: {name: text, photo: files}}}\nviews: {all: {entity: order, sort: photo}}"
    repaired = "entities: {order: {fields: {name: text, photo: files}}}\nviews: {all: {entity: order, sort: name}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, view in facts.definition.views.items():
            for index, key in enumerate(view.sort):
                field = facts.field(view.entity, key.removeprefix("-"))
                if field is not None and not field.sortable:
                    yield self._problem(
                        facts,
                        ("views", name, "sort", index),
                        view.entity,
                        key.removeprefix("-"),
                        Label("不能排序", "cannot be sorted by"),
                    )
            for kind, fields in (("columns", view.columns), ("filters", view.filters)):
                for index, key in enumerate(fields):
                    field = facts.field(view.entity, key)
                    if field is not None and not field.stored:
                        does = (
                            Label("不能作列", "cannot be a column")
                            if kind == "columns"
                            else Label("不能作筛选", "cannot be a filter")
                        )
                        yield self._problem(facts, ("views", name, kind, index), view.entity, key, does)
            yield from self._totals(facts, name, view)

    def _totals(self, facts: Facts, name: str, view: View) -> Iterator[Problem]:
        fits = {"group": ("choice", "boolean", "record", "date"), "sum": ("number", "duration")}
        does = {"group": Label("不能用来分组", "cannot group"), "sum": Label("不能求和", "cannot be summed")}
        for part, fields in (("group", view.group), ("sum", view.sum)):
            for index, key in enumerate(fields):
                kind = self._kind(facts, view.entity, key)
                if kind is not None and (kind not in fits[part] or key in ("id", "version")):
                    yield self._problem(facts, ("views", name, part, index), view.entity, key, does[part])

    def _kind(self, facts: Facts, entity: str, name: str) -> str | None:
        """What kind of value a field keeps, empty if it keeps none; None where that is not known."""
        field = facts.field(entity, name)
        formula = facts.expression("entities", entity, "fields", name, "formula")
        if field is None or (isinstance(field, Following) and formula is None):
            return None
        return "" if not field.stored else formula.type.kind if formula else field.value_type().kind

    def _problem(self, facts: Facts, path: KeyPath, entity: str, field: str, does: Label) -> Problem:
        declared = facts.field(entity, field)
        return facts.problem(
            self.code,
            path,
            value=field,
            field=facts.field_label(entity, field),
            type=declared.type if declared else "",
            does=does,
        )


class ViewUnopenable(Check):
    code = "view-unopenable"
    wrong = (
        "entities: {order: {fields: {name: text}}}\nroles: {clerk: {}, guest: {includes: porter}, porter: {}}\npolicies: {clerk: {order: {rows: 'true'}}}\n"
        "views: {all: {entity: order, roles: guest}}"
    )
    repaired = (
        "entities: {order: {fields: {name: text}}}\nroles: {clerk: {}, guest: {includes: porter}, porter: {}}\npolicies: {clerk: {order: {rows: 'true'}}}\n"
        "views: {all: {entity: order, roles: clerk}}"
    )

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, view in facts.definition.views.items():
            if (
                view.entity not in facts.definition.entities
                or not view.roles
                or not all(role in facts.definition.roles for role in view.roles)
            ):
                continue
            roles = facts.including(view.roles)
            if not any(facts.may(role, view.entity, "read") for role in roles):
                yield facts.problem(
                    self.code,
                    ("views", name, "roles", 0),
                    severity="warning",
                    view=view.label or Label.of(name),
                    roles=facts.listed(facts.role_label(role) for role in view.roles),
                    entity=facts.entity_label(view.entity),
                )


class PartInMenu(Check):
    """What is edited on the page of its parent has no entry in the menu."""

    code = "part-in-menu"
    wrong = "entities: {order: {fields: {name: text}}, line: {part_of: order, fields: {order: {type: lookup, to: order, required: true, on_delete: cascade}}}}\nmenu: {main: {entities: [order, line]}}"
    repaired = "entities: {order: {fields: {name: text}}, line: {part_of: order, fields: {order: {type: lookup, to: order, required: true, on_delete: cascade}}}}\nmenu: {main: {entities: [order]}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        entities = facts.definition.entities
        for name, group in facts.definition.menu.items():
            for index, each in enumerate(group.entities):
                if each in entities and entities[each].part_of is not None:
                    yield facts.problem(
                        self.code,
                        ("menu", name, "entities", index),
                        severity="warning",
                        value=each,
                        entity=facts.entity_label(each),
                    )


class ShownTwice(Check):
    """A field stands in one section of a form, a section on one tab, an entity in one group of the menu."""

    code = "shown-twice"
    wrong = "entities: {order: {fields: {name: text}, sections: {main: {fields: [name]}, more: {fields: [name]}}}}"
    repaired = "entities: {order: {fields: {name: text}, sections: {main: {fields: [name]}}}}"

    def find(self, facts: Facts) -> Iterator[Problem]:
        d = facts.definition
        groups: list[tuple[KeyPath, dict[str, tuple[str, ...]], str]] = [
            (("entities", name, "sections"), {key: each.fields for key, each in entity.sections.items()}, "fields")
            for name, entity in d.entities.items()
        ]
        groups += [
            (("forms", name, "sections"), {key: each.fields for key, each in form.sections.items()}, "fields")
            for name, form in d.forms.items()
        ]
        groups += [
            (("forms", name, "tabs"), {key: each.sections for key, each in form.tabs.items()}, "sections")
            for name, form in d.forms.items()
        ]
        groups.append((("menu",), {key: each.entities for key, each in d.menu.items()}, "entities"))
        for base, holders, what in groups:
            seen: dict[str, KeyPath] = {}
            for holder, names in holders.items():
                for index, each in enumerate(names):
                    path: KeyPath = (*base, holder, what, index)
                    if each in seen:
                        yield facts.problem(
                            self.code, path, severity="warning", related=[seen[each]], value=each, name=each
                        )
                    else:
                        seen[each] = path


class AggregateSenseless(Check):
    """Percents summed: shares of different wholes, whose sum says nothing."""

    code = "aggregate-senseless"
    wrong = "entities: {order: {fields: {name: text, rate: percent, amount: money, kind: {type: choice, options: {a: A, b: B}}}}}\nviews: {all: {entity: order, group: kind, sum: [rate]}}"
    repaired = wrong.replace("sum: [rate]", "sum: [amount]")

    def find(self, facts: Facts) -> Iterator[Problem]:
        for name, view in facts.definition.views.items():
            for index, key in enumerate(view.sum if view.entity in facts.definition.entities else ()):
                type = facts.scope.field(view.entity, key)
                if type is not None and type.unit == "percent":
                    label = facts.field_label(view.entity, key)
                    yield facts.problem(self.code, ("views", name, "sum", index), value=key, field=label)
        for name, home in facts.definition.homes.items():
            for card_name, card in home.cards.items():
                yield from self._card(facts, ("homes", name, "cards", card_name), card)

    def _card(self, facts: Facts, path: KeyPath, card: Card) -> Iterator[Problem]:
        views = facts.definition.views
        about = card.about(lambda view: views[view].entity if view in views else None)
        for mention in card.mentions():
            if mention.use == "sum" and about in facts.definition.entities:
                type = facts.scope.field(about, mention.name)
                if type is not None and type.unit == "percent":
                    label = facts.field_label(about, mention.name)
                    yield facts.problem(self.code, (*path, *mention.path), value=mention.name, field=label)
