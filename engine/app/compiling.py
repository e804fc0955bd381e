"""Compiling: a checked definition and a layout become an `App`."""

import hashlib
from collections.abc import Callable, Mapping

import sqlalchemy as sa

from engine.access.definition import Action
from engine.access.policies import Fields, Grant, Policies, closure, compile_policies
from engine.app.dependents import dependents_of, order_of
from engine.app.model import (
    App,
    Computed,
    ConversionApp,
    EntityApp,
    HomeApp,
    NoticeApp,
    RuleApp,
    ViewApp,
    in_words,
    option_label,
)
from engine.app.public import door_of, public_forms
from engine.calendars import WorkingCalendar
from engine.columns import scaled
from engine.definition import Checked
from engine.definition.model import AppDefinition, Entity
from engine.definition.scope import DefinitionScope, Names
from engine.definition.whole import SYSTEM_FIELDS, fields_of
from engine.expressions import Expression
from engine.expressions.types import Type
from engine.fields import Field
from engine.fields.builtin import RESERVED
from engine.fields.lookup import LookupField
from engine.problems import Label, Refused
from engine.rules.scores import WEIGHT_SCALE, ScoreApp, TermApp, band_of, rule_version
from engine.storage import system
from engine.storage.layout import Layout, Renames, extend, signature
from engine.storage.tables import record_table
from engine.workflows.definition import Gate
from engine.workflows.process import (
    ProcessApp,
    Requirement,
    StageApp,
    TransitionApp,
    origins_of,
    reason_of,
    start_of,
    transitions_of,
)

_SYSTEM_TABLES = {"user": system.user, "team": system.team}
_SYSTEM_LABELS = {"user": Label("用户", "User"), "team": Label("团队", "Team")}
_SYSTEM_SEEN = {
    "user": frozenset({"id", "name", "email", "phone", "team", "manager", "active"}),
    "team": frozenset({"id", "key", "name", "parent", "leader"}),
}


def specs_of(fields: Mapping[str, Mapping[str, Field]]) -> dict[str, dict[str, str]]:
    """The signatures of the fields that need a column of their own: what a layout has to hold."""
    return {
        entity: {name: signature(each) for name, each in own.items() if each.stored and name not in RESERVED}
        for entity, own in fields.items()
    }


def renames_of(definition: AppDefinition) -> Renames:
    """What the definition says was called differently before."""
    entities = {name: entity.was for name, entity in definition.entities.items() if entity.was}
    fields = {
        (name, each): one.was
        for name, entity in definition.entities.items()
        for each, one in entity.fields.items()
        if one.was
    }
    return Renames(entities, fields)


def compile_app(checked: Checked, layout: Layout | None = None, number: int = 0) -> App:
    """Raises Refused with all problems when the check found errors."""
    if checked.definition is None or checked.names is None or not checked.ok:
        raise Refused(problem for problem in checked.problems if problem.severity == "error")
    return _Compiler(checked, checked.definition, checked.names, layout, number).app()


def _types(expressions: Mapping[str, Expression]) -> Callable[[str, str], Type | None]:
    """Gives the type of a formula field. It holds on to the expressions alone, since it lives as long as the app does."""

    def typed(entity: str, name: str) -> Type | None:
        found = expressions.get(f"entities.{entity}.fields.{name}.formula")
        return found.type if found else None

    return typed


