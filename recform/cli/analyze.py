"""recform analyze: the paths of a formula, counted."""

from __future__ import annotations

from typing import Annotated

import typer

from recform.cli.arguments import FormulaArgument, JsonOption
from recform.cli.output import print_json


def analyze(
    formula: FormulaArgument,
    depth: Annotated[
        int | None,
        typer.Option("--depth", "-d", help="Number of blocks, L.  [default: 16]",
                     show_default=False),
    ] = None,
    start: Annotated[int, typer.Option(help="l0: paths from x[L] back to x[l0].")] = 0,
    stages: Annotated[
        str | None,
        typer.Option(help="Blocks in each stage, such as 3,4,6,3; their sum is the depth.",
                     show_default=False),
    ] = None,
    activations: Annotated[
        str, typer.Option(help="transparent, as in the paper, or keep: each is a letter of length "
                          "0, which stops cancellation.", metavar="transparent|keep"),
    ] = "transparent",
    widths: Annotated[
        str | None,
        typer.Option(help="Width of each block, such as 64,64,128,128: mean and least width of the "
                     "blocks on the paths of each length.", show_default=False),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Write words and tables by block at any depth.")
    ] = False,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Expand d x[L] / d x[l0] into paths and count them exactly, by length.

    \b
    Example:  recform analyze "x[l+1] = x[l] + F(x[l]) - F(x[l-1])" --depth 8

    Net counts with sign, so that paths cancel; gross counts the wires as drawn; distinct counts
    the paths that survive. With --json: one object with formula, depth, start, net, gross, distinct
    (arrays by path length), generating_function, recurrence, growth, mean_length, std_length,
    words, parameter_gradients, through_block and warnings; docs/paths.md explains each.
    """
    from recform.paths import analyze as count
    from recform.paths import to_json

    analysis = count(formula, depth, start, _numbers(stages, "--stages", "3,4,6,3"),
                     activations=activations,
                     widths=_numbers(widths, "--widths", "64,64,128,128"))  # fmt: skip
    if as_json:
        print_json(to_json(analysis, full))
    else:
        from recform.cli.analysis_page import print_page

        print_page(analysis, full)


def _numbers(text: str | None, option: str, example: str) -> list[int] | None:
    if text is None:
        return None
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1:
        raise typer.BadParameter(f"{text!r} is no list of whole numbers such as {example}",
                                 param_hint=option)  # fmt: skip
    return numbers
