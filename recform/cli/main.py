"""The `recform` command.

Each command stands in a file of its own and imports what it needs when it runs, so that
`recform analyze` starts without torch.
"""

from __future__ import annotations

import os
import sys

import typer

from recform.cli.analyze import analyze
from recform.cli.backbones import backbones
from recform.cli.build import build
from recform.cli.check import check
from recform.cli.compare import compare
from recform.cli.compare_formulas import compare_formulas
from recform.cli.data import data
from recform.cli.design import design
from recform.cli.equal import equal
from recform.cli.evaluate import evaluate, predict
from recform.cli.list_formulas import list_formulas
from recform.cli.mutate import mutate
from recform.cli.plot import plot
from recform.cli.probe import probe
from recform.cli.show import show
from recform.cli.sweep import sweep
from recform.cli.train import train
from recform.errors import UserError

app = typer.Typer(
    help="Analyze, build and train deep networks from their recursion formulas.\n\n"
    "FORMULA is a formula's text, a .rf file, or the name of an example, such as resnet_s.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command("list")(list_formulas)
app.command()(check)
app.command()(show)
app.command()(analyze)
app.command()(compare_formulas)
app.command()(equal)
app.command()(design)
app.command()(mutate)
app.add_typer(plot, name="plot")
app.command()(build)
app.command()(backbones)
app.command()(train)
app.command()(sweep)
app.command()(evaluate)
app.command()(predict)
app.add_typer(data, name="data")
app.command()(compare)
app.command()(probe)


def main() -> None:
    """Run the command line; what the user can mend is told without a traceback."""
    try:
        app()
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # The reader went away, as `| head` does. Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
