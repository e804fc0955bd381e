"""What a compiled app is made of: immutable values, ready to be used."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import sqlalchemy as sa

from engine.access.definition import Action
from engine.access.policies import Policies
from engine.analytics.cards import Card
from engine.app.public import PublicForm
from engine.calendars import WorkingCalendar
from engine.definition.model import AppDefinition, Entity
from engine.expressions import Expression
from engine.expressions.tree import Step
from engine.expressions.types import Scope
from engine.fields import Field
from engine.fields.choice import Choosing
from engine.forms.definition import Form, Section
from engine.problems import Label
from engine.rules.definition import Conversion, Duplicates, Group
from engine.rules.scores import ScoreApp
from engine.storage.layout import Layout
from engine.workflows.process import (
    ProcessApp,
)

_ACTIONS: Mapping[str, Label] = {
    "read": Label("查看", "read"), "create": Label("新建", "create"), "update": Label("修改", "update"), "delete": Label("删除", "delete"),
    "restore": Label("恢复", "restore"), "transition": Label("推进", "move"), "convert": Label("转换", "convert"), "merge": Label("合并", "merge"),
    "import": Label("导入", "import"), "export": Label("导出", "export"), "handover": Label("移交", "hand over"), "approve": Label("审批", "approve"),
    "share": Label("与所有人共享视图", "share views with everybody of"),
}  # fmt: skip


@dataclass(frozen=True)
class Computed:
    """A field that the engine fills: by an expression, or by a score (then `name` is the score's own field).

    Not stored: it reads the clock or the reader, and is computed whenever it is read.
    """

    entity: str
    name: str
    expression: Expression | None
    score: ScoreApp | None = None
    stored: bool = True

    @property
    def writes(self) -> tuple[str, ...]:
        return (self.name,) if self.score is None else (self.name, self.score.band_field, self.score.detail_field)

    @property
    def expressions(self) -> tuple[Expression, ...]:
        if self.score is None:
            return (self.expression,) if self.expression else ()
        return tuple(term.expression for term in self.score.terms) + ((self.score.when,) if self.score.when else ())


@dataclass(frozen=True)
class Dependent:
    """A computed field that must be computed anew when a field of another record changes: `path` leads from its record there."""

    computed: Computed
    path: tuple[Step, ...]


@dataclass(frozen=True)
class RuleApp:
    name: str
    expression: Expression
    say: Label
    fields: tuple[str, ...]


@dataclass(frozen=True)
class ViewApp:
    name: str
    entity: str
    label: Label
    where: Expression | None
    columns: tuple[str, ...]
    sort: tuple[str, ...]
    filters: tuple[str, ...]
    default: bool
    roles: frozenset[str]
    group: tuple[str, ...] = ()
    sum: tuple[str, ...] = ()

    def open_to(self, roles: frozenset[str], everything: bool) -> bool:
        return everything or not self.roles or bool(self.roles & roles)


@dataclass(frozen=True)
class HomeApp:
    """A home page; `roles` include those that include one of its own. Empty: everybody's."""

    name: str
    label: Label
    roles: frozenset[str]
    bar: tuple[str, ...]
    cards: Mapping[str, Card]

    def fits(self, roles: frozenset[str]) -> bool:
        return not self.roles or bool(self.roles & roles)


@dataclass(frozen=True)
class NoticeApp:
    name: str
    on: str | None
    entity: str
    where: Expression
    say: Label
    reveals: tuple[str, ...]
    level: str


@dataclass(frozen=True)
class ConversionApp:
    """`sets` maps each target to its fields' expressions over the source; `then` are the source's own fields set afterwards."""

    name: str
    label: Label
    definition: Conversion
    when: Expression | None
    conditions: Mapping[str, Expression]
    sets: Mapping[str, Mapping[str, Expression]]
    references: Mapping[str, Mapping[str, str]]  # target -> field -> other target, whose id it takes
    then: Mapping[str, Expression]


@dataclass(frozen=True)
class EntityApp:
    """One kind of record. `columns` maps stored fields to columns of `table`; `lookups` maps fields to the entity they point to.

    `relations` are the collections of records that point here: name -> (entity, its lookup).  `system` entities (people,
    teams) are read like others and written elsewhere.
    """

    name: str
    label: Label
    definition: Entity | None
    fields: Mapping[str, Field]
    labels: Mapping[str, Label]
    table: sa.Table
    columns: Mapping[str, str]
    title: str
    lookups: Mapping[str, str] = field(default_factory=dict)
    relations: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    sections: Mapping[str, Section] = field(default_factory=dict)
    computed: Mapping[str, Computed] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    rules: tuple[RuleApp, ...] = ()
    required_when: Mapping[str, Expression] = field(default_factory=dict)
    visible_when: Mapping[str, Expression] = field(default_factory=dict)
    readonly_when: Mapping[str, Expression] = field(default_factory=dict)
    processes: tuple[str, ...] = ()
    scores: tuple[ScoreApp, ...] = ()
    notices: tuple[NoticeApp, ...] = ()
    conversions: Mapping[str, ConversionApp] = field(default_factory=dict)
    part_of: tuple[str, str] | None = None  # (lookup, entity)

    @property
    def system(self) -> bool:
        return self.definition is None

    @property
    def duplicates(self) -> Duplicates | None:
        return self.definition.duplicates if self.definition else None

    @property
    def group(self) -> Group | None:
        return self.definition.group if self.definition else None

    @cached_property
    def children(self) -> Mapping[str, tuple[str, str]]:
        """The collections edited with the record: children fields -> (entity, its lookup)."""
        return {name: self.relations[name] for name, each in self.fields.items() if each.type == "children"}


@dataclass(frozen=True)
class App:
    """One version of one app. `number` is the published version's, 0 for one that is not published."""

    name: str
    label: Label
    number: int
    hash: str
    definition: AppDefinition
    layout: Layout
    calendar: WorkingCalendar
    scope: Scope
    expressions: Mapping[str, Expression]
    entities: Mapping[str, EntityApp]
    processes: Mapping[str, ProcessApp]
    scores: Mapping[str, ScoreApp]
    views: Mapping[str, ViewApp]
    forms: Mapping[str, Form]
    policies: Policies
    dependents: Mapping[tuple[str, str], tuple[Dependent, ...]]
    homes: Mapping[str, HomeApp] = field(default_factory=dict)
    public: Mapping[str, PublicForm] = field(default_factory=dict)

    def role_label(self, role: str) -> Label:
        found = self.definition.roles.get(role)
        return (found.label if found else None) or Label.of(role)

    def action_label(self, action: Action | str) -> Label:
        return _ACTIONS.get(action, Label.of(action))

    def label_of(self, entity: str, name: str) -> Label:
        """The label of a field or collection."""
        model = self.entities.get(entity)
        found = model.labels.get(name) if model else None
        if found is None and model is not None and name in model.relations:
            found = self.entities[model.relations[name][0]].label
        return found or Label.of(name)

    def option_of(self, entity: str, name: str, option: str) -> Label:
        """The label of an option of a field."""
        model = self.entities.get(entity)
        return option_label(model.fields.get(name) if model else None, option)

    def say(self, expression: Expression) -> Label:
        """An expression over the app's records as people say it."""
        return in_words(expression, self.label_of, self.option_of)

    def kind_label(self, kind: str) -> Label:
        found = self.definition.kinds.get(kind)
        return (found.label if found else None) or Label.of(kind)

    @cached_property
    def hot_entities(self) -> tuple[str, ...]:
        """The entities of the definition, in its order."""
        return tuple(name for name, model in self.entities.items() if not model.system)


LabelOf = Callable[[str, str], Label]
OptionOf = Callable[[str, str, str], Label]


def in_words(expression: Expression, label_of: LabelOf, option_of: OptionOf) -> Label:
    """An expression as people say it, in both languages."""
    return Label(expression.words("zh", label_of, option_of), expression.words("en", label_of, option_of))


def option_label(field: Field | None, option: str) -> Label:
    """The label of an option of a choice; the option itself where there is none."""
    if isinstance(field, Choosing):
        return Label(field.option_label(option, "zh"), field.option_label(option, "en"))
    return Label.of(option)
