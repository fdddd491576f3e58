"""The `recform` command.

Each command stands in a file of its own and imports what it needs when it runs, so that
`recform analyze` starts without torch. The command line reads the file of the command that is
asked for, and all of them only where they are listed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Annotated, Any

import typer

from recform.errors import UserError

INTERRUPTED = 130
# name of a command -> its function, or group of commands, in recform/cli; in the order of --help
COMMANDS = {
    "list": "list_formulas:list_formulas",
    "check": "check:check",
    "show": "show:show",
    "analyze": "analyze:analyze",
    "compare-formulas": "compare_formulas:compare_formulas",
    "equal": "equal:equal",
    "design": "design:design",
    "mutate": "mutate:mutate",
    "plot": "plot:plot",
    "build": "build:build",
    "export": "export:export",
    "backbones": "backbones:backbones",
    "train": "train:train",
    "sweep": "sweep:sweep",
    "evaluate": "evaluate:evaluate",
    "predict": "evaluate:predict",
    "extract": "extract:extract",
    "data": "data:data",
    "compare": "compare:compare",
    "probe": "probe:probe",
    "spectrum": "spectrum:spectrum",
}


def application(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """The command line with the commands of these names."""
    made = typer.Typer(
        help="Analyze, build and train deep networks from their recursion formulas.\n\n"
        "FORMULA is a formula's text, a .rf file, or the name of an example, such as resnet_s.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    # With a callback, a single command keeps its name.
    made.callback()(_without_command)
    for name in names:
        module, _, function = COMMANDS[name].partition(":")
        command = getattr(import_module(f"recform.cli.{module}"), function)
        if isinstance(command, typer.Typer):
            made.add_typer(command, name=name)
        else:
            made.command(name)(command)
    return made


def _tell_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        print(f"recform {version('recform')}")
        raise typer.Exit


def _without_command(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """What stands before a command."""


def main() -> None:
    """Run the command line; what the user can mend is told without a traceback."""
    asked = [name for name in sys.argv[1:2] if name in COMMANDS]
    try:
        application(asked or COMMANDS)()
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        # While a command is being loaded; later, commands end in their own way.
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader went away, as `| head` does. Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def __getattr__(name: str) -> Any:
    """`app` is the whole command line, made when it is asked for."""
    if name != "app":
        raise AttributeError(f"module 'recform.cli.main' has no attribute '{name}'")
    return application()


if __name__ == "__main__":
    main()
