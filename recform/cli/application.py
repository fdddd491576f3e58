"""The command line as typer sees it, put together from the commands' own files."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Annotated

import typer


def application(commands: Mapping[str, str]) -> typer.Typer:
    """The command line with these commands: name -> FILE:FUNCTION in recform/cli."""
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
    for name, place in commands.items():
        module, _, function = place.partition(":")
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