class _Compiler:
    def __init__(
        self, checked: Checked, definition: AppDefinition, names: Names, layout: Layout | None, number: int
    ) -> None:
        self.checked, self.definition, self.names, self.number = checked, definition, names, number
        self.expressions = checked.expressions
        self.scope = DefinitionScope(names, _types(checked.expressions))
        self.fields = fields_of(checked)
        self.layout = layout or extend(None, definition.app, specs_of(self.fields), renames_of(definition))
        self.relations = names.relations

    def app(self) -> App:
        d = self.definition
        scores = {name: self._score(name) for name in d.scores}
        metadata = sa.MetaData()
        entities = {name: self._entity(name, scores, metadata) for name in d.entities}
        entities |= {name: self._system(name) for name in _SYSTEM_TABLES}
        computed = [each for model in entities.values() for each in model.computed.values()]
        policies = self._policies(entities)
        processes = {name: self._process(name, entities, policies) for name in d.processes}
        calendar = WorkingCalendar.of(**d.calendar.model_dump())
        return App(
            d.app, d.label, self.number, hash_of(self.checked), d, self.layout, calendar, self.scope, self.expressions,
            entities, processes, scores, {name: self._view(name) for name in d.views}, d.forms, policies, dependents_of(computed, entities),
            {name: self._home(name) for name in d.homes},
            public_forms(d, self.fields),
        )  # fmt: skip

    def _optional(self, path: str) -> Expression | None:
        return self.expressions.get(path)

    # -- entities ----------------------------------------------------------------------------------------------------

    def _entity(self, name: str, scores: Mapping[str, ScoreApp], metadata: sa.MetaData) -> EntityApp:
        d = self.definition
        entity, fields = d.entities[name], self.fields[name]
        place = self.layout[name]
        path = f"entities.{name}"
        computed = self._computed(name, fields, [score for score in scores.values() if score.entity == name])
        columns = {
            each: place.column(each)
            for each, one in fields.items()
            if one.stored and (each not in computed or computed[each].stored)
        }
        lookups = {
            each: one.value_type().entity or ""
            for each, one in fields.items()
            if one.stored and one.value_type().kind == "record"
        }
        relations = self.relations.get(name, {})
        labels = {each: one.label or Label.of(each) for each, one in fields.items()}
        labels |= {each: self._collection(*relation) for each, relation in relations.items() if each not in labels}
        conditions = {
            kind: {each: found for each in entity.fields if (found := self._optional(f"{path}.fields.{each}.{kind}"))}
            for kind in ("required_when", "visible_when", "readonly_when")
        }
        part = (entity.part_of, lookups[entity.part_of]) if entity.part_of else None
        return EntityApp(
            name, entity.label or Label.of(name), entity, fields, labels,
            record_table(place, fields, staged=name in self.names.stages, metadata=metadata), columns, _title(entity, fields), lookups, relations,
            entity.sections, computed, order_of(computed), self._rules(name, entity),
            conditions["required_when"], conditions["visible_when"], conditions["readonly_when"],
            tuple(each for each, process in d.processes.items() if process.entity == name),
            tuple(score for score in scores.values() if score.entity == name),
            self._notices(name, entity), {each: self._conversion(name, each) for each in entity.conversions}, part,
        )  # fmt: skip

    def _collection(self, child: str, by: str) -> Label:
        """What the records that point here by a lookup are called: by the lookup, else by their entity."""
        entity = self.definition.entities[child]
        lookup = entity.fields[by]
        inverse = lookup.inverse if isinstance(lookup, LookupField) else None
        return (inverse.label if inverse else None) or entity.label or Label.of(child)

    def _system(self, name: str) -> EntityApp:
        fields = SYSTEM_FIELDS[name]
        table = _SYSTEM_TABLES[name]
        columns = {each: each for each, one in fields.items() if one.stored and each in table.c}
        lookups = {
            each: one.value_type().entity or "" for each, one in fields.items() if one.value_type().kind == "record"
        }
        labels = {each: one.label or Label.of(each) for each, one in fields.items()}
        return EntityApp(
            name,
            _SYSTEM_LABELS[name],
            None,
            fields,
            labels,
            table,
            columns,
            "name",
            lookups,
            self.relations.get(name, {}),
        )

    def _computed(self, entity: str, fields: Mapping[str, Field], scores: list[ScoreApp]) -> dict[str, Computed]:
        found: dict[str, Computed] = {}
        for name, each in fields.items():
            expression = (
                self._optional(f"entities.{entity}.fields.{name}.formula") if each.formula is not None else None
            )
            if expression is not None:
                found[name] = Computed(entity, name, expression, stored=(entity, name) not in self.checked.volatile)
        for score in scores:
            found[score.field] = Computed(entity, score.field, None, score)
        return found

    def _rules(self, name: str, entity: Entity) -> tuple[RuleApp, ...]:
        return tuple(
            RuleApp(each, self.expressions[f"entities.{name}.rules.{each}.when"], rule.say, rule.fields)
            for each, rule in entity.rules.items()
        )

    def _notices(self, name: str, entity: Entity) -> tuple[NoticeApp, ...]:
        return tuple(
            NoticeApp(
                each,
                one.on,
                one.entity,
                self.expressions[f"entities.{name}.notices.{each}.where"],
                one.say,
                one.reveals,
                one.level,
            )
            for each, one in entity.notices.items()
        )

    def _conversion(self, entity: str, name: str) -> ConversionApp:
        definition = self.definition.entities[entity].conversions[name]
        path = f"entities.{entity}.conversions.{name}"
        sets: dict[str, dict[str, Expression]] = {}
        references: dict[str, dict[str, str]] = {}
        for target, one in definition.to.items():
            sets[target], references[target] = {}, {}
            for each, text in one.set.items():
                if text.strip() in definition.to and text.strip() != target:
                    references[target][each] = text.strip()
                else:
                    sets[target][each] = self.expressions[f"{path}.to.{target}.set.{each}"]
        conditions = {
            target: found for target in definition.to if (found := self._optional(f"{path}.to.{target}.when"))
        }
        return ConversionApp(
            name, definition.label or Label.of(name), definition, self._optional(f"{path}.when"), conditions, sets, references,
            {each: self.expressions[f"{path}.set.{each}"] for each in definition.set},
        )  # fmt: skip

    # -- scores --------------------------------------------------------------------------------------------------------

    def _score(self, name: str) -> ScoreApp:
        score = self.definition.scores[name]
        terms = []
        for each, term in score.terms.items():
            value = self.expressions[f"scores.{name}.terms.{each}.value"]
            terms.append(
                TermApp(each, term.label or Label.of(each), scaled(term.weight, WEIGHT_SCALE), term.missing, value)
            )
        bands = tuple(band_of(each, band) for each, band in score.bands.items())
        label = score.label or Label.of(name)
        base = scaled(score.base, WEIGHT_SCALE)
        return ScoreApp(
            name,
            score.entity,
            score.field,
            label,
            base,
            tuple(terms),
            bands,
            rule_version(score),
            self._optional(f"scores.{name}.when"),
        )

    # -- processes -------------------------------------------------------------------------------------------------------

    def _process(self, name: str, entities: Mapping[str, EntityApp], policies: Policies) -> ProcessApp:
        process = self.definition.processes[name]
        model = entities[process.entity]
        path = f"processes.{name}"
        stages = {}
        for each, stage in process.stages.items():
            at = f"{path}.stages.{each}"
            sets = {one: self.expressions[f"{at}.sets.{one}"] for one in stage.sets}
            entry = self._requirements(stage.entry, model, f"{at}.entry", policies)
            leave = self._requirements(stage.exit, model, f"{at}.exit", policies)
            stages[each] = StageApp(each, stage.label or Label.of(each), stage, entry, leave, sets)
        transitions = {}
        for each, one in transitions_of(process).items():
            label = one.label or stages[one.to].label
            reasons = dict(one.reasons.items())
            when = self._optional(f"{path}.transitions.{each}.when")
            transitions[each] = TransitionApp(
                each,
                label,
                origins_of(process, one),
                one.to,
                one.by,
                one.direction,
                reason_of(process, one),
                reasons,
                when,
                one.say,
                one.gates,
            )
        return ProcessApp(
            name,
            process.entity,
            process.label or Label.of(name),
            process,
            stages,
            transitions,
            start_of(process),
            self._optional(f"{path}.when"),
        )

    def _requirements(
        self, gate: Gate | None, model: EntityApp, path: str, policies: Policies
    ) -> tuple[Requirement, ...]:
        if gate is None:
            return ()
        found = [
            Requirement("field", each, model.labels[each], providers=self._writers(model.name, each, policies))
            for each in gate.fields
        ]
        found += [
            Requirement(
                "files",
                each,
                model.labels[each],
                need.count,
                need.accept,
                providers=self._writers(model.name, each, policies),
            )
            for each, need in gate.files.items()
        ]
        for each, need in gate.related.items():
            expression = self.expressions[f"{path}.related.{each}"]
            child = model.relations[each][0]
            label = need.say or model.labels[each]
            makers = tuple(
                role
                for role, grants in policies.grants.items()
                if child in grants and {"create", "update"} & grants[child].actions
            )
            found.append(
                Requirement("related", each, label, need.count, expression=expression, say=need.say, providers=makers)
            )
        movers = tuple(
            role
            for role, grants in policies.grants.items()
            if model.name in grants and "update" in grants[model.name].actions
        )
        found += [Requirement("checklist", each, text, providers=movers) for each, text in gate.checklist.items()]
        if gate.roles:
            found.append(
                Requirement(
                    "roles", "roles", Label("角色", "Role"), roles=self._including(gate.roles), providers=gate.roles
                )
            )
        conditions = [("when", gate.when, gate.say, f"{path}.when")] if gate.when is not None else []
        conditions += [(each, rule.when, rule.say, f"{path}.rules.{each}.when") for each, rule in gate.rules.items()]
        for each, _, say, at in conditions:
            expression = self.expressions[at]
            words = in_words(expression, self._label_of, self._option_of)
            writers = [set(self._writers(model.name, one, policies)) for one in sorted(expression.locals)]
            providers = tuple(sorted(set.intersection(*writers))) if writers else ()
            found.append(Requirement("rule", each, words, expression=expression, say=say, providers=providers))
        return tuple(found)

    def _label_of(self, entity: str, name: str) -> Label:
        found = self.fields.get(entity, SYSTEM_FIELDS.get(entity, {})).get(name)
        return (found.label if found else None) or Label.of(name)

    def _option_of(self, entity: str, name: str, option: str) -> Label:
        return option_label(self.fields.get(entity, {}).get(name), option)

    def _writers(self, entity: str, name: str, policies: Policies) -> tuple[str, ...]:
        """The roles whose own policy lets them fill a field, in the order of the definition."""
        return tuple(
            role
            for role in self.definition.roles
            if (grant := policies.grants.get(role, {}).get(entity))
            and "update" in grant.actions
            and name in grant.writable
        )

    def _including(self, roles: tuple[str, ...]) -> tuple[str, ...]:
        """The roles and all roles that include one of them: whoever is a sales director is a sales person too."""
        return tuple(role for role in self.definition.roles if closure(self.definition.roles, [role]) & set(roles))

    # -- policies and views ------------------------------------------------------------------------------------------------

    def _policies(self, entities: Mapping[str, EntityApp]) -> Policies:
        facts = {name: self._facts(model) for name, model in entities.items() if not model.system}
        policies = compile_policies(self.definition.roles, self.definition.policies, facts, self.expressions)
        common = {
            name: Grant("", name, frozenset({"read"}), None, None, seen & frozenset(entities[name].fields), frozenset())
            for name, seen in _SYSTEM_SEEN.items()
        }
        return Policies(policies.roles, policies.fields, policies.grants, common, self._guests())

    def _guests(self) -> dict[str, Grant]:
        """What each public form may do: make records with the fields that it asks or fills, and see nothing."""
        grants = {}
        for name, form in self.definition.forms.items():
            if form.public is not None:
                filled = (key for way in form.public.ways for key in form.public.fills(way))
                written, door = frozenset({*form.fields, *filled}), door_of(name)
                create = frozenset[Action]({"create"})
                grants[door] = Grant(door, form.entity, create, None, None, frozenset(), written)
        return grants

    def _facts(self, model: EntityApp) -> Fields:
        names = frozenset(model.fields)
        builtin = frozenset(each for each in model.fields if each in RESERVED)
        writable = frozenset(
            each for each, one in model.fields.items() if not one.derived and each not in builtin and not one.readonly
        )
        sections = {}
        for each, section in model.sections.items():
            own = frozenset(section.fields)
            # A score's band and details go with the score.
            sections[each] = own | {
                f"{name}_{part}" for name in own for part in ("band", "detail") if f"{name}_{part}" in names
            }
        inputs: dict[str, frozenset[tuple[str, str]]] = {}
        for computed in model.computed.values():
            read = frozenset().union(*(expression.fields for expression in computed.expressions))
            for each in computed.writes:
                inputs[each] = frozenset(
                    (entity, name)
                    for entity, name in read
                    if name in self.fields.get(entity, ()) and name not in ("id", "deleted_at")
                )
        collections = {child: each for each, (child, _) in model.relations.items() if each in model.fields}
        return Fields(names, builtin | {model.title}, writable, sections, inputs, model.part_of, collections)

    def _view(self, name: str) -> ViewApp:
        view = self.definition.views[name]
        return ViewApp(
            name, view.entity, view.label or Label.of(name), self._optional(f"views.{name}.where"), view.columns, view.sort, view.filters, view.default,
            frozenset(self._including(view.roles)), view.group, view.sum,
        )  # fmt: skip

    def _home(self, name: str) -> HomeApp:
        home = self.definition.homes[name]
        roles = frozenset(self._including(home.for_))
        return HomeApp(name, home.label or Label.of(name), roles, home.bar, home.cards)


def _title(entity: Entity, fields: Mapping[str, Field]) -> str:
    """The declared title; else the number, the first text, or the id."""
    if entity.title:
        return entity.title
    for kinds in (("autonumber",), ("text",)):
        found = next((name for name, each in fields.items() if each.type in kinds), None)
        if found and (kinds != ("autonumber",) or not any(each.type == "text" for each in fields.values())):
            return found
    return "id"


def hash_of(checked: Checked) -> str:
    """A short name of the package's text: equal text, equal hash."""
    digest = hashlib.blake2s(digest_size=12)
    for name, text in sorted(checked.files.items()):
        digest.update(f"{name}\0{text}\0".encode())
    return digest.hexdigest()
