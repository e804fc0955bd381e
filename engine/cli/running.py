"""Commands that run an app: serve it, fill it with demo data."""

import os
import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.terminal import (
    FOUND,
    USAGE,
    AppName,
    DatabaseOption,
    DataOption,
    language,
    progress,
    say,
    settings,
    stop,
)
from engine.collector import collector_resting, keep_all

if TYPE_CHECKING:
    from engine.app import App
    from engine.web.settings import Settings
    from engine.web.site import Site


def add(app: typer.Typer) -> None:
    app.command()(serve)
    app.command()(demo)
    app.command()(sweep)


def serve(
    app: Annotated[
        list[Path] | None,
        typer.Option(
            "--app",
            help="An app package to serve; may be repeated. It is published if the database has no version of it.",
        ),
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Fill empty apps with their sample people and data.")] = False,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on.")] = 8000,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, help="Processes; more than one needs PostgreSQL.")
    ] = 1,
    database: DatabaseOption = None,
    data: DataOption = None,
) -> None:
    """Serve published apps until stopped (SIGTERM lets requests finish)."""
    chosen = settings(database, data)
    if workers > 1 and not chosen.database_url.startswith("postgres"):
        stop(
            "多个进程需要 PostgreSQL:请用 --database postgresql://…",
            "Several workers need PostgreSQL: use --database postgresql://…",
            USAGE,
        )
    chosen.data.mkdir(parents=True, exist_ok=True)
    with collector_resting():
        from engine.web.observe import forward_libraries
        from engine.web.server import create_server

        server = create_server(chosen)
    site: Site = server.state.site
    for file in app or ():
        _ready(site, file, demo)
    if not site.live.apps():
        stop("数据库里还没有应用:请用 --app 指定一个", "The database has no app yet: name one with --app", USAGE)
    _upgrade(site)
    _welcome(site, host, port)
    forward_libraries(chosen.log)
    if workers > 1:
        site.close()
        _serve_many(chosen, host, port, workers)
    else:
        import uvicorn

        keep_all()
        uvicorn.run(server, host=host, port=port, **_uvicorn(chosen))


def _uvicorn(chosen: "Settings") -> dict[str, Any]:
    return {
        "access_log": False,
        "log_config": None,
        "server_header": False,
        "ws": "none",
        "timeout_graceful_shutdown": chosen.drain,
        "h11_max_incomplete_event_size": 64 << 10,
    }


def _serve_many(chosen: "Settings", host: str, port: int, workers: int) -> None:
    import tempfile

    import uvicorn

    os.environ.update(chosen.as_environment())
    with tempfile.TemporaryDirectory(prefix="dougong-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        uvicorn.run(
            "engine.web.server:from_environment",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            **_uvicorn(chosen),
        )


def _ready(site: "Site", file: Path, with_demo: bool) -> None:
    """Publish a package that the database does not have; fill it if asked and empty."""
    from engine.cli.terminal import show_problems
    from engine.definition import load
    from engine.publishing.apply import publish

    if not file.is_file():
        stop(f"没有这个文件: {file}", f"No such file: {file}", USAGE)
    name = _name_of(file)
    app = site.live.app(name) if name else None
    if app is None:
        checked = load(file)
        if not checked.ok or checked.definition is None:
            show_problems(checked.problems)
            raise typer.Exit(FOUND)
        publish(site.db, checked, site.clock)
        site.live.refresh()
        app = site.app(checked.definition.app)
        say(f"已发布 {app.name} 版本 {app.number}", f"Published {app.name}, version {app.number}")
    elif _differs(site, app.name, file):
        say(
            f"{file} 与已发布的版本 {app.number} 不同;用 dougong plan 查看,dougong publish 发布。",
            f"{file} differs from published version {app.number}: see dougong plan, dougong publish.",
        )
    if with_demo and _is_empty(site, app):
        _populate(site, app, 1)


def _upgrade(site: "Site") -> None:
    """What an older engine has left to be made anew."""
    from engine.publishing.recompute import search_again, searched_otherwise

    for app in site.live.apps().values():
        if not searched_otherwise(site.db, app):
            continue
        with progress(f"重建 {app.name} 的搜索词", f"Making the search words of {app.name} anew") as step:
            count = search_again(site.db, app, step)
        if count:
            say(f"已重建 {app.name} 的搜索词：{count} 条记录", f"Search words of {app.name} made anew: {count} records")


def _name_of(file: Path) -> str | None:
    """The app's name, without parsing the package: starting must be quick."""
    found = re.search(
        r"""^\s*["']?app["']?\s*:\s*["']?([a-z][a-z0-9_]*)""", file.read_text(encoding="utf-8"), re.MULTILINE
    )
    return found[1] if found else None


