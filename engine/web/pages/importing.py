"""Import in four steps: upload a file, say which column is which field, look at a trial of the whole file, carry it out.

The file lies among the person's own uploads between the steps; what he has chosen travels in the form.  Trial and import
are the same call with and without `dry_run`.  Who carries an import out takes the file away first, so that a form that is
sent twice imports once.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.responses import Response

from engine.app import EntityApp
from engine.exchange import Report, StepReport, bring, open_table, template
from engine.exchange.tables import Table
from engine.problems import Problem, Refused
from engine.web.attachments import Attachment
from engine.web.pages.cells import Cell, Column, Titles, cell, id_in
from engine.web.pages.frame import said
from engine.web.pages.mapped import Chosen, Mapped, chosen_in, lacking
from engine.web.pages.visit import AppVisit

ENDINGS = (".csv", ".txt", ".tsv", ".xlsx", ".xlsm", ".xls")
MOST_LINES = 20  # rows that are told with their reasons
MOST_COLUMNS = 8  # of the rows that are shown as they will read
LONGEST_STEM = 60  # characters, few enough for any disk in any script


@dataclass(frozen=True)
class Reason:
    """Why a row is refused: the column it is about, empty for the whole row."""

    column: str
    message: str
    hint: str


@dataclass(frozen=True)
class Told:
    line: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Good:
    """A row that goes in: what becomes of it, and its cells in the order of the columns."""

    line: int
    what: str
    cells: tuple[Cell, ...]


def ask(visit: AppVisit) -> Response:
    """The first step; with the `file` that was uploaded the second."""
    model, number = _model(visit), dict(visit.query).get("file")
    if number is None:
        return _upload_page(visit, model)
    kept = _kept(visit, number)
    return _matching(visit, model, kept, chosen_in(None)) if kept is not None else _gone(visit, model)


def next_step(visit: AppVisit) -> Response:
    """What the button that was pressed asks for. Raises Refused (404) for one that no page has."""
    model, do = _model(visit), visit.field("do")
    if do == "upload":
        return _upload(visit, model)
    kept, chosen = _kept(visit, visit.field("file")), chosen_in(visit.form)
    if do not in ("map", "preview", "import"):
        raise Refused(Problem("not-found", model.name), 404)
    if kept is None:
        return _gone(visit, model)
    if do == "map":
        return _matching(visit, model, kept, chosen)
    return _preview(visit, model, kept, chosen) if do == "preview" else _carry_out(visit, model, kept, chosen)


def get_template(visit: AppVisit) -> Response:
    """An empty file with a header for every field that the person may fill in."""
    model = _model(visit)
    body = template(visit.site.runtime, visit.app, visit.principal, model.name)
    return Response(
        body,
        media_type="text/csv",
        headers={"content-disposition": f'attachment; filename="{model.name}-template.csv"'},
    )


def _model(visit: AppVisit) -> EntityApp:
    """Raises Refused (404) where the person may not import."""
    model = visit.model()
    if not visit.lens.may(model.name, "import"):
        raise Refused(Problem("not-found", model.name), 404)
    return model


# -- the uploaded file -------------------------------------------------------------------------------------------------


def _kept(visit: AppVisit, number: str) -> Attachment | None:
    """The upload of this number, if it is the person's own and of no record."""
    id = id_in(number)
    found = visit.site.attachments.find(id) if id is not None else None
    if found is None or (found.app, found.by, found.record) != (visit.app.name, visit.principal.user, None):
        return None
    return found


@contextmanager
def _unpacked(visit: AppVisit, kept: Attachment) -> Iterator[Path]:
    """A copy of an upload under the name that the person knows. Raises Refused (404) when somebody was quicker."""
    with tempfile.TemporaryDirectory(prefix="dougong-import-") as folder:
        name = Path(kept.name)
        path = Path(folder) / f"{name.stem[:LONGEST_STEM]}{name.suffix[:10]}"
        try:
            shutil.copyfile(visit.site.files.place(kept.path), path)
        except FileNotFoundError:
            raise Refused(Problem("import-file-gone"), 404) from None
        yield path


