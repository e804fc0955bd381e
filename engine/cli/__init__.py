"""The command line, `dougong`: check, plan and publish definitions, serve them, and look after people and data.

Commands import what they need when they run, so that `dougong check` starts fast.  Exit codes are the same everywhere:

    0  done, and nothing is wrong
    1  problems were found, or what was asked was refused; nothing has changed
    2  the command line makes no sense
    3  the database cannot be reached
    4  only with `plan --detailed-exitcode`: there is something to publish
"""

import os
import sys

import typer

from engine.cli import data, definitions, people, published, running
from engine.cli.terminal import FOUND, UNREACHABLE, USAGE, say

app = typer.Typer(
    name="dougong",
    help=__doc__.replace("\n    ", "\n\n    "),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for room in (definitions, published, running, data, people):
    room.add(app)


def main() -> None:
    """Run a command; what it refuses becomes words on standard error and an exit code."""
    from engine.problems import Refused
    from engine.storage.errors import StorageError, Unavailable

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        app()
    except Refused as refused:
        from engine.cli.terminal import show_problems

        show_problems(refused.problems)
        sys.exit(FOUND)
    except Unavailable as error:
        say(f"数据库无法访问: {error}", f"The database cannot be reached: {error}", error=True)
        sys.exit(UNREACHABLE)
    except StorageError as error:
        say(f"数据库出错: {error}", f"The database failed: {error}", error=True)
        sys.exit(UNREACHABLE)
    except ValueError as error:
        if os.environ.get("DOUGONG_LOG") == "debug":
            raise
        say(str(error), str(error), error=True)
        sys.exit(USAGE)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(FOUND)


__all__ = ["app", "main"]
