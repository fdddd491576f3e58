"""recform equal: do two formulas have the same paths?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from recform.cli.arguments import JsonOption
from recform.cli.output import print_json

if TYPE_CHECKING:
    from recform.paths.equal import Equality

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
        return
    print(verdict(found))
    if found.witness is not None:
        print(f"  {found.witness.text}")
    if found.reason is not None:
        print(f"  {found.reason}")
    if found.breaks:
        print(f"  as networks they differ with: {', '.join(_NAMES[name] for name in found.breaks)}")


_NAMES = {
    "activation": "the activations as written",
    "projection": "a projection at a stage border",
    "norm": "the norms as written",
}


def verdict(found: Equality) -> str:
    match found.equal:
        case "always":
            return "always: the same paths at every depth, from every start"
        case "from_start":
            others = "not from every later one" if found.witness else "later ones are not decided"
            return f"from_start: the same paths from x[0] at every depth, {others}"
        case "no":
            return "no: the paths differ"
        case "undecided":
            return f"undecided: no difference down to depth {found.checked_depth}"