def _upload(visit: AppVisit, model: EntityApp) -> Response:
    """Keep the file that came, and go on to the second step. What was chosen for an earlier one is remembered."""
    chosen = chosen_in(visit.form)
    try:
        kept = _received(visit)
    except Refused as refused:
        return _upload_page(visit, model, chosen, refused.problems, refused.status)
    if chosen.columns:
        return _matching(visit, model, kept, chosen)
    return visit.go(f"{visit.href(model.name, 'import')}?file={kept.id}")


def _received(visit: AppVisit) -> Attachment:
    """The file of the form, kept. Raises Refused when it is no table that can be read."""
    uploads, site = visit.uploads("upload"), visit.site
    if not uploads:
        raise Refused(Problem("import-no-file", "upload"), 422)
    name = Path(uploads[0].filename or "").name
    if Path(name).suffix.lower() not in ENDINGS:
        raise Refused(Problem("import-format", "upload", {"file": name}), 415)
    id = site.attachments.keep(visit.app.name, name, uploads[0].file, site.settings.upload_limit, visit.principal.user)
    kept = site.attachments.find(id)
    assert kept is not None
    try:
        with _unpacked(visit, kept) as path:
            table = open_table(path)
            if next(table.lines(), None) is None:
                raise Refused(Problem("import-no-rows", "upload", {"file": name}), 422)
    except BaseException:
        site.attachments.discard(id)
        raise
    return kept


def _upload_page(
    visit: AppVisit, model: EntityApp, chosen: Chosen | None = None, problems: Sequence[Problem] = (), status: int = 200
) -> Response:
    return _draw(
        visit, model, "upload", chosen or Chosen(), status=status, errors=said(problems, visit.language), endings=",".join(ENDINGS)
    )  # fmt: skip


def _gone(visit: AppVisit, model: EntityApp) -> Response:
    return _upload_page(visit, model, chosen_in(visit.form), [Problem("import-file-gone")], 404)


# -- which column is which field ---------------------------------------------------------------------------------------


def _matching(visit: AppVisit, model: EntityApp, kept: Attachment, chosen: Chosen) -> Response:
    with _unpacked(visit, kept) as path:
        return _matching_page(visit, kept, _mapped(visit, model, path, chosen))


def _mapped(visit: AppVisit, model: EntityApp, path: Path, chosen: Chosen) -> Mapped:
    return Mapped(visit.lens, model, open_table(path), chosen, visit.t)


def _matching_page(
    visit: AppVisit, kept: Attachment, mapped: Mapped, wrong: Mapping[str, Sequence[Problem]] | None = None, note: str = ""
) -> Response:  # fmt: skip
    model, wrong = mapped.model, wrong or {}
    labels = [model.labels[name][visit.language] for name in lacking(visit.lens, model, mapped.chosen)]
    return _draw(
        visit, model, "map", mapped.chosen, status=422 if wrong else 200, file=kept, facts=_facts(visit, mapped.table),
        columns=mapped.views(wrong), errors=said(wrong.get("", ()), visit.language), ask=note,
        lacking=("、" if visit.language == "zh" else ", ").join(labels), looked_at=len(mapped.rows),
        telling=model.duplicates is not None and model.duplicates.then == "flag",
    )  # fmt: skip


def _facts(visit: AppVisit, table: Table) -> str:
    facts = [visit.t("import-rows", count=f"{table.total:,}")]
    facts.append(
        visit.t("import-sheet", name=table.sheet) if table.sheet else table.encoding.upper().removesuffix("-SIG")
    )
    return " · ".join(facts)


# -- trial and import --------------------------------------------------------------------------------------------------


def _preview(visit: AppVisit, model: EntityApp, kept: Attachment, chosen: Chosen) -> Response:
    with _unpacked(visit, kept) as path:
        mapped = _mapped(visit, model, path, chosen)
        if wrong := mapped.wrong():
            return _matching_page(visit, kept, mapped, wrong)
        if mapped.unasked:
            return _matching_page(visit, kept, mapped, note=visit.t("import-dates-ask"))
        try:
            report = _brought(visit, mapped, kept, path, dry_run=True)
        except Refused as refused:
            return _matching_page(visit, kept, mapped, {"": refused.problems})
    return _report(visit, mapped, "preview", report, kept=kept)


def _brought(visit: AppVisit, mapped: Mapped, kept: Attachment, path: Path, **how: Any) -> Report:
    return bring(visit.site.runtime, visit.app, visit.principal, path, mapped.mapping(), name=kept.name, **how)