def _differs(site: "Site", name: str, file: Path) -> bool:
    from engine.publishing.versions import live_version

    with site.db.read() as r:
        stored = live_version(r, site.db, name)
    folder = file.parent
    return stored is not None and any(
        not (folder / path).is_file() or (folder / path).read_text(encoding="utf-8") != text
        for path, text in stored.files.items()
    )


def _is_empty(site: "Site", app: "App") -> bool:
    """Whether nobody has a role in the app yet."""
    import sqlalchemy as sa

    from engine.storage import system

    role = system.user_role
    return site.db.one(site.db.statement(sa.select(role.c.user).where(role.c.app == app.name).limit(1))) is None


def _populate(site: "Site", app: "App", size: float, seed: int = 1) -> None:
    from engine.exchange.demo import populate

    with progress("生成演示数据", "Making demo data") as step:
        counts = populate(site.runtime, site.people, app, size=size, seed=seed, progress=step, files=site.files)
    site.db.analyze()
    total = sum(counts.values())
    say(f"已生成 {total} 条演示记录", f"Made {total} demo records")


def _welcome(site: "Site", host: str, port: int) -> None:
    """The address, and for each app with sample people one account a role."""
    shown = f"[{host}]" if ":" in host else host
    shown = "127.0.0.1" if shown in ("0.0.0.0", "[::]") else shown
    say(f"\n斗拱  http://{shown}:{port}/", f"\nDougong  http://{shown}:{port}/")
    for app in site.live.apps().values():
        sample = app.definition.sample
        accounts = demo_accounts(app)
        if not accounts or site.people.find_user(next(iter(accounts.values()))) is None:
            continue
        print(f"\n  {app.label[language()]}")
        labels = {role: app.role_label(role)[language()] for role in accounts}
        width = max(map(_columns, labels.values())) + 2
        for role, login in accounts.items():
            print(f"    {labels[role]}{' ' * (width - _columns(labels[role]))}{login}")
        if sample.password:
            say(f"    密码: {sample.password}", f"    Password: {sample.password}")
    say("\n按 Ctrl+C 停止", "\nPress Ctrl+C to stop")


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes: Chinese signs take two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def demo_accounts(app: "App") -> dict[str, str]:
    """For each role the first of the sample people who has it as his own."""
    found: dict[str, str] = {}
    for login, person in app.definition.sample.people.items():
        for role in person.roles:
            found.setdefault(role, login)
    return {role: found[role] for role in app.definition.roles if role in found}


def demo(
    app: AppName,
    size: Annotated[
        float, typer.Option("--size", min=0.01, help="1 is a demonstration; larger ones are for measuring.")
    ] = 1,
    seed: Annotated[int, typer.Option("--seed", help="The same seed makes the same data.")] = 1,
    database: DatabaseOption = None,
    data: DataOption = None,
) -> None:
    """Make demo people and records of a published app, the same every time."""
    from engine.web.site import Site

    chosen = settings(database, data)
    chosen.data.mkdir(parents=True, exist_ok=True)
    site = Site.open(chosen)
    try:
        compiled = site.live.app(app)
        if compiled is None:
            stop(f"没有应用「{app}」", f'There is no app "{app}"')
        _populate(site, compiled, size, seed)
    finally:
        site.close()


def sweep(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Remove them; without it they are only counted.")] = False,
    age: Annotated[
        int, typer.Option("--age", min=1, help="How many hours old they must be: longer than any upload takes.")
    ] = 24,
    database: DatabaseOption = None,
    data: DataOption = None,
) -> None:
    """Remove stored files that belong to nothing: what a crash leaves in the middle of an upload, and uploads never attached.

    Servers may run meanwhile.  Files of deleted records and those taken off a record belong there, and stay.
    """
    from engine.web.site import Site

    site = Site.open(settings(database, data))
    try:
        orphans = site.attachments.orphans(age * 3600)
        loose = site.attachments.loose(age * 3600)
        if not yes:
            say(
                f"有 {len(orphans)} 个无主文件、{len(loose)} 个从未用上的上传;用 --yes 删除",
                f"{len(orphans)} files that nobody knows and {len(loose)} uploads never attached; --yes removes them",
            )
            return
        discarded = sum(site.attachments.discard(id) for id in loose)
        freed = site.files.sweep(orphans)
        say(
            f"已删除 {len(orphans)} 个无主文件({freed} 字节)和 {discarded} 个从未用上的上传",
            f"Removed {len(orphans)} files that nobody knew, {freed} bytes, and {discarded} uploads never attached",
        )
    finally:
        site.close()
