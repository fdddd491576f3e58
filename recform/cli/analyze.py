"""recform analyze: the paths of a formula, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from recform.cli.arguments import DepthOption, FormulaArgument, JsonOption
from recform.cli.output import print_json, shorten, talk, width

if TYPE_CHECKING:
    from recform.paths import Analysis


def analyze(
    formula: FormulaArgument,
    depth: DepthOption = 16,
    start: Annotated[int, typer.Option(help="l0: paths from x[L] back to x[l0].")] = 0,
    stages: Annotated[
        str | None,
        typer.Option(help="Blocks in each stage, such as 3,4,6,3; their sum is the depth.",
                     show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Expand d x[L] / d x[l0] into paths and count them exactly, by length.

    \b
    Example:  recform analyze "x[l+1] = x[l] + F(x[l]) - F(x[l-1])" --depth 8

    Net counts with sign, so that paths cancel; gross counts the wires as drawn; distinct counts
    the paths that survive. With --json: one object with formula, depth, start, net, gross,
    distinct (arrays by path length), distinct_reason, words, plain_borders and notes.
    """
    from recform.paths import analyze as count

    analysis = count(formula, depth, start, _stages(stages))
    if as_json:
        print_json(analysis.to_json())
    else:
        _print(analysis)


def _print(analysis: Analysis) -> None:
    from recform.pictures import text_histogram

    print(f"{analysis.formula}\n")
    columns = width()
    main = analysis.formula.main
    output = "output" if analysis.formula.output is not None else main
    for depth, expansion in analysis.expansions.items():
        left = f"d {output}[{depth}] / d {main}[0]  =  "
        print(left + shorten(expansion, columns - len(left)))
    print(f"\nPaths of d {output}[{analysis.depth}] / d {main}[{analysis.start}], by the number of "
          "blocks on them:\n")  # fmt: skip
    print("\n".join(text_histogram(analysis, width=columns)))
    print(f"\nIn total: {_totals(analysis)}")
    for note in analysis.notes:
        talk(f"note: {note}")


def _totals(analysis: Analysis) -> str:
    from recform.pictures.counts import count_to_text

    counts = {"net": analysis.net, "gross": analysis.gross, "distinct": analysis.distinct}
    return ", ".join(
        f"{name} {count_to_text(sum(numbers), room=30)}"
        for name, numbers in counts.items()
        if numbers is not None
    )


def _stages(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        lengths = [int(part) for part in text.split(",")]
    except ValueError:
        lengths = []
    if not lengths or min(lengths) < 1:
        raise typer.BadParameter(f"{text!r} is no list of stage lengths such as 3,4,6,3",
                                 param_hint="--stages")  # fmt: skip
    return lengths
