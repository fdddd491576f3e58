"""recform check: is this a formula?"""

from __future__ import annotations

import typer

from recform.cli.arguments import DepthOption, FormulaArgument, JsonOption
from recform.cli.output import print_json


def check(formula: FormulaArgument, depth: DepthOption = 16, as_json: JsonOption = False) -> None:
    """Tell whether a formula is right, and if not, what, where and what to do.

    \b
    Example:  recform check "x[l+1] = x[l] + F(x[l])"

    Some mistakes show only when the formula is written out: it is, to the depth given.

    Exit code 0 and one line if it is right, else 1 and the mistakes on stderr. With --json the
    result is a list of {code, message, line, column, end_column, hint}, empty if it is right.
    """
    from recform.errors import UserError
    from recform.formula import resolve
    from recform.tape import verify

    try:
        parsed = resolve(formula)
        # Some mistakes show only at some depth.
        verify(parsed, depth)
    except UserError as error:
        if not as_json:
            raise
        print_json([diagnostic.to_json() for diagnostic in error.diagnostics])
        raise typer.Exit(1) from None
    if as_json:
        print_json([])
        return
    states = ", ".join(equation.state for equation in parsed.equations)
    blocks = ", ".join(("F", *parsed.blocks))
    name = parsed.source.name if parsed.source else "formula"
    print(f"{name}: ok (states {states}; blocks {blocks})")
