"""Commands about published versions: plan, publish, rollback, versions, diff."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.definitions import Format
from engine.cli.terminal import (
    CHANGES,
    FOUND,
    AppFile,
    AppName,
    DatabaseOption,
    DataOption,
    language,
    opened,
    say,
    show_problems,
    stop,
)

if TYPE_CHECKING:
    from engine.definition import Checked
    from engine.publishing.plan import Plan
    from engine.storage.database import Database

Accept = Annotated[
    list[str] | None,
    typer.Option("--accept", metavar="HAZARD=REASON", help="Accept a hazard, as code@path=reason; may be repeated."),
]
Note = Annotated[str | None, typer.Option("--note", help="What this version is about.")]
Preset = Annotated[str | None, typer.Option("--preset", help="Use this preset instead of the package's own.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def add(app: typer.Typer) -> None:
    for command in (plan, publish, rollback, versions, diff):
        app.command()(command)


def plan(
    file: AppFile,
    preset: Preset = None,
    format: Annotated[Format, typer.Option("--format", help="How the plan is written.")] = Format.text,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="4 instead of 0 when there is something to publish.")
    ] = False,
    database: DatabaseOption = None,
    data: DataOption = None,
) -> None:
    """Show what publishing a definition would change, and what that does to the data that is there. Changes nothing.

    0: it can be published (or there is nothing to publish), 1: something stops it.
    """
    from engine.clock import SystemClock
    from engine.publishing.plan import plan_for

    checked = _checked(file, preset)
    with opened(database, data) as db:
        made = plan_for(db, checked, SystemClock().now())
    if format is Format.json:
        import json

        print(json.dumps(made.to_json(), ensure_ascii=False, indent=2))
    else:
        _show(made)
    if made.stopped:
        raise typer.Exit(FOUND)
    if detailed_exitcode and not made.empty:
        raise typer.Exit(CHANGES)


def publish(
    file: AppFile,
    preset: Preset = None,
    accept: Accept = None,
    note: Note = None,
    yes: Yes = False,
    database: DatabaseOption = None,
    data: DataOption = None,
) -> None:
    """Publish a definition: running servers swap to it within a second. Every hazard must be accepted with a reason."""
    from engine.clock import SystemClock
    from engine.publishing.plan import plan_for

    checked = _checked(file, preset)
    with opened(database, data) as db:
        made = plan_for(db, checked, SystemClock().now())
        _carry_out(db, made, accept, note, yes)


def rollback(
    app: AppName,
    number: Annotated[int, typer.Argument(help="The version to go back to.", show_default=False, min=1)],
    accept: Accept = None,
    note: Note = None,
    yes: Yes = False,
    database: DatabaseOption = None,
    data: DataOption = None,
) -> None:
    """Make an earlier version live again, through a plan of its own. No value is lost on the way."""
    from engine.clock import SystemClock
    from engine.publishing.apply import rollback as plan_back

    with opened(database, data) as db:
        made = plan_back(db, app, number, SystemClock().now())
        _carry_out(db, made, accept, note or f"-> {number}", yes)


def versions(app: AppName, database: DatabaseOption = None, data: DataOption = None) -> None:
    """List the published versions of an app, newest first; the live one is marked."""
    from engine.columns import moment
    from engine.publishing.versions import versions as published

    with opened(database, data) as db:
        found = published(db, app)
    if not found:
        stop(f"没有应用「{app}」", f'There is no app "{app}"')
    for each in found:
        mark = "*" if each.current else " "
        print(
            f"{mark} {each.number:>4}  {moment(each.at):%Y-%m-%d %H:%M:%S}Z  {each.hash[:12]}  {each.note or ''}".rstrip()
        )


def diff(
    app: AppName,
    old: Annotated[int, typer.Argument(help="A version.", show_default=False, min=1)],
    new: Annotated[int, typer.Argument(help="Another one.", show_default=False, min=1)],
    database: DatabaseOption = None,
    data: DataOption = None,
) -> None:
    """Compare two published versions: what changed in words, then the text."""
    from engine.publishing.versions import diff as compared

    with opened(database, data) as db:
        found = compared(db, app, old, new)
    for change in found.changes:
        print(f"• {change[language()]}")
    for text in found.texts.values():
        print(text, end="")


def _checked(file: Path, preset: str | None) -> "Checked":
    """A definition without errors; else its problems are shown and the command ends."""
    from engine.definition import load

    if not file.is_file():
        raise typer.BadParameter(f"{file}: no such file / 没有这个文件")
    checked = load(file, preset=preset)
    if not checked.ok:
        show_problems(checked.problems)
        raise typer.Exit(FOUND)
    return checked


def _show(made: "Plan") -> None:
    words = language()
    if made.empty:
        say("没有变化", "Nothing to publish")
        return
    say(f"版本 {made.base} → {made.number}", f"Version {made.base} → {made.number}")
    for change in made.changes:
        print(f"  • {change.message(words)}")
    for hazard in made.hazards:
        mark = {"stop": "✗", "accept": "!", "note": "·"}[hazard.severity]
        print(f"  {mark} [{hazard.key}] {hazard.message(words)}")


def _carry_out(db: "Database", made: "Plan", accept: list[str] | None, note: str | None, yes: bool) -> None:
    from engine.clock import SystemClock
    from engine.publishing.apply import apply

    if made.empty:
        say("没有变化", "Nothing to publish")
        return
    _show(made)
    if made.stopped:
        raise typer.Exit(FOUND)
    accepted = _accepted(accept)
    if not yes:
        for hazard in made.hazards:
            if hazard.severity == "accept" and hazard.key not in accepted:
                accepted[hazard.key] = typer.prompt(f"{hazard.key}: 理由 / reason")
        typer.confirm("发布? / Publish?", abort=True)
    number = apply(db, made, accepted, by=None, at=SystemClock().now(), note=note)
    say(f"已发布版本 {number}", f"Published version {number}")


def _accepted(given: list[str] | None) -> dict[str, str]:
    found = {}
    for each in given or ():
        key, divider, reason = each.partition("=")
        if not (divider and reason.strip() and "@" in key):
            raise typer.BadParameter("--accept code@path=reason")
        found[key.strip()] = reason.strip()
    return found
