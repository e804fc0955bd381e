"""Commands about definitions alone, without a database: check, schema, graph, docs."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.terminal import FOUND, AppFile, language, say, show_problems, stop


class Format(StrEnum):
    text = "text"
    json = "json"


class Picture(StrEnum):
    svg = "svg"
    mermaid = "mermaid"


Preset = Annotated[str | None, typer.Option("--preset", help="Use this preset instead of the package's own.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file instead of the terminal.")]


def add(app: typer.Typer) -> None:
    app.command()(check)
    app.command()(schema)
    app.command()(graph)
    app.command()(docs)


def check(
    file: AppFile,
    preset: Preset = None,
    format: Annotated[Format, typer.Option("--format", help="How problems are written.")] = Format.text,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail too.")] = False,
) -> None:
    """Check a definition: every problem at once, with its place and a remedy. 0: none, 1: there are errors."""
    from engine.definition import load

    _exists(file)
    checked = load(file, preset=preset)
    errors = sum(problem.severity == "error" for problem in checked.problems)
    warnings = sum(problem.severity == "warning" for problem in checked.problems)
    if checked.problems or format is Format.json:
        show_problems(checked.problems, as_json=format is Format.json)
    if format is Format.text:
        say(f"{file}: {errors} 个错误,{warnings} 个警告", f"{file}: {errors} errors, {warnings} warnings")
    if errors or (strict and warnings):
        raise typer.Exit(FOUND)


def schema(output: Output = None) -> None:
    """The JSON Schema of definitions, for editors that complete and underline."""
    import json

    from engine.definition.schema import json_schema

    _write(json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n", output)


def graph(
    file: AppFile,
    process: Annotated[
        str | None, typer.Argument(help="A process; without it all of them are listed.", show_default=False)
    ] = None,
    format: Annotated[
        Picture | None, typer.Option("--format", help="svg or mermaid; else what the file's ending says.")
    ] = None,
    preset: Preset = None,
    output: Output = None,
) -> None:
    """Draw a process from its definition, as SVG or as Mermaid."""
    from engine.app import compile_app
    from engine.definition import load
    from engine.workflows.graph import mermaid, svg

    _exists(file)
    app = compile_app(load(file, preset=preset))
    if process is None:
        for name, each in app.processes.items():
            print(f"{name}\t{each.label[language()]}")
        return
    if process not in app.processes:
        known = ", ".join(app.processes)
        stop(f"没有流程「{process}」。有: {known}", f'There is no process "{process}". There are: {known}')
    chosen = format or (Picture.svg if output is not None and output.suffix == ".svg" else Picture.mermaid)
    draw = svg if chosen is Picture.svg else mermaid
    _write(draw(app.processes[process], language()), output)


def docs(
    folder: Annotated[Path, typer.Argument(help="Where the pages go.")] = Path("docs/reference"),
    check_only: Annotated[bool, typer.Option("--check", help="Write nothing; 1 if a page is not up to date.")] = False,
) -> None:
    """Write the reference - keys, field types, functions, problems, commands - from the registries."""
    from engine.cli.reference import pages

    stale = []
    for name, text in pages().items():
        path = folder / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check_only:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    for name in stale:
        print(folder / name)
    if stale and check_only:
        raise typer.Exit(FOUND)


def _exists(file: Path) -> None:
    if not file.is_file():
        raise typer.BadParameter(f"{file}: no such file / 没有这个文件")


def _write(text: str, output: Path | None) -> None:
    if output is None:
        print(text, end="")
    else:
        output.write_text(text, encoding="utf-8", newline="\n")
        say(f"已写入 {output}", f"Wrote {output}")
