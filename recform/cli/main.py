"""The `recform` command.

Each command stands in a file of its own and imports what it needs when it runs, so that
`recform analyze` starts without torch. The command line reads the file of the command that is
asked for, and all of them only where they are listed.

Ctrl-C ends a command in a line, however early it comes: so this file itself reads next to nothing
before it listens.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

from recform.errors import UserError

if TYPE_CHECKING:
    import typer

INTERRUPTED = 130
STDERR = 2
# The file that Python names for the code of `import`.
IMPORTING = "<frozen importlib._bootstrap>"
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
    "report": "report:report",
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


def main() -> None:
    """Run the command line; what the user can mend is told without a traceback."""
    # Who starts us in the background may have chosen that Ctrl-C is not for us.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupted)
    asked = [name for name in sys.argv[1:2] if name in COMMANDS]
    try:
        _application(asked or list(COMMANDS))()
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


def _application(names: list[str]) -> typer.Typer:
    from recform.cli.application import application

    return application({name: COMMANDS[name] for name in names})


def _interrupted(_signum: int, frame: FrameType | None) -> None:
    """Ctrl-C: said in a line, then raised for what wants to tidy up.

    While a module is being read there is nothing to tidy, and libraries take an interrupt amiss:
    numpy read halfway answers with a RecursionError. There the process ends at once.
    """
    with suppress(OSError):
        os.write(STDERR, b"interrupted\n")
    while frame is not None:
        if frame.f_code.co_filename == IMPORTING:
            os._exit(INTERRUPTED)
        frame = frame.f_back
    raise KeyboardInterrupt


def __getattr__(name: str) -> Any:
    """`app` is the whole command line, made when it is asked for."""
    if name != "app":
        raise AttributeError(f"module 'recform.cli.main' has no attribute '{name}'")
    return _application(list(COMMANDS))


if __name__ == "__main__":
    main()