def _carry_out(visit: AppVisit, model: EntityApp, kept: Attachment, chosen: Chosen) -> Response:
    with _unpacked(visit, kept) as path:
        mapped = _mapped(visit, model, path, chosen)
        wrong = mapped.wrong()
        if wrong or mapped.unasked:
            return _matching_page(visit, kept, mapped, wrong, visit.t("import-dates-ask") if not wrong else "")
        if not visit.site.attachments.discard(kept.id):
            return _gone(visit, model)
        left = path.with_name(f"refused{path.suffix}")
        done: list[int] = [0]

        def progress(rows: int, _: int | None) -> None:
            done[0] = rows

        try:
            report = _brought(visit, mapped, kept, path, refused=left, progress=progress)
        except BaseException as error:
            again = _keep(visit, kept.name, path)
            if not isinstance(error, Refused):
                raise
            part = [Problem("import-part-done", "", {"count": done[0]})] if done[0] else []
            return _matching_page(visit, again, mapped, {"": [*error.problems, *part]})
        refused = _keep(visit, f"refused-{kept.name}", left) if left.exists() else None
    return _report(visit, mapped, "done", report, refused=refused)


def _keep(visit: AppVisit, name: str, path: Path) -> Attachment:
    site = visit.site
    with open(path, "rb") as file:
        id = site.attachments.keep(visit.app.name, name, file, site.settings.upload_limit, visit.principal.user)
    found = site.attachments.find(id)
    assert found is not None
    return found


def _report(
    visit: AppVisit, mapped: Mapped, step: str, report: Report, *, kept: Attachment | None = None, refused: Attachment | None = None
) -> Response:  # fmt: skip
    one, t = report.steps[0], visit.t
    columns, rows = _good(visit, mapped, one)
    counts = [
        ("created", t("import-created"), one.created),
        ("updated", t("import-updated"), one.updated),
        ("unchanged", t("import-unchanged"), one.unchanged),
        ("refused", t("import-refused"), one.refused),
    ]
    return _draw(
        visit, mapped.model, step, mapped.chosen, file=kept, counts=counts, able=one.created + one.updated, refused=one.refused,
        lines=_told(mapped, one.problems, visit), flagged=one.flagged, warned=_told(mapped, one.warnings, visit),
        columns=columns, rows=rows, left=f"/api/v1{visit.href('files', str(refused.id))}" if refused else "",
        same=not one.refused and not one.created and not one.updated, endings=",".join(ENDINGS),
    )  # fmt: skip


def _told(mapped: Mapped, found: Sequence[tuple[int, tuple[Problem, ...]]], visit: AppVisit) -> list[Told]:
    return [
        Told(
            line,
            tuple(Reason(mapped.header_of(each.path), each.message, each.hint) for each in said(problems, visit.language)),
        )
        for line, problems in found[:MOST_LINES]
    ]  # fmt: skip


def _good(visit: AppVisit, mapped: Mapped, report: StepReport) -> tuple[list[Column], list[Good]]:
    """The first rows that go in, in the columns of the file, as lists show their values."""
    model, language = mapped.model, visit.language
    chosen = [each.field for each in mapped.chosen.columns.values() if each.field and each.field != "id"]
    visible = visit.lens.fields(model.name)
    names = [name for name in chosen if name in visible][:MOST_COLUMNS]
    records = [
        {name: None if (value := sample.values.get(name)) is None else visible[name].to_json(value) for name in names}
        for sample in report.samples
    ]
    with visit.read() as r:
        titles = Titles(visit.lens, r).of(model.name, records, names)
    rows = [
        Good(
            sample.line,
            sample.what,
            tuple(cell(visit.app, model, name, record[name], titles, language) for name in names),
        )
        for sample, record in zip(report.samples, records, strict=True)
    ]
    return [Column(name, model.labels[name][language]) for name in names], rows


def _draw(visit: AppVisit, model: EntityApp, step: str, chosen: Chosen, status: int = 200, **values: Any) -> Response:
    return visit.draw(
        "import.html", status, entity=visit.entity(model), step=step, action=visit.href(model.name, "import"),
        chosen=list(chosen.columns.items()), duplicates=chosen.duplicates, **values,
    )  # fmt: skip


STEPS: Mapping[str, Callable[[AppVisit], Response]] = {"ask": ask, "next": next_step, "template": get_template}
