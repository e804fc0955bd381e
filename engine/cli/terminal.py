"""What all commands share: options, the language of the terminal, and how problems and progress are shown."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, Protocol

import typer

if TYPE_CHECKING:
    from engine.app import App
    from engine.problems import Language, Problem
    from engine.storage.database import Database
    from engine.web.settings import Settings

FOUND, USAGE, UNREACHABLE, CHANGES = 1, 2, 3, 4

AppFile = Annotated[Path, typer.Argument(help="The app package: its root YAML or JSON file.", show_default=False)]
AppName = Annotated[str, typer.Argument(help="The name of a published app.", show_default=False)]
DatabaseOption = Annotated[
    str | None, typer.Option("--database", metavar="URL", help="sqlite:///… or postgresql://… (DOUGONG_DATABASE).")
]
DataOption = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Where the database and files live (DOUGONG_DATA; data).")
]


def language() -> "Language":
    """DOUGONG_LANGUAGE if set, else what the terminal's locale says."""
    chosen = os.environ.get("DOUGONG_LANGUAGE")
    if chosen in ("zh", "en"):
        return "en" if chosen == "en" else "zh"
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if locale.lower().startswith("zh") else "en"


def say(zh: str, en: str, *, error: bool = False) -> None:
    print(zh if language() == "zh" else en, file=sys.stderr if error else sys.stdout, flush=True)


def stop(zh: str, en: str, code: int = FOUND) -> NoReturn:
    say(zh, en, error=True)
    raise typer.Exit(code)


def show_problems(problems: "Iterable[Problem]", *, as_json: bool = False) -> None:
    """Problems of a definition with their places, or of an operation, one paragraph each; JSON goes to standard output."""
    from engine.definition.render import render

    text = render(list(problems), language(), "json" if as_json else "text")
    print(text, file=sys.stdout if as_json else sys.stderr, flush=True)


def settings(database: str | None = None, data: Path | None = None, **more: Any) -> "Settings":
    from engine.web.settings import Settings

    return Settings.read(database=database, data=data, **more)


@contextmanager
def opened(database: str | None, data: Path | None) -> "Iterator[Database]":
    """The database, with its system tables made."""
    from engine.storage.database import Database

    chosen = settings(database, data)
    if not chosen.database:
        chosen.data.mkdir(parents=True, exist_ok=True)
    db = Database.open(chosen.database_url)
    try:
        db.prepare()
        yield db
    finally:
        db.close()


def live_app(db: "Database", name: str) -> "App":
    """The live version of an app; without one the command ends."""
    from engine.publishing.versions import live_version, load_app

    with db.read() as r:
        stored = live_version(r, db, name)
    if stored is None:
        stop(f"没有应用「{name}」", f'There is no app "{name}"')
    return load_app(stored)


class Steps(Protocol):
    def __call__(self, done: int, total: int | None = None) -> None: ...


@contextmanager
def progress(zh: str, en: str) -> Iterator[Steps]:
    """A bar for long work on a terminal; nothing where nobody watches."""
    if not sys.stderr.isatty():
        yield lambda done, total=None: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(zh if language() == "zh" else en, total=None)
        yield lambda done, total=None: bar.update(task, completed=done, **({} if total is None else {"total": total}))
