"""recform mutate: the neighbours of a formula, with their analysis side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from recform.cli.arguments import FormulaArgument, JsonOption
from recform.cli.output import print_json, table

if TYPE_CHECKING:
    from recform.design import Neighbour
    from recform.paths import Analysis


def mutate(
    formula: FormulaArgument,
    depth: Annotated[int, typer.Option("--depth", "-d", help="Number of blocks, L.")] = 8,
    adding: Annotated[bool, typer.Option(help="Also with one term more.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Change one sign, delay or term of a formula, and see what becomes of its paths.

    \b
    Example:  recform mutate resnet_s --depth 6

    One line for each neighbour: paths in total (net, as drawn, distinct), blocks on the shortest
    and longest, growth of the net count a step, and what changed. With --json: an array of
    analyses as `recform analyze --json` has them, each with its change and cost; the first is
    the formula itself.
    """
    from recform.design import Neighbour, neighbours
    from recform.formula import resolve

    found = resolve(formula)
    around = neighbours(found, depth, adding=adding)
    rows = [Neighbour("", found, depth), *around]
    if as_json:
        print_json([row.to_json() for row in rows])
        return
    header = ["formula", "net", "drawn", "distinct", "shortest", "longest", "growth", "change"]
    print(table(header, [_row(row) for row in rows]))


def _row(neighbour: Neighbour) -> list[str]:
    analysis = neighbour.analysis
    text = str(neighbour.formula).split("\n")
    lines = [line for line in text if not line.startswith("#")]
    distinct = analysis.distinct or ()
    lengths = [length for length, count in enumerate(distinct) if count]
    return [
        _cut("; ".join(lines)),
        _total(analysis.net),
        _total(analysis.gross),
        _total(distinct),
        str(min(lengths, default="-")),
        str(max(lengths, default="-")),
        _growth(analysis),
        neighbour.change or "the formula itself",
    ]


def _cut(text: str, columns: int = 60) -> str:
    return text if len(text) <= columns else f"{text[: columns - 3]}..."


def _total(row: tuple | None) -> str:
    return "-" if row is None else str(sum(row))


def _growth(analysis: Analysis) -> str:
    form = analysis.closed and analysis.closed.net
    growth = form.growth if form else None
    return "-" if growth is None else f"{growth.value:.4g}"
