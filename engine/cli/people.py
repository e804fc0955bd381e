"""Commands about people: users, API tokens, handing records over, explaining permissions."""

import secrets
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.terminal import (
    FOUND,
    AppName,
    DatabaseOption,
    DataOption,
    language,
    live_app,
    opened,
    say,
    stop,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.storage.database import Database

user_commands = typer.Typer(
    name="user", help="Create and look after people.", no_args_is_help=True, rich_markup_mode=None
)
Login = Annotated[str, typer.Argument(help="The name somebody signs in with.", show_default=False)]


def add(app: typer.Typer) -> None:
    user_commands.command("create")(create)
    user_commands.command("password")(password)
    user_commands.command("roles")(roles)
    user_commands.command("suspend")(suspend)
    user_commands.command("resume")(resume)
    app.add_typer(user_commands)
    app.command()(token)
    app.command()(handover)
    app.command()(explain)


def _fit(db: "Database", app: str, roles: "Iterable[str]") -> None:
    """Raises Refused for roles that the live version does not have, or that nobody may hold together."""
    from engine.access.policies import unfit_roles
    from engine.problems import Refused
    from engine.publishing.versions import live_version, load_app

    with db.read() as r:
        stored = live_version(r, db, app)
    if stored is not None and (unfit := unfit_roles(load_app(stored).definition.roles, roles)):
        raise Refused(unfit)


def create(
    login: Login,
    name: Annotated[str, typer.Option("--name", help="The name people see; the login if not given.")] = "",
    app: Annotated[str | None, typer.Option("--app", help="An app in which the roles are given.")] = None,
    role: Annotated[list[str] | None, typer.Option("--role", help="A role in that app; may be repeated.")] = None,
    password: Annotated[
        str | None, typer.Option("--password", help="Asked for if not given; - makes one and prints it.")
    ] = None,
    database: DatabaseOption = None,
    data: DataOption = None,
) -> None:
    """Create a person."""
    from engine.access.people import People
    from engine.clock import SystemClock

    if role and app is None:
        raise typer.BadParameter("--role needs --app")
    word, made = _password(password)
    with opened(database, data) as db:
        if app is not None:
            _fit(db, app, role or ())
        people = People(db, SystemClock())
        id = people.create_user(login, name or login, word)
        if app is not None:
            people.set_roles(id, app, role or ())
    say(f"已创建用户 {login}", f"Created {login}")
    if made:
        print(word)


def password(
    login: Login,
    password: Annotated[
        str | None, typer.Option("--password", help="Asked for if not given; - makes one and prints it.")
    ] = None,
    database: DatabaseOption = None,
    data: DataOption = None,
) -> None:
    """Set somebody's password. All sessions and tokens of the person end."""
    from engine.access.people import People
    from engine.clock import SystemClock

    word, made = _password(password)
    with opened(database, data) as db:
        people = People(db, SystemClock())
        people.set_password(_person(people, login), word)
    say(f"已设置 {login} 的密码", f"Set the password of {login}")
    if made:
        print(word)


def roles(
    login: Login,
    app: AppName,
    role: Annotated[
        list[str] | None,
        typer.Argument(help="The roles the person has from now on; none takes all away.", show_default=False),
    ] = None,
    database: DatabaseOption = None,
    data: DataOption = None,
) -> None:
    """Set somebody's roles in an app."""
    from engine.access.people import People
    from engine.clock import SystemClock

    with opened(database, data) as db:
        _fit(db, app, role or ())
        people = People(db, SystemClock())
        people.set_roles(_person(people, login), app, role or ())
    names = ", ".join(role or ()) or "-"
    say(f"{login} 在 {app} 中的角色: {names}", f"Roles of {login} in {app}: {names}")


def suspend(login: Login, database: DatabaseOption = None, data: DataOption = None) -> None:
    """Suspend somebody: access ends at once, everywhere."""
    _set_active(login, False, database, data)
    say(f"已停用 {login}", f"Suspended {login}")


def resume(login: Login, database: DatabaseOption = None, data: DataOption = None) -> None:
    """Let somebody back in."""
    _set_active(login, True, database, data)
    say(f"已恢复 {login}", f"{login} is back")


def token(
    login: Login,
    name: Annotated[str, typer.Option("--name", help="What the token is for.")] = "cli",
    days: Annotated[
        int | None, typer.Option("--days", min=1, help="How long it is good for; for ever if not given.")
    ] = None,
    database: DatabaseOption = None,
    data: DataOption = None,
) -> None:
    """Make an API token for somebody and print it, once."""
    from engine.access.people import People
    from engine.clock import MICROSECONDS, SystemClock

    clock = SystemClock()
    with opened(database, data) as db:
        people = People(db, clock)
        expires_at = None if days is None else clock.now() + days * 86_400 * MICROSECONDS
        _, text = people.create_token(_person(people, login), name, expires_at)
    print(text)


def handover(
    app: AppName,
    leaver: Annotated[str, typer.Argument(help="Whose records are given away (login).", show_default=False)],
    successor: Annotated[str, typer.Argument(help="Who gets them (login).", show_default=False)],
    entity: Annotated[list[str] | None, typer.Option("--entity", help="Only these entities; may be repeated.")] = None,
    matrix: Annotated[
        str | None, typer.Option("--matrix", metavar="FILE", help="Write the permissions of both to this XLSX file.")
    ] = None,
    database: DatabaseOption = None,
    data: DataOption = None,
) -> None:
    """Give the records of one person to another."""
    from engine.access.people import People
    from engine.access.principal import engine_principal
    from engine.clock import SystemClock
    from engine.runtime import Handover, Runtime
    from engine.runtime.handover import permission_matrix

    with opened(database, data) as db:
        clock = SystemClock()
        people = People(db, clock)
        compiled = live_app(db, app)
        pair = [(_person(people, each), each) for each in (leaver, successor)]
        rows = permission_matrix(compiled, people, pair) if matrix is not None else []
        command = Handover(pair[0][0], pair[1][0], tuple(entity) if entity else None)
        outcome = Runtime(db, clock).execute(compiled, engine_principal(language()), command)
    if matrix is not None:
        _write_matrix(matrix, rows)
    for name, count in outcome.details["counts"].items():
        print(f"{compiled.entities[name].label[language()]}\t{count}")
    say(f"已移交,批次 {outcome.batch},可撤销", f"Handed over, batch {outcome.batch}; it can be undone")


def explain(
    app: AppName,
    login: Login,
    entity: Annotated[str, typer.Argument(help="An entity of the app.", show_default=False)],
    id: Annotated[str | None, typer.Argument(help="The id of a record.", show_default=False)] = None,
    field: Annotated[str | None, typer.Option("--field", help="A field.")] = None,
    action: Annotated[str, typer.Option("--action", help="read, create, update, delete, transition, …")] = "read",
    database: DatabaseOption = None,
    data: DataOption = None,
) -> None:
    """Say why somebody may or may not see a record or a field, or do something with it. 0: may, 1: may not."""
    from dataclasses import replace

    from engine.access.definition import ACTIONS
    from engine.access.people import People
    from engine.clock import SystemClock
    from engine.reading import Reading

    if action not in ACTIONS:
        raise typer.BadParameter(f"--action: {', '.join(ACTIONS)}")
    if id is not None and not id.isdecimal():
        raise typer.BadParameter("an id is a number / 编号是数字")
    with opened(database, data) as db:
        clock = SystemClock()
        people = People(db, clock)
        compiled = live_app(db, app)
        principal = people.principal(_person(people, login), app, compiled.policies)
        if principal is None:
            stop(f"{login} 在 {app} 中没有角色", f"{login} has no role in {app}")
        lens = Reading(compiled, db, clock).lens(replace(principal, language=language()))
        with db.read() as r:
            verdicts = lens.explain(r, entity, action, int(id) if id else None, field)
    for verdict in verdicts:
        print(("✓ " if verdict["allowed"] else "✗ ") + verdict["words"])
    if not any(verdict["allowed"] for verdict in verdicts):
        raise typer.Exit(FOUND)


def _write_matrix(path: str, rows: "list[dict[str, Any]]") -> None:
    """One row for each person and thing he may do, as a spreadsheet."""
    import xlsxwriter

    columns = list(rows[0]) if rows else []
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet()
        for line, values in enumerate([columns, *([row[name] for name in columns] for row in rows)]):
            for column, value in enumerate(values):
                sheet.write(line, column, value if isinstance(value, (bool, int, float)) else str(value))


def _password(given: str | None) -> tuple[str, bool]:
    """The password to set, and whether it was made here."""
    if given == "-":
        return secrets.token_urlsafe(12), True
    return given or typer.prompt("密码 / Password", hide_input=True, confirmation_prompt=True), False


def _person(people: object, login: str) -> int:
    from engine.access.people import People

    assert isinstance(people, People)
    found = people.find_user(login)
    if found is None:
        stop(f"没有用户 {login}", f"There is no user {login}")
    return found


def _set_active(login: str, active: bool, database: str | None, data: object) -> None:
    from pathlib import Path

    from engine.access.people import People
    from engine.clock import SystemClock

    with opened(database, data if isinstance(data, Path) else None) as db:
        people = People(db, SystemClock())
        people.suspend(_person(people, login), active)
