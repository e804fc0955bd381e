"""Commands about records: import and export."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.terminal import (
    FOUND,
    AppName,
    DatabaseOption,
    DataOption,
    language,
    live_app,
    opened,
    progress,
    say,
    stop,
)

Entity = Annotated[str, typer.Argument(help="An entity of the app.", show_default=False)]
AsUser = Annotated[
    str | None,
    typer.Option("--as", metavar="LOGIN", help="Do it as this person, with his permissions; else as the engine."),
]


class Kind(StrEnum):
    csv = "csv"
    xlsx = "xlsx"


def add(app: typer.Typer) -> None:
    app.command("import")(bring)
    app.command("export")(take)


def bring(
    app: AppName,
    file: Annotated[Path, typer.Argument(help="A CSV or XLSX file.", show_default=False)],
    entity: Annotated[
        str | None, typer.Option("--entity", help="What the rows are, when there is no mapping file.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--mapping", help="A mapping file: which column is which field.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything, then take it back.")] = False,
    refused: Annotated[
        Path | None, typer.Option("--refused", help="Where rows that cannot be imported go, with the reasons.")
    ] = None,
    login: AsUser = None,
    database: DatabaseOption = None,
    data: DataOption = None,
) -> None:
    """Import records from a file. 0: every row went in, 1: some were refused (the others are in)."""
    from engine.access.people import People
    from engine.access.principal import engine_principal
    from engine.clock import SystemClock
    from engine.exchange.bring import bring as run
    from engine.exchange.mapping import load_mapping
    from engine.runtime import Runtime

    if (entity is None) == (mapping is None):
        raise typer.BadParameter("--entity or --mapping / 二选一")
    if not file.is_file():
        raise typer.BadParameter(f"{file}: no such file / 没有这个文件")
    with opened(database, data) as db:
        clock = SystemClock()
        compiled = live_app(db, app)
        people = People(db, clock)
        principal = engine_principal(language())
        if login is not None:
            user = people.find_user(login)
            found = None if user is None else people.principal(user, app, compiled.policies)
            if found is None:
                stop(f"{login} 在 {app} 中没有角色", f"{login} has no role in {app}")
            principal = found
        what = load_mapping(mapping) if mapping is not None else entity or ""
        with progress("导入", "Importing") as step:
            report = run(
                Runtime(db, clock),
                compiled,
                principal,
                file,
                what,
                refused=refused,
                dry_run=dry_run,
                people=people,
                progress=step,
            )
        if not dry_run:
            db.analyze()
    for line in report.lines(language()):
        print(line)
    if report.refused:
        raise typer.Exit(FOUND)


def take(
    app: AppName,
    entity: Entity,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write; its ending says csv or xlsx.")],
    where: Annotated[str | None, typer.Option("--filter", help="An expression that the records meet.")] = None,
    view: Annotated[str | None, typer.Option("--view", help="A view of the definition.")] = None,
    sort: Annotated[
        str, typer.Option("--sort", help="Fields divided by commas; a leading minus means descending.")
    ] = "",
    login: AsUser = None,
    database: DatabaseOption = None,
    data: DataOption = None,
) -> None:
    """Export records to a CSV or XLSX file, which can be imported again."""
    from engine.access.people import People
    from engine.access.principal import engine_principal
    from engine.clock import SystemClock
    from engine.exchange.take import take as run
    from engine.reading import Query
    from engine.runtime import Runtime

    kind = output.suffix.lstrip(".").lower()
    if kind not in list(Kind):
        raise typer.BadParameter("--output *.csv, *.xlsx")
    with opened(database, data) as db:
        clock = SystemClock()
        compiled = live_app(db, app)
        principal = engine_principal(language())
        if login is not None:
            people = People(db, clock)
            user = people.find_user(login)
            found = None if user is None else people.principal(user, app, compiled.policies)
            if found is None:
                stop(f"{login} 在 {app} 中没有角色", f"{login} has no role in {app}")
            principal = found
        query = Query(where=where, view=view, sort=tuple(part for part in sort.split(",") if part))
        with open(output, "wb") as out, progress("导出", "Exporting") as step:
            count = run(Runtime(db, clock), compiled, principal, entity, query, kind, out, progress=step)
    say(f"已导出 {count} 条到 {output}", f"Exported {count} records to {output}")
