"""Import: rows of a table become records, each as if somebody had typed it.

Rows go in by chunks, each chunk a transaction of its own.  A row that is refused leaves no trace but its line in the file
of refused rows, and the others go in.  With a key, a row whose record exists changes it, and a row that says nothing new
writes nothing, so that importing a file again is harmless.  An empty cell clears a field, except one that has a default.
A rehearsal (`dry_run`) does all of it in one transaction and takes it back.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import sqlalchemy as sa

from engine.access.people import People
from engine.access.principal import Principal
from engine.app import App, EntityApp
from engine.collector import collector_resting
from engine.columns import new_id
from engine.exchange.binding import NO_ID, Binding, Row, bind
from engine.exchange.mapping import ImportMapping, Step
from engine.exchange.people import Hiring
from engine.exchange.refusals import Refusals
from engine.exchange.report import MOST_SAMPLED, MOST_TOLD, Report, Sample, StepReport
from engine.exchange.suggest import suggest
from engine.exchange.tables import Line, Table, open_table
from engine.problems import Problem, Refused
from engine.runtime import Runtime, Transition
from engine.runtime.bulk import Made, New, chunks, create_many
from engine.runtime.derive import propagate
from engine.runtime.moves import transition
from engine.runtime.revise import Revision, change_many
from engine.runtime.rules import after_save
from engine.runtime.work import Work
from engine.storage.errors import LockTimeout, StatementTimeout
from engine.storage.statement import Statement, among

TOGETHER = 1000  # rows of a transaction: each waits for the disk once, and keeps others waiting until it ends
Progress = Callable[[int, int | None], None]


def bring(
    runtime: Runtime, app: App, principal: Principal, path: Path, what: ImportMapping | str, *,
    name: str | None = None, encoding: str | None = None, delimiter: str | None = None, sheet: str | None = None, folder: Path | None = None,
    people: People | None = None, dry_run: bool = False, refused: Path | None = None, progress: Progress | None = None,
) -> Report:  # fmt: skip
    """Import the table at `path` by a mapping, or, when `what` names an entity, into that by the names of its columns.

    `name` is what the journal calls the file. Files that steps name are looked for in `folder` (beside `path`). `refused`
    is where the refused rows are written, one file for each step that has some. Raises Refused when nothing can be
    imported at all: the file is no table (422), the mapping does not fit it (422), the person may not import (403, 404).
    """
    return _Import(runtime, app, principal, name or path.name, people, dry_run, progress).run(
        path, what, {"encoding": encoding, "delimiter": delimiter, "sheet": sheet}, folder or path.parent, refused
    )


class _Enough(Exception):
    """A rehearsal is over."""


class _Import:
    def __init__(
        self,
        runtime: Runtime,
        app: App,
        principal: Principal,
        name: str,
        people: People | None,
        dry_run: bool,
        progress: Progress | None,
    ) -> None:
        self.runtime, self.app, self.principal, self.people = runtime, app, principal, people
        self.cause = f"import:{name}"
        self.progress = progress
        self.report = Report(batch=new_id(), dry_run=dry_run)
        self.promised: frozenset[str] = frozenset()
        self.done = 0

    def run(
        self, path: Path, what: ImportMapping | str, how: dict[str, Any], folder: Path, refused: Path | None
    ) -> Report:
        start = perf_counter()
        suggested = isinstance(what, str)
        steps: Sequence[Step] = (Step(entity=what),) if isinstance(what, str) else what.steps
        tables = [open_table(path, **how) if step.file is None else open_table(folder / step.file) for step in steps]
        total = sum(table.total for table in tables)
        work = [
            (step, table, _numbered(refused, number))
            for number, (step, table) in enumerate(zip(steps, tables, strict=True))
        ]
        if self.report.dry_run:
            try:
                with self.runtime.db.write(statement_timeout=None) as w:
                    for each in work:
                        self.step(*each, total, w, suggested)
                    raise _Enough
            except _Enough:
                pass
        else:
            for each in work:
                self.step(*each, total, None, suggested)
        self.report.seconds = perf_counter() - start
        return self.report

    def step(self, step: Step, table: Table, refused: Path | None, total: int, w: Any, suggested: bool) -> None:
        if step.people is not None:
            self.hire(step, table)
            return
        lens = self.runtime.lens(self.app, self.principal)
        model = self.allowed(lens, step.entity or "")
        ignored: tuple[str, ...] = ()
        if suggested:
            found = suggest(lens, model, table.headers)
            step, ignored = found.step, found.ignored
        binding = bind(lens, model, step, table, self.promised, ignored)
        report = StepReport(model.name, table.path.name, ignored=ignored, unknown=binding.unknown)
        self.report.steps.append(report)
        with Refusals(refused, table) as refusals:
            for lines in chunks(table.lines(), TOGETHER):
                # What a chunk makes dies with it.
                with collector_resting():
                    self.tally(report, refusals, self.chunk(binding, lines, w))
                self.done += len(lines)
                if self.progress is not None:
                    self.progress(self.done, max(total, self.done))
            report.refused_file = refusals.file
        report.made = {targets.entity: targets.made for targets in binding.targets.values() if targets.made}

    def allowed(self, lens: Any, entity: str) -> EntityApp:
        """Raises Refused (404, 403)."""
        with self.runtime.db.read() as r:
            return self.runtime.work(self.app, self.principal, r).model(entity, "import")

    def hire(self, step: Step, table: Table) -> None:
        assert step.people is not None
        if self.people is None or not self.principal.administrator:
            raise Refused(Problem("import-people-refused", "people"), 403)
        hired = Hiring(self.app, self.people, step.people, table, self.report.dry_run).run(table.lines())
        if self.report.dry_run:
            self.promised |= hired.names
        self.report.steps.append(
            StepReport(
                "user",
                table.path.name,
                hired.created,
                unchanged=hired.unchanged,
                made={"team": hired.teams} if hired.teams else {},
            )
        )

    # -- a chunk -------------------------------------------------------------------------------------------------------

    def chunk(self, binding: Binding, lines: list[Line], w: Any) -> list["_Done"]:
        if w is not None:
            return _Chunk(self, binding, w).run([binding.row(line) for line in lines])
        known = {name: dict(targets.known) for name, targets in binding.targets.items()}
        made = {name: targets.made for name, targets in binding.targets.items()}

        def attempt(w: Any) -> list["_Done"]:
            for name, targets in binding.targets.items():
                # A transaction that is tried again has found nothing yet.
                targets.known, targets.made = dict(known[name]), made[name]
            self.runtime.hold(self.app, w)
            return _Chunk(self, binding, w).run([binding.row(line) for line in lines])

        try:
            return self.runtime.db.transact(attempt)
        except (LockTimeout, StatementTimeout):
            raise Refused(Problem("busy"), 503) from None

    def tally(self, report: StepReport, refusals: Refusals, results: Iterable["_Done"]) -> None:
        for each in results:
            if each.problems:
                report.refused += 1
                refusals.add(each.row.line, each.problems)
                if len(report.problems) < MOST_TOLD:
                    report.problems.append((each.row.line.number, each.problems))
                continue
            setattr(report, each.what, getattr(report, each.what) + 1)
            if len(report.samples) < MOST_SAMPLED:
                report.samples.append(Sample(each.row.line.number, each.what, dict(each.values or each.row.values)))
            if each.warnings:
                report.flagged += 1
                if len(report.warnings) < MOST_TOLD:
                    report.warnings.append((each.row.line.number, each.warnings))


@dataclass(slots=True)
class _Done:
    """What became of a row: created, updated, unchanged; refused when there are problems.

    `values` are those of the record afterwards; empty where nothing was written.
    """

    row: Row
    what: str = "unchanged"
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)


class _Chunk:
    """Some rows in one transaction."""

    def __init__(self, whole: _Import, binding: Binding, w: Any) -> None:
        self.whole, self.binding, self.w = whole, binding, w
        self.model, self.key = binding.model, binding.step.key
        self.work = self.fresh()
        self.plan = self.work.plans.entity(self.model.name)
        self.kept = frozenset(name for name, _ in self.plan.defaults) | {
            own for copies in self.plan.autofills.values() for own in copies
        }

    def fresh(self) -> Work:
        work = self.whole.runtime.work(self.whole.app, self.whole.principal, self.w, self.whole.cause)
        work.batch = self.whole.report.batch
        work.refuses_alike = self.binding.step.duplicates == "refuse"
        return work

    def run(self, rows: list[Row]) -> list[_Done]:
        candidates = self.link(rows)
        done = {id(row): _Done(row) for row in rows}
        for some in self.distinct(rows):
            existing = self.existing(some) if self.key else {}
            news: list[tuple[Row, _Done]] = []
            revised: list[tuple[Revision, _Done]] = []
            for row in some:
                result = done[id(row)]
                found = existing.get(self.key_of(row)) if self.key and self.has_key(row) else None
                current = found[0] if found else None
                self.settle_links(row, candidates, current)
                if found and len(found) > 1:
                    label = self.model.labels[self.key[0]]
                    row.problems.append(
                        Problem(
                            "import-key-ambiguous", self.key[0], {"label": label, "value": self.shown(row, self.key[0])}
                        )
                    )
                if current is None and self.key and not row.problems:
                    row.problems += self.unfound(row)
                if row.problems:
                    result.problems = tuple(row.problems)
                elif current is None:
                    news.append((row, result))
                elif row.stage is not None and row.stage != current.get("stage"):
                    self.change(revised)
                    revised = []
                    self.move(row, current, result)
                elif values := self.differing(row, current):
                    revised.append((Revision(current["id"], values), result))
            self.change(revised)
            self.create(news)
        return list(done.values())

    # -- links ---------------------------------------------------------------------------------------------------------

    def link(self, rows: list[Row]) -> dict[str, dict[str, Any]]:
        """For each link, what the texts of the chunk mean."""
        found = {}
        for name, targets in self.binding.targets.items():
            texts = dict.fromkeys(text for row in rows if (text := row.links[name]))
            found[name] = targets.resolve(self.work, texts) if texts else {}
        return found

    def settle_links(self, row: Row, candidates: dict[str, dict[str, Any]], current: dict[str, Any] | None) -> None:
        for name, text in row.links.items():
            if not text:
                row.values[name] = None
                continue
            meant = candidates[name][text]
            if isinstance(meant, Problem):
                row.problems.append(meant)
            elif len(meant) > 1:
                # Several have this name; a record that points to one of them means that one.
                own = current.get(name) if current else None
                if own in meant:
                    row.values[name] = own
                else:
                    row.problems.append(self.binding.targets[name].ambiguous(text))
            else:
                row.values[name] = meant[0] if meant else None

    # -- keys ----------------------------------------------------------------------------------------------------------

    def key_of(self, row: Row) -> tuple[Any, ...]:
        return tuple(row.values.get(name, self.binding.defaults.get(name)) for name in self.key)

    def has_key(self, row: Row) -> bool:
        return all(value is not None for value in self.key_of(row))

    def unfound(self, row: Row) -> list[Problem]:
        """Why a row whose record was not found cannot be created; nothing when it can."""
        if self.key == (NO_ID,):
            value = row.values.get(NO_ID)
            return [] if value is None else [Problem("import-record-unknown", NO_ID, {"value": str(value)})]
        return [
            Problem("import-key-empty", name, {"label": self.model.labels[name]})
            for name in self.key
            if row.values.get(name, self.binding.defaults.get(name)) is None
        ]

    def shown(self, row: Row, name: str) -> str:
        return self.model.fields[name].show(row.values.get(name), self.whole.principal.language)

    def distinct(self, rows: list[Row]) -> list[list[Row]]:
        """The rows in parts in which no key stands twice: the second row of a key finds what the first has made."""
        if not self.key:
            return [rows]
        parts: list[list[Row]] = [[]]
        seen: set[tuple[Any, ...]] = set()
        linked = any(name in self.binding.targets for name in self.key)
        for row in rows:
            key = (*self.key_of(row), *((row.links.get(name) for name in self.key) if linked else ()))
            if key in seen:
                parts.append([])
                seen.clear()
            seen.add(key)
            parts[-1].append(row)
        return parts

    def existing(self, rows: list[Row]) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
        """The live records that the rows' keys tell and that the person may see: key -> records with their stored values."""
        if any(name in self.binding.targets for name in self.key):
            for row in rows:
                for name in self.key:
                    meant = (
                        self.binding.targets[name].known.get(row.links[name]) if name in self.binding.targets else None
                    )
                    if meant and len(meant) == 1:
                        row.values[name] = meant[0]
        first = self.key[0]
        wanted = sorted({value for row in rows if (value := self.key_of(row)[0]) is not None})
        found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        if not wanted:
            return found
        for row in self.w.all(self.by_key(first), {**self.work.parameters, "values": wanted}):
            record = dict(zip(self.plan.stored, row, strict=True))
            found.setdefault(tuple(record[name] for name in self.key), []).append(record)
        return found

    def by_key(self, name: str) -> Statement:
        view = self.work.lens.view

        def make() -> Statement:
            table = self.model.table
            columns = [table.c[column] for column in self.model.columns.values()]
            clauses: list[Any] = [
                among(table.c[self.model.columns[name]], "values"),
                view.tables.readable(table, self.model.name),
            ]
            return self.work.plans.db.statement(sa.select(*columns).where(*clauses))

        statement: Statement = view.kept(("by key", self.model.name, name), make)
        return statement

    # -- writing -------------------------------------------------------------------------------------------------------

    def create(self, news: list[tuple[Row, _Done]]) -> None:
        if not news:
            return
        pipeline = self.binding.step.pipeline
        permit = self.work.lens.writable(self.model.name, "create")
        defaults = self.binding.defaults
        fresh = []
        for row, _ in news:
            values = {name: value for name, value in row.values.items() if value is not None and name != NO_ID}
            if defaults:
                values = defaults | values
            problems = [
                Problem("field-not-writable", name, {"label": self.model.labels[name]})
                for name in sorted(values.keys() - permit)
            ]
            fresh.append(New(values, pipeline, row.stage, row.at, problems))
        made: list[Made] = create_many(self.work, self.model, fresh)
        for (_, result), each in zip(news, made, strict=True):
            result.what, result.warnings, result.values = "created", each.warnings, each.values
            result.problems = tuple(self.explained(problem) for problem in each.problems)

    def explained(self, problem: Problem) -> Problem:
        """A field that is filled with whoever acts stays empty where nobody does: that is what is wrong then."""
        field = self.model.fields.get(problem.path)
        by_person = field is not None and field.dynamic_default in ("user", "team")
        if problem.code != "required-missing" or not by_person or self.whole.principal.user is not None:
            return problem
        return Problem("import-person-missing", problem.path, problem.parameters)

    def differing(self, row: Row, current: dict[str, Any]) -> dict[str, Any]:
        """The JSON values of the row that the record has not."""
        fields = self.model.fields
        return {
            name: None if value is None else fields[name].to_json(value)
            for name, value in row.values.items()
            if name != NO_ID and current.get(name) != value and (value is not None or name not in self.kept)
        }

    def change(self, revised: list[tuple[Revision, _Done]]) -> None:
        """Through the write path like any other change."""
        made = change_many(self.fresh, self.model, [revision for revision, _ in revised])
        for (_, result), each in zip(revised, made, strict=True):
            result.problems, result.warnings, result.values = each.problems, each.warnings, each.values
            result.what = "updated"

    def move(self, row: Row, current: dict[str, Any], result: _Done) -> None:
        """A row that takes its record to another stage: its values first, so that the gate sees them."""
        values = self.differing(row, current)
        work = self.fresh()
        try:
            with self.w.savepoint():
                if values:
                    work.update(self.model, current["id"], values, None)
                transition(work, Transition(self.model.name, current["id"], to=row.stage))
                after_save(work)
                propagate(work)
        except Refused as refused:
            result.problems = refused.problems
            return
        result.what, result.warnings = "updated", tuple(work.warnings)


def _numbered(path: Path | None, number: int) -> Path | None:
    return path if path is None or number == 0 else path.with_name(f"{path.stem}-{number + 1}{path.suffix}")


__all__ = ["Report", "StepReport", "bring"]
