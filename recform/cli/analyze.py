"""recform analyze: the paths of a formula, counted."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from recform.cli.arguments import FormulaArgument, JsonOption, StartOption
from recform.cli.output import print_json

DepthOrStagesOption = Annotated[
    int | None,
    typer.Option("--depth", "-d", help="Number of blocks, L.  [default: 16]", show_default=False),
]
StagesOption = Annotated[
    str | None,
    typer.Option(help="Blocks in each stage, such as 3,4,6,3; their sum is the depth.",
                 show_default=False),
]  # fmt: skip
TrunkOption = Annotated[
    str | None,
    typer.Option("--backbone", "-b", help="Take stages and widths from a backbone, such as "
                 "resnet50 (loads torch).", show_default=False),
]  # fmt: skip
ActivationsOption = Annotated[
    str,
    typer.Option(metavar="transparent|keep", help="transparent, as in the paper, or keep: each is "
                 "a letter of length 0, which stops cancellation."),
]  # fmt: skip
AtOption = Annotated[
    str | None,
    typer.Option("--at", metavar="init", help="Put learned coefficients at their start values; "
                 "else they count as 1.", show_default=False),
]  # fmt: skip
WidthsOption = Annotated[
    str | None,
    typer.Option(help="Width of each block, such as 64,64,128,128: mean and least width of the "
                 "blocks on the paths of each length.", show_default=False),
]  # fmt: skip
LatexOption = Annotated[
    bool, typer.Option("--latex", help="Print the expansions in words alone, as LaTeX.")
]
FullOption = Annotated[
    bool, typer.Option("--full", help="Write words and tables by block at any depth.")
]


def analyze(
    formula: FormulaArgument,
    depth: DepthOrStagesOption = None,
    start: StartOption = 0,
    stages: StagesOption = None,
    backbone: TrunkOption = None,
    activations: ActivationsOption = "transparent",
    at: AtOption = None,
    widths: WidthsOption = None,
    latex: LatexOption = False,
    full: FullOption = False,
    as_json: JsonOption = False,
) -> None:
    """Expand d x[L] / d x[l0] into paths and count them exactly, by length.

    \b
    Example:  recform analyze "x[l+1] = x[l] + F(x[l]) - F(x[l-1])" --depth 8

    Net counts with sign, so that paths cancel; gross counts the wires as drawn; distinct counts
    the paths that survive. With --json: one object with formula, depth, start, net, gross, distinct
    (arrays by path length), generating_function, recurrence, growth, mean_length, std_length,
    words, parameter_gradients, through_block, reversible and warnings; docs/paths.md explains each.
    """
    from recform.paths import analyze as count
    from recform.paths import to_json

    division, block_widths = _division(stages, widths, backbone)
    analysis = count(formula, depth, start, division, activations=activations, at=at,
                     widths=block_widths)  # fmt: skip
    if latex:
        print("\n".join(analysis.expansions_in_latex.values()))
    elif as_json:
        print_json(to_json(analysis, full))
    else:
        from recform.cli.analysis_page import print_page

        print_page(analysis, full)


def _division(
    stages: str | None, widths: str | None, backbone: str | None
) -> tuple[Any, list[int] | None]:
    """Stages and widths, as numbers or those of a backbone."""
    if backbone is None:
        return _numbers(stages, "--stages", "3,4,6,3"), _numbers(widths, "--widths", "64,64,128")
    if stages is not None or widths is not None:
        raise typer.BadParameter("a backbone has stages and widths of its own",
                                 param_hint="--backbone")  # fmt: skip
    from recform.network import stages_of

    found = stages_of(backbone)
    return found.stages, list(found.widths)


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
