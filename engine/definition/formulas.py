"""Every expression of a definition, checked once: which entity it speaks of, which type it must have, where it stands.

The result is keyed by path (`processes.review.stages.draft.exit.when`), so that compiling the app parses nothing again.
A `related` need of a gate is checked as the count that it means, under the path of the need itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from engine.analytics.cards import RecordsCard
from engine.definition.model import AppDefinition
from engine.definition.scope import DefinitionScope, Names, typed_by_formula, with_bands
from engine.definition.source import KeyPath, Source
from engine.expressions import Expression, check
from engine.expressions.faults import Fault
from engine.expressions.reading import put_in
from engine.expressions.tree import Node
from engine.expressions.types import BOOLEAN, NULL, Scope, Type
from engine.fields.formula import Following
from engine.forms.briefs import Brief
from engine.forms.definition import Section
from engine.problems import Label, Problem
from engine.rules.definition import Conversion, Score
from engine.rules.scores import VALUE_SCALE
from engine.shape import FormulaText
from engine.workflows.definition import Gate, Process

PREDICATE = BOOLEAN.optional()


@dataclass(frozen=True, slots=True)
class Site:
    """One expression. `more` are variables beside `user`; `prefix` is how much of `text` does not stand in the file."""

    path: KeyPath
    text: str
    entity: str
    expect: Type | None = PREDICATE
    more: Mapping[str, Type] = field(default_factory=dict)
    prefix: int = 0
    source: KeyPath | None = None  # where the text stands, if not at `path`

    @property
    def key(self) -> str:
        return ".".join(map(str, self.path))


def sites(definition: AppDefinition, scope: DefinitionScope) -> Iterator[Site]:
    """All expressions that speak of an entity that exists, in the order of the vocabulary."""
    names = scope.all
    known = definition.entities
    for name, entity in known.items():
        base: KeyPath = ("entities", name)
        for key in entity.fields:
            yield from _field(base, name, key, scope)
        yield from _sections((*base, "sections"), entity.sections, name)
        for key, rule in entity.rules.items():
            yield Site((*base, "rules", key, "when"), rule.when, name)
        for key, notice in entity.notices.items():
            about = names.target(name, notice.on) if notice.on else name
            if notice.entity in known and about in known:
                yield Site((*base, "notices", key, "where"), notice.where, notice.entity, more=_this(about))
        for key, conversion in entity.conversions.items():
            yield from _conversion((*base, "conversions", key), name, conversion, scope)
        for key, brief in entity.briefs.items():
            yield from _brief((*base, "briefs", key), name, brief, names)
    for name, form in definition.forms.items():
        if form.entity in known:
            yield from _sections(("forms", name, "sections"), form.sections, form.entity)
    for name, view in definition.views.items():
        if view.where is not None and view.entity in known:
            yield Site(("views", name, "where"), view.where, view.entity)
    yield from _homes(definition)
    for role, policies in definition.policies.items():
        for name, policy in policies.items():
            if name in known:
                rows: KeyPath = ("policies", role, name, "rows")
                yield Site((*rows, "read"), policy.rows.read, name)
                if policy.rows.write is not None:
                    yield Site((*rows, "write"), policy.rows.write, name)
    for name, process in definition.processes.items():
        if process.entity in known:
            yield from _process(("processes", name), process, scope)
    for name, score in definition.scores.items():
        if score.entity in known:
            yield from _score(("scores", name), score)


def _homes(definition: AppDefinition) -> Iterator[Site]:
    """The conditions of cards."""

    def entity_of(view: str) -> str | None:
        found = definition.views.get(view)
        return found.entity if found else None

    for name, home in definition.homes.items():
        for key, card in home.cards.items():
            about = card.about(entity_of)
            if isinstance(card, RecordsCard) and card.where is not None and about in definition.entities:
                yield Site(("homes", name, "cards", key, "where"), card.where, about)


def _this(entity: str | None) -> dict[str, Type]:
    return {"this": Type("record", nullable=False, entity=entity)}


def _field(base: KeyPath, entity: str, name: str, scope: DefinitionScope) -> Iterator[Site]:
    declared = scope.all.entities[entity].fields[name]
    path = (*base, "fields", name)
    for key in type(declared).model_fields:
        value = getattr(declared, key)
        if not isinstance(value, FormulaText):
            continue
        if key == "formula":
            expect = None if typed_by_formula(declared) else scope.declared(declared)
            yield Site((*path, key), value, entity, expect)
        elif key == "where":
            target = scope.all.target(entity, name)
            if target is not None and (target in scope.all.entities or target in ("user", "team")):
                yield Site((*path, key), value, target, more=_this(entity))
        else:
            yield Site((*path, key), value, entity)


def _sections(base: KeyPath, sections: Mapping[str, Section], entity: str) -> Iterator[Site]:
    for name, section in sections.items():
        if section.visible_when is not None:
            yield Site((*base, name, "visible_when"), section.visible_when, entity)


def _sets(
    base: KeyPath, sets: Mapping[str, FormulaText], entity: str, target: str, scope: DefinitionScope
) -> Iterator[Site]:
    """Values for fields of `target` from expressions over `entity`."""
    for name, value in sets.items():
        declared = scope.all.entities[target].fields.get(name)
        if declared is not None and not typed_by_formula(declared) and declared.stored:
            yield Site((*base, name), value, entity, scope.declared(declared).optional())


def _conversion(base: KeyPath, entity: str, conversion: Conversion, scope: DefinitionScope) -> Iterator[Site]:
    if conversion.when is not None:
        yield Site((*base, "when"), conversion.when, entity)
    made = {key: target.entity or key for key, target in conversion.to.items()}
    for key, target in conversion.to.items():
        path = (*base, "to", key)
        if target.when is not None:
            yield Site((*path, "when"), target.when, entity)
        if made[key] in scope.all.entities:
            # A value that names another target is a link to its record, not an expression.
            own = {
                name: text
                for name, text in target.set.items()
                if text.strip() == key or text.strip() not in conversion.to
            }
            yield from _sets((*path, "set"), own, entity, made[key], scope)
    yield from _sets((*base, "set"), conversion.set, entity, entity, scope)


def _brief(base: KeyPath, entity: str, brief: Brief, names: Names) -> Iterator[Site]:
    """The conditions of its lists."""
    for key, shown in brief.lists.items():
        *links, last = shown.of.split(".")
        owner = names.target(entity, links[0]) if links else entity
        relation = names.relations.get(owner, {}).get(last) if owner else None
        if shown.where is not None and relation is not None and relation[0] in names.entities:
            yield Site((*base, "lists", key, "where"), shown.where, relation[0])


def _process(base: KeyPath, process: Process, scope: DefinitionScope) -> Iterator[Site]:
    entity = process.entity
    if process.when is not None:
        yield Site((*base, "when"), process.when, entity)
    for name, stage in process.stages.items():
        path = (*base, "stages", name)
        for side in ("entry", "exit"):
            gate: Gate | None = getattr(stage, side)
            if gate is not None:
                yield from _gate((*path, side), gate, entity, scope)
        yield from _sets((*path, "sets"), stage.sets, entity, entity, scope)
    for name, transition in process.transitions.items():
        if transition.when is not None:
            yield Site((*base, "transitions", name, "when"), transition.when, entity)


def _gate(base: KeyPath, gate: Gate, entity: str, scope: DefinitionScope) -> Iterator[Site]:
    if gate.when is not None:
        yield Site((*base, "when"), gate.when, entity)
    for name, rule in gate.rules.items():
        yield Site((*base, "rules", name, "when"), rule.when, entity)
    for name, need in gate.related.items():
        if name not in scope.all.relations[entity]:
            continue
        path = (*base, "related", name)
        if need.where is None:
            yield Site(path, f"count({name})", entity, None)
        else:
            before = f"count({name} where "
            yield Site(path, f"{before}{need.where})", entity, None, prefix=len(before), source=(*path, "where"))


def _score(base: KeyPath, score: Score) -> Iterator[Site]:
    if score.when is not None:
        yield Site((*base, "when"), score.when, score.entity)
    for name, term in score.terms.items():
        yield Site((*base, "terms", name, "value"), term.value, score.entity, Type("number", scale=VALUE_SCALE))


MEMORY = 20_000
# While somebody types, one expression of hundreds changes: what was found for the others is kept from load to load, with
# every name that was asked for and its type then.
_memory: dict[tuple[object, ...], tuple[dict[tuple[str, str], Type | None], Expression]] = {}


class _Watched:
    """A scope that remembers what it answered."""

    def __init__(self, scope: DefinitionScope) -> None:
        self.scope = scope
        self.answers: dict[tuple[str, str], Type | None] = {}
        self.names = scope.names
        self.variable = scope.variable

    def field(self, entity: str, name: str) -> Type | None:
        found = self.answers[entity, name] = self.scope.field(entity, name)
        return found


class Resolver:
    """Checks every site once, formulas first when another expression needs their type.

    `rings` are formula fields that feed themselves: each a list of (entity, field), the first one read by the last.
    `volatile` are the formula fields, by entity, that change although no record does, themselves or through others.
    """

    def __init__(self, source: Source, definition: AppDefinition) -> None:
        self.source = source
        self.definition = definition
        self.names = Names(definition)
        self.scope = DefinitionScope(self.names, self._formula)
        self.expressions: dict[str, Expression] = {}
        self.problems: list[Problem] = []
        self.rings: list[list[tuple[str, str]]] = []
        self.volatile: frozenset[tuple[str, str]] = frozenset()
        self.sites = {site.path: site for site in sites(definition, self.scope)}
        self._done: set[KeyPath] = set()
        # The sites being checked, one for the other's sake, and whether each has met a formula without a type.
        self._open: list[KeyPath] = []
        self._doubtful: list[bool] = []

    def run(self) -> None:
        for site in self.sites.values():
            self._check(site)
        self.volatile = self._volatile()
        full: dict[str, Expression] = {}
        for site in self.sites.values():
            self._fill(site, full)
        self.expressions |= full

    def _volatile(self) -> frozenset[tuple[str, str]]:
        formulas = {
            (site.entity, str(path[3])): self.expressions[site.key]
            for path, site in self.sites.items()
            if path[-1] == "formula" and site.key in self.expressions
        }
        found = {field for field, expression in formulas.items() if expression.volatile}
        while more := {key for key, each in formulas.items() if key not in found and not found.isdisjoint(each.fields)}:
            found |= more
        return frozenset(found)

    def _fill(self, site: Site, full: dict[str, Expression]) -> Expression | None:
        """The expression with what is computed on reading put in, kept in `full`; as it is where nothing is."""
        expression = self.expressions.get(site.key)
        if site.key in full or expression is None:
            return full.get(site.key)
        instead: dict[str, Node] = {}
        for name in sorted(expression.locals):
            if (site.entity, name) in self.volatile:
                full[site.key] = expression  # a formula that feeds itself ends here
                within = self._fill(self.sites["entities", site.entity, "fields", name, "formula"], full)
                source = within or self.expressions[f"entities.{site.entity}.fields.{name}.formula"]
                instead[name] = source.full or source.tree
        if instead:
            full[site.key] = replace(expression, full=put_in(expression.tree, instead))
        return full.get(site.key, expression)

    def _formula(self, entity: str, name: str) -> Type | None:
        """The type of a formula field. Of a broken one, NULL, and what asks for it keeps quiet: one cause, one report."""
        path: KeyPath = ("entities", entity, "fields", name, "formula")
        site = self.sites.get(path)
        if site is None:
            self._doubt()
            return NULL
        if path in self._open:
            ring = self._open[self._open.index(path) :]
            self.rings.append([(str(each[1]), str(each[3])) for each in ring if each[-1] == "formula"])
            for each in ring:
                self._doubtful[self._open.index(each)] = True
            return NULL
        self._check(site)
        expression = self.expressions.get(site.key)
        if expression is None:
            self._doubt()
            return NULL
        return expression.type

    def _doubt(self) -> None:
        if self._doubtful:
            self._doubtful[-1] = True

    def _check(self, site: Site) -> None:
        if site.path in self._done:
            return
        self._done.add(site.path)
        self._open.append(site.path)
        self._doubtful.append(False)
        faults: list[Fault] = []
        expression = self._remembered(site)
        if expression is None:
            expression, faults = self._fresh(site)
        self._open.pop()
        doubtful = self._doubtful.pop()
        if doubtful:
            return
        if expression is not None:
            self.expressions[site.key] = expression
        self.problems.extend(self._problem(site, fault) for fault in faults)

    def _fresh(self, site: Site) -> tuple[Expression | None, list[Fault]]:
        scope = _Watched(self.scope.with_variables(site.more) if site.more else self.scope)
        expression, faults = check(with_bands(site.text, self.names), site.entity, scope, expect=site.expect)
        if expression is not None and site.path[-1] == "formula" and site.expect is None:
            expression, faults = self._kept(site, scope, expression, faults)
        if expression is not None and not faults and not self._doubtful[-1]:
            if len(_memory) >= MEMORY:
                _memory.clear()
            _memory[self._memory_key(site)] = (scope.answers, expression)
        return expression, faults

    def _remembered(self, site: Site) -> Expression | None:
        """What an earlier definition found for the same text, if every name in it means here what it meant there."""
        answers, expression = _memory.get(self._memory_key(site), (None, None))
        if answers is None:
            return None
        same = all(self.scope.field(*key) == type for key, type in answers.items())
        return expression if same else None

    def _memory_key(self, site: Site) -> tuple[object, ...]:
        scale = None
        if site.path[-1] == "formula" and site.expect is None:
            scale = getattr(self.definition.entities[site.entity].fields[str(site.path[3])], "scale", None)
        return with_bands(site.text, self.names), site.entity, site.expect, tuple(site.more.items()), scale

    def _kept(
        self, site: Site, scope: Scope, expression: Expression, faults: list[Fault]
    ) -> tuple[Expression | None, list[Fault]]:
        """The expression of a formula field at the scale that the field keeps."""
        declared = self.definition.entities[site.entity].fields[str(site.path[3])]
        try:
            kept = (
                declared.resolved(expression.type).value_type() if isinstance(declared, Following) else expression.type
            )
        except ValueError:
            return None, [
                *faults,
                Fault("type-mismatch", 0, len(site.text), {"found": expression.type.kind, "expected": "value"}),
            ]
        if kept.kind != "number" or kept.scale == expression.type.scale:
            return expression, faults
        return check(expression.text, site.entity, scope, expect=kept)

    def _problem(self, site: Site, fault: Fault) -> Problem:
        # The text of a short form stands one level higher: `rows: "..."` for `rows: {read: "..."}`.
        path = self.source.entry(site.source or site.path)[1]
        limit = len(site.text) - site.prefix - (1 if site.prefix else 0)
        offset = min(max(fault.offset - site.prefix, 0), limit)
        patches = (
            self.source.patch(path, edit.text, max(edit.offset - site.prefix, 0), edit.length) for edit in fault.patches
        )
        return Problem(
            fault.code,
            ".".join(map(str, path)),
            {key: self._words(key, value) for key, value in fault.parameters.items()},
            fault.severity,
            self.source.place(path, offset=offset),
            site.text[fault.offset : fault.offset + fault.length] or None,
            patches=tuple(patch for patch in patches if patch is not None),
        )

    def _words(self, key: str, value: object) -> object:
        """An entity in a fault goes by its label."""
        if key == "entity" and isinstance(value, str) and value in self.definition.entities:
            return self.definition.entities[value].label or Label.of(value)
        return value
