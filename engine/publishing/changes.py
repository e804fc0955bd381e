"""What publishing would change, as typed values: shown to people and carried out from the same list.

Some changes are of the definition only (a label, a gate, a policy); others are of the database as well (a table, a
column, an index, values that move).  Schemas only grow: nothing here drops a column or rewrites one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

from engine.fields import Field
from engine.problems import Label, Language, Problem
from engine.storage.layout import Stored
from engine.storage.tables import IndexSpec
from engine.storage.totals import Totals

Severity = Literal["stop", "accept", "note"]

KINDS: Mapping[str, Label] = {
    "app": Label("应用", "App"), "entity": Label("对象", "Entity"), "field": Label("字段", "Field"), "rule": Label("校验", "Rule"),
    "unique": Label("唯一约束", "Unique combination"), "notice": Label("提示", "Notice"), "conversion": Label("转换", "Conversion"),
    "section": Label("分区", "Section"), "process": Label("流程", "Process"), "stage": Label("阶段", "Stage"),
    "transition": Label("流转", "Transition"), "role": Label("角色", "Role"), "policy": Label("权限", "Policy"), "view": Label("视图", "View"),
    "form": Label("表单", "Form"), "home": Label("首页", "Home"), "card": Label("卡片", "Card"), "brief": Label("速览", "Brief"), "score": Label("评分", "Score"), "kind": Label("阶段类型", "Kind of stage"), "preset": Label("预设", "Preset"),
    "sample": Label("示例数据", "Sample data"), "option": Label("选项", "Option"), "allow": Label("已接受的警告", "Accepted warnings"),
}  # fmt: skip


@dataclass(frozen=True)
class Change:
    """`path` is dotted, in the names of the new version (of the old one for what is no more)."""

    code: ClassVar[str]
    path: str

    def parameters(self) -> dict[str, Any]:
        """What the words need: plain values only."""
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in plain.items() if isinstance(value, (str, int, tuple, Label))}

    def message(self, language: Language = "zh") -> str:
        words = {name: _listed(value, language) for name, value in self.parameters().items()}
        return Problem(self.code, self.path, words).message(language)

    def to_json(self) -> dict[str, Any]:
        return {"code": self.code, "path": self.path, "zh": self.message("zh"), "en": self.message("en")}


def _listed(value: Any, language: Language) -> Any:
    return ("、" if language == "zh" else ", ").join(map(str, value)) if isinstance(value, tuple) else value


@dataclass(frozen=True)
class _OfKind(Change):
    kind: str

    def parameters(self) -> dict[str, Any]:
        return {**super().parameters(), "kind": KINDS[self.kind]}


@dataclass(frozen=True)
class Added(_OfKind):
    """Something new in the definition."""

    code = "change-added"


@dataclass(frozen=True)
class Removed(_OfKind):
    """Something the definition no longer has. Its values stay where they are."""

    code = "change-removed"


@dataclass(frozen=True)
class Altered(_OfKind):
    """`keys` of it say something else now."""

    code = "change-altered"
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Renamed(_OfKind):
    """A new name for the same thing; nothing moves in the database but names that stand in values."""

    code = "change-renamed"
    old: str


@dataclass(frozen=True)
class CreateTable(Change):
    code = "change-create-table"
    entity: str
    table: str


@dataclass(frozen=True)
class AddColumn(Change):
    code = "change-add-column"
    entity: str
    table: str
    column: str


@dataclass(frozen=True)
class CreateIndex(Change):
    code = "change-create-index"
    entity: str
    spec: IndexSpec

    def parameters(self) -> dict[str, Any]:
        columns = tuple(f"{name} ↓" if falls else name for name, falls in self.spec.columns)
        return {"path": self.path, "entity": self.entity, "columns": columns, "why": self.spec.why}


@dataclass(frozen=True)
class DropIndex(Change):
    code = "change-drop-index"
    table: str
    name: str


@dataclass(frozen=True)
class CreateTotals(Change):
    """Totals are added up once and kept from then on."""

    code = "change-create-totals"
    entity: str
    totals: Totals

    def parameters(self) -> dict[str, Any]:
        totals = self.totals
        return {
            "path": self.path,
            "entity": self.entity,
            "by": totals.dimensions,
            "sums": totals.sums or ("*",),
            "why": totals.why,
        }


@dataclass(frozen=True)
class DropTotals(Change):
    code = "change-drop-totals"
    table: str
    name: str


@dataclass(frozen=True)
class ConvertField(Change):
    """Values move from the column `source` to the column `target`; those that do not fit stay in `source` alone."""

    code = "change-convert"
    entity: str
    table: str
    source: Stored
    target: Stored
    before: Field
    after: Field

    def parameters(self) -> dict[str, Any]:
        return {"path": self.path, "old": self.before.title, "new": self.after.title}


@dataclass(frozen=True)
class RenameValues(Change):
    """Stored values that are names: options, stages, processes, roles. `renames` maps old to new, all at once."""

    code = "change-rename-values"
    kind: Literal["option", "stage", "process", "role"]
    renames: Mapping[str, str]
    entity: str = ""
    process: str = ""
    field: str = ""

    def parameters(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "kind": KINDS[self.kind],
            "renames": tuple(f"{old} → {new}" for old, new in self.renames.items()),
        }


@dataclass(frozen=True)
class RenameRecords(Change):
    """An entity's or a field's name in the engine's own tables: files, numbers, duplicates, stages."""

    code = "change-rename-records"
    old: tuple[str, str]  # entity, field ("" for the entity itself)
    new: tuple[str, str]

    def parameters(self) -> dict[str, Any]:
        return {"path": self.path}


@dataclass(frozen=True)
class StartRecords(Change):
    """Records that stand where no process was enter the first one that takes them."""

    code = "change-start-records"
    entity: str


@dataclass(frozen=True)
class Recompute(Change):
    """Stored values that the engine computes anew, in every record."""

    code = "change-recompute"
    entity: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Reindex(Change):
    """Search words are built anew in every record."""

    code = "change-reindex"
    entity: str


@dataclass(frozen=True)
class Rematch(Change):
    """The keys by which duplicates are found are made anew for every record."""

    code = "change-rematch"
    entity: str


@dataclass(frozen=True)
class Hazard:
    """What a plan would do to people and data that stand there now.

    `stop`: the definition must change first.  `accept`: somebody with that right writes a reason.  `note`: shown.
    `figures` are the measured numbers and names, `samples` a few of the values or records concerned.
    """

    code: str
    path: str
    severity: Severity
    figures: Mapping[str, Any]
    samples: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What an acknowledgement names."""
        return f"{self.code}@{self.path}"

    def message(self, language: Language = "zh") -> str:
        words = {name: _listed(value, language) for name, value in self.figures.items()}
        return Problem(
            self.code, self.path, {"path": self.path, "samples": _listed(self.samples, language), **words}
        ).message(language)

    def hint(self, language: Language = "zh") -> str:
        return Problem(self.code, self.path, {"path": self.path, **self.figures}).hint(language)

    def to_json(self) -> dict[str, Any]:
        figures = {name: value for name, value in self.figures.items() if isinstance(value, (int, str))}
        return {
            "code": self.code, "path": self.path, "severity": self.severity, "figures": figures, "samples": list(self.samples),
            "zh": self.message("zh"), "en": self.message("en"), "hint_zh": self.hint("zh"), "hint_en": self.hint("en"),
        }  # fmt: skip
