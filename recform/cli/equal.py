"""recform equal: do two formulas have the same paths?"""

from __future__ import annotations

from typing import Annotated

import typer

from recform.cli.arguments import JsonOption
from recform.cli.output import print_json

_Formula = Annotated[
    str,
    typer.Argument(metavar="FORMULA",
                   help="Text with an equals sign, a .rf file, or an example's name.",
                   show_default=False),
]  # fmt: skip


def equal(a: _Formula, b: _Formula, as_json: JsonOption = False) -> None:
    """Tell whether two formulas have the same paths, at every depth and from every start.

    \b
    Example:  recform equal resnet_s injection

    The answer is exact: always (from every x[l0]), from_start (from x[0]), no, or undecided where
    no difference was found and a formula has no recurrence, or products of values. Exit code 0 for
    every answer.
    """
    from recform.paths.equal import equal as compare

    found = compare(a, b)
    if as_json:
        print_json(found.to_json())
    else:
        print(found)
