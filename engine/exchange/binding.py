"""A step of a mapping bound to one table and one person: which cell goes where, read how."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from engine.app import EntityApp
from engine.exchange.cells import Reader, as_text, literal, reader
from engine.exchange.mapping import Column, LookupBy, Step
from engine.exchange.tables import Line, Table
from engine.exchange.targets import Targets
from engine.fields import Field, Invalid
from engine.fields.builtin import BUILT_IN
from engine.fields.choice import fold
from engine.problems import Label, Problem, Refused
from engine.reading import Lens
from engine.registry import nearest
from engine.words import catalogue

NO_ID = "id"


@dataclass(slots=True)
class Row:
    """A line of the table on its way: stored values by field, texts of links by field, and what is wrong."""

    line: Line
    values: dict[str, Any] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    stage: str | None = None
    at: int | None = None
    problems: list[Problem] = field(default_factory=list)


@dataclass
class Binding:
    """`readers` and `targets` are by field; `positions` say in which cell each stands. `unknown` headers fit nothing."""

    model: EntityApp
    step: Step
    positions: dict[str, int]
    readers: dict[str, Reader]
    targets: dict[str, Targets]
    link_values: dict[str, Mapping[str, Any]]
    link_defaults: dict[str, str]
    defaults: dict[str, Any]
    stage_at: int | None
    stages: dict[str, str]
    at: tuple[int, Reader] | None
    unknown: tuple[str, ...]
    ignored: tuple[str, ...]

    @cached_property
    def read_cells(self) -> tuple[tuple[str, int, Reader], ...]:
        """Field, place of its cell, and reader, of all that are read."""
        return tuple((name, self.positions[name], read) for name, read in self.readers.items())

    def row(self, line: Line) -> Row:
        """The line as values. What cannot be read is among its problems."""
        row = Row(line)
        cells, values = line.cells, row.values
        if line.extra:
            row.problems.append(Problem("import-row-long", "", {"count": len(line.extra)}))
        for name, position, read in self.read_cells:
            try:
                values[name] = read(cells[position])
            except (Invalid, ValueError, OverflowError) as error:
                row.problems.append(self.unreadable(name, cells[position], error))
        for name in self.targets:
            text = as_text(cells[self.positions[name]]).strip() if name in self.positions else ""
            known = self.link_values[name]
            word = fold(text)
            if word in known:
                text = "" if known[word] is None else str(known[word])
            row.links[name] = text or self.link_defaults.get(name, "")
        if self.stage_at is not None:
            self._stage(row, as_text(cells[self.stage_at]).strip())
        if self.at is not None:
            try:
                row.at = self.at[1](cells[self.at[0]])
            except (Invalid, ValueError, OverflowError) as error:
                row.problems.append(self.unreadable("at", cells[self.at[0]], error))
        return row

    def _stage(self, row: Row, text: str) -> None:
        if not text:
            return
        row.stage = self.stages.get(fold(text))
        if row.stage is None:
            known = "、".join(dict.fromkeys(self.stages.values()))
            row.problems.append(Problem("import-stage-unknown", "stage", {"value": text[:60], "open": known}))

    def unreadable(self, name: str, cell: Any, error: Exception) -> Problem:
        label = self.model.labels.get(name, Label.of(name))
        if isinstance(error, Invalid):
            return Problem(error.code, name, {"label": label, **error.parameters})
        return Problem("import-value-unreadable", name, {"label": label, "value": as_text(cell)[:60]})


def bind(
    lens: Lens,
    model: EntityApp,
    step: Step,
    table: Table,
    promised: frozenset[str] = frozenset(),
    ignored: tuple[str, ...] = (),
) -> Binding:
    """Raises Refused (422) with everything in the mapping that does not fit the table or the entity."""
    return _Binder(lens, model, step, table, promised).binding(ignored)


class _Binder:
    def __init__(self, lens: Lens, model: EntityApp, step: Step, table: Table, promised: frozenset[str]) -> None:
        self.lens, self.model, self.step, self.table, self.promised = lens, model, step, table, promised
        self.at = {header: position for position, header in enumerate(table.headers) if header}
        self.problems: list[Problem] = []
        self.writable = lens.writable(model.name, "create") | lens.writable(model.name, "update")

    def binding(self, ignored: tuple[str, ...]) -> Binding:
        step, model = self.step, self.model
        found = Binding(model, step, {}, {}, {}, {}, {}, {}, None, {}, None, (), ignored)
        used = {*ignored, *(catalogue()["import-problems-header"][language] for language in ("zh", "en"))}
        for header, columns in step.columns.items():
            used.add(header)
            if all(column.ignore for column in columns):
                continue
            position = self.position(header)
            for column in columns:
                if column.field is not None and position is not None:
                    self.column(found, column, position)
        for name, value in step.defaults.items():
            self.default(found, name, value)
        for name in step.key:
            if name not in found.positions and name not in found.defaults:
                self.problems.append(Problem("import-column-missing", "key", {"header": name, "nearest": None}))
        if step.stage is not None:
            used |= self.stage(found)
        if not found.positions and not self.problems:
            self.problems.append(Problem("import-nothing", "", {"entity": model.label}))
        if self.problems:
            raise Refused(self.problems)
        found.unknown = tuple(header for header in self.table.headers if header and header not in used)
        return found

    def position(self, header: str) -> int | None:
        position = self.at.get(header)
        if position is None:
            self.problems.append(
                Problem("import-column-missing", header, {"header": header, "nearest": nearest(header, list(self.at))})
            )
        return position

    def field(self, name: str) -> Field | None:
        if name == NO_ID:
            return BUILT_IN[NO_ID]
        field = self.model.fields.get(name) if name in self.writable else None
        if field is None or field.type == "children":
            near = nearest(name, sorted(self.writable))
            self.problems.append(
                Problem("import-field-unknown", name, {"entity": self.model.label, "name": name, "nearest": near})
            )
            return None
        return field

    def column(self, found: Binding, column: Column, position: int) -> None:
        name = column.field or ""
        field = self.field(name)
        if field is None:
            return
        if name in found.positions:
            self.problems.append(Problem("import-field-twice", name, {"name": name}))
            return
        found.positions[name] = position
        dates = column.dates or self.step.dates
        try:
            if name in self.model.lookups:
                found.targets[name] = Targets(self.model, name, column.lookup or LookupBy(), self.promised)
                found.link_values[name] = {fold(text): value for text, value in column.values.items()}
                if column.default is not None:
                    found.link_defaults[name] = str(column.default)
            elif column.lookup is not None:
                self.problems.append(Problem("import-lookup-unfit", name, {"name": name}))
            else:
                found.readers[name] = reader(field, column.values, dates, column.default, column.times)
        except Invalid as error:
            self.problems.append(Problem(error.code, name, {"label": self.model.labels[name], **error.parameters}))

    def default(self, found: Binding, name: str, value: Any) -> None:
        field = self.field(name)
        if field is None:
            return
        if name in self.model.lookups and value is not None:
            found.targets.setdefault(name, Targets(self.model, name, LookupBy(), self.promised))
            found.link_values.setdefault(name, {})
            found.link_defaults.setdefault(name, str(value))
            return
        try:
            found.defaults[name] = literal(field, value, self.step.dates)
        except Invalid as error:
            self.problems.append(Problem(error.code, name, {"label": self.model.labels[name], **error.parameters}))

    def stage(self, found: Binding) -> set[str]:
        """The columns that the stage is read from."""
        taken = self.step.stage
        assert taken is not None
        found.stage_at = self.position(taken.column)
        for name in self.model.processes:
            for key, stage in self.lens.app.processes[name].stages.items():
                for word in (stage.label.zh, stage.label.en, key):
                    found.stages.setdefault(fold(word), key)
        keys = set(found.stages.values())
        for text, key in taken.values.items():
            if key not in keys:
                self.problems.append(
                    Problem("import-stage-unknown", "stage", {"value": key[:60], "open": "、".join(sorted(keys))})
                )
            found.stages[fold(text)] = key
        used = {taken.column}
        if taken.at is not None:
            position = self.position(taken.at)
            used.add(taken.at)
            created = self.model.fields["created_at"]
            if position is not None:
                found.at = (position, reader(created, {}, taken.dates or self.step.dates, None))
        return used
