"""recform plot: pictures of formulas and runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recform.cli.arguments import DepthOption, OutOption
from recform.cli.output import talk

plot = typer.Typer(
    help="Draw paths by length, or the curves of training runs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@plot.command()
def histogram(
    formulas: Annotated[list[str], typer.Argument(metavar="FORMULA...", show_default=False)],
    output: OutOption,
    depth: DepthOption = 16,
) -> None:
    """Draw the paths of one or more formulas by length.

    \b
    Example:  recform plot histogram resnet resnet_s --depth 12 -o paths.png
    """
    from recform.paths import analyze
    from recform.pictures import histogram as draw
    from recform.pictures import save

    save(draw([analyze(formula, depth) for formula in formulas]), output)
    talk(f"wrote {output}")


@plot.command()
def curves(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", show_default=False)],
    output: OutOption,
) -> None:
    """Draw accuracy and loss of one or more training runs.

    \b
    Example:  recform plot curves runs/demo/digits -o curves.png
    """
    from recform.pictures import curves as draw
    from recform.pictures import save

    save(draw(runs), output)
    talk(f"wrote {output}")
